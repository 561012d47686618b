//! Certificates and the proofs of holding their keys, as they are sent and read, for both sides. What they are worth is said
//! in `judge.rs`.

use super::compression;
use super::extension::{Row, Staple, TABLE};
use super::hello::ClientOffer;
use super::link::Link;
use super::negotiate;
use crate::code::{CertificateType, HandshakeType, ProtocolVersion, SignatureScheme};
use crate::config::{CertificateRequestFacts, ClientAuth, Compressor, Identity, Policy, ServerConfig};
use crate::error::{Error, Outside, PeerError, Result};
use crate::facts::PeerIdentity;
use crate::record::limits::MAX_MESSAGE;
use crate::wire::Writer;
use crate::wire::message::{
    Certificate13, Certificate13View, CertificateRequest13View, CertificateView, CompressedCertificate,
    CompressedCertificateView,
};
use clasp_x509::Spki;
use rustls_pki_types::CertificateDer;
use std::sync::Arc;

/// As much as its length can say: RFC 5246 4.7.
const MAX_SIGNATURE: usize = 65_535;
/// What a CompressedCertificate is to hold at most: no more than Clasp itself takes, with its algorithm and two lengths.
const MAX_COMPRESSED: usize = MAX_MESSAGE - (2 + 3 + 3);
/// More certificates than this are not looked at.
const MAX_CHAIN: usize = 100;

/// Chooses what to show a client.
pub(super) async fn choose(
    link: &Link,
    config: &ServerConfig,
    offer: &ClientOffer<'_>,
    version: ProtocolVersion,
) -> Result<Arc<Identity>> {
    // Where all clients get the same, what they say need not be collected.
    if let Some(only) = config.resolver.only() {
        return Ok(only.clone());
    }
    let client = negotiate::hello_facts(config, offer, version);
    link.outside("certificate resolver", config.resolver.resolve(&client)).await
}

/// Sends our chain: RFC 5246 7.4.2, 7.4.6. No identity sends the empty list.
pub(super) fn send_chain(link: &mut Link, identity: Option<&Identity>) -> Result<()> {
    if let Some(identity) = identity.filter(|i| i.kind == CertificateType::RawPublicKey) {
        return link.send(HandshakeType::Certificate, |w| CertificateView::encode_raw(identity.spki(), w));
    }
    let chain = identity.map_or(&[][..], |i| i.chain());
    link.send(HandshakeType::Certificate, |w| CertificateView::encode(chain, w))
}

