//! HTTP on a connection: hyper's, which is given up while an HTTP/1.1 connection stands idle.

use super::activity::{Activity, ResponseBody, Watched};
use super::at_once::AtOnce;
use super::backlog::Backlog;
use super::body::AT_ONCE;
use super::pages::Pages;
use super::prefixed::Prefixed;
use crate::failure::{Failure, is_reset};
use crate::stop::Stop;
use core::pin::{Pin, pin};
use hyper::body::{Body, Incoming};
use hyper::header::{ALT_SVC, HeaderValue};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

/// How often a connection is looked at: one without a request gives its memory back, or has come to its limit. A timer for
/// each request, set and taken back, would cost a busy connection more.
pub(super) const LOOK: Duration = Duration::from_millis(200);
/// How long a goodbye may take.
pub(super) const PARTING: Duration = Duration::from_secs(2);
/// What hyper may hold of what a client does not take, and of a request's head.
const BUFFER: usize = 64 << 10;
/// Answers at once on a connection of HTTP/2 or HTTP/3: each may hold two pieces of a file.
pub(super) const STREAMS: u32 = 100;

/// What is served on a connection.
pub(super) struct Service {
    pub(super) pages: Pages,
    /// How long a connection may stand without a whole request.
    pub(super) limit: Duration,
    /// How long a client may take nothing of what it has asked for.
    pub(super) send_limit: Duration,
    /// The server stops: what has begun is finished, and nothing more is begun.
    pub(super) stop: Stop,
    /// What of the answers waits to be sent, beneath TLS.
    pub(super) backlog: Backlog,
    /// Where else the same is served (RFC 7838).
    pub(super) alt_svc: Option<HeaderValue>,
}

impl Service {
    async fn answer(
        &self,
        request: Request<Incoming>,
        activity: &Arc<Activity>,
    ) -> Result<Response<ResponseBody>, Infallible> {
        let has_body = !request.body().is_end_stream();
        Ok(self.page(&request, has_body, activity).await)
    }

    /// The answer, whatever HTTP brings it.
    pub(super) async fn page<B>(
        &self,
        request: &Request<B>,
        has_body: bool,
        activity: &Arc<Activity>,
    ) -> Response<ResponseBody> {
        let begun = activity.begin(has_body);
        let mut page = self.pages.answer(request).await;
        if let Some(elsewhere) = &self.alt_svc {
            page.headers_mut().insert(ALT_SVC, elsewhere.clone());
        }
        page.map(|body| begun.answer_with(body))
    }

    pub(super) fn too_late(&self) -> Failure {
        Failure::cannot(format_args!("no whole request in {} s", self.limit.as_secs()))
    }
}

/// Since when nothing has gone on that a connection lives by.
pub(super) struct Since {
    requests: usize,
    last_request: Instant,
    taken: usize,
    last_taken: Instant,
}

impl Since {
    pub(super) fn new(last_request: Instant) -> Self {
        Self { requests: 0, last_request, taken: 0, last_taken: Instant::now() }
    }

    /// Looks again. An error where the client leaves too long what it has asked for.
    pub(super) fn look(&mut self, activity: &Activity, service: &Service) -> Result<(), Failure> {
        let now = Instant::now();
        let (requests, taken, busy) = (activity.begun(), activity.taken(), activity.is_busy());
        if busy || requests != self.requests {
            (self.requests, self.last_request) = (requests, now);
        }
        if !busy || taken != self.taken {
            (self.taken, self.last_taken) = (taken, now);
        }
        if now - self.last_taken >= service.send_limit {
            let limit = service.send_limit.as_secs();
            return Err(Failure::cannot(format_args!("the client took nothing of its answer for {limit} s")));
        }
        Ok(())
    }

    pub(super) fn is_too_late(&self, service: &Service) -> bool {
        self.last_request.elapsed() >= service.limit
    }
}

