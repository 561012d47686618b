//! Finds whole records in the caller's bytes.

use super::RecordError;
use super::limits::{HEADER_LEN, MAX_EXPANSION, MAX_PLAINTEXT};
use crate::code::ContentType;

/// What stands at the front of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// At least this many more bytes are needed.
    Partial(usize),
    /// A whole record.
    Record {
        /// Its type.
        content: ContentType,
        /// Its length, header included.
        len: usize,
    },
}

/// Looks at the front of `input`. `first` is true until a record has been taken: a peer that speaks something else is
/// then told apart.
///
/// # Errors
/// If it cannot be the front of a TLS record, or is one that is too long.
pub fn next(input: &[u8], first: bool) -> Result<Frame, RecordError> {
    if first && !input.is_empty() {
        recognise(input)?;
    }
    let Some(header) = input.first_chunk::<HEADER_LEN>() else {
        return Ok(Frame::Partial(HEADER_LEN.saturating_sub(input.len())));
    };
    let content = ContentType(header[0]);
    if !content.is_known() {
        return Err(RecordError::UnknownType(header[0]));
    }
    if header[1] != 3 {
        return Err(RecordError::WrongVersion(u16::from_be_bytes([header[1], header[2]])));
    }
    let body = usize::from(u16::from_be_bytes([header[3], header[4]]));
    if body > MAX_PLAINTEXT + MAX_EXPANSION {
        return Err(RecordError::TooLong(body));
    }
    let len = HEADER_LEN + body;
    match len.checked_sub(input.len()) {
        Some(missing) if missing > 0 => Ok(Frame::Partial(missing)),
        _ => Ok(Frame::Record { content, len }),
    }
}

/// What other protocols begin with.
fn recognise(input: &[u8]) -> Result<(), RecordError> {
    const HTTP: [&[u8]; 8] = [b"GET ", b"POST ", b"HEAD ", b"PUT ", b"HTTP/", b"CONNECT ", b"OPTIONS ", b"DELETE "];
    const MIN: usize = 4;
    if let Some(front) = input.first_chunk::<MIN>()
        && HTTP.iter().any(|verb| verb.starts_with(front))
    {
        return Err(RecordError::PlainHttp);
    }
    // An SSL 2 ClientHello: a two-byte length with the top bit set, then message type 1 (RFC 5246 E.2).
    if let Some([length, _, 1, 0 | 3, ..]) = input.first_chunk::<4>()
        && length & 0x80 != 0
    {
        return Err(RecordError::Ssl2);
    }
    if let Some([content, ..]) = input.first_chunk::<HEADER_LEN>()
        && !ContentType(*content).is_known()
    {
        return Err(RecordError::NotTls);
    }
    Ok(())
}
