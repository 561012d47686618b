//! The blocking stream over a real socket.
#![allow(clippy::unwrap_used)]

use clasp::config::WebPki;
use clasp::error::{Cause, Misuse};
use clasp::trace::{Direction, Observation, Observer, What};
use clasp::wire::code::{HandshakeType, ProtocolVersion};
use clasp::{ClientAuth, ClientConfig, EarlyData, Facts, Identity, Policy, ServerConfig, Stream};
use clasp_testkit::{Gate, KeyKind, SlowSigner, SlowVerifier, authority};
use std::io::{BufRead, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

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
    let connection = client.connect("localhost".try_into().unwrap());
    let c = as_client(&mut Stream::new(connection, TcpStream::connect(address).unwrap()));
    (c, serving.join().unwrap())
}

fn configs(policy: Policy, max_early_data: u32) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).max_early_data(max_early_data).build().unwrap();
    let early = policy.speaks(ProtocolVersion::Tls13);
    let client = ClientConfig::builder().trust(authority().roots()).policy(policy).early_data(early).build().unwrap();
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
            let error = clasp::Error::from_io(&error).unwrap();
            assert_eq!(error.cause(), &Cause::Misuse(Misuse::OldVersionForThis));
        },
        |tls| tls.handshake().map(drop).unwrap(),
    );
}

/// A server that may ask for a certificate later, and a client that has one, whose key and whose verifier stand behind
/// gates.
fn asking() -> (Arc<ClientConfig>, Arc<ServerConfig>, [Gate; 2]) {
    let gates = [Gate::default(), Gate::default()];
    let issued = authority().issue(KeyKind::P256, &["alice"]);
    let key = Arc::new(clasp::crypto::PrivateKey::from_der(&issued.key).unwrap());
    let alice = Identity::with_signer(issued.chain, Arc::new(SlowSigner(gates[0].clone(), key))).unwrap();
    let verifier = SlowVerifier(gates[1].clone(), Arc::new(WebPki::clients(authority().roots())));
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity);
    let server = server.post_handshake_auth(ClientAuth::Require(Arc::new(verifier))).build().unwrap();
    let client = ClientConfig::builder().trust(authority().roots()).post_handshake_auth(true);
    (client.identity(alice).build().unwrap(), server, gates)
}

#[test]
fn a_server_asks_for_a_certificate_when_it_has_read_the_request() {
    let (client, server, gates) = asking();
    let opening = thread::spawn(move || {
        for gate in gates {
            while !gate.is_waited_at() {
                thread::sleep(Duration::from_millis(1));
            }
            gate.open();
        }
    });
    let (answer, names) = pair(
        &client,
        &server,
        |tls| {
            assert!(tls.request_certificate().is_err(), "a client asks for nothing");
            tls.write_all(b"request").unwrap();
            let mut answer = [0; 6];
            tls.read_exact(&mut answer).unwrap();
            answer
        },
        |tls| {
            tls.handshake().unwrap();
            tls.request_certificate().unwrap();
            assert!(tls.request_certificate().is_err(), "one at a time");
            assert!(!tls.receive_certificate().unwrap(), "the request came first, and has to be read");
            let mut request = [0; 7];
            tls.read_exact(&mut request).unwrap();
            assert!(tls.receive_certificate().unwrap() && tls.receive_certificate().unwrap());
            tls.write_all(b"answer").unwrap();
            (request, tls.handshake().unwrap().peer_identifiers())
        },
    );
    opening.join().unwrap();
    assert_eq!((&answer, &names.0), (b"answer", b"request"));
    assert!(names.1.iter().any(|name| name.to_string().contains("alice")), "{:?}", names.1);
}

/// Reading alone carries the answer too; data that comes behind it waits for the verifier.
#[test]
fn reading_goes_on_while_a_certificate_is_made_and_checked() {
    let (client, server, gates) = asking();
    gates.iter().for_each(Gate::open);
    pair(
        &client,
        &server,
        |tls| {
            let mut go = [0; 2];
            tls.read_exact(&mut go).unwrap();
            tls.write_all(b"behind").unwrap();
            assert_eq!(tls.read(&mut [0]).unwrap(), 0);
        },
        |tls| {
            tls.handshake().unwrap();
            tls.request_certificate().unwrap();
            tls.write_all(b"go").unwrap();
            let mut behind = [0; 6];
            tls.read_exact(&mut behind).unwrap();
            assert!(tls.handshake().unwrap().client_authenticated);
            tls.close().unwrap();
        },
    );
}

#[test]
fn a_client_that_shows_no_certificate_is_told_so_and_one_that_closes_shows_none() {
    let (_, server, gates) = asking();
    gates.iter().for_each(Gate::open);
    let client = ClientConfig::builder().trust(authority().roots()).post_handshake_auth(true).build().unwrap();
    let ask = |tls: &mut Tls| {
        tls.handshake().unwrap();
        tls.request_certificate().unwrap();
        tls.receive_certificate().map_err(|error| error.kind())
    };
    let (told, refused) = pair(&client, &server, |tls| tls.read(&mut [0]).unwrap_err(), ask);
    assert!(told.to_string().contains("certificate_required"), "{told}");
    assert_eq!(refused, Err(std::io::ErrorKind::InvalidData));
    let leave = |tls: &mut Tls| {
        tls.handshake().unwrap();
        tls.close().unwrap();
        tls.read(&mut [0]).unwrap_err().kind()
    };
    let (cut_off, closed) = pair(&client, &server, leave, ask);
    assert_eq!((cut_off, closed), (std::io::ErrorKind::UnexpectedEof, Ok(false)));
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
