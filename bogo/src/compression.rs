//! The runner's three ways to compress certificates, which are none.

use clasp::config::CertificateCompression;
use clasp::wire::code::CompressionAlgorithm;
use std::sync::atomic::{AtomicU8, Ordering};

/// Leaves out the two bytes that every Certificate begins with.
pub(crate) struct Shrinking;
/// Puts four bytes in front.
pub(crate) struct Expanding;
/// Puts a byte in front that is another each time.
pub(crate) struct Random(pub(crate) AtomicU8);

const SHRUNK: &[u8] = &[0, 0];
const EXPANSION: &[u8] = &[1, 2, 3, 4];

impl CertificateCompression for Shrinking {
    fn algorithm(&self) -> CompressionAlgorithm {
        CompressionAlgorithm(0xff01)
    }

    fn compress(&self, certificate: &[u8]) -> Option<Vec<u8>> {
        certificate.strip_prefix(SHRUNK).map(<[u8]>::to_vec)
    }

    fn decompress(&self, compressed: &[u8], length: usize) -> Option<Vec<u8>> {
        (compressed.len() + SHRUNK.len() == length).then(|| [SHRUNK, compressed].concat())
    }
}

impl CertificateCompression for Expanding {
    fn algorithm(&self) -> CompressionAlgorithm {
        CompressionAlgorithm(0xff02)
    }

    fn compress(&self, certificate: &[u8]) -> Option<Vec<u8>> {
        Some([EXPANSION, certificate].concat())
    }

    fn decompress(&self, compressed: &[u8], length: usize) -> Option<Vec<u8>> {
        compressed.strip_prefix(EXPANSION).filter(|body| body.len() == length).map(<[u8]>::to_vec)
    }
}

impl CertificateCompression for Random {
    fn algorithm(&self) -> CompressionAlgorithm {
        CompressionAlgorithm(0xff03)
    }

    fn compress(&self, certificate: &[u8]) -> Option<Vec<u8>> {
        Some([&[self.0.fetch_add(97, Ordering::Relaxed)], certificate].concat())
    }

    fn decompress(&self, compressed: &[u8], length: usize) -> Option<Vec<u8>> {
        compressed.get(1..).filter(|body| body.len() == length).map(<[u8]>::to_vec)
    }
}
