// Above `exchange`.
//! The blocking adapter, a connection over anything that reads and writes, whole or in two halves.

mod blocking;
mod halves;
mod transport;

pub use blocking::Stream;
pub use halves::{StreamReader, StreamWriter};
