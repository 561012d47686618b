//! AES-GCM.

use crate::crypto::aws_lc::aead::header_key;
use crate::crypto::{Aead, AeadId, AeadKey, CryptoError, CryptoResult, MaskKey, TAG_LEN};
use core::hint::black_box;
use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};

pub(in crate::crypto) struct RingAead(AeadId, &'static aead::Algorithm);

pub(in crate::crypto) static AES_128_GCM: RingAead = RingAead(AeadId::Aes128Gcm, &aead::AES_128_GCM);
pub(in crate::crypto) static AES_256_GCM: RingAead = RingAead(AeadId::Aes256Gcm, &aead::AES_256_GCM);

impl Aead for RingAead {
    fn id(&self) -> AeadId {
        self.0
    }

    fn key(&self, key: &[u8]) -> CryptoResult<Box<dyn AeadKey>> {
        Ok(Box::new(Key(LessSafeKey::new(UnboundKey::new(self.1, key)?))))
    }

    /// AWS-LC's: a mask is one block, which nobody does faster, and ring does not wipe its keys.
    fn header_key(&self, key: &[u8]) -> CryptoResult<Box<dyn MaskKey>> {
        header_key(self.0, key)
    }
}

/// The expanded key stands in it, and ring does not wipe it: [`Drop`] does.
struct Key(LessSafeKey);

impl AeadKey for Key {
    fn seal(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8], tag: &mut [u8; TAG_LEN]) -> CryptoResult<()> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let made = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), in_out)?;
        *tag = made.as_ref().try_into().map_err(|_| CryptoError)?;
        Ok(())
    }

    fn open(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8]) -> CryptoResult<usize> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        Ok(self.0.open_in_place(nonce, Aad::from(aad), in_out)?.len())
    }
}

impl Drop for Key {
    /// Writes the key of zeros over the secret one. `black_box` keeps the compiler from leaving the write out, as it
    /// may with what is about to be freed; `tests/secrets.rs` sees that it was not.
    fn drop(&mut self) {
        const ZEROS: [u8; 32] = [0; 32];
        let algorithm = self.0.algorithm();
        let zeros = ZEROS.get(..algorithm.key_len()).unwrap_or(&ZEROS);
        if let Ok(none) = UnboundKey::new(algorithm, zeros) {
            self.0 = LessSafeKey::new(none);
            black_box(&mut self.0);
        }
    }
}
