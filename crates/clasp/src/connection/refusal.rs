//! What a peer's fatal alert means, by what we said last.

use crate::code::{AlertDescription, HandshakeType};

/// What to change, where the alert and its moment tell. `last` is nothing once the handshake is done: in TLS 1.3 a server judges
/// the client's certificate, or its absence, only then (RFC 9846 4.4.2.4).
pub(super) fn advice(alert: AlertDescription, last: Option<HandshakeType>, server: bool) -> Option<&'static str> {
    use AlertDescription as A;
    let behind_certificate = matches!(
        last,
        None | Some(HandshakeType::Certificate | HandshakeType::CertificateVerify | HandshakeType::Finished)
    );
    match alert {
        A::HandshakeFailure | A::InsufficientSecurity if !server && last == Some(HandshakeType::ClientHello) => Some(
            "our policy shares no cipher suite, group or signature scheme with the peer: Policy::legacy() is the widest",
        ),
        A::HandshakeFailure | A::CertificateRequired if !server && behind_certificate => {
            Some("the peer may want a certificate of ours, or another one: ClientBuilder::identity")
        }
        A::ProtocolVersion => Some("the peer speaks none of the versions our policy has"),
        A::UnknownCa | A::BadCertificate => Some("the peer does not trust our certificate: give it our CA"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A refusal behind our Finished is none of our suites.
    #[test]
    fn the_advice_fits_the_moment() {
        let failure = AlertDescription::HandshakeFailure;
        assert!(advice(failure, Some(HandshakeType::ClientHello), false).unwrap().contains("suite"));
        for last in [None, Some(HandshakeType::Finished), Some(HandshakeType::Certificate)] {
            assert!(advice(failure, last, false).unwrap().contains("ClientBuilder::identity"));
            assert!(advice(AlertDescription::CertificateRequired, last, false).is_some());
            assert_eq!(advice(failure, last, true), None);
        }
        assert_eq!(advice(failure, Some(HandshakeType::ClientKeyExchange), false), None);
        assert_eq!(advice(failure, Some(HandshakeType::ServerHello), true), None);
    }
}
