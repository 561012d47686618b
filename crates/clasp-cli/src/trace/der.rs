//! Certificates, and names that stand in messages, as fields: every byte of their DER in one that holds no other. Which field is which says a
//! table of RFC 5280's shapes. What is not as they have it is shown by its tags, and what is no DER as bytes: an observer bears with
//! everything.

use super::Field;
use clasp_x509::{Certificate, Oid, Spki};
use std::fmt::Write;
use std::ops::Range;

/// With what certificates say in messages.
pub(crate) fn taken_apart(fields: Vec<Field>, message: &[u8]) -> Vec<Field> {
    let mut all = Vec::with_capacity(fields.len());
    for field in fields {
        let der = message.get(field.start..field.end).unwrap_or_default();
        match shape_of(&field, der) {
            Some(shape) => walk(der, field, shape, &mut all),
            None => all.push(field),
        }
    }
    all
}

/// What stands in a field of a message: its name in RFC 9846 4.4.2 or RFC 5246 7.4.2 says it.
fn shape_of(field: &Field, der: &[u8]) -> Option<&'static Shape> {
    match field.name.as_str() {
        "cert_data" | "certificate" if field.leaf => {
            // RFC 7250 3: a raw public key may stand there.
            let is_key = Certificate::parse(der).is_err() && Spki::parse(der).is_ok();
            Some(if is_key { &SPKI } else { &CERTIFICATE })
        }
        "DistinguishedName" if field.leaf => Some(&NAME),
        _ => None,
    }
}

/// One field of a shape.
struct Shape {
    name: &'static str,
    /// The tag it has; 0 for any.
    tag: u8,
    optional: bool,
    of: Of,
}

