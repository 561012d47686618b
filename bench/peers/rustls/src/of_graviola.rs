//! Graviola's primitives.

use anyhow::Result;
use bench_harness::credentials::Credentials;
use bench_harness::primitive::{Curve, Primitive, additional_data, expand_label_info};
use bench_harness::scenario::{Aead, Key};
use bench_harness::{Offer, Operation};
use graviola::aead::{AesGcm, ChaCha20Poly1305};
use graviola::hashing::hmac::Hmac;
use graviola::hashing::{Hash as _, Sha256};
use graviola::key_agreement::{mlkem768, p256, x25519};
use graviola::signing::{ecdsa, rsa};

pub(crate) fn find(primitive: Primitive, credentials: &Credentials) -> Result<Offer<Operation>> {
    Ok(Offer::Has(match primitive {
        Primitive::Seal(aead, size) => {
            let (key, aad, mut data) = (AeadKey::new(aead), additional_data(size), vec![7; size]);
            Operation::new(move || {
                std::hint::black_box(key.seal(&aad, &mut data));
                Ok(())
            })
        }
        Primitive::Open(aead, size) => {
            let (key, aad, mut sealed) = (AeadKey::new(aead), additional_data(size), vec![7; size]);
            let tag = key.seal(&aad, &mut sealed);
            Operation::on_copies(sealed, move |data| key.open(&aad, data, &tag))
        }
        Primitive::AeadKey(aead) => Operation::new(move || {
            std::hint::black_box(AeadKey::new(aead));
            Ok(())
        }),
        Primitive::KeyPair(curve) => Operation::new(move || key_pair(curve).map(drop)),
        Primitive::Exchange(curve) => {
            let (_, peer) = key_pair(curve)?;
            Operation::new(move || key_pair(curve)?.0.agree(&peer))
        }
        Primitive::KemKeyPair | Primitive::KemExchange | Primitive::Encapsulate => kem(primitive)?,
        Primitive::Sign(_) | Primitive::Verify(_) => signatures(primitive, credentials)?,
        Primitive::Hmac => {
            let key = Hmac::<Sha256>::new([3; 32]);
            Operation::new(move || {
                let mut mac = key.clone();
                mac.update([7; 32]);
                std::hint::black_box(mac.finish());
                Ok(())
            })
        }
        Primitive::ExpandLabel => {
            let info = expand_label_info();
            Operation::new(move || {
                let mut mac = Hmac::<Sha256>::new([3; 32]);
                mac.update(&info);
                mac.update([1]);
                std::hint::black_box(mac.finish());
                Ok(())
            })
        }
        Primitive::Random => Operation::new(|| graviola::random::fill(&mut [0; 32]).map_err(failed)),
        Primitive::Hash => Operation::new(|| {
            std::hint::black_box(Sha256::hash(&[7; 1024]));
            Ok(())
        }),
        Primitive::CbcSeal(_) | Primitive::CbcOpen(_) => return Ok(Offer::Lacks("CBC")),
    }))
}

fn failed(error: graviola::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:?}")
}

#[expect(clippy::large_enum_variant, reason = "a key's set-up is measured, without a box")]
enum AeadKey {
    Gcm(AesGcm),
    ChaCha(ChaCha20Poly1305),
}

impl AeadKey {
    fn new(aead: Aead) -> Self {
        match aead {
            Aead::ChaCha20Poly1305 => Self::ChaCha(ChaCha20Poly1305::new([5; 32])),
            _ => Self::Gcm(AesGcm::new(&[5; 32][..aead.key_len()])),
        }
    }

    fn seal(&self, aad: &[u8], data: &mut [u8]) -> [u8; 16] {
        let mut tag = [0; 16];
        match self {
            Self::Gcm(key) => key.encrypt(&[9; 12], aad, data, &mut tag),
            Self::ChaCha(key) => key.encrypt(&[9; 12], aad, data, &mut tag),
        }
        tag
    }

    fn open(&self, aad: &[u8], data: &mut [u8], tag: &[u8]) -> Result<()> {
        match self {
            Self::Gcm(key) => key.decrypt(&[9; 12], aad, data, tag),
            Self::ChaCha(key) => key.decrypt(&[9; 12], aad, data, tag),
        }
        .map_err(failed)
    }
}

