//! An in-memory transport for libraries that read and write through one.

use std::io::{self, Read, Write};

/// Bytes in and bytes out. [`lend`](Self::lend) swaps the harness's buffers in, so that nothing is copied on the way.
#[derive(Debug, Default)]
pub struct Pipe {
    input: Vec<u8>,
    taken: usize,
    output: Vec<u8>,
}

impl Pipe {
    /// Swaps in what there is to read and where to write. Swap them back with [`give_back`](Self::give_back).
    pub fn lend(&mut self, input: &mut Vec<u8>, out: &mut Vec<u8>) {
        debug_assert!(self.input.is_empty() && self.output.is_empty());
        core::mem::swap(&mut self.input, input);
        core::mem::swap(&mut self.output, out);
        self.taken = 0;
    }

    /// Swaps the buffers back. True if all of the input was taken.
    pub fn give_back(&mut self, input: &mut Vec<u8>, out: &mut Vec<u8>) -> bool {
        let all = self.taken == self.input.len();
        core::mem::swap(&mut self.input, input);
        core::mem::swap(&mut self.output, out);
        all
    }

    /// What has not been read yet.
    pub fn waiting(&self) -> &[u8] {
        &self.input[self.taken..]
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
        self.output.extend_from_slice(from);
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
