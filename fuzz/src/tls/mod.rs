//! TLS: every parser, one end fed arbitrary bytes, two ends with a link between that alters what passes.

pub(crate) mod end;
pub mod extension;
pub mod fields;
pub mod link;
pub mod message;
pub mod quic;
pub mod record;
pub mod scenario;
pub mod session;
pub mod single;
