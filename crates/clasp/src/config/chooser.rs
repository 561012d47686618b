//! Which identity a peer gets to see, and what it says of itself for the choice.

use super::Identity;
use super::context::Parts;
use crate::answer::Answer;
use crate::code::{CertificateType, CipherSuite, CompressionAlgorithm, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::error::{Error, Outside, Result};
use crate::hello::ClientHello;
use std::sync::Arc;

/// What a client says of itself, for the choice of an identity.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientHelloFacts {
    /// All that it says: which program it looks like ([`ja4`](ClientHello::ja4)), what it offers that we do not take. Where it
    /// was asked for a second hello, the first.
    pub hello: ClientHello,
    /// The version that was agreed.
    pub version: ProtocolVersion,
    /// The server name it asks for.
    pub server_name: Option<String>,
    /// The suites it shares with our policy.
    pub suites: Vec<CipherSuite>,
    /// The signature schemes it shares with our policy.
    pub schemes: Vec<SignatureScheme>,
    /// All groups it names; a certificate's curve has to be among them in TLS 1.2 (RFC 8422 5.3).
    pub groups: Vec<NamedGroup>,
    /// The application protocols it offers.
    pub alpn: Vec<Vec<u8>>,
    /// The kinds of certificate it takes.
    pub certificate_types: Vec<CertificateType>,
    /// The issuers it knows (distinguished names, DER); none means that it does not say.
    pub authorities: Vec<Vec<u8>>,
}

/// Chooses the server's identity for a client.
pub trait Resolver: Send + Sync {
    /// Chooses. An error refuses the client.
    fn resolve<'a>(&'a self, hello: &'a ClientHelloFacts) -> Answer<'a, Result<Arc<Identity>>>;
    /// The identity that every client gets, whatever it says, if there is only one: what clients say then need not be
    /// collected.
    fn only(&self) -> Option<&Arc<Identity>> {
        None
    }
    /// Those it chooses among, if it has them at hand: `build` checks that there are some, and a use for each.
    fn all(&self) -> Option<&[Arc<Identity>]> {
        self.only().map(core::slice::from_ref)
    }
}

/// The only one there is, for every client.
impl Resolver for Arc<Identity> {
    fn resolve<'a>(&'a self, _: &'a ClientHelloFacts) -> Answer<'a, Result<Self>> {
        Answer::Now(Ok(self.clone()))
    }

    fn only(&self) -> Option<&Self> {
        Some(self)
    }
}

/// What a server's [`identity`](super::ServerBuilder::identity) is made of: an [`Identity`] or a [`Resolver`], by value or in an
/// `Arc`.
pub struct AnyResolver(pub(super) Arc<dyn Resolver>);

impl From<Identity> for AnyResolver {
    fn from(identity: Identity) -> Self {
        Arc::new(identity).into()
    }
}

impl<R: Resolver + 'static> From<R> for AnyResolver {
    fn from(resolver: R) -> Self {
        Self(Arc::new(resolver))
    }
}

impl<R: Resolver + 'static> From<Arc<R>> for AnyResolver {
    fn from(resolver: Arc<R>) -> Self {
        Self(resolver)
    }
}

impl From<Arc<dyn Resolver>> for AnyResolver {
    fn from(resolver: Arc<dyn Resolver>) -> Self {
        Self(resolver)
    }
}

/// Several identities: chosen by server name, then by what the client can verify; the first is the default.
#[derive(Debug, Default)]
pub struct Identities(Vec<Arc<Identity>>);

impl Identities {
    /// Chooses among these, by value or in an `Arc`.
    pub fn new(identities: impl IntoIterator<Item = impl Into<Arc<Identity>>>) -> Self {
        Self(identities.into_iter().map(Into::into).collect())
    }

