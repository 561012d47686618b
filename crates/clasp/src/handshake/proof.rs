//! What a TLS 1.3 CertificateVerify signs: RFC 9846 4.4.3.

use crate::keys::schedule12::Side;
use smallvec::SmallVec;

/// 64 spaces, which no TLS 1.2 signature begins with; who signs, and a zero; and the hash of the conversation, of SHA-512's
/// length at most.
pub(crate) fn signed13(side: Side, transcript: &[u8]) -> Signed13 {
    let context: &[u8; 34] = match side {
        Side::Client => b"TLS 1.3, client CertificateVerify\0",
        Side::Server => b"TLS 1.3, server CertificateVerify\0",
    };
    let mut signed = Signed13::new();
    [&[b' '; 64][..], context, transcript].into_iter().for_each(|part| signed.extend_from_slice(part));
    signed
}

/// What one side signs, on the stack.
pub(crate) type Signed13 = SmallVec<[u8; 256]>;
