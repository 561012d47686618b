//! The blocking adapter: a [`Connection`] over anything that reads and writes.

use crate::connection::{Connection, Facts, Want};
use crate::error::{Error, Misuse, Result};
use core::task::{Context, Waker};
use std::io::{self, IoSlice, Read, Write};
use std::sync::Arc;
use std::task::Wake;
use std::thread::{self, Thread};

/// A TLS stream over `T`.
///
/// Reading gives 0 only after the peer's close_notify; a transport that ends without it is
/// [`io::ErrorKind::UnexpectedEof`]: data may be missing (a truncation attack).
#[derive(Debug)]
pub struct Stream<T> {
    connection: Connection,
    transport: T,
    /// Bytes of the peer that are no whole record yet; given back when there are none.
    input: Vec<u8>,
    /// Where decrypted data that was not read yet stands in `input`, and where the rest begins.
    ready: core::ops::Range<usize>,
    used: usize,
    /// Early data that came and was not read yet; the configuration bounds it.
    early: Vec<u8>,
}

/// Bytes asked of the transport at once: a whole record with its header.
const READ_SIZE: usize = 16 * 1024 + 2048 + 5;

impl<T: Read + Write> Stream<T> {
    /// Speaks TLS over `transport`. The handshake happens with the first read or write, or with
    /// [`handshake`](Self::handshake).
    pub fn new(connection: Connection, transport: T) -> Self {
        Self { connection, transport, input: Vec::new(), ready: 0..0, used: 0, early: Vec::new() }
    }

    /// Completes the handshake; gives what it settled. Early data that comes meanwhile is kept for
    /// [`read_early`](Self::read_early).
    ///
    /// # Errors
    /// The transport's error, or Clasp's [`Error`](crate::Error) inside an [`io::Error`]. The alert is sent first.
    pub fn handshake(&mut self) -> io::Result<Arc<Facts>> {
        while self.connection.is_handshaking() {
            self.handshake_step()?;
        }
        match (self.connection.failure(), self.connection.facts()) {
            (None, Some(facts)) => Ok(facts.clone()),
            (Some(error), _) => Err(error.clone().into()),
            (None, None) => Err(Error::from(Misuse::HandshakeUnfinished).into()),
        }
    }

    fn handshake_step(&mut self) -> io::Result<()> {
        match self.advance()? {
            Want::Outside => thread::park(),
            Want::Bytes => self.pull().map(drop)?,
            Want::Nothing => {}
        }
        Ok(())
    }

    /// Client: sends the front of `plain` with the hello, before the server has answered, and gives how much that was:
    /// 0 if there is no session that allows early data. See [`Connection::send_early`] for what an attacker can do with
    /// it, and [`refused_early_data`](Self::refused_early_data) for what the server did not take.
    ///
    /// # Errors
    /// The transport's error, or if the connection has failed.
    pub fn send_early(&mut self, plain: &[u8]) -> io::Result<usize> {
        self.advance()?;
        match self.connection.early_data_left() {
            0 => Ok(0),
            _ => self.step(|connection, out| connection.send_early(plain, out)),
        }
    }

    /// Client: completes the handshake and gives the early data that the server did not take, once: send it again, if
    /// it still means the same. Empty if all arrived.
    ///
    /// # Errors
    /// As [`handshake`](Self::handshake).
    pub fn refused_early_data(&mut self) -> io::Result<Vec<u8>> {
        self.handshake()?;
        Ok(self.connection.take_refused_early_data())
    }

    /// Server: reads early data, which an attacker may have made arrive a second time. Gives 0 once there is no more
    /// and the handshake is done. [`Read::read`] never gives early data.
    ///
    /// # Errors
    /// As [`handshake`](Self::handshake).
    pub fn read_early(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.early.is_empty() && self.connection.is_handshaking() {
            self.handshake_step()?;
        }
        if self.early.is_empty() {
            self.handshake()?;
        }
        let n = self.early.len().min(buf.len());
        self.early.drain(..n).zip(buf).for_each(|(byte, place)| *place = byte);
        if self.early.is_empty() {
            self.early = Vec::new();
        }
        Ok(n)
    }

