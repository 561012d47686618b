// Above `family`.
//! Bytes to typed messages and back. No state, no keys, no allocation when parsing.

pub(crate) mod decode;
pub mod extension;
pub mod extensions;
pub mod fields;
pub mod message;
mod read;
#[cfg(test)]
mod tests;
mod write;

/// The numbers of the protocol, where tests look for them; everybody else finds them in [`crate::code`].
pub mod code {
    pub use crate::code::*;
}

pub use extensions::{Extension, Extensions};
pub use read::{Codes, Parsed, Reader, Recorder, Show};
pub use write::{TooLong, Writer};
