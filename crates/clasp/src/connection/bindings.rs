//! What an established connection can give to other protocols: keying material (RFC 5705) and channel bindings
//! (RFC 5929).

use super::Connection;
use crate::config::ClientConfig;
use crate::crypto::{HashId, Provider};
use crate::error::{Error, Misuse, Result};
use crate::facts::Facts;
use crate::handshake::{Established, Secrets};
use crate::keys::kept13::Kept13;
use crate::keys::schedule12::{Master, VERIFY_DATA_LEN};
use crate::keys::schedule13::max_export;
use crate::session::KeptSession;
use std::sync::Arc;

/// What is kept of a finished handshake.
pub(super) struct Done {
    pub(super) facts: Arc<Facts>,
    pub(super) kept: Kept,
}

/// Both randoms of a TLS 1.2 handshake, the client's first; in the same piece of heap the store that has its session.
pub(super) enum Randoms {
    Alone(Box<[u8; 64]>),
    Kept(Box<([u8; 64], KeptSession)>),
}

impl Randoms {
    pub(super) fn get(&self) -> &[u8; 64] {
        match self {
            Self::Alone(randoms) => randoms,
            Self::Kept(kept) => &kept.0,
        }
    }
}

/// The secrets that are kept.
pub(super) enum Kept {
    Tls12 {
        hash: HashId,
        master: Master,
        randoms: Randoms,
        first_finished: [u8; VERIFY_DATA_LEN],
    },
    /// With the configuration of a client that keeps sessions.
    Tls13 {
        kept: Kept13,
        tickets: Option<Arc<ClientConfig>>,
    },
}

impl Done {
    pub(super) fn new(established: Established) -> Self {
        let kept = match established.secrets {
            Secrets::Tls12 { hash, master, client_random, server_random, first_finished, session } => {
                let mut randoms = [0; 64];
                randoms[..32].copy_from_slice(&client_random);
                randoms[32..].copy_from_slice(&server_random);
                let randoms = match session {
                    None => Randoms::Alone(Box::new(randoms)),
                    Some(session) => Randoms::Kept(Box::new((randoms, session))),
                };
                Kept::Tls12 { hash, master, randoms, first_finished }
            }
            Secrets::Tls13 { kept, tickets, .. } => Kept::Tls13 { kept, tickets },
        };
        Self { facts: Arc::new(established.facts), kept }
    }
}

impl Done {
    /// The connection has ended with a fatal alert: its session is not resumed (RFC 5246 7.2.2).
    pub(super) fn forget_session(&self) {
        if let Kept::Tls12 { randoms: Randoms::Kept(kept), master, .. } = &self.kept {
            kept.1.forget(master, self.facts.server_name.as_deref().unwrap_or_default());
        }
    }

    /// What a half that only sends needs; here is nothing left to send with. TLS 1.2 never makes its keys anew.
    pub(super) fn split_sending(&mut self) -> Option<Self> {
        match &mut self.kept {
            Kept::Tls12 { .. } => None,
            Kept::Tls13 { kept, .. } => {
                let kept = Kept::Tls13 { kept: kept.split_writing(), tickets: None };
                Some(Self { facts: self.facts.clone(), kept })
            }
        }
    }
}

impl Connection {
    fn done(&self) -> Result<&Done> {
        self.done.as_ref().ok_or_else(|| Misuse::HandshakeUnfinished.into())
    }

