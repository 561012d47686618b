//! The blocking stream over a real socket.
#![allow(clippy::unwrap_used)]

use clasp::error::{Cause, Misuse};
use clasp::trace::{Direction, Observation, Observer, What};
use clasp::wire::code::{HandshakeType, ProtocolVersion};
use clasp::{ClientConfig, EarlyData, Facts, Policy, ServerConfig, Stream};
use clasp_testkit::{KeyKind, authority};
use std::io::{BufRead, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

type Tls = Stream<TcpStream>;

/// Runs both sides, each in its thread.
fn pair<C, S: Send + 'static>(
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
    as_client: impl FnOnce(&mut Tls) -> C,
    as_server: impl FnOnce(&mut Tls) -> S + Send + 'static,
) -> (C, S) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connection = server.accept();
    let serving = thread::spawn(move || as_server(&mut Stream::new(connection, listener.accept().unwrap().0)));
    let connection = client.connect("localhost".try_into().unwrap()).unwrap();
    let c = as_client(&mut Stream::new(connection, TcpStream::connect(address).unwrap()));
    (c, serving.join().unwrap())
}

fn configs(policy: Policy, max_early_data: u32) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).max_early_data(max_early_data).build().unwrap();
    let client = ClientConfig::builder().trust(authority().roots()).policy(policy).early_data(true).build().unwrap();
    (client, server)
}

