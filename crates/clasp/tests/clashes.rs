//! What `build` refuses: settings that cannot stand together, both of them named, and values that cannot be. Each of the two
//! is fine by itself; what a default cannot do is no reason to refuse.
#![allow(clippy::unwrap_used, clippy::redundant_allocation)]
#![cfg(feature = "legacy")]

use clasp::config::{
    ClientBuilder, DangerousAcceptAnyone, Identities, PreSharedKey, RawPublicKeys, Ready, ServerBuilder, Signer, WebPki,
};
use clasp::crypto::{HashId, PrivateKey};
use clasp::ech::{EchKeyRing, EchKeyStore, EchMode};
use clasp::error::{Cause, Misuse};
use clasp::wire::code::{
    CertificateType, CipherSuite, CompressionAlgorithm, MaxFragmentLength, NamedGroup, ProtocolVersion, SignatureScheme,
};
use clasp::x509::{Check, Scope};
use clasp::{Answer, ClientAuth, ClientConfig, Error, Identity, Policy, Result, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

type C = ClientBuilder<Ready>;
type S = ServerBuilder<Ready>;

fn client() -> C {
    ClientConfig::builder().trust(authority().roots())
}

fn by_keys() -> C {
    ClientConfig::builder().trust_pre_shared_keys([key(HashId::Sha256)])
}

fn identity() -> Identity {
    authority().issue(KeyKind::P256, &["localhost"]).identity()
}

fn server() -> S {
    ServerConfig::builder().identity(identity())
}

fn keys_only() -> S {
    ServerConfig::builder().pre_shared_keys_only([key(HashId::Sha256)])
}

fn key(hash: HashId) -> PreSharedKey {
    PreSharedKey::external(b"device 7", &[7; 32], hash).unwrap()
}

fn tls12() -> Policy {
    Policy::default().with_versions([ProtocolVersion::Tls12])
}

fn anyone() -> Arc<DangerousAcceptAnyone> {
    Arc::new(DangerousAcceptAnyone)
}

fn no_ech_keys() -> Arc<EchKeyStore> {
    Arc::new(EchKeyStore::new(EchKeyRing::new([]).unwrap()))
}

fn raw() -> Identity {
    Identity::raw_public_key(&authority().issue(KeyKind::P256, &["localhost"]).key).unwrap()
}

/// Signs as TLS 1.3 does not (RFC 9846 4.2.3).
struct Old;

impl Signer for Old {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::RsaPkcs1Sha256]
    }

    fn sign<'a>(&'a self, _: SignatureScheme, _: &'a [u8]) -> Answer<'a, Result<Vec<u8>>> {
        unreachable!("no configuration is built")
    }
}

/// The error names both settings, and says what to change.
fn names(result: Result<impl Sized>, one: &str, other: &str) {
    let error = result.map(drop).expect_err(&format!("{one} and {other} stand together"));
    let text = error.to_string();
    assert_eq!(error.cause(), &Cause::Misuse(Misuse::Clash), "{text}");
    assert!(text.contains(one) && text.contains(other), "{one} and {other} in: {text}");
    assert!(error.hint_text().is_some(), "what to change, beside: {text}");
    MET.with_borrow_mut(|met| met.push(text));
}

