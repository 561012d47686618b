//! Clasp over tokio: [`Connector`], [`Acceptor`], [`TlsStream`].
//!
//! ```no_run
//! # async fn run(config: std::sync::Arc<clasp::ClientConfig>) -> std::io::Result<()> {
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! let tcp = tokio::net::TcpStream::connect("example.com:443").await?;
//! let name = "example.com".try_into().expect("a DNS name");
//! let mut tls = clasp_tokio::Connector::new(config).connect(name, tcp).await?;
//! tls.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
//! tls.flush().await?;
//! let mut page = Vec::new();
//! tls.read_to_end(&mut page).await?;
//! # Ok(()) }
//! ```
#![forbid(unsafe_code)]

use clasp::{ClientConfig, Connection, Facts, ServerConfig, ServerName, Want};
use core::ops::Range;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Makes TLS connections to servers.
#[derive(Clone, Debug)]
pub struct Connector(Arc<ClientConfig>);

impl Connector {
    /// With this configuration.
    pub fn new(config: Arc<ClientConfig>) -> Self {
        Self(config)
    }

    /// Completes a handshake with the server of this name.
    ///
    /// Dropping the future abandons the connection.
    ///
    /// # Errors
    /// The transport's error, or [`clasp::Error`] inside an [`io::Error`].
    pub async fn connect<T>(&self, name: ServerName<'static>, transport: T) -> io::Result<TlsStream<T>>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let mut stream = TlsStream::new(self.0.connect(name)?, transport);
        stream.handshake().await?;
        Ok(stream)
    }
}

/// Takes TLS connections from clients.
#[derive(Clone, Debug)]
pub struct Acceptor(Arc<ServerConfig>);

impl Acceptor {
    /// With this configuration.
    pub fn new(config: Arc<ServerConfig>) -> Self {
        Self(config)
    }

    /// Completes a handshake with a client. On failure the alert has been sent, and the transport is given back so
    /// that it can be closed in a way in which the alert arrives.
    ///
    /// # Errors
    /// The transport's error, or [`clasp::Error`] inside an [`io::Error`]; with the transport.
    pub async fn accept<T>(&self, transport: T) -> Result<TlsStream<T>, (io::Error, T)>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let mut stream = TlsStream::new(self.0.accept(), transport);
        match stream.handshake().await {
            Ok(()) => Ok(stream),
            Err(error) => Err((error, stream.transport)),
        }
    }
}

/// A TLS stream. Reading gives end of file only after the peer's close_notify; a transport that ends without it is
/// [`io::ErrorKind::UnexpectedEof`]. Reads and writes are cancellation safe: nothing that was taken is lost.
#[derive(Debug)]
pub struct TlsStream<T> {
    connection: Connection,
    transport: T,
    /// Bytes of the peer that are not done with; empty while idle.
    input: Vec<u8>,
    used: usize,
    ready: Range<usize>,
    /// Bytes for the peer that the transport has not taken; empty while idle.
    output: Vec<u8>,
    written: usize,
    /// Early data that came during the handshake; the configuration bounds it.
    early: Vec<u8>,
}

/// Bytes asked of the transport at once: a whole record with its header.
const READ_SIZE: usize = 16 * 1024 + 2048 + 5;
/// Sealed bytes waiting for the transport before writing waits too.
const MAX_PENDING: usize = 64 * 1024;

impl<T: AsyncRead + AsyncWrite + Unpin> TlsStream<T> {
    fn new(connection: Connection, transport: T) -> Self {
        let (input, output, early) = (Vec::new(), Vec::new(), Vec::new());
        Self { connection, transport, input, used: 0, ready: 0..0, output, written: 0, early }
    }

    /// What the handshake settled.
    ///
    /// # Panics
    /// Never: a stream exists only after its handshake.
    pub fn facts(&self) -> &Arc<Facts> {
        self.connection.facts().expect("a stream is given out after its handshake")
    }

