//! Endpoints of Clasp and of rustls, and what all of them do.

use clasp::config::{ClientBuilder, Ready, ServerBuilder};
use clasp_testkit::{KeyKind, authority};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::rustls::{self, RootCertStore, pki_types::PrivateKeyDer};
use quinn::{Connecting, Connection, Endpoint, EndpointConfig, TokioRuntime};
use std::future::Future;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const LOOPBACK: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

/// A runtime with several threads, and an end to all that waits.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap();
    let limited = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), test).await });
    runtime.shutdown_background();
    limited.expect("a test that waits for ever")
}

pub(crate) fn client() -> ClientBuilder<Ready> {
    clasp::ClientConfig::builder().trust(authority().roots()).alpn(["test"]).early_data(true)
}

pub(crate) fn server() -> ServerBuilder<Ready> {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    clasp::ServerConfig::builder().identity(identity).alpn(["test"]).max_early_data(1)
}

pub(crate) fn clasp_client() -> Endpoint {
    clasp_quinn::client(client().build().unwrap(), LOOPBACK.into()).unwrap()
}

pub(crate) fn clasp_server() -> Endpoint {
    clasp_quinn::server(server().build().unwrap(), LOOPBACK.into()).unwrap()
}

pub(crate) fn rustls_client(alpn: &str) -> Endpoint {
    let mut roots = RootCertStore::empty();
    roots.add(authority().der().to_vec().into()).unwrap();
    let mut config = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.into()];
    config.enable_early_data = true;
    let crypto = QuicClientConfig::try_from(config).unwrap();
    let mut endpoint = Endpoint::client(LOOPBACK.into()).unwrap();
    endpoint.set_default_client_config(quinn::ClientConfig::new(Arc::new(crypto)));
    endpoint
}

pub(crate) fn rustls_server(alpn: &str) -> Endpoint {
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    let chain = issued.chain.iter().map(|der| der.to_vec().into()).collect();
    let mut config = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::try_from(issued.key.to_vec()).unwrap())
        .unwrap();
    config.alpn_protocols = vec![alpn.into()];
    config.max_early_data_size = u32::MAX;
    let crypto = QuicServerConfig::try_from(config).unwrap();
    let config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    let socket = UdpSocket::bind(SocketAddr::from(LOOPBACK)).unwrap();
    Endpoint::new(EndpointConfig::default(), Some(config), socket, Arc::new(TokioRuntime)).unwrap()
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Serves echoes until the endpoint goes; with a Retry first if that is asked for.
pub(crate) fn echo(endpoint: Endpoint, retry: bool) {
    tokio::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            if retry && !incoming.remote_address_validated() {
                incoming.retry().unwrap();
                continue;
            }
            let Ok(connecting) = incoming.accept() else { continue };
            tokio::spawn(echoes(connecting));
        }
    });
}

/// Answers one client.
pub(crate) async fn echoes(connecting: Connecting) {
    // What came early is answered before the client has finished.
    let connection = match connecting.into_0rtt() {
        Ok((connection, _)) => connection,
        Err(connecting) => connecting.await.unwrap(),
    };
    while let Ok((mut send, mut receive)) = connection.accept_bi().await {
        let Ok(said) = receive.read_to_end(1 << 24).await else { return };
        send.write_all(&said).await.unwrap();
        send.finish().unwrap();
    }
}

pub(crate) async fn ask(connection: &Connection, said: &[u8]) {
    let (mut send, mut receive) = connection.open_bi().await.unwrap();
    let sending = async {
        send.write_all(said).await.unwrap();
        send.finish().unwrap();
    };
    let (heard, ()) = tokio::join!(receive.read_to_end(1 << 24), sending);
    assert!(heard.unwrap() == said, "an echo of {} bytes", said.len());
}
