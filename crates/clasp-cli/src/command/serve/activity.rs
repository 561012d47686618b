//! What goes on on a connection that HTTP has, for whoever may have to end it or put it to rest.

use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use core::task::{Context, Poll};
use http_body_util::Full;
use hyper::Request;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use std::convert::Infallible;
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
}

impl Activity {
    /// A request has come.
    pub(super) fn begin(self: &Arc<Self>, request: &Request<Incoming>) -> Begun {
        self.begun.fetch_add(1, Relaxed);
        self.body.store(!request.body().is_end_stream(), Relaxed);
        Begun(Arc::clone(self))
    }

    /// How many requests have come.
    pub(super) fn begun(&self) -> usize {
        self.begun.load(Relaxed)
    }

    /// A request waits for its answer, or for the rest of it.
    pub(super) fn is_busy(&self) -> bool {
        self.answered.load(Relaxed) != self.begun() || self.unsent.load(Relaxed)
    }

    /// Requests have come, to the last byte, and have been answered, to the last byte.
    pub(super) fn is_settled(&self) -> bool {
        self.begun() > 0 && !self.is_busy() && !self.body.load(Relaxed)
    }
}

/// A request that has no whole answer yet.
pub(super) struct Begun(Arc<Activity>);

impl Begun {
    pub(super) fn answer_with(self, body: Full<Bytes>) -> Answer {
        Answer { body, _begun: self }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.answered.fetch_add(1, Relaxed);
    }
}

/// The body of an answer. HTTP drops it when it has taken the last of it.
pub(super) struct Answer {
    body: Full<Bytes>,
    _begun: Begun,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
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
        Pin::new(&mut this.stream).poll_write_vectored(cx, bufs)
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
