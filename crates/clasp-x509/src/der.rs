//! A strict DER reader (X.690 10, 11): definite minimal lengths, nothing left over.

use crate::parse_error::{Found, ParseError, Wanted};

/// The bytes are not the DER they should be. Small, as it is made wherever a list ends: what it means is said by
/// [`within`](Self::within).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DerError {
    field: &'static str,
    /// Where in memory the field stands: whoever has the whole knows how far that is from its beginning.
    at: usize,
    found: Found,
    wanted: Wanted,
}

impl DerError {
    /// That `bytes` are not as the field has them.
    pub(crate) fn new(field: &'static str, bytes: &[u8], wanted: &'static str) -> Self {
        let found = if bytes.is_empty() { Found::End } else { Found::Other };
        Self { field, at: bytes.as_ptr().addr(), found, wanted: Wanted::Words(wanted) }
    }

    /// The error for whoever gave `whole` to be read.
    pub(crate) fn within(self, whole: &[u8]) -> ParseError {
        let offset = self.at.checked_sub(whole.as_ptr().addr()).filter(|offset| *offset <= whole.len());
        ParseError::new(self.field, offset.unwrap_or(0), self.found, self.wanted)
    }
}

pub(crate) type DerResult<T> = Result<T, DerError>;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const NUMERIC_STRING: u8 = 0x12;
pub(crate) const PRINTABLE_STRING: u8 = 0x13;
pub(crate) const TELETEX_STRING: u8 = 0x14;
pub(crate) const IA5_STRING: u8 = 0x16;
pub(crate) const VISIBLE_STRING: u8 = 0x1a;
pub(crate) const UNIVERSAL_STRING: u8 = 0x1c;
pub(crate) const BMP_STRING: u8 = 0x1e;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;

/// Context-specific, constructed.
pub(crate) const fn constructed(n: u8) -> u8 {
    0xa0 | n
}

/// Context-specific, primitive.
pub(crate) const fn primitive(n: u8) -> u8 {
    0x80 | n
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Der<'a>(pub(crate) &'a [u8]);

impl<'a> Der<'a> {
    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn peek(self) -> Option<u8> {
        self.0.first().copied()
    }

    /// That what stands here is not as the field has it.
    #[cold]
    pub(crate) fn wrong(self, field: &'static str, wanted: &'static str) -> DerError {
        DerError::new(field, self.0, wanted)
    }

    /// That another element stands here.
    #[cold]
    fn expected(self, field: &'static str, wanted: Wanted) -> DerError {
        let found = self.peek().map_or(Found::End, Found::Element);
        DerError { field, at: self.0.as_ptr().addr(), found, wanted }
    }

    /// The next element: its tag, its content, and its whole encoding.
    pub(crate) fn any(&mut self, field: &'static str) -> DerResult<(u8, &'a [u8], &'a [u8])> {
        let start = *self;
        let all = self.0;
        let malformed = || start.wrong(field, "a DER element: a tag of one byte, and a minimal length that fits");
        let [tag, first, rest @ ..] = all else { return Err(malformed()) };
        if tag & 0x1f == 0x1f {
            return Err(malformed());
        }
        let (len, body) = match *first {
            short @ 0..=0x7f => (usize::from(short), rest),
            0x81 => match rest {
                [n @ 0x80..=0xff, body @ ..] => (usize::from(*n), body),
                _ => return Err(malformed()),
            },
            0x82 => match rest {
                [a @ 1..=0xff, b, body @ ..] => (usize::from(u16::from_be_bytes([*a, *b])), body),
                _ => return Err(malformed()),
            },
            0x83 => match rest {
                [a @ 1..=0xff, b, c, body @ ..] => {
                    (usize::from(*a) << 16 | usize::from(u16::from_be_bytes([*b, *c])), body)
                }
                _ => return Err(malformed()),
            },
            _ => return Err(malformed()),
        };
        let (content, after) = body.split_at_checked(len).ok_or_else(malformed)?;
        self.0 = after;
        let whole = all.get(..all.len().saturating_sub(after.len())).ok_or_else(malformed)?;
        Ok((*tag, content, whole))
    }

    /// The content of the next element, which must have this tag, and its whole encoding.
    fn tagged(&mut self, tag: u8, field: &'static str) -> DerResult<(&'a [u8], &'a [u8])> {
        let start = *self;
        match self.any(field) {
            // Here, so that no reader can leave it out: numbers are compared by their bytes.
            Ok((INTEGER | ENUMERATED, content, _)) if matches!(tag, INTEGER | ENUMERATED) && !is_minimal(content) => {
                Err(start.wrong(field, "a number in as few bytes as it takes"))
            }
            Ok((seen, content, whole)) if seen == tag => Ok((content, whole)),
            // One that is not well formed is told as such where it is the one that was wanted.
            Err(malformed) if start.peek() == Some(tag) => Err(malformed),
            _ => Err(start.expected(field, Wanted::Element(tag))),
        }
    }

