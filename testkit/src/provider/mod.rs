//! Providers for tests: one whose every draw can be had again, one without any secrecy, one with a script, one that
//! counts, and those whose signatures others check.

mod counted;
mod hollow;
mod scripted;
mod seeded;
mod signatures;

pub use counted::counted;
pub use hollow::hollow;
pub use scripted::Script;
pub use seeded::{reseed, seeded};
pub use signatures::{Checked, NoSignature, Noted, ring_signatures, with_signatures};
