//! Sealing records, straight into the outgoing buffer.

use super::limits::{HEADER_LEN, MAX_PLAINTEXT_U16};
use super::source::Source;
use super::{additional_data, xored_nonce};
use crate::code::{ContentType, ProtocolVersion};
use crate::copy::copy;
use crate::crypto::{
    AeadId, AeadKey, BlockKey, CbcHmacKey, CryptoError, CryptoResult, HmacKey, Provider, Random, TAG_LEN, Use,
};
use crate::keys::schedule12::DirectionKeys;
use crate::keys::schedule13::TrafficKeys;
use crate::suite::{Bulk, Suite};
use core::fmt;
use std::io::IoSlice;

/// Keys that seal the records of one direction.
pub struct SealKeys(Protection);

enum Protection {
    None,
    Gcm(Box<dyn AeadKey>, [u8; 4]),
    ChaCha(Box<dyn AeadKey>, [u8; 12]),
    Tls13(Box<dyn AeadKey>, [u8; 12], AeadId),
    MacThenEncrypt(Box<MacThenEncrypt>),
    EncryptThenMac(Box<EncryptThenMac>),
    /// Protected, and without keys until the next record.
    Resting,
}

struct MacThenEncrypt {
    cipher: Box<dyn CbcHmacKey>,
    mac_len: usize,
    random: &'static dyn Random,
}

struct EncryptThenMac {
    cipher: Box<dyn BlockKey>,
    mac: Box<dyn HmacKey>,
    mac_len: usize,
    random: &'static dyn Random,
}

const BLOCK: usize = 16;
const EXPLICIT_NONCE: usize = 8;
/// The most that stands in front of a record's plaintext: header and IV.
pub const MAX_FRONT: usize = HEADER_LEN + BLOCK;
/// The most that stands behind it: a MAC of 48 bytes and a block of padding.
pub const MAX_BACK: usize = 48 + BLOCK;
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
                    let (cipher, mac) = (legacy.block(keys.key, Use::Seal)?, provider.hash(id.mac)?.hmac(keys.mac));
                    Protection::EncryptThenMac(Box::new(EncryptThenMac { cipher, mac, mac_len, random }))
                } else {
                    let cipher = legacy.cbc_hmac(id, keys.mac, keys.key, Use::Seal).ok_or(CryptoError)??;
                    Protection::MacThenEncrypt(Box::new(MacThenEncrypt { cipher, mac_len, random }))
                }
            }
        }))
    }

    /// Keys of a TLS 1.3 traffic secret.
    pub(crate) fn tls13(provider: &Provider, aead: AeadId, keys: &TrafficKeys) -> CryptoResult<Self> {
        let key = keys.key.get(..keys.key_len).ok_or(CryptoError)?;
        Ok(Self(Protection::Tls13(provider.aead(aead)?.key(key)?, keys.iv, aead)))
    }
}

/// Bytes of a record's parts, behind its header.
#[derive(Clone, Copy)]
struct Shape {
    /// An explicit nonce or IV.
    front: usize,
    plain: usize,
    /// Content type, padding, tag or MAC.
    back: usize,
}

impl Shape {
    const fn record(self) -> usize {
        HEADER_LEN.saturating_add(self.front).saturating_add(self.plain).saturating_add(self.back)
    }
}

/// Where the plaintext of a record stands.
enum Plain<'a> {
    /// In another buffer.
    Apart(&'a [u8]),
    /// Where its ciphertext will.
    InPlace(usize),
}

impl Plain<'_> {
    /// Seals it with what ends it; `out` has the ciphertext, and the tag behind.
    fn seal(
        self,
        key: &dyn AeadKey,
        nonce: &[u8; 12],
        aad: &[u8],
        end: Option<ContentType>,
        out: &mut [u8],
    ) -> CryptoResult<()> {
        let end_bytes = end.map(|content| [content.0]);
        let end = end_bytes.as_ref().map_or(&[][..], |byte| byte);
        let len = match self {
            Self::Apart(plain) if out.len().checked_sub(TAG_LEN) == Some(plain.len().saturating_add(end.len())) => {
                return key.seal_to(nonce, aad, plain, end, out);
            }
            plain => plain.put(out)?,
        };
        let (inner, tag) = out.split_last_chunk_mut::<TAG_LEN>().ok_or(CryptoError)?;
        let behind = inner.get_mut(len..).ok_or(CryptoError)?;
        // The content type, then padding of zeros: RFC 9846 5.4.
        behind.fill(0);
        behind.get_mut(..end.len()).ok_or(CryptoError)?.copy_from_slice(end);
        key.seal(nonce, aad, inner, tag)
    }

    /// Brings it to the front of `place`; gives its length.
    fn put(self, place: &mut [u8]) -> CryptoResult<usize> {
        match self {
            Self::Apart(plain) => {
                copy(plain, place.get_mut(..plain.len()).ok_or(CryptoError)?);
                Ok(plain.len())
            }
            Self::InPlace(len) => Ok(len),
        }
    }
}

