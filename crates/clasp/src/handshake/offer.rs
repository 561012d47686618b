//! What our client offers, decided once and again after a HelloRetryRequest: a plan of its hello, which `client_hello.rs` encodes
//! and which answers are held against. RFC 9846 4.1.2, RFC 5246 7.4.1.2.

use super::grease::{GREASE_LEN, Grease};
use super::hiding13::{self, Hiding, Side};
use super::key_exchange::Shares;
use super::link::Link;
use super::retry13::Retry;
use super::wiring::Wiring;
use super::{admit, client_hello};
use crate::code::{NamedGroup, ProtocolVersion};
use crate::config::{ClientConfig, PreSharedKey};
use crate::crypto::{Hash, HashId};
use crate::error::{Outside, Result};
use crate::keys::maker::Way;
use crate::keys::schedule13::{AtEarly, BinderKind, Traffic, Vault13};
use crate::session::{PeerKey, Session};
use crate::suite::Suite13;
use rustls_pki_types::ServerName;
use smallvec::smallvec;

/// What our client says in its hello.
pub(crate) struct Offered {
    pub(crate) random: [u8; 32],
    pub(crate) session_id: Vec<u8>,
    /// The session of whichever version.
    pub(crate) session: Option<Session>,
    /// The server's name, as sessions are kept under it.
    pub(crate) peer: PeerKey,
    pub(crate) shares: Shares,
    /// The pre-shared keys as they stand in the hello.
    pub(crate) psks: Vec<OfferedPsk>,
    pub(crate) early: Option<EarlyOffer>,
    /// Whether the name stands in it: an address does not (RFC 6066 3).
    pub(crate) server_name: bool,
    pub(super) grease: Option<Grease>,
    pub(super) cookie: Option<Vec<u8>>,
    /// Whether the server asked for the one share there is.
    pub(super) retried: bool,
    /// What our carrier says to the server's.
    pub(super) parameters: Option<Box<[u8]>>,
    /// What the hello hides: RFC 9849.
    pub(super) hiding: Hiding,
    pub(super) side: Side,
}

/// One pre-shared key that was offered.
pub(crate) struct OfferedPsk {
    pub(crate) hash: HashId,
    pub(crate) kind: BinderKind,
    pub(super) secret: PskSecret,
    /// The schedule that begins with it, once its binder is made.
    pub(super) schedule: Option<(Box<Vault13>, AtEarly)>,
}

pub(super) enum PskSecret {
    /// That of the session.
    Session,
    /// The nth of the configuration.
    External(usize),
}

/// Early data goes with the hello, under this suite.
pub(crate) struct EarlyOffer {
    pub(crate) suite: &'static Suite13,
    pub(crate) max: u32,
}

/// Bytes of a session ID of our own.
const SESSION_ID_LEN: usize = 32;

