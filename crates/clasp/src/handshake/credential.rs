//! Certificates and the proofs of holding their keys: one way to send, one way to check, for both sides.

use super::link::Link;
use super::negotiate;
use crate::config::{Identity, Policy, PresentedIdentity, Verified, Verifier};
use crate::crypto::Provider;
use crate::error::{Error, Outside, PeerError, Result};
use crate::wire::code::{HandshakeType, SignatureScheme};
use crate::wire::message::{CertificateView, SignedView};
use rustls_pki_types::ServerName;
use std::sync::Arc;
use std::time::SystemTime;

/// More certificates than this are not looked at.
const MAX_CHAIN: usize = 32;

/// Sends our chain: RFC 5246 7.4.2, 7.4.6. No identity sends the empty list.
pub(super) fn send_chain(link: &mut Link, identity: Option<&Identity>) {
    let chain = identity.map_or(&[][..], |i| i.chain());
    link.send(HandshakeType::Certificate, |w| CertificateView::encode(chain, w));
}

/// Takes the peer's chain out of its message.
pub(super) fn read_chain(view: CertificateView<'_>) -> Result<Vec<Vec<u8>>> {
    let chain: Vec<Vec<u8>> = view.iter().take(MAX_CHAIN + 1).map(<[u8]>::to_vec).collect();
    if chain.len() > MAX_CHAIN {
        return Err(Error::from(PeerError::TooManyCertificates).wanted(format_args!("at most {MAX_CHAIN}")));
    }
    Ok(chain)
}

/// Has the verifier decide on the peer's chain.
pub(super) async fn verify(
    link: &Link,
    verifier: &Arc<dyn Verifier>,
    chain: &[Vec<u8>],
    name: Option<&ServerName<'_>>,
    ocsp: Option<&[u8]>,
    now: SystemTime,
) -> Result<Verified> {
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let presented = PresentedIdentity { chain: &chain, name, ocsp, now };
    link.outside("certificate verifier", verifier.verify(&presented)).await.map_err(|e| e.in_message("Certificate"))
}

/// Signs `message` for the peer.
pub(super) async fn sign(
    link: &Link,
    identity: &Identity,
    policy: &Policy,
    theirs: &[SignatureScheme],
    message: &[u8],
) -> Result<(SignatureScheme, Vec<u8>)> {
    let scheme = negotiate::scheme(identity, policy, theirs)?;
    link.chose("signature scheme", scheme.0, scheme.name());
    let signature = link.outside("private key", identity.signer.sign(scheme, message)).await?;
    if signature.is_empty() {
        return Err(Error::from(Outside::SignerFailed).seen("an empty signature"));
    }
    Ok((scheme, signature))
}

/// Checks the peer's signature over `message` with the key its verified certificate has.
pub(super) fn check(
    provider: &Provider,
    policy: &Policy,
    verified: &Verified,
    message: &[u8],
    signed: SignedView<'_>,
) -> Result<SignatureScheme> {
    if !policy.schemes.contains(&signed.scheme) {
        return Err(Error::from(PeerError::WrongSchemeSelected)
            .seen(signed.scheme)
            .wanted("a scheme that was offered"));
    }
    provider
        .verify
        .verify(signed.scheme, &verified.spki, message, signed.signature)
        .map_err(|_| Error::from(PeerError::BadSignature).seen(signed.scheme))?;
    Ok(signed.scheme)
}
