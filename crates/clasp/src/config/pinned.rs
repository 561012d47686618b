//! Keys that are known beforehand.

use super::context::Parts;
use super::verifier::key_alone;
use super::{PresentedIdentity, Verified, Verifier};
use crate::answer::Answer;
use crate::code::CertificateType;
use crate::crypto::fingerprint::sha256;
use crate::error::{CertificateError, Error, Misuse, Result};
use crate::facts::MAX_AUTHENTICATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clasp_x509::Certificate;
use core::fmt;
use core::str::FromStr;
use std::borrow::Cow;
use std::sync::Arc;

/// A public key, by the SHA-256 of its SubjectPublicKeyInfo (RFC 7469 2.4): `sha256//` and 44 letters of base64, as curl's
/// `--pinnedpubkey` has it. `sha256/` alone, as Chromium has it, is read too.
///
/// ```
/// use clasp::config::KeyPin;
/// let pin: KeyPin = "sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwE=".parse()?;
/// assert_eq!(pin.to_string(), "sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwE=");
/// # Ok::<(), clasp::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyPin([u8; 32]);

impl KeyPin {
    /// Of this digest.
    pub const fn new(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }

    /// Of the key in this SubjectPublicKeyInfo (DER).
    pub fn of_key(spki: &[u8]) -> Self {
        Self(sha256(spki))
    }

    /// Of a certificate's key (DER).
    ///
    /// # Errors
    /// If the certificate cannot be read.
    pub fn of_certificate(certificate: &[u8]) -> Result<Self> {
        let certificate =
            Certificate::parse(certificate).map_err(|e| Error::from(Misuse::BadCertificateFile).unread(&e))?;
        Ok(Self::of_key(certificate.spki()))
    }

    /// The digest.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for KeyPin {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let behind = |prefix| STANDARD.decode(text.strip_prefix(prefix)?).ok()?.try_into().ok();
        // A digest may itself begin with a stroke: the length tells.
        behind("sha256//").or_else(|| behind("sha256/")).map(Self).ok_or_else(|| {
            let error = Error::from(Misuse::BadSetting).seen(format_args!("the pin {text:?}"));
            error.wanted("sha256// and the 44 letters of a SHA-256 in base64")
        })
    }
}

impl fmt::Display for KeyPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256//{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for KeyPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Takes peers that have one of these keys: in addition to a chain that is accepted, or in place of one.
///
/// It is the peer's own key that counts, which it proves to have in the handshake. An issuer's would prove nothing: a peer may add any
/// certificate to its chain. Pin the next key too, before it is needed: a peer that loses the only one is locked out.
///
/// ```
/// use clasp::{ClientConfig, Roots};
/// use clasp::config::{KeyPin, PinnedKeys};
/// # let roots = Roots::empty();
/// let pins: [KeyPin; 1] = ["sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwE=".parse()?];
/// // Whoever is trusted already, and has this key.
/// let strict = ClientConfig::builder().trust_pinned(PinnedKeys::in_addition_to(roots, pins)).build()?;
/// // A device with a certificate of its own making.
/// let device = ClientConfig::builder().trust_pinned(PinnedKeys::in_place_of_a_chain(pins)).build()?;
/// # Ok::<(), clasp::Error>(())
/// ```
pub struct PinnedKeys {
    pins: Vec<KeyPin>,
    chains: Option<Arc<dyn Verifier>>,
}

impl PinnedKeys {
    /// Certificates that these roots (or a [`WebPki`](super::WebPki)) accept, and whose key is one of these. For another
    /// verifier see [`in_addition_to_verifier`](Self::in_addition_to_verifier).
    pub fn in_addition_to(chains: impl Into<super::WebPki>, pins: impl IntoIterator<Item = KeyPin>) -> Self {
        Self::in_addition_to_verifier(Arc::new(chains.into()), pins)
    }

    /// What this verifier accepts, and whose key is one of these.
    pub fn in_addition_to_verifier(verifier: Arc<dyn Verifier>, pins: impl IntoIterator<Item = KeyPin>) -> Self {
        Self { pins: pins.into_iter().collect(), chains: Some(verifier) }
    }

    /// The key alone decides. Nothing else of the certificate is looked at: not its name, not its dates, not its issuer. Raw public
    /// keys (RFC 7250) are taken too, where a configuration asks for them.
    pub fn in_place_of_a_chain(pins: impl IntoIterator<Item = KeyPin>) -> Self {
        Self { pins: pins.into_iter().collect(), chains: None }
    }

    fn check(&self, verified: Verified) -> Result<Verified> {
        let key = KeyPin::of_key(&verified.spki);
        if self.pins.contains(&key) {
            return Ok(verified);
        }
        let wanted = self.pins.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        let error = Error::from(CertificateError::NotPinned).seen(key).wanted(wanted);
        Err(error.hint("where the peer has a new key for good reasons, pin that"))
    }
}

/// The key of a peer, whoever it says it is.
pub(super) fn key_of_whoever(peer: &PresentedIdentity<'_>) -> Result<Verified> {
    let spki = match (peer.kind, peer.chain) {
        (CertificateType::RawPublicKey, [key]) => Cow::Borrowed(key.as_ref()),
        (_, [leaf, ..]) => key_alone(leaf)?,
        (_, []) => return Err(CertificateError::BadEncoding.into()),
    };
    let verified = Verified::dangerous_assume(&spki);
    // Its dates are not looked at, so they do not end sessions either.
    Ok(match peer.now.checked_add(MAX_AUTHENTICATION) {
        Some(end) => verified.until(end),
        None => verified,
    })
}

impl Verifier for PinnedKeys {
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        let chains = match &self.chains {
            Some(chains) => chains.verify(peer),
            None => Answer::Now(key_of_whoever(&peer)),
        };
        match chains {
            Answer::Now(verdict) => Answer::Now(verdict.and_then(|verified| self.check(verified))),
            Answer::Later(verdict) => Answer::Later(Box::pin(async { self.check(verdict.await?) })),
        }
    }

    fn authorities(&self) -> Vec<Vec<u8>> {
        self.chains.as_ref().map_or_else(Vec::new, |chains| chains.authorities())
    }

    fn takes(&self, kind: CertificateType) -> bool {
        self.chains.as_ref().is_none_or(|chains| chains.takes(kind))
    }

    fn session_context(&self) -> Option<Vec<u8>> {
        let mut parts = Parts::of("clasp PinnedKeys");
        parts.set(self.pins.iter().map(|pin| &pin.0[..]));
        if let Some(chains) = &self.chains {
            parts.bytes(&chains.session_context()?);
        }
        Some(parts.into_bytes())
    }

    fn is_quick(&self) -> bool {
        self.chains.as_ref().is_none_or(|chains| chains.is_quick())
    }
}

impl fmt::Debug for PinnedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chains = if self.chains.is_some() { "in addition" } else { "in place of a chain" };
        f.debug_struct("PinnedKeys").field("pins", &self.pins).field("chains", &chains).finish()
    }
}
