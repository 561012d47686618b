//! Settings that cannot stand together: `build` refuses them and names both. What a default cannot do goes without
//! saying, and what is switched off may stay off; refused is what was asked for and cannot be.

use super::{ClientAuth, ClientConfig, Compressor, Identity, Policy, PreSharedKey, ServerConfig, Verifier};
use crate::code::{CertificateType, ProtocolVersion};
use crate::ech::EchMode;
use crate::error::{Error, Misuse, Result};
use crate::keys::schedule13::BinderKind;
use crate::record::limits::MAX_TICKETS;
use std::time::Duration;

/// A note that what a client trusts is for the certificates of clients.
pub(super) const TRUSTS_CLIENTS: &str = "trust(WebPki::clients)";

/// The settings of a builder that were called, where their value alone does not tell.
#[derive(Clone, Debug, Default)]
pub(super) struct Called(Vec<&'static str>);

impl Called {
    pub(super) fn note(&mut self, setting: &'static str) {
        self.0.push(setting);
    }

    pub(super) fn has(&self, setting: &str) -> bool {
        self.0.contains(&setting)
    }
}

const WHO_TAKES: &str = "RawPublicKeys takes raw public keys, WebPki takes X.509 certificates";

/// One rule: whether the two stand together although they cannot, their names, and what to change.
type Rule<'a> = (bool, &'a str, &'a str, &'a str);

