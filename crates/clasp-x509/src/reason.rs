//! Why a chain was refused.

use core::fmt;

/// The class of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// No path leads to a trusted root.
    UnknownIssuer,
    /// A signature does not verify.
    BadSignature,
    /// An algorithm is not supported, or a key is too weak.
    UnsupportedAlgorithm,
    /// An issuer is no certificate authority, or its path length does not allow this.
    Constraint,
    /// A certificate is not meant for this use.
    WrongUsage,
    /// A critical extension is not understood.
    CriticalExtension,
    /// A certificate's time is over.
    Expired,
    /// A certificate's time has not come.
    NotYetValid,
    /// The certificate is for other names.
    NameMismatch,
    /// A certificate is not well formed.
    BadEncoding,
    /// Finding a path costs more than the budget.
    TooCostly,
}

/// A refusal: which certificate, which rule, what was found, what was wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Its class.
    pub reason: Reason,
    /// The certificate's place in the chain as presented; 0 is the peer's own.
    pub index: usize,
    /// The certificate's subject.
    pub subject: String,
    /// The rule.
    pub rule: &'static str,
    /// What was found.
    pub found: String,
    /// What was wanted.
    pub wanted: String,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, subject, rule, found, wanted, .. } = self;
        write!(f, "certificate {index} ({subject}): found {found}; wanted {wanted} ({rule})")
    }
}

impl core::error::Error for Rejection {}
