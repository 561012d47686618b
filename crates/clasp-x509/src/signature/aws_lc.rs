//! Signatures checked by AWS-LC. The only file that verifies with a crypto library.

use super::algorithm::{Curve, SignatureAlgorithm, SignatureHash};
use super::face::{PreparedKey, SignatureError, VerifySignature};
use crate::spki::{PublicKey, Spki};
use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    self as sig, ParsedPublicKey, RsaParameters, RsaPssSaltLength, UnparsedPublicKey, VerificationAlgorithm,
};

/// AWS-LC: every algorithm of the set, but for ECDSA on P-384 with SHA-1, and SHA-384 by RSA keys below 2048 bits.
#[derive(Clone, Copy, Debug)]
pub struct AwsLc;

impl VerifySignature for AwsLc {
    fn name(&self) -> &str {
        "AWS-LC"
    }

    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &Spki<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let good = match find(algorithm, key).ok_or(SignatureError::Unsupported)? {
            How::Whole(with) => UnparsedPublicKey::new(with, key.der()).verify(message, signature),
            How::Hashed(hash, with) => {
                let digest = digest::digest(hash, message);
                UnparsedPublicKey::new(with, key.der()).verify_digest(&digest, signature)
            }
            How::Salted(with, salt) => {
                let with = with.with_pss_salt_length(RsaPssSaltLength::Custom(salt));
                with.verify_sig(key.key(), message, signature)
            }
        };
        good.map_err(|_| SignatureError::Wrong)
    }

    fn check_point(&self, curve: Curve, key: &Spki<'_>) -> Result<(), SignatureError> {
        let with: &'static dyn VerificationAlgorithm = match curve {
            Curve::P256 => &sig::ECDSA_P256_SHA256_ASN1,
            Curve::P384 => &sig::ECDSA_P384_SHA384_ASN1,
            Curve::P521 => &sig::ECDSA_P521_SHA512_ASN1,
        };
        ParsedPublicKey::new(with, key.der()).map(|_| ()).map_err(|_| SignatureError::Wrong)
    }

    /// Saves a microsecond each time, and three with RSA.
    fn prepare(&self, algorithm: SignatureAlgorithm, key: &Spki<'_>) -> Option<Box<dyn PreparedKey>> {
        let (hash, with) = match find(algorithm, key)? {
            How::Whole(with) => (None, with),
            How::Hashed(hash, with) => (Some(hash), with),
            How::Salted(..) => return None,
        };
        Some(Box::new(Prepared { hash, key: ParsedPublicKey::new(with, key.der()).ok()? }))
    }
}

struct Prepared {
    hash: Option<&'static digest::Algorithm>,
    key: ParsedPublicKey,
}

impl PreparedKey for Prepared {
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let good = match self.hash {
            None => self.key.verify_sig(message, signature),
            Some(hash) => self.key.verify_digest_sig(&digest::digest(hash, message), signature),
        };
        good.map_err(|_| SignatureError::Wrong)
    }
}

