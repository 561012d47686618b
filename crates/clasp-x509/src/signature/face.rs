//! The face behind which signatures are checked: whoever has another crypto library fills it.

use super::algorithm::{Curve, SignatureAlgorithm};
use crate::spki::Spki;
use core::fmt;

/// Checks signatures. Whether an algorithm is allowed, fits the key, and whether that is large enough is decided before it is
/// asked, for all of them in one place ([`verify_signature`](crate::verify_signature)); what it says is the whole of what
/// mathematics has to say.
///
/// Whoever fills it must take what the standards take and nothing else: a wrong `Ok` is a forged certificate.
pub trait VerifySignature: Send + Sync {
    /// Its name, which no other has: what one has decided counts, where it is remembered, for those of the same name.
    fn name(&self) -> &str;

    /// Checks a signature with a key of the algorithm's kind.
    ///
    /// # Errors
    /// If the algorithm is not one of its own, or the signature, or the key, is wrong.
    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &Spki<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError>;

    /// Whether a key is a point of its curve: what is none has no private key, and gives an attacker one to guess. It is
    /// asked about keys that no signature is checked with.
    ///
    /// # Errors
    /// If the curve is not one of its own, or the key is no point of it.
    fn check_point(&self, curve: Curve, key: &Spki<'_>) -> Result<(), SignatureError>;

    /// The key of an authority, made ready for many signatures of one algorithm. `None` where that gains nothing.
    fn prepare(&self, algorithm: SignatureAlgorithm, key: &Spki<'_>) -> Option<Box<dyn PreparedKey>> {
        let _it_gains_nothing = (algorithm, key);
        None
    }
}

/// A key that checks many signatures, of one algorithm.
pub trait PreparedKey: Send + Sync {
    /// Checks a signature.
    ///
    /// # Errors
    /// If it is wrong.
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError>;
}

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureError {
    /// The algorithm is not supported.
    Unsupported,
    /// The signature is wrong, or the key is.
    Wrong,
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsupported => "a signature algorithm that is not supported",
            Self::Wrong => "a wrong signature",
        })
    }
}

impl core::error::Error for SignatureError {}

impl fmt::Debug for dyn VerifySignature + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifySignature({})", self.name())
    }
}