fn refuse(rules: &[Rule<'_>]) -> Result<()> {
    match rules.iter().find(|rule| rule.0) {
        None => Ok(()),
        Some((_, one, other, change)) => {
            Err(Error::from(Misuse::Clash).seen(format_args!("{one} and {other}")).hint(change))
        }
    }
}

pub(super) fn bad_value(setting: &str, seen: impl core::fmt::Display, wanted: &str) -> Error {
    Error::from(Misuse::BadSetting).seen(format_args!("{setting}: {seen}")).wanted(wanted)
}

/// What TLS 1.3 alone has was asked for, and the policy does not speak it.
fn needs_tls13(policy: &Policy, asked: &[(bool, &str)]) -> Result<()> {
    needs(policy, ProtocolVersion::Tls13, "a policy without TLS 1.3", "speak TLS 1.3, or leave the setting out", asked)
}

fn needs(policy: &Policy, version: ProtocolVersion, lacks: &str, change: &str, asked: &[(bool, &str)]) -> Result<()> {
    asked.iter().try_for_each(|(on, setting)| refuse(&[(*on && !policy.speaks(version), setting, lacks, change)]))
}

/// The first value that stands in a list twice.
pub(super) fn twice<T: PartialEq>(list: &[T]) -> Option<&T> {
    list.iter().enumerate().find(|(n, value)| list.iter().take(*n).any(|earlier| earlier == *value)).map(|(_, v)| v)
}

/// The bytes of a record: RFC 8449 4 has no fewer, RFC 9846 5.1 no more.
pub(super) fn check_record(setting: &str, bytes: Option<usize>) -> Result<()> {
    match bytes {
        Some(bytes) if !(64..=16_384).contains(&bytes) => {
            Err(bad_value(setting, format_args!("{bytes} bytes"), "64 to 16384 bytes"))
        }
        _ => Ok(()),
    }
}

/// More would fill a record with padding alone, and one byte is no padding: RFC 9846 5.4.
fn check_padding(block: usize) -> Result<()> {
    match block {
        0 | 2..=16_384 => Ok(()),
        _ => Err(bad_value("record_padding", format_args!("{block} bytes"), "2 to 16384 bytes, or 0 for no padding")),
    }
}

/// A list of certificate types: some, each once, and none that Clasp does not know.
fn check_types(setting: &str, types: &[CertificateType]) -> Result<()> {
    const WANTED: &str = "X.509, a raw public key, or both, best first";
    let known = |t: &&CertificateType| !matches!(**t, CertificateType::X509 | CertificateType::RawPublicKey);
    match (types, twice(types).or_else(|| types.iter().find(known))) {
        ([], _) => Err(bad_value(setting, "an empty list", WANTED)),
        (_, Some(bad)) => Err(bad_value(setting, format_args!("{bad}, unknown or there twice"), WANTED)),
        _ => Ok(()),
    }
}

/// Each name once, and at least one key of each kind that some suite's hash fits (RFC 9846 4.2.11). An imported key has
/// a version for each hash, of which one is enough (RFC 9258).
fn check_keys(policy: &Policy, keys: &[PreSharedKey]) -> Result<()> {
    let names: Vec<_> = keys.iter().map(|key| (key.identity(), key.hash)).collect();
    if let Some((name, _)) = twice(&names) {
        let name = String::from_utf8_lossy(name.get(..64).unwrap_or(name)).into_owned();
        return Err(Error::from(Misuse::BadPreSharedKey)
            .seen(format_args!("two keys of the name {}", name.escape_debug()))
            .wanted("each name once"));
    }
    let fits = |key: &&PreSharedKey| policy.suites13().any(|suite| suite.hash == key.hash);
    let (imported, external): (Vec<_>, Vec<_>) = keys.iter().partition(|key| key.kind == BinderKind::Imported);
    let lost = external.iter().any(|key| !fits(key)) || !imported.is_empty() && !imported.iter().any(fits);
    let change = "add a TLS 1.3 suite with the key's hash, or make the key for the hash of one that is there";
    refuse(&[(lost, "pre_shared_key", "a policy in which no suite has the key's hash", change)])
}

/// Whether a policy has a suite of which this key can be part.
fn serves_some(policy: &Policy, identity: &Identity) -> bool {
    let signs = |version| identity.schemes(version).next().is_some();
    let (tls12, tls13) = (ProtocolVersion::Tls12, ProtocolVersion::Tls13);
    policy.speaks(tls13) && signs(tls13) || policy.suites12().any(|suite| identity.serves(suite, signs(tls12)))
}

fn check_server_identity(policy: &Policy, identity: &Identity) -> Result<()> {
    let raw = identity.kind == CertificateType::RawPublicKey;
    let extra = identity.ocsp.is_some() || identity.timestamps.is_some();
    refuse(&[
        (
            !serves_some(policy, identity),
            "identity",
            "a policy in which no cipher suite fits its key",
            "add suites for the key's kind to the policy, or take a certificate with another key",
        ),
        (
            raw && extra,
            "with_ocsp or with_timestamps",
            "a raw public key",
            "leave them out: they speak of certificates",
        ),
    ])
}

fn check_client_identity(config: &ClientConfig, identity: &Identity) -> Result<()> {
    let tls13 = config.policy.speaks(ProtocolVersion::Tls13);
    let signs = [ProtocolVersion::Tls12, ProtocolVersion::Tls13]
        .into_iter()
        .any(|version| config.policy.speaks(version) && identity.schemes(version).next().is_some());
    let raw = identity.kind == CertificateType::RawPublicKey;
    let extra = identity.ocsp.is_some() || identity.timestamps.is_some();
    refuse(&[
        (!signs, "identity", "a policy whose versions the key cannot sign for", "take a certificate with another key"),
        (
            extra && !tls13,
            "with_ocsp or with_timestamps of a client's identity",
            "a policy without TLS 1.3",
            "leave them out: TLS 1.2 has no room for them (RFC 9846 4.4.2.1)",
        ),
        (
            raw && extra,
            "with_ocsp or with_timestamps",
            "a raw public key",
            "leave them out: they speak of certificates",
        ),
        (
            !config.client_types.contains(&identity.kind),
            "identity",
            "client_certificate_types without its kind",
            "add the identity's kind to the types",
        ),
    ])
}

/// Compression of nothing, or with what this build lacks, or twice.
fn check_compression(compressors: &[Compressor], called: &Called) -> Result<()> {
    if compressors.is_empty() && called.has("certificate_compression") {
        return Err(bad_value("certificate_compression", "no algorithm", "an algorithm, or leave the setting out"));
    }
    super::check_compression(compressors)
}

/// The client's settings, held against one another.
pub(super) fn check_client(config: &ClientConfig, called: &Called) -> Result<()> {
    let sessions = config.sessions.is_some();
    check_client_values(config, called)?;
    check_ech(config)?;
    needs_tls13(
        &config.policy,
        &[
            (config.early_data, "early_data(true)"),
            (config.psk_without_dhe, "psk_without_dhe(true)"),
            (!config.compression.is_empty(), "certificate_compression"),
            (config.padding > 0, "record_padding"),
            (!config.psks.is_empty(), "pre_shared_key"),
            (config.post_handshake_auth, "post_handshake_auth(true)"),
            (config.shares.is_some(), "key_shares"),
            (called.has("server_groups"), "server_groups"),
        ],
    )?;
    needs(
        &config.policy,
        ProtocolVersion::Tls12,
        "a policy without TLS 1.2",
        "leave it out: TLS 1.3 has no renegotiation",
        &[(config.ignore_renegotiation, "ignore_renegotiation(true)")],
    )?;
    check_keys(&config.policy, &config.psks)?;
    let again = config.verify_again && called.has("verify_again_on_resumption");
    refuse(&[
        (called.has(TRUSTS_CLIENTS), "trust", "WebPki::clients", "WebPki::servers is for servers' certificates"),
        ems(&config.policy, config.extended_master_secret),
        (config.early_data && !sessions, "early_data(true)", "no_sessions", "keep sessions: early data goes with one"),
        (
            config.early_data && !config.session_tickets,
            "early_data(true)",
            "session_tickets(false)",
            "take tickets: early data goes with one",
        ),
        (
            config.psk_without_dhe && !sessions && config.psks.is_empty(),
            "psk_without_dhe(true)",
            "no_sessions",
            "keep sessions, or give a pre-shared key",
        ),
        (again && !sessions, "verify_again_on_resumption(true)", "no_sessions", "keep sessions, or leave it out"),
        (
            config.session_context.is_some() && !sessions,
            "session_context",
            "no_sessions",
            "keep sessions, or leave it out",
        ),
        (
            config.shares.is_some() && called.has("server_groups"),
            "key_shares",
            "server_groups",
            "set one of the two: both say which shares go with the hello",
        ),
        (
            config.identity.is_none() && config.client_types != [CertificateType::X509],
            "client_certificate_types",
            "no identity",
            "give the identity, or leave the types out",
        ),
    ])?;
    check_shares(config)?;
    check_client_keys_only(config, called)?;
    config.identity.as_ref().and_then(|i| i.only()).map_or(Ok(()), |identity| check_client_identity(config, identity))
}

fn check_client_values(config: &ClientConfig, called: &Called) -> Result<()> {
    check_record("record_size_limit", config.record_size_limit.map(usize::from))?;
    check_record("max_record", config.max_record)?;
    check_padding(config.padding)?;
    check_compression(&config.compression, called)?;
    check_types("server_certificate_types", &config.server_types)?;
    check_types("client_certificate_types", &config.client_types)?;
    match config.max_fragment_length.filter(|length| length.bytes().is_none()) {
        Some(length) => Err(bad_value("max_fragment_length", length, "512, 1024, 2048 or 4096 bytes")),
        None => Ok(()),
    }?;
    let untaken = config.server_types.iter().find(|kind| !config.verifier.takes(**kind));
    refuse(&[(
        untaken.is_some() && !config.keys_only,
        "server_certificate_types",
        "a verifier that takes no such kind",
        WHO_TAKES,
    )])
}

/// Whoever hides a hello, or looks as if, speaks TLS 1.3.
pub(super) fn check_ech(config: &ClientConfig) -> Result<()> {
    needs_tls13(&config.policy, &[(config.ech_mode != EchMode::Off, "encrypted_client_hello")])
}

/// RFC 9846 4.2.8: shares are for groups that are offered, each once.
fn check_shares(config: &ClientConfig) -> Result<()> {
    let Some(shares) = &config.shares else { return Ok(()) };
    if let Some(group) = twice(shares) {
        return Err(bad_value("key_shares", format_args!("{group} twice"), "each group once"));
    }
    match shares.iter().find(|group| !config.policy.groups.contains(group)) {
        None => Ok(()),
        Some(group) => refuse(&[(
            true,
            &format!("key_shares with {group}"),
            "a policy without that group",
            "add it with Policy::with_groups, or leave its share out",
        )]),
    }
}

/// Where keys alone are trusted there are no certificates but after the handshake (RFC 9846 4.6.2).
fn check_client_keys_only(config: &ClientConfig, called: &Called) -> Result<()> {
    const KEYS: &str = "trust_pre_shared_keys";
    const CHANGE: &str = "leave it out, or trust certificates and add keys with pre_shared_key";
    if !config.keys_only {
        return Ok(());
    }
    let later = config.post_handshake_auth;
    refuse(&[
        (config.request_timestamps, "request_timestamps(true)", KEYS, CHANGE),
        (config.server_types != [CertificateType::X509], "server_certificate_types", KEYS, CHANGE),
        (
            config.verify_again && called.has("verify_again_on_resumption"),
            "verify_again_on_resumption(true)",
            KEYS,
            CHANGE,
        ),
        (config.identity.is_some() && !later, "identity", KEYS, "add post_handshake_auth(true), or leave it out"),
        (!config.compression.is_empty() && !later, "certificate_compression", KEYS, CHANGE),
    ])
}

fn ems(policy: &Policy, offered: bool) -> Rule<'static> {
    (
        policy.require_extended_master_secret && policy.speaks(ProtocolVersion::Tls12) && !offered,
        "extended_master_secret(false)",
        "Policy::require_extended_master_secret(true)",
        "leave one of the two out",
    )
}

