//! AWS-LC's primitives, through aws-lc-rs.

use aws_lc_rs as library;
use aws_lc_rs::kem::{DecapsulationKey, EncapsulationKey, ML_KEM_768};
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;

include!("ring_like.rs");

fn agree(key: EphemeralPrivateKey, peer: &agreement::UnparsedPublicKey<&Vec<u8>>) -> Result<()> {
    agreement::agree_ephemeral(key, peer, library::error::Unspecified, |secret| {
        std::hint::black_box(secret.to_vec());
        Ok(())
    })
    .map_err(failed)
}

fn ecdsa_key(pkcs8: &[u8]) -> Result<signature::EcdsaKeyPair> {
    signature::EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8).map_err(failed)
}

fn kem(primitive: Primitive) -> Result<Offer<Operation>> {
    let key = || DecapsulationKey::generate(&ML_KEM_768).map_err(failed);
    let public = |key: &DecapsulationKey| -> Result<Vec<u8>> {
        Ok(key.encapsulation_key().and_then(|k| k.key_bytes()).map_err(failed)?.as_ref().to_vec())
    };
    let encapsulate = |public: &[u8]| -> Result<Vec<u8>> {
        let key = EncapsulationKey::new(&ML_KEM_768, public).map_err(failed)?;
        Ok(key.encapsulate().map_err(failed)?.0.as_ref().to_vec())
    };
    Ok(Offer::Has(match primitive {
        Primitive::KemKeyPair => Operation::new(move || public(&key()?).map(drop)),
        Primitive::KemExchange => {
            // Any ciphertext does: one that is not for this key is decapsulated to another secret in the same time.
            let ciphertext = encapsulate(&public(&key()?)?)?;
            Operation::new(move || {
                let key = key()?;
                public(&key)?;
                key.decapsulate(ciphertext.as_slice().into()).map(drop).map_err(failed)
            })
        }
        _ => {
            let public = public(&key()?)?;
            Operation::new(move || encapsulate(&public).map(drop))
        }
    }))
}