thread_local! {
    /// The clashes that this thread has met.
    static MET: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Rules of which both names stand in the source as they are; others are made of what is found.
#[test]
fn every_rule_has_a_row_here() {
    what_tls13_alone_has_is_refused_with_a_policy_without_it();
    settings_of_a_client_that_cannot_stand_together_are_both_named();
    settings_of_a_server_that_cannot_stand_together_are_both_named();
    a_required_certificate_beside_a_pre_shared_key_is_refused();
    keys_that_no_suite_fits_are_refused();
    let (met, rules) = (MET.take().join("\n"), rules(include_str!("../src/config/clash.rs")));
    assert!(rules.len() > 50, "{rules:?}");
    let without: Vec<&String> = rules.iter().filter(|rule| !met.contains(*rule)).collect();
    assert!(without.is_empty(), "rules of config/clash.rs without a row in tests/clashes.rs: {without:#?}");
}

/// `one and other` of each rule.
fn rules(source: &'static str) -> Vec<String> {
    let tokens = tokens(source);
    let quoted = |token: &&'static str| token.strip_prefix('"')?.strip_suffix('"');
    let constants: Vec<(&str, &str)> = (0..tokens.len())
        .filter_map(|at| match &tokens[at..] {
            ["const", name, ":", "&", "str", "=", text, ..] | ["let", name, "=", text, ..] => {
                Some((*name, quoted(text)?))
            }
            _ => None,
        })
        .collect();
    let text =
        |token| quoted(token).or_else(|| constants.iter().find(|(name, _)| name == token).map(|(_, text)| *text));
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        match &tokens[at..] {
            // Of a tuple of four: a condition, two names, what to change.
            [",", one, ",", other, ",", change, ")", ..] | [",", one, ",", other, ",", change, ",", ")", ..] => {
                if let (Some(one), Some(other), Some(_)) = (text(one), text(other), text(change)) {
                    found.push(format!("{one} and {other}"));
                }
            }
            [needs @ ("needs" | "needs_tls13"), "(", ..] => {
                let list = tokens[at..].iter().skip_while(|token| **token != "[").take_while(|token| **token != "]");
                let version = if *needs == "needs" { "TLS 1.2" } else { "TLS 1.3" };
                found.extend(list.filter_map(quoted).map(|one| format!("{one} and a policy without {version}")));
            }
            _ => {}
        }
    }
    found
}

/// Words, strings without an escape in them, and every other character by itself.
fn tokens(mut code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    while let Some(first) = code.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = match first {
            '"' => code[1..].find('"').unwrap() + 2,
            '/' if code.starts_with("//") => code.find('\n').unwrap(),
            c if is_word(c) => code.find(|c| !is_word(c)).unwrap_or(code.len()),
            c => c.len_utf8(),
        };
        let token = &code[..length];
        if !token.starts_with("//") && !token.trim().is_empty() {
            tokens.push(token);
        }
        code = &code[length..];
    }
    tokens
}

type Change<B> = fn(B) -> B;

#[test]
fn what_tls13_alone_has_is_refused_with_a_policy_without_it() {
    const LACKS: &str = "a policy without TLS 1.3";
    let client_rows: &[(&str, Change<C>)] = &[
        ("early_data", |c| c.early_data(true)),
        ("psk_without_dhe", |c| c.psk_without_dhe(true)),
        ("certificate_compression", |c| c.certificate_compression([CompressionAlgorithm::Zlib])),
        ("record_padding", |c| c.record_padding(64)),
        ("pre_shared_key", |c| c.pre_shared_key(key(HashId::Sha256))),
        ("post_handshake_auth", |c| c.post_handshake_auth(true)),
        ("key_shares", |c| c.key_shares([NamedGroup::X25519])),
        ("server_groups", |c| c.server_groups([NamedGroup::X25519])),
        ("encrypted_client_hello", |c| c.encrypted_client_hello(EchMode::Grease)),
    ];
    for (setting, change) in client_rows {
        names(change(client()).policy(tls12()).build(), setting, LACKS);
        assert!(change(client()).build().is_ok(), "{setting} by itself");
    }
    let server_rows: &[(&str, Change<S>)] = &[
        ("max_early_data", |s| s.max_early_data(1)),
        ("encrypted_client_hello", |s| s.encrypted_client_hello(no_ech_keys())),
        ("psk_without_dhe", |s| s.psk_without_dhe(true)),
        ("certificate_compression", |s| s.certificate_compression([CompressionAlgorithm::Zlib])),
        ("record_padding", |s| s.record_padding(64)),
        ("pre_shared_key", |s| s.pre_shared_key(key(HashId::Sha256))),
        ("post_handshake_auth", |s| s.post_handshake_auth(ClientAuth::Request(anyone()))),
        ("announce_groups", |s| s.announce_groups(true)),
        ("grease", |s| s.grease(true)),
        ("tickets_per_handshake", |s| s.tickets_per_handshake(3)),
        ("request_timestamps", |s| s.request_timestamps(true).client_auth(ClientAuth::Request(anyone()))),
    ];
    for (setting, change) in server_rows {
        names(change(server()).policy(tls12()).build(), setting, LACKS);
        assert!(change(server()).build().is_ok(), "{setting} by itself");
    }
    names(
        client().policy(Policy::modern()).ignore_renegotiation(true).build(),
        "ignore_renegotiation",
        "a policy without TLS 1.2",
    );
}

