//! What every adapter has between a connection and its transport: the bytes on their way.

mod buffer;

use crate::connection::{Connection, Want};
use crate::copy::copy;
use crate::error::Result;
use crate::handshake::link::Waiting;
use buffer::Buffer;
use core::fmt;
use core::ops::Range;
use core::task::Context;
use std::io::IoSlice;

/// A [`Connection`] with the bytes that are on their way through it. For whoever writes an adapter: the blocking
/// [`Stream`](crate::Stream) and `clasp-tokio` move bytes between this and their transports, and do nothing else.
///
/// Its buffers are borrowed from a small pool when bytes come or go, and given back when there are none: an idle exchange
/// holds no more than its connection.
pub struct Exchange {
    connection: Connection,
    /// From the transport, and not taken yet.
    input: Buffer,
    /// Data that was decrypted in `input` and not read yet, and how much of `input` is done with when it has been.
    ready: Range<usize>,
    taken: usize,
    /// For the transport: what is in `output`, then what is in `said`.
    output: Buffer,
    /// What the connection had to say by itself.
    said: Vec<u8>,
    /// Early data that came during the handshake; the configuration bounds it.
    early: Vec<u8>,
}

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
        let (said, early) = (Vec::new(), Vec::new());
        Self { connection, input: Buffer::default(), ready: 0..0, taken: 0, output: Buffer::default(), said, early }
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The connection; what was on its way is lost.
    pub fn into_connection(self) -> Connection {
        self.connection
    }

    /// Calls the connection; what it has to say waits behind the rest of [`unsent`](Self::unsent).
    ///
    /// # Errors
    /// That of the call.
    pub fn call<R>(&mut self, act: impl FnOnce(&mut Connection, &mut Vec<u8>) -> Result<R>) -> Result<R> {
        act(&mut self.connection, &mut self.said)
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
        if self.output.is_empty() { &self.said } else { self.output.waiting() }
    }

    /// The transport has taken this many of the unsent bytes.
    pub fn sent(&mut self, len: usize) {
        if !self.output.is_empty() {
            return self.output.done(len);
        }
        if len >= self.said.len() {
            self.said = Vec::new();
        } else {
            self.said.drain(..len);
        }
    }

    /// Room for bytes of the transport.
    pub fn room(&mut self) -> &mut [u8] {
        self.input.room()
    }

    /// The transport has put this many bytes into the room. None is no end: see [`ended`](Self::ended).
    pub fn arrived(&mut self, len: usize) {
        self.input.filled(len);
    }

    /// How many bytes of the transport have not been taken yet: before more arrive, no more data than that can be read.
    pub fn waiting(&self) -> usize {
        self.input.waiting().len()
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
        if !self.ready.is_empty() {
            return Ok(true);
        }
        let received = self.connection.receive(self.input.waiting_mut(), &mut self.said)?;
        let used = received.used;
        if received.early {
            self.early.extend_from_slice(received.data);
        } else {
            self.ready = received.at..received.at + received.data.len();
        }
        self.taken = used;
        self.settle();
        Ok(used > 0)
    }

    /// Data of the peer, after the handshake: decrypted straight into `buf` where a record has room there.
    ///
    /// # Errors
    /// The connection has failed; its alert waits to be sent.
    pub fn read(&mut self, buf: &mut [u8]) -> Result<Progress> {
        while self.ready.is_empty() {
            if buf.is_empty() {
                return Ok(Progress::Data(0));
            }
            let moved = self.connection.receive_into(self.input.waiting_mut(), buf, &mut self.said)?;
            self.input.done(moved.taken);
            if moved.given > 0 {
                return Ok(Progress::Data(moved.given));
            }
            if moved.taken == 0 && !self.take()? {
                return Ok(self.without_data());
            }
        }
        let data = self.data();
        let len = data.len().min(buf.len());
        copy(&data[..len], buf);
        self.consume(len);
        Ok(Progress::Data(len))
    }

    fn without_data(&self) -> Progress {
        match self.connection.waiting() {
            Waiting::Outside(_) => Progress::Outside,
            _ if self.connection.peer_closed() => Progress::End,
            _ => Progress::NeedsBytes,
        }
    }

    /// Data of the peer where it was decrypted, for whoever reads without a buffer: what [`fill`](Self::fill) made ready.
    pub fn data(&self) -> &[u8] {
        self.input.waiting().get(self.ready.clone()).unwrap_or_default()
    }

    /// Makes data ready in [`data`](Self::data), if there is none. `Data` has its length.
    ///
    /// # Errors
    /// The connection has failed; its alert waits to be sent.
    pub fn fill(&mut self) -> Result<Progress> {
        while self.ready.is_empty() {
            if !self.take()? {
                return Ok(self.without_data());
            }
        }
        Ok(Progress::Data(self.ready.len()))
    }

    /// This much of [`data`](Self::data) has been read.
    pub fn consume(&mut self, len: usize) {
        self.ready.start = self.ready.end.min(self.ready.start + len);
        self.settle();
    }

    /// Seals data for the peer, as much as there is room for, and gives how much that was; 0 only if unsent bytes are in
    /// the way.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub fn write(&mut self, plain: &[IoSlice<'_>]) -> Result<usize> {
        if !self.said.is_empty() {
            self.output.add(&core::mem::take(&mut self.said));
        }
        let moved = self.connection.send_into(plain, self.output.room())?;
        self.output.filled(moved.given);
        if self.output.is_empty() {
            self.output.rest();
        }
        Ok(moved.taken)
    }

    /// Early data that came during the handshake.
    pub fn early(&mut self) -> &mut Vec<u8> {
        &mut self.early
    }

    /// Nothing will happen until the transport has bytes: memory that is not needed meanwhile goes back. The ciphers stay
    /// at hand in a small pool of the process, until enough other connections have come to wait after this one.
    pub fn rest(&mut self) {
        if self.ready.is_empty() {
            self.input.rest();
            self.connection.doze();
        }
    }

    /// Nothing will happen for long: the ciphers' memory goes back at once ([`Connection::rest`]).
    pub fn rest_long(&mut self) {
        self.rest();
        self.connection.rest();
    }

    /// Input that is done with goes, once its data has been read.
    fn settle(&mut self) {
        if self.ready.is_empty() {
            self.input.done(core::mem::take(&mut self.taken));
            self.ready = 0..0;
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("connection", &self.connection)
            .field("arrived", &self.input.waiting().len())
            .field("unsent", &(self.output.waiting().len() + self.said.len()))
            .finish_non_exhaustive()
    }
}
