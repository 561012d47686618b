//! Public keys: SubjectPublicKeyInfo (RFC 5280 4.1.2.7, RFC 3279, RFC 5480, RFC 8410, RFC 9881).

use crate::der::{self, Der, DerResult};
use crate::oid::{self, Oid};
use crate::parse_error::ParseError;
use core::fmt;

/// A public key, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicKey<'a> {
    /// RSA: bits of the modulus, and whether the exponent is odd, at least 3 and of at most 33 bits.
    Rsa {
        /// Bits of the modulus.
        bits: u32,
        /// Whether the exponent is odd, at least 3 and of at most 33 bits: none that is sound is larger, and AWS-LC checks with none.
        exponent_ok: bool,
        /// RSAPublicKey, DER.
        key: &'a [u8],
        /// Parameters of a key that is for RSASSA-PSS alone (RFC 4055 3.1); may be empty.
        pss_only: Option<&'a [u8]>,
    },
    /// Elliptic curve P-256.
    P256,
    /// Elliptic curve P-384.
    P384,
    /// Elliptic curve P-521.
    P521,
    /// Ed25519.
    Ed25519,
    /// ML-DSA, by its parameter set: 44, 65 or 87.
    MlDsa(u8),
    /// Elliptic curve, one that is not supported.
    OtherCurve(Oid<'a>),
    /// A kind that is not supported, by its algorithm.
    Other(Oid<'a>),
    /// Not a public key.
    Malformed,
}

/// A SubjectPublicKeyInfo, taken apart: what kind of key it is, and its bits, unread.
#[derive(Clone, Copy, Debug)]
pub struct Spki<'a> {
    der: &'a [u8],
    algorithm: Oid<'a>,
    parameters: Der<'a>,
    key: &'a [u8],
}

impl<'a> Spki<'a> {
    /// Takes a SubjectPublicKeyInfo (DER) apart.
    ///
    /// # Errors
    /// Says what is not as RFC 5280 4.1.2.7 has it, and where.
    pub fn parse(der: &'a [u8]) -> Result<Self, ParseError> {
        Self::read(der).map_err(|error| error.within(der))
    }

    fn read(der: &'a [u8]) -> DerResult<Self> {
        let what = "subjectPublicKeyInfo";
        let mut outer = Der(der);
        let mut body = outer.take(der::SEQUENCE, what)?;
        outer.finish(what)?;
        let mut parameters = body.take(der::SEQUENCE, "algorithm")?;
        let key = body.bits("subjectPublicKey")?;
        body.finish(what)?;
        Ok(Self { der, algorithm: Oid(parameters.oid("algorithm")?), parameters, key })
    }

    /// All of it, DER.
    pub const fn der(&self) -> &'a [u8] {
        self.der
    }

    /// The key, as far as it matters here.
    pub fn public_key(&self) -> PublicKey<'a> {
        PublicKey::read(*self).unwrap_or(PublicKey::Malformed)
    }

    /// The algorithm of the key.
    pub const fn algorithm(&self) -> Oid<'a> {
        self.algorithm
    }

    /// The content of the BIT STRING: the RSAPublicKey, the point, or the bytes of the key. It is what OCSP (RFC 6960 4.1.1) and
    /// key identifiers hash.
    pub const fn key(&self) -> &'a [u8] {
        self.key
    }

    /// Whether it is a key on a curve by explicit parameters, which RFC 5480 2.1.1 forbids.
    pub fn has_explicit_curve(&self) -> bool {
        self.algorithm.0 == oid::EC && self.parameters.peek() == Some(der::SEQUENCE)
    }
}

/// Writes the SubjectPublicKeyInfo of an RSAPublicKey (DER) that is for RSASSA-PSS alone, within these parameters; they may be
/// empty (RFC 4055 3.1).
pub fn rsa_pss_spki(key: &[u8], parameters: &[u8]) -> Vec<u8> {
    let oid = der::element(der::OID, oid::RSA_PSS);
    let algorithm = der::element(der::SEQUENCE, &[&oid, parameters].concat());
    let key = der::element(der::BIT_STRING, &[&[0], key].concat());
    der::element(der::SEQUENCE, &[algorithm, key].concat())
}

