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

use clasp::{ClientConfig, Connection, Exchange, Facts, Progress, ServerConfig, ServerName, Want};
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::Arc;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

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
///
/// Data is decrypted straight into the buffer of whoever reads, if a whole record has room there (17 KiB are enough);
/// [`AsyncBufRead`] lends it where it was decrypted. While nothing is on its way, no buffer is held; while it waits to be
/// read, and enough other streams wait too, not even the ciphers.
#[derive(Debug)]
pub struct TlsStream<T> {
    exchange: Exchange,
    transport: T,
}

impl<T: AsyncRead + AsyncWrite + Unpin> TlsStream<T> {
    fn new(connection: Connection, transport: T) -> Self {
        Self { exchange: Exchange::new(connection), transport }
    }

    /// What the handshake settled.
    ///
    /// # Panics
    /// Never: a stream exists only after its handshake.
    pub fn facts(&self) -> &Arc<Facts> {
        self.connection().facts().expect("a stream is given out after its handshake")
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
    ///     println!("{:?}", tls.facts().peer_identities());
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

    fn poll_certificate(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            let want = self.advance(cx)?;
            if !self.connection().certificate_is_due() {
                return Poll::Ready(Ok(true));
            }
            if want == Want::Outside {
                return Poll::Pending;
            }
            if !self.exchange.data().is_empty() || self.connection().peer_closed() {
                return Poll::Ready(Ok(false));
            }
            if !self.step(cx, Exchange::take)? {
                ready!(self.poll_more(cx))?;
            }
        }
    }

    /// The connection, for exporters and channel bindings.
    pub fn connection(&self) -> &Connection {
        self.exchange.connection()
    }

    /// Gives back at once what an idle stream does not need: [`Connection::rest`]. For one that nobody reads from.
    pub fn rest(&mut self) {
        self.exchange.rest_long();
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
            match self.advance(cx)? {
                Want::Nothing if self.exchange.unsent().is_empty() => return Poll::Ready(Ok(())),
                Want::Nothing | Want::Outside => return Poll::Pending,
                Want::Bytes => {
                    if !self.step(cx, Exchange::take)? {
                        ready!(self.poll_more(cx))?;
                    }
                }
            }
        }
    }

    /// Polls what is going on, and gives the transport what it comes to. An alert that cannot be sent now is not waited for:
    /// the error is what matters.
    fn advance(&mut self, cx: &mut Context<'_>) -> io::Result<Want> {
        let advanced = self.exchange.advance(cx);
        let drained = self.poll_drain(cx);
        match (advanced?, drained) {
            (_, Poll::Ready(Err(e))) => Err(e),
            (want, _) => Ok(want),
        }
    }

    /// Does a step. If it fails, the alert goes out if the transport takes it now.
    fn step<R>(&mut self, cx: &mut Context<'_>, act: impl FnOnce(&mut Exchange) -> clasp::Result<R>) -> io::Result<R> {
        act(&mut self.exchange).map_err(|error| {
            let _told = self.poll_drain(cx);
            error.into()
        })
    }

    /// Gives the transport what waits for it.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let unsent @ [_, ..] = self.exchange.unsent() {
            match ready!(Pin::new(&mut self.transport).poll_write(cx, unsent))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => self.exchange.sent(n),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Bytes of the transport; false at its end.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut buffer = ReadBuf::new(self.exchange.room());
        let outcome = Pin::new(&mut self.transport).poll_read(cx, &mut buffer);
        let n = buffer.filled().len();
        if n == 0 || !matches!(outcome, Poll::Ready(Ok(()))) {
            self.exchange.rest();
            ready!(outcome)?;
            self.exchange.ended()?;
            return Poll::Ready(Ok(false));
        }
        self.exchange.arrived(n);
        Poll::Ready(Ok(true))
    }

    /// Steps, and reads, until there is data or the end.
    fn poll_progress(
        &mut self,
        cx: &mut Context<'_>,
        mut act: impl FnMut(&mut Exchange) -> clasp::Result<Progress>,
    ) -> Poll<io::Result<usize>> {
        loop {
            let progress = self.step(cx, &mut act)?;
            // What a write left behind, or the connection said by itself, must not wait for a flush that never comes: the
            // peer may be waiting for it.
            match (progress, self.poll_drain(cx)) {
                // Data that was taken is given: a transport that fails says so again.
                (Progress::Data(n), _) => return Poll::Ready(Ok(n)),
                (_, Poll::Ready(Err(e))) => return Poll::Ready(Err(e)),
                (Progress::End, _) => return Poll::Ready(Ok(0)),
                (Progress::NeedsBytes, _) => {
                    if !ready!(self.poll_more(cx))? {
                        return Poll::Ready(Ok(0));
                    }
                }
                (Progress::Outside, _) => {
                    if self.advance(cx)? == Want::Outside {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
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
        loop {
            let n = this.exchange.write(bufs)?;
            // What was taken is taken: a transport that is not ready gets it with the next write or flush.
            match this.poll_drain(cx) {
                Poll::Ready(Err(e)) => return Poll::Ready(Err(e)),
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
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.transport).poll_flush(cx)
    }

    /// Says close_notify, then closes the transport's sending side; the peer's data can still be read.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.exchange.call(|connection, out| connection.close(out))?;
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.transport).poll_shutdown(cx)
    }
}