#[test]
fn settings_of_a_client_that_cannot_stand_together_are_both_named() {
    let ems = Policy::default().require_extended_master_secret(true);
    let raw_only = [CertificateType::RawPublicKey];
    names(client().early_data(true).no_sessions().build(), "early_data", "no_sessions");
    names(client().early_data(true).session_tickets(false).build(), "early_data", "session_tickets(false)");
    names(client().psk_without_dhe(true).no_sessions().build(), "psk_without_dhe", "no_sessions");
    names(client().verify_again_on_resumption(true).no_sessions().build(), "verify_again", "no_sessions");
    names(
        client().extended_master_secret(false).policy(ems).build(),
        "extended_master_secret(false)",
        "require_extended_master_secret(true)",
    );
    let both = client().key_shares([NamedGroup::X25519]).server_groups([NamedGroup::X25519]);
    names(both.build(), "key_shares", "server_groups");
    names(client().key_shares([NamedGroup::Ffdhe2048]).build(), "key_shares with ffdhe2048", "policy");
    names(client().client_certificate_types(raw_only).build(), "client_certificate_types", "no identity");
    let other = client().identity(identity()).client_certificate_types(raw_only);
    names(other.build(), "client_certificate_types", "identity");
    names(client().server_certificate_types(raw_only).build(), "server_certificate_types", "verifier");
    let stapled = || identity().with_ocsp(vec![0x30, 0]);
    names(client().identity(stapled()).policy(tls12()).build(), "with_ocsp", "TLS 1.3");
    assert!(client().identity(stapled()).build().is_ok());
    names(client().identity(raw().with_ocsp(vec![0x30, 0])).build(), "with_ocsp", "raw public key");

    let of_clients = ClientConfig::builder().trust(WebPki::clients(authority().roots()));
    names(of_clients.build(), "trust", "WebPki::clients");
    names(client().session_context("a").no_sessions().build(), "session_context", "no_sessions");
    let old = Identity::with_signer(authority().issue(KeyKind::Rsa, &["localhost"]).chain, Arc::new(Old)).unwrap();
    names(client().identity(old).policy(Policy::modern()).build(), "identity", "the key cannot sign for");

    names(by_keys().identity(identity()).build(), "identity", "trust_pre_shared_keys");
    assert!(by_keys().identity(identity()).post_handshake_auth(true).build().is_ok());
    names(by_keys().request_timestamps(true).build(), "request_timestamps", "trust_pre_shared_keys");
    names(by_keys().server_certificate_types(raw_only).build(), "server_certificate_types", "trust_pre_shared_keys");
    names(by_keys().verify_again_on_resumption(true).build(), "verify_again", "trust_pre_shared_keys");
    let compressed = by_keys().certificate_compression([CompressionAlgorithm::Zlib]);
    names(compressed.build(), "certificate_compression", "trust_pre_shared_keys");
}

#[test]
fn settings_of_a_server_that_cannot_stand_together_are_both_named() {
    let ask = || ClientAuth::Require(anyone());
    names(server().max_early_data(1).no_sessions().build(), "max_early_data", "no_sessions");
    names(server().early_data_window(Duration::from_secs(1)).build(), "early_data_window", "max_early_data");
    let lifetime = server().session_lifetime(Duration::from_secs(9)).no_sessions();
    names(lifetime.build(), "session_lifetime", "no_sessions");
    names(server().tickets_per_handshake(3).no_sessions().build(), "tickets_per_handshake", "no_sessions");
    names(server().psk_without_dhe(true).no_sessions().build(), "psk_without_dhe", "no_sessions");
    names(server().session_context("a").no_sessions().build(), "session_context", "no_sessions");
    names(server().verify_again_on_resumption(true).build(), "verify_again", "no client_auth");
    let again = server().verify_again_on_resumption(true).client_auth(ask()).no_sessions();
    names(again.build(), "verify_again", "no_sessions");
    let ems = Policy::default().require_extended_master_secret(true);
    names(
        server().extended_master_secret(false).policy(ems).build(),
        "extended_master_secret(false)",
        "require_extended_master_secret(true)",
    );
    let types = server().client_certificate_types([CertificateType::RawPublicKey]);
    names(types.build(), "client_certificate_types", "no client_auth");
    names(server().request_timestamps(true).build(), "request_timestamps", "no client_auth");
    names(keys_only().client_auth(ask()).build(), "client_auth", "pre_shared_keys_only");
    let compressed = keys_only().certificate_compression([CompressionAlgorithm::Zlib]);
    names(compressed.build(), "certificate_compression", "pre_shared_keys_only");
    let raw_keys = ClientAuth::Request(Arc::new(RawPublicKeys::new([raw().spki().to_vec()])));
    names(server().post_handshake_auth(raw_keys).build(), "post_handshake_auth", "verifier");
    let web = ClientAuth::Request(Arc::new(WebPki::clients(authority().roots())));
    let types = server().client_auth(web).client_certificate_types([CertificateType::RawPublicKey]);
    names(types.build(), "client_certificate_types", "verifier");
    names(
        WebPki::clients(authority().roots()).revocation(
            Check::Ignore,
            Scope::Leaf,
            vec![authority().revocation_list(&[1])],
        ),
        "Check::Ignore",
        "revocation lists",
    );
}