/// The sending half of the record layer.
pub struct Sealer {
    keys: SealKeys,
    sequence: u64,
    limit: u16,
    padding: u16,
    version: ProtocolVersion,
}

impl Default for Sealer {
    /// The first records carry version 3.1, which every peer takes: RFC 5246 E.1.
    fn default() -> Self {
        let keys = SealKeys(Protection::None);
        Self { keys, sequence: 0, limit: MAX_PLAINTEXT_U16, padding: 0, version: ProtocolVersion::Tls10 }
    }
}

impl Sealer {
    /// New keys: the sequence number starts again.
    pub fn install(&mut self, keys: SealKeys) {
        self.keys = keys;
        self.sequence = 0;
    }

    /// Gives the keys away; [`wake`](Self::wake) goes on where they were.
    pub(crate) fn rest(&mut self) -> SealKeys {
        let resting = if self.is_protected() { Protection::Resting } else { Protection::None };
        core::mem::replace(&mut self.keys, SealKeys(resting))
    }

    /// The same, keys and all; what stays behind has none.
    pub(crate) fn split(&mut self) -> Self {
        let keys = self.rest();
        Self { keys, ..*self }
    }

    /// Whether the keys are to be made again before the next record.
    pub(crate) fn is_resting(&self) -> bool {
        matches!(self.keys.0, Protection::Resting)
    }

    /// The same keys as before [`rest`](Self::rest): the sequence number goes on.
    pub(crate) fn wake(&mut self, keys: SealKeys) {
        self.keys = keys;
    }

