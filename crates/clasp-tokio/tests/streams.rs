//! The tokio adapter over an in-memory pipe.
#![allow(clippy::unwrap_used)]

use clasp::config::{Signer, WebPki};
use clasp::{ClientAuth, ClientConfig, Identity, ServerConfig};
use clasp_testkit::{Gate, KeyKind, SlowSessions, SlowSigner, SlowVerifier, authority};
use clasp_tokio::{Acceptor, Connector, TlsStream};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

fn connector() -> Connector {
    Connector::new(ClientConfig::builder().trust(authority().roots()).build().unwrap())
}

fn acceptor() -> Acceptor {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    Acceptor::new(ServerConfig::builder().identity(identity).build().unwrap())
}

async fn pair(pipe: usize) -> (TlsStream<DuplexStream>, TlsStream<DuplexStream>) {
    let (a, b) = duplex(pipe);
    let (connector, acceptor) = (connector(), acceptor());
    let (client, server) = tokio::join!(connector.connect("localhost".try_into().unwrap(), a), acceptor.accept(b));
    (client.unwrap(), server.unwrap())
}

#[tokio::test]
async fn large_transfers_both_ways_through_a_narrow_pipe() {
    let (client, server) = pair(1000).await;
    let (mut cr, cw) = tokio::io::split(client);
    let (mut sr, sw) = tokio::io::split(server);
    let data: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let send = |mut w: tokio::io::WriteHalf<TlsStream<DuplexStream>>, data: Vec<u8>| async move {
        w.write_all(&data).await.unwrap();
        w.shutdown().await.unwrap();
        w
    };
    let (mut got_c, mut got_s) = (Vec::new(), Vec::new());
    let (c, s) = (data.clone(), data.clone());
    let up = async { drop(send(cw, c).await) };
    let down = async { drop(send(sw, s).await) };
    let (_, _, a, b) = tokio::join!(up, down, cr.read_to_end(&mut got_c), sr.read_to_end(&mut got_s));
    a.unwrap();
    b.unwrap();
    assert!(got_c == data && got_s == data);
}

#[tokio::test]
async fn data_is_lent_where_it_was_decrypted() {
    let (mut client, mut server) = pair(5000).await;
    let sent: Vec<u8> = (0..=250).cycle().take(200_000).collect();
    let send = async {
        server.write_all(&sent).await.unwrap();
        server.shutdown().await.unwrap();
    };
    let receive = async {
        let mut got = Vec::new();
        loop {
            let lent = client.fill_buf().await.unwrap();
            let n = lent.len().min(3000);
            if n == 0 {
                return got;
            }
            got.extend_from_slice(&lent[..n]);
            client.consume(n);
        }
    };
    let ((), got) = tokio::join!(send, receive);
    assert!(got == sent);
}

#[tokio::test]
async fn half_close_leaves_the_other_direction_open() {
    let (mut client, mut server) = pair(1 << 16).await;
    client.write_all(b"question").await.unwrap();
    client.shutdown().await.unwrap();
    let mut got = Vec::new();
    server.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"question");
    server.write_all(b"answer").await.unwrap();
    server.shutdown().await.unwrap();
    let mut got = Vec::new();
    client.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"answer");
}

#[tokio::test]
async fn a_truncated_stream_is_an_error_never_an_end() {
    let (mut client, mut server) = pair(1 << 16).await;
    server.write_all(b"part").await.unwrap();
    server.flush().await.unwrap();
    drop(server);
    let mut got = Vec::new();
    let error = client.read_to_end(&mut got).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(got, b"part");
}

#[tokio::test]
async fn a_read_that_is_cancelled_loses_nothing() {
    let (mut client, mut server) = pair(1 << 16).await;
    let mut buf = [0; 8];
    for _ in 0..10 {
        assert!(tokio::time::timeout(Duration::from_millis(1), client.read(&mut buf)).await.is_err());
    }
    for n in 0..50_u8 {
        server.write_all(&[n; 3]).await.unwrap();
        server.flush().await.unwrap();
        let mut one = [0; 3];
        client.read_exact(&mut one).await.unwrap();
        assert_eq!(one, [n; 3]);
    }
}