/// Speaks HTTP/1.1 until either side has had enough.
pub(super) async fn http1<S>(service: Service, mut stream: Prefixed<S>) -> Result<(), Failure>
where
    S: AsyncBufRead + AsyncWrite + Unpin,
{
    let mut since = Instant::now();
    loop {
        // One that rests is its stream and nothing else: hyper's buffers are the greater part of a connection.
        let readable = timeout_at(since + service.limit, stream.readable());
        let next = tokio::select! {
            biased;
            () = service.stop.wait() => Ok(Ok(false)),
            next = readable => next,
        };
        match next {
            Ok(Ok(true)) => {}
            Ok(Err(error)) if !is_departure(&error) => return Err(Failure::from_io(error)),
            // Nobody waits for an answer.
            Ok(_) | Err(_) => {
                part(stream).await;
                return Ok(());
            }
        }
        match Box::pin(requests(&service, stream, since)).await? {
            Some(rested) => (stream, since) = rested,
            None => return Ok(()),
        }
    }
}

/// Answers requests. If none comes for a while, the stream comes back, with the time when the last one was seen.
async fn requests<S>(
    service: &Service,
    stream: Prefixed<S>,
    since: Instant,
) -> Result<Option<(Prefixed<S>, Instant)>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let activity = Arc::new(Activity::new(service.backlog.clone(), true));
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
    let answer = service_fn(|request| service.answer(request, &activity));
    // Whoever closes its side behind a request still gets the answer. A look for that end with each request would find
    // nothing, and hold the request's buffer so that the next needs another.
    let mut connection = http1::Builder::new().half_close(true).max_buf_size(BUFFER).serve_connection(io, answer);
    let mut since = Since::new(since);
    loop {
        if let Ok(ended) = timeout(LOOK, &mut connection).await {
            return ended.map(|()| None).map_err(|e| tls_cause(&e));
        }
        since.look(&activity, service)?;
        if activity.is_settled() {
            // hyper has nothing left to say; what it has read of another request comes back.
            let parts = connection.into_parts();
            return Ok(Some((parts.io.into_inner().into_inner().behind(&parts.read_buf), since.last_request)));
        }
        if service.stop.is_asked() {
            Pin::new(&mut connection).graceful_shutdown();
        }
        if since.is_too_late(service) {
            part(connection.into_parts().io.into_inner()).await;
            return Err(service.too_late());
        }
    }
}

/// Speaks HTTP/2 until either side has had enough.
pub(super) async fn http2<S>(service: Service, stream: Prefixed<S>) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let activity = Arc::new(Activity::new(service.backlog.clone(), false));
    let service = Arc::new(service);
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
    let asked = (Arc::clone(&service), Arc::clone(&activity));
    let answer = service_fn(move |request| {
        let (service, activity) = asked.clone();
        async move { service.answer(request, &activity).await }
    });
    let mut builder = http2::Builder::new(AtOnce);
    builder.max_concurrent_streams(STREAMS).max_send_buf_size(AT_ONCE);
    let mut connection = pin!(builder.serve_connection(io, answer));
    let mut since = Since::new(Instant::now());
    let mut stopping = false;
    loop {
        if let Ok(ended) = timeout(LOOK, &mut connection).await {
            // Who has all that it asked for, and was told that there will be no more, just goes.
            let gone = stopping && !activity.is_busy();
            return if gone { Ok(()) } else { ended.map_err(|e| tls_cause(&e)) };
        }
        since.look(&activity, &service)?;
        if service.stop.is_asked() && !stopping {
            stopping = true;
            connection.as_mut().graceful_shutdown();
        }
        if since.is_too_late(&service) {
            connection.as_mut().graceful_shutdown();
            return match timeout(PARTING, connection).await {
                Ok(ended) => ended.map_err(|e| tls_cause(&e)),
                Err(_) => Err(service.too_late()),
            };
        }
    }
}

/// Says goodbye. Whoever has gone, or does not listen, needs none.
async fn part(mut stream: impl AsyncWrite + Unpin) {
    let _heard = timeout(PARTING, stream.shutdown()).await;
}

/// Clients that want nothing more just go; not all of them say so first.
fn is_departure(error: &io::Error) -> bool {
    is_reset(error) || error.kind() == io::ErrorKind::UnexpectedEof
}

/// What TLS says where HTTP says only that its connection failed.
fn tls_cause(error: &(dyn std::error::Error + 'static)) -> Failure {
    clasp::Error::inside(error).map_or_else(|| Failure::cannot(error), |tls| tls.clone().into())
}

#[cfg(test)]
mod tests;
