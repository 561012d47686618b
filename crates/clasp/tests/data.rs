//! Application data by every way in and out: the bytes are the same, whatever the buffers.
#![allow(clippy::unwrap_used)]

use clasp::config::DangerousAcceptAnyone;
use clasp::crypto::PrivateKey;
use clasp::error::{Cause, Misuse};
use clasp::record::RecordError;
use clasp::trace::{Direction, Observation, Observer, What};
use clasp::wire::code::{AlertDescription, CipherSuite, ContentType, NamedGroup, ProtocolVersion};
use clasp::{ClientAuth, ClientConfig, Connection, Error, HEADROOM, Identity, Moved, Policy, ServerConfig, TAILROOM};
use clasp_testkit::provider::{counted, hollow};
use clasp_testkit::{Gate, KeyKind, Pair, SlowSigner, authority, configs_of, one_suite_of_each_protection};
use std::io::IoSlice;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

const TLS12: ProtocolVersion = ProtocolVersion::Tls12;
const TLS13: ProtocolVersion = ProtocolVersion::Tls13;

fn pair_of(suite: CipherSuite) -> Pair {
    padded_pair(suite, 0)
}

fn padded_pair(suite: CipherSuite, padding: usize) -> Pair {
    let (client, server) = configs_of(suite);
    let mut pair = Pair::new(&client.record_padding(padding).build().unwrap(), &server);
    pair.drive().unwrap();
    pair
}

/// Sends all of `plain` through an outgoing buffer of `room` bytes.
fn send_all(from: &mut Connection, plain: &[u8], room: usize) -> Vec<u8> {
    let (mut wire, mut out, mut at) = (Vec::new(), vec![0xee; room], 0);
    while at < plain.len() {
        // In three slices, one of them empty.
        let (front, back) = plain[at..].split_at((plain.len() - at) / 3);
        let slices = [IoSlice::new(front), IoSlice::new(&[]), IoSlice::new(back)];
        let Moved { taken, given } = from.send_into(&slices, &mut out).unwrap();
        assert!(given > 0, "a buffer of {room} bytes takes nothing");
        wire.extend_from_slice(&out[..given]);
        at += taken;
    }
    wire
}

/// Receives all of `wire` through a buffer of `room` bytes; what has no room there is opened in place.
fn receive_all(to: &mut Connection, mut wire: &mut [u8], room: usize) -> Vec<u8> {
    let (mut plain, mut data) = (Vec::new(), vec![0xee; room]);
    while !wire.is_empty() {
        let mut moved = to.receive_into(wire, &mut data, &mut Vec::new()).unwrap();
        plain.extend_from_slice(&data[..moved.given]);
        if moved.taken == 0 {
            let received = to.receive(wire, &mut Vec::new()).unwrap();
            plain.extend_from_slice(received.data);
            moved.taken = received.used;
        }
        assert!(moved.taken > 0, "whole records are taken");
        wire = &mut wire[moved.taken..];
    }
    plain
}

#[test]
fn every_way_out_meets_every_way_in() {
    let plain: Vec<u8> = (0..=250).cycle().take(70_000).collect();
    for suite in one_suite_of_each_protection() {
        let mut pair = pair_of(suite);
        for out in [200, 4096, 16_500, 200_000] {
            for room in [0, 100, 16_384, 16_500, 100_000] {
                let mut wire = send_all(&mut pair.client, &plain, out);
                assert_eq!(receive_all(&mut pair.server, &mut wire, room), plain, "{suite}, {out} out, {room} in");
            }
        }
        let mut wire = Vec::new();
        pair.server.send(&[IoSlice::new(&plain[..33_000]), IoSlice::new(&plain[33_000..])], &mut wire).unwrap();
        assert_eq!(receive_all(&mut pair.client, &mut wire, 100_000), plain, "{suite}");
        let enough = pair.client.sealed_len(plain.len());
        let moved = pair.client.send_into(&[IoSlice::new(&plain)], &mut vec![0; enough]).unwrap();
        assert_eq!(moved, Moved { taken: plain.len(), given: enough }, "{suite}: the length that was foretold");
    }
}

