//! HPKE beside two others: RustCrypto's curves by the crate `hpke`, and rustls's over AWS-LC. Each seals for the other.
#![allow(clippy::unwrap_used)]

mod ech;

use clasp::code::{HpkeAead, HpkeKdf, HpkeKem};
use clasp::crypto::Provider;
use clasp::hpke::{RecipientKey, Suite};
use hpke::{Deserializable, OpModeR, OpModeS, Serializable, aead, kdf, kem};
use rustls::crypto::aws_lc_rs::hpke::ALL_SUPPORTED_SUITES;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke, HpkePrivateKey, HpkePublicKey};

const INFO: &[u8] = b"what it is for";
const MESSAGES: [(&[u8], &[u8]); 3] = [(b"aad", b"one"), (b"", b""), (b"other", &[3; 1000])];

/// What the other seals for `key`, we open.
fn ours(suite: Suite, key: &RecipientKey, encapsulated: &[u8], sealed: impl Iterator<Item = Vec<u8>>) {
    let mut opener = suite.opener(Provider::builtin(), key, encapsulated, INFO).unwrap();
    let opened: Vec<_> = sealed
        .zip(MESSAGES)
        .map(|(mut message, (aad, _))| {
            opener.open(aad, &mut message).unwrap();
            message
        })
        .collect();
    assert_eq!(opened, MESSAGES.map(|(_, plain)| plain), "{suite:?}");
}

/// What we seal for this public key: the encapsulated key, and the messages.
fn sealed(suite: Suite, public: &[u8]) -> (Vec<u8>, [Vec<u8>; 3]) {
    let (encapsulated, mut sealer) = suite.sealer(Provider::builtin(), public, INFO).unwrap();
    let messages = MESSAGES.map(|(aad, plain)| {
        let mut message = plain.to_vec();
        sealer.seal(aad, &mut message).unwrap();
        message
    });
    (encapsulated, messages)
}

fn with_rustls(other: &dyn Hpke) {
    let suite = other.suite();
    let suite = Suite {
        kem: HpkeKem(suite.kem.into()),
        kdf: HpkeKdf(suite.sym.kdf_id.into()),
        aead: HpkeAead(suite.sym.aead_id.into()),
    };
    let key = RecipientKey::generate(Provider::builtin(), suite.kem).unwrap();
    let (encapsulated, mut sealer) = other.setup_sealer(INFO, &HpkePublicKey(key.public().to_vec())).unwrap();
    ours(suite, &key, &encapsulated.0, MESSAGES.iter().map(|(aad, plain)| sealer.seal(aad, plain).unwrap()));

    let (encapsulated, messages) = sealed(suite, key.public());
    let private = HpkePrivateKey::from(key.expose_private().to_vec());
    let mut opener = other.setup_opener(&EncapsulatedSecret(encapsulated), INFO, &private).unwrap();
    for (message, (aad, plain)) in messages.iter().zip(MESSAGES) {
        assert_eq!(opener.open(aad, message).unwrap(), plain, "{suite:?}");
    }
}

#[test]
fn rustls_opens_what_we_seal_and_seals_what_we_open() {
    assert_eq!(ALL_SUPPORTED_SUITES.len(), 12);
    ALL_SUPPORTED_SUITES.iter().for_each(|other| with_rustls(*other));
}

fn with_hpke<Aead: aead::Aead, Kdf: kdf::Kdf, Kem: kem::Kem>(kem: HpkeKem) {
    let suite = Suite { kem, kdf: HpkeKdf(Kdf::KDF_ID), aead: HpkeAead(Aead::AEAD_ID) };
    // Both derive the same key pair from the same bytes. Of X25519 it writes the private key clamped, the RFC's vectors do not.
    let material = [7; 66];
    let key = RecipientKey::derive(Provider::builtin(), kem, &material).unwrap();
    let (private, public) = Kem::derive_keypair(&material);
    assert_eq!(key.public(), &public.to_bytes()[..], "{suite:?}");
    if kem != HpkeKem::DhkemX25519HkdfSha256 {
        assert_eq!(key.expose_private(), &private.to_bytes()[..], "{suite:?}");
    }

    let (encapsulated, mut sealer) = hpke::setup_sender::<Aead, Kdf, Kem>(&OpModeS::Base, &public, INFO).unwrap();
    let messages = MESSAGES.iter().map(|(aad, plain)| sealer.seal(plain, aad).unwrap());
    ours(suite, &key, &encapsulated.to_bytes(), messages);

    let (encapsulated, messages) = sealed(suite, key.public());
    let encapsulated = Kem::EncappedKey::from_bytes(&encapsulated).unwrap();
    let mut opener = hpke::setup_receiver::<Aead, Kdf, Kem>(&OpModeR::Base, &private, &encapsulated, INFO).unwrap();
    for (message, (aad, plain)) in messages.iter().zip(MESSAGES) {
        assert_eq!(opener.open(message, aad).unwrap(), plain, "{suite:?}");
    }
    // A secret for something else is the same too.
    let (ours, mut theirs) = (sealed_export(suite, &key), [0; 100]);
    let encapsulated = Kem::EncappedKey::from_bytes(&ours.0).unwrap();
    let opener = hpke::setup_receiver::<Aead, Kdf, Kem>(&OpModeR::Base, &private, &encapsulated, INFO).unwrap();
    opener.export(b"about", &mut theirs).unwrap();
    assert_eq!(ours.1, theirs, "{suite:?}");
}

fn sealed_export(suite: Suite, key: &RecipientKey) -> (Vec<u8>, [u8; 100]) {
    let (encapsulated, sealer) = suite.sealer(Provider::builtin(), key.public(), INFO).unwrap();
    let mut out = [0; 100];
    sealer.export(b"about", &mut out).unwrap();
    (encapsulated, out)
}

fn with_each_aead<Kdf: kdf::Kdf, Kem: kem::Kem>(kem: HpkeKem) {
    with_hpke::<aead::AesGcm128, Kdf, Kem>(kem);
    with_hpke::<aead::AesGcm256, Kdf, Kem>(kem);
    with_hpke::<aead::ChaCha20Poly1305, Kdf, Kem>(kem);
}

fn with_each_kdf<Kem: kem::Kem>(kem: HpkeKem) {
    with_each_aead::<kdf::HkdfSha256, Kem>(kem);
    with_each_aead::<kdf::HkdfSha384, Kem>(kem);
    with_each_aead::<kdf::HkdfSha512, Kem>(kem);
}

#[test]
fn rustcryptos_opens_what_we_seal_and_seals_what_we_open() {
    with_each_kdf::<kem::X25519HkdfSha256>(HpkeKem::DhkemX25519HkdfSha256);
    with_each_kdf::<kem::DhP256HkdfSha256>(HpkeKem::DhkemP256HkdfSha256);
    with_each_kdf::<kem::DhP384HkdfSha384>(HpkeKem::DhkemP384HkdfSha384);
    with_each_kdf::<kem::DhP521HkdfSha512>(HpkeKem::DhkemP521HkdfSha512);
}
