//! Connections to servers.

use crate::TlsStream;
use clasp::ech::EchMode;
use clasp::error::{Cause, PeerError};
use clasp::{ClientConfig, ServerName, TimeLimits};
use core::future::Future;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

/// Makes TLS connections to servers.
#[derive(Clone, Debug)]
pub struct Connector {
    config: Arc<ClientConfig>,
    limits: TimeLimits,
}

impl Connector {
    /// With this configuration.
    pub fn new(config: Arc<ClientConfig>) -> Self {
        Self { config, limits: TimeLimits::default() }
    }

    /// With other limits than the usual ones, for the handshakes and for what is awaited later.
    #[must_use]
    pub fn with_limits(self, limits: TimeLimits) -> Self {
        Self { limits, ..self }
    }

    /// Completes a handshake with the server of this name.
    ///
    /// Dropping the future abandons the connection.
    ///
    /// # Errors
    /// The transport's error, or [`clasp::Error`] inside an [`io::Error`].
    pub async fn connect<T>(&self, name: ServerName<'static>, transport: T) -> io::Result<TlsStream<T>>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let mut stream = self.stream(name, transport);
        stream.handshake().await?;
        Ok(stream)
    }

    /// Completes a handshake with the server of this name over what `dial` gives. Where the server cannot read what the hello hides, and
    /// says as the public name's by what it could (Encrypted Client Hello, RFC 9849 6.1.6), it dials once more and hides by that; a
    /// second refusal is an error, since a server that gives what it cannot read is misconfigured. One that takes no hidden hellos
    /// ([`EchDisabled`](clasp::error::PeerError::EchDisabled)) is an error at once: whether the name may be seen is for the caller to say.
    ///
    /// ```no_run
    /// # async fn f(config: std::sync::Arc<clasp::ClientConfig>) -> std::io::Result<()> {
    /// let connector = clasp_tokio::Connector::new(config);
    /// let name = "hidden.example".try_into().expect("a name");
    /// let tls = connector.connect_again_unheard(name, || tokio::net::TcpStream::connect("hidden.example:443")).await?;
    /// # let _ = tls;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What `dial` says, and as [`connect`](Self::connect).
    pub async fn connect_again_unheard<T, D>(
        &self,
        name: ServerName<'static>,
        mut dial: impl FnMut() -> D,
    ) -> io::Result<TlsStream<T>>
    where
        T: AsyncRead + AsyncWrite + Unpin,
        D: Future<Output = io::Result<T>>,
    {
        let error = match self.connect(name.clone(), dial().await?).await {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        let Some(config) = clasp::Error::from_io(&error).and_then(|error| self.unheard(error)) else {
            return Err(error);
        };
        let again = Self { config: Arc::new(config.map_err(io::Error::other)?), limits: self.limits };
        again.connect(name, dial().await?).await
    }

    /// The configuration that hides by what the server has given, if it has.
    fn unheard(&self, error: &clasp::Error) -> Option<clasp::Result<ClientConfig>> {
        if error.cause() != &Cause::Peer(PeerError::EchRejected) {
            return None;
        }
        let list = error.ech_retry_configs()?.clone();
        Some(self.config.as_ref().clone().with_encrypted_client_hello(EchMode::Offer(list)))
    }

    pub(crate) fn stream<T>(&self, name: ServerName<'static>, transport: T) -> TlsStream<T>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        TlsStream::new(self.config.connect(name), transport, self.limits)
    }
}
