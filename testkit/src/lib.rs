//! For tests of Clasp: certificates, two connections joined in memory, doubles that answer late, a clock by hand,
//! providers whose randomness can be had again or follows a script.
#![forbid(unsafe_code)]

mod certificates;
mod pair;
pub mod provider;
mod slow;

pub use certificates::{Authority, Issued, KeyKind, authority, other_authority};
pub use pair::{ManualClock, Pair};
pub use slow::{Gate, SlowSessions, SlowSigner, SlowVerifier};
