//! The blocking adapter: a [`Connection`] over anything that reads and writes.

use super::halves::{StreamReader, StreamWriter};
use super::transport::{drain, finish, flush_all, keep, push, push_quietly, read_some, told};
use crate::connection::{Connection, Want};
use crate::error::{Error, Misuse, Result};
use crate::exchange::{Exchange, Progress, TimeLimits};
use crate::facts::Facts;
use core::task::{Context, Waker};
use std::io::{self, BufRead, ErrorKind, IoSlice, Read, Write};
use std::sync::Arc;
use std::task::Wake;
use std::thread::{self, Thread};
use std::time::Instant;

/// A TLS stream over `T`.
///
/// Reading gives 0 only after the peer's close_notify; a transport that ends without it is
/// [`io::ErrorKind::UnexpectedEof`]: data may be missing (a truncation attack).
///
/// Each byte goes once, whatever the transport answers. A write that has taken data says so; the transport's error comes with
/// the next write or flush, while reading goes on to the peer's end. A transport that ends without close_notify ends
/// reading alone. A peer that may be waiting for what we have said is never waited for before the transport was flushed.
///
/// Over a transport that does not block, every call can end with [`ErrorKind::WouldBlock`], and is made again once the
/// transport has bytes, or has room where [`wants_write`](Self::wants_write) says so.
///
/// # Time
/// The handshake as a whole, and each answer of a party outside, have [`TimeLimits`]. A stream has no way to interrupt its
/// transport, though: against a peer that is silent give it a timeout of its own
/// ([`TcpStream::set_read_timeout`](std::net::TcpStream::set_read_timeout)). While a party outside is waited for, the thread
/// is parked, and a peer that leaves is noticed after that.
///
/// Data is decrypted straight into the buffer of whoever reads, if a whole record has room there (17 KiB are enough);
/// [`BufRead`] lends it where it was decrypted.
#[derive(Debug)]
pub struct Stream<T> {
    exchange: Exchange,
    transport: T,
    limits: TimeLimits,
    /// When the handshake's first step was.
    began: Option<Instant>,
}

impl<T> Stream<T> {
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

    /// The two parts: the connection with all that is on its way through it, and the transport.
    /// [`Exchange::into_connection`] gives the connection alone, if nothing is.
    pub fn into_parts(self) -> (Exchange, T) {
        (self.exchange, self.transport)
    }

    /// What has been decrypted and not read yet: so much can be read without asking the transport.
    pub fn buffered(&self) -> &[u8] {
        self.exchange.data()
    }
}

impl<T: Read + Write> Stream<T> {
    /// Speaks TLS over `transport`. The handshake happens with the first read or write, or with
    /// [`handshake`](Self::handshake).
    pub fn new(connection: Connection, transport: T) -> Self {
        Self::from_parts(Exchange::new(connection), transport)
    }

    /// The two parts of a stream, joined again.
    pub fn from_parts(exchange: Exchange, transport: T) -> Self {
        Self { exchange, transport, limits: TimeLimits::default(), began: None }
    }

    /// With other limits than the usual ones.
    #[must_use]
    pub fn with_limits(self, limits: TimeLimits) -> Self {
        Self { limits, ..self }
    }

    /// Completes the handshake; gives what it settled. Early data that comes meanwhile is kept for
    /// [`read_early`](Self::read_early).
    ///
    /// # Errors
    /// The transport's error, or Clasp's [`Error`](crate::Error) inside an [`io::Error`]. The alert is sent first. After an
    /// error of the transport's the call can be made again; [`ErrorKind::WouldBlock`] also says that our last message has
    /// not gone out yet. If it never can, the next write says so: what the peer has sent can be read all the same.
    pub fn handshake(&mut self) -> io::Result<Arc<Facts>> {
        self.complete()?;
        let facts = match (self.connection().failure(), self.connection().facts()) {
            (None, Some(facts)) => facts.clone(),
            (Some(error), _) => return Err(error.clone().into()),
            (None, None) => return Err(Error::from(Misuse::HandshakeUnfinished).into()),
        };
        // The peer waits for our last message; or it has said all it wants to say, and gone.
        match push(self.exchange.outgoing(), &mut self.transport) {
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Err(e),
            pushed => {
                keep(self.exchange.outgoing(), pushed);
                Ok(facts)
            }
        }
    }

    /// Whether bytes wait for the transport: where it does not block, [`flush`](Write::flush) once it has room. So it is after
    /// a write that found less room than data, and after a handshake whose last message did.
    pub fn wants_write(&self) -> bool {
        self.exchange.wants_room()
    }

    /// Ends the handshake; what we say last may still have to be sent.
    fn complete(&mut self) -> io::Result<()> {
        while self.connection().is_handshaking() {
            self.handshake_step()?;
        }
        Ok(())
    }

    fn handshake_step(&mut self) -> io::Result<()> {
        let began = *self.began.get_or_insert_with(Instant::now);
        if self.limits.for_handshake().is_some_and(|limit| began.elapsed() > limit) {
            return Err(self.give_up());
        }
        match self.advance()? {
            Want::Outside => self.wait_outside(),
            Want::Bytes if !self.step(Exchange::take)? => self.say_and_read(),
            Want::Bytes | Want::Nothing => Ok(()),
        }
    }

    /// Says all there is to say, then reads. Where the transport has no room at present, the peer may still have said
    /// something, which makes room in the end.
    fn say_and_read(&mut self) -> io::Result<()> {
        match push(self.exchange.outgoing(), &mut self.transport) {
            Err(e) if e.kind() != ErrorKind::WouldBlock => return Err(e),
            _ => {}
        }
        self.read_more().map(drop)
    }

