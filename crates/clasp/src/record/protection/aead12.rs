//! AEADs of TLS 1.2: RFC 5246 6.2.3.3.
//!
//! ```text
//!   header │ explicit nonce (GCM: 8 bytes)  ciphertext  tag
//! ```
//! The header is authenticated with the plaintext's length in place of the record's, and the sequence number before it.

use super::About;
use super::aead::{Once, folded};
use super::plain::Plain;
use crate::crypto::{AeadId, AeadKey, CryptoError, CryptoResult, TAG_LEN};
use core::ops::Range;

const EXPLICIT_NONCE: usize = 8;

/// Where the nonces come from.
pub(in crate::record) enum Aead12 {
    /// RFC 5288 3: a salt of 4 bytes, and 8 that stand in the record.
    Explicit { salt: [u8; 4] },
    /// RFC 7905 2: nothing of it stands in the record.
    Folded { iv: [u8; 12] },
}

impl Aead12 {
    pub(super) fn new(aead: AeadId, iv: &[u8]) -> CryptoResult<Self> {
        let wrong = |_| CryptoError;
        Ok(match aead {
            AeadId::Aes128Gcm | AeadId::Aes256Gcm => Self::Explicit { salt: iv.try_into().map_err(wrong)? },
            AeadId::ChaCha20Poly1305 => Self::Folded { iv: iv.try_into().map_err(wrong)? },
        })
    }

    /// As in TLS 1.3, for the AEADs are the same.
    pub(super) const fn most_records(&self) -> u64 {
        match self {
            Self::Explicit { .. } => AeadId::Aes256Gcm.confidentiality_limit(),
            Self::Folded { .. } => AeadId::ChaCha20Poly1305.confidentiality_limit(),
        }
    }

    /// Bytes of the nonce that stand in a record.
    pub(super) const fn explicit(&self) -> usize {
        match self {
            Self::Explicit { .. } => EXPLICIT_NONCE,
            Self::Folded { .. } => 0,
        }
    }

    /// What stands around the plaintext: such bytes, and the tag.
    pub(super) const fn around(&self) -> usize {
        self.explicit().saturating_add(TAG_LEN)
    }

    pub(super) fn seal(
        &self,
        key: &dyn AeadKey,
        about: About<'_>,
        body: &mut [u8],
        plain: Plain<'_>,
    ) -> CryptoResult<()> {
        let aad = about.additional_data(plain.len());
        match self {
            Self::Explicit { salt } => {
                // The sequence number never repeats under one key: RFC 5288 3.
                let (explicit, rest) = body.split_first_chunk_mut::<EXPLICIT_NONCE>().ok_or(CryptoError)?;
                *explicit = about.sequence.to_be_bytes();
                Once { key, nonce: salted(salt, explicit) }.seal(&aad, plain, None, rest)
            }
            Self::Folded { iv } => Once { key, nonce: folded(iv, about.sequence) }.seal(&aad, plain, None, body),
        }
    }

    /// Gives where the content stands, in `body` or in `out`.
    pub(super) fn open(
        &self,
        key: &dyn AeadKey,
        about: About<'_>,
        body: &mut [u8],
        out: Option<&mut [u8]>,
    ) -> CryptoResult<Range<usize>> {
        let plain = body.len().checked_sub(self.around()).ok_or(CryptoError)?;
        let aad = about.additional_data(plain);
        match self {
            Self::Explicit { salt } => {
                let (explicit, sealed) = body.split_first_chunk_mut::<EXPLICIT_NONCE>().ok_or(CryptoError)?;
                Once { key, nonce: salted(salt, explicit) }.open(&aad, sealed, EXPLICIT_NONCE, out)
            }
            Self::Folded { iv } => Once { key, nonce: folded(iv, about.sequence) }.open(&aad, body, 0, out),
        }
    }
}

fn salted(salt: &[u8; 4], explicit: &[u8; EXPLICIT_NONCE]) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[..4].copy_from_slice(salt);
    nonce[4..].copy_from_slice(explicit);
    nonce
}
