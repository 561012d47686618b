//! The rows: one setting, and a pair of configurations in which it counts.

use super::look::{NOW, look};
use super::own;
use clasp::config::{
    Admission, ClientBuilder, ClientHelloFacts, DangerousAcceptAnyone, PreSharedKey, Ready, ServerBuilder, WebPki,
};
use clasp::crypto::{HashId, Provider};
use clasp::error::Outside;
use clasp::session::{ClientSessions, PeerKey, ServerSessionCache, Session, TicketKeys};
use clasp::wire::code::{
    CertificateType, CipherSuite, CompressionAlgorithm, MaxFragmentLength, NamedGroup, ProtocolVersion,
};
use clasp::{Answer, ClientAuth, ClientConfig, Error, Identity, Policy, Result, ServerConfig};
use clasp_testkit::{Issued, KeyKind, authority};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, UNIX_EPOCH};

pub(crate) type C = ClientBuilder<Ready>;
pub(crate) type S = ServerBuilder<Ready>;

pub(crate) struct Row {
    pub(crate) setting: &'static str,
    pub(crate) without: Box<dyn Fn() -> String>,
    pub(crate) with: Box<dyn Fn() -> String>,
}

/// A row of the client's builder: `world` without and with the change.
fn client_row(setting: &'static str, world: fn() -> (C, S), change: fn(C) -> C) -> Row {
    let without = move || {
        let (c, s) = world();
        look(c, s)
    };
    let with = move || {
        let (c, s) = world();
        look(change(c), s)
    };
    Row { setting, without: Box::new(without), with: Box::new(with) }
}

fn server_row(setting: &'static str, world: fn() -> (C, S), change: fn(S) -> S) -> Row {
    let without = move || {
        let (c, s) = world();
        look(c, s)
    };
    let with = move || {
        let (c, s) = world();
        look(c, change(s))
    };
    Row { setting, without: Box::new(without), with: Box::new(with) }
}

/// A row of a policy: on whichever side it shows.
fn policy_row(setting: &'static str, world: fn(Policy) -> (C, S), change: fn(Policy) -> Policy) -> Row {
    let seen = move |policy: Policy| {
        let (c, s) = world(policy);
        look(c, s)
    };
    let (without, with) = (move || seen(Policy::default()), move || seen(change(Policy::default())));
    Row { setting, without: Box::new(without), with: Box::new(with) }
}

/// A row of its own making.
pub(crate) fn own_row(setting: &'static str, seen: fn(bool) -> String) -> Row {
    Row { setting, without: Box::new(move || seen(false)), with: Box::new(move || seen(true)) }
}

/// The same certificate in every look: Ed25519 signatures have one length.
pub(crate) fn issued() -> &'static Issued {
    static ISSUED: OnceLock<Issued> = OnceLock::new();
    ISSUED.get_or_init(|| authority().issue(KeyKind::Ed25519, &["localhost"]))
}

pub(crate) fn rsa() -> &'static Issued {
    static ISSUED: OnceLock<Issued> = OnceLock::new();
    ISSUED.get_or_init(|| authority().issue(KeyKind::Rsa, &["localhost"]))
}

pub(crate) fn client() -> C {
    ClientConfig::builder().trust(authority().roots()).grease(false)
}

pub(crate) fn server_of(identity: Identity) -> S {
    ServerConfig::builder().identity(identity)
}

pub(crate) fn server() -> S {
    server_of(issued().identity())
}

pub(crate) fn plain() -> (C, S) {
    (client(), server())
}

pub(crate) fn tls12() -> Policy {
    Policy::default().with_versions([ProtocolVersion::Tls12])
}

fn in_tls12() -> (C, S) {
    (client().policy(tls12()), server())
}

/// RSA key transport with CBC: what is old of both.
fn old() -> (C, S) {
    let policy = Policy::legacy().with_suites([CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]);
    (client().policy(policy.clone()), server_of(rsa().identity()).policy(policy))
}

/// The server asks for a certificate, and the client has one.
pub(crate) fn mutual() -> (C, S) {
    let stapled = issued().identity().with_ocsp(vec![0x30, 3, 10, 1, 6]).with_timestamps(vec![0, 4, 0, 2, 1, 1]);
    let client = client().identity(stapled.unwrap());
    (client, server().client_auth(ClientAuth::Request(Arc::new(DangerousAcceptAnyone))))
}

