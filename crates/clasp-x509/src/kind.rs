//! What a file, or a section of one, holds.

use crate::certificate::Certificate;
use crate::der::{self, Der, DerResult, constructed, primitive};
use crate::oid;
use crate::request::CertificateRequest;
use crate::revocation::{Crl, OcspError, OcspResponse};
use crate::spki::PublicKey;
use core::fmt;

pub use crate::spki::describe as public_key;

/// A kind of thing that files of TLS hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A certificate.
    Certificate,
    /// A certificate revocation list.
    Crl,
    /// A certificate request.
    Request,
    /// A private key.
    PrivateKey,
    /// A private key that a password protects.
    EncryptedKey,
    /// A public key.
    PublicKey,
    /// Parameters of keys: a curve, a Diffie-Hellman group.
    Parameters,
    /// PKCS #7, or CMS: often certificates without a signature.
    Messages,
    /// PKCS #12.
    Pkcs12,
    /// An OCSP response.
    OcspResponse,
    /// Configurations of Encrypted Client Hello (RFC 9934). They are no DER.
    EchConfigs,
    /// Something else.
    Other,
}

impl Kind {
    /// By the label of a section: RFC 7468 and OpenSSL's.
    pub(crate) fn labelled(label: &str) -> Self {
        match label {
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => Self::Certificate,
            "X509 CRL" => Self::Crl,
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Self::Request,
            "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "DSA PRIVATE KEY" => Self::PrivateKey,
            "ENCRYPTED PRIVATE KEY" => Self::EncryptedKey,
            "PUBLIC KEY" | "RSA PUBLIC KEY" => Self::PublicKey,
            "PARAMETERS" | "EC PARAMETERS" | "DH PARAMETERS" | "X9.42 DH PARAMETERS" | "DSA PARAMETERS" => {
                Self::Parameters
            }
            "PKCS7" | "PKCS #7 SIGNED DATA" | "CMS" => Self::Messages,
            "PKCS12" => Self::Pkcs12,
            "OCSP RESPONSE" => Self::OcspResponse,
            "ECHCONFIG" => Self::EchConfigs,
            _ => Self::Other,
        }
    }

    /// The label that such a thing should have.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Certificate => "CERTIFICATE",
            Self::Crl => "X509 CRL",
            Self::Request => "CERTIFICATE REQUEST",
            Self::PrivateKey => "PRIVATE KEY",
            Self::EncryptedKey => "ENCRYPTED PRIVATE KEY",
            Self::PublicKey => "PUBLIC KEY",
            Self::Parameters => "PARAMETERS",
            Self::Messages => "PKCS7",
            Self::Pkcs12 => "PKCS12",
            Self::OcspResponse => "OCSP RESPONSE",
            Self::EchConfigs => "ECHCONFIG",
            Self::Other => "something else",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "a certificate",
            Self::Crl => "a revocation list",
            Self::Request => "a certificate request",
            Self::PrivateKey => "a private key",
            Self::EncryptedKey => "an encrypted private key",
            Self::PublicKey => "a public key",
            Self::Parameters => "parameters of keys",
            Self::Messages => "PKCS #7",
            Self::Pkcs12 => "PKCS #12",
            Self::OcspResponse => "an OCSP response",
            Self::EchConfigs => "configurations of Encrypted Client Hello",
            Self::Other => "something that is not known here",
        })
    }
}

/// What DER is that does not say so, from its beginning to its end.
pub fn of(bytes: &[u8]) -> Option<Kind> {
    if Certificate::parse(bytes).is_ok() {
        Some(Kind::Certificate)
    } else if Crl::parse(bytes).is_ok() {
        Some(Kind::Crl)
    } else if !matches!(OcspResponse::parse(bytes), Err(OcspError::Malformed(_))) {
        Some(Kind::OcspResponse)
    } else if CertificateRequest::parse(bytes).is_ok() {
        Some(Kind::Request)
    } else if PublicKey::parse(bytes) != PublicKey::Malformed || rsa_public(bytes).is_ok() {
        Some(Kind::PublicKey)
    } else if private_key(bytes).is_some() {
        Some(Kind::PrivateKey)
    } else if encrypted(bytes).is_ok() {
        Some(Kind::EncryptedKey)
    } else if parameters(bytes).is_some() {
        Some(Kind::Parameters)
    } else if pkcs12(bytes).is_ok() {
        Some(Kind::Pkcs12)
    } else if messages(bytes).is_ok() {
        Some(Kind::Messages)
    } else {
        None
    }
}

/// What a file in DER begins with, where more stands behind it, and how many bytes do.
pub fn first_of(bytes: &[u8]) -> Option<(Kind, usize)> {
    let mut rest = Der(bytes);
    let first = rest.whole(der::SEQUENCE, "file").ok()?;
    let kind = of(first).filter(|_| !rest.is_empty())?;
    Some((kind, rest.0.len()))
}

