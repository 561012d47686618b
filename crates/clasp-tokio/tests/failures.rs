//! What a failed connection reads like to whoever unwraps it.
#![allow(clippy::unwrap_used, clippy::panic)]

use clasp::crypto::Provider;
use clasp::ech::{EchKey, EchKeyRing, EchKeyStore, EchMode, EchParameters};
use clasp::error::{Cause, PeerError};
use clasp::{ClientConfig, Error, ServerConfig};
use clasp_testkit::{Authority, KeyKind, authority};
use clasp_tokio::{Acceptor, Connector};
use std::fmt::Debug;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

fn client(of: &Authority) -> Connector {
    Connector::new(ClientConfig::builder().trust(of.roots()).build().unwrap())
}

fn server(names: &[&str]) -> Acceptor {
    let identity = authority().issue(KeyKind::P256, names).identity();
    Acceptor::new(ServerConfig::builder().identity(identity).build().unwrap())
}

fn of_client(result: io::Result<impl Sized>) -> String {
    shown(&result.map(drop).unwrap_err())
}

/// As `unwrap` and `main` show it; and the same once more where `?` has made it any error at all.
fn shown<E: Debug>(error: &E) -> String {
    format!("{error:?}")
}

#[tokio::test]
async fn both_sides_read_as_people_read() {
    let (a, b) = duplex(1 << 16);
    let (connector, acceptor) = (client(&Authority::new("Another CA")), server(&["localhost"]));
    let (connected, accepted) = tokio::join!(connector.connect("localhost".try_into().unwrap(), a), acceptor.accept(b));
    assert_eq!(
        of_client(connected),
        "Custom { kind: InvalidData, error: the certificate's issuer is not trusted; seen: certificate 0 (CN=localhost): issuer \
         CN=Clasp Test CA, which is neither a trusted root nor sent along; wanted: a chain to one of the 1 trusted roots \
         (RFC 5280 6.1) (in Certificate) [client TLS 1.3]; hint: trust its issuer, or have the peer send its whole chain }"
    );
    let refused = accepted.map(drop).unwrap_err();
    let words = "the peer refused with the alert unknown_ca; seen: as the answer to our Finished [server TLS 1.3]; hint: the \
                 peer does not trust our certificate: give it our CA";
    assert_eq!(shown(&refused), words, "no io::Error around it");
    assert!(format!("{refused:#?}").contains("cause: Alert("), "{refused:#?}");
    let any: Box<dyn std::error::Error + Send + Sync> = refused.into();
    assert_eq!(shown(&any), words);
}

#[tokio::test]
async fn a_name_that_the_certificate_lacks_is_told_with_those_it_has() {
    let (a, b) = duplex(1 << 16);
    let (connector, acceptor) = (client(authority()), server(&["www.example"]));
    let (connected, _) = tokio::join!(connector.connect("localhost".try_into().unwrap(), a), acceptor.accept(b));
    let shown = of_client(connected);
    assert!(shown.contains("seen: certificate 0 (CN=www.example): www.example; wanted: localhost"), "{shown}");
}

#[tokio::test]
async fn plain_http_is_told_to_both_sides() {
    let http = |words: &'static [u8], mut peer: DuplexStream| async move {
        peer.write_all(words).await.unwrap();
        peer.read_to_end(&mut Vec::new()).await.unwrap();
    };
    let (a, b) = duplex(1 << 16);
    let connecting = async { of_client(client(authority()).connect("localhost".try_into().unwrap(), a).await) };
    let (shown, ()) = tokio::join!(connecting, http(b"HTTP/1.1 400 Bad Request\r\n\r\n", b));
    assert_eq!(
        shown,
        "Custom { kind: InvalidData, error: the peer speaks plain HTTP, not TLS [client]; hint: the port speaks plain HTTP: try \
         another port, or http:// }"
    );
    let (a, b) = duplex(1 << 16);
    let accepting = async {
        let refused = server(&["localhost"]).accept(a).await.map(drop).unwrap_err();
        assert_eq!(Error::from_io(refused.error()).unwrap().alert().name(), "protocol_version");
        refused.to_string()
    };
    let (shown, ()) = tokio::join!(accepting, http(b"GET / HTTP/1.1\r\n\r\n", b));
    assert!(shown.starts_with("the peer speaks plain HTTP, not TLS [server]; hint: "), "{shown}");
}

/// One that is gone before anything was said.
#[tokio::test]
async fn a_peer_that_leaves_is_no_riddle() {
    let (a, b) = duplex(1 << 16);
    drop(b);
    let gone = server(&["localhost"]).accept(a).await.map(drop).unwrap_err();
    let words = "the peer closed the connection during the handshake; wanted: ClientHello [server]";
    assert_eq!(shown(&gone), words);
    assert_eq!(io::Error::from(gone).kind(), io::ErrorKind::UnexpectedEof);
}

/// Encrypted Client Hello, RFC 9849 6.1.6: by what the server gives a client hides once more, and no third time.
#[tokio::test]
async fn a_hello_that_was_not_heard_is_hidden_once_more() {
    let key = || EchKey::generate(Provider::builtin(), &EchParameters::new("public.example")).unwrap();
    let acceptor = |key: Option<EchKey>| {
        let identity = authority().issue(KeyKind::P256, &["public.example", "hidden.example"]).identity();
        let server = ServerConfig::builder().identity(identity);
        let keys = key.map(|key| Arc::new(EchKeyStore::new(EchKeyRing::new([key]).unwrap())));
        Acceptor::new(
            keys.into_iter().fold(server, |server, keys| server.encrypted_client_hello(keys)).build().unwrap(),
        )
    };
    let one = acceptor(Some(key()));
    for (what, servers, outcome) in [
        ("another key", vec![one.clone(), one], Ok(())),
        ("another each time", vec![acceptor(Some(key())), acceptor(Some(key()))], Err(PeerError::EchRejected)),
        ("no keys", vec![acceptor(None)], Err(PeerError::EchDisabled)),
    ] {
        let client = ClientConfig::builder().trust(authority().roots());
        let client = client.encrypted_client_hello(EchMode::Offer(key().list().clone())).build().unwrap();
        let mut servers = servers.into_iter();
        let dial = || {
            let (a, b) = duplex(1 << 16);
            let server = servers.next().unwrap();
            tokio::spawn(async move { server.accept(b).await.map(drop) });
            async { Ok(a) }
        };
        let connected = Connector::new(client).connect_again_unheard("hidden.example".try_into().unwrap(), dial).await;
        match (connected, outcome) {
            (Ok(stream), Ok(())) => {
                let facts = stream.facts();
                assert!(facts.encrypted_client_hello.as_ref().is_some_and(|ech| ech.accepted), "{what}");
            }
            (Err(error), Err(row)) => assert_eq!(Error::from_io(&error).unwrap().cause(), &Cause::Peer(row), "{what}"),
            (other, _) => panic!("{what}: {:?}", other.map(drop)),
        }
        assert_eq!(servers.len(), 0, "{what}: as many connections as that");
    }
}
