//! Compressing certificates in ways that Clasp does not have: RFC 8879.

use crate::wire::code::CompressionAlgorithm;

/// A way to compress certificates that the application brings: a dictionary of its own, or an algorithm that is not
/// built in. What the peer sends is decompressed before it is authenticated.
pub trait CertificateCompression: Send + Sync {
    /// Its number on the wire; those from 16384 on are for private use (RFC 8879 7.3).
    fn algorithm(&self) -> CompressionAlgorithm;

    /// Compresses the body of a Certificate message. `None` sends it as it is.
    fn compress(&self, certificate: &[u8]) -> Option<Vec<u8>>;

    /// Decompresses to exactly `length` bytes, which is at most 100 KiB. `None` if it comes to anything else; a careful
    /// implementation stops there, so that a bomb costs no memory.
    fn decompress(&self, compressed: &[u8], length: usize) -> Option<Vec<u8>>;
}
