//! Providers for tests: one whose every draw can be had again, one without any secrecy, one with a script, and one that
//! counts.

mod counted;
mod hollow;
mod scripted;
mod seeded;

pub use counted::counted;
pub use hollow::hollow;
pub use scripted::Script;
pub use seeded::{reseed, seeded};
