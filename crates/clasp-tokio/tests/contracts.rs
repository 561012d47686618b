//! What two tasks, or none, may ask of a stream: tokio's contracts call by call, where `torture.rs` has whole conversations.
#![allow(clippy::unwrap_used)]

mod common;

use clasp::{ClientConfig, ServerConfig, TimeLimits};
use clasp_testkit::{KeyKind, authority};
use clasp_tokio::{Acceptor, Connector, TlsStream};
use common::Evil;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;
use std::time::Duration;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
    split,
};
use tokio::time::timeout;

fn connector() -> Connector {
    Connector::new(ClientConfig::builder().trust(authority().roots()).build().unwrap())
}

fn acceptor() -> Acceptor {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    Acceptor::new(ServerConfig::builder().identity(identity).build().unwrap())
}

async fn pair<T: AsyncRead + AsyncWrite + Unpin>(up: T, down: T) -> (TlsStream<T>, TlsStream<T>) {
    let (connector, acceptor) = (connector(), acceptor());
    let (client, server) = tokio::join!(connector.connect("localhost".try_into().unwrap(), up), acceptor.accept(down));
    (client.unwrap(), server.unwrap())
}

async fn duplex_pair(room: usize) -> (TlsStream<DuplexStream>, TlsStream<DuplexStream>) {
    let (up, down) = duplex(room);
    pair(up, down).await
}

/// A task that only counts how often it was woken.
#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Task {
    fn new() -> (Arc<Self>, Waker) {
        let task = Arc::new(Self::default());
        (task.clone(), Waker::from(task))
    }
    fn woken(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn read(stream: &mut TlsStream<Evil>, waker: &Waker) -> Poll<std::io::Result<usize>> {
    let mut data = [0; 100];
    let mut buffer = ReadBuf::new(&mut data);
    let read = Pin::new(stream).poll_read(&mut Context::from_waker(waker), &mut buffer);
    let n = buffer.filled().len();
    read.map_ok(|()| n)
}

/// A write that fails sends too, if it can: in the writer's name, not in the reader's.
#[tokio::test(start_paused = true)]
async fn a_write_that_fails_takes_nothing_from_the_reader_who_waits_to_send() {
    let (mut up, mut down) = Evil::pair(1, false, 5000);
    (up.evil, down.evil) = (false, false);
    let (mut client, server) = pair(up, down).await;
    let ((reader, for_reader), (writer, for_writer)) = (Task::new(), Task::new());
    let write =
        |client: &mut TlsStream<Evil>| Pin::new(client).poll_write(&mut Context::from_waker(&for_writer), &[7; 30_000]);
    assert!(matches!(write(&mut client), Poll::Ready(Ok(1..))));
    assert!(read(&mut client, &for_reader).is_pending());
    assert!(Pin::new(&mut client).poll_shutdown(&mut Context::from_waker(&for_writer)).is_pending());
    assert!(matches!(write(&mut client), Poll::Ready(Err(e)) if e.kind() == ErrorKind::BrokenPipe));
    // The writer has had its answer, and is not coming back.
    let before = reader.woken();
    let (_exchange, mut transport) = server.into_parts();
    let mut wire = vec![0; 5000];
    transport.read_exact(&mut wire).await.unwrap();
    assert!(reader.woken() > before, "the reader is to send the rest; the writer was woken {} times", writer.woken());
    assert!(read(&mut client, &for_reader).is_pending());
    transport.read_exact(&mut wire).await.unwrap();
}

/// As it says of `TimeLimits::none()`: whoever has no timer needs none, whatever the peer does.
#[test]
fn without_limits_no_timer_is_needed_even_where_the_handshake_fails() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let acceptor = acceptor().with_limits(TimeLimits::none());
        let (mut up, down) = duplex(5000);
        up.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
        let error = acceptor.accept(down).await.map(drop).unwrap_err().into_parts().0;
        assert!(error.to_string().contains("HTTP"), "{error}");
        let mut alert = Vec::new();
        up.read_buf(&mut alert).await.unwrap();
        assert_eq!(alert.first(), Some(&21));
        let (up, down) = duplex(5000);
        let strict = ClientConfig::builder().trust(clasp_testkit::other_authority().roots()).build().unwrap();
        let connector = Connector::new(strict).with_limits(TimeLimits::none());
        let (refused, told) =
            tokio::join!(connector.connect("localhost".try_into().unwrap(), up), acceptor.accept(down));
        drop((refused.unwrap_err(), told.unwrap_err()));
    });
}

