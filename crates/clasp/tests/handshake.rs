//! The TLS 1.2 handshake in memory: every suite, key and way to resume.
#![allow(clippy::unwrap_used)]

use clasp::config::Identities;
use clasp::error::{Cause, PeerError};
use clasp::session::{ClientSessionCache, ClientSessions, PeerKey, ServerSessionCache, TicketKeys};
use clasp::suite::{Auth, Bulk, Kx, SUITES, Suite};
use clasp::wire::code::{CipherSuite, MaxFragmentLength, NamedGroup, ProtocolVersion};
use clasp::{ClientConfig, Policy, Resumption, ServerConfig};
use clasp_testkit::{KeyKind, ManualClock, Pair, authority};
use std::sync::Arc;
use std::time::Duration;

fn client(policy: Policy) -> clasp::config::ClientBuilder<clasp::config::Ready> {
    ClientConfig::builder().trust(authority().roots()).policy(policy.with_versions([ProtocolVersion::Tls12]))
}

fn server(kind: KeyKind, policy: Policy) -> clasp::config::ServerBuilder<clasp::config::Ready> {
    ServerConfig::builder()
        .identity(authority().issue(kind, &["localhost"]).identity())
        .policy(policy.with_versions([ProtocolVersion::Tls12]))
}

fn key_for(auth: Auth) -> KeyKind {
    match auth {
        Auth::Rsa => KeyKind::Rsa,
        _ => KeyKind::P256,
    }
}

fn talk(pair: &mut Pair) {
    pair.drive().unwrap();
    pair.client_sends(b"ping").unwrap();
    pair.server_sends(&[7; 50_000]).unwrap();
    pair.drive().unwrap();
    assert_eq!(pair.server_data, b"ping");
    assert_eq!(pair.client_data, [7; 50_000]);
}

#[test]
fn every_suite_with_and_without_the_extensions_that_change_keys() {
    for suite in SUITES {
        if suite.is_legacy() && cfg!(not(feature = "legacy")) {
            continue;
        }
        for (ems, etm) in [(true, true), (true, false), (false, true), (false, false)] {
            if !etm && !matches!(suite.bulk, Bulk::Cbc(_)) {
                continue;
            }
            let server = server(key_for(suite.auth), Policy::legacy()).build().unwrap();
            let policy = Policy::legacy().with_suites([suite.code]);
            let policy = match suite.kx {
                Kx::Dhe => policy,
                // The second is the curve of the server's key.
                _ => policy.with_groups([NamedGroup::X25519, NamedGroup::Secp256r1]),
            };
            let client = client(policy).extended_master_secret(ems).encrypt_then_mac(etm).build().unwrap();
            let mut pair = Pair::new(&client, &server);
            talk(&mut pair);
            let (c, s) = (pair.client.facts().unwrap(), pair.server.facts().unwrap());
            assert_eq!((c.suite, s.suite), (suite.code, suite.code));
            assert_eq!((c.extended_master_secret, s.extended_master_secret), (ems, ems), "{}", suite.code);
            let wanted_etm = etm && matches!(suite.bulk, Bulk::Cbc(_));
            assert_eq!((c.encrypt_then_mac, s.encrypt_then_mac), (wanted_etm, wanted_etm));
            assert_eq!(c.group.is_some(), suite.kx != Kx::Rsa);
            let (mut a, mut b) = ([0; 40], [0; 40]);
            assert_eq!(pair.client.export(b"EXPORTER-test", Some(b"context"), &mut a).is_ok(), ems);
            assert_eq!(pair.client.tls_unique().is_ok(), ems);
            if ems {
                pair.server.export(b"EXPORTER-test", Some(b"context"), &mut b).unwrap();
                assert_eq!(a, b);
                pair.server.export(b"EXPORTER-test", None, &mut b).unwrap();
                assert_ne!(a, b);
                assert_eq!(pair.client.tls_unique().unwrap(), pair.server.tls_unique().unwrap());
            }
        }
    }
}

