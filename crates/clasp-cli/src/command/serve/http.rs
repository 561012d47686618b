//! HTTP on a connection: hyper's, which is given up while an HTTP/1.1 connection stands idle.

use super::activity::{Activity, Answer, Watched};
use super::at_once::AtOnce;
use super::pages::Pages;
use super::prefixed::Prefixed;
use crate::failure::Failure;
use core::pin::pin;
use hyper::body::Incoming;
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
const LOOK: Duration = Duration::from_millis(200);
/// How long a goodbye may take.
const PARTING: Duration = Duration::from_secs(2);

/// What is served on a connection.
pub(super) struct Service {
    pub(super) pages: Pages,
    /// How long a connection may stand without a whole request.
    pub(super) limit: Duration,
}

impl Service {
    async fn answer(
        &self,
        request: Request<Incoming>,
        activity: &Arc<Activity>,
    ) -> Result<Response<Answer>, Infallible> {
        let begun = activity.begin(&request);
        let page = self.pages.answer(&request).await;
        Ok(page.map(|body| begun.answer_with(body)))
    }

    fn too_late(&self) -> Failure {
        Failure::cannot(format_args!("no whole request in {} s", self.limit.as_secs()))
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
        match timeout_at(since + service.limit, stream.readable()).await {
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
    mut since: Instant,
) -> Result<Option<(Prefixed<S>, Instant)>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let activity = Arc::new(Activity::default());
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
    let answer = service_fn(|request| service.answer(request, &activity));
    // Whoever closes its side behind a request still gets the answer. A look for that end with each request would find
    // nothing, and hold the request's buffer so that the next needs another.
    let mut connection = http1::Builder::new().half_close(true).serve_connection(io, answer);
    let mut seen = 0;
    loop {
        if let Ok(ended) = timeout(LOOK, &mut connection).await {
            return ended.map(|()| None).map_err(|e| tls_cause(&e));
        }
        if activity.is_busy() || activity.begun() != seen {
            (seen, since) = (activity.begun(), Instant::now());
        } else if activity.is_settled() {
            // hyper has nothing left to say; what it has read of another request comes back.
            let parts = connection.into_parts();
            return Ok(Some((parts.io.into_inner().into_inner().behind(&parts.read_buf), since)));
        } else if since.elapsed() >= service.limit {
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
    let (service, activity) = (Arc::new(service), Arc::new(Activity::default()));
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
    let asked = (Arc::clone(&service), Arc::clone(&activity));
    let answer = service_fn(move |request| {
        let (service, activity) = asked.clone();
        async move { service.answer(request, &activity).await }
    });
    let mut connection = pin!(http2::Builder::new(AtOnce).serve_connection(io, answer));
    let (mut seen, mut since) = (0, Instant::now());
    loop {
        if let Ok(ended) = timeout(LOOK, &mut connection).await {
            return ended.map_err(|e| tls_cause(&e));
        }
        if activity.is_busy() || activity.begun() != seen {
            (seen, since) = (activity.begun(), Instant::now());
        } else if since.elapsed() >= service.limit {
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
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// What TLS says where HTTP says only that its connection failed.
fn tls_cause(error: &(dyn std::error::Error + 'static)) -> Failure {
    let mut causes = core::iter::successors(Some(error), |e| e.source());
    let tls = causes.find_map(|e| e.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref::<clasp::Error>());
    tls.map_or_else(|| Failure::cannot(error), |tls| tls.clone().into())
}

#[cfg(test)]
mod tests;
