//! Hash functions and HMAC: the face of what provides them.

use core::fmt;

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HashId {
    /// SHA-1: in HMAC of old suites only.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512: in certificate hashes only.
    Sha512,
}

#[allow(clippy::len_without_is_empty)] // no hash is empty
impl HashId {
    /// Bytes of output.
    pub const fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// A hash value of up to 64 bytes.
#[derive(Clone, Copy)]
pub struct Digest {
    bytes: [u8; 64],
    len: usize,
}

impl Digest {
    /// A value made of at most 64 bytes; longer input is cut, which no hash here gives.
    pub fn new(value: &[u8]) -> Self {
        Self::filled(value.len(), |bytes| {
            if let Some(value) = value.get(..bytes.len()) {
                bytes.copy_from_slice(value);
            }
        })
    }

    /// A value of `len` bytes, at most 64, that `fill` writes.
    pub fn filled(len: usize, fill: impl FnOnce(&mut [u8])) -> Self {
        let mut digest = Self { bytes: [0; 64], len: len.min(64) };
        fill(digest.bytes.get_mut(..digest.len).unwrap_or_default());
        digest
    }

    /// No value.
    pub const fn empty() -> Self {
        Self { bytes: [0; 64], len: 0 }
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({} bytes)", self.len)
    }
}

/// A running hash, kept while a conversation goes on.
pub trait HashContext: Send + Sync {
    /// Adds bytes.
    fn update(&mut self, bytes: &[u8]);
    /// The value of what there is so far; more may follow.
    fn value(&self) -> Digest;
    /// Another that goes on from here, and leaves this one as it is.
    fn fork(&self) -> Box<dyn HashContext>;
}

/// A hash function a provider offers.
pub trait Hash: Send + Sync {
    /// Which.
    fn id(&self) -> HashId;
    /// Starts one that is kept.
    fn start(&self) -> Box<dyn HashContext>;
    /// The hash of the parts in order.
    fn digest(&self, parts: &[&[u8]]) -> Digest;
    /// A keyed HMAC (RFC 2104) that is kept.
    fn hmac(&self, key: &[u8]) -> Box<dyn HmacKey>;
    /// A keyed HMAC that lasts while `then` runs. It stays where it is, on the stack: a key schedule needs no heap.
    fn keyed(&self, key: &[u8], then: &mut dyn FnMut(&dyn HmacKey));
}

/// A keyed HMAC.
pub trait HmacKey: Send + Sync {
    /// The MAC over the parts in order, into `out`; its front if `out` is shorter than the hash. A longer `out` keeps
    /// what it holds behind the MAC.
    fn sign(&self, parts: &[&[u8]], out: &mut [u8]);
}
