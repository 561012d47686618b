//! What a peer can do with keys in hand: the test seals what no API of ours would send.

use super::*;
use crate::answer::Answer;
use crate::code::{AlertDescription, ContentType};
use crate::config::{
    ClientAuth, ClientBuilder, DangerousAcceptAnyone, Identity, KeyPin, PinnedKeys, Policy, PresentedIdentity, Ready,
    ServerBuilder, Verifier as _,
};
use crate::crypto::AeadId;
use crate::error::{Cause, Misuse, PeerError};
use crate::keys::maker::{KeyLabels, Way};
use crate::record::{frame, limits};
use clasp_x509::Roots;
use core::task::{Context, Waker};
use rcgen::PublicKeyData as _;
use std::io::IoSlice;

fn pair() -> (Connection, Connection) {
    pair_of(ProtocolVersion::Tls12)
}

fn pair_of(version: ProtocolVersion) -> (Connection, Connection) {
    pair_with(version, false)
}

fn pair_with(version: ProtocolVersion, ignore_renegotiation: bool) -> (Connection, Connection) {
    // The client speaks both versions: with TLS 1.3 alone the setting would be refused.
    let client = |c: ClientBuilder<Ready>, _| c.policy(Policy::default()).ignore_renegotiation(ignore_renegotiation);
    pair_by(version, client, |server| server)
}

/// A pair whose client may be asked for its certificate, the server's own, after the handshake.
fn post_auth_pair() -> (Connection, Connection) {
    let auth = ClientAuth::Require(Arc::new(DangerousAcceptAnyone));
    pair_by(
        ProtocolVersion::Tls13,
        |client, identity| client.identity(identity).post_handshake_auth(true),
        |server| server.post_handshake_auth(auth),
    )
}

fn pair_by(
    version: ProtocolVersion,
    change_client: impl FnOnce(ClientBuilder<Ready>, Arc<Identity>) -> ClientBuilder<Ready>,
    change_server: impl FnOnce(ServerBuilder<Ready>) -> ServerBuilder<Ready>,
) -> (Connection, Connection) {
    let policy = Policy::default().with_versions([version]);
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2060, 1, 1);
    let der = params.self_signed(&key).unwrap().der().to_vec();
    let mut roots = Roots::empty();
    roots.add_der(&der).unwrap();
    let identity = || Identity::from_der(vec![der.clone().into()], &key.serialize_der()).unwrap();
    let server = change_server(ServerConfig::builder().identity(identity()).policy(policy.clone())).build().unwrap();
    let client = ClientConfig::builder().trust(Arc::new(roots)).policy(policy);
    let client = change_client(client, Arc::new(identity())).build().unwrap();
    let mut client = client.connect("localhost".try_into().unwrap());
    let mut server = server.accept();
    let (mut up, mut down) = (Vec::new(), Vec::new());
    client.advance(&mut Context::from_waker(Waker::noop()), &mut up).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        server.receive(&mut up, &mut down).unwrap();
        up.clear();
        client.receive(&mut down, &mut up).unwrap();
        down.clear();
    }
    // What a TLS 1.3 server says after the client's Finished: its tickets.
    client.receive(&mut down, &mut up).unwrap();
    (client, server)
}

fn sealed(by: &mut Connection, content: ContentType, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    by.outbound.sealer.seal(content, &[IoSlice::new(plain)], &mut out).unwrap();
    out
}