#[test]
fn padded_records_carry_the_same_data() {
    let mut pair = padded_pair(CipherSuite::TLS_AES_256_GCM_SHA384, 512);
    let plain: Vec<u8> = (0..=250).cycle().take(20_000).collect();
    for room in [700, 5000, 100_000] {
        let mut wire = send_all(&mut pair.client, &plain, room);
        assert_eq!(receive_all(&mut pair.server, &mut wire, 20_000), plain);
    }
    let mut wire = vec![0; 2000];
    let moved = pair.client.send_into(&[IoSlice::new(b"x")], &mut wire).unwrap();
    assert_eq!(moved.given, 5 + 512 + 1 + 16, "one byte looks like 512");
    // Nothing at all is a record too, and what is due before it is as well.
    for _ in 0..40 {
        pair.client.update_keys(true, &mut wire).unwrap();
    }
    for len in [0, 10] {
        let refused = pair.client.send_in_place(&mut vec![0; 20_000], len).unwrap_err();
        assert_eq!(refused.cause(), &Cause::Misuse(Misuse::BufferTooSmall));
    }
}

#[test]
fn in_place_the_record_grows_around_the_data() {
    for suite in one_suite_of_each_protection() {
        let mut pair = pair_of(suite);
        for len in [0, 1, 100, 16_384] {
            let mut buffer = vec![0xee; HEADROOM + len + TAILROOM];
            buffer[HEADROOM..HEADROOM + len].fill(7);
            let mut wire = pair.client.send_in_place(&mut buffer, len).unwrap().to_vec();
            assert_eq!(receive_all(&mut pair.server, &mut wire, 0), vec![7; len], "{suite}");
        }
        for (room, len) in [(HEADROOM + TAILROOM, 1), (100_000, 16_385), (100_000, usize::MAX)] {
            let refused = pair.client.send_in_place(&mut vec![0; room], len).unwrap_err();
            assert_eq!(refused.cause(), &Cause::Misuse(Misuse::BufferTooSmall), "{suite}");
        }
    }
}

/// Keys that were given back are made again, and the sequence goes on.
#[test]
fn a_connection_that_has_rested_goes_on() {
    let plain: Vec<u8> = (0..=250).cycle().take(40_000).collect();
    for suite in one_suite_of_each_protection() {
        let mut pair = pair_of(suite);
        for round in 0..3 {
            let Pair { client, server, .. } = &mut pair;
            let (mut from, mut to) = (client, server);
            for room in [0, 100_000] {
                from.rest();
                to.rest();
                let mut out = vec![0; from.sealed_len(plain.len())];
                let moved = from.send_into(&[IoSlice::new(&plain)], &mut out).unwrap();
                assert_eq!(moved.taken, plain.len(), "{suite}: room that was said to be enough");
                assert_eq!(receive_all(to, &mut out[..moved.given], room), plain, "{suite}, round {round}");
                let mut wire = send_all(from, b"without a rest", 100);
                assert_eq!(receive_all(to, &mut wire, room), b"without a rest", "{suite}");
                (from, to) = (to, from);
            }
            if pair.client.facts().unwrap().version == ProtocolVersion::Tls13 {
                pair.client.rest();
                pair.server.rest();
                let mut wire = Vec::new();
                pair.server.update_keys(true, &mut wire).unwrap();
                pair.server.rest();
                assert_eq!(receive_all(&mut pair.client, &mut wire, 0), b"");
                pair.client.rest();
            }
        }
        pair.client.rest();
        pair.server.rest();
        pair.client.close(&mut pair.to_server).unwrap();
        pair.drive().unwrap();
        assert!(pair.server.peer_closed(), "{suite}: close_notify after a rest");
    }
}

/// Keys after a KeyUpdate and after a rest are of the configuration's provider, as those before.
#[test]
fn keys_that_come_later_are_of_the_same_provider() {
    let (provider, keys) = counted();
    let client = ClientConfig::builder().trust(authority().roots()).provider(provider).build().unwrap();
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).no_sessions().build().unwrap();
    let mut pair = Pair::new(&client, &server);
    pair.drive().unwrap();
    let mut made = |act: &mut dyn FnMut(&mut Pair)| {
        let before = keys.load(Ordering::Relaxed);
        act(&mut pair);
        pair.drive().unwrap();
        keys.load(Ordering::Relaxed) - before
    };
    assert_eq!(made(&mut |pair| pair.client.update_keys(false, &mut pair.to_server).unwrap()), 1);
    assert_eq!(made(&mut |pair| pair.server.update_keys(false, &mut pair.to_client).unwrap()), 1);
    assert_eq!(made(&mut |pair| pair.client.rest()), 0);
    assert_eq!(made(&mut |pair| pair.client_sends(b"x").unwrap()), 1);
    assert_eq!(made(&mut |pair| pair.server_sends(b"x").unwrap()), 1);
    assert_eq!(made(&mut |pair| pair.server_sends(b"x").unwrap()), 0);
}

