//! What is known of revocation, and what is asked of it.

use super::crl::Crl;

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
