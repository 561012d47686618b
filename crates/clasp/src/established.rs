// Above `config`.
//! What is left of a handshake, once: its facts, the secrets that are kept, the session. What comes of them later (keys,
//! keying material, sessions) is asked of it with a provider, by whichever carrier brought the handshake about.

use crate::code::ProtocolVersion;
use crate::config::ClientConfig;
use crate::crypto::{CryptoResult, Digest, HashId, Provider};
use crate::error::{Error, Misuse, Outside, Result};
use crate::facts::Facts;
use crate::keys::kept13::Kept13;
use crate::keys::maker::{KeyLabels, KeyMaker, KeyMaterial, Way};
use crate::keys::schedule12::{Master, Side, VERIFY_DATA_LEN, Vault12};
use crate::keys::schedule13::{TrafficKeys, max_export};
use crate::session::{Context, KeptSession, PeerKey, Session};
use crate::suite::{Suite, Suite13};
use crate::wire::message::NewSessionTicket13View;
use std::sync::Arc;
use std::time::Duration;

/// What a handshake comes to.
pub(crate) struct Established {
    pub(crate) facts: Arc<Facts>,
    secrets: Secrets,
}

/// The secrets that are kept.
enum Secrets {
    Tls12(Kept12),
    /// Those of TLS 1.2 do not change: the halves of a connection share them.
    Shared12(Arc<Kept12>),
    Tls13 {
        kept: Kept13,
        /// Of a client that keeps the tickets that come: the configuration they are for.
        tickets: Option<Arc<ClientConfig>>,
    },
}

/// What is kept of TLS 1.2.
pub(crate) struct Kept12 {
    /// Ours.
    pub(crate) side: Side,
    pub(crate) hash: HashId,
    pub(crate) master: Master,
    pub(crate) randoms: Randoms,
    /// The first Finished of the conversation: `tls-unique` (RFC 5929 3).
    pub(crate) first_finished: [u8; VERIFY_DATA_LEN],
}

/// Both randoms of a TLS 1.2 handshake, the client's first; in the same piece of heap the store that has its session.
pub(crate) enum Randoms {
    Alone(Box<[u8; 64]>),
    Kept(Box<([u8; 64], KeptSession)>),
}

impl Randoms {
    pub(crate) fn new(client: &[u8; 32], server: &[u8; 32], session: Option<KeptSession>) -> Self {
        let mut randoms = [0; 64];
        randoms[..32].copy_from_slice(client);
        randoms[32..].copy_from_slice(server);
        match session {
            None => Self::Alone(Box::new(randoms)),
            Some(session) => Self::Kept(Box::new((randoms, session))),
        }
    }

    fn get(&self) -> &[u8; 64] {
        match self {
            Self::Alone(randoms) => randoms,
            Self::Kept(kept) => &kept.0,
        }
    }
}

impl Established {
    pub(crate) fn tls12(facts: Facts, kept: Kept12) -> Self {
        Self { facts: Arc::new(facts), secrets: Secrets::Tls12(kept) }
    }

    /// `tickets` is a client's configuration that keeps the tickets that come.
    pub(crate) fn tls13(facts: Facts, kept: Kept13, tickets: Option<Arc<ClientConfig>>) -> Self {
        Self { facts: Arc::new(facts), secrets: Secrets::Tls13 { kept, tickets } }
    }

    pub(crate) fn is_tls13(&self) -> bool {
        matches!(self.secrets, Secrets::Tls13 { .. })
    }

    fn kept13(&self) -> Result<&Kept13> {
        match &self.secrets {
            Secrets::Tls13 { kept, .. } => Ok(kept),
            Secrets::Tls12(_) | Secrets::Shared12(_) => Err(Misuse::OldVersionForThis.into()),
        }
    }

    fn kept12(&self) -> Option<&Kept12> {
        match &self.secrets {
            Secrets::Tls12(kept) => Some(kept),
            Secrets::Shared12(kept) => Some(kept),
            Secrets::Tls13 { .. } => None,
        }
    }

    /// The connection has ended with a fatal alert: its session is not resumed (RFC 5246 7.2.2).
    pub(crate) fn forget_session(&self) {
        if let Some(Kept12 { randoms: Randoms::Kept(kept), master, .. }) = self.kept12() {
            kept.1.forget(master, self.facts.server_name.as_deref().unwrap_or_default());
        }
    }

    /// The two halves, that which receives first. Of TLS 1.3 each has the secret of its own direction.
    pub(crate) fn split(self) -> (Self, Self) {
        let Self { facts, secrets } = self;
        let (receiving, sending) = match secrets {
            Secrets::Tls12(kept) => {
                let kept = Arc::new(kept);
                (Secrets::Shared12(kept.clone()), Secrets::Shared12(kept))
            }
            Secrets::Shared12(kept) => (Secrets::Shared12(kept.clone()), Secrets::Shared12(kept)),
            Secrets::Tls13 { mut kept, tickets } => {
                let writing = kept.split_writing();
                (Secrets::Tls13 { kept, tickets }, Secrets::Tls13 { kept: writing, tickets: None })
            }
        };
        (Self { facts: facts.clone(), secrets: receiving }, Self { facts, secrets: sending })
    }
}

