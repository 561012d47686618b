//! A transport that does whatever the contracts of `AsyncRead` and `AsyncWrite` let it do, by a seed.
#![allow(dead_code, clippy::unwrap_used)]

use clasp_testkit::torture::Dice;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// One direction. It keeps the waker of whoever polled each of its ends last, and no other.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    bytes: VecDeque<u8>,
    wakers: [Option<Waker>; 2],
    closed: bool,
}

const READER: usize = 0;
const WRITER: usize = 1;

type Shared = Arc<Mutex<Pipe>>;

/// Wakes whoever waits at this end by then, after some turns of the runtime.
fn wake_late(pipe: &Shared, end: usize, turns: usize) {
    let pipe = pipe.clone();
    tokio::spawn(async move {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        wake(&mut pipe.lock().unwrap(), end);
    });
}

fn wake(pipe: &mut MutexGuard<'_, Pipe>, end: usize) {
    if let Some(waker) = pipe.wakers[end].take() {
        waker.wake();
    }
}

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Evil {
    incoming: Shared,
    outgoing: Shared,
    /// What was written and not flushed, if it holds such bytes back.
    held: Option<Vec<u8>>,
    room: usize,
    dice: Dice,
    /// Pending without need, and short reads and writes.
    pub(crate) evil: bool,
    /// Every write fails so.
    pub(crate) broken: Arc<Mutex<Option<ErrorKind>>>,
}

impl Evil {
    /// Both ends.
    pub(crate) fn pair(seed: u64, holds: bool, room: usize) -> (Self, Self) {
        let (up, down) = (Shared::default(), Shared::default());
        let end = |incoming: &Shared, outgoing: &Shared, seed| Self {
            incoming: incoming.clone(),
            outgoing: outgoing.clone(),
            held: holds.then(Vec::new),
            room,
            dice: Dice::new(seed),
            evil: true,
            broken: Arc::default(),
        };
        (end(&down, &up, 2 * seed + 1), end(&up, &down, 2 * seed + 2))
    }

    /// Whether to be Pending without need.
    fn stalls(&mut self, end: usize, cx: &Context<'_>) -> bool {
        if !self.evil || !self.dice.once_in(5) {
            return false;
        }
        let pipe = if end == READER { &self.incoming } else { &self.outgoing };
        pipe.lock().unwrap().wakers[end] = Some(cx.waker().clone());
        wake_late(pipe, end, self.dice.below(6));
        true
    }

    fn some(&mut self, most: usize) -> usize {
        if self.evil && self.dice.once_in(2) { (1 + self.dice.below(800)).min(most) } else { most }
    }

    fn put(&mut self, cx: &Context<'_>, bytes: &[u8]) -> Poll<usize> {
        // Under one lock: on another thread the reader may make room between a look and the wait.
        let outgoing = self.outgoing.clone();
        let mut pipe = outgoing.lock().unwrap();
        let free = self.room.saturating_sub(pipe.bytes.len()).min(bytes.len());
        let n = self.some(free);
        if n == 0 {
            pipe.wakers[WRITER] = Some(cx.waker().clone());
            return Poll::Pending;
        }
        pipe.bytes.extend(&bytes[..n]);
        // Whoever is told yes need not be woken any more, whoever it was that waited.
        pipe.wakers[WRITER] = None;
        wake(&mut pipe, READER);
        Poll::Ready(n)
    }
}

impl AsyncRead for Evil {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.stalls(READER, cx) {
            return Poll::Pending;
        }
        let incoming = self.incoming.clone();
        let mut pipe = incoming.lock().unwrap();
        let most = pipe.bytes.len().min(buf.remaining());
        let n = self.some(most);
        if n == 0 && !pipe.closed {
            pipe.wakers[READER] = Some(cx.waker().clone());
            return Poll::Pending;
        }
        pipe.wakers[READER] = None;
        pipe.bytes.drain(..n).for_each(|byte| buf.put_slice(&[byte]));
        wake(&mut pipe, WRITER);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Evil {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let broken = *self.broken.lock().unwrap();
        if let Some(kind) = broken {
            return Poll::Ready(Err(kind.into()));
        }
        if self.stalls(WRITER, cx) {
            return Poll::Pending;
        }
        if let Some(held) = self.held.as_mut().filter(|held| held.len() < 100_000) {
            held.extend_from_slice(buf);
            self.outgoing.lock().unwrap().wakers[WRITER] = None;
            return Poll::Ready(Ok(buf.len()));
        }
        if self.held.is_some() {
            ready!(self.as_mut().poll_flush(cx))?;
        }
        Poll::Ready(Ok(ready!(self.put(cx, buf))))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.stalls(WRITER, cx) {
            return Poll::Pending;
        }
        while let Some(held) = self.held.take_if(|held| !held.is_empty()) {
            let put = self.put(cx, &held);
            let n = if let Poll::Ready(n) = put { n } else { 0 };
            self.held = Some(held[n..].to_vec());
            ready!(put);
        }
        // There is room now. A write that was told to wait, by this task or another, is still waiting for that.
        wake(&mut self.outgoing.lock().unwrap(), WRITER);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        let mut pipe = self.outgoing.lock().unwrap();
        pipe.closed = true;
        wake(&mut pipe, READER);
        Poll::Ready(Ok(()))
    }
}

/// Whoever lets go of an end closes it.
impl Drop for Evil {
    fn drop(&mut self) {
        for (pipe, end) in [(&self.outgoing, READER), (&self.incoming, WRITER)] {
            let mut pipe = pipe.lock().unwrap();
            pipe.closed = true;
            wake(&mut pipe, end);
        }
    }
}

pub(crate) fn byte(at: usize) -> u8 {
    u8::try_from(at % 251).unwrap()
}

/// A transport that stalls now and then.
#[derive(Debug)]
pub(crate) struct Stalls<T> {
    inner: T,
    dice: Dice,
    wakers: Arc<Mutex<[Option<Waker>; 2]>>,
}

impl<T> Stalls<T> {
    pub(crate) fn new(inner: T, seed: u64) -> Self {
        Self { inner, dice: Dice::new(seed), wakers: Arc::default() }
    }

    fn stalls(&mut self, end: usize, cx: &Context<'_>) -> bool {
        let stalls = self.dice.once_in(5);
        if stalls {
            self.wakers.lock().unwrap()[end] = Some(cx.waker().clone());
            let (wakers, turns) = (self.wakers.clone(), self.dice.below(6));
            tokio::spawn(async move {
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
                let waker = wakers.lock().unwrap()[end].take();
                waker.into_iter().for_each(Waker::wake);
            });
        }
        stalls
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Stalls<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.stalls(READER, cx) { Poll::Pending } else { Pin::new(&mut self.inner).poll_read(cx, buf) }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Stalls<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.stalls(WRITER, cx) {
            return Poll::Pending;
        }
        let most = 1 + self.dice.below(5000);
        Pin::new(&mut self.inner).poll_write(cx, &buf[..buf.len().min(most)])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.stalls(WRITER, cx) { Poll::Pending } else { Pin::new(&mut self.inner).poll_flush(cx) }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
