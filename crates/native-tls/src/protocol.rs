//! Versions.

use crate::Error;
use clasp::Policy;
use clasp::code::ProtocolVersion;
use core::fmt;

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

/// Versions of which Clasp speaks none. The original says so with the first connection, and programs count on a `build`
/// that succeeds.
#[derive(Debug, Copy, Clone)]
pub(crate) struct Unspoken {
    min: Option<Protocol>,
    max: Option<Protocol>,
}

impl fmt::Display for Unspoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.max {
            Some(max) if max.wire().is_none() => {
                write!(f, "at most {max:?} is asked for, and Clasp speaks TLS 1.2 and 1.3: raise the greatest version")
            }
            _ => write!(f, "the least version is above the greatest: {:?}, {:?}", self.min, self.max),
        }
    }
}

impl From<Unspoken> for Error {
    fn from(unspoken: Unspoken) -> Self {
        Self::words(unspoken.to_string())
    }
}

/// What may be spoken, best first. The least that is allowed may be older than what Clasp speaks; the most may not.
pub(crate) fn policy(min: Option<Protocol>, max: Option<Protocol>) -> Result<Policy, Unspoken> {
    let unspoken = Unspoken { min, max };
    let oldest = min.and_then(Protocol::wire).unwrap_or(ProtocolVersion::Tls12);
    let newest = match max {
        None => ProtocolVersion::Tls13,
        Some(max) => max.wire().ok_or(unspoken)?,
    };
    let all = [ProtocolVersion::Tls13, ProtocolVersion::Tls12];
    let spoken: Vec<_> = all.into_iter().filter(|version| oldest <= *version && *version <= newest).collect();
    if spoken.is_empty() {
        return Err(unspoken);
    }
    Ok(Policy::default().with_versions(spoken))
}
