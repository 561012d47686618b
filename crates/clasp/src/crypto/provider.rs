//! A set of primitives, as data.

use super::aead::{Aead, AeadId};
use super::builtin;
use super::classic::Legacy;
use super::error::{CryptoError, CryptoResult, RandomError};
use super::group::Group;
use super::hash::{Hash, HashId};
use crate::code::{NamedGroup, SignatureScheme};
use clasp_x509::VerifySignature;
use core::fmt;

/// Fills buffers with randomness.
pub trait Random: Send + Sync {
    /// Fills `out`.
    ///
    /// # Errors
    /// If the system's generator fails.
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomError>;
}

/// A set of primitives. A provider is data: the built-in one is [`Provider::builtin`], another can stand beside it.
pub struct Provider {
    /// A name for people.
    pub name: &'static str,
    /// The hashes.
    pub hashes: &'static [&'static dyn Hash],
    /// The AEADs.
    pub aeads: &'static [&'static dyn Aead],
    /// The groups.
    pub groups: &'static [&'static dyn Group],
    /// Who checks signatures, of handshakes, certificates, and all that speaks of these.
    pub signatures: &'static dyn VerifySignature,
    /// The signature schemes that handshakes may have, best first.
    pub schemes: &'static [SignatureScheme],
    /// The source of randomness.
    pub random: &'static dyn Random,
    /// The classic suites' primitives.
    pub legacy: Option<&'static dyn Legacy>,
}

impl Provider {
    /// The provider that comes with Clasp: each primitive from the library that is fastest
    /// on the processor at hand.
    ///
    /// ```
    /// let provider = clasp::crypto::Provider::builtin();
    /// let mut bytes = [0; 32];
    /// provider.random.fill(&mut bytes)?;
    /// assert_ne!(bytes, [0; 32]);
    /// # Ok::<(), clasp::crypto::CryptoError>(())
    /// ```
    pub fn builtin() -> &'static Self {
        *builtin::FASTEST
    }

    /// What [`builtin`](Self::builtin) chooses from: AWS-LC alone, with AES-GCM of ring, with SHA-2 of RustCrypto, and
    /// with both, as far as the features `ring` and `rust-crypto` have them. Whatever is chosen on one machine, another has
    /// the others: tests that measure go through all.
    pub fn choices() -> &'static [&'static Self] {
        builtin::CHOICES
    }

    /// AWS-LC alone.
    pub fn aws_lc() -> &'static Self {
        &builtin::AWS_LC
    }

    /// Looks a hash up.
    ///
    /// # Errors
    /// If the provider has none.
    pub fn hash(&self, id: HashId) -> CryptoResult<&'static dyn Hash> {
        self.hashes.iter().find(|h| h.id() == id).copied().ok_or(CryptoError)
    }

    /// Looks an AEAD up.
    ///
    /// # Errors
    /// If the provider has none.
    pub fn aead(&self, id: AeadId) -> CryptoResult<&'static dyn Aead> {
        self.aeads.iter().find(|a| a.id() == id).copied().ok_or(CryptoError)
    }

    /// Looks a group up.
    pub fn group(&self, id: NamedGroup) -> Option<&'static dyn Group> {
        self.groups.iter().find(|g| g.id() == id).copied()
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({})", self.name)
    }
}