/// Whoever has the key is not asked for a certificate: requiring one beside it would be a promise that nobody keeps.
#[test]
fn a_required_certificate_beside_a_pre_shared_key_is_refused() {
    let with = |auth| server().pre_shared_key(key(HashId::Sha256)).client_auth(auth).build();
    names(with(ClientAuth::Require(anyone())), "ClientAuth::Require", "pre_shared_key");
    assert!(with(ClientAuth::Request(anyone())).is_ok());
}

#[test]
fn keys_that_no_suite_fits_are_refused() {
    let rsa_only = tls12().with_suites([CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]);
    names(server().policy(rsa_only.clone()).build(), "identity", "policy");
    let rsa = authority().issue(KeyKind::Rsa, &["localhost"]).identity();
    let second = Identities::new([rsa, identity()]);
    names(ServerConfig::builder().identity(second).policy(rsa_only.clone()).build(), "identity", "policy");
    let transport = tls12().with_suites([CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256]);
    let elsewhere = authority().issue(KeyKind::Rsa, &["localhost"]);
    let signer = Arc::new(PrivateKey::from_der(&elsewhere.key).unwrap());
    let no_transport = Identity::with_signer(elsewhere.chain, signer).unwrap();
    names(ServerConfig::builder().identity(no_transport).policy(transport).build(), "identity", "policy");

    let ffdhe = Policy::modern().with_groups([NamedGroup::Ffdhe2048]);
    // TLS 1.3 has the groups of RFC 7919 too (RFC 9846 4.2.7), where the build has them.
    assert_eq!(server().policy(ffdhe).build().is_ok(), cfg!(feature = "legacy"));

    // RFC 9846 4.2.11: a key has a hash, and so has a suite.
    let sha256 = Policy::modern().with_suites([CipherSuite::TLS_AES_128_GCM_SHA256]);
    let wrong = client().pre_shared_key(key(HashId::Sha384)).policy(sha256.clone());
    names(wrong.build(), "pre_shared_key", "hash");
    let wrong = server().pre_shared_key(key(HashId::Sha384)).policy(sha256.clone());
    names(wrong.build(), "pre_shared_key", "hash");
    // An imported key has a version for each hash: one of them is enough.
    let [a, b] = PreSharedKey::imported(b"device", &[7; 32], b"hub").unwrap();
    let imported = client().pre_shared_key(a).pre_shared_key(b.clone()).policy(sha256.clone());
    assert!(imported.build().is_ok());
    names(client().pre_shared_key(b).policy(sha256).build(), "pre_shared_key", "hash");
    let twice = client().pre_shared_key(key(HashId::Sha256)).pre_shared_key(key(HashId::Sha256));
    assert_eq!(twice.build().unwrap_err().cause(), &Cause::Misuse(Misuse::BadPreSharedKey));
}

