//! Which of the two versions it comes to, and what belongs to which.
#![allow(clippy::unwrap_used)]

use clasp::config::{ClientBuilder, Ready, ServerBuilder};
use clasp::error::{Cause, PeerError};
use clasp::session::{ClientSessionCache, ServerSessionCache};
use clasp::wire::code::ProtocolVersion;
use clasp::{ClientConfig, Policy, Resumption, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority};
use std::sync::Arc;

fn client(policy: Policy) -> ClientBuilder<Ready> {
    ClientConfig::builder().trust(authority().roots()).policy(policy)
}

fn server(policy: Policy) -> ServerBuilder<Ready> {
    ServerConfig::builder().identity(authority().issue(KeyKind::P256, &["localhost"]).identity()).policy(policy)
}

#[test]
fn versions_are_negotiated_and_a_downgrade_is_found_out() {
    let only = |v| Policy::default().with_versions([v]);
    let both = Policy::default;
    for (c, s, wanted) in [
        (both(), both(), ProtocolVersion::Tls13),
        (only(ProtocolVersion::Tls12), both(), ProtocolVersion::Tls12),
        (both(), only(ProtocolVersion::Tls12), ProtocolVersion::Tls12),
        (both(), only(ProtocolVersion::Tls13), ProtocolVersion::Tls13),
    ] {
        let server = server(s).build().unwrap();
        let mut pair = Pair::new(&client(c).build().unwrap(), &server);
        pair.drive().unwrap();
        assert_eq!(pair.client.facts().unwrap().version, wanted);
    }
    let server13 = server(only(ProtocolVersion::Tls13)).build().unwrap();
    let client12 = client(only(ProtocolVersion::Tls12)).build().unwrap();
    let error = Pair::new(&client12, &server13).drive().unwrap_err();
    assert_eq!(error.cause(), &Cause::Peer(PeerError::NoCommonVersion));

    // A man in the middle cuts supported_versions down to 1.2: the sentinel tells the client.
    let server = server(both()).build().unwrap();
    let mut pair = Pair::new(&client(both()).grease(false).build().unwrap(), &server);
    pair.drive_one_client_flight().unwrap();
    let offer = [0, 43, 0, 5, 4, 3, 4, 3, 3];
    let at = pair.to_server.windows(offer.len()).position(|w| w == offer).unwrap();
    pair.to_server[at + 5..at + 9].copy_from_slice(&[3, 3, 3, 3]);
    let error = pair.drive().unwrap_err();
    assert_eq!(error.cause(), &Cause::Peer(PeerError::Downgraded));
}

#[test]
fn a_tls12_session_is_not_resumed_in_tls13_and_the_other_way_round() {
    let sessions = Arc::new(ClientSessionCache::new(8));
    let store = Arc::new(ServerSessionCache::new(1 << 20));
    let run = |version| {
        let policy = Policy::default().with_versions([version]);
        let server = server(policy).sessions(store.clone()).build().unwrap();
        let client = client(Policy::default()).sessions(sessions.clone()).build().unwrap();
        let mut pair = Pair::new(&client, &server);
        pair.drive().unwrap();
        let facts = pair.client.facts().unwrap();
        assert_eq!(facts.version, version);
        facts.resumed
    };
    assert_eq!(run(ProtocolVersion::Tls12), None);
    assert_eq!(run(ProtocolVersion::Tls13), None);
    assert_eq!(run(ProtocolVersion::Tls13), Some(Resumption::Ticket));
    assert_eq!(run(ProtocolVersion::Tls12), None);
}
