//! The admin port: what goes on, and whether all is well. It speaks HTTP/1.1 without TLS, for a network of one's own.

use super::metrics::{Metrics, TEXT};
use crate::failure::Failure;
use crate::stop::Stop;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Whoever asks is served at once; more than a few have gone astray.
const MOST: usize = 32;
/// How long one may stay.
const LONG: Duration = Duration::from_secs(30);
/// How long to wait where the system has no socket to give.
const PAUSE: Duration = Duration::from_millis(100);

/// An open admin port.
pub(super) struct Admin(TcpListener);

impl Admin {
    pub(super) async fn bind(at: &str) -> Result<Self, Failure> {
        let listener = TcpListener::bind(at).await.map_err(|e| {
            Failure::cannot(format_args!("--admin {at}: {e}")).hint("write an address of this host: 127.0.0.1:PORT")
        })?;
        Ok(Self(listener))
    }

    pub(super) fn at(&self) -> Result<SocketAddr, Failure> {
        Ok(self.0.local_addr()?)
    }

    /// Answers for ever. `stopping` is said once nobody new is taken.
    pub(super) async fn serve(self, metrics: Arc<Metrics>, stopping: Stop) -> Infallible {
        let places = Arc::new(Semaphore::new(MOST));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                // Nobody closes it.
                core::future::pending().await
            };
            let Ok((tcp, _)) = self.0.accept().await else {
                sleep(PAUSE).await;
                continue;
            };
            let (metrics, stopping) = (Arc::clone(&metrics), stopping.clone());
            tokio::spawn(async move {
                let answer = service_fn(|request: Request<Incoming>| {
                    core::future::ready(Ok::<_, Infallible>(answer(&request, &metrics, &stopping)))
                });
                let mut http = http1::Builder::new();
                http.timer(TokioTimer::new()).header_read_timeout(LONG).max_buf_size(16 << 10);
                // How one who asks leaves is its own affair.
                let _left = timeout(LONG, http.serve_connection(TokioIo::new(tcp), answer)).await;
                drop(place);
            });
        }
    }
}

fn answer(request: &Request<Incoming>, metrics: &Metrics, stopping: &Stop) -> Response<Full<Bytes>> {
    let say = |status, kind: &'static str, text: String| {
        let mut response = Response::new(Full::from(text));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
        response.headers_mut().insert(CACHE_CONTROL, hyper::header::HeaderValue::from_static("no-store"));
        response
    };
    let plain = "text/plain; charset=utf-8";
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return say(StatusCode::METHOD_NOT_ALLOWED, plain, "GET alone\n".into());
    }
    match request.uri().path() {
        "/metrics" => say(StatusCode::OK, TEXT, metrics.text()),
        "/healthz" => say(StatusCode::OK, plain, "ok\n".into()),
        "/readyz" if stopping.is_asked() => say(StatusCode::SERVICE_UNAVAILABLE, plain, "stopping\n".into()),
        "/readyz" => say(StatusCode::OK, plain, "ready\n".into()),
        _ => say(StatusCode::NOT_FOUND, plain, "/metrics, /healthz, /readyz\n".into()),
    }
}
