//! The blocking adapter: a [`Connection`] over anything that reads and writes.

mod halves;

pub use halves::{StreamReader, StreamWriter};

use crate::connection::{Connection, Facts, Want};
use crate::error::{Error, Misuse, Result};
use crate::exchange::{Exchange, Incoming, Outgoing, Progress};
use core::task::{Context, Waker};
use std::io::{self, BufRead, IoSlice, Read, Write};
use std::sync::Arc;
use std::task::Wake;
use std::thread::{self, Thread};

/// A TLS stream over `T`.
///
/// Reading gives 0 only after the peer's close_notify; a transport that ends without it is
/// [`io::ErrorKind::UnexpectedEof`]: data may be missing (a truncation attack).
///
/// Data is decrypted straight into the buffer of whoever reads, if a whole record has room there (17 KiB are enough);
/// [`BufRead`] lends it where it was decrypted.
#[derive(Debug)]
pub struct Stream<T> {
    exchange: Exchange,
    transport: T,
}

impl<T: Read + Write> Stream<T> {
    /// Speaks TLS over `transport`. The handshake happens with the first read or write, or with
    /// [`handshake`](Self::handshake).
    pub fn new(connection: Connection, transport: T) -> Self {
        Self { exchange: Exchange::new(connection), transport }
    }

    /// Completes the handshake; gives what it settled. Early data that comes meanwhile is kept for
    /// [`read_early`](Self::read_early).
    ///
    /// # Errors
    /// The transport's error, or Clasp's [`Error`](crate::Error) inside an [`io::Error`]. The alert is sent first.
    pub fn handshake(&mut self) -> io::Result<Arc<Facts>> {
        while self.connection().is_handshaking() {
            self.handshake_step()?;
        }
        match (self.connection().failure(), self.connection().facts()) {
            (None, Some(facts)) => Ok(facts.clone()),
            (Some(error), _) => Err(error.clone().into()),
            (None, None) => Err(Error::from(Misuse::HandshakeUnfinished).into()),
        }
    }

    fn handshake_step(&mut self) -> io::Result<()> {
        match self.advance()? {
            Want::Outside => thread::park(),
            Want::Bytes => {
                if !self.step(Exchange::take)? {
                    self.read_more()?;
                }
            }
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
        match self.connection().early_data_left() {
            0 => Ok(0),
            _ => self.call(|connection, out| connection.send_early(plain, out)),
        }
    }

    /// Client: completes the handshake and gives the early data that the server did not take, once: send it again, if
    /// it still means the same. Empty if all arrived.
    ///
    /// # Errors
    /// As [`handshake`](Self::handshake).
    pub fn refused_early_data(&mut self) -> io::Result<Vec<u8>> {
        self.handshake()?;
        self.call(|connection, _| Ok(connection.take_refused_early_data()))
    }

    /// Server: reads early data, which an attacker may have made arrive a second time. Gives 0 once there is no more
    /// and the handshake is done. [`Read::read`] never gives early data.
    ///
    /// # Errors
    /// As [`handshake`](Self::handshake).
    pub fn read_early(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.exchange.early().is_empty() && self.connection().is_handshaking() {
            self.handshake_step()?;
        }
        if self.exchange.early().is_empty() {
            self.handshake()?;
        }
        let early = self.exchange.early();
        let n = early.len().min(buf.len());
        early.drain(..n).zip(buf).for_each(|(byte, place)| *place = byte);
        if early.is_empty() {
            *early = Vec::new();
        }
        Ok(n)
    }

    /// Moves our sending keys on, and asks the peer to do the same if `ask` (TLS 1.3 only):
    /// [`Connection::update_keys`].
    ///
    /// # Errors
    /// The transport's error, or if the handshake is not done or made TLS 1.2.
    pub fn update_keys(&mut self, ask: bool) -> io::Result<()> {
        self.call(|connection, out| connection.update_keys(ask, out))
    }

    /// Server: asks the client for a certificate now (TLS 1.3): [`Connection::request_certificate`]. The answer comes among
    /// what is read; [`receive_certificate`](Self::receive_certificate) waits for it.
    ///
    /// ```no_run
    /// # use std::io::{Read, Write};
    /// # fn serve<T: Read + Write>(tls: &mut clasp::Stream<T>) -> std::io::Result<()> {
    /// // The request was read, and wants to know who asks.
    /// tls.request_certificate()?;
    /// if tls.receive_certificate()? {
    ///     let facts = tls.handshake()?;
    ///     println!("{:?}", facts.peer_identities());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The transport's error, or those of [`Connection::request_certificate`].
    pub fn request_certificate(&mut self) -> io::Result<()> {
        self.call(Connection::request_certificate)
    }

    /// Server: reads until the client's answer to [`request_certificate`](Self::request_certificate) is there and good.
    /// False if it is not, because data that the client sent before has to be read first, or there will be none: the
    /// client has closed.
    ///
    /// # Errors
    /// The transport's error, or if the connection has failed, as it does where the answer is refused.
    pub fn receive_certificate(&mut self) -> io::Result<bool> {
        loop {
            let want = self.advance()?;
            if !self.connection().certificate_is_due() {
                return Ok(true);
            }
            if want == Want::Outside {
                thread::park();
            } else if !self.exchange.data().is_empty() || self.connection().peer_closed() {
                return Ok(false);
            } else if !self.step(Exchange::take)? {
                self.read_more()?;
            }
        }
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        self.exchange.connection()
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
        (self.exchange.into_connection(), self.transport)
    }

    /// Takes an established stream apart, for one thread that reads and another that writes: [`Connection::into_split`].
    /// `reading` makes the handle that the reader has of the transport; the writer keeps the transport itself.
    ///
    /// ```no_run
    /// # use std::io::{Read, Write};
    /// # use std::net::TcpStream;
    /// # fn talk(mut tls: clasp::Stream<TcpStream>) -> std::io::Result<()> {
    /// tls.handshake()?;
    /// let (mut reader, mut writer) = tls.into_split(TcpStream::try_clone).map_err(|(_whole, error)| error)?;
    /// let reading = std::thread::spawn(move || {
    ///     let mut all = Vec::new();
    ///     reader.read_to_end(&mut all).map(|_| all)
    /// });
    /// writer.write_all(b"said while the other thread listens")?;
    /// writer.close()?;
    /// let heard = reading.join().expect("a reader does not panic")?;
    /// # drop(heard);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Gives the stream back: if the connection cannot be taken apart, if there is early data that nobody has read, or with
    /// the error of `reading`.
    #[expect(clippy::result_large_err, reason = "the stream goes back to whoever had it")]
    pub fn into_split<R: Read>(
        mut self,
        reading: impl FnOnce(&T) -> io::Result<R>,
    ) -> core::result::Result<(StreamReader<R>, StreamWriter<T>), (Self, io::Error)> {
        if !self.exchange.early().is_empty() {
            let error = Error::from(Misuse::CannotSplit).seen("early data that nobody has read");
            return Err((self, error.into()));
        }
        let reading = match reading(&self.transport) {
            Ok(reading) => reading,
            Err(error) => return Err((self, error)),
        };
        match self.exchange.into_split() {
            Ok(((receiver, incoming), (sender, outgoing))) => Ok((
                StreamReader { receiver, incoming, transport: reading },
                StreamWriter { sender, outgoing, transport: self.transport },
            )),
            Err((exchange, error)) => Err((Self { exchange, ..self }, error.into())),
        }
    }

    /// Gives back at once what an idle stream does not need: [`Connection::rest`]. One whose read found nothing, on a
    /// transport that does not block, gives it back by itself once enough others wait.
    pub fn rest(&mut self) {
        self.exchange.rest_long();
    }

    /// Says close_notify. The peer's data can still be read.
    ///
    /// # Errors
    /// The transport's error.
    pub fn close(&mut self) -> io::Result<()> {
        self.call(|connection, out| connection.close(out))?;
        self.flush()
    }

    fn call<R>(&mut self, act: impl FnOnce(&mut Connection, &mut Vec<u8>) -> Result<R>) -> io::Result<R> {
        self.step(|exchange| exchange.call(act))
    }

    /// Does a step, then sends what there is to send, whether it failed or not.
    fn step<R>(&mut self, act: impl FnOnce(&mut Exchange) -> Result<R>) -> io::Result<R> {
        let result = act(&mut self.exchange);
        outcome(result, self.drain())
    }

    /// Gives the transport what waits for it.
    fn drain(&mut self) -> io::Result<()> {
        drain(self.exchange.outgoing(), &mut self.transport)
    }

    fn advance(&mut self) -> io::Result<Want> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        self.step(|exchange| exchange.advance(&mut Context::from_waker(&waker)))
    }

