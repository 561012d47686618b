//! Why a chain was refused.

use crate::certificate::Certificate;
use crate::certificate::usage::KeyUsage;
use crate::name::Name;
use crate::name::general::SubjectAltName;
use crate::oid::Oid;
use crate::revocation::crl::RevocationReason;
use crate::time::Moment;
use core::fmt;

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
    Server(&'a rustls_pki_types::ServerName<'a>),
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
            Self::Algorithm(id) => f.write_str(&crate::signature::describe(id)),
            Self::Usage(what, usage) => write!(f, "{what} {usage}"),
            Self::Purposes(der) => with(der, f, purposes),
            Self::Names(der) => with(der, f, |c, f| f.write_str(&crate::name::server::list(c))),
            Self::Count(what, n) => write!(f, "{what} {n}"),
            Self::Key(spki) => f.write_str(&crate::kind::public_key(spki)),
            Self::Bytes(what, bytes) => {
                write!(f, "{what} {}", crate::certificate::hex(bytes.get(..24).unwrap_or(bytes)))
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
        Some(place) => write!(f, "; its issuer's certificate is at {}", crate::name::printable(place, 128)),
        None => Ok(()),
    }
}

/// Where a certificate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// Among those presented; 0 is the peer's own.
    Presented(usize),
    /// Among the trusted roots.
    Root,
    /// Nowhere: the fault is in a revocation list or response.
    Outside,
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

/// A broken rule: which certificate, which rule, what was found, what was wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its class.
    pub reason: Reason,
    /// Where the certificate stands.
    pub place: Place,
    /// The certificate's subject.
    pub subject: String,
    /// The rule, with its section.
    pub rule: &'static str,
    /// What was found.
    pub found: String,
    /// What was wanted.
    pub wanted: String,
}

impl Finding {
    pub(crate) fn new(fault: &Fault<'_>, place: Place, subject: &[u8]) -> Self {
        Self {
            reason: fault.reason,
            place,
            subject: Name(subject).to_string(),
            rule: fault.rule,
            found: fault.found.to_string(),
            wanted: fault.wanted.to_string(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, subject, rule, found, wanted, .. } = self;
        write!(f, "{place} ({subject}): found {found}; wanted {wanted} ({rule})")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Presented(index) => write!(f, "certificate {index}"),
            Self::Root => f.write_str("root"),
            Self::Outside => f.write_str("revocation"),
        }
    }
}

/// One certificate of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it stands.
    pub place: Place,
    /// Its subject.
    pub subject: String,
}

/// A path that was tried, from the leaf upward, and where it broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The certificates, the leaf first; a root stands last where one was reached.
    pub path: Vec<Step>,
    /// The rule that broke.
    pub finding: Finding,
}

impl Attempt {
    pub(crate) fn reached_root(&self) -> bool {
        self.path.last().is_some_and(|step| step.place == Place::Root)
    }
}

/// A refusal: every path that was tried (the first few, if they were many), and the one that came nearest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) nearest: usize,
    pub(crate) untold: usize,
}

impl Rejection {
    /// A refusal with a single cause.
    pub(crate) fn single(finding: Finding) -> Box<Self> {
        let step = Step { place: finding.place, subject: finding.subject.clone() };
        Box::new(Self { attempts: vec![Attempt { path: vec![step], finding }], nearest: 0, untold: 0 })
    }

    /// Takes the attempts of a search, at least one.
    pub(crate) fn of(attempts: Vec<Attempt>, untold: usize) -> Box<Self> {
        let rank = |a: &Attempt| {
            // A search that was given up says so: its attempts are only a part.
            (a.finding.reason == Reason::TooCostly, a.reached_root(), a.path.len(), a.finding.reason)
        };
        let nearest = (0..attempts.len()).rev().max_by_key(|i| attempts.get(*i).map(rank)).unwrap_or(0);
        Box::new(Self { attempts, nearest, untold })
    }

    /// The nearest miss.
    #[expect(clippy::indexing_slicing, reason = "a rejection is made of one attempt at least, and this is among them")]
    pub fn nearest(&self) -> &Finding {
        &self.attempts[self.nearest].finding
    }

    /// The class of the nearest miss.
    pub fn reason(&self) -> Reason {
        self.nearest().reason
    }

    /// The paths that were tried.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Paths that were tried beyond those in [`attempts`](Self::attempts).
    pub fn untold(&self) -> usize {
        self.untold
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.nearest(), f)
    }
}

impl core::error::Error for Rejection {}
