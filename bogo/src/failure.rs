//! Why a shim gives up.

use crate::errors;
use clasp::error::{Cause, PeerError};

/// Why a test did not come out as the flags say.
pub(crate) struct Failure {
    pub(crate) text: String,
    pub(crate) unimplemented: bool,
    pub(crate) refused_renegotiation: bool,
}

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), unimplemented: false, refused_renegotiation: false }
    }

    pub(crate) fn unimplemented(what: impl Into<String>) -> Self {
        Self { text: format!("not implemented: {}", what.into()), unimplemented: true, refused_renegotiation: false }
    }
}

impl From<clasp::Error> for Failure {
    fn from(error: clasp::Error) -> Self {
        let refused_renegotiation = *error.cause() == Cause::Peer(PeerError::RenegotiationRefused);
        Self { refused_renegotiation, ..Self::new(errors::text(&error)) }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(format!("transport: {error}"))
    }
}
