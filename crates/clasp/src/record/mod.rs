// Above `keys` and `ech`.
//! Records: framing, and the two halves that protect them, each with keys, a sequence number and a limit. RFC 5246 6,
//! RFC 9846 5.

mod error;
pub mod frame;
mod join;
pub mod limits;
mod maker;
mod open;
mod protection;
mod seal;
mod source;

pub use error::{RecordError, SealError};
pub(crate) use join::Joiner;
pub(crate) use maker::RecordKeys;
pub use open::{OpenKeys, OpenedRecord, Opener};
pub use protection::{MAX_BACK, MAX_FRONT};
pub use seal::{SealKeys, Sealer};

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests;