#[test]
fn every_key_and_curve() {
    for kind in [KeyKind::Rsa, KeyKind::P256, KeyKind::P384, KeyKind::Ed25519] {
        for group in [NamedGroup::X25519, NamedGroup::Secp256r1, NamedGroup::Secp384r1, NamedGroup::Secp521r1] {
            // RFC 8422 5.3: the client names the curve of the server's key too.
            let mut groups = match kind {
                KeyKind::P256 => vec![group, NamedGroup::Secp256r1],
                KeyKind::P384 => vec![group, NamedGroup::Secp384r1],
                KeyKind::Rsa | KeyKind::RsaPss | KeyKind::Ed25519 => vec![group],
            };
            groups.dedup();
            let policy = Policy::default().with_groups(groups);
            let server = server(kind, policy.clone()).build().unwrap();
            let client = client(policy).build().unwrap();
            let mut pair = Pair::new(&client, &server);
            talk(&mut pair);
            assert_eq!(pair.client.facts().unwrap().group, Some(group));
        }
    }
}

#[test]
#[cfg(feature = "legacy")]
fn every_ffdhe_group() {
    for group in [NamedGroup::Ffdhe2048, NamedGroup::Ffdhe3072, NamedGroup::Ffdhe4096] {
        let suite = CipherSuite::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256;
        let server = server(KeyKind::Rsa, Policy::legacy()).build().unwrap();
        let client = client(Policy::legacy().with_suites([suite]).with_groups([group])).build().unwrap();
        let mut pair = Pair::new(&client, &server);
        talk(&mut pair);
        assert_eq!(pair.client.facts().unwrap().group, Some(group));
    }
}

#[test]
fn one_byte_at_a_time() {
    let server = server(KeyKind::P256, Policy::default()).build().unwrap();
    let mut pair = Pair::new(&client(Policy::default()).build().unwrap(), &server);
    pair.step = 1;
    pair.drive().unwrap();
    pair.client_sends(b"ping").unwrap();
    pair.server_sends(&[7; 300]).unwrap();
    pair.drive().unwrap();
    assert_eq!((&pair.server_data[..], &pair.client_data[..]), (&b"ping"[..], &[7; 300][..]));
}

#[test]
fn resumption_by_session_id_and_by_ticket() {
    let provider = clasp::crypto::Provider::builtin();
    let keys = TicketKeys::random(provider, Duration::from_secs(3600), Duration::from_secs(7200));
    let keys = Arc::new(keys.unwrap());
    for ticket in [false, true] {
        let mut server = server(KeyKind::P256, Policy::default());
        if ticket {
            server = server.tickets(keys.clone());
        }
        let server = server.build().unwrap();
        let client = client(Policy::default()).build().unwrap();
        let mut pair = Pair::new(&client, &server);
        talk(&mut pair);
        assert_eq!(pair.client.facts().unwrap().resumed, None);
        for _ in 0..3 {
            let mut pair = Pair::new(&client, &server);
            talk(&mut pair);
            let wanted = Some(if ticket { Resumption::Ticket } else { Resumption::SessionId });
            assert_eq!(pair.client.facts().unwrap().resumed, wanted);
            assert_eq!(pair.server.facts().unwrap().resumed, wanted);
            assert!(!pair.client.facts().unwrap().peer_chain().is_empty());
            assert_eq!(pair.client.tls_unique().unwrap(), pair.server.tls_unique().unwrap());
        }
    }
}

