//! Clasp over tokio: [`Connector`], [`Acceptor`], [`Listener`], [`TlsStream`]; [`Pending`], a client of whom only the hello is known.
//!
//! ```no_run
//! # async fn run(config: std::sync::Arc<clasp::ClientConfig>) -> std::io::Result<()> {
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! let tcp = tokio::net::TcpStream::connect("example.com:443").await?;
//! let name = "example.com".try_into().expect("a DNS name");
//! let mut tls = clasp_tokio::Connector::new(config).connect(name, tcp).await?;
//! tls.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
//! tls.flush().await?;
//! let mut page = Vec::new();
//! tls.read_to_end(&mut page).await?;
//! # Ok(()) }
//! ```
//!
//! # Time
//! A handshake, and each answer of a party outside, may take as long as [`TimeLimits`] say: 30 seconds and 10, unless a
//! [`Connector`] or an [`Acceptor`] is told otherwise. Tokio's timer keeps the time: a runtime of one's own making needs
//! `enable_time`, or [`TimeLimits::none`]; without it tokio panics where a timer is first needed. Under an executor that is
//! not tokio's there is no timer, and nothing is limited.
//!
//! [`TimeLimits`]: clasp::TimeLimits
//! [`TimeLimits::none`]: clasp::TimeLimits::none
#![forbid(unsafe_code)]

mod acceptor;
mod connecting;
mod connector;
mod listener;
mod pending;
mod stream;
mod time;
mod wakers;

pub use acceptor::{AcceptError, Acceptor};
pub use connecting::Connecting;
pub use connector::Connector;
pub use listener::Listener;
pub use pending::{PassThrough, PeekError, Pending};
pub use stream::TlsStream;

/// The example of the crate's page compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
