// Above `facts`.
//! Sessions: what is kept so that the next handshake saves a round trip and the public-key work.

mod client_cache;
mod context;
mod epochs;
mod fitting;
mod revoked;
mod shard;
mod state;
mod store;
mod strikes;
mod ticket;

pub use client_cache::{ClientSessionCache, ClientSessions, PeerKey, Session};
pub(crate) use context::{CONTEXT_LEN, Context};
pub(crate) use fitting::Fitting;
pub(crate) use revoked::{ID_LEN, KeptSession};
pub(crate) use state::ServerSession;
pub use store::{ServerSessionCache, ServerSessions};
pub use ticket::{Opened, TicketKeys, TicketSealer};
