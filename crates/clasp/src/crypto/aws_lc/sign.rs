//! Private keys that sign.

use crate::code::SignatureScheme;
use crate::crypto::{CryptoError, CryptoResult};
use aws_lc_rs::digest;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{self as sig, EcdsaKeyPair, Ed25519KeyPair, KeyPair, PqdsaKeyPair, RsaEncoding};

use core::fmt;

/// A private key in memory. It knows which schemes it can sign with.
pub struct PrivateKey {
    kind: Kind,
    #[cfg(feature = "legacy")]
    transport: Option<super::legacy::RsaTransportKey>,
}

enum Kind {
    Rsa(Box<RsaKeyPair>),
    Ecdsa(SignatureScheme, Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
    MlDsa(SignatureScheme, Box<PqdsaKeyPair>),
}

/// PSS first: RFC 9846 4.2.3 prefers it wherever it can be chosen.
const RSA_SCHEMES: &[SignatureScheme] = &[
    SignatureScheme::RsaPssRsaeSha256,
    SignatureScheme::RsaPssRsaeSha384,
    SignatureScheme::RsaPssRsaeSha512,
    SignatureScheme::RsaPkcs1Sha256,
    SignatureScheme::RsaPkcs1Sha384,
    SignatureScheme::RsaPkcs1Sha512,
];

impl PrivateKey {
    /// Reads a private key: PKCS#8 (RFC 5958), PKCS#1 (RSA) or SEC 1 (EC), in DER.
    ///
    /// # Errors
    /// If it is none of these, or of a kind or size that is not supported.
    pub fn from_der(der: &[u8]) -> CryptoResult<Self> {
        let kind = Self::kind(der)?;
        Ok(Self {
            #[cfg(feature = "legacy")]
            transport: matches!(kind, Kind::Rsa(_))
                .then(|| super::legacy::RsaTransportKey::from_der(der))
                .transpose()?,
            kind,
        })
    }

    fn kind(der: &[u8]) -> CryptoResult<Kind> {
        if let Ok(key) = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)) {
            return Ok(Kind::Rsa(Box::new(key)));
        }
        if let Ok(key) = Ed25519KeyPair::from_pkcs8(der).or_else(|_| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)) {
            return Ok(Kind::Ed25519(Box::new(key)));
        }
        for (scheme, algorithm) in [
            (SignatureScheme::MlDsa44, &sig::ML_DSA_44_SIGNING),
            (SignatureScheme::MlDsa65, &sig::ML_DSA_65_SIGNING),
            (SignatureScheme::MlDsa87, &sig::ML_DSA_87_SIGNING),
        ] {
            if let Ok(key) = PqdsaKeyPair::from_pkcs8(algorithm, der) {
                return Ok(Kind::MlDsa(scheme, Box::new(key)));
            }
        }
        [
            (SignatureScheme::EcdsaSecp256r1Sha256, &sig::ECDSA_P256_SHA256_ASN1_SIGNING),
            (SignatureScheme::EcdsaSecp384r1Sha384, &sig::ECDSA_P384_SHA384_ASN1_SIGNING),
            (SignatureScheme::EcdsaSecp521r1Sha512, &sig::ECDSA_P521_SHA512_ASN1_SIGNING),
        ]
        .into_iter()
        .find_map(|(scheme, algorithm)| {
            let key = EcdsaKeyPair::from_pkcs8(algorithm, der)
                .or_else(|_| EcdsaKeyPair::from_private_key_der(algorithm, der))
                .ok()?;
            Some(Kind::Ecdsa(scheme, Box::new(key)))
        })
        .ok_or(CryptoError)
    }

    /// The schemes this key can sign with, best first.
    pub fn schemes(&self) -> &[SignatureScheme] {
        match &self.kind {
            Kind::Rsa(_) => RSA_SCHEMES,
            Kind::Ecdsa(scheme, _) | Kind::MlDsa(scheme, _) => core::slice::from_ref(scheme),
            Kind::Ed25519(_) => &[SignatureScheme::Ed25519],
        }
    }

    /// Signs.
    ///
    /// # Errors
    /// If the key has no such scheme.
    pub fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> CryptoResult<Vec<u8>> {
        let rng = SystemRandom::new();
        match &self.kind {
            Kind::Rsa(key) => {
                let encoding: &'static dyn RsaEncoding = match scheme {
                    SignatureScheme::RsaPssRsaeSha256 => &sig::RSA_PSS_SHA256,
                    SignatureScheme::RsaPssRsaeSha384 => &sig::RSA_PSS_SHA384,
                    SignatureScheme::RsaPssRsaeSha512 => &sig::RSA_PSS_SHA512,
                    SignatureScheme::RsaPkcs1Sha256 => &sig::RSA_PKCS1_SHA256,
                    SignatureScheme::RsaPkcs1Sha384 => &sig::RSA_PKCS1_SHA384,
                    SignatureScheme::RsaPkcs1Sha512 => &sig::RSA_PKCS1_SHA512,
                    _ => return Err(CryptoError),
                };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(encoding, &rng, message, &mut signature)?;
                Ok(signature)
            }
            Kind::Ecdsa(own, key) if *own == scheme => {
                // Hashed apart: AWS-LC is quicker with a hash than with a message.
                let hash = match scheme {
                    SignatureScheme::EcdsaSecp256r1Sha256 => &digest::SHA256,
                    SignatureScheme::EcdsaSecp384r1Sha384 => &digest::SHA384,
                    SignatureScheme::EcdsaSecp521r1Sha512 => &digest::SHA512,
                    _ => return Err(CryptoError),
                };
                Ok(key.sign_digest(&digest::digest(hash, message))?.as_ref().to_vec())
            }
            Kind::Ed25519(key) if scheme == SignatureScheme::Ed25519 => Ok(key.sign(message).as_ref().to_vec()),
            Kind::MlDsa(own, key) if *own == scheme => {
                let mut signature = vec![0; key.algorithm().signature_len()];
                let len = key.sign(message, &mut signature)?;
                signature.truncate(len);
                Ok(signature)
            }
            _ => Err(CryptoError),
        }
    }

    /// The public half as a SubjectPublicKeyInfo (DER).
    ///
    /// # Errors
    /// If the library cannot encode it.
    pub fn spki(&self) -> CryptoResult<Vec<u8>> {
        match &self.kind {
            Kind::Rsa(key) => Ok(key.public_key().as_der()?.as_ref().to_vec()),
            Kind::Ecdsa(_, key) => Ok(key.public_key().as_der()?.as_ref().to_vec()),
            Kind::Ed25519(key) => Ok(key.public_key().as_der()?.as_ref().to_vec()),
            Kind::MlDsa(_, key) => Ok(key.public_key().as_der()?.as_ref().to_vec()),
        }
    }

    /// Decrypts an RSA-encrypted premaster secret, or puts a random one in its place: RFC 5246 7.4.7.1. `false` if
    /// this is no RSA key, or the feature `legacy` is off.
    pub(crate) fn rsa_premaster(
        &self,
        ciphertext: &[u8],
        version: [u8; 2],
        random: &[u8; 48],
        out: &mut [u8; 48],
    ) -> bool {
        #[cfg(feature = "legacy")]
        if let Some(key) = &self.transport {
            key.premaster(ciphertext, version, random, out);
            return true;
        }
        let _unused_without_legacy = (ciphertext, version, random, out);
        false
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey([secret])")
    }
}
