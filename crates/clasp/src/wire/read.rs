//! A cursor over a message's bytes, with nested length prefixes. It cannot read past its end, and cannot panic.

use super::Extension;
use super::decode::{DecodeError, DecodeKind};
use crate::code::Code;
use core::ops::Range;

/// `Result` of reading.
pub type Parsed<T> = Result<T, DecodeError>;

/// Who hears, while a message is read, which of its bytes are which field. A handshake reads with `()`, which hears nothing and
/// costs nothing; [`fields`](super::fields) reads with one that takes notes.
pub trait Recorder: Copy {
    /// A field without others in it.
    fn leaf(self, what: &'static str, range: Range<usize>, show: Show);
    /// So many bytes at a time are one field each.
    fn list(self, what: &'static str, range: Range<usize>, width: usize, show: Show);
    /// A vector's content, behind its length. What is read in it is told to what this gives.
    fn vector(self, what: &'static str, range: Range<usize>) -> Self;
    /// An element of a list begins. What is read in it is told to what this gives.
    fn element(self, what: &'static str, start: usize) -> Self;
    /// This element ends, or reading it does.
    fn end(self, end: usize);
    /// The element is an extension.
    fn extension(self, extension: Extension<'_, Self>);
}

impl Recorder for () {
    fn leaf(self, _: &'static str, _: Range<usize>, _: Show) {}
    fn list(self, _: &'static str, _: Range<usize>, _: usize, _: Show) {}
    fn vector(self, _: &'static str, _: Range<usize>) -> Self {}
    fn element(self, _: &'static str, _: usize) -> Self {}
    fn end(self, _: usize) {}
    fn extension(self, _: Extension<'_, Self>) {}
}

/// How a field's bytes are shown to people.
#[derive(Clone, Copy, Debug)]
pub enum Show {
    /// As they are.
    Bytes,
    /// As text.
    Text,
    /// As a number.
    Number,
    /// As the length of what stands behind it.
    Length,
    /// As the name of a code.
    Code(fn(&[u8]) -> String),
}

/// Reads fields from a slice. Offsets count from the start of the message body, in nested readers too.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a, R = ()> {
    rest: &'a [u8],
    offset: usize,
    recorder: R,
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self::at(bytes, 0)
    }

    /// Reads `bytes`, which stand at `offset` of the message.
    pub const fn at(bytes: &'a [u8], offset: usize) -> Self {
        Self { rest: bytes, offset, recorder: () }
    }
}

impl<'a, R: Recorder> Reader<'a, R> {
    /// Reads `bytes`, which stand at `offset` of the message, for somebody to hear.
    pub const fn heard(bytes: &'a [u8], offset: usize, recorder: R) -> Self {
        Self { rest: bytes, offset, recorder }
    }

    /// The same, and nobody hears.
    pub fn silent(self) -> Reader<'a> {
        Reader::at(self.rest, self.offset)
    }

    /// An error about the field at this place.
    #[cold]
    pub const fn error(&self, what: &'static str, kind: DecodeKind) -> DecodeError {
        DecodeError { what, kind, offset: self.offset }
    }

    fn advance(&mut self, n: usize, what: &'static str) -> Parsed<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(n) else {
            return Err(self.error(what, DecodeKind::Truncated));
        };
        self.rest = rest;
        self.offset = self.offset.saturating_add(n);
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self, what: &'static str, show: Show) -> Parsed<&'a [u8; N]> {
        let Some((taken, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(self.error(what, DecodeKind::Truncated));
        };
        let start = self.offset;
        self.rest = rest;
        self.offset = self.offset.saturating_add(N);
        self.recorder.leaf(what, start..self.offset, show);
        Ok(taken)
    }

    /// Takes the next `n` bytes.
    ///
    /// # Errors
    /// If there are fewer bytes.
    pub fn take(&mut self, n: usize, what: &'static str) -> Parsed<&'a [u8]> {
        let start = self.offset;
        let taken = self.advance(n, what)?;
        self.recorder.leaf(what, start..self.offset, Show::Bytes);
        Ok(taken)
    }

    /// Takes exactly `N` bytes.
    ///
    /// # Errors
    /// If there are fewer bytes.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Parsed<&'a [u8; N]> {
        self.fixed(what, Show::Bytes)
    }

    /// Reads an 8-bit number.
    ///
    /// # Errors
    /// If there is none.
    pub fn u8(&mut self, what: &'static str) -> Parsed<u8> {
        self.fixed::<1>(what, Show::Number).map(|b| b[0])
    }

    /// Reads a 16-bit number.
    ///
    /// # Errors
    /// If there are fewer bytes.
    pub fn u16(&mut self, what: &'static str) -> Parsed<u16> {
        self.fixed(what, Show::Number).map(|b| u16::from_be_bytes(*b))
    }

    /// Reads a 24-bit number.
    ///
    /// # Errors
    /// If there are fewer bytes.
    pub fn u24(&mut self, what: &'static str) -> Parsed<u32> {
        self.fixed::<3>(what, Show::Number).map(|b| u32::from_be_bytes([0, b[0], b[1], b[2]]))
    }

    /// Reads a 32-bit number.
    ///
    /// # Errors
    /// If there are fewer bytes.
    pub fn u32(&mut self, what: &'static str) -> Parsed<u32> {
        self.fixed(what, Show::Number).map(|b| u32::from_be_bytes(*b))
    }

    /// Reads a code.
    ///
    /// # Errors
    /// If there are fewer bytes.
    pub fn code<C: Code<N>, const N: usize>(&mut self, what: &'static str) -> Parsed<C> {
        self.fixed::<N>(what, Show::Code(show::<C, N>)).map(|b| C::from_bytes(*b))
    }

    fn nested(&mut self, n: usize, what: &'static str) -> Parsed<Self> {
        let offset = self.offset;
        let rest = self.advance(n, what)?;
        Ok(Self { rest, offset, recorder: self.recorder.vector(what, offset..self.offset) })
    }

    /// Reads a vector with an 8-bit length.
    ///
    /// # Errors
    /// If there are fewer bytes than its length says.
    pub fn vec8(&mut self, what: &'static str) -> Parsed<Self> {
        let n = self.fixed::<1>(what, Show::Length).map(|b| b[0])?;
        self.nested(usize::from(n), what)
    }

    /// Reads a vector with a 16-bit length.
    ///
    /// # Errors
    /// If there are fewer bytes than its length says.
    pub fn vec16(&mut self, what: &'static str) -> Parsed<Self> {
        let n = self.fixed(what, Show::Length).map(|b| u16::from_be_bytes(*b))?;
        self.nested(usize::from(n), what)
    }

    /// Reads a vector with a 24-bit length.
    ///
    /// # Errors
    /// If there are fewer bytes than its length says.
    pub fn vec24(&mut self, what: &'static str) -> Parsed<Self> {
        let n = self.fixed::<3>(what, Show::Length).map(|b| u32::from_be_bytes([0, b[0], b[1], b[2]]))?;
        let n = usize::try_from(n).unwrap_or(usize::MAX);
        self.nested(n, what)
    }

    /// Reads one element of a list, whatever it is made of.
    ///
    /// # Errors
    /// That of `read`.
    pub fn element<T>(&mut self, what: &'static str, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let around = self.recorder;
        self.recorder = around.element(what, self.offset);
        let element = read(self);
        self.recorder.end(self.offset);
        self.recorder = around;
        element
    }

    /// Everything that is left, as codes one behind the other. Their list is not empty, and holds no part of one: the caller
    /// has seen to that.
    pub fn codes<C: Code<N>, const N: usize>(&self, what: &'static str) -> &'a [u8] {
        let range = self.offset..self.offset.saturating_add(self.rest.len());
        self.recorder.list(what, range, N, Show::Code(show::<C, N>));
        self.rest
    }

    /// Everything that is left, which is text, or should be.
    pub fn text(&self, what: &'static str) -> &'a [u8] {
        let range = self.offset..self.offset.saturating_add(self.rest.len());
        self.recorder.leaf(what, range, Show::Text);
        self.rest
    }

    /// Who hears of what is read.
    pub(super) const fn recorder(&self) -> R {
        self.recorder
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
    ///
    /// # Errors
    /// If bytes are left.
    pub fn finish(self, what: &'static str) -> Parsed<()> {
        match self.rest.len() {
            0 => Ok(()),
            n => Err(self.error(what, DecodeKind::TrailingData(n))),
        }
    }

    /// Something must be left.
    ///
    /// # Errors
    /// If nothing is left.
    pub fn non_empty(self, what: &'static str) -> Parsed<Self> {
        if self.is_empty() { Err(self.error(what, DecodeKind::Empty)) } else { Ok(self) }
    }
}

fn show<C: Code<N>, const N: usize>(bytes: &[u8]) -> String {
    bytes.first_chunk::<N>().map_or_else(String::new, |bytes| C::from_bytes(*bytes).describe())
}

/// A list of 16-bit codes, checked to be even; iterating cannot fail.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Codes<'a>(&'a [u8]);

impl<'a> Codes<'a> {
    /// No codes.
    pub const EMPTY: Self = Self(&[]);

    /// Takes the rest of `r` as a non-empty list of codes `C`.
    ///
    /// # Errors
    /// If there is no code, or the last is not whole.
    pub fn read<C: Code<2>, R: Recorder>(r: Reader<'a, R>, what: &'static str) -> Parsed<Self> {
        let r = r.non_empty(what)?;
        match r.rest.len() % 2 {
            0 => Ok(Self(r.codes::<C, 2>(what))),
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
