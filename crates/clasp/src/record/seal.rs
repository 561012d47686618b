//! Sealing records, straight into the outgoing buffer.

use super::SealError;
use super::limits::{HEADER_LEN, MAX_PLAINTEXT_U16};
use super::protection::{About, Layout, MAX_BACK, Plain, Protection};
use super::source::Source;
use crate::code::{ContentType, ProtocolVersion};
use crate::crypto::{CryptoError, CryptoResult, Provider, Use};
use crate::keys::maker::KeyMaterial;
use core::fmt;
use std::io::IoSlice;

/// Keys that seal the records of one direction.
pub struct SealKeys(Protection);

/// Records kept back for what must still be said when the keys are used up.
const REKEY_MARGIN: u64 = 1 << 10;

impl SealKeys {
    pub(super) fn new(provider: &'static Provider, material: &KeyMaterial<'_>) -> CryptoResult<Self> {
        Protection::new(provider, material, Use::Seal).map(Self)
    }
}

/// The sending half of the record layer.
pub struct Sealer {
    /// None while they rest: they are to be made again before the next record.
    keys: Option<SealKeys>,
    sequence: u64,
    limit: u16,
    padding: u16,
    version: ProtocolVersion,
}

impl Default for Sealer {
    /// The first records carry version 3.1, which every peer takes: RFC 5246 E.1.
    fn default() -> Self {
        let keys = Some(SealKeys(Protection::Clear));
        Self { keys, sequence: 0, limit: MAX_PLAINTEXT_U16, padding: 0, version: ProtocolVersion::Tls10 }
    }
}

impl Sealer {
    /// New keys: the sequence number starts again.
    pub fn install(&mut self, keys: SealKeys) {
        self.keys = Some(keys);
        self.sequence = 0;
    }

    /// Gives the keys away, if there are any; [`wake`](Self::wake) goes on where they were.
    pub(crate) fn rest(&mut self) -> Option<SealKeys> {
        self.keys.take_if(|keys| !keys.0.is_clear())
    }

    /// Whether the keys are to be made again before the next record.
    pub(crate) fn is_resting(&self) -> bool {
        self.keys.is_none()
    }

    /// The same keys as before [`rest`](Self::rest): the sequence number goes on.
    pub(crate) fn wake(&mut self, keys: Option<SealKeys>) {
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
        self.keys.as_ref().is_none_or(|keys| !keys.0.is_clear())
    }

    /// Records in the clear again: a client's second hello after early data (RFC 9846 4.1.4).
    pub fn uninstall(&mut self) {
        self.keys = Some(SealKeys(Protection::Clear));
        self.sequence = 0;
    }

    /// Pads every TLS 1.3 record up to a multiple of this many bytes (RFC 9846 5.4); 0 and 1 do not pad.
    pub fn set_padding(&mut self, block: usize) {
        self.padding = u16::try_from(block).unwrap_or(u16::MAX).min(MAX_PLAINTEXT_U16);
    }

