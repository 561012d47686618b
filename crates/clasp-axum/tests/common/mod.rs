//! A server's application, and clients for it.
#![allow(dead_code, clippy::unwrap_used)]

use axum::Router;
use axum::body::Bytes;
use axum::extract::ConnectInfo;
use axum::http::{Request, Version};
use axum::routing::{get, post};
use clasp::config::{ClientAuth, WebPki};
use clasp::{ClientConfig, ServerConfig};
use clasp_axum::TlsInfo;
use clasp_hyper::HttpsConnector;
use clasp_testkit::{KeyKind, authority, words};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::sync::Arc;

pub(crate) type HttpsClient = Client<HttpsConnector, Full<Bytes>>;

/// Says who asks, and gives back what it was sent.
pub(crate) fn app() -> Router {
    let who = |ConnectInfo(client): ConnectInfo<TlsInfo>, request: Request<axum::body::Body>| async move {
        assert!(client.remote_addr.ip().is_loopback());
        let names: Vec<String> = client.facts.peer_identifiers().iter().map(ToString::to_string).collect();
        format!("{:?} {}", request.version(), names.join(","))
    };
    Router::new().route("/", get(who)).route("/echo", post(|body: Bytes| async { body }))
}

/// Asks clients for certificates, and demands them if it is said.
pub(crate) fn server_config(require: bool) -> Arc<ServerConfig> {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let clients = Arc::new(WebPki::clients(authority().roots()));
    let auth = if require { ClientAuth::Require(clients) } else { ClientAuth::Request(clients) };
    ServerConfig::builder().identity(identity).client_auth(auth).build().unwrap()
}

pub(crate) fn client_config(name: Option<&str>) -> Arc<ClientConfig> {
    let mut builder = ClientConfig::builder().trust(authority().roots());
    if let Some(name) = name {
        builder = builder.identity(Arc::new(Arc::new(authority().issue(KeyKind::P256, &[name]).identity())));
    }
    builder.build().unwrap()
}

pub(crate) fn client(config: Arc<ClientConfig>) -> HttpsClient {
    Client::builder(TokioExecutor::new()).build(HttpsConnector::new(config).unwrap())
}

pub(crate) async fn ask(client: &HttpsClient, port: u16) -> Result<String, String> {
    let uri = format!("https://localhost:{port}/").parse().unwrap();
    let answer = client.get(uri).await.map_err(|error| words(&error))?;
    Ok(String::from_utf8_lossy(&answer.into_body().collect().await.unwrap().to_bytes()).into_owned())
}

/// Sends a megabyte, and gets it back.
pub(crate) async fn echo(client: &HttpsClient, port: u16) -> Version {
    let body: Vec<u8> = (0..1 << 20).map(|n: u32| n.to_be_bytes()[3]).collect();
    let request = Request::post(format!("https://localhost:{port}/echo")).body(Full::from(body.clone())).unwrap();
    let answer = client.request(request).await.unwrap();
    let version = answer.version();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), body);
    version
}
