//! A certificate, read in place: RFC 5280 4.1.

use super::extensions::Extensions;
use super::point::{self, DistributionPoint};
use super::quirks::Quirks;
use super::usage::KeyUsage;
use crate::der::{self, Der, DerResult, constructed, primitive};
use crate::name::general::SubjectAltName;
use crate::name::{self, Name};
use crate::oid::{self, Oid};
use crate::parse_error::ParseError;
use crate::signature::{SignatureHash, algorithm};
use crate::signed::Signed;
use crate::spki::PublicKey;
use crate::text::hex;

/// A parsed certificate that borrows its DER.
#[derive(Clone, Copy, Debug)]
pub struct Certificate<'a> {
    pub(crate) der: &'a [u8],
    pub(crate) signed: Signed<'a>,
    pub(crate) version: u8,
    serial: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
    not_before: i64,
    not_after: i64,
    spki: &'a [u8],
    pub(crate) quirks: Quirks,
    pub(crate) extensions: Extensions<'a>,
    /// The content of the extensions field, for precertificates (RFC 6962 3.2).
    pub(crate) extension_list: Option<Der<'a>>,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate.
    ///
    /// # Errors
    /// Says what is not as RFC 5280 4.1 has it, and where.
    pub fn parse(der: &'a [u8]) -> Result<Self, ParseError> {
        Self::read(der).map_err(|error| error.within(der))
    }

    fn read(bytes: &'a [u8]) -> DerResult<Self> {
        let signed = Signed::read(bytes, "Certificate", "tbsCertificate")?;

        let mut quirks = Quirks::default();
        let mut body = Der(signed.data).take(der::SEQUENCE, "tbsCertificate")?;
        let version = version(&mut body)?;
        let serial = serial_number(&mut body, &mut quirks)?;
        signed.read_again(&mut body)?;
        let issuer = body.whole(der::SEQUENCE, "issuer")?;
        name::check(issuer, "issuer")?;
        let mut validity = body.take(der::SEQUENCE, "validity")?;
        let not_before = validity_time(&mut validity, "notBefore", &mut quirks)?;
        let not_after = validity_time(&mut validity, "notAfter", &mut quirks)?;
        validity.finish("validity")?;
        let subject = body.whole(der::SEQUENCE, "subject")?;
        name::check(subject, "subject")?;
        let spki = body.whole(der::SEQUENCE, "subjectPublicKeyInfo")?;
        for tag in [primitive(1), primitive(2)] {
            let start = body;
            if body.optional(tag, "uniqueID")?.is_some() {
                quirks.add(Quirks::UNIQUE_ID);
                if version == 0 {
                    return Err(start.wrong("uniqueID", "none in a certificate of version 1"));
                }
            }
        }
        let extension_list = match body.optional(constructed(3), "extensions")? {
            None => None,
            Some(block) if version != 2 => {
                return Err(block.wrong("extensions", "none in a certificate that is not version 3"));
            }
            Some(mut block) => {
                let list = block.take(der::SEQUENCE, "extensions")?;
                block.finish("extensions")?;
                Some(list)
            }
        };
        body.finish("tbsCertificate")?;
        let extensions = match extension_list {
            Some(list) => Extensions::read(list, &mut quirks)?,
            None => Extensions::default(),
        };
        Ok(Self {
            der: bytes,
            signed,
            version: version.saturating_add(1),
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            spki,
            quirks,
            extensions,
            extension_list,
        })
    }

    /// The certificate, DER.
    pub const fn der(&self) -> &'a [u8] {
        self.der
    }

    /// The SHA-256 hash of the certificate.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, self.der).as_ref());
        out
    }

    /// 1, 2 or 3.
    pub const fn version(&self) -> u8 {
        self.version
    }

    /// The SubjectPublicKeyInfo, DER.
    pub const fn spki(&self) -> &'a [u8] {
        self.spki
    }

    /// The public key, read.
    pub fn public_key(&self) -> PublicKey<'a> {
        PublicKey::parse(self.spki)
    }

    /// The subject's name for people.
    pub fn subject(&self) -> String {
        Name(self.subject).to_string()
    }

    /// The issuer's name for people.
    pub fn issuer(&self) -> String {
        Name(self.issuer).to_string()
    }

    /// The subject, DER.
    pub const fn subject_der(&self) -> &'a [u8] {
        self.subject
    }

    /// The issuer, DER.
    pub const fn issuer_der(&self) -> &'a [u8] {
        self.issuer
    }

    /// Whether issuer and subject are the same name: RFC 5280 6.1.
    pub(crate) fn is_self_issued(&self) -> bool {
        name::compare::same(self.subject, self.issuer)
    }

    /// The serial number in hexadecimal.
    pub fn serial(&self) -> String {
        hex(self.serial)
    }

    /// The serial number, as the content of its INTEGER.
    pub const fn serial_der(&self) -> &'a [u8] {
        self.serial
    }

    /// First second of validity, since 1970.
    pub const fn not_before(&self) -> i64 {
        self.not_before
    }

    /// Last second of validity, since 1970.
    pub const fn not_after(&self) -> i64 {
        self.not_after
    }

    /// The key usage, if the certificate limits it.
    pub const fn key_usage(&self) -> Option<KeyUsage> {
        self.extensions.key_usage
    }

    /// The purposes of extKeyUsage; none where the certificate does not limit them.
    pub fn extended_key_usage(&self) -> Option<impl Iterator<Item = Oid<'a>> + use<'a>> {
        let mut list = self.extensions.extended_key_usage?;
        Some(core::iter::from_fn(move || list.take(der::OID, "KeyPurposeId").ok().map(|oid| Oid(oid.0))))
    }

    /// Whether this is a certificate authority's, by basicConstraints.
    pub const fn is_authority(&self) -> bool {
        matches!(self.extensions.basic_constraints, Some(b) if b.ca)
    }

    /// Whether its key may sign revocation lists: RFC 5280 4.2.1.3 has whoever does say cRLSign. An authority without keyUsage is
    /// borne (6.3.3 (f)), and one before version 3, which has no way to say what it is.
    pub(crate) fn may_sign_lists(&self) -> bool {
        match self.key_usage() {
            Some(usage) => usage.crl_sign(),
            None => self.is_authority() || (self.version < 3 && self.is_self_issued()),
        }
    }

    /// How many authorities may stand below it, if it says so.
    pub const fn path_length(&self) -> Option<u32> {
        match self.extensions.basic_constraints {
            Some(b) => b.path_len,
            None => None,
        }
    }

    /// The subject key identifier.
    pub const fn subject_key_id(&self) -> Option<&'a [u8]> {
        self.extensions.subject_key
    }

    /// The authority key identifier.
    pub fn authority_key_id(&self) -> Option<&'a [u8]> {
        self.extensions.authority_key?.key
    }

    /// The hash of the signature algorithm, if it names one: tls-server-end-point needs it (RFC 5929 4.1).
    pub fn signature_hash(&self) -> Option<SignatureHash> {
        algorithm::hash_of(self.signed.algorithm)
    }

    /// The signature algorithm for people.
    pub fn signature_algorithm(&self) -> String {
        algorithm::describe(self.signed.algorithm)
    }

    /// The subjectAltNames.
    pub fn alt_names(&self) -> impl Iterator<Item = SubjectAltName<'a>> + use<'a> {
        let mut walk = self.extensions.alt_names.unwrap_or(Der(&[]));
        core::iter::from_fn(move || SubjectAltName::read(&mut walk, "subjectAltName").ok())
    }

    /// The addresses under authorityInfoAccess for a method ([`Oid`] of OCSP or caIssuers).
    fn authority_info(&self, method: &'static [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut walk = self.extensions.authority_info.unwrap_or(Der(&[]));
        let next = move || {
            let mut access = walk.take(der::SEQUENCE, "access").ok()?;
            let seen = access.take(der::OID, "accessMethod").ok()?.0;
            Some((seen, SubjectAltName::read(&mut access, "accessLocation").ok()?))
        };
        core::iter::from_fn(next).filter_map(move |(seen, place)| match place {
            SubjectAltName::Uri(uri) if seen == method => Some(uri),
            _ => None,
        })
    }

    /// Where the issuer's certificate can be had, by authorityInfoAccess.
    pub fn issuer_addresses(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.authority_info(oid::CA_ISSUERS)
    }

    /// Where OCSP answers can be had, by authorityInfoAccess.
    pub fn ocsp_addresses(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.authority_info(oid::OCSP)
    }

    /// Whether the certificate demands a stapled OCSP response (status_request in its TLS features): RFC 7633 4.2.3.1.
    pub fn must_staple(&self) -> bool {
        self.tls_features().any(|feature| feature == 5)
    }

    /// The TLS features that it demands, by the numbers of their extensions: RFC 7633 4.1.
    pub(crate) fn tls_features(&self) -> impl Iterator<Item = u32> + use<'a> {
        let mut features = self.extensions.tls_features.unwrap_or(Der(&[]));
        core::iter::from_fn(move || features.small(der::INTEGER, "feature").ok())
    }

    /// Names within which those of the certificates below it must be: nameConstraints, RFC 5280 4.2.1.10.
    pub fn permitted_names(&self) -> impl Iterator<Item = SubjectAltName<'a>> + use<'a> {
        self.extensions.name_constraints.into_iter().flat_map(|constraints| constraints.permitted())
    }

    /// Names that no certificate below it may have: nameConstraints, RFC 5280 4.2.1.10.
    pub fn excluded_names(&self) -> impl Iterator<Item = SubjectAltName<'a>> + use<'a> {
        self.extensions.name_constraints.into_iter().flat_map(|constraints| constraints.excluded())
    }

    /// Its policies: RFC 5280 4.2.1.4.
    pub fn policies(&self) -> impl Iterator<Item = Oid<'a>> + use<'a> {
        let mut walk = self.extensions.policies.unwrap_or(Der(&[]));
        core::iter::from_fn(move || walk.take(der::SEQUENCE, "policy").ok()?.oid("policy").ok().map(Oid))
    }

    /// Which policy of its own stands for which of those below it: RFC 5280 4.2.1.5.
    pub fn policy_mappings(&self) -> impl Iterator<Item = (Oid<'a>, Oid<'a>)> + use<'a> {
        let mut walk = self.extensions.policy_mappings.unwrap_or(Der(&[]));
        core::iter::from_fn(move || {
            let mut pair = walk.take(der::SEQUENCE, "mapping").ok()?;
            Some((Oid(pair.oid("mapping").ok()?), Oid(pair.oid("mapping").ok()?)))
        })
    }

    /// Below how many certificates more a policy must be there: requireExplicitPolicy, RFC 5280 4.2.1.11.
    pub fn explicit_policy_after(&self) -> Option<u32> {
        self.extensions.policy_constraints?.require_explicit
    }

    /// Below how many certificates more no policy is mapped: inhibitPolicyMapping, RFC 5280 4.2.1.11.
    pub fn no_policy_mapping_after(&self) -> Option<u32> {
        self.extensions.policy_constraints?.inhibit_mapping
    }

    /// Below how many certificates more anyPolicy stands for none: inhibitAnyPolicy, RFC 5280 4.2.1.14.
    pub fn no_any_policy_after(&self) -> Option<u32> {
        self.extensions.inhibit_any
    }

    /// Where revocation lists about it are: cRLDistributionPoints, RFC 5280 4.2.1.13.
    pub fn list_points(&self) -> impl Iterator<Item = DistributionPoint<'a>> + use<'a> {
        point::points(self.extensions.crl_points)
    }

    /// Where deltas of those lists are: freshestCRL, RFC 5280 4.2.1.15.
    pub fn fresh_list_points(&self) -> impl Iterator<Item = DistributionPoint<'a>> + use<'a> {
        point::points(self.extensions.freshest)
    }

    /// A critical extension that is not understood here: the certificate is refused.
    pub fn unprocessed(&self) -> Option<Oid<'a>> {
        self.extensions.unknown_critical.map(Oid)
    }
}