enum Of {
    /// By its tag, and so is all within.
    Any,
    /// These, in their order.
    Fields(&'static [Shape]),
    /// As many as there are.
    Each(&'static Shape),
    /// Octets or bits that hold DER of this shape, if they do.
    Holds(&'static Shape),
    /// Bits that hold a sequence of this shape, if they do: keys of RSA, signatures of ECDSA.
    MayHold(&'static Shape),
    /// A GeneralName: RFC 5280 4.2.1.6.
    GeneralName,
    /// An extension: RFC 5280 4.1. Its value is of the shape that its identifier says.
    Extension,
}

const BOOLEAN: u8 = 1;
const INTEGER: u8 = 2;
const BITS: u8 = 3;
const OCTETS: u8 = 4;
const OID: u8 = 6;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const CONSTRUCTED: u8 = 0x20;

const fn one(name: &'static str, tag: u8, of: Of) -> Shape {
    Shape { name, tag, optional: false, of }
}

const fn maybe(name: &'static str, tag: u8, of: Of) -> Shape {
    Shape { name, tag, optional: true, of }
}

static ALGORITHM: &[Shape] = &[one("algorithm", OID, Of::Any), maybe("parameters", 0, Of::Any)];
static ATTRIBUTE: Shape =
    one("AttributeTypeAndValue", SEQUENCE, Of::Fields(&[one("type", OID, Of::Any), one("value", 0, Of::Any)]));
static RDN: Shape = one("RelativeDistinguishedName", SET, Of::Each(&ATTRIBUTE));
static NAME: Shape = one("DistinguishedName", SEQUENCE, Of::Each(&RDN));
static EXTENSION: Shape = one("Extension", SEQUENCE, Of::Extension);
static SPKI_FIELDS: &[Shape] =
    &[one("algorithm", SEQUENCE, Of::Fields(ALGORITHM)), one("subjectPublicKey", BITS, Of::MayHold(&RSA_KEY))];
static SPKI: Shape = one("subjectPublicKeyInfo", SEQUENCE, Of::Fields(SPKI_FIELDS));
static EXTENSIONS: Shape = one("Extensions", SEQUENCE, Of::Each(&EXTENSION));

/// RFC 5280 4.1.
static CERTIFICATE: Shape = one(
    "Certificate",
    SEQUENCE,
    Of::Fields(&[
        one(
            "tbsCertificate",
            SEQUENCE,
            Of::Fields(&[
                maybe("version", 0xa0, Of::Each(&VERSION)),
                one("serialNumber", INTEGER, Of::Any),
                one("signature", SEQUENCE, Of::Fields(ALGORITHM)),
                one("issuer", SEQUENCE, Of::Each(&RDN)),
                one("validity", SEQUENCE, Of::Fields(&[one("notBefore", 0, Of::Any), one("notAfter", 0, Of::Any)])),
                one("subject", SEQUENCE, Of::Each(&RDN)),
                one("subjectPublicKeyInfo", SEQUENCE, Of::Fields(SPKI_FIELDS)),
                maybe("issuerUniqueID", 0x81, Of::Any),
                maybe("subjectUniqueID", 0x82, Of::Any),
                maybe("extensions", 0xa3, Of::Each(&EXTENSIONS)),
            ]),
        ),
        one("signatureAlgorithm", SEQUENCE, Of::Fields(ALGORITHM)),
        one("signatureValue", BITS, Of::MayHold(&ECDSA_SIGNATURE)),
    ]),
);
/// RFC 8017 A.1.1, RFC 3279 2.2.3.
static RSA_KEY: Shape = one(
    "RSAPublicKey",
    SEQUENCE,
    Of::Fields(&[one("modulus", INTEGER, Of::Any), one("publicExponent", INTEGER, Of::Any)]),
);
static ECDSA_SIGNATURE: Shape =
    one("ECDSA-Sig-Value", SEQUENCE, Of::Fields(&[one("r", INTEGER, Of::Any), one("s", INTEGER, Of::Any)]));
static VERSION: Shape = one("version", INTEGER, Of::Any);
static ANY: Shape = one("value", 0, Of::Any);

static GENERAL_NAME: Shape = one("GeneralName", 0, Of::GeneralName);
static GENERAL_NAMES: Shape = one("GeneralNames", SEQUENCE, Of::Each(&GENERAL_NAME));
static POINT: Shape = one(
    "DistributionPoint",
    SEQUENCE,
    Of::Fields(&[
        maybe("distributionPoint", 0xa0, Of::Each(&FULL_NAME)),
        maybe("reasons", 0x81, Of::Any),
        maybe("cRLIssuer", 0xa2, Of::Each(&GENERAL_NAME)),
    ]),
);
static FULL_NAME: Shape = one("fullName", 0, Of::Each(&GENERAL_NAME));
static POLICY: Shape = one(
    "PolicyInformation",
    SEQUENCE,
    Of::Fields(&[one("policyIdentifier", OID, Of::Any), maybe("policyQualifiers", SEQUENCE, Of::Any)]),
);
static ACCESS: Shape = one(
    "AccessDescription",
    SEQUENCE,
    Of::Fields(&[one("accessMethod", OID, Of::Any), one("accessLocation", 0, Of::GeneralName)]),
);
static SUBTREE: Shape = one("GeneralSubtree", SEQUENCE, Of::Fields(&[one("base", 0, Of::GeneralName)]));
static PURPOSE: Shape = one("KeyPurposeId", OID, Of::Any);

/// What an extension's value holds: RFC 5280 4.2.
static VALUES: &[(&str, Shape)] = &[
    ("subjectKeyIdentifier", one("keyIdentifier", OCTETS, Of::Any)),
    ("keyUsage", one("KeyUsage", BITS, Of::Any)),
    ("subjectAltName", one("GeneralNames", SEQUENCE, Of::Each(&GENERAL_NAME))),
    ("issuerAltName", one("GeneralNames", SEQUENCE, Of::Each(&GENERAL_NAME))),
    (
        "basicConstraints",
        one(
            "BasicConstraints",
            SEQUENCE,
            Of::Fields(&[maybe("cA", BOOLEAN, Of::Any), maybe("pathLenConstraint", INTEGER, Of::Any)]),
        ),
    ),
    (
        "authorityKeyIdentifier",
        one(
            "AuthorityKeyIdentifier",
            SEQUENCE,
            Of::Fields(&[
                maybe("keyIdentifier", 0x80, Of::Any),
                maybe("authorityCertIssuer", 0xa1, Of::Each(&GENERAL_NAME)),
                maybe("authorityCertSerialNumber", 0x82, Of::Any),
            ]),
        ),
    ),
    ("extKeyUsage", one("ExtKeyUsageSyntax", SEQUENCE, Of::Each(&PURPOSE))),
    ("cRLDistributionPoints", one("CRLDistributionPoints", SEQUENCE, Of::Each(&POINT))),
    ("certificatePolicies", one("certificatePolicies", SEQUENCE, Of::Each(&POLICY))),
    ("authorityInfoAccess", one("AuthorityInfoAccess", SEQUENCE, Of::Each(&ACCESS))),
    (
        "nameConstraints",
        one(
            "NameConstraints",
            SEQUENCE,
            Of::Fields(&[
                maybe("permittedSubtrees", 0xa0, Of::Each(&SUBTREE)),
                maybe("excludedSubtrees", 0xa1, Of::Each(&SUBTREE)),
            ]),
        ),
    ),
    // RFC 6962 3.3: a list of TLS's, in octets.
    ("signedCertificateTimestamps", one("SignedCertificateTimestampList", OCTETS, Of::Any)),
];

/// No certificate is nested so deep, nor has so many fields.
const DEEPEST: u8 = 24;
const MOST_FIELDS: usize = 2_000;

struct Walk<'a> {
    der: &'a [u8],
    /// Where it begins in its message.
    base: usize,
    /// Fields that may still come.
    left: usize,
    out: &'a mut Vec<Field>,
}

/// A tag with its length, and where its content stands.
struct Item {
    tag: u8,
    start: usize,
    content: Range<usize>,
}

/// The fields of a shape in the place of one of a message, which keeps its name.
fn walk(der: &[u8], field: Field, shape: &'static Shape, out: &mut Vec<Field>) {
    let (base, depth) = (field.start, field.depth.saturating_add(1));
    let whole = item(der, 0..der.len()).filter(|whole| whole.tag & CONSTRUCTED != 0);
    let Some(whole) = whole else { return out.push(field) };
    out.push(Field { leaf: false, value: bytes(der.len()), ..field });
    let mut walk = Walk { der, base, left: MOST_FIELDS, out };
    let end = walk.show(&whole, shape, None, depth);
    walk.unread(end..der.len(), depth);
}

/// X.690 8.1: what begins here, if it ends within the range.
fn item(der: &[u8], range: Range<usize>) -> Option<Item> {
    let (start, end) = (range.start, range.end);
    let bytes = der.get(range)?;
    let (tag, first) = (*bytes.first()?, *bytes.get(1)?);
    // Tags of several bytes, and lengths without an end, do not stand in certificates.
    if tag & 0x1f == 0x1f || first == 0x80 {
        return None;
    }
    let more = if first & 0x80 == 0 { 0 } else { usize::from(first & 0x7f) };
    let length = match more {
        0 => usize::from(first),
        1..=4 => bytes.get(2..2 + more)?.iter().fold(0, |n: usize, byte| n << 8 | usize::from(*byte)),
        _ => return None,
    };
    let content = start.checked_add(2 + more)?;
    let behind = content.checked_add(length).filter(|behind| *behind <= end)?;
    Some(Item { tag, start, content: content..behind })
}

impl Walk<'_> {
    fn put(&mut self, name: &str, index: Option<usize>, range: Range<usize>, depth: u8, value: String, leaf: bool) {
        let (start, end) = (self.base.saturating_add(range.start), self.base.saturating_add(range.end));
        self.left = self.left.saturating_sub(1);
        self.out.push(Field { name: name.into(), index, start, end, depth, value, leaf });
    }

    fn unread(&mut self, range: Range<usize>, depth: u8) {
        if !range.is_empty() {
            let value = hex(self.bytes(&range));
            self.put("unread", None, range, depth, value, true);
        }
    }

    fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.der.get(range.clone()).unwrap_or_default()
    }

    /// The tag and the length of an item.
    fn header(&mut self, item: &Item, depth: u8) {
        let value = bytes(item.content.len());
        self.put(tag_name(item.tag), None, item.start..item.content.start, depth, value, true);
    }

    /// Shows an item, and says where it ends.
    fn show(&mut self, item: &Item, shape: &Shape, index: Option<usize>, depth: u8) -> usize {
        let end = item.content.end;
        let goes_on = depth < DEEPEST && self.left > 0;
        let (shape, name) = match shape.of {
            Of::GeneralName => general_name(item.tag),
            _ => (shape, shape.name),
        };
        let is_holder = matches!(item.tag, BITS | OCTETS);
        let name = if matches!(shape.of, Of::Extension) { self.extension_name(item).unwrap_or(name) } else { name };
        match &shape.of {
            Of::Holds(inner) if goes_on && is_holder && self.held(item).is_some() => {
                self.hold(item, (name, index), inner, depth);
            }
            Of::MayHold(inner) if goes_on && is_holder && self.held(item).is_some_and(|held| held.tag == SEQUENCE) => {
                self.hold(item, (name, index), inner, depth);
            }
            of if goes_on && item.tag & CONSTRUCTED != 0 => {
                self.put(name, index, item.start..end, depth, bytes(end.saturating_sub(item.start)), false);
                let depth = depth.saturating_add(1);
                self.header(item, depth);
                self.within(item, of, depth);
            }
            _ => {
                self.header(item, depth);
                let value = value(item.tag, name, self.bytes(&item.content));
                self.put(name, index, item.content.clone(), depth, value, true);
            }
        }
        end
    }

    fn within(&mut self, around: &Item, of: &Of, depth: u8) {
        let (mut at, end, mut count) = (around.content.start, around.content.end, 0_usize);
        let extension;
        let mut fields = match of {
            Of::Fields(fields) => fields.iter(),
            Of::Extension => {
                extension =
                    [one("extnID", OID, Of::Any), maybe("critical", BOOLEAN, Of::Any), self.extension_value(around)];
                extension.iter()
            }
            _ => [].iter(),
        };
        while let Some(next) = item(self.der, at..end) {
            let fits = |shape: &&Shape| shape.tag == 0 || shape.tag == next.tag;
            let (shape, index) = match of {
                Of::Each(shape) => (Some(*shape).filter(fits), Some(count)),
                // Those that may be left out are passed.
                _ => {
                    let mut rest = fields.clone();
                    let found = rest.find(|shape| fits(shape) || !shape.optional).filter(fits);
                    if found.is_some() {
                        fields = rest;
                    }
                    (found, None)
                }
            };
            at = self.show(&next, shape.unwrap_or(&ANY), index, depth);
            count = count.saturating_add(1);
            if self.left == 0 {
                break;
            }
        }
        self.unread(at..end, depth);
    }

    /// The DER that octets or bits hold, if it is all that they hold.
    fn held(&self, around: &Item) -> Option<Item> {
        // X.690 8.6.2.2: the first octet says how many bits are unused.
        let start = around.content.start.checked_add(usize::from(around.tag == BITS))?;
        let held = item(self.der, start..around.content.end)?;
        (held.content.end == around.content.end && self.is_der(&held)).then_some(held)
    }

    /// Whether all within is framed as it should: a key of random bytes could begin like DER.
    fn is_der(&self, held: &Item) -> bool {
        if held.tag & CONSTRUCTED == 0 {
            return true;
        }
        let mut at = held.content.start;
        while let Some(next) = item(self.der, at..held.content.end) {
            at = next.content.end;
        }
        at == held.content.end
    }

    fn hold(&mut self, item: &Item, (name, index): (&str, Option<usize>), inner: &Shape, depth: u8) {
        self.put(name, index, item.start..item.content.end, depth, bytes(item.content.len()), false);
        let depth = depth.saturating_add(1);
        self.header(item, depth);
        if item.tag == BITS {
            let unused = item.content.start..item.content.start.saturating_add(1);
            let value = self.bytes(&unused).first().map(ToString::to_string).unwrap_or_default();
            self.put("unused bits", None, unused, depth, value, true);
        }
        if let Some(held) = self.held(item) {
            self.show(&held, inner, None, depth);
        }
    }

    fn extension_name(&self, extension: &Item) -> Option<&'static str> {
        let identifier = item(self.der, extension.content.clone()).filter(|id| id.tag == OID)?;
        Oid(self.bytes(&identifier.content)).name()
    }

