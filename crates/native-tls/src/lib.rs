#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod acceptor;
mod connector;
mod error;
mod handshake;
mod identity;
mod protocol;
mod stream;

pub use acceptor::{TlsAcceptor, TlsAcceptorBuilder};
pub use connector::{TlsConnector, TlsConnectorBuilder};
pub use error::{Error, Result};
pub use handshake::{HandshakeError, MidHandshakeTlsStream};
pub use identity::{Certificate, Identity};
pub use protocol::Protocol;
pub use stream::TlsStream;
