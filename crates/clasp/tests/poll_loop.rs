//! A stream that does not block, driven as a poll loop does: a call is made again only where its transport has bytes, or
//! has room and the stream says that it wants to write.
#![allow(clippy::unwrap_used, clippy::panic)]

use clasp::wire::code::ProtocolVersion;
use clasp::{ClientConfig, Policy, ServerConfig, Stream};
use clasp_testkit::torture::{Dice, Torture};
use clasp_testkit::{KeyKind, authority};
use core::task::{Context, Waker};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::rc::Rc;
use std::sync::Arc;

type Pipe = Rc<RefCell<VecDeque<u8>>>;

/// One end of a connection that holds few bytes.
struct Narrow {
    incoming: Pipe,
    outgoing: Pipe,
    room: usize,
    /// Written and not flushed, if it holds that back.
    held: Option<Vec<u8>>,
}

impl Narrow {
    fn pair(room: usize, holds: bool) -> (Self, Self) {
        let (up, down) = (Pipe::default(), Pipe::default());
        let end = |incoming: &Pipe, outgoing: &Pipe| Self {
            incoming: incoming.clone(),
            outgoing: outgoing.clone(),
            room,
            held: holds.then(Vec::new),
        };
        (end(&down, &up), end(&up, &down))
    }

    fn is_readable(&self) -> bool {
        !self.incoming.borrow().is_empty()
    }

    fn is_writable(&self) -> bool {
        self.outgoing.borrow().len() < self.room
    }

    fn put(&self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(self.room - self.outgoing.borrow().len());
        if n == 0 && !bytes.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.outgoing.borrow_mut().extend(&bytes[..n]);
        Ok(n)
    }
}

impl Read for Narrow {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut incoming = self.incoming.borrow_mut();
        if incoming.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let n = incoming.len().min(buf.len());
        incoming.drain(..n).zip(buf).for_each(|(byte, place)| *place = byte);
        Ok(n)
    }
}

impl Write for Narrow {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match &mut self.held {
            Some(held) if held.len() < 8000 => held.extend_from_slice(buf),
            Some(_) => return self.flush().map(|()| 0).and_then(|_| self.write(buf)),
            None => return self.put(buf),
        }
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        while let Some(held) = self.held.take_if(|held| !held.is_empty()) {
            let put = self.put(&held);
            self.held = Some(held[put.as_ref().map_or(0, |n| *n)..].to_vec());
            put?;
        }
        Ok(())
    }
}

fn configs(policy: Policy) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let client = ClientConfig::builder().trust(authority().roots()).policy(policy).build().unwrap();
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    (client, ServerConfig::builder().identity(identity).build().unwrap())
}

fn byte(at: usize) -> u8 {
    u8::try_from(at % 251).unwrap()
}

/// None if it would block.
fn some<T>(done: io::Result<T>) -> Option<T> {
    match done {
        Ok(value) => Some(value),
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::WriteZero) => None,
        Err(e) => panic!("{e:?}"),
    }
}

const LENGTH: usize = 60_000;

struct Side {
    tls: Stream<Narrow>,
    ready: bool,
    sent: usize,
    got: usize,
    closed: bool,
    ended: bool,
}

impl Side {
    /// Whatever can go on: the handshake first, then what is sent, and what comes. True if anything was done.
    fn turn(&mut self, begin: bool) -> bool {
        let readable = self.tls.transport().is_readable();
        let wants = self.tls.wants_write();
        let writable = wants && self.tls.transport().is_writable();
        let mut did = false;
        if !self.ready {
            if begin || readable || writable {
                did = true;
                self.ready = some(self.tls.handshake()).is_some();
            }
            return did;
        }
        if wants && writable {
            did = true;
            some(self.tls.flush());
        }
        if !self.closed && !self.tls.wants_write() {
            did = true;
            let data: Vec<u8> = (self.sent..LENGTH.min(self.sent + 7000)).map(byte).collect();
            if data.is_empty() {
                self.closed = true;
                some(self.tls.close());
            } else {
                self.sent += some(self.tls.write(&data)).expect("nothing was in the way");
                some(self.tls.flush());
            }
        }
        while !self.ended {
            let mut data = [0; 5000];
            let Some(n) = some(self.tls.read(&mut data)) else { break };
            did = true;
            assert!(data[..n].iter().enumerate().all(|(i, b)| *b == byte(self.got + i)));
            self.got += n;
            self.ended = n == 0;
        }
        did || readable
    }
}

#[test]
fn a_poll_loop_that_trusts_what_a_stream_wants_comes_to_the_end() {
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        for (room, holds) in [(1, false), (100, false), (100, true), (5000, false), (5000, true)] {
            let (client, server) = configs(Policy::default().with_versions([version]));
            let (up, down) = Narrow::pair(room, holds);
            let side = |tls| Side { tls, ready: false, sent: 0, got: 0, closed: false, ended: false };
            let mut sides = [
                side(Stream::new(client.connect("localhost".try_into().unwrap()), up)),
                side(Stream::new(server.accept(), down)),
            ];
            let mut begin = true;
            while sides.iter().any(|side| !side.ended || !side.closed || side.tls.wants_write()) {
                let moved = sides.iter_mut().map(|side| side.turn(begin)).fold(false, |a, b| a | b);
                begin = false;
                assert!(
                    moved,
                    "{version:?}, room {room}, holds {holds}: nobody goes on: {:?}",
                    sides.map(|s| (s.ready, s.sent, s.got, s.closed, s.ended, s.tls.wants_write()))
                );
            }
            assert!(sides.iter().all(|side| side.got == LENGTH));
        }
    }
}

