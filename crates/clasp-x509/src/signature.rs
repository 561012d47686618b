//! Certificate signatures. The only file that verifies with a crypto library.

use crate::der::{self, Der, DerResult, constructed};
use crate::oid::{self, Oid};
use crate::profile::Rules;
use crate::signed::Signed;
use crate::spki::PublicKey;
use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    self as sig, ParsedPublicKey, RsaParameters, RsaPssSaltLength, UnparsedPublicKey, VerificationAlgorithm,
};
use std::sync::OnceLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// A signature algorithm that can be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    RsaPkcs1(Hash),
    RsaPss { hash: Hash, salt: u16 },
    Ecdsa(Hash),
    Ed25519,
    MlDsa(u8),
}

/// Why a signature cannot be checked, or is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The algorithm is not supported, or not by this profile.
    Algorithm,
    /// The algorithm is not one for the issuer's key.
    Key,
    /// The issuer's key is too small, or too large.
    Size,
    /// The signature is wrong.
    Signature,
}

impl Hash {
    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

impl Algorithm {
    /// Reads an AlgorithmIdentifier.
    pub(crate) fn read(identifier: &[u8]) -> Option<Self> {
        Self::parse(identifier).ok()
    }

    fn parse(identifier: &[u8]) -> DerResult<Self> {
        let what = "signatureAlgorithm";
        let mut content = Der(identifier).take(der::SEQUENCE, what)?;
        let oid = content.oid(what)?;
        let hash = match oid {
            oid::SHA1_RSA | oid::SHA1_ECDSA => Hash::Sha1,
            oid::SHA256_RSA | oid::SHA256_ECDSA => Hash::Sha256,
            oid::SHA384_RSA | oid::SHA384_ECDSA => Hash::Sha384,
            _ => Hash::Sha512,
        };
        match (oid, content.0) {
            // RFC 4055 5: the parameters are NULL; verifiers must take them absent too.
            (oid::SHA1_RSA | oid::SHA256_RSA | oid::SHA384_RSA | oid::SHA512_RSA, [] | [5, 0]) => {
                Ok(Self::RsaPkcs1(hash))
            }
            // RFC 5758 3.2: absent.
            (oid::SHA1_ECDSA | oid::SHA256_ECDSA | oid::SHA384_ECDSA | oid::SHA512_ECDSA, []) => Ok(Self::Ecdsa(hash)),
            (oid::RSA_PSS, _) => pss(content),
            (oid::ED25519, []) => Ok(Self::Ed25519),
            (oid::ML_DSA_44, []) => Ok(Self::MlDsa(44)),
            (oid::ML_DSA_65, []) => Ok(Self::MlDsa(65)),
            (oid::ML_DSA_87, []) => Ok(Self::MlDsa(87)),
            _ => Err(content.wrong(what, "an algorithm that is known here, with its parameters")),
        }
    }

