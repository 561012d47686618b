//! The TLS 1.3 handshake in memory: every suite, group, key, and way to resume.
#![allow(clippy::unwrap_used)]

use clasp::config::{ClientBuilder, PreSharedKey, Ready, ServerBuilder, WebPki};
use clasp::crypto::HashId;
use clasp::error::{Cause, PeerError, RecordError};
use clasp::session::{ClientSessionCache, ClientSessions, PeerKey, ServerSessionCache, Session, TicketKeys};
use clasp::suite::SUITES13;
#[cfg(feature = "compression")]
use clasp::wire::code::CompressionAlgorithm;
use clasp::wire::code::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use clasp::{ClientAuth, ClientConfig, EarlyData, Policy, Resumption, ServerConfig};
use clasp_testkit::{KeyKind, ManualClock, Pair, authority};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const GROUPS: [NamedGroup; 9] = [
    NamedGroup::X25519MlKem768,
    NamedGroup::SecP256r1MlKem768,
    NamedGroup::SecP384r1MlKem1024,
    NamedGroup::X25519,
    NamedGroup::Secp256r1,
    NamedGroup::Secp384r1,
    NamedGroup::Secp521r1,
    NamedGroup::Ffdhe2048,
    NamedGroup::Ffdhe3072,
];

fn client(policy: Policy) -> ClientBuilder<Ready> {
    ClientConfig::builder().trust(authority().roots()).policy(policy)
}

fn server(kind: KeyKind, policy: Policy) -> ServerBuilder<Ready> {
    ServerConfig::builder().identity(authority().issue(kind, &["localhost"]).identity()).policy(policy)
}

fn talk(pair: &mut Pair) {
    pair.drive().unwrap();
    pair.client_sends(b"ping").unwrap();
    pair.server_sends(&[7; 50_000]).unwrap();
    pair.drive().unwrap();
    assert_eq!(pair.server_data, b"ping");
    assert_eq!(pair.client_data, [7; 50_000]);
    let (c, s) = (pair.client.facts().unwrap(), pair.server.facts().unwrap());
    assert_eq!((c.version, s.version), (ProtocolVersion::Tls13, ProtocolVersion::Tls13));
    assert_eq!((c.suite, c.group, c.resumed), (s.suite, s.group, s.resumed));
    let (mut a, mut b) = ([0; 40], [0; 40]);
    pair.client.export(b"EXPORTER-test", Some(b"context"), &mut a).unwrap();
    pair.server.export(b"EXPORTER-test", Some(b"context"), &mut b).unwrap();
    assert_eq!(a, b);
    assert_eq!(pair.client.tls_exporter().unwrap(), pair.server.tls_exporter().unwrap());
    assert!(pair.client.tls_unique().is_err());
}

#[test]
fn every_suite_and_group() {
    for suite in SUITES13 {
        for group in GROUPS {
            if group.is_ffdhe() && cfg!(not(feature = "legacy")) {
                continue;
            }
            let policy = Policy::modern().with_suites([suite.code]).with_groups([group]);
            let server = server(KeyKind::P256, policy.clone()).build().unwrap();
            let mut pair = Pair::new(&client(policy).build().unwrap(), &server);
            talk(&mut pair);
            let facts = pair.client.facts().unwrap();
            assert_eq!((facts.suite, facts.group), (suite.code, Some(group)));
            assert!(!facts.hello_retried);
        }
    }
}

#[test]
fn every_key() {
    for kind in [KeyKind::Rsa, KeyKind::P256, KeyKind::P384, KeyKind::Ed25519] {
        let server = server(kind, Policy::default()).build().unwrap();
        let mut pair = Pair::new(&client(Policy::default()).build().unwrap(), &server);
        talk(&mut pair);
        let scheme = pair.client.facts().unwrap().signature_scheme.unwrap();
        assert!(scheme.is_for_tls13(), "{scheme}");
        assert_eq!(pair.server.facts().unwrap().signature_scheme, Some(scheme));
    }
}

#[test]
fn an_ecdsa_scheme_is_for_its_curve_alone() {
    // TLS 1.2 takes a P-384 key under any hash; TLS 1.3 does not, so nothing is in common here.
    let policy = Policy::modern().with_schemes([SignatureScheme::EcdsaSecp256r1Sha256]);
    let server = server(KeyKind::P384, Policy::modern()).build().unwrap();
    let error = Pair::new(&client(policy).build().unwrap(), &server).drive().unwrap_err();
    assert_eq!(error.cause(), &Cause::Peer(PeerError::NoCommonScheme));
}

