//! The primitives behind Clasp's face for them: what they cost beside the libraries' own says what the face costs.

use anyhow::{Context as _, Result};
use bench_harness::credentials::Credentials;
use bench_harness::primitive::{Curve, Primitive, additional_data, expand_label_info};
use bench_harness::scenario::{Aead, Key};
use bench_harness::{Offer, Operation};
use clasp::crypto::{AeadId, AeadKey, CbcId, HashId, PrivateKey, Provider, SharedSecret, TAG_LEN, Use};
use clasp::wire::code::{NamedGroup, SignatureScheme};
use clasp::x509::{Certificate, PublicKey, verify_signature};

pub(crate) fn find(primitive: Primitive, credentials: &Credentials) -> Result<Offer<Operation>> {
    let provider = Provider::builtin();
    Ok(Offer::Has(match primitive {
        Primitive::Seal(aead, size) => {
            let key = aead_key(aead)?;
            let (aad, mut data) = (additional_data(size), vec![7; size]);
            let mut tag = [0; TAG_LEN];
            Operation::new(move || key.seal(&[9; 12], &aad, &mut data, &mut tag).map_err(Into::into))
        }
        Primitive::Open(aead, size) => {
            let key = aead_key(aead)?;
            let aad = additional_data(size);
            let mut sealed = vec![7; size];
            let mut tag = [0; TAG_LEN];
            key.seal(&[9; 12], &aad, &mut sealed, &mut tag)?;
            sealed.extend_from_slice(&tag);
            Operation::on_copies(sealed, move |data| key.open(&[9; 12], &aad, data).map(drop).map_err(Into::into))
        }
        Primitive::AeadKey(aead) => Operation::new(move || aead_key(aead).map(drop)),
        Primitive::CbcSeal(size) => {
            let mut key = cbc_key(Use::Seal)?;
            let mut record = vec![7; 16 + size + 64];
            Operation::new(move || key.seal(&CBC_AAD, &mut record, size).map(drop).map_err(Into::into))
        }
        Primitive::CbcOpen(size) => {
            let mut record = vec![7; 16 + size + 64];
            let len = cbc_key(Use::Seal)?.seal(&CBC_AAD, &mut record, size)?;
            let (iv, sealed) = record[..len].split_first_chunk().context("no IV")?;
            let (iv, mut key) = (*iv, cbc_key(Use::Open)?);
            Operation::on_copies(sealed.to_vec(), move |data| {
                key.open(&iv, &CBC_AAD, data).map(drop).map_err(Into::into)
            })
        }
        Primitive::KeyPair(curve) => {
            let group = group(curve)?;
            Operation::new(move || group.start().map(drop).map_err(Into::into))
        }
        Primitive::Exchange(curve) => {
            let group = group(curve)?;
            let peer = group.start()?.public().to_vec();
            Operation::new(move || {
                let mut secret = SharedSecret::default();
                group.start()?.finish(&peer, &mut secret).map_err(Into::into)
            })
        }
        Primitive::KemKeyPair | Primitive::KemExchange | Primitive::Encapsulate => {
            return Ok(Offer::Lacks("ML-KEM alone (Clasp's face has it as half of a hybrid)"));
        }
        Primitive::Sign(kind) => {
            let key = PrivateKey::from_der(&credentials.with(kind).server.key_der)?;
            Operation::new(move || key.sign(scheme(kind), &[7; 130]).map(drop).map_err(Into::into))
        }
        Primitive::Verify(kind) => {
            let issued = &credentials.with(kind).server;
            let leaf = &issued.chain.first().context("no leaf")?.der;
            let leaf = Certificate::parse(leaf).map_err(|field| anyhow::anyhow!("a bad {field}"))?;
            let spki = leaf.spki().to_vec();
            let signature = PrivateKey::from_der(&issued.key_der)?.sign(scheme(kind), &[7; 130])?;
            let algorithm = scheme(kind).algorithm(PublicKey::parse(&spki)).context("a key of another kind")?;
            Operation::new(move || {
                verify_signature(provider.signatures, algorithm, &spki, &[7; 130], &signature).map_err(Into::into)
            })
        }
        Primitive::Hmac => {
            let key = provider.hash(HashId::Sha256)?.hmac(&[3; 32]);
            Operation::new(move || {
                let mut out = [0; 32];
                key.sign(&[&[7; 32]], &mut out);
                std::hint::black_box(out);
                Ok(())
            })
        }
        Primitive::ExpandLabel => {
            let (hash, info) = (provider.hash(HashId::Sha256)?, expand_label_info());
            Operation::new(move || {
                let mut out = [0; 32];
                hash.keyed(&[3; 32], &mut |key| key.sign(&[&info, &[1]], &mut out));
                std::hint::black_box(out);
                Ok(())
            })
        }
        Primitive::Random => Operation::new(move || {
            let mut out = [0; 32];
            provider.random.fill(&mut out).map_err(Into::into)
        }),
        Primitive::Hash => {
            let hash = provider.hash(HashId::Sha256)?;
            Operation::new(move || {
                std::hint::black_box(hash.digest(&[&[7; 1024]]));
                Ok(())
            })
        }
    }))
}

fn aead_key(aead: Aead) -> Result<Box<dyn AeadKey>> {
    let id = match aead {
        Aead::Aes128Gcm => AeadId::Aes128Gcm,
        Aead::Aes256Gcm => AeadId::Aes256Gcm,
        Aead::ChaCha20Poly1305 => AeadId::ChaCha20Poly1305,
    };
    Ok(Provider::builtin().aead(id)?.key(&vec![5; aead.key_len()])?)
}

/// Sequence number, content type and version of a TLS 1.2 record.
const CBC_AAD: [u8; 11] = [0, 0, 0, 0, 0, 0, 0, 1, 23, 3, 3];

fn cbc_key(usage: Use) -> Result<Box<dyn clasp::crypto::CbcHmacKey>> {
    let legacy = Provider::builtin().legacy.context("the feature `legacy` is off")?;
    let id = CbcId { key_len: 16, mac: HashId::Sha1 };
    Ok(legacy.cbc_hmac(id, &[4; 20], &[5; 16], usage).context("no such cipher")??)
}

fn group(curve: Curve) -> Result<&'static dyn clasp::crypto::Group> {
    let id = match curve {
        Curve::X25519 => NamedGroup::X25519,
        Curve::P256 => NamedGroup::Secp256r1,
    };
    Provider::builtin().group(id).context("no such group")
}

fn scheme(key: Key) -> SignatureScheme {
    match key {
        Key::EcdsaP256 => SignatureScheme::EcdsaSecp256r1Sha256,
        Key::Rsa2048 => SignatureScheme::RsaPssRsaeSha256,
    }
}