/// The server's settings, held against one another.
pub(super) fn check_server(config: &ServerConfig, called: &Called) -> Result<()> {
    check_server_values(config, called)?;
    let tickets = config.tickets_per_handshake != super::server::TICKETS && config.tickets_per_handshake > 0;
    let asks = config.client_auth.is_some() || config.post_handshake_auth.is_some();
    needs_tls13(
        &config.policy,
        &[
            (config.max_early_data > 0, "max_early_data"),
            (config.psk_without_dhe, "psk_without_dhe(true)"),
            (!config.compression.is_empty(), "certificate_compression"),
            (config.padding > 0, "record_padding"),
            (!config.psks.is_empty(), "pre_shared_key"),
            (config.post_handshake_auth.is_some(), "post_handshake_auth"),
            (config.announce_groups, "announce_groups(true)"),
            (config.grease, "grease(true)"),
            (tickets, "tickets_per_handshake"),
            (config.request_timestamps, "request_timestamps(true)"),
            (config.ech.is_some(), "encrypted_client_hello"),
        ],
    )?;
    check_keys(&config.policy, &config.psks)?;
    check_server_sessions(config, called, tickets)?;
    let unasked = "ask clients for certificates with client_auth, or leave it out";
    refuse(&[
        ems(&config.policy, config.extended_master_secret),
        (
            config.client_types != [CertificateType::X509] && config.client_auth.is_none(),
            "client_certificate_types",
            "no client_auth",
            unasked,
        ),
        (config.request_timestamps && !asks, "request_timestamps(true)", "no client_auth", unasked),
        (
            config.client_auth.is_some() && config.keys_only,
            "client_auth",
            "pre_shared_keys_only",
            "leave it out, or ask after the handshake with post_handshake_auth",
        ),
        (
            matches!(config.client_auth, Some(ClientAuth::Require(_))) && !config.psks.is_empty(),
            "ClientAuth::Require",
            "pre_shared_key",
            "who has the key is not asked for a certificate (RFC 9846 4.3.2): ClientAuth::Request, or post_handshake_auth",
        ),
        (
            !config.compression.is_empty() && config.keys_only && config.post_handshake_auth.is_none(),
            "certificate_compression",
            "pre_shared_keys_only",
            "leave it out: there is no certificate",
        ),
    ])?;
    check_identities(config)
}

