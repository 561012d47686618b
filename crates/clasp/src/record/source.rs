//! The caller's bytes, which stand in one slice or in several.

use crate::copy::{append, copy};
use std::io::IoSlice;

/// A cursor over the caller's slices.
pub(super) struct Source<'a> {
    slices: &'a [IoSlice<'a>],
    /// Bytes of the first slice that are done with.
    offset: usize,
    left: usize,
}

impl<'a> Source<'a> {
    pub(super) fn new(slices: &'a [IoSlice<'a>]) -> Self {
        Self { slices, offset: 0, left: slices.iter().map(|s| s.len()).sum() }
    }

    /// How many bytes are not taken yet.
    pub(super) const fn left(&self) -> usize {
        self.left
    }

    /// The rest of the first slice that has any.
    fn first(&mut self) -> &'a [u8] {
        while let [slice, rest @ ..] = self.slices {
            let bytes = slice.get(self.offset..).unwrap_or_default();
            if !bytes.is_empty() {
                return bytes;
            }
            (self.slices, self.offset) = (rest, 0);
        }
        &[]
    }

    /// Takes the next `len` bytes where they stand, if they stand together.
    pub(super) fn together(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = self.first().get(..len)?;
        self.offset = self.offset.saturating_add(len);
        self.left = self.left.saturating_sub(len);
        Some(taken)
    }

    /// Takes the next `len` bytes, or what is left, to the end of `out`.
    pub(super) fn append_to(&mut self, mut len: usize, out: &mut Vec<u8>) {
        while let piece @ 1.. = self.first().len().min(len)
            && let Some(bytes) = self.together(piece)
        {
            append(bytes, out);
            len = len.saturating_sub(piece);
        }
    }

    /// Takes bytes until `out` is full or none are left.
    pub(super) fn copy_to(&mut self, mut out: &mut [u8]) {
        while let piece @ 1.. = self.first().len().min(out.len())
            && let Some(bytes) = self.together(piece)
        {
            let (place, rest) = out.split_at_mut(piece);
            copy(bytes, place);
            out = rest;
        }
    }
}
