//! The built-in primitives with randomness from a seed, so that a conversation can be had again byte for byte.

use aws_lc_rs::agreement::{self, PrivateKey, PublicKey, UnparsedPublicKey};
use clasp::crypto::{CryptoError, CryptoResult, Group, KeyShare, Provider, Random, RandomError, SharedSecret};
use clasp::wire::code::NamedGroup;
use core::cell::Cell;
use std::sync::OnceLock;

/// The built-in provider, but for its randomness and its key shares: those come from [`reseed`]. Only X25519 and P-256
/// are there; no other group can be given its private key.
pub fn seeded() -> &'static Provider {
    static PROVIDER: OnceLock<Provider> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        let built_in = Provider::builtin();
        Provider {
            name: "AWS-LC, seeded",
            hashes: built_in.hashes,
            aeads: built_in.aeads,
            groups: &[
                &Curve(NamedGroup::X25519, &agreement::X25519),
                &Curve(NamedGroup::Secp256r1, &agreement::ECDH_P256),
            ],
            signatures: built_in.signatures,
            schemes: built_in.schemes,
            random: &Seeded,
            legacy: built_in.legacy,
        }
    })
}

thread_local! {
    static STATE: Cell<u64> = const { Cell::new(1) };
}

/// Starts this thread's randomness of [`seeded`] and [`hollow`](super::hollow) anew.
pub fn reseed(seed: u64) {
    STATE.set(seed);
}

pub(super) struct Seeded;

impl Random for Seeded {
    /// SplitMix64: well spread, and no more.
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(8) {
            let state = STATE.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
            STATE.set(state);
            let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let bytes = (z ^ (z >> 31)).to_be_bytes();
            chunk.copy_from_slice(bytes.get(..chunk.len()).ok_or(RandomError)?);
        }
        Ok(())
    }
}

struct Curve(NamedGroup, &'static agreement::Algorithm);

impl Group for Curve {
    fn id(&self) -> NamedGroup {
        self.0
    }

    fn start(&self) -> CryptoResult<Box<dyn KeyShare>> {
        let mut scalar = [0; 32];
        Seeded.fill(&mut scalar)?;
        share(self.1, &scalar)
    }
}

/// The key pair of a given private key.
pub(super) fn share(curve: &'static agreement::Algorithm, scalar: &[u8]) -> CryptoResult<Box<dyn KeyShare>> {
    let key = PrivateKey::from_private_key(curve, scalar).map_err(|_| CryptoError)?;
    let public = key.compute_public_key().map_err(|_| CryptoError)?;
    Ok(Box::new(Share { curve, key, public }))
}

struct Share {
    curve: &'static agreement::Algorithm,
    key: PrivateKey,
    public: PublicKey,
}

impl KeyShare for Share {
    fn public(&self) -> &[u8] {
        self.public.as_ref()
    }

    fn finish(self: Box<Self>, peer: &[u8], secret: &mut SharedSecret) -> CryptoResult<()> {
        let peer = UnparsedPublicKey::new(self.curve, peer);
        agreement::agree(&self.key, peer, CryptoError, |shared| {
            secret.fill(shared.len()).copy_from_slice(shared);
            Ok(())
        })
    }
}
