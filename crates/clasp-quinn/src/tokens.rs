//! The keys of an endpoint: stateless resets, and tokens of Retry and NEW_TOKEN.

use clasp::crypto::{self as face, AeadId, HashId, Provider};
use quinn_proto::crypto::{AeadKey, CryptoError, HandshakeTokenKey, HmacKey};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const LEN: usize = 32;

/// A random secret, with HMAC-SHA-256.
pub(crate) struct EndpointKey {
    hash: &'static dyn face::Hash,
    provider: &'static Provider,
    secret: Zeroizing<[u8; LEN]>,
}

impl EndpointKey {
    pub(crate) fn random(provider: &'static Provider) -> clasp::Result<Self> {
        let mut secret = Zeroizing::new([0; LEN]);
        provider.random.fill(&mut *secret)?;
        provider.aead(AeadId::Aes256Gcm)?;
        Ok(Self { hash: provider.hash(HashId::Sha256)?, provider, secret })
    }

    fn mac(&self, parts: &[&[u8]]) -> Zeroizing<[u8; LEN]> {
        let mut mac = Zeroizing::new([0; LEN]);
        self.hash.keyed(&*self.secret, &mut |key| key.sign(parts, &mut *mac));
        mac
    }
}

impl HmacKey for EndpointKey {
    fn sign(&self, data: &[u8], signature_out: &mut [u8]) {
        signature_out.iter_mut().zip(self.mac(&[data]).iter()).for_each(|(out, byte)| *out = *byte);
    }

    fn signature_len(&self) -> usize {
        LEN
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        if bool::from(self.mac(&[data])[..].ct_eq(signature)) { Ok(()) } else { Err(CryptoError) }
    }
}

impl HandshakeTokenKey for EndpointKey {
    /// HKDF-Expand (RFC 5869 2.3), one block of it: each token has a key of its own, by its random bytes.
    fn aead_from_hkdf(&self, random_bytes: &[u8]) -> Box<dyn AeadKey> {
        let key = self.mac(&[random_bytes, &[1]]);
        let made = self.provider.aead(AeadId::Aes256Gcm).and_then(|aead| aead.key(&*key));
        Box::new(TokenKey(made.ok()))
    }
}

/// Seals one token. Without a key, which cannot be, there are no tokens.
struct TokenKey(Option<Box<dyn face::AeadKey>>);

/// The key is of one use.
const NONCE: [u8; 12] = [0; 12];

impl AeadKey for TokenKey {
    fn seal(&self, data: &mut Vec<u8>, additional_data: &[u8]) -> Result<(), CryptoError> {
        let mut tag = [0; face::TAG_LEN];
        let key = self.0.as_ref().ok_or(CryptoError)?;
        key.seal(&NONCE, additional_data, data, &mut tag).map_err(|_| CryptoError)?;
        data.extend_from_slice(&tag);
        Ok(())
    }

    fn open<'a>(&self, data: &'a mut [u8], additional_data: &[u8]) -> Result<&'a mut [u8], CryptoError> {
        let key = self.0.as_ref().ok_or(CryptoError)?;
        let len = key.open(&NONCE, additional_data, data).map_err(|_| CryptoError)?;
        data.get_mut(..len).ok_or(CryptoError)
    }
}
