#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod connector;
mod fetch;
mod stream;

pub use connector::{Connecting, HttpsConnector};
pub use fetch::HttpFetch;
pub use stream::HttpsStream;

/// Why there is no connection: the transport's error, [`clasp::Error`] inside an [`std::io::Error`], or what is wrong with the
/// address.
pub type BoxError = Box<dyn core::error::Error + Send + Sync>;
