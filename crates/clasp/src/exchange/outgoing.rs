//! From whoever writes to the transport.

use super::buffer::Buffer;
use crate::connection::Moved;
use crate::error::Result;
use crate::pool::Pool;
use crate::record::limits::MAX_SAID;
use std::io;

/// What waits for the transport.
pub(crate) struct Outgoing {
    /// What is in `output`, then what is in `said`.
    output: Buffer,
    /// What the connection had to say by itself.
    said: Vec<u8>,
    /// Of what is in `output`, what the connection said.
    before: Said,
    held: Held,
    /// Why it takes no more, until whoever writes has been told.
    error: Option<io::Error>,
}

/// What the transport may still hold of what it was given.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Held {
    #[default]
    Nothing,
    /// It has not been flushed.
    Perhaps,
    /// It was to be flushed, and had no room at present.
    Surely,
}

/// What the connection said, among data.
#[derive(Clone, Copy, Default)]
struct Said {
    /// So many bytes,
    len: usize,
    /// the last of which goes out with so many.
    end: usize,
}

impl Outgoing {
    /// Nothing does; the buffer will be of this pool.
    pub(crate) fn of(pool: Pool) -> Self {
        let (before, held) = (Said::default(), Held::default());
        Self { output: Buffer::of(pool), said: Vec::new(), before, held, error: None }
    }

    /// Bytes that wait; more may stand behind them.
    pub(crate) fn unsent(&self) -> &[u8] {
        if self.output.is_empty() { &self.said } else { self.output.waiting() }
    }

    /// How many wait in all.
    pub(crate) fn len(&self) -> usize {
        self.output.waiting().len().saturating_add(self.said.len())
    }

    /// The transport has taken this many of the unsent bytes.
    pub(crate) fn sent(&mut self, len: usize) {
        if len > 0 && self.held == Held::Nothing {
            self.held = Held::Perhaps;
        }
        if !self.output.is_empty() {
            self.before.end = self.before.end.saturating_sub(len);
            if self.before.end == 0 {
                self.before.len = 0;
            }
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

    /// Whether the connection has said something that waits.
    pub(crate) fn is_said(&self) -> bool {
        self.said_len() > 0
    }

    /// Whether it has said so much that it should not be made to say more.
    pub(crate) fn has_said_enough(&self) -> bool {
        self.said_len() >= MAX_SAID
    }

    fn said_len(&self) -> usize {
        self.before.len.saturating_add(self.said.len())
    }

    /// Whether the transport is to be given bytes, or may hold some.
    pub(crate) fn is_pending(&self) -> bool {
        self.is_unflushed() || self.is_unsent()
    }

    fn is_unsent(&self) -> bool {
        !self.output.is_empty() || !self.said.is_empty()
    }

    /// Whether a transport that does not block is to be asked again once it has room.
    pub(crate) fn wants_room(&self) -> bool {
        self.held == Held::Surely || self.is_unsent()
    }

    /// Whether the transport may hold bytes.
    pub(crate) fn is_unflushed(&self) -> bool {
        self.held != Held::Nothing
    }

    /// The transport holds none.
    pub(crate) fn flushed(&mut self) {
        self.held = Held::Nothing;
    }

    /// It was to be flushed, and has no room at present.
    pub(crate) fn not_flushed(&mut self) {
        if self.held != Held::Nothing {
            self.held = Held::Surely;
        }
    }

    /// Keeps the transport's error for whoever writes next. The first stands.
    pub(crate) fn keep_error(&mut self, error: io::Error) {
        self.error.get_or_insert(error);
    }

    /// The error that was kept.
    pub(crate) fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    /// The same, which is told now.
    pub(crate) fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    /// Has data sealed into the room that there is; gives how much was taken.
    pub(crate) fn write(&mut self, seal: impl FnOnce(&mut [u8]) -> Result<Moved>) -> Result<usize> {
        if !self.said.is_empty() {
            let len = self.said_len();
            self.output.add(&core::mem::take(&mut self.said));
            self.before = Said { len, end: self.output.waiting().len() };
        }
        let moved = seal(self.output.room());
        self.output.filled(moved.as_ref().map_or(0, |moved| moved.given));
        if self.output.is_empty() {
            self.output.rest();
        }
        Ok(moved?.taken)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Exchange;
    use super::*;
    use crate::config::ClientConfig;
    use crate::error::Misuse;

    /// An application may go on trying to write to a connection that is closed.
    #[test]
    fn a_write_that_fails_holds_no_buffer() {
        let mut outgoing = Outgoing::of(Pool::default());
        assert!(outgoing.write(|_| Err(Misuse::AlreadyClosed.into())).is_err());
        assert_eq!(outgoing.output.held(), 0);
        outgoing.said().extend(b"alert");
        assert!(outgoing.write(|_| Err(Misuse::AlreadyClosed.into())).is_err());
        assert_eq!(outgoing.unsent(), b"alert");
        outgoing.sent(5);
        assert_eq!((outgoing.output.held(), outgoing.len()), (0, 0));
    }

    /// Both buffers, in the pool of the connection's configuration.
    #[test]
    fn buffers_go_back_to_the_pool_of_the_configuration() {
        let pool = Pool::new();
        let config = ClientConfig::builder().dangerous_trust_anyone().pool(pool.clone()).build().unwrap();
        let mut exchange = Exchange::new(config.connect("localhost".try_into().unwrap()));
        exchange.room()[0] = 1;
        exchange.arrived(1);
        exchange.outgoing().write(|_| Ok(Moved { taken: 1, given: 1 })).unwrap();
        assert_eq!(pool.buffers(), 0, "both are on loan");
        exchange.sent(1);
        assert_eq!(pool.buffers(), 1);
        drop(exchange);
        assert_eq!(pool.buffers(), 2);
    }

    /// Otherwise whoever reads would wait for the peer to take what it has long taken.
    #[test]
    fn what_was_said_among_data_is_done_with_once_it_is_sent() {
        let mut outgoing = Outgoing::of(Pool::default());
        outgoing.said().extend([1; MAX_SAID]);
        outgoing.write(|_| Ok(Moved { taken: 5, given: 9 })).unwrap();
        outgoing.sent(MAX_SAID - 1);
        assert!(outgoing.is_said() && outgoing.has_said_enough());
        outgoing.sent(1);
        assert!(!outgoing.is_said() && !outgoing.has_said_enough());
        assert_eq!(outgoing.len(), 9);
    }
}
