//! 0-RTT: what is remembered, what is taken, and what is refused. RFC 9001 4.6, RFC 9000 7.4.1.

use super::ends::*;
use clasp::error::{Cause, PeerError};
use clasp::quic::{Level, Parameters, Version, error_code};
use clasp::wire::code::NamedGroup;
use clasp::{ClientConfig, EarlyData, EarlyDataRefusal, Policy, Resumption, ServerConfig};
use clasp_testkit::provider::reseed;
use clasp_testkit::script::{SCENARIOS, Sides};
use std::sync::Arc;

fn configs() -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    (client().early_data(true).build().unwrap(), server().max_early_data(1).build().unwrap())
}

/// Both ends of a second connection, made; the server allows so much now.
fn again(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>, now: Parameters) -> (End, End) {
    let mut client = End::client(client, Version::V1, allows(10));
    let mut server = End::server(server, Version::V1, now);
    drive(&mut client, &mut server, usize::MAX).unwrap();
    (client, server)
}

#[test]
fn early_data_goes_with_a_session() {
    let (client, server) = configs();
    let (first, _) = met(&client, &server);
    assert_eq!(first.tls.early_data(), Some(EarlyData::NotOffered));
    assert!(first.tls.remembered_parameters().is_none() && !first.send.contains_key(&Level::ZeroRtt));

    let (mut client, mut server) = ends(&client, &server);
    let up = client.advance().unwrap();
    assert_eq!(client.order, ["crypto Initial", "send ZeroRtt"]);
    assert_eq!(client.tls.remembered_parameters(), Some(allows(20).as_bytes()));
    assert_eq!(client.tls.early_data(), None);
    let flight = server.hear(Level::Initial, &up[0].1).unwrap();
    assert_eq!(server.tls.early_data(), Some(EarlyData::Accepted));
    assert!(opens(&client.send[&Level::ZeroRtt], &server.receive[&Level::ZeroRtt]));
    // Answers to it may go at once: the server has its keys of 1-RTT, and has sent its tickets already.
    assert_eq!(
        server.order,
        [
            "receive ZeroRtt",
            "crypto Initial",
            "send Handshake",
            "receive Handshake",
            "crypto Handshake",
            "send OneRtt",
            "receive OneRtt",
            "crypto OneRtt"
        ]
    );
    for (level, bytes) in flight {
        for (level, bytes) in client.hear(level, &bytes).unwrap() {
            assert!(opens(&client.send[&level], &server.receive[&level]), "{level:?}");
            server.hear(level, &bytes).unwrap();
        }
    }
    for end in [&client, &server] {
        let facts = end.tls.facts().unwrap();
        assert_eq!((facts.resumed, facts.early_data), (Some(Resumption::Ticket), EarlyData::Accepted));
        assert_eq!(end.tls.early_data(), Some(EarlyData::Accepted));
    }
}

/// Tickets come again and again, those that went ahead of the client's Finished too.
#[test]
fn sessions_go_on_and_on() {
    let (client, server) = configs();
    met(&client, &server);
    for round in 0..4 {
        let (_, at_server) = again(&client, &server, allows(20));
        assert_eq!(at_server.tls.early_data(), Some(EarlyData::Accepted), "round {round}");
    }
}

/// Where a server allows less than it did, its early data is refused, and the session goes on without; more is as good.
#[test]
fn early_data_is_refused_where_promises_shrank() {
    for (now, taken) in
        [(allows(20), true), (allows(21), true), (allows(19), false), (Parameters::new([]).unwrap(), false)]
    {
        let (client, server) = configs();
        met(&client, &server);
        let (client, server) = again(&client, &server, now);
        let facts = server.tls.facts().unwrap();
        assert_eq!((facts.resumed, facts.early_data == EarlyData::Accepted), (Some(Resumption::Ticket), taken));
        assert_eq!(facts.early_data_refusal, (!taken).then_some(EarlyDataRefusal::Parameters));
        assert_eq!(client.tls.early_data(), server.tls.early_data());
        assert_eq!(server.receive.contains_key(&Level::ZeroRtt), taken);
    }
    let (client, server) = configs();
    let opaque = |bytes: &[u8]| {
        let mut client = End::client(&client, Version::V1, Parameters::opaque([]));
        let mut server = End::server(&server, Version::V1, Parameters::opaque(bytes));
        drive(&mut client, &mut server, usize::MAX).unwrap();
        client.tls.early_data() == Some(EarlyData::Accepted)
    };
    assert_eq!([opaque(&[1]), opaque(&[1]), opaque(&[2]), opaque(&[2])], [false, true, false, true]);
}

