//! A second back end, for what ring does better than AWS-LC: which primitives, and on which processors, is for
//! [`builtin`](super::builtin) to say.

pub(super) mod aead;

use super::CryptoError;

impl From<ring::error::Unspecified> for CryptoError {
    fn from(_: ring::error::Unspecified) -> Self {
        Self
    }
}
