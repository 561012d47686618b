//! Signature algorithms: how certificates name them, and the closed set of those that are checked here.

use crate::der::{self, Der, DerResult, constructed};
use crate::oid::{self, Oid};
use crate::spki::PublicKey;

/// The hash of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureHash {
    /// SHA-1: what old devices present, in [`Profile::Legacy`](crate::Profile::Legacy) alone.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl SignatureHash {
    /// Bytes of it.
    pub const fn length(self) -> u16 {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// A curve of ECDSA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Curve {
    /// P-256.
    P256,
    /// P-384.
    P384,
    /// P-521.
    P521,
}

/// What a signature is made with, down to the last parameter: the closed set of what a
/// [`VerifySignature`](crate::VerifySignature) is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 8.2).
    RsaPkcs1(SignatureHash),
    /// RSASSA-PSS (RFC 8017 8.1), with MGF1 over the same hash.
    RsaPss {
        /// The hash.
        hash: SignatureHash,
        /// Bytes of salt: in TLS as many as the hash has, in certificates any number.
        salt: u16,
    },
    /// ECDSA, the signature as DER has it (RFC 3279 2.2.3).
    Ecdsa(Curve, SignatureHash),
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ML-DSA-44 (FIPS 204), with an empty context.
    MlDsa44,
    /// ML-DSA-65 (FIPS 204), with an empty context.
    MlDsa65,
    /// ML-DSA-87 (FIPS 204), with an empty context.
    MlDsa87,
}

impl SignatureAlgorithm {
    /// Whether it is one of the key's: of its kind, of its curve, and within what a key for RSASSA-PSS alone allows
    /// (RFC 4055 3.3).
    pub fn fits(self, key: PublicKey<'_>) -> bool {
        let named = match self {
            Self::RsaPkcs1(hash) => Named::RsaPkcs1(hash),
            Self::RsaPss { hash, salt } => Named::RsaPss { hash, salt },
            Self::Ecdsa(_, hash) => Named::Ecdsa(hash),
            Self::Ed25519 => Named::Ed25519,
            Self::MlDsa44 => Named::MlDsa(44),
            Self::MlDsa65 => Named::MlDsa(65),
            Self::MlDsa87 => Named::MlDsa(87),
        };
        named.with(key) == Some(self)
    }
}

/// An algorithm as an AlgorithmIdentifier has it: for ECDSA the curve is the key's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    RsaPkcs1(SignatureHash),
    RsaPss { hash: SignatureHash, salt: u16 },
    Ecdsa(SignatureHash),
    Ed25519,
    MlDsa(u8),
}

impl Named {
    /// Reads an AlgorithmIdentifier.
    pub(crate) fn read(identifier: &[u8]) -> Option<Self> {
        Self::parse(identifier).ok()
    }

    fn parse(identifier: &[u8]) -> DerResult<Self> {
        let what = "signatureAlgorithm";
        let mut content = Der(identifier).take(der::SEQUENCE, what)?;
        let oid = content.oid(what)?;
        let hash = match oid {
            oid::SHA1_RSA | oid::SHA1_ECDSA => SignatureHash::Sha1,
            oid::SHA256_RSA | oid::SHA256_ECDSA => SignatureHash::Sha256,
            oid::SHA384_RSA | oid::SHA384_ECDSA => SignatureHash::Sha384,
            _ => SignatureHash::Sha512,
        };
        match (oid, content.0) {
            // RFC 4055 5: the parameters are NULL; verifiers must take them absent too.
            (oid::SHA1_RSA | oid::SHA256_RSA | oid::SHA384_RSA | oid::SHA512_RSA, [] | [5, 0]) => {
                Ok(Self::RsaPkcs1(hash))
            }
            // RFC 5758 3.2: absent.
            (oid::SHA1_ECDSA | oid::SHA256_ECDSA | oid::SHA384_ECDSA | oid::SHA512_ECDSA, []) => Ok(Self::Ecdsa(hash)),
            (oid::RSA_PSS, _) => pss(content).map(|(hash, salt)| Self::RsaPss { hash, salt }),
            (oid::ED25519, []) => Ok(Self::Ed25519),
            (oid::ML_DSA_44, []) => Ok(Self::MlDsa(44)),
            (oid::ML_DSA_65, []) => Ok(Self::MlDsa(65)),
            (oid::ML_DSA_87, []) => Ok(Self::MlDsa(87)),
            _ => Err(content.wrong(what, "an algorithm that is known here, with its parameters")),
        }
    }