    /// Records carry at most this much plaintext from here on; a limit only shrinks.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = u16::try_from(limit).unwrap_or(u16::MAX).max(1).min(self.limit);
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
        self.padding = u16::try_from(block).unwrap_or(u16::MAX).min(MAX_PLAINTEXT_U16);
    }

    /// Whether the keys have sealed as many records as their AEAD allows (RFC 9846 5.5): time for a KeyUpdate, and in TLS 1.2,
    /// whose AES-GCM is the same, for the end.
    pub fn is_used_up(&self) -> bool {
        let aead = match &self.keys.0 {
            Protection::Tls13(_, _, aead) => *aead,
            Protection::Gcm(..) => AeadId::Aes256Gcm,
            _ => return false,
        };
        self.sequence >= aead.confidentiality_limit().saturating_sub(REKEY_MARGIN)
    }

    /// A ChangeCipherSpec of the middlebox compatibility mode, always in the clear: RFC 9846 E.4.
    pub fn compatibility_ccs(out: &mut Vec<u8>) {
        out.extend_from_slice(&[ContentType::ChangeCipherSpec.0, 3, 3, 0, 1, 1]);
    }

    /// As if so many records had been sealed.
    #[cfg(test)]
    pub(crate) fn skip_to(&mut self, sequence: u64) {
        self.sequence = sequence;
    }

    /// The parts of a record of `plain` bytes.
    #[expect(clippy::arithmetic_side_effects, reason = "of one record; what is longer is refused before it is sealed")]
    fn shape(&self, plain: usize) -> Shape {
        let padded = |n: usize| n / BLOCK * BLOCK + BLOCK;
        let (front, back) = match &self.keys.0 {
            Protection::None => (0, 0),
            // More than any keys add.
            Protection::Resting => (BLOCK, MAX_BACK),
            Protection::Gcm(..) => (EXPLICIT_NONCE, TAG_LEN),
            Protection::ChaCha(..) => (0, TAG_LEN),
            Protection::Tls13(..) if self.padding > 1 => {
                let padded = plain.next_multiple_of(self.padding.into()).min(self.limit.into());
                (0, 1 + padded.saturating_sub(plain) + TAG_LEN)
            }
            Protection::Tls13(..) => (0, 1 + TAG_LEN),
            Protection::MacThenEncrypt(key) => (BLOCK, padded(plain + key.mac_len) - plain),
            Protection::EncryptThenMac(key) => (BLOCK, padded(plain) - plain + key.mac_len),
        };
        Shape { front, plain, back }
    }

    /// Bytes that `plain` bytes become.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the limit is never 0 (`set_limit`), and slices are no longer than an address can say"
    )]
    pub fn sealed_len(&self, plain: usize) -> usize {
        let limit = usize::from(self.limit);
        let (full, rest) = (plain / limit, plain % limit);
        let last = if rest > 0 || full == 0 { self.shape(rest).record() } else { 0 };
        full * self.shape(limit).record() + last
    }

    /// Seals all of `plain`, as few records as the limit allows, behind what `out` holds. Gives the number of records.
    ///
    /// # Errors
    /// If no sequence numbers are left, or randomness fails. `out` is then as before.
    pub fn seal(&mut self, content: ContentType, plain: &[IoSlice<'_>], out: &mut Vec<u8>) -> CryptoResult<usize> {
        let start = out.len();
        let mut source = Source::new(plain);
        out.reserve(self.sealed_len(source.left()));
        for records in 1.. {
            let shape = self.shape(source.left().min(self.limit.into()));
            let at = out.len();
            // One record at a time: what is written here is still in the cache when it is written over.
            let plain = self.prepare(shape, &mut source, out);
            if let Err(e) = self.protect(content, shape, plain, out.get_mut(at..).unwrap_or_default()) {
                out.truncate(start);
                return Err(e);
            }
            if source.left() == 0 {
                return Ok(records);
            }
        }
        Err(CryptoError)
    }

    /// Adds the room of a record to `out`, and the plaintext if it is to be sealed in place: no byte is written that
    /// need not be.
    fn prepare<'a>(&self, shape: Shape, source: &mut Source<'a>, out: &mut Vec<u8>) -> Plain<'a> {
        let apart = match &self.keys.0 {
            Protection::Gcm(key, _) | Protection::ChaCha(key, _) => key.seals_apart(shape.plain, 0),
            Protection::Tls13(key, ..) => key.seals_apart(shape.plain, 1),
            _ => false,
        };
        let end = out.len().saturating_add(shape.record());
        if apart && let Some(plain) = source.together(shape.plain) {
            out.resize(end, 0);
            return Plain::Apart(plain);
        }
        out.resize(out.len().saturating_add(HEADER_LEN).saturating_add(shape.front), 0);
        source.append_to(shape.plain, out);
        out.resize(end, 0);
        Plain::InPlace(shape.plain)
    }

    /// Seals as much of `plain` as has room in `out`. Gives how much that was, and how many bytes it became.
    ///
    /// # Errors
    /// As [`seal`](Self::seal).
    pub fn seal_into(
        &mut self,
        content: ContentType,
        plain: &[IoSlice<'_>],
        out: &mut [u8],
    ) -> CryptoResult<(usize, usize)> {
        let mut source = Source::new(plain);
        let total = source.left();
        let mut rest = &mut *out;
        while source.left() > 0
            && let Some(shape) = self.fitting(source.left(), rest.len())
        {
            let (record, behind) = core::mem::take(&mut rest).split_at_mut(shape.record());
            self.one(content, shape, &mut source, record)?;
            rest = behind;
        }
        let room = rest.len();
        Ok((total.saturating_sub(source.left()), out.len().saturating_sub(room)))
    }

    /// The largest record of at most `left` bytes of plaintext that has room.
    fn fitting(&self, left: usize, room: usize) -> Option<Shape> {
        let whole = self.shape(left.min(self.limit.into()));
        if whole.record() <= room {
            return Some(whole);
        }
        let most = room.checked_sub(whole.front)?.checked_sub(HEADER_LEN + MAX_BACK)?;
        let padding = usize::from(self.padding.max(1));
        let most = most.saturating_sub(most.checked_rem(padding)?);
        (most > 0).then(|| self.shape(most))
    }

    /// The most plaintext that [`seal_in_place`](Self::seal_in_place) takes: none if records are padded.
    pub fn max_in_place(&self) -> usize {
        if self.padding > 1 { 0 } else { self.limit.into() }
    }

    /// Seals the `len` bytes at `at` in place; gives where the record stands, which begins at most [`MAX_FRONT`] bytes
    /// before them and ends at most [`MAX_BACK`] behind.
    ///
    /// # Errors
    /// As [`seal`](Self::seal), or if the plaintext is longer than one record may hold, or there is no room around it.
    pub fn seal_in_place(
        &mut self,
        content: ContentType,
        buffer: &mut [u8],
        at: usize,
        len: usize,
    ) -> CryptoResult<core::ops::Range<usize>> {
        let shape = self.shape(len);
        let start = at.checked_sub(HEADER_LEN).and_then(|at| at.checked_sub(shape.front)).ok_or(CryptoError)?;
        let range = start..start.saturating_add(shape.record());
        if self.max_in_place() == 0 || len > self.max_in_place() {
            return Err(CryptoError);
        }
        let record = buffer.get_mut(range.clone()).ok_or(CryptoError)?;
        self.protect(content, shape, Plain::InPlace(len), record)?;
        Ok(range)
    }

    /// Takes one record's plaintext from `source` and seals it.
    fn one(
        &mut self,
        content: ContentType,
        shape: Shape,
        source: &mut Source<'_>,
        record: &mut [u8],
    ) -> CryptoResult<()> {
        if let Some(plain) = source.together(shape.plain) {
            return self.protect(content, shape, Plain::Apart(plain), record);
        }
        let place =
            record.get_mut(HEADER_LEN..).and_then(|r| r.get_mut(shape.front..)).and_then(|r| r.get_mut(..shape.plain));
        source.copy_to(place.ok_or(CryptoError)?);
        self.protect(content, shape, Plain::InPlace(shape.plain), record)
    }

    /// Fills one record: header, explicit nonce or IV, ciphertext and tag or MAC.
    fn protect(&mut self, content: ContentType, shape: Shape, plain: Plain<'_>, record: &mut [u8]) -> CryptoResult<()> {
        let sequence = self.sequence;
        self.sequence = sequence.checked_add(1).ok_or(CryptoError)?;
        let (header, body) = record.split_first_chunk_mut::<HEADER_LEN>().ok_or(CryptoError)?;
        let version = self.version.0.to_be_bytes();
        let outer = if matches!(self.keys.0, Protection::Tls13(..)) { ContentType::ApplicationData } else { content };
        let length = u16::try_from(body.len()).map_err(|_| CryptoError)?.to_be_bytes();
        *header = [outer.0, version[0], version[1], length[0], length[1]];
        let aad = |length| additional_data(sequence, content, version, length);
        match &mut self.keys.0 {
            Protection::None => plain.put(body).map(drop),
            Protection::Resting => Err(CryptoError),
            Protection::Gcm(key, salt) => {
                // The sequence number never repeats under one key: RFC 5288 3.
                let (explicit, rest) = body.split_first_chunk_mut::<EXPLICIT_NONCE>().ok_or(CryptoError)?;
                *explicit = sequence.to_be_bytes();
                let mut nonce = [0; 12];
                nonce[..4].copy_from_slice(salt);
                nonce[4..].copy_from_slice(explicit);
                plain.seal(&**key, &nonce, &aad(shape.plain), None, rest)
            }
            Protection::ChaCha(key, iv) => {
                plain.seal(&**key, &xored_nonce(iv, sequence), &aad(shape.plain), None, body)
            }
            Protection::Tls13(key, iv, _) => {
                plain.seal(&**key, &xored_nonce(iv, sequence), header, Some(content), body)
            }
            Protection::MacThenEncrypt(key) => {
                // A fresh unpredictable IV for each record: RFC 5246 6.2.3.2 (BEAST).
                let (iv, rest) = body.split_first_chunk_mut::<BLOCK>().ok_or(CryptoError)?;
                key.random.fill(iv)?;
                let len = plain.put(rest)?;
                let written = key.cipher.seal(aad(len).first_chunk().ok_or(CryptoError)?, body, len)?;
                if written == body.len() { Ok(()) } else { Err(CryptoError) }
            }
            Protection::EncryptThenMac(key) => {
                let signed = body.len().checked_sub(key.mac_len).ok_or(CryptoError)?;
                let (signed, tag) = body.split_at_mut(signed);
                let (iv, rest) = signed.split_first_chunk_mut::<BLOCK>().ok_or(CryptoError)?;
                key.random.fill(iv)?;
                let len = plain.put(rest)?;
                let padding = rest.get_mut(len..).ok_or(CryptoError)?;
                let padding_byte = u8::try_from(padding.len().wrapping_sub(1)).map_err(|_| CryptoError)?;
                padding.fill(padding_byte);
                key.cipher.encrypt(iv, rest)?;
                key.mac.sign(&[&aad(signed.len()), signed], tag);
                Ok(())
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
