//! CompressedCertificate: RFC 8879 4.

use super::Message;
use crate::code::{CompressionAlgorithm, HandshakeType};
use crate::wire::{Parsed, Reader, Recorder, Writer};

/// CompressedCertificate.
#[derive(Debug)]
pub struct CompressedCertificate;

/// The fields of a CompressedCertificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompressedCertificateView<'a> {
    /// How it was compressed.
    pub algorithm: CompressionAlgorithm,
    /// The length of the Certificate body it decompresses to.
    pub uncompressed_length: u32,
    /// The compressed body.
    pub compressed: &'a [u8],
}

impl Message for CompressedCertificate {
    const TYPE: HandshakeType = HandshakeType::CompressedCertificate;
    const NAME: &'static str = "CompressedCertificate";
    type View<'a> = CompressedCertificateView<'a>;

    fn parse<'a, R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<CompressedCertificateView<'a>> {
        Ok(CompressedCertificateView {
            algorithm: r.code("algorithm")?,
            uncompressed_length: r.u24("uncompressed_length")?,
            compressed: r.vec24("compressed_certificate_message")?.non_empty("compressed_certificate_message")?.rest(),
        })
    }
}

impl CompressedCertificateView<'_> {
    /// Writes the body.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.u16(self.algorithm.0);
        let length = self.uncompressed_length.to_be_bytes();
        w.bytes(&length[1..]);
        w.vec24(|w| w.bytes(self.compressed));
    }
}
