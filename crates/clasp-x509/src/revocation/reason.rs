//! Why a certificate was revoked.

use crate::der::{self, Der, DerResult};
use core::fmt;

/// Why a certificate was revoked: RFC 5280 5.3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RevocationReason(pub u8);

impl RevocationReason {
    pub(crate) const REMOVE: Self = Self(8);

    /// A CRLReason.
    pub(super) fn read(input: &mut Der<'_>, field: &'static str) -> DerResult<Self> {
        let start = *input;
        match input.take(der::ENUMERATED, field)?.0 {
            [reason @ 0..=10] => Ok(Self(*reason)),
            _ => Err(start.wrong(field, "a reason of RFC 5280 5.3.1")),
        }
    }

    /// Whether it may end without a new certificate: RFC 5280 5.3.1, certificateHold.
    pub(crate) const fn is_for_a_time(self) -> bool {
        self.0 == 6 || self.0 == Self::REMOVE.0
    }
}

impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            0 => "unspecified",
            1 => "keyCompromise",
            2 => "cACompromise",
            3 => "affiliationChanged",
            4 => "superseded",
            5 => "cessationOfOperation",
            6 => "certificateHold",
            8 => "removeFromCRL",
            9 => "privilegeWithdrawn",
            10 => "aACompromise",
            _ => "a reason that is not known",
        })
    }
}
