//! The two ends of a served connection: early data in front of the stream, and a socket that closes so that our last
//! words arrive.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

/// A socket that goes back to its [`End`] when whoever has it is done with it.
pub(super) struct Lent {
    tcp: Option<TcpStream>,
    /// Our side has been closed, and the peer's.
    closed: Closed,
    end: Arc<Mutex<Option<(TcpStream, Closed)>>>,
}

/// Which directions of a socket have come to their end.
#[derive(Clone, Copy, Default)]
struct Closed {
    ours: bool,
    peers: bool,
}

/// Where a lent socket comes back to.
pub(super) struct End(Arc<Mutex<Option<(TcpStream, Closed)>>>);

/// Lends a socket.
pub(super) fn lend(tcp: TcpStream) -> (Lent, End) {
    // Small records must not wait for one another; a socket that refuses works all the same.
    let _unset = tcp.set_nodelay(true);
    let end = Arc::default();
    (Lent { tcp: Some(tcp), closed: Closed::default(), end: Arc::clone(&end) }, End(end))
}

impl Lent {
    fn poll_shut(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = self.tcp().poll_shutdown(cx);
        self.closed.ours |= matches!(outcome, Poll::Ready(Ok(())));
        outcome
    }

    fn tcp(&mut self) -> Pin<&mut TcpStream> {
        Pin::new(self.tcp.as_mut().expect("a socket, until this is dropped"))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let back = self.tcp.take().map(|tcp| (tcp, self.closed));
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = back;
    }
}

impl End {
    /// Half-closes and reads what is left, so that our alert arrives and no reset overtakes it.
    pub(super) async fn drain(self) {
        const ENOUGH: u64 = 1 << 20;
        const PATIENCE: Duration = Duration::from_secs(2);
        let back = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((mut tcp, closed)) = back else { return };
        // What the peer said last has been read: a close resets nothing.
        if closed.peers {
            return;
        }
        // Fails where the peer is gone already: then there is nobody to drain for.
        if closed.ours || tcp.shutdown().await.is_ok() {
            let mut rest = tcp.take(ENOUGH);
            // The peer has been told; how its side ends is its own affair.
            let _ended = tokio::time::timeout(PATIENCE, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
        }
    }
}

impl AsyncRead for Lent {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let (before, room) = (buf.filled().len(), buf.remaining());
        let outcome = this.tcp().poll_read(cx, buf);
        if matches!(outcome, Poll::Ready(Ok(()))) && buf.filled().len() == before && room > 0 {
            this.closed.peers = true;
        }
        outcome
    }
}

/// A stream with bytes in front that were read before.
pub(super) struct Prefixed<S> {
    prefix: Vec<u8>,
    used: usize,
    stream: S,
}

impl<S> Prefixed<S> {
    pub(super) const fn new(prefix: Vec<u8>, stream: S) -> Self {
        Self { prefix, used: 0, stream }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Prefixed<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let rest = this.prefix.get(this.used..).unwrap_or_default();
        if rest.is_empty() {
            return Pin::new(&mut this.stream).poll_read(cx, buf);
        }
        let n = rest.len().min(buf.remaining());
        buf.put_slice(rest.get(..n).unwrap_or_default());
        this.used += n;
        if this.used == this.prefix.len() {
            (this.prefix, this.used) = (Vec::new(), 0);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Prefixed<S> {
    fn poll_shut(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}

impl<S: Unpin> Prefixed<S> {
    fn stream(&mut self) -> Pin<&mut S> {
        Pin::new(&mut self.stream)
    }
}

/// Writes go where `$inner` says, as they are.
macro_rules! writes_to {
    ([$($generics:tt)*] $name:ty, $inner:ident) => {
        impl<$($generics)*> AsyncWrite for $name {
            fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
                self.get_mut().$inner().poll_write(cx, buf)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[io::IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.get_mut().$inner().poll_write_vectored(cx, bufs)
            }

            // TCP sockets and TLS streams both take vectors.
            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.get_mut().$inner().poll_flush(cx)
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.get_mut().poll_shut(cx)
            }
        }
    };
}

writes_to!([] Lent, tcp);
writes_to!([S: AsyncWrite + Unpin] Prefixed<S>, stream);

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn sockets() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (client, listener.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn a_client_that_still_speaks_gets_our_last_words() {
        for shut in [false, true] {
            let (mut client, server) = sockets().await;
            let (mut lent, end) = lend(server);
            client.write_all(&[7; 100_000]).await.unwrap();
            lent.write_all(b"last words").await.unwrap();
            if shut {
                lent.shutdown().await.unwrap();
            }
            drop(lent);
            let mut said = Vec::new();
            let hear = async {
                client.read_to_end(&mut said).await.unwrap();
                drop(client);
            };
            tokio::join!(end.drain(), hear);
            assert_eq!(said, b"last words");
        }
    }

    #[tokio::test]
    async fn a_client_that_has_closed_is_not_waited_for() {
        let (mut client, server) = sockets().await;
        let (mut lent, end) = lend(server);
        client.write_all(b"all").await.unwrap();
        client.shutdown().await.unwrap();
        // No room is no end.
        assert_eq!(lent.read(&mut []).await.unwrap(), 0);
        assert!(!lent.closed.peers);
        let mut all = Vec::new();
        lent.read_to_end(&mut all).await.unwrap();
        assert!(lent.closed.peers);
        lent.write_all(b"last words").await.unwrap();
        drop(lent);
        end.drain().await;
        let mut said = Vec::new();
        client.read_to_end(&mut said).await.unwrap();
        assert_eq!(said, b"last words");
    }
}