enum PrivateKey {
    X25519(x25519::PrivateKey),
    P256(p256::PrivateKey),
}

fn key_pair(curve: Curve) -> Result<(PrivateKey, Vec<u8>)> {
    Ok(match curve {
        Curve::X25519 => {
            let key = x25519::PrivateKey::new_random().map_err(failed)?;
            let public = key.public_key().as_bytes().to_vec();
            (PrivateKey::X25519(key), public)
        }
        Curve::P256 => {
            let key = p256::PrivateKey::new_random().map_err(failed)?;
            let public = key.public_key_uncompressed().to_vec();
            (PrivateKey::P256(key), public)
        }
    })
}

impl PrivateKey {
    fn agree(self, peer: &[u8]) -> Result<()> {
        match self {
            Self::X25519(key) => {
                let peer = x25519::PublicKey::try_from_slice(peer).map_err(failed)?;
                std::hint::black_box(key.diffie_hellman(&peer).map_err(failed)?);
            }
            Self::P256(key) => {
                let peer = p256::PublicKey::from_x962_uncompressed(peer).map_err(failed)?;
                std::hint::black_box(key.diffie_hellman(&peer).map_err(failed)?);
            }
        }
        Ok(())
    }
}

fn kem(primitive: Primitive) -> Result<Operation> {
    let key = || mlkem768::DecapKey::generate().map_err(failed);
    let public = key()?.encapsulation_key().as_bytes();
    let encapsulate = move || -> Result<_> {
        Ok(mlkem768::EncapKey::from_bytes(&public).map_err(failed)?.encaps().map_err(failed)?.1)
    };
    Ok(match primitive {
        Primitive::KemKeyPair => Operation::new(move || {
            std::hint::black_box(key()?.encapsulation_key().as_bytes());
            Ok(())
        }),
        Primitive::KemExchange => {
            let ciphertext = encapsulate()?;
            Operation::new(move || {
                let key = key()?;
                std::hint::black_box(key.encapsulation_key().as_bytes());
                std::hint::black_box(key.decaps(&ciphertext));
                Ok(())
            })
        }
        _ => Operation::new(move || encapsulate().map(drop)),
    })
}

fn signatures(primitive: Primitive, credentials: &Credentials) -> Result<Operation> {
    const MESSAGE: &[u8] = &[7; 130];
    Ok(match primitive {
        Primitive::Sign(Key::EcdsaP256) => {
            let key = ecdsa_key(credentials)?;
            let mut signature = [0; 80];
            Operation::new(move || key.sign_asn1::<Sha256>(&[MESSAGE], &mut signature).map(drop).map_err(failed))
        }
        Primitive::Sign(_) => {
            let key = rsa_key(credentials)?;
            let mut signature = [0; 256];
            Operation::new(move || key.sign_pss_sha256(&mut signature, MESSAGE).map(drop).map_err(failed))
        }
        Primitive::Verify(Key::EcdsaP256) => {
            let key = ecdsa_key(credentials)?;
            let mut signature = [0; 80];
            let signature = key.sign_asn1::<Sha256>(&[MESSAGE], &mut signature).map_err(failed)?.to_vec();
            let public = key.private_key.public_key_uncompressed();
            Operation::new(move || {
                let key = ecdsa::VerifyingKey::<ecdsa::P256>::from_x962_uncompressed(&public).map_err(failed)?;
                key.verify_asn1::<Sha256>(&[MESSAGE], &signature).map_err(failed)
            })
        }
        _ => {
            let key = rsa_key(credentials)?;
            let mut signature = [0; 256];
            key.sign_pss_sha256(&mut signature, MESSAGE).map_err(failed)?;
            let public = key.public_key();
            Operation::new(move || public.verify_pss_sha256(&signature, MESSAGE).map_err(failed))
        }
    })
}

fn ecdsa_key(credentials: &Credentials) -> Result<ecdsa::SigningKey<ecdsa::P256>> {
    ecdsa::SigningKey::from_pkcs8_der(&credentials.ecdsa.server.key_der).map_err(failed)
}

fn rsa_key(credentials: &Credentials) -> Result<rsa::SigningKey> {
    rsa::SigningKey::from_pkcs8_der(&credentials.rsa.server.key_der).map_err(failed)
}