/// The content of the one SEQUENCE that a file is.
fn sequence<'a>(bytes: &'a [u8], what: &'static str) -> DerResult<Der<'a>> {
    let mut outer = Der(bytes);
    let body = outer.take(der::SEQUENCE, what)?;
    outer.finish(what)?;
    Ok(body)
}

/// EncryptedPrivateKeyInfo: RFC 5958 3.
fn encrypted(bytes: &[u8]) -> DerResult<()> {
    /// PKCS #5 (RFC 8018), and the schemes of PKCS #12 (RFC 7292 C).
    const PKCS5: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5];
    const PKCS12: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1];
    let what = "EncryptedPrivateKeyInfo";
    let mut body = sequence(bytes, what)?;
    let mut algorithm = body.take(der::SEQUENCE, what)?;
    let start = algorithm;
    let scheme = algorithm.oid(what)?;
    body.take(der::OCTET_STRING, what)?;
    body.finish(what)?;
    let known = scheme.starts_with(PKCS5) || scheme.starts_with(PKCS12);
    if known { Ok(()) } else { Err(start.wrong(what, "a scheme of PKCS #5 or PKCS #12")) }
}

/// PFX: RFC 7292 4. Often with lengths that DER does not know, so only its beginning is looked at.
fn pkcs12(bytes: &[u8]) -> DerResult<()> {
    let what = "PFX";
    let head = match bytes {
        [der::SEQUENCE, 0x80, rest @ ..] => Der(rest),
        _ => sequence(bytes, what)?,
    };
    match head.0 {
        [der::INTEGER, 1, 3, der::SEQUENCE, ..] => Ok(()),
        _ => Err(head.wrong(what, "version 3")),
    }
}

/// ContentInfo: RFC 5652 3.
fn messages(bytes: &[u8]) -> DerResult<()> {
    const PKCS7: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7];
    let what = "ContentInfo";
    let mut head = match bytes {
        [der::SEQUENCE, 0x80, rest @ ..] => Der(rest),
        _ => sequence(bytes, what)?,
    };
    let start = head;
    if head.oid(what)?.starts_with(PKCS7) { Ok(()) } else { Err(start.wrong(what, "a type of PKCS #7")) }
}

/// The INTEGERs that a SEQUENCE is made of, each not negative.
fn integers<'a>(bytes: &'a [u8], what: &'static str) -> DerResult<Vec<&'a [u8]>> {
    let mut body = sequence(bytes, what)?;
    let mut all = Vec::new();
    while !body.is_empty() {
        let start = body;
        match body.take(der::INTEGER, what)?.0 {
            number @ [0..=0x7f, ..] if all.len() < 9 => all.push(number.strip_prefix(&[0]).unwrap_or(number)),
            _ => return Err(start.wrong(what, "at most nine numbers, none negative")),
        }
    }
    Ok(all)
}

fn bits(number: &[u8]) -> u32 {
    let zeros = number.first().map_or(0, |b| b.leading_zeros());
    u32::try_from(number.len()).unwrap_or(u32::MAX).saturating_mul(8).saturating_sub(zeros)
}

/// What an RSAPublicKey of PKCS #1 is.
pub fn rsa_public_key(bytes: &[u8]) -> Option<String> {
    rsa_public(bytes).ok()
}

/// RSAPublicKey (RFC 8017 A.1.1). A Diffie-Hellman group is two numbers as well: its generator is small.
fn rsa_public(bytes: &[u8]) -> DerResult<String> {
    let what = "RSAPublicKey";
    match integers(bytes, what)?[..] {
        [modulus, exponent] if bits(modulus) >= 256 && is_exponent(exponent) => Ok(format!("RSA {}", bits(modulus))),
        _ => Err(Der(bytes).wrong(what, "a modulus and an exponent")),
    }
}

/// 3, or odd and of more than four bits: generators are 2 and 5.
fn is_exponent(number: &[u8]) -> bool {
    number == [3] || (bits(number) > 4 && bits(number) <= 64 && number.last().is_some_and(|b| b & 1 == 1))
}

/// Parameters of Diffie-Hellman (PKCS #3), DSA (RFC 3279 2.3.2) or a curve (RFC 5480 2.1.1), for people.
pub fn parameters(bytes: &[u8]) -> Option<String> {
    let mut named = Der(bytes);
    if let Ok(curve) = named.oid("namedCurve") {
        return named.is_empty().then(|| format!("EC {}", oid::Oid(curve)));
    }
    let Ok(numbers) = integers(bytes, "parameters") else { return ec_parameters(bytes).ok() };
    match numbers[..] {
        [prime, generator] if bits(prime) >= 256 && !is_exponent(generator) => {
            Some(format!("Diffie-Hellman group of {} bits", bits(prime)))
        }
        [prime, _, length] if bits(length) <= 16 => Some(format!("Diffie-Hellman group of {} bits", bits(prime))),
        // X9.42 has the order of the subgroup last, DSA has it second.
        [prime, _, q] if (160..=512).contains(&bits(q)) => {
            Some(format!("Diffie-Hellman group of {} bits, of X9.42", bits(prime)))
        }
        [prime, q, _] if (160..=512).contains(&bits(q)) => Some(format!("DSA {}", bits(prime))),
        _ => None,
    }
}