#[test]
fn a_handshake_does_not_rest() {
    let client = ClientConfig::builder().trust(authority().roots()).build().unwrap();
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).build().unwrap();
    let mut pair = Pair::new(&client, &server);
    pair.client.rest();
    pair.server.rest();
    pair.drive_server_flights(1);
    pair.client.rest();
    pair.server.rest();
    pair.drive().unwrap();
    assert!(pair.server.facts().is_some());
}

/// An update that the peer has asked for goes out in front of the data, whichever way the data goes.
#[test]
fn a_key_update_that_is_due_goes_first() {
    let mut pair = pair_of(CipherSuite::TLS_AES_128_GCM_SHA256);
    let ask = |pair: &mut Pair| {
        let mut wire = Vec::new();
        pair.server.update_keys(true, &mut wire).unwrap();
        assert_eq!(receive_all(&mut pair.client, &mut wire, 0), b"");
    };
    ask(&mut pair);
    let mut small = [0; 26];
    let plain = [IoSlice::new(b"after the update")];
    assert_eq!(pair.client.send_into(&plain, &mut small).unwrap(), Moved::default(), "no room for the update");
    let mut alone = [0; 27];
    let moved = pair.client.send_into(&plain, &mut alone).unwrap();
    assert_eq!(moved, Moved { taken: 0, given: 27 }, "room for the update alone");
    assert_eq!(receive_all(&mut pair.server, &mut alone, 0), b"");
    assert_eq!(pair.client.sealed_len(16), 5 + 16 + 1 + 16, "it is not due any more");
    ask(&mut pair);
    let mut wire = vec![0; pair.client.sealed_len(16)];
    let moved = pair.client.send_into(&plain, &mut wire).unwrap();
    assert_eq!(moved, Moved { taken: 16, given: wire.len() });
    assert_eq!(receive_all(&mut pair.server, &mut wire, 100), b"after the update");
    ask(&mut pair);
    let mut buffer = [0; HEADROOM + 5 + TAILROOM];
    buffer[HEADROOM..HEADROOM + 5].copy_from_slice(b"place");
    let mut wire = pair.client.send_in_place(&mut buffer, 5).unwrap().to_vec();
    assert_eq!(wire.len(), (5 + 5 + 1 + 16) + (5 + 5 + 1 + 16), "two records");
    assert_eq!(receive_all(&mut pair.server, &mut wire, 100), b"place");
}

/// Keeps the records of data that one side sends.
#[derive(Default)]
struct DataSent(Mutex<Vec<(usize, Vec<u8>)>>);

impl Observer for DataSent {
    fn observe(&self, seen: &Observation<'_>) {
        if let What::Record { direction: Direction::Sent, content: ContentType(23), plain_len, bytes, .. } = seen.what {
            self.0.lock().unwrap().push((plain_len, bytes.to_vec()));
        }
    }
}

/// An observer is told of it, and updates are counted anew, whichever way data goes out.
#[test]
fn every_way_out_is_told_and_counts() {
    for way in 0..3 {
        let seen = Arc::new(DataSent::default());
        let (client, server) = configs_of(CipherSuite::TLS_AES_128_GCM_SHA256);
        let mut pair = Pair::new(&client.observer(seen.clone()).build().unwrap(), &server);
        pair.drive().unwrap();
        for round in 0..3 {
            // The last of them waits for data to go in front of.
            let updates = (0..100).take_while(|_| {
                pair.client.update_keys(false, &mut pair.to_server).unwrap();
                let went = !pair.to_server.is_empty();
                pair.drive().unwrap();
                went
            });
            assert_eq!(updates.count(), 31, "way {way}, round {round}");
            let mut place = vec![0; HEADROOM + 4 + TAILROOM];
            place[HEADROOM..HEADROOM + 4].copy_from_slice(b"data");
            let wire = match way {
                0 => pair.client_sends(b"data").map(|()| std::mem::take(&mut pair.to_server)).unwrap(),
                1 => {
                    let moved = pair.client.send_into(&[IoSlice::new(b"data")], &mut place).unwrap();
                    place[..moved.given].to_vec()
                }
                _ => pair.client.send_in_place(&mut place, 4).unwrap().to_vec(),
            };
            let (plain_len, bytes) = seen.0.lock().unwrap().pop().unwrap();
            assert!(plain_len == 4 && wire.ends_with(&bytes) && wire.len() > bytes.len(), "behind the update");
            pair.to_server = wire;
            pair.drive().unwrap();
            assert_eq!(std::mem::take(&mut pair.server_data), b"data");
        }
    }
}

