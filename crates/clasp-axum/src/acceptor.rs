//! Clients for `axum_server::bind`.

use crate::{TlsInfo, with_protocols};
use axum::Extension;
use axum::extract::ConnectInfo;
use axum::middleware::AddExtension;
use axum_server::accept::Accept;
use clasp::{ServerConfig, TimeLimits};
use clasp_tokio::{Acceptor, TlsStream};
use core::pin::Pin;
use std::future::Future;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tower_layer::Layer;

/// TLS for [axum-server](https://docs.rs/axum-server), which serves each connection in a task of its own, and its handshake with it.
/// Handlers have `ConnectInfo<TlsInfo>`.
///
/// ```no_run
/// # async fn run(config: std::sync::Arc<clasp::ServerConfig>, app: axum::Router) -> std::io::Result<()> {
/// let acceptor = clasp_axum::TlsAcceptor::new(config)?;
/// let address = std::net::SocketAddr::from(([127, 0, 0, 1], 8443));
/// axum_server::bind(address).acceptor(acceptor).serve(app.into_make_service()).await
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TlsAcceptor(Acceptor);

impl TlsAcceptor {
    /// With this configuration. One without application protocols offers HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// None that a configuration which was built can have.
    pub fn new(config: Arc<ServerConfig>) -> clasp::Result<Self> {
        Ok(Self(Acceptor::new(with_protocols(config)?)))
    }

    /// With other time limits than 30 seconds for a handshake and 10 for each answer of a party outside.
    #[must_use]
    pub fn with_limits(self, limits: TimeLimits) -> Self {
        Self(self.0.with_limits(limits))
    }
}

/// What a [`TlsAcceptor`] gives: a connection and its service, in a while.
pub type Accepting<S> = Pin<Box<dyn Future<Output = io::Result<(TlsStream<TcpStream>, WithInfo<S>)>> + Send>>;

/// A service to which each request says who the client is.
type WithInfo<S> = AddExtension<S, ConnectInfo<TlsInfo>>;

impl<S: Send + 'static> Accept<TcpStream, S> for TlsAcceptor {
    type Stream = TlsStream<TcpStream>;
    type Service = WithInfo<S>;
    type Future = Accepting<S>;

    fn accept(&self, tcp: TcpStream, service: S) -> Self::Future {
        let acceptor = self.0.clone();
        Box::pin(async move {
            let remote_addr = tcp.peer_addr()?;
            // A socket that takes no option is one whose peer has left: the handshake will say so.
            let _left = tcp.set_nodelay(true);
            let tls = match acceptor.accept(tcp).await {
                Ok(tls) => tls,
                // In a way in which the alert arrives.
                Err(refused) => return Err(refused.close().await),
            };
            let info = TlsInfo { remote_addr, facts: tls.facts().clone() };
            Ok((tls, Extension(ConnectInfo(info)).layer(service)))
        })
    }
}
