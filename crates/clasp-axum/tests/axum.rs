//! `axum::serve` over Clasp, asked by hyper's client over Clasp.
#![allow(clippy::unwrap_used)]

mod common;

use axum::extract::State;
use axum::http::Version;
use axum::routing::get;
use axum::serve::ListenerExt;
use clasp::ClientConfig;
use clasp_axum::{TlsInfo, TlsListener};
use clasp_tokio::{Acceptor, Listener};
use common::{app, ask, client, client_config, echo, server_config};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

async fn serve(listener: TlsListener) -> u16 {
    let port = listener.local_addr().unwrap().port();
    let app = app().into_make_service_with_connect_info::<TlsInfo>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    port
}

async fn bind(require: bool) -> TlsListener {
    TlsListener::bind("127.0.0.1:0", server_config(require)).await.unwrap()
}

#[tokio::test]
async fn a_handler_knows_who_asks_over_either_version_of_http() {
    let port = serve(bind(false).await).await;
    let named = client_config(Some("alice.example"));
    let http2 = client(named.clone());
    let old = client(Arc::new(ClientConfig::clone(&named).with_alpn(["http/1.1"]).unwrap()));
    let nameless = client(client_config(None));
    for _ in 0..2 {
        assert_eq!(ask(&http2, port).await.unwrap(), "HTTP/2.0 alice.example,CN=alice.example");
        assert_eq!(ask(&old, port).await.unwrap(), "HTTP/1.1 alice.example,CN=alice.example");
        assert_eq!(ask(&nameless, port).await.unwrap(), "HTTP/2.0 ");
    }
    // One whose session is resumed is still who he was.
    assert_eq!(ask(&client(named), port).await.unwrap(), "HTTP/2.0 alice.example,CN=alice.example");
    assert_eq!((echo(&http2, port).await, echo(&old, port).await), (Version::HTTP_2, Version::HTTP_11));
}

#[tokio::test]
async fn one_without_a_certificate_is_refused_where_one_is_required() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listener = Listener::new(tcp, Acceptor::new(server_config(true)))
        .on_error(move |_, error| tell.send(error.to_string()).unwrap());
    let port = serve(listener.into()).await;
    let refused = ask(&client(client_config(None)), port).await.unwrap_err();
    assert!(refused.contains("certificate"), "{refused}");
    let told = told.recv().await.unwrap();
    assert!(told.contains("certificate"), "{told}");
    // A listener as it is offers what its configuration says: nothing.
    assert_eq!(ask(&client(client_config(Some("a.example"))), port).await.unwrap(), "HTTP/1.1 a.example,CN=a.example");
}

/// axum's own wrapper of listeners goes over this one too; those that say nothing hold up nobody.
#[tokio::test]
async fn silent_clients_hold_up_no_other() {
    let listener = bind(false).await;
    let port = listener.local_addr().unwrap().port();
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    let seen = Arc::new(Notify::new());
    let tap = seen.clone();
    let listener = listener.tap_io(move |tls| {
        assert!(tls.facts().alpn.is_some());
        tap.notify_one();
    });
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/", get(|| async { "hello" }))).await });
    assert_eq!(ask(&client(client_config(None)), port).await.unwrap(), "hello");
    seen.notified().await;
}

/// A request that is being answered is answered to its end; nobody else is served.
#[tokio::test]
async fn a_shutdown_lets_requests_end() {
    let listener = bind(false).await;
    let port = listener.local_addr().unwrap().port();
    let (asked, go_on, stop) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = |State((asked, go_on)): State<(Arc<Notify>, Arc<Notify>)>| async move {
        asked.notify_one();
        go_on.notified().await;
        "to the end"
    };
    let app = axum::Router::new().route("/", get(slow)).with_state((asked.clone(), go_on.clone()));
    let signal = stop.clone();
    let serving = axum::serve(listener, app).with_graceful_shutdown(async move { signal.notified().await });
    let serving = tokio::spawn(serving.into_future());
    let asking = tokio::spawn(async move { ask(&client(client_config(None)), port).await });
    asked.notified().await;
    stop.notify_one();
    // Nobody listens any more.
    while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!serving.is_finished());
    go_on.notify_one();
    assert_eq!(asking.await.unwrap().unwrap(), "to the end");
    serving.await.unwrap().unwrap();
}
