#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod connector;
mod stream;

pub use connector::{Connecting, MakeTlsConnector, TlsConnector};
pub use stream::TlsStream;
