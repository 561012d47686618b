//! Certificate requests (RFC 2986).

use crate::der::{self, Der, DerResult, constructed};
use crate::extension;
use crate::name::general::{SubjectAltName, general_names};
use crate::name::{self, Name};
use crate::oid;
use crate::parse_error::ParseError;
use crate::profile::{Profile, Rules};
use crate::signature::{AwsLc, Checker, SignatureRefusal as Refusal, VerifySignature, algorithm};
use crate::signed::Signed;
use crate::spki::PublicKey;

/// Extensions that are asked for.
const MAX_EXTENSIONS: usize = 16;

/// A parsed request that borrows its DER.
#[derive(Clone, Copy, Debug)]
pub struct CertificateRequest<'a> {
    signed: Signed<'a>,
    subject: &'a [u8],
    spki: &'a [u8],
    alt_names: Option<Der<'a>>,
}

impl<'a> CertificateRequest<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// Says what is not as RFC 2986 4 has it, and where.
    pub fn parse(der: &'a [u8]) -> Result<Self, ParseError> {
        Self::read(der).map_err(|error| error.within(der))
    }

    fn read(bytes: &'a [u8]) -> DerResult<Self> {
        let signed = Signed::read(bytes, "CertificationRequest", "certificationRequestInfo")?;
        let mut body = Der(signed.data).take(der::SEQUENCE, "certificationRequestInfo")?;
        let start = body;
        if body.take(der::INTEGER, "version")?.0 != [0] {
            return Err(start.wrong("version", "version 1"));
        }
        let subject = body.whole(der::SEQUENCE, "subject")?;
        name::check(subject, "subject")?;
        let spki = body.whole(der::SEQUENCE, "subjectPKInfo")?;
        let attributes = body.optional(constructed(0), "attributes")?.unwrap_or(Der(&[]));
        body.finish("certificationRequestInfo")?;
        let mut out = Self { signed, subject, spki, alt_names: None };
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

    /// The subject, DER.
    pub const fn subject_der(&self) -> &'a [u8] {
        self.subject
    }

    /// The SubjectPublicKeyInfo, DER.
    pub const fn spki(&self) -> &'a [u8] {
        self.spki
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
        algorithm::describe(self.signed.algorithm)
    }

    /// Whether the holder of the key signed it, by any algorithm that can be checked here.
    pub fn proof(&self) -> Proof {
        self.proof_by(&AwsLc)
    }

    /// The same, checked by another library.
    pub fn proof_by(&self, signatures: &dyn VerifySignature) -> Proof {
        let checker = Checker { face: signatures, rules: Rules::of(Profile::Legacy) };
        match checker.verify(&self.signed, self.spki) {
            Ok(()) => Proof::Good,
            Err(Refusal::Signature) => Proof::Wrong,
            Err(Refusal::Algorithm | Refusal::Key | Refusal::Size) => Proof::NotChecked,
        }
    }
}

/// What the signature of a request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The holder of the key made it.
    Good,
    /// Somebody else did, or it was altered.
    Wrong,
    /// The algorithm, or the key, is not one that is supported.
    NotChecked,
}

/// The subjectAltName among requested extensions: RFC 2985 5.4.2.
fn requested(list: Der<'_>) -> DerResult<Option<Der<'_>>> {
    let mut found = None;
    extension::each::<MAX_EXTENSIONS>(list, |extension| {
        if extension.oid == oid::SUBJECT_ALT_NAME {
            let mut value = extension.value;
            found = Some(general_names(&mut value, der::SEQUENCE, "subjectAltName")?);
            value.finish("subjectAltName")?;
        }
        Ok(())
    })?;
    Ok(found)
}
