//! Certificates and the proofs of holding their keys: one way to send, one way to check, for both sides.

use super::compression::{self, Compressor};
use super::hello::ClientOffer;
use super::link::Link;
use super::negotiate;
use crate::config::{
    CertificateRequestFacts, ClientAuth, ClientConfig, Identity, Policy, PresentedIdentity, ServerConfig, Verified,
    Verifier, may_sign,
};
use crate::connection::PeerIdentity;
use crate::crypto::Provider;
use crate::error::{CertificateError, Error, Outside, PeerError, Result};
use crate::session::Session;
use crate::wire::code::{
    CertificateType, CompressionAlgorithm, ExtensionType, HandshakeType, ProtocolVersion, SignatureScheme,
};
use crate::wire::extension::{self, certificate};
use crate::wire::message::{
    Certificate13, Certificate13View, CertificateRequest13View, CertificateView, CompressedCertificate,
    CompressedCertificateView, SignedView,
};
use crate::wire::{Extension, Writer};
use clasp_x509::PublicKey;
use rustls_pki_types::ServerName;
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::SystemTime;

/// Certificates of a plain chain.
const PLAIN: usize = 4;
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
pub(super) fn send_chain(link: &mut Link, identity: Option<&Identity>) {
    if let Some(identity) = identity.filter(|i| i.kind == CertificateType::RawPublicKey) {
        link.send(HandshakeType::Certificate, |w| CertificateView::encode_raw(identity.spki(), w));
        return;
    }
    let chain = identity.map_or(&[][..], |i| i.chain());
    link.send(HandshakeType::Certificate, |w| CertificateView::encode(chain, w));
}

/// Takes the peer's chain out of its message.
pub(super) fn read_chain(view: CertificateView<'_>, kind: CertificateType) -> Result<Vec<Vec<u8>>> {
    if kind == CertificateType::RawPublicKey {
        let key = view.raw_key().map(<[u8]>::to_vec);
        return key.map_or(Ok(Vec::new()), |key| check_raw_key(&key).map(|()| vec![key]));
    }
    let view = view.list().map_err(|e| Error::from(e).in_message("Certificate"))?;
    let chain: Vec<Vec<u8>> = view.iter().take(MAX_CHAIN + 1).map(<[u8]>::to_vec).collect();
    if chain.len() > MAX_CHAIN {
        return Err(Error::from(PeerError::TooManyCertificates).wanted(format_args!("at most {MAX_CHAIN}")));
    }
    Ok(chain)
}

/// A raw public key must at least be a SubjectPublicKeyInfo.
fn check_raw_key(key: &[u8]) -> Result<()> {
    if crate::config::is_public_key(key) {
        return Ok(());
    }
    Err(Error::from(PeerError::UnusableCertificate).seen("something else than a public key").in_message("Certificate"))
}

/// Has the verifier decide on the peer's chain.
pub(super) async fn verify(
    link: &Link,
    verifier: &Arc<dyn Verifier>,
    chain: &[Vec<u8>],
    kind: CertificateType,
    name: Option<&ServerName<'_>>,
    ocsp: Option<&[u8]>,
    now: SystemTime,
) -> Result<Verified> {
    if kind == CertificateType::RawPublicKey {
        chain.iter().try_for_each(|key| check_raw_key(key))?;
    }
    let chain: SmallVec<[&[u8]; PLAIN]> = chain.iter().map(Vec::as_slice).collect();
    let presented = PresentedIdentity { chain: &chain, kind, name, ocsp, now };
    let verdict = link.outside("certificate verifier", verifier.verify(&presented)).await;
    verdict.and_then(check_key_kind).map_err(|e| e.in_message("Certificate"))
}

/// Whatever the verifier thinks of it, a key of a kind that proves nothing here makes the certificate one of an
/// unsupported type: RFC 9846 4.4.2.2, 6.2.
fn check_key_kind(verified: Verified) -> Result<Verified> {
    match PublicKey::parse(&verified.spki) {
        // The schemes of RSASSA-PSS here are those of plain RSA keys (rsa_pss_rsae).
        key @ (PublicKey::Other(_) | PublicKey::Malformed | PublicKey::Rsa { pss_only: Some(_), .. }) => {
            Err(Error::from(CertificateError::UnsupportedAlgorithm)
                .seen(key)
                .wanted("a key for RSA, ECDSA on P-256, P-384 or P-521, Ed25519 or ML-DSA")
                .hint("reissue the certificate for another key"))
        }
        _ => Ok(verified),
    }
}

