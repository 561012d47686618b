//! What the AEADs of both versions share: one nonce a record, and the tag behind.

use super::plain::Plain;
use crate::code::ContentType;
use crate::crypto::{AeadKey, CryptoError, CryptoResult, TAG_LEN};
use core::ops::Range;

/// A key with the nonce of one record.
pub(super) struct Once<'k> {
    pub(super) key: &'k dyn AeadKey,
    pub(super) nonce: [u8; 12],
}

impl Once<'_> {
    /// Seals `plain` with what ends it; `out` has the ciphertext, and the tag behind.
    pub(super) fn seal(
        self,
        aad: &[u8],
        plain: Plain<'_>,
        end: Option<ContentType>,
        out: &mut [u8],
    ) -> CryptoResult<()> {
        let Self { key, nonce } = self;
        let end_bytes = end.map(|content| [content.0]);
        let end = end_bytes.as_ref().map_or(&[][..], |byte| byte);
        let len = match plain {
            Plain::Apart(plain) if out.len().checked_sub(TAG_LEN) == Some(plain.len().saturating_add(end.len())) => {
                return key.seal_to(&nonce, aad, plain, end, out);
            }
            plain => plain.put(out)?,
        };
        let (inner, tag) = out.split_last_chunk_mut::<TAG_LEN>().ok_or(CryptoError)?;
        let behind = inner.get_mut(len..).ok_or(CryptoError)?;
        // The content type, then padding of zeros: RFC 9846 5.4.
        behind.fill(0);
        behind.get_mut(..end.len()).ok_or(CryptoError)?.copy_from_slice(end);
        key.seal(&nonce, aad, inner, tag)
    }

    /// Opens `sealed`, which stands `at` bytes behind the header, in place or to `out`.
    pub(super) fn open(
        self,
        aad: &[u8],
        sealed: &mut [u8],
        at: usize,
        out: Option<&mut [u8]>,
    ) -> CryptoResult<Range<usize>> {
        let Self { key, nonce } = self;
        match out {
            Some(out) => Ok(0..key.open_to(&nonce, aad, sealed, out)?),
            None => Ok(at..at.saturating_add(key.open(&nonce, aad, sealed)?)),
        }
    }
}

/// The nonce of RFC 7905 2 and RFC 9846 5.3: the IV with the sequence number folded into its end.
pub(super) fn folded(iv: &[u8; 12], sequence: u64) -> [u8; 12] {
    let mut nonce = *iv;
    for (n, s) in nonce[4..].iter_mut().zip(sequence.to_be_bytes()) {
        *n ^= s;
    }
    nonce
}
