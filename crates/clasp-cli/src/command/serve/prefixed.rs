//! Early data, or what was read too much, in front of the stream.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, ReadBuf};

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

    /// The same with more in front.
    pub(super) fn behind(mut self, bytes: &[u8]) -> Self {
        self.prefix.splice(..self.used, bytes.iter().copied());
        self.used = 0;
        self
    }

    fn rest(&self) -> &[u8] {
        self.prefix.get(self.used..).unwrap_or_default()
    }
}

impl<S: AsyncBufRead + Unpin> Prefixed<S> {
    /// Waits, without a buffer, until there is something to read: true; or until the end: false.
    pub(super) async fn readable(&mut self) -> io::Result<bool> {
        Ok(!self.rest().is_empty() || !self.stream.fill_buf().await?.is_empty())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Prefixed<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let rest = this.rest();
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
