//! Applications over Clasp's own streams, with no native-tls between them.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod ureq_transport;

use clasp::ClientConfig;
use clasp_testkit::{authority, other_authority, words};
use clasp_tokio::{Connector, TlsStream};
use common::{line, lines, listen_tls};
use std::io::{Read, Write};
use std::sync::Arc;
use tokio::net::TcpStream;

fn config() -> Arc<ClientConfig> {
    ClientConfig::builder().trust(authority().roots()).build().unwrap()
}

async fn connect(port: u16) -> TlsStream<TcpStream> {
    let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    Connector::new(config()).connect("localhost".try_into().unwrap(), tcp).await.unwrap()
}

#[tokio::test]
async fn redis_multiplexes_over_a_stream_it_is_given() {
    let port = listen_tls(|tls| {
        let mut tls = lines(tls);
        // Each command is an array of strings. All are answered with the last word.
        while let Some(count) = line(&mut tls).strip_prefix('*').and_then(|n| n.parse::<usize>().ok()) {
            let mut word = || [line(&mut tls), line(&mut tls)][1].clone();
            let last = (0..count).map(|_| word()).last().unwrap();
            tls.get_mut().write_all(format!("+{last}\r\n").as_bytes()).unwrap();
        }
    });
    let settings = redis::RedisConnectionInfo::default();
    let options = redis::AsyncConnectionConfig::new();
    let (mut redis, driver) =
        redis::aio::MultiplexedConnection::new_with_config(&settings, connect(port).await, options).await.unwrap();
    tokio::spawn(driver);
    let mut other = redis.clone();
    let (one, two) = (redis::cmd("ECHO").arg("one").clone(), redis::cmd("ECHO").arg("two").clone());
    let both = tokio::join!(one.query_async::<String>(&mut redis), two.query_async::<String>(&mut other));
    assert_eq!((both.0.unwrap(), both.1.unwrap()), ("one".to_owned(), "two".to_owned()));
}

#[tokio::test]
async fn tokio_tungstenite_takes_a_stream_it_is_given() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::{self, Message};
    let port = listen_tls(|tls| {
        let mut socket = tungstenite::accept(tls).unwrap();
        let word = socket.read().unwrap();
        socket.send(word).unwrap();
        let _closed = socket.read();
    });
    let (mut socket, _) =
        tokio_tungstenite::client_async(format!("wss://localhost:{port}/"), connect(port).await).await.unwrap();
    let word = Message::text("x".repeat(100_000));
    socket.send(word.clone()).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), word);
    socket.close(None).await.unwrap();
}

/// futures-io's traits, as async-std's and smol's crates want them.
#[tokio::test]
async fn futures_io_reads_and_writes() {
    use futures_util::{AsyncReadExt, AsyncWriteExt};
    use tokio_util::compat::TokioAsyncReadCompatExt;
    let port = listen_tls(|mut tls| {
        let mut word = String::new();
        tls.read_to_string(&mut word).unwrap();
        tls.write_all(word.to_uppercase().as_bytes()).unwrap();
        tls.close().unwrap();
    });
    let mut stream = connect(port).await.compat();
    stream.write_all(b"word").await.unwrap();
    stream.close().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "WORD");
}

#[test]
fn ureq_speaks_https_through_a_transport_of_clasps_own() {
    let port = listen_tls(|tls| {
        let mut tls = lines(tls);
        loop {
            let request = line(&mut tls);
            if request.is_empty() {
                return;
            }
            while !line(&mut tls).is_empty() {}
            let path = request.split(' ').nth(1).unwrap();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path}", path.len());
            tls.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    let uri = |path: &str| format!("https://localhost:{port}/{path}");
    let agent = ureq_transport::agent(config());
    for path in ["one", "two"] {
        let mut answer = agent.get(uri(path)).call().unwrap();
        assert_eq!(answer.body_mut().read_to_string().unwrap(), format!("/{path}"));
    }
    let stranger = ClientConfig::builder().trust(other_authority().roots()).build().unwrap();
    let refused = words(&ureq_transport::agent(stranger).get(uri("")).call().unwrap_err());
    assert!(refused.contains("certificate"), "{refused}");
}
