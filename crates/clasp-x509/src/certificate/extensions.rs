//! Extensions of certificates: RFC 5280 4.2. All that are known are read, in place, once.

use super::name_constraints::NameConstraints;
use super::point;
use super::quirks::Quirks;
use super::usage::KeyUsage;
use crate::der::{self, Der, DerResult, constructed, primitive};
use crate::extension;
use crate::name::general::{SubjectAltName, general_names};
use crate::oid;

/// Extensions of one certificate.
const MAX_EXTENSIONS: usize = 64;

#[derive(Clone, Copy, Debug)]
pub(crate) struct BasicConstraints {
    pub(crate) ca: bool,
    pub(crate) path_len: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct PolicyConstraints {
    pub(crate) require_explicit: Option<u32>,
    pub(crate) inhibit_mapping: Option<u32>,
}

/// RFC 5280 4.2.1.1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AuthorityKey<'a> {
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) issuer: Option<Der<'a>>,
    pub(crate) serial: Option<&'a [u8]>,
}

/// The extensions that have a meaning here, as places in [`Critical`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KnownExtension {
    BasicConstraints,
    KeyUsage,
    ExtendedKeyUsage,
    SubjectAltName,
    IssuerAltName,
    NameConstraints,
    Policies,
    PolicyMappings,
    PolicyConstraints,
    InhibitAny,
    AuthorityKey,
    SubjectKey,
    CrlPoints,
    FreshestCrl,
    AuthorityInfo,
    SubjectInfo,
    SubjectDirectory,
    TlsFeature,
    SctList,
    OcspNoCheck,
    ApplicationPolicies,
}

const KNOWN: &[(&[u8], KnownExtension)] = &[
    (oid::KEY_USAGE, KnownExtension::KeyUsage),
    (oid::EXTENDED_KEY_USAGE, KnownExtension::ExtendedKeyUsage),
    (oid::BASIC_CONSTRAINTS, KnownExtension::BasicConstraints),
    (oid::SUBJECT_KEY_ID, KnownExtension::SubjectKey),
    (oid::AUTHORITY_KEY_ID, KnownExtension::AuthorityKey),
    (oid::AUTHORITY_INFO, KnownExtension::AuthorityInfo),
    (oid::SUBJECT_ALT_NAME, KnownExtension::SubjectAltName),
    (oid::POLICIES, KnownExtension::Policies),
    (oid::CRL_POINTS, KnownExtension::CrlPoints),
    (oid::SCT_LIST, KnownExtension::SctList),
    (oid::NAME_CONSTRAINTS, KnownExtension::NameConstraints),
    (oid::POLICY_MAPPINGS, KnownExtension::PolicyMappings),
    (oid::POLICY_CONSTRAINTS, KnownExtension::PolicyConstraints),
    (oid::INHIBIT_ANY, KnownExtension::InhibitAny),
    (oid::TLS_FEATURE, KnownExtension::TlsFeature),
    (oid::FRESHEST_CRL, KnownExtension::FreshestCrl),
    (oid::OCSP_NO_CHECK, KnownExtension::OcspNoCheck),
    (oid::ISSUER_ALT_NAME, KnownExtension::IssuerAltName),
    (oid::SUBJECT_INFO, KnownExtension::SubjectInfo),
    (oid::SUBJECT_DIRECTORY, KnownExtension::SubjectDirectory),
    (oid::MS_APPLICATION_POLICIES, KnownExtension::ApplicationPolicies),
];

/// Which known extensions are present, or critical.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Set(u32);

impl Set {
    fn add(&mut self, known: KnownExtension) {
        self.0 |= 1 << known as u32;
    }

