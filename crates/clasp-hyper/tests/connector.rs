//! hyper-util's pooled client over Clasp, to hyper's server over Clasp.
#![allow(clippy::unwrap_used)]

use clasp::{ClientConfig, Facts, Resumption, ServerConfig};
use clasp_hyper::HttpsConnector;
use clasp_testkit::{Authority, KeyKind, authority, words};
use clasp_tokio::{Acceptor, Listener};
use core::convert::Infallible;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;

type Body = Full<Bytes>;

/// A server that says what it was asked, and counts its connections.
async fn server(alpn: &[&str]) -> (SocketAddr, Arc<AtomicUsize>) {
    let identity = authority().issue(KeyKind::P256, &["localhost", "127.0.0.1"]).identity();
    let config = ServerConfig::builder().identity(identity).alpn(alpn).build().unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    let mut listener = Listener::new(tcp, Acceptor::new(config));
    tokio::spawn(async move {
        loop {
            let (tls, _) = listener.accept().await;
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let echo = service_fn(|request: Request<Incoming>| async move {
                    let said = format!("{:?} {}", request.version(), request.uri().path());
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    Ok::<_, Infallible>(Response::new(Body::from([said.as_bytes(), &body].concat())))
                });
                let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                let _closed = builder.serve_connection(TokioIo::new(tls), echo).await;
            });
        }
    });
    (address, connections)
}

fn config() -> Arc<ClientConfig> {
    ClientConfig::builder().trust(authority().roots()).build().unwrap()
}

fn client(connector: HttpsConnector) -> Client<HttpsConnector, Body> {
    Client::builder(TokioExecutor::new()).build(connector)
}

async fn ask(client: &Client<HttpsConnector, Body>, uri: String) -> (Version, Arc<Facts>, Bytes) {
    let request = Request::post(uri).body(Body::from(vec![b'.'; 100_000])).unwrap();
    let response = client.request(request).await.unwrap();
    let (version, facts) = (response.version(), response.extensions().get::<Arc<Facts>>().unwrap().clone());
    (version, facts, response.into_body().collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn http2_is_spoken_where_both_agree_and_one_connection_does_for_many_requests() {
    let (address, connections) = server(&["h2", "http/1.1"]).await;
    let client = client(HttpsConnector::new(config()).unwrap());
    let uri = |path: &str| format!("https://localhost:{}/{path}", address.port());
    ask(&client, uri("first")).await;
    let all = ["a", "b", "c"].map(|path| ask(&client, uri(path)));
    let [a, b, c] = all;
    for (version, facts, body) in <[_; 3]>::from(tokio::join!(a, b, c)) {
        assert_eq!(version, Version::HTTP_2);
        assert_eq!(facts.alpn.as_deref(), Some(&b"h2"[..]));
        assert_eq!(body.len(), "HTTP/2.0 /a".len() + 100_000);
        assert!(body.starts_with(b"HTTP/2.0 /"));
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn http1_is_spoken_otherwise_connections_are_pooled_and_new_ones_resume() {
    let (address, connections) = server(&["http/1.1"]).await;
    let config = config();
    let uri = || format!("https://127.0.0.1:{}/x", address.port());
    for round in 1..=2 {
        let client = client(HttpsConnector::new(config.clone()).unwrap());
        for _ in 0..3 {
            let (version, facts, body) = ask(&client, uri()).await;
            assert_eq!(version, Version::HTTP_11);
            assert!(body.starts_with(b"HTTP/1.1 /x"));
            assert_eq!(facts.resumed == Some(Resumption::Ticket), round == 2);
        }
        assert_eq!(connections.load(Ordering::Relaxed), round);
    }
}

/// A configuration that says what it offers is taken at its word.
#[tokio::test]
async fn the_configurations_own_protocols_are_kept() {
    let (address, _) = server(&["h2", "http/1.1"]).await;
    let config = ClientConfig::clone(&config()).with_alpn([b"http/1.1"]).unwrap();
    let client = client(HttpsConnector::new(Arc::new(config)).unwrap());
    let (version, ..) = ask(&client, format!("https://localhost:{}/", address.port())).await;
    assert_eq!(version, Version::HTTP_11);
}

#[tokio::test]
async fn what_is_refused_says_why() {
    let (address, _) = server(&["h2"]).await;
    let port = address.port();
    let connector = HttpsConnector::new(config()).unwrap();
    let name = connector.clone().server_name("other.example".try_into().unwrap());
    for (connector, uri, wanted) in [
        (connector.clone(), format!("http://localhost:{port}/"), "wanted https"),
        (connector, format!("https://-x-:{port}/"), "neither a DNS name"),
        (name, format!("https://localhost:{port}/"), "other.example"),
    ] {
        let error = client(connector).request(Request::get(uri).body(Body::default()).unwrap()).await.unwrap_err();
        assert!(words(&error).contains(wanted), "{wanted}: {}", words(&error));
    }
}

/// Whoever unwraps it reads why, and a program finds Clasp's own error.
#[tokio::test]
async fn an_unwrap_reads_as_people_read() {
    let (address, _) = server(&["h2"]).await;
    let strangers = ClientConfig::builder().trust(Authority::new("Another CA").roots()).build().unwrap();
    let client = client(HttpsConnector::new(strangers).unwrap());
    let uri = format!("https://localhost:{}/", address.port());
    let error = client.request(Request::get(uri).body(Body::default()).unwrap()).await.unwrap_err();
    let words = "the certificate's issuer is not trusted; seen: certificate 0 (CN=localhost): issuer CN=Clasp Test CA, which is \
                 neither a trusted root nor sent along; wanted: a chain to one of the 1 trusted roots (RFC 5280 6.1) (in \
                 Certificate) [client TLS 1.3]; hint: trust its issuer, or have the peer send its whole chain";
    let shown = format!("{error:?}");
    assert!(shown.contains(&format!("error: {words} }}")), "{shown}");
    assert_eq!(clasp::Error::inside(&error).unwrap().to_string(), words);
}

/// Without TLS only where it is said; `[::1]` and names alike.
#[tokio::test]
async fn http_is_spoken_where_it_is_allowed() {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = tcp.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (tcp, _) = tcp.accept().await.unwrap();
        let echo = service_fn(|_| async { Ok::<_, Infallible>(Response::new(Body::from("plain"))) });
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(tcp), echo).await.unwrap();
    });
    let client = client(HttpsConnector::new(config()).unwrap().allow_http(true));
    let response = client.get(format!("http://127.0.0.1:{port}/").parse().unwrap()).await.unwrap();
    assert!(response.extensions().get::<Arc<Facts>>().is_none());
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "plain");
}

/// A server that takes the connection, and says nothing.
#[tokio::test]
async fn a_silent_server_has_a_time_limit() {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let limits = clasp::TimeLimits::default().handshake(core::time::Duration::from_millis(50));
    let client = client(HttpsConnector::new(config()).unwrap().with_limits(limits));
    let address = tcp.local_addr().unwrap();
    let error = client.get(format!("https://{address}/").parse().unwrap()).await.unwrap_err();
    assert!(words(&error).contains("ServerHello"), "{}", words(&error));
}
