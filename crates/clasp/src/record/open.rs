//! Opening records, in place.

use super::limits::{HEADER_LEN, MAX_EXPANSION_13, MAX_PLAINTEXT, MAX_PLAINTEXT_U16};
use super::{RecordError, additional_data, xored_nonce};
use crate::code::ContentType;
use crate::copy::copy;
use crate::crypto::{
    AeadId, AeadKey, BlockKey, CbcHmacKey, CryptoError, CryptoResult, Digest, HmacKey, Provider, TAG_LEN, Use,
};
use crate::keys::schedule12::DirectionKeys;
use crate::keys::schedule13::TrafficKeys;
use crate::suite::{Bulk, Suite};
use core::fmt;
use core::ops::Range;
use subtle::ConstantTimeEq;

/// Keys that open the records of one direction.
pub struct OpenKeys(Protection);

enum Protection {
    None,
    /// RFC 5288: a 4-byte salt and 8 explicit bytes.
    Gcm(Box<dyn AeadKey>, [u8; 4]),
    /// RFC 7905: the nonce is implicit.
    ChaCha(Box<dyn AeadKey>, [u8; 12]),
    /// RFC 9846 5.2: every record looks like application data; its content type is inside.
    Tls13(Box<dyn AeadKey>, [u8; 12]),
    /// RFC 5246 6.2.3.2.
    MacThenEncrypt(Box<dyn CbcHmacKey>),
    /// RFC 7366.
    EncryptThenMac(Box<EncryptThenMac>),
    /// Protected, and without keys until the next record.
    Resting,
}

struct EncryptThenMac {
    cipher: Box<dyn BlockKey>,
    mac: Box<dyn HmacKey>,
    mac_len: usize,
}

const BLOCK: usize = 16;
const EXPLICIT_NONCE: usize = 8;

impl OpenKeys {
    /// Keys of a TLS 1.2 suite.
    pub(crate) fn tls12(
        provider: &Provider,
        suite: &Suite,
        keys: &DirectionKeys<'_>,
        encrypt_then_mac: bool,
    ) -> CryptoResult<Self> {
        let wrong = |_| CryptoError;
        Ok(Self(match suite.bulk {
            Bulk::Aead(AeadId::ChaCha20Poly1305) => {
                let key = provider.aead(AeadId::ChaCha20Poly1305)?.key(keys.key)?;
                Protection::ChaCha(key, keys.iv.try_into().map_err(wrong)?)
            }
            Bulk::Aead(id) => Protection::Gcm(provider.aead(id)?.key(keys.key)?, keys.iv.try_into().map_err(wrong)?),
            Bulk::Cbc(id) => {
                let legacy = provider.legacy.ok_or(CryptoError)?;
                if encrypt_then_mac {
                    let (cipher, mac) = (legacy.block(keys.key, Use::Open)?, provider.hash(id.mac)?.hmac(keys.mac));
                    Protection::EncryptThenMac(Box::new(EncryptThenMac { cipher, mac, mac_len: id.mac.len() }))
                } else {
                    let key = legacy.cbc_hmac(id, keys.mac, keys.key, Use::Open).ok_or(CryptoError)??;
                    Protection::MacThenEncrypt(key)
                }
            }
        }))
    }

    /// Keys of a TLS 1.3 traffic secret.
    pub(crate) fn tls13(provider: &Provider, aead: AeadId, keys: &TrafficKeys) -> CryptoResult<Self> {
        let key = keys.key.get(..keys.key_len).ok_or(CryptoError)?;
        Ok(Self(Protection::Tls13(provider.aead(aead)?.key(key)?, keys.iv)))
    }
}

/// What a record held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its content type; in TLS 1.3 the one inside.
    pub content: ContentType,
    /// Where its content stands in the record, or in the other buffer.
    pub range: Range<usize>,
}

/// The receiving half of the record layer: keys, a sequence number, a limit.
pub struct Opener {
    keys: OpenKeys,
    sequence: u64,
    limit: u16,
    /// The limit of records that are not protected.
    clear_limit: u16,
}

impl Default for Opener {
    fn default() -> Self {
        let limit = MAX_PLAINTEXT_U16;
        Self { keys: OpenKeys(Protection::None), sequence: 0, limit, clear_limit: limit }
    }
}

impl Opener {
    /// New keys: the sequence number starts again.
    pub fn install(&mut self, keys: OpenKeys) {
        self.keys = keys;
        self.sequence = 0;
    }

    /// Gives the keys away; [`wake`](Self::wake) goes on where they were.
    pub(crate) fn rest(&mut self) -> OpenKeys {
        let resting = if self.is_protected() { Protection::Resting } else { Protection::None };
        core::mem::replace(&mut self.keys, OpenKeys(resting))
    }