/// Keys.
impl Established {
    /// The keys that open what comes at present, made anew of what is kept.
    pub(crate) fn open<M: KeyMaker>(&self, provider: &Provider, maker: &M) -> Result<M::Open> {
        self.keys(provider, Way::Read, maker.labels(), |material| maker.open(material))
    }

    /// The same of the keys that seal what goes.
    pub(crate) fn seal<M: KeyMaker>(&self, provider: &Provider, maker: &M) -> Result<M::Seal> {
        self.keys(provider, Way::Write, maker.labels(), |material| maker.seal(material))
    }

    /// Does something with what a direction's keys are made of.
    ///
    /// # Errors
    /// If it fails, or the suite is none of the provider's.
    pub(crate) fn keys<K>(
        &self,
        provider: &Provider,
        way: Way,
        labels: &KeyLabels,
        make: impl FnOnce(&KeyMaterial<'_>) -> CryptoResult<K>,
    ) -> Result<K> {
        let Some(Kept12 { side, hash, master, randoms, .. }) = self.kept12() else {
            return Ok(make(&self.kept13()?.material(way, labels, &mut TrafficKeys::default()))?);
        };
        let suite = Suite::find(self.facts.suite).ok_or(Outside::Bug)?;
        let (client_random, server_random) = randoms.get().split_at(32);
        let mut vault = Vault12::new();
        vault.resume(master.expose());
        vault.expand(provider.hash(*hash)?, suite, client_random, server_random);
        let writer = match way {
            Way::Read => side.other(),
            Way::Write => *side,
        };
        let (keys, encrypt_then_mac) = (vault.keys(suite, writer), self.facts.encrypt_then_mac);
        Ok(make(&KeyMaterial::Tls12 { suite, keys, encrypt_then_mac })?)
    }

    /// Moves a direction's traffic secret on: RFC 9846 7.2. Its keys are those of before until they are made anew.
    ///
    /// # Errors
    /// In TLS 1.2.
    pub(crate) fn update(&mut self, way: Way, labels: &KeyLabels) -> Result<()> {
        match &mut self.secrets {
            Secrets::Tls13 { kept, .. } => kept.update(way, labels),
            Secrets::Tls12(_) | Secrets::Shared12(_) => return Err(Misuse::OldVersionForThis.into()),
        }
        Ok(())
    }

    /// The traffic secret of a direction (TLS 1.3), for an observer.
    pub(crate) fn traffic(&self, way: Way) -> Option<&[u8]> {
        self.kept13().ok().map(|kept| kept.traffic(way))
    }

    /// Finished.verify_data of whoever writes this way, under the traffic secret of the moment: RFC 9846 4.4, 4.6.2.
    ///
    /// # Errors
    /// In TLS 1.2.
    pub(crate) fn verify_data(&self, way: Way, transcript: &[u8]) -> Result<Digest> {
        Ok(self.kept13()?.verify_data(way, transcript))
    }
}

/// A ticket is not kept longer: RFC 9846 4.6.1.
const MAX_LIFETIME: u32 = 7 * 24 * 3600;

/// Sessions.
impl Established {
    /// Client: keeps what a ticket of TLS 1.3 stands for, where the configuration keeps sessions: RFC 9846 4.6.1. `carrier`
    /// is what sessions hang on that come over it, and `parameters` what the server's said.
    ///
    /// # Errors
    /// If the secret that tickets hang on is not there.
    pub(crate) fn keep_ticket(
        &self,
        carrier: &Context,
        ticket: &NewSessionTicket13View<'_>,
        (max_early_data, parameters): (u32, Option<Arc<[u8]>>),
    ) -> Result<()> {
        let Secrets::Tls13 { kept, tickets: Some(config) } = &self.secrets else { return Ok(()) };
        let Some(store) = &config.sessions else { return Ok(()) };
        if ticket.lifetime == 0 {
            return Ok(());
        }
        let mut master = Box::new([0; 48]);
        if !kept.ticket_psk(ticket.nonce, &mut master) {
            return Err(Outside::Bug.into());
        }
        let facts = &self.facts;
        let received = config.clock.now();
        let lifetime = Duration::from_secs(u64::from(ticket.lifetime.min(MAX_LIFETIME)));
        let hash = Suite13::find(kept.suite).map(|suite| suite.hash);
        let name = facts.psk_identity.as_ref();
        let psk = name.and_then(|name| config.psks.iter().find(|k| k.identity == *name && Some(k.hash) == hash));
        let session = Session {
            version: ProtocolVersion::Tls13,
            suite: kept.suite,
            master,
            extended_master_secret: true,
            id: Vec::new(),
            ticket: ticket.ticket.to_vec(),
            until: received.checked_add(lifetime).unwrap_or(received),
            server: facts.peer.clone(),
            server_type: facts.peer_type,
            alpn: facts.alpn.clone(),
            group: facts.group,
            signature_scheme: facts.signature_scheme,
            received,
            age_add: ticket.age_add,
            max_early_data,
            context: config.context.and(carrier),
            authenticated_until: facts.authenticated_until,
            psk: psk.map(|key| key.mark),
            parameters,
        };
        store.put(&PeerKey(facts.server_name.clone().unwrap_or_default()), session);
        Ok(())
    }
}

/// Keying material and channel bindings.
impl Established {
    /// Keying material that only the two ends have: RFC 5705 4, RFC 9846 7.5.
    ///
    /// # Errors
    /// If the label is one of TLS itself, or it, the context or what is wanted is too long; or the version is TLS 1.2 without
    /// the extended master secret.
    pub(crate) fn export(
        &self,
        provider: &Provider,
        label: &[u8],
        context: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<()> {
        let Some(Kept12 { hash, master, randoms, .. }) = self.kept12() else {
            return export13(self.kept13()?, label, context.unwrap_or_default(), out);
        };
        check_label(label)?;
        if !self.facts.extended_master_secret {
            // A man in the middle can give two connections the same secrets (RFC 7627 5.4).
            let refused = Error::from(Misuse::ExporterUnavailable);
            return Err(refused
                .seen("TLS 1.2 without the extended master secret")
                .wanted("a peer that has it, or TLS 1.3"));
        }
        let (hash, randoms) = (provider.hash(*hash)?, &randoms.get()[..]);
        match context {
            None => master.export(hash, label, [randoms, &[], &[]], out),
            Some(context) => {
                let length = u16::try_from(context.len())
                    .map_err(|_| Error::from(Misuse::ExporterTooLong).seen("a context of more than 65535 bytes"))?;
                master.export(hash, label, [randoms, &length.to_be_bytes(), context], out);
            }
        }
        Ok(())
    }

    /// Keying material of the early data.
    ///
    /// # Errors
    /// If early data was not accepted, or the label or the length is too long.
    pub(crate) fn export_early(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<()> {
        if let Secrets::Tls13 { kept, .. } = &self.secrets {
            check_length(kept, label, out)?;
            if kept.export_early(label, context, out) {
                return Ok(());
            }
        }
        Err(Error::from(Misuse::ExporterUnavailable).wanted("a connection with early data"))
    }

    /// `tls-exporter`: RFC 9266.
    ///
    /// # Errors
    /// If the version is TLS 1.2 without the extended master secret.
    pub(crate) fn tls_exporter(&self, provider: &Provider) -> Result<[u8; 32]> {
        if !(self.is_tls13() || self.facts.extended_master_secret) {
            return Err(Error::from(Misuse::ChannelBindingUnsafe).wanted("the extended master secret"));
        }
        let mut out = [0; 32];
        self.export(provider, b"EXPORTER-Channel-Binding", Some(&[]), &mut out)?;
        Ok(out)
    }

    /// `tls-unique`: RFC 5929 3.
    ///
    /// # Errors
    /// In TLS 1.3, and without the extended master secret.
    pub(crate) fn tls_unique(&self) -> Result<[u8; VERIFY_DATA_LEN]> {
        match self.kept12() {
            Some(kept) if self.facts.extended_master_secret => Ok(kept.first_finished),
            Some(_) => Err(Error::from(Misuse::ChannelBindingUnsafe).wanted("the extended master secret")),
            None => Err(Error::from(Misuse::ChannelBindingUnsafe).seen("TLS 1.3").wanted("tls-exporter (RFC 9266)")),
        }
    }
}

/// Keying material of TLS 1.3, which a server with early data has before the handshake is done.
///
/// # Errors
/// If the label is one of TLS itself, or it or what is wanted is too long.
pub(crate) fn export13(kept: &Kept13, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<()> {
    check_label(label)?;
    check_length(kept, label, out)?;
    kept.export(label, context, out);
    Ok(())
}

fn check_label(label: &[u8]) -> Result<()> {
    const RESERVED: [&[u8]; 5] =
        [b"client finished", b"server finished", b"master secret", b"key expansion", b"extended master secret"];
    if RESERVED.contains(&label) {
        return Err(Error::from(Misuse::ExporterUnavailable).seen("a label of TLS itself"));
    }
    Ok(())
}

/// RFC 5869 2.3 bounds the length; a label has one byte of length with `tls13 ` in front.
fn check_length(kept: &Kept13, label: &[u8], out: &[u8]) -> Result<()> {
    const MAX_LABEL: usize = 255 - 6;
    let max = max_export(kept.hash_id());
    if out.len() > max || label.len() > MAX_LABEL {
        return Err(Error::from(Misuse::ExporterTooLong)
            .seen(format_args!("{} bytes under a label of {}", out.len(), label.len()))
            .wanted(format_args!("at most {max} under {MAX_LABEL}")));
    }
    Ok(())
}