/// Version ::= INTEGER; 0 for version 1, as encoded.
fn version(body: &mut Der<'_>) -> DerResult<u8> {
    match body.optional(constructed(0), "version")? {
        None => Ok(0),
        Some(mut v) => {
            let start = v;
            let number = v.take(der::INTEGER, "version")?.0;
            v.finish("version")?;
            match number {
                [n @ 1..=2] => Ok(*n),
                _ => Err(start.wrong("version", "version 2 or 3, or none")),
            }
        }
    }
}

/// RFC 5280 4.1.2.2: positive, at most 20 bytes.
fn serial_number<'a>(body: &mut Der<'a>, quirks: &mut Quirks) -> DerResult<&'a [u8]> {
    let serial = body.take(der::INTEGER, "serialNumber")?.0;
    match serial {
        [0] => quirks.add(Quirks::SERIAL_ZERO),
        [0x80..=0xff, ..] => quirks.add(Quirks::SERIAL_NEGATIVE),
        _ => {}
    }
    if serial.len() > 20 {
        quirks.add(Quirks::SERIAL_LONG);
    }
    Ok(serial)
}

/// RFC 5280 4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050.
fn validity_time(validity: &mut Der<'_>, what: &'static str, quirks: &mut Quirks) -> DerResult<i64> {
    const START_OF_2050: i64 = 2_524_608_000;
    let general = validity.peek() == Some(der::GENERALIZED_TIME);
    let time = validity.time(what)?;
    if general && time < START_OF_2050 {
        quirks.add(Quirks::TIME_FORM);
    }
    Ok(time)
}
