//! What a TLS 1.3 CertificateVerify signs: RFC 9846 4.4.3.

use crate::keys::schedule12::Side;

/// 64 spaces, which no TLS 1.2 signature begins with; who signs; and the hash of the conversation.
pub(crate) fn signed13(side: Side, transcript: &[u8]) -> Vec<u8> {
    let context: &[u8] = match side {
        Side::Client => b"TLS 1.3, client CertificateVerify\0",
        Side::Server => b"TLS 1.3, server CertificateVerify\0",
    };
    [&[b' '; 64], context, transcript].concat()
}
