//! What an idle stream costs in memory after traffic, though nobody has told it to rest. Run with `--nocapture` to see the
//! figure.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use clasp::{ClientConfig, ServerConfig};
use clasp_testkit::{KeyKind, authority};
use clasp_tokio::{Acceptor, Connector, TlsStream};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

/// A transport in memory; all pairs use the same one, one after another, so that it is on nobody's account. Nobody is
/// woken: whoever waits is polled again.
#[derive(Clone, Default)]
struct Wire {
    from_peer: Rc<RefCell<Vec<u8>>>,
    to_peer: Rc<RefCell<Vec<u8>>>,
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut waiting = self.from_peer.borrow_mut();
        if waiting.is_empty() {
            return Poll::Pending;
        }
        let n = waiting.len().min(buf.remaining());
        buf.put_slice(&waiting[..n]);
        waiting.drain(..n);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.to_peer.borrow_mut().extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Polls until it is done.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = core::pin::pin!(future);
    for _ in 0..1000 {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
    unreachable!("nobody has anything more to say");
}

/// Resident memory of this process.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// With everything: the stream itself, Rust's heap and the C library's, and its share of what the process keeps for those
/// that waited last.
const MOST: usize = 1536;

#[test]
fn an_idle_stream_holds_neither_buffers_nor_ciphers() {
    const PAIRS: usize = 10_000;
    let connector = Connector::new(ClientConfig::builder().trust(authority().roots()).no_sessions().build().unwrap());
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let acceptor = Acceptor::new(ServerConfig::builder().identity(identity).no_sessions().build().unwrap());
    let up = Wire::default();
    let down = Wire { from_peer: up.to_peer.clone(), to_peer: up.from_peer.clone() };
    let mut data = vec![7; 16 * 1024];
    let mut pair = || {
        let (client, server) = run(async {
            let name = "localhost".try_into().unwrap();
            tokio::join!(connector.connect(name, up.clone()), acceptor.accept(down.clone()))
        });
        let (mut client, mut server) = (client.unwrap(), server.map_err(|(error, _)| error).unwrap());
        run(async {
            client.write_all(&data).await.unwrap();
            server.read_exact(&mut data).await.unwrap();
            server.write_all(&data).await.unwrap();
            client.read_exact(&mut data).await.unwrap();
        });
        for stream in [&mut client, &mut server] {
            let mut buffer = ReadBuf::new(&mut data);
            let waits = Pin::new(stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer);
            assert!(waits.is_pending());
        }
        (client, server)
    };
    let warm: Vec<_> = (0..100).map(|_| pair()).collect();
    let before = resident();
    let pairs: Vec<_> = (0..PAIRS).map(|_| pair()).collect();
    let grown = resident().saturating_sub(before) / (2 * PAIRS);
    let own = size_of::<TlsStream<Wire>>();
    println!("{PAIRS} idle pairs of streams, bytes a side: {grown} resident, {own} of them the stream itself");
    assert!((own..=MOST).contains(&grown), "{grown} bytes for an idle stream");
    drop((warm, pairs));
}
