//! Nobody holds a connection for ever: not a party outside that never answers, not a peer that says nothing. Tokio's clock
//! stands while anybody can go on, so that each limit is seen to be the one it is.
#![allow(clippy::unwrap_used)]

mod common;

use clasp::config::{Signer, WebPki};
use clasp::{ClientAuth, ClientConfig, Identity, ServerConfig, TimeLimits};
use clasp_testkit::{Gate, KeyKind, SlowSessions, SlowSigner, SlowVerifier, authority};
use clasp_tokio::{Acceptor, Connector};
use common::Evil;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::{Instant, timeout};

const OUTSIDE: Duration = Duration::from_secs(10);
const HANDSHAKE: Duration = Duration::from_secs(30);

fn connector() -> Connector {
    Connector::new(ClientConfig::builder().trust(authority().roots()).build().unwrap())
}

fn slow_identity(gate: &Gate) -> Identity {
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    let key: Arc<dyn Signer> = Arc::new(clasp::crypto::PrivateKey::from_der(&issued.key).unwrap());
    Identity::with_signer(issued.chain, Arc::new(SlowSigner(gate.clone(), key))).unwrap()
}

fn slow_signer() -> Acceptor {
    Acceptor::new(ServerConfig::builder().identity(slow_identity(&Gate::default())).build().unwrap())
}

/// What is no hello is anybody's to send.
#[test]
fn without_limits_no_timer_is_asked_of_a_runtime_that_has_none() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let acceptor = slow_signer().with_limits(TimeLimits::none());
    runtime.block_on(async {
        for peeked in [false, true] {
            let (mut client, b) = duplex(1 << 16);
            client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            let refused = if peeked {
                acceptor.peek(b).await.map(drop).unwrap_err().refuse().await
            } else {
                acceptor.accept(b).await.map(drop).unwrap_err()
            };
            let hear = async {
                let mut alert = [0; 7];
                client.read_exact(&mut alert).await.unwrap();
                drop(client);
                alert
            };
            let (error, alert) = tokio::join!(refused.close(), hear);
            assert!(error.to_string().contains("HTTP"), "{error}");
            assert_eq!((alert[0], alert[5]), (21, 2), "a fatal alert");
        }
    });
}

