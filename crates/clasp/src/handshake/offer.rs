//! The client's hello: what it offers, once and again after a HelloRetryRequest. RFC 9846 4.1.2, RFC 5246 7.4.1.2.

use super::admit;
use super::compression;
use super::extension::{encrypt_then_mac, record_size_limit};
use super::key_exchange::Shares;
use super::link::Link;
use super::retry13::Retry;
use super::wiring::Wiring;
use crate::code::{CertificateType, ExtensionType, HandshakeType, NamedGroup, ProtocolVersion, PskKeyExchangeMode};
use crate::config::{ClientConfig, PreSharedKey};
use crate::crypto::{Hash, HashId};
use crate::error::{Error, Outside, PeerError, Result};
use crate::keys::maker::Way;
use crate::keys::schedule13::{AtEarly, BinderKind, Traffic, Vault13};
use crate::record::limits::MAX_CLIENT_HELLO;
use crate::session::{PeerKey, Session};
use crate::suite::Suite13;
use crate::wire::extension::key_share::KeyShareEntry;
use crate::wire::extension::pre_shared_key::{self, PskIdentity};
use crate::wire::extension::{self, certificate, early, key_share};
use crate::wire::message::frame;
use crate::wire::{TooLong, Writer};
use rustls_pki_types::ServerName;
use smallvec::smallvec;

/// What our client said in its hello.
pub(crate) struct Offered {
    pub(crate) random: [u8; 32],
    pub(crate) session_id: Vec<u8>,
    /// The session of whichever version.
    pub(crate) session: Option<Session>,
    pub(crate) peer: PeerKey,
    pub(crate) shares: Shares,
    /// The pre-shared keys as they stand in the hello.
    pub(crate) psks: Vec<OfferedPsk>,
    pub(crate) early: Option<EarlyOffer>,
    /// Whether the name stands in it: an address does not (RFC 6066 3).
    pub(crate) server_name: bool,
    grease: Option<Grease>,
    cookie: Option<Vec<u8>>,
    retried: bool,
}

/// One pre-shared key that was offered.
pub(crate) struct OfferedPsk {
    pub(crate) hash: HashId,
    pub(crate) kind: BinderKind,
    secret: PskSecret,
    /// The schedule that begins with it, once its binder is made.
    schedule: Option<(Box<Vault13>, AtEarly)>,
}

