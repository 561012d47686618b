//! Where connections begin: with a configuration.

use super::Connection;
use crate::config::{ClientConfig, ServerConfig};
use rustls_pki_types::ServerName;
use std::sync::Arc;

impl ClientConfig {
    /// Begins a connection to the server of this name. What there is to say, and what may be wrong with it, comes with
    /// [`Connection::advance`].
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
