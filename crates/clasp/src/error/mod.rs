// Above `record`.
//! Errors: what was seen, what was wanted, where, who is to blame, what to change.
//!
//! [`Error`] is one word wide. Its cause belongs to one family ([`PeerError`], [`DecodeError`], [`RecordError`],
//! [`CertificateError`], [`Misuse`], [`Outside`], or an alert of the peer); every family is a table whose rows name
//! the variant, the alert, the source of the rule and the words. Flow code never names an alert, and an error has one: that
//! of its row, or that of whoever ended the connection or refused the peer from outside.

mod cause;
mod certificate;
mod chain;
mod ech;
mod misuse;
mod peer;
mod text;
mod whole;

pub use cause::{Blame, Cause};
pub use certificate::CertificateError;
pub use misuse::{Misuse, Outside};
pub use peer::PeerError;
pub use text::printable;
pub use whole::{Error, Place};

pub use crate::record::RecordError;
pub use crate::wire::decode::{DecodeError, DecodeKind};

/// What is wrong with a field.
pub mod decode {
    pub use crate::wire::decode::{DecodeError, DecodeKind};
}

/// `Result` with [`Error`].
pub type Result<T, E = Error> = core::result::Result<T, E>;
