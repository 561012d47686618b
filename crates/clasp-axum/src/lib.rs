#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "axum-server")]
mod acceptor;
mod info;
mod listener;

#[cfg(feature = "axum-server")]
pub use acceptor::{Accepting, TlsAcceptor};
pub use info::TlsInfo;
pub use listener::TlsListener;

use clasp::ServerConfig;
use std::sync::Arc;

/// With HTTP/2 and HTTP/1.1 offered, where the configuration says nothing.
fn with_protocols(config: Arc<ServerConfig>) -> clasp::Result<Arc<ServerConfig>> {
    if config.alpn().is_empty() {
        return Ok(Arc::new(ServerConfig::clone(&config).with_alpn(["h2", "http/1.1"])?));
    }
    Ok(config)
}
