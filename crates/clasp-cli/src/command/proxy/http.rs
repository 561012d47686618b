//! HTTP/1.1 through the proxy, for a backend that wants to know by a header whose certificate it is: Client-Cert (RFC 9440).

use super::copy::{End, Quiet};
use super::metrics::Traffic;
use super::record::Reason;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clasp::Facts;
use core::pin::Pin;
use core::task::{Context, Poll};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1 as client;
use hyper::header::{CONNECTION, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, UPGRADE};
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// RFC 9440 2: what is ours alone to say.
const OURS: [HeaderName; 2] = [HeaderName::from_static("client-cert"), HeaderName::from_static("client-cert-chain")];
/// RFC 9110 7.6.1: what is about one connection, besides what `Connection` names.
const HOP: [&str; 7] =
    ["http2-settings", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];
/// The one protocol that may follow. Another may be HTTP again (`h2c`), whose requests nobody would look at: there a client could say
/// whose certificate it has (RFC 9440 4).
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");

type Body = BoxBody<Bytes, hyper::Error>;

/// The client's certificate as a value of the header (RFC 9440 2.2).
pub(super) fn certificate(facts: &Facts) -> Option<HeaderValue> {
    let leaf = facts.peer_chain().first().filter(|_| facts.client_authenticated)?;
    HeaderValue::try_from(format!(":{}:", STANDARD.encode(leaf))).ok()
}

/// Takes away what a client has no business to say, in whatever way a backend could take it for ours: many make one name of `-` and `_`.
fn strip(headers: &mut HeaderMap) {
    let ours = |name: &HeaderName| OURS.iter().any(|ours| name.as_str().replace('_', "-") == ours.as_str());
    let said: Vec<HeaderName> = headers.keys().filter(|name| ours(name)).cloned().collect();
    for name in said {
        headers.remove(name);
    }
}

/// Takes away what is about the connection that it came by. Says whether it is to be upgraded to what may follow, and to nothing else.
fn one_hop(headers: &mut HeaderMap) -> bool {
    let named: Vec<String> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let mut wanted = headers.get_all(UPGRADE).iter();
    let is_websocket = wanted.next().is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(WEBSOCKET.as_bytes()));
    let upgrade = is_websocket && wanted.next().is_none() && named.iter().any(|name| name == "upgrade");
    for name in named.iter().map(String::as_str).chain(HOP).filter(|name| *name != "host") {
        headers.remove(name);
    }
    headers.remove(CONNECTION);
    upgrade
}

/// Puts the upgrade back that both sides have to hear of.
fn put_upgrade(headers: &mut HeaderMap) {
    headers.insert(UPGRADE, WEBSOCKET);
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
}

/// What is asked of the backend for a client: nothing of it is about the client's connection, and only we say whose certificate it is.
fn forwarded(request: &mut Request<Incoming>, certificate: Option<&HeaderValue>) -> Result<bool, StatusCode> {
    if request.method() == Method::CONNECT {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    // RFC 9112 3.2: one Host, and none in HTTP/1.0 at most.
    let hosts = request.headers().get_all(HOST).iter().count();
    if hosts > 1 || hosts == 0 && request.version() == Version::HTTP_11 {
        return Err(StatusCode::BAD_REQUEST);
    }
    // RFC 9112 3.2.2: a whole URI says the host, whatever the header says.
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    if let Some(authority) = request.uri().authority() {
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| StatusCode::BAD_REQUEST)?;
        request.headers_mut().insert(HOST, host);
    }
    *request.uri_mut() = Uri::try_from(path).map_err(|_| StatusCode::BAD_REQUEST)?;
    *request.version_mut() = Version::HTTP_11;
    let headers = request.headers_mut();
    strip(headers);
    let upgrade = one_hop(headers);
    // It has been answered here, where the body is asked for.
    headers.remove(EXPECT);
    if let Some(certificate) = certificate {
        let [name, _] = OURS;
        headers.insert(name, certificate.clone());
    }
    if upgrade {
        put_upgrade(headers);
    }
    Ok(upgrade)
}

fn say(status: StatusCode, words: &'static str) -> Response<Body> {
    let body = Full::new(Bytes::from_static(words.as_bytes())).map_err(|never| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// A connection to the backend, made.
pub(super) type Connected<'a> = Pin<Box<dyn Future<Output = Result<End, Reason>> + Send + 'a>>;

/// The backend's side of a connection: one that is made when it is first asked for, and again when it has gone.
struct Behind<'a> {
    connect: &'a (dyn Fn() -> Connected<'a> + Send + Sync),
    sender: Option<client::SendRequest<Incoming>>,
    /// What moves its bytes, until this is dropped.
    moving: JoinSet<()>,
    failed: Option<Reason>,
}

/// Who is to blame where there is no answer.
enum Unanswered {
    Client,
    Backend(Reason),
}

impl Behind<'_> {
    async fn ask(&mut self, request: Request<Incoming>) -> Result<Response<Incoming>, Unanswered> {
        // A body that hyper was given and could not read is the client's.
        let http = |e: hyper::Error| match e.is_user() {
            true => Unanswered::Client,
            false => Unanswered::Backend(Reason::failed("backend_http", e.to_string())),
        };
        let usable = match &mut self.sender {
            Some(sender) => sender.ready().await.is_ok(),
            None => false,
        };
        if !usable {
            let end = (self.connect)().await.map_err(Unanswered::Backend)?;
            let (sender, connection) = client::handshake(TokioIo::new(end)).await.map_err(http)?;
            // How it ends, its requests hear.
            self.moving.spawn(async move { drop(connection.with_upgrades().await) });
            self.sender = Some(sender);
        }
        match &mut self.sender {
            Some(sender) => sender.send_request(request).await.map_err(http),
            None => Err(Unanswered::Backend(Reason::failed("backend_http", "there is no connection"))),
        }
    }
}

