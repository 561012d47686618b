// Above `crypto`.
//! Hybrid public key encryption, base mode: RFC 9180. Whoever knows a recipient's public key seals to it, and the recipient
//! alone opens. Encrypted Client Hello is what Clasp has it for (RFC 9849).
//!
//! ```
//! use clasp::{crypto::Provider, hpke::{RecipientKey, Suite}};
//! let provider = Provider::builtin();
//! let key = RecipientKey::generate(provider, Suite::default().kem)?;
//!
//! let (encapsulated, mut sealer) = Suite::default().sealer(provider, key.public(), b"what it is for")?;
//! let mut message = b"a secret".to_vec();
//! sealer.seal(b"what goes with it", &mut message)?;
//!
//! let mut opener = Suite::default().opener(provider, &key, &encapsulated, b"what it is for")?;
//! opener.open(b"what goes with it", &mut message)?;
//! assert_eq!(message, b"a secret");
//! # Ok::<(), clasp::crypto::CryptoError>(())
//! ```

mod context;
mod kem;
mod labeled;
#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests;
#[cfg(test)]
mod vectors;

pub use context::{Opener, Sealer};
pub use kem::RecipientKey;

use crate::code::{HpkeAead, HpkeKdf, HpkeKem};
use crate::crypto::{AeadId, CryptoError, CryptoResult, HashId, Provider, SharedSecret};
use context::Schedule;
use kem::Kem;

/// The three algorithms that sender and recipient have agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Suite {
    /// How a secret gets to the recipient.
    pub kem: HpkeKem,
    /// How keys are derived from it.
    pub kdf: HpkeKdf,
    /// What seals.
    pub aead: HpkeAead,
}

/// What every implementation of Encrypted Client Hello has: RFC 9849 9.
impl Default for Suite {
    fn default() -> Self {
        Self { kem: HpkeKem::DhkemX25519HkdfSha256, kdf: HpkeKdf::HkdfSha256, aead: HpkeAead::Aes128Gcm }
    }
}

impl Suite {
    /// Whether this provider has all three.
    pub fn is_had_by(self, provider: &Provider) -> bool {
        let aead = self.aead().and_then(|id| provider.aead(id).map(drop));
        let hash = self.hash().and_then(|id| provider.hash(id).map(drop));
        aead.is_ok() && hash.is_ok() && Kem::of(provider, self.kem).is_ok()
    }

    /// `SetupBaseS`: the encapsulated key that the recipient is to have, and what seals to it. `recipient` is the
    /// recipient's public key, `info` what both sides know to be sealing for.
    ///
    /// # Errors
    /// If `recipient` is no public key of the KEM, the provider lacks an algorithm, or randomness fails.
    pub fn sealer(self, provider: &Provider, recipient: &[u8], info: &[u8]) -> CryptoResult<(Vec<u8>, Sealer)> {
        let mut shared = SharedSecret::default();
        let encapsulated = Kem::of(provider, self.kem)?.encapsulate(recipient, &mut shared)?;
        Ok((encapsulated, Sealer::new(self.schedule(provider)?.context(&shared, info)?)))
    }

    /// `SetupBaseR`: what opens, with the encapsulated key that came.
    ///
    /// # Errors
    /// If `encapsulated` is no public value of the KEM, the key is another KEM's, or the provider lacks an algorithm. That a
    /// message was sealed to another key shows when it is opened.
    pub fn opener(
        self,
        provider: &Provider,
        key: &RecipientKey,
        encapsulated: &[u8],
        info: &[u8],
    ) -> CryptoResult<Opener> {
        if key.kem() != self.kem {
            return Err(CryptoError);
        }
        let mut shared = SharedSecret::default();
        key.decapsulate(provider, encapsulated, &mut shared)?;
        Ok(Opener::new(self.schedule(provider)?.context(&shared, info)?))
    }

    fn schedule(self, provider: &Provider) -> CryptoResult<Schedule> {
        Schedule::new(self, provider.hash(self.hash()?)?, provider.aead(self.aead()?)?)
    }

    const fn hash(self) -> CryptoResult<HashId> {
        match self.kdf {
            HpkeKdf::HkdfSha256 => Ok(HashId::Sha256),
            HpkeKdf::HkdfSha384 => Ok(HashId::Sha384),
            HpkeKdf::HkdfSha512 => Ok(HashId::Sha512),
            _ => Err(CryptoError),
        }
    }

    const fn aead(self) -> CryptoResult<AeadId> {
        match self.aead {
            HpkeAead::Aes128Gcm => Ok(AeadId::Aes128Gcm),
            HpkeAead::Aes256Gcm => Ok(AeadId::Aes256Gcm),
            HpkeAead::ChaCha20Poly1305 => Ok(AeadId::ChaCha20Poly1305),
            _ => Err(CryptoError),
        }
    }
}
