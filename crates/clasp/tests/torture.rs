//! The contracts of `std::io`, over transports that do whatever those contracts let them do.
#![allow(clippy::unwrap_used, clippy::panic)]

use clasp::wire::code::ProtocolVersion;
use clasp::{ClientConfig, Policy, ServerConfig, Stream, TimeLimits, Waiting};
use clasp_testkit::torture::{Dice, Torture};
use clasp_testkit::{Gate, KeyKind, ManualClock, SlowSigner, authority};
use std::collections::VecDeque;
use std::io::{self, BufRead, BufWriter, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

fn streams<T: Read + Write>(policy: Policy, up: T, down: T) -> (Stream<T>, Stream<T>) {
    let client = ClientConfig::builder().trust(authority().roots()).policy(policy).build().unwrap();
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).build().unwrap();
    let client = client.connect("localhost".try_into().unwrap());
    (Stream::new(client, up), Stream::new(server.accept(), down))
}

fn established<T: Read + Write + Send>(up: T, down: T) -> (Stream<T>, Stream<T>) {
    let (mut client, mut server) = streams(Policy::default(), up, down);
    thread::scope(|threads| {
        threads.spawn(|| {
            server.handshake().unwrap();
            server.write_all(b"x").unwrap();
        });
        client.read_exact(&mut [0]).unwrap();
    });
    (client, server)
}

/// One side of a conversation in which every call may fail, and is made again.
struct Side {
    stream: Stream<Torture>,
    sent: usize,
    got: Vec<u8>,
    closed: bool,
    ended: bool,
    dice: Dice,
}

const LENGTH: usize = 150_000;

fn byte(at: usize) -> u8 {
    u8::try_from(at % 251).unwrap_or(0)
}

/// What a call came to, unless it is to be made again.
fn again<T>(done: io::Result<T>) -> Option<T> {
    match done {
        Ok(value) => Some(value),
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::WriteZero) => None,
        Err(e) => panic!("{e:?}"),
    }
}

impl Side {
    fn new(stream: Stream<Torture>, seed: u64) -> Self {
        Self { stream, sent: 0, got: Vec::new(), closed: false, ended: false, dice: Dice::new(seed + 1000) }
    }

    fn step(&mut self) {
        match self.dice.below(8) {
            0 => drop(again(self.stream.flush())),
            1 if !self.stream.connection().is_handshaking() && !self.closed => drop(self.stream.update_keys(true)),
            1..=3 if self.sent < LENGTH => {
                let most = 1 + self.dice.below(40_000);
                let data: Vec<u8> = (self.sent..LENGTH.min(self.sent + most)).map(byte).collect();
                self.sent += again(self.stream.write(&data)).unwrap_or(0);
            }
            1..=3 => self.closed |= again(self.stream.close()).is_some(),
            4 | 5 if !self.ended => {
                let most = 1 + self.dice.below(20_000);
                let lent = again(self.stream.fill_buf().map(|lent| lent[..lent.len().min(most)].to_vec()));
                self.stream.consume(lent.as_ref().map_or(0, Vec::len));
                self.take(lent);
            }
            _ if !self.ended => {
                let mut data = vec![0; 1 + self.dice.below(30_000)];
                let n = again(self.stream.read(&mut data));
                self.take(n.map(|n| data[..n].to_vec()));
            }
            _ => {}
        }
    }

    fn take(&mut self, came: Option<Vec<u8>>) {
        if let Some(came) = came {
            self.ended |= came.is_empty();
            self.got.extend(came);
        }
    }
}

