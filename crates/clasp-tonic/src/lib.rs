#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod incoming;
mod stream;

pub use incoming::Incoming;
pub use stream::{TlsInfo, TlsIo};