/// There are some, the policy has a use for each, and none stands behind one that is taken in its place.
fn check_identities(config: &ServerConfig) -> Result<()> {
    let Some(identities) = config.resolver.all().filter(|_| !config.keys_only) else { return Ok(()) };
    if identities.is_empty() {
        return Err(bad_value("identity", "none", "an identity, or pre_shared_keys_only"));
    }
    identities.iter().try_for_each(|identity| check_server_identity(&config.policy, identity))?;
    let hidden = identities.iter().enumerate().find_map(|(n, later)| {
        let first = identities.iter().take(n).position(|earlier| earlier.hides(later))?;
        Some((first, n))
    });
    let Some((first, second)) = hidden else { return Ok(()) };
    let (first, second) = (format!("identity {first} of the resolver"), format!("identity {second}"));
    refuse(&[(
        true,
        &second,
        &first,
        "leave out one of the two: they have the same names and the same kind of key, and clients get the first",
    )])
}

/// No age is further off: its field has milliseconds in 32 bits (RFC 9846 4.2.11).
const MAX_WINDOW: Duration = Duration::from_secs(50 * 24 * 3600);

fn check_server_values(config: &ServerConfig, called: &Called) -> Result<()> {
    check_record("record_size_limit", config.record_size_limit.map(usize::from))?;
    check_record("max_record", config.max_record)?;
    check_padding(config.padding)?;
    check_compression(&config.compression, called)?;
    check_types("client_certificate_types", &config.client_types)?;
    if config.session_lifetime < Duration::from_secs(1) {
        return Err(bad_value("session_lifetime", "less than a second", "a second or more, or no_sessions"));
    }
    if config.early_data_window > MAX_WINDOW {
        let seen = format!("{:?}", config.early_data_window);
        return Err(bad_value("early_data_window", seen, "at most 50 days: a client can tell of no longer age"));
    }
    if config.tickets_per_handshake > MAX_TICKETS {
        let seen = config.tickets_per_handshake;
        return Err(bad_value("tickets_per_handshake", seen, "at most 32: clients take no more at once"));
    }
    let verifier = config.client_auth.as_ref().map(ClientAuth::verifier);
    let untaken = verifier.is_some_and(|v| config.client_types.iter().any(|kind| !v.takes(*kind)));
    let later = config.post_handshake_auth.as_ref().map(ClientAuth::verifier);
    refuse(&[
        (untaken, "client_certificate_types", "a verifier that takes no such kind", WHO_TAKES),
        (
            later.is_some_and(|v| !v.takes(CertificateType::X509)),
            "post_handshake_auth",
            "a verifier that takes no X.509 certificates",
            "after the handshake there is nothing else: RFC 9846 4.6.2 has no certificate types",
        ),
    ])
}

