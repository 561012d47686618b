//! axum-server over Clasp, asked by hyper's client over Clasp.
#![allow(clippy::unwrap_used)]

mod common;

use axum::http::Version;
use clasp::TimeLimits;
use clasp_axum::TlsAcceptor;
use common::{app, ask, client, client_config, echo, server_config};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_handler_knows_who_asks_and_a_silent_client_holds_up_nobody() {
    let handle = axum_server::Handle::<std::net::SocketAddr>::new();
    let acceptor = TlsAcceptor::new(server_config(true)).unwrap().with_limits(TimeLimits::default());
    let server = axum_server::bind(([127, 0, 0, 1], 0).into()).acceptor(acceptor).handle(handle.clone());
    let serving = tokio::spawn(server.serve(app().into_make_service()));
    let port = handle.listening().await.unwrap().port();
    let silent = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let alice = client(client_config(Some("alice.example")));
    assert_eq!(ask(&alice, port).await.unwrap(), "HTTP/2.0 alice.example,CN=alice.example");
    assert_eq!(echo(&alice, port).await, Version::HTTP_2);
    let refused = ask(&client(client_config(None)), port).await.unwrap_err();
    assert!(refused.contains("certificate"), "{refused}");
    drop((alice, silent));
    handle.graceful_shutdown(None);
    serving.await.unwrap().unwrap();
}
