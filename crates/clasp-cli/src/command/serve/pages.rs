//! What `clasp serve` answers.

use super::body::Content;
use super::files::{Files, Missing};
use crate::command::demo::{self, Tour};
use crate::report;
use crate::terminal::note;
use crate::trace::page::{self, Opening};
use crate::trace::recorder::Recorder;
use crate::trace::{self, Trace};
use clasp::Facts;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER, VARY};
use hyper::{Method, Request, Response, StatusCode};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// What a connection is answered from.
pub(super) enum Pages {
    Files(Arc<Files>),
    /// A page about the connection itself.
    Status(Status),
}

/// What is known of a connection.
pub(super) struct Status {
    pub(super) facts: Arc<Facts>,
    /// All that was said in it, where there was a place for that.
    pub(super) recorder: Option<Arc<Recorder>>,
    pub(super) tours: Arc<Tours>,
}

/// The handshakes that one's own stands beside in the explorer: played once, when the first browser asks.
#[derive(Default)]
pub(super) struct Tours(OnceCell<Option<Tour>>);

impl Tours {
    /// They, or nothing where they could not be played: the status page does without them.
    async fn get(&self) -> Option<&Tour> {
        let play = async || match tokio::task::spawn_blocking(demo::tour).await {
            Ok(Ok(tour)) => Some(tour),
            Ok(Err(failure)) => {
                note(format_args!("the status page has no explorer: {}", failure.message()));
                None
            }
            Err(error) => {
                note(format_args!("the status page has no explorer: {error}"));
                None
            }
        };
        self.0.get_or_init(play).await.as_ref()
    }
}

impl Pages {
    pub(super) async fn answer<B>(&self, request: &Request<B>) -> Response<Content> {
        let is_head = request.method() == Method::HEAD;
        if request.method() != Method::GET && !is_head {
            let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        let answer = match self {
            Self::Status(status) => status.answer(request).await,
            Self::Files(files) => file(files, request.uri().path()).await,
        };
        if is_head { without_body(answer) } else { answer }
    }
}

/// RFC 9110 9.3.2: what GET would say, and no body. hyper leaves it out by itself in HTTP/1.1 alone; HTTP/3 has no hyper.
fn without_body(mut answer: Response<Content>) -> Response<Content> {
    let length = HeaderValue::from(answer.body().len());
    answer.headers_mut().insert(CONTENT_LENGTH, length);
    answer.map(|_| Content::Whole(Bytes::new()))
}

const GREETING: &str = "This page came over TLS by Clasp.";
const GREETING_ZH: &str = "这个页面由 Clasp 经 TLS 送达，以下是你自己的连接。";

impl Status {
    /// A browser gets the page of `clasp trace`, of its own connection up to now, with the explorer; `/trace.json` is the same for
    /// programs; who is content with text gets that.
    async fn answer<B>(&self, request: &Request<B>) -> Response<Content> {
        let mut answer = match &self.recorder {
            Some(recorder) if request.uri().path() == "/trace.json" => {
                let json = trace::json(&[self.trace(recorder)]);
                with_type(format!("{json:#}\n"), "application/json")
            }
            Some(recorder) if takes_html(request) => {
                let page = self.page(recorder, self.tours.get().await);
                with_type(page, "text/html; charset=utf-8")
            }
            _ => plain(StatusCode::OK, &self.text()),
        };
        // It is of this connection alone, and tells of its tickets.
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
        answer
    }

    fn trace(&self, recorder: &Recorder) -> Trace {
        let mut trace = recorder.so_far(format!("{GREETING} This is your connection."));
        trace.conclude(&Ok(report::json(&self.facts)));
        let outcome = trace.outcome.replace("agreed: ", "商定：").replace(", resumed by ", "；会话恢复，依据 ");
        trace.chinese = Some((GREETING_ZH.into(), outcome));
        trace
    }

    /// One's own handshake stands behind those that it is compared with: what they have was measured, and is not cut.
    fn page(&self, recorder: &Recorder, tour: Option<&Tour>) -> String {
        let own = self.trace(recorder);
        let Some(tour) = tour else { return page::page(&[own], Opening::default()) };
        let mut explorer = tour.explorer.clone();
        let first = tour.traces.len();
        explorer["own"] = first.into();
        page::with_explorer(tour.traces.iter().chain([&own]), Opening { first, ..Opening::default() }, &explorer)
    }

    fn text(&self) -> String {
        let mut text = format!("{GREETING}\n\n");
        for line in report::lines(&self.facts) {
            text += &line;
            text.push('\n');
        }
        text
    }
}

/// Whether it says so by name: `*/*` is what everybody says.
fn takes_html<B>(request: &Request<B>) -> bool {
    let mut accepted = request.headers().get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.any(|value| value.split(',').any(|kind| kind.trim().to_ascii_lowercase().starts_with("text/html")))
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
    let mut response = with_type(text.to_string(), "text/plain; charset=utf-8");
    *response.status_mut() = status;
    response
}

fn with_type(text: String, kind: &'static str) -> Response<Content> {
    let mut response = Response::new(Content::Whole(Bytes::from(text)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Side;
    use clasp::{Identity, ServerConfig, Stream};
    use std::io::Cursor;
    use std::time::SystemTime;

    #[test]
    fn a_hello_of_nothing_but_suites_costs_a_recorder_no_field_for_each() {
        let key = rcgen::KeyPair::generate().unwrap();
        let own = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().self_signed(&key).unwrap();
        let identity = Identity::from_der(vec![own.der().clone()], &key.serialize_der()).unwrap();
        let recorder = Arc::new(Recorder::new(Side::Server, SystemTime::now()).at_most(96 << 10));
        let config = ServerConfig::builder().identity(identity).observer(recorder.clone()).build().unwrap();
        let length = |of: usize| u16::try_from(of).unwrap().to_be_bytes();
        let suites = [0xc0, 0x2f].repeat(8000);
        let body = [&[3, 3][..], &[7; 32], &[0], &length(suites.len()), &suites, &[1, 0]].concat();
        let message = [&[1, 0][..], &length(body.len()), &body].concat();
        let record = [&[22, 3, 1][..], &length(message.len()), &message].concat();
        let _refused = Stream::new(config.accept(), Cursor::new(record)).handshake();
        let trace = recorder.so_far("");
        let hello = trace.events.iter().find(|event| event.name == "ClientHello").unwrap();
        assert_eq!((hello.bytes.len(), hello.fields.len()), (message.len(), 1024));
    }
}