/// RFC 5746 4.5, and the renegotiation attack (CVE-2009-3555): refused for good.
#[test]
fn renegotiation_is_refused_both_ways() {
    let hello = [&[1, 0, 0, 41, 3, 3][..], &[0; 32], &[0, 0, 2, 0xc0, 0x2b, 1, 0]].concat();
    let (mut client, mut server) = pair();
    let mut request = sealed(&mut server, ContentType::Handshake, &[0, 0, 0, 0]);
    let refused = client.receive(&mut request, &mut Vec::new()).unwrap_err();
    assert_eq!(refused.alert(), AlertDescription::NoRenegotiation);
    // RFC 5246 7.2.2: always a warning. The connection is over all the same, which is said too.
    let (mut client, mut server) = pair();
    let (mut request, mut out) = (sealed(&mut server, ContentType::Handshake, &[0, 0, 0, 0]), Vec::new());
    client.receive(&mut request, &mut out).unwrap_err();
    let mut said = Vec::new();
    while let Ok(frame::Frame::Record { content, len }) = frame::next(&out, false) {
        let range = server.inbound.opener.open(content, &mut out[..len]).unwrap().range;
        said.extend_from_slice(&out[range]);
        out.drain(..len);
    }
    assert_eq!(said, [1, 100, 1, 0]);
    let (mut client, mut server) = pair();
    let mut out = Vec::new();
    let refused = server.receive(&mut sealed(&mut client, ContentType::Handshake, &hello), &mut out).unwrap_err();
    assert_eq!(refused.cause(), &Cause::Peer(PeerError::RenegotiationRefused));
    assert!(!out.is_empty(), "the alert");
    let (mut client, mut server) = pair();
    let mut finished = sealed(&mut client, ContentType::Handshake, &[20, 0, 0, 0]);
    let refused = server.receive(&mut finished, &mut Vec::new()).unwrap_err();
    assert_eq!(refused.cause(), &Cause::Peer(PeerError::UnexpectedMessage), "another message after the handshake");
}

/// RFC 5246 7.4.1.1: a client that is told to may pass a request over, a bounded number of times without data.
#[test]
fn requests_to_renegotiate_are_passed_over_where_the_configuration_says_so() {
    let (mut client, mut server) = pair_with(ProtocolVersion::Tls12, true);
    let ask = |server: &mut Connection, client: &mut Connection| {
        client.receive(&mut sealed(server, ContentType::Handshake, &[0, 0, 0, 0]), &mut Vec::new()).map(drop)
    };
    for _ in 0..3 {
        for _ in 0..limits::MAX_HELLO_REQUESTS {
            ask(&mut server, &mut client).unwrap();
        }
        let mut data = sealed(&mut server, ContentType::ApplicationData, b"on");
        assert_eq!(client.receive(&mut data, &mut Vec::new()).unwrap().data, b"on");
    }
    let flood = (0..=limits::MAX_HELLO_REQUESTS).find_map(|_| ask(&mut server, &mut client).err()).unwrap();
    assert_eq!(flood.cause(), &Cause::Peer(PeerError::RenegotiationRefused));

    let (mut client, mut server) = pair_with(ProtocolVersion::Tls12, true);
    let mut long = sealed(&mut server, ContentType::Handshake, &[0, 0, 0, 1, 1]);
    let error = client.receive(&mut long, &mut Vec::new()).unwrap_err();
    assert_eq!(error.cause(), &Cause::Peer(PeerError::BadHelloRequest));
    let (mut client, mut server) = pair_with(ProtocolVersion::Tls13, true);
    let error = ask(&mut server, &mut client).unwrap_err();
    assert_eq!(error.alert(), AlertDescription::UnexpectedMessage, "TLS 1.3 has no such message");
}

/// RFC 9846 4.6.3: an answer comes where the peer has no data to send. What one half has asked for the other knows of, and what
/// was asked for before there were halves.
#[test]
fn key_updates_that_were_asked_for_are_no_flood() {
    for (before, apart) in [(0_u8, None), (3, None), (3, Some(0)), (0, Some(3)), (3, Some(3))] {
        let (mut client, mut server) = pair_of(ProtocolVersion::Tls13);
        let mut next = || {
            let mut update = Vec::new();
            server.outbound.update(&mut server.common, false, &mut update).unwrap();
            update
        };
        let mut said = Vec::new();
        (0..before).for_each(|_| client.update_keys(true, &mut said).unwrap());
        let borne = if let Some(after) = apart {
            let (mut sender, mut receiver) = client.into_split().map_err(|(_whole, error)| error).unwrap();
            (0..after).for_each(|_| sender.update_keys(true, &mut said).unwrap());
            // A sender that has nothing to say need not be asked.
            if after > 0 {
                sender.say(&mut said).unwrap();
            }
            (0..100).take_while(|_| receiver.receive(&mut next()).is_ok()).count()
        } else {
            (0..100).take_while(|_| client.receive(&mut next(), &mut said).is_ok()).count()
        };
        let due = before + apart.unwrap_or(0);
        assert_eq!(borne, usize::from(limits::MAX_KEY_UPDATES + due), "before {before}, apart: {apart:?}");
    }
}

