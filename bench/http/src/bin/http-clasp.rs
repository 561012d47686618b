//! A hyper client and an axum server over Clasp.

use anyhow::{Result, bail};
use bench_http::{Stack, app};
use clasp::config::WebPki;
use clasp::crypto::Provider;
use clasp::session::{ClientSessions, PeerKey, Session, TicketKeys};
use clasp::{CipherSuite, ClientConfig, Identity, NamedGroup, Policy, Roots, ServerConfig};
use clasp_axum::{TlsAcceptor, TlsListener};
use clasp_hyper::HttpsConnector;
use hyper_util::client::legacy::connect::Connect;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

fn main() -> Result<()> {
    bench_http::main::<Clasp>()
}

struct Clasp;

impl Stack for Clasp {
    fn connector(root: &str, protocol: &'static str) -> Result<impl Connect + Clone + Send + Sync + 'static> {
        let mut roots = Roots::empty();
        roots.add_pem(&std::fs::read(root)?)?;
        let config = ClientConfig::builder()
            // Every chain is checked anew, as rustls does.
            .trust(WebPki::servers(Arc::new(roots)).remember(0))
            .policy(policy())
            .sessions(Arc::new(Forgetful))
            .alpn([protocol])
            .build()?;
        Ok(HttpsConnector::new(config)?)
    }

    async fn serve(server: &str, address: SocketAddr, cert: &str, key: &str) -> Result<()> {
        let day = Duration::from_secs(24 * 3600);
        let config = ServerConfig::builder()
            .identity(Identity::from_pem_files(cert, key)?)
            .policy(policy())
            .tickets(Arc::new(TicketKeys::random(Provider::builtin(), day, day)?))
            .tickets_per_handshake(1)
            .build()?;
        match server {
            "axum" => axum::serve(TlsListener::bind(address, config).await?, app()).await?,
            "axum-server" => {
                let acceptor = TlsAcceptor::new(config)?;
                axum_server::bind(address).acceptor(acceptor).serve(app().into_make_service()).await?;
            }
            other => bail!("no server {other:?}"),
        }
        Ok(())
    }
}

/// What the other stack is told to use, too.
fn policy() -> Policy {
    Policy::modern().with_suites([CipherSuite::TLS_AES_128_GCM_SHA256]).with_groups([NamedGroup::X25519])
}

/// Takes tickets and never offers one, as rustls does that is told to resume nothing.
struct Forgetful;

impl ClientSessions for Forgetful {
    fn put(&self, _: &PeerKey, _: Session) {}

    fn take(&self, _: &PeerKey) -> Option<Session> {
        None
    }
}