#[test]
fn a_fleet_with_one_ticket_secret_resumes_across_machines_and_renews_old_tickets() {
    let clock = ManualClock::at(1_800_000_000);
    let machine = || {
        let provider = clasp::crypto::Provider::builtin();
        let root: [u8; 32] = core::array::from_fn(|i| u8::try_from(i).unwrap());
        let keys = TicketKeys::shared(provider, &root, Duration::from_secs(3600), Duration::from_secs(6 * 3600));
        let server = server(KeyKind::P256, Policy::default()).tickets(Arc::new(keys.unwrap()));
        server.clock(Arc::new(clock.clone())).build().unwrap()
    };
    let client = client(Policy::default()).clock(Arc::new(clock.clone())).build().unwrap();
    talk(&mut Pair::new(&client, &machine()));
    for _ in 0..4 {
        // Each hour the keys change; a ticket of the hour before resumes and is renewed.
        clock.advance(Duration::from_secs(3600));
        let mut pair = Pair::new(&client, &machine());
        talk(&mut pair);
        assert_eq!(pair.client.facts().unwrap().resumed, Some(Resumption::Ticket));
    }
    clock.advance(Duration::from_secs(13 * 3600));
    let mut pair = Pair::new(&client, &machine());
    talk(&mut pair);
    assert_eq!(pair.client.facts().unwrap().resumed, None, "a session older than its lifetime");
}

/// RFC 5246 F.1.4, RFC 7627 5.3: when a session must not be resumed, the handshake is a full one.
#[test]
fn sessions_do_not_resume_where_they_no_longer_hold() {
    let store = Arc::new(ServerSessionCache::new(1 << 20));
    let kind = KeyKind::P256;
    let first = server(kind, Policy::default()).sessions(store.clone()).build().unwrap();
    let fresh_client = || {
        let client = client(Policy::default()).build().unwrap();
        talk(&mut Pair::new(&client, &first));
        client
    };
    let resumed = |client: &Arc<ClientConfig>, server: &Arc<ServerConfig>| {
        let mut pair = Pair::new(client, server);
        talk(&mut pair);
        pair.client.facts().unwrap().resumed
    };
    assert_eq!(resumed(&fresh_client(), &first), Some(Resumption::SessionId));
    let other_suites = Policy::default().with_suites([CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]);
    let narrowed = server(kind, other_suites).sessions(store.clone()).build().unwrap();
    assert_eq!(resumed(&fresh_client(), &narrowed), None, "a suite the policy no longer has");
    let late = ManualClock::at(2_500_000_000);
    let late = server(kind, Policy::default()).sessions(store.clone()).clock(Arc::new(late)).build().unwrap();
    assert_eq!(resumed(&fresh_client(), &late), None, "an old session");
    let unknown = server(kind, Policy::default()).build().unwrap();
    assert_eq!(resumed(&fresh_client(), &unknown), None, "an ID nobody knows");
}

#[test]
fn alpn_and_record_limits() {
    let server = server(KeyKind::P256, Policy::default()).alpn(["h2", "http/1.1"]).record_size_limit(2000);
    let server = server.build().unwrap();
    let http = client(Policy::default()).alpn(["http/1.1", "h2"]).record_size_limit(1000).build().unwrap();
    let mut pair = Pair::new(&http, &server);
    talk(&mut pair);
    assert_eq!(pair.client.facts().unwrap().alpn.as_deref(), Some(&b"h2"[..]), "the server's preference");
    pair.server_sends(&[1; 5000]).unwrap();
    let first = usize::from(u16::from_be_bytes([pair.to_client[3], pair.to_client[4]]));
    assert_eq!(first, 1000 + 8 + 16, "records as the client wants them");
    let other = client(Policy::default()).alpn(["imap"]).build().unwrap();
    let refused = Pair::new(&other, &server).drive().unwrap_err();
    assert_eq!(refused.alert().name(), "no_application_protocol");

    let small = client(Policy::default()).max_fragment_length(MaxFragmentLength::Bytes512).build().unwrap();
    let mut pair = Pair::new(&small, &server);
    talk(&mut pair);
    pair.client_sends(&[1; 600]).unwrap();
    assert_eq!(usize::from(u16::from_be_bytes([pair.to_server[3], pair.to_server[4]])), 512 + 24);
}