/// Nothing follows close_notify, and whoever has said it during the handshake has no connection.
#[test]
fn a_stream_closed_before_or_amid_its_handshake_makes_none() {
    for amid in [false, true] {
        let (client, server) = configs(Policy::default());
        let (up, down) = Narrow::pair(100_000, false);
        let mut client = Stream::new(client.connect("localhost".try_into().unwrap()), up);
        let mut server = Stream::new(server.accept(), down);
        if amid {
            assert!(some(client.handshake()).is_none());
        }
        client.close().unwrap();
        if amid {
            assert!(server.handshake().is_err());
        }
        let said = client.transport().outgoing.borrow().len();
        for error in [
            client.handshake().map(drop).unwrap_err(),
            client.read(&mut [0; 9]).map(drop).unwrap_err(),
            client.write(b"data").map(drop).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{error}");
        }
        client.close().unwrap();
        assert_eq!(client.transport().outgoing.borrow().len(), said, "nothing follows close_notify");
    }
}

/// A server that has said all it has to say with its Finished closes, and hears the client out.
#[test]
fn a_server_that_closes_ahead_of_the_clients_finished_sends_no_ticket_after_it() {
    let (client, server) = configs(Policy::modern());
    let (mut client, mut server) = (client.connect("localhost".try_into().unwrap()), server.accept());
    let (mut cx, mut up, mut down) = (Context::from_waker(Waker::noop()), Vec::new(), Vec::new());
    client.advance(&mut cx, &mut up).unwrap();
    assert_eq!(server.receive(&mut up, &mut down).unwrap().used, up.len());
    server.send(&[IoSlice::new(b"farewell")], &mut down).unwrap();
    server.close(&mut down).unwrap();
    assert!(server.failure().is_none());
    up.clear();
    let mut got = Vec::new();
    while !client.peer_closed() {
        let received = client.receive(&mut down, &mut up).unwrap();
        got.extend_from_slice(received.data);
        let used = received.used;
        down.drain(..used);
    }
    assert_eq!((&got[..], down.len()), (&b"farewell"[..], 0));
    client.send(&[IoSlice::new(b"heard")], &mut up).unwrap();
    let received = server.receive(&mut up, &mut down).unwrap();
    assert_eq!(received.data, b"heard");
    assert!(server.facts().is_some());
    assert_eq!(down, b"", "nothing follows close_notify");
}

/// Early data over a transport that fails now and then: taken or refused, each byte arrives once.
#[test]
fn early_data_arrives_once_whatever_the_transport_answers() {
    let identity = || authority().issue(KeyKind::P256, &["localhost"]).identity();
    for seed in 0..40 {
        let refused = seed % 2 == 1;
        let client = ClientConfig::builder().trust(authority().roots()).early_data(true).build().unwrap();
        // With ticket keys of its own.
        let server = || ServerConfig::builder().identity(identity()).max_early_data(50_000).build().unwrap();
        let streams = |server: &Arc<ServerConfig>, seed| {
            let (up, down) = Torture::pair(seed, seed % 3 == 0);
            let connection = client.connect("localhost".try_into().unwrap());
            (Stream::new(connection, up), Stream::new(server.accept(), down))
        };
        let first = server();
        let (mut c, mut s) = streams(&first, seed + 1000);
        while some(c.handshake()).is_none() | some(s.handshake()).is_none() {}
        while some(s.write(b"x")).is_none() {}
        let mut one = [0];
        loop {
            some(s.flush());
            if some(c.read(&mut one)).is_some() {
                break;
            }
        }
        let second = if refused { server() } else { first };
        let (mut c, mut s) = streams(&second, seed);
        let mut dice = Dice::new(seed);
        let (mut sent, mut again, mut early, mut late) = (0, None, Vec::new(), Vec::new());
        let (mut early_done, mut ended, mut closed, mut steps) = (false, false, false, 0);
        const EARLY: usize = 30_000;
        while !ended || !closed {
            steps += 1;
            assert!(steps < 100_000, "seed {seed} hangs at {sent}, {}, {}", early.len(), late.len());
            if sent < EARLY && again.is_none() {
                let data: Vec<u8> = (sent..EARLY.min(sent + 1 + dice.below(9000))).map(byte).collect();
                match some(c.send_early(&data)) {
                    Some(0) => again = some(c.refused_early_data()),
                    n => sent += n.unwrap_or(0),
                }
            } else if again.is_none() {
                again = some(c.refused_early_data());
            } else if let Some(data) = &mut again {
                if data.is_empty() {
                    closed |= some(c.close()).is_some();
                } else {
                    let n = some(c.write(data)).unwrap_or(0);
                    data.drain(..n);
                }
            }
            let mut room = vec![0; 1 + dice.below(5000)];
            if !early_done {
                if let Some(n) = some(s.read_early(&mut room)) {
                    early.extend_from_slice(&room[..n]);
                    early_done = n == 0;
                }
            } else if !ended && let Some(n) = some(s.read(&mut room)) {
                late.extend_from_slice(&room[..n]);
                ended = n == 0;
            }
        }
        let (came, empty) = if refused { (&late, &early) } else { (&early, &late) };
        assert!(sent > 0, "seed {seed}: no early data was sent");
        assert_eq!((came.len(), empty.len()), (sent, 0), "seed {seed}, refused: {refused}");
        assert!(came.iter().enumerate().all(|(at, b)| *b == byte(at)), "seed {seed}");
    }
}