    fn extension_value(&self, extension: &Item) -> Shape {
        let name = self.extension_name(extension);
        let shape = VALUES.iter().find(|(of, _)| Some(*of) == name).map(|(_, shape)| shape);
        one("extnValue", OCTETS, Of::Holds(shape.unwrap_or(&ANY)))
    }
}

/// RFC 5280 4.2.1.6, by the tag.
fn general_name(tag: u8) -> (&'static Shape, &'static str) {
    match tag {
        0x81 => (&ANY, "rfc822Name"),
        0x82 => (&ANY, "dNSName"),
        // An explicit tag around a name.
        0xa4 => (&GENERAL_DIRECTORY, "directoryName"),
        0x86 => (&ANY, "uniformResourceIdentifier"),
        0x87 => (&ANY, "iPAddress"),
        0x88 => (&ANY, "registeredID"),
        0xa0 => (&ANY, "otherName"),
        SEQUENCE => (&GENERAL_NAMES, "GeneralNames"),
        _ => (&ANY, "GeneralName"),
    }
}

static GENERAL_DIRECTORY: Shape = one("directoryName", 0xa4, Of::Each(&NAME));

const fn tag_name(tag: u8) -> &'static str {
    match tag {
        BOOLEAN => "BOOLEAN",
        INTEGER => "INTEGER",
        BITS => "BIT STRING",
        OCTETS => "OCTET STRING",
        5 => "NULL",
        OID => "OBJECT IDENTIFIER",
        10 => "ENUMERATED",
        12 => "UTF8String",
        18 => "NumericString",
        19 => "PrintableString",
        20 => "TeletexString",
        22 => "IA5String",
        23 => "UTCTime",
        24 => "GeneralizedTime",
        26 => "VisibleString",
        28 => "UniversalString",
        30 => "BMPString",
        SEQUENCE => "SEQUENCE",
        SET => "SET",
        0x80 | 0xa0 => "[0]",
        0x81 | 0xa1 => "[1]",
        0x82 | 0xa2 => "[2]",
        0x83 | 0xa3 => "[3]",
        0x84 | 0xa4 => "[4]",
        0x85 | 0xa5 => "[5]",
        0x86 | 0xa6 => "[6]",
        0x87 | 0xa7 => "[7]",
        0x88 | 0xa8 => "[8]",
        _ => "tag",
    }
}

