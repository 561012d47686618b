//! ring's primitives.

use ring as library;
use ring::signature::RsaKeyPair;

include!("ring_like.rs");

fn agree(key: EphemeralPrivateKey, peer: &agreement::UnparsedPublicKey<&Vec<u8>>) -> Result<()> {
    agreement::agree_ephemeral(key, peer, |secret| drop(std::hint::black_box(secret.to_vec()))).map_err(failed)
}

fn ecdsa_key(pkcs8: &[u8]) -> Result<signature::EcdsaKeyPair> {
    let algorithm = &signature::ECDSA_P256_SHA256_ASN1_SIGNING;
    signature::EcdsaKeyPair::from_pkcs8(algorithm, pkcs8, &SystemRandom::new()).map_err(failed)
}

fn kem(_: Primitive) -> Result<Offer<Operation>> {
    Ok(Offer::Lacks("ML-KEM"))
}
