//! A certificate, read in place: RFC 5280 4.1.

use crate::der::{self, Der, DerError, DerResult, constructed, primitive};
use crate::name;
use std::fmt::Write;

/// A parsed certificate that borrows its DER.
#[derive(Clone, Copy, Debug)]
pub struct Certificate<'a> {
    pub(crate) tbs: &'a [u8],
    pub(crate) signature_algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
    serial: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
    not_before: i64,
    not_after: i64,
    spki: &'a [u8],
    pub(crate) basic_constraints: Option<BasicConstraints>,
    key_usage: Option<KeyUsage>,
    pub(crate) extended_key_usage: Option<Der<'a>>,
    alt_names: Option<Der<'a>>,
    pub(crate) unknown_critical: Option<&'a [u8]>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct BasicConstraints {
    pub(crate) ca: bool,
    pub(crate) path_len: Option<u8>,
}

/// The keyUsage bits: RFC 5280 4.2.1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// May sign handshakes.
    pub const fn digital_signature(self) -> bool {
        self.0 & 0x8000 != 0
    }

    /// May have a premaster secret encrypted to it.
    pub const fn key_encipherment(self) -> bool {
        self.0 & 0x2000 != 0
    }

    /// May sign certificates.
    pub const fn key_cert_sign(self) -> bool {
        self.0 & 0x0400 != 0
    }
}

