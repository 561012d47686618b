//! The status of a certificate, and why it cannot be told.

use super::reason::RevocationReason;
use core::fmt;

/// The status of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not revoked.
    Good,
    /// Revoked.
    Revoked {
        /// When, in seconds since 1970.
        at: i64,
        /// Why.
        reason: RevocationReason,
    },
    /// It cannot be told.
    Unknown(Trouble),
}

impl Standing {
    /// What two answers come to: revoked by one is revoked, good by one is good, and what is wrong with an answer says more
    /// than that there is none.
    pub(crate) fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown(a), Self::Unknown(b)) => Self::Unknown(a.nearer(b)),
            (revoked @ Self::Revoked { .. }, _) | (_, revoked @ Self::Revoked { .. }) => revoked,
            _ => Self::Good,
        }
    }
}

/// Why a status cannot be told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// There is no list or response for the certificate.
    NoList,
    /// There is one that does not settle it.
    Because(String),
}

impl Trouble {
    /// What is wrong with an answer says more than that there is none; the first says most.
    pub(crate) fn nearer(self, other: Self) -> Self {
        if self == Self::NoList { other } else { self }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoList => f.write_str("no revocation list or OCSP response for it"),
            Self::Because(why) => f.write_str(why),
        }
    }
}