/// ECParameters spelled out: RFC 5480 2.1.1 forbids them.
fn ec_parameters(bytes: &[u8]) -> DerResult<String> {
    let what = "ECParameters";
    let mut body = sequence(bytes, what)?;
    body.small(der::INTEGER, what)?;
    body.take(der::SEQUENCE, what)?;
    body.take(der::SEQUENCE, what)?;
    body.take(der::OCTET_STRING, what)?;
    Ok("EC, a curve by explicit parameters".into())
}

/// What kind of private key this is: PKCS #8 (RFC 5958), PKCS #1 (RFC 8017 A.1.2), SEC 1 (RFC 5915) or OpenSSL's form of
/// DSA. Says nothing of the secret.
pub fn private_key(bytes: &[u8]) -> Option<String> {
    pkcs8(bytes).or_else(|_| of_integers(bytes)).or_else(|_| sec1(bytes)).ok()
}

/// Whether this is one SEQUENCE, as every private key is, and nothing behind it.
pub fn is_one_sequence(bytes: &[u8]) -> bool {
    sequence(bytes, "private key").is_ok()
}

/// The RSAPrivateKey in a PKCS #8 private key that is for RSASSA-PSS alone, and the parameters that limit it (RFC 4055 3.1); they
/// may be empty.
pub fn rsa_pss_private_key(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (oid, parameters, key) = private_key_info(bytes).ok()?;
    (oid == oid::RSA_PSS).then_some((key.0, parameters.0))
}

/// The key in a PKCS #8 private key with which secrets are agreed on: the object identifier of its curve, and the key by itself,
/// as RFC 8410 7 has those of X25519 and RFC 5915 3 those of a named curve.
pub fn agreement_key(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (oid, mut algorithm, mut key) = private_key_info(bytes).ok()?;
    let what = "private key";
    if oid != oid::EC {
        let private = key.take(der::OCTET_STRING, what).ok()?;
        return (key.is_empty() && algorithm.is_empty()).then_some((oid, private.0));
    }
    let curve = algorithm.oid(what).ok()?;
    let mut body = sequence(key.0, what).ok()?;
    body.small(der::INTEGER, what).ok().filter(|version| *version == 1)?;
    let private = body.take(der::OCTET_STRING, what).ok()?;
    Some((curve, private.0))
}

/// PrivateKeyInfo (RFC 5958 2): the algorithm, its parameters, the key.
fn private_key_info(bytes: &[u8]) -> DerResult<(&[u8], Der<'_>, Der<'_>)> {
    let what = "PrivateKeyInfo";
    let mut body = sequence(bytes, what)?;
    body.small(der::INTEGER, what)?;
    let mut algorithm = body.take(der::SEQUENCE, what)?;
    let oid = algorithm.oid(what)?;
    let key = body.take(der::OCTET_STRING, what)?;
    body.optional(constructed(0), what)?;
    body.optional(primitive(1), what)?;
    body.finish(what)?;
    Ok((oid, algorithm, key))
}

fn pkcs8(bytes: &[u8]) -> DerResult<String> {
    let what = "PrivateKeyInfo";
    let (oid, mut algorithm, key) = private_key_info(bytes)?;
    match oid {
        oid::RSA => of_integers(key.0),
        oid::RSA_PSS => Ok(format!("{} for PSS alone", of_integers(key.0)?)),
        oid::EC => match algorithm.peek() {
            Some(der::OID) => Ok(format!("EC {}", oid::Oid(algorithm.oid(what)?))),
            _ => Ok("EC, a curve by explicit parameters".into()),
        },
        _ => Ok(oid::Oid(oid).to_string()),
    }
}

/// RSA has a version and eight numbers, DSA a version and five.
fn of_integers(bytes: &[u8]) -> DerResult<String> {
    match integers(bytes, "private key")?[..] {
        [[], modulus, _, _, _, _, _, _, _] => Ok(format!("RSA {}", bits(modulus))),
        [[], prime, _, _, _, _] => Ok(format!("DSA {}", bits(prime))),
        _ => Err(Der(bytes).wrong("private key", "the numbers of RSA, or of DSA")),
    }
}

fn sec1(bytes: &[u8]) -> DerResult<String> {
    let what = "ECPrivateKey";
    let mut body = sequence(bytes, what)?;
    let start = body;
    if body.small(der::INTEGER, what)? != 1 {
        return Err(start.wrong(what, "version 1"));
    }
    body.take(der::OCTET_STRING, what)?;
    let curve = body.optional(constructed(0), what)?;
    body.optional(constructed(1), what)?;
    body.finish(what)?;
    match curve {
        None => Ok("EC, of a curve that is not said".into()),
        Some(mut curve) if curve.peek() == Some(der::OID) => Ok(format!("EC {}", oid::Oid(curve.oid(what)?))),
        Some(_) => Ok("EC, a curve by explicit parameters".into()),
    }
}
