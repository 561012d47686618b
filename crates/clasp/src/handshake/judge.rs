//! Judging who the peer shows itself to be, in both versions and on both sides: its certificates, and the proof that it has
//! their key.

use super::credential::check_raw_key;
use super::link::Link;
use super::proof::signed13;
use crate::code::{CertificateType, ProtocolVersion, SignatureScheme};
use crate::config::{ClientAuth, ClientConfig, Policy, PresentedIdentity, ServerConfig, Verified, Verifier, may_sign};
use crate::crypto::Provider;
use crate::error::{CertificateError, Error, PeerError, Result};
use crate::facts::End;
use crate::facts::MAX_AUTHENTICATION;
use crate::facts::PeerIdentity;
use crate::keys::schedule12::Side;
use crate::wire::message::{CertificateVerify, SignedView};
use clasp_x509::{Certificate, MAX_RSA_BITS, MIN_RSA_BITS, PublicKey, SignatureRefusal, verify_signature};
use rustls_pki_types::{CertificateDer, ServerName};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Who the peer has to be, and whose word counts.
#[derive(Clone, Copy)]
pub(crate) struct Judge<'a> {
    provider: &'a Provider,
    policy: &'a Policy,
    verifier: &'a Arc<dyn Verifier>,
    /// The name that a server must have.
    name: Option<&'a ServerName<'a>>,
    kind: CertificateType,
    /// Whether the peer was asked for its certificate's status.
    asked_for_ocsp: bool,
    now: SystemTime,
    /// The longest that the decision counts.
    bound: Duration,
}

impl<'a> Judge<'a> {
    /// Of a server that shows a certificate of this kind.
    pub(crate) fn of_server(config: &'a ClientConfig, name: &'a ServerName<'a>, kind: CertificateType) -> Self {
        Self {
            provider: config.provider,
            policy: &config.policy,
            verifier: &config.verifier,
            name: Some(name),
            kind,
            asked_for_ocsp: config.request_status,
            now: config.clock.now(),
            bound: MAX_AUTHENTICATION,
        }
    }

    /// Of a client that shows a certificate of this kind.
    pub(crate) fn of_client(config: &'a ServerConfig, auth: &'a ClientAuth, kind: CertificateType) -> Self {
        Self {
            provider: config.provider,
            policy: &config.policy,
            verifier: auth.verifier(),
            name: None,
            kind,
            // Only TLS 1.3 can ask clients; see `unasked`.
            asked_for_ocsp: config.request_status,
            now: config.clock.now(),
            bound: config.authentication_bound(),
        }
    }

    /// The same, where the peer was not asked for its certificate's status.
    pub(crate) fn unasked(self) -> Self {
        Self { asked_for_ocsp: false, ..self }
    }

