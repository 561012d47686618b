//! Clients of whom only the hello is known yet.

use crate::time::Timer;
use crate::{AcceptError, Acceptor, TlsStream};
use clasp::code::AlertDescription;
use clasp::error::PeerError;
use clasp::hello::{ClientHello, HelloReader};
use clasp::{Error, Exchange, ServerConfig, TimeLimits};
use core::fmt;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use std::future::{Future as _, poll_fn};
use std::io::{self, IoSlice};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};

/// Bytes that are asked for at once: most hellos are shorter.
const CHUNK: usize = 2048;

impl Acceptor {
    /// Reads a client's hello, and says nothing to it: whether it is served here, by which configuration, or by another server is
    /// for the caller to decide.
    ///
    /// A hello that takes longer than a handshake may ([`TimeLimits`]) or is longer than
    /// [`hello_limit`](Self::hello_limit) says is refused. The acceptor's own configuration has no part in it.
    ///
    /// ```no_run
    /// # use std::{io, sync::Arc};
    /// # use clasp::ServerConfig;
    /// # async fn serve(acceptor: clasp_tokio::Acceptor, ours: Arc<ServerConfig>, tcp: tokio::net::TcpStream) -> io::Result<()> {
    /// let pending = acceptor.peek(tcp).await?;
    /// if pending.hello().server_name() == Some("ours.example") {
    ///     let tls = pending.accept(ours).await?;
    ///     # drop(tls);
    /// } else {
    ///     // As it came, to a server that has the key.
    ///     let mut other = tokio::net::TcpStream::connect("10.0.0.2:443").await?;
    ///     tokio::io::copy_bidirectional(&mut pending.pass_through(), &mut other).await?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The transport's error, or [`clasp::Error`] inside an [`io::Error`] if what came is no hello; with the transport and with
    /// what came, which may be for somebody else.
    pub async fn peek<T: AsyncRead + Unpin>(&self, transport: T) -> Result<Pending<T>, PeekError<T>> {
        peek(transport, self.limits(), HelloReader::default().limit(self.hello_bytes())).await
    }
}

async fn peek<T: AsyncRead + Unpin>(
    mut transport: T,
    limits: TimeLimits,
    mut reader: HelloReader,
) -> Result<Pending<T>, PeekError<T>> {
    let mut bytes = Vec::new();
    match read(&mut transport, &mut reader, &mut bytes, limits).await {
        Ok(hello) => Ok(Pending { hello, bytes, transport, limits }),
        Err(error) => Err(PeekError { error, bytes, transport, limits }),
    }
}

async fn read<T: AsyncRead + Unpin>(
    transport: &mut T,
    reader: &mut HelloReader,
    bytes: &mut Vec<u8>,
    limits: TimeLimits,
) -> io::Result<ClientHello> {
    let mut timer = Timer::new(limits.for_handshake());
    loop {
        if let Some(hello) = reader.read(bytes)? {
            return Ok(hello);
        }
        bytes.reserve(CHUNK);
        let mut reading = pin!(transport.read_buf(bytes));
        let n = poll_fn(|cx| match reading.as_mut().poll(cx) {
            Poll::Pending if timer.poll(cx).is_ready() => {
                let late = Error::from(PeerError::TookTooLong).wanted("ClientHello");
                Poll::Ready(Err(late.hint("the adapters' TimeLimits say how long is waited").into()))
            }
            outcome => outcome,
        })
        .await?;
        if n == 0 {
            return Err(Error::from(PeerError::ClosedDuringHandshake).wanted("ClientHello").into());
        }
    }
}

/// A client that has said hello, and has heard nothing yet: what [`Acceptor::peek`] gives.
#[derive(Debug)]
pub struct Pending<T> {
    hello: ClientHello,
    bytes: Vec<u8>,
    transport: T,
    limits: TimeLimits,
}

impl<T: AsyncRead + Unpin> Pending<T> {
    /// As [`Acceptor::peek`], for whoever has no configuration of its own: it passes clients on, or chooses among many.
    ///
    /// # Errors
    /// As [`Acceptor::peek`].
    pub async fn peek(transport: T, limits: TimeLimits) -> Result<Self, PeekError<T>> {
        peek(transport, limits, HelloReader::default()).await
    }
}

impl<T> Pending<T> {
    /// What it says.
    pub const fn hello(&self) -> &ClientHello {
        &self.hello
    }

    /// All that was read from the transport, as it came: the records of the hello, and perhaps more.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The transport.
    pub const fn get_ref(&self) -> &T {
        &self.transport
    }

