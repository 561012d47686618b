//! What the workers of the benchmark share. A worker is one library behind the trait [`Peer`]; everything that is
//! measured, and how, stands here once.
//!
//! ```text
//!   row.rs         which rows there are: handshakes, bulk, heap, bare primitives
//!   scenario.rs    what a handshake is made of            credentials.rs  the chains and keys of all peers
//!   peer.rs        the face of a library                  pipe.rs         an in-memory transport for those that want one
//!   wire.rs        bytes on their way
//!   drive.rs       moves bytes between the two ends, each step on its side's account (meter.rs)
//!   clock.rs       processor time      heap.rs  malloc and its kin, counted      instructions.rs  for callgrind
//!   measure.rs     rows to figures     worker.rs  the process: requests in, figures out (protocol.rs)
//! ```

mod clock;
pub mod credentials;
mod drive;
mod heap;
pub mod instructions;
mod measure;
mod meter;
mod peer;
mod pipe;
pub mod primitive;
pub mod protocol;
pub mod row;
pub mod scenario;
mod wire;
mod worker;

pub use peer::{Connection, Offer, Operation, Peer, Settled, Sides};
pub use pipe::Pipe;
pub use wire::Wire;
pub use worker::main;
