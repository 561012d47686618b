//! Checking handshake signatures.

use crate::code::SignatureScheme;
use crate::crypto::{CryptoError, CryptoResult, VerifySignature};

use aws_lc_rs::digest;
use aws_lc_rs::signature::{self as sig, UnparsedPublicKey, VerificationAlgorithm};

pub(super) struct Verify;

/// In TLS 1.2 an ECDSA scheme does not fix the curve (RFC 8422 5.1.1), so each hash has every curve, its own first.
static ALGORITHMS: &[(SignatureScheme, &[&dyn VerificationAlgorithm])] = &[
    (
        SignatureScheme::EcdsaSecp256r1Sha256,
        &[&sig::ECDSA_P256_SHA256_ASN1, &sig::ECDSA_P384_SHA256_ASN1, &sig::ECDSA_P521_SHA256_ASN1],
    ),
    (
        SignatureScheme::EcdsaSecp384r1Sha384,
        &[&sig::ECDSA_P384_SHA384_ASN1, &sig::ECDSA_P256_SHA384_ASN1, &sig::ECDSA_P521_SHA384_ASN1],
    ),
    (
        SignatureScheme::EcdsaSecp521r1Sha512,
        &[&sig::ECDSA_P521_SHA512_ASN1, &sig::ECDSA_P256_SHA512_ASN1, &sig::ECDSA_P384_SHA512_ASN1],
    ),
    (SignatureScheme::Ed25519, &[&sig::ED25519]),
    (SignatureScheme::RsaPssRsaeSha256, &[&sig::RSA_PSS_2048_8192_SHA256]),
    (SignatureScheme::RsaPssRsaeSha384, &[&sig::RSA_PSS_2048_8192_SHA384]),
    (SignatureScheme::RsaPssRsaeSha512, &[&sig::RSA_PSS_2048_8192_SHA512]),
    (SignatureScheme::RsaPkcs1Sha256, &[&sig::RSA_PKCS1_2048_8192_SHA256]),
    (SignatureScheme::RsaPkcs1Sha384, &[&sig::RSA_PKCS1_2048_8192_SHA384]),
    (SignatureScheme::RsaPkcs1Sha512, &[&sig::RSA_PKCS1_2048_8192_SHA512]),
    (SignatureScheme::MlDsa44, &[&sig::ML_DSA_44]),
    (SignatureScheme::MlDsa65, &[&sig::ML_DSA_65]),
    (SignatureScheme::MlDsa87, &[&sig::ML_DSA_87]),
];

static SCHEMES: &[SignatureScheme] = &[
    SignatureScheme::EcdsaSecp256r1Sha256,
    SignatureScheme::EcdsaSecp384r1Sha384,
    SignatureScheme::EcdsaSecp521r1Sha512,
    SignatureScheme::Ed25519,
    SignatureScheme::RsaPssRsaeSha256,
    SignatureScheme::RsaPssRsaeSha384,
    SignatureScheme::RsaPssRsaeSha512,
    SignatureScheme::RsaPkcs1Sha256,
    SignatureScheme::RsaPkcs1Sha384,
    SignatureScheme::RsaPkcs1Sha512,
    SignatureScheme::MlDsa44,
    SignatureScheme::MlDsa65,
    SignatureScheme::MlDsa87,
];

impl VerifySignature for Verify {
    fn verify(
        &self,
        scheme: SignatureScheme,
        spki: &[u8],
        message: &[u8],
        signature: &[u8],
        own_curve: bool,
    ) -> CryptoResult<()> {
        let (_, candidates) = ALGORITHMS.iter().find(|(s, _)| *s == scheme).ok_or(CryptoError)?;
        let candidates = if own_curve { candidates.get(..1).unwrap_or_default() } else { candidates };
        // Hashed apart where there is a hash: AWS-LC is quicker with it than with the message.
        let hash = match scheme {
            SignatureScheme::EcdsaSecp256r1Sha256 => Some(&digest::SHA256),
            SignatureScheme::EcdsaSecp384r1Sha384 => Some(&digest::SHA384),
            SignatureScheme::EcdsaSecp521r1Sha512 => Some(&digest::SHA512),
            _ => None,
        };
        let hash = hash.map(|hash| digest::digest(hash, message));
        let good = candidates.iter().any(|algorithm| {
            let key = UnparsedPublicKey::new(*algorithm, spki);
            match &hash {
                Some(hash) => key.verify_digest(hash, signature).is_ok(),
                None => key.verify(message, signature).is_ok(),
            }
        });
        if good { Ok(()) } else { Err(CryptoError) }
    }

    fn schemes(&self) -> &'static [SignatureScheme] {
        SCHEMES
    }
}
