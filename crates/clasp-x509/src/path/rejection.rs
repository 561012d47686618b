//! Why a chain was refused.

use super::fault::{Fault, Reason};
use crate::name::Name;
use core::fmt;

/// Where a certificate came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Among those presented; 0 is the peer's own.
    Presented(usize),
    /// Among the trusted roots.
    Root,
    /// Not a certificate: a revocation list or response.
    Answer,
}

/// A broken rule: which certificate, which rule, what was found, what was wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Its class.
    pub reason: Reason,
    /// Where the certificate came from.
    pub origin: Origin,
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
    pub(crate) fn new(fault: &Fault<'_>, origin: Origin, subject: &[u8]) -> Self {
        Self {
            reason: fault.reason,
            origin,
            subject: Name(subject).to_string(),
            rule: fault.rule,
            found: fault.found.to_string(),
            wanted: fault.wanted.to_string(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, subject, rule, found, wanted, .. } = self;
        write!(f, "{origin} ({subject}): found {found}; wanted {wanted} ({rule})")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Presented(index) => write!(f, "certificate {index}"),
            Self::Root => f.write_str("root"),
            Self::Answer => f.write_str("revocation"),
        }
    }
}

/// One certificate of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// Where it came from.
    pub origin: Origin,
    /// Its subject.
    pub subject: String,
}

/// A path that was tried, from the leaf upward, and where it broke.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The certificates, the leaf first; a root stands last where one was reached.
    pub path: Vec<Step>,
    /// The rule that broke.
    pub finding: Finding,
}

impl Attempt {
    pub(crate) fn reached_root(&self) -> bool {
        self.path.last().is_some_and(|step| step.origin == Origin::Root)
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
        let step = Step { origin: finding.origin, subject: finding.subject.clone() };
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
