//! The form of certificates: what RFC 5280 section 4 says of their content, and what the CA/Browser Forum's Baseline
//! Requirements (BR) add that a verifier can see. Only profiles that ask for it look here.

use super::fault::{Fault, Outcome, Reason, Value};
use crate::certificate::extensions::KnownExtension;
use crate::certificate::usage::{KeyUsage, Usage};
use crate::certificate::{Certificate, Quirks};
use crate::name::general::SubjectAltName;
use crate::name::string::characters;
use crate::name::{Attribute, Name};
use crate::oid;
use crate::signature::algorithm::Named;
use core::net::IpAddr;

/// The part a certificate plays in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Leaf(Usage),
    Intermediate,
    Root,
}

/// Checks one certificate.
pub(crate) fn check<'a>(certificate: &Certificate<'a>, role: Role) -> Outcome<'a> {
    fields(certificate, role)?;
    criticality(certificate)?;
    keys(certificate, role)?;
    alt_names(certificate, role)?;
    match role {
        Role::Leaf(usage) => {
            if certificate.is_authority() && usage == Usage::Server {
                return bad("BR 7.1.2.7.8", "a certificate authority as server", "cA FALSE");
            }
            if certificate.extensions.name_constraints.is_some() && !certificate.is_authority() {
                return bad("RFC 5280 4.2.1.10", "nameConstraints in a leaf", "them in authorities alone");
            }
            authority_bits(certificate)?;
            if usage == Usage::Server { server(certificate) } else { Ok(()) }
        }
        Role::Intermediate => authority(certificate),
        Role::Root => {
            root(certificate)?;
            authority(certificate)
        }
    }
}

fn bad<'a>(rule: &'static str, found: &'static str, wanted: &'static str) -> Outcome<'a> {
    Err(Fault::plain(Reason::BadForm, rule, found, wanted))
}

/// RFC 5280 4.1: the fields that are not extensions.
fn fields<'a>(certificate: &Certificate<'a>, role: Role) -> Outcome<'a> {
    if certificate.version != 3 {
        let found = Value::Count("version", u32::from(certificate.version));
        return Err(Fault::new(Reason::BadForm, "RFC 5280 4.1.2.1", found, Value::Text("version 3")));
    }
    let quirks = certificate.quirks;
    // Roots of 2009 have the serial number 0; nobody looks it up.
    let serial = [Quirks::SERIAL_NEGATIVE, Quirks::SERIAL_LONG];
    if serial.iter().any(|q| quirks.has(*q)) || (quirks.has(Quirks::SERIAL_ZERO) && role != Role::Root) {
        let found = Value::Bytes("serial number", certificate.serial_der());
        let wanted = Value::Text("a positive number of at most 20 bytes");
        return Err(Fault::new(Reason::BadForm, "RFC 5280 4.1.2.2", found, wanted));
    }
    if Name(certificate.issuer_der()).is_empty() {
        return bad("RFC 5280 4.1.2.4", "an empty issuer", "a name");
    }
    if quirks.has(Quirks::TIME_FORM) {
        return bad("RFC 5280 4.1.2.5", "GeneralizedTime before 2050", "UTCTime");
    }
    if quirks.has(Quirks::UNIQUE_ID) {
        return bad("RFC 5280 4.1.2.8", "a unique identifier", "none");
    }
    if quirks.has(Quirks::FALSE_ENCODED) {
        return bad("X.690 11.5", "an encoded default: critical FALSE", "DER, which leaves it out");
    }
    if quirks.has(Quirks::NO_AUTHORITY_ENCODED) {
        return bad("X.690 11.5", "an encoded default: cA FALSE", "DER, which leaves it out");
    }
    if quirks.has(Quirks::EMPTY_KEY_USAGE) {
        return bad("RFC 5280 4.2.1.3", "keyUsage that allows nothing", "at least one usage");
    }
    Ok(())
}

