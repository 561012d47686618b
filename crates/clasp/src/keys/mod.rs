//! Secrets and what is derived from them.

pub mod log;
pub(crate) mod schedule12;
pub(crate) mod schedule13;