#[test]
fn whatever_the_transport_answers_each_byte_arrives_once() {
    let seeds = std::env::var("CLASP_TORTURE").map_or(40, |seeds| seeds.parse().unwrap());
    for seed in 0..seeds {
        let version = if seed % 3 == 0 { ProtocolVersion::Tls12 } else { ProtocolVersion::Tls13 };
        let (up, down) = Torture::pair(seed, seed % 2 == 0);
        let (client, server) = streams(Policy::default().with_versions([version]), up, down);
        let mut sides = [Side::new(client, seed), Side::new(server, seed + 1)];
        let mut steps = 0;
        while sides.iter().any(|side| !side.ended || !side.closed) {
            sides.iter_mut().for_each(Side::step);
            steps += 1;
            assert!(
                steps < 100_000,
                "seed {seed} hangs: {:?}",
                sides.map(|s| (s.sent, s.got.len(), s.closed, s.ended))
            );
        }
        for side in &mut sides {
            assert!(side.got.iter().enumerate().all(|(at, b)| *b == byte(at)), "seed {seed}: not what was sent");
            assert_eq!(side.got.len(), LENGTH, "seed {seed}");
            assert_eq!(side.stream.write(b"more").unwrap_err().kind(), ErrorKind::BrokenPipe, "after the close");
        }
    }
}

/// The same of a stream in two halves, whose reader and writer take turns as they like.
#[test]
fn whatever_the_transport_answers_each_byte_of_two_halves_arrives_once() {
    for seed in 0..30 {
        let (up, down) = Torture::pair(seed, seed % 2 == 0);
        let (mut client, mut server) = streams(Policy::default(), up, down);
        while again(client.handshake()).is_none() | again(server.handshake()).is_none() {}
        let mut dice = Dice::new(seed);
        let mut halves = [client, server].map(|stream| {
            let split = stream.into_split(|t| Ok(t.handle(seed + 99)));
            let (reader, writer) = split.map_err(|(_, error)| error).unwrap();
            (reader, writer, 0, Vec::new(), false, false)
        });
        let mut steps = 0;
        while halves.iter().any(|(.., closed, ended)| !closed || !ended) {
            for (reader, writer, sent, got, closed, ended) in &mut halves {
                if *sent < LENGTH {
                    let data: Vec<u8> = (*sent..LENGTH.min(*sent + 1 + dice.below(40_000))).map(byte).collect();
                    *sent += again(writer.write(&data)).unwrap_or(0);
                } else if !*closed {
                    *closed = again(writer.close()).is_some();
                }
                if dice.once_in(5) {
                    again(writer.flush());
                }
                let mut data = vec![0; 1 + dice.below(30_000)];
                if let Some(n) = again(reader.read(&mut data)) {
                    *ended |= n == 0;
                    got.extend_from_slice(&data[..n]);
                }
            }
            steps += 1;
            assert!(steps < 100_000, "seed {seed} hangs");
        }
        for (_, mut writer, _, got, ..) in halves {
            assert!(got.len() == LENGTH && got.iter().enumerate().all(|(at, b)| *b == byte(at)), "seed {seed}");
            assert_eq!(writer.write(b"more").unwrap_err().kind(), ErrorKind::BrokenPipe, "after the close");
        }
    }
}

/// A socket whose writes fail by a script.
#[derive(Debug)]
struct Flaky {
    socket: UnixStream,
    fails: VecDeque<ErrorKind>,
}

impl Flaky {
    fn pair() -> (Self, Self) {
        let (a, b) = UnixStream::pair().unwrap();
        let flaky = |socket| Self { socket, fails: VecDeque::new() };
        (flaky(a), flaky(b))
    }
}

impl Read for Flaky {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.read(buf)
    }
}

