//! A cursor over a message's bytes, with nested length prefixes. It cannot read past its end, and cannot panic.

use crate::wire::decode::{DecodeError, DecodeKind};

/// `Result` of reading.
pub type Read<T> = Result<T, DecodeError>;

/// Reads fields from a slice. Offsets count from the start of the message body, in nested readers too.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, offset: 0 }
    }

    /// Reads `bytes`, which stand at `offset` of the message.
    pub const fn at(bytes: &'a [u8], offset: usize) -> Self {
        Self { rest: bytes, offset }
    }

    /// An error about the field at this place.
    #[cold]
    pub const fn error(&self, what: &'static str, kind: DecodeKind) -> DecodeError {
        DecodeError { what, kind, offset: self.offset }
    }

    /// Takes the next `n` bytes.
    pub fn take(&mut self, n: usize, what: &'static str) -> Read<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(n) else {
            return Err(self.error(what, DecodeKind::Truncated));
        };
        self.rest = rest;
        self.offset = self.offset.saturating_add(n);
        Ok(taken)
    }

    /// Takes exactly `N` bytes.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Read<&'a [u8; N]> {
        let Some((taken, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(self.error(what, DecodeKind::Truncated));
        };
        self.rest = rest;
        self.offset = self.offset.saturating_add(N);
        Ok(taken)
    }

    /// Reads an 8-bit number.
    pub fn u8(&mut self, what: &'static str) -> Read<u8> {
        self.array::<1>(what).map(|b| b[0])
    }

    /// Reads a 16-bit number.
    pub fn u16(&mut self, what: &'static str) -> Read<u16> {
        self.array(what).map(|b| u16::from_be_bytes(*b))
    }

    /// Reads a 24-bit number.
    pub fn u24(&mut self, what: &'static str) -> Read<u32> {
        self.array::<3>(what).map(|b| u32::from_be_bytes([0, b[0], b[1], b[2]]))
    }

    /// Reads a 32-bit number.
    pub fn u32(&mut self, what: &'static str) -> Read<u32> {
        self.array(what).map(|b| u32::from_be_bytes(*b))
    }

    fn nested(&mut self, n: usize, what: &'static str) -> Read<Self> {
        let offset = self.offset;
        self.take(n, what).map(|rest| Self { rest, offset })
    }

    /// Reads a vector with an 8-bit length.
    pub fn vec8(&mut self, what: &'static str) -> Read<Self> {
        let n = self.u8(what)?;
        self.nested(usize::from(n), what)
    }

    /// Reads a vector with a 16-bit length.
    pub fn vec16(&mut self, what: &'static str) -> Read<Self> {
        let n = self.u16(what)?;
        self.nested(usize::from(n), what)
    }

    /// Reads a vector with a 24-bit length.
    pub fn vec24(&mut self, what: &'static str) -> Read<Self> {
        let n = self.u24(what)?;
        let n = usize::try_from(n).unwrap_or(usize::MAX);
        self.nested(n, what)
    }

    /// Everything that is left.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Offset of the next byte in the message body.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Nothing may be left.
    pub fn finish(self, what: &'static str) -> Read<()> {
        match self.rest.len() {
            0 => Ok(()),
            n => Err(self.error(what, DecodeKind::TrailingData(n))),
        }
    }

    /// Something must be left.
    pub fn non_empty(self, what: &'static str) -> Read<Self> {
        if self.is_empty() { Err(self.error(what, DecodeKind::Empty)) } else { Ok(self) }
    }
}

/// A list of 16-bit codes, checked to be even; iterating cannot fail.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Codes<'a>(&'a [u8]);

impl<'a> Codes<'a> {
    /// No codes.
    pub const EMPTY: Self = Self(&[]);

    /// Takes the rest of `r` as a non-empty list of codes.
    pub fn read(r: Reader<'a>, what: &'static str) -> Read<Self> {
        let r = r.non_empty(what)?;
        match r.rest.len() % 2 {
            0 => Ok(Self(r.rest)),
            _ => Err(r.error(what, DecodeKind::BadLength(r.rest.len()))),
        }
    }

    /// The codes in order.
    pub fn iter(self) -> impl Iterator<Item = u16> + Clone + 'a {
        self.0.as_chunks().0.iter().map(|code| u16::from_be_bytes(*code))
    }

    /// Whether `code` is in the list.
    pub fn contains(self, code: u16) -> bool {
        self.iter().any(|c| c == code)
    }

    /// The list's bytes on the wire, without the length.
    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether the list is absent.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl core::fmt::Debug for Codes<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter().map(|c| format!("{c:#06x}"))).finish()
    }
}
