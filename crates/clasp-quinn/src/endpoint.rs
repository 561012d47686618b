//! Endpoints in one call, as quinn has them for rustls.

use crate::config::{ClientCrypto, ServerCrypto};
use crate::tokens::EndpointKey;
use clasp::crypto::Provider;
use quinn::{Endpoint, EndpointConfig, TokioRuntime};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

/// An endpoint's own configuration: a random key for stateless resets, and QUIC version 1.
///
/// # Errors
/// If the system has no randomness.
pub fn endpoint_config(provider: &'static Provider) -> clasp::Result<EndpointConfig> {
    let mut config = EndpointConfig::new(Arc::new(EndpointKey::random(provider)?));
    config.supported_versions(vec![clasp::quic::Version::V1.number()]);
    Ok(config)
}

/// quinn's configuration of a client, over Clasp's; transport settings and all else that quinn has are changed there.
///
/// # Errors
/// If the configuration cannot be QUIC's: it has no application protocol, or does not speak TLS 1.3.
pub fn client_config(config: Arc<clasp::ClientConfig>) -> clasp::Result<quinn::ClientConfig> {
    Ok(quinn::ClientConfig::new(Arc::new(ClientCrypto::new(config)?)))
}

/// quinn's configuration of a server, over Clasp's, with a random key for tokens.
///
/// # Errors
/// As [`client_config`]; or if the system has no randomness.
pub fn server_config(config: Arc<clasp::ServerConfig>) -> clasp::Result<quinn::ServerConfig> {
    let key = EndpointKey::random(config.provider())?;
    Ok(quinn::ServerConfig::new(Arc::new(ServerCrypto::new(config)?), Arc::new(key)))
}

/// A client's endpoint, in tokio's runtime; `[::]:0` and `0.0.0.0:0` are for whatever port is free.
///
/// # Errors
/// If the address cannot be bound, or the configuration cannot be QUIC's.
pub fn client(config: Arc<clasp::ClientConfig>, address: SocketAddr) -> io::Result<Endpoint> {
    let own = endpoint_config(config.provider())?;
    let config = client_config(config)?;
    let mut endpoint = Endpoint::new(own, None, UdpSocket::bind(address)?, Arc::new(TokioRuntime))?;
    endpoint.set_default_client_config(config);
    Ok(endpoint)
}

/// A server's endpoint, in tokio's runtime.
///
/// # Errors
/// As [`client`].
pub fn server(config: Arc<clasp::ServerConfig>, address: SocketAddr) -> io::Result<Endpoint> {
    let own = endpoint_config(config.provider())?;
    let config = server_config(config)?;
    Endpoint::new(own, Some(config), UdpSocket::bind(address)?, Arc::new(TokioRuntime))
}
