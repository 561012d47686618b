//! An exchange as the transport's side sees it: bytes that go, bytes that come, and their end.

use super::Exchange;
use crate::error::Result;
use std::io;

impl Exchange {
    /// Bytes that wait for the transport; more may stand behind them.
    pub fn unsent(&self) -> &[u8] {
        self.outgoing.unsent()
    }

    /// The transport has taken this many of the unsent bytes.
    pub fn sent(&mut self, len: usize) {
        self.outgoing.sent(len);
    }

    /// Whether the transport is to be given bytes, or flushed: before anybody waits for the peer it has to be, because the
    /// peer may be waiting for what a transport with a buffer holds.
    pub fn is_pending(&self) -> bool {
        self.outgoing.is_pending()
    }

    /// Whether a transport that does not block is to be asked again once it has room.
    pub fn wants_room(&self) -> bool {
        self.outgoing.wants_room()
    }

    /// Whether the connection has said something by itself that is still to be sent.
    pub fn is_said(&self) -> bool {
        self.outgoing.is_said()
    }

    /// The transport has been flushed.
    pub fn flushed(&mut self) {
        self.outgoing.flushed();
    }

    /// Keeps an error of the transport's for whoever writes or flushes next: [`take_error`](Self::take_error). Whoever reads
    /// is given what has come, to the peer's end. The first error stands.
    pub fn keep_error(&mut self, error: io::Error) {
        self.outgoing.keep_error(error);
    }

    /// The error that was kept.
    pub fn error(&self) -> Option<&io::Error> {
        self.outgoing.error()
    }

    /// The error that was kept: whoever writes or flushes is told now.
    pub fn take_error(&mut self) -> Option<io::Error> {
        self.outgoing.take_error()
    }

    /// Room for bytes of the transport. None where an adapter reads ahead, while a party outside is waited for, and enough
    /// has come.
    pub fn room(&mut self) -> &mut [u8] {
        self.incoming.room()
    }

    /// The transport has put this many bytes into the room. None is no end: see [`ended`](Self::ended).
    pub fn arrived(&mut self, len: usize) {
        self.incoming.arrived(len);
    }

    /// How many bytes of the transport have not been taken yet: before more arrive, no more data than that can be read.
    pub fn waiting(&self) -> usize {
        self.incoming.waiting()
    }

    /// Bytes of the transport that have not been taken: those behind the [`data`](Self::data) that is ready.
    pub fn untaken(&self) -> &[u8] {
        self.incoming.untaken()
    }

    /// The transport has ended, and nothing that came before waits to be taken.
    ///
    /// # Errors
    /// If the peer has not said so before: data may be missing.
    pub fn ended(&mut self) -> Result<()> {
        self.incoming.end();
        self.connection.transport_ended()
    }

    /// The transport has ended while a party outside is waited for. In the handshake the peer is gone if no
    /// message or alert of its waits; otherwise that comes first, and then [`is_at_end`](Self::is_at_end) stands in for another read.
    ///
    /// # Errors
    /// As [`ended`](Self::ended).
    pub fn left(&mut self) -> Result<()> {
        self.incoming.end();
        if self.connection.is_handshaking() && !self.incoming.has_word() {
            self.connection.transport_ended()
        } else {
            Ok(())
        }
    }

    /// Whether the transport has ended.
    pub fn is_at_end(&self) -> bool {
        self.incoming.is_at_end()
    }
}