    fn is_allowed(self, rules: &Rules) -> bool {
        let hash = match self {
            Self::RsaPkcs1(hash) | Self::Ecdsa(hash) | Self::RsaPss { hash, .. } => Some(hash),
            Self::Ed25519 | Self::MlDsa(_) => None,
        };
        hash != Some(Hash::Sha1) || rules.sha1
    }
}

/// RSASSA-PSS-params (RFC 4055 3.1): any salt, the same hash for MGF1 as for the message. The defaults are SHA-1, which
/// is not supported here.
fn pss(content: Der<'_>) -> DerResult<Algorithm> {
    let what = "RSASSA-PSS-params";
    let mut outer = content;
    let mut params = outer.take(der::SEQUENCE, what)?;
    outer.finish(what)?;
    let hash = hash(params.take(constructed(0), what)?.0)?;
    let mut mask = params.take(constructed(1), what)?.take(der::SEQUENCE, what)?;
    let mgf1 = mask.oid(what)? == oid::MGF1;
    let mask_hash = self::hash(mask.0)?;
    let salt = match params.optional(constructed(2), what)? {
        None => 20,
        Some(mut salt) => {
            let start = salt;
            let value = salt.small(der::INTEGER, what)?;
            salt.finish(what)?;
            u16::try_from(value).map_err(|_| start.wrong(what, "a salt of at most 65535 bytes"))?
        }
    };
    let start = params;
    if let Some(mut trailer) = params.optional(constructed(3), what)?
        && trailer.small(der::INTEGER, what)? != 1
    {
        return Err(start.wrong(what, "trailerFieldBC"));
    }
    params.finish(what)?;
    if mgf1 && hash == mask_hash {
        return Ok(Algorithm::RsaPss { hash, salt });
    }
    Err(content.wrong(what, "MGF1 with the hash of the message"))
}

/// A hash's AlgorithmIdentifier, with NULL parameters or none (RFC 4055 2.1).
fn hash(identifier: &[u8]) -> DerResult<Hash> {
    let what = "hashAlgorithm";
    let mut outer = Der(identifier);
    let mut content = outer.take(der::SEQUENCE, what)?;
    outer.finish(what)?;
    let oid = content.oid(what)?;
    match (oid, content.0) {
        (oid::SHA256, [] | [5, 0]) => Ok(Hash::Sha256),
        (oid::SHA384, [] | [5, 0]) => Ok(Hash::Sha384),
        (oid::SHA512, [] | [5, 0]) => Ok(Hash::Sha512),
        _ => Err(Der(identifier).wrong(what, "SHA-256, SHA-384 or SHA-512")),
    }
}

/// The largest RSA modulus: its cost is the square of its length, and the crypto library goes no further.
pub(crate) const MAX_RSA_BITS: u32 = 8192;

/// Whether the key of a curve is one of its points: what is none has no private key, and gives an attacker one to guess.
pub(crate) fn is_on_curve(spki: &[u8]) -> bool {
    let with: &'static dyn VerificationAlgorithm = match PublicKey::parse(spki) {
        PublicKey::P256 => &sig::ECDSA_P256_SHA256_ASN1,
        PublicKey::P384 => &sig::ECDSA_P384_SHA384_ASN1,
        PublicKey::P521 => &sig::ECDSA_P521_SHA512_ASN1,
        _ => return false,
    };
    ParsedPublicKey::new(with, spki).is_ok()
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

/// Where a key that checks many signatures waits, as the crypto library has it, for the algorithm it was first used with:
/// that saves a microsecond each time, and three with RSA.
#[derive(Debug, Default)]
pub(crate) struct Ready(OnceLock<Option<(Algorithm, ParsedPublicKey)>>);

impl Ready {
    fn key(
        &self,
        algorithm: Algorithm,
        with: &'static dyn VerificationAlgorithm,
        spki: &[u8],
    ) -> Option<&ParsedPublicKey> {
        let ready = self.0.get_or_init(|| Some((algorithm, ParsedPublicKey::new(with, spki).ok()?)));
        ready.as_ref().filter(|(first, _)| *first == algorithm).map(|(_, key)| key)
    }
}

/// Checks a signature.
pub(crate) fn verify<'k>(signed: &Signed<'_>, key: impl Into<Key<'k>>, rules: &Rules) -> Result<(), Refusal> {
    let Signed { data: message, algorithm: identifier, signature } = *signed;
    let Key { spki, ready } = key.into();
    let algorithm = Algorithm::read(identifier).filter(|a| a.is_allowed(rules)).ok_or(Refusal::Algorithm)?;
    let verify = |with: &'static dyn VerificationAlgorithm| {
        let good = match ready.and_then(|ready| ready.key(algorithm, with, spki)) {
            Some(key) => key.verify_sig(message, signature),
            None => UnparsedPublicKey::new(with, spki).verify(message, signature),
        };
        good.map_err(|_| Refusal::Signature)
    };
    // Hashed apart: AWS-LC is quicker with a hash than with a message.
    let verify_hash = |hash: Hash, with: &'static dyn VerificationAlgorithm| {
        let digest = digest::digest(hash.algorithm(), message);
        let good = match ready.and_then(|ready| ready.key(algorithm, with, spki)) {
            Some(key) => key.verify_digest_sig(&digest, signature),
            None => UnparsedPublicKey::new(with, spki).verify_digest(&digest, signature),
        };
        good.map_err(|_| Refusal::Signature)
    };
    match (algorithm, PublicKey::parse(spki)) {
        (_, PublicKey::Rsa { bits, .. }) if !(rules.min_rsa_bits..=MAX_RSA_BITS).contains(&bits) => Err(Refusal::Size),
        (Algorithm::RsaPkcs1(hash), PublicKey::Rsa { pss_only: None, bits, .. }) => {
            verify(pkcs1(hash, bits).ok_or(Refusal::Key)?)
        }
        (Algorithm::RsaPss { hash, salt }, PublicKey::Rsa { key, pss_only, .. }) => {
            if !pss_only.is_none_or(|limits| pss_within(limits, hash, salt)) {
                return Err(Refusal::Key);
            }
            let parameters = match hash {
                Hash::Sha1 => return Err(Refusal::Algorithm),
                Hash::Sha256 => sig::RSA_PSS_2048_8192_SHA256,
                Hash::Sha384 => sig::RSA_PSS_2048_8192_SHA384,
                Hash::Sha512 => sig::RSA_PSS_2048_8192_SHA512,
            };
            let parameters: RsaParameters = parameters.with_pss_salt_length(RsaPssSaltLength::Custom(salt));
            parameters.verify_sig(key, message, signature).map_err(|_| Refusal::Signature)
        }
        (Algorithm::Ecdsa(hash), key @ (PublicKey::P256 | PublicKey::P384 | PublicKey::P521)) => {
            verify_hash(hash, ecdsa(hash, key).ok_or(Refusal::Algorithm)?)
        }
        (Algorithm::Ed25519, PublicKey::Ed25519) => verify(&sig::ED25519),
        (Algorithm::MlDsa(44), PublicKey::MlDsa(44)) => verify(&sig::ML_DSA_44),
        (Algorithm::MlDsa(65), PublicKey::MlDsa(65)) => verify(&sig::ML_DSA_65),
        (Algorithm::MlDsa(87), PublicKey::MlDsa(87)) => verify(&sig::ML_DSA_87),
        _ => Err(Refusal::Key),
    }
}