fn early() -> (C, S) {
    (client().early_data(true), server().max_early_data(1000))
}

/// Raw public keys on both sides.
fn raw() -> Identity {
    Identity::raw_public_key(&issued().key).unwrap()
}

pub(crate) fn key() -> PreSharedKey {
    PreSharedKey::external(b"device 7", &[7; 32], HashId::Sha256).unwrap()
}

fn tickets() -> Arc<TicketKeys> {
    let hour = Duration::from_secs(3600);
    Arc::new(TicketKeys::random(Provider::builtin(), hour, 6 * hour).unwrap())
}

/// Keeps nothing.
struct Forgetful;

impl ClientSessions for Forgetful {
    fn put(&self, _: &PeerKey, _: Session) {}
    fn take(&self, _: &PeerKey) -> Option<Session> {
        None
    }
}

struct Closed;

impl Admission for Closed {
    fn admit<'a>(&'a self, _: &'a ClientHelloFacts) -> Answer<'a, Result<()>> {
        Answer::Now(Err(Error::from(Outside::ResolverRefused)))
    }
}

const ZLIB: [CompressionAlgorithm; 1] = [CompressionAlgorithm::Zlib];

fn client_rows() -> Vec<Row> {
    let asked: fn() -> (C, S) = || (client(), mutual().1);
    let compressing: fn() -> (C, S) = || (client(), server().certificate_compression(ZLIB));
    let p384: fn() -> (C, S) = || (client(), server().policy(Policy::default().with_groups([NamedGroup::Secp384r1])));
    vec![
        client_row("ClientBuilder::policy", plain, |c| c.policy(Policy::modern())),
        client_row("ClientBuilder::identity", asked, |c| c.identity(issued().identity())),
        client_row("ClientBuilder::alpn", plain, |c| c.alpn(["h2"])),
        client_row("ClientBuilder::sessions", plain, |c| c.sessions(Arc::new(Forgetful))),
        client_row("ClientBuilder::no_sessions", plain, ClientBuilder::no_sessions),
        client_row("ClientBuilder::send_server_name", plain, |c| c.send_server_name(false)),
        client_row("ClientBuilder::max_fragment_length", plain, |c| c.max_fragment_length(MaxFragmentLength::Bytes512)),
        // A peer that does not take it: what came of it is told all the same.
        client_row("ClientBuilder::record_size_limit", plain, |c| c.record_size_limit(100)),
        client_row(
            "ClientBuilder::record_size_limit",
            || (client(), server().record_size_limit(16_384)),
            |c| c.record_size_limit(100),
        ),
        client_row("ClientBuilder::extended_master_secret", in_tls12, |c| c.extended_master_secret(false)),
        client_row("ClientBuilder::encrypt_then_mac", old, |c| c.encrypt_then_mac(false)),
        client_row("ClientBuilder::session_tickets", plain, |c| c.session_tickets(false)),
        client_row(
            "ClientBuilder::session_tickets",
            || (client().policy(tls12()), server().tickets(tickets())),
            |c| c.session_tickets(false),
        ),
        client_row("ClientBuilder::grease", plain, |c| c.grease(true)),
        client_row("ClientBuilder::middlebox_compatibility", plain, |c| c.middlebox_compatibility(false)),
        client_row("ClientBuilder::early_data", || (client(), early().1), |c| c.early_data(true)),
        client_row("ClientBuilder::psk_without_dhe", plain, |c| c.psk_without_dhe(true)),
        client_row("ClientBuilder::request_status", plain, |c| c.request_status(false)),
        client_row(
            "ClientBuilder::request_timestamps",
            || (client(), server_of(issued().identity().with_timestamps(vec![0, 4, 0, 2, 1, 1]).unwrap())),
            |c| c.request_timestamps(true),
        ),
        client_row("ClientBuilder::certificate_compression", compressing, |c| c.certificate_compression(ZLIB)),
        client_row("ClientBuilder::certificate_compression_with", compressing, |c| {
            c.certificate_compression_with(Arc::new(own::Shrinking))
        }),
        client_row("ClientBuilder::record_padding", plain, |c| c.record_padding(512)),
        client_row(
            "ClientBuilder::pre_shared_key",
            || (client(), server().pre_shared_key(key())),
            |c| c.pre_shared_key(key()),
        ),
        client_row("ClientBuilder::key_shares", plain, |c| c.key_shares([NamedGroup::Secp256r1])),
        client_row("ClientBuilder::server_groups", p384, |c| c.server_groups([NamedGroup::Secp384r1])),
        client_row(
            "ClientBuilder::server_certificate_types",
            || (own::trusting_anyone(), server_of(raw())),
            |c| c.server_certificate_types([CertificateType::RawPublicKey]),
        ),
        client_row(
            "ClientBuilder::client_certificate_types",
            || {
                let types = [CertificateType::RawPublicKey, CertificateType::X509];
                (mutual().0, mutual().1.client_certificate_types(types))
            },
            |c| c.client_certificate_types([CertificateType::X509, CertificateType::RawPublicKey]),
        ),
        client_row("ClientBuilder::max_record", plain, |c| c.max_record(100)),
        client_row("ClientBuilder::post_handshake_auth", plain, |c| c.post_handshake_auth(true)),
    ]
}