/// A server that takes early data and allows less ends the connection: RFC 9000 7.4.1. Without secrets, so that nothing else is wrong
/// with what it says.
#[test]
fn a_server_that_breaks_its_promise_is_refused() {
    for (now, holds) in [(allows(20), true), (allows(21), true), (allows(19), false)] {
        reseed(9001);
        let scenario = SCENARIOS.iter().find(|scenario| scenario.early_data).unwrap();
        let Sides { client, server } = scenario.sides_speaking(&["h3"]);
        met(&client, &server);
        let (mut client, mut server) = ends(&client, &server);
        let hello = client.advance().unwrap().remove(0).1;
        let flight = server.hear(Level::Initial, &hello).unwrap();
        assert_eq!(server.tls.early_data(), Some(EarlyData::Accepted));
        client.hear(Level::Initial, &flight[0].1).unwrap();
        let encrypted = &flight[1].1;
        let len = 4 + usize::from(u16::from_be_bytes([encrypted[2], encrypted[3]]));
        let said = with(&encrypted[..len], 57, &[now.as_bytes()]);
        let end = client.hear(Level::Handshake, &[&said, &encrypted[len..]].concat());
        let refused = end.err().map(|error| (error_code(&error), error.cause().clone()));
        let shrank = Cause::Peer(PeerError::TransportParametersShrank);
        assert_eq!(refused, (!holds).then_some((0x0a, shrank)), "{now:?}");
    }
}

/// A server without early data, one that wants another hello, one that never saw the client: the handshake goes on.
#[test]
fn early_data_is_refused_and_the_handshake_goes_on() {
    let (client, _) = configs();
    for why in [EarlyDataRefusal::Disabled, EarlyDataRefusal::HelloRetried, EarlyDataRefusal::NotResumed] {
        let hour = core::time::Duration::from_secs(3600);
        let keys = clasp::session::TicketKeys::random(clasp::crypto::Provider::builtin(), hour, hour).unwrap();
        let keys = Arc::new(keys);
        let first = server().tickets(keys.clone()).max_early_data(1).session_context("one").build().unwrap();
        met(&client, &first);
        let second = server().session_context("one");
        let second = match why {
            EarlyDataRefusal::Disabled => second.tickets(keys),
            EarlyDataRefusal::HelloRetried => {
                let policy = Policy::default().with_groups([NamedGroup::Secp521r1]);
                second.tickets(keys).max_early_data(1).policy(policy)
            }
            _ => second.max_early_data(1),
        };
        let (at_client, at_server) = again(&client, &second.build().unwrap(), allows(20));
        assert!(at_client.send.contains_key(&Level::ZeroRtt) && !at_server.receive.contains_key(&Level::ZeroRtt));
        for end in [&at_client, &at_server] {
            assert_eq!(end.tls.early_data(), Some(EarlyData::Rejected), "{why:?}");
        }
        assert_eq!(at_server.tls.facts().unwrap().early_data_refusal, Some(why));
    }
}

/// The same hello a second time is a replay.
#[test]
fn early_data_comes_once() {
    let (client, server) = configs();
    met(&client, &server);
    let hello = End::client(&client, Version::V1, allows(10)).advance().unwrap().remove(0).1;
    let taken = || {
        let mut end = End::server(&server, Version::V1, allows(20));
        end.hear(Level::Initial, &hello).unwrap();
        end.receive.contains_key(&Level::ZeroRtt)
    };
    assert_eq!([taken(), taken()], [true, false]);
}

/// A hello that says early data without a session is a client's that forgot; a server that answers so is at fault.
#[test]
fn early_data_without_a_session() {
    let (client, server) = (client().build().unwrap(), server().max_early_data(1).build().unwrap());
    let (mut client, mut server) = ends(&client, &server);
    let hello = client.advance().unwrap().remove(0).1;
    let mut other = End::server(&self::server().max_early_data(1).build().unwrap(), Version::V1, allows(20));
    other.hear(Level::Initial, &with(&hello, 42, &[b""])).unwrap();
    assert!(!other.receive.contains_key(&Level::ZeroRtt) && other.tls.early_data().is_none());
    let flight = server.hear(Level::Initial, &hello).unwrap();
    client.hear(Level::Initial, &flight[0].1).unwrap();
    let encrypted = &flight[1].1;
    let len = 4 + usize::from(u16::from_be_bytes([encrypted[2], encrypted[3]]));
    let error = client.hear(Level::Handshake, &with(&encrypted[..len], 42, &[b""])).unwrap_err();
    assert_eq!(error_code(&error), 0x16e, "unsupported_extension: {error}");
}
