//! Revocation: lists (RFC 5280 6.3) and OCSP responses (RFC 6960).

pub(crate) mod crl;
pub(crate) mod direct;
pub(crate) mod issue;
pub(crate) mod known;
pub(crate) mod ocsp;
pub(crate) mod point;
pub(crate) mod status;

use crl::{Crl, RevocationReason};

/// How much a certificate's status matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Check {
    /// Not looked at, neither in lists nor in a staple; but a staple that a certificate demands (RFC 7633) and that was asked
    /// for must be there and say good.
    #[default]
    Ignore,
    /// A revoked certificate is refused; one whose status cannot be told is not.
    Prefer,
    /// Only a certificate known to be good is accepted.
    Require,
}

/// Whose status matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// The peer's own certificate.
    Leaf,
    /// Every certificate below the root.
    #[default]
    Chain,
}

/// What is known of revocation, and what is asked of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Revocation<'a> {
    /// How much it matters.
    pub check: Check,
    /// Whose.
    pub scope: Scope,
    /// Lists: complete, delta and indirect.
    pub lists: &'a [Crl<'a>],
    /// A stapled OCSP response for the peer's certificate, DER.
    pub stapled: Option<&'a [u8]>,
    /// Other OCSP responses, DER, for any certificate of the chain.
    pub responses: &'a [&'a [u8]],
    /// The nonce that was sent with the OCSP request; a response must have it.
    pub nonce: Option<&'a [u8]>,
    /// How old a list or response may be, in seconds, whatever its nextUpdate says.
    pub max_age: Option<u64>,
    /// Whether stapling was asked for: a certificate that demands it (RFC 7633) must then have a good response.
    pub asked_for_staple: bool,
    /// Whether lists may speak for other issuers; by default the profile decides.
    pub indirect: Option<bool>,
}

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
    pub(crate) fn unusable(response: ocsp::OcspError) -> Self {
        Self::Because(format!("an OCSP response that cannot be used: {response}"))
    }

    /// What is wrong with an answer says more than that there is none; the first says most.
    pub(crate) fn nearer(self, other: Self) -> Self {
        if self == Self::NoList { other } else { self }
    }
}

impl core::fmt::Display for Trouble {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoList => f.write_str("no revocation list or OCSP response for it"),
            Self::Because(why) => f.write_str(why),
        }
    }
}
