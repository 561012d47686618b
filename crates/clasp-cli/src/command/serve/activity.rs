//! What goes on on a connection that HTTP has, for whoever may have to end it or put it to rest.

use super::backlog::Backlog;
use super::body::Content;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use core::task::{Context, Poll};
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Counts of a connection. HTTP/2 answers on other threads than it is asked on; nothing else is guarded by these, so that
/// no order among them is needed.
#[derive(Default)]
pub(super) struct Activity {
    begun: AtomicUsize,
    answered: AtomicUsize,
    /// The last request had a body, which nobody reads.
    body: AtomicBool,
    /// HTTP has written, and not seen it all gone.
    unsent: AtomicBool,
    /// Counts on while the client takes what it has asked for.
    taken: AtomicUsize,
    /// What has been flushed, and has not left yet.
    backlog: Backlog,
    /// Whether all that is written is an answer. HTTP/2 writes for reasons that a client makes up, such as PING.
    answers_only: bool,
}

impl Activity {
    pub(super) fn new(backlog: Backlog, answers_only: bool) -> Self {
        Self { backlog, answers_only, ..Self::default() }
    }

    /// A request has come.
    pub(super) fn begin(self: &Arc<Self>, has_body: bool) -> Begun {
        self.begun.fetch_add(1, Relaxed);
        self.body.store(has_body, Relaxed);
        Begun(Arc::clone(self))
    }

    /// How many requests have come.
    pub(super) fn begun(&self) -> usize {
        self.begun.load(Relaxed)
    }

    /// Grows as pieces of answers are taken; for HTTP/1.1, as its bytes are.
    pub(super) fn taken(&self) -> usize {
        let leaving = if self.answers_only { self.backlog.taken() } else { 0 };
        self.taken.load(Relaxed).wrapping_add(leaving)
    }

    /// A request waits for its answer, or for the rest of it.
    pub(super) fn is_busy(&self) -> bool {
        self.answered.load(Relaxed) != self.begun() || self.unsent.load(Relaxed) || self.backlog.is_any()
    }

    /// Requests have come, to the last byte, and have been answered, to the last byte.
    pub(super) fn is_settled(&self) -> bool {
        self.begun() > 0 && !self.is_busy() && !self.body.load(Relaxed)
    }
}

/// A request that has no whole answer yet.
pub(super) struct Begun(Arc<Activity>);

impl Begun {
    pub(super) fn answer_with(self, body: Content) -> ResponseBody {
        ResponseBody { body, begun: self }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.answered.fetch_add(1, Relaxed);
    }
}

/// The body of an answer. HTTP drops it when it has taken the last of it.
pub(super) struct ResponseBody {
    body: Content,
    begun: Begun,
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        if polled.is_ready() {
            this.begun.0.taken.fetch_add(1, Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The stream, as HTTP sees it. hyper flushes it only once it holds back nothing itself.
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S> Watched<S> {
    pub(super) const fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.activity.unsent.store(true, Relaxed);
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        if written.is_ready() && this.activity.answers_only {
            this.activity.taken.fetch_add(1, Relaxed);
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_flush(cx);
        if matches!(outcome, Poll::Ready(Ok(()))) {
            this.activity.unsent.store(false, Relaxed);
        }
        outcome
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
