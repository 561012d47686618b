// Above `suite` and `hpke`.
//! Secrets and what is derived from them.

pub(crate) mod confirmation;
#[expect(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "as in `schedule12`")]
pub(crate) mod kept13;
pub mod log;
pub(crate) mod maker;
#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "lengths are those of hashes and suites, and of buffers made for the longest of them; what a peer says is only hashed"
)]
pub(crate) mod schedule12;
#[expect(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "as in `schedule12`")]
pub(crate) mod schedule13;
