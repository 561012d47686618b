//! A TLS stream over any transport.

use crate::time::{Timer, Wait};
use crate::wakers::{Side, Wakers};
use clasp::{Connection, Exchange, Facts, Progress, TimeLimits, Waiting, Want};
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that are read ahead while a party outside is waited for, so that a peer that leaves is noticed.
const AHEAD: usize = 32 << 10;

/// What a transport has to take the alert of a handshake that has failed.
pub(crate) const MOMENT: Duration = Duration::from_secs(1);

/// A TLS stream. Reading gives end of file only after the peer's close_notify; a transport that ends without it is
/// [`io::ErrorKind::UnexpectedEof`]. Reads and writes are cancellation safe: nothing that was taken is lost.
///
/// Reader and writer may be two tasks ([`tokio::io::split`]). A write that has taken data says so; the transport's error comes
/// with the next write or flush, while reading goes on to the peer's end. A transport that ends without close_notify ends
/// reading alone. After a shutdown a write is [`io::ErrorKind::BrokenPipe`]. A peer that may be waiting for what we have said is
/// never waited for before the transport was flushed.
///
/// Data is decrypted straight into the buffer of whoever reads, if a whole record has room there (17 KiB are enough);
/// [`AsyncBufRead`] lends it where it was decrypted. While nothing is on its way, no buffer is held; while it waits to be
/// read, and enough other streams wait too, not even the ciphers.
#[derive(Debug)]
pub struct TlsStream<T> {
    exchange: Exchange,
    transport: T,
    limits: TimeLimits,
    /// Who waits for the transport to take more.
    sending: Wakers,
    /// The party outside that is waited for.
    outside: Option<Box<Wait>>,
}

impl<T> TlsStream<T> {
    /// The transport.
    pub const fn get_ref(&self) -> &T {
        &self.transport
    }

    /// The transport, for what is about it alone, such as a socket's options. What is read from it or written to it here is
    /// missing from the TLS connection, which then fails.
    pub const fn get_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// The transport alone. What is on its way through the connection is lost, without a close_notify: [`into_parts`] keeps
    /// it.
    ///
    /// [`into_parts`]: Self::into_parts
    pub fn into_inner(self) -> T {
        self.transport
    }

    /// The connection with all that is on its way through it, and the transport. Whoever waits on another task is not woken.
    pub fn into_parts(self) -> (Exchange, T) {
        (self.exchange, self.transport)
    }

    /// What the handshake settled.
    ///
    /// # Panics
    /// Never: a stream exists only after its handshake.
    pub fn facts(&self) -> &Arc<Facts> {
        self.connection().facts().expect("a stream is given out after its handshake")
    }

    pub(crate) fn exchange(&mut self) -> &mut Exchange {
        &mut self.exchange
    }

    pub(crate) const fn limits(&self) -> TimeLimits {
        self.limits
    }

