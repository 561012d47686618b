//! For tests of Clasp: certificates, two connections joined in memory, doubles that answer late, a clock by hand,
//! providers whose randomness can be had again or follows a script, records and messages to alter, conversations to play,
//! a transport for many idle streams, a real PostgreSQL, and what an error or a library's face says.
#![forbid(unsafe_code)]

mod certificates;
mod face;
pub mod hollow_bytes;
pub mod idle;
pub mod messages;
mod pair;
mod postgres;
pub mod provider;
pub mod rsa;
pub mod script;
mod slow;
mod suites;
pub mod torture;
mod words;

pub use certificates::{Authority, Issued, KeyKind, authority, other_authority};
pub use face::{not_held, send_sync};
pub use pair::{ManualClock, Pair};
pub use postgres::{PASSWORD, Postgres, postgres};
pub use slow::{Gate, SlowSessions, SlowSigner, SlowVerifier};
pub use suites::{configs_of, one_suite_of_each_protection};
pub use words::words;

/// The examples of the project's page compile. They stand here because what is published must not need that page.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// So do those of the page on QUIC.
#[cfg(doctest)]
#[doc = include_str!("../../docs/quic.md")]
pub struct Quic;

/// And those of the page on Encrypted Client Hello.
#[cfg(doctest)]
#[doc = include_str!("../../docs/ech.md")]
pub struct Ech;
