//! CBC where both sides agreed to put the MAC outside: RFC 7366.
//!
//! ```text
//!   header │ IV  ciphertext of (content  padding)  MAC of all before
//! ```

use super::parts::{About, BLOCK, padded};
use super::plain::{Plain, moved};

use crate::crypto::{BlockKey, CryptoError, CryptoResult, Digest, HmacKey, Provider};
use crate::record::SealError;
use core::ops::Range;
use subtle::ConstantTimeEq;

/// The keys of one direction.
pub(in crate::record) struct EncryptThenMac {
    pub(super) cipher: Box<dyn BlockKey>,
    pub(super) mac: Box<dyn HmacKey>,
    pub(super) mac_len: usize,
    pub(super) provider: &'static Provider,
}

impl EncryptThenMac {
    /// What stands behind `plain` bytes: their padding, and the MAC.
    pub(super) const fn back(&self, plain: usize) -> usize {
        padded(plain).saturating_sub(plain).saturating_add(self.mac_len)
    }

    pub(super) fn seal(&self, about: About<'_>, body: &mut [u8], plain: Plain<'_>) -> Result<(), SealError> {
        let signed = body.len().checked_sub(self.mac_len).ok_or(CryptoError)?;
        let (signed, tag) = body.split_at_mut(signed);
        // A fresh unpredictable IV for each record: RFC 5246 6.2.3.2 (BEAST).
        let (iv, rest) = signed.split_first_chunk_mut::<BLOCK>().ok_or(CryptoError)?;
        self.provider.random.fill(iv)?;
        let len = plain.put(rest)?;
        let padding = rest.get_mut(len..).ok_or(CryptoError)?;
        let padding_byte = u8::try_from(padding.len().wrapping_sub(1)).map_err(|_| CryptoError)?;
        padding.fill(padding_byte);
        self.cipher.encrypt(iv, rest)?;
        self.mac.sign(&[&about.additional_data(signed.len()), signed], tag);
        Ok(())
    }

    /// Gives where the content stands, in `body` or in `out`.
    pub(super) fn open(&self, about: About<'_>, body: &mut [u8], out: Option<&mut [u8]>) -> CryptoResult<Range<usize>> {
        // RFC 7366 3: MAC over everything incl. the IV, checked before anything is decrypted.
        let signed = body.len().checked_sub(self.mac_len).ok_or(CryptoError)?;
        let (signed, tag) = body.split_at_mut(signed);
        let aad = about.additional_data(signed.len());
        let wanted = Digest::filled(self.mac_len, |out| self.mac.sign(&[&aad, signed], out));
        if !bool::from(wanted.as_ref().ct_eq(tag)) {
            return Err(CryptoError);
        }
        let (iv, sealed) = signed.split_first_chunk_mut::<BLOCK>().ok_or(CryptoError)?;
        self.cipher.decrypt(iv, sealed)?;
        let plain = unpadded(sealed)?;
        moved(sealed, plain, BLOCK, out)
    }
}

/// The length without the padding of RFC 5246 6.2.3.2; every padding byte must say the same (POODLE). The record is
/// authenticated already, so this may branch.
fn unpadded(blocks: &[u8]) -> CryptoResult<usize> {
    let padding = *blocks.last().ok_or(CryptoError)?;
    let plain = blocks.len().checked_sub(usize::from(padding) + 1).ok_or(CryptoError)?;
    if blocks.get(plain..).ok_or(CryptoError)?.iter().all(|b| *b == padding) { Ok(plain) } else { Err(CryptoError) }
}
