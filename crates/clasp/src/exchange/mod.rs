// Above `connection` and `messages` and `quic`.
//! What every adapter has between a connection and its transport: the bytes on their way.

mod ahead;
mod buffer;
mod data;
mod incoming;
mod limits;
mod outgoing;
mod transport;

pub(crate) use incoming::Incoming;
pub use limits::TimeLimits;
pub(crate) use outgoing::Outgoing;

use crate::connection::{Connection, Receiver, Sender, Want};
use crate::error::{Error, Result};
use core::fmt;
use core::task::Context;

/// A [`Connection`] with the bytes that are on their way through it. For whoever writes an adapter: the blocking
/// [`Stream`](crate::Stream) and `clasp-tokio` move bytes between this and their transports, and do nothing else.
///
/// Its buffers are borrowed from a [`Pool`](crate::Pool) when bytes come or go, and given back when there are none: an idle exchange
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
        let (incoming, outgoing) = (Incoming::of(connection.pool().clone()), Outgoing::of(connection.pool().clone()));
        Self { connection, incoming, outgoing }
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

    /// Nothing will happen until the transport has bytes: memory that is not needed meanwhile goes back. The ciphers of
    /// the first that wait stay at hand; those of others do in the [`Pool`](crate::Pool), until enough have come to wait after
    /// this one.
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