#[test]
fn bytes_one_at_a_time() {
    let server = server(KeyKind::P256, Policy::modern()).build().unwrap();
    let mut pair = Pair::new(&client(Policy::default()).build().unwrap(), &server);
    pair.step = 1;
    talk(&mut pair);
}

#[test]
fn the_hybrid_comes_first_and_its_curve_is_shared_with_it() {
    let server_of = |groups: &[NamedGroup]| server(KeyKind::P256, Policy::modern().with_groups(groups));
    let client = client(Policy::default()).build().unwrap();
    for (groups, wanted, retried) in [
        (&[NamedGroup::X25519, NamedGroup::X25519MlKem768][..], NamedGroup::X25519MlKem768, false),
        (&[NamedGroup::X25519], NamedGroup::X25519, false),
        (&[NamedGroup::Secp384r1], NamedGroup::Secp384r1, true),
        (&[NamedGroup::SecP384r1MlKem1024], NamedGroup::SecP384r1MlKem1024, true),
    ] {
        let mut pair = Pair::new(&client, &server_of(groups).build().unwrap());
        talk(&mut pair);
        let facts = pair.client.facts().unwrap();
        assert_eq!((facts.group, facts.hello_retried), (Some(wanted), retried));
    }
}

#[test]
#[cfg(feature = "legacy")]
fn hello_retry_with_every_group_and_with_resumption() {
    for group in GROUPS {
        if group.is_ffdhe() && cfg!(not(feature = "legacy")) {
            continue;
        }
        let server = server(KeyKind::P256, Policy::modern().with_groups([group])).build().unwrap();
        let policy = Policy::legacy().with_groups(GROUPS);
        let client = client(policy).key_shares([]).build().unwrap();
        for resumed in [None, Some(Resumption::Ticket)] {
            let mut pair = Pair::new(&client, &server);
            talk(&mut pair);
            let facts = pair.client.facts().unwrap();
            assert_eq!((facts.hello_retried, facts.resumed), (true, resumed), "{group}");
        }
    }
}

/// RFC 9846 4.1.2: whatever a second hello changes that it may not is refused, with the name of what it is.
#[test]
fn a_second_hello_says_what_the_first_said() {
    let server = server(KeyKind::P256, Policy::modern().with_groups([NamedGroup::Secp384r1])).build().unwrap();
    let client = client(Policy::modern()).grease(false).alpn([b"proto".as_slice()]).build().unwrap();
    // Record and message headers have 9 bytes; then come version, random, session ID.
    for (at, name) in [
        (Ok(10), "legacy_version"),
        (Ok(11), "random"),
        (Ok(44), "legacy_session_id"),
        (Ok(5 + 4 + 2 + 32 + 1 + 32 + 2), "cipher suites"),
        (Err(&b"localhost"[..]), "server_name"),
        (Err(b"proto"), "application_layer_protocol_negotiation"),
    ] {
        let mut pair = Pair::new(&client, &server);
        pair.drive_client_flights(1);
        let compatibility_ccs = 6;
        let hello = &mut pair.to_server[compatibility_ccs..];
        assert_eq!((hello[0], hello[5]), (22, 1), "the second hello");
        let at = at.unwrap_or_else(|bytes| hello.windows(bytes.len()).position(|w| w == bytes).unwrap());
        hello[at] ^= 1;
        let error = pair.drive().unwrap_err();
        assert!(matches!(error.cause(), Cause::Peer(PeerError::HelloChangedAfterRetry)), "{name}: {error}");
        assert!(error.to_string().contains(name), "{name}: {error}");
    }
}

