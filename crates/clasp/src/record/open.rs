//! Opening records, in place.

use super::RecordError;
use super::limits::{HEADER_LEN, MAX_PLAINTEXT_U16};
use super::protection::{About, Protection};
use crate::code::ContentType;
use crate::crypto::{CryptoResult, Provider, Use};
use crate::keys::maker::KeyMaterial;
use core::fmt;
use core::ops::Range;

/// Keys that open the records of one direction.
pub struct OpenKeys(Protection);

impl OpenKeys {
    pub(super) fn new(provider: &'static Provider, material: &KeyMaterial<'_>) -> CryptoResult<Self> {
        Protection::new(provider, material, Use::Open).map(Self)
    }
}

/// What a record held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedRecord {
    /// Its content type; in TLS 1.3 the one inside.
    pub content: ContentType,
    /// Where its content stands in the record, or in the other buffer.
    pub range: Range<usize>,
}

/// The receiving half of the record layer: keys, a sequence number, a limit.
pub struct Opener {
    /// None while they rest: they are to be made again before the next record.
    keys: Option<OpenKeys>,
    sequence: u64,
    limit: u16,
    /// The limit of records that are not protected.
    clear_limit: u16,
}

impl Default for Opener {
    fn default() -> Self {
        let limit = MAX_PLAINTEXT_U16;
        Self { keys: Some(OpenKeys(Protection::Clear)), sequence: 0, limit, clear_limit: limit }
    }
}

impl Opener {
    /// New keys: the sequence number starts again.
    pub fn install(&mut self, keys: OpenKeys) {
        self.keys = Some(keys);
        self.sequence = 0;
    }

    /// Gives the keys away, if there are any; [`wake`](Self::wake) goes on where they were.
    pub(crate) fn rest(&mut self) -> Option<OpenKeys> {
        self.keys.take_if(|keys| !keys.0.is_clear())
    }

    /// As if so many records had been opened.
    #[cfg(test)]
    pub(crate) fn skip_to(&mut self, sequence: u64) {
        self.sequence = sequence;
    }

    /// Whether the keys are to be made again before the next record.
    pub(crate) fn is_resting(&self) -> bool {
        self.keys.is_none()
    }

    /// The same keys as before [`rest`](Self::rest): the sequence number goes on.
    pub(crate) fn wake(&mut self, keys: Option<OpenKeys>) {
        self.keys = keys;
    }

    /// Whether records are protected as TLS 1.3 does it.
    pub fn is_tls13(&self) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.0.is_tls13())
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
        self.keys.as_ref().is_none_or(|keys| !keys.0.is_clear())
    }

    /// How many bytes of room [`open_to`](Self::open_to) needs for a record of `record` bytes.
    pub fn room_for(&self, record: usize) -> usize {
        let around = self.keys.as_ref().map_or(0, |keys| keys.0.least_around());
        record.saturating_sub(HEADER_LEN).saturating_sub(around)
    }

    /// Opens one whole record in place and says what it held.
    ///
    /// # Errors
    /// [`RecordError::BadMac`] for everything that can be wrong inside; [`RecordError::TooLong`] for the length.
    pub fn open(&mut self, content: ContentType, record: &mut [u8]) -> Result<OpenedRecord, RecordError> {
        self.open_with(content, record, None)
    }

    /// Opens one whole record to another buffer, where the content then stands; `record` is undefined afterwards.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`RecordError::BadMac`] if `out` is shorter than [`room_for`](Self::room_for) says.
    pub fn open_to(
        &mut self,
        content: ContentType,
        record: &mut [u8],
        out: &mut [u8],
    ) -> Result<OpenedRecord, RecordError> {
        self.open_with(content, record, Some(out))
    }

    fn open_with(
        &mut self,
        content: ContentType,
        record: &mut [u8],
        mut out: Option<&mut [u8]>,
    ) -> Result<OpenedRecord, RecordError> {
        let limit = if self.is_protected() { self.limit } else { self.clear_limit };
        let OpenKeys(protection) = self.keys.as_mut().ok_or(RecordError::BadMac)?;
        let (header, body) = record.split_first_chunk_mut::<HEADER_LEN>().ok_or(RecordError::BadMac)?;
        let about = About { sequence: self.sequence, content, header };
        let mut opened = protection.open(about, body, out.as_deref_mut(), limit.into())?;
        if out.is_none() {
            let Range { start, end } = &mut opened.range;
            (*start, *end) = (start.saturating_add(HEADER_LEN), end.saturating_add(HEADER_LEN));
        }
        self.sequence = self.sequence.checked_add(1).ok_or(RecordError::BadMac)?;
        Ok(opened)
    }
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