/// How AWS-LC is asked.
enum How {
    Whole(&'static dyn VerificationAlgorithm),
    /// Hashed apart: AWS-LC is quicker with a hash than with a message.
    Hashed(&'static digest::Algorithm, &'static dyn VerificationAlgorithm),
    /// RSASSA-PSS with a salt of so many bytes, with the RSAPublicKey alone: a key may be for PSS alone.
    Salted(RsaParameters, u16),
}

fn find(algorithm: SignatureAlgorithm, key: &Spki<'_>) -> Option<How> {
    use SignatureAlgorithm as A;
    Some(match algorithm {
        A::RsaPkcs1(hash) => How::Whole(pkcs1(hash, key)?),
        A::RsaPss { hash, salt } => pss(hash, salt, key)?,
        A::Ecdsa(curve, hash) => ecdsa(curve, hash)?,
        A::Ed25519 => How::Whole(&sig::ED25519),
        A::MlDsa44 => How::Whole(&sig::ML_DSA_44),
        A::MlDsa65 => How::Whole(&sig::ML_DSA_65),
        A::MlDsa87 => How::Whole(&sig::ML_DSA_87),
    })
}

/// Every hash with every curve, but for what the crypto library has not.
fn ecdsa(curve: Curve, hash: SignatureHash) -> Option<How> {
    let with: &'static dyn VerificationAlgorithm = match (curve, hash) {
        (Curve::P256, SignatureHash::Sha1) => &sig::ECDSA_P256_SHA1_ASN1,
        (Curve::P256, SignatureHash::Sha256) => &sig::ECDSA_P256_SHA256_ASN1,
        (Curve::P256, SignatureHash::Sha384) => &sig::ECDSA_P256_SHA384_ASN1,
        (Curve::P256, SignatureHash::Sha512) => &sig::ECDSA_P256_SHA512_ASN1,
        (Curve::P384, SignatureHash::Sha1) => return None,
        (Curve::P384, SignatureHash::Sha256) => &sig::ECDSA_P384_SHA256_ASN1,
        (Curve::P384, SignatureHash::Sha384) => &sig::ECDSA_P384_SHA384_ASN1,
        (Curve::P384, SignatureHash::Sha512) => &sig::ECDSA_P384_SHA512_ASN1,
        (Curve::P521, SignatureHash::Sha1) => &sig::ECDSA_P521_SHA1_ASN1,
        (Curve::P521, SignatureHash::Sha256) => &sig::ECDSA_P521_SHA256_ASN1,
        (Curve::P521, SignatureHash::Sha384) => &sig::ECDSA_P521_SHA384_ASN1,
        (Curve::P521, SignatureHash::Sha512) => &sig::ECDSA_P521_SHA512_ASN1,
    };
    let digest = match hash {
        SignatureHash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        SignatureHash::Sha256 => &digest::SHA256,
        SignatureHash::Sha384 => &digest::SHA384,
        SignatureHash::Sha512 => &digest::SHA512,
    };
    Some(How::Hashed(digest, with))
}

/// With the salt that nearly all have, or with another.
fn pss(hash: SignatureHash, salt: u16, key: &Spki<'_>) -> Option<How> {
    let plain = salt == hash.length() && matches!(key.public_key(), PublicKey::Rsa { pss_only: None, .. });
    Some(match (hash, plain) {
        (SignatureHash::Sha1, _) => return None,
        (SignatureHash::Sha256, true) => How::Whole(&sig::RSA_PSS_2048_8192_SHA256),
        (SignatureHash::Sha384, true) => How::Whole(&sig::RSA_PSS_2048_8192_SHA384),
        (SignatureHash::Sha512, true) => How::Whole(&sig::RSA_PSS_2048_8192_SHA512),
        (SignatureHash::Sha256, false) => How::Salted(sig::RSA_PSS_2048_8192_SHA256, salt),
        (SignatureHash::Sha384, false) => How::Salted(sig::RSA_PSS_2048_8192_SHA384, salt),
        (SignatureHash::Sha512, false) => How::Salted(sig::RSA_PSS_2048_8192_SHA512, salt),
    })
}

fn pkcs1(hash: SignatureHash, key: &Spki<'_>) -> Option<&'static dyn VerificationAlgorithm> {
    let small = matches!(key.public_key(), PublicKey::Rsa { bits: ..2048, .. });
    Some(match (hash, small) {
        (SignatureHash::Sha1, _) => &sig::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (SignatureHash::Sha256, true) => &sig::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        (SignatureHash::Sha512, true) => &sig::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        (SignatureHash::Sha384, true) => return None,
        (SignatureHash::Sha256, false) => &sig::RSA_PKCS1_2048_8192_SHA256,
        (SignatureHash::Sha384, false) => &sig::RSA_PKCS1_2048_8192_SHA384,
        (SignatureHash::Sha512, false) => &sig::RSA_PKCS1_2048_8192_SHA512,
    })
}
