//! What one certificate must be, whatever path it stands in.

use super::fault::{Fault, Outcome, Reason, Value};
use super::form::{self, Role};
use super::options::Options;
use crate::certificate::Certificate;
use crate::certificate::extensions::KnownExtension;
use crate::certificate::usage::KeyUsage;
use crate::name::Name;
use crate::name::general::SubjectAltName;
use crate::oid;
use crate::signature::{Curve, MAX_RSA_BITS, SignatureError};
use crate::spki::{PublicKey, Spki};

/// Everything that a certificate can be held against by itself.
pub(super) fn alone<'a>(certificate: &Certificate<'a>, role: Role, options: &Options<'_>) -> Outcome<'a> {
    critical(certificate)?;
    time(certificate, options.now())?;
    key(certificate, role, options)?;
    match role {
        Role::Leaf(_) => leaf(certificate, options)?,
        Role::Intermediate | Role::Root => issuer(certificate)?,
    }
    purpose(certificate, role, options)?;
    if options.rules().form {
        form::check(certificate, role)?;
    }
    // Last, so that a profile's own rule is told first.
    key_usage(certificate, role, options)?;
    content(certificate, role)?;
    unprocessed(certificate)
}

/// A leaf that is itself trusted: there is no path, and nobody else vouches for it, so its form does not matter.
pub(super) fn pinned<'a>(certificate: &Certificate<'a>, options: &Options<'_>) -> Outcome<'a> {
    critical(certificate)?;
    time(certificate, options.now())?;
    key(certificate, Role::Leaf(options.usage), options)?;
    leaf(certificate, options)?;
    purpose(certificate, Role::Leaf(options.usage), options)?;
    key_usage(certificate, Role::Leaf(options.usage), options)?;
    unprocessed(certificate)
}

/// A root that was given as a certificate. RFC 5280 6.1.1 (d) needs a name and a key of it; what it says of itself besides limits
/// what it was trusted for (RFC 5937), and it is not trusted for longer than it says. Whoever means the name and the key alone gives those.
pub(super) fn root<'a>(certificate: &Certificate<'a>, options: &Options<'_>) -> Outcome<'a> {
    if options.rules().roots_as_certificates {
        return alone(certificate, Role::Root, options);
    }
    critical(certificate)?;
    time(certificate, options.now())?;
    purpose(certificate, Role::Root, options)?;
    unprocessed(certificate)
}

/// RFC 5280 6.1.3 (a)(2).
fn time<'a>(certificate: &Certificate<'a>, now: i64) -> Outcome<'a> {
    let rule = "RFC 5280 6.1.3 (a)(2)";
    let (from, to) = (certificate.not_before(), certificate.not_after());
    let wanted = Value::Moment("valid on", now);
    if now > to {
        return Err(Fault::new(Reason::Expired, rule, Value::Moment("notAfter", to), wanted));
    }
    if now < from {
        return Err(Fault::new(Reason::NotYetValid, rule, Value::Moment("notBefore", from), wanted));
    }
    Ok(())
}

/// RFC 5280 6.1.4 (o) and 6.1.5 (f).
fn critical<'a>(certificate: &Certificate<'a>) -> Outcome<'a> {
    let extensions = &certificate.extensions;
    let unknown = match extensions.unknown_critical {
        Some(oid) => Some(oid),
        // Microsoft's application policies say what extKeyUsage says; beside one they are understood.
        None if extensions.critical.has(KnownExtension::ApplicationPolicies)
            && !extensions.present.has(KnownExtension::ExtendedKeyUsage) =>
        {
            Some(oid::MS_APPLICATION_POLICIES)
        }
        None => None,
    };
    match unknown {
        None => Ok(()),
        Some(oid) => {
            let found = Value::Oid("the critical extension", oid);
            let wanted = Value::Text("only critical extensions that are understood");
            Err(Fault::new(Reason::CriticalExtension, "RFC 5280 4.2", found, wanted))
        }
    }
}