    /// The content of the next element, which must have this tag.
    pub(crate) fn take(&mut self, tag: u8, field: &'static str) -> DerResult<Self> {
        self.tagged(tag, field).map(|(content, _)| Self(content))
    }

    /// The whole encoding of the next element, which must have this tag.
    pub(crate) fn whole(&mut self, tag: u8, field: &'static str) -> DerResult<&'a [u8]> {
        self.tagged(tag, field).map(|(_, whole)| whole)
    }

    /// The content of the next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8, field: &'static str) -> DerResult<Option<Self>> {
        if self.peek() == Some(tag) { self.take(tag, field).map(Some) } else { Ok(None) }
    }

    /// Nothing is left.
    pub(crate) fn finish(self, field: &'static str) -> DerResult<()> {
        if self.is_empty() { Ok(()) } else { Err(self.expected(field, Wanted::Words("nothing more"))) }
    }

    /// BOOLEAN DEFAULT FALSE: absent is `None`. An encoded FALSE is no DER (X.690 11.5), but certificates have it: the
    /// caller decides.
    pub(crate) fn boolean(&mut self, field: &'static str) -> DerResult<Option<bool>> {
        let start = *self;
        match self.optional(BOOLEAN, field)? {
            None => Ok(None),
            Some(Self([0])) => Ok(Some(false)),
            Some(Self([0xff])) => Ok(Some(true)),
            Some(_) => Err(start.wrong(field, "a BOOLEAN of 0 or 255")),
        }
    }

