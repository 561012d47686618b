//! What is on its way from one end to the other.

use std::io::{self, Write};

/// Bytes behind one another in memory that is kept, and stays initialised, when they are done with: a library that seals
/// into its caller's memory finds the same [`room`](Self::room) each time, one that adds to a vector a vector, one that
/// writes a writer.
#[derive(Debug, Default)]
pub struct Wire {
    bytes: Vec<u8>,
    filled: usize,
}

impl Wire {
    /// Empty, with room for this many bytes.
    pub(crate) fn with_room(len: usize) -> Self {
        Self { bytes: vec![0; len], filled: 0 }
    }

    /// What is on its way.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// What is on its way, to be decrypted where it stands.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.filled]
    }

    pub const fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Memory for `len` more bytes at least; it grows if it must.
    pub fn room(&mut self, len: usize) -> &mut [u8] {
        if self.bytes.len() < self.filled + len {
            self.bytes.resize(self.filled + len, 0);
        }
        &mut self.bytes[self.filled..]
    }

    /// This many bytes of the room have been filled.
    pub fn fill(&mut self, len: usize) {
        self.filled = self.bytes.len().min(self.filled + len);
    }

    /// Lets `add` append to it as to a vector.
    pub fn as_vec<R>(&mut self, add: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        self.bytes.truncate(self.filled);
        let result = add(&mut self.bytes);
        self.filled = self.bytes.len();
        result
    }

    pub(crate) fn clear(&mut self) {
        self.filled = 0;
    }
}

impl Write for Wire {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.room(from.len())[..from.len()].copy_from_slice(from);
        self.fill(from.len());
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
