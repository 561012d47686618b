//! A connection to a server.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io::{self, IoSlice};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{self, ChannelBinding};

/// A TLS connection to a server.
#[derive(Debug)]
pub struct TlsStream<T>(pub(crate) clasp_tokio::TlsStream<T>);

impl<T> TlsStream<T> {
    /// The connection: [`facts`](clasp_tokio::TlsStream::facts) says what the handshake settled.
    pub const fn get_ref(&self) -> &clasp_tokio::TlsStream<T> {
        &self.0
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> tls::TlsStream for TlsStream<T> {
    /// `tls-server-end-point` of the server's certificate. None where RFC 5929 4.1 says of none: a certificate whose signature
    /// has no hash of its own (Ed25519, ML-DSA), a raw public key. Such a server is refused where the binding is required.
    fn channel_binding(&self) -> ChannelBinding {
        let binding = match self.0.facts().peer_chain() {
            [certificate, ..] => self.0.connection().tls_server_end_point(certificate).ok(),
            [] => None,
        };
        binding.map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(cx, buf)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}