    /// Its hash, where it names one.
    pub(crate) const fn hash(self) -> Option<SignatureHash> {
        match self {
            Self::RsaPkcs1(hash) | Self::RsaPss { hash, .. } | Self::Ecdsa(hash) => Some(hash),
            Self::Ed25519 | Self::MlDsa(_) => None,
        }
    }

    /// The algorithm with this key, if it is one of the key's.
    pub(crate) fn with(self, key: PublicKey<'_>) -> Option<SignatureAlgorithm> {
        Some(match (self, key) {
            (Self::RsaPkcs1(hash), PublicKey::Rsa { pss_only: None, .. }) => SignatureAlgorithm::RsaPkcs1(hash),
            (Self::RsaPss { hash, salt }, PublicKey::Rsa { pss_only, .. }) => {
                pss_only.is_none_or(|limits| pss_within(limits, hash, salt)).then_some(())?;
                SignatureAlgorithm::RsaPss { hash, salt }
            }
            (Self::Ecdsa(hash), PublicKey::P256) => SignatureAlgorithm::Ecdsa(Curve::P256, hash),
            (Self::Ecdsa(hash), PublicKey::P384) => SignatureAlgorithm::Ecdsa(Curve::P384, hash),
            (Self::Ecdsa(hash), PublicKey::P521) => SignatureAlgorithm::Ecdsa(Curve::P521, hash),
            (Self::Ed25519, PublicKey::Ed25519) => SignatureAlgorithm::Ed25519,
            // A parameter set is a kind of key (RFC 9881 2).
            (Self::MlDsa(44), PublicKey::MlDsa(44)) => SignatureAlgorithm::MlDsa44,
            (Self::MlDsa(65), PublicKey::MlDsa(65)) => SignatureAlgorithm::MlDsa65,
            (Self::MlDsa(87), PublicKey::MlDsa(87)) => SignatureAlgorithm::MlDsa87,
            _ => return None,
        })
    }
}

/// RSASSA-PSS-params (RFC 4055 3.1): any salt, the same hash for MGF1 as for the message. The defaults are SHA-1, which
/// is not supported here.
fn pss(content: Der<'_>) -> DerResult<(SignatureHash, u16)> {
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
        return Ok((hash, salt));
    }
    Err(content.wrong(what, "MGF1 with the hash of the message"))
}

/// A hash's AlgorithmIdentifier, with NULL parameters or none (RFC 4055 2.1).
fn hash(identifier: &[u8]) -> DerResult<SignatureHash> {
    let what = "hashAlgorithm";
    let mut outer = Der(identifier);
    let mut content = outer.take(der::SEQUENCE, what)?;
    outer.finish(what)?;
    let oid = content.oid(what)?;
    match (oid, content.0) {
        (oid::SHA256, [] | [5, 0]) => Ok(SignatureHash::Sha256),
        (oid::SHA384, [] | [5, 0]) => Ok(SignatureHash::Sha384),
        (oid::SHA512, [] | [5, 0]) => Ok(SignatureHash::Sha512),
        _ => Err(Der(identifier).wrong(what, "SHA-256, SHA-384 or SHA-512")),
    }
}

/// RFC 4055 3.3: parameters in the key limit the signature: the same hash, a salt at least as long.
fn pss_within(limits: &[u8], hash: SignatureHash, salt: u16) -> bool {
    match (limits, pss(Der(limits))) {
        ([], _) => true,
        (_, Ok((wanted, least))) => hash == wanted && salt >= least,
        _ => false,
    }
}

/// The hash that an AlgorithmIdentifier names, for tls-server-end-point (RFC 5929 4.1).
pub(crate) fn hash_of(identifier: &[u8]) -> Option<SignatureHash> {
    Named::read(identifier)?.hash()
}

/// The algorithm for people.
pub(crate) fn describe(identifier: &[u8]) -> String {
    let oid = Der(identifier).take(der::SEQUENCE, "algorithm").and_then(|mut a| a.oid("algorithm"));
    match (Named::read(identifier), oid) {
        (Some(Named::RsaPss { hash, salt }), _) => format!("RSASSA-PSS with {hash:?} and a salt of {salt}"),
        (_, Ok(oid)) => Oid(oid).to_string(),
        (_, Err(_)) => "an algorithm that cannot be read".into(),
    }
}