impl Offered {
    /// Decides what to offer.
    fn new(
        config: &ClientConfig,
        wiring: &Wiring,
        name: &ServerName<'_>,
        peer: PeerKey,
        session: Option<Session>,
    ) -> Result<Self> {
        let provider = config.provider;
        let tls13 = config.policy.speaks(ProtocolVersion::Tls13);
        let known_id = session.as_ref().filter(|s| s.version == ProtocolVersion::Tls12 && !s.has_ticket());
        let own_id = match &session {
            // RFC 5077 3.4: an ID of our own with a ticket, so that its echo tells whether the ticket was taken.
            Some(s) if s.version == ProtocolVersion::Tls12 => s.has_ticket(),
            // RFC 9846 E.4: an ID makes the rest look like a resumption.
            _ => tls13 && config.middlebox_compatibility && wiring.middlebox_compatibility,
        };
        // All that is random is drawn at once: a draw costs more than its bytes.
        let mut drawn = [0; 32 + SESSION_ID_LEN + GREASE_LEN];
        let id_len = if own_id { SESSION_ID_LEN } else { 0 };
        let grease_len = if config.grease { GREASE_LEN } else { 0 };
        let drawn_len = 32_usize.saturating_add(id_len).saturating_add(grease_len);
        provider.random.fill(drawn.get_mut(..drawn_len).ok_or(Outside::Bug)?)?;
        let (random, rest) = drawn.split_first_chunk::<32>().ok_or(Outside::Bug)?;
        let (own_id, rest) = rest.split_at(id_len);
        let mut offered = Self {
            random: *random,
            session_id: known_id.map_or_else(|| own_id.to_vec(), |s| s.id.clone()),
            session,
            peer,
            shares: Shares::new(),
            psks: Vec::new(),
            early: None,
            server_name: config.send_server_name && matches!(name, ServerName::DnsName(_)),
            grease: rest.first_chunk().filter(|_| config.grease).map(|drawn| Grease::new(*drawn)),
            cookie: None,
            retried: false,
            parameters: None,
            hiding: Hiding::of(config)?,
            side: Side::Only,
        };
        if tls13 {
            // Hybrids first: their curve comes with them.
            let hybrids = config.first_shares.iter().filter(|g| g.is_hybrid());
            for group in hybrids.chain(config.first_shares.iter().filter(|g| !g.is_hybrid())).copied() {
                if offered.share(group).is_none() {
                    offered.shares.push((group, super::key_exchange::start(provider, group)?));
                }
            }
            offered.early = early_offer(config, offered.session.as_ref());
            offered.list_psks(config, None);
        }
        Ok(offered)
    }

    /// The keys to offer: those of suites with `hash` only, once it is known.
    fn list_psks(&mut self, config: &ClientConfig, hash: Option<HashId>) {
        self.psks.clear();
        if let Some(suite) = self.session13().and_then(|s| Suite13::find(s.suite)) {
            let secret = PskSecret::Session;
            self.psks.push(OfferedPsk { hash: suite.hash, kind: BinderKind::Resumption, secret, schedule: None });
        }
        for (n, psk) in config.psks.iter().enumerate() {
            let secret = PskSecret::External(n);
            self.psks.push(OfferedPsk { hash: psk.hash, kind: psk.kind, secret, schedule: None });
        }
        let fits = |psk: &OfferedPsk| match hash {
            Some(hash) => psk.hash == hash,
            None => config.policy.suites13().any(|s| s.hash == psk.hash),
        };
        self.psks.retain(fits);
    }

    /// Our public value in a group: of a share of its own, or of a hybrid's curve.
    pub(super) fn share(&self, group: NamedGroup) -> Option<&[u8]> {
        self.shares.iter().find_map(|(own, share)| {
            let also = share.also().filter(|(curve, _)| *curve == group).map(|(_, public)| public);
            if *own == group { Some(share.public()) } else { also }
        })
    }

    /// The TLS 1.3 session on offer.
    pub(crate) fn session13(&self) -> Option<&Session> {
        self.session.as_ref().filter(|s| s.version == ProtocolVersion::Tls13)
    }

    /// The TLS 1.2 session on offer.
    pub(crate) fn session12(&self) -> Option<&Session> {
        self.session.as_ref().filter(|s| s.version == ProtocolVersion::Tls12)
    }

    /// The schedule that begins with the nth key; that of no key if there is no such one.
    pub(crate) fn schedule(&mut self, n: Option<usize>, hash: &'static dyn Hash) -> (Box<Vault13>, AtEarly) {
        let begun = n.and_then(|n| self.psks.get_mut(n)).and_then(|psk| psk.schedule.take());
        begun.unwrap_or_else(|| Vault13::early(hash, None))
    }

