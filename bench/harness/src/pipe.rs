//! An in-memory transport for libraries that read and write through one.

use crate::wire::Wire;
use std::io::{self, Read, Write};

/// Bytes in and bytes out. [`lend`](Self::lend) swaps the harness's buffers in, so that nothing is copied on the way.
#[derive(Debug, Default)]
pub struct Pipe {
    input: Wire,
    taken: usize,
    output: Wire,
}

impl Pipe {
    /// Swaps in what there is to read and where to write. Swap them back with [`give_back`](Self::give_back).
    pub fn lend(&mut self, input: &mut Wire, out: &mut Wire) {
        debug_assert!(self.input.is_empty() && self.output.is_empty());
        core::mem::swap(&mut self.input, input);
        core::mem::swap(&mut self.output, out);
        self.taken = 0;
    }

    /// Swaps the buffers back. True if all of the input was taken.
    pub fn give_back(&mut self, input: &mut Wire, out: &mut Wire) -> bool {
        let all = self.taken == self.input.bytes().len();
        core::mem::swap(&mut self.input, input);
        core::mem::swap(&mut self.output, out);
        all
    }

    /// What has not been read yet.
    pub fn waiting(&self) -> &[u8] {
        &self.input.bytes()[self.taken..]
    }
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let waiting = self.waiting();
        if waiting.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let n = waiting.len().min(into.len());
        into[..n].copy_from_slice(&waiting[..n]);
        self.taken += n;
        Ok(n)
    }
}

impl Write for Pipe {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.output.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
