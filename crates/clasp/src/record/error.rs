//! What can be wrong with a record.

use crate::code::ContentType;
use crate::crypto::{CryptoError, RandomError};
use crate::family::family;

family! {
    /// A record that cannot be taken. Everything that can be wrong with a protected record's inside is one error.
    pub enum RecordError {
        UnknownType(content: u8 = 99) => UnexpectedMessage, "RFC 9846 5", "a record of unknown type {content}";
        WrongVersion(version: u16 = 0x0500) => ProtocolVersion, "RFC 5246 E.1", "a record of version {version:#06x}";
        TooLong(bytes: usize = 16_641) => RecordOverflow, "RFC 9846 5.1, 5.2", "a record of {bytes} bytes is longer than it may be";
        BadMac => BadRecordMac, "RFC 9846 5.2", "a record does not authenticate: it was altered on the way, or the keys differ";
        Unprotected(content: ContentType = ContentType::Handshake) => UnexpectedMessage, "RFC 9846 5", "a {content} record in the clear where everything is protected";
        Empty => UnexpectedMessage, "RFC 9846 5.1", "a handshake or alert record without content";
        TooManyEmpty => UnexpectedMessage, "limit", "too many records without content in a row";
        // RFC 9846 6.2: a length out of range is no value out of place.
        TooManyWarnings => DecodeError, "limit", "too many warning alerts in a row";
        BadAlert => DecodeError, "RFC 9846 6", "an alert that is not well formed, or a warning that its version does not have";
        BadAlertLevel(level: u8 = 3) => IllegalParameter, "RFC 5246 7.2", "an alert of the unknown level {level}";
        BadChangeCipherSpec => IllegalParameter, "RFC 5246 7.1", "a ChangeCipherSpec that is not well formed";
        BadChangeCipherSpecTls13 => UnexpectedMessage, "RFC 9846 5", "a ChangeCipherSpec that is not well formed, where it means nothing";
        Interleaved => UnexpectedMessage, "RFC 9846 5.1", "another record stands inside a fragmented handshake message";
        MessageTooLong(bytes: usize = 0xff_ffff) => DecodeError, "RFC 9846 6.2", "a handshake message announces {bytes} bytes, more than its kind may have";
        PlainHttp => ProtocolVersion, "RFC 9112 2.1", "the peer speaks plain HTTP, not TLS";
        NotTls => UnexpectedMessage, "RFC 9846 5.1", "the peer does not speak TLS";
        Ssl2 => ProtocolVersion, "RFC 6176 3", "the peer speaks SSL 2";
    }
}

impl core::error::Error for RecordError {}

/// Why a record cannot be sealed. Nothing of it is the peer's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealError {
    /// No sequence number is left: RFC 5246 6.1, RFC 9846 5.3.
    SequenceExhausted,
    /// The generator of random bytes failed.
    RandomFailed,
    /// The cipher failed, or there was no room for the record.
    CryptoFailed,
}

impl From<CryptoError> for SealError {
    fn from(_: CryptoError) -> Self {
        Self::CryptoFailed
    }
}

impl From<RandomError> for SealError {
    fn from(_: RandomError) -> Self {
        Self::RandomFailed
    }
}