#[test]
fn empty_record_flood_ends_the_connection() {
    let (mut client, mut server) = pair();
    let results: Vec<bool> = (0..=limits::MAX_EMPTY_RECORDS)
        .map(|_| {
            let mut empty = sealed(&mut client, ContentType::ApplicationData, &[]);
            server.receive(&mut empty, &mut Vec::new()).is_err()
        })
        .collect();
    assert_eq!(results.iter().filter(|failed| **failed).count(), 1);
    assert_eq!(results.last(), Some(&true));
}

#[test]
fn warning_alert_flood_and_malformed_alerts_end_the_connection() {
    let (mut client, mut server) = pair();
    for round in 0..=limits::MAX_WARNING_ALERTS {
        let mut warning = sealed(&mut client, ContentType::Alert, &[1, 90]);
        let result = server.receive(&mut warning, &mut Vec::new());
        assert_eq!(result.is_err(), round == limits::MAX_WARNING_ALERTS);
    }
    for bad in [&[1][..], &[1, 0, 1, 0], &[3, 0], &[]] {
        let (mut client, mut server) = pair();
        assert!(server.receive(&mut sealed(&mut client, ContentType::Alert, bad), &mut Vec::new()).is_err(), "{bad:?}");
    }
}

/// RFC 5246 7.2.1, 7.2.2: in TLS 1.2 a warning ends nothing, whatever it warns of. RFC 9846 6.1: in TLS 1.3 one alone does not.
#[test]
fn warnings_that_end_nothing() {
    for (version, alerts) in [(ProtocolVersion::Tls12, &[90, 100, 112, 200][..]), (ProtocolVersion::Tls13, &[90])] {
        let (mut client, mut server) = pair_of(version);
        for alert in alerts {
            let mut warning = sealed(&mut client, ContentType::Alert, &[1, *alert]);
            server.receive(&mut warning, &mut Vec::new()).unwrap();
        }
        let mut data = sealed(&mut client, ContentType::ApplicationData, b"on");
        assert_eq!(server.receive(&mut data, &mut Vec::new()).unwrap().data, b"on", "{version}");
    }
}

/// RFC 9846 6: "MUST be treated as error alerts when received regardless of the AlertLevel", those of no known type too.
#[test]
fn an_error_alert_of_tls13_that_calls_itself_a_warning_is_an_error() {
    for alert in [AlertDescription::HandshakeFailure, AlertDescription::UnrecognizedName, AlertDescription(99)] {
        let (mut client, mut server) = pair_of(ProtocolVersion::Tls13);
        let mut out = Vec::new();
        let mut record = sealed(&mut client, ContentType::Alert, &[1, alert.0]);
        let error = server.receive(&mut record, &mut out).unwrap_err();
        assert_eq!(error.peer_alert(), Some(alert));
        assert!(out.is_empty(), "an alert is not answered with one");
    }
}

/// RFC 9846 5, 5.1: a record of no known type, also inside another, and an alert or message without content.
#[test]
fn records_of_unknown_types_and_without_content_are_unexpected() {
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        for content in [ContentType(24), ContentType(99), ContentType::Alert, ContentType::Handshake] {
            let (mut client, mut server) = pair_of(version);
            // Two bytes that would be a close_notify.
            let plain: &[u8] = if content.is_known() { &[] } else { &[1, 0] };
            let mut record = sealed(&mut client, content, plain);
            let refused = server.receive(&mut record, &mut Vec::new()).unwrap_err();
            assert_eq!(refused.alert(), AlertDescription::UnexpectedMessage, "{version} {content:?}");
            assert!(!server.peer_closed());
        }
    }
}

#[test]
fn a_second_change_cipher_spec_and_what_follows_a_failure() {
    let (mut client, mut server) = pair();
    let mut out = Vec::new();
    let mut record = sealed(&mut client, ContentType::ChangeCipherSpec, &[1]);
    let first = server.receive(&mut record, &mut out).unwrap_err();
    assert_eq!(first.cause(), &Cause::Peer(PeerError::UnexpectedChangeCipherSpec));
    assert!(!out.is_empty(), "the alert");
    let mut record = sealed(&mut client, ContentType::ApplicationData, b"x");
    let again = server.receive(&mut record, &mut Vec::new()).unwrap_err();
    assert_eq!(again.cause(), first.cause(), "the first error stands");
    assert!(server.send(&[IoSlice::new(b"x")], &mut Vec::new()).is_err());
    let mut quiet = Vec::new();
    server.close(&mut quiet).unwrap();
    assert!(quiet.is_empty(), "nothing is said after a fatal alert");
}

