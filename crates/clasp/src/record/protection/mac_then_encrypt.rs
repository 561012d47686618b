//! CBC as TLS 1.2 was made with it: RFC 5246 6.2.3.2.
//!
//! ```text
//!   header │ IV  ciphertext of (content  MAC  padding)
//! ```
//! MAC and padding are checked together, in constant time, by the crypto library (Lucky Thirteen).

use super::parts::{About, BLOCK, padded};
use super::plain::{Plain, moved};
use crate::record::SealError;

use crate::crypto::{CbcHmacKey, CryptoError, CryptoResult, HashId, Random};
use core::ops::Range;

/// What stands behind `plain` bytes: the MAC, and padding for both.
pub(super) const fn back(mac: HashId, plain: usize) -> usize {
    padded(plain.saturating_add(mac.len())).saturating_sub(plain)
}

pub(super) fn seal(
    key: &mut dyn CbcHmacKey,
    random: &dyn Random,
    about: About<'_>,
    body: &mut [u8],
    plain: Plain<'_>,
) -> Result<(), SealError> {
    // A fresh unpredictable IV for each record: RFC 5246 6.2.3.2 (BEAST).
    let (iv, rest) = body.split_first_chunk_mut::<BLOCK>().ok_or(CryptoError)?;
    random.fill(iv)?;
    let len = plain.put(rest)?;
    // The key puts the length in itself.
    let aad = about.additional_data(len);
    let written = key.seal(aad.first_chunk().ok_or(CryptoError)?, body, len)?;
    if written == body.len() { Ok(()) } else { Err(SealError::CryptoFailed) }
}

/// Gives where the content stands, in `body` or in `out`.
pub(super) fn open(
    key: &mut dyn CbcHmacKey,
    about: About<'_>,
    body: &mut [u8],
    out: Option<&mut [u8]>,
) -> CryptoResult<Range<usize>> {
    let (iv, sealed) = body.split_first_chunk_mut::<BLOCK>().ok_or(CryptoError)?;
    let plain = key.open(iv, about.additional_data(0).first_chunk().ok_or(CryptoError)?, sealed)?;
    moved(sealed, plain, BLOCK, out)
}
