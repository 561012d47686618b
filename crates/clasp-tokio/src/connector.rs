//! Connections to servers.

use crate::TlsStream;
use clasp::{ClientConfig, ServerName, TimeLimits};
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

    pub(crate) fn stream<T>(&self, name: ServerName<'static>, transport: T) -> TlsStream<T>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        TlsStream::new(self.config.connect(name), transport, self.limits)
    }
}