/// Signs `message` for the peer.
pub(super) async fn sign(
    link: &Link,
    identity: &Identity,
    theirs: impl Iterator<Item = SignatureScheme> + Clone,
    message: &[u8],
    version: ProtocolVersion,
) -> Result<(SignatureScheme, Vec<u8>)> {
    let scheme = negotiate::scheme(identity, theirs, version)?;
    link.chose("signature scheme", scheme.0, scheme.name());
    let signature = link.outside("private key", identity.signer.sign(scheme, message)).await?;
    if signature.is_empty() {
        return Err(Error::from(Outside::SignerFailed).seen("an empty signature"));
    }
    Ok((scheme, signature))
}

/// Checks the peer's signature over `message` with the key its verified certificate has. In TLS 1.3 the scheme fixes
/// the curve too (RFC 9846 4.2.3).
pub(super) fn check(
    provider: &Provider,
    policy: &Policy,
    verified: &Verified,
    message: &[u8],
    signed: SignedView<'_>,
    version: ProtocolVersion,
) -> Result<SignatureScheme> {
    let own_curve = version == ProtocolVersion::Tls13;
    let fits = negotiate::scheme_fits(signed.scheme, version)
        && crate::config::fits_key(signed.scheme, &verified.spki)
        && (!own_curve || crate::config::fits_curve(signed.scheme, &verified.spki));
    if !policy.schemes.contains(&signed.scheme) || !fits {
        return Err(Error::from(PeerError::WrongSchemeSelected)
            .seen(signed.scheme)
            .wanted(format_args!("a scheme that was offered, that {version} has, and that fits the key")));
    }
    provider
        .verify
        .verify(signed.scheme, &verified.spki, message, signed.signature, own_curve)
        .map_err(|_| Error::from(PeerError::BadSignature).seen(signed.scheme))?;
    Ok(signed.scheme)
}

/// A certificate that signs: its key usage must not forbid that (RFC 9846 4.4.2.2, RFC 5246 7.4.6). `known` is what the
/// verifier found, if it looked.
pub(super) fn check_usage(chain: &[Vec<u8>], kind: CertificateType, known: Option<bool>) -> Result<()> {
    if kind == CertificateType::RawPublicKey {
        return Ok(());
    }
    let looked = || chain.first().and_then(|der| clasp_x509::Certificate::parse(der).ok()).as_ref().map(may_sign);
    match known.or_else(looked) {
        Some(false) => Err(Error::from(PeerError::KeyUsageForbids).in_message("Certificate")),
        _ => Ok(()),
    }
}

/// The issuers to name in a CertificateRequest; none means any.
pub(super) fn authorities(auth: &ClientAuth) -> Vec<Vec<u8>> {
    // More names than this would make a message that clients refuse.
    const MAX_AUTHORITIES: usize = 200;
    let authorities = auth.verifier().authorities();
    if authorities.len() > MAX_AUTHORITIES { Vec::new() } else { authorities }
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
    for e in view.extensions.iter() {
        read_request_extension(&mut facts, e).map_err(|x| x.in_extension(e.typ))?;
    }
    if facts.schemes.is_empty() {
        return Err(Error::from(PeerError::MissingExtension).wanted("signature_algorithms"));
    }
    Ok(facts)
}

