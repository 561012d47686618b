//! From a server's name to a connection.

use crate::TlsStream;
use clasp::{ClientConfig, ServerName, TimeLimits};
use clasp_tokio::Connector;
use core::pin::Pin;
use std::future::Future;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};

/// What PostgreSQL's protocol is called (RFC 7301's registry). Servers want it where TLS begins with the first byte
/// (`sslnegotiation=direct`); libpq offers it always.
const ALPN: [&[u8]; 1] = [b"postgresql"];

/// What `connect` of tokio-postgres and of postgres takes.
#[derive(Clone, Debug)]
pub struct MakeTlsConnector {
    tls: Connector,
    server_name: Option<ServerName<'static>>,
}

impl MakeTlsConnector {
    /// With this configuration. One without application protocols offers `postgresql`.
    ///
    /// # Errors
    /// None that a configuration which was built can have.
    pub fn new(config: Arc<ClientConfig>) -> clasp::Result<Self> {
        let config =
            if config.alpn().is_empty() { Arc::new(ClientConfig::clone(&config).with_alpn(ALPN)?) } else { config };
        Ok(Self { tls: Connector::new(config), server_name: None })
    }

    /// With other time limits than 30 seconds for a handshake and 10 for each answer of a party outside.
    #[must_use]
    pub fn with_limits(self, limits: TimeLimits) -> Self {
        Self { tls: self.tls.with_limits(limits), ..self }
    }

    /// Asks every server for this name, and not for that of its `host`: for one that is reached by another name.
    #[must_use]
    pub fn server_name(self, name: ServerName<'static>) -> Self {
        Self { server_name: Some(name), ..self }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<T> for MakeTlsConnector {
    type Stream = TlsStream<T>;
    type TlsConnect = TlsConnector;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<TlsConnector> {
        // tokio-postgres asks before it knows whether there will be TLS: a Unix socket has no name, and needs none.
        let name = match &self.server_name {
            Some(name) => Ok(name.clone()),
            None => ServerName::try_from(host.to_owned()).map_err(|_| host.to_owned()),
        };
        Ok(TlsConnector { tls: self.tls.clone(), name })
    }
}

/// Connects to one server.
#[derive(Clone, Debug)]
pub struct TlsConnector {
    tls: Connector,
    /// The server's, or what is none.
    name: Result<ServerName<'static>, String>,
}

/// What a [`TlsConnector`] gives: a connection, in a while.
pub type Connecting<T> = Pin<Box<dyn Future<Output = io::Result<TlsStream<T>>> + Send>>;

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<T> for TlsConnector {
    type Stream = TlsStream<T>;
    type Error = io::Error;
    type Future = Connecting<T>;

    fn connect(self, transport: T) -> Connecting<T> {
        Box::pin(async move {
            let name = self.name.map_err(|host| {
                let words =
                    format!("{host:?} is neither a DNS name nor an IP address: `host` or server_name has to say one");
                io::Error::new(io::ErrorKind::InvalidInput, words)
            })?;
            Ok(TlsStream(self.tls.connect(name, transport).await?))
        })
    }
}
