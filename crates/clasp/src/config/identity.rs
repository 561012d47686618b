//! Who we are: certificate chains, the keys behind them, and the choice among several.

use super::suite::{Auth, Kx, Suite};
use crate::answer::Answer;
use crate::crypto::PrivateKey;
use crate::error::{Error, Misuse, Outside, Result};
use crate::wire::code::{CipherSuite, CompressionAlgorithm, ProtocolVersion, SignatureScheme};
use clasp_x509::{Certificate, SubjectAltName};
use core::fmt;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;

/// Signs handshakes. A key in memory answers at once; a token or a service may answer later.
pub trait Signer: Send + Sync {
    /// The schemes it can sign with, best first.
    fn schemes(&self) -> &[SignatureScheme];
    /// Signs `message`.
    fn sign<'a>(&'a self, scheme: SignatureScheme, message: &'a [u8]) -> Answer<'a, Result<Vec<u8>>>;
}

impl Signer for PrivateKey {
    fn schemes(&self) -> &[SignatureScheme] {
        Self::schemes(self)
    }

    fn sign<'a>(&'a self, scheme: SignatureScheme, message: &'a [u8]) -> Answer<'a, Result<Vec<u8>>> {
        Answer::Now(Self::sign(self, scheme, message).map_err(|_| Error::from(Outside::SignerFailed).seen(scheme)))
    }
}

/// A certificate chain and the key behind it.
pub struct Identity {
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) transport: Option<Arc<PrivateKey>>,
    pub(crate) ocsp: Option<Vec<u8>>,
    pub(crate) timestamps: Option<Vec<u8>>,
    pub(crate) auth: Option<Auth>,
}

impl Identity {
    /// From PEM: the chain (own certificate first) and its private key (PKCS#8, PKCS#1 or SEC 1).
    ///
    /// # Errors
    /// If either cannot be read, or the key is not the certificate's.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self> {
        let bad = |what: &str, e: rustls_pki_types::pem::Error| {
            Error::from(Misuse::BadCertificateFile).seen(format_args!("{what}: {e}"))
        };
        let chain: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(chain)
            .map(|c| c.map(|c| c.to_vec()))
            .collect::<core::result::Result<_, _>>()
            .map_err(|e| bad("the chain", e))?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|e| Error::from(Misuse::BadPrivateKey).seen(e).wanted("an unencrypted private key in PEM"))?;
        Self::from_der(chain, key.secret_der())
    }

    /// From DER: the chain (own certificate first) and its private key.
    ///
    /// # Errors
    /// If either cannot be read, or the key is not the certificate's.
    pub fn from_der(chain: Vec<Vec<u8>>, key: &[u8]) -> Result<Self> {
        let leaf = chain.first().ok_or_else(|| Error::from(Misuse::BadCertificateFile).seen("no certificate"))?;
        let leaf = Certificate::parse(leaf).map_err(|field| {
            Error::from(Misuse::BadCertificateFile).seen(format_args!("a {field} that cannot be read"))
        })?;
        let key = PrivateKey::from_der(key).map_err(|_| {
            Error::from(Misuse::BadPrivateKey).wanted("RSA, ECDSA P-256/384/521 or Ed25519, unencrypted")
        })?;
        if key.spki()? != leaf.spki() {
            return Err(Error::from(Misuse::KeyMismatch)
                .seen(format_args!("a certificate for {} and another key", leaf.subject()))
                .hint("pass the key that the certificate was issued for"));
        }
        let auth = auth_of(&leaf);
        let key = Arc::new(key);
        let transport = (auth == Some(Auth::Rsa)).then(|| key.clone());
        Ok(Self { chain, signer: key, transport, ocsp: None, timestamps: None, auth })
    }

    /// From a chain in DER and a signer outside. RSA key transport is then not on offer: it needs the key itself.
    ///
    /// # Errors
    /// If the certificate cannot be read.
    pub fn with_signer(chain: Vec<Vec<u8>>, signer: Arc<dyn Signer>) -> Result<Self> {
        let leaf = chain.first().ok_or_else(|| Error::from(Misuse::BadCertificateFile).seen("no certificate"))?;
        let leaf = Certificate::parse(leaf).map_err(|field| Error::from(Misuse::BadCertificateFile).seen(field))?;
        let auth = auth_of(&leaf);
        Ok(Self { chain, signer, transport: None, ocsp: None, timestamps: None, auth })
    }

    /// Staples an OCSP response (DER): RFC 6066 8.
    #[must_use]
    pub fn with_ocsp(mut self, response: Vec<u8>) -> Self {
        self.ocsp = Some(response);
        self
    }

    /// Sends this SignedCertificateTimestampList (RFC 6962 3.3) to clients that ask.
    #[must_use]
    pub fn with_timestamps(mut self, list: Vec<u8>) -> Self {
        self.timestamps = Some(list);
        self
    }

    /// The chain, own certificate first.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// Whether this identity can serve `suite` for a peer that takes these schemes.
    pub(crate) fn serves(&self, suite: &Suite, schemes: &[SignatureScheme]) -> bool {
        if self.auth != Some(suite.auth) {
            return false;
        }
        match suite.kx {
            Kx::Rsa => self.transport.is_some(),
            Kx::Ecdhe | Kx::Dhe => self.signer.schemes().iter().any(|s| schemes.contains(s)),
        }
    }

    /// Whether this identity can sign for a TLS 1.3 peer that takes these schemes.
    pub(crate) fn serves13(&self, schemes: &[SignatureScheme]) -> bool {
        self.signer.schemes().iter().any(|s| s.is_for_tls13() && schemes.contains(s))
    }

    fn is_for(&self, name: &str) -> bool {
        let Ok(name) = rustls_pki_types::ServerName::try_from(name) else { return false };
        self.chain
            .first()
            .and_then(|c| Certificate::parse(c).ok())
            .is_some_and(|c| c.alt_names().any(|n| matches!(n, SubjectAltName::Dns(_))) && c.is_for(&name))
    }
}

