//! What the classic suites of TLS 1.2 need besides: CBC ciphers, finite fields, RSA encryption.

use super::error::CryptoResult;
use super::group::KeyShare;
use super::hash::HashId;
use super::secret::SharedSecret;
use crate::code::NamedGroup;

/// A CBC cipher with HMAC of the classic suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CbcId {
    /// Bytes of the AES key: 16 or 32.
    pub key_len: usize,
    /// The hash of the HMAC.
    pub mac: HashId,
}

/// A CBC cipher with HMAC for one direction, as MAC-then-encrypt (RFC 5246 6.2.3.2).
pub trait CbcHmacKey: Send + Sync {
    /// MACs, pads and encrypts in place: `record` is a block of 16 random bytes, `plain_len` bytes of plaintext, and room.
    /// Gives the length of IV and ciphertext.
    ///
    /// What stands in the first block afterwards is the record's IV (RFC 5246 6.2.3.2): the random bytes as they were, or
    /// enciphered under the key, which leaves them as unpredictable.
    ///
    /// # Errors
    /// If the room does not suffice, the plaintext is longer than a record may be, or `aad` has a version without IVs.
    fn seal(&mut self, aad: &[u8; 11], record: &mut [u8], plain_len: usize) -> CryptoResult<usize>;
    /// Decrypts in place, checks padding and MAC in constant time (Lucky Thirteen); gives the plaintext's length.
    ///
    /// # Errors
    /// One error for everything that can be wrong.
    fn open(&mut self, iv: &[u8; 16], aad: &[u8; 11], in_out: &mut [u8]) -> CryptoResult<usize>;
}

/// AES-CBC without padding, for encrypt-then-MAC (RFC 7366).
pub trait BlockKey: Send + Sync {
    /// Encrypts whole blocks in place.
    ///
    /// # Errors
    /// If the length is not a multiple of 16.
    fn encrypt(&self, iv: &[u8; 16], in_out: &mut [u8]) -> CryptoResult<()>;
    /// Decrypts whole blocks in place.
    ///
    /// # Errors
    /// If the length is not a multiple of 16.
    fn decrypt(&self, iv: &[u8; 16], in_out: &mut [u8]) -> CryptoResult<()>;
}

/// The direction a CBC key works in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Sealing.
    Seal,
    /// Opening.
    Open,
}

/// The classic suites' ciphers and key exchanges; absent where the feature `legacy` is off.
pub trait Legacy: Send + Sync {
    /// A MAC-then-encrypt key. `None` for a pair that no suite has.
    fn cbc_hmac(&self, id: CbcId, mac_key: &[u8], key: &[u8], usage: Use) -> Option<CryptoResult<Box<dyn CbcHmacKey>>>;
    /// An encrypt-then-MAC block key.
    ///
    /// # Errors
    /// If the key has another length than 16 or 32.
    fn block(&self, key: &[u8], usage: Use) -> CryptoResult<Box<dyn BlockKey>>;
    /// Diffie-Hellman in the group (p, g): RFC 5246 7.4.3.
    ///
    /// # Errors
    /// If p or g cannot be a group of at least 2048 bits (Logjam).
    fn dh(&self, p: &[u8], g: &[u8]) -> CryptoResult<Box<dyn KeyShare>>;
    /// The prime and generator of a named group (RFC 7919).
    fn ffdhe(&self, group: NamedGroup) -> Option<(&'static [u8], &'static [u8])>;
    /// Encrypts a premaster secret to an RSA key (RFC 5246 7.4.7.1).
    ///
    /// # Errors
    /// If the key is not a usable RSA key.
    fn rsa_encrypt(&self, spki: &[u8], premaster: &SharedSecret) -> CryptoResult<Vec<u8>>;
}