    /// The connection, for exporters and channel bindings.
    pub fn connection(&self) -> &Connection {
        self.exchange.connection()
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> TlsStream<T> {
    pub(crate) fn new(connection: Connection, transport: T, limits: TimeLimits) -> Self {
        Self::of(Exchange::new(connection), transport, limits)
    }

    pub(crate) fn of(exchange: Exchange, transport: T, limits: TimeLimits) -> Self {
        Self { exchange, transport, limits, sending: Wakers::default(), outside: None }
    }

    /// Server: the early data (0-RTT) that came with the handshake, once. An attacker may have made it arrive a second
    /// time. Reading the stream never gives early data, so a server that allows it has to ask here.
    pub fn take_early_data(&mut self) -> Vec<u8> {
        core::mem::take(self.exchange.early())
    }

    /// Moves our sending keys on, and asks the peer to do the same if `ask` (TLS 1.3). The message goes with the next
    /// write or flush.
    ///
    /// # Errors
    /// As [`Connection::update_keys`].
    pub fn update_keys(&mut self, ask: bool) -> io::Result<()> {
        Ok(self.exchange.call(|connection, out| connection.update_keys(ask, out))?)
    }

    /// Server: asks the client for a certificate now (TLS 1.3): [`Connection::request_certificate`]. The request goes with
    /// the next write, flush or read; [`receive_certificate`](Self::receive_certificate) waits for the answer.
    ///
    /// ```no_run
    /// # async fn serve(tls: &mut clasp_tokio::TlsStream<tokio::net::TcpStream>) -> std::io::Result<()> {
    /// // The request was read, and wants to know who asks.
    /// tls.request_certificate()?;
    /// if tls.receive_certificate().await? {
    ///     println!("{:?}", tls.facts().peer_identifiers());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Connection::request_certificate`].
    pub fn request_certificate(&mut self) -> io::Result<()> {
        Ok(self.exchange.call(Connection::request_certificate)?)
    }

    /// Server: reads until the client's answer to [`request_certificate`](Self::request_certificate) is there and good.
    /// False if it is not, because data that the client sent before has to be read first, or there will be none: the
    /// client has closed. Cancellation safe.
    ///
    /// # Errors
    /// The transport's error, or if the connection has failed, as it does where the answer is refused.
    pub async fn receive_certificate(&mut self) -> io::Result<bool> {
        poll_fn(|cx| self.poll_certificate(cx)).await
    }

    /// Client: reads until it is known whether the server lets us in, with our certificate or without the one that it asked
    /// for: [`Connection::is_confirmed`]. False if the server closes without another word. Cancellation safe.
    ///
    /// A server that has not asked for a certificate need not be heard; nor, in TLS 1.2, one that has. Others give a ticket, as a rule,
    /// or speak first; one that does neither is waited for without end.
    ///
    /// ```no_run
    /// # async fn ask(tls: &mut clasp_tokio::TlsStream<tokio::net::TcpStream>) -> std::io::Result<()> {
    /// use std::time::Duration;
    /// let sure = tokio::time::timeout(Duration::from_secs(5), tls.confirmed()).await;
    /// match sure {
    ///     Ok(Ok(_)) => {}
    ///     Ok(Err(error)) => eprintln!("the server refuses the certificate: {error}"),
    ///     Err(_) => eprintln!("it gives no tickets, and waits for a request"),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The transport's error, or if the connection has failed: with the server's alert, where it refuses the certificate.
    pub async fn confirmed(&mut self) -> io::Result<bool> {
        poll_fn(|cx| self.poll_confirmed(cx)).await
    }

    /// Gives back at once what an idle stream does not need: [`Connection::rest`]. For one that nobody reads from.
    pub fn rest(&mut self) {
        self.exchange.rest_long();
    }

    pub(crate) async fn handshake(&mut self) -> io::Result<()> {
        self.handshake_within(Timer::new(self.limits.for_handshake())).await
    }

    pub(crate) async fn handshake_within(&mut self, mut timer: Timer) -> io::Result<()> {
        let outcome = poll_fn(|cx| match self.poll_handshake(cx) {
            Poll::Pending if timer.poll(cx).is_ready() => Poll::Ready(Err(self.give_up(cx))),
            outcome => outcome,
        })
        .await;
        if outcome.is_err() {
            self.last_words().await;
        }
        outcome
    }

    /// Server: reads until the client's hello is whole; the handshake goes on from there.
    pub(crate) async fn hello_within(&mut self, mut timer: Timer) -> io::Result<()> {
        let outcome = poll_fn(|cx| match self.poll_handshake(cx) {
            Poll::Pending if self.connection().waiting() != Waiting::Message("ClientHello") => Poll::Ready(Ok(())),
            Poll::Pending if timer.poll(cx).is_ready() => Poll::Ready(Err(self.give_up(cx))),
            outcome => outcome,
        })
        .await;
        if outcome.is_err() {
            self.last_words().await;
        }
        outcome
    }

    /// An alert says more to the peer than a connection that ends: the transport has a moment to take it. Whoever wants no
    /// limits may have no timer either: what it does not take at once, is not said.
    pub(crate) async fn last_words(&mut self) {
        let timed = self.limits != TimeLimits::none();
        let mut timer = Timer::new(timed.then_some(MOMENT));
        poll_fn(|cx| match self.poll_push(Side::Writer, cx) {
            Poll::Pending if timer.is_running() => timer.poll(cx),
            // That it has been said, or cannot be: the error that it is about is told already.
            _ => Poll::Ready(()),
        })
        .await;
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.advance(cx)? {
                Want::Nothing => {
                    // The peer may have said all it wants to say, and gone.
                    if let Err(error) = ready!(self.poll_push(Side::Writer, cx)) {
                        self.exchange.keep_error(error);
                    }
                    return Poll::Ready(Ok(()));
                }
                Want::Outside => ready!(self.poll_outside(cx))?,
                // Bytes, or what only bytes can bring to a stream.
                _ if self.step(Side::Reader, cx, Exchange::take)? => {}
                _ => ready!(self.poll_say_and_read(cx))?,
            }
        }
    }

    /// Says all there is to say, and reads. Where the transport refuses, the peer may have said why before it went; if it has
    /// not, the transport's error is the answer.
    fn poll_say_and_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let said = self.poll_push(Side::Writer, cx);
        match (said, self.poll_more(cx)) {
            (_, Poll::Ready(Ok(true))) => Poll::Ready(Ok(())),
            (Poll::Ready(Err(refused)), _) => Poll::Ready(Err(refused)),
            (_, read) => read.map_ok(drop),
        }
    }