    /// Fills `out` with keying material that only the two ends of this connection have: RFC 5705 4, RFC 9846 7.5. In
    /// TLS 1.2 no context is another thing than an empty one; in TLS 1.3 it is the same. A server that took early data
    /// can do so from its Finished on.
    ///
    /// # Errors
    /// If the handshake is not done, or the label is one of TLS itself, or the context is longer than 65535 bytes; or the version
    /// is TLS 1.2 without the extended master secret, whose keying material need not be this connection's alone (RFC 7627 5.4).
    pub fn export(&self, label: &[u8], context: Option<&[u8]>, out: &mut [u8]) -> Result<()> {
        const RESERVED: [&[u8]; 5] =
            [b"client finished", b"server finished", b"master secret", b"key expansion", b"extended master secret"];
        if RESERVED.contains(&label) {
            return Err(Error::from(Misuse::ExporterUnavailable).seen("a label of TLS itself"));
        }
        if let Some(kept) = self.early.as_ref().and_then(|early| early.half_rtt.as_ref()) {
            check_export(kept, label, out)?;
            kept.export(label, context.unwrap_or_default(), out);
            return Ok(());
        }
        let done = self.done()?;
        let (hash, master, randoms) = match &done.kept {
            Kept::Tls12 { .. } if !done.facts.extended_master_secret => {
                // A man in the middle can give two connections the same secrets (RFC 7627 5.4).
                let refused = Error::from(Misuse::ExporterUnavailable);
                return Err(refused
                    .seen("TLS 1.2 without the extended master secret")
                    .wanted("a peer that has it, or TLS 1.3"));
            }
            Kept::Tls12 { hash, master, randoms, .. } => (*hash, master, &randoms.get()[..]),
            Kept::Tls13 { kept, .. } => {
                check_export(kept, label, out)?;
                kept.export(label, context.unwrap_or_default(), out);
                return Ok(());
            }
        };
        let hash = self.provider.hash(hash)?;
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

    /// Keying material of the early data (TLS 1.3). An attacker who repeats the early data gets the same again.
    ///
    /// # Errors
    /// If early data was not accepted, or the label or the length is too long.
    pub fn export_early(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<()> {
        let done = self.done()?;
        let exported = match &done.kept {
            Kept::Tls13 { kept, .. } => {
                check_export(kept, label, out)?;
                kept.export_early(label, context, out)
            }
            Kept::Tls12 { .. } => false,
        };
        if exported {
            Ok(())
        } else {
            Err(Error::from(Misuse::ExporterUnavailable).wanted("a connection with early data"))
        }
    }

    /// `tls-exporter`: the channel binding of TLS 1.3 (RFC 9266).
    ///
    /// # Errors
    /// If the handshake is not done, or the version is TLS 1.2 without the extended master secret.
    pub fn tls_exporter(&self) -> Result<[u8; 32]> {
        if !self.done()?.facts.extended_master_secret && matches!(self.done()?.kept, Kept::Tls12 { .. }) {
            return Err(Error::from(Misuse::ChannelBindingUnsafe).wanted("the extended master secret"));
        }
        let mut out = [0; 32];
        self.export(b"EXPORTER-Channel-Binding", Some(&[]), &mut out)?;
        Ok(out)
    }

    /// `tls-unique`: the first Finished of the handshake (RFC 5929 3).
    ///
    /// # Errors
    /// If the handshake is not done, or the value is not unique: without the extended master secret a man in the
    /// middle can give two connections the same one (triple handshake, RFC 7627 1).
    pub fn tls_unique(&self) -> Result<[u8; VERIFY_DATA_LEN]> {
        let done = self.done()?;
        match &done.kept {
            Kept::Tls12 { first_finished, .. } if done.facts.extended_master_secret => Ok(*first_finished),
            Kept::Tls12 { .. } => Err(Error::from(Misuse::ChannelBindingUnsafe).wanted("the extended master secret")),
            Kept::Tls13 { .. } => {
                Err(Error::from(Misuse::ChannelBindingUnsafe).seen("TLS 1.3").wanted("tls-exporter (RFC 9266)"))
            }
        }
    }

    /// `tls-server-end-point` of a server's certificate (DER): its hash by the hash of its signature, SHA-256 in place
    /// of weaker ones (RFC 5929 4.1).
    ///
    /// # Errors
    /// If it is not a certificate, or its signature algorithm has no hash of its own.
    pub fn tls_server_end_point(certificate: &[u8]) -> Result<Vec<u8>> {
        let parsed = clasp_x509::Certificate::parse(certificate)
            .map_err(|field| Error::from(Misuse::BadCertificateFile).seen(field))?;
        let id = match parsed.signature_hash_bits() {
            Some(384) => HashId::Sha384,
            Some(512) => HashId::Sha512,
            Some(_) => HashId::Sha256,
            None => return Err(Error::from(Misuse::ExporterUnavailable).seen("a signature without a hash of its own")),
        };
        Ok(Provider::builtin().hash(id)?.digest(&[certificate]).as_ref().to_vec())
    }
}

/// RFC 5869 2.3 bounds the length; a label has one byte of length with `tls13 ` in front.
fn check_export(kept: &Kept13, label: &[u8], out: &[u8]) -> Result<()> {
    const MAX_LABEL: usize = 255 - 6;
    let max = max_export(kept.hash_id());
    if out.len() > max || label.len() > MAX_LABEL {
        return Err(Error::from(Misuse::ExporterTooLong)
            .seen(format_args!("{} bytes under a label of {}", out.len(), label.len()))
            .wanted(format_args!("at most {max} under {MAX_LABEL}")));
    }
    Ok(())
}