/// Every hash with every curve, but for what the crypto library has not.
fn ecdsa(hash: Hash, curve: PublicKey<'_>) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (curve, hash) {
        (PublicKey::P256, Hash::Sha1) => &sig::ECDSA_P256_SHA1_ASN1,
        (PublicKey::P256, Hash::Sha256) => &sig::ECDSA_P256_SHA256_ASN1,
        (PublicKey::P256, Hash::Sha384) => &sig::ECDSA_P256_SHA384_ASN1,
        (PublicKey::P256, Hash::Sha512) => &sig::ECDSA_P256_SHA512_ASN1,
        (PublicKey::P384, Hash::Sha256) => &sig::ECDSA_P384_SHA256_ASN1,
        (PublicKey::P384, Hash::Sha384) => &sig::ECDSA_P384_SHA384_ASN1,
        (PublicKey::P384, Hash::Sha512) => &sig::ECDSA_P384_SHA512_ASN1,
        (PublicKey::P521, Hash::Sha1) => &sig::ECDSA_P521_SHA1_ASN1,
        (PublicKey::P521, Hash::Sha256) => &sig::ECDSA_P521_SHA256_ASN1,
        (PublicKey::P521, Hash::Sha384) => &sig::ECDSA_P521_SHA384_ASN1,
        (PublicKey::P521, Hash::Sha512) => &sig::ECDSA_P521_SHA512_ASN1,
        _ => return None,
    })
}

fn pkcs1(hash: Hash, bits: u32) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (hash, bits) {
        (Hash::Sha1, _) => &sig::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (Hash::Sha256, ..2048) => &sig::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        (Hash::Sha512, ..2048) => &sig::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        (Hash::Sha384, ..2048) => return None,
        (Hash::Sha256, _) => &sig::RSA_PKCS1_2048_8192_SHA256,
        (Hash::Sha384, _) => &sig::RSA_PKCS1_2048_8192_SHA384,
        (Hash::Sha512, _) => &sig::RSA_PKCS1_2048_8192_SHA512,
    })
}

/// RFC 4055 3.3: parameters in the key limit the signature: the same hash, a salt at least as long.
fn pss_within(limits: &[u8], hash: Hash, salt: u16) -> bool {
    match (limits, pss(Der(limits))) {
        ([], _) => true,
        (_, Ok(Algorithm::RsaPss { hash: wanted, salt: least })) => hash == wanted && salt >= least,
        _ => false,
    }
}

/// The bits of the hash, for tls-server-end-point (RFC 5929 4.1).
pub(crate) fn hash_bits(identifier: &[u8]) -> Option<u16> {
    match Algorithm::read(identifier)? {
        Algorithm::RsaPkcs1(hash) | Algorithm::RsaPss { hash, .. } | Algorithm::Ecdsa(hash) => Some(match hash {
            Hash::Sha1 => 160,
            Hash::Sha256 => 256,
            Hash::Sha384 => 384,
            Hash::Sha512 => 512,
        }),
        Algorithm::Ed25519 | Algorithm::MlDsa(_) => None,
    }
}

/// The algorithm for people.
pub(crate) fn describe(identifier: &[u8]) -> String {
    let oid = Der(identifier).take(der::SEQUENCE, "algorithm").and_then(|mut a| a.oid("algorithm"));
    match (Algorithm::read(identifier), oid) {
        (Some(Algorithm::RsaPss { hash, salt }), _) => format!("RSASSA-PSS with {hash:?} and a salt of {salt}"),
        (_, Ok(oid)) => Oid(oid).to_string(),
        (_, Err(_)) => "an algorithm that cannot be read".into(),
    }
}