/// KeyUpdate: both directions move on, on request and by oneself; old keys open nothing any more.
#[test]
fn key_updates_change_keys_and_a_flood_of_them_ends_the_connection() {
    let (mut client, mut server) = pair_of(ProtocolVersion::Tls13);
    for ask in [false, true] {
        let mut up = Vec::new();
        let mut old = sealed(&mut client, ContentType::ApplicationData, b"old");
        assert_eq!(server.receive(&mut old, &mut Vec::new()).unwrap().data, b"old");
        client.update_keys(ask, &mut up).unwrap();
        client.send(&[IoSlice::new(b"up")], &mut up).unwrap();
        let mut down = Vec::new();
        assert_eq!(server.receive(&mut up, &mut down).unwrap().data, b"up");
        let before = down.len();
        server.send(&[IoSlice::new(b"down")], &mut down).unwrap();
        assert_eq!(down.len() - before > 40, ask, "an update goes before the data if it was asked for");
        assert_eq!(client.receive(&mut down, &mut Vec::new()).unwrap().data, b"down");
    }
    let failed = (0..=limits::MAX_KEY_UPDATES).find_map(|n| {
        let mut up = Vec::new();
        client.outbound.update(&mut client.common, true, &mut up).unwrap();
        server.receive(&mut up, &mut Vec::new()).err().map(|e| (n, e))
    });
    let (round, error) = failed.unwrap();
    assert_eq!(round, limits::MAX_KEY_UPDATES);
    assert_eq!(error.cause(), &Cause::Peer(PeerError::TooManyKeyUpdates));
}

#[test]
fn key_update_must_be_the_last_message_of_its_record() {
    let (mut client, mut server) = pair_of(ProtocolVersion::Tls13);
    let two = [24, 0, 0, 1, 0, 24, 0, 0, 1, 0];
    let mut record = sealed(&mut client, ContentType::Handshake, &two);
    let error = server.receive(&mut record, &mut Vec::new()).unwrap_err();
    assert_eq!(error.cause(), &Cause::Peer(PeerError::DataAtKeyChange));
    let (mut client, mut server) = pair_of(ProtocolVersion::Tls13);
    let mut record = sealed(&mut client, ContentType::Handshake, &[24, 0, 0, 1, 2]);
    let error = server.receive(&mut record, &mut Vec::new()).unwrap_err();
    assert_eq!(error.alert(), AlertDescription::IllegalParameter);
}

#[test]
fn after_a_tls13_handshake_only_tickets_and_updates_may_come() {
    for kind in [1, 2, 11, 13, 20] {
        let (mut client, mut server) = pair_of(ProtocolVersion::Tls13);
        let mut record = sealed(&mut server, ContentType::Handshake, &[kind, 0, 0, 0]);
        let error = client.receive(&mut record, &mut Vec::new()).unwrap_err();
        assert_eq!(error.alert(), AlertDescription::UnexpectedMessage, "message {kind}");
    }
    let (mut client, mut server) = pair_of(ProtocolVersion::Tls13);
    let ticket = [4, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 7, 0, 0];
    let mut record = sealed(&mut client, ContentType::Handshake, &ticket);
    assert!(server.receive(&mut record, &mut Vec::new()).is_err(), "a server takes a ticket");
}

/// Counts what it is given to keep.
#[derive(Debug, Default)]
struct Counted(core::sync::atomic::AtomicUsize);

impl crate::session::ClientSessions for Counted {
    fn put(&self, _: &crate::session::PeerKey, _: crate::session::Session) {
        self.0.fetch_add(1, core::sync::atomic::Ordering::Relaxed);
    }
    fn take(&self, _: &crate::session::PeerKey) -> Option<crate::session::Session> {
        None
    }
}