#[test]
fn orderly_close_and_truncation() {
    let server = server(KeyKind::P256, Policy::default()).build().unwrap();
    let client = client(Policy::default()).build().unwrap();
    let mut pair = Pair::new(&client, &server);
    talk(&mut pair);
    pair.client.close(&mut pair.to_server).unwrap();
    pair.drive().unwrap();
    assert!(pair.server.peer_closed());
    pair.server_sends(b"half closed").unwrap();
    pair.drive().unwrap();
    assert!(pair.client_data.ends_with(b"half closed"), "data after our own close still comes");
    assert!(pair.client_sends(b"more").is_err(), "sending after close");
    assert!(pair.server.transport_ended().is_ok());
    assert!(pair.client.transport_ended().unwrap_err().is_truncation());
}

/// RFC 8422 5.3: a server may not use an ECDSA key of a curve that the client did not name. OpenSSL ends such a
/// handshake with illegal_parameter.
#[test]
fn a_key_of_a_curve_the_client_does_not_name_is_not_used() {
    let identity = |kind| authority().issue(kind, &["localhost"]).identity();
    let policy = Policy::default().with_versions([ProtocolVersion::Tls12]);
    let x25519_alone = client(policy.clone().with_groups([NamedGroup::X25519])).build().unwrap();

    let both = Identities::new([identity(KeyKind::P256), identity(KeyKind::Rsa)]);
    let both = ServerConfig::builder().identity(both).policy(policy.clone()).build().unwrap();
    let mut pair = Pair::new(&x25519_alone, &both);
    talk(&mut pair);
    let suite = pair.client.facts().unwrap().suite;
    assert_eq!(Suite::find(suite).unwrap().auth, Auth::Rsa, "the identity that fits is chosen");

    let p256_alone = server(KeyKind::P256, policy).build().unwrap();
    let mut pair = Pair::new(&x25519_alone, &p256_alone);
    let error = pair.drive().unwrap_err();
    assert_eq!(error.cause(), &Cause::Peer(PeerError::NoCommonKeyCurve));
    assert!(error.to_string().contains("secp256r1, the curve of the server's key"), "{error}");
}

/// RFC 5246 7.2.2: "any connection terminated with a fatal alert MUST NOT be resumed"; 7.2.1: one without close_notify may.
#[test]
fn a_session_whose_connection_ended_with_a_fatal_alert_is_forgotten_by_both() {
    let sessions = Arc::new(ClientSessionCache::new(8));
    let policy = || Policy::default().with_versions([ProtocolVersion::Tls12]);
    let client = ClientConfig::builder().trust(authority().roots()).policy(policy()).sessions(sessions.clone());
    let client = client.build().unwrap();
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).policy(policy()).build().unwrap();
    let connect = || {
        let mut pair = Pair::new(&client, &server);
        pair.drive().unwrap();
        let resumed = pair.client.facts().unwrap().resumed;
        (pair, resumed)
    };
    let peer = PeerKey("localhost".into());
    for resumed_before in [false, true] {
        if resumed_before {
            connect();
        }
        let (mut pair, resumed) = connect();
        assert_eq!(resumed, resumed_before.then_some(Resumption::SessionId));
        let kept = sessions.take(&peer).unwrap();
        sessions.put(&peer, kept.clone());
        pair.client_sends(b"data").unwrap();
        *pair.to_server.last_mut().unwrap() ^= 1;
        pair.drive().unwrap_err();
        assert!(sessions.take(&peer).is_none(), "the client remembers");
        sessions.put(&peer, kept);
        let (mut pair, resumed) = connect();
        assert_eq!(resumed, None, "the server remembers");
        pair.client.transport_ended().unwrap_err();
        pair.server.transport_ended().unwrap_err();
        let (pair, resumed) = connect();
        assert_eq!(resumed, Some(Resumption::SessionId), "a cut is no alert");
        drop((pair, sessions.take(&peer)));
    }
}
