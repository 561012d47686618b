//! Clasp: TLS in safe Rust. TLS 1.3, and the classic TLS 1.2 handshake, whole; client and server.
//!
//! ```text
//!   your program ──  Stream (blocking)   clasp-tokio (async)   Connection (you move the bytes)
//!                          │                    │                   │
//!   exchange/              └─────────┬──────────┘                   │  buffers on loan
//!   connection/                      └──────────────────────────────┤  drives
//!   handshake/   client13  server13  client12  server12: ───────────┤  ask for operations
//!   record/      frame  join  open  seal  limits  ──────────────────┘  carries them out
//!   config/  session/  facts/  trace  hello/  error/   settings, resumption, what is known, what is seen, what went wrong
//!   keys/  suite  crypto/  wire/  code               secrets, suites, primitives, bytes, numbers
//! ```
//!
//! The paved path is five names: [`ClientConfig`], [`ServerConfig`], [`Identity`], [`Roots`], [`Stream`].
//!
//! ```no_run
//! use clasp::{ClientConfig, Roots, Stream};
//! use std::io::{Read, Write};
//! use std::{net::TcpStream, sync::Arc};
//! let mut roots = Roots::empty();
//! roots.add_pem(&std::fs::read("ca.pem")?)?;
//! let config = ClientConfig::builder().trust(Arc::new(roots)).build()?;
//! let mut tls = Stream::new(config.connect("example.com".try_into()?), TcpStream::connect("example.com:443")?);
//! tls.write_all(b"GET / HTTP/1.0\r\nHost: example.com\r\n\r\n")?;
//! let mut page = Vec::new();
//! tls.read_to_end(&mut page)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//! `roots` (by default) has `Roots::native` and `Roots::bundled`; `legacy` (by default) the classic suites of TLS 1.2, and
//! `compression` (by default) certificate compression, both off until a policy or a configuration asks for them.
//! `quic` (by default) has [`quic`], TLS for a QUIC stack. `encrypted-keys` (by default) reads PKCS #12 and encrypted PKCS #8. `ring` and
//! `rust-crypto` (by default) bring these libraries' AES-GCM and SHA-2 for processors on which they are the faster; without
//! them AWS-LC has all of it. Nothing but speed depends on these two.
#![deny(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Denied everywhere, so that a new module cannot forget it; where it stands all the same, an attribute says why.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod answer;
pub mod code;
pub mod config;
mod connection;
mod copy;
pub mod crypto;
pub mod ech;
pub mod error;
mod established;
mod exchange;
mod facts;
mod family;
mod handshake;
pub mod hello;
pub mod hpke;
pub mod keys;
#[doc(hidden)] // for our own tests: it has no stability
pub mod messages;
pub mod passive;
mod pool;
#[cfg(feature = "quic")]
#[cfg_attr(docsrs, doc(cfg(feature = "quic")))]
pub mod quic;
#[doc(hidden)] // for our own tests, fuzzing and shim: it has no stability
pub mod record;
pub mod session;
mod stream;
pub mod suite;
pub mod trace;
#[doc(hidden)] // the same
pub mod wire;

pub use answer::Answer;
pub use clasp_x509::{self as x509, Roots};
pub use code::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
pub use config::{ClientAuth, ClientConfig, Identity, Policy, ServerConfig};
pub use connection::{Connection, HEADROOM, Moved, Received, Receiver, Sender, TAILROOM, Want};
pub use error::{Error, Result};
pub use exchange::{Exchange, Progress, TimeLimits};
pub use facts::{EarlyData, EarlyDataRefusal, EchFacts, Event, Facts, PeerIdentity, Resumption};
pub use handshake::link::Waiting;
pub use pool::{Pool, PoolSizes};
pub use rustls_pki_types::{self as pki_types, ServerName};
pub use stream::{Stream, StreamReader, StreamWriter};

/// The example of the crate's page compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
