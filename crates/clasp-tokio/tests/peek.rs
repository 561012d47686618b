//! A client's hello is looked at first: then it is served, passed on unread, or turned away.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use clasp::wire::code::{AlertDescription, ProtocolVersion};
use clasp::{ClientConfig, ServerConfig};
use clasp_testkit::{KeyKind, authority};
use clasp_tokio::{Acceptor, Connector, PeekError, Pending};
use common::Evil;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, copy_bidirectional, duplex};
use tokio::time::Instant;

fn connector() -> Connector {
    Connector::new(ClientConfig::builder().trust(authority().roots()).alpn(["h2"]).build().unwrap())
}

fn server(name: &str) -> Arc<ServerConfig> {
    let identity = authority().issue(KeyKind::P256, &[name]).identity();
    ServerConfig::builder().identity(identity).alpn(["h2"]).build().unwrap()
}

fn acceptor() -> Acceptor {
    // It decides nothing here.
    Acceptor::new(server("nobody.example"))
}

async fn ask(name: &'static str, transport: DuplexStream) -> io::Result<String> {
    let mut tls = connector().connect(name.try_into().unwrap(), transport).await?;
    tls.write_all(b"word").await?;
    tls.shutdown().await?;
    let mut heard = String::new();
    tls.read_to_string(&mut heard).await?;
    Ok(heard)
}

async fn answer(pending: Pending<DuplexStream>, name: &str) -> io::Result<()> {
    let mut tls = pending.accept(server(name)).await?;
    let mut word = String::new();
    tls.read_to_string(&mut word).await?;
    tls.write_all(word.to_uppercase().as_bytes()).await?;
    tls.shutdown().await
}

#[tokio::test]
async fn a_client_is_served_by_the_configuration_that_its_hello_chooses() {
    for name in ["a.example", "b.example"] {
        let (a, b) = duplex(1 << 16);
        let serving = async {
            let pending = acceptor().peek(b).await.unwrap();
            let hello = pending.hello();
            assert_eq!(hello.server_name(), Some(name));
            assert_eq!(hello.alpn().collect::<Vec<_>>(), [b"h2"]);
            assert!(hello.versions().any(|version| version == ProtocolVersion::Tls13));
            assert!(hello.ja4().starts_with("t13d"), "{}", hello.ja4());
            assert!(pending.bytes().windows(hello.message().len()).any(|part| part == hello.message()));
            answer(pending, name).await.unwrap();
        };
        let (heard, ()) = tokio::join!(ask(name, a), serving);
        assert_eq!(heard.unwrap(), "WORD");
    }
}

/// The server behind has the key; whoever stands between has read the hello alone.
#[tokio::test]
async fn a_client_is_passed_through_unread() {
    let (a, b) = duplex(1 << 16);
    let (mut inner, behind) = duplex(1 << 16);
    let between = async {
        let pending = acceptor().peek(b).await.unwrap();
        copy_bidirectional(&mut pending.pass_through(), &mut inner).await.unwrap();
    };
    let serving = async {
        let pending = acceptor().peek(behind).await.unwrap();
        answer(pending, "c.example").await.unwrap();
    };
    let (heard, (), ()) = tokio::join!(ask("c.example", a), between, serving);
    assert_eq!(heard.unwrap(), "WORD");
}

#[tokio::test]
async fn a_client_is_turned_away_with_an_alert() {
    let (a, b) = duplex(1 << 16);
    let serving = async {
        let pending = acceptor().peek(b).await.unwrap();
        pending.refuse(AlertDescription::UnrecognizedName).await.close().await
    };
    let (told, refusal) = tokio::join!(ask("d.example", a), serving);
    assert!(told.unwrap_err().to_string().contains("unrecognized_name"));
    assert!(refusal.to_string().contains("refused the peer"), "{refusal}");
}

/// A transport that gives bytes one at a time, whenever it likes.
#[tokio::test]
async fn a_hello_comes_in_pieces() {
    for seed in 0..20 {
        let (a, b) = Evil::pair(seed, seed.is_multiple_of(2), 700);
        let connecting = async { connector().connect("e.example".try_into().unwrap(), a).await };
        let serving = async {
            let pending = acceptor().peek(b).await.unwrap();
            assert_eq!(pending.hello().server_name(), Some("e.example"));
            pending.accept(server("e.example")).await
        };
        let (client, server) = tokio::join!(connecting, serving);
        let (mut client, mut server) = (client.unwrap(), server.unwrap());
        let (sent, got) = tokio::join!(
            async {
                client.write_all(b"hear").await?;
                client.flush().await
            },
            async {
                let mut got = [0; 4];
                server.read_exact(&mut got).await.map(|_| got)
            }
        );
        sent.unwrap();
        assert_eq!(&got.unwrap(), b"hear", "seed {seed}");
    }
}

