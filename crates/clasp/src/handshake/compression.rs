//! Certificate compression: RFC 8879. What decompresses is bounded by what the message may be and what it says it is.

use crate::config::CertificateCompression;
use crate::error::{Error, PeerError, Result};
use crate::record::limits::MAX_CERTIFICATE_MESSAGE;
use crate::wire::code::CompressionAlgorithm;
use crate::wire::message::CompressedCertificateView;
use std::sync::Arc;

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

    fn decompress(&self, compressed: &[u8], length: usize) -> Option<Vec<u8>> {
        match self {
            Self::BuiltIn(algorithm) => back_end::decompress(*algorithm, compressed, length).ok(),
            Self::Given(own) => own.decompress(compressed, length),
        }
    }
}

/// Sets which of the built-in algorithms a configuration has; the application's own stay, before them.
pub(crate) fn set_built_in(compressors: &mut Vec<Compressor>, algorithms: Vec<CompressionAlgorithm>) {
    compressors.retain(|c| matches!(c, Compressor::Given(_)));
    compressors.extend(algorithms.into_iter().map(Compressor::BuiltIn));
}

/// The numbers of a configuration's algorithms, in its order.
pub(crate) fn algorithms(compressors: &[Compressor]) -> impl Iterator<Item = CompressionAlgorithm> {
    compressors.iter().map(Compressor::algorithm)
}

/// The first of ours that the peer takes.
pub(crate) fn choose(ours: &[Compressor], takes: impl Fn(CompressionAlgorithm) -> bool) -> Option<&Compressor> {
    ours.iter().find(|c| takes(c.algorithm()))
}

/// Decompresses a peer's certificate. A bomb ends at the length it announced, which is bounded too.
pub(crate) fn decompress(offered: &[Compressor], message: CompressedCertificateView<'_>) -> Result<Vec<u8>> {
    let Some(compressor) = offered.iter().find(|c| c.algorithm() == message.algorithm) else {
        return Err(Error::from(PeerError::WrongDecompression).seen(message.algorithm));
    };
    let announced = usize::try_from(message.uncompressed_length).unwrap_or(usize::MAX);
    if announced > MAX_CERTIFICATE_MESSAGE {
        return Err(Error::from(PeerError::TooManyCertificates)
            .seen(format_args!("{announced} bytes"))
            .wanted(format_args!("at most {MAX_CERTIFICATE_MESSAGE}")));
    }
    let body = compressor.decompress(message.compressed, announced);
    body.filter(|b| b.len() == announced).ok_or_else(|| {
        Error::from(PeerError::BadDecompression).wanted(format_args!("{announced} bytes of {}", message.algorithm))
    })
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

#[cfg(all(test, feature = "compression"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ALL: [Compressor; 3] = [
        Compressor::BuiltIn(CompressionAlgorithm::Zlib),
        Compressor::BuiltIn(CompressionAlgorithm::Brotli),
        Compressor::BuiltIn(CompressionAlgorithm::Zstd),
    ];

    fn view(algorithm: CompressionAlgorithm, length: usize, compressed: &[u8]) -> CompressedCertificateView<'_> {
        let uncompressed_length = u32::try_from(length).unwrap();
        CompressedCertificateView { algorithm, uncompressed_length, compressed }
    }

    #[test]
    fn every_algorithm_round_trips() {
        let body: Vec<u8> = (0..=255).cycle().take(3000).collect();
        for way in ALL {
            let (algorithm, small) = (way.algorithm(), way.compress(&body).unwrap());
            assert!(small.len() < body.len());
            assert_eq!(decompress(&ALL, view(algorithm, body.len(), &small)).unwrap(), body);
        }
    }

    #[test]
    fn certificate_bomb_compressed_ends_at_its_announced_length() {
        let bomb = vec![0; 64 << 20];
        for way in ALL {
            let (algorithm, small) = (way.algorithm(), way.compress(&bomb).unwrap());
            for announced in [0, 100, MAX_CERTIFICATE_MESSAGE, MAX_CERTIFICATE_MESSAGE + 1, bomb.len().min(0xff_ffff)] {
                assert!(decompress(&ALL, view(algorithm, announced, &small)).is_err(), "{algorithm} {announced}");
            }
        }
    }

    #[test]
    fn wrong_lengths_and_algorithms_are_refused() {
        let body = [7; 500];
        for way in ALL {
            let (algorithm, small) = (way.algorithm(), way.compress(&body).unwrap());
            assert!(decompress(&ALL, view(algorithm, 499, &small)).is_err());
            assert!(decompress(&ALL, view(algorithm, 501, &small)).is_err());
            assert!(decompress(&ALL, view(algorithm, 500, &small[..small.len() - 1])).is_err());
            assert!(decompress(&[], view(algorithm, 500, &small)).is_err(), "not offered");
        }
    }
}