/// RFC 9846 4.2: extensions may stand in any order; wolfSSL's stand in another in its second hello.
#[test]
fn a_second_hello_may_say_it_in_another_order() {
    let server = server(KeyKind::P256, Policy::modern().with_groups([NamedGroup::Secp384r1])).build().unwrap();
    let client = client(Policy::modern()).grease(false).build().unwrap();
    let mut pair = Pair::new(&client, &server);
    pair.drive_client_flights(1);
    let compatibility_ccs = 6;
    let hello = &mut pair.to_server[compatibility_ccs..];
    let length_at = |hello: &[u8], at: usize| usize::from(u16::from_be_bytes([hello[at], hello[at + 1]]));
    // Headers, version and random; then session ID, suites, compression methods, the length of all extensions.
    let mut at = 9 + 34;
    at += 1 + usize::from(hello[at]);
    at += 2 + length_at(hello, at);
    at += 1 + usize::from(hello[at]) + 2;
    let one = 4 + length_at(hello, at + 2);
    let two = 4 + length_at(hello, at + one + 2);
    hello[at..at + one + two].rotate_left(one);
    // The server takes it; it is the client whose transcript has another hello.
    let error = pair.drive().unwrap_err();
    assert!(matches!(error.cause(), Cause::Record(RecordError::BadMac)), "{error}");
}

fn fleet() -> Arc<TicketKeys> {
    let secret = core::array::from_fn(|n| u8::try_from(n).unwrap());
    let hour = Duration::from_secs(3600);
    Arc::new(TicketKeys::shared(clasp::crypto::Provider::builtin(), &secret, hour, 12 * hour).unwrap())
}

#[test]
fn resumption_by_ticket_and_by_store() {
    for tickets in [false, true] {
        let mut server = server(KeyKind::P256, Policy::modern());
        if tickets {
            server = server.tickets(fleet()).no_sessions();
        }
        let server = server.build().unwrap();
        let client = client(Policy::default()).build().unwrap();
        for n in 0..4 {
            let mut pair = Pair::new(&client, &server);
            talk(&mut pair);
            let facts = pair.client.facts().unwrap();
            assert_eq!(facts.resumed, (n > 0).then_some(Resumption::Ticket), "round {n}");
            assert!(!facts.peer_chain().is_empty(), "the server's identity is kept");
            assert!(facts.group.is_some(), "a fresh key exchange");
        }
    }
}

#[test]
fn machines_with_one_secret_resume_each_others_sessions() {
    let make = || server(KeyKind::P256, Policy::modern()).tickets(fleet()).no_sessions().build().unwrap();
    let client = client(Policy::modern()).build().unwrap();
    talk(&mut Pair::new(&client, &make()));
    let mut pair = Pair::new(&client, &make());
    talk(&mut pair);
    assert_eq!(pair.server.facts().unwrap().resumed, Some(Resumption::Ticket));
}

#[test]
fn sessions_that_do_not_hold_cost_a_full_handshake() {
    let clock = ManualClock::at(1_800_000_000);
    let sessions = Arc::new(ClientSessionCache::new(8));
    let client = |policy| client(policy).sessions(sessions.clone()).clock(Arc::new(clock.clone())).build().unwrap();
    let store = Arc::new(ServerSessionCache::new(1 << 20));
    let server = |policy| server(KeyKind::P256, policy).sessions(store.clone()).clock(Arc::new(clock.clone()));
    let resumed = |c: &Arc<ClientConfig>, s: &Arc<ServerConfig>| {
        let mut pair = Pair::new(c, s);
        talk(&mut pair);
        pair.client.facts().unwrap().resumed.is_some()
    };
    let [sha256, sha384, chacha] = [
        CipherSuite::TLS_AES_128_GCM_SHA256,
        CipherSuite::TLS_AES_256_GCM_SHA384,
        CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
    ]
    .map(|suite| Policy::modern().with_suites([suite]));
    let one = server(sha256.clone()).build().unwrap();
    assert!(!resumed(&client(Policy::modern()), &one));
    assert!(resumed(&client(Policy::modern()), &server(chacha).build().unwrap()), "another suite with the same hash");
    assert!(!resumed(&client(Policy::modern()), &server(sha384.clone()).build().unwrap()), "another hash");
    assert!(!resumed(&client(sha256.clone()), &one), "the client does not offer another hash");
    assert!(resumed(&client(sha256.clone()), &one));
    clock.advance(Duration::from_secs(13 * 3600));
    assert!(!resumed(&client(sha256.clone()), &one), "too old");
    let verifier = || Arc::new(WebPki::clients(authority().roots()));
    let asks = server(sha256.clone()).client_auth(ClientAuth::Request(verifier())).build().unwrap();
    assert!(!resumed(&client(sha256.clone()), &asks), "whoever asks had better ask anew");
    let requires = server(sha256.clone()).client_auth(ClientAuth::Require(verifier())).build().unwrap();
    let refused = Pair::new(&client(sha256), &requires).drive().unwrap_err();
    assert_eq!(refused.cause(), &Cause::Peer(PeerError::NoCertificate), "a session without a certificate");
}