/// That it took this long, a little more, and no more.
fn assert_took(began: Instant, limit: Duration) {
    let took = began.elapsed();
    assert!(took >= limit && took < limit + Duration::from_secs(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_never_signs_is_waited_for_ten_seconds_and_the_client_is_told() {
    let (a, b) = duplex(1 << 16);
    let began = Instant::now();
    let (connector, acceptor) = (connector(), slow_signer());
    let (told, refused) = tokio::join!(connector.connect("localhost".try_into().unwrap(), a), acceptor.accept(b));
    let error = refused.map(drop).unwrap_err().into_parts().0;
    assert_took(began, OUTSIDE);
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let inner = clasp::Error::from_io(&error).unwrap();
    assert!(inner.to_string().contains("private key"), "{inner}");
    assert!(inner.hint_text().unwrap().contains("TimeLimits"), "{inner:?}");
    assert!(told.unwrap_err().to_string().contains("internal_error"));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_holds_not_even_a_finished_handshake() {
    let sessions = SlowSessions(Gate::default(), clasp::session::ServerSessionCache::new(1 << 20));
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).sessions(Arc::new(sessions)).build().unwrap();
    let limits = TimeLimits::default().outside(Duration::from_secs(3));
    let acceptor = Acceptor::new(server).with_limits(limits);
    let (a, b) = duplex(1 << 16);
    let began = Instant::now();
    let connector = connector();
    let (_client, refused) = tokio::join!(connector.connect("localhost".try_into().unwrap(), a), acceptor.accept(b));
    assert_took(began, Duration::from_secs(3));
    assert_eq!(refused.map(drop).unwrap_err().into_parts().0.kind(), ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_nothing_or_drips_is_waited_for_thirty_seconds() {
    for drips in [false, true] {
        let (mut a, b) = duplex(1 << 16);
        let dripping = tokio::spawn(async move {
            for byte in [&[22, 3, 1, 0x10, 0, 1, 0, 0x0f, 0xfc][..], &[3; 4000]].concat() {
                if drips && a.write_all(&[byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        let began = Instant::now();
        let (error, transport) = slow_signer().accept(b).await.map(drop).unwrap_err().into_parts();
        assert_took(began, HANDSHAKE);
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.to_string().contains("ClientHello"), "{error}");
        drop(transport);
        dripping.abort();
    }
    // And so with a server that takes the connection and says nothing.
    let (a, _b) = duplex(1 << 16);
    let began = Instant::now();
    let error = connector().connect("localhost".try_into().unwrap(), a).await.unwrap_err();
    assert_took(began, HANDSHAKE);
    assert!(error.to_string().contains("ServerHello"), "{error}");
    let (a, _b) = duplex(1 << 16);
    let patient = connector().with_limits(TimeLimits::none());
    let waits = timeout(10 * HANDSHAKE, patient.connect("localhost".try_into().unwrap(), a)).await;
    assert!(waits.is_err(), "whoever wants to wait for ever may");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_leaves_while_a_key_is_waited_for_is_noticed() {
    for seed in 0..20 {
        let (a, b) = Evil::pair(seed, false, 10_000);
        let began = Instant::now();
        let leaving = async {
            // The hello goes out, and the client has enough.
            let connector = connector();
            let connecting = connector.connect("localhost".try_into().unwrap(), a);
            assert!(timeout(Duration::from_millis(100), connecting).await.is_err());
        };
        let acceptor = slow_signer();
        let ((), refused) = tokio::join!(leaving, acceptor.accept(b));
        let error = refused.map(drop).unwrap_err().into_parts().0;
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "seed {seed}: {error}");
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
}

/// What the client said before it left is taken first: it may be all there is to it.
#[tokio::test(start_paused = true)]
async fn a_client_that_has_said_all_and_left_is_heard_when_the_store_answers() {
    let gate = Gate::default();
    let sessions = SlowSessions(gate.clone(), clasp::session::ServerSessionCache::new(1 << 20));
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).sessions(Arc::new(sessions)).build().unwrap();
    let (a, b) = duplex(1 << 16);
    let saying = async {
        let mut client = connector().connect("localhost".try_into().unwrap(), a).await?;
        client.write_all(b"all there is").await?;
        client.shutdown().await?;
        drop(client);
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        assert!(gate.is_waited_at());
        gate.open();
        Ok::<(), io::Error>(())
    };
    let acceptor = Acceptor::new(server);
    let hearing = async {
        let mut tls = acceptor.accept(b).await?;
        let mut got = String::new();
        tls.read_to_string(&mut got).await.map(|_| got)
    };
    let (said, heard) = tokio::join!(saying, hearing);
    said.unwrap();
    assert_eq!(heard.unwrap(), "all there is");
}

#[tokio::test(start_paused = true)]
async fn a_verifier_that_never_answers_after_the_handshake_ends_the_reading() {
    let verifier = SlowVerifier(Gate::default(), Arc::new(WebPki::clients(authority().roots())));
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity);
    let server = server.post_handshake_auth(ClientAuth::Require(Arc::new(verifier))).build().unwrap();
    let alice = authority().issue(KeyKind::P256, &["alice"]).identity();
    let client = ClientConfig::builder().trust(authority().roots()).post_handshake_auth(true);
    let client = Connector::new(client.identity(alice).build().unwrap());
    let (a, b) = duplex(1 << 16);
    let acceptor = Acceptor::new(server);
    let (client, server) = tokio::join!(client.connect("localhost".try_into().unwrap(), a), acceptor.accept(b));
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    server.request_certificate().unwrap();
    server.flush().await.unwrap();
    let answering = tokio::spawn(async move { client.read_u8().await });
    let began = Instant::now();
    let error = server.receive_certificate().await.unwrap_err();
    assert_took(began, OUTSIDE);
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(server.read_u8().await.unwrap_err().kind(), ErrorKind::TimedOut, "and stays so");
    assert!(answering.await.unwrap().unwrap_err().to_string().contains("internal_error"));
}
