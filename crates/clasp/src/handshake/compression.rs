//! Certificate compression: RFC 8879. What decompresses is bounded by what the message may be and what it says it is.

use crate::code::CompressionAlgorithm;
use crate::config::Compressor;
use crate::error::{Error, PeerError, Result};
use crate::record::limits::MAX_CERTIFICATE_MESSAGE;
use crate::wire::message::CompressedCertificateView;

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