/// What the server got early and late, and what the client was told.
fn early_connection(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> (usize, Vec<u8>, Vec<u8>, Arc<Facts>) {
    let ((sent, facts), (early, late)) = pair(
        client,
        server,
        |tls| {
            let sent = tls.send_early(b"early").unwrap();
            let again = tls.refused_early_data().unwrap();
            assert!(again.is_empty() || again == b"early"[..sent]);
            tls.write_all(&again).unwrap();
            tls.write_all(b" late").unwrap();
            tls.close().unwrap();
            assert_eq!(tls.read(&mut [0; 1]).unwrap(), 0);
            (sent, tls.connection().facts().unwrap().clone())
        },
        |tls| {
            let (mut early, mut late, mut two) = (Vec::new(), Vec::new(), [0; 2]);
            loop {
                match tls.read_early(&mut two).unwrap() {
                    0 => break,
                    n => early.extend_from_slice(&two[..n]),
                }
            }
            tls.read_to_end(&mut late).unwrap();
            tls.close().unwrap();
            (early, late)
        },
    );
    (sent, early, late, facts)
}

#[test]
fn early_data_is_read_apart() {
    let (client, server) = configs(Policy::default(), 100);
    let (sent, early, late, facts) = early_connection(&client, &server);
    assert_eq!((sent, &early[..], &late[..]), (0, &b""[..], &b" late"[..]));
    assert_eq!(facts.early_data, EarlyData::NotOffered);

    let (sent, early, late, facts) = early_connection(&client, &server);
    assert_eq!((sent, &early[..], &late[..]), (5, &b"early"[..], &b" late"[..]));
    assert_eq!(facts.early_data, EarlyData::Accepted);

    let (_, other) = configs(Policy::default(), 100);
    let (sent, early, late, facts) = early_connection(&client, &other);
    assert_eq!((sent, &early[..], &late[..]), (5, &b""[..], &b"early late"[..]), "another server knows no ticket");
    assert_eq!(facts.early_data, EarlyData::Rejected);
}

#[test]
fn early_data_that_nobody_reads_is_not_mixed_with_the_rest() {
    let (client, server) = configs(Policy::default(), 100);
    early_connection(&client, &server);
    let ((), (late, early)) = pair(
        &client,
        &server,
        |tls| {
            assert_eq!(tls.send_early(b"early").unwrap(), 5);
            tls.write_all(b" late").unwrap();
            tls.close().unwrap();
            assert_eq!(tls.read(&mut [0; 1]).unwrap(), 0);
        },
        |tls| {
            let (mut late, mut early) = (Vec::new(), [0; 9]);
            tls.read_to_end(&mut late).unwrap();
            let n = tls.read_early(&mut early).unwrap();
            tls.close().unwrap();
            (late, early[..n].to_vec())
        },
    );
    assert_eq!((&late[..], &early[..]), (&b" late"[..], &b"early"[..]));
}

/// Counts KeyUpdate messages.
#[derive(Default)]
struct Updates {
    sent: AtomicUsize,
    received: AtomicUsize,
}

impl Observer for Updates {
    fn observe(&self, seen: &Observation<'_>) {
        if let What::Message { direction, kind: HandshakeType::KeyUpdate, .. } = seen.what {
            let count = if direction == Direction::Sent { &self.sent } else { &self.received };
            count.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[test]
fn keys_move_on_and_the_peer_follows() {
    let (client, server) = configs(Policy::modern(), 0);
    let seen = Arc::new(Updates::default());
    let client = Arc::new(ClientConfig::clone(&client).with_observer(seen.clone()));
    let echoed = Arc::new(Mutex::new(Vec::new()));
    let heard = echoed.clone();
    pair(
        &client,
        &server,
        |tls| {
            assert!(tls.update_keys(true).is_err(), "before the handshake");
            for round in 0..4_u8 {
                tls.write_all(&[round]).unwrap();
                let mut back = [9];
                tls.read_exact(&mut back).unwrap();
                assert_eq!(back, [round]);
                tls.update_keys(round % 2 == 0).unwrap();
            }
            tls.close().unwrap();
            assert_eq!(tls.read(&mut [0; 1]).unwrap(), 0);
        },
        move |tls| {
            let mut byte = [0];
            while tls.read(&mut byte).unwrap() > 0 {
                heard.lock().unwrap().push(byte[0]);
                tls.write_all(&byte).unwrap();
            }
            tls.close().unwrap();
        },
    );
    assert_eq!(*echoed.lock().unwrap(), [0, 1, 2, 3]);
    assert_eq!((seen.sent.load(Ordering::SeqCst), seen.received.load(Ordering::SeqCst)), (4, 2));
}

#[test]
fn tls12_has_no_key_update() {
    let (client, server) = configs(Policy::default().with_versions([ProtocolVersion::Tls12]), 0);
    pair(
        &client,
        &server,
        |tls| {
            tls.handshake().unwrap();
            let error = tls.update_keys(true).unwrap_err();
            let error = error.get_ref().unwrap().downcast_ref::<clasp::Error>().unwrap();
            assert_eq!(error.cause(), &Cause::Misuse(Misuse::OldVersionForThis));
        },
        |tls| tls.handshake().map(drop).unwrap(),
    );
}

/// Small reads, large reads and borrowed data, against small writes and large ones.
#[test]
fn data_is_the_same_in_every_size() {
    let sent: Vec<u8> = (0..=250).cycle().take(700_000).collect();
    for policy in [Policy::modern(), Policy::default().with_versions([ProtocolVersion::Tls12])] {
        let (client, server) = configs(policy, 0);
        let (wanted, sizes) = (sent.clone(), [1, 100, 5000, 16_384, 20_000, 70_000, 300_000]);
        let (got, ()) = pair(
            &client,
            &server,
            |tls| {
                let mut got = Vec::new();
                for size in sizes.into_iter().cycle() {
                    let mut piece = vec![0xee; size];
                    let n = tls.read(&mut piece).unwrap();
                    if n == 0 {
                        break;
                    }
                    got.extend_from_slice(&piece[..n]);
                    let lent = tls.fill_buf().unwrap();
                    let n = lent.len().min(size);
                    got.extend_from_slice(&lent[..n]);
                    tls.consume(n);
                }
                got
            },
            move |tls| {
                let mut rest = &wanted[..];
                for size in sizes.into_iter().cycle() {
                    let (now, later) = rest.split_at(size.min(rest.len()));
                    tls.write_all(now).unwrap();
                    rest = later;
                    if rest.is_empty() {
                        break;
                    }
                }
                tls.close().unwrap();
            },
        );
        assert!(got == sent, "{} bytes came of {}", got.len(), sent.len());
    }
}

/// A transport that takes a few bytes at a time and then would block.
struct Narrow {
    taken: Vec<u8>,
    room: usize,
}

impl Read for Narrow {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::WouldBlock.into())
    }
}

impl Write for Narrow {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = bytes.len().min(self.room);
        self.taken.extend_from_slice(&bytes[..n]);
        self.room -= n;
        if n == 0 { Err(std::io::ErrorKind::WouldBlock.into()) } else { Ok(n) }
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_was_taken_is_sent_once_although_the_transport_would_block() {
    let (client, server) = configs(Policy::modern(), 0);
    let mut pair = clasp_testkit::Pair::new(&client, &server);
    pair.drive().unwrap();
    let mut stream = Stream::new(pair.client, Narrow { taken: Vec::new(), room: 100 });
    assert_eq!(stream.write(&[7; 1000]).unwrap(), 1000);
    assert_eq!(stream.flush().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(stream.write(b"more").unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "and nothing is taken");
    assert_eq!(stream.read(&mut [0; 10]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    stream.transport_mut().room = 10_000;
    assert_eq!(stream.write(b"more").unwrap(), 4);
    stream.flush().unwrap();
    let mut wire = core::mem::take(&mut stream.transport_mut().taken);
    let (mut got, mut at) = (Vec::new(), 0);
    while at < wire.len() {
        let received = pair.server.receive(&mut wire[at..], &mut Vec::new()).unwrap();
        got.extend_from_slice(received.data);
        at += received.used;
    }
    assert_eq!(got, [&[7; 1000][..], b"more"].concat());
}