/// What no profile bears in a path: an authority without a name, which is everybody's, names that are read as something by one and as
/// nothing by another, limits for what a leaf does not issue.
fn content<'a>(certificate: &Certificate<'a>, role: Role) -> Outcome<'a> {
    let bad = |rule, found, wanted| Err(Fault::new(Reason::BadForm, rule, found, Value::Text(wanted)));
    if role == Role::Root {
        return Ok(());
    }
    if Name(certificate.issuer_der()).is_empty() {
        return bad("RFC 5280 4.1.2.4", Value::Text("an empty issuer"), "a name");
    }
    if certificate.extensions.name_constraints.is_some() && !certificate.is_authority() {
        return bad("RFC 5280 4.2.1.10", Value::Text("nameConstraints in a leaf"), "them in authorities alone");
    }
    let broken = |name: &SubjectAltName<'_>| match name {
        SubjectAltName::Dns(name) => name.windows(2).any(|pair| pair == b".."),
        address @ SubjectAltName::Ip(_) => !address.is_well_formed(),
        _ => false,
    };
    match certificate.alt_names().find(broken) {
        None => Ok(()),
        Some(name) => {
            let wanted = "host names without empty labels, and addresses of 4 or 16 bytes";
            bad("RFC 5280 4.2.1.6", Value::AltName("subjectAltName", name), wanted)
        }
    }
}

/// RFC 5280 4.2: what is critical was processed, or the certificate is refused. These are read, and nothing is held against them:
/// whoever makes one critical wants something that nobody here does. The RFC has each of them not critical.
fn unprocessed<'a>(certificate: &Certificate<'a>) -> Outcome<'a> {
    const NEVER: [(KnownExtension, &[u8]); 7] = [
        (KnownExtension::AuthorityKey, oid::AUTHORITY_KEY_ID),
        (KnownExtension::SubjectKey, oid::SUBJECT_KEY_ID),
        (KnownExtension::IssuerAltName, oid::ISSUER_ALT_NAME),
        (KnownExtension::SubjectDirectory, oid::SUBJECT_DIRECTORY),
        (KnownExtension::FreshestCrl, oid::FRESHEST_CRL),
        (KnownExtension::AuthorityInfo, oid::AUTHORITY_INFO),
        (KnownExtension::SubjectInfo, oid::SUBJECT_INFO),
    ];
    match NEVER.iter().find(|(known, _)| certificate.extensions.critical.has(*known)) {
        None => Ok(()),
        Some((_, oid)) => {
            let found = Value::Oid("the critical extension", oid);
            let wanted = Value::Text("it not critical: it is not processed");
            Err(Fault::new(Reason::CriticalExtension, "RFC 5280 4.2", found, wanted))
        }
    }
}

/// RFC 5280 6.1.4 (k), (n).
fn issuer<'a>(certificate: &Certificate<'a>) -> Outcome<'a> {
    if !certificate.is_authority() {
        let found = if certificate.extensions.basic_constraints.is_none() {
            "no basicConstraints"
        } else {
            "basicConstraints without cA"
        };
        return Err(Fault::plain(Reason::Constraint, "RFC 5280 6.1.4 (k)", found, "a certificate authority"));
    }
    match certificate.key_usage() {
        Some(usage) if !usage.key_cert_sign() => {
            let (found, wanted) = (Value::Usage("keyUsage", usage), Value::Text("keyCertSign"));
            Err(Fault::new(Reason::Constraint, "RFC 5280 6.1.4 (n)", found, wanted))
        }
        _ => Ok(()),
    }
}

fn leaf<'a>(certificate: &Certificate<'a>, options: &Options<'_>) -> Outcome<'a> {
    if certificate.version != 3 && !options.rules().old_versions {
        let found = Value::Count("version", u32::from(certificate.version));
        return Err(Fault::new(Reason::BadForm, "RFC 5280 4.1.2.1", found, Value::Text("version 3")));
    }
    let usage = certificate.key_usage().unwrap_or(KeyUsage::ANY);
    match options.key_usage {
        Some(wanted) if !usage.has(wanted) => {
            let (found, wanted) = (Value::Usage("keyUsage", usage), Value::Usage("keyUsage", wanted));
            Err(Fault::new(Reason::WrongUsage, "RFC 5280 4.2.1.3", found, wanted))
        }
        _ => Ok(()),
    }
}

/// RFC 5280 4.2.1.12. An absent extension allows every use; in an issuer it limits what is issued, as all of the field
/// takes it.
fn purpose<'a>(certificate: &Certificate<'a>, role: Role, options: &Options<'_>) -> Outcome<'a> {
    let Some(wanted) = options.usage.purpose() else { return Ok(()) };
    let Some(mut list) = certificate.extended_key_usage() else { return Ok(()) };
    let any = options.rules().any_usage || !matches!(role, Role::Leaf(_));
    if list.any(|found| found.0 == wanted || (any && found.0 == oid::ANY_USAGE)) {
        return Ok(());
    }
    let found = Value::Purposes(certificate.der());
    Err(Fault::new(Reason::WrongUsage, "RFC 5280 4.2.1.12", found, Value::Oid("extKeyUsage", wanted)))
}

