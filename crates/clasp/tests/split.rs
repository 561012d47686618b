//! A connection in two halves, each in a thread of its own.
#![allow(clippy::unwrap_used)]

use clasp::config::{ClientBuilder, Ready, ServerBuilder, WebPki};
use clasp::error::{Cause, Misuse};
use clasp::record::RecordError;
use clasp::session::{ClientSessionCache, ClientSessions, PeerKey};
use clasp::trace::{Direction, Observation, Observer, What};
use clasp::wire::code::{AlertDescription, HandshakeType, ProtocolVersion};
use clasp::{ClientAuth, ClientConfig, Connection, Error, Policy, Receiver, Sender, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority};
use std::io::IoSlice;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

fn client() -> ClientBuilder<Ready> {
    ClientConfig::builder().trust(authority().roots())
}

fn server() -> ServerBuilder<Ready> {
    ServerConfig::builder().identity(authority().issue(KeyKind::P256, &["localhost"]).identity())
}

fn established(client: ClientBuilder<Ready>, server: ServerBuilder<Ready>) -> Pair {
    let mut pair = Pair::new(&client.build().unwrap(), &server.build().unwrap());
    pair.drive().unwrap();
    pair
}

/// Halves of a client, and its peer whole.
fn split() -> (Sender, Receiver, Pair) {
    let mut pair = established(client(), server());
    let other = Pair::new(&client().build().unwrap(), &server().build().unwrap()).client;
    let (sender, receiver) = apart(std::mem::replace(&mut pair.client, other));
    (sender, receiver, pair)
}

fn apart(connection: Connection) -> (Sender, Receiver) {
    connection.into_split().map_err(|(_, error)| error).unwrap()
}

fn send(sender: &mut Sender, data: &[u8], out: &mut Vec<u8>) -> Result<usize, Error> {
    sender.send(&[IoSlice::new(data)], out)
}

/// Counts the KeyUpdates that come.
#[derive(Default)]
struct Updates(AtomicUsize);