enum PskSecret {
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

/// One of the sixteen values of RFC 8701 2, as a random byte says.
pub(super) fn grease_value(random: u8) -> u16 {
    u16::from_be_bytes([random & 0xf0 | 0x0a; 2])
}

/// The meaningless values of RFC 8701.
struct Grease {
    suite: u16,
    group: u16,
    version: u16,
    scheme: u16,
    extensions: [u16; 2],
}

/// Random bytes that make them.
const GREASE_LEN: usize = 6;
/// Bytes of a session ID of our own.
const SESSION_ID_LEN: usize = 32;

impl Grease {
    fn new([suite, group, version, scheme, first, second]: [u8; GREASE_LEN]) -> Self {
        let value = grease_value;
        // The two extensions must differ.
        let second = if value(first) == value(second) { second ^ 0x10 } else { second };
        Self {
            suite: value(suite),
            group: value(group),
            version: value(version),
            scheme: value(scheme),
            extensions: [value(first), value(second)],
        }
    }
}

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
    fn share(&self, group: NamedGroup) -> Option<&[u8]> {
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

    /// Encodes the hello behind what `out` holds. `prefix` is what the transcript holds before it.
    fn encode(&mut self, config: &ClientConfig, name: &ServerName<'_>, prefix: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        frame(out, HandshakeType::ClientHello, |w| self.write(config, name, w)).map_err(|e| self.too_long(e))?;
        self.fill_binders(config, prefix, out.get_mut(start..).unwrap_or_default())
    }

    fn write(&self, config: &ClientConfig, name: &ServerName<'_>, w: &mut Writer<'_>) {
        w.u16(ProtocolVersion::Tls12.0);
        w.bytes(&self.random);
        w.vec8(|w| w.bytes(&self.session_id));
        w.vec16(|w| {
            self.grease.iter().for_each(|g| w.u16(g.suite));
            config.policy.suites13().for_each(|s| w.u16(s.code.0));
            config.policy.suites12().for_each(|s| w.u16(s.code.0));
        });
        w.vec8(|w| w.u8(0));
        w.vec16(|w| {
            self.write_extensions(config, name, w);
            self.write_psks(config, w);
        });
    }

    /// A hello that cannot be written is the caller's doing, but for a cookie: that is the server's.
    fn too_long(&self, e: TooLong) -> Error {
        let Some(cookie) = &self.cookie else { return Error::from(e).in_message(HandshakeType::ClientHello.name()) };
        let fits = e.fits.saturating_sub(e.length.saturating_sub(cookie.len()));
        let error = Error::from(PeerError::CookieTooLong).seen(format_args!("a cookie of {} bytes", cookie.len()));
        error.wanted(format_args!("at most {fits}")).in_message("HelloRetryRequest")
    }

    /// RFC 9846 4.2.11.2: each binder is over the hello up to the binders.
    fn fill_binders(&mut self, config: &ClientConfig, prefix: &[u8], hello: &mut [u8]) -> Result<()> {
        let binders_len =
            self.psks.iter().fold(2, |sum: usize, psk| sum.saturating_add(1).saturating_add(psk.hash.len()));
        let at = hello.len().checked_sub(binders_len).filter(|_| !self.psks.is_empty());
        let Some(at) = at else { return Ok(()) };
        let session = self.session.as_ref();
        let (covered, binders) = hello.split_at_mut(at);
        let mut slots = binders.get_mut(2..).unwrap_or_default();
        for psk in &mut self.psks {
            let hash = config.provider.hash(psk.hash)?;
            let transcript = hash.digest(&[prefix, covered]);
            let secret = match psk.secret {
                PskSecret::Session => session.and_then(|s| s.master.get(..psk.hash.len())),
                PskSecret::External(n) => config.psks.get(n).map(|p: &PreSharedKey| &p.secret[..]),
            };
            let (vault, stage) = Vault13::early(hash, Some((secret.ok_or(Outside::Bug)?, psk.kind)));
            let binder = vault.binder(&stage, transcript.as_ref());
            let (_length, behind) = slots.split_first_mut().ok_or(Outside::Bug)?;
            let (slot, behind) = behind.split_at_mut_checked(psk.hash.len()).ok_or(Outside::Bug)?;
            slot.copy_from_slice(binder.as_ref());
            slots = behind;
            psk.schedule = Some((vault, stage));
        }
        Ok(())
    }

    fn write_psks(&self, config: &ClientConfig, w: &mut Writer<'_>) {
        if self.psks.is_empty() {
            return;
        }
        let now = config.clock.now();
        let identities = self.psks.iter().filter_map(|psk| match psk.secret {
            PskSecret::Session => self.session13().map(|s| {
                let age = now.duration_since(s.received).unwrap_or_default().as_millis();
                let age = u32::try_from(age).unwrap_or(u32::MAX);
                PskIdentity { identity: &s.ticket, obfuscated_age: age.wrapping_add(s.age_add) }
            }),
            PskSecret::External(n) => {
                config.psks.get(n).map(|p| PskIdentity { identity: &p.identity, obfuscated_age: 0 })
            }
        });
        pre_shared_key::write_offered(identities, self.psks.iter().map(|psk| psk.hash.len()), w);
    }

    fn write_extensions(&self, config: &ClientConfig, name: &ServerName<'_>, w: &mut Writer<'_>) {
        let policy = &config.policy;
        self.grease.iter().for_each(|g| w.extension(ExtensionType(g.extensions[0]), |_| ()));
        if let (ServerName::DnsName(host), true) = (name, self.server_name) {
            extension::write_server_name(host.as_ref(), w);
        }
        self.write_extensions12(config, w);
        if !policy.groups.is_empty() {
            let grease = self.grease.iter().map(|g| g.group);
            let tls13 = policy.speaks(ProtocolVersion::Tls13);
            let ours = policy.groups.iter().filter(|g| tls13 || !g.is_post_quantum()).map(|g| g.0);
            extension::write_codes(ExtensionType::SupportedGroups, grease.chain(ours), w);
        }
        if !policy.schemes.is_empty() {
            let grease = self.grease.iter().map(|g| g.scheme);
            let ours = policy.schemes_for(policy.speaks(ProtocolVersion::Tls13));
            let schemes = grease.chain(ours.map(|s| s.0));
            extension::write_codes(ExtensionType::SignatureAlgorithms, schemes, w);
        }
        if config.request_status {
            extension::write_status_request(w);
        }
        if config.request_timestamps {
            w.extension(ExtensionType::SignedCertificateTimestamp, |_| ());
        }
        for (typ, types) in [
            (ExtensionType::ServerCertificateType, &config.server_types),
            (ExtensionType::ClientCertificateType, &config.client_types),
        ] {
            // X.509 alone goes without saying: RFC 7250 4.1.
            if *types != [CertificateType::X509] && !types.is_empty() {
                certificate::write_types(typ, types, w);
            }
        }
        if !config.alpn.is_empty() {
            extension::write_alpn(&config.alpn, w);
        }
        if let Some(length) = config.max_fragment_length {
            w.extension(ExtensionType::MaxFragmentLength, |w| w.u8(length.0));
        }
        if let Some(limit) = config.record_size_limit {
            let limit = record_size_limit::announced(policy, limit);
            w.extension(ExtensionType::RecordSizeLimit, |w| w.u16(limit));
        }
        if policy.speaks(ProtocolVersion::Tls13) {
            self.write_extensions13(config, w);
        }
        self.grease.iter().for_each(|g| w.extension(ExtensionType(g.extensions[1]), |w| w.u8(0)));
    }

    /// What means something to a TLS 1.2 server only.
    fn write_extensions12(&self, config: &ClientConfig, w: &mut Writer<'_>) {
        if !config.policy.speaks(ProtocolVersion::Tls12) {
            return;
        }
        w.extension(ExtensionType::RenegotiationInfo, |w| w.u8(0));
        if config.extended_master_secret {
            w.extension(ExtensionType::ExtendedMasterSecret, |_| ());
        }
        if encrypt_then_mac::is_offered(config) {
            w.extension(ExtensionType::EncryptThenMac, |_| ());
        }
        if config.takes_tickets() {
            w.extension(ExtensionType::SessionTicket, |w| w.bytes(self.session12().map_or(&[], |s| &s.ticket)));
        }
        if !config.policy.groups.is_empty() {
            w.extension(ExtensionType::EcPointFormats, |w| w.bytes(&[1, 0]));
        }
    }

    fn write_extensions13(&self, config: &ClientConfig, w: &mut Writer<'_>) {
        let versions = config.policy.versions();
        let grease = self.grease.iter().map(|g| g.version);
        early::write_versions(grease.chain(versions.iter().map(|v| v.0)), w);
        self.write_shares(config, w);
        // 4.2.9: without modes a server gives no tickets.
        if config.takes_tickets() || !self.psks.is_empty() {
            let modes: &[_] = if config.psk_without_dhe {
                &[PskKeyExchangeMode::PskDheKe, PskKeyExchangeMode::PskKe]
            } else {
                &[PskKeyExchangeMode::PskDheKe]
            };
            pre_shared_key::write_modes(modes, w);
        }
        if !config.compression.is_empty() {
            certificate::write_compression(compression::algorithms(&config.compression), w);
        }
        if config.post_handshake_auth {
            w.extension(ExtensionType::PostHandshakeAuth, |_| ());
        }
        if let Some(cookie) = &self.cookie {
            early::write_cookie(cookie, w);
        }
        if self.early.is_some() {
            w.extension(ExtensionType::EarlyData, |_| ());
        }
    }

    fn write_shares(&self, config: &ClientConfig, w: &mut Writer<'_>) {
        let entry = |group: NamedGroup| self.share(group).map(|public| KeyShareEntry { group, public });
        if self.retried {
            return key_share::write_client(self.shares.iter().filter_map(|(group, _)| entry(*group)), w);
        }
        let grease = self.grease.iter().map(|g| KeyShareEntry { group: NamedGroup(g.group), public: &[0] });
        key_share::write_client(grease.chain(config.first_shares.iter().filter_map(|group| entry(*group))), w);
    }
}

/// A key share with its group and length. Of a group that is not known here it is at most that of the largest.
fn share_len(group: NamedGroup) -> usize {
    const AROUND: usize = 2 + 2;
    match group {
        NamedGroup::X25519 => AROUND + 32,
        NamedGroup::Secp256r1 => AROUND + 65,
        NamedGroup::Secp384r1 => AROUND + 97,
        NamedGroup::Secp521r1 => AROUND + 133,
        NamedGroup::X25519MlKem768 => AROUND + 1184 + 32,
        NamedGroup::SecP256r1MlKem768 => AROUND + 65 + 1184,
        _ => AROUND + 97 + 1568,
    }
}

/// What a hello's extensions may have together: RFC 9846 4.1.2.
const MAX_EXTENSIONS: usize = 65_535;
/// server_name with the longest DNS name: RFC 6066 3, RFC 1035 2.3.4.
const LONGEST_NAME: usize = 4 + 2 + 1 + 2 + 253;
/// What goes with a ticket, its binder and early_data.
const BESIDE_TICKET: usize = 4 + 2 + 2 + 4 + 2 + 1 + 48 + 4;

/// How long a ticket may be for a hello of this configuration to hold it, whatever the server's name.
pub(crate) fn room_for_ticket(config: &ClientConfig) -> Result<usize> {
    let mut longest = Offered {
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
    };
    if config.policy.speaks(ProtocolVersion::Tls13) {
        longest.list_psks(config, None);
    }
    // The name is counted below.
    let name = ServerName::from(core::net::IpAddr::from([0; 4]));
    let (mut hello, mut block) = (Vec::new(), Vec::new());
    frame(&mut hello, HandshakeType::ClientHello, |w| longest.write(config, &name, w))
        .map_err(|e| longest.too_long(e))?;
    Writer::write(&mut block, |w| {
        longest.write_extensions(config, &name, w);
        longest.write_psks(config, w);
    })?;
    let shares = config.first_shares.iter().map(|group| share_len(*group)).sum::<usize>();
    let later = shares.saturating_add(if config.send_server_name { LONGEST_NAME } else { 0 });
    let length = block.len().saturating_add(later);
    if length > MAX_EXTENSIONS {
        return Err(longest.too_long(TooLong { length, fits: MAX_EXTENSIONS, extension: None }));
    }
    let room = MAX_EXTENSIONS.saturating_sub(length);
    Ok(room.min(MAX_CLIENT_HELLO.saturating_sub(hello.len().saturating_add(later))).saturating_sub(BESIDE_TICKET))
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
    link.send_whole(|before, out| offered.encode(config, name, before, out))?;
    send_early_keys(link, config, &mut offered)?;
    Ok(offered)
}

/// The keys of early data, if some may go with the hello: they come of the first pre-shared key.
fn send_early_keys(link: &Link, config: &ClientConfig, offered: &mut Offered) -> Result<()> {
    let Offered { random, psks, early: Some(early), .. } = offered else { return Ok(()) };
    let Some((vault, at)) = psks.first_mut().and_then(|psk| psk.schedule.as_mut()) else { return Ok(()) };
    let hello_hash = config.provider.hash(early.suite.hash)?.digest(&[link.transcript.bytes()]);
    super::derived::psk(link, vault);
    vault.early_traffic(at, hello_hash.as_ref());
    super::derived::early(link, config.key_log.as_ref(), random, vault);
    if config.middlebox_compatibility {
        link.send_compatibility_ccs();
    }
    link.install13(Way::Write, vault, early.suite, Traffic::Early)?;
    link.early_data(early.max);
    Ok(())
}

/// Sends the second ClientHello: RFC 9846 4.1.2. Only the share, the cookie, the keys and the early data change.
pub(crate) fn send_again(
    link: &mut Link,
    config: &ClientConfig,
    name: &ServerName<'_>,
    offered: &mut Offered,
    retry: Retry,
) -> Result<()> {
    let Retry { hash, group, cookie } = retry;
    // Without a group the shares stay as they were: RFC 9846 4.1.2.
    offered.retried = group.is_some();
    offered.early = None;
    offered.cookie = cookie;
    if let Some(group) = group {
        offered.shares = smallvec![(group, super::key_exchange::start(config.provider, group)?)];
    }
    offered.list_psks(config, Some(hash));
    link.send_whole(|before, out| offered.encode(config, name, before, out))
}
