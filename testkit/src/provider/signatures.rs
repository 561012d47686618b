//! The built-in provider with signatures checked by others: by ring, by one that takes none, by one that notes what it is asked.

use clasp::crypto::{Provider, VerifySignature};
use clasp::wire::code::SignatureScheme;
use clasp::x509::{Curve, SignatureAlgorithm, SignatureError, SignatureHash, Spki};
use ring::{agreement, rand, signature as sig};
use std::sync::{Arc, Mutex, PoisonError};

/// The built-in provider, but for who checks signatures. Each call leaks some bytes.
pub fn with_signatures(
    signatures: &'static dyn VerifySignature,
    schemes: &'static [SignatureScheme],
) -> &'static Provider {
    let inner = Provider::builtin();
    Box::leak(Box::new(Provider {
        name: "with signatures of its own",
        hashes: inner.hashes,
        aeads: inner.aeads,
        groups: inner.groups,
        signatures,
        schemes,
        random: inner.random,
        legacy: inner.legacy,
    }))
}

/// Signatures checked by ring, of handshakes and certificates: all but ML-DSA and P-521, which it has not.
pub fn ring_signatures() -> &'static Provider {
    const SCHEMES: &[SignatureScheme] = &[
        SignatureScheme::EcdsaSecp256r1Sha256,
        SignatureScheme::EcdsaSecp384r1Sha384,
        SignatureScheme::Ed25519,
        SignatureScheme::RsaPssRsaeSha256,
        SignatureScheme::RsaPssRsaeSha384,
        SignatureScheme::RsaPssRsaeSha512,
        SignatureScheme::RsaPkcs1Sha256,
        SignatureScheme::RsaPkcs1Sha384,
        SignatureScheme::RsaPkcs1Sha512,
    ];
    with_signatures(&Ring, SCHEMES)
}

struct Ring;

impl VerifySignature for Ring {
    fn name(&self) -> &str {
        "ring"
    }

    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &Spki<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        use SignatureAlgorithm as A;
        use SignatureHash as H;
        let with: &'static dyn sig::VerificationAlgorithm = match algorithm {
            A::Ecdsa(Curve::P256, H::Sha256) => &sig::ECDSA_P256_SHA256_ASN1,
            A::Ecdsa(Curve::P256, H::Sha384) => &sig::ECDSA_P256_SHA384_ASN1,
            A::Ecdsa(Curve::P384, H::Sha256) => &sig::ECDSA_P384_SHA256_ASN1,
            A::Ecdsa(Curve::P384, H::Sha384) => &sig::ECDSA_P384_SHA384_ASN1,
            A::Ed25519 => &sig::ED25519,
            A::RsaPkcs1(H::Sha256) => &sig::RSA_PKCS1_2048_8192_SHA256,
            A::RsaPkcs1(H::Sha384) => &sig::RSA_PKCS1_2048_8192_SHA384,
            A::RsaPkcs1(H::Sha512) => &sig::RSA_PKCS1_2048_8192_SHA512,
            A::RsaPss { hash: H::Sha256, salt: 32 } => &sig::RSA_PSS_2048_8192_SHA256,
            A::RsaPss { hash: H::Sha384, salt: 48 } => &sig::RSA_PSS_2048_8192_SHA384,
            A::RsaPss { hash: H::Sha512, salt: 64 } => &sig::RSA_PSS_2048_8192_SHA512,
            _ => return Err(SignatureError::Unsupported),
        };
        sig::UnparsedPublicKey::new(with, key.key()).verify(message, signature).map_err(|_| SignatureError::Wrong)
    }

    /// ring looks at points where it agrees on a secret.
    fn check_point(&self, curve: Curve, key: &Spki<'_>) -> Result<(), SignatureError> {
        let with = match curve {
            Curve::P256 => &agreement::ECDH_P256,
            Curve::P384 => &agreement::ECDH_P384,
            _ => return Err(SignatureError::Unsupported),
        };
        let own = agreement::EphemeralPrivateKey::generate(with, &rand::SystemRandom::new());
        let agreed = agreement::agree_ephemeral(
            own.map_err(|_| SignatureError::Wrong)?,
            &agreement::UnparsedPublicKey::new(with, key.key()),
            |_| (),
        );
        agreed.map_err(|_| SignatureError::Wrong)
    }
}

/// Takes none: each signature is wrong, or of an algorithm that is not supported.
#[derive(Debug)]
pub struct NoSignature(pub SignatureError);

impl VerifySignature for NoSignature {
    fn name(&self) -> &str {
        "none"
    }

    fn verify(&self, _: SignatureAlgorithm, _: &Spki<'_>, _: &[u8], _: &[u8]) -> Result<(), SignatureError> {
        Err(self.0)
    }

    fn check_point(&self, _: Curve, _: &Spki<'_>) -> Result<(), SignatureError> {
        Err(self.0)
    }
}

/// Checks as the built-in provider does, and notes what: it prepares no key, so that it sees all.
#[derive(Clone, Debug, Default)]
pub struct Noted(Arc<Mutex<Vec<Checked>>>);

/// An algorithm and a message.
pub type Checked = (SignatureAlgorithm, Vec<u8>);

impl Noted {
    /// The built-in provider with its signatures noted, and the notes.
    pub fn provider() -> (&'static Provider, Self) {
        let noted = Self::default();
        (with_signatures(Box::leak(Box::new(noted.clone())), Provider::builtin().schemes), noted)
    }

    /// What was checked since this was asked, in order.
    pub fn take(&self) -> Vec<Checked> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl VerifySignature for Noted {
    fn name(&self) -> &str {
        "noted"
    }

    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &Spki<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((algorithm, message.to_vec()));
        Provider::builtin().signatures.verify(algorithm, key, message, signature)
    }

    fn check_point(&self, curve: Curve, key: &Spki<'_>) -> Result<(), SignatureError> {
        Provider::builtin().signatures.check_point(curve, key)
    }
}
