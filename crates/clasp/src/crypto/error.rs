//! What a primitive says when it fails.

use core::fmt;

/// A cryptographic operation failed. It says no more: more could be an oracle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CryptoError;

impl fmt::Display for CryptoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a cryptographic operation failed")
    }
}

impl core::error::Error for CryptoError {}

/// The generator of random bytes failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomError;

impl fmt::Display for RandomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the generator of random bytes failed")
    }
}

impl core::error::Error for RandomError {}

impl From<RandomError> for CryptoError {
    /// For whoever makes a key of random bytes.
    fn from(_: RandomError) -> Self {
        Self
    }
}

/// `Result` of a primitive.
pub type CryptoResult<T> = Result<T, CryptoError>;