    /// Whether the keys have sealed as many records as their AEAD allows (RFC 9846 5.5): time for a KeyUpdate, and in TLS 1.2,
    /// whose AES-GCM is the same, for the end.
    pub fn is_used_up(&self) -> bool {
        let most = self.keys.as_ref().map_or(u64::MAX, |keys| keys.0.most_records());
        self.sequence >= most.saturating_sub(REKEY_MARGIN)
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
    fn layout(&self, plain: usize) -> Layout {
        let zeros = if self.padding > 1 { self.zeros(plain) } else { 0 };
        self.keys.as_ref().map_or(Layout::widest(plain), |keys| keys.0.layout(plain, zeros))
    }

    /// The padding of a TLS 1.3 record of `plain` bytes, no further than the limit.
    fn zeros(&self, plain: usize) -> usize {
        let padded = plain.checked_next_multiple_of(self.padding.into()).unwrap_or(plain);
        padded.min(self.limit.into()).saturating_sub(plain)
    }

    /// Bytes that `plain` bytes become.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the limit is never 0 (`set_limit`), and slices are no longer than an address can say"
    )]
    pub fn sealed_len(&self, plain: usize) -> usize {
        let limit = usize::from(self.limit);
        let (full, rest) = (plain / limit, plain % limit);
        let last = if rest > 0 || full == 0 { self.layout(rest).record() } else { 0 };
        full * self.layout(limit).record() + last
    }

    /// Seals all of `plain`, as few records as the limit allows, behind what `out` holds. Gives the number of records.
    ///
    /// # Errors
    /// If no sequence numbers are left, or randomness fails. `out` is then as before.
    pub fn seal(&mut self, content: ContentType, plain: &[IoSlice<'_>], out: &mut Vec<u8>) -> Result<usize, SealError> {
        let start = out.len();
        let mut source = Source::new(plain);
        out.reserve(self.sealed_len(source.left()));
        for records in 1.. {
            let layout = self.layout(source.left().min(self.limit.into()));
            let at = out.len();
            // One record at a time: what is written here is still in the cache when it is written over.
            let plain = self.prepare(layout, &mut source, out);
            if let Err(e) = self.protect(content, plain, out.get_mut(at..).unwrap_or_default()) {
                out.truncate(start);
                return Err(e);
            }
            if source.left() == 0 {
                return Ok(records);
            }
        }
        Err(SealError::CryptoFailed)
    }

    /// Adds the room of a record to `out`, and the plaintext if it is to be sealed in place: no byte is written that
    /// need not be.
    fn prepare<'a>(&self, layout: Layout, source: &mut Source<'a>, out: &mut Vec<u8>) -> Plain<'a> {
        let apart = self.keys.as_ref().is_some_and(|keys| keys.0.seals_apart(layout.plain));
        let end = out.len().saturating_add(layout.record());
        if apart && let Some(plain) = source.together(layout.plain) {
            out.resize(end, 0);
            return Plain::Apart(plain);
        }
        out.resize(out.len().saturating_add(HEADER_LEN).saturating_add(layout.front), 0);
        source.append_to(layout.plain, out);
        out.resize(end, 0);
        Plain::InPlace(layout.plain)
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
    ) -> Result<(usize, usize), SealError> {
        let mut source = Source::new(plain);
        let total = source.left();
        let mut rest = &mut *out;
        while source.left() > 0
            && let Some(layout) = self.fitting(source.left(), rest.len())
        {
            let (record, behind) = core::mem::take(&mut rest).split_at_mut(layout.record());
            self.one(content, layout, &mut source, record)?;
            rest = behind;
        }
        let room = rest.len();
        Ok((total.saturating_sub(source.left()), out.len().saturating_sub(room)))
    }

    /// The largest record of at most `left` bytes of plaintext that has room.
    fn fitting(&self, left: usize, room: usize) -> Option<Layout> {
        let whole = self.layout(left.min(self.limit.into()));
        if whole.record() <= room {
            return Some(whole);
        }
        let most = room.checked_sub(whole.front)?.checked_sub(HEADER_LEN + MAX_BACK)?;
        let padding = usize::from(self.padding.max(1));
        let most = most.saturating_sub(most.checked_rem(padding)?);
        (most > 0).then(|| self.layout(most))
    }

    /// The most plaintext that [`seal_in_place`](Self::seal_in_place) takes: none if records are padded.
    pub fn max_in_place(&self) -> usize {
        if self.padding > 1 { 0 } else { self.limit.into() }
    }

    /// Seals the `len` bytes at `at` in place; gives where the record stands, which begins at most [`MAX_FRONT`](super::MAX_FRONT) bytes
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
    ) -> Result<core::ops::Range<usize>, SealError> {
        let layout = self.layout(len);
        let start = at.checked_sub(HEADER_LEN).and_then(|at| at.checked_sub(layout.front)).ok_or(CryptoError)?;
        let range = start..start.saturating_add(layout.record());
        if self.max_in_place() == 0 || len > self.max_in_place() {
            return Err(SealError::CryptoFailed);
        }
        let record = buffer.get_mut(range.clone()).ok_or(CryptoError)?;
        self.protect(content, Plain::InPlace(len), record)?;
        Ok(range)
    }

    /// Takes one record's plaintext from `source` and seals it.
    fn one(
        &mut self,
        content: ContentType,
        layout: Layout,
        source: &mut Source<'_>,
        record: &mut [u8],
    ) -> Result<(), SealError> {
        if let Some(plain) = source.together(layout.plain) {
            return self.protect(content, Plain::Apart(plain), record);
        }
        let place = record
            .get_mut(HEADER_LEN..)
            .and_then(|r| r.get_mut(layout.front..))
            .and_then(|r| r.get_mut(..layout.plain));
        source.copy_to(place.ok_or(CryptoError)?);
        self.protect(content, Plain::InPlace(layout.plain), record)
    }

    /// Fills one record: its header, and what the keys make of its plaintext.
    fn protect(&mut self, content: ContentType, plain: Plain<'_>, record: &mut [u8]) -> Result<(), SealError> {
        let SealKeys(protection) = self.keys.as_mut().ok_or(CryptoError)?;
        let sequence = self.sequence;
        self.sequence = sequence.checked_add(1).ok_or(SealError::SequenceExhausted)?;
        let (header, body) = record.split_first_chunk_mut::<HEADER_LEN>().ok_or(CryptoError)?;
        let version = self.version.0.to_be_bytes();
        let length = u16::try_from(body.len()).map_err(|_| CryptoError)?.to_be_bytes();
        let outer = if protection.is_tls13() { ContentType::ApplicationData } else { content };
        *header = [outer.0, version[0], version[1], length[0], length[1]];
        protection.seal(About { sequence, content, header }, body, plain)
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
