//! The first back end: aws-lc-rs, and aws-lc-sys for what no safe crate offers.

pub(super) mod aead;
pub(super) mod hash;
mod hybrid;
mod kx;
#[cfg_attr(not(feature = "legacy"), path = "legacy_disabled.rs")]
mod legacy;
mod ml_kem;
pub(super) mod sign;

use super::{CryptoError, Group, Legacy, Random, RandomError};

pub(super) const GROUPS: &[&dyn Group] = &[
    &hybrid::GROUPS[0],
    &hybrid::GROUPS[1],
    &hybrid::GROUPS[2],
    &ml_kem::GROUPS[0],
    &ml_kem::GROUPS[1],
    &kx::X25519,
    &kx::P256,
    &kx::P384,
    &kx::P521,
];
pub(super) const RANDOM: &dyn Random = &SystemRandom;
pub(super) const LEGACY: Option<&dyn Legacy> = legacy::LEGACY;

struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomError> {
        aws_lc_rs::rand::fill(out).map_err(|_| RandomError)
    }
}

impl From<aws_lc_rs::error::Unspecified> for CryptoError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self
    }
}