    /// Server: the early data (0-RTT) that came with the handshake, once. An attacker may have made it arrive a second
    /// time. Reading the stream never gives early data, so a server that allows it has to ask here.
    pub fn take_early_data(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.early)
    }

    /// Moves our sending keys on, and asks the peer to do the same if `ask` (TLS 1.3). The message goes with the next
    /// write or flush.
    ///
    /// # Errors
    /// As [`Connection::update_keys`].
    pub fn update_keys(&mut self, ask: bool) -> io::Result<()> {
        Ok(self.connection.update_keys(ask, &mut self.output)?)
    }

    /// The connection, for exporters and channel bindings.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The transport.
    pub fn get_ref(&self) -> &T {
        &self.transport
    }

    async fn handshake(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_handshake(cx)).await
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let advanced = self.connection.advance(cx, &mut self.output);
            match self.poll_drain(cx) {
                Poll::Pending if advanced.is_ok() => {}
                // An alert that cannot be sent now is not waited for: the error is what matters.
                Poll::Pending => return Poll::Ready(Err(advanced.err().map_or_else(closed, Into::into))),
                Poll::Ready(Err(e)) if advanced.is_ok() => return Poll::Ready(Err(e)),
                Poll::Ready(_) => {}
            }
            match advanced? {
                Want::Nothing if self.output.is_empty() => return Poll::Ready(Ok(())),
                Want::Nothing | Want::Outside => return Poll::Pending,
                Want::Bytes => {
                    ready!(self.poll_pull(cx))?;
                }
            }
        }
    }

    /// Gives the transport what waits for it.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.output.len() {
            let n = ready!(Pin::new(&mut self.transport).poll_write(cx, &self.output[self.written..]))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += n;
        }
        self.output = Vec::new();
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    /// Takes records that are here, or reads more; false at the end.
    fn poll_pull(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        self.input.drain(..self.used);
        self.used = 0;
        self.ready = 0..0;
        if !self.input.is_empty() {
            let taken = self.connection.receive(&mut self.input, &mut self.output);
            let early = &mut self.early;
            let taken = taken.map(|r| {
                if r.early {
                    early.extend_from_slice(r.data);
                    return (r.used, 0..0);
                }
                (r.used, r.at..r.at + r.data.len())
            });
            match taken {
                Ok((used, ready)) => (self.used, self.ready) = (used, ready),
                Err(error) => {
                    // The alert goes out if the transport takes it now.
                    let _told = self.poll_drain(cx);
                    return Poll::Ready(Err(error.into()));
                }
            }
            if self.used > 0 {
                return Poll::Ready(Ok(true));
            }
        }
        if self.connection.peer_closed() {
            return Poll::Ready(Ok(false));
        }
        let have = self.input.len();
        self.input.resize(have + READ_SIZE, 0);
        let mut buffer = ReadBuf::new(&mut self.input[have..]);
        let outcome = Pin::new(&mut self.transport).poll_read(cx, &mut buffer);
        let n = buffer.filled().len();
        self.input.truncate(have + if matches!(outcome, Poll::Ready(Ok(()))) { n } else { 0 });
        if self.input.is_empty() {
            self.input = Vec::new();
        }
        ready!(outcome)?;
        if n == 0 {
            self.connection.transport_ended()?;
            return Poll::Ready(Ok(false));
        }
        Poll::Ready(Ok(true))
    }
}

fn closed() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // What a write left behind must not wait for a flush that never comes: the peer may be waiting for it.
        if let Poll::Ready(Err(e)) = this.poll_drain(cx) {
            return Poll::Ready(Err(e));
        }
        while this.ready.is_empty() && buf.remaining() > 0 {
            if !ready!(this.poll_pull(cx))? {
                this.input = Vec::new();
                this.used = 0;
                return Poll::Ready(Ok(()));
            }
        }
        let ready = &this.input[this.ready.clone()];
        let n = ready.len().min(buf.remaining());
        buf.put_slice(&ready[..n]);
        this.ready.start += n;
        if this.ready.is_empty() && this.used == this.input.len() {
            this.input = Vec::new();
            this.used = 0;
            this.ready = 0..0;
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.output.len() - this.written > MAX_PENDING {
            ready!(this.poll_drain(cx))?;
        }
        let n = this.connection.send(bufs, &mut this.output)?;
        // What was taken is taken: a transport that is not ready gets it with the next write or flush.
        match this.poll_drain(cx) {
            Poll::Ready(Err(e)) => Poll::Ready(Err(e)),
            _ => Poll::Ready(Ok(n)),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.transport).poll_flush(cx)
    }

    /// Says close_notify, then closes the transport's sending side; the peer's data can still be read.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.connection.close(&mut this.output)?;
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.transport).poll_shutdown(cx)
    }
}
