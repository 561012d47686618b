//! Full handshakes, resumed ones, what is known when, and key updates.

use super::ends::*;
use clasp::config::WebPki;
use clasp::crypto::Provider;
use clasp::ech::{EchKey, EchKeyRing, EchKeyStore, EchMode, EchParameters};
use clasp::hello::ClientHello;
use clasp::quic::{Level, Parameters, Version, error_code};
use clasp::wire::code::{CipherSuite, ExtensionType, NamedGroup};
use clasp::{ClientAuth, ClientConfig, Policy, ProtocolVersion, Resumption, ServerConfig};
use clasp_testkit::{KeyKind, authority};
use std::sync::Arc;

/// However the bytes are cut, in both versions, with each suite, with a second hello and with a client's certificate.
#[test]
fn both_ends_come_to_the_same() {
    let suites = [
        CipherSuite::TLS_AES_128_GCM_SHA256,
        CipherSuite::TLS_AES_256_GCM_SHA384,
        CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
    ];
    let anyone = ClientAuth::Require(Arc::new(WebPki::clients(authority().roots())));
    for version in [Version::V1, Version::V2] {
        for (n, suite) in suites.into_iter().enumerate() {
            for retried in [false, true] {
                let groups = if retried { vec![NamedGroup::Secp521r1] } else { vec![NamedGroup::X25519] };
                let policy = Policy::default().with_suites([suite]).with_groups(groups);
                let server = server().policy(policy).client_auth(anyone.clone()).build().unwrap();
                let client =
                    client().identity(authority().issue(KeyKind::P256, &["client"]).identity()).build().unwrap();
                let mut client = End::client(&client, version, allows(10));
                let mut server = End::server(&server, version, allows(20));
                drive(&mut client, &mut server, [usize::MAX, 1, 100][n]).unwrap();
                for end in [&client, &server] {
                    let facts = end.tls.facts().unwrap();
                    assert!(!end.tls.is_handshaking() && end.tls.read_level() == Level::OneRtt);
                    assert_eq!((facts.version, facts.suite), (ProtocolVersion::Tls13, suite));
                    assert_eq!((facts.hello_retried, facts.client_authenticated), (retried, true));
                    assert_eq!(facts.alpn.as_deref(), Some(&b"h3"[..]));
                }
                assert_eq!(client.tls.peer_parameters(), Some(allows(20).as_bytes()));
                assert_eq!(server.tls.peer_parameters(), Some(allows(10).as_bytes()));
                for level in [Level::Handshake, Level::OneRtt] {
                    assert!(opens(&client.send[&level], &server.receive[&level]), "{level:?}");
                    assert!(opens(&server.send[&level], &client.receive[&level]), "{level:?}");
                    assert!(!opens(&server.send[&level], &server.receive[&level]), "{level:?}");
                }
                assert!(!opens(&server.send[&Level::Handshake], &client.receive[&Level::OneRtt]));
                let mut exported = [[0; 40]; 2];
                for (end, out) in [&client, &server].into_iter().zip(&mut exported) {
                    end.tls.export(b"EXPORTER-of-a-test", b"context", out).unwrap();
                }
                assert!(exported[0] == exported[1] && exported[0] != [0; 40]);
            }
        }
    }
}

/// The order in which bytes and keys come: a stack that takes one after the other needs nothing else.
#[test]
fn bytes_and_keys_come_in_order() {
    let (client, server) = met(&client().build().unwrap(), &server().build().unwrap());
    assert_eq!(
        client.order,
        ["crypto Initial", "receive Handshake", "send Handshake", "receive OneRtt", "crypto Handshake", "send OneRtt"]
    );
    assert_eq!(
        server.order,
        [
            "crypto Initial",
            "send Handshake",
            "receive Handshake",
            "crypto Handshake",
            "send OneRtt",
            "receive OneRtt",
            "crypto OneRtt"
        ]
    );
}

/// What a stack wants to know before the end is known when the hello has come, or its answer.
#[test]
fn names_protocols_and_parameters_are_known_at_once() {
    let (mut client, mut server) = ends(&client().build().unwrap(), &server().build().unwrap());
    let hello = client.advance().unwrap().remove(0).1;
    assert_eq!((client.tls.server_name(), client.tls.protocol()), (Some("localhost"), None));
    let mut flight = server.hear(Level::Initial, &hello).unwrap();
    assert_eq!(server.tls.server_name(), Some("localhost"));
    assert_eq!(server.tls.protocol(), Some(&b"h3"[..]));
    assert_eq!(server.tls.peer_parameters(), Some(allows(10).as_bytes()));
    assert!(server.tls.is_handshaking() && server.tls.facts().is_none());

    // Half way the server can export, and has all keys of 1-RTT.
    let mut half_way = [0; 16];
    server.tls.export(b"half way", b"", &mut half_way).unwrap();
    assert!(server.receive.contains_key(&Level::OneRtt) && server.send.contains_key(&Level::OneRtt));
    assert!(client.tls.export(b"half way", b"", &mut [0; 16]).is_err() && client.tls.next_keys().is_err());

    let (level, encrypted) = flight.pop().unwrap();
    client.hear(Level::Initial, &flight.pop().unwrap().1).unwrap();
    // EncryptedExtensions alone: the protocol and the parameters.
    let len = 4 + usize::from(u16::from_be_bytes([encrypted[2], encrypted[3]]));
    client.hear(level, &encrypted[..len]).unwrap();
    assert_eq!((client.tls.protocol(), client.tls.peer_parameters()), (Some(&b"h3"[..]), Some(allows(20).as_bytes())));
    assert!(client.tls.is_handshaking());
    for (level, bytes) in client.hear(level, &encrypted[len..]).unwrap() {
        server.hear(level, &bytes).unwrap();
    }
    let mut after = [0; 16];
    client.tls.export(b"half way", b"", &mut after).unwrap();
    assert_eq!(half_way, after);
}

