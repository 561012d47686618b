//! Certificate requests (RFC 2986) and private keys, as far as telling what they are.

use crate::certificate::extension;
use crate::certificate::key::PublicKey;
use crate::der::{self, Der, DerError, DerResult, constructed};
use crate::name::general::SubjectAltName;
use crate::name::{self, Name};
use crate::oid::{self, Oid};
use crate::profile::{Profile, Rules};
use crate::signature;

/// A parsed request that borrows its DER.
#[derive(Clone, Copy, Debug)]
pub struct CertificateRequest<'a> {
    info: &'a [u8],
    signature_algorithm: &'a [u8],
    signature: &'a [u8],
    subject: &'a [u8],
    spki: &'a [u8],
    alt_names: Option<Der<'a>>,
}

impl<'a> CertificateRequest<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// Names the field that is not as RFC 2986 4 has it.
    pub fn parse(der: &'a [u8]) -> Result<Self, &'static str> {
        Self::read(der).map_err(|DerError(what)| what)
    }

    fn read(bytes: &'a [u8]) -> DerResult<Self> {
        let mut input = Der(bytes);
        let mut outer = input.take(der::SEQUENCE, "CertificationRequest")?;
        input.finish("CertificationRequest")?;
        let info = outer.whole(der::SEQUENCE, "certificationRequestInfo")?;
        let signature_algorithm = outer.whole(der::SEQUENCE, "signatureAlgorithm")?;
        let signature = outer.bits("signature")?;
        outer.finish("CertificationRequest")?;
        let mut body = Der(info).take(der::SEQUENCE, "certificationRequestInfo")?;
        if body.take(der::INTEGER, "version")?.0 != [0] {
            return Err(DerError("version"));
        }
        let subject = body.whole(der::SEQUENCE, "subject")?;
        name::check(subject, "subject")?;
        let spki = body.whole(der::SEQUENCE, "subjectPKInfo")?;
        let attributes = body.optional(constructed(0), "attributes")?.unwrap_or(Der(&[]));
        body.finish("certificationRequestInfo")?;
        let mut out = Self { info, signature_algorithm, signature, subject, spki, alt_names: None };
        let mut walk = attributes;
        while !walk.is_empty() {
            let mut attribute = walk.take(der::SEQUENCE, "attributes")?;
            let oid = attribute.oid("attributes")?;
            let mut values = attribute.take(der::SET, "attributes")?;
            attribute.finish("attributes")?;
            if oid == oid::EXTENSION_REQUEST {
                out.alt_names = requested(values.take(der::SEQUENCE, "extensionRequest")?)?;
            }
        }
        Ok(out)
    }

    /// The subject's name for people.
    pub fn subject(&self) -> String {
        Name(self.subject).to_string()
    }

    /// The public key.
    pub fn public_key(&self) -> PublicKey<'a> {
        PublicKey::parse(self.spki)
    }

    /// The subjectAltNames asked for.
    pub fn alt_names(&self) -> impl Iterator<Item = SubjectAltName<'a>> + use<'a> {
        let mut walk = self.alt_names.unwrap_or(Der(&[]));
        core::iter::from_fn(move || SubjectAltName::read(&mut walk, "subjectAltName").ok())
    }

    /// The signature algorithm for people.
    pub fn signature_algorithm(&self) -> String {
        signature::describe(self.signature_algorithm)
    }

    /// Whether the holder of the key signed it.
    pub fn is_signed(&self) -> bool {
        let rules = Rules::of(Profile::Rfc5280);
        signature::verify(self.signature_algorithm, self.spki, self.info, self.signature, rules).is_ok()
    }
}

/// The subjectAltName among requested extensions: RFC 2985 5.4.2.
fn requested(list: Der<'_>) -> DerResult<Option<Der<'_>>> {
    let mut found = None;
    crate::revocation::crl::each_extension(list, |oid, _, mut value| {
        if oid == oid::SUBJECT_ALT_NAME {
            found = Some(extension::general_names(&mut value, der::SEQUENCE, "subjectAltName")?);
            value.finish("subjectAltName")?;
        }
        Ok(())
    })?;
    Ok(found)
}

/// What kind of private key this is: PKCS #8 (RFC 5958), PKCS #1 (RFC 8017 A.1.2) or SEC 1 (RFC 5915). Says nothing of
/// the secret.
pub fn describe_private_key(der: &[u8]) -> Option<String> {
    pkcs8(der).or_else(|_| pkcs1(der)).or_else(|_| sec1(der)).ok()
}

fn pkcs8(bytes: &[u8]) -> DerResult<String> {
    let what = "PrivateKeyInfo";
    let mut body = Der(bytes).take(der::SEQUENCE, what)?;
    body.small(der::INTEGER, what)?;
    let mut algorithm = body.take(der::SEQUENCE, what)?;
    let oid = algorithm.oid(what)?;
    let key = body.take(der::OCTET_STRING, what)?;
    match oid {
        oid::RSA | oid::RSA_PSS => pkcs1(key.0),
        oid::EC => Ok(format!("EC {}", Oid(algorithm.oid(what)?))),
        _ => Ok(Oid(oid).to_string()),
    }
}

fn pkcs1(bytes: &[u8]) -> DerResult<String> {
    let what = "RSAPrivateKey";
    let mut body = Der(bytes).take(der::SEQUENCE, what)?;
    body.small(der::INTEGER, what)?;
    let modulus = body.take(der::INTEGER, what)?.0;
    body.take(der::INTEGER, what)?;
    let digits = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    let zeros = digits.first().map_or(0, |b| b.leading_zeros());
    let bits = u32::try_from(digits.len()).map_err(|_| DerError(what))?.saturating_mul(8).saturating_sub(zeros);
    Ok(format!("RSA {bits}"))
}

fn sec1(bytes: &[u8]) -> DerResult<String> {
    let what = "ECPrivateKey";
    let mut body = Der(bytes).take(der::SEQUENCE, what)?;
    body.small(der::INTEGER, what)?;
    body.take(der::OCTET_STRING, what)?;
    match body.optional(constructed(0), what)? {
        Some(mut curve) => Ok(format!("EC {}", Oid(curve.oid(what)?))),
        None => Err(DerError(what)),
    }
}
