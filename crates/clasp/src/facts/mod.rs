// Above `trace` and `hello` and `pool`.
//! What is known of a connection and its peer: words that sessions, configurations and conversations share.

mod end;
mod event;
mod peer;
mod settled;

pub(crate) use end::{End, MAX_AUTHENTICATION};
pub use event::Event;
pub use peer::PeerIdentity;
pub(crate) use peer::RecentPeers;
pub use settled::{EarlyData, EarlyDataRefusal, EchFacts, Facts, Resumption};