    /// The external key that was offered in the nth place, if there was one.
    pub(crate) fn external<'a>(&self, config: &'a ClientConfig, n: usize) -> Option<&'a PreSharedKey> {
        match self.psks.get(n)?.secret {
            PskSecret::Session => None,
            PskSecret::External(n) => config.psks.get(n),
        }
    }

    /// What the longest first hello of a configuration says, but for the server's name, a session and the shares.
    pub(super) fn longest(config: &ClientConfig) -> Self {
        let mut longest = Self {
            random: [0; 32],
            session_id: vec![0; SESSION_ID_LEN],
            session: None,
            peer: PeerKey(String::new()),
            shares: Shares::new(),
            psks: Vec::new(),
            early: None,
            server_name: false,
            grease: config.grease.then(|| Grease::new([0; GREASE_LEN])),
            cookie: None,
            retried: false,
            parameters: None,
            hiding: Hiding::Nothing,
            side: Side::Only,
        };
        if config.policy.speaks(ProtocolVersion::Tls13) {
            longest.list_psks(config, None);
        }
        longest
    }
}

/// Whether the curve of a hybrid stands beside it.
pub(crate) fn shares_curve(config: &ClientConfig, curve: NamedGroup) -> bool {
    config.first_shares.contains(&curve)
}

fn early_offer(config: &ClientConfig, session: Option<&Session>) -> Option<EarlyOffer> {
    let session =
        session.filter(|s| config.early_data && s.version == ProtocolVersion::Tls13 && s.max_early_data > 0)?;
    // RFC 9846 4.2.10: the suite and the application protocol are those of the session.
    let suite = config.policy.suites13().find(|s| s.code == session.suite)?;
    let alpn_holds = session.alpn.as_ref().is_none_or(|p| config.alpn.contains(p));
    alpn_holds.then_some(EarlyOffer { suite, max: session.max_early_data })
}

/// Sends our ClientHello, and installs the early keys if early data goes with it.
pub(crate) async fn send(link: &mut Link, config: &ClientConfig, name: &ServerName<'_>) -> Result<Offered> {
    let peer = PeerKey(name.to_str().into_owned());
    let session = admit::client(link, config, name, &peer).await;
    let mut offered = Offered::new(config, link.wiring, name, peer, session)?;
    offered.parameters = link.own_parameters();
    say(link, config, &mut offered)?;
    send_early_keys(link, config, &mut offered)?;
    Ok(offered)
}

/// The keys of early data, if some may go with the hello: they come of the first pre-shared key.
fn send_early_keys(link: &Link, config: &ClientConfig, offered: &mut Offered) -> Result<()> {
    let Offered { random, psks, session, early: Some(early), .. } = offered else { return Ok(()) };
    let Some((vault, at)) = psks.first_mut().and_then(|psk| psk.schedule.as_mut()) else { return Ok(()) };
    let hello_hash = config.provider.hash(early.suite.hash)?.digest(&[link.transcript.bytes()]);
    super::derived::psk(link, vault);
    vault.early_traffic(at, hello_hash.as_ref());
    super::derived::early(link, config.key_log.as_ref(), random, vault);
    if config.middlebox_compatibility {
        link.send_compatibility_ccs();
    }
    link.install13(Way::Write, vault, early.suite, Traffic::Early)?;
    link.early_data(early.max, session.as_ref().and_then(|session| session.parameters.clone()));
    Ok(())
}

/// Sends the second ClientHello: RFC 9846 4.1.2. Only the share, the cookie, the keys and the early data change.
pub(crate) fn send_again(link: &mut Link, config: &ClientConfig, offered: &mut Offered, retry: Retry) -> Result<()> {
    let Retry { hash, group, cookie } = retry;
    // Without a group the shares stay as they were: RFC 9846 4.1.2.
    offered.retried = group.is_some();
    offered.early = None;
    offered.cookie = cookie;
    if let Some(group) = group {
        offered.shares = smallvec![(group, super::key_exchange::start(config.provider, group)?)];
    }
    // Outside no key is offered: RFC 9849 6.1.
    if offered.side != Side::Outer {
        offered.list_psks(config, Some(hash));
    }
    say(link, config, offered)
}

/// Sends the hello as it is planned now.
fn say(link: &mut Link, config: &ClientConfig, offered: &mut Offered) -> Result<()> {
    link.send_whole(|before, out| client_hello::encode(offered, config, before, out))?;
    hiding13::said(link, offered);
    Ok(())
}