/// RFC 5280 4.2.1.12: the key of a server or client may do one of the things that handshakes have it do. keyUsage that allows nothing
/// allows none of them (4.2.1.3 wants at least one).
fn key_usage<'a>(certificate: &Certificate<'a>, role: Role, options: &Options<'_>) -> Outcome<'a> {
    let Role::Leaf(_) = role else { return Ok(()) };
    // Only RSA encrypts: RFC 5480 3, RFC 8410 5, RFC 9881 5.
    let is_rsa = matches!(certificate.public_key(), PublicKey::Rsa { .. });
    let wanted = options.usage.key_usages().map(|w| if is_rsa { w } else { w.without(KeyUsage::KEY_ENCIPHERMENT) });
    match (certificate.key_usage(), wanted) {
        (Some(usage), Some(wanted)) if !usage.has_any(wanted) => {
            let (found, wanted) = (Value::Usage("keyUsage", usage), Value::Usage("one of", wanted));
            Err(Fault::new(Reason::WrongUsage, "RFC 5280 4.2.1.3", found, wanted))
        }
        _ => Ok(()),
    }
}

/// BR 6.1.5, 6.1.6: RSA from a least size, in whole bytes; the curves of the field. DSA and others are not supported. A
/// leaf's key is used for what comes next, so it is a key in every profile.
fn key<'a>(certificate: &Certificate<'a>, role: Role, options: &Options<'_>) -> Outcome<'a> {
    const SIZES: &str = "BR 6.1.5";
    let rules = options.rules();
    let spki = certificate.spki();
    let leaf = matches!(role, Role::Leaf(_));
    let fault = |rule, found, wanted| Err(Fault::new(Reason::UnsupportedAlgorithm, rule, found, wanted));
    match certificate.public_key() {
        PublicKey::Rsa { bits, .. } if bits < rules.min_rsa_bits => {
            fault(SIZES, Value::Key(spki), Value::Count("an RSA modulus whose bits are at least", rules.min_rsa_bits))
        }
        PublicKey::Rsa { bits, .. } if bits > MAX_RSA_BITS => {
            let wanted = Value::Count("an RSA modulus whose bits are at most", MAX_RSA_BITS);
            fault(SIZES, Value::Key(spki), wanted)
        }
        PublicKey::Rsa { bits, .. } if rules.rsa_form && bits % 8 != 0 => {
            fault(SIZES, Value::Key(spki), Value::Text("an RSA modulus of whole bytes"))
        }
        PublicKey::Rsa { exponent_ok: false, .. } if rules.rsa_form || leaf => {
            let found = Value::Text("an RSA exponent that is even, below 3, or of more than 33 bits");
            fault("BR 6.1.6", found, Value::Text("an odd exponent of at least 3 and at most 33 bits"))
        }
        // Without a rule for the form of keys, one that is never used does no harm.
        PublicKey::Other(_) | PublicKey::OtherCurve(_) if rules.rsa_form || leaf => {
            fault(SIZES, Value::Key(spki), Value::Text("RSA, ECDSA, Ed25519 or ML-DSA"))
        }
        PublicKey::Malformed if rules.rsa_form || leaf => {
            fault("RFC 5280 4.1.2.7", Value::Key(spki), Value::Text("a public key as its algorithm has it"))
        }
        // Of an issuer the signature tells.
        PublicKey::P256 if leaf => point(Curve::P256, spki, options),
        PublicKey::P384 if leaf => point(Curve::P384, spki, options),
        PublicKey::P521 if leaf => point(Curve::P521, spki, options),
        _ => Ok(()),
    }
}

/// Whether the key of a leaf is a point of its curve, where no proof tells.
fn point<'a>(curve: Curve, spki: &'a [u8], options: &Options<'_>) -> Outcome<'a> {
    if options.proof_follows {
        return Ok(());
    }
    let read = Spki::parse(spki).map_err(|_| SignatureError::Wrong);
    let (found, wanted) = match read.and_then(|spki| options.signatures.check_point(curve, &spki)) {
        Ok(()) => return Ok(()),
        Err(SignatureError::Wrong) => {
            ("a public key that is no point of its curve", Value::Text("a point of the curve"))
        }
        Err(SignatureError::Unsupported) => ("a curve whose points cannot be told", Value::Key(spki)),
    };
    Err(Fault::new(Reason::UnsupportedAlgorithm, "SEC 1 3.2.2.1", Value::Text(found), wanted))
}
