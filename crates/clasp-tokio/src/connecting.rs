//! Connections to servers that are not made yet: what may be said early.

use crate::time::Timer;
use crate::wakers::Side;
use crate::{Connector, TlsStream};
use clasp::{Exchange, ServerName, Want};
use core::task::{Context, Poll, ready};
use std::future::poll_fn;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};

/// What is sealed at once, at most: as much as a write takes.
const MOST: usize = 64 << 10;

impl Connector {
    /// Begins a handshake with the server of this name, for whoever has something to say before the server has answered
    /// (0-RTT, TLS 1.3). [`ClientBuilder::early_data`](clasp::config::ClientBuilder::early_data) allows it.
    ///
    /// ```no_run
    /// # async fn run(connector: clasp_tokio::Connector, tcp: tokio::net::TcpStream) -> std::io::Result<()> {
    /// use tokio::io::AsyncWriteExt;
    /// // Something that does no harm if it arrives twice.
    /// let request = b"GET /news HTTP/1.1\r\nHost: example.com\r\n\r\n";
    /// let mut connecting = connector.begin("example.com".try_into().expect("a DNS name"), tcp);
    /// // Nothing of it, at the first visit.
    /// let sent = connecting.send_early(request).await?;
    /// let mut tls = connecting.handshake().await?;
    /// // What the server has not read, and what was not sent.
    /// let again = tls.take_refused_early_data();
    /// tls.write_all(&again).await?;
    /// tls.write_all(&request[sent..]).await?;
    /// tls.flush().await?;
    /// # Ok(()) }
    /// ```
    pub fn begin<T>(&self, name: ServerName<'static>, transport: T) -> Connecting<T>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        Connecting { stream: self.stream(name, transport), timer: None }
    }
}

/// A connection whose handshake goes on: what [`Connector::begin`] gives. The time that a handshake may take begins with the first
/// call.
#[derive(Debug)]
pub struct Connecting<T> {
    stream: TlsStream<T>,
    timer: Option<Timer>,
}

impl<T> Connecting<T> {
    /// The transport.
    pub const fn get_ref(&self) -> &T {
        self.stream.get_ref()
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Connecting<T> {
    /// Which runs since the first step.
    fn begin_timer(&mut self) {
        let limit = self.stream.limits().for_handshake();
        self.timer.get_or_insert_with(|| Timer::new(limit));
    }

    /// Sends the front of `plain` with the hello, and gives how much that was; up to 64 KiB at once. 0 if there is no session
    /// that allows early data, if as much was sent as it allows, or if the server has answered already: the rest is written after
    /// the handshake. See [`Connection::send_early`](clasp::Connection::send_early) for what an attacker can do with it.
    /// Cancellation safe: what was not given a number for was not taken.
    ///
    /// # Errors
    /// The transport's error, or if the connection has failed.
    pub async fn send_early(&mut self, plain: &[u8]) -> io::Result<usize> {
        self.begin_timer();
        poll_fn(|cx| match self.stream.poll_early(plain, cx) {
            Poll::Pending if self.timer.as_mut().is_some_and(|timer| timer.poll(cx).is_ready()) => {
                Poll::Ready(Err(self.stream.give_up(cx)))
            }
            outcome => outcome,
        })
        .await
    }

    /// Completes the handshake. What became of early data stands in the [`facts`](TlsStream::facts), and
    /// [`take_refused_early_data`](TlsStream::take_refused_early_data) gives what has to be sent again.
    ///
    /// # Errors
    /// As [`Connector::connect`].
    pub async fn handshake(self) -> io::Result<TlsStream<T>> {
        let Self { mut stream, timer } = self;
        match timer {
            Some(timer) => stream.handshake_within(timer).await?,
            None => stream.handshake().await?,
        }
        Ok(stream)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> TlsStream<T> {
    /// Client: the early data that the server did not read, once: send it again, if it still means the same. Empty if all
    /// arrived, and if there was none.
    pub fn take_refused_early_data(&mut self) -> Vec<u8> {
        // It asks for nothing that can fail.
        self.exchange().call(|connection, _| Ok(connection.take_refused_early_data())).unwrap_or_default()
    }

    fn poll_early(&mut self, plain: &[u8], cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            if self.advance(cx)? == Want::Outside {
                ready!(self.poll_outside(cx))?;
            } else if self.connection().early_data_left() == 0 {
                return Poll::Ready(Ok(0));
            } else if self.poll_push(Side::Writer, cx)?.is_ready() {
                break;
            } else if !self.step(Side::Reader, cx, Exchange::take)? {
                // A server that has much to say may have to be heard before it takes more.
                ready!(self.poll_more(cx))?;
            }
        }
        let plain = plain.get(..MOST).unwrap_or(plain);
        let n = self.step(Side::Writer, cx, |exchange| exchange.call(|c, out| c.send_early(plain, out)))?;
        // What was taken is taken, whatever the transport says now.
        self.push_quietly(Side::Writer, cx);
        Poll::Ready(Ok(n))
    }
}
