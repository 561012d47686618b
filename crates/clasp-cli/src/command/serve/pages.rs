//! What `clasp serve` answers.

use super::files::Files;
use crate::report;
use clasp::Facts;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use std::sync::Arc;

/// What a connection is answered from.
pub(super) enum Pages {
    Files(Arc<Files>),
    /// A page about the connection itself.
    Status(Arc<Facts>),
}

impl Pages {
    pub(super) async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        }
        match self {
            Self::Status(facts) => status(facts),
            Self::Files(files) => file(files, request.uri().path()).await,
        }
    }
}

fn status(facts: &Facts) -> Response<Full<Bytes>> {
    let mut text = String::from("This page came over TLS by Clasp.\n\n");
    for line in report::lines(facts) {
        text += &line;
        text.push('\n');
    }
    plain(StatusCode::OK, &text)
}

async fn file(files: &Files, path: &str) -> Response<Full<Bytes>> {
    let Some(file) = files.get(path).await else { return plain(StatusCode::NOT_FOUND, "not found\n") };
    let mut response = Response::new(Full::new(file.bytes));
    response.headers_mut().insert(CONTENT_TYPE, file.kind);
    response
}

fn plain(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
