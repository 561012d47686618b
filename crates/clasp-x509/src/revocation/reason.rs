//! Why a certificate was revoked.

use core::fmt;

/// Why a certificate was revoked: RFC 5280 5.3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RevocationReason(pub u8);

impl RevocationReason {
    pub(crate) const REMOVE: Self = Self(8);

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