#[tokio::test(start_paused = true)]
async fn no_limit_strikes_a_stream_that_is_established() {
    let (mut client, mut server) = duplex_pair(5000).await;
    for _ in 0..3 {
        let day = Duration::from_secs(86_400);
        assert!(timeout(day, client.read_u8()).await.is_err());
        assert!(timeout(day, server.read_u8()).await.is_err());
        client.write_all(b"x").await.unwrap();
        client.flush().await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'x');
    }
}

/// In every state, and with nothing to take or to give.
#[tokio::test(start_paused = true)]
async fn calls_without_bytes_are_answered_at_once() {
    let (mut client, mut server) = duplex_pair(5000).await;
    let mut cx = Context::from_waker(Waker::noop());
    let mut check = |stream: &mut TlsStream<DuplexStream>, closed: bool| {
        let mut none = ReadBuf::new(&mut []);
        assert!(matches!(Pin::new(&mut *stream).poll_read(&mut cx, &mut none), Poll::Ready(Ok(()))));
        let mut full = [1, 2];
        let mut full = ReadBuf::new(&mut full);
        full.set_filled(2);
        assert!(matches!(Pin::new(&mut *stream).poll_read(&mut cx, &mut full), Poll::Ready(Ok(()))));
        assert_eq!(full.filled(), [1, 2]);
        match Pin::new(&mut *stream).poll_write(&mut cx, &[]) {
            Poll::Ready(Ok(0)) => assert!(!closed),
            Poll::Ready(Err(error)) => assert!(closed && error.kind() == ErrorKind::BrokenPipe),
            other => unreachable!("{other:?}"),
        }
    };
    check(&mut client, false);
    server.write_all(b"data").await.unwrap();
    server.flush().await.unwrap();
    check(&mut client, false);
    assert_eq!(client.fill_buf().await.unwrap(), b"data");
    check(&mut client, false);
    Pin::new(&mut client).consume(4);
    // More than the transport has room for.
    while let Poll::Ready(n) = Pin::new(&mut server).poll_write(&mut Context::from_waker(Waker::noop()), &[5; 9000]) {
        n.unwrap();
        check(&mut server, false);
    }
    check(&mut server, false);
    drop(client);
    server.read_to_end(&mut Vec::new()).await.unwrap_err();
    let (mut client, mut server) = duplex_pair(5000).await;
    client.shutdown().await.unwrap();
    check(&mut client, true);
    assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
    check(&mut server, false);
    assert_eq!(server.fill_buf().await.unwrap(), b"");
}

/// Each end writes much more than all buffers hold before it looks at what comes; another task reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_ends_write_thirty_megabytes_at_once() {
    const LENGTH: usize = 30_000_000;
    let (client, server) = duplex_pair(100_000).await;
    let ends = [client, server].map(|stream| {
        let (mut reader, mut writer) = split(stream);
        let writing = tokio::spawn(async move {
            let data = vec![9; 1_000_000];
            for _ in 0..LENGTH / data.len() {
                writer.write_all(&data).await.unwrap();
            }
            writer.shutdown().await.unwrap();
            writer
        });
        let reading = tokio::spawn(async move {
            let mut data = vec![0; 50_000];
            let mut got = 0;
            loop {
                match reader.read(&mut data).await.unwrap() {
                    0 => break got,
                    n => got += n,
                }
            }
        });
        (writing, reading)
    });
    for (writing, reading) in ends {
        let both = async { tokio::join!(writing, reading) };
        let (writer, got) = timeout(Duration::from_secs(60), both).await.expect("nobody hangs");
        drop(writer.unwrap());
        assert_eq!(got.unwrap(), LENGTH);
    }
}

