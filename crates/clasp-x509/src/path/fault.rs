//! A broken rule, kept in place until somebody reads of it.

use crate::certificate::usage::KeyUsage;
use crate::certificate::{Certificate, server_name};
use crate::name::Name;
use crate::name::general::SubjectAltName;
use crate::oid::Oid;
use crate::revocation::RevocationReason;
use crate::signature::algorithm;
use crate::spki;
use crate::text::{hex, printable};
use crate::time::Moment;
use core::fmt;
use rustls_pki_types::ServerName;

/// The class of a refusal. The later ones are nearer to acceptance: they are found on paths that got further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// No path leads to a trusted root.
    UnknownIssuer,
    /// A signature does not verify.
    BadSignature,
    /// An algorithm is not supported, or a key is too weak.
    UnsupportedAlgorithm,
    /// A certificate is not as its profile wants it.
    BadForm,
    /// A certificate is not well formed.
    BadEncoding,
    /// A critical extension is not understood.
    CriticalExtension,
    /// An issuer is no certificate authority, or its path length does not allow this.
    Constraint,
    /// A name lies outside what an issuer may certify.
    NameConstraint,
    /// No policy holds for the whole path.
    Policy,
    /// A certificate is not meant for this use.
    WrongUsage,
    /// A certificate's time is over.
    Expired,
    /// A certificate's time has not come.
    NotYetValid,
    /// A certificate has been revoked.
    Revoked,
    /// Whether a certificate has been revoked cannot be told.
    StatusUnknown,
    /// The certificate is for other names.
    NameMismatch,
    /// Finding a path costs more than the budget.
    TooCostly,
}

/// A value found or wanted, kept in place until somebody reads the error.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Text(&'static str),
    Moment(&'static str, i64),
    Name(&'static str, &'a [u8]),
    AltName(&'static str, SubjectAltName<'a>),
    Oid(&'static str, &'a [u8]),
    Algorithm(&'a [u8]),
    Usage(&'static str, KeyUsage),
    /// The extKeyUsage of a certificate, DER.
    Purposes(&'a [u8]),
    /// The server names of a certificate, DER.
    Names(&'a [u8]),
    Count(&'static str, u32),
    /// A SubjectPublicKeyInfo, DER.
    Key(&'a [u8]),
    Bytes(&'static str, &'a [u8]),
    /// A certificate (DER) whose issuer is missing; whether more were sent than are looked at.
    Missing(&'a [u8], bool),
    Roots(usize),
    Server(&'a ServerName<'a>),
    Revoked(i64, RevocationReason),
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Moment(what, at) => write!(f, "{what} {}", Moment(*at)),
            Self::Name(what, name) => write!(f, "{what} {}", Name(name)),
            Self::AltName(what, name) => write!(f, "{what} {name}"),
            Self::Oid(what, oid) => write!(f, "{what} {}", Oid(oid)),
            Self::Algorithm(id) => f.write_str(&algorithm::describe(id)),
            Self::Usage(what, usage) => write!(f, "{what} {usage}"),
            Self::Purposes(der) => with(der, f, purposes),
            Self::Names(der) => with(der, f, |c, f| f.write_str(&server_name::list(c))),
            Self::Count(what, n) => write!(f, "{what} {n}"),
            Self::Key(spki) => f.write_str(&spki::describe(spki)),
            Self::Bytes(what, bytes) => {
                write!(f, "{what} {}", hex(bytes.get(..24).unwrap_or(bytes)))
            }
            Self::Missing(der, false) => with(der, f, |c, f| missing(c, "sent along", f)),
            Self::Missing(der, true) => {
                with(der, f, |c, f| missing(c, "among the first 128 certificates that were sent", f))
            }
            Self::Server(name) => write!(f, "{}", name.to_str()),
            Self::Revoked(at, reason) => write!(f, "revoked on {}, {reason}", Moment(*at)),
            Self::Roots(count) => write!(f, "a chain to one of the {count} trusted roots"),
        }
    }
}

type Words = fn(&Certificate<'_>, &mut fmt::Formatter<'_>) -> fmt::Result;

/// Says something of a certificate that was read before.
fn with(der: &[u8], f: &mut fmt::Formatter<'_>, words: Words) -> fmt::Result {
    Certificate::parse(der).map_or(Ok(()), |certificate| words(&certificate, f))
}

fn purposes(certificate: &Certificate<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match certificate.extended_key_usage() {
        None => f.write_str("no extKeyUsage"),
        Some(mut list) => {
            f.write_str("extKeyUsage")?;
            list.by_ref().take(8).try_for_each(|oid| write!(f, " {oid}"))
        }
    }
}

fn missing(certificate: &Certificate<'_>, nor: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if certificate.is_self_issued() {
        return f.write_str("a self-signed certificate that is not among the trusted roots");
    }
    write!(f, "issuer {}, which is neither a trusted root nor {nor}", certificate.issuer())?;
    match certificate.issuer_addresses().next() {
        Some(place) => write!(f, "; its issuer's certificate is at {}", printable(place, 128)),
        None => Ok(()),
    }
}

/// A broken rule, not yet in words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault<'a> {
    pub(crate) reason: Reason,
    pub(crate) rule: &'static str,
    pub(crate) found: Value<'a>,
    pub(crate) wanted: Value<'a>,
}

impl<'a> Fault<'a> {
    pub(crate) const fn new(reason: Reason, rule: &'static str, found: Value<'a>, wanted: Value<'a>) -> Self {
        Self { reason, rule, found, wanted }
    }

    /// A rule whose two sides are plain words.
    pub(crate) const fn plain(reason: Reason, rule: &'static str, found: &'static str, wanted: &'static str) -> Self {
        Self::new(reason, rule, Value::Text(found), Value::Text(wanted))
    }
}

/// Whether a rule holds.
pub(crate) type Outcome<'a> = Result<(), Fault<'a>>;
