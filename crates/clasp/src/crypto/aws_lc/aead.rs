//! AEADs.

use crate::crypto::{Aead, AeadId, AeadKey, CryptoError, CryptoResult, TAG_LEN};
use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};

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
}

struct Key(LessSafeKey);

impl AeadKey for Key {
    fn seal(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8]) -> CryptoResult<[u8; TAG_LEN]> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), in_out)?;
        tag.as_ref().try_into().map_err(|_| CryptoError)
    }

    fn open(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8]) -> CryptoResult<usize> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        Ok(self.0.open_in_place(nonce, Aad::from(aad), in_out)?.len())
    }
}
