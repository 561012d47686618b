//! Versions.

use crate::{Error, Result};
use clasp::Policy;
use clasp::code::ProtocolVersion;

/// A version of the protocol. Clasp speaks TLS 1.2 and 1.3: older ones have names here because programs name them as the
/// oldest that they allow.
#[derive(Debug, Copy, Clone)]
#[non_exhaustive]
pub enum Protocol {
    /// SSL 3.0, which Clasp does not speak.
    Sslv3,
    /// TLS 1.0, which Clasp does not speak.
    Tlsv10,
    /// TLS 1.1, which Clasp does not speak.
    Tlsv11,
    /// TLS 1.2.
    Tlsv12,
    /// TLS 1.3.
    Tlsv13,
}

impl Protocol {
    const fn wire(self) -> Option<ProtocolVersion> {
        match self {
            Self::Sslv3 | Self::Tlsv10 | Self::Tlsv11 => None,
            Self::Tlsv12 => Some(ProtocolVersion::Tls12),
            Self::Tlsv13 => Some(ProtocolVersion::Tls13),
        }
    }
}

/// What may be spoken, best first. The least that is allowed may be older than what Clasp speaks; the most may not.
pub(crate) fn policy(min: Option<Protocol>, max: Option<Protocol>) -> Result<Policy> {
    let oldest = min.and_then(Protocol::wire).unwrap_or(ProtocolVersion::Tls12);
    let newest = match max {
        None => ProtocolVersion::Tls13,
        Some(max) => max.wire().ok_or_else(|| {
            Error::words(format!(
                "at most {max:?} is asked for, and Clasp speaks TLS 1.2 and 1.3: raise the greatest version"
            ))
        })?,
    };
    let all = [ProtocolVersion::Tls13, ProtocolVersion::Tls12];
    let spoken: Vec<_> = all.into_iter().filter(|version| oldest <= *version && *version <= newest).collect();
    if spoken.is_empty() {
        return Err(Error::words("the least version is above the greatest"));
    }
    Ok(Policy::default().with_versions(spoken))
}
