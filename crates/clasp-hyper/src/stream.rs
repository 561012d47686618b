//! A connection, with TLS or without.

use clasp::Facts;
use clasp_tokio::TlsStream;
use core::pin::Pin;
use core::task::{Context, Poll};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use std::io::{self, IoSlice};
use std::sync::Arc;

/// A connection that an [`HttpsConnector`](crate::HttpsConnector) has made.
#[derive(Debug)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "nearly every connection is the large one")]
pub enum HttpsStream<T> {
    /// Without TLS: an `http://` address.
    Http(T),
    /// Over TLS.
    Https(TokioIo<TlsStream<TokioIo<T>>>),
}

impl<T> HttpsStream<T> {
    /// What the handshake settled; none without TLS.
    pub fn facts(&self) -> Option<&Arc<Facts>> {
        match self {
            Self::Http(_) => None,
            Self::Https(tls) => Some(tls.inner().facts()),
        }
    }

    fn transport(&self) -> &T {
        match self {
            Self::Http(transport) => transport,
            Self::Https(tls) => tls.inner().get_ref().inner(),
        }
    }
}

/// Says that HTTP/2 was agreed on, if it was, and gives each response the [`Facts`] among its extensions, as `Arc<Facts>`.
impl<T: Connection> Connection for HttpsStream<T> {
    fn connected(&self) -> Connected {
        let connected = self.transport().connected();
        let Some(facts) = self.facts() else { return connected };
        let connected = connected.extra(facts.clone());
        if facts.alpn.as_deref() == Some(b"h2") { connected.negotiated_h2() } else { connected }
    }
}

impl<T: Read + Write + Unpin> Read for HttpsStream<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Http(transport) => Pin::new(transport).poll_read(cx, buf),
            Self::Https(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }
}

impl<T: Read + Write + Unpin> Write for HttpsStream<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Http(transport) => Pin::new(transport).poll_write(cx, buf),
            Self::Https(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Http(transport) => Pin::new(transport).poll_write_vectored(cx, bufs),
            Self::Https(tls) => Pin::new(tls).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Http(transport) => transport.is_write_vectored(),
            Self::Https(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Http(transport) => Pin::new(transport).poll_flush(cx),
            Self::Https(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Http(transport) => Pin::new(transport).poll_shutdown(cx),
            Self::Https(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
