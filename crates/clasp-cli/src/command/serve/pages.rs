//! What `clasp serve` answers.

use super::body::Content;
use super::files::{Files, Missing};
use crate::report;
use clasp::Facts;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use std::sync::Arc;

/// What a connection is answered from.
pub(super) enum Pages {
    Files(Arc<Files>),
    /// A page about the connection itself.
    Status(Arc<Facts>),
}

impl Pages {
    pub(super) async fn answer(&self, request: &Request<Incoming>) -> Response<Content> {
        let is_head = request.method() == Method::HEAD;
        if request.method() != Method::GET && !is_head {
            let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        let answer = match self {
            Self::Status(facts) => status(facts),
            Self::Files(files) => file(files, request.uri().path()).await,
        };
        if is_head { without_body(answer) } else { answer }
    }
}

/// RFC 9110 9.3.2: what GET would say, and no body. hyper leaves it out by itself in HTTP/1.1 alone.
fn without_body(mut answer: Response<Content>) -> Response<Content> {
    let length = HeaderValue::from(answer.body().len());
    answer.headers_mut().insert(CONTENT_LENGTH, length);
    answer.map(|_| Content::Whole(Bytes::new()))
}

fn status(facts: &Facts) -> Response<Content> {
    let mut text = String::from("This page came over TLS by Clasp.\n\n");
    for line in report::lines(facts) {
        text += &line;
        text.push('\n');
    }
    plain(StatusCode::OK, &text)
}

async fn file(files: &Files, path: &str) -> Response<Content> {
    match files.get(path).await {
        Ok(file) => {
            let mut response = Response::new(file.content);
            response.headers_mut().insert(CONTENT_TYPE, file.kind);
            response
        }
        Err(Missing::Nothing) => plain(StatusCode::NOT_FOUND, "not found\n"),
        Err(Missing::ForNow) => {
            let mut busy = plain(StatusCode::SERVICE_UNAVAILABLE, "the file cannot be read now\n");
            busy.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            busy
        }
    }
}

fn plain(status: StatusCode, text: &str) -> Response<Content> {
    let mut response = Response::new(Content::Whole(Bytes::from(text.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