/// RFC 9846 4.6.1 sets a server no bound: what is above ours is dropped, and costs neither a key nor room in a store.
#[test]
fn surplus_tickets_are_dropped_and_end_nothing() {
    let store = Arc::new(Counted::default());
    let keeping = |client: ClientBuilder<Ready>, _| client.sessions(store.clone());
    let (mut client, mut server) = pair_by(ProtocolVersion::Tls13, keeping, |server| server);
    client.inbound.floods.data_came();
    let of_the_handshake = store.0.load(core::sync::atomic::Ordering::Relaxed);
    let kept = || store.0.load(core::sync::atomic::Ordering::Relaxed) - of_the_handshake;
    let ticket = [4, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 7, 0, 0];
    for round in 1..=2 {
        for _ in 0..300 {
            let mut record = sealed(&mut server, ContentType::Handshake, &ticket);
            client.receive(&mut record, &mut Vec::new()).unwrap();
        }
        assert_eq!(kept(), round * usize::from(limits::MAX_TICKETS));
        let mut record = sealed(&mut server, ContentType::ApplicationData, b"data");
        assert_eq!(client.receive(&mut record, &mut Vec::new()).unwrap().data, b"data");
    }
    let mut record = sealed(&mut server, ContentType::Handshake, &[4, 0, 0, 1, 0]);
    assert!(client.receive(&mut record, &mut Vec::new()).is_err(), "what is dropped is read all the same");
}

/// Peers end a connection on which more than 32 KeyUpdates come without data between, as we do.
#[test]
fn updates_without_data_between_become_one_where_the_peer_would_bear_no_more() {
    let (mut client, mut server) = pair_of(ProtocolVersion::Tls13);
    let mut out = Vec::new();
    let mut wire = Vec::new();
    for round in 0..3 {
        for _ in 0..100 {
            client.update_keys(true, &mut out).unwrap();
        }
        client.send(&[IoSlice::new(b"data")], &mut out).unwrap();
        wire.append(&mut out);
        let mut got = 0;
        while got < wire.len() {
            let all = wire.len();
            let received = server.receive(&mut wire[got..], &mut Vec::new()).unwrap();
            got += received.used;
            assert_eq!(received.data, if got == all { &b"data"[..] } else { b"" }, "round {round}");
        }
        wire.clear();
    }
}

#[test]
fn tls13_records_hide_their_type_and_length() {
    let (mut client, mut server) = pair_of(ProtocolVersion::Tls13);
    client.outbound.sealer.set_padding(256);
    let lengths: Vec<usize> = [1, 100, 255]
        .into_iter()
        .map(|n| {
            let mut record = sealed(&mut client, ContentType::ApplicationData, &vec![7; n]);
            assert_eq!(record[..3], [23, 3, 3]);
            let len = record.len();
            assert_eq!(server.receive(&mut record, &mut Vec::new()).unwrap().data, vec![7; n]);
            len
        })
        .collect();
    assert!(lengths.iter().all(|n| *n == lengths[0]), "{lengths:?}");
    let mut empty = sealed(&mut client, ContentType::Handshake, &[]);
    assert!(server.receive(&mut empty, &mut Vec::new()).is_err(), "an empty handshake record");
}

/// RFC 9846 4.6.2: an answer that nobody asked for, one to another question, one that others interrupt, and one under
/// other keys are all refused.
#[test]
fn post_handshake_answers_belong_to_their_question() {
    let ask = |client: &mut Connection, server: &mut Connection| {
        let mut down = Vec::new();
        server.request_certificate(&mut down).unwrap();
        let mut up = Vec::new();
        client.receive(&mut down, &mut up).unwrap();
        up
    };
    let refused = |server: &mut Connection, mut up: Vec<u8>| server.receive(&mut up, &mut Vec::new()).unwrap_err();
    let other_context = [11, 0, 0, 5, 1, 9, 0, 0, 0];

    let (mut client, mut server) = post_auth_pair();
    let unasked = sealed(&mut client, ContentType::Handshake, &other_context);
    assert_eq!(refused(&mut server, unasked).cause(), &Cause::Peer(PeerError::UnexpectedMessage));

    let (mut client, mut server) = post_auth_pair();
    server.request_certificate(&mut Vec::new()).unwrap();
    let other = sealed(&mut client, ContentType::Handshake, &other_context);
    assert_eq!(refused(&mut server, other).cause(), &Cause::Peer(PeerError::BadRequestContext));

    // The keys of the records are the same, the secret that Finished is under is not.
    let (mut client, mut server) = post_auth_pair();
    client.common.established.as_mut().unwrap().update(Way::Write, &KeyLabels::TLS).unwrap();
    let answer = ask(&mut client, &mut server);
    assert_eq!(refused(&mut server, answer).cause(), &Cause::Peer(PeerError::BadFinished));

    let (mut client, mut server) = post_auth_pair();
    let mut answer = ask(&mut client, &mut server);
    server.receive(&mut answer, &mut Vec::new()).unwrap();
    assert!(!server.certificate_is_due());
    let again = sealed(&mut client, ContentType::Handshake, &[20, 0, 0, 0]);
    assert_eq!(refused(&mut server, again).cause(), &Cause::Peer(PeerError::UnexpectedMessage), "a second Finished");

    // A client answers every request, and does not keep more of them than a few.
    let (mut client, mut server) = post_auth_pair();
    let flood = [13, 0, 0, 11, 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3].repeat(limits::MAX_CERTIFICATE_REQUESTS + 1);
    let mut flood = sealed(&mut server, ContentType::Handshake, &flood);
    let error = client.receive(&mut flood, &mut Vec::new()).unwrap_err();
    assert_eq!(error.cause(), &Cause::Peer(PeerError::TooManyMessages));
}