/// One subjectAltName: RFC 5280 4.2.1.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubjectAltName<'a> {
    /// A DNS name, as ASCII.
    Dns(&'a [u8]),
    /// An IP address, 4 or 16 bytes.
    Ip(&'a [u8]),
    /// A URI (SPIFFE identities are of this kind).
    Uri(&'a [u8]),
    /// An e-mail address.
    Email(&'a [u8]),
    /// Another kind.
    Other,
}

const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// Extensions may be many; each is looked for among those before it.
const MAX_EXTENSIONS: usize = 64;

impl<'a> Certificate<'a> {
    /// Reads a certificate.
    ///
    /// # Errors
    /// Names the field that is not as RFC 5280 4.1 has it.
    pub fn parse(der: &'a [u8]) -> Result<Self, &'static str> {
        Self::read(der).map_err(|DerError(what)| what)
    }

    fn read(bytes: &'a [u8]) -> DerResult<Self> {
        let mut input = Der(bytes);
        let mut outer = input.take(der::SEQUENCE, "Certificate")?;
        input.finish("Certificate")?;
        let tbs = outer.whole(der::SEQUENCE, "tbsCertificate")?;
        let signature_algorithm = outer.whole(der::SEQUENCE, "signatureAlgorithm")?;
        let signature = outer.bits("signatureValue")?;
        outer.finish("Certificate")?;

        let mut body = Der(tbs).take(der::SEQUENCE, "tbsCertificate")?;
        let version = match body.optional(constructed(0), "version")? {
            None => 0,
            Some(mut v) => match v.take(der::INTEGER, "version")?.0 {
                [n @ 1..=2] => *n,
                _ => return Err(DerError("version")),
            },
        };
        let serial = body.take(der::INTEGER, "serialNumber")?.0;
        // RFC 5280 4.1.1.2: the two algorithm fields must say the same.
        if body.whole(der::SEQUENCE, "signature")? != signature_algorithm || serial.is_empty() {
            return Err(DerError("signature"));
        }
        let issuer = body.whole(der::SEQUENCE, "issuer")?;
        let mut validity = body.take(der::SEQUENCE, "validity")?;
        let (not_before, not_after) = (validity.time("notBefore")?, validity.time("notAfter")?);
        validity.finish("validity")?;
        let subject = body.whole(der::SEQUENCE, "subject")?;
        let spki = body.whole(der::SEQUENCE, "subjectPublicKeyInfo")?;
        body.optional(primitive(1), "issuerUniqueID")?;
        body.optional(primitive(2), "subjectUniqueID")?;
        let extensions = body.optional(constructed(3), "extensions")?;
        body.finish("tbsCertificate")?;
        let mut certificate = Self {
            tbs,
            signature_algorithm,
            signature,
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            spki,
            basic_constraints: None,
            key_usage: None,
            extended_key_usage: None,
            alt_names: None,
            unknown_critical: None,
        };
        match extensions {
            None => {}
            Some(_) if version != 2 => return Err(DerError("extensions in a certificate that is not version 3")),
            Some(mut block) => {
                let list = block.take(der::SEQUENCE, "extensions")?;
                block.finish("extensions")?;
                certificate.extensions(list)?;
            }
        }
        Ok(certificate)
    }

    fn extensions(&mut self, mut list: Der<'a>) -> DerResult<()> {
        let mut seen: [&[u8]; MAX_EXTENSIONS] = [&[]; MAX_EXTENSIONS];
        let mut count = 0;
        while !list.is_empty() {
            let mut extension = list.take(der::SEQUENCE, "extension")?;
            let oid = extension.take(der::OID, "extnID")?.0;
            let critical = extension.boolean("critical")?;
            let value = extension.take(der::OCTET_STRING, "extnValue")?;
            extension.finish("extension")?;
            // RFC 5280 4.2: at most one of each.
            if seen[..count].contains(&oid) {
                return Err(DerError("an extension that stands twice"));
            }
            *seen.get_mut(count).ok_or(DerError("too many extensions"))? = oid;
            count += 1;
            self.extension(oid, critical, value)?;
        }
        Ok(())
    }

    fn extension(&mut self, oid: &'a [u8], critical: bool, mut value: Der<'a>) -> DerResult<()> {
        match oid {
            BASIC_CONSTRAINTS => {
                let mut inner = value.take(der::SEQUENCE, "basicConstraints")?;
                let ca = inner.boolean("cA")?;
                let path_len = match inner.optional(der::INTEGER, "pathLenConstraint")?.map(|n| n.0) {
                    None => None,
                    Some([n @ 0..=0x7f]) => Some(*n),
                    Some(_) => return Err(DerError("pathLenConstraint")),
                };
                inner.finish("basicConstraints")?;
                self.basic_constraints = Some(BasicConstraints { ca, path_len });
            }
            KEY_USAGE => {
                self.key_usage = Some(match value.take(der::BIT_STRING, "keyUsage")?.0 {
                    [0..=7, a] => KeyUsage(u16::from_be_bytes([*a, 0])),
                    [0..=7, a, b] => KeyUsage(u16::from_be_bytes([*a, *b])),
                    _ => return Err(DerError("keyUsage")),
                });
            }
            EXTENDED_KEY_USAGE => self.extended_key_usage = Some(value.take(der::SEQUENCE, "extKeyUsage")?),
            SUBJECT_ALT_NAME => {
                let names = value.take(der::SEQUENCE, "subjectAltName")?;
                let mut walk = names;
                while !walk.is_empty() {
                    walk.any("subjectAltName")?;
                }
                self.alt_names = Some(names);
            }
            _ => {
                if critical {
                    self.unknown_critical.get_or_insert(oid);
                }
                return Ok(());
            }
        }
        value.finish("extension value")
    }

    /// The SubjectPublicKeyInfo, DER.
    pub const fn spki(&self) -> &'a [u8] {
        self.spki
    }

    /// The subject's name for people.
    pub fn subject(&self) -> String {
        name::display(self.subject)
    }

    /// The issuer's name for people.
    pub fn issuer(&self) -> String {
        name::display(self.issuer)
    }

    /// The subject, DER.
    pub const fn subject_der(&self) -> &'a [u8] {
        self.subject
    }

    /// The issuer, DER.
    pub const fn issuer_der(&self) -> &'a [u8] {
        self.issuer
    }

    /// The serial number in hexadecimal.
    pub fn serial(&self) -> String {
        self.serial.iter().fold(String::new(), |mut text, b| {
            write!(text, "{b:02x}").expect("writing to a String cannot fail");
            text
        })
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
        self.key_usage
    }

    /// Whether the certificate's key is RSA (rsaEncryption).
    pub fn has_rsa_key(&self) -> bool {
        self.key_algorithm() == Some(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01])
    }

    /// Whether the certificate's key is for ECDSA or Ed25519: the suites named ECDSA take both (RFC 8422 5.10).
    pub fn has_ec_key(&self) -> bool {
        matches!(self.key_algorithm(), Some([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01] | [0x2b, 0x65, 0x70]))
    }

    fn key_algorithm(&self) -> Option<&'a [u8]> {
        let mut spki = Der(self.spki).take(der::SEQUENCE, "spki").ok()?;
        let mut algorithm = spki.take(der::SEQUENCE, "algorithm").ok()?;
        Some(algorithm.take(der::OID, "algorithm").ok()?.0)
    }

    /// The bits of the hash in the signature algorithm, if it names one: tls-server-end-point needs it (RFC 5929 4.1).
    pub fn signature_hash_bits(&self) -> Option<u16> {
        crate::signature::hash_bits(self.signature_algorithm)
    }

    /// The subjectAltNames.
    pub fn alt_names(&self) -> impl Iterator<Item = SubjectAltName<'a>> + use<'a> {
        let mut walk = self.alt_names.unwrap_or(Der(&[]));
        core::iter::from_fn(move || {
            let (tag, value, _) = walk.any("subjectAltName").ok()?;
            Some(match tag {
                t if t == primitive(1) => SubjectAltName::Email(value),
                t if t == primitive(2) => SubjectAltName::Dns(value),
                t if t == primitive(6) => SubjectAltName::Uri(value),
                t if t == primitive(7) => SubjectAltName::Ip(value),
                _ => SubjectAltName::Other,
            })
        })
    }
}

impl Certificate<'_> {
    /// Whether the certificate is for this server name: RFC 9525 6.
    pub fn is_for(&self, server: &rustls_pki_types::ServerName<'_>) -> bool {
        name::matches(self, server)
    }
}
