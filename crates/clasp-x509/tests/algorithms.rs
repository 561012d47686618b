//! Every signature algorithm, by keys of the crypto library.
#![allow(clippy::unwrap_used)]

mod common;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
use aws_lc_rs::signature::{
    self as sig, EcdsaKeyPair, Ed25519KeyPair, KeyPair, PqdsaKeyPair, RsaKeyPair, RsaPssSaltLength,
};
use clasp_x509::{Profile, PublicKey, Reason, Rejection, verify};
use common::*;

/// Judges a leaf that a root of this key signed so.
fn judged(
    spki: &[u8],
    algorithm: &[u8],
    sign: impl Fn(&[u8]) -> Vec<u8>,
    profile: Profile,
) -> Result<(), Box<Rejection>> {
    let root = authority("root", None, |d| d.spki = spki.to_vec());
    let signed = |mut made: Made, tbs: &[u8], signature: &[u8]| {
        made.der = seq(&[tbs, algorithm, &bit_string(signature)]);
        made
    };
    let mut tbs = Vec::new();
    let leaf = server(&root, |d| {
        d.algorithm = algorithm.to_vec();
        tbs = d.tbs();
    });
    let signature = sign(&tbs);
    let good = signed(leaf, &tbs, &signature);
    let verdict = judge(&root, &[&good], "example.com", &options(profile)).map(|_| ());
    // A signature of something else is never good.
    let bad = signed(good, &tbs, &sign(b"something else"));
    assert!(judge(&root, &[&bad], "example.com", &options(profile)).is_err());
    verdict
}

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
const NULL: &[u8] = &[5, 0];

fn rsa_oid(last: u8) -> Vec<u8> {
    oid(&[RSA, &[last]].concat())
}

fn sha2_oid(last: u8) -> Vec<u8> {
    oid(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, last])
}

fn rsa_key(size: KeySize) -> RsaKeyPair {
    let key = PrivateDecryptingKey::generate(size).unwrap();
    let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&key).unwrap();
    RsaKeyPair::from_pkcs8(der.as_ref()).unwrap()
}

