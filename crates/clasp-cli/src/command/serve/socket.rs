//! The two ends of a served connection: early data in front of the stream, and a socket that closes so that our last
//! words arrive.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;
use std::net::Shutdown;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A second handle on a socket, which outlives the stream.
pub(super) struct End(std::net::TcpStream);

/// Makes the handle.
pub(super) fn with_end(tcp: TcpStream) -> io::Result<(TcpStream, End)> {
    // Small records must not wait for one another; a socket that refuses works all the same.
    let _unset = tcp.set_nodelay(true);
    let tcp = tcp.into_std()?;
    let end = End(tcp.try_clone()?);
    Ok((TcpStream::from_std(tcp)?, end))
}

impl End {
    /// Half-closes and reads what is left, so that our alert arrives and no reset overtakes it.
    pub(super) async fn drain(self) {
        const ENOUGH: u64 = 1 << 20;
        const PATIENCE: Duration = Duration::from_secs(2);
        // Fails where the peer is gone already: then there is nobody to drain for.
        if self.0.shutdown(Shutdown::Write).is_err() {
            return;
        }
        if let Ok(tcp) = TcpStream::from_std(self.0) {
            let mut rest = tcp.take(ENOUGH);
            // The peer has been told; how its side ends is its own affair.
            let _ended = tokio::time::timeout(PATIENCE, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
        }
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

impl<S: AsyncWrite + Unpin> AsyncWrite for Prefixed<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
