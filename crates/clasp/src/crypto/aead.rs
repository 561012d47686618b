//! AEADs: the face of what provides them.

use super::error::{CryptoError, CryptoResult};
use crate::copy::copy;

/// An AEAD of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AeadId {
    /// AES-128-GCM.
    Aes128Gcm,
    /// AES-256-GCM.
    Aes256Gcm,
    /// ChaCha20-Poly1305.
    ChaCha20Poly1305,
}

impl AeadId {
    /// Bytes of key.
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm | Self::ChaCha20Poly1305 => 32,
        }
    }

    /// How many records one key may protect: RFC 9846 5.5.
    pub const fn confidentiality_limit(self) -> u64 {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm => 1 << 24,
            Self::ChaCha20Poly1305 => u64::MAX,
        }
    }
}

/// Bytes of an AEAD's tag.
pub const TAG_LEN: usize = 16;

/// An AEAD a provider offers.
pub trait Aead: Send + Sync {
    /// Which.
    fn id(&self) -> AeadId;
    /// Sets up a key of [`AeadId::key_len`] bytes.
    ///
    /// # Errors
    /// If the key has another length.
    fn key(&self, key: &[u8]) -> CryptoResult<Box<dyn AeadKey>>;
    /// Sets up a key of as many bytes for the cipher that hides the headers of QUIC's packets where this AEAD protects them: RFC
    /// 9001 5.4.1. A provider that is not for QUIC has none.
    ///
    /// # Errors
    /// If the key has another length, or there is no such cipher.
    fn header_key(&self, key: &[u8]) -> CryptoResult<Box<dyn MaskKey>> {
        let _unused = key;
        Err(CryptoError)
    }
}

/// Bytes of a packet that the mask of its header is made of: RFC 9001 5.4.2.
pub const SAMPLE_LEN: usize = 16;

/// A key that hides the headers of QUIC's packets: RFC 9001 5.4.
pub trait MaskKey: Send + Sync {
    /// The mask of a header, made of a sample of its packet.
    ///
    /// # Errors
    /// If the cipher fails, which it cannot.
    fn mask(&self, sample: &[u8; SAMPLE_LEN]) -> CryptoResult<[u8; 5]>;
}

/// A keyed AEAD. Both directions work in place, and from one buffer to another: a back end that can do the second without
/// a copy says how.
pub trait AeadKey: Send + Sync {
    /// Encrypts in place, and puts the tag where it is wanted.
    ///
    /// # Errors
    /// Only if the input is longer than the AEAD can take.
    fn seal(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8], tag: &mut [u8; TAG_LEN]) -> CryptoResult<()>;
    /// Checks and decrypts ciphertext and tag in place; gives the plaintext's length.
    ///
    /// # Errors
    /// If the tag does not fit. The buffer's content is then undefined.
    fn open(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8]) -> CryptoResult<usize>;

    /// Whether [`seal_to`](Self::seal_to) does with so many bytes what a copy and [`seal`](Self::seal) do, and faster.
    fn seals_apart(&self, plain: usize, end: usize) -> bool {
        let _copies_whatever_the_length = (plain, end);
        false
    }

    /// Encrypts `plain` and what ends it (the content type of TLS 1.3) into `out`, with the tag behind.
    ///
    /// # Errors
    /// As [`seal`](Self::seal), or if `out` is not as long as the three together.
    fn seal_to(&self, nonce: &[u8; 12], aad: &[u8], plain: &[u8], end: &[u8], out: &mut [u8]) -> CryptoResult<()> {
        copy_and_seal(self, nonce, aad, plain, end, out)
    }

    /// Checks and decrypts ciphertext and tag to the front of `out`; gives the plaintext's length.
    ///
    /// # Errors
    /// As [`open`](Self::open), or if `out` is shorter than the plaintext.
    fn open_to(&self, nonce: &[u8; 12], aad: &[u8], sealed: &mut [u8], out: &mut [u8]) -> CryptoResult<usize> {
        let len = self.open(nonce, aad, sealed)?;
        copy(sealed.get(..len).ok_or(CryptoError)?, out.get_mut(..len).ok_or(CryptoError)?);
        Ok(len)
    }
}

/// [`AeadKey::seal_to`] by a copy and [`AeadKey::seal`].
pub(super) fn copy_and_seal(
    key: &(impl AeadKey + ?Sized),
    nonce: &[u8; 12],
    aad: &[u8],
    plain: &[u8],
    end: &[u8],
    out: &mut [u8],
) -> CryptoResult<()> {
    let (inner, tag) = out.split_last_chunk_mut::<TAG_LEN>().ok_or(CryptoError)?;
    let (front, back) = inner.split_at_mut_checked(plain.len()).ok_or(CryptoError)?;
    if back.len() != end.len() {
        return Err(CryptoError);
    }
    copy(plain, front);
    back.copy_from_slice(end);
    key.seal(nonce, aad, inner, tag)
}