fn bytes(length: usize) -> String {
    if length == 1 { "1 byte".into() } else { format!("{length} bytes") }
}

/// A value for people.
fn value(tag: u8, name: &str, content: &[u8]) -> String {
    match (tag, name) {
        (BOOLEAN, _) if content.len() == 1 => if content == [0] { "FALSE" } else { "TRUE" }.into(),
        (INTEGER, "version") if content.len() == 1 => {
            content.first().map_or(String::new(), |n| format!("v{}", u16::from(*n).saturating_add(1)))
        }
        (INTEGER, _) if content.len() <= 4 && content.first().is_some_and(|first| first & 0x80 == 0) => {
            content.iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte)).to_string()
        }
        (OID, _) | (0x88, "registeredID") => Oid(content).to_string(),
        (BITS, "KeyUsage") => usages(content),
        (0x87, "iPAddress") => address(content).unwrap_or_else(|| hex(content)),
        (23 | 24, _) => time(tag, content).unwrap_or_else(|| text(content)),
        (12 | 18..=20 | 22 | 26, _) | (_, "rfc822Name" | "dNSName" | "uniformResourceIdentifier") => text(content),
        _ => hex(content),
    }
}

/// RFC 5280 4.2.1.3: bits by their names, behind the octet that says how many are unused.
fn usages(content: &[u8]) -> String {
    const NAMES: [&str; 9] = [
        "digitalSignature",
        "nonRepudiation",
        "keyEncipherment",
        "dataEncipherment",
        "keyAgreement",
        "keyCertSign",
        "cRLSign",
        "encipherOnly",
        "decipherOnly",
    ];
    let bit = |place: usize| content.get(1 + place / 8).is_some_and(|byte| byte << (place % 8) & 0x80 != 0);
    let set = NAMES.iter().enumerate().filter(|(place, _)| bit(*place)).map(|(_, name)| *name);
    set.collect::<Vec<_>>().join(", ")
}