/// RFC 5280 4.2: which extensions must be critical, and which must not.
fn criticality<'a>(certificate: &Certificate<'a>) -> Outcome<'a> {
    let extensions = &certificate.extensions;
    let never = [
        (KnownExtension::AuthorityKey, "RFC 5280 4.2.1.1", "a critical authorityKeyIdentifier"),
        (KnownExtension::SubjectKey, "RFC 5280 4.2.1.2", "a critical subjectKeyIdentifier"),
        (KnownExtension::SubjectDirectory, "RFC 5280 4.2.1.8", "critical subjectDirectoryAttributes"),
        (KnownExtension::FreshestCrl, "RFC 5280 4.2.1.15", "a critical freshestCRL"),
        (KnownExtension::AuthorityInfo, "RFC 5280 4.2.2.1", "a critical authorityInfoAccess"),
        (KnownExtension::SubjectInfo, "RFC 5280 4.2.2.2", "a critical subjectInfoAccess"),
        (KnownExtension::CrlPoints, "BR 7.1.2.11.2", "critical cRLDistributionPoints"),
    ];
    for (known, rule, found) in never {
        if extensions.critical.has(known) {
            return bad(rule, found, "it not critical");
        }
    }
    // Of nameConstraints the RFC says the same, but BR 7.1.2.5.2 lets old ones be.
    let always = [
        (KnownExtension::PolicyConstraints, "RFC 5280 4.2.1.11", "policyConstraints that are not critical"),
        (KnownExtension::InhibitAny, "RFC 5280 4.2.1.14", "inhibitAnyPolicy that is not critical"),
    ];
    for (known, rule, found) in always {
        if extensions.present.has(known) && !extensions.critical.has(known) {
            return bad(rule, found, "it critical");
        }
    }
    Ok(())
}

/// RFC 5280 4.2.1.1, 4.2.1.2 and BR 7.1.2.1.3: key identifiers.
fn keys<'a>(certificate: &Certificate<'a>, role: Role) -> Outcome<'a> {
    let extensions = &certificate.extensions;
    let rule = "RFC 5280 4.2.1.1";
    let self_signed = !matches!(role, Role::Leaf(_)) && certificate.is_self_issued();
    match extensions.authority_key {
        None if self_signed => {}
        None => return bad(rule, "no authorityKeyIdentifier", "one with the issuer's key identifier"),
        Some(authority) => {
            if authority.key.is_none() {
                return bad(rule, "authorityKeyIdentifier without keyIdentifier", "the issuer's key identifier");
            }
            if authority.issuer.is_some() || authority.serial.is_some() {
                let found = "authorityCertIssuer or authorityCertSerialNumber";
                return bad("BR 7.1.2.11.1", found, "the key identifier alone");
            }
            if self_signed
                && role == Role::Root
                && extensions.subject_key.is_some()
                && authority.key != extensions.subject_key
            {
                let found = "a self-signed root whose key identifiers differ";
                return bad("BR 7.1.2.1.3", found, "subjectKeyIdentifier and authorityKeyIdentifier the same");
            }
        }
    }
    if certificate.is_authority() && extensions.subject_key.is_none() {
        return bad("RFC 5280 4.2.1.2", "an authority without subjectKeyIdentifier", "one");
    }
    Ok(())
}

/// BR 7.1.2.1: root certificates.
fn root<'a>(certificate: &Certificate<'a>) -> Outcome<'a> {
    if !certificate.is_self_issued() {
        let found = Value::Name("a root that is issued by", certificate.issuer_der());
        let wanted = Value::Text("a self-signed root, or an anchor given as a name and a key");
        return Err(Fault::new(Reason::BadForm, "BR 7.1.2.1", found, wanted));
    }
    if certificate.extensions.present.has(KnownExtension::ExtendedKeyUsage) {
        return bad("BR 7.1.2.1.2", "extKeyUsage in a root", "a root without it");
    }
    // A root's signature by itself proves nothing and may be with SHA-1, but must be of a kind that is known.
    if Named::read(certificate.signed.algorithm).is_none() {
        let found = Value::Algorithm(certificate.signed.algorithm);
        let wanted = Value::Text("RSA, ECDSA, Ed25519 or ML-DSA");
        return Err(Fault::new(Reason::UnsupportedAlgorithm, "BR 7.1.3.2", found, wanted));
    }
    Ok(())
}