#[test]
fn psk_ke_without_key_exchange_only_where_both_allow_it() {
    for (ours, theirs, wanted) in [(true, true, true), (true, false, true), (false, true, true)] {
        let server = server(KeyKind::P256, Policy::modern()).psk_without_dhe(theirs).build().unwrap();
        let client = client(Policy::modern()).psk_without_dhe(ours).build().unwrap();
        talk(&mut Pair::new(&client, &server));
        let mut pair = Pair::new(&client, &server);
        talk(&mut pair);
        // Both modes are on offer: the server takes the one with forward secrecy.
        assert_eq!(pair.client.facts().unwrap().group.is_some(), wanted);
    }
}

fn early_pair() -> (Arc<ClientConfig>, Arc<ServerConfig>, ManualClock) {
    let clock = ManualClock::at(1_800_000_000);
    let server = server(KeyKind::P256, Policy::modern()).max_early_data(1000).clock(Arc::new(clock.clone()));
    let client = client(Policy::default()).early_data(true).clock(Arc::new(clock.clone())).build().unwrap();
    let server = server.build().unwrap();
    talk(&mut Pair::new(&client, &server));
    (client, server, clock)
}

#[test]
fn early_data_arrives_with_the_first_flight_and_is_marked() {
    let (client, server, _) = early_pair();
    let mut pair = Pair::new(&client, &server);
    pair.drive_one_client_flight().unwrap();
    assert_eq!(pair.client.early_data_left(), 1000);
    let mut out = core::mem::take(&mut pair.to_server);
    assert_eq!(pair.client.send_early(b"GET / early", &mut out).unwrap(), 11);
    assert_eq!(pair.client.early_data_left(), 989);
    // The server has the data before it has heard the client's Finished.
    let mut answers = Vec::new();
    let received = pair.server.receive(&mut out, &mut answers).unwrap();
    assert_eq!((&*received.data, received.early), (&b"GET / early"[..], true));
    let used = received.used;
    assert!(pair.server.is_handshaking());
    pair.server_sends(b"half-RTT").unwrap();
    assert!(!pair.to_client.is_empty());
    answers.append(&mut pair.to_client);
    pair.to_client = answers;
    pair.to_server = out.split_off(used);
    pair.drive().unwrap();
    assert_eq!(pair.client_data, b"half-RTT");
    for facts in [pair.client.facts().unwrap(), pair.server.facts().unwrap()] {
        assert_eq!((facts.early_data, facts.resumed), (EarlyData::Accepted, Some(Resumption::Ticket)));
    }
    assert!(pair.client.take_refused_early_data().is_empty());
    let (mut a, mut b) = ([0; 32], [0; 32]);
    pair.client.export_early(b"EXPORTER-early", b"", &mut a).unwrap();
    pair.server.export_early(b"EXPORTER-early", b"", &mut b).unwrap();
    assert_eq!(a, b);
}