/// What a client cannot get is no identity of the server's.
#[test]
fn identities_that_nobody_gets_are_refused() {
    let of = |kind, names: &[&str]| authority().issue(kind, names).identity();
    let build = |identities: Vec<Identity>| ServerConfig::builder().identity(Identities::new(identities)).build();
    bad(build(vec![]), "identity", "none");
    let (p256, rsa) = (KeyKind::P256, KeyKind::Rsa);
    names(build(vec![of(p256, &["a.example"]), of(p256, &["A.example"])]), "identity 0", "identity 1");
    let behind = vec![of(rsa, &["a.example"]), of(p256, &["a.example", "b.example"]), of(p256, &["b.example"])];
    names(build(behind), "identity 1", "identity 2");
    // Another name, another kind of key, or another curve.
    build(vec![of(p256, &["a.example"]), of(p256, &["a.example", "b.example"])]).unwrap();
    build(vec![of(p256, &["a.example"]), of(rsa, &["a.example"]), of(KeyKind::P384, &["a.example"])]).unwrap();
}

#[test]
fn a_transport_key_that_is_not_the_certificates_is_refused() {
    let key = |kind| {
        let issued = authority().issue(kind, &["localhost"]);
        (issued.chain, Arc::new(PrivateKey::from_der(&issued.key).unwrap()))
    };
    let (chain, own) = key(KeyKind::P256);
    let ecdsa = Identity::with_signer(chain, own.clone()).unwrap();
    assert_eq!(ecdsa.with_transport_key(own).unwrap_err().cause(), &Cause::Misuse(Misuse::BadPrivateKey));
    let ((chain, own), (_, other)) = (key(KeyKind::Rsa), key(KeyKind::P256));
    let rsa = Identity::with_signer(chain, own).unwrap();
    assert_eq!(rsa.with_transport_key(other).unwrap_err().cause(), &Cause::Misuse(Misuse::KeyMismatch));
}

/// The setting and the value are named.
fn bad(result: Result<impl Sized>, setting: &str, value: &str) {
    let error: Error = result.map(drop).expect_err(setting);
    let text = error.to_string();
    assert_eq!(error.cause(), &Cause::Misuse(Misuse::BadSetting), "{text}");
    assert!(text.contains(setting) && text.contains(value), "{setting} and {value} in: {text}");
}

#[test]
fn values_that_cannot_be_are_refused() {
    for bytes in [0, 63, 16_385] {
        let text = format!("{bytes} bytes");
        bad(client().record_size_limit(bytes).build(), "record_size_limit", &text);
        bad(server().record_size_limit(bytes).build(), "record_size_limit", &text);
        bad(client().max_record(bytes.into()).build(), "max_record", &text);
        bad(server().max_record(bytes.into()).build(), "max_record", &text);
    }
    for block in [1, 16_385] {
        bad(client().record_padding(block).build(), "record_padding", "bytes");
        bad(server().record_padding(block).build(), "record_padding", "bytes");
    }
    bad(client().max_fragment_length(MaxFragmentLength(9)).build(), "max_fragment_length", "9");
    bad(server().tickets_per_handshake(33).build(), "tickets_per_handshake", "33");
    bad(server().session_lifetime(Duration::ZERO).build(), "session_lifetime", "second");
    bad(client().certificate_compression([]).build(), "certificate_compression", "no algorithm");
    bad(server().certificate_compression([]).build(), "certificate_compression", "no algorithm");
}

#[test]
fn lists_have_nothing_twice_and_types_are_some() {
    let x509 = CertificateType::X509;
    for (types, value) in [(vec![], "empty"), (vec![x509, x509], "twice"), (vec![x509, CertificateType(9)], "unknown")]
    {
        let shown = client().identity(identity()).client_certificate_types(types.clone());
        bad(shown.build(), "client_certificate_types", value);
        bad(client().server_certificate_types(types.clone()).build(), "server_certificate_types", value);
        let asked = server().client_auth(ClientAuth::Request(anyone())).client_certificate_types(types);
        bad(asked.build(), "client_certificate_types", value);
    }
    bad(client().alpn(["h2", "http/1.1", "h2"]).build(), "alpn", "h2 twice");
    bad(server().alpn(["h2", "h2"]).build(), "alpn", "h2 twice");
    bad(client().key_shares([NamedGroup::X25519; 2]).build(), "key_shares", "twice");
    let policies = [
        ("with_versions", Policy::default().with_versions([ProtocolVersion::Tls13; 2])),
        ("with_groups", Policy::default().with_groups([NamedGroup::X25519; 2])),
        ("with_schemes", Policy::default().with_schemes([SignatureScheme::Ed25519; 2])),
        ("with_suites", Policy::default().with_suites([CipherSuite::TLS_AES_128_GCM_SHA256; 2])),
    ];
    for (setting, policy) in policies {
        bad(client().policy(policy.clone()).build(), setting, "twice");
        bad(server().policy(policy).build(), setting, "twice");
    }
    let tiers = Policy::modern().with_suite_tiers([&[CipherSuite::TLS_AES_128_GCM_SHA256][..], &[]]);
    bad(client().policy(tiers).build(), "with_suite_tiers", "without a suite");
}