fn authority<'a>(certificate: &Certificate<'a>) -> Outcome<'a> {
    if Name(certificate.subject_der()).is_empty() {
        return bad("RFC 5280 4.1.2.6", "an authority without a name", "a subject");
    }
    if certificate.is_authority() && !certificate.extensions.critical.has(KnownExtension::BasicConstraints) {
        return bad("RFC 5280 4.2.1.9", "an authority's basicConstraints that are not critical", "them critical");
    }
    if certificate.extensions.name_constraints.is_some_and(|c| c.has_leading_dot()) {
        return bad(
            "RFC 5280 4.2.1.10",
            "a DNS name constraint with a leading dot",
            "it without: subdomains are meant",
        );
    }
    authority_bits(certificate)
}

/// RFC 5280 4.2.1.3 and 4.2.1.9: cA, pathLenConstraint and keyCertSign stand and fall together.
fn authority_bits<'a>(certificate: &Certificate<'a>) -> Outcome<'a> {
    let signs = certificate.key_usage().is_some_and(KeyUsage::key_cert_sign);
    if signs && !certificate.is_authority() {
        return bad("RFC 5280 4.2.1.3", "keyCertSign without cA", "a certificate authority");
    }
    let may_sign = certificate.key_usage().is_none_or(KeyUsage::key_cert_sign);
    if certificate.path_length().is_some() && !(certificate.is_authority() && may_sign) {
        return bad("RFC 5280 4.2.1.9", "pathLenConstraint without cA and keyCertSign", "both, or no constraint");
    }
    Ok(())
}

/// RFC 5280 4.2.1.6.
fn alt_names<'a>(certificate: &Certificate<'a>, role: Role) -> Outcome<'a> {
    let rule = "RFC 5280 4.2.1.6";
    let extensions = &certificate.extensions;
    let present = extensions.present.has(KnownExtension::SubjectAltName);
    let critical = extensions.critical.has(KnownExtension::SubjectAltName);
    if let Role::Leaf(_) = role {
        let empty = Name(certificate.subject_der()).is_empty();
        if empty && !present {
            return bad(rule, "neither a subject nor a subjectAltName", "a name");
        }
        if empty && !critical {
            return bad(rule, "an empty subject with a subjectAltName that is not critical", "it critical");
        }
        if !empty && critical {
            return bad("BR 7.1.2.7.12", "a critical subjectAltName beside a subject", "it not critical");
        }
    }
    match certificate.alt_names().find(|name| !name.is_well_formed()) {
        None => Ok(()),
        Some(name) => {
            let found = Value::AltName("subjectAltName", name);
            Err(Fault::new(Reason::BadForm, rule, found, Value::Text("names in their preferred syntax")))
        }
    }
}

/// BR 7.1.2.7: subscriber certificates of TLS servers.
fn server<'a>(certificate: &Certificate<'a>) -> Outcome<'a> {
    if !certificate.extensions.present.has(KnownExtension::SubjectAltName) {
        return bad("BR 7.1.2.7.12", "no subjectAltName", "the server's names in it");
    }
    if let Some(usage) = certificate.key_usage() {
        let never = KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN).and(KeyUsage::ONLY);
        let one = KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_ENCIPHERMENT).and(KeyUsage::KEY_AGREEMENT);
        if usage.has_any(never) || !usage.has_any(one) {
            let wanted = Value::Text("a server's: digitalSignature, keyEncipherment or keyAgreement");
            let found = Value::Usage("keyUsage", usage);
            return Err(Fault::new(Reason::BadForm, "BR 7.1.2.7.11", found, wanted));
        }
    }
    if certificate.extensions.critical.has(KnownExtension::ExtendedKeyUsage) {
        return bad("BR 7.1.2.7.6", "a critical extKeyUsage", "it not critical");
    }
    let never = [oid::ANY_USAGE, oid::CODE_SIGNING, oid::EMAIL_PROTECTION, oid::TIME_STAMPING, oid::OCSP_SIGNING];
    let purposes = certificate.extended_key_usage();
    let bad_purpose = purposes.is_none_or(|mut list| list.any(|purpose| never.contains(&purpose.0)));
    if bad_purpose {
        let wanted = Value::Text("serverAuth, and clientAuth at most");
        return Err(Fault::new(Reason::WrongUsage, "BR 7.1.2.7.10", Value::Purposes(certificate.der()), wanted));
    }
    common_name(certificate)
}

