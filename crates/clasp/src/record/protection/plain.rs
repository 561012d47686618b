//! Where a record's plaintext stands before it is sealed, and is to stand once it is opened.

use crate::copy::copy;
use crate::crypto::{CryptoError, CryptoResult};
use core::ops::Range;

/// The plaintext of a record that is to be sealed.
pub(in crate::record) enum Plain<'a> {
    /// In another buffer.
    Apart(&'a [u8]),
    /// Where its ciphertext will.
    InPlace(usize),
}

impl Plain<'_> {
    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Apart(plain) => plain.len(),
            Self::InPlace(len) => *len,
        }
    }

    /// Brings it to the front of `place`; gives its length.
    pub(super) fn put(self, place: &mut [u8]) -> CryptoResult<usize> {
        match self {
            Self::Apart(plain) => {
                copy(plain, place.get_mut(..plain.len()).ok_or(CryptoError)?);
                Ok(plain.len())
            }
            Self::InPlace(len) => Ok(len),
        }
    }
}

/// Plaintext that was made in place, `at` bytes behind the header: copied to `out` if that is where it is wanted.
pub(super) fn moved(bytes: &[u8], len: usize, at: usize, out: Option<&mut [u8]>) -> CryptoResult<Range<usize>> {
    let Some(out) = out else { return Ok(at..at.saturating_add(len)) };
    let plain = bytes.get(..len).ok_or(CryptoError)?;
    copy(plain, out.get_mut(..plain.len()).ok_or(CryptoError)?);
    Ok(0..plain.len())
}
