//! Bytes to typed messages and back. No state, no keys, no allocation when parsing.

pub mod code;
pub mod extension;
pub mod extensions;
pub mod fields;
pub mod message;
mod read;
mod write;

pub use extensions::{Extension, Extensions};
pub use read::{Codes, Read, Reader};
pub use write::{TooLong, Writer};
