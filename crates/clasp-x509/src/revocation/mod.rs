//! Revocation, above `certificate` and `signature`: lists (RFC 5280 6.3) and OCSP responses (RFC 6960).

mod asked;
mod crl;
mod index;
mod issue;
pub(crate) mod issuer;
mod known;
pub(crate) mod lists;
pub(crate) mod ocsp;
mod reason;
mod standing;
pub(crate) mod terms;

pub use asked::{Check, Revocation, Scope};
pub use crl::{Crl, Entry, IssuingDistributionPoint};
pub use issue::UnsignedOcsp;
pub use known::KnownCrl;
pub use ocsp::{CertStatus, OcspError, OcspResponse, SingleResponse};
pub use reason::RevocationReason;
pub use standing::{Standing, Trouble};