    /// Has the verifier decide on the peer's chain, and on what came with it.
    pub(crate) async fn verify(
        &self,
        link: &Link,
        chain: &[CertificateDer<'static>],
        ocsp: Option<&[u8]>,
        timestamps: Option<&[u8]>,
    ) -> Result<Verified> {
        if self.kind == CertificateType::RawPublicKey {
            chain.iter().try_for_each(|key| check_raw_key(key))?;
        }
        let (kind, name, now, asked_for_ocsp) = (self.kind, self.name, self.now, self.asked_for_ocsp);
        let provider = self.provider;
        let presented = PresentedIdentity { chain, kind, name, ocsp, asked_for_ocsp, timestamps, now, provider };
        let verdict = link.outside("certificate verifier", self.verifier.verify(presented)).await;
        verdict.and_then(check_key_kind).map_err(|e| e.in_message("Certificate").of_chain(chain))
    }

    /// Until when that decision holds: as the verifier said, or until the first certificate of the chain ends; and no longer
    /// than the bound.
    pub(crate) fn until(&self, verified: &Verified, chain: &[CertificateDer<'static>]) -> End {
        let bound = self.now.checked_add(self.bound).unwrap_or(self.now);
        let ends = |der: &CertificateDer<'_>| {
            let end = u64::try_from(Certificate::parse(der).ok()?.not_after()).unwrap_or(0);
            UNIX_EPOCH.checked_add(Duration::from_secs(end))
        };
        let first = || chain.iter().filter(|_| self.kind == CertificateType::X509).filter_map(ends).min();
        End::at(verified.until.or_else(first).map_or(bound, |end| end.min(bound)))
    }

    /// A certificate that signs: its key usage must not forbid that (RFC 9846 4.4.2.2, RFC 5246 7.4.6). `known` is what
    /// the verifier found, if it looked.
    pub(super) fn check_usage(&self, chain: &[CertificateDer<'static>], known: Option<bool>) -> Result<()> {
        if self.kind == CertificateType::RawPublicKey {
            return Ok(());
        }
        let looked = || chain.first().and_then(|der| Certificate::parse(der).ok()).as_ref().map(may_sign);
        match known.or_else(looked) {
            Some(false) => Err(Error::from(PeerError::KeyUsageForbids).in_message("Certificate").of_chain(chain)),
            _ => Ok(()),
        }
    }

    /// TLS 1.3: verifies what the peer has presented, and receives the CertificateVerify by which it proves that it has
    /// the key: RFC 9846 4.4.2, 4.4.3.
    pub(super) async fn recv_proof13(&self, link: &mut Link, prover: Side, presented: &PeerIdentity) -> Result<Proof> {
        let mut verified =
            self.verify(link, &presented.chain, presented.ocsp.as_deref(), presented.timestamps.as_deref()).await?;
        self.check_usage(&presented.chain, verified.may_sign)?;
        let message = signed13(prover, link.transcript.hash().as_ref());
        let proof = link.recv::<CertificateVerify>().await?;
        let version = ProtocolVersion::Tls13;
        let scheme = self
            .check_proof(&verified, message.as_ref(), proof.view(), version)
            .map_err(|e| e.in_message("CertificateVerify"))?;
        link.recycle(proof);
        self.proven(link, &mut verified, &presented.chain).await?;
        Ok(Proof { scheme, until: self.until(&verified, &presented.chain) })
    }

    /// The peer has proven that it has the key: what a verifier has to do then.
    pub(super) async fn proven(
        &self,
        link: &Link,
        verified: &mut Verified,
        chain: &[CertificateDer<'static>],
    ) -> Result<()> {
        match verified.proven.take() {
            None => Ok(()),
            Some(act) => link
                .outside("certificate verifier", act())
                .await
                .map_err(|e| e.in_message("Certificate").of_chain(chain)),
        }
    }

    /// Checks the peer's signature over `message` with the key its verified certificate has. In TLS 1.3 the scheme fixes
    /// the curve too (RFC 9846 4.2.3).
    pub(super) fn check_proof(
        &self,
        verified: &Verified,
        message: &[u8],
        signed: SignedView<'_>,
        version: ProtocolVersion,
    ) -> Result<SignatureScheme> {
        let (scheme, key) = (signed.scheme, PublicKey::parse(&verified.spki));
        let fits = self.policy.schemes.contains(&scheme)
            && scheme.is_for(version)
            && (version != ProtocolVersion::Tls13 || scheme.has_curve_of(key));
        let Some(algorithm) = scheme.algorithm(key).filter(|_| fits) else {
            return Err(Error::from(PeerError::WrongSchemeSelected)
                .seen(scheme)
                .wanted(format_args!("a scheme that was offered, that {version} has, and that fits the key")));
        };
        match verify_signature(self.provider.signatures, algorithm, &verified.spki, message, signed.signature) {
            Ok(()) => Ok(scheme),
            Err(SignatureRefusal::Size) => Err(Error::from(CertificateError::UnsupportedAlgorithm)
                .seen(key)
                .wanted(format_args!("an RSA key of {MIN_RSA_BITS} to {MAX_RSA_BITS} bits"))),
            Err(SignatureRefusal::Algorithm) => Err(Error::from(CertificateError::UnsupportedAlgorithm)
                .seen(format_args!("{scheme} by a key for {key}"))
                .wanted("what the crypto provider can check")),
            // A key of another kind, a wrong signature, and whatever else it may be refused for.
            Err(_) => Err(Error::from(PeerError::BadSignature).seen(scheme)),
        }
    }
}

/// A peer that has proven who it is.
pub(super) struct Proof {
    pub(super) scheme: SignatureScheme,
    /// Until when that counts.
    pub(super) until: End,
}

/// Whatever the verifier thinks of it, a key of a kind that proves nothing here makes the certificate one of an
/// unsupported type: RFC 9846 4.4.2.2, 6.2.
fn check_key_kind(verified: Verified) -> Result<Verified> {
    match PublicKey::parse(&verified.spki) {
        key @ (PublicKey::Other(_) | PublicKey::OtherCurve(_) | PublicKey::Malformed) => {
            Err(Error::from(CertificateError::UnsupportedAlgorithm)
                .seen(key)
                .wanted("a key for RSA, ECDSA on P-256, P-384 or P-521, Ed25519 or ML-DSA")
                .hint("reissue the certificate for another key"))
        }
        _ => Ok(verified),
    }
}
