//! An exchange as its reader and writer see it: the peer's data and theirs.

use super::{Exchange, Progress};
use crate::error::Result;
use std::io::IoSlice;

impl Exchange {
    /// Takes what has arrived, during the handshake. False if bytes of the transport are needed.
    ///
    /// # Errors
    /// The connection has failed; its alert waits to be sent.
    pub fn take(&mut self) -> Result<bool> {
        self.incoming.take(&mut self.connection, self.outgoing.said())
    }

    /// Data of the peer, after the handshake: decrypted straight into `buf` where a record has room there.
    ///
    /// # Errors
    /// The connection has failed; its alert waits to be sent.
    pub fn read(&mut self, buf: &mut [u8]) -> Result<Progress> {
        if self.must_send_first() {
            return Ok(Progress::Unsent);
        }
        self.incoming.read(&mut self.connection, self.outgoing.said(), buf)
    }

    /// Data of the peer where it was decrypted, for whoever reads without a buffer: what [`fill`](Self::fill) made ready.
    pub fn data(&self) -> &[u8] {
        self.incoming.data()
    }

    /// Makes data ready in [`data`](Self::data), if there is none. `Data` has its length.
    ///
    /// # Errors
    /// The connection has failed; its alert waits to be sent.
    pub fn fill(&mut self) -> Result<Progress> {
        if self.must_send_first() {
            return Ok(Progress::Unsent);
        }
        self.incoming.fill(&mut self.connection, self.outgoing.said())
    }

    fn must_send_first(&self) -> bool {
        self.outgoing.has_said_enough() && self.incoming.data().is_empty()
    }

    /// This much of [`data`](Self::data) has been read.
    pub fn consume(&mut self, len: usize) {
        self.incoming.consume(len);
    }

    /// Seals data for the peer, as much as there is room for, and gives how much that was; 0 only if unsent bytes are in
    /// the way.
    ///
    /// # Errors
    /// As [`Connection::send`](crate::Connection::send).
    pub fn write(&mut self, plain: &[IoSlice<'_>]) -> Result<usize> {
        let Self { connection, outgoing, .. } = self;
        outgoing.write(|room| connection.send_into(plain, room))
    }

    /// Early data that came during the handshake.
    pub fn early(&mut self) -> &mut Vec<u8> {
        self.incoming.early()
    }
}