    /// As if so many records had been opened.
    #[cfg(test)]
    pub(crate) fn skip_to(&mut self, sequence: u64) {
        self.sequence = sequence;
    }

    /// Whether the keys are to be made again before the next record.
    pub(crate) fn is_resting(&self) -> bool {
        matches!(self.keys.0, Protection::Resting)
    }

    /// The same keys as before [`rest`](Self::rest): the sequence number goes on.
    pub(crate) fn wake(&mut self, keys: OpenKeys) {
        self.keys = keys;
    }

    /// Whether records are protected as TLS 1.3 does it.
    pub fn is_tls13(&self) -> bool {
        matches!(self.keys.0, Protection::Tls13(..))
    }

    /// Whether no record has been opened under the present keys.
    pub fn is_fresh(&self) -> bool {
        self.sequence == 0
    }

    /// Protected records with more plaintext than this are refused from here on; those in the clear too if `clear`.
    pub fn set_limit(&mut self, limit: usize, clear: bool) {
        self.limit = u16::try_from(limit).unwrap_or(u16::MAX).min(MAX_PLAINTEXT_U16);
        if clear {
            self.clear_limit = self.limit;
        }
    }

    /// Whether records are protected.
    pub fn is_protected(&self) -> bool {
        !matches!(self.keys.0, Protection::None)
    }

    /// How many bytes of room [`open_to`](Self::open_to) needs for a record of `record` bytes.
    pub fn room_for(&self, record: usize) -> usize {
        let around = match &self.keys.0 {
            Protection::Gcm(..) => EXPLICIT_NONCE + TAG_LEN,
            Protection::ChaCha(..) | Protection::Tls13(..) => TAG_LEN,
            Protection::None | Protection::MacThenEncrypt(_) | Protection::EncryptThenMac(_) | Protection::Resting => 0,
        };
        record.saturating_sub(HEADER_LEN).saturating_sub(around)
    }

    /// Opens one whole record in place and says what it held.
    ///
    /// # Errors
    /// [`RecordError::BadMac`] for everything that can be wrong inside; [`RecordError::TooLong`] for the length.
    pub fn open(&mut self, content: ContentType, record: &mut [u8]) -> Result<Opened, RecordError> {
        self.open_with(content, record, None)
    }

    /// Opens one whole record to another buffer, where the content then stands; `record` is undefined afterwards.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`RecordError::BadMac`] if `out` is shorter than [`room_for`](Self::room_for) says.
    pub fn open_to(&mut self, content: ContentType, record: &mut [u8], out: &mut [u8]) -> Result<Opened, RecordError> {
        self.open_with(content, record, Some(out))
    }

    fn open_with(
        &mut self,
        content: ContentType,
        record: &mut [u8],
        mut out: Option<&mut [u8]>,
    ) -> Result<Opened, RecordError> {
        let tls13 = self.is_tls13();
        if tls13 {
            if content != ContentType::ApplicationData {
                return Err(RecordError::Unprotected(content));
            }
            // RFC 9846 5.2: one byte of type and at most 255 of the AEAD.
            let body = record.len().saturating_sub(HEADER_LEN);
            if body > MAX_PLAINTEXT + MAX_EXPANSION_13 {
                return Err(RecordError::TooLong(body));
            }
        }
        let range = self.decrypt(content, record, out.as_deref_mut()).map_err(|CryptoError| RecordError::BadMac)?;
        let plain = out.as_deref().unwrap_or(record).get(range.clone()).unwrap_or_default();
        let limit = usize::from(if self.is_protected() { self.limit } else { self.clear_limit });
        let opened = if tls13 { inner(plain, range, limit)? } else { Opened { content, range } };
        if opened.range.len() > limit {
            return Err(RecordError::TooLong(opened.range.len()));
        }
        self.sequence = self.sequence.checked_add(1).ok_or(RecordError::BadMac)?;
        Ok(opened)
    }