    /// Moves our sending keys on, and asks the peer to do the same if `ask` (TLS 1.3 only):
    /// [`Connection::update_keys`].
    ///
    /// # Errors
    /// The transport's error, or if the handshake is not done or made TLS 1.2.
    pub fn update_keys(&mut self, ask: bool) -> io::Result<()> {
        self.step(|connection, out| connection.update_keys(ask, out))
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The transport.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// The transport, to change its timeouts and the like. Bytes read or written beside TLS break it.
    pub fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// The two parts.
    pub fn into_parts(self) -> (Connection, T) {
        (self.connection, self.transport)
    }

    /// Says close_notify. The peer's data can still be read.
    ///
    /// # Errors
    /// The transport's error.
    pub fn close(&mut self) -> io::Result<()> {
        self.step(|connection, out| connection.close(out))?;
        self.transport.flush()
    }

    /// Calls the connection, then sends what it had to say, whether it failed or not.
    fn step<R>(&mut self, act: impl FnOnce(&mut Connection, &mut Vec<u8>) -> Result<R>) -> io::Result<R> {
        let mut out = Vec::new();
        let result = act(&mut self.connection, &mut out);
        let sent = if out.is_empty() { Ok(()) } else { self.transport.write_all(&out) };
        // The connection's own error says more than that its alert could not be sent.
        let value = result?;
        sent?;
        Ok(value)
    }

    fn advance(&mut self) -> io::Result<Want> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        self.step(|connection, out| connection.advance(&mut Context::from_waker(&waker), out))
    }

    /// Takes records that are here, or reads more. Gives whether there is data, or the end (`None`).
    fn pull(&mut self) -> io::Result<Option<()>> {
        self.input.drain(..self.used);
        self.used = 0;
        self.ready = 0..0;
        let mut input = core::mem::take(&mut self.input);
        let mut early = core::mem::take(&mut self.early);
        let taken = self.step(|connection, out| {
            let received = connection.receive(&mut input, out)?;
            if received.early {
                early.extend_from_slice(received.data);
                return Ok((received.used, 0..0));
            }
            Ok((received.used, received.at..received.at + received.data.len()))
        });
        self.early = early;
        self.input = input;
        (self.used, self.ready) = taken?;
        if self.used > 0 {
            return Ok(Some(()));
        }
        if self.connection.peer_closed() {
            return Ok(None);
        }
        self.read_more()
    }

    fn read_more(&mut self) -> io::Result<Option<()>> {
        let have = self.input.len();
        self.input.resize(have + READ_SIZE, 0);
        let read = loop {
            match self.transport.read(&mut self.input[have..]) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.input.truncate(have + *read.as_ref().unwrap_or(&0));
        match read? {
            0 => {
                self.connection.transport_ended()?;
                Ok(None)
            }
            _ => Ok(Some(())),
        }
    }
}

impl<T: Read + Write> Read for Stream<T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.handshake()?;
        while self.ready.is_empty() && !buf.is_empty() {
            if self.pull()?.is_none() {
                self.input = Vec::new();
                self.used = 0;
                return Ok(0);
            }
        }
        let ready = &self.input[self.ready.clone()];
        let n = ready.len().min(buf.len());
        buf[..n].copy_from_slice(&ready[..n]);
        self.ready.start += n;
        if self.ready.is_empty() && self.used == self.input.len() {
            // Nothing is held while idle.
            self.input = Vec::new();
            self.used = 0;
            self.ready = 0..0;
        }
        Ok(n)
    }
}

impl<T: Read + Write> Write for Stream<T> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buf)])
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.handshake()?;
        self.step(|connection, out| connection.send(bufs, out))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.transport.flush()
    }
}

/// Wakes the thread that waits for a party outside.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