    /// Bytes of the transport; false at its end.
    fn read_more(&mut self) -> io::Result<bool> {
        let read = read_some(self.exchange.incoming(), &mut self.transport);
        if !matches!(read, Ok(1..)) {
            self.exchange.rest();
        }
        match read? {
            0 => {
                self.exchange.ended()?;
                Ok(false)
            }
            _ => Ok(true),
        }
    }

    /// Steps, and reads, until there is data or the end.
    fn progress(&mut self, mut act: impl FnMut(&mut Exchange) -> Result<Progress>) -> io::Result<usize> {
        self.handshake()?;
        loop {
            match self.step(&mut act)? {
                Progress::Data(n) => return Ok(n),
                Progress::End => return Ok(0),
                Progress::NeedsBytes => {
                    if !self.read_more()? {
                        return Ok(0);
                    }
                }
                Progress::Outside => {
                    if self.advance()? == Want::Outside {
                        thread::park();
                    }
                }
            }
        }
    }
}

impl<T: Read + Write> Read for Stream<T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.progress(|exchange| exchange.read(buf))
    }
}

impl<T: Read + Write> BufRead for Stream<T> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.progress(Exchange::fill)?;
        Ok(self.exchange.data())
    }

    fn consume(&mut self, len: usize) {
        self.exchange.consume(len);
    }
}

impl<T: Read + Write> Write for Stream<T> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buf)])
    }

    /// Takes up to 64 KiB at once, which go to the transport in one piece.
    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.handshake()?;
        self.drain()?;
        self.step(|exchange| exchange.write(bufs))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.drain()?;
        self.transport.flush()
    }
}

/// Gives the transport what waits for it.
fn drain(outgoing: &mut Outgoing, transport: &mut impl Write) -> io::Result<()> {
    while let unsent @ [_, ..] = outgoing.unsent() {
        match transport.write(unsent) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => outgoing.sent(n),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Bytes of the transport; none at its end.
fn read_some(incoming: &mut Incoming, transport: &mut impl Read) -> io::Result<usize> {
    loop {
        match transport.read(incoming.room()) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Ok(n) => {
                incoming.arrived(n);
                return Ok(n);
            }
            failed => return failed,
        }
    }
}

/// What a step came to: its own error says more than that what it had to say could not be sent.
fn outcome<R>(result: Result<R>, sent: io::Result<()>) -> io::Result<R> {
    let value = result?;
    match sent {
        // A transport that would block gets the rest with the next step.
        Err(e) if e.kind() != io::ErrorKind::WouldBlock => Err(e),
        _ => Ok(value),
    }
}

/// Wakes the thread that waits for a party outside.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
