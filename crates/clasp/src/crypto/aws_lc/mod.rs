//! The built-in back end: aws-lc-rs, and aws-lc-sys for what no safe crate offers.

mod aead;
mod hash;
mod hybrid;
mod kx;
#[cfg_attr(not(feature = "legacy"), path = "legacy_disabled.rs")]
mod legacy;
pub(super) mod sign;
mod verify;

use super::{CryptoError, CryptoResult, Provider, Random};

pub(super) static PROVIDER: Provider = Provider {
    name: "AWS-LC",
    hashes: &[&hash::SHA256, &hash::SHA384, &hash::SHA1, &hash::SHA512],
    aeads: &[&aead::AES_128_GCM, &aead::AES_256_GCM, &aead::CHACHA20_POLY1305],
    groups: &[&hybrid::GROUPS[0], &hybrid::GROUPS[1], &hybrid::GROUPS[2], &kx::X25519, &kx::P256, &kx::P384, &kx::P521],
    verify: &verify::Verify,
    random: &SystemRandom,
    legacy: legacy::LEGACY,
};

struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, out: &mut [u8]) -> CryptoResult<()> {
        aws_lc_rs::rand::fill(out).map_err(CryptoError::from)
    }
}

impl From<aws_lc_rs::error::Unspecified> for CryptoError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self
    }
}