/// BR 7.1.4.3: a common name that reads as a host name or address is one of the subjectAltNames, letter for letter.
///
/// The Baseline Requirements are about public names, so what is private (RFC 6761, RFC 6762, RFC 8375, addresses that
/// are not routed) is let be on either side. So is text that is no name, and a domain above those of the certificate.
/// The notation of addresses always counts: it is where software disagrees on what an address is.
fn common_name<'a>(certificate: &Certificate<'a>) -> Outcome<'a> {
    for attribute in Name(certificate.subject_der()).attributes().filter(|a| a.oid == oid::COMMON_NAME) {
        let mut room = [0; 1024];
        let text = shown(attribute, &mut room);
        let good = if reads_as_address(text) {
            text.parse().is_ok_and(|ip: IpAddr| ip.to_string() == text && has_address(certificate, ip))
        } else if reads_as_domain(text) {
            text.is_ascii() && has_domain(certificate, text)
        } else {
            true
        };
        if !good {
            let found = Value::Name("the common name of", certificate.subject_der());
            let wanted = Value::Text("a copy of one of its subjectAltNames");
            return Err(Fault::new(Reason::BadForm, "BR 7.1.4.3", found, wanted));
        }
    }
    Ok(())
}

/// The first 256 characters of an attribute.
fn shown<'r>(attribute: Attribute<'_>, room: &'r mut [u8; 1024]) -> &'r str {
    let mut len = 0_usize;
    for c in characters(attribute.tag, attribute.value).into_iter().flatten().take(256) {
        let end = len.saturating_add(c.len_utf8());
        let Some(place) = room.get_mut(len..end) else { break };
        c.encode_utf8(place);
        len = end;
    }
    room.get(..len).and_then(|text| core::str::from_utf8(text).ok()).unwrap_or_default()
}

fn has_domain(certificate: &Certificate<'_>, text: &str) -> bool {
    let mut dns = certificate.alt_names().filter_map(|name| match name {
        SubjectAltName::Dns(name) if is_public_domain(name) => Some(name),
        _ => None,
    });
    if !is_public_domain(text.as_bytes()) {
        return true;
    }
    dns.next().is_none_or(|first| core::iter::once(first).chain(dns).any(|name| covers(text, name)))
}

fn has_address(certificate: &Certificate<'_>, ip: IpAddr) -> bool {
    let mut addresses = certificate.alt_names().filter_map(|name| match name {
        SubjectAltName::Ip(bytes) => address(bytes).filter(|ip| is_public_address(*ip)),
        _ => None,
    });
    if !is_public_address(ip) {
        return true;
    }
    addresses.next().is_none_or(|first| core::iter::once(first).chain(addresses).any(|other| other == ip))
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match (<[u8; 4]>::try_from(bytes), <[u8; 16]>::try_from(bytes)) {
        (Ok(v4), _) => Some(v4.into()),
        (_, Ok(v6)) => Some(v6.into()),
        _ => None,
    }
}

/// Single labels, and what stands below a domain that is never delegated, belong to whoever uses them.
fn is_public_domain(name: &[u8]) -> bool {
    const PRIVATE: [&[u8]; 7] = [b"localhost", b"local", b"test", b"invalid", b"internal", b"home.arpa", b"onion"];
    let below = |domain: &[u8]| {
        let at = name.len().checked_sub(domain.len());
        at.and_then(|at| name.split_at_checked(at))
            .is_some_and(|(above, rest)| above.ends_with(b".") && rest.eq_ignore_ascii_case(domain))
    };
    name.contains(&b'.') && !PRIVATE.iter().any(|domain| below(domain))
}

fn is_public_address(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_documentation() || v4.is_unspecified())
        }
        IpAddr::V6(v6) => {
            !(v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local())
        }
    }
}