    fn poll_certificate(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            let want = self.advance(cx)?;
            if !self.connection().certificate_is_due() {
                return Poll::Ready(Ok(true));
            }
            if want == Want::Outside {
                ready!(self.poll_outside(cx))?;
            } else if !self.exchange.data().is_empty() || self.connection().peer_closed() {
                return Poll::Ready(Ok(false));
            } else if !self.step(Side::Reader, cx, Exchange::take)? {
                ready!(self.poll_say_and_read(cx))?;
            }
        }
    }

    fn poll_confirmed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            let want = self.advance(cx)?;
            if self.connection().is_confirmed() {
                return Poll::Ready(Ok(true));
            }
            if want == Want::Outside {
                ready!(self.poll_outside(cx))?;
            } else if self.connection().peer_closed() {
                return Poll::Ready(Ok(false));
            } else if !self.step(Side::Reader, cx, Exchange::take)? {
                ready!(self.poll_say_and_read(cx))?;
            }
        }
    }

    /// Polls what is going on.
    pub(crate) fn advance(&mut self, cx: &mut Context<'_>) -> io::Result<Want> {
        let want = self.exchange.advance(cx).map_err(|error| self.failed(Side::Reader, cx, error))?;
        if want != Want::Outside {
            self.outside = None;
        }
        Ok(want)
    }

    /// Does a step for one of the two.
    pub(crate) fn step<R>(
        &mut self,
        side: Side,
        cx: &mut Context<'_>,
        act: impl FnOnce(&mut Exchange) -> clasp::Result<R>,
    ) -> io::Result<R> {
        act(&mut self.exchange).map_err(|error| self.failed(side, cx, error))
    }

    /// The connection has failed. Its alert goes out if the transport takes it now: the error is what matters.
    fn failed(&mut self, side: Side, cx: &mut Context<'_>, error: clasp::Error) -> io::Error {
        self.push_quietly(side, cx);
        error.into()
    }

    /// The time is over.
    pub(crate) fn give_up(&mut self, cx: &mut Context<'_>) -> io::Error {
        let error = self.exchange.give_up();
        self.failed(Side::Reader, cx, error)
    }

    /// A party outside is waited for: for a time, and for as long as the peer is there.
    pub(crate) fn poll_outside(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.push_quietly(Side::Reader, cx);
        let since = self.connection().waiting_since();
        if self.outside.as_ref().is_none_or(|wait| wait.since != since) {
            self.outside = Some(Box::new(Wait { since, timer: Timer::new(self.limits.for_outside()) }));
        }
        if self.outside.as_mut().is_some_and(|wait| wait.timer.poll(cx).is_ready()) {
            return Poll::Ready(Err(self.give_up(cx)));
        }
        while self.exchange.waiting() < AHEAD && !self.exchange.is_at_end() {
            if ready!(self.poll_bytes(cx))? == 0 {
                self.exchange.left()?;
            }
        }
        Poll::Pending
    }

    /// Gives the transport what waits for it.
    fn poll_drain(&mut self, side: Side, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { exchange, transport, sending, .. } = self;
        if exchange.unsent().is_empty() {
            return Poll::Ready(Ok(()));
        }
        sending.poll(side, cx, |cx| drain(exchange, Pin::new(transport), cx))
    }

    /// The same, and has the transport let go of it.
    pub(crate) fn poll_push(&mut self, side: Side, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.exchange.is_pending() { self.poll_flush_all(side, cx) } else { Poll::Ready(Ok(())) }
    }

    fn poll_flush_all(&mut self, side: Side, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { exchange, transport, sending, .. } = self;
        sending.poll(side, cx, |cx| {
            ready!(drain(exchange, Pin::new(transport), cx))?;
            ready!(Pin::new(&mut *transport).poll_flush(cx))?;
            exchange.flushed();
            Poll::Ready(Ok(()))
        })
    }

    /// The same where it is not told what the transport says: the next who writes is.
    pub(crate) fn push_quietly(&mut self, side: Side, cx: &mut Context<'_>) {
        if self.exchange.error().is_none()
            && let Poll::Ready(Err(error)) = self.poll_push(side, cx)
        {
            self.exchange.keep_error(error);
        }
    }

    /// Bytes of the transport; none at its end.
    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(self.exchange.room());
        let outcome = Pin::new(&mut self.transport).poll_read(cx, &mut buffer);
        let n = buffer.filled().len();
        self.exchange.arrived(n);
        outcome.map_ok(|()| n)
    }

    /// Bytes of the transport; false at its end.
    pub(crate) fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let outcome = if self.exchange.is_at_end() { Poll::Ready(Ok(0)) } else { self.poll_bytes(cx) };
        if !matches!(outcome, Poll::Ready(Ok(1..))) {
            self.exchange.rest();
        }
        if ready!(outcome)? == 0 {
            self.exchange.ended()?;
            return Poll::Ready(Ok(false));
        }
        Poll::Ready(Ok(true))
    }

    /// Steps, and reads, until there is data or the end. What has come is given, whatever became of our own bytes.
    fn poll_progress(
        &mut self,
        cx: &mut Context<'_>,
        mut act: impl FnMut(&mut Exchange) -> clasp::Result<Progress>,
    ) -> Poll<io::Result<usize>> {
        loop {
            let progress = self.step(Side::Reader, cx, &mut act)?;
            // What a write left behind, or the connection said by itself, must not wait for a flush that never comes: the
            // peer may be waiting for it.
            if progress == Progress::NeedsBytes || self.exchange.is_said() {
                self.push_quietly(Side::Reader, cx);
            }
            match progress {
                Progress::Data(n) => return Poll::Ready(Ok(n)),
                Progress::End => return Poll::Ready(Ok(0)),
                Progress::NeedsBytes => {
                    if !ready!(self.poll_more(cx))? {
                        return Poll::Ready(Ok(0));
                    }
                }
                Progress::Outside => {
                    if self.advance(cx)? == Want::Outside {
                        ready!(self.poll_outside(cx))?;
                    }
                }
                Progress::Unsent => {
                    if let Some(error) = self.exchange.take_error() {
                        return Poll::Ready(Err(error));
                    }
                    ready!(self.poll_push(Side::Reader, cx))?;
                }
                other => return Poll::Ready(Err(io::Error::other(format!("{other:?} is not known here")))),
            }
        }
    }
}