    pub(crate) fn has(self, known: KnownExtension) -> bool {
        self.0 & 1 << known as u32 != 0
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extensions<'a> {
    pub(crate) present: Set,
    pub(crate) critical: Set,
    pub(crate) unknown_critical: Option<&'a [u8]>,
    pub(crate) basic_constraints: Option<BasicConstraints>,
    pub(crate) key_usage: Option<KeyUsage>,
    pub(crate) extended_key_usage: Option<Der<'a>>,
    pub(crate) alt_names: Option<Der<'a>>,
    pub(crate) name_constraints: Option<NameConstraints<'a>>,
    /// The whole value of nameConstraints.
    pub(crate) name_constraints_der: &'a [u8],
    pub(crate) policies: Option<Der<'a>>,
    pub(crate) policy_mappings: Option<Der<'a>>,
    pub(crate) policy_constraints: Option<PolicyConstraints>,
    pub(crate) inhibit_any: Option<u32>,
    pub(crate) authority_key: Option<AuthorityKey<'a>>,
    pub(crate) subject_key: Option<&'a [u8]>,
    pub(crate) crl_points: Option<Der<'a>>,
    pub(crate) freshest: Option<Der<'a>>,
    pub(crate) authority_info: Option<Der<'a>>,
    pub(crate) tls_features: Option<Der<'a>>,
    pub(crate) sct_list: Option<&'a [u8]>,
}

impl<'a> Extensions<'a> {
    pub(super) fn read(list: Der<'a>, quirks: &mut Quirks) -> DerResult<Self> {
        let mut out = Self::default();
        extension::each::<MAX_EXTENSIONS>(list, |extension| {
            if extension.critical == Some(false) {
                quirks.add(Quirks::FALSE_ENCODED);
            }
            match KNOWN.iter().find(|(oid, _)| *oid == extension.oid) {
                Some((_, known)) => {
                    out.present.add(*known);
                    if extension.is_critical() {
                        out.critical.add(*known);
                    }
                    out.value(*known, extension.value, quirks)
                }
                None if extension.is_critical() => {
                    out.unknown_critical.get_or_insert(extension.oid);
                    Ok(())
                }
                None => Ok(()),
            }
        })?;
        Ok(out)
    }

    fn value(&mut self, known: KnownExtension, mut value: Der<'a>, quirks: &mut Quirks) -> DerResult<()> {
        match known {
            KnownExtension::BasicConstraints => self.basic_constraints = Some(basic_constraints(&mut value, quirks)?),
            KnownExtension::KeyUsage => self.key_usage = Some(key_usage(&mut value, quirks)?),
            KnownExtension::ExtendedKeyUsage => {
                let list = value.take(der::SEQUENCE, "extKeyUsage")?;
                list.each("extKeyUsage", |list| list.oid("extKeyUsage").map(|_| ()))?;
                self.extended_key_usage = Some(list);
            }
            KnownExtension::SubjectAltName => {
                self.alt_names = Some(general_names(&mut value, der::SEQUENCE, "subjectAltName")?);
            }
            KnownExtension::IssuerAltName => {
                general_names(&mut value, der::SEQUENCE, "issuerAltName")?;
            }
            KnownExtension::NameConstraints => {
                self.name_constraints_der = value.0;
                self.name_constraints = Some(NameConstraints::read(&mut value)?);
            }
            KnownExtension::Policies => self.policies = Some(policies(&mut value, quirks)?),
            KnownExtension::PolicyMappings => self.policy_mappings = Some(policy_mappings(&mut value)?),
            KnownExtension::PolicyConstraints => self.policy_constraints = Some(policy_constraints(&mut value)?),
            KnownExtension::InhibitAny => self.inhibit_any = Some(value.small(der::INTEGER, "inhibitAnyPolicy")?),
            KnownExtension::AuthorityKey => self.authority_key = Some(authority_key(&mut value)?),
            KnownExtension::SubjectKey => {
                self.subject_key = Some(value.take(der::OCTET_STRING, "subjectKeyIdentifier")?.0);
            }
            KnownExtension::CrlPoints => {
                self.crl_points = Some(point::check_list(&mut value, "cRLDistributionPoints")?);
            }
            KnownExtension::FreshestCrl => {
                self.freshest = Some(point::check_list(&mut value, "freshestCRL")?);
            }
            KnownExtension::AuthorityInfo => self.authority_info = Some(access(&mut value, "authorityInfoAccess")?),
            KnownExtension::SubjectInfo => {
                access(&mut value, "subjectInfoAccess")?;
            }
            KnownExtension::TlsFeature => {
                let list = value.take(der::SEQUENCE, "tlsfeature")?;
                list.each("tlsfeature", |list| list.small(der::INTEGER, "tlsfeature").map(|_| ()))?;
                self.tls_features = Some(list);
            }
            KnownExtension::SctList => {
                self.sct_list = Some(value.take(der::OCTET_STRING, "signedCertificateTimestamps")?.0);
            }
            KnownExtension::SubjectDirectory | KnownExtension::ApplicationPolicies => {
                value.take(der::SEQUENCE, "extension value")?;
            }
            // RFC 6960 4.2.2.2.1: the value is NULL and means nothing.
            KnownExtension::OcspNoCheck => return Ok(()),
        }
        value.finish("extension value")
    }
}

fn basic_constraints(value: &mut Der<'_>, quirks: &mut Quirks) -> DerResult<BasicConstraints> {
    let mut inner = value.take(der::SEQUENCE, "basicConstraints")?;
    let ca = inner.boolean("cA")?;
    if ca == Some(false) {
        quirks.add(Quirks::NO_AUTHORITY_ENCODED);
    }
    let ca = ca.unwrap_or(false);
    let path_len = match inner.peek() {
        Some(der::INTEGER) => Some(inner.small(der::INTEGER, "pathLenConstraint")?),
        _ => None,
    };
    inner.finish("basicConstraints")?;
    Ok(BasicConstraints { ca, path_len })
}

fn key_usage(value: &mut Der<'_>, quirks: &mut Quirks) -> DerResult<KeyUsage> {
    let start = *value;
    let bits = match value.take(der::BIT_STRING, "keyUsage")?.0 {
        [0] => 0,
        [unused @ 0..=7, a] if a.trailing_zeros() >= u32::from(*unused) => u16::from_be_bytes([*a, 0]),
        [unused @ 0..=7, a, b] if b.trailing_zeros() >= u32::from(*unused) => u16::from_be_bytes([*a, *b]),
        _ => return Err(start.wrong("keyUsage", "a BIT STRING of at most two bytes, zeros behind its end")),
    };
    if bits == 0 {
        quirks.add(Quirks::EMPTY_KEY_USAGE);
    }
    Ok(KeyUsage(bits))
}

/// RFC 5280 4.2.1.4.
fn policies<'a>(value: &mut Der<'a>, quirks: &mut Quirks) -> DerResult<Der<'a>> {
    let what = "certificatePolicies";
    let list = value.take(der::SEQUENCE, what)?;
    list.each(what, |list| {
        let mut policy = list.take(der::SEQUENCE, what)?;
        policy.oid(what)?;
        if let Some(qualifiers) = policy.optional(der::SEQUENCE, what)? {
            qualifiers.each(what, |qualifiers| {
                let mut qualifier = qualifiers.take(der::SEQUENCE, what)?;
                if !matches!(qualifier.oid(what)?, oid::CPS | oid::USER_NOTICE) {
                    quirks.add(Quirks::UNKNOWN_QUALIFIER);
                }
                qualifier.any(what)?;
                qualifier.finish(what)
            })?;
        }
        policy.finish(what)
    })?;
    Ok(list)
}