    /// A BIT STRING of whole bytes.
    pub(crate) fn bits(&mut self, field: &'static str) -> DerResult<&'a [u8]> {
        let start = *self;
        match self.take(BIT_STRING, field)?.0 {
            [0, bytes @ ..] => Ok(bytes),
            _ => Err(start.wrong(field, "a BIT STRING of whole bytes")),
        }
    }

    /// An INTEGER that is not negative; what is larger than a u32 is the largest u32.
    pub(crate) fn small(&mut self, tag: u8, field: &'static str) -> DerResult<u32> {
        let start = *self;
        small(self.take(tag, field)?.0)
            .ok_or_else(|| start.wrong(field, "a number that is not negative, without padding"))
    }

    /// Walks a SEQUENCE SIZE (1..MAX) OF; gives the number of elements.
    pub(crate) fn each(
        mut self,
        field: &'static str,
        mut visit: impl FnMut(&mut Self) -> DerResult<()>,
    ) -> DerResult<usize> {
        let start = self;
        let mut count = 0_usize;
        while !self.is_empty() {
            visit(&mut self)?;
            count = count.saturating_add(1);
        }
        if count == 0 { Err(start.wrong(field, "at least one element")) } else { Ok(count) }
    }

    /// An OBJECT IDENTIFIER whose parts are encoded minimally (X.690 8.19).
    pub(crate) fn oid(&mut self, field: &'static str) -> DerResult<&'a [u8]> {
        let start = *self;
        let oid = self.take(OID, field)?.0;
        let ends = oid.last().is_some_and(|last| last & 0x80 == 0);
        let (mut first, mut padded) = (true, false);
        for byte in oid {
            padded |= first && *byte == 0x80;
            first = byte & 0x80 == 0;
        }
        if ends && !padded { Ok(oid) } else { Err(start.wrong(field, "whole parts, without padding")) }
    }

    /// A time as seconds since 1970: RFC 5280 4.1.2.5. UTCTime or GeneralizedTime, with seconds, in Zulu.
    pub(crate) fn time(&mut self, field: &'static str) -> DerResult<i64> {
        let start = *self;
        let (tag, text, _) = self.any(field)?;
        time(tag, text).ok_or_else(|| start.wrong(field, "a UTCTime or GeneralizedTime with seconds and a Z"))
    }

    /// The same, where there is one form alone: RFC 6960 4.2.1, RFC 5280 5.3.2.
    pub(crate) fn generalized_time(&mut self, field: &'static str) -> DerResult<i64> {
        let start = *self;
        let (tag, text, _) = self.any(field)?;
        let read = (tag == GENERALIZED_TIME).then(|| time(tag, text)).flatten();
        read.ok_or_else(|| start.wrong(field, "a GeneralizedTime with seconds and a Z"))
    }
}

/// The content of a UTCTime or GeneralizedTime, if there is such a time.
#[expect(clippy::arithmetic_side_effects, reason = "of numbers with four digits at most")]
fn time(tag: u8, text: &[u8]) -> Option<i64> {
    let digits = match (tag, text) {
        (UTC_TIME, [digits @ .., b'Z']) if digits.len() == 12 => digits,
        (GENERALIZED_TIME, [digits @ .., b'Z']) if digits.len() == 14 => digits,
        _ => return None,
    };
    let mut pairs = digits.chunks_exact(2).map(|pair| match pair {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(i64::from(a - b'0') * 10 + i64::from(b - b'0')),
        _ => None,
    });
    let mut next = || pairs.next().flatten();
    let year = if tag == UTC_TIME {
        let short = next()?;
        short + if short >= 50 { 1900 } else { 2000 }
    } else {
        next()? * 100 + next()?
    };
    let (month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=days_in_month).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days since 1970-01-01 of the proleptic Gregorian calendar, years counted from March.
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days =
        365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day - 1 - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// Writes an element, with a minimal length.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len().to_be_bytes();
    let digits = len.iter().position(|b| *b != 0).and_then(|at| len.get(at..)).unwrap_or(&[0]);
    let mut out = vec![tag];
    match digits {
        [short @ 0..=0x7f] => out.push(*short),
        // A usize has eight bytes at most.
        long => {
            out.push(0x80 | u8::try_from(long.len()).unwrap_or(8));
            out.extend_from_slice(long);
        }
    }
    out.extend_from_slice(content);
    out
}

/// Whether the content of an INTEGER has the one form that DER gives a number: X.690 8.3.2. Another would be another serial
/// number to whoever compares bytes, and the same to whoever compares numbers.
pub(crate) fn is_minimal(content: &[u8]) -> bool {
    !matches!(content, [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..])
}

/// The content of a minimal INTEGER that is not negative, saturating.
pub(crate) fn small(content: &[u8]) -> Option<u32> {
    let digits = match content {
        padded if !is_minimal(padded) => return None,
        [0x80..=0xff, ..] => return None,
        [0, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    if digits.len() > 4 {
        return Some(u32::MAX);
    }
    Some(digits.iter().fold(0, |n, byte| n << 8 | u32::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tag: u8, text: &str) -> DerResult<i64> {
        let mut der = vec![tag, u8::try_from(text.len()).unwrap()];
        der.extend_from_slice(text.as_bytes());
        Der(&der).time("time")
    }

    #[test]
    fn small_numbers() {
        assert_eq!(small(&[0]), Some(0));
        assert_eq!(small(&[0, 0x80]), Some(128));
        assert_eq!(small(&[1, 0]), Some(256));
        assert_eq!(small(&[1, 0, 0, 0, 0]), Some(u32::MAX));
        for bad in [&[][..], &[0x80], &[0, 1], &[0, 0]] {
            assert_eq!(small(bad), None, "{bad:x?}");
        }
    }

    #[test]
    fn numbers_are_minimal_wherever_they_are_read() {
        for good in [&[2, 1, 0][..], &[2, 1, 0xff], &[2, 2, 0, 0x80], &[2, 2, 0xff, 0x7f], &[10, 1, 1]] {
            assert!(Der(good).take(good[0], "x").is_ok() && Der(good).optional(good[0], "x").is_ok(), "{good:x?}");
            assert!(Der(good).whole(good[0], "x").is_ok());
        }
        for bad in [&[2, 0][..], &[2, 2, 0, 0x7f], &[2, 2, 0xff, 0x80], &[2, 3, 0, 0, 0x80], &[10, 2, 0, 1]] {
            let read = [Der(bad).take(bad[0], "x").map(|_| ()), Der(bad).optional(bad[0], "x").map(|_| ())];
            assert!(read.iter().all(Result::is_err) && Der(bad).whole(bad[0], "x").is_err(), "{bad:x?}");
        }
    }

    #[test]
    fn object_identifiers_are_minimal() {
        assert!(Der(&[6, 2, 0x2a, 3]).oid("x").is_ok());
        for bad in [&[6, 0][..], &[6, 1, 0x80], &[6, 2, 0x80, 1], &[6, 2, 1, 0x81]] {
            assert!(Der(bad).oid("x").is_err(), "{bad:x?}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(read(UTC_TIME, "700101000000Z"), Ok(0));
        assert_eq!(read(UTC_TIME, "000229235959Z"), Ok(951_868_799));
        assert_eq!(read(GENERALIZED_TIME, "20501231235959Z"), Ok(2_556_143_999));
        assert!(read(UTC_TIME, "010229000000Z").is_err(), "29 February 2001");
        assert!(read(UTC_TIME, "7001010000Z").is_err(), "without seconds");
        assert!(read(GENERALIZED_TIME, "20200101000000+").is_err());
        let one_form = |tag, text: &str| Der(&element(tag, text.as_bytes())).generalized_time("time");
        assert_eq!(one_form(GENERALIZED_TIME, "20501231235959Z"), Ok(2_556_143_999));
        assert!(one_form(UTC_TIME, "700101000000Z").is_err());
    }

    #[test]
    fn lengths_must_be_minimal() {
        assert!(Der(&[4, 1, 9]).any("x").is_ok());
        for bad in [&[4, 0x81, 1, 9][..], &[4, 0x82, 0, 1, 9], &[4, 0x80, 0, 0], &[4, 2, 9], &[0x1f, 1, 1], &[4]] {
            assert!(Der(bad).any("x").is_err(), "{bad:x?}");
        }
    }
}