async fn peek_at(bytes: &[u8]) -> (PeekError<DuplexStream>, DuplexStream) {
    let (mut a, b) = duplex(1 << 17);
    a.write_all(bytes).await.unwrap();
    (acceptor().peek(b).await.map(drop).unwrap_err(), a)
}

/// Another protocol: it is told so, or given to somebody who speaks it, with nothing missing.
#[tokio::test]
async fn what_is_no_tls_can_be_refused_or_passed_through() {
    let plain = b"GET / HTTP/1.1\r\nhost: f.example\r\n\r\n";
    let (error, mut client) = peek_at(plain).await;
    assert!(error.to_string().contains("HTTP") && format!("{error:?}").contains("HTTP"), "{error}");
    assert_eq!(error.bytes(), plain);
    let (error, transport) = error.refuse().await.into_parts();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    drop(transport);
    let mut alert = Vec::new();
    client.read_to_end(&mut alert).await.unwrap();
    assert_eq!(alert, [21, 3, 3, 0, 2, 2, 70], "protocol_version");

    let (error, mut client) = peek_at(plain).await;
    let mut through = error.pass_through();
    let mut few = [0; 5];
    through.read_exact(&mut few).await.unwrap();
    client.write_all(b"more").await.unwrap();
    through.write_all(b"HTTP/1.1 200").await.unwrap();
    drop(client.shutdown().await);
    let mut rest = Vec::new();
    through.read_to_end(&mut rest).await.unwrap();
    assert_eq!([&few[..], &rest].concat(), [&plain[..], b"more"].concat());
    let mut said = [0; 12];
    client.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"HTTP/1.1 200");

    let (error, _client) = peek_at(plain).await;
    let mut through = error.pass_through();
    through.read_exact(&mut few).await.unwrap();
    assert_eq!(through.into_parts().0, plain[5..]);
}

#[tokio::test(start_paused = true)]
async fn a_hello_has_a_limit_of_time_and_one_of_size() {
    for drips in [false, true] {
        let (mut a, b) = duplex(1 << 16);
        let dripping = tokio::spawn(async move {
            for byte in [22, 3, 1, 2, 0, 1, 0, 1, 0xfc].into_iter().chain([3; 400]) {
                if drips && a.write_all(&[byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        let began = Instant::now();
        let error = acceptor().peek(b).await.map(drop).unwrap_err();
        let took = began.elapsed();
        assert!(took >= Duration::from_secs(30) && took < Duration::from_secs(31), "{took:?}");
        assert_eq!(error.error().kind(), ErrorKind::TimedOut);
        assert_eq!(error.bytes().is_empty(), !drips);
        dripping.abort();
    }
    // Fragments of a hello that says it has 60 KB.
    let endless =
        [&[22, 3, 1, 0x40, 0, 1, 0, 0xea, 0x60][..], &[3; 16_380], &[22, 3, 1, 0x40, 0], &[3; 16_384]].concat();
    let (error, _client) = peek_at(&endless).await;
    assert!(error.to_string().contains("within 16384 bytes"), "{error}");
    let (mut a, b) = duplex(1 << 17);
    a.write_all(&endless[..1000]).await.unwrap();
    let error = acceptor().hello_limit(1000).peek(b).await.map(drop).unwrap_err();
    assert!(error.to_string().contains("within 1000 bytes"), "{error}");
    let (a, b) = duplex(1 << 17);
    drop(a);
    let error = io::Error::from(acceptor().peek(b).await.map(drop).unwrap_err());
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn a_hello_is_read_without_a_configuration() {
    let (a, b) = duplex(1 << 16);
    let serving = async {
        let pending = Pending::peek(b, clasp::TimeLimits::default()).await.unwrap();
        assert_eq!(pending.hello().server_name(), Some("a.example"));
        answer(pending, "a.example").await.unwrap();
    };
    let (heard, ()) = tokio::join!(ask("a.example", a), serving);
    assert_eq!(heard.unwrap(), "WORD");
    let limits = clasp::TimeLimits::default().handshake(Duration::from_millis(20));
    let (_silent, b) = duplex(1 << 16);
    assert_eq!(Pending::peek(b, limits).await.unwrap_err().error().kind(), ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_peer_is_turned_away_after_its_handshake_with_an_alert() {
    let (a, b) = duplex(1 << 16);
    let serving = async {
        let tls = acceptor().peek(b).await.unwrap().accept(server("a.example")).await.unwrap();
        let refused = tls.refuse(AlertDescription::AccessDenied).await;
        let error = refused.close().await;
        assert_eq!(clasp::Error::from_io(&error).unwrap().alert(), AlertDescription::AccessDenied);
    };
    let (heard, ()) = tokio::join!(ask("a.example", a), serving);
    let alert = clasp::Error::from_io(&heard.unwrap_err()).and_then(clasp::Error::peer_alert);
    assert_eq!(alert, Some(AlertDescription::AccessDenied));
}
