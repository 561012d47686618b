//! Key encapsulation by Diffie-Hellman: RFC 9180 4.1.

use super::labeled::Labeled;
use crate::code::{HpkeKem, NamedGroup};
use crate::crypto::{CryptoError, CryptoResult, Group, HashId, Provider, SharedSecret, StaticKey};
use core::fmt;
use zeroize::Zeroizing;

/// A mechanism with the group and the hash that it consists of.
pub(super) struct Kem {
    group: &'static dyn Group,
    labeled: Labeled,
    /// `Nsk`: bytes of a private key.
    private_len: usize,
    /// `bitmask` of RFC 9180 7.1.3, for the first byte of a candidate. Keys of X25519 need no second try.
    candidates: Option<u8>,
}

impl Kem {
    pub(super) fn of(provider: &Provider, code: HpkeKem) -> CryptoResult<Self> {
        let (group, hash, private_len, candidates) = match code {
            HpkeKem::DhkemX25519HkdfSha256 => (NamedGroup::X25519, HashId::Sha256, 32, None),
            HpkeKem::DhkemP256HkdfSha256 => (NamedGroup::Secp256r1, HashId::Sha256, 32, Some(0xff)),
            HpkeKem::DhkemP384HkdfSha384 => (NamedGroup::Secp384r1, HashId::Sha384, 48, Some(0xff)),
            HpkeKem::DhkemP521HkdfSha512 => (NamedGroup::Secp521r1, HashId::Sha512, 66, Some(1)),
            _ => return Err(CryptoError),
        };
        let group = provider.group(group).ok_or(CryptoError)?;
        let labeled = Labeled::new(provider.hash(hash)?, b"KEM", &[code.0]);
        Ok(Self { group, labeled, private_len, candidates })
    }

    /// `Encap`: the encapsulated key, and the secret in it.
    pub(super) fn encapsulate(&self, recipient: &[u8], secret: &mut SharedSecret) -> CryptoResult<Vec<u8>> {
        let (mut agreed, mut encapsulated) = (SharedSecret::default(), Vec::new());
        self.group.answer(recipient, &mut agreed, &mut encapsulated)?;
        self.derive(&agreed, &encapsulated, recipient, secret)?;
        Ok(encapsulated)
    }

    /// `ExtractAndExpand`.
    pub(super) fn derive(
        &self,
        agreed: &SharedSecret,
        encapsulated: &[u8],
        recipient: &[u8],
        secret: &mut SharedSecret,
    ) -> CryptoResult<()> {
        let extracted = self.labeled.extract(&[], b"eae_prk", agreed.expose());
        let out = secret.fill(self.labeled.len());
        self.labeled.expand(extracted.get(), b"shared_secret", &[encapsulated, recipient], out)
    }
}

/// A recipient's key pair. It never prints, and its private half is wiped on drop.
pub struct RecipientKey {
    kem: HpkeKem,
    key: Box<dyn StaticKey>,
    private: Zeroizing<Vec<u8>>,
}

impl RecipientKey {
    /// A new one.
    ///
    /// # Errors
    /// If the provider lacks the KEM, or randomness fails.
    pub fn generate(provider: &Provider, kem: HpkeKem) -> CryptoResult<Self> {
        let mut material = Zeroizing::new(vec![0; Kem::of(provider, kem)?.private_len]);
        provider.random.fill(&mut material)?;
        Self::derive(provider, kem, &material)
    }

    /// `DeriveKeyPair`: always the same one from the same `material`, which has at least the entropy of a private key.
    ///
    /// # Errors
    /// If the provider lacks the KEM, or no candidate is a key (RFC 9180 7.1.3), which practically never is.
    pub fn derive(provider: &Provider, kem: HpkeKem, material: &[u8]) -> CryptoResult<Self> {
        let mechanism = Kem::of(provider, kem)?;
        let extracted = mechanism.labeled.extract(&[], b"dkp_prk", material);
        let mut private = Zeroizing::new(vec![0; mechanism.private_len]);
        let Some(mask) = mechanism.candidates else {
            mechanism.labeled.expand(extracted.get(), b"sk", &[], &mut private)?;
            return Self::from_private(provider, kem, &private);
        };
        for number in 0..=u8::MAX {
            mechanism.labeled.expand(extracted.get(), b"candidate", &[&[number]], &mut private)?;
            private.first_mut().into_iter().for_each(|first| *first &= mask);
            if let Ok(key) = Self::from_private(provider, kem, &private) {
                return Ok(key);
            }
        }
        Err(CryptoError)
    }

    /// From the private key, as RFC 9180 7.1.2 writes it: 32 bytes of X25519, or a number as long as the curve's order.
    ///
    /// # Errors
    /// If it is not one, or the provider lacks the KEM.
    pub fn from_private(provider: &Provider, kem: HpkeKem, private: &[u8]) -> CryptoResult<Self> {
        let key = Kem::of(provider, kem)?.group.static_key(private)?;
        Ok(Self { kem, key, private: Zeroizing::new(private.to_vec()) })
    }

    /// Which mechanism it is for.
    pub const fn kem(&self) -> HpkeKem {
        self.kem
    }

    /// The public half, which senders know.
    pub fn public(&self) -> &[u8] {
        self.key.public()
    }

    /// The private half, to be kept where nobody else reads it.
    pub fn expose_private(&self) -> &[u8] {
        &self.private
    }

    /// `Decap`.
    pub(super) fn decapsulate(
        &self,
        provider: &Provider,
        encapsulated: &[u8],
        secret: &mut SharedSecret,
    ) -> CryptoResult<()> {
        let mut agreed = SharedSecret::default();
        self.key.agree(encapsulated, &mut agreed)?;
        Kem::of(provider, self.kem)?.derive(&agreed, encapsulated, self.public(), secret)
    }
}

impl fmt::Debug for RecipientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecipientKey({})", self.kem)
    }
}