/// RFC 9846 5.5 has the limit of AES-GCM, and TLS 1.2 no way to change keys: it ends there, with a close.
#[test]
fn tls12_sends_no_more_than_its_keys_may_seal() {
    let limit = AeadId::Aes128Gcm.confidentiality_limit();
    for halves in [false, true] {
        let (mut client, mut server) = pair_of(ProtocolVersion::Tls12);
        let mut out = Vec::new();
        client.outbound.sealer.skip_to(limit - 2000);
        client.send(&[IoSlice::new(b"the last")], &mut out).unwrap();
        client.outbound.sealer.skip_to(limit - 10);
        server.inbound.opener.skip_to(limit - 10);
        out.clear();
        if halves {
            let (mut sender, _receiver) = client.into_split().unwrap();
            let refused = sender.send(&[IoSlice::new(b"more")], &mut out).unwrap_err();
            assert_eq!((refused.cause(), out.len()), (&Cause::Misuse(Misuse::KeysUsedUp), 0));
            sender.close(&mut out).unwrap();
        } else {
            let more = [IoSlice::new(b"more")];
            let refused =
                [client.send(&more, &mut out), client.send_into(&more, &mut [0; 100]).map(|moved| moved.taken)];
            for refused in refused {
                assert_eq!(refused.unwrap_err().cause(), &Cause::Misuse(Misuse::KeysUsedUp));
            }
            assert!(out.is_empty());
            client.close(&mut out).unwrap();
        }
        server.receive(&mut out, &mut Vec::new()).unwrap();
        assert!(server.peer_closed());
    }
}

/// RFC 9846 5.5: a whole connection and a half of one move their keys on before they have sealed as much as they may.
#[test]
fn keys_move_on_before_they_are_used_up() {
    let sent = |plain: &[u8], out: &[u8], server: &mut Connection| {
        let mut wire = out.to_vec();
        assert_eq!(server.receive(&mut wire, &mut Vec::new()).unwrap().data, plain);
    };
    for halves in [false, true] {
        let (mut client, mut server) = pair_of(ProtocolVersion::Tls13);
        let suite = crate::suite::Suite13::find(client.facts().unwrap().suite).unwrap();
        let limit = suite.aead.confidentiality_limit();
        let (at, mut out) = (limit - 2000, Vec::new());
        client.outbound.sealer.skip_to(at);
        server.inbound.opener.skip_to(at);
        client.send(&[IoSlice::new(b"under the old keys")], &mut out).unwrap();
        sent(b"under the old keys", &out, &mut server);
        assert!(!client.outbound.sealer.is_used_up());
        client.outbound.sealer.skip_to(limit - 10);
        server.inbound.opener.skip_to(limit - 10);
        out.clear();
        if halves {
            let (mut sender, _receiver) = client.into_split().unwrap();
            assert!(sender.is_due());
            sender.send(&[IoSlice::new(b"under new ones")], &mut out).unwrap();
            assert!(!sender.is_due());
        } else {
            client.send(&[IoSlice::new(b"under new ones")], &mut out).unwrap();
            assert!(!client.outbound.sealer.is_used_up());
        }
        sent(b"under new ones", &out, &mut server);
    }
}

