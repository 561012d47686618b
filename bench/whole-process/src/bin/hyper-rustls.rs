//! An HTTPS server of hyper and tokio-rustls, for `bench whole-process`: one page from memory, nothing else.
//! Arguments: ADDRESS CERT.pem KEY.pem PAGE

use anyhow::{Context as _, Result};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CipherSuite, ServerConfig};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, cert, key, page] = arguments.as_slice() else {
        anyhow::bail!("usage: hyper-rustls ADDRESS CERT.pem KEY.pem PAGE");
    };
    let acceptor = TlsAcceptor::from(Arc::new(config(cert, key)?));
    let page = Bytes::from(std::fs::read(page).with_context(|| page.clone())?);
    let listener = TcpListener::bind(address).await.with_context(|| address.clone())?;
    loop {
        // Out of file descriptors, say: what is open goes on.
        let Ok((tcp, _)) = listener.accept().await else { continue };
        tokio::spawn(serve(tcp, acceptor.clone(), page.clone()));
    }
}

const SUITES: [CipherSuite; 2] =
    [CipherSuite::TLS13_AES_128_GCM_SHA256, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256];

fn config(cert: &str, key: &str) -> Result<ServerConfig> {
    let chain = CertificateDer::pem_file_iter(cert)?.collect::<Result<Vec<_>, _>>()?;
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    // The suites that the other servers are told to use.
    provider.cipher_suites.retain(|suite| SUITES.contains(&suite.suite()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.send_tls13_tickets = 1;
    config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
    Ok(config)
}

/// A connection that fails is the client's affair: load generators cut theirs off at the end.
async fn serve(tcp: TcpStream, acceptor: TlsAcceptor, page: Bytes) {
    let _unset = tcp.set_nodelay(true);
    let Ok(tls) = acceptor.accept(tcp).await else { return };
    let service = service_fn(move |_: Request<hyper::body::Incoming>| {
        let mut response = Response::new(Full::new(page.clone()));
        let kind = hyper::header::HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert("content-type", kind);
        async move { Ok::<_, Infallible>(response) }
    });
    let _ended = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(tls), service).await;
}
