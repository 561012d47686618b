//! AEADs of TLS 1.3: RFC 9846 5.2.
//!
//! ```text
//!   header │ ciphertext of (content  content type  zeros)  tag
//! ```
//! Every record looks like application data: its content type is inside. The header is authenticated as it stands.

use super::About;
use super::aead::{Once, folded};
use super::plain::Plain;
use crate::code::ContentType;
use crate::crypto::{AeadId, AeadKey, CryptoError, CryptoResult, TAG_LEN};
use crate::record::limits::{MAX_EXPANSION_13, MAX_PLAINTEXT};
use crate::record::{OpenedRecord, RecordError};
use core::ops::Range;

/// Where the nonces come from, and which AEAD it is.
pub(in crate::record) struct Aead13 {
    iv: [u8; 12],
    aead: AeadId,
}

/// What stands behind the content: its type, so many zeros, and the tag.
pub(super) const fn back(zeros: usize) -> usize {
    zeros.saturating_add(1 + TAG_LEN)
}

impl Aead13 {
    pub(super) const fn new(aead: AeadId, iv: [u8; 12]) -> Self {
        Self { iv, aead }
    }

    pub(super) const fn most_records(&self) -> u64 {
        self.aead.confidentiality_limit()
    }

    pub(super) fn seal(
        &self,
        key: &dyn AeadKey,
        about: About<'_>,
        body: &mut [u8],
        plain: Plain<'_>,
    ) -> CryptoResult<()> {
        Once { key, nonce: folded(&self.iv, about.sequence) }.seal(about.header, plain, Some(about.content), body)
    }

    /// Says what the content is, and where it stands, in `body` or in `out`.
    pub(super) fn open(
        &self,
        key: &dyn AeadKey,
        about: About<'_>,
        body: &mut [u8],
        mut out: Option<&mut [u8]>,
        limit: usize,
    ) -> Result<OpenedRecord, RecordError> {
        if about.content != ContentType::ApplicationData {
            return Err(RecordError::Unprotected(about.content));
        }
        // RFC 9846 5.2: one byte of type and at most 255 of the AEAD.
        if body.len() > MAX_PLAINTEXT + MAX_EXPANSION_13 {
            return Err(RecordError::TooLong(body.len()));
        }
        let once = Once { key, nonce: folded(&self.iv, about.sequence) };
        let range = once.open(about.header, body, 0, out.as_deref_mut()).map_err(|CryptoError| RecordError::BadMac)?;
        let plain = out.as_deref().unwrap_or(body).get(range.clone()).unwrap_or_default();
        inner(plain, range, limit)
    }
}

/// The content of a TLSInnerPlaintext, which stands at `range`: its type is the last byte that is not zero (RFC 9846 5.4).
fn inner(plain: &[u8], range: Range<usize>, limit: usize) -> Result<OpenedRecord, RecordError> {
    // The limit is for content, type and padding together (RFC 9846 5.2, RFC 8449 4).
    if plain.len() > limit.saturating_add(1) {
        return Err(RecordError::TooLong(plain.len()));
    }
    let end = plain.iter().rposition(|b| *b != 0).ok_or(RecordError::Empty)?;
    let content = plain.get(end).copied().map(ContentType).ok_or(RecordError::Empty)?;
    Ok(OpenedRecord { content, range: range.start..range.start.saturating_add(end) })
}
