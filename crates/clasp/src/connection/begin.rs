//! Where connections begin: with a configuration.

use super::Connection;
use crate::config::{ClientConfig, ServerConfig};
use crate::error::Result;
use rustls_pki_types::ServerName;
use std::sync::Arc;

impl ClientConfig {
    /// Begins a connection to the server of this name.
    ///
    /// # Errors
    /// If the first message cannot be made: the system has no randomness.
    pub fn connect(self: &Arc<Self>, name: ServerName<'static>) -> Result<Connection> {
        Connection::client(self, name)
    }
}

impl ServerConfig {
    /// Begins a connection with whoever speaks first.
    pub fn accept(self: &Arc<Self>) -> Connection {
        Connection::server(self)
    }
}
