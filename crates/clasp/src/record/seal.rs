//! Sealing records, straight into the outgoing buffer.

use super::limits::{HEADER_LEN, MAX_PLAINTEXT};
use super::{additional_data, xored_nonce};
use crate::config::suite::{Bulk, Suite};
use crate::crypto::{
    AeadId, AeadKey, BlockKey, CbcHmacKey, CryptoError, CryptoResult, HmacKey, Provider, Random, TAG_LEN, Use,
};
use crate::keys::schedule12::DirectionKeys;
use crate::keys::schedule13::TrafficKeys;
use crate::wire::code::{ContentType, ProtocolVersion};
use core::fmt;
use std::io::IoSlice;

/// Keys that seal the records of one direction.
pub struct SealKeys(Protection);

enum Protection {
    None,
    Gcm(Box<dyn AeadKey>, [u8; 4]),
    ChaCha(Box<dyn AeadKey>, [u8; 12]),
    Tls13(Box<dyn AeadKey>, [u8; 12], AeadId),
    MacThenEncrypt(Box<dyn CbcHmacKey>, usize, &'static dyn Random),
    EncryptThenMac(Box<dyn BlockKey>, Box<dyn HmacKey>, usize, &'static dyn Random),
}

const BLOCK: usize = 16;
const EXPLICIT_NONCE: usize = 8;
/// Records kept back for what must still be said when the keys are used up.
const REKEY_MARGIN: u64 = 1 << 10;

impl SealKeys {
    /// Keys of a TLS 1.2 suite.
    pub(crate) fn tls12(
        provider: &Provider,
        suite: &Suite,
        keys: &DirectionKeys<'_>,
        encrypt_then_mac: bool,
    ) -> CryptoResult<Self> {
        let wrong = |_| CryptoError;
        let random = provider.random;
        Ok(Self(match suite.bulk {
            Bulk::Aead(AeadId::ChaCha20Poly1305) => {
                let key = provider.aead(AeadId::ChaCha20Poly1305)?.key(keys.key)?;
                Protection::ChaCha(key, keys.iv.try_into().map_err(wrong)?)
            }
            Bulk::Aead(id) => Protection::Gcm(provider.aead(id)?.key(keys.key)?, keys.iv.try_into().map_err(wrong)?),
            Bulk::Cbc(id) => {
                let legacy = provider.legacy.ok_or(CryptoError)?;
                let mac_len = id.mac.len();
                if encrypt_then_mac {
                    let mac = provider.hash(id.mac)?.hmac(keys.mac);
                    Protection::EncryptThenMac(legacy.block(keys.key, Use::Seal)?, mac, mac_len, random)
                } else {
                    let key = legacy.cbc_hmac(id, keys.mac, keys.key, Use::Seal).ok_or(CryptoError)??;
                    Protection::MacThenEncrypt(key, mac_len, random)
                }
            }
        }))
    }

    /// Keys of a TLS 1.3 traffic secret.
    pub(crate) fn tls13(provider: &Provider, aead: AeadId, keys: &TrafficKeys) -> CryptoResult<Self> {
        let key = keys.key.get(..keys.key_len).ok_or(CryptoError)?;
        Ok(Self(Protection::Tls13(provider.aead(aead)?.key(key)?, keys.iv, aead)))
    }

    /// Bytes in front of and behind the plaintext of a record of `plain` bytes.
    fn overhead(&self, plain: usize) -> (usize, usize) {
        let padded = |n: usize| n / BLOCK * BLOCK + BLOCK;
        match &self.0 {
            Protection::None => (0, 0),
            Protection::Gcm(..) => (EXPLICIT_NONCE, TAG_LEN),
            Protection::ChaCha(..) => (0, TAG_LEN),
            Protection::Tls13(..) => (0, 1 + TAG_LEN),
            Protection::MacThenEncrypt(_, mac, _) => (BLOCK, padded(plain + mac) - plain),
            Protection::EncryptThenMac(_, _, mac, _) => (BLOCK, padded(plain) - plain + mac),
        }
    }
}

/// The sending half of the record layer.
pub struct Sealer {
    keys: SealKeys,
    sequence: u64,
    limit: usize,
    padding: usize,
    version: ProtocolVersion,
}

impl Default for Sealer {
    /// The first records carry version 3.1, which every peer takes: RFC 5246 E.1.
    fn default() -> Self {
        let keys = SealKeys(Protection::None);
        Self { keys, sequence: 0, limit: MAX_PLAINTEXT, padding: 0, version: ProtocolVersion::Tls10 }
    }
}

impl Sealer {
    /// New keys: the sequence number starts again.
    pub fn install(&mut self, keys: SealKeys) {
        self.keys = keys;
        self.sequence = 0;
    }

    /// Records carry at most this much plaintext from here on; a limit only shrinks.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = self.limit.min(limit.clamp(64, MAX_PLAINTEXT));
    }

    /// Records carry this version from here on.
    pub fn set_version(&mut self, version: ProtocolVersion) {
        self.version = version;
    }

    /// Whether records are protected.
    pub fn is_protected(&self) -> bool {
        !matches!(self.keys.0, Protection::None)
    }

    /// Records in the clear again: a client's second hello after early data (RFC 9846 4.1.4).
    pub fn uninstall(&mut self) {
        self.keys = SealKeys(Protection::None);
        self.sequence = 0;
    }

    /// Pads every TLS 1.3 record up to a multiple of this many bytes (RFC 9846 5.4); 0 and 1 do not pad.
    pub fn set_padding(&mut self, block: usize) {
        self.padding = block;
    }

    /// Whether the keys have sealed as many records as their AEAD allows (RFC 9846 5.5): time for a KeyUpdate.
    pub fn is_used_up(&self) -> bool {
        match &self.keys.0 {
            Protection::Tls13(_, _, aead) => self.sequence >= aead.confidentiality_limit() - REKEY_MARGIN,
            _ => false,
        }
    }

    /// A ChangeCipherSpec of the middlebox compatibility mode, always in the clear: RFC 9846 D.4.
    pub fn compatibility_ccs(out: &mut Vec<u8>) {
        out.extend_from_slice(&[ContentType::ChangeCipherSpec.0, 3, 3, 0, 1, 1]);
    }

    /// Seals all of `plain`, as few records as the limit allows, behind what `out` holds. Gives the number of records.
    ///
    /// # Errors
    /// If no sequence numbers are left, or randomness fails. `out` is then as before.
    pub fn seal(&mut self, content: ContentType, plain: &[IoSlice<'_>], out: &mut Vec<u8>) -> CryptoResult<usize> {
        let start = out.len();
        let total: usize = plain.iter().map(|p| p.len()).sum();
        let records = total.div_ceil(self.limit).max(1);
        let (front, back) = self.keys.overhead(self.limit.min(total));
        out.reserve(total + records * (HEADER_LEN + front + back + BLOCK));
        let mut source = Source { slices: plain, offset: 0 };
        let mut left = total;
        for _ in 0..records {
            let len = left.min(self.limit);
            left -= len;
            if let Err(e) = self.one(content, len, &mut source, out) {
                out.truncate(start);
                return Err(e);
            }
        }
        Ok(records)
    }

    fn one(
        &mut self,
        content: ContentType,
        len: usize,
        source: &mut Source<'_>,
        out: &mut Vec<u8>,
    ) -> CryptoResult<()> {
        let sequence = self.sequence;
        self.sequence = sequence.checked_add(1).ok_or(CryptoError)?;
        let (front, mut back) = self.keys.overhead(len);
        let tls13 = matches!(self.keys.0, Protection::Tls13(..));
        if tls13 && self.padding > 1 {
            back += (len.next_multiple_of(self.padding)).min(self.limit).saturating_sub(len);
        }
        let version = self.version.0.to_be_bytes();
        let body = u16::try_from(front + len + back).map_err(|_| CryptoError)?.to_be_bytes();
        let outer = if tls13 { ContentType::ApplicationData } else { content };
        out.extend_from_slice(&[outer.0, version[0], version[1], body[0], body[1]]);
        let at = out.len();
        out.resize(at + front, 0);
        source.copy(len, out);
        out.resize(at + front + len + back, 0);
        let record = out.get_mut(at..).ok_or(CryptoError)?;
        self.protect(sequence, content, version, len, record)
    }

    /// `record` is what stands in front of the plaintext, the plaintext, and what stands behind.
    fn protect(
        &mut self,
        sequence: u64,
        content: ContentType,
        version: [u8; 2],
        len: usize,
        record: &mut [u8],
    ) -> CryptoResult<()> {
        let aad = additional_data(sequence, content, version, len);
        match &mut self.keys.0 {
            Protection::None => Ok(()),
            Protection::Gcm(key, salt) => {
                // The sequence number never repeats under one key: RFC 5288 3.
                let (explicit, rest) = record.split_first_chunk_mut::<EXPLICIT_NONCE>().ok_or(CryptoError)?;
                *explicit = sequence.to_be_bytes();
                let mut nonce = [0; 12];
                nonce[..4].copy_from_slice(salt);
                nonce[4..].copy_from_slice(explicit);
                let (plain, tag) = rest.split_at_mut_checked(len).ok_or(CryptoError)?;
                tag.copy_from_slice(&key.seal(&nonce, &aad, plain)?);
                Ok(())
            }
            Protection::ChaCha(key, iv) => {
                let (plain, tag) = record.split_at_mut_checked(len).ok_or(CryptoError)?;
                tag.copy_from_slice(&key.seal(&xored_nonce(iv, sequence), &aad, plain)?);
                Ok(())
            }
            Protection::Tls13(key, iv, _) => {
                let sealed = record.len().checked_sub(TAG_LEN).ok_or(CryptoError)?;
                let length = u16::try_from(record.len()).map_err(|_| CryptoError)?.to_be_bytes();
                let (inner, tag) = record.split_at_mut(sealed);
                *inner.get_mut(len).ok_or(CryptoError)? = content.0;
                let aad = [ContentType::ApplicationData.0, version[0], version[1], length[0], length[1]];
                tag.copy_from_slice(&key.seal(&xored_nonce(iv, sequence), &aad, inner)?);
                Ok(())
            }
            Protection::MacThenEncrypt(key, _, random) => {
                // A fresh unpredictable IV for each record: RFC 5246 6.2.3.2 (BEAST).
                let (iv, rest) = record.split_first_chunk_mut::<BLOCK>().ok_or(CryptoError)?;
                random.fill(iv)?;
                let written = key.seal(iv, aad.first_chunk().ok_or(CryptoError)?, rest, len)?;
                if written == rest.len() { Ok(()) } else { Err(CryptoError) }
            }
            Protection::EncryptThenMac(key, mac, mac_len, random) => {
                let signed = record.len().checked_sub(*mac_len).ok_or(CryptoError)?;
                let (signed, tag) = record.split_at_mut(signed);
                let (iv, rest) = signed.split_first_chunk_mut::<BLOCK>().ok_or(CryptoError)?;
                random.fill(iv)?;
                let padding = rest.len() - len - 1;
                let padding_byte = u8::try_from(padding).map_err(|_| CryptoError)?;
                rest.get_mut(len..).ok_or(CryptoError)?.fill(padding_byte);
                key.encrypt(iv, rest)?;
                let aad = additional_data(sequence, content, version, signed.len());
                tag.copy_from_slice(mac.sign(&[&aad, signed]).as_ref());
                Ok(())
            }
        }
    }
}

/// A cursor over the caller's slices.
struct Source<'a> {
    slices: &'a [IoSlice<'a>],
    offset: usize,
}

impl Source<'_> {
    fn copy(&mut self, mut len: usize, out: &mut Vec<u8>) {
        while len > 0 {
            let Some((first, rest)) = self.slices.split_first() else { return };
            let left = first.get(self.offset..).unwrap_or_default();
            let taken = left.get(..len).unwrap_or(left);
            out.extend_from_slice(taken);
            len -= taken.len();
            self.offset += taken.len();
            if taken.len() == left.len() {
                self.slices = rest;
                self.offset = 0;
            }
        }
    }
}

impl fmt::Debug for SealKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKeys([secret])")
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer(sequence {}, limit {})", self.sequence, self.limit)
    }
}
