//! The rule by which a signature counts: its algorithm is one of the key, and that is large enough. All of them are checked here,
//! those of handshakes too.

use super::algorithm::{Named, SignatureAlgorithm, SignatureHash};
use super::face::{PreparedKey, SignatureError, VerifySignature};
use crate::profile::{MIN_RSA_BITS, Rules};
use crate::signed::Signed;
use crate::spki::{PublicKey, Spki};
use core::fmt;
use std::sync::OnceLock;

/// Why a signature is not checked, or is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureRefusal {
    /// The algorithm is not supported, or not allowed.
    Algorithm,
    /// The algorithm is not one for the key.
    Key,
    /// The key is too small, or too large.
    Size,
    /// The signature is wrong.
    Signature,
}

impl fmt::Display for SignatureRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Algorithm => "a signature algorithm that is not supported, or not allowed",
            Self::Key => "a signature algorithm that is not one for the key",
            Self::Size => "an RSA key that is too small, or too large",
            Self::Signature => "a wrong signature",
        })
    }
}

impl core::error::Error for SignatureRefusal {}

impl From<SignatureError> for SignatureRefusal {
    fn from(error: SignatureError) -> Self {
        match error {
            SignatureError::Unsupported => Self::Algorithm,
            SignatureError::Wrong => Self::Signature,
        }
    }
}

/// The largest RSA modulus: its cost is the square of its length, and the crypto library goes no further.
pub const MAX_RSA_BITS: u32 = 8192;

/// Checks a signature of whatever message with a SubjectPublicKeyInfo (DER), by the rule that holds for certificates of the web:
/// an RSA key has 2048 to 8192 bits. It is for protocols; what certificates sign is checked as their chain is.
///
/// # Errors
/// Why it does not count.
pub fn verify_signature(
    face: &dyn VerifySignature,
    algorithm: SignatureAlgorithm,
    spki: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureRefusal> {
    let spki = Spki::parse(spki).map_err(|_| SignatureRefusal::Key)?;
    let key = spki.public_key();
    check_size(key, MIN_RSA_BITS)?;
    if !algorithm.fits(key) {
        return Err(SignatureRefusal::Key);
    }
    Ok(face.verify(algorithm, &spki, message, signature)?)
}

fn check_size(key: PublicKey<'_>, least: u32) -> Result<(), SignatureRefusal> {
    match key {
        PublicKey::Rsa { bits, .. } if !(least..=MAX_RSA_BITS).contains(&bits) => Err(SignatureRefusal::Size),
        _ => Ok(()),
    }
}

/// A SubjectPublicKeyInfo that signatures are checked with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'k> {
    pub(crate) spki: &'k [u8],
    pub(crate) ready: Option<&'k Ready>,
}

impl<'k> From<&'k [u8]> for Key<'k> {
    fn from(spki: &'k [u8]) -> Self {
        Self { spki, ready: None }
    }
}

/// Where a key that checks many signatures waits, as the crypto library has it, for the face and the algorithm it was first used
/// with.
#[derive(Default)]
pub(crate) struct Ready(OnceLock<Option<First>>);

struct First {
    face: String,
    algorithm: SignatureAlgorithm,
    key: Box<dyn PreparedKey>,
}

impl Ready {
    fn key(
        &self,
        face: &dyn VerifySignature,
        algorithm: SignatureAlgorithm,
        spki: &Spki<'_>,
    ) -> Option<&dyn PreparedKey> {
        let first = self.0.get_or_init(|| {
            let key = face.prepare(algorithm, spki)?;
            Some(First { face: face.name().to_owned(), algorithm, key })
        });
        let first = first.as_ref()?;
        (first.algorithm == algorithm && first.face == face.name()).then_some(&*first.key)
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ready({})", self.0.get().and_then(Option::as_ref).map_or("for none", |first| &first.face))
    }
}

/// Who checks the signatures of certificates, lists and responses, and by whose rules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checker<'f> {
    pub(crate) face: &'f dyn VerifySignature,
    pub(crate) rules: &'static Rules,
}

impl Checker<'_> {
    /// Checks a signature.
    pub(crate) fn verify<'k>(&self, signed: &Signed<'_>, key: impl Into<Key<'k>>) -> Result<(), SignatureRefusal> {
        let Signed { data: message, algorithm: identifier, signature } = *signed;
        let Key { spki, ready } = key.into();
        let allowed = |named: &Named| named.hash() != Some(SignatureHash::Sha1) || self.rules.sha1;
        let named = Named::read(identifier).filter(allowed).ok_or(SignatureRefusal::Algorithm)?;
        let spki = Spki::parse(spki).map_err(|_| SignatureRefusal::Key)?;
        let key = spki.public_key();
        check_size(key, self.rules.min_rsa_bits)?;
        let algorithm = named.with(key).ok_or(SignatureRefusal::Key)?;
        match ready.and_then(|ready| ready.key(self.face, algorithm, &spki)) {
            Some(key) => Ok(key.verify(message, signature)?),
            None => Ok(self.face.verify(algorithm, &spki, message, signature)?),
        }
    }
}