/// What the requests of a client have in common.
struct Front<'a> {
    certificate: Option<HeaderValue>,
    behind: Mutex<Behind<'a>>,
    /// Upgraded connections, which speak HTTP no longer.
    tunnels: Mutex<JoinSet<()>>,
}

impl Front<'_> {
    async fn answer(&self, mut request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let upgrade = match forwarded(&mut request, self.certificate.as_ref()) {
            Ok(upgrade) => upgrade,
            Err(status) => return Ok(say(status, "not through this proxy\n")),
        };
        let ours = upgrade.then(|| hyper::upgrade::on(&mut request));
        let mut behind = self.behind.lock().await;
        let mut response = match behind.ask(request).await {
            Ok(response) => response,
            Err(Unanswered::Client) => return Ok(say(StatusCode::BAD_REQUEST, "the body cannot be read\n")),
            Err(Unanswered::Backend(reason)) => {
                behind.failed = Some(reason);
                return Ok(say(StatusCode::BAD_GATEWAY, "the backend does not answer\n"));
            }
        };
        let to_websocket = one_hop(response.headers_mut());
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let Some(ours) = ours.filter(|_| to_websocket) else {
                return Ok(say(StatusCode::BAD_GATEWAY, "the backend speaks another protocol\n"));
            };
            put_upgrade(response.headers_mut());
            let theirs = hyper::upgrade::on(&mut response);
            self.tunnels.lock().await.spawn(async move {
                if let (Ok(ours), Ok(theirs)) = tokio::join!(ours, theirs) {
                    // Each end is told of the other's.
                    let _ended = copy_bidirectional(&mut TokioIo::new(ours), &mut TokioIo::new(theirs)).await;
                }
            });
        }
        Ok(response.map(|body| body.boxed()))
    }
}

/// Serves a client to its end.
pub(super) async fn serve<'a>(
    client: Watched,
    certificate: Option<HeaderValue>,
    connect: &'a (dyn Fn() -> Connected<'a> + Send + Sync),
    idle: Duration,
) -> Reason {
    let behind = Behind { connect, sender: None, moving: JoinSet::new(), failed: None };
    let front = Front { certificate, behind: Mutex::new(behind), tunnels: Mutex::new(JoinSet::new()) };
    let mut http = server::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(idle).half_close(true);
    let answering = service_fn(|request| front.answer(request));
    let served = http.serve_connection(TokioIo::new(client), answering).with_upgrades().await;
    while front.tunnels.lock().await.join_next().await.is_some() {}
    match (served, front.behind.into_inner().failed) {
        (_, Some(failed)) => failed,
        (Ok(()), None) => Reason::good("done"),
        (Err(e), None) if e.is_timeout() => Reason::good("idle"),
        (Err(e), None) => Reason::of_http(&e),
    }
}

/// The client's side, of which every byte counts.
pub(super) struct Watched {
    end: End,
    quiet: Quiet,
    traffic: Arc<Traffic>,
}

impl Watched {
    pub(super) fn new(end: End, idle: Duration, traffic: Arc<Traffic>) -> Self {
        Self { end, quiet: Quiet::new(idle), traffic }
    }

    /// Nothing moves: for how long that is borne.
    fn poll_late<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        self.quiet.poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Watched {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        if let Poll::Ready(outcome) = Pin::new(&mut this.end).poll_read(cx, buf) {
            this.quiet.moved();
            this.traffic.add(buf.filled().len().saturating_sub(before), 0);
            return Poll::Ready(outcome);
        }
        this.poll_late(cx)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let Poll::Ready(written) = Pin::new(&mut this.end).poll_write(cx, buf) else { return this.poll_late(cx) };
        let n = written?;
        this.quiet.moved();
        this.traffic.add(0, n);
        Poll::Ready(Ok(n))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.end).poll_flush(cx);
        if flushed.is_pending() { this.poll_late(cx) } else { flushed }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().end).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn nobody_but_us_says_whose_certificate_it_is() {
        let mut said = headers(&[
            ("Client-Cert", ":AAAA:"),
            ("client-cert", ":BBBB:"),
            ("CLIENT_CERT", ":CCCC:"),
            ("Client_Cert-Chain", ":DDDD:"),
            ("client-cert-chain", ":EEEE:"),
            ("client-certificate", "another name"),
        ]);
        strip(&mut said);
        assert_eq!(said.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["client-certificate"]);
    }

    #[test]
    fn what_is_about_one_connection_is_not_passed_on() {
        let mut said = headers(&[
            ("connection", "close, X-One , host"),
            ("x-one", "1"),
            ("keep-alive", "1"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("host", "a.test"),
            ("x-two", "2"),
        ]);
        assert!(!one_hop(&mut said));
        assert_eq!(said.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["host", "x-two"]);
        let mut said = headers(&[("connection", "keep-alive, Upgrade"), ("upgrade", "WebSocket")]);
        assert!(one_hop(&mut said) && said.is_empty());
    }
}
