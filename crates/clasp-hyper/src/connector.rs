//! From an address to a connection.

use crate::{BoxError, HttpsStream};
use clasp::{ClientConfig, ServerName, TimeLimits};
use clasp_tokio::Connector;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use http::Uri;
use http::uri::Scheme;
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::sync::Arc;
use tower_service::Service;

/// What is offered where the configuration says nothing: HTTP/2, and HTTP/1.1.
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Connects to `https://` addresses: over TCP, or over whatever another connector gives.
#[derive(Clone)]
pub struct HttpsConnector<C = HttpConnector> {
    inner: C,
    tls: Connector,
    server_name: Option<ServerName<'static>>,
    allow_http: bool,
}

impl HttpsConnector {
    /// Over TCP, with this configuration. One without application protocols offers HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// None that a configuration which was built can have.
    pub fn new(config: Arc<ClientConfig>) -> clasp::Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        Self::over(tcp, config)
    }
}

impl<C> HttpsConnector<C> {
    /// Over what `inner` connects to: a proxy's tunnel, a Unix socket. It must not refuse `https://`, as an [`HttpConnector`]
    /// does until `enforce_http(false)`.
    ///
    /// # Errors
    /// As [`new`](HttpsConnector::new).
    pub fn over(inner: C, config: Arc<ClientConfig>) -> clasp::Result<Self> {
        let config =
            if config.alpn().is_empty() { Arc::new(ClientConfig::clone(&config).with_alpn(ALPN)?) } else { config };
        Ok(Self { inner, tls: Connector::new(config), server_name: None, allow_http: false })
    }

    /// With other time limits than 30 seconds for a handshake and 10 for each answer of a party outside.
    #[must_use]
    pub fn with_limits(mut self, limits: TimeLimits) -> Self {
        self.tls = self.tls.with_limits(limits);
        self
    }

    /// Asks every server for this name, and not for that of the address.
    #[must_use]
    pub fn server_name(mut self, name: ServerName<'static>) -> Self {
        self.server_name = Some(name);
        self
    }

    /// Whether `http://` addresses are connected to, without any TLS; off by default.
    #[must_use]
    pub fn allow_http(mut self, yes: bool) -> Self {
        self.allow_http = yes;
        self
    }

    /// The name to ask the server of an address for; none if there is to be no TLS.
    fn name_for(&self, uri: &Uri) -> Result<Option<ServerName<'static>>, BoxError> {
        let scheme = uri.scheme();
        if scheme == Some(&Scheme::HTTP) && self.allow_http {
            return Ok(None);
        }
        if scheme != Some(&Scheme::HTTPS) {
            let found = scheme.map_or("no scheme", Scheme::as_str);
            return Err(format!("{uri}: found {found}, wanted https (allow_http(true) takes http too)").into());
        }
        if let Some(name) = &self.server_name {
            return Ok(Some(name.clone()));
        }
        let host = uri.host().unwrap_or_default();
        // RFC 3986 3.2.2: an IPv6 address stands in brackets.
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        ServerName::try_from(bare.to_owned())
            .map(Some)
            .map_err(|_| format!("{uri}: {host:?} is neither a DNS name nor an IP address").into())
    }
}

/// What a [`HttpsConnector`] gives: a connection, in a while.
pub type Connecting<T> = Pin<Box<dyn Future<Output = Result<HttpsStream<T>, BoxError>> + Send>>;

impl<C> Service<Uri> for HttpsConnector<C>
where
    C: Service<Uri>,
    C::Response: Read + Write + Connection + Unpin + Send + 'static,
    C::Error: Into<BoxError>,
    C::Future: Send + 'static,
{
    type Response = HttpsStream<C::Response>;
    type Error = BoxError;
    type Future = Connecting<C::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let name = match self.name_for(&uri) {
            Ok(name) => name,
            Err(error) => return Box::pin(core::future::ready(Err(error))),
        };
        let connecting = self.inner.call(uri);
        let tls = self.tls.clone();
        Box::pin(async move {
            let transport = connecting.await.map_err(Into::into)?;
            Ok(match name {
                None => HttpsStream::Http(transport),
                Some(name) => HttpsStream::Https(TokioIo::new(tls.connect(name, TokioIo::new(transport)).await?)),
            })
        })
    }
}

impl<C> fmt::Debug for HttpsConnector<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpsConnector").field("allow_http", &self.allow_http).finish_non_exhaustive()
    }
}
