//! What can be wrong with a record.

use crate::code::AlertDescription;
use core::fmt;

/// A record that cannot be taken. Everything that can be wrong with a protected record's inside is one error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordError {
    /// The content type is none of TLS.
    UnknownType(u8),
    /// The record's version is not one of TLS.
    WrongVersion(u16),
    /// The record is longer than it may be.
    TooLong(usize),
    /// The MAC, the padding or the length of a protected record is wrong.
    BadMac,
    /// A record in the clear where TLS 1.3 protects everything.
    Unprotected(crate::code::ContentType),
    /// A handshake or alert record without content.
    Empty,
    /// Too many records without content in a row.
    TooManyEmpty,
    /// Too many warning alerts in a row.
    TooManyWarnings,
    /// An alert that is not two bytes, or a warning that its version does not have.
    BadAlert,
    /// An alert of an unknown level.
    BadAlertLevel(u8),
    /// A ChangeCipherSpec that is not the one byte 1.
    BadChangeCipherSpec,
    /// Another record stands inside a fragmented handshake message.
    Interleaved,
    /// A handshake message longer than its kind may be.
    MessageTooLong(usize),
    /// The peer speaks plain HTTP.
    PlainHttp,
    /// The peer does not speak TLS.
    NotTls,
    /// The peer speaks SSL 2.
    Ssl2,
}

impl RecordError {
    /// The alert of each: RFC 5246 6.2, 7.2.2.
    pub const fn alert(self) -> AlertDescription {
        match self {
            Self::UnknownType(_)
            | Self::NotTls
            | Self::Unprotected(_)
            | Self::Empty
            | Self::TooManyEmpty
            | Self::Interleaved => AlertDescription::UnexpectedMessage,
            Self::WrongVersion(_) | Self::PlainHttp | Self::Ssl2 => AlertDescription::ProtocolVersion,
            Self::TooLong(_) => AlertDescription::RecordOverflow,
            Self::BadMac => AlertDescription::BadRecordMac,
            // RFC 9846 6.2: a length out of range is no value out of place.
            Self::TooManyWarnings | Self::BadAlert | Self::MessageTooLong(_) => AlertDescription::DecodeError,
            Self::BadAlertLevel(_) | Self::BadChangeCipherSpec => AlertDescription::IllegalParameter,
        }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::UnknownType(v) => write!(f, "a record of unknown type {v}"),
            Self::WrongVersion(v) => write!(f, "a record of version {v:#06x}"),
            Self::TooLong(n) => write!(f, "a record of {n} bytes is longer than it may be"),
            Self::BadMac => {
                f.write_str("a record does not authenticate: it was altered on the way, or the keys differ")
            }
            Self::Unprotected(content) => write!(f, "a {content} record in the clear where everything is protected"),
            Self::Empty => f.write_str("a handshake or alert record without content"),
            Self::TooManyEmpty => f.write_str("too many records without content in a row"),
            Self::TooManyWarnings => f.write_str("too many warning alerts in a row"),
            Self::BadAlertLevel(v) => write!(f, "an alert of the unknown level {v}"),
            Self::BadAlert => f.write_str("an alert that is not well formed"),
            Self::BadChangeCipherSpec => f.write_str("a ChangeCipherSpec that is not well formed"),
            Self::Interleaved => f.write_str("another record stands inside a fragmented handshake message"),
            Self::MessageTooLong(n) => {
                write!(f, "a handshake message announces {n} bytes, more than its kind may have")
            }
            Self::PlainHttp => f.write_str("the peer speaks plain HTTP, not TLS"),
            Self::NotTls => f.write_str("the peer does not speak TLS"),
            Self::Ssl2 => f.write_str("the peer speaks SSL 2"),
        }
    }
}

impl core::error::Error for RecordError {}
