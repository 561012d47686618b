//! Clients for tonic's server.

use crate::TlsIo;
use clasp::ServerConfig;
use clasp_tokio::{Acceptor, Listener};
use core::pin::Pin;
use core::task::{Context, Poll};
use futures_core::Stream;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, ToSocketAddrs};

/// What `serve_with_incoming` takes its clients from: a [`Listener`], whose handshakes go on side by side, and so many at once
/// and no more. A client that says nothing or is refused holds up no other, and ends nothing: there is always a next.
#[derive(Debug)]
pub struct Incoming(Listener);

impl Incoming {
    /// Listens at this address, with the usual limits; whom it refuses, and why, is told to nobody. A configuration without
    /// application protocols offers HTTP/2 alone, which is what gRPC is spoken over.
    ///
    /// # Errors
    /// The system's, if it cannot listen there.
    pub async fn bind(address: impl ToSocketAddrs, config: Arc<ServerConfig>) -> io::Result<Self> {
        let config =
            if config.alpn().is_empty() { Arc::new(ServerConfig::clone(&config).with_alpn(["h2"])?) } else { config };
        Ok(Self(Listener::new(TcpListener::bind(address).await?, Acceptor::new(config))))
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// As it is: what it offers is what its configuration says, and has to have `h2` in it.
impl From<Listener> for Incoming {
    fn from(listener: Listener) -> Self {
        Self(listener)
    }
}

impl Stream for Incoming {
    type Item = io::Result<TlsIo>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().0.poll_accept(cx).map(|(tls, peer)| Some(Ok(TlsIo::new(tls, peer))))
    }
}
