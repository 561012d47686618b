//! What protects the records of one direction: one file a protection, each with its layout, nonce, additional data, seal
//! and open.

mod aead;
mod aead12;
mod aead13;
mod encrypt_then_mac;
mod mac_then_encrypt;
mod parts;
mod plain;

pub(super) use parts::{About, Layout};
pub use parts::{MAX_BACK, MAX_FRONT};
pub(super) use plain::Plain;

use super::{OpenedRecord, RecordError};
use crate::crypto::{AeadKey, CbcHmacKey, CryptoError, CryptoResult, HashId, Provider, TAG_LEN, Use};
use crate::keys::maker::KeyMaterial;
use crate::record::SealError;
use crate::suite::Bulk;
use aead12::Aead12;
use aead13::Aead13;
use encrypt_then_mac::EncryptThenMac;
use parts::BLOCK;

/// A key stands beside what its file says of nonces, not within: so all fit in four words.
pub(super) enum Protection {
    /// None yet: RFC 5246 6.1.
    Clear,
    Aead12(Box<dyn AeadKey>, Aead12),
    Aead13(Box<dyn AeadKey>, Aead13),
    MacThenEncrypt(Box<dyn CbcHmacKey>, HashId, &'static Provider),
    EncryptThenMac(Box<EncryptThenMac>),
}

impl Protection {
    pub(super) fn new(provider: &'static Provider, material: &KeyMaterial<'_>, usage: Use) -> CryptoResult<Self> {
        let (suite, keys, encrypt_then_mac) = match *material {
            KeyMaterial::Tls13 { aead, keys } => {
                let key = keys.key.get(..keys.key_len).ok_or(CryptoError)?;
                return Ok(Self::Aead13(provider.aead(aead)?.key(key)?, Aead13::new(aead, keys.iv)));
            }
            KeyMaterial::Tls12 { suite, ref keys, encrypt_then_mac } => (suite, keys, encrypt_then_mac),
        };
        let id = match suite.bulk {
            Bulk::Aead(id) => return Ok(Self::Aead12(provider.aead(id)?.key(keys.key)?, Aead12::new(id, keys.iv)?)),
            Bulk::Cbc(id) => id,
        };
        let legacy = provider.legacy.ok_or(CryptoError)?;
        Ok(if encrypt_then_mac {
            let (cipher, mac) = (legacy.block(keys.key, usage)?, provider.hash(id.mac)?.hmac(keys.mac));
            Self::EncryptThenMac(Box::new(EncryptThenMac { cipher, mac, mac_len: id.mac.len(), provider }))
        } else {
            let cipher = legacy.cbc_hmac(id, keys.mac, keys.key, usage).ok_or(CryptoError)??;
            Self::MacThenEncrypt(cipher, id.mac, provider)
        })
    }

    pub(super) const fn is_clear(&self) -> bool {
        matches!(self, Self::Clear)
    }

    pub(super) const fn is_tls13(&self) -> bool {
        matches!(self, Self::Aead13(..))
    }

    /// How many records one key may seal.
    pub(super) const fn most_records(&self) -> u64 {
        match self {
            Self::Aead12(_, rule) => rule.most_records(),
            Self::Aead13(_, rule) => rule.most_records(),
            // Their sequence numbers alone end: RFC 5246 6.1.
            Self::Clear | Self::MacThenEncrypt(..) | Self::EncryptThenMac(_) => u64::MAX,
        }
    }

    /// The parts of a record of `plain` bytes, with `zeros` of padding behind them where there can be any.
    pub(super) fn layout(&self, plain: usize, zeros: usize) -> Layout {
        let (front, back) = match self {
            Self::Clear => (0, 0),
            Self::Aead12(_, rule) => (rule.explicit(), TAG_LEN),
            Self::Aead13(..) => (0, aead13::back(zeros)),
            Self::MacThenEncrypt(_, mac, _) => (BLOCK, mac_then_encrypt::back(*mac, plain)),
            Self::EncryptThenMac(keys) => (BLOCK, keys.back(plain)),
        };
        Layout { front, plain, back }
    }

    /// The least that a record has around its plaintext, behind its header; none where only opening it tells.
    pub(super) const fn least_around(&self) -> usize {
        match self {
            Self::Aead12(_, rule) => rule.around(),
            Self::Aead13(..) => TAG_LEN,
            Self::Clear | Self::MacThenEncrypt(..) | Self::EncryptThenMac(_) => 0,
        }
    }

    /// Whether a record of so many bytes is better sealed from where they are than from where their ciphertext will be.
    pub(super) fn seals_apart(&self, plain: usize) -> bool {
        match self {
            Self::Aead12(key, _) => key.seals_apart(plain, 0),
            Self::Aead13(key, _) => key.seals_apart(plain, 1),
            Self::Clear | Self::MacThenEncrypt(..) | Self::EncryptThenMac(_) => false,
        }
    }

    /// Fills all that stands behind a record's header.
    pub(super) fn seal(&mut self, about: About<'_>, body: &mut [u8], plain: Plain<'_>) -> Result<(), SealError> {
        match self {
            Self::Clear => Ok(plain.put(body).map(drop)?),
            Self::Aead12(key, rule) => Ok(rule.seal(&**key, about, body, plain)?),
            Self::Aead13(key, rule) => Ok(rule.seal(&**key, about, body, plain)?),
            Self::MacThenEncrypt(key, _, provider) => {
                mac_then_encrypt::seal(&mut **key, provider.random, about, body, plain)
            }
            Self::EncryptThenMac(keys) => keys.seal(about, body, plain),
        }
    }

    /// Opens what stands behind a record's header, in place or to `out`: says what the content is, which is no longer than
    /// `limit`, and where in `body` or `out`.
    pub(super) fn open(
        &mut self,
        about: About<'_>,
        body: &mut [u8],
        mut out: Option<&mut [u8]>,
        limit: usize,
    ) -> Result<OpenedRecord, RecordError> {
        let to = out.as_deref_mut();
        let range = match self {
            Self::Aead13(key, rule) => return rule.open(&**key, about, body, out, limit),
            Self::Clear => plain::moved(body, body.len(), 0, to),
            Self::Aead12(key, rule) => rule.open(&**key, about, body, to),
            Self::MacThenEncrypt(key, ..) => mac_then_encrypt::open(&mut **key, about, body, to),
            Self::EncryptThenMac(keys) => keys.open(about, body, to),
        };
        let range = range.map_err(|CryptoError| RecordError::BadMac)?;
        if range.len() > limit {
            return Err(RecordError::TooLong(range.len()));
        }
        Ok(OpenedRecord { content: about.content, range })
    }
}