/// RFC 9846 4.1.3: clients refuse a server that could do better, so an order other than the best first means nothing.
#[test]
fn versions_are_known_have_suites_and_stand_best_first() {
    let named = |versions: &[ProtocolVersion]| client().policy(Policy::default().with_versions(versions)).build();
    assert!(named(&[ProtocolVersion::Tls13, ProtocolVersion::Tls12]).is_ok());
    bad(named(&[ProtocolVersion::Tls12, ProtocolVersion::Tls13]), "with_versions", "TLS 1.2 before TLS 1.3");
    bad(named(&[ProtocolVersion::Tls12, ProtocolVersion::Tls11]), "with_versions", "TLS 1.1");
    let no_suite = Policy::modern().with_versions([ProtocolVersion::Tls13, ProtocolVersion::Tls12]);
    names(client().policy(no_suite).build(), "with_versions with TLS 1.2", "without a suite");
    // Suites alone say which versions there are.
    let suites = Policy::default().with_suites([CipherSuite::TLS_AES_128_GCM_SHA256]);
    assert_eq!(suites.versions(), [ProtocolVersion::Tls13]);
    assert!(client().policy(suites).build().is_ok());
    // ML-DSA is for TLS 1.3.
    let ml_dsa = tls12().with_schemes([SignatureScheme::MlDsa65]);
    assert!(client().policy(ml_dsa).build().is_err());
}

/// What is off may be off twice, and what a default cannot do goes without saying.
#[test]
fn simple_configurations_stand() {
    let rows: &[Change<C>] = &[
        |c| c.policy(Policy::modern()).extended_master_secret(false).encrypt_then_mac(false),
        |c| c.policy(Policy::modern().require_extended_master_secret(true)).extended_master_secret(false),
        |c| c.policy(tls12()).early_data(false).middlebox_compatibility(false),
        |c| c.no_sessions().session_tickets(false).verify_again_on_resumption(false),
        |c| c.alpn(Vec::<Vec<u8>>::new()),
        |c| c.certificate_compression([]).certificate_compression([CompressionAlgorithm::Zlib]),
        |c| c.key_shares([]),
        |c| c.policy(Policy::legacy()),
        |c| c.policy(Policy::default().with_suites([CipherSuite::TLS_AES_256_GCM_SHA384])),
    ];
    for change in rows {
        change(client()).build().unwrap();
    }
    // A word about the store, not a wish.
    server().claims_kept_since(UNIX_EPOCH).build().unwrap();
    server().no_sessions().build().unwrap();
    server().policy(tls12()).tickets_per_handshake(0).build().unwrap();
    server().policy(tls12()).client_auth(ClientAuth::Require(anyone())).build().unwrap();
    keys_only().build().unwrap();
    by_keys().build().unwrap();
}

/// With a verifier of raw public keys and an identity of one, nothing more has to be said.
#[test]
fn the_kinds_of_certificate_follow_the_verifier_and_the_identity() {
    let (of_client, of_server) = (raw(), raw());
    let knows = |identity: &Identity| Arc::new(RawPublicKeys::new([identity.spki().to_vec()]));
    let (client_keys, server_keys) = (knows(&of_client), knows(&of_server));
    let server = ServerConfig::builder().identity(of_server).client_auth(ClientAuth::Require(client_keys));
    let client = ClientConfig::builder().dangerous_verifier(server_keys).identity(of_client);
    let mut pair = Pair::new(&client.build().unwrap(), &server.build().unwrap());
    pair.drive().unwrap();
    assert_eq!(pair.client.facts().unwrap().peer_type, CertificateType::RawPublicKey);
    assert_eq!(pair.server.facts().unwrap().peer_type, CertificateType::RawPublicKey);
}