fn address(content: &[u8]) -> Option<String> {
    let four = content.try_into().map(|four: [u8; 4]| std::net::Ipv4Addr::from(four).to_string());
    four.ok().or_else(|| content.try_into().ok().map(|long: [u8; 16]| std::net::Ipv6Addr::from(long).to_string()))
}

/// RFC 5280 4.1.2.5.
fn time(tag: u8, content: &[u8]) -> Option<String> {
    let digits = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole = match (tag, digits.len()) {
        (23, 12) if digits < "50" => format!("20{digits}"),
        (23, 12) => format!("19{digits}"),
        (24, 14) => digits.to_owned(),
        _ => return None,
    };
    let part = |range: Range<usize>| whole.get(range).unwrap_or_default();
    Some(format!("{}-{}-{} {}:{}:{} UTC", part(0..4), part(4..6), part(6..8), part(8..10), part(10..12), part(12..14)))
}

/// As in the fields of messages: what is long is cut.
const SHOWN: usize = 48;

fn text(content: &[u8]) -> String {
    let kept: String = String::from_utf8_lossy(content).chars().take(128).collect();
    format!("\"{}\"", crate::terminal::shown(&kept))
}

fn hex(content: &[u8]) -> String {
    let mut text = String::with_capacity(content.len().min(SHOWN) * 2);
    for byte in content.iter().take(SHOWN) {
        let _never_fails = write!(text, "{byte:02x}");
    }
    if content.len() > SHOWN { format!("{text}... ({} bytes)", content.len()) } else { text }
}

#[cfg(test)]
mod tests;
