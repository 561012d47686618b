//! What is OpenSSL's own, for both of its workers.

pub(crate) use openssl as library;

use crate::ssl;
use anyhow::{Context as _, Result, ensure};
use bench_harness::credentials::Credentials;
use bench_harness::primitive::{Curve, Primitive, additional_data, expand_label_info};
use bench_harness::scenario::{Aead, Exchange, Key, Scenario, Version};
use bench_harness::{Offer, Operation, Peer, Pipe, Sides};
use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;
use openssl::derive::Deriver;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Signer, Verifier};
use openssl::x509::X509;

pub(crate) struct OpenSsl;

impl Peer for OpenSsl {
    fn describe(&self) -> String {
        openssl::version::version().into()
    }

    fn sides(&self, scenario: &Scenario, credentials: &Credentials) -> Result<Offer<Box<dyn Sides>>> {
        ssl::sides(scenario, credentials)
    }

    fn primitive(&self, primitive: Primitive, credentials: &Credentials) -> Result<Offer<Operation>> {
        find(primitive, credentials)
    }
}

/// What BoringSSL's crate has under other names.
pub(crate) mod differences {
    use super::*;
    use openssl::ssl::{SslCipherRef, SslContextBuilder, SslOptions, SslStream};

    /// SSL_OP_NO_ENCRYPT_THEN_MAC, which the crate has no name for: not all libraries here have RFC 7366.
    const NO_ENCRYPT_THEN_MAC: u64 = 1 << 19;

    /// Leaves what the row is about.
    pub(crate) fn restrict(builder: &mut SslContextBuilder, scenario: &Scenario) -> Result<Offer<()>> {
        match scenario.version {
            Version::Tls13 => builder.set_ciphersuites(&scenario.openssl_suite())?,
            Version::Tls12 => builder.set_cipher_list(&scenario.openssl_suite())?,
        }
        builder.set_options(SslOptions::from_bits_retain(NO_ENCRYPT_THEN_MAC));
        if scenario.groups().is_empty() {
            return Ok(Offer::Has(()));
        }
        match builder.set_groups_list(&scenario.openssl_groups()) {
            Err(_) if scenario.exchange == Exchange::Hybrid => Ok(Offer::Lacks("X25519MLKEM768 (from OpenSSL 3.5 on)")),
            outcome => Ok(Offer::Has(outcome?)),
        }
    }

    pub(crate) fn one_ticket(builder: &mut SslContextBuilder) -> Result<()> {
        Ok(builder.set_num_tickets(1)?)
    }

    /// They have gone already.
    pub(crate) fn send_tickets(_: &mut SslStream<Pipe>) -> Result<()> {
        Ok(())
    }

    pub(crate) fn suite(cipher: &SslCipherRef) -> String {
        cipher.name().into()
    }
}

fn find(primitive: Primitive, credentials: &Credentials) -> Result<Offer<Operation>> {
    Ok(Offer::Has(match primitive {
        Primitive::Seal(aead, size) => {
            let (mut key, aad, mut data) = (AeadKey::new(aead, true)?, additional_data(size), vec![7; size]);
            Operation::new(move || key.seal(&aad, &mut data).map(drop))
        }
        Primitive::Open(aead, size) => {
            let (aad, mut sealed) = (additional_data(size), vec![7; size]);
            let tag = AeadKey::new(aead, true)?.seal(&aad, &mut sealed)?;
            let mut key = AeadKey::new(aead, false)?;
            Operation::on_copies(sealed, move |data| key.open(&aad, data, &tag))
        }
        Primitive::AeadKey(aead) => Operation::new(move || AeadKey::new(aead, true).map(drop)),
        Primitive::KeyPair(curve) => Operation::new(move || key_pair(curve).map(drop)),
        Primitive::Exchange(curve) => {
            let peer = key_pair(curve)?.1;
            Operation::new(move || agree(curve, &peer))
        }
        Primitive::Sign(kind) => {
            let key = PKey::private_key_from_der(&credentials.with(kind).server.key_der)?;
            Operation::new(move || sign(kind, &key).map(drop))
        }
        Primitive::Verify(kind) => {
            let issued = &credentials.with(kind).server;
            let signature = sign(kind, &PKey::private_key_from_der(&issued.key_der)?)?;
            let key = X509::from_der(&issued.chain.first().context("no leaf")?.der)?.public_key()?;
            Operation::new(move || {
                let mut verifier = Verifier::new(MessageDigest::sha256(), &key)?;
                if kind == Key::Rsa2048 {
                    verifier.set_rsa_padding(Padding::PKCS1_PSS)?;
                    verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
                }
                ensure!(verifier.verify_oneshot(&signature, MESSAGE)?, "a signature that does not hold");
                Ok(())
            })
        }
        Primitive::Hmac => {
            let key = PKey::hmac(&[3; 32])?;
            Operation::new(move || mac(&key, &[&[7; 32]]))
        }
        Primitive::ExpandLabel => {
            let info = expand_label_info();
            Operation::new(move || mac(&PKey::hmac(&[3; 32])?, &[&info, &[1]]))
        }
        Primitive::Random => Operation::new(|| Ok(openssl::rand::rand_bytes(&mut [0; 32])?)),
        Primitive::Hash => Operation::new(|| {
            std::hint::black_box(openssl::sha::sha256(&[7; 1024]));
            Ok(())
        }),
        Primitive::KemKeyPair | Primitive::KemExchange | Primitive::Encapsulate => {
            return Ok(Offer::Lacks("ML-KEM by the `openssl` crate"));
        }
        Primitive::CbcSeal(_) | Primitive::CbcOpen(_) => {
            return Ok(Offer::Lacks("CBC with HMAC as one primitive by the `openssl` crate"));
        }
    }))
}

