//! From whoever writes to the transport.

use super::buffer::Buffer;
use crate::connection::Moved;
use crate::error::Result;

/// What waits for the transport.
#[derive(Default)]
pub(crate) struct Outgoing {
    /// What is in `output`, then what is in `said`.
    output: Buffer,
    /// What the connection had to say by itself.
    said: Vec<u8>,
}

impl Outgoing {
    /// Bytes that wait; more may stand behind them.
    pub(crate) fn unsent(&self) -> &[u8] {
        if self.output.is_empty() { &self.said } else { self.output.waiting() }
    }

    /// How many wait in all.
    pub(crate) fn len(&self) -> usize {
        self.output.waiting().len() + self.said.len()
    }

    /// The transport has taken this many of the unsent bytes.
    pub(crate) fn sent(&mut self, len: usize) {
        if !self.output.is_empty() {
            return self.output.done(len);
        }
        if len >= self.said.len() {
            self.said = Vec::new();
        } else {
            self.said.drain(..len);
        }
    }

    /// What the connection has to say goes here.
    pub(crate) fn said(&mut self) -> &mut Vec<u8> {
        &mut self.said
    }

    /// Has data sealed into the room that there is; gives how much was taken.
    pub(crate) fn write(&mut self, seal: impl FnOnce(&mut [u8]) -> Result<Moved>) -> Result<usize> {
        if !self.said.is_empty() {
            self.output.add(&core::mem::take(&mut self.said));
        }
        let moved = seal(self.output.room())?;
        self.output.filled(moved.given);
        if self.output.is_empty() {
            self.output.rest();
        }
        Ok(moved.taken)
    }
}