#[test]
fn rsa_pkcs1_and_pss_with_any_salt() {
    let key = rsa_key(KeySize::Rsa2048);
    let spki: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    let sign = |with: &'static dyn sig::RsaEncoding| {
        let key = &key;
        move |message: &[u8]| {
            let mut out = vec![0; key.public_modulus_len()];
            key.sign(with, &SystemRandom::new(), message, &mut out).unwrap();
            out
        }
    };
    for (last, with) in [
        (11, &sig::RSA_PKCS1_SHA256 as &'static dyn sig::RsaEncoding),
        (12, &sig::RSA_PKCS1_SHA384),
        (13, &sig::RSA_PKCS1_SHA512),
    ] {
        judged(spki.as_ref(), &seq(&[&rsa_oid(last), NULL]), sign(with), Profile::WebPki).unwrap();
    }
    let salted = |hash: u8, salt: Option<u8>| {
        let hash = seq(&[&sha2_oid(hash), NULL]);
        let mask = seq(&[&rsa_oid(8), &hash]);
        let salt = salt.map_or_else(Vec::new, |n| tlv(0xa2, &[2, 1, n]));
        seq(&[&rsa_oid(10), &seq(&[&tlv(0xa0, &hash), &tlv(0xa1, &mask), &salt])])
    };
    const LONG: sig::RsaSignatureEncoding = sig::RSA_PSS_SHA256.with_pss_salt_length(RsaPssSaltLength::Custom(100));
    const NONE: sig::RsaSignatureEncoding = sig::RSA_PSS_SHA512.with_pss_salt_length(RsaPssSaltLength::Custom(0));
    const DEFAULT: sig::RsaSignatureEncoding = sig::RSA_PSS_SHA384.with_pss_salt_length(RsaPssSaltLength::Custom(20));
    for (algorithm, with) in [
        (salted(1, Some(32)), &sig::RSA_PSS_SHA256 as &'static dyn sig::RsaEncoding),
        (salted(2, Some(48)), &sig::RSA_PSS_SHA384),
        (salted(3, Some(64)), &sig::RSA_PSS_SHA512),
        (salted(1, Some(100)), &LONG),
        (salted(3, Some(0)), &NONE),
        (salted(2, None), &DEFAULT),
    ] {
        judged(spki.as_ref(), &algorithm, sign(with), Profile::WebPki).unwrap();
    }
    let wrong = judged(spki.as_ref(), &salted(1, Some(33)), sign(&sig::RSA_PSS_SHA256), Profile::WebPki).unwrap_err();
    assert_eq!(wrong.reason(), Reason::BadSignature, "another salt than it says");
    let mixed = {
        let (hash, other) = (seq(&[&sha2_oid(1), NULL]), seq(&[&sha2_oid(2), NULL]));
        seq(&[
            &rsa_oid(10),
            &seq(&[&tlv(0xa0, &hash), &tlv(0xa1, &seq(&[&rsa_oid(8), &other])), &tlv(0xa2, &[2, 1, 32])]),
        ])
    };
    let wrong = judged(spki.as_ref(), &mixed, sign(&sig::RSA_PSS_SHA256), Profile::WebPki).unwrap_err();
    assert_eq!(wrong.reason(), Reason::UnsupportedAlgorithm);

    // A key for PSS alone (RFC 4055 3.1).
    let bits =
        spki.as_ref().windows(4).position(|w| w == [0, 0x30, 0x82, 1]).map(|at| &spki.as_ref()[at + 1..]).unwrap();
    let only = |parameters: &[u8]| seq(&[&seq(&[&rsa_oid(10), parameters]), &bit_string(bits)]);
    judged(&only(&[]), &salted(1, Some(32)), sign(&sig::RSA_PSS_SHA256), Profile::WebPki).unwrap();
    let limited = {
        let hash = seq(&[&sha2_oid(1), NULL]);
        only(&seq(&[&tlv(0xa0, &hash), &tlv(0xa1, &seq(&[&rsa_oid(8), &hash])), &tlv(0xa2, &[2, 1, 40])]))
    };
    assert!(
        judged(&limited, &salted(1, Some(32)), sign(&sig::RSA_PSS_SHA256), Profile::WebPki).is_err(),
        "a short salt"
    );
    judged(&limited, &salted(1, Some(100)), sign(&LONG), Profile::WebPki).unwrap();
    let pkcs1 = seq(&[&rsa_oid(11), NULL]);
    assert!(judged(&only(&[]), &pkcs1, sign(&sig::RSA_PKCS1_SHA256), Profile::WebPki).is_err(), "not for PKCS#1");
}

/// A store reads a root's key once, for the algorithm it meets first. Other algorithms are as good, and a wrong signature
/// stays wrong.
#[test]
fn one_root_signs_with_several_algorithms() {
    let key = rsa_key(KeySize::Rsa2048);
    let spki: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    let root = authority("root", None, |d| d.spki = spki.as_ref().to_vec());
    let roots = store(&[&root]);
    let verdict = |last, with: &'static dyn sig::RsaEncoding, flaw: u8| {
        let algorithm = seq(&[&rsa_oid(last), NULL]);
        let mut tbs = Vec::new();
        let mut leaf = server(&root, |d| {
            d.algorithm = algorithm.clone();
            tbs = d.tbs();
        });
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(with, &SystemRandom::new(), &tbs, &mut signature).unwrap();
        signature[100] ^= flaw;
        leaf.der = seq(&[&tbs, &algorithm, &bit_string(&signature)]);
        verify(&chain(&[&leaf]), &roots, &options(Profile::WebPki)).map(|_| ()).map_err(|refused| refused.reason())
    };
    for _ in 0..2 {
        for (last, with) in
            [(11, &sig::RSA_PKCS1_SHA256 as &'static dyn sig::RsaEncoding), (12, &sig::RSA_PKCS1_SHA384)]
        {
            assert_eq!(verdict(last, with, 0), Ok(()));
            assert_eq!(verdict(last, with, 1), Err(Reason::BadSignature));
        }
    }
}

#[test]
fn ecdsa_on_three_curves() {
    let hash = |last: u8| seq(&[&oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, last])]);
    for (with, last) in [
        (&sig::ECDSA_P256_SHA256_ASN1_SIGNING, 2),
        (&sig::ECDSA_P384_SHA384_ASN1_SIGNING, 3),
        (&sig::ECDSA_P521_SHA512_ASN1_SIGNING, 4),
        (&sig::ECDSA_P521_SHA256_ASN1_SIGNING, 2),
    ] {
        let key = EcdsaKeyPair::generate(with).unwrap();
        let spki: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
        let sign = |message: &[u8]| key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec();
        judged(spki.as_ref(), &hash(last), sign, Profile::WebPki).unwrap();
        let other = judged(spki.as_ref(), &hash(if last == 2 { 3 } else { 2 }), sign, Profile::WebPki).unwrap_err();
        assert_eq!(other.reason(), Reason::BadSignature);
    }
}

/// RFC 5480 2.2: a point that says its y twice, in a form that MUST NOT be used.
#[test]
fn hybrid_points_are_no_keys() {
    let key = EcdsaKeyPair::generate(&sig::ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let spki: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    assert_eq!(PublicKey::parse(spki.as_ref()), PublicKey::P256);
    let mut hybrid = spki.as_ref().to_vec();
    let point = hybrid.len() - 65;
    hybrid[point] = 6 | hybrid[hybrid.len() - 1] & 1;
    assert_eq!(PublicKey::parse(&hybrid), PublicKey::Malformed);
}

#[test]
fn ed25519_and_ml_dsa() {
    let key = Ed25519KeyPair::generate().unwrap();
    let spki: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    let sign = |message: &[u8]| key.sign(message).as_ref().to_vec();
    judged(spki.as_ref(), &seq(&[&oid(&[0x2b, 0x65, 112])]), sign, Profile::WebPki).unwrap();
    for (with, last) in [(&sig::ML_DSA_44_SIGNING, 17), (&sig::ML_DSA_65_SIGNING, 18), (&sig::ML_DSA_87_SIGNING, 19)] {
        let key = PqdsaKeyPair::generate(with).unwrap();
        let spki: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
        let sign = |message: &[u8]| {
            let mut out = vec![0; with.signature_len()];
            key.sign(message, &mut out).unwrap();
            out
        };
        let algorithm = seq(&[&oid(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, last])]);
        judged(spki.as_ref(), &algorithm, sign, Profile::WebPki).unwrap();
    }
}
