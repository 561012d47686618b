//! Clients.

use crate::handshake::shake;
use crate::protocol::{Protocol, Unspoken, policy};
use crate::{Certificate, Error, HandshakeError, Identity, Result, TlsStream};
use clasp::config::{PresentedIdentity, Profile, Verified, Verifier, WebPki};
use clasp::{Answer, ClientConfig, Roots, ServerName, Stream};
use core::{fmt, result};
use std::io::{Read, Write};
use std::sync::Arc;

/// Builds a [`TlsConnector`].
pub struct TlsConnectorBuilder {
    identity: Option<Identity>,
    min: Option<Protocol>,
    max: Option<Protocol>,
    roots: Vec<Certificate>,
    built_in_roots: bool,
    alpn: Vec<String>,
    any_certificate: bool,
    any_name: bool,
    server_name: bool,
}

impl TlsConnectorBuilder {
    /// The certificate for servers that ask for one.
    pub fn identity(&mut self, identity: Identity) -> &mut Self {
        self.identity = Some(identity);
        self
    }

    /// The least version to speak; TLS 1.2 at any rate.
    pub fn min_protocol_version(&mut self, protocol: Option<Protocol>) -> &mut Self {
        self.min = protocol;
        self
    }

    /// The greatest version to speak; TLS 1.3 by default.
    pub fn max_protocol_version(&mut self, protocol: Option<Protocol>) -> &mut Self {
        self.max = protocol;
        self
    }

    /// Trusts this one too.
    pub fn add_root_certificate(&mut self, cert: Certificate) -> &mut Self {
        self.roots.push(cert);
        self
    }

    /// Whether the system's roots are left out; off by default.
    pub fn disable_built_in_roots(&mut self, disable: bool) -> &mut Self {
        self.built_in_roots = !disable;
        self
    }

    /// Application protocols to offer, best first (RFC 7301).
    pub fn request_alpns(&mut self, protocols: &[&str]) -> &mut Self {
        self.alpn = protocols.iter().map(|protocol| (*protocol).to_owned()).collect();
        self
    }

    /// Whether *any* certificate is taken, of anybody: whoever is on the way reads and changes everything.
    pub fn danger_accept_invalid_certs(&mut self, accept_invalid_certs: bool) -> &mut Self {
        self.any_certificate = accept_invalid_certs;
        self
    }

    /// Whether the server's name is sent; on by default.
    pub fn use_sni(&mut self, use_sni: bool) -> &mut Self {
        self.server_name = use_sni;
        self
    }

    /// Whether a certificate for *any* name is taken, if a root vouches for it: whoever has one for a name of his own is
    /// taken for the server.
    pub fn danger_accept_invalid_hostnames(&mut self, accept_invalid_hostnames: bool) -> &mut Self {
        self.any_name = accept_invalid_hostnames;
        self
    }

    /// The connector.
    ///
    /// # Errors
    /// If the settings cannot be, or the system's roots cannot be read. Versions of which Clasp speaks none are an error of
    /// [`TlsConnector::connect`].
    pub fn build(&self) -> Result<TlsConnector> {
        let policy = match policy(self.min, self.max) {
            Ok(policy) => policy,
            Err(unspoken) => return Ok(TlsConnector(Err(unspoken))),
        };
        let builder = ClientConfig::builder();
        let builder = if self.any_certificate {
            builder.dangerous_trust_anyone()
        } else {
            // What the original asks of every chain is RFC 5280.
            let chains = WebPki::servers(Arc::new(self.all_roots()?)).profile(Profile::Rfc5280);
            builder.dangerous_verifier(if self.any_name { Arc::new(AnyName(chains)) } else { Arc::new(chains) })
        };
        let mut builder = builder.policy(policy).alpn(&self.alpn);
        if !self.server_name {
            builder = builder.send_server_name(false);
        }
        if let Some(identity) = &self.identity {
            builder = builder.identity(identity.clasp());
        }
        Ok(TlsConnector(Ok(builder.build()?)))
    }

    fn all_roots(&self) -> Result<Roots> {
        let mut roots = if self.built_in_roots {
            Roots::native().map_err(|error| Error::words(format!("the system's roots: {error}")))?
        } else {
            Roots::empty()
        };
        for root in &self.roots {
            roots.add_der(root.der()).map_err(|error| Error::words(format!("a root certificate: {error}")))?;
        }
        Ok(roots)
    }
}

/// Chains to the roots, of whatever name.
struct AnyName(WebPki);

impl Verifier for AnyName {
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, clasp::Result<Verified>> {
        let mut nameless = peer;
        nameless.name = None;
        self.0.verify(nameless)
    }
}

/// Makes TLS connections to servers.
#[derive(Clone)]
pub struct TlsConnector(result::Result<Arc<ClientConfig>, Unspoken>);

impl TlsConnector {
    /// With the system's roots, and nothing else said.
    ///
    /// # Errors
    /// If the system's roots cannot be read.
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// To say more.
    pub const fn builder() -> TlsConnectorBuilder {
        TlsConnectorBuilder {
            identity: None,
            min: Some(Protocol::Tlsv12),
            max: None,
            roots: Vec::new(),
            built_in_roots: true,
            alpn: Vec::new(),
            any_certificate: false,
            any_name: false,
            server_name: true,
        }
    }

    /// Completes a handshake with the server of this name.
    ///
    /// # Errors
    /// [`HandshakeError::WouldBlock`], if the transport had nothing at present; or why the handshake failed.
    pub fn connect<S: Read + Write>(&self, domain: &str, stream: S) -> result::Result<TlsStream<S>, HandshakeError<S>> {
        let config = self.0.as_ref().map_err(|unspoken| Error::from(*unspoken))?;
        // An address in brackets comes out of URLs.
        let bare = domain.strip_prefix('[').and_then(|domain| domain.strip_suffix(']')).unwrap_or(domain);
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| Error::words(format!("{domain:?} is neither a DNS name nor an IP address")))?;
        shake(Stream::new(config.connect(name), stream), None)
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnector").finish_non_exhaustive()
    }
}

impl fmt::Debug for TlsConnectorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnectorBuilder").finish_non_exhaustive()
    }
}