fn server_rows() -> Vec<Row> {
    let anyone = || ClientAuth::Request(Arc::new(DangerousAcceptAnyone));
    let compressing: fn() -> (C, S) = || (client().certificate_compression(ZLIB), server());
    vec![
        server_row("ServerBuilder::policy", plain, |s| s.policy(tls12())),
        server_row("ServerBuilder::admission", plain, |s| s.admission(Arc::new(Closed))),
        Row {
            setting: "ServerBuilder::client_auth",
            ..server_row(
                "",
                || (mutual().0, server()),
                |s| s.client_auth(ClientAuth::Request(Arc::new(DangerousAcceptAnyone))),
            )
        },
        server_row(
            "ServerBuilder::post_handshake_auth",
            || (mutual().0.post_handshake_auth(true), server()),
            |s| s.post_handshake_auth(ClientAuth::Request(Arc::new(DangerousAcceptAnyone))),
        ),
        server_row("ServerBuilder::alpn", || (client().alpn(["h2"]), server()), |s| s.alpn(["h2"])),
        server_row("ServerBuilder::tickets", plain, |s| s.tickets(tickets())),
        server_row("ServerBuilder::sessions", plain, |s| s.sessions(Arc::new(ServerSessionCache::new(0)))),
        server_row("ServerBuilder::no_sessions", plain, ServerBuilder::no_sessions),
        server_row("ServerBuilder::session_lifetime", plain, |s| s.session_lifetime(Duration::from_secs(5))),
        server_row(
            "ServerBuilder::record_size_limit",
            || (client().record_size_limit(16_384), server()),
            |s| s.record_size_limit(100),
        ),
        server_row("ServerBuilder::extended_master_secret", in_tls12, |s| s.extended_master_secret(false)),
        server_row("ServerBuilder::encrypt_then_mac", old, |s| s.encrypt_then_mac(false)),
        server_row("ServerBuilder::max_early_data", || (early().0, server()), |s| s.max_early_data(1000)),
        server_row("ServerBuilder::announce_groups", plain, |s| s.announce_groups(true)),
        server_row("ServerBuilder::early_data_window", early, |s| s.early_data_window(Duration::from_millis(10))),
        server_row("ServerBuilder::grease", plain, |s| s.grease(true)),
        server_row("ServerBuilder::claims_kept_since", early, |s| {
            s.claims_kept_since(UNIX_EPOCH + Duration::from_secs(NOW + 30))
        }),
        server_row("ServerBuilder::tickets_per_handshake", plain, |s| s.tickets_per_handshake(1)),
        server_row("ServerBuilder::certificate_compression", compressing, |s| s.certificate_compression(ZLIB)),
        server_row(
            "ServerBuilder::certificate_compression_with",
            || (client().certificate_compression_with(Arc::new(own::Shrinking)), server()),
            |s| s.certificate_compression_with(Arc::new(own::Shrinking)),
        ),
        server_row("ServerBuilder::record_padding", plain, |s| s.record_padding(512)),
        server_row(
            "ServerBuilder::pre_shared_key",
            || (client().pre_shared_key(key()), server()),
            |s| s.pre_shared_key(key()),
        ),
        server_row(
            "ServerBuilder::client_certificate_types",
            || (client().identity(raw()), mutual().1),
            |s| s.client_certificate_types([CertificateType::RawPublicKey]),
        ),
        server_row("ServerBuilder::max_record", plain, |s| s.max_record(100)),
        server_row("ServerBuilder::request_status", mutual, |s| s.request_status(false)),
        server_row("ServerBuilder::request_timestamps", mutual, |s| s.request_timestamps(true)),
        Row {
            setting: "ServerBuilder::client_auth",
            without: Box::new(move || look(client(), server().client_auth(anyone()))),
            with: Box::new(|| {
                look(client(), server().client_auth(ClientAuth::Require(Arc::new(DangerousAcceptAnyone))))
            }),
        },
    ]
}

