// The primitives of a library with ring's interface: included by `of_ring` and `of_aws_lc`, which define `library` and
// what differs between the two.

use anyhow::Result;
use bench_harness::credentials::Credentials;
use bench_harness::primitive::{Curve, Primitive, additional_data, expand_label_info};
use bench_harness::scenario::{Aead, Key};
use bench_harness::{Offer, Operation};
use library::aead::{Aad, LessSafeKey, Nonce, UnboundKey};
use library::agreement::{self, EphemeralPrivateKey};
use library::rand::{SecureRandom as _, SystemRandom};
use library::signature::{
    self, KeyPair as _, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, UnparsedPublicKey,
};
use library::{digest, hkdf, hmac};

pub(crate) fn find(primitive: Primitive, credentials: &Credentials) -> Result<Offer<Operation>> {
    Ok(Offer::Has(match primitive {
        Primitive::Seal(aead, size) => {
            let (key, aad, mut data) = (aead_key(aead)?, additional_data(size), vec![7; size]);
            Operation::new(move || {
                key.seal_in_place_separate_tag(nonce(), Aad::from(aad), &mut data).map(drop).map_err(failed)
            })
        }
        Primitive::Open(aead, size) => {
            let (key, aad) = (aead_key(aead)?, additional_data(size));
            let mut sealed = vec![7; size];
            key.seal_in_place_append_tag(nonce(), Aad::from(aad), &mut sealed).map_err(failed)?;
            Operation::on_copies(sealed, move |data| {
                key.open_in_place(nonce(), Aad::from(aad), data).map(drop).map_err(failed)
            })
        }
        Primitive::AeadKey(aead) => Operation::new(move || aead_key(aead).map(drop)),
        Primitive::KeyPair(curve) => Operation::new(move || {
            EphemeralPrivateKey::generate(group(curve), &SystemRandom::new())
                .and_then(|key| key.compute_public_key())
                .map(drop)
                .map_err(failed)
        }),
        Primitive::Exchange(curve) => {
            let random = SystemRandom::new();
            let peer = EphemeralPrivateKey::generate(group(curve), &random).and_then(|key| key.compute_public_key());
            let peer = peer.map_err(failed)?.as_ref().to_vec();
            Operation::new(move || {
                let key = EphemeralPrivateKey::generate(group(curve), &random).map_err(failed)?;
                key.compute_public_key().map_err(failed)?;
                agree(key, &agreement::UnparsedPublicKey::new(group(curve), &peer))
            })
        }
        Primitive::Sign(kind) => {
            let (_, mut sign) = signer(kind, &credentials.with(kind).server.key_der)?;
            Operation::new(move || sign().map(drop))
        }
        Primitive::Verify(kind) => {
            let (public, mut sign) = signer(kind, &credentials.with(kind).server.key_der)?;
            let signature = sign()?;
            let algorithm: &'static dyn signature::VerificationAlgorithm = match kind {
                Key::EcdsaP256 => &signature::ECDSA_P256_SHA256_ASN1,
                Key::Rsa2048 => &RSA_PSS_2048_8192_SHA256,
            };
            Operation::new(move || UnparsedPublicKey::new(algorithm, &public).verify(MESSAGE, &signature).map_err(failed))
        }
        Primitive::Hmac => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &[3; 32]);
            Operation::new(move || {
                std::hint::black_box(hmac::sign(&key, &[7; 32]));
                Ok(())
            })
        }
        Primitive::ExpandLabel => {
            let info = expand_label_info();
            Operation::new(move || {
                let secret = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, &[3; 32]);
                let mut out = [0; 32];
                secret.expand(&[&info], hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut out)).map_err(failed)?;
                std::hint::black_box(out);
                Ok(())
            })
        }
        Primitive::Random => {
            let random = SystemRandom::new();
            Operation::new(move || random.fill(&mut [0; 32]).map_err(failed))
        }
        Primitive::Hash => Operation::new(|| {
            std::hint::black_box(digest::digest(&digest::SHA256, &[7; 1024]));
            Ok(())
        }),
        Primitive::KemKeyPair | Primitive::KemExchange | Primitive::Encapsulate => return kem(primitive),
        Primitive::CbcSeal(_) | Primitive::CbcOpen(_) => return Ok(Offer::Lacks("CBC with HMAC as one primitive")),
    }))
}

/// As long as what a TLS 1.3 server signs (RFC 8446 4.4.3).
const MESSAGE: &[u8] = &[7; 130];

fn failed<E>(_: E) -> anyhow::Error {
    anyhow::anyhow!("the primitive failed")
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([9; 12])
}

fn aead_key(aead: Aead) -> Result<LessSafeKey> {
    let algorithm = match aead {
        Aead::Aes128Gcm => &library::aead::AES_128_GCM,
        Aead::Aes256Gcm => &library::aead::AES_256_GCM,
        Aead::ChaCha20Poly1305 => &library::aead::CHACHA20_POLY1305,
    };
    Ok(LessSafeKey::new(UnboundKey::new(algorithm, &[5; 32][..aead.key_len()]).map_err(failed)?))
}

fn group(curve: Curve) -> &'static agreement::Algorithm {
    match curve {
        Curve::X25519 => &agreement::X25519,
        Curve::P256 => &agreement::ECDH_P256,
    }
}

/// The public key, and what signs.
fn signer(kind: Key, pkcs8: &[u8]) -> Result<(Vec<u8>, impl FnMut() -> Result<Vec<u8>> + use<>)> {
    let random = SystemRandom::new();
    let (mut ecdsa, mut rsa) = (None, None);
    let public = match kind {
        Key::EcdsaP256 => ecdsa.insert(ecdsa_key(pkcs8)?).public_key().as_ref().to_vec(),
        Key::Rsa2048 => rsa.insert(RsaKeyPair::from_pkcs8(pkcs8).map_err(failed)?).public_key().as_ref().to_vec(),
    };
    let sign = move || match (&ecdsa, &rsa) {
        (Some(key), _) => Ok(key.sign(&random, MESSAGE).map_err(failed)?.as_ref().to_vec()),
        (None, Some(key)) => {
            let mut signature = vec![0; 256];
            key.sign(&RSA_PSS_SHA256, &random, MESSAGE, &mut signature).map_err(failed)?;
            Ok(signature)
        }
        (None, None) => anyhow::bail!("no key"),
    };
    Ok((public, sign))
}
