//! Clients for `axum::serve`.

use crate::with_protocols;
use axum::serve::Listener;
use clasp::ServerConfig;
use clasp_tokio::{Acceptor, TlsStream};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};

/// What `axum::serve` takes its clients from: a [`clasp_tokio::Listener`], whose handshakes go on side by side, and so many at
/// once and no more. A client that says nothing or is refused holds up no other.
///
/// ```no_run
/// # async fn run(config: std::sync::Arc<clasp::ServerConfig>, app: axum::Router) -> std::io::Result<()> {
/// use clasp_tokio::{Acceptor, Listener};
/// // With a word to say about limits and errors:
/// let tcp = tokio::net::TcpListener::bind("[::]:8443").await?;
/// let listener = Listener::new(tcp, Acceptor::new(config))
///     .max_handshakes(100)
///     .on_error(|client, error| eprintln!("{client:?}: {error}"));
/// axum::serve(clasp_axum::TlsListener::from(listener), app).await
/// # }
/// ```
#[derive(Debug)]
pub struct TlsListener(clasp_tokio::Listener);

impl TlsListener {
    /// Listens at this address, with the usual limits; whom it refuses, and why, is told to nobody. A configuration without
    /// application protocols offers HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// The system's, if it cannot listen there.
    pub async fn bind(address: impl ToSocketAddrs, config: Arc<ServerConfig>) -> io::Result<Self> {
        let acceptor = Acceptor::new(with_protocols(config)?);
        Ok(Self(clasp_tokio::Listener::new(TcpListener::bind(address).await?, acceptor)))
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// As it is: what it offers is what its configuration says.
impl From<clasp_tokio::Listener> for TlsListener {
    fn from(listener: clasp_tokio::Listener) -> Self {
        Self(listener)
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    fn accept(&mut self) -> impl Future<Output = (Self::Io, SocketAddr)> + Send {
        self.0.accept()
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}