/// Resumption and early data: RFC 9846 4.6.1, 8.
fn check_server_sessions(config: &ServerConfig, called: &Called, tickets: bool) -> Result<()> {
    const NONE: &str = "no_sessions without tickets";
    const CHANGE: &str = "keep sessions, give ticket keys, or leave it out";
    let nothing = config.tickets.is_none() && config.sessions.is_none();
    let early = config.max_early_data > 0;
    let again = config.verify_again && called.has("verify_again_on_resumption");
    refuse(&[
        (
            early && config.sessions.is_none(),
            "max_early_data",
            "no_sessions",
            "give a session store: it tells replayed early data from new (RFC 9846 8)",
        ),
        (
            !early && called.has("early_data_window"),
            "early_data_window",
            "no max_early_data",
            "set max_early_data, or leave it out",
        ),
        (nothing && called.has("session_lifetime"), "session_lifetime", NONE, CHANGE),
        (nothing && tickets, "tickets_per_handshake", NONE, CHANGE),
        (nothing && again, "verify_again_on_resumption(true)", NONE, CHANGE),
        (nothing && config.session_context.is_some(), "session_context", NONE, CHANGE),
        (
            again && config.client_auth.is_none(),
            "verify_again_on_resumption(true)",
            "no client_auth",
            "ask clients for certificates with client_auth, or leave it out",
        ),
        (
            nothing && config.psk_without_dhe && config.psks.is_empty(),
            "psk_without_dhe(true)",
            NONE,
            "keep sessions, give ticket keys or a pre-shared key, or leave it out",
        ),
    ])
}

/// The kinds of certificate to say where nobody has said any: X.509, or what alone the verifier takes.
pub(super) fn default_types(verifier: &dyn Verifier) -> Vec<CertificateType> {
    let raw = CertificateType::RawPublicKey;
    let alone = !verifier.takes(CertificateType::X509) && verifier.takes(raw);
    vec![if alone { raw } else { CertificateType::X509 }]
}
