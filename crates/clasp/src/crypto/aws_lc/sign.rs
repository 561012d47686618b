//! Private keys that sign.

use crate::code::SignatureScheme;
use crate::crypto::{AnyKeyDer, CryptoError, CryptoResult};
use aws_lc_rs::digest;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{self as sig, EcdsaKeyPair, Ed25519KeyPair, KeyPair, PqdsaKeyPair, RsaEncoding};
use clasp_x509::kind::{is_one_sequence, rsa_pss_private_key};
use clasp_x509::{PublicKey, rsa_pss_spki};
use core::fmt;

/// A private key in memory. It knows which schemes it can sign with.
pub struct PrivateKey {
    kind: Kind,
    #[cfg(feature = "legacy")]
    transport: Option<super::legacy::RsaTransportKey>,
}

enum Kind {
    Rsa(Box<RsaKeyPair>),
    RsaPss(Box<PssKey>),
    Ecdsa(&'static OnCurve, Box<EcdsaKeyPair>),
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

/// A key for RSASSA-PSS alone (RFC 4055 1.2).
struct PssKey {
    key: RsaKeyPair,
    /// The SubjectPublicKeyInfo, with the parameters that limit it.
    spki: Vec<u8>,
    schemes: Vec<SignatureScheme>,
}

impl PssKey {
    const SCHEMES: [SignatureScheme; 3] =
        [SignatureScheme::RsaPssPssSha256, SignatureScheme::RsaPssPssSha384, SignatureScheme::RsaPssPssSha512];

    /// AWS-LC reads the key inside, and would take it for any use of RSA.
    fn from_der(der: &[u8]) -> Option<Self> {
        let (key, parameters) = rsa_pss_private_key(der)?;
        let key = RsaKeyPair::from_der(key).ok()?;
        let spki = rsa_pss_spki(key.public_key().as_ref(), parameters);
        let schemes = Self::SCHEMES.into_iter().filter(|s| s.algorithm(PublicKey::parse(&spki)).is_some()).collect();
        Some(Self { key, spki, schemes })
    }

    /// The key within the limits of both, itself and a certificate that may say more or less of them.
    fn of_certificate(self, spki: &[u8]) -> Option<Self> {
        let theirs = PublicKey::parse(spki);
        match theirs {
            PublicKey::Rsa { key, pss_only: Some(_), .. } if key == self.key.public_key().as_ref() => {}
            _ => return None,
        }
        let schemes = self.schemes.into_iter().filter(|s| s.algorithm(theirs).is_some()).collect();
        Some(Self { spki: spki.to_vec(), schemes, ..self })
    }
}

/// What ECDSA is on a curve. TLS 1.2 signs any hash with any curve (RFC 8422 5.1.1), TLS 1.3 the curve's own.
struct OnCurve {
    algorithm: &'static sig::EcdsaSigningAlgorithm,
    /// The hash that AWS-LC has with this curve.
    hash: &'static digest::Algorithm,
    /// The curve's own first, then those whose hash is the longer.
    schemes: [SignatureScheme; 3],
}

static CURVES: [OnCurve; 3] = [
    OnCurve {
        algorithm: &sig::ECDSA_P256_SHA256_ASN1_SIGNING,
        hash: &digest::SHA256,
        schemes: [
            SignatureScheme::EcdsaSecp256r1Sha256,
            SignatureScheme::EcdsaSecp521r1Sha512,
            SignatureScheme::EcdsaSecp384r1Sha384,
        ],
    },
    OnCurve {
        algorithm: &sig::ECDSA_P384_SHA384_ASN1_SIGNING,
        hash: &digest::SHA384,
        schemes: [
            SignatureScheme::EcdsaSecp384r1Sha384,
            SignatureScheme::EcdsaSecp521r1Sha512,
            SignatureScheme::EcdsaSecp256r1Sha256,
        ],
    },
    OnCurve {
        algorithm: &sig::ECDSA_P521_SHA512_ASN1_SIGNING,
        hash: &digest::SHA512,
        schemes: [
            SignatureScheme::EcdsaSecp521r1Sha512,
            SignatureScheme::EcdsaSecp384r1Sha384,
            SignatureScheme::EcdsaSecp256r1Sha256,
        ],
    },
];

impl OnCurve {
    /// The hash of a scheme, as long as that of the curve. ECDSA signs the number that the leftmost bits of a hash are, as many as
    /// the order of the curve has (FIPS 186-5 6.4.1): a longer one is cut, a shorter one is the same number behind zeros.
    fn hash(&self, scheme: SignatureScheme, message: &[u8]) -> CryptoResult<digest::Digest> {
        let hash = match scheme {
            SignatureScheme::EcdsaSecp256r1Sha256 => &digest::SHA256,
            SignatureScheme::EcdsaSecp384r1Sha384 => &digest::SHA384,
            SignatureScheme::EcdsaSecp521r1Sha512 => &digest::SHA512,
            _ => return Err(CryptoError),
        };
        let made = digest::digest(hash, message);
        if hash == self.hash {
            return Ok(made);
        }
        let (made, length) = (made.as_ref(), self.hash.output_len());
        let fitting = match made.get(..length) {
            Some(leftmost) => leftmost.to_vec(),
            None => [&vec![0; length.saturating_sub(made.len())], made].concat(),
        };
        Ok(digest::Digest::import_less_safe(&fitting, self.hash)?)
    }
}

impl PrivateKey {
    /// Reads a private key: PKCS#8 (RFC 5958), PKCS#1 (RSA) or SEC 1 (EC), in DER. An RSA key may be for RSASSA-PSS alone
    /// (RFC 4055); what its parameters forbid it does not sign with.
    ///
    /// # Errors
    /// If it is none of these, or of a kind or size that is not supported.
    pub fn from_der<'k>(der: impl Into<AnyKeyDer<'k>>) -> CryptoResult<Self> {
        let key = der.into();
        let der = key.bytes();
        // Not all of the readers below look behind the key.
        if !is_one_sequence(der) {
            return Err(CryptoError);
        }
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
        if let Some(key) = PssKey::from_der(der) {
            return Ok(Kind::RsaPss(Box::new(key)));
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
        let on_curve = CURVES.iter().find_map(|curve| {
            let key = EcdsaKeyPair::from_pkcs8(curve.algorithm, der)
                .or_else(|_| EcdsaKeyPair::from_private_key_der(curve.algorithm, der))
                .ok()?;
            Some(Kind::Ecdsa(curve, Box::new(key)))
        });
        on_curve.ok_or(CryptoError)
    }

    /// The key, as that of a certificate with this SubjectPublicKeyInfo, if it is.
    pub(crate) fn of_certificate(mut self, spki: &[u8]) -> Option<Self> {
        match self.kind {
            Kind::RsaPss(key) => {
                self.kind = Kind::RsaPss(Box::new(key.of_certificate(spki)?));
                Some(self)
            }
            _ => (self.spki().ok()? == spki).then_some(self),
        }
    }

    /// The schemes this key can sign with, best first. An ECDSA key has those of other curves too, whose hash it signs in TLS 1.2
    /// (RFC 8422 5.1.1); in TLS 1.3 they are not taken.
    pub fn schemes(&self) -> &[SignatureScheme] {
        match &self.kind {
            Kind::Rsa(_) => RSA_SCHEMES,
            Kind::RsaPss(key) => &key.schemes,
            Kind::Ecdsa(curve, _) => &curve.schemes,
            Kind::MlDsa(scheme, _) => core::slice::from_ref(scheme),
            Kind::Ed25519(_) => &[SignatureScheme::Ed25519],
        }
    }

    /// Signs.
    ///
    /// # Errors
    /// If the key has no such scheme.
    pub fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> CryptoResult<Vec<u8>> {
        if !self.schemes().contains(&scheme) {
            return Err(CryptoError);
        }
        match &self.kind {
            Kind::Rsa(key) => rsa(key, scheme, message),
            Kind::RsaPss(pss) => rsa(&pss.key, scheme, message),
            // Hashed apart: AWS-LC is quicker with a hash than with a message.
            Kind::Ecdsa(curve, key) => Ok(key.sign_digest(&curve.hash(scheme, message)?)?.as_ref().to_vec()),
            Kind::Ed25519(key) => Ok(key.sign(message).as_ref().to_vec()),
            Kind::MlDsa(_, key) => {
                let mut signature = vec![0; key.algorithm().signature_len()];
                let len = key.sign(message, &mut signature)?;
                signature.truncate(len);
                Ok(signature)
            }
        }
    }

    /// The public half as a SubjectPublicKeyInfo (DER).
    ///
    /// # Errors
    /// If the library cannot encode it.
    pub fn spki(&self) -> CryptoResult<Vec<u8>> {
        match &self.kind {
            Kind::Rsa(key) => Ok(key.public_key().as_der()?.as_ref().to_vec()),
            Kind::RsaPss(key) => Ok(key.spki.clone()),
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

fn rsa(key: &RsaKeyPair, scheme: SignatureScheme, message: &[u8]) -> CryptoResult<Vec<u8>> {
    use SignatureScheme as S;
    let encoding: &'static dyn RsaEncoding = match scheme {
        S::RsaPssRsaeSha256 | S::RsaPssPssSha256 => &sig::RSA_PSS_SHA256,
        S::RsaPssRsaeSha384 | S::RsaPssPssSha384 => &sig::RSA_PSS_SHA384,
        S::RsaPssRsaeSha512 | S::RsaPssPssSha512 => &sig::RSA_PSS_SHA512,
        S::RsaPkcs1Sha256 => &sig::RSA_PKCS1_SHA256,
        S::RsaPkcs1Sha384 => &sig::RSA_PKCS1_SHA384,
        S::RsaPkcs1Sha512 => &sig::RSA_PKCS1_SHA512,
        _ => return Err(CryptoError),
    };
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(encoding, &SystemRandom::new(), message, &mut signature)?;
    Ok(signature)
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey([secret])")
    }
}