impl Write for Flaky {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.fails.pop_front().map_or_else(|| self.socket.write(buf), |kind| Err(kind.into()))
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// "If an error is returned then no bytes in the buffer were written": whoever retries must not send twice.
#[test]
fn a_write_that_took_the_data_says_so_and_the_error_comes_with_the_next_call() {
    for kind in [ErrorKind::TimedOut, ErrorKind::BrokenPipe, ErrorKind::WriteZero] {
        for (halves, flushes) in [(false, false), (false, true), (true, false), (true, true)] {
            let (up, down) = Flaky::pair();
            let (mut client, mut server) = established(up, down);
            client.transport_mut().fails.push_back(kind);
            let peer = thread::spawn(move || {
                let mut all = String::new();
                server.read_to_string(&mut all).map(|_| all)
            });
            let check = |first: io::Result<usize>, told: io::Result<()>| {
                assert_eq!(first.unwrap(), 6, "{kind:?}, halves {halves}");
                assert_eq!(told.unwrap_err().kind(), kind, "halves {halves}, flushes {flushes}");
            };
            if halves {
                let (_reader, mut writer) = client.into_split(|t| t.socket.try_clone()).map_err(|e| e.1).unwrap();
                let first = writer.write(b"pay 5;");
                check(first, if flushes { writer.flush() } else { writer.write(b"again").map(drop) });
                writer.close().unwrap();
            } else {
                let first = client.write(b"pay 5;");
                check(first, if flushes { client.flush() } else { client.write(b"again").map(drop) });
                client.close().unwrap();
            }
            assert_eq!(peer.join().unwrap().unwrap(), "pay 5;", "once, and nothing that was refused");
        }
    }
}

/// The peer may be waiting for what a transport was too slow to take: whoever reads tries again, though the writer has not
/// been told yet.
#[test]
fn a_reader_sends_what_a_slow_transport_did_not_take() {
    let (up, down) = Flaky::pair();
    let (mut client, mut server) = established(up, down);
    client.transport().socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    client.transport_mut().fails.push_back(ErrorKind::TimedOut);
    assert_eq!(client.write(b"pay 5;").unwrap(), 6);
    let peer = thread::spawn(move || {
        server.read_exact(&mut [0; 6]).unwrap();
        server.write_all(b"paid").unwrap();
    });
    let mut answer = [0; 4];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"paid");
    assert_eq!(client.flush().unwrap_err().kind(), ErrorKind::TimedOut, "who writes is told");
    peer.join().unwrap();
}

/// Also where the close has not gone out yet, and the transport has something to say.
#[test]
fn a_write_after_our_own_close_is_a_broken_pipe() {
    for halves in [false, true] {
        let (up, down) = Flaky::pair();
        let (mut client, _server) = established(up, down);
        client.transport_mut().fails = [ErrorKind::TimedOut; 8].into();
        assert_eq!(client.write(b"pay 5;").unwrap(), 6);
        let (unsaid, refused) = if halves {
            let (_reader, mut writer) = client.into_split(|t| t.socket.try_clone()).map_err(|e| e.1).unwrap();
            (writer.close().unwrap_err(), writer.write(b"more").unwrap_err())
        } else {
            (client.close().unwrap_err(), client.write(b"more").unwrap_err())
        };
        assert_eq!((unsaid.kind(), refused.kind()), (ErrorKind::TimedOut, ErrorKind::BrokenPipe));
    }
}

/// What a close sends after all has not failed.
#[test]
fn a_close_that_sends_what_could_not_be_sent_has_nothing_to_tell() {
    let (up, down) = Flaky::pair();
    let (mut client, mut server) = established(up, down);
    client.transport_mut().fails.push_back(ErrorKind::TimedOut);
    assert_eq!(client.write(b"pay 5;").unwrap(), 6);
    client.close().unwrap();
    let mut all = String::new();
    server.read_to_string(&mut all).unwrap();
    assert_eq!(all, "pay 5;");
}

#[test]
fn what_has_come_is_read_to_the_peers_end_although_writing_has_failed() {
    for seed in 0..20 {
        let (up, down) = Torture::pair(seed, false);
        let (mut client, mut server) = streams(Policy::default(), up, down);
        while client.connection().is_handshaking() || server.connection().is_handshaking() {
            again(client.handshake());
            again(server.handshake());
        }
        for stream in [&mut client, &mut server] {
            stream.transport_mut().evil = false;
            // Of the handshake's last message.
            again(stream.flush());
        }
        // The server answers before it has the whole request, and goes.
        let answer: Vec<u8> = (0..30_000).map(byte).collect();
        server.write_all(&answer).unwrap();
        server.close().unwrap();
        client.transport_mut().broken = Some(ErrorKind::BrokenPipe);
        assert_eq!(client.write(b"request").unwrap(), 7);
        if seed % 2 == 0 {
            assert_eq!(client.write(b"more of it").unwrap_err().kind(), ErrorKind::BrokenPipe);
        }
        let mut got = Vec::new();
        client.read_to_end(&mut got).unwrap();
        assert!(got == answer, "{} of {} bytes", got.len(), answer.len());
        assert_eq!(client.flush().unwrap_err().kind(), ErrorKind::BrokenPipe, "who writes is told");
    }
}