fn policy_rows() -> Vec<Row> {
    use clasp::wire::code::SignatureScheme as Scheme;
    let on_client: fn(Policy) -> (C, S) = |policy| (client().policy(policy), server());
    let both_chacha: fn(Policy) -> (C, S) = |policy| {
        let chacha = [CipherSuite::TLS_CHACHA20_POLY1305_SHA256, CipherSuite::TLS_AES_128_GCM_SHA256];
        (client().policy(Policy::modern().with_suites(chacha)), server().policy(policy))
    };
    let by_rsa: fn(Policy) -> (C, S) = |policy| (client(), server_of(rsa().identity()).policy(policy));
    vec![
        policy_row("Policy::with_versions", on_client, |p| p.with_versions([ProtocolVersion::Tls12])),
        policy_row("Policy::with_suites", on_client, |p| p.with_suites([CipherSuite::TLS_CHACHA20_POLY1305_SHA256])),
        policy_row("Policy::with_suite_tiers", both_chacha, |p| {
            let equals = [CipherSuite::TLS_AES_128_GCM_SHA256, CipherSuite::TLS_CHACHA20_POLY1305_SHA256];
            p.with_suite_tiers([&equals[..]])
        }),
        policy_row("Policy::with_groups", on_client, |p| p.with_groups([NamedGroup::Secp256r1])),
        policy_row("Policy::with_schemes", on_client, |p| {
            p.with_schemes([Scheme::Ed25519, Scheme::EcdsaSecp256r1Sha256])
        }),
        // The order, of what a key of our own signs with.
        policy_row("Policy::with_schemes", by_rsa, |p| {
            p.with_schemes([Scheme::RsaPssRsaeSha512, Scheme::RsaPssRsaeSha384, Scheme::RsaPssRsaeSha256])
        }),
        policy_row(
            "Policy::require_extended_master_secret",
            |p| (client().policy(tls12()).extended_master_secret(false), server().policy(p)),
            |p| p.require_extended_master_secret(true),
        ),
    ]
}

fn web_pki_rows() -> Vec<Row> {
    use clasp::config::Profile;
    use clasp::x509::{Check, Scope};
    vec![
        own_row("WebPki::profile", |with| {
            own::of_no_name(if with { |v| v.profile(Profile::WebPki).common_names() } else { WebPki::common_names })
        }),
        own_row("WebPki::common_names", |with| {
            own::of_no_name(if with {
                |v| v.profile(Profile::Rfc5280).common_names()
            } else {
                |v| v.profile(Profile::Rfc5280)
            })
        }),
        own_row("WebPki::revocation", |with| {
            own::judged(if with { |v| v.revocation(Check::Require, Scope::Leaf, vec![]).unwrap() } else { |v| v })
        }),
        // A cost and no verdict: that the second look at a chain costs its signatures again is shown in clasp-x509.
        own_row("WebPki::remember", |with| {
            let verifier = WebPki::servers(authority().roots());
            format!("{:?}", if with { verifier.remember(0) } else { verifier })
        }),
    ]
}

pub(crate) fn all() -> Vec<Row> {
    [client_rows(), server_rows(), policy_rows(), web_pki_rows(), own::rows()].into_iter().flatten().collect()
}
