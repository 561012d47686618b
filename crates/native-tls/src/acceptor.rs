//! Servers.

use crate::handshake::shake;
use crate::protocol::{Protocol, Unspoken, policy};
use crate::{Error, HandshakeError, Identity, Result, TlsStream};
use clasp::{ServerConfig, Stream};
use core::{fmt, result};
use std::io::{Read, Write};
use std::sync::Arc;

/// Builds a [`TlsAcceptor`].
pub struct TlsAcceptorBuilder {
    identity: Identity,
    min: Option<Protocol>,
    max: Option<Protocol>,
    alpn: Vec<String>,
}

impl TlsAcceptorBuilder {
    /// The least version to speak; TLS 1.2 at any rate.
    pub fn min_protocol_version(&mut self, protocol: Option<Protocol>) -> &mut Self {
        self.min = protocol;
        self
    }

    /// The greatest version to speak; TLS 1.3 by default.
    pub fn max_protocol_version(&mut self, protocol: Option<Protocol>) -> &mut Self {
        self.max = protocol;
        self
    }

    /// Application protocols, best first (RFC 7301).
    pub fn accept_alpn(&mut self, protocols: &[impl AsRef<str>]) -> &mut Self {
        self.alpn = protocols.iter().map(|protocol| protocol.as_ref().to_owned()).collect();
        self
    }

    /// The acceptor.
    ///
    /// # Errors
    /// If the settings cannot be. Versions of which Clasp speaks none are an error of [`TlsAcceptor::accept`].
    pub fn build(&self) -> Result<TlsAcceptor> {
        let builder = ServerConfig::builder().identity(self.identity.clasp()).alpn(&self.alpn);
        let config = match policy(self.min, self.max) {
            Ok(policy) => Ok(builder.policy(policy).build()?),
            Err(unspoken) => Err(unspoken),
        };
        Ok(TlsAcceptor { config, identity: self.identity.clone() })
    }
}

/// Takes TLS connections from clients.
#[derive(Clone)]
pub struct TlsAcceptor {
    config: result::Result<Arc<ServerConfig>, Unspoken>,
    identity: Identity,
}

impl TlsAcceptor {
    /// With nothing else said.
    ///
    /// # Errors
    /// None that an identity which was read can have.
    pub fn new(identity: Identity) -> Result<Self> {
        Self::builder(identity).build()
    }

    /// To say more.
    pub const fn builder(identity: Identity) -> TlsAcceptorBuilder {
        TlsAcceptorBuilder { identity, min: Some(Protocol::Tlsv12), max: None, alpn: Vec::new() }
    }

    /// Completes a handshake with a client.
    ///
    /// # Errors
    /// [`HandshakeError::WouldBlock`], if the transport had nothing at present; or why the handshake failed.
    pub fn accept<S: Read + Write>(&self, stream: S) -> result::Result<TlsStream<S>, HandshakeError<S>> {
        let config = self.config.as_ref().map_err(|unspoken| Error::from(*unspoken))?;
        shake(Stream::new(config.accept(), stream), Some(self.identity.clone()))
    }
}

impl fmt::Debug for TlsAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsAcceptor").finish_non_exhaustive()
    }
}

impl fmt::Debug for TlsAcceptorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsAcceptorBuilder").finish_non_exhaustive()
    }
}