#[test]
fn a_transport_that_ends_without_close_notify_ends_reading_and_not_writing() {
    let (a, b) = UnixStream::pair().unwrap();
    let (mut client, mut server) = established(a, b);
    client.transport().shutdown(std::net::Shutdown::Write).unwrap();
    for _ in 0..2 {
        assert_eq!(server.read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
    server.write_all(b"still here").unwrap();
    server.close().unwrap();
    let mut got = String::new();
    client.read_to_string(&mut got).unwrap();
    assert_eq!(got, "still here");
}

/// Holds what is written until it is flushed.
struct Buffered(UnixStream, BufWriter<UnixStream>);

impl Buffered {
    fn new(socket: UnixStream) -> Self {
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self(socket.try_clone().unwrap(), BufWriter::new(socket))
    }
}

impl Read for Buffered {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for Buffered {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.1.write(buf)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.1.flush()
    }
}

/// TLS in TLS, each of whose streams may hold bytes back in a buffer below it.
#[test]
fn transports_that_buffer_until_they_are_flushed_hang_nothing() {
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        let (a, b) = UnixStream::pair().unwrap();
        let policy = || Policy::default().with_versions([version]);
        let (client, server) = streams(policy(), Buffered::new(a), Buffered::new(b));
        let (mut client, mut server) = streams(policy(), client, server);
        let serving = thread::spawn(move || {
            let mut question = [0; 8];
            server.read_exact(&mut question).unwrap();
            server.write_all(&question).unwrap();
            // Whoever waits for the peer has said all before.
            assert_eq!(server.read(&mut question).unwrap(), 0);
            server.close().unwrap();
        });
        client.write_all(b"question").unwrap();
        let mut answer = [0; 8];
        client.read_exact(&mut answer).unwrap();
        client.close().unwrap();
        assert_eq!(client.read(&mut answer).unwrap(), 0);
        serving.join().unwrap();
    }
}

/// Takes as many bytes as it is told to, and would block then.
struct Narrow {
    socket: UnixStream,
    room: usize,
}

impl Read for Narrow {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.read(buf)
    }
}

