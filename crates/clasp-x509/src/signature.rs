//! Certificate signatures. The only file that names a crypto library.

use crate::der::{self, Der};
use aws_lc_rs::signature::{self as sig, UnparsedPublicKey, VerificationAlgorithm};

struct Algorithm {
    /// The content of the AlgorithmIdentifier.
    id: &'static [u8],
    hash_bits: Option<u16>,
    candidates: &'static [&'static dyn VerificationAlgorithm],
}

macro_rules! rsa_oid {
    ($last:literal) => {
        &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, $last, 5, 0]
    };
}

macro_rules! ecdsa_oid {
    ($last:literal) => {
        &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, $last]
    };
}

/// RSASSA-PSS with its parameters spelled out (RFC 4055 3.1), as every issuer encodes them.
macro_rules! pss_id {
    ($hash:literal, $salt:literal) => {
        &[
            6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10, 0x30, 0x34, 0xa0, 0x0f, 0x30, 0x0d, 6, 9, 0x60, 0x86,
            0x48, 1, 0x65, 3, 4, 2, $hash, 5, 0, 0xa1, 0x1c, 0x30, 0x1a, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1,
            1, 8, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, $hash, 5, 0, 0xa2, 3, 2, 1, $salt,
        ]
    };
}

static ALGORITHMS: &[Algorithm] = &[
    Algorithm { id: rsa_oid!(11), hash_bits: Some(256), candidates: &[&sig::RSA_PKCS1_2048_8192_SHA256] },
    Algorithm { id: rsa_oid!(12), hash_bits: Some(384), candidates: &[&sig::RSA_PKCS1_2048_8192_SHA384] },
    Algorithm { id: rsa_oid!(13), hash_bits: Some(512), candidates: &[&sig::RSA_PKCS1_2048_8192_SHA512] },
    Algorithm {
        id: ecdsa_oid!(2),
        hash_bits: Some(256),
        candidates: &[&sig::ECDSA_P256_SHA256_ASN1, &sig::ECDSA_P384_SHA256_ASN1, &sig::ECDSA_P521_SHA256_ASN1],
    },
    Algorithm {
        id: ecdsa_oid!(3),
        hash_bits: Some(384),
        candidates: &[&sig::ECDSA_P384_SHA384_ASN1, &sig::ECDSA_P256_SHA384_ASN1, &sig::ECDSA_P521_SHA384_ASN1],
    },
    Algorithm {
        id: ecdsa_oid!(4),
        hash_bits: Some(512),
        candidates: &[&sig::ECDSA_P521_SHA512_ASN1, &sig::ECDSA_P384_SHA512_ASN1, &sig::ECDSA_P256_SHA512_ASN1],
    },
    Algorithm { id: &[6, 3, 0x2b, 0x65, 0x70], hash_bits: None, candidates: &[&sig::ED25519] },
    Algorithm { id: pss_id!(1, 0x20), hash_bits: Some(256), candidates: &[&sig::RSA_PSS_2048_8192_SHA256] },
    Algorithm { id: pss_id!(2, 0x30), hash_bits: Some(384), candidates: &[&sig::RSA_PSS_2048_8192_SHA384] },
    Algorithm { id: pss_id!(3, 0x40), hash_bits: Some(512), candidates: &[&sig::RSA_PSS_2048_8192_SHA512] },
];

fn find(identifier: &[u8]) -> Option<&'static Algorithm> {
    let content = Der(identifier).take(der::SEQUENCE, "signatureAlgorithm").ok()?.0;
    ALGORITHMS.iter().find(|a| a.id == content)
}

/// Whether certificates signed so can be checked.
pub(crate) fn is_supported(identifier: &[u8]) -> bool {
    find(identifier).is_some()
}

/// Checks a signature with a SubjectPublicKeyInfo.
pub(crate) fn verify(identifier: &[u8], spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
    find(identifier).is_some_and(|algorithm| {
        algorithm.candidates.iter().any(|c| UnparsedPublicKey::new(*c, spki).verify(message, signature).is_ok())
    })
}

pub(crate) fn hash_bits(identifier: &[u8]) -> Option<u16> {
    find(identifier)?.hash_bits
}
