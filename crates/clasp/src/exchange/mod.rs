// Above `connection` and `messages`.
//! What every adapter has between a connection and its transport: the bytes on their way.

mod ahead;
mod buffer;
mod incoming;
mod limits;
mod outgoing;

pub(crate) use incoming::Incoming;
pub use limits::TimeLimits;
pub(crate) use outgoing::Outgoing;

use crate::connection::{Connection, Receiver, Sender, Want};
use crate::error::{Error, Result};
use core::fmt;
use core::task::Context;
use std::io::{self, IoSlice};

/// A [`Connection`] with the bytes that are on their way through it. For whoever writes an adapter: the blocking
/// [`Stream`](crate::Stream) and `clasp-tokio` move bytes between this and their transports, and do nothing else.
///
/// Its buffers are borrowed from a small pool when bytes come or go, and given back when there are none: an idle exchange
/// holds no more than its connection.
pub struct Exchange {
    connection: Connection,
    incoming: Incoming,
    outgoing: Outgoing,
}

/// What receives, and what sends.
pub(crate) type Halves = ((Receiver, Incoming), (Sender, Outgoing));

/// What [`Exchange::read`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// This many bytes of data were given.
    Data(usize),
    /// The peer has said that there is no more.
    End,
    /// Bytes of the transport are needed: into [`Exchange::room`].
    NeedsBytes,
    /// A party outside answers first, about a certificate that was asked for after the handshake: [`Exchange::advance`],
    /// now and whenever its waker fires.
    Outside,
    /// The connection has said so much by itself that the peer has to take some of it first: [`Exchange::unsent`].
    Unsent,
}

impl Exchange {
    /// Nothing is on its way yet.
    pub fn new(connection: Connection) -> Self {
        Self { connection, incoming: Incoming::default(), outgoing: Outgoing::default() }
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The connection.
    ///
    /// # Errors
    /// Gives the exchange back if anything is on its way through it: unsent bytes, an error that nobody has been told, data or
    /// early data that nobody has read, bytes of the transport that have not been taken.
    #[expect(clippy::result_large_err, reason = "the exchange goes back to whoever had it")]
    pub fn into_connection(self) -> core::result::Result<Connection, Self> {
        let coming = self.incoming.waiting() > 0 || self.incoming.has_early();
        let going = self.outgoing.len() > 0 || self.outgoing.error().is_some();
        if coming || going { Err(self) } else { Ok(self.connection) }
    }

    /// Both halves of the connection, each with what is on its way through it.
    #[expect(clippy::result_large_err, reason = "the exchange goes back to whoever had it")]
    pub(crate) fn into_split(self) -> core::result::Result<Halves, (Self, Error)> {
        let Self { connection, incoming, outgoing } = self;
        match connection.into_split() {
            Ok((sender, receiver)) => Ok(((receiver, incoming), (sender, outgoing))),
            Err((connection, error)) => Err((Self { connection, incoming, outgoing }, error)),
        }
    }

    pub(crate) fn incoming(&mut self) -> &mut Incoming {
        &mut self.incoming
    }

    pub(crate) fn outgoing(&mut self) -> &mut Outgoing {
        &mut self.outgoing
    }

    /// Calls the connection; what it has to say waits behind the rest of [`unsent`](Self::unsent).
    ///
    /// # Errors
    /// That of the call.
    pub fn call<R>(&mut self, act: impl FnOnce(&mut Connection, &mut Vec<u8>) -> Result<R>) -> Result<R> {
        act(&mut self.connection, self.outgoing.said())
    }

    /// Polls the handshake: [`Connection::advance`].
    ///
    /// # Errors
    /// The connection has failed; its alert waits to be sent.
    pub fn advance(&mut self, cx: &mut Context<'_>) -> Result<Want> {
        self.call(|connection, out| connection.advance(cx, out))
    }

    /// Whoever drives the connection waits no longer: [`Connection::give_up`].
    pub fn give_up(&mut self) -> Error {
        self.connection.give_up(self.outgoing.said())
    }

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
    /// As [`Connection::send`].
    pub fn write(&mut self, plain: &[IoSlice<'_>]) -> Result<usize> {
        let Self { connection, outgoing, .. } = self;
        outgoing.write(|room| connection.send_into(plain, room))
    }

    /// Early data that came during the handshake.
    pub fn early(&mut self) -> &mut Vec<u8> {
        self.incoming.early()
    }

    /// Nothing will happen until the transport has bytes: memory that is not needed meanwhile goes back. The ciphers of
    /// the first that wait stay at hand; those of others do in a small pool of the process, until enough have come to wait
    /// after this one.
    pub fn rest(&mut self) {
        self.incoming.rest(&mut self.connection);
    }

    /// Nothing will happen for long: the ciphers' memory goes back at once ([`Connection::rest`]).
    pub fn rest_long(&mut self) {
        self.rest();
        self.connection.rest();
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("connection", &self.connection)
            .field("arrived", &self.incoming.waiting())
            .field("unsent", &self.outgoing.len())
            .finish_non_exhaustive()
    }
}