impl Write for Narrow {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = buf.len().min(self.room);
        if n == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let n = self.socket.write(&buf[..n])?;
        self.room -= n;
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stream_that_does_not_block_says_that_it_wants_to_write() {
    let (a, b) = UnixStream::pair().unwrap();
    a.set_nonblocking(true).unwrap();
    b.set_nonblocking(true).unwrap();
    let narrow = |socket| Narrow { socket, room: usize::MAX };
    let (mut client, mut server) = streams(Policy::modern(), narrow(a), narrow(b));
    assert_eq!(client.handshake().unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(!client.wants_write(), "the hello has gone out");
    assert_eq!(server.handshake().unwrap_err().kind(), ErrorKind::WouldBlock);
    // The server's flight is there, and there is no room for our Finished.
    client.transport_mut().room = 0;
    assert_eq!(client.handshake().unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(!client.connection().is_handshaking() && client.wants_write());
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(client.wants_write());
    client.transport_mut().room = 1000;
    client.flush().unwrap();
    assert!(!client.wants_write());
    client.handshake().unwrap();
    server.handshake().unwrap();
    client.transport_mut().room = 10;
    assert_eq!(client.write(b"data").unwrap(), 4);
    assert!(client.wants_write());
    assert_eq!(client.flush().unwrap_err().kind(), ErrorKind::WouldBlock);
    client.transport_mut().room = 1000;
    client.flush().unwrap();
    assert!(!client.wants_write());
    let mut got = [0; 4];
    server.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"data");
}

#[test]
fn a_stream_taken_apart_keeps_all_that_was_on_its_way() {
    let (a, b) = UnixStream::pair().unwrap();
    let narrow = |socket| Narrow { socket, room: usize::MAX };
    let (mut client, mut server) = established(narrow(a), narrow(b));
    server.write_all(b"one").unwrap();
    server.write_all(b"two").unwrap();
    let mut first = [0];
    client.read_exact(&mut first).unwrap();
    client.transport_mut().room = 5;
    assert_eq!(client.write(b"answer").unwrap(), 6);
    let (exchange, transport) = client.into_parts();
    assert!(!exchange.unsent().is_empty());
    let exchange = exchange.into_connection().map(drop).unwrap_err();
    let mut client = Stream::from_parts(exchange, transport);
    client.transport_mut().room = usize::MAX;
    let mut rest = [0; 5];
    client.read_exact(&mut rest).unwrap();
    assert_eq!((&first, &rest), (b"o", b"netwo"));
    client.close().unwrap();
    let mut got = String::new();
    server.read_to_string(&mut got).unwrap();
    assert_eq!(got, "answer");
    let (exchange, _transport) = client.into_parts();
    assert!(exchange.into_connection().is_ok(), "nothing is on its way");
}

#[test]
fn a_party_outside_that_never_answers_holds_a_connection_for_a_time_and_is_named() {
    let gate = Gate::default();
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    let key = Arc::new(clasp::crypto::PrivateKey::from_der(&issued.key).unwrap());
    let identity = clasp::Identity::with_signer(issued.chain, Arc::new(SlowSigner(gate.clone(), key))).unwrap();
    let clock = ManualClock::at(1_800_000_000);
    let server = ServerConfig::builder().identity(identity).clock(Arc::new(clock.clone())).build().unwrap();
    let (a, b) = UnixStream::pair().unwrap();
    let (mut client, _) = streams(Policy::default(), a, b.try_clone().unwrap());
    let asking = thread::spawn(move || client.handshake().unwrap_err());
    let limits = TimeLimits::default().outside(Duration::from_millis(50));
    let mut tls = Stream::new(server.accept(), b).with_limits(limits);
    let began = Instant::now();
    let error = tls.handshake().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.to_string().contains("signer") || error.to_string().contains("key"), "{error}");
    assert!(began.elapsed() >= Duration::from_millis(50) && gate.is_waited_at());
    let told = asking.join().unwrap();
    assert!(told.to_string().contains("internal_error"), "{told}");
    // The core says the same to whoever drives it by hand, by the configuration's clock.
    let (mut hello, mut out) = (Vec::new(), Vec::new());
    let mut cx = core::task::Context::from_waker(core::task::Waker::noop());
    let (client, _) = streams(Policy::default(), io::empty(), io::empty());
    let (exchange, _) = client.into_parts();
    exchange.into_connection().unwrap().advance(&mut cx, &mut hello).unwrap();
    let mut connection = server.accept();
    let since = clasp::config::Clock::now(&clock);
    connection.receive(&mut hello, &mut out).unwrap();
    clock.advance(Duration::from_secs(7));
    assert!(matches!(connection.waiting(), Waiting::Outside(_)));
    assert_eq!(connection.waiting_since(), Some(since));
}

/// A byte now and then keeps every single read alive.
#[test]
fn a_peer_that_drips_its_hello_is_not_waited_for_without_end() {
    let (a, b) = UnixStream::pair().unwrap();
    let (_, server) = streams(Policy::default(), a.try_clone().unwrap(), b);
    let dripping = thread::spawn(move || {
        let hello = [&[22, 3, 1, 0x10, 0, 1, 0, 0x0f, 0xfc][..], &[3; 4000]].concat();
        hello.iter().position(|byte| {
            thread::sleep(Duration::from_millis(2));
            (&a).write_all(&[*byte]).is_err()
        })
    });
    let mut server = server.with_limits(TimeLimits::default().handshake(Duration::from_millis(60)));
    let error = server.handshake().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.to_string().contains("ClientHello"), "{error}");
    drop(server);
    assert!(dripping.join().unwrap().is_some(), "it was left before it had said all");
}