    /// Parks the thread until the party outside that is waited for has answered.
    fn wait_outside(&mut self) -> io::Result<()> {
        let since = self.connection().waiting_since();
        let deadline = self.limits.for_outside().and_then(|limit| Instant::now().checked_add(limit));
        push_quietly(self.exchange.outgoing(), &mut self.transport);
        while self.advance()? == Want::Outside && self.connection().waiting_since() == since {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            match left {
                None => thread::park(),
                Some(left) if left.is_zero() => return Err(self.give_up()),
                Some(left) => thread::park_timeout(left),
            }
        }
        Ok(())
    }

    /// The time is over. The peer is told, if it can be.
    fn give_up(&mut self) -> io::Error {
        let error = self.exchange.give_up();
        push_quietly(self.exchange.outgoing(), &mut self.transport);
        error.into()
    }

    /// Client: sends the front of `plain` with the hello, before the server has answered, and gives how much that was:
    /// 0 if there is no session that allows early data. See [`Connection::send_early`] for what an attacker can do with
    /// it, and [`refused_early_data`](Self::refused_early_data) for what the server did not take.
    ///
    /// # Errors
    /// The transport's error, or if the connection has failed.
    pub fn send_early(&mut self, plain: &[u8]) -> io::Result<usize> {
        self.advance()?;
        if self.connection().early_data_left() == 0 {
            return Ok(0);
        }
        told(self.exchange.outgoing())?;
        self.call(|connection, out| connection.send_early(plain, out))
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
            match self.handshake() {
                // There is no more, whether or not our last message has gone out.
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                done => drop(done?),
            }
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
    ///     println!("{:?}", facts.peer_identifiers());
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
                self.wait_outside()?;
            } else if !self.exchange.data().is_empty() || self.connection().peer_closed() {
                return Ok(false);
            } else if !self.step(Exchange::take)? {
                self.say_and_read()?;
            }
        }
    }

    /// Client: completes the handshake, and reads until it is known whether the server lets us in, with our certificate or without
    /// the one that it asked for: [`Connection::is_confirmed`]. False if the server closes without another word.
    ///
    /// A server that has not asked for a certificate need not be heard; nor, in TLS 1.2, one that has. Others give a ticket, as a rule, or
    /// speak first; one that does neither is waited for as long as the transport does.
    ///
    /// ```no_run
    /// # use std::io::{Read, Write};
    /// # fn ask<T: Read + Write>(tls: &mut clasp::Stream<T>) -> std::io::Result<()> {
    /// // Not before it is clear who asks.
    /// if tls.confirmed()? {
    ///     tls.write_all(b"what cannot be said twice")?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The transport's error, or if the connection has failed: with the server's alert, where it refuses the certificate.
    pub fn confirmed(&mut self) -> io::Result<bool> {
        self.handshake()?;
        loop {
            let want = self.advance()?;
            if self.connection().is_confirmed() {
                return Ok(true);
            }
            if want == Want::Outside {
                self.wait_outside()?;
            } else if self.connection().peer_closed() {
                return Ok(false);
            } else if !self.step(Exchange::take)? {
                self.say_and_read()?;
            }
        }
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

    /// Says close_notify, and sends all that waits. The peer's data can still be read; a write fails from then on with
    /// [`ErrorKind::BrokenPipe`].
    ///
    /// # Errors
    /// The transport's error; the call can be made again.
    pub fn close(&mut self) -> io::Result<()> {
        self.step(|exchange| exchange.call(|connection, out| connection.close(out)))?;
        finish(self.exchange.outgoing(), &mut self.transport)
    }

    /// Has the connection say something. It is said then: how the transport takes it shows with the next write or flush.
    fn call<R>(&mut self, act: impl FnOnce(&mut Connection, &mut Vec<u8>) -> Result<R>) -> io::Result<R> {
        let value = self.step(|exchange| exchange.call(act))?;
        push_quietly(self.exchange.outgoing(), &mut self.transport);
        Ok(value)
    }

    /// Does a step. If it fails, the peer is told, if it can be.
    fn step<R>(&mut self, act: impl FnOnce(&mut Exchange) -> Result<R>) -> io::Result<R> {
        act(&mut self.exchange).map_err(|error| {
            push_quietly(self.exchange.outgoing(), &mut self.transport);
            error.into()
        })
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

    /// Steps, and reads, until there is data or the end. What the transport says of our own bytes is not said here: what
    /// has come is given, whatever became of them.
    fn progress(&mut self, mut act: impl FnMut(&mut Exchange) -> Result<Progress>) -> io::Result<usize> {
        self.complete()?;
        loop {
            let progress = self.step(&mut act)?;
            if progress == Progress::NeedsBytes || self.exchange.is_said() {
                push_quietly(self.exchange.outgoing(), &mut self.transport);
            }
            match progress {
                Progress::Data(n) => return Ok(n),
                Progress::End => return Ok(0),
                Progress::NeedsBytes => {
                    if !self.read_more()? {
                        return Ok(0);
                    }
                }
                Progress::Outside => self.wait_outside()?,
                Progress::Unsent => {
                    told(self.exchange.outgoing())?;
                    push(self.exchange.outgoing(), &mut self.transport)?;
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
        self.complete()?;
        // After our close a write fails with that, whatever the transport has to say.
        if !self.connection().is_closed() {
            told(self.exchange.outgoing())?;
            drain(self.exchange.outgoing(), &mut self.transport)?;
        }
        let taken = self.step(|exchange| exchange.write(bufs))?;
        // An error now would say that nothing was taken.
        let sent = drain(self.exchange.outgoing(), &mut self.transport);
        keep(self.exchange.outgoing(), sent);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        flush_all(self.exchange.outgoing(), &mut self.transport)
    }
}

/// Wakes the thread that waits for a party outside.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