/// A signer, a verifier and a session store that answer only after another connection has come and gone.
#[tokio::test]
async fn slow_outside_parties_hold_up_only_their_own_connection() {
    let gate = Gate::default();
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    let key: Arc<dyn Signer> = Arc::new(clasp::crypto::PrivateKey::from_der(&issued.key).unwrap());
    let identity = Identity::with_signer(issued.chain, Arc::new(SlowSigner(gate.clone(), key))).unwrap();
    let sessions = SlowSessions(gate.clone(), clasp::session::ServerSessionCache::new(1 << 20));
    let server = ServerConfig::builder().identity(identity).sessions(Arc::new(sessions)).build().unwrap();
    let verifier = SlowVerifier(gate.clone(), Arc::new(WebPki::servers(authority().roots())));
    let client = ClientConfig::builder().dangerous_verifier(Arc::new(verifier)).build().unwrap();
    for round in 0..2 {
        let (a, b) = duplex(1 << 16);
        let (client, server) = (client.clone(), server.clone());
        let slow = tokio::spawn(async move { Acceptor::new(server).accept(b).await });
        let connecting =
            tokio::spawn(async move { Connector::new(client).connect("localhost".try_into().unwrap(), a).await });
        let (mut other, mut peer) = pair(1 << 16).await;
        other.write_all(b"x").await.unwrap();
        assert_eq!(peer.read_u8().await.unwrap(), b'x');
        if round == 0 {
            assert!(!slow.is_finished() && !connecting.is_finished(), "the slow ones did not wait");
        }
        gate.open();
        let (mut connected, mut accepted) = (connecting.await.unwrap().unwrap(), slow.await.unwrap().unwrap());
        assert_eq!(accepted.facts().resumed.is_some(), round == 1, "round {round}");
        // A TLS 1.3 client has its tickets once it has read something.
        accepted.write_all(b"y").await.unwrap();
        assert_eq!(connected.read_u8().await.unwrap(), b'y');
        connected.shutdown().await.unwrap();
    }
}

/// The client's key and the server's verifier answer late; the client does nothing but read.
#[tokio::test]
async fn a_server_asks_for_a_certificate_when_it_has_read_the_request() {
    let (signing, verifying) = (Gate::default(), Gate::default());
    let issued = authority().issue(KeyKind::P256, &["alice"]);
    let key = Arc::new(clasp::crypto::PrivateKey::from_der(&issued.key).unwrap());
    let alice = Identity::with_signer(issued.chain, Arc::new(SlowSigner(signing.clone(), key))).unwrap();
    let verifier = SlowVerifier(verifying.clone(), Arc::new(WebPki::clients(authority().roots())));
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity);
    let server = server.post_handshake_auth(ClientAuth::Require(Arc::new(verifier))).build().unwrap();
    let client = ClientConfig::builder().trust(authority().roots()).post_handshake_auth(true);
    let client = client.identity(alice).build().unwrap();
    let (a, b) = duplex(1000);
    let connecting =
        tokio::spawn(async move { Connector::new(client).connect("localhost".try_into().unwrap(), a).await });
    let mut server = Acceptor::new(server).accept(b).await.unwrap();
    let mut client = connecting.await.unwrap().unwrap();
    assert!(client.request_certificate().is_err(), "a client asks for nothing");
    client.write_all(b"request").await.unwrap();
    let waiting = tokio::spawn(async move { client.read_u8().await.map(|byte| (byte, client)) });
    let asking = tokio::spawn(async move {
        server.request_certificate().unwrap();
        assert!(!server.receive_certificate().await.unwrap(), "the request came first, and has to be read");
        server.read_exact(&mut [0; 7]).await.unwrap();
        assert!(server.receive_certificate().await.unwrap());
        server
    });
    for gate in [signing, verifying] {
        while !gate.is_waited_at() {
            tokio::task::yield_now().await;
        }
        gate.open();
    }
    let mut server = asking.await.unwrap();
    assert!(server.facts().peer_identifiers().iter().any(|name| name.to_string().contains("alice")));
    server.write_all(b"y").await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().0, b'y');
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn early_data_is_given_apart_from_the_stream() {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).max_early_data(100).build().unwrap();
    let client = ClientConfig::builder().trust(authority().roots()).early_data(true).build().unwrap();
    for round in 0..2 {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, client) = (listener.local_addr().unwrap(), client.clone());
        let speaking = std::thread::spawn(move || {
            use std::io::{Read, Write};
            let tcp = std::net::TcpStream::connect(address).unwrap();
            let mut tls = clasp::Stream::new(client.connect("localhost".try_into().unwrap()), tcp);
            let sent = tls.send_early(b"early").unwrap();
            tls.write_all(b"late").unwrap();
            tls.close().unwrap();
            tls.read_to_end(&mut Vec::new()).unwrap();
            sent
        });
        let (tcp, _) = listener.accept().await.unwrap();
        let mut tls = Acceptor::new(server.clone()).accept(tcp).await.unwrap();
        let early = tls.take_early_data();
        let mut late = Vec::new();
        tls.read_to_end(&mut late).await.unwrap();
        tls.shutdown().await.unwrap();
        assert_eq!((&early[..], &late[..]), (if round == 0 { &b""[..] } else { b"early" }, &b"late"[..]));
        assert_eq!(speaking.join().unwrap(), early.len());
    }
}