fn early_outcome(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> (Pair, EarlyData) {
    let mut pair = Pair::new(client, server);
    pair.drive_one_client_flight().unwrap();
    let mut out = core::mem::take(&mut pair.to_server);
    pair.client.send_early(b"early", &mut out).unwrap();
    pair.to_server = out;
    pair.drive().unwrap();
    let outcome = pair.client.facts().unwrap().early_data;
    (pair, outcome)
}

#[test]
fn refused_early_data_is_skipped_and_given_back() {
    let refusals: [fn(ServerBuilder<Ready>) -> ServerBuilder<Ready>; 3] = [
        |s| s.max_early_data(0),
        |s| s.policy(Policy::modern().with_groups([NamedGroup::Secp521r1])), // a HelloRetryRequest
        // another hash: a full handshake
        |s| s.policy(Policy::modern().with_suites([CipherSuite::TLS_AES_256_GCM_SHA384])),
    ];
    for (n, refuse) in refusals.into_iter().enumerate() {
        let clock = ManualClock::at(1_800_000_000);
        let store = Arc::new(ServerSessionCache::new(1 << 20));
        let server = || {
            server(KeyKind::P256, Policy::modern())
                .sessions(store.clone())
                .max_early_data(1000)
                .clock(Arc::new(clock.clone()))
        };
        let client = client(Policy::default()).early_data(true).clock(Arc::new(clock.clone())).build().unwrap();
        talk(&mut Pair::new(&client, &server().build().unwrap()));
        let (mut pair, outcome) = early_outcome(&client, &refuse(server()).build().unwrap());
        assert_eq!(outcome, EarlyData::Rejected, "refusal {n}");
        assert!(pair.server_data.is_empty(), "refused data reached the application");
        assert_eq!(pair.client.take_refused_early_data(), b"early");
        assert!(pair.client.take_refused_early_data().is_empty());
        talk(&mut pair);
    }
}

/// RFC 9846 4.2.10: a server that refuses early data skips as much of it as it would have taken.
#[test]
fn all_the_early_data_that_tickets_allow_is_skipped() {
    let clock = ManualClock::at(1_800_000_000);
    let server = server(KeyKind::P256, Policy::modern()).max_early_data(100_000).clock(Arc::new(clock.clone()));
    let server = server.build().unwrap();
    let client = client(Policy::default()).early_data(true).clock(Arc::new(clock.clone())).build().unwrap();
    talk(&mut Pair::new(&client, &server));
    let mut pair = Pair::new(&client, &server);
    pair.drive_one_client_flight().unwrap();
    assert_eq!(pair.client.send_early(&[7; 100_000], &mut pair.to_server).unwrap(), 100_000);
    // It takes so long that it is not fresh any more.
    clock.advance(Duration::from_secs(60));
    talk(&mut pair);
    assert_eq!(pair.client.facts().unwrap().early_data, EarlyData::Rejected);
}

/// 0-RTT replay: the same flight delivered twice is taken once, and not at all when it is stale.
#[test]
fn early_data_replay_is_refused() {
    let (client, server, clock) = early_pair();
    let mut pair = Pair::new(&client, &server);
    pair.drive_one_client_flight().unwrap();
    let mut flight = core::mem::take(&mut pair.to_server);
    pair.client.send_early(b"pay 100", &mut flight).unwrap();
    let deliver = |server: &Arc<ServerConfig>| {
        let mut connection = server.accept();
        let (mut flight, mut out) = (flight.clone(), Vec::new());
        connection.receive(&mut flight, &mut out).unwrap().data.to_vec()
    };
    assert_eq!(deliver(&server), b"pay 100");
    assert_eq!(deliver(&server), b"", "a replay reached the application");
    talk(&mut Pair::new(&client, &server));
    let mut pair = Pair::new(&client, &server);
    pair.drive_one_client_flight().unwrap();
    let mut stale = core::mem::take(&mut pair.to_server);
    pair.client.send_early(b"late", &mut stale).unwrap();
    clock.advance(Duration::from_secs(11));
    let mut connection = server.accept();
    assert_eq!(connection.receive(&mut stale, &mut Vec::new()).unwrap().data, b"", "stale early data was taken");
}

/// A client's store that gives one ticket again and again.
struct OneTicket(Mutex<Option<Session>>);

impl ClientSessions for OneTicket {
    fn put(&self, _: &PeerKey, session: Session) {
        self.0.lock().unwrap().get_or_insert(session);
    }

    fn take(&self, _: &PeerKey) -> Option<Session> {
        self.0.lock().unwrap().clone()
    }
}

/// What is recorded is the hello (RFC 9846 8.2), not the ticket (8.1): whoever holds a ticket may use it again, whoever
/// only saw it used may not.
#[test]
fn early_data_of_a_ticket_is_taken_once_from_each_hello() {
    let (client, server, clock) = early_pair();
    drop(client);
    let store = Arc::new(OneTicket(Mutex::new(None)));
    let client = self::client(Policy::default()).early_data(true).clock(Arc::new(clock)).sessions(store);
    let client = client.build().unwrap();
    talk(&mut Pair::new(&client, &server));
    for _ in 0..5 {
        let mut pair = Pair::new(&client, &server);
        pair.drive_one_client_flight().unwrap();
        let mut flight = core::mem::take(&mut pair.to_server);
        pair.client.send_early(b"get", &mut flight).unwrap();
        for wanted in [&b"get"[..], b"", b""] {
            let (mut flight, mut out) = (flight.clone(), Vec::new());
            assert_eq!(server.accept().receive(&mut flight, &mut out).unwrap().data, wanted);
        }
    }
}

#[test]
fn early_data_flood_ends_the_connection() {
    // A server that refuses early data skips a bounded amount of it.
    let (client, _, clock) = early_pair();
    let other = server(KeyKind::P256, Policy::modern()).clock(Arc::new(clock)).build().unwrap();
    let mut pair = Pair::new(&client, &other);
    pair.drive_one_client_flight().unwrap();
    let mut connection = other.accept();
    let mut flight = core::mem::take(&mut pair.to_server);
    connection.receive(&mut flight, &mut Vec::new()).unwrap();
    let mut junk = [&[23, 3, 3, 4, 0][..], &[9; 1024]].concat();
    let refused = (0..64).find_map(|n| connection.receive(&mut junk.clone(), &mut Vec::new()).err().map(|e| (n, e)));
    junk.clear();
    let (rounds, error) = refused.unwrap();
    assert!((10..20).contains(&rounds), "{rounds} KiB were skipped");
    assert_eq!(error.cause(), &Cause::Peer(PeerError::TooMuchEarlyData));
}

#[test]
fn client_certificates() {
    let verifier = || Arc::new(WebPki::clients(authority().roots()));
    let require = server(KeyKind::P256, Policy::modern()).client_auth(ClientAuth::Require(verifier())).build().unwrap();
    let request = server(KeyKind::P256, Policy::modern()).client_auth(ClientAuth::Request(verifier())).build().unwrap();
    for kind in [KeyKind::Rsa, KeyKind::P256, KeyKind::P384, KeyKind::Ed25519] {
        let identity = authority().issue(kind, &["client"]).identity();
        let known = client(Policy::default()).identity(identity).build().unwrap();
        for server in [&require, &request] {
            let mut pair = Pair::new(&known, server);
            talk(&mut pair);
            let facts = pair.server.facts().unwrap();
            assert!(facts.client_authenticated && !facts.peer_chain().is_empty());
            assert!(pair.client.facts().unwrap().client_authenticated || facts.resumed.is_some());
        }
    }
    let nobody = client(Policy::default()).build().unwrap();
    let mut pair = Pair::new(&nobody, &request);
    talk(&mut pair);
    assert!(!pair.server.facts().unwrap().client_authenticated);
    let error = Pair::new(&client(Policy::default()).build().unwrap(), &require).drive().unwrap_err();
    assert_eq!(error.cause(), &Cause::Peer(PeerError::NoCertificate));
    assert_eq!(error.alert().name(), "certificate_required");
}

#[test]
fn external_and_imported_keys() {
    let raw = PreSharedKey::external(b"device 7", &[7; 32], HashId::Sha256).unwrap();
    let imported = PreSharedKey::imported(b"device 7", &[7; 32], b"device 7 to hub").unwrap();
    let with_server = |policy: Policy, keys: &[PreSharedKey]| {
        let server = server(KeyKind::P256, policy);
        keys.iter().fold(server, |s, k| s.pre_shared_key(k.clone())).build().unwrap()
    };
    let with_client = |policy: Policy, keys: &[PreSharedKey]| {
        keys.iter().fold(client(policy), |c, k| c.pre_shared_key(k.clone())).no_sessions().build().unwrap()
    };
    for keys in [&[raw.clone()][..], &imported] {
        // A key is for suites with its hash: `build` refuses it where there is none.
        for suite in SUITES13.iter().filter(|s| keys.len() == 2 || s.hash == HashId::Sha256) {
            let policy = Policy::modern().with_suites([suite.code]);
            let mut pair = Pair::new(&with_client(policy.clone(), keys), &with_server(policy, keys));
            talk(&mut pair);
            assert_eq!(pair.client.facts().unwrap().resumed, Some(Resumption::ExternalPsk), "{}", suite.code);
        }
    }
    // Another key under the same name is found out by its binder.
    let wrong = PreSharedKey::external(b"device 7", &[8; 32], HashId::Sha256).unwrap();
    let error =
        Pair::new(&with_client(Policy::modern(), std::slice::from_ref(&raw)), &with_server(Policy::modern(), &[wrong]))
            .drive()
            .unwrap_err();
    assert_eq!(error.cause(), &Cause::Peer(PeerError::BadBinder));
    assert!(PreSharedKey::external(b"short", &[7; 15], HashId::Sha256).is_err());
}

/// Selfie (RFC 9257 5.3): with keys imported under contexts that name the roles, a node never takes what it said
/// itself for what its peer says.
#[test]
fn selfie_a_reflected_hello_finds_no_key() {
    let ours = PreSharedKey::imported(b"pair 1", &[7; 32], b"a is client, b is server").unwrap();
    let theirs = PreSharedKey::imported(b"pair 1", &[7; 32], b"b is client, a is server").unwrap();
    let as_client = ours.iter().fold(client(Policy::modern()), |c, k| c.pre_shared_key(k.clone())).build().unwrap();
    let as_server = theirs.iter().fold(server(KeyKind::P256, Policy::modern()), |s, k| s.pre_shared_key(k.clone()));
    let mut pair = Pair::new(&as_client, &as_server.build().unwrap());
    pair.drive().unwrap();
    assert_eq!(pair.client.facts().unwrap().resumed, None, "a node resumed with itself");
}

#[test]
#[cfg(feature = "compression")]
fn certificates_are_compressed_both_ways() {
    for algorithm in [CompressionAlgorithm::Zlib, CompressionAlgorithm::Brotli, CompressionAlgorithm::Zstd] {
        let verifier = Arc::new(WebPki::clients(authority().roots()));
        // Names that look alike compress well.
        let names: Vec<String> = (0..60).map(|n| format!("host{n}.example.com")).chain(["localhost".into()]).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let server = ServerConfig::builder()
            .identity(authority().issue(KeyKind::P256, &names).identity())
            .policy(Policy::modern())
            .certificate_compression([algorithm])
            .client_auth(ClientAuth::Require(verifier))
            .build()
            .unwrap();
        let identity = Arc::new(authority().issue(KeyKind::Rsa, &["client"]).identity());
        let plain = client(Policy::modern()).identity(identity.clone()).no_sessions();
        let compressed = client(Policy::modern()).identity(identity).no_sessions().certificate_compression([algorithm]);
        let sizes = [plain, compressed].map(|c| {
            let mut pair = Pair::new(&c.build().unwrap(), &server);
            pair.drive_server_flights(1);
            let size = pair.to_client.len();
            talk(&mut pair);
            size
        });
        assert!(sizes[1] < sizes[0], "{algorithm}: {sizes:?}");
    }
}

#[test]
fn padding_and_record_limits() {
    let server = server(KeyKind::Rsa, Policy::modern()).record_size_limit(1000).record_padding(512).build().unwrap();
    let client = client(Policy::modern()).record_size_limit(700).record_padding(128).build().unwrap();
    talk(&mut Pair::new(&client, &server));
}

/// RFC 8449 4: in TLS 1.2 a server may use all that a client announced, which counted the content type of TLS 1.3.
#[test]
fn a_size_limit_that_was_announced_for_tls13_is_the_same_number_in_tls12() {
    let old = server(KeyKind::P256, Policy::default().with_versions([ProtocolVersion::Tls12]));
    let client = client(Policy::default()).record_size_limit(700).build().unwrap();
    let mut pair = Pair::new(&client, &old.record_size_limit(1000).build().unwrap());
    pair.drive().unwrap();
    pair.server_sends(&[7; 2000]).unwrap();
    assert_eq!(u16::from_be_bytes([pair.to_client[3], pair.to_client[4]]), 701 + 8 + 16, "all that was announced");
    pair.drive().unwrap();
    assert_eq!(pair.client_data, [7; 2000]);
}

/// RFC 8449 4: early data was made before the client could know the server's limit.
#[test]
fn a_size_limit_is_not_for_early_data() {
    let clock = ManualClock::at(1_800_000_000);
    let limited = server(KeyKind::P256, Policy::modern()).record_size_limit(100).max_early_data(1000);
    let limited = limited.clock(Arc::new(clock.clone())).build().unwrap();
    let config = client(Policy::modern()).record_size_limit(100).early_data(true).clock(Arc::new(clock));
    let config = config.build().unwrap();
    talk(&mut Pair::new(&config, &limited));
    let mut pair = Pair::new(&config, &limited);
    pair.drive_one_client_flight().unwrap();
    pair.client.send_early(&[7; 500], &mut pair.to_server).unwrap();
    pair.drive().unwrap();
    assert_eq!(pair.client.facts().unwrap().early_data, EarlyData::Accepted);
    assert_eq!(pair.server_data, [7; 500]);
}