impl<'a> PublicKey<'a> {
    /// Reads a SubjectPublicKeyInfo, DER.
    pub fn parse(spki: &'a [u8]) -> Self {
        Spki::read(spki).map_or(Self::Malformed, |spki| spki.public_key())
    }

    fn read(spki: Spki<'a>) -> DerResult<Self> {
        let what = "parameters";
        let Spki { der: _, algorithm, mut parameters, key } = spki;
        Ok(match algorithm.0 {
            oid::RSA if matches!(parameters.0, [] | [5, 0]) => rsa(key, None)?,
            oid::RSA_PSS => rsa(key, Some(parameters.0))?,
            // RFC 5480 2.2: the hybrid form of a point is not used.
            oid::EC if matches!(key.first(), Some(6 | 7)) => Self::Malformed,
            oid::EC => {
                let curve = parameters.oid(what)?;
                parameters.finish(what)?;
                match curve {
                    oid::P256 => Self::P256,
                    oid::P384 => Self::P384,
                    oid::P521 => Self::P521,
                    _ => Self::OtherCurve(Oid(curve)),
                }
            }
            // RFC 8410 3, RFC 9881 4: the parameters are absent.
            oid::ED25519 if parameters.is_empty() && key.len() == 32 => Self::Ed25519,
            oid::ML_DSA_44 if parameters.is_empty() => Self::MlDsa(44),
            oid::ML_DSA_65 if parameters.is_empty() => Self::MlDsa(65),
            oid::ML_DSA_87 if parameters.is_empty() => Self::MlDsa(87),
            oid::RSA | oid::ED25519 | oid::ML_DSA_44 | oid::ML_DSA_65 | oid::ML_DSA_87 => Self::Malformed,
            _ => Self::Other(algorithm),
        })
    }
}

fn rsa<'a>(key: &'a [u8], pss_only: Option<&'a [u8]>) -> DerResult<PublicKey<'a>> {
    let what = "RSAPublicKey";
    let mut outer = Der(key);
    let mut body = outer.take(der::SEQUENCE, what)?;
    outer.finish(what)?;
    let modulus = body.take(der::INTEGER, what)?.0;
    let exponent = body.take(der::INTEGER, what)?.0;
    body.finish(what)?;
    let digits = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    // The product of two primes that are not 2 is odd (RFC 8017 3.1).
    let odd = modulus.last().is_some_and(|b| b & 1 == 1);
    let impossible = !odd || modulus.first().is_none_or(|b| b & 0x80 != 0);
    let bits = match (impossible, digits.first(), u32::try_from(digits.len())) {
        (false, Some(first), Ok(len)) => len.saturating_mul(8).saturating_sub(first.leading_zeros()),
        _ => return Ok(PublicKey::Malformed),
    };
    let odd = exponent.last().is_some_and(|b| b & 1 == 1);
    let short = matches!(exponent, [0 | 1, _, _, _, _] | [_] | [_, _] | [_, _, _] | [_, _, _, _]);
    let exponent_ok = odd && short && der::small(exponent).is_some_and(|e| e >= 3);
    Ok(PublicKey::Rsa { bits, exponent_ok, key, pss_only })
}

impl fmt::Display for PublicKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits, pss_only: None, .. } => write!(f, "RSA {bits}"),
            Self::Rsa { bits, .. } => write!(f, "RSA {bits} for PSS alone"),
            Self::P256 => f.write_str("EC P-256"),
            Self::P384 => f.write_str("EC P-384"),
            Self::P521 => f.write_str("EC P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::MlDsa(set) => write!(f, "ML-DSA-{set}"),
            Self::OtherCurve(oid) | Self::Other(oid) => write!(f, "{oid}"),
            Self::Malformed => f.write_str("a public key that cannot be read"),
        }
    }
}

/// A SubjectPublicKeyInfo for people.
pub fn describe(spki: &[u8]) -> String {
    match (PublicKey::parse(spki), Spki::read(spki)) {
        (PublicKey::Malformed, Ok(spki)) if spki.has_explicit_curve() => {
            "a key on a curve by explicit parameters".into()
        }
        (key, _) => key.to_string(),
    }
}
