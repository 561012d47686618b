//! A hyper client over hyper-rustls and an axum server over tokio-rustls.

use anyhow::{Result, ensure};
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use bench_http::{Stack, app};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::TLS13;
use rustls::{CipherSuite, ClientConfig, RootCertStore, ServerConfig};
use std::net::SocketAddr;
use std::sync::Arc;

fn main() -> Result<()> {
    bench_http::main::<Rustls>()
}

struct Rustls;

impl Stack for Rustls {
    fn connector(root: &str, protocol: &'static str) -> Result<impl Connect + Clone + Send + Sync + 'static> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(root)?)?;
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        // As Clasp's does.
        http.set_nodelay(true);
        let builder = HttpsConnectorBuilder::new().with_tls_config(config).https_only();
        Ok(match protocol {
            "h2" => builder.enable_http2().wrap_connector(http),
            _ => builder.enable_http1().wrap_connector(http),
        })
    }

    async fn serve(server: &str, address: SocketAddr, cert: &str, key: &str) -> Result<()> {
        ensure!(server == "axum-server", "axum::serve has no listener for rustls");
        let chain = CertificateDer::pem_file_iter(cert)?.collect::<Result<Vec<_>, _>>()?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])?
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.send_tls13_tickets = 1;
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        let acceptor =
            RustlsAcceptor::new(RustlsConfig::from_config(Arc::new(config))).acceptor(NoDelayAcceptor::new());
        axum_server::bind(address).acceptor(acceptor).serve(app().into_make_service()).await?;
        Ok(())
    }
}

/// The suite and group that the other stack is told to use, too.
fn provider() -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.retain(|suite| suite.suite() == CipherSuite::TLS13_AES_128_GCM_SHA256);
    provider.kx_groups = vec![kx_group::X25519];
    Arc::new(provider)
}
