//! Providers for tests: one whose every draw can be had again, and one without any secrecy.

mod hollow;
mod seeded;

pub use hollow::hollow;
pub use seeded::{reseed, seeded};
