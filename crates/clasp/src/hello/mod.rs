// Above `error`.
//! A client's hello by itself, before anybody answers it: who it asks for, what it speaks, which program it looks like.
//!
//! ```
//! use clasp::hello::HelloReader;
//! # let bytes = [22, 3, 1];
//! // What a client has sent so far; it is asked again with more until there is a whole hello.
//! let mut reader = HelloReader::default();
//! if let Some(hello) = reader.read(&bytes)? {
//!     println!("{:?} {}", hello.server_name(), hello.ja4());
//! }
//! # Ok::<(), clasp::Error>(())
//! ```

mod client;
mod fingerprint;
mod reader;

pub use crate::wire::message::HELLO_RETRY_REQUEST_RANDOM;
pub use client::ClientHello;
pub(crate) use client::host_name;
pub use reader::HelloReader;
