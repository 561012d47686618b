//! Errors as QUIC tells them: RFC 9001 4.8, RFC 9000 20.1.

use crate::code::AlertDescription;
use crate::error::{Cause, Error, PeerError};

/// RFC 9000 20.1.
const TRANSPORT_PARAMETER_ERROR: u64 = 0x08;
const PROTOCOL_VIOLATION: u64 = 0x0a;
const CRYPTO_BUFFER_EXCEEDED: u64 = 0x0d;
/// What alerts are added to.
const CRYPTO_ERROR: u64 = 0x0100;

/// The code of the CONNECTION_CLOSE frame (type 0x1c) that tells the peer of an error: an alert (0x0100 and more), or what RFC 9001 has
/// a code of its own for.
///
/// ```
/// use clasp::error::PeerError;
/// // CRYPTO_ERROR with no_application_protocol, 120
/// assert_eq!(clasp::quic::error_code(&PeerError::NoCommonProtocol.into()), 0x178);
/// ```
pub fn error_code(error: &Error) -> u64 {
    match error.cause() {
        Cause::Peer(PeerError::BadTransportParameters) => TRANSPORT_PARAMETER_ERROR,
        Cause::Peer(
            PeerError::TransportParametersShrank
            | PeerError::SessionIdOverQuic
            | PeerError::WrongCryptoLevel
            | PeerError::DataAtKeyChange
            | PeerError::TicketBoundsEarlyData
            | PeerError::CertificateRequestOverQuic,
        ) => PROTOCOL_VIOLATION,
        Cause::Peer(PeerError::TooMuchCrypto) => CRYPTO_BUFFER_EXCEEDED,
        cause => CRYPTO_ERROR | u64::from(cause.alert().0),
    }
}

/// The alert that a peer's CONNECTION_CLOSE frame (type 0x1c) tells of, if its code is one.
///
/// ```
/// use clasp::AlertDescription;
/// assert_eq!(clasp::quic::alert_of(0x0128), Some(AlertDescription::HandshakeFailure));
/// assert_eq!(clasp::quic::alert_of(0x000a), None);
/// ```
pub fn alert_of(code: u64) -> Option<AlertDescription> {
    let alert = code.checked_sub(CRYPTO_ERROR)?;
    u8::try_from(alert).ok().map(AlertDescription)
}
