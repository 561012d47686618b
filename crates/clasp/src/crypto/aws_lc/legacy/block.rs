//! AES-CBC on whole blocks, for encrypt-then-MAC (RFC 7366). The MAC is checked before anything is decrypted, so that
//! padding is no oracle here.

use crate::crypto::{BlockKey, CryptoError, CryptoResult, Use};
use aws_lc_rs::cipher::{
    AES_128, AES_256, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;

enum Key {
    Encrypt(EncryptingKey),
    Decrypt(DecryptingKey),
}

pub(super) fn key(key: &[u8], usage: Use) -> CryptoResult<Box<dyn BlockKey>> {
    let algorithm = match key.len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return Err(CryptoError),
    };
    let key = UnboundCipherKey::new(algorithm, key)?;
    Ok(Box::new(match usage {
        Use::Seal => Key::Encrypt(EncryptingKey::cbc(key)?),
        Use::Open => Key::Decrypt(DecryptingKey::cbc(key)?),
    }))
}

impl BlockKey for Key {
    fn encrypt(&self, iv: &[u8; 16], in_out: &mut [u8]) -> CryptoResult<()> {
        let Self::Encrypt(key) = self else { return Err(CryptoError) };
        key.less_safe_encrypt(in_out, EncryptionContext::Iv128(FixedLength::from(*iv)))?;
        Ok(())
    }

    fn decrypt(&self, iv: &[u8; 16], in_out: &mut [u8]) -> CryptoResult<()> {
        let Self::Decrypt(key) = self else { return Err(CryptoError) };
        key.decrypt(in_out, DecryptionContext::Iv128(FixedLength::from(*iv)))?;
        Ok(())
    }
}