#[test]
fn what_came_before_a_broken_record_is_given() {
    let mut pair = pair_of(CipherSuite::TLS_AES_128_GCM_SHA256);
    let mut wire = send_all(&mut pair.client, b"good", 100);
    wire.extend(send_all(&mut pair.client, b"evil", 100));
    *wire.last_mut().unwrap() ^= 1;
    let (mut data, mut alert) = ([0; 100], Vec::new());
    let moved = pair.server.receive_into(&mut wire, &mut data, &mut alert).unwrap();
    assert_eq!(&data[..moved.given], b"good");
    assert!(!alert.is_empty(), "the peer is told");
    let error = pair.server.receive_into(&mut wire[moved.taken..], &mut data, &mut alert).unwrap_err();
    assert_eq!(error.cause(), &Cause::Record(RecordError::BadMac));

    let mut pair = pair_of(CipherSuite::TLS_AES_128_GCM_SHA256);
    let mut wire = send_all(&mut pair.client, b"evil", 100);
    *wire.last_mut().unwrap() ^= 1;
    let error = pair.server.receive_into(&mut wire, &mut data, &mut alert).unwrap_err();
    assert_eq!(error.cause(), &Cause::Record(RecordError::BadMac), "where nothing came before it is told at once");
}

/// Every call that would say or take something.
fn all_calls(side: &mut Connection, out: &mut Vec<u8>) -> [Option<Error>; 9] {
    let plain = [IoSlice::new(b"x")];
    [
        side.send(&plain, out).err(),
        side.send_into(&plain, &mut [0; 100]).err(),
        side.send_in_place(&mut [0; 100], 1).err(),
        side.update_keys(true, out).err(),
        side.request_certificate(out).err(),
        side.send_early(b"x", out).err(),
        side.receive(&mut [], out).err(),
        side.receive_into(&mut [], &mut [], out).err(),
        side.abort(AlertDescription::UserCanceled, out).err(),
    ]
}

/// The first error stands: nothing is said after it, and nothing taken.
#[test]
fn a_connection_that_has_failed_says_and_takes_nothing_more() {
    for suite in one_suite_of_each_protection() {
        let mut pair = pair_of(suite);
        let mut wire = send_all(&mut pair.client, b"evil", 100);
        *wire.last_mut().unwrap() ^= 1;
        let first = pair.server.receive(&mut wire, &mut Vec::new()).unwrap_err();
        let mut out = Vec::new();
        for again in all_calls(&mut pair.server, &mut out) {
            assert_eq!(again.unwrap().cause(), first.cause(), "{suite}");
        }
        assert_eq!(pair.server.transport_ended().unwrap_err().cause(), first.cause());
        pair.server.close(&mut out).unwrap();
        assert!(out.is_empty(), "{suite}");
    }
}

/// RFC 9846 6.1: nothing follows our close_notify; what comes is taken still.
#[test]
fn a_direction_that_is_closed_says_nothing_more() {
    for suite in one_suite_of_each_protection() {
        let mut pair = pair_of(suite);
        pair.server.close(&mut pair.to_client).unwrap();
        let mut out = Vec::new();
        let calls = all_calls(&mut pair.server, &mut out);
        for refused in calls.iter().take(5) {
            let refused = refused.as_ref().unwrap();
            assert_eq!(refused.cause(), &Cause::Misuse(Misuse::AlreadyClosed), "{suite}");
        }
        assert!(out.is_empty(), "{suite}");
        let mut pair = pair_of(suite);
        pair.server.close(&mut pair.to_client).unwrap();
        pair.server.close(&mut out).unwrap();
        assert!(out.is_empty(), "{suite}: it is said once");
        pair.client_sends(b"still heard").unwrap();
        pair.drive().unwrap();
        assert_eq!(pair.server_data, b"still heard", "{suite}");
        assert!(pair.client.peer_closed());
    }
}

