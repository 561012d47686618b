//! A connection, and what a service learns of it.

use clasp::Facts;
use clasp_tokio::TlsStream;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tonic::transport::server::Connected;

/// Who the client is. A service finds it among a request's extensions.
///
/// ```
/// use clasp_tonic::TlsInfo;
/// use tonic::{Request, Status};
///
/// /// An interceptor: clients of one's own domain alone.
/// fn ours<T>(request: Request<T>) -> Result<Request<T>, Status> {
///     let client = request.extensions().get::<TlsInfo>().ok_or_else(|| Status::internal("served without TLS"))?;
///     let names = client.facts.peer_identifiers();
///     if names.iter().any(|name| name.to_string().ends_with(".example.com")) {
///         return Ok(request);
///     }
///     Err(Status::permission_denied(format!("{} is none of ours", client.remote_addr)))
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TlsInfo {
    /// The client's address.
    pub remote_addr: SocketAddr,
    /// What the handshake settled: the client's certificate ([`peer_chain`](Facts::peer_chain)) and who it says that the client is
    /// ([`peer_identifiers`](Facts::peer_identifiers)), both empty without one; the name that was asked for, version and suite.
    pub facts: Arc<Facts>,
}

/// A client's connection, as an [`Incoming`](crate::Incoming) gives it.
#[derive(Debug)]
pub struct TlsIo {
    tls: TlsStream<TcpStream>,
    peer: SocketAddr,
}

impl TlsIo {
    /// This connection of this client, for whoever accepts by himself.
    pub const fn new(tls: TlsStream<TcpStream>, peer: SocketAddr) -> Self {
        Self { tls, peer }
    }
}

impl Connected for TlsIo {
    type ConnectInfo = TlsInfo;

    fn connect_info(&self) -> TlsInfo {
        TlsInfo { remote_addr: self.peer, facts: self.tls.facts().clone() }
    }
}

impl AsyncRead for TlsIo {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_read(cx, buf)
    }
}

impl AsyncWrite for TlsIo {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tls).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tls).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_shutdown(cx)
    }
}