impl Observer for Updates {
    fn observe(&self, seen: &Observation<'_>) {
        if let What::Message { direction: Direction::Received, kind: HandshakeType::KeyUpdate, .. } = seen.what {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

type Wire = (mpsc::Sender<Vec<u8>>, mpsc::Receiver<Vec<u8>>);

/// Gives the data of what arrives to `take`, until the peer closes.
fn receive_all(mut receiver: Receiver, wire: &mpsc::Receiver<Vec<u8>>, mut take: impl FnMut(&[u8])) -> Receiver {
    let mut waiting = Vec::new();
    while !receiver.peer_closed() {
        waiting.extend(wire.recv().unwrap());
        loop {
            let received = receiver.receive(&mut waiting).unwrap();
            let used = received.used;
            take(received.data);
            waiting.drain(..used);
            if used == 0 {
                break;
            }
        }
    }
    receiver
}

#[test]
fn megabytes_go_both_ways_while_the_peer_asks_for_new_keys() {
    const BLOCK: usize = 50_000;
    const BLOCKS: usize = 60;
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        let seen = [Arc::new(Updates::default()), Arc::new(Updates::default())];
        let only = Policy::default().with_versions([version]);
        let pair = established(client().observer(seen[0].clone()).policy(only), server().observer(seen[1].clone()));
        let ((mut cs, cr), (mut ss, sr)) = (apart(pair.client), apart(pair.server));
        let ((up, at_server), (down, at_client), (echo, to_echo)): (Wire, Wire, Wire) =
            (mpsc::channel(), mpsc::channel(), mpsc::channel());
        let data = |block: usize| (0..=250).cycle().skip(block).take(BLOCK).collect::<Vec<u8>>();
        let sending = thread::spawn(move || {
            for block in 0..BLOCKS {
                let mut out = Vec::new();
                if block % 10 == 5 {
                    let updated = cs.update_keys(true, &mut out);
                    assert_eq!(updated.is_ok(), version == ProtocolVersion::Tls13);
                }
                assert_eq!(send(&mut cs, &data(block), &mut out).unwrap(), BLOCK);
                up.send(out).unwrap();
            }
            let mut out = Vec::new();
            cs.close(&mut out).unwrap();
            assert_eq!(*send(&mut cs, b"more", &mut out).unwrap_err().cause(), Cause::Misuse(Misuse::AlreadyClosed));
            up.send(out).unwrap();
        });
        let hearing =
            thread::spawn(move || drop(receive_all(sr, &at_server, |data| echo.send(data.to_vec()).unwrap())));
        let echoing = thread::spawn(move || {
            for (n, data) in to_echo.iter().enumerate() {
                let mut out = vec![0; 20_000];
                let sealed = match n % 3 {
                    0 => {
                        let room = ss.sealed_len(data.len());
                        out.resize(room.max(20_000) + 100, 0);
                        let moved = ss.send_into(&[IoSlice::new(&data)], &mut out).unwrap();
                        assert_eq!(moved.taken, data.len());
                        out.truncate(moved.given);
                        out
                    }
                    1 => {
                        out[clasp::HEADROOM..][..data.len()].copy_from_slice(&data);
                        ss.send_in_place(&mut out, data.len()).unwrap().to_vec()
                    }
                    _ => {
                        out.clear();
                        assert_eq!(send(&mut ss, &data, &mut out).unwrap(), data.len());
                        out
                    }
                };
                down.send(sealed).unwrap();
            }
            let mut out = Vec::new();
            ss.close(&mut out).unwrap();
            down.send(out).unwrap();
        });
        let mut got = Vec::new();
        let receiver = receive_all(cr, &at_client, |data| got.extend_from_slice(data));
        for thread in [sending, hearing, echoing] {
            thread.join().unwrap();
        }
        assert!(got == (0..BLOCKS).flat_map(data).collect::<Vec<u8>>(), "{} bytes", got.len());
        let updates = seen.map(|seen| seen.0.load(Ordering::SeqCst));
        match version {
            // Several that are asked for before the next data have one answer.
            ProtocolVersion::Tls13 => assert!(updates[1] == 6 && (1..=6).contains(&updates[0]), "{updates:?}"),
            _ => assert_eq!(updates, [0, 0]),
        }
        assert_eq!(receiver.facts().unwrap().version, version);
    }
}

#[test]
fn a_peer_that_asks_for_new_keys_has_its_answer_without_data() {
    let (mut sender, mut receiver, mut pair) = split();
    assert!(!sender.is_due());
    let room = sender.sealed_len(100);
    pair.server.update_keys(true, &mut pair.to_client).unwrap();
    receiver.receive(&mut pair.to_client).unwrap();
    assert!(sender.is_due());
    assert!(sender.sealed_len(100) > room, "the answer goes in front of data");
    let mut out = Vec::new();
    sender.say(&mut out).unwrap();
    assert!(!out.is_empty() && !sender.is_due());
    let answer = out.len();
    sender.say(&mut out).unwrap();
    assert_eq!(out.len(), answer, "once");
    send(&mut sender, b"under new keys", &mut out).unwrap();
    assert_eq!(pair.server.receive(&mut out, &mut Vec::new()).unwrap().data, b"under new keys");
}

/// What the receiving half cannot take is told by the sending half, whichever way it is asked to send.
#[test]
fn a_bad_record_ends_both_halves_and_the_alert_is_sent_once() {
    for way in 0..5 {
        let (mut sender, mut receiver, mut pair) = split();
        pair.server_sends(b"good").unwrap();
        *pair.to_client.last_mut().unwrap() ^= 1;
        let failed = receiver.receive(&mut pair.to_client).unwrap_err();
        assert_eq!(*failed.cause(), Cause::Record(RecordError::BadMac));
        assert!(receiver.receive(&mut pair.to_client).is_err() && sender.is_due());
        pair.to_client.clear();
        pair.server_sends(b"good").unwrap();
        let after = receiver.receive_into(&mut pair.to_client, &mut [0; 100]).unwrap_err();
        assert_eq!(after.cause(), failed.cause(), "it takes nothing more, good as it may be");
        let mut out = Vec::new();
        let refused = match way {
            0 => send(&mut sender, b"data", &mut out).map(drop),
            1 => sender.update_keys(false, &mut out),
            2 => sender.send_into(&[IoSlice::new(b"data")], &mut [0; 1000]).map(drop),
            3 => sender.send_in_place(&mut [0; 1000], 4).map(drop),
            _ => sender.close(&mut out).and_then(|()| sender.say(&mut out)),
        };
        assert_eq!(refused.unwrap_err().cause(), failed.cause(), "{way}");
        assert_eq!(sender.is_due(), matches!(way, 2 | 3), "nothing was there to say it in");
        assert!(sender.say(&mut out).is_err());
        let told = out.len();
        assert!(send(&mut sender, b"data", &mut out).is_err() && sender.say(&mut out).is_err() && !sender.is_due());
        assert_eq!(out.len(), told, "once");
        let told = pair.server.receive(&mut out, &mut Vec::new()).unwrap_err();
        assert_eq!(told.peer_alert(), Some(AlertDescription::BadRecordMac));
    }
}

/// A truncation attack is no end, and whoever cut the transport off is told nothing. What is sent goes on: a transport that
/// ends one way may go on the other (RFC 9846 6.1).
#[test]
fn a_truncated_transport_ends_receiving_alone() {
    let (mut sender, mut receiver, mut pair) = split();
    pair.server_sends(b"part").unwrap();
    assert_eq!(receiver.receive(&mut pair.to_client).unwrap().data, b"part");
    assert!(receiver.transport_ended().unwrap_err().is_truncation());
    let mut out = Vec::new();
    assert!(receiver.receive(&mut [23, 3, 3, 0, 1, 0]).unwrap_err().is_truncation(), "and stays an error");
    send(&mut sender, b"data", &mut out).unwrap();
    sender.close(&mut out).unwrap();
    let received = pair.server.receive(&mut out, &mut Vec::new()).unwrap();
    assert_eq!(received.data, b"data");
}

#[test]
fn each_direction_closes_by_itself() {
    let (mut sender, mut receiver, mut pair) = split();
    let mut out = Vec::new();
    sender.close(&mut out).unwrap();
    pair.server.receive(&mut out, &mut pair.to_client).unwrap();
    assert!(pair.server.peer_closed());
    pair.server_sends(b"still").unwrap();
    pair.server.close(&mut pair.to_client).unwrap();
    let mut wide = vec![0; 20_000];
    let moved = receiver.receive_into(&mut pair.to_client, &mut wide).unwrap();
    assert_eq!((&wide[..moved.given], moved.taken), (&b"still"[..], pair.to_client.len()));
    assert!(receiver.peer_closed());
    receiver.transport_ended().unwrap();

    // The other way round: data goes on to a peer that has closed.
    let (mut sender, mut receiver, mut pair) = split();
    pair.server.close(&mut pair.to_client).unwrap();
    receiver.receive(&mut pair.to_client).unwrap();
    assert!(receiver.peer_closed());
    send(&mut sender, b"still", &mut pair.to_server).unwrap();
    assert_eq!(pair.server.receive(&mut pair.to_server, &mut Vec::new()).unwrap().data, b"still");
}

#[test]
fn a_sender_that_aborts_ends_the_other_half() {
    for first in ["data", "data to a place of its own", "the end of the transport"] {
        let (mut sender, mut receiver, mut pair) = split();
        let mut out = Vec::new();
        sender.abort(AlertDescription::UserCanceled, &mut out).unwrap();
        let told = pair.server.receive(&mut out, &mut Vec::new()).unwrap_err();
        assert_eq!(told.peer_alert(), Some(AlertDescription::UserCanceled));
        let ended = match first {
            "data" => receiver.receive(&mut []).map(drop),
            "data to a place of its own" => receiver.receive_into(&mut [], &mut []).map(drop),
            _ => receiver.transport_ended(),
        };
        let ended = ended.unwrap_err();
        assert_eq!(*ended.cause(), Cause::Aborted(AlertDescription::UserCanceled));
        assert_eq!(receiver.failure().unwrap().cause(), ended.cause());
        assert!(sender.abort(AlertDescription::UserCanceled, &mut out).is_err());
        let mut more = Vec::new();
        assert_eq!(sender.update_keys(true, &mut more).unwrap_err().cause(), ended.cause());
        assert_eq!(more, [], "nothing follows an alert");
    }
}

/// Keys that were given back before are made again by whichever half needs them.
#[test]
fn halves_of_a_connection_at_rest_go_on() {
    let mut pair = established(client(), server());
    pair.client.rest();
    let (mut sender, mut receiver) = apart(pair.client);
    pair.server.send(&[IoSlice::new(b"down")], &mut pair.to_client).unwrap();
    assert_eq!(receiver.receive(&mut pair.to_client).unwrap().data, b"down");
    send(&mut sender, b"up", &mut pair.to_server).unwrap();
    assert_eq!(pair.server.receive(&mut pair.to_server, &mut Vec::new()).unwrap().data, b"up");
    assert!(receiver.export_early(b"EXPORTER", b"", &mut [0; 32]).is_err(), "there was no early data");
}

/// Tickets are the receiving half's, exporters too.
#[test]
fn a_client_goes_on_taking_tickets() {
    let sessions = Arc::new(ClientSessionCache::new(4));
    let (client, server) = (client().sessions(sessions).build().unwrap(), server().build().unwrap());
    let mut pair = Pair::new(&client, &server);
    pair.drive_client_flights(1);
    let (_sender, mut receiver) = apart(pair.client);
    pair.server.receive(&mut pair.to_server, &mut pair.to_client).unwrap();
    assert!(!pair.to_client.is_empty());
    receiver.receive(&mut pair.to_client).unwrap();
    let mut exported = [[0; 32]; 2];
    pair.server.export(b"EXPERIMENTAL", None, &mut exported[0]).unwrap();
    receiver.export(b"EXPERIMENTAL", None, &mut exported[1]).unwrap();
    assert!(exported[0] == exported[1] && exported[0] != [0; 32]);
    let mut again = Pair::new(&client, &server);
    again.drive().unwrap();
    assert!(again.client.facts().unwrap().resumed.is_some());
}

/// RFC 5929, RFC 9266: a channel is bound as the peer binds it.
#[test]
fn a_receiver_knows_what_its_channel_is_bound_to() {
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        let only = Policy::default().with_versions([version]);
        let pair = established(client().policy(only.clone()), server().policy(only));
        let (_sender, receiver) = apart(pair.client);
        let exported = receiver.tls_exporter().unwrap();
        assert!(exported == pair.server.tls_exporter().unwrap() && exported != [0; 32]);
        let unique = receiver.tls_unique().ok();
        assert!(unique == pair.server.tls_unique().ok() && unique != Some([0; 12]));
        assert_eq!(unique.is_some(), version == ProtocolVersion::Tls12);
        let facts = receiver.facts().unwrap();
        let bound = receiver.tls_server_end_point(&facts.peer_chain()[0]).unwrap();
        assert!(bound.len() == 32 && bound == pair.server.tls_server_end_point(&facts.peer_chain()[0]).unwrap());
        assert!(receiver.is_confirmed());
    }
}

/// RFC 5246 7.2.2: a session whose connection ended with a fatal alert is resumed no more, whichever half said or heard it. In
/// TLS 1.2, where both sides keep it.
#[test]
fn halves_that_end_with_an_alert_forget_the_session() {
    let only = Policy::default().with_versions([ProtocolVersion::Tls12]);
    let sessions = Arc::new(ClientSessionCache::new(8));
    let client = client().policy(only.clone()).sessions(sessions.clone()).build().unwrap();
    let server = server().policy(only).build().unwrap();
    let peer = PeerKey("localhost".into());
    let resumed = || {
        let mut pair = Pair::new(&client, &server);
        pair.drive().unwrap();
        (pair.client.facts().unwrap().resumed.is_some(), pair)
    };
    for by_client in [true, false] {
        for aborts in [true, false] {
            resumed();
            let (again, pair) = resumed();
            assert!(again);
            let kept = sessions.take(&peer).unwrap();
            sessions.put(&peer, kept.clone());
            let (own, _other) = if by_client { (pair.client, pair.server) } else { (pair.server, pair.client) };
            let (mut sender, mut receiver) = apart(own);
            if aborts {
                sender.abort(AlertDescription::InternalError, &mut Vec::new()).unwrap();
            } else {
                receiver
                    .receive(&mut [23, 3, 3, 0, 30].iter().copied().chain([0; 30]).collect::<Vec<_>>())
                    .unwrap_err();
            }
            let place = format!("by the client: {by_client}, aborts: {aborts}");
            if by_client {
                assert!(sessions.take(&peer).is_none(), "{place}");
            } else {
                sessions.put(&peer, kept);
                assert!(!resumed().0, "{place}");
            }
        }
    }
}

fn refused(connection: Connection) -> (Connection, Error) {
    connection.into_split().map(drop).unwrap_err()
}

#[test]
fn what_cannot_be_taken_apart_is_given_back_whole() {
    let cannot = |error: &Error| assert_eq!(*error.cause(), Cause::Misuse(Misuse::CannotSplit), "{error}");
    let mut pair = Pair::new(&client().build().unwrap(), &server().build().unwrap());
    for flights in 0..2 {
        let (whole, error) = refused(pair.client);
        assert_eq!(*error.cause(), Cause::Misuse(Misuse::HandshakeUnfinished));
        pair.client = whole;
        if flights == 0 {
            pair.drive_one_client_flight().unwrap();
        }
    }
    pair.drive().unwrap();

    // A failed one.
    let mut junk = [0xff; 100];
    let failed = pair.server.receive(&mut junk, &mut Vec::new()).unwrap_err();
    assert_eq!(refused(pair.server).1.cause(), failed.cause());

    // A client that may be asked for its certificate; its server may be taken apart while it does not ask.
    let clients = || ClientAuth::Request(Arc::new(WebPki::clients(authority().roots())));
    let both = || established(client().post_handshake_auth(true), server().post_handshake_auth(clients()));
    let mut pair = both();
    let (whole, error) = refused(pair.client);
    cannot(&error);
    pair.client = whole;
    pair.server.request_certificate(&mut pair.to_client).unwrap();
    let (whole, error) = refused(pair.server);
    cannot(&error);
    pair.server = whole;
    pair.drive().unwrap();
    pair.server_sends(b"as before").unwrap();
    pair.drive().unwrap();
    assert_eq!(pair.client_data, b"as before");
    let (_sender, receiver) = apart(pair.server);
    assert!(receiver.facts().unwrap().server_name.is_some());

    // In TLS 1.2 no server asks.
    let tls12 = Policy::default().with_versions([ProtocolVersion::Tls12]);
    apart(established(client().post_handshake_auth(true), server().policy(tls12)).client);

    // Early data that nobody has taken back.
    let with_early = || client().early_data(true).sessions(Arc::new(ClientSessionCache::new(4))).build().unwrap();
    let (client, server, other) =
        (with_early(), server().max_early_data(100).build().unwrap(), server().build().unwrap());
    Pair::new(&client, &server).drive().unwrap();
    let mut pair = Pair::new(&client, &other);
    pair.drive_one_client_flight().unwrap();
    assert_eq!(pair.client.send_early(b"early", &mut pair.to_server).unwrap(), 5);
    pair.drive().unwrap();
    let (mut whole, error) = refused(pair.client);
    cannot(&error);
    assert_eq!(whole.take_refused_early_data(), b"early");
    apart(whole);
}
