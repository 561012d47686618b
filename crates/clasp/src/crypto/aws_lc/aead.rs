//! AEADs.

use crate::crypto::aead::copy_and_seal;
use crate::crypto::{Aead, AeadId, AeadKey, CryptoError, CryptoResult, MaskKey, SAMPLE_LEN, TAG_LEN};
use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey, quic};

pub(in crate::crypto) struct AwsAead(AeadId, &'static aead::Algorithm);

pub(in crate::crypto) static AES_128_GCM: AwsAead = AwsAead(AeadId::Aes128Gcm, &aead::AES_128_GCM);
pub(in crate::crypto) static AES_256_GCM: AwsAead = AwsAead(AeadId::Aes256Gcm, &aead::AES_256_GCM);
pub(in crate::crypto) static CHACHA20_POLY1305: AwsAead = AwsAead(AeadId::ChaCha20Poly1305, &aead::CHACHA20_POLY1305);

impl Aead for AwsAead {
    fn id(&self) -> AeadId {
        self.0
    }

    fn key(&self, key: &[u8]) -> CryptoResult<Box<dyn AeadKey>> {
        Ok(Box::new(Key(LessSafeKey::new(UnboundKey::new(self.1, key)?))))
    }

    fn header_key(&self, key: &[u8]) -> CryptoResult<Box<dyn MaskKey>> {
        header_key(self.0, key)
    }
}

/// The cipher that hides headers where this AEAD protects packets.
pub(in crate::crypto) fn header_key(id: AeadId, key: &[u8]) -> CryptoResult<Box<dyn MaskKey>> {
    let algorithm = match id {
        AeadId::Aes128Gcm => &quic::AES_128,
        AeadId::Aes256Gcm => &quic::AES_256,
        AeadId::ChaCha20Poly1305 => &quic::CHACHA20,
    };
    Ok(Box::new(Mask(quic::HeaderProtectionKey::new(algorithm, key)?)))
}

struct Mask(quic::HeaderProtectionKey);

impl MaskKey for Mask {
    fn mask(&self, sample: &[u8; SAMPLE_LEN]) -> CryptoResult<[u8; 5]> {
        Ok(self.0.new_mask(sample)?)
    }
}

struct Key(LessSafeKey);

/// Below this many bytes, copying costs less than AWS-LC's handling of the few bytes that end the plaintext.
const WORTH_TWO_BUFFERS: usize = 2048;

impl AeadKey for Key {
    fn seal(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8], tag: &mut [u8; TAG_LEN]) -> CryptoResult<()> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        Ok(self.0.seal_in_place_scatter(nonce, Aad::from(aad), in_out, &[], tag)?)
    }

    fn open(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8]) -> CryptoResult<usize> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        Ok(self.0.open_in_place(nonce, Aad::from(aad), in_out)?.len())
    }

    fn seals_apart(&self, plain: usize, end: usize) -> bool {
        plain.saturating_add(end) >= WORTH_TWO_BUFFERS
    }

    fn seal_to(&self, nonce: &[u8; 12], aad: &[u8], plain: &[u8], end: &[u8], out: &mut [u8]) -> CryptoResult<()> {
        if !self.seals_apart(plain.len(), end.len()) {
            return copy_and_seal(self, nonce, aad, plain, end, out);
        }
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let (out, behind) = out.split_at_mut_checked(plain.len()).ok_or(CryptoError)?;
        Ok(self.0.seal_out_of_place_scatter(nonce, Aad::from(aad), plain, out, end, behind)?)
    }

    fn open_to(&self, nonce: &[u8; 12], aad: &[u8], sealed: &mut [u8], out: &mut [u8]) -> CryptoResult<usize> {
        let (sealed, tag) = sealed.split_last_chunk::<TAG_LEN>().ok_or(CryptoError)?;
        let out = out.get_mut(..sealed.len()).ok_or(CryptoError)?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        self.0.open_separate_gather(nonce, Aad::from(aad), sealed, tag, out)?;
        Ok(sealed.len())
    }
}
