//! What a connection tells of its handshake before that is done.
#![allow(clippy::unwrap_used)]

use clasp::config::WebPki;
use clasp::wire::code::ProtocolVersion;
use clasp::{ClientConfig, Connection, Event, Policy, ServerConfig};
use clasp_testkit::{Gate, KeyKind, Pair, SlowVerifier, authority};
use std::sync::Arc;

fn all(connection: &mut Connection) -> Vec<Event> {
    core::iter::from_fn(|| connection.poll_event()).collect()
}

/// A pair whose two ends keep what they come to.
fn pairs(version: ProtocolVersion, protocols: &[&str]) -> [Pair; 2] {
    let only = Policy::default().with_versions([version]);
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let client = ClientConfig::builder().trust(authority().roots()).policy(only.clone()).alpn(["h3", "h2"]);
    let server = ServerConfig::builder().identity(identity).policy(only).alpn(protocols.iter().copied());
    let (client, server) = (client.build().unwrap(), server.build().unwrap());
    [(); 2].map(|()| {
        let mut pair = Pair::new(&client, &server);
        pair.client.keep_events();
        pair.server.keep_events();
        pair
    })
}

const BOTH: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

#[test]
fn a_server_knows_the_hello_and_the_protocol_before_its_flight_is_answered() {
    for version in BOTH {
        // The second is a resumption.
        for (n, mut pair) in pairs(version, &["h2"]).into_iter().enumerate() {
            assert_eq!(pair.server.poll_event(), None);
            let hello = Event::ClientHello {
                server_name: Some("localhost".into()),
                protocols: vec![b"h3".to_vec(), b"h2".to_vec()],
            };
            let protocol = Event::Protocol(Some(b"h2".to_vec()));
            pair.drive_server_flights(1);
            assert!(pair.server.facts().is_none());
            assert_eq!(all(&mut pair.server), [hello, protocol.clone()], "{version}");
            pair.drive().unwrap();
            assert_eq!(pair.server.facts().unwrap().resumed.is_some(), n > 0);
            assert_eq!(all(&mut pair.server), [Event::Established], "{version}");
            assert_eq!(all(&mut pair.client), [protocol, Event::Established], "{version}");
            assert_eq!((pair.client.poll_event(), pair.server.poll_event()), (None, None));
        }
    }
}

#[test]
fn a_client_knows_the_protocol_while_the_verifier_thinks() {
    for version in BOTH {
        let gate = Gate::default();
        let verifier = SlowVerifier(gate.clone(), Arc::new(WebPki::servers(authority().roots())));
        let only = Policy::default().with_versions([version]);
        let client = ClientConfig::builder().dangerous_verifier(Arc::new(verifier)).policy(only).alpn(["h2"]);
        let [mut pair, _] = pairs(version, &["h2"]);
        pair.client = client.build().unwrap().connect("localhost".try_into().unwrap());
        pair.client.keep_events();
        pair.drive().unwrap();
        assert!(pair.client.facts().is_none());
        assert_eq!(all(&mut pair.client), [Event::Protocol(Some(b"h2".to_vec()))], "{version}");
        gate.open();
        pair.drive().unwrap();
        assert_eq!(all(&mut pair.client), [Event::Established], "{version}");
    }
}

#[test]
fn no_protocol_is_told_too_and_nothing_is_kept_unasked() {
    for version in BOTH {
        let [mut pair, mut other] = pairs(version, &[]);
        pair.drive().unwrap();
        assert_eq!(all(&mut pair.client), [Event::Protocol(None), Event::Established]);
        assert!(all(&mut pair.server).contains(&Event::Protocol(None)));

        // The same two, but that only one asks.
        let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
        let mut server = ServerConfig::builder().identity(identity).build().unwrap().accept();
        core::mem::swap(&mut other.server, &mut server);
        other.drive().unwrap();
        assert_eq!((all(&mut other.client).len(), all(&mut other.server)), (2, Vec::new()));
    }
}
