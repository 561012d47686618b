//! What every adapter has between a connection and its transport: the bytes on their way.

mod buffer;
mod incoming;
mod outgoing;

pub(crate) use incoming::Incoming;
pub(crate) use outgoing::Outgoing;

use crate::connection::{Connection, Receiver, Sender, Want};
use crate::error::{Error, Result};
use core::fmt;
use core::task::Context;
use std::io::IoSlice;

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

    /// The connection; what was on its way is lost.
    pub fn into_connection(self) -> Connection {
        self.connection
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

    /// Bytes that wait for the transport; more may stand behind them.
    pub fn unsent(&self) -> &[u8] {
        self.outgoing.unsent()
    }

    /// The transport has taken this many of the unsent bytes.
    pub fn sent(&mut self, len: usize) {
        self.outgoing.sent(len);
    }

    /// Room for bytes of the transport.
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

    /// The transport has ended.
    ///
    /// # Errors
    /// If the peer has not said so before: data may be missing.
    pub fn ended(&mut self) -> Result<()> {
        self.connection.transport_ended()
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
        self.incoming.fill(&mut self.connection, self.outgoing.said())
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