/// Takes the peer's chain out of its message.
pub(super) fn read_chain(view: CertificateView<'_>, kind: CertificateType) -> Result<Vec<CertificateDer<'static>>> {
    if kind == CertificateType::RawPublicKey {
        let key = view.raw_key().map(<[u8]>::to_vec);
        return key.map_or(Ok(Vec::new()), |key| check_raw_key(&key).map(|()| vec![key.into()]));
    }
    let view = view.list().map_err(|e| Error::from(e).in_message("Certificate"))?;
    let chain: Vec<_> = view.iter().take(MAX_CHAIN + 1).map(|der| der.to_vec().into()).collect();
    if chain.len() > MAX_CHAIN {
        return Err(Error::from(PeerError::TooManyCertificates).wanted(format_args!("at most {MAX_CHAIN}")));
    }
    Ok(chain)
}

/// A raw public key must at least be a SubjectPublicKeyInfo.
pub(super) fn check_raw_key(key: &[u8]) -> Result<()> {
    match Spki::parse(key) {
        Ok(_) => Ok(()),
        Err(e) => Err(Error::from(PeerError::UnusableCertificate).unread(&e).in_message("Certificate")),
    }
}

/// Signs `message` for the peer.
pub(super) async fn sign(
    link: &Link,
    (policy, identity): (&Policy, &Identity),
    theirs: impl Iterator<Item = SignatureScheme> + Clone,
    message: &[u8],
    version: ProtocolVersion,
) -> Result<(SignatureScheme, Vec<u8>)> {
    let scheme = negotiate::scheme(policy, identity, theirs, version)?;
    link.chose("signature scheme", scheme.0, scheme.name());
    let signature = link.outside("private key", identity.signer.sign(scheme, message)).await?;
    if signature.is_empty() {
        return Err(Error::from(Outside::SignerFailed).seen("an empty signature"));
    }
    if signature.len() > MAX_SIGNATURE {
        let error = Error::from(Outside::SignerFailed).seen(format_args!("a signature of {} bytes", signature.len()));
        return Err(error.wanted(format_args!("at most {MAX_SIGNATURE}")));
    }
    Ok((scheme, signature))
}

/// The issuers to name in a CertificateRequest; none means any.
pub(super) fn authorities(auth: &ClientAuth) -> Vec<Vec<u8>> {
    // More names than this would make a message that clients refuse.
    const MAX_AUTHORITIES: usize = 200;
    let authorities = auth.verifier().authorities();
    if authorities.len() > MAX_AUTHORITIES { Vec::new() } else { authorities }
}

/// Those of them that a message has room for, as `write` writes it. A verifier may say more today than when it was asked
/// for the configuration; the list is a hint (RFC 9846 4.2.4), and left out rather than the connection lost.
pub(super) fn fitting_authorities(auth: &ClientAuth, write: impl FnOnce(&[Vec<u8>], &mut Writer<'_>)) -> Vec<Vec<u8>> {
    let names = authorities(auth);
    let fit = names.is_empty() || Writer::write(&mut Vec::new(), |w| write(&names, w)).is_ok();
    if fit { names } else { Vec::new() }
}

/// Reads a CertificateRequest that comes after the handshake: RFC 9846 4.6.2. Its context is the server's to choose.
pub(crate) fn read_post_request(view: &CertificateRequest13View<'_>) -> Result<CertificateRequestFacts> {
    let facts = read_request(view, view.context)?;
    Ok(CertificateRequestFacts { certificate_type: Some(CertificateType::X509), ..facts })
}

/// Reads a TLS 1.3 CertificateRequest: RFC 9846 4.3.2. What it asks beyond that is not looked at.
pub(super) fn read_request(view: &CertificateRequest13View<'_>, context: &[u8]) -> Result<CertificateRequestFacts> {
    if view.context != context {
        return Err(PeerError::BadRequestContext.into());
    }
    let mut facts = CertificateRequestFacts { context: view.context.to_vec(), ..CertificateRequestFacts::default() };
    TABLE.read_requests(&mut facts, view.extensions)?;
    if facts.schemes.is_empty() {
        return Err(Error::from(PeerError::MissingExtension).wanted("signature_algorithms"));
    }
    Ok(facts)
}

/// What a peer asks of our TLS 1.3 Certificate.
pub(super) struct Asks<'a> {
    /// What it must echo.
    pub(super) context: &'a [u8],
    pub(super) status: bool,
    pub(super) timestamps: bool,
    /// How it may be compressed.
    pub(super) way: Option<&'a Compressor>,
}

/// Sends our TLS 1.3 Certificate: RFC 9846 4.4.2; compressed if the peer takes that (RFC 8879).
pub(super) fn send_chain13(link: &mut Link, identity: Option<&Identity>, asks: &Asks<'_>) -> Result<()> {
    let chain = identity.map_or(&[][..], |i| i.chain());
    let extensions = |w: &mut Writer<'_>| {
        // A raw public key has nothing of the kind.
        let certificate = identity.filter(|i| i.kind == CertificateType::X509);
        certificate.into_iter().for_each(|i| write_stapled(i, asks.status, asks.timestamps, w));
    };
    let encode = |w: &mut Writer<'_>| Certificate13View::encode(asks.context, chain, extensions, w);
    let compressed = asks.way.filter(|_| !chain.is_empty()).and_then(|way| {
        let mut body = Vec::new();
        // What cannot be written is said below, where it is written as it is.
        Writer::write(&mut body, encode).ok()?;
        let uncompressed_length = u32::try_from(body.len()).ok()?;
        // It may be longer than it was (RFC 8879 4), but not so long that peers refuse it.
        let compressed = way.compress(&body).filter(|c| c.len() <= MAX_COMPRESSED)?;
        Some((way.algorithm(), uncompressed_length, compressed))
    });
    if let Some((algorithm, uncompressed_length, compressed)) = &compressed {
        let (algorithm, uncompressed_length) = (*algorithm, *uncompressed_length);
        let view = CompressedCertificateView { algorithm, uncompressed_length, compressed };
        link.send(HandshakeType::CompressedCertificate, |w| view.encode(w))
    } else {
        link.send(HandshakeType::Certificate, encode)
    }
}

/// What stands beside a TLS 1.3 certificate: RFC 9846 4.4.2.1.
pub(super) fn write_stapled(identity: &Identity, status: bool, timestamps: bool, w: &mut Writer<'_>) {
    TABLE.staple(&Staple { identity, status, timestamps }, w);
}

/// Receives the peer's TLS 1.3 Certificate, compressed or not. `asked` says which extensions of its entries we asked
/// for.
pub(super) async fn recv_chain13(
    link: &mut Link,
    takes: &[Compressor],
    context: &[u8],
    asked: impl Fn(&Row) -> bool,
) -> Result<PeerIdentity> {
    let compressed = !takes.is_empty()
        && link.peek("Certificate or CompressedCertificate").await == Some(HandshakeType::CompressedCertificate);
    if compressed {
        let message = link.recv::<CompressedCertificate>().await?;
        let read = || {
            let body = compression::decompress(takes, message.view())?;
            read_chain13(Certificate13View::read(&body)?, context, asked)
        };
        read().map_err(|e| e.in_message("CompressedCertificate"))
    } else {
        let message = link.recv::<Certificate13>().await?;
        let presented = read_chain13(message.view(), context, asked).map_err(|e| e.in_message("Certificate"))?;
        link.recycle(message);
        Ok(presented)
    }
}

fn read_chain13(view: Certificate13View<'_>, context: &[u8], asked: impl Fn(&Row) -> bool) -> Result<PeerIdentity> {
    if view.context != context {
        return Err(PeerError::BadRequestContext.into());
    }
    let mut presented = PeerIdentity::default();
    for entry in view.iter() {
        if presented.chain.len() == MAX_CHAIN {
            return Err(Error::from(PeerError::TooManyCertificates).wanted(format_args!("at most {MAX_CHAIN}")));
        }
        TABLE.read_staples(&mut presented, entry.extensions, &asked)?;
        presented.chain.push(entry.data.to_vec().into());
    }
    Ok(presented)
}