    /// Where the plaintext stands: in `out` if that is given, or else in `record`.
    fn decrypt(
        &mut self,
        content: ContentType,
        record: &mut [u8],
        out: Option<&mut [u8]>,
    ) -> CryptoResult<Range<usize>> {
        let sequence = self.sequence;
        let (header, body) = record.split_first_chunk_mut::<HEADER_LEN>().ok_or(CryptoError)?;
        let version = [header[1], header[2]];
        let aad = |length| additional_data(sequence, content, version, length);
        match &mut self.keys.0 {
            Protection::None => moved(body, body.len(), HEADER_LEN, out),
            Protection::Gcm(key, salt) => {
                let (explicit, sealed) = body.split_first_chunk_mut::<EXPLICIT_NONCE>().ok_or(CryptoError)?;
                let plain = sealed.len().checked_sub(TAG_LEN).ok_or(CryptoError)?;
                let mut nonce = [0; 12];
                nonce[..4].copy_from_slice(salt);
                nonce[4..].copy_from_slice(explicit);
                opened(&**key, &nonce, &aad(plain), sealed, HEADER_LEN + EXPLICIT_NONCE, out)
            }
            Protection::ChaCha(key, iv) => {
                let plain = body.len().checked_sub(TAG_LEN).ok_or(CryptoError)?;
                opened(&**key, &xored_nonce(iv, sequence), &aad(plain), body, HEADER_LEN, out)
            }
            Protection::Tls13(key, iv) => opened(&**key, &xored_nonce(iv, sequence), &*header, body, HEADER_LEN, out),
            Protection::MacThenEncrypt(key) => {
                let (iv, sealed) = body.split_first_chunk_mut::<BLOCK>().ok_or(CryptoError)?;
                let plain = key.open(iv, aad(0).first_chunk().ok_or(CryptoError)?, sealed)?;
                moved(sealed, plain, HEADER_LEN + BLOCK, out)
            }
            Protection::Resting => Err(CryptoError),
            Protection::EncryptThenMac(key) => {
                // RFC 7366 3: MAC over everything incl. the IV, checked before anything is decrypted.
                let signed = body.len().checked_sub(key.mac_len).ok_or(CryptoError)?;
                let (signed, tag) = body.split_at_mut(signed);
                let wanted = Digest::filled(key.mac_len, |out| key.mac.sign(&[&aad(signed.len()), signed], out));
                if !bool::from(wanted.as_ref().ct_eq(tag)) {
                    return Err(CryptoError);
                }
                let (iv, sealed) = signed.split_first_chunk_mut::<BLOCK>().ok_or(CryptoError)?;
                key.cipher.decrypt(iv, sealed)?;
                let plain = unpadded(sealed)?;
                moved(sealed, plain, HEADER_LEN + BLOCK, out)
            }
        }
    }
}

/// Opens `sealed`, which stands at `at` in the record, in place or to `out`.
fn opened(
    key: &dyn AeadKey,
    nonce: &[u8; 12],
    aad: &[u8],
    sealed: &mut [u8],
    at: usize,
    out: Option<&mut [u8]>,
) -> CryptoResult<Range<usize>> {
    match out {
        Some(out) => Ok(0..key.open_to(nonce, aad, sealed, out)?),
        None => Ok(at..at.saturating_add(key.open(nonce, aad, sealed)?)),
    }
}

/// Plaintext that was made in place, at `at` in the record: copied to `out` if that is where it is wanted.
fn moved(bytes: &[u8], len: usize, at: usize, out: Option<&mut [u8]>) -> CryptoResult<Range<usize>> {
    let Some(out) = out else { return Ok(at..at.saturating_add(len)) };
    let plain = bytes.get(..len).ok_or(CryptoError)?;
    copy(plain, out.get_mut(..plain.len()).ok_or(CryptoError)?);
    Ok(0..plain.len())
}

/// The content of a TLSInnerPlaintext, which stands at `range`: its type is the last byte that is not zero (RFC 9846 5.4).
fn inner(plain: &[u8], range: Range<usize>, limit: usize) -> Result<Opened, RecordError> {
    // The limit is for content, type and padding together (RFC 9846 5.2, RFC 8449 4).
    if plain.len() > limit.saturating_add(1) {
        return Err(RecordError::TooLong(plain.len()));
    }
    let end = plain.iter().rposition(|b| *b != 0).ok_or(RecordError::Empty)?;
    let content = plain.get(end).copied().map(ContentType).ok_or(RecordError::Empty)?;
    Ok(Opened { content, range: range.start..range.start.saturating_add(end) })
}

/// The length without the padding of RFC 5246 6.2.3.2; every padding byte must say the same (POODLE). The record is
/// authenticated already, so this may branch.
fn unpadded(blocks: &[u8]) -> CryptoResult<usize> {
    let padding = *blocks.last().ok_or(CryptoError)?;
    let plain = blocks.len().checked_sub(usize::from(padding) + 1).ok_or(CryptoError)?;
    if blocks.get(plain..).ok_or(CryptoError)?.iter().all(|b| *b == padding) { Ok(plain) } else { Err(CryptoError) }
}

impl fmt::Debug for OpenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenKeys([secret])")
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opener(sequence {}, limit {})", self.sequence, self.limit)
    }
}
