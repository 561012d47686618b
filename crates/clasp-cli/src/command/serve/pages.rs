//! What `clasp serve` answers.

use crate::report;
use clasp::Facts;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use std::convert::Infallible;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

pub(super) async fn answer(
    request: Request<Incoming>,
    dir: Option<PathBuf>,
    facts: Arc<Facts>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Ok(plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n"));
    }
    Ok(match dir {
        None => status(&facts),
        Some(dir) => file(&dir, request.uri().path()).await,
    })
}

fn status(facts: &Facts) -> Response<Full<Bytes>> {
    let mut text = String::from("This page came over TLS by Clasp.\n\n");
    for line in report::lines(facts) {
        text += &line;
        text.push('\n');
    }
    plain(StatusCode::OK, &text)
}

/// A file below `dir`. A path that leads anywhere else is not found, and neither is a directory without index.html.
async fn file(dir: &Path, path: &str) -> Response<Full<Bytes>> {
    let relative = Path::new(path.trim_start_matches('/'));
    let not_found = || plain(StatusCode::NOT_FOUND, "not found\n");
    if path.contains('%') || !relative.components().all(|c| matches!(c, Component::Normal(_))) {
        return not_found();
    }
    let mut full = dir.join(relative);
    if full.is_dir() {
        full.push("index.html");
    }
    // A link may lead out of the directory: where it ends is what counts.
    let (Ok(real), Ok(root)) = (tokio::fs::canonicalize(&full).await, tokio::fs::canonicalize(dir).await) else {
        return not_found();
    };
    if !real.starts_with(root) {
        return not_found();
    }
    match tokio::fs::read(&real).await {
        Ok(bytes) => {
            let mut response = Response::new(Full::new(Bytes::from(bytes)));
            let kind = match real.extension().and_then(|e| e.to_str()) {
                Some("html") => "text/html; charset=utf-8",
                Some("css") => "text/css",
                Some("js") => "text/javascript",
                Some("svg") => "image/svg+xml",
                Some("png") => "image/png",
                Some("json") => "application/json",
                Some("txt" | "md") => "text/plain; charset=utf-8",
                _ => "application/octet-stream",
            };
            response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static(kind));
            response
        }
        Err(_) => not_found(),
    }
}

fn plain(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