/// Gives the transport what waits for it.
fn drain<T: AsyncWrite + Unpin>(
    exchange: &mut Exchange,
    mut transport: Pin<&mut T>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    while let unsent @ [_, ..] = exchange.unsent() {
        match ready!(transport.as_mut().poll_write(cx, unsent))? {
            0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            n => exchange.sent(n),
        }
    }
    Poll::Ready(Ok(()))
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // No more of the reader's buffer is touched than data can come: an idle connection's reader may have taken a large
        // one, of which no page need be there.
        let n = ready!(self.get_mut().poll_progress(cx, |exchange| {
            let most = buf.remaining().min(exchange.waiting().max(1));
            exchange.read(buf.initialize_unfilled_to(most))
        }))?;
        buf.advance(n);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncBufRead for TlsStream<T> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        ready!(this.poll_progress(cx, Exchange::fill))?;
        Poll::Ready(Ok(this.exchange.data()))
    }

    fn consume(self: Pin<&mut Self>, len: usize) {
        self.get_mut().exchange.consume(len);
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    /// Takes up to 64 KiB at once, which go to the transport in one piece; waits while as much is on its way.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let nothing = bufs.iter().all(|b| b.is_empty());
        // After our close a write fails with that, whatever the transport has to say.
        if !this.connection().is_closed()
            && let Some(error) = this.exchange.take_error()
        {
            return Poll::Ready(Err(error));
        }
        loop {
            let n = this.step(Side::Writer, cx, |exchange| exchange.write(bufs))?;
            // What was taken is taken: a transport that is not ready gets it with the next write or flush, and one that has
            // failed says so then.
            match this.poll_drain(Side::Writer, cx) {
                Poll::Ready(Err(error)) if n > 0 => {
                    this.exchange.keep_error(error);
                    return Poll::Ready(Ok(n));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                _ if n > 0 || nothing => return Poll::Ready(Ok(n)),
                Poll::Pending => return Poll::Pending,
                // Now there is room.
                Poll::Ready(Ok(())) => {}
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match this.exchange.take_error() {
            Some(error) => Poll::Ready(Err(error)),
            None => this.poll_flush_all(Side::Writer, cx),
        }
    }

    /// Says close_notify, then closes the transport's sending side; the peer's data can still be read.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.step(Side::Writer, cx, |exchange| exchange.call(|connection, out| connection.close(out)))?;
        ready!(this.poll_push(Side::Writer, cx))?;
        // All that was written has been sent: there is nothing to tell of any more.
        drop(this.exchange.take_error());
        let Self { transport, sending, .. } = this;
        sending.poll(Side::Writer, cx, |cx| Pin::new(&mut *transport).poll_shutdown(cx))
    }
}
