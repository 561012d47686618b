//! Where connections begin: with a configuration.

use super::Connection;
use crate::config::{ClientConfig, ServerConfig};
use rustls_pki_types::ServerName;
use std::sync::Arc;

impl ClientConfig {
    /// Begins a connection to the server of this name. What there is to say, and what may be wrong with it, comes with
    /// [`Connection::advance`].
    ///
    /// ```
    /// # let config = clasp::ClientConfig::builder().dangerous_trust_anyone().build()?;
    /// let host: String = std::env::args().nth(9).unwrap_or("example.com".into());
    /// let connection = config.connect(host.try_into()?); // a name that is borrowed must be 'static
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn connect(self: &Arc<Self>, name: ServerName<'static>) -> Connection {
        Connection::client(self, name)
    }
}

impl ServerConfig {
    /// Begins a connection with whoever speaks first.
    pub fn accept(self: &Arc<Self>) -> Connection {
        Connection::server(self)
    }
}