/// RFC 9001 6: both ends come to the same next keys, again and again; a server may begin before the client has finished.
#[test]
fn keys_move_on() {
    for begins_half_way in [false, true] {
        let (mut client, mut server) = ends(&client().build().unwrap(), &server().build().unwrap());
        let mut of_server = Vec::new();
        let mut up = client.advance().unwrap();
        while !up.is_empty() {
            let mut down = Vec::new();
            up.drain(..).for_each(|(level, bytes)| down.extend(server.hear(level, &bytes).unwrap()));
            if begins_half_way && server.tls.is_handshaking() {
                of_server.push(server.tls.next_keys().unwrap());
            }
            down.into_iter().for_each(|(level, bytes)| up.extend(client.hear(level, &bytes).unwrap()));
        }
        let (to_server, to_client) = (&client.send[&Level::OneRtt], &server.send[&Level::OneRtt]);
        let (at_server, at_client) = (&server.receive[&Level::OneRtt], &client.receive[&Level::OneRtt]);
        let mut before = None;
        for round in 0..5 {
            let ours = client.tls.next_keys().unwrap();
            let theirs = of_server.pop().unwrap_or_else(|| server.tls.next_keys().unwrap());
            assert!(passes((&ours.local, &theirs.remote), (&to_server.header, &at_server.header)), "round {round}");
            assert!(passes((&theirs.local, &ours.remote), (&to_client.header, &at_client.header)), "round {round}");
            let first = before.as_ref().unwrap_or(&to_server.packet);
            assert!(!passes((first, &theirs.remote), (&to_server.header, &at_server.header)), "round {round}");
            before = Some(ours.local);
        }
    }
}

/// A client of QUIC says nothing of TLS 1.2, of records or of middleboxes, whatever its configuration says over TCP.
#[test]
fn the_hello_is_of_tls13_alone() {
    let config = client().record_size_limit(600).post_handshake_auth(true);
    let config = config.identity(authority().issue(KeyKind::P256, &["client"]).identity()).build().unwrap();
    let mut end = End::client(&config, Version::V1, allows(10));
    let said = end.advance().unwrap().remove(0).1;
    let hello = ClientHello::parse(&said).unwrap();
    assert_eq!(said[4 + 2 + 32], 0, "legacy_session_id");
    assert!(hello.suites().filter(|suite| suite.is_known()).all(|suite| suite.0 >> 8 == 0x13));
    let types: Vec<_> = hello.extensions().collect();
    for typ in [
        ExtensionType::ExtendedMasterSecret,
        ExtensionType::RenegotiationInfo,
        ExtensionType::EncryptThenMac,
        ExtensionType::SessionTicket,
        ExtensionType::RecordSizeLimit,
        ExtensionType::PostHandshakeAuth,
    ] {
        assert!(!types.contains(&typ), "{typ}");
    }
    assert!(types.contains(&ExtensionType::QuicTransportParameters));
}

/// A session is resumed over the version of QUIC that made it, and over nothing else: RFC 9369 5, RFC 9001 4.5.
#[test]
fn sessions_of_quic_and_tcp_do_not_mix() {
    let (client, server) = (client().build().unwrap(), server().build().unwrap());
    let over = |version| {
        let mut ends = (End::client(&client, version, allows(10)), End::server(&server, version, allows(20)));
        drive(&mut ends.0, &mut ends.1, usize::MAX).unwrap();
        let [ours, theirs] = [&ends.0, &ends.1].map(|end| end.tls.facts().unwrap().resumed);
        assert_eq!(ours, theirs);
        ours
    };
    let over_tcp = || {
        let mut pair = clasp_testkit::Pair::new(&client, &server);
        pair.drive().unwrap();
        pair.server_sends(b"x").unwrap();
        pair.drive().unwrap();
        pair.client.facts().unwrap().resumed
    };
    let ticket = Some(Resumption::Ticket);
    assert_eq!([over(Version::V1), over(Version::V2), over_tcp()], [None; 3]);
    assert_eq!([over(Version::V1), over(Version::V2), over_tcp()], [ticket; 3]);
}

