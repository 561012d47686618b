//! Providers for tests: one whose every draw can be had again, one without any secrecy, and one with a script.

mod hollow;
mod scripted;
mod seeded;

pub use hollow::hollow;
pub use scripted::Script;
pub use seeded::{reseed, seeded};
