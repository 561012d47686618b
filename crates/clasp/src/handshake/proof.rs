//! What a TLS 1.3 CertificateVerify signs: RFC 9846 4.4.3.

use crate::keys::schedule12::Side;

/// The longest: the context, a zero, and a hash of SHA-512's length.
const MAX_SIGNED: usize = 64 + 34 + 64;

/// What one side signs.
pub(crate) struct Signed13 {
    bytes: [u8; MAX_SIGNED],
    len: usize,
}

impl AsRef<[u8]> for Signed13 {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// 64 spaces, which no TLS 1.2 signature begins with; who signs; and the hash of the conversation.
pub(crate) fn signed13(side: Side, transcript: &[u8]) -> Signed13 {
    let context: &[u8; 34] = match side {
        Side::Client => b"TLS 1.3, client CertificateVerify\0",
        Side::Server => b"TLS 1.3, server CertificateVerify\0",
    };
    let mut signed = Signed13 { bytes: [b' '; MAX_SIGNED], len: 64 + context.len() + transcript.len() };
    signed.bytes[64..64 + context.len()].copy_from_slice(context);
    signed.bytes[64 + context.len()..signed.len].copy_from_slice(transcript);
    signed
}