/// RFC 9846 4.4.4: data ahead of the client's Finished goes to whoever it is. A server that asks for a certificate waits for
/// it; and where TLS 1.2 resumes, the server's keys stand before the client has shown that it has them.
#[test]
fn a_server_sends_ahead_of_the_client_in_tls13_alone_and_where_it_asks_for_no_certificate() {
    for (version, asks) in [(TLS13, false), (TLS13, true), (TLS12, false)] {
        let client = ClientConfig::builder().trust(authority().roots()).build().unwrap();
        let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
        let server = ServerConfig::builder().identity(identity).policy(Policy::default().with_versions([version]));
        let auth = ClientAuth::Request(Arc::new(DangerousAcceptAnyone));
        let server = if asks { server.client_auth(auth) } else { server };
        let server = server.build().unwrap();
        for resumed in [false, true] {
            let mut pair = Pair::new(&client, &server);
            pair.drive_server_flights(1);
            assert!(pair.server.is_handshaking());
            let sent = pair.server_sends(b"ahead").map_err(|e| e.cause().clone());
            let may = version == TLS13 && !asks;
            assert_eq!(sent, if may { Ok(()) } else { Err(Cause::Misuse(Misuse::HandshakeUnfinished)) }, "{version}");
            pair.drive().unwrap();
            assert_eq!(pair.client_data.is_empty(), !may);
            assert_eq!(pair.server.facts().unwrap().resumed.is_some(), resumed, "{version}");
        }
    }
    // Nor while its keys are those of the handshake.
    let client = ClientConfig::builder().trust(authority().roots()).policy(Policy::modern()).build().unwrap();
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    let (gate, key) = (Gate::default(), Arc::new(PrivateKey::from_der(&issued.key).unwrap()));
    let identity = Identity::with_signer(issued.chain, Arc::new(SlowSigner(gate.clone(), key))).unwrap();
    let mut pair = Pair::new(&client, &ServerConfig::builder().identity(identity).build().unwrap());
    pair.drive().unwrap();
    let refused = pair.server_sends(b"ahead").unwrap_err();
    assert_eq!(refused.cause(), &Cause::Misuse(Misuse::HandshakeUnfinished));
    gate.open();
    pair.drive().unwrap();
    pair.server_sends(b"later").unwrap();
}

#[test]
fn nothing_is_taken_before_the_handshake_is_done() {
    let client = ClientConfig::builder().trust(authority().roots()).build().unwrap();
    let mut client = client.connect("localhost".try_into().unwrap());
    let unfinished = &Cause::Misuse(Misuse::HandshakeUnfinished);
    let into = client.receive_into(&mut [], &mut [], &mut Vec::new()).unwrap_err();
    assert_eq!(into.cause(), unfinished);
    assert_eq!(client.send_into(&[IoSlice::new(b"x")], &mut [0; 100]).unwrap_err().cause(), unfinished);
    assert_eq!(client.send_in_place(&mut [0; 200], 1).unwrap_err().cause(), unfinished);
}

/// RFC 9846 5.1, RFC 5246 6.2.1: protected records say 1.2. Under real keys another version does not open either; here it is
/// refused by what it says.
#[test]
fn a_protected_record_of_another_version_is_refused() {
    for version in [TLS12, TLS13] {
        let policy =
            Policy::default().with_versions([version]).with_groups([NamedGroup::X25519, NamedGroup::Secp256r1]);
        let client = ClientConfig::builder().trust(authority().roots()).policy(policy.clone()).provider(hollow());
        let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
        let server = ServerConfig::builder().identity(identity).policy(policy).provider(hollow()).build().unwrap();
        let client = client.build().unwrap();
        for said in [[3, 3], [3, 1], [3, 2], [3, 4]] {
            let mut pair = Pair::new(&client, &server);
            pair.drive().unwrap();
            pair.client_sends(b"x").unwrap();
            pair.to_server[1..3].copy_from_slice(&said);
            let refused = pair.drive().err().map(|e| e.cause().clone());
            let wanted = Cause::Record(RecordError::WrongVersion(u16::from_be_bytes(said)));
            assert_eq!(refused, (said != [3, 3]).then_some(wanted), "{version}");
        }
    }
}