fn auth_of(leaf: &Certificate<'_>) -> Option<Auth> {
    if leaf.has_rsa_key() {
        Some(Auth::Rsa)
    } else if leaf.has_ec_key() {
        Some(Auth::Ecdsa)
    } else {
        None
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({} certificates, {:?})", self.chain.len(), self.auth)
    }
}

/// What a client says of itself, for the choice of an identity.
#[derive(Clone, Debug)]
pub struct ClientHelloFacts {
    /// The version that was agreed.
    pub version: ProtocolVersion,
    /// The server name it asks for.
    pub server_name: Option<String>,
    /// The suites it shares with our policy.
    pub suites: Vec<CipherSuite>,
    /// The signature schemes it shares with our policy.
    pub schemes: Vec<SignatureScheme>,
    /// The application protocols it offers.
    pub alpn: Vec<Vec<u8>>,
}

/// Chooses the server's identity for a client.
pub trait Resolver: Send + Sync {
    /// Chooses. An error refuses the client.
    fn resolve<'a>(&'a self, hello: &'a ClientHelloFacts) -> Answer<'a, Result<Arc<Identity>>>;
}

/// Several identities: chosen by server name, then by what the client can verify; the first is the default.
#[derive(Debug, Default)]
pub struct Identities(Vec<Arc<Identity>>);

impl Identities {
    /// Chooses among these.
    pub fn new(identities: impl IntoIterator<Item = Identity>) -> Self {
        Self(identities.into_iter().map(Arc::new).collect())
    }
}

impl Resolver for Identities {
    fn resolve<'a>(&'a self, hello: &'a ClientHelloFacts) -> Answer<'a, Result<Arc<Identity>>> {
        let usable = |i: &&Arc<Identity>| {
            if hello.version == ProtocolVersion::Tls13 {
                return i.serves13(&hello.schemes);
            }
            hello.suites.iter().filter_map(|c| Suite::find(*c)).any(|s| i.serves(s, &hello.schemes))
        };
        let named = |i: &&Arc<Identity>| hello.server_name.as_ref().is_some_and(|n| i.is_for(n));
        let all = || self.0.iter();
        let chosen = all().find(|i| named(i) && usable(i)).or_else(|| all().find(usable)).or_else(|| all().next());
        Answer::Now(chosen.cloned().ok_or_else(|| Error::from(Outside::ResolverFailed).seen("no identity")))
    }
}

/// What a server asks a client's certificate to be.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CertificateRequestFacts {
    /// The signature schemes it takes.
    pub schemes: Vec<SignatureScheme>,
    /// The issuers it knows, DER; none means any.
    pub authorities: Vec<Vec<u8>>,
    /// Whether an OCSP response is asked for with it.
    pub status: bool,
    /// Whether certificate timestamps are asked for with it.
    pub timestamps: bool,
    /// The certificate compression algorithms it takes.
    pub compression: Vec<CompressionAlgorithm>,
    /// What our Certificate must echo (TLS 1.3).
    pub(crate) context: Vec<u8>,
}

/// Chooses the client's identity for a server; `None` answers with no certificate.
pub trait ClientIdentity: Send + Sync {
    /// Chooses.
    fn choose<'a>(&'a self, request: &'a CertificateRequestFacts) -> Answer<'a, Result<Option<Arc<Identity>>>>;
}

impl ClientIdentity for Arc<Identity> {
    /// Itself, if the server can verify its signature. What issuers the server lists is a hint that it checks itself.
    fn choose<'a>(&'a self, request: &'a CertificateRequestFacts) -> Answer<'a, Result<Option<Arc<Identity>>>> {
        let usable = self.signer.schemes().iter().any(|s| request.schemes.contains(s));
        Answer::Now(Ok(usable.then(|| self.clone())))
    }
}