    /// Gives the transport back, in front of which what was read is read again: for another server.
    pub fn pass_through(self) -> PassThrough<T> {
        PassThrough { front: self.bytes, read: 0, transport: self.transport }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Pending<T> {
    /// Completes the handshake by this configuration; it may take as long as any other.
    ///
    /// # Errors
    /// As [`Acceptor::accept`].
    pub async fn accept(self, config: Arc<ServerConfig>) -> Result<TlsStream<T>, AcceptError<T>> {
        let mut exchange = Exchange::new(config.accept());
        exchange.put(&self.bytes);
        drop((self.bytes, self.hello));
        TlsStream::of(exchange, self.transport, self.limits).accepted().await
    }

    /// Turns the client away with this alert: `unrecognized_name`, say. The [`AcceptError`] has the transport, and
    /// [closes](AcceptError::close) it in a way in which the alert arrives.
    pub async fn refuse(self, alert: AlertDescription) -> AcceptError<T> {
        let error = Error::refused(alert).in_message("ClientHello");
        refused(error.into(), Some(alert), self.transport, self.limits).await
    }
}

async fn refused<T: AsyncWrite + Unpin>(
    error: io::Error,
    alert: Option<AlertDescription>,
    mut transport: T,
    limits: TimeLimits,
) -> AcceptError<T> {
    if let Some(alert) = alert {
        let mut timer = Timer::new((limits != TimeLimits::none()).then_some(crate::stream::MOMENT));
        let record = HelloReader::refusal(alert);
        let mut saying = pin!(async {
            transport.write_all(&record).await?;
            transport.flush().await
        });
        poll_fn(|cx| match saying.as_mut().poll(cx) {
            Poll::Pending if timer.is_running() => timer.poll(cx),
            // That it has been said, or cannot be: why it is said is told already.
            _ => Poll::Ready(()),
        })
        .await;
    }
    AcceptError { error, transport, limits }
}

/// Why there is no hello, and what came instead: the transport, and all that was read from it.
pub struct PeekError<T> {
    error: io::Error,
    bytes: Vec<u8>,
    transport: T,
    limits: TimeLimits,
}

impl<T> PeekError<T> {
    /// The transport's error, or [`clasp::Error`] inside an [`io::Error`].
    pub const fn error(&self) -> &io::Error {
        &self.error
    }

    /// All that was read from the transport.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Gives the transport back, in front of which what was read is read again: it may be another protocol.
    pub fn pass_through(self) -> PassThrough<T> {
        PassThrough { front: self.bytes, read: 0, transport: self.transport }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> PeekError<T> {
    /// Tells the client with the alert that fits, as [`Acceptor::accept`] would have. The [`AcceptError`] has the transport,
    /// and [closes](AcceptError::close) it in a way in which the alert arrives.
    pub async fn refuse(self) -> AcceptError<T> {
        let alert = Error::from_io(&self.error).map(Error::alert);
        refused(self.error, alert, self.transport, self.limits).await
    }
}

impl<T> From<PeekError<T>> for io::Error {
    fn from(refused: PeekError<T>) -> Self {
        refused.error
    }
}

/// Reads as the error does; `{:#?}` is the structure.
impl<T> fmt::Debug for PeekError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() { fmt::Debug::fmt(&self.error, f) } else { fmt::Display::fmt(&self.error, f) }
    }
}

impl<T> fmt::Display for PeekError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl<T> std::error::Error for PeekError<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

/// A transport from which is read first what somebody has read already. What is written goes to it as it is.
#[derive(Debug)]
pub struct PassThrough<T> {
    front: Vec<u8>,
    /// How much of `front` has been read.
    read: usize,
    transport: T,
}

impl<T> PassThrough<T> {
    /// What is still to be read first, and the transport.
    pub fn into_parts(mut self) -> (Vec<u8>, T) {
        self.front.drain(..self.read);
        (self.front, self.transport)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for PassThrough<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let rest = this.front.get(this.read..).unwrap_or_default();
        if rest.is_empty() {
            return Pin::new(&mut this.transport).poll_read(cx, buf);
        }
        let front = rest.get(..buf.remaining()).unwrap_or(rest);
        buf.put_slice(front);
        this.read = this.read.saturating_add(front.len());
        if this.read == this.front.len() {
            (this.front, this.read) = (Vec::new(), 0);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for PassThrough<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.transport).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.transport).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(cx)
    }
}
