//! What an idle stream costs in memory after traffic, though nobody has told it to rest. Run with `--nocapture` to see the
//! figure.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use clasp::{ClientConfig, ServerConfig};
use clasp_testkit::{KeyKind, authority, idle};
use clasp_tokio::{Acceptor, Connector};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::io::{self, Read, Write};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

/// The transport as tokio wants it. Nobody is woken: whoever waits is polled again.
#[derive(Clone)]
struct Wire(idle::Wire);

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = self.0.read(buf.initialize_unfilled());
        match read {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            read => Poll::Ready(read.map(|n| buf.advance(n))),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.0.write(buf))
    }
    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.flush())
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

#[test]
fn an_idle_stream_holds_neither_buffers_nor_ciphers() {
    let connector = Connector::new(ClientConfig::builder().trust(authority().roots()).no_sessions().build().unwrap());
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let acceptor = Acceptor::new(ServerConfig::builder().identity(identity).no_sessions().build().unwrap());
    let (up, down) = idle::Wire::pair();
    let (up, down) = (Wire(up), Wire(down));
    let mut data = vec![7; 16 * 1024];
    idle::check_idle_streams(|| {
        let (client, server) = run(async {
            let name = "localhost".try_into().unwrap();
            tokio::join!(connector.connect(name, up.clone()), acceptor.accept(down.clone()))
        });
        let (mut client, mut server) = (client.unwrap(), server.unwrap());
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
    });
}