/// Any call may be given up at any await, and made again: bytes arrive once, in order.
#[tokio::test(start_paused = true)]
async fn calls_given_up_lose_nothing() {
    use clasp_testkit::torture::Dice;
    for seed in 0..30 {
        let (up, down) = Evil::pair(seed, seed % 2 == 0, 3000);
        let (mut client, mut server) = pair(up, down).await;
        let (mut sent, mut got, mut dice) = (0, 0, Dice::new(seed));
        const LENGTH: usize = 150_000;
        let mut steps = 0;
        while got < LENGTH {
            steps += 1;
            assert!(steps < 100_000, "seed {seed} hangs at {sent}, {got}");
            let brief = Duration::from_micros(1);
            let data: Vec<u8> = (sent..LENGTH.min(sent + 1 + dice.below(9000))).map(common::byte).collect();
            let mut room = vec![0; 1 + dice.below(9000)];
            if dice.once_in(2) {
                if !data.is_empty()
                    && let Ok(n) = timeout(brief, client.write(&data)).await
                {
                    sent += n.unwrap();
                }
            } else {
                tokio::select! {
                    biased;
                    done = client.flush() => done.unwrap(),
                    n = server.read(&mut room) => {
                        let n = n.unwrap();
                        assert!(room[..n].iter().enumerate().all(|(i, b)| *b == common::byte(got + i)), "seed {seed}");
                        got += n;
                    }
                    () = tokio::time::sleep(brief) => {}
                }
            }
            let mut room = vec![0; 1 + dice.below(20_000)];
            if let Ok(n) = timeout(brief, server.read(&mut room)).await {
                let n = n.unwrap();
                assert!(room[..n].iter().enumerate().all(|(i, b)| *b == common::byte(got + i)), "seed {seed}");
                got += n;
            }
        }
    }
}

/// What a peer that does not read holds up: our shutdown, and nothing else.
#[tokio::test(start_paused = true)]
async fn a_shutdown_that_a_peer_holds_up_can_be_given_up_while_reading_goes_on() {
    let (mut client, mut server) = duplex_pair(3000).await;
    server.write_all(b"early word").await.unwrap();
    server.flush().await.unwrap();
    while timeout(Duration::from_secs(1), client.write(&[1; 10_000])).await.is_ok() {}
    assert!(timeout(Duration::from_secs(1), client.shutdown()).await.is_err());
    let mut word = [0; 10];
    client.read_exact(&mut word).await.unwrap();
    assert_eq!(&word, b"early word");
    assert_eq!(client.write(b"more").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    let (mut reader, mut writer) = split(client);
    let closing = tokio::spawn(async move { writer.shutdown().await.map(|()| writer) });
    let reading = tokio::spawn(async move { reader.read_u8().await });
    let mut all = Vec::new();
    server.read_to_end(&mut all).await.unwrap();
    server.write_all(b"z").await.unwrap();
    server.flush().await.unwrap();
    drop(closing.await.unwrap().unwrap());
    assert_eq!(reading.await.unwrap().unwrap(), b'z');
    assert!(all.iter().all(|b| *b == 1));
}

#[test]
fn streams_and_what_makes_them_go_to_other_threads() {
    fn goes<T: Send + Sync>() {}
    fn sends<T: Send>(_: T) {}
    goes::<TlsStream<tokio::net::TcpStream>>();
    goes::<clasp::Stream<std::net::TcpStream>>();
    goes::<(clasp::StreamReader<std::net::TcpStream>, clasp::StreamWriter<std::net::TcpStream>)>();
    goes::<Connector>();
    goes::<Acceptor>();
    let (a, b) = duplex(1);
    sends(acceptor().accept(a));
    sends(connector().connect("localhost".try_into().unwrap(), b));
}