    /// They, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Identity>> {
        self.0.iter()
    }

    /// Whether both show the same.
    pub(super) fn same_certificates(&self, other: &Self) -> bool {
        self.iter().map(|i| i.chain()).eq(other.iter().map(|i| i.chain()))
    }

    /// The one for a client.
    pub(super) fn choose(&self, hello: &ClientHelloFacts) -> Result<Arc<Identity>> {
        let usable = |i: &&Arc<Identity>| i.fits(hello);
        let named = |i: &&Arc<Identity>| hello.server_name.as_ref().is_some_and(|n| i.is_for(n));
        let all = || self.0.iter();
        let chosen = all().find(|i| named(i) && usable(i)).or_else(|| all().find(usable)).or_else(|| all().next());
        chosen.cloned().ok_or_else(|| Error::from(Outside::ResolverFailed).seen("no identity"))
    }
}

impl Resolver for Identities {
    fn resolve<'a>(&'a self, hello: &'a ClientHelloFacts) -> Answer<'a, Result<Arc<Identity>>> {
        Answer::Now(self.choose(hello))
    }

    fn only(&self) -> Option<&Arc<Identity>> {
        self.0.first().filter(|_| self.0.len() == 1)
    }

    fn all(&self) -> Option<&[Arc<Identity>]> {
        Some(&self.0)
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
    /// The kind of certificate it asks for.
    pub certificate_type: Option<CertificateType>,
    /// The kinds of key a TLS 1.2 server takes; empty in TLS 1.3.
    pub key_types: Vec<u8>,
    /// The certificate compression algorithms it takes.
    pub compression: Vec<CompressionAlgorithm>,
    /// What our Certificate must echo (TLS 1.3).
    pub(crate) context: Vec<u8>,
}

/// Chooses the client's identity for a server; `None` answers with no certificate.
pub trait ClientIdentity: Send + Sync {
    /// Chooses.
    fn choose<'a>(&'a self, request: &'a CertificateRequestFacts) -> Answer<'a, Result<Option<Arc<Identity>>>>;
    /// The only one there is to choose, if there is only one: `build` checks that the configuration has a use for it.
    fn only(&self) -> Option<&Arc<Identity>> {
        None
    }
    /// Whom it shows, as bytes: of two that say the same, each takes the other's sessions. A resumed session shows whom it was
    /// made by, so by default this says nothing, and an object stands for itself alone, as with
    /// [`Verifier::session_context`](super::Verifier::session_context).
    fn session_context(&self) -> Option<Vec<u8>> {
        None
    }
    /// How often it has come to show another: sessions that were made before are not used any more, since a resumed one shows
    /// whom it was made by. It is asked when a connection begins.
    fn generation(&self) -> u64 {
        0
    }
}

impl ClientIdentity for Arc<Identity> {
    fn only(&self) -> Option<&Arc<Identity>> {
        Some(self)
    }

    /// Itself, if it is what the server asks for.
    fn choose<'a>(&'a self, request: &'a CertificateRequestFacts) -> Answer<'a, Result<Option<Arc<Identity>>>> {
        Answer::Now(Ok(self.fits_request(request).then(|| self.clone())))
    }

    fn session_context(&self) -> Option<Vec<u8>> {
        let mut parts = Parts::of("clasp Identity");
        parts.bytes(&[self.kind.0]);
        self.chain.iter().for_each(|certificate| parts.bytes(certificate));
        Some(parts.into_bytes())
    }
}

/// What a client's [`identity`](super::ClientBuilder::identity) is made of: an [`Identity`] or a [`ClientIdentity`], by value or in
/// an `Arc`.
pub struct AnyClientIdentity(pub(super) Arc<dyn ClientIdentity>);

impl From<Identity> for AnyClientIdentity {
    fn from(identity: Identity) -> Self {
        Arc::new(identity).into()
    }
}

impl<C: ClientIdentity + 'static> From<C> for AnyClientIdentity {
    fn from(chooser: C) -> Self {
        Self(Arc::new(chooser))
    }
}

impl<C: ClientIdentity + 'static> From<Arc<C>> for AnyClientIdentity {
    fn from(chooser: Arc<C>) -> Self {
        Self(chooser)
    }
}

impl From<Arc<dyn ClientIdentity>> for AnyClientIdentity {
    fn from(chooser: Arc<dyn ClientIdentity>) -> Self {
        Self(chooser)
    }
}