const MESSAGE: &[u8] = &[7; 130];

/// A key that is set up for one direction; each use gives it a new nonce.
struct AeadKey(CipherCtx);

impl AeadKey {
    fn new(aead: Aead, seals: bool) -> Result<Self> {
        let cipher = match aead {
            Aead::Aes128Gcm => Cipher::aes_128_gcm(),
            Aead::Aes256Gcm => Cipher::aes_256_gcm(),
            Aead::ChaCha20Poly1305 => Cipher::chacha20_poly1305(),
        };
        let (mut context, key) = (CipherCtx::new()?, &[5; 32][..aead.key_len()]);
        match seals {
            true => context.encrypt_init(Some(cipher), Some(key), None)?,
            false => context.decrypt_init(Some(cipher), Some(key), None)?,
        }
        Ok(Self(context))
    }

    fn seal(&mut self, aad: &[u8], data: &mut [u8]) -> Result<[u8; 16]> {
        let (context, len, mut tag) = (&mut self.0, data.len(), [0; 16]);
        context.encrypt_init(None, None, Some(&[9; 12]))?;
        context.cipher_update(aad, None)?;
        context.cipher_update_inplace(data, len)?;
        context.cipher_final(&mut [])?;
        context.tag(&mut tag)?;
        Ok(tag)
    }

    fn open(&mut self, aad: &[u8], data: &mut [u8], tag: &[u8]) -> Result<()> {
        let (context, len) = (&mut self.0, data.len());
        context.decrypt_init(None, None, Some(&[9; 12]))?;
        context.set_tag(tag)?;
        context.cipher_update(aad, None)?;
        context.cipher_update_inplace(data, len)?;
        context.cipher_final(&mut [])?;
        Ok(())
    }
}

/// A key pair and its public value, encoded.
fn key_pair(curve: Curve) -> Result<(PKey<Private>, Vec<u8>)> {
    Ok(match curve {
        Curve::X25519 => {
            let key = PKey::generate_x25519()?;
            let public = key.raw_public_key()?;
            (key, public)
        }
        Curve::P256 => {
            let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
            let key = EcKey::generate(&group)?;
            let form = openssl::ec::PointConversionForm::UNCOMPRESSED;
            let public = key.public_key().to_bytes(&group, form, &mut *openssl::bn::BigNumContext::new()?)?;
            (PKey::from_ec_key(key)?, public)
        }
    })
}

fn agree(curve: Curve, peer: &[u8]) -> Result<()> {
    let (key, _) = key_pair(curve)?;
    let peer = match curve {
        Curve::X25519 => PKey::public_key_from_raw_bytes(peer, Id::X25519)?,
        Curve::P256 => {
            let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
            let point = openssl::ec::EcPoint::from_bytes(&group, peer, &mut *openssl::bn::BigNumContext::new()?)?;
            PKey::from_ec_key(EcKey::from_public_key(&group, &point)?)?
        }
    };
    let mut deriver = Deriver::new(&key)?;
    deriver.set_peer(&peer)?;
    std::hint::black_box(deriver.derive_to_vec()?);
    Ok(())
}

fn sign(kind: Key, key: &PKey<Private>) -> Result<Vec<u8>> {
    let mut signer = Signer::new(MessageDigest::sha256(), key)?;
    if kind == Key::Rsa2048 {
        signer.set_rsa_padding(Padding::PKCS1_PSS)?;
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
    }
    Ok(signer.sign_oneshot_to_vec(MESSAGE)?)
}

fn mac(key: &PKey<Private>, parts: &[&[u8]]) -> Result<()> {
    let mut signer = Signer::new(MessageDigest::sha256(), key)?;
    for part in parts {
        signer.update(part)?;
    }
    let mut out = [0; 32];
    signer.sign(&mut out)?;
    std::hint::black_box(out);
    Ok(())
}