/// The same, where a client forgets what made its tickets: the server knows.
#[test]
fn a_server_knows_whose_ticket_it_is() {
    let client = client().build().unwrap();
    let [one, other] = [[1; 32], [2; 32]].map(|mut root: [u8; 32]| {
        root[0] = 9;
        let hour = core::time::Duration::from_secs(3600);
        let keys = clasp::session::TicketKeys::shared(Provider::builtin(), &root, hour, hour).unwrap();
        server().tickets(Arc::new(keys)).build().unwrap()
    });
    met(&client, &one);
    let (_, at_other) = met(&client, &other);
    assert_eq!(at_other.tls.facts().unwrap().resumed, None);
    // A hello with a ticket of version 1, said to a server of version 2.
    let mut end = End::client(&client, Version::V1, allows(10));
    let hello = end.advance().unwrap().remove(0).1;
    let mut other_version = End::server(&other, Version::V2, allows(20));
    let flight = other_version.hear(Level::Initial, &hello).unwrap();
    let with_certificate = |flight: &[(Level, Vec<u8>)]| flight.last().unwrap().1.len() > 500;
    assert!(with_certificate(&flight));
    let mut same_version = End::server(&other, Version::V1, allows(20));
    let flight = same_version.hear(Level::Initial, &hello).unwrap();
    assert!(!flight.iter().any(|(level, bytes)| *level == Level::Handshake && bytes.len() > 500), "resumed");
}

#[test]
fn opaque_parameters_are_carried_as_they_are() {
    let (client, server) = (client().build().unwrap(), server().build().unwrap());
    let mut client = End::client(&client, Version::V1, Parameters::opaque([1, 2]));
    let mut server = End::server(&server, Version::V1, Parameters::opaque([]));
    drive(&mut client, &mut server, usize::MAX).unwrap();
    assert_eq!(client.tls.peer_parameters(), Some(&[][..]));
    assert_eq!(server.tls.peer_parameters(), Some(&[1, 2][..]));
}

/// What the peer's CONNECTION_CLOSE says is an error that names the alert, and the end.
#[test]
fn a_peer_that_closes_is_understood() {
    let (mut one, _) = ends(&client().build().unwrap(), &server().build().unwrap());
    one.advance().unwrap();
    let error = one.tls.peer_closed(0x178);
    assert!(error.to_string().contains("no_application_protocol"), "{error}");
    assert_eq!(one.advance().unwrap_err().to_string(), error.to_string());
    assert_eq!(one.tls.peer_closed(0x0a).to_string(), error.to_string(), "the first one stands");
    let (mut one, _) = ends(&client().build().unwrap(), &server().build().unwrap());
    let error = one.tls.peer_closed(0x0a);
    assert!(error.to_string().contains("0xa"), "{error}");
    assert_eq!(error_code(&error) >> 8, 1);
}

/// Encrypted Client Hello is the conversation's own, whoever carries it; transport parameters are the same inside and outside.
#[test]
fn a_hello_is_hidden_over_quic_too() {
    let key = || EchKey::generate(Provider::builtin(), &EchParameters::new("localhost")).unwrap();
    for groups in [&[NamedGroup::X25519], &[NamedGroup::Secp256r1]] {
        let (ours, theirs) = (key(), key());
        let client = client().early_data(true).encrypted_client_hello(EchMode::Offer(ours.list().clone()));
        let client = client.build().unwrap();
        let opens = |key| {
            let keys = Arc::new(EchKeyStore::new(EchKeyRing::new([key]).unwrap()));
            server().policy(Policy::default().with_groups(groups)).encrypted_client_hello(keys).build().unwrap()
        };
        let retry = theirs.list().clone();
        let (one, other) = met(&client, &opens(ours));
        for end in [&one, &other] {
            assert!(end.tls.facts().unwrap().encrypted_client_hello.as_ref().unwrap().accepted);
        }
        let (mut one, mut other) = ends(&client, &opens(theirs));
        let error = drive(&mut one, &mut other, usize::MAX).unwrap_err();
        assert_eq!(error_code(&error), 0x100 + 121, "{error}");
        assert_eq!(error.ech_retry_configs(), Some(&retry));
        assert!(one.tls.facts().is_none());
    }
}

/// A configuration that was used over QUIC, and changed for some connections, is the changed one over QUIC too.
#[test]
fn what_was_changed_is_changed_over_quic_too() {
    let (client, server) = (client().build().unwrap(), server().build().unwrap());
    let protocol = |client: &Arc<ClientConfig>, server: &Arc<ServerConfig>| {
        let (one, _) = met(client, server);
        one.tls.facts().unwrap().alpn.clone().unwrap()
    };
    assert_eq!(protocol(&client, &server), b"h3");
    let server = Arc::new(ServerConfig::clone(&server).with_alpn(["q"]).unwrap());
    assert_eq!(protocol(&client, &server), b"q");
    let client = ClientConfig::clone(&client).with_alpn(["z", "q"]).unwrap();
    assert_eq!(client.alpn(), [b"z", b"q"]);
    let server = Arc::new(ServerConfig::clone(&server).with_alpn(["z", "q"]).unwrap());
    assert_eq!(protocol(&Arc::new(client), &server), b"z");
}