/// RFC 5246 6.1, RFC 9846 5.3: numbers do not wrap. The row that says so reaches the caller, by whatever way he sends.
#[test]
fn no_record_goes_without_a_sequence_number() {
    let exhausted = Cause::Outside(crate::error::Outside::SequenceExhausted);
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        let (mut client, mut server) = pair_of(version);
        for side in [&mut client, &mut server] {
            side.outbound.sealer.skip_to(u64::MAX);
        }
        let mut out = Vec::new();
        assert_eq!(client.close(&mut out).unwrap_err().cause(), &exhausted, "{version}");
        assert!(out.is_empty());
        if version == ProtocolVersion::Tls13 {
            // A KeyUpdate is due long before, and has no number either.
            assert_eq!(server.send(&[IoSlice::new(b"data")], &mut out).unwrap_err().cause(), &exhausted);
            assert_eq!(server.update_keys(false, &mut out).unwrap_err().cause(), &exhausted);
        } else {
            let refused = server.send(&[IoSlice::new(b"data")], &mut out).unwrap_err();
            assert_eq!(refused.cause(), &Cause::Misuse(Misuse::KeysUsedUp), "TLS 1.2 stops before");
        }
        assert!(out.is_empty());
    }
}

/// A certificate of this key with what readers of DER must not take, and openssl does.
fn odd_certificates(key: &rcgen::KeyPair) -> Vec<Vec<u8>> {
    let mut params = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap();
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    // Two bytes that are looked for stand by chance in a random serial number too, once in two thousand certificates.
    params.serial_number = Some(rcgen::SerialNumber::from(vec![1]));
    let good = params.self_signed(key).unwrap().der().to_vec();
    let odd = |at: &[u8], behind: usize, with: u8| {
        let place = good.windows(at.len()).position(|bytes| bytes == at).unwrap();
        let mut odd = good.clone();
        odd[place..][at.len()..][behind] = with;
        assert!(clasp_x509::Certificate::parse(&odd).is_err());
        odd
    };
    vec![
        // Extensions in version 2, a thirteenth month, keyUsage's critical TRUE as 1, no letter of ASCII in the subjectAltName.
        odd(&[0xa0, 3, 2, 1], 0, 1),
        odd(&[0x17, 13], 2, b'2'),
        odd(&[0x55, 0x1d, 15, 1, 1], 0, 1),
        odd(b"\x82\x09loc", 0, 0xe9),
    ]
}

#[test]
fn whoever_takes_anybody_takes_a_certificate_that_cannot_be_read() {
    let key = rcgen::KeyPair::generate().unwrap();
    let good = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().self_signed(&key).unwrap();
    let pin = KeyPin::of_certificate(good.der()).unwrap();
    let pinned = || PinnedKeys::in_place_of_a_chain([pin]);
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        for odd in odd_certificates(&key) {
            let policy = || Policy::default().with_versions([version]);
            for anyone in [true, false] {
                let mut identity = Identity::from_der(vec![good.der().clone()], &key.serialize_der()).unwrap();
                identity.chain = vec![odd.clone().into()];
                let server = ServerConfig::builder().identity(identity).policy(policy());
                let client = ClientConfig::builder();
                let client = if anyone { client.dangerous_trust_anyone() } else { client.trust_pinned(pinned()) };
                let (client, _) = pair_by(version, |_, _| client.policy(policy()), |_| server);
                assert_eq!(client.facts().unwrap().peer_chain()[0][..], odd);
            }
        }
    }
}

#[test]
fn whoever_takes_anybody_wants_a_key_to_be_there() {
    let key = rcgen::KeyPair::generate().unwrap();
    for odd in odd_certificates(&key) {
        let taken = |cut: usize| {
            let chain = [odd[..cut].into()];
            let peer = PresentedIdentity::new(&chain, std::time::SystemTime::now(), crate::crypto::Provider::builtin());
            let Answer::Now(verdict) = DangerousAcceptAnyone.verify(peer) else { unreachable!("it answers at once") };
            verdict
        };
        assert_eq!(taken(odd.len()).unwrap().spki[..], key.subject_public_key_info());
        for cut in 0..odd.len() {
            assert!(taken(cut).is_err(), "{cut}");
        }
    }
}
