//! Groups for key exchange: the face of what provides them.

use super::error::{CryptoError, CryptoResult};
use super::secret::SharedSecret;
use crate::code::NamedGroup;

/// A group for ephemeral key exchange.
pub trait Group: Send + Sync {
    /// Which.
    fn id(&self) -> NamedGroup;
    /// Makes an ephemeral key pair.
    ///
    /// # Errors
    /// If randomness fails.
    fn start(&self) -> CryptoResult<Box<dyn KeyShare>>;
    /// The answering side at once: agrees with the peer's public value, and writes ours behind what `public` holds.
    ///
    /// # Errors
    /// As [`start`](Self::start) and [`KeyShare::finish`].
    fn answer(&self, peer: &[u8], secret: &mut SharedSecret, public: &mut Vec<u8>) -> CryptoResult<()> {
        let share = self.start()?;
        public.extend_from_slice(share.public());
        share.finish(peer, secret)
    }
    /// A key pair that is used more than once, from its private key as RFC 9180 7.1.2 writes it: what HPKE's recipients
    /// have. TLS agrees on its keys with ephemeral ones alone.
    ///
    /// # Errors
    /// If it is not a private key of this group, or the group has no such keys.
    fn static_key(&self, private: &[u8]) -> CryptoResult<Box<dyn StaticKey>> {
        let _has_none = private;
        Err(CryptoError)
    }
}

/// A key pair that is used more than once: [`Group::static_key`].
pub trait StaticKey: Send + Sync {
    /// The public value.
    fn public(&self) -> &[u8];
    /// Agrees with the peer's public value, into `secret`.
    ///
    /// # Errors
    /// As [`KeyShare::finish`].
    fn agree(&self, peer: &[u8], secret: &mut SharedSecret) -> CryptoResult<()>;
}

/// An ephemeral key pair, used once.
pub trait KeyShare: Send + Sync {
    /// The public value to send.
    fn public(&self) -> &[u8];
    /// Agrees with the peer's public value, into `secret`.
    ///
    /// # Errors
    /// If the value is not a valid one of the group, or the result is all zeros (RFC 7748 6.1).
    fn finish(self: Box<Self>, peer: &[u8], secret: &mut SharedSecret) -> CryptoResult<()>;
    /// Another group that a part of this key pair can serve alone, and its public value there: the curve of a hybrid.
    fn also(&self) -> Option<(NamedGroup, &[u8])> {
        None
    }
    /// Agrees in the group of [`also`](Self::also).
    ///
    /// # Errors
    /// As [`finish`](Self::finish), or if there is no such group.
    fn finish_also(self: Box<Self>, peer: &[u8], secret: &mut SharedSecret) -> CryptoResult<()> {
        let _no_such_group = (peer, secret);
        Err(CryptoError)
    }
}
