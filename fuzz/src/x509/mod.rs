//! Certificates: every reader, names, whole paths, revocation lists, OCSP responses, timestamps.

pub mod certificate;
pub mod chain;
pub mod crl;
/// The tests' maker of certificates.
#[path = "../../../crates/clasp-x509/tests/common/mod.rs"]
pub(crate) mod made;
pub mod name;
pub mod ocsp;
pub mod path;
pub mod sct;

use made::{Key, Made};

/// An authority that is the same in every run.
pub(crate) fn authority() -> &'static Made {
    static MADE: std::sync::OnceLock<Made> = std::sync::OnceLock::new();
    MADE.get_or_init(|| made::authority_of("root", Key::seeded(1), None, |_| ()))
}

/// A certificate of it for example.com, with the serial number 0x1122.
pub(crate) fn leaf() -> &'static Made {
    static MADE: std::sync::OnceLock<Made> = std::sync::OnceLock::new();
    MADE.get_or_init(|| made::server_of(Key::seeded(2), authority(), |_| ()))
}