fn read_request_extension(facts: &mut CertificateRequestFacts, e: Extension<'_>) -> Result<()> {
    match e.typ {
        ExtensionType::SignatureAlgorithms => {
            let schemes = extension::codes(e, "supported_signature_algorithms")?;
            facts.schemes = schemes.iter().map(SignatureScheme).collect();
        }
        ExtensionType::CertificateAuthorities => {
            facts.authorities = certificate::authorities(e)?.iter().map(<[u8]>::to_vec).collect();
        }
        ExtensionType::CompressCertificate => {
            facts.compression = certificate::compression(e)?.iter().map(CompressionAlgorithm).collect();
        }
        ExtensionType::StatusRequest => facts.status = true,
        ExtensionType::SignedCertificateTimestamp => facts.timestamps = true,
        _ => {}
    }
    Ok(())
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
pub(super) fn send_chain13(link: &mut Link, identity: Option<&Identity>, asks: &Asks<'_>) {
    let chain = identity.map_or(&[][..], |i| i.chain());
    let extensions = |w: &mut Writer<'_>| {
        if let Some(ocsp) = identity.and_then(|i| i.ocsp.as_deref()).filter(|_| asks.status) {
            certificate::write_status(ocsp, w);
        }
        if let Some(list) = identity.and_then(|i| i.timestamps.as_deref()).filter(|_| asks.timestamps) {
            w.extension(ExtensionType::SignedCertificateTimestamp, |w| w.bytes(list));
        }
    };
    let encode = |w: &mut Writer<'_>| Certificate13View::encode(asks.context, chain, extensions, w);
    let compressed = asks.way.filter(|_| !chain.is_empty()).and_then(|way| {
        let mut body = Vec::new();
        encode(&mut Writer::new(&mut body));
        let uncompressed_length = u32::try_from(body.len()).ok()?;
        Some((way.algorithm(), uncompressed_length, way.compress(&body)?))
    });
    if let Some((algorithm, uncompressed_length, compressed)) = &compressed {
        let (algorithm, uncompressed_length) = (*algorithm, *uncompressed_length);
        let view = CompressedCertificateView { algorithm, uncompressed_length, compressed };
        link.send(HandshakeType::CompressedCertificate, |w| view.encode(w));
    } else {
        link.send(HandshakeType::Certificate, encode);
    }
}

/// Receives the peer's TLS 1.3 Certificate, compressed or not. `asked` says which extensions of its entries we asked
/// for.
pub(super) async fn recv_chain13(
    link: &mut Link,
    takes: &[Compressor],
    context: &[u8],
    asked: impl Fn(&Extension<'_>) -> bool,
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

fn read_chain13(
    view: Certificate13View<'_>,
    context: &[u8],
    asked: impl Fn(&Extension<'_>) -> bool,
) -> Result<PeerIdentity> {
    if view.context != context {
        return Err(PeerError::BadRequestContext.into());
    }
    let mut presented = PeerIdentity::default();
    for entry in view.iter() {
        if presented.chain.len() == MAX_CHAIN {
            return Err(Error::from(PeerError::TooManyCertificates).wanted(format_args!("at most {MAX_CHAIN}")));
        }
        for e in entry.extensions.iter() {
            if !asked(&e) {
                return Err(Error::from(PeerError::UnsolicitedExtension).in_extension(e.typ));
            }
            // Those of the other certificates are checked to be well formed, and not used.
            let first = presented.chain.is_empty();
            match e.typ {
                ExtensionType::StatusRequest => {
                    let ocsp = certificate::status(e).map_err(|x| Error::from(x).in_extension(e.typ))?;
                    presented.ocsp = if first { Some(ocsp.to_vec()) } else { presented.ocsp };
                }
                _ => {
                    let list = certificate::timestamps(e).map_err(|x| Error::from(x).in_extension(e.typ))?;
                    presented.timestamps = if first { Some(list.to_vec()) } else { presented.timestamps };
                }
            }
        }
        presented.chain.push(entry.data.to_vec());
    }
    Ok(presented)
}

/// A session's chain is shown to the verifier again, where the configuration wants that.
pub(super) async fn verify_again(
    link: &Link,
    verifier: &Arc<dyn Verifier>,
    chain: &[Vec<u8>],
    kind: CertificateType,
    name: Option<&ServerName<'_>>,
    now: SystemTime,
) -> Result<()> {
    if chain.is_empty() {
        return Ok(());
    }
    verify(link, verifier, chain, kind, name, None, now).await.map(drop)
}

/// The server of a session, shown to the verifier again.
pub(super) async fn verify_again_session(
    link: &Link,
    config: &ClientConfig,
    name: &ServerName<'_>,
    session: &Session,
) -> Result<()> {
    let (chain, kind) = (session.server_chain(), session.server_type);
    verify_again(link, &config.verifier, chain, kind, Some(name), config.clock.now()).await
}
