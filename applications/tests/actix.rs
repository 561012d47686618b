//! actix-tls, both sides, on actix-server; and what it stands on, tokio-native-tls.
#![allow(clippy::unwrap_used)]

mod common;

use actix_rt::net::TcpStream;
use actix_server::TestServer;
use actix_service::{Service as _, ServiceFactoryExt as _, fn_service};
use actix_tls::accept::native_tls::{Acceptor, TlsStream};
use actix_tls::connect::{ConnectInfo, Connector, Resolver, native_tls::TlsConnector};
use clasp_testkit::{KeyKind, authority};
use common::{assert_no_libssl, root};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn acceptor() -> tokio_native_tls::TlsAcceptor {
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    let identity = native_tls::Identity::from_pkcs8(issued.chain_pem.as_bytes(), issued.key_pem.as_bytes()).unwrap();
    native_tls::TlsAcceptor::new(identity).unwrap().into()
}

fn connector(trusts: bool) -> native_tls::TlsConnector {
    let mut builder = native_tls::TlsConnector::builder();
    builder.disable_built_in_roots(true);
    if trusts {
        builder.add_root_certificate(native_tls::Certificate::from_pem(root().as_bytes()).unwrap());
    }
    builder.build().unwrap()
}

#[actix_rt::test]
async fn actix_tls_connects_and_accepts() {
    // Gives everything back, up to the client's end.
    let server = TestServer::start(|| {
        let echo = fn_service(|mut tls: TlsStream<TcpStream>| async move {
            let mut all = Vec::new();
            tls.read_to_end(&mut all).await.unwrap();
            tls.write_all(&all).await.unwrap();
            tls.shutdown().await.unwrap();
            Ok::<_, ()>(())
        });
        Acceptor::new(acceptor()).map_err(drop).and_then(echo)
    });
    let to = || ConnectInfo::new("localhost").set_addr(server.addr());
    let tcp = Connector::new(Resolver::default()).service();
    let connection = tcp.call(to()).await.unwrap();
    let (mut tls, _) = TlsConnector::new(connector(true)).call(connection).await.unwrap().into_parts();
    let word = vec![b'x'; 100_000];
    tls.write_all(&word).await.unwrap();
    tls.shutdown().await.unwrap();
    let mut heard = Vec::new();
    tls.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, word);

    let connection = tcp.call(to()).await.unwrap();
    let refused = TlsConnector::new(connector(false)).call(connection).await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("certificate"), "{refused}");
    assert_no_libssl();
}

/// A stream that is dropped without a word, as many of this API's programs do, ends the other side's data.
#[tokio::test]
async fn tokio_native_tls_meets_itself_and_drops_its_stream() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let mut tls = acceptor().accept(listener.accept().await.unwrap().0).await.unwrap();
        tls.write_all(b"all of it").await.unwrap();
        tls.flush().await.unwrap();
    });
    let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut tls = tokio_native_tls::TlsConnector::from(connector(true)).connect("localhost", tcp).await.unwrap();
    let mut heard = Vec::new();
    tls.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"all of it");
    assert!(tls.get_ref().is_truncated());
    server.await.unwrap();
}
