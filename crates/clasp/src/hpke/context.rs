//! The key schedule, and what seals and opens with it: RFC 9180 5.1, 5.2, 5.3.

use super::Suite;
use super::labeled::{Extracted, Labeled};
use crate::crypto::{Aead, AeadKey, CryptoError, CryptoResult, Hash, SharedSecret, TAG_LEN, overwrite_stack};
use core::fmt;
use zeroize::Zeroizing;

/// `mode_base`
const BASE: u8 = 0;

/// The longest key of an AEAD.
const MAX_KEY: usize = 32;

/// A suite whose parts are at hand.
pub(super) struct Schedule {
    labeled: Labeled,
    aead: &'static dyn Aead,
}

impl Schedule {
    pub(super) fn new(suite: Suite, hash: &'static dyn Hash, aead: &'static dyn Aead) -> CryptoResult<Self> {
        if aead.id().key_len() > MAX_KEY {
            return Err(CryptoError);
        }
        let labeled = Labeled::new(hash, b"HPKE", &[suite.kem.0, suite.kdf.0, suite.aead.0]);
        Ok(Self { labeled, aead })
    }

    /// `KeySchedule` without a pre-shared key.
    pub(super) fn context(self, shared: &SharedSecret, info: &[u8]) -> CryptoResult<Context> {
        let Self { labeled, aead } = self;
        let (no_psk, info) = (labeled.extract(&[], b"psk_id_hash", &[]), labeled.extract(&[], b"info_hash", info));
        let about: [&[u8]; 3] = [&[BASE], no_psk.get(), info.get()];
        let secret = labeled.extract(shared.expose(), b"secret", &[]);
        let mut key = Zeroizing::new([0; MAX_KEY]);
        let key = key.get_mut(..aead.id().key_len()).ok_or(CryptoError)?;
        labeled.expand(secret.get(), b"key", &about, key)?;
        let (key, mut base_nonce) = (aead.key(key)?, Zeroizing::new([0; 12]));
        labeled.expand(secret.get(), b"base_nonce", &about, &mut *base_nonce)?;
        let exporter = labeled.expanded(&secret, b"exp", &about)?;
        overwrite_stack();
        Ok(Context { key, base_nonce, sequence: 0, exporter, labeled })
    }
}

/// What both sides have once they are set up.
pub(super) struct Context {
    key: Box<dyn AeadKey>,
    base_nonce: Zeroizing<[u8; 12]>,
    /// Of the next message. A nonce has room for more; nobody seals so many.
    sequence: u64,
    exporter: Extracted,
    labeled: Labeled,
}

impl Context {
    /// `ComputeNonce`
    fn nonce(&self) -> [u8; 12] {
        let mut nonce = *self.base_nonce;
        nonce.iter_mut().skip(4).zip(self.sequence.to_be_bytes()).for_each(|(n, s)| *n ^= s);
        nonce
    }

    /// `IncrementSeq`, before a nonce is used: the last number is never used, so that none comes twice.
    fn following(&self) -> CryptoResult<u64> {
        self.sequence.checked_add(1).ok_or(CryptoError)
    }

    fn export(&self, about: &[u8], out: &mut [u8]) -> CryptoResult<()> {
        self.labeled.expand(self.exporter.get(), b"sec", &[about], out)
    }
}

/// The sender's side: each message is sealed under a nonce of its own, and opened in the same order.
pub struct Sealer(Context);

impl Sealer {
    pub(super) const fn new(context: Context) -> Self {
        Self(context)
    }

    /// Goes to a message of this number.
    #[cfg(test)]
    pub(super) const fn at(&mut self, sequence: u64) {
        self.0.sequence = sequence;
    }

    /// Seals `message` in place, with the tag behind it. `aad` goes along unsealed, and must be the same for the recipient.
    ///
    /// # Errors
    /// If the message is longer than the AEAD takes.
    pub fn seal(&mut self, aad: &[u8], message: &mut Vec<u8>) -> CryptoResult<()> {
        let following = self.0.following()?;
        let mut tag = [0; TAG_LEN];
        self.0.key.seal(&self.0.nonce(), aad, message, &mut tag)?;
        message.extend_from_slice(&tag);
        self.0.sequence = following;
        Ok(())
    }

    /// A secret for something else, that the recipient can derive too: RFC 9180 5.3.
    ///
    /// # Errors
    /// If `out` is longer than 255 hashes.
    pub fn export(&self, about: &[u8], out: &mut [u8]) -> CryptoResult<()> {
        self.0.export(about, out)
    }
}

/// The recipient's side.
pub struct Opener(Context);

impl Opener {
    pub(super) const fn new(context: Context) -> Self {
        Self(context)
    }

    /// Checks and opens the next message in place. One that does not fit changes nothing: the one that does may still come.
    ///
    /// # Errors
    /// If it was not sealed to this key, for this, in this order, with this `aad`. `message` is empty then.
    pub fn open(&mut self, aad: &[u8], message: &mut Vec<u8>) -> CryptoResult<()> {
        let following = self.0.following()?;
        match self.0.key.open(&self.0.nonce(), aad, message) {
            Ok(len) => message.truncate(len),
            Err(e) => {
                message.clear();
                return Err(e);
            }
        }
        self.0.sequence = following;
        Ok(())
    }

    /// As [`Sealer::export`].
    ///
    /// # Errors
    /// As [`Sealer::export`].
    pub fn export(&self, about: &[u8], out: &mut [u8]) -> CryptoResult<()> {
        self.0.export(about, out)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({} sealed)", self.0.sequence)
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opener({} opened)", self.0.sequence)
    }
}
