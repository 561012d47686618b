// Above `wire`.
//! Cryptography behind one narrow face that works on bytes. Record formats, nonces and additional data
//! belong to the record layer, never to a back end. This folder alone names a crypto library.

mod aws_lc;
mod builtin;
mod error;
pub(crate) mod fingerprint;
#[cfg(feature = "ring")]
mod ring;
#[cfg(feature = "rust-crypto")]
mod rust_crypto;
mod scheme;
mod secret;

pub use aws_lc::sign::PrivateKey;
pub use clasp_x509::VerifySignature;
pub use error::{CryptoError, CryptoResult, RandomError};
pub use secret::SharedSecret;
pub(crate) use secret::overwrite_stack;

use crate::code::{NamedGroup, SignatureScheme};
use crate::copy::copy;
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
fn copy_and_seal(
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

/// Fills buffers with randomness.
pub trait Random: Send + Sync {
    /// Fills `out`.
    ///
    /// # Errors
    /// If the system's generator fails.
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomError>;
}

/// A set of primitives. A provider is data: the built-in one is [`Provider::builtin`], another can stand beside it.
pub struct Provider {
    /// A name for people.
    pub name: &'static str,
    /// The hashes.
    pub hashes: &'static [&'static dyn Hash],
    /// The AEADs.
    pub aeads: &'static [&'static dyn Aead],
    /// The groups.
    pub groups: &'static [&'static dyn Group],
    /// Who checks signatures, of handshakes, certificates, and all that speaks of these.
    pub signatures: &'static dyn VerifySignature,
    /// The signature schemes that handshakes may have, best first.
    pub schemes: &'static [SignatureScheme],
    /// The source of randomness.
    pub random: &'static dyn Random,
    /// The classic suites' primitives.
    pub legacy: Option<&'static dyn Legacy>,
}

impl Provider {
    /// The provider that comes with Clasp: each primitive from the library that is fastest
    /// on the processor at hand.
    ///
    /// ```
    /// let provider = clasp::crypto::Provider::builtin();
    /// let mut bytes = [0; 32];
    /// provider.random.fill(&mut bytes)?;
    /// assert_ne!(bytes, [0; 32]);
    /// # Ok::<(), clasp::crypto::CryptoError>(())
    /// ```
    pub fn builtin() -> &'static Self {
        *builtin::FASTEST
    }

    /// What [`builtin`](Self::builtin) chooses from: AWS-LC alone, with AES-GCM of ring, with SHA-2 of RustCrypto, and
    /// with both, as far as the features `ring` and `rust-crypto` have them. Whatever is chosen on one machine, another has
    /// the others: tests that measure go through all.
    pub fn choices() -> &'static [&'static Self] {
        builtin::CHOICES
    }

    /// AWS-LC alone.
    pub fn aws_lc() -> &'static Self {
        &builtin::AWS_LC
    }

    /// Looks a hash up.
    ///
    /// # Errors
    /// If the provider has none.
    pub fn hash(&self, id: HashId) -> CryptoResult<&'static dyn Hash> {
        self.hashes.iter().find(|h| h.id() == id).copied().ok_or(CryptoError)
    }

    /// Looks an AEAD up.
    ///
    /// # Errors
    /// If the provider has none.
    pub fn aead(&self, id: AeadId) -> CryptoResult<&'static dyn Aead> {
        self.aeads.iter().find(|a| a.id() == id).copied().ok_or(CryptoError)
    }

    /// Looks a group up.
    pub fn group(&self, id: NamedGroup) -> Option<&'static dyn Group> {
        self.groups.iter().find(|g| g.id() == id).copied()
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({})", self.name)
    }
}
