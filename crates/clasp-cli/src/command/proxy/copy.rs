//! Both directions of a connection, each until its own end: what one side does not take, the other is not asked for.

use super::metrics::Traffic;
use super::wire::{Plain, Wire};
use clasp_tokio::TlsStream;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a client may go on after the backend has said its last word: many never end their side.
const AFTER: Duration = Duration::from_secs(30);

/// One end of a connection through the proxy.
#[derive(Debug)]
pub(super) enum End {
    Plain(Plain),
    Tls(Box<TlsStream<Plain>>),
}

impl End {
    /// Has the peer see that this was no end, when the socket is closed.
    fn reset(&self) {
        self.wire().reset();
    }

    pub(super) fn wire(&self) -> &Wire {
        match self {
            Self::Plain(plain) => plain.wire(),
            Self::Tls(tls) => tls.get_ref().wire(),
        }
    }
}

macro_rules! either {
    ($end:expr, $stream:ident => $act:expr) => {
        match $end.get_mut() {
            End::Plain($stream) => $act,
            End::Tls($stream) => $act,
        }
    };
}

impl AsyncRead for End {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncBufRead for End {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        either!(self, stream => Pin::new(stream).poll_fill_buf(cx))
    }

    fn consume(self: Pin<&mut Self>, n: usize) {
        either!(self, stream => Pin::new(stream).consume(n));
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Both have said their last word.
    Done,
    /// Nobody has said anything for as long as that is borne.
    Idle,
    Client(io::Error),
    Backend(io::Error),
}

/// Copies until both directions have ended, or one has failed, or nothing moves for `idle`. `traffic` is true at any time.
pub(super) async fn copy(mut client: End, mut backend: End, idle: Duration, traffic: &Traffic) -> Outcome {
    let (mut up, mut down) = (Direction::default(), Direction::default());
    let mut quiet = Quiet::new(idle);
    let outcome = poll_fn(|cx| {
        let before = (up.bytes, down.bytes);
        let upward = up.poll(cx, &mut client, &mut backend);
        let downward = down.poll(cx, &mut backend, &mut client);
        if before != (up.bytes, down.bytes) {
            quiet.moved();
            traffic.add(up.bytes.wrapping_sub(before.0), down.bytes.wrapping_sub(before.1));
        }
        if down.state == State::Ended {
            quiet.limit = idle.min(AFTER);
        }
        match (upward, downward) {
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => Poll::Ready(Outcome::Done),
            // Whoever has had the last word has no more to hear: how the client leaves is its own affair.
            (Poll::Ready(Err(_)), Poll::Ready(Ok(()))) => Poll::Ready(Outcome::Done),
            (Poll::Ready(Err(Failed::From(error))), _) => Poll::Ready(Outcome::Client(error)),
            (Poll::Ready(Err(Failed::To(error))), _) => Poll::Ready(Outcome::Backend(error)),
            (_, Poll::Ready(Err(Failed::From(error)))) => Poll::Ready(Outcome::Backend(error)),
            (_, Poll::Ready(Err(Failed::To(error)))) => Poll::Ready(Outcome::Client(error)),
            _ => quiet.poll(cx).map(|()| Outcome::Idle),
        }
    })
    .await;
    // What was cut off must not look like an end; a TLS peer sees it by the close_notify that is missing.
    if up.state != State::Ended {
        backend.reset();
    }
    if down.state != State::Ended {
        client.reset();
    }
    outcome
}

/// Which end of a direction has failed.
enum Failed {
    From(io::Error),
    To(io::Error),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Moving,
    /// The end is to be passed on.
    Ending,
    Ended,
}

#[derive(Debug, Default)]
struct Direction {
    state: State,
    bytes: usize,
    unflushed: bool,
}

impl Direction {
    fn poll<R, W>(&mut self, cx: &mut Context<'_>, from: &mut R, to: &mut W) -> Poll<Result<(), Failed>>
    where
        R: AsyncBufRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        while self.state == State::Moving {
            let Poll::Ready(filled) = Pin::new(&mut *from).poll_fill_buf(cx) else {
                return self.poll_pause(cx, to);
            };
            let bytes = filled.map_err(Failed::From)?;
            if bytes.is_empty() {
                self.state = State::Ending;
                break;
            }
            match ready!(Pin::new(&mut *to).poll_write(cx, bytes)).map_err(Failed::To)? {
                0 => return Poll::Ready(Err(Failed::To(io::ErrorKind::WriteZero.into()))),
                n => {
                    Pin::new(&mut *from).consume(n);
                    self.bytes = self.bytes.wrapping_add(n);
                    self.unflushed = true;
                }
            }
        }
        if self.state == State::Ending {
            ready!(Pin::new(to).poll_shutdown(cx)).map_err(Failed::To)?;
            self.state = State::Ended;
        }
        Poll::Ready(Ok(()))
    }

    /// Nothing comes for now: what was written is to leave.
    fn poll_pause<W: AsyncWrite + Unpin>(&mut self, cx: &mut Context<'_>, to: &mut W) -> Poll<Result<(), Failed>> {
        if self.unflushed {
            ready!(Pin::new(to).poll_flush(cx)).map_err(Failed::To)?;
            self.unflushed = false;
        }
        Poll::Pending
    }
}

/// How long nothing has moved.
pub(super) struct Quiet {
    limit: Duration,
    since: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Quiet {
    pub(super) fn new(limit: Duration) -> Self {
        let since = Instant::now();
        Self { limit, since, timer: Box::pin(sleep_until(since + limit)) }
    }

    pub(super) fn moved(&mut self) {
        self.since = Instant::now();
    }

    /// The timer is set anew only when it has run out: a connection that moves has no work with it.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let until = self.since + self.limit;
            if until < self.timer.deadline() {
                self.timer.as_mut().reset(until);
            }
            ready!(self.timer.as_mut().poll(cx));
            let until = self.since + self.limit;
            if until <= Instant::now() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(until);
        }
    }
}