/// RFC 5280 4.2.1.5.
fn policy_mappings<'a>(value: &mut Der<'a>) -> DerResult<Der<'a>> {
    let what = "policyMappings";
    let list = value.take(der::SEQUENCE, what)?;
    list.each(what, |list| {
        let mut pair = list.take(der::SEQUENCE, what)?;
        pair.oid("issuerDomainPolicy")?;
        pair.oid("subjectDomainPolicy")?;
        pair.finish(what)
    })?;
    Ok(list)
}

/// RFC 5280 4.2.1.11: never empty.
fn policy_constraints(value: &mut Der<'_>) -> DerResult<PolicyConstraints> {
    let what = "policyConstraints";
    let start = *value;
    let mut inner = value.take(der::SEQUENCE, what)?;
    let mut skip = |n: u8| match inner.peek() {
        Some(tag) if tag == primitive(n) => inner.small(tag, what).map(Some),
        _ => Ok(None),
    };
    let (require_explicit, inhibit_mapping) = (skip(0)?, skip(1)?);
    inner.finish(what)?;
    if require_explicit.is_none() && inhibit_mapping.is_none() {
        return Err(start.wrong(what, "requireExplicitPolicy or inhibitPolicyMapping"));
    }
    Ok(PolicyConstraints { require_explicit, inhibit_mapping })
}

/// Also found in CRLs: RFC 5280 5.2.1.
pub(crate) fn authority_key<'a>(value: &mut Der<'a>) -> DerResult<AuthorityKey<'a>> {
    let what = "authorityKeyIdentifier";
    let mut inner = value.take(der::SEQUENCE, what)?;
    let key = inner.optional(primitive(0), what)?.map(|k| k.0);
    let issuer = match inner.peek() {
        Some(tag) if tag == constructed(1) => Some(general_names(&mut inner, tag, what)?),
        _ => None,
    };
    let start = inner;
    let serial = inner.optional(primitive(2), what)?.map(|s| s.0);
    if serial.is_some_and(|serial| !der::is_minimal(serial)) {
        return Err(start.wrong("authorityCertSerialNumber", "a number in as few bytes as it takes"));
    }
    inner.finish(what)?;
    Ok(AuthorityKey { key, issuer, serial })
}

/// RFC 5280 4.2.2.1.
fn access<'a>(value: &mut Der<'a>, what: &'static str) -> DerResult<Der<'a>> {
    let list = value.take(der::SEQUENCE, what)?;
    list.each(what, |list| {
        let mut access = list.take(der::SEQUENCE, what)?;
        access.oid(what)?;
        SubjectAltName::read(&mut access, what)?;
        access.finish(what)
    })?;
    Ok(list)
}