/// Whether a common name is this DNS name, or a domain above it.
fn covers(text: &str, name: &[u8]) -> bool {
    match name.strip_suffix(text.as_bytes()) {
        Some(above) => above.is_empty() || above.ends_with(b"."),
        None => false,
    }
}

/// Addresses in any notation that some software takes for one: octal, hexadecimal, unshortened.
fn reads_as_address(text: &str) -> bool {
    let hexadecimal = |part: &str| {
        let digits = part.strip_prefix("0x").or_else(|| part.strip_prefix("0X"));
        digits.is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let colons = text.matches(':').count() >= 2 && text.bytes().all(|b| b.is_ascii_hexdigit() || b":.%[]".contains(&b));
    let parts = text.split('.').all(|part| number(part) || hexadecimal(part));
    colons || (parts && (text.contains('.') || hexadecimal(text)))
}

fn reads_as_domain(text: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '*' | '.') || !c.is_ascii();
    text.contains('.') && text.chars().all(letter) && !text.starts_with('.') && !text.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_common_names_read_as() {
        for text in ["192.168.1.1", "0xC0A80101", "0300.0250.1.1", "2001:DB8::1", "::1", "0xc0.0xa8.1.1"] {
            assert!(reads_as_address(text), "{text}");
        }
        for text in ["example.com", "server", "12345", "Ada Lovelace", "a:b", ""] {
            assert!(!reads_as_address(text), "{text}");
        }
        for (text, domain) in [
            ("example.com", true),
            ("test-測試.com", true),
            ("server", false),
            ("Acme Inc.", false),
            ("A. Lovelace", false),
        ] {
            assert_eq!(reads_as_domain(text), domain, "{text}");
        }
        for (name, public) in [("example.com", true), ("test.localhost", false), ("nas", false), ("a.b.local", false)] {
            assert_eq!(is_public_domain(name.as_bytes()), public, "{name}");
        }
        assert!(covers("example.com", b"*.example.com") && covers("example.com", b"example.com"));
        assert!(!covers("example.com", b"badexample.com") && !covers("Example.com", b"example.com"));
    }

    /// What a common name may be without being certified: what belongs to whoever uses it.
    #[test]
    fn what_is_public_and_what_is_not() {
        for (ip, public) in [
            ("8.8.8.8", true),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("172.32.0.1", true),
            ("192.168.0.1", false),
            ("127.0.0.1", false),
            ("169.254.0.1", false),
            ("192.0.2.1", false),
            ("0.0.0.0", false),
            ("2606:4700::1111", true),
            ("::1", false),
            ("::", false),
            ("fd00::1", false),
            ("fe80::1", false),
        ] {
            assert_eq!(is_public_address(ip.parse().unwrap()), public, "{ip}");
        }
        for (name, public) in [
            ("example.com", true),
            ("a.local", false),
            ("a.LOCAL", false),
            ("a.test", false),
            ("a.invalid", false),
            ("a.internal", false),
            ("a.home.arpa", false),
            ("home.arpa", true),
            ("a.onion", false),
            ("nolocal", false),
            ("a.nolocal", true),
            ("local", false),
        ] {
            assert_eq!(is_public_domain(name.as_bytes()), public, "{name}");
        }
        for text in ["0x", "0x.1", "1..2", "0xg.1", "1:2", "1:2:g", ".", "1.", "0X"] {
            assert!(!reads_as_address(text), "{text}");
        }
        for text in ["1.2", "0x1", "0X1F", "1:2:3", "fe80::1%1", "[::1]", "1.0xa"] {
            assert!(reads_as_address(text), "{text}");
        }
        for (text, domain) in [(".a.b", false), ("a.b.", false), ("a_b.c", true), ("*.a.b", true), ("a b.c", false)] {
            assert_eq!(reads_as_domain(text), domain, "{text}");
        }
        assert_eq!(address(&[1; 4]), Some("1.1.1.1".parse().unwrap()));
        assert_eq!(address(&[0; 16]), Some("::".parse().unwrap()));
        assert_eq!(address(&[1; 5]), None);
    }
}
