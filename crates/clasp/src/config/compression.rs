//! The ways to compress certificates that a configuration has, Clasp's own and the application's: RFC 8879.

use crate::code::CompressionAlgorithm;
use std::sync::Arc;

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

/// One way to compress that a configuration has.
#[derive(Clone)]
pub(crate) enum Compressor {
    BuiltIn(CompressionAlgorithm),
    Given(Arc<dyn CertificateCompression>),
}

impl Compressor {
    pub(crate) fn algorithm(&self) -> CompressionAlgorithm {
        match self {
            Self::BuiltIn(algorithm) => *algorithm,
            Self::Given(own) => own.algorithm(),
        }
    }

    /// Whether this build has it.
    pub(crate) fn is_available(&self) -> bool {
        use CompressionAlgorithm as A;
        match self {
            Self::BuiltIn(algorithm) => {
                cfg!(feature = "compression") && matches!(*algorithm, A::Zlib | A::Brotli | A::Zstd)
            }
            Self::Given(_) => true,
        }
    }

    /// The body of a Certificate message, compressed. `None` if it cannot be, and is then sent as it is.
    pub(crate) fn compress(&self, body: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::BuiltIn(algorithm) => back_end::compress(*algorithm, body).ok().flatten(),
            Self::Given(own) => own.compress(body),
        }
    }

    /// A compressed body of exactly this many bytes, decompressed.
    pub(crate) fn decompress(&self, compressed: &[u8], length: usize) -> Option<Vec<u8>> {
        match self {
            Self::BuiltIn(algorithm) => back_end::decompress(*algorithm, compressed, length).ok(),
            Self::Given(own) => own.decompress(compressed, length),
        }
    }
}

/// Sets which of the built-in algorithms a configuration has; the application's own stay, before them.
pub(super) fn set_built_in(compressors: &mut Vec<Compressor>, algorithms: Vec<CompressionAlgorithm>) {
    compressors.retain(|c| matches!(c, Compressor::Given(_)));
    compressors.extend(algorithms.into_iter().map(Compressor::BuiltIn));
}

#[cfg(feature = "compression")]
mod back_end {
    use super::CompressionAlgorithm;
    use std::io::{self, Read, Write};

    /// A window of 2^17 bytes holds the longest certificate message there may be.
    const WINDOW_LOG: u8 = 17;

    pub(super) fn compress(algorithm: CompressionAlgorithm, body: &[u8]) -> io::Result<Option<Vec<u8>>> {
        Ok(Some(match algorithm {
            CompressionAlgorithm::Zlib => {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
                encoder.write_all(body)?;
                encoder.finish()?
            }
            CompressionAlgorithm::Brotli => {
                let mut out = Vec::new();
                // By default the window is 4 MiB, and takes eight times that of memory.
                let params = brotli::enc::BrotliEncoderParams {
                    quality: 5,
                    lgwin: i32::from(WINDOW_LOG),
                    size_hint: body.len(),
                    ..Default::default()
                };
                brotli::BrotliCompress(&mut &body[..], &mut out, &params)?;
                out
            }
            CompressionAlgorithm::Zstd => zstd::bulk::compress(body, 0)?,
            _ => return Ok(None),
        }))
    }

    /// One byte more than `limit` is read at most: that is enough to see that it is too long.
    pub(super) fn decompress(algorithm: CompressionAlgorithm, bytes: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        let mut out = Vec::with_capacity(limit);
        let bound = (limit as u64).saturating_add(1);
        match algorithm {
            CompressionAlgorithm::Zlib => {
                flate2::read::ZlibDecoder::new(bytes).take(bound).read_to_end(&mut out)?;
            }
            CompressionAlgorithm::Brotli => {
                // Its window is what the stream says, 16 MiB at most (RFC 7932 9.1), and only as much of it is written as
                // comes out. Smaller ones cannot be demanded: encoders say 4 MiB whatever they compress.
                brotli::Decompressor::new(bytes, 4096).take(bound).read_to_end(&mut out)?;
            }
            CompressionAlgorithm::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::new(bytes)?;
                decoder.window_log_max(u32::from(WINDOW_LOG))?;
                decoder.take(bound).read_to_end(&mut out)?;
            }
            _ => return Err(io::ErrorKind::Unsupported.into()),
        }
        Ok(out)
    }
}

#[cfg(not(feature = "compression"))]
mod back_end {
    use super::CompressionAlgorithm;
    use std::io;

    pub(super) fn compress(_: CompressionAlgorithm, _: &[u8]) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    pub(super) fn decompress(_: CompressionAlgorithm, _: &[u8], _: usize) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
