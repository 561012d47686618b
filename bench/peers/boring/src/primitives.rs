//! BoringSSL's primitives: by the crate where it has them without a detour, else by the C functions themselves.

use anyhow::{Context as _, Result, ensure};
use bench_harness::credentials::Credentials;
use bench_harness::primitive::{Curve, Primitive, additional_data, expand_label_info};
use bench_harness::scenario::{Aead, Key};
use bench_harness::{Offer, Operation};
use boring::bn::BigNumContext;
use boring::derive::Deriver;
use boring::ec::{EcGroup, EcKey, EcPoint, PointConversionForm};
use boring::hash::MessageDigest;
use boring::hkdf::HkdfSuite;
use boring::mlkem::{Algorithm as Kem, MlKemPrivateKey, MlKemPublicKey};
use boring::nid::Nid;
use boring::pkey::{PKey, Private};
use boring::rsa::Padding;
use boring::sign::{RsaPssSaltlen, Signer, Verifier};
use boring::x509::X509;
use boring_sys as ffi;
use std::ptr;

pub(crate) fn find(primitive: Primitive, credentials: &Credentials) -> Result<Offer<Operation>> {
    Ok(Offer::Has(match primitive {
        Primitive::Seal(aead, size) => {
            let (key, aad, mut data) = (AeadKey::new(aead)?, additional_data(size), vec![7; size]);
            Operation::new(move || key.seal(&aad, &mut data).map(drop))
        }
        Primitive::Open(aead, size) => {
            let (key, aad, mut sealed) = (AeadKey::new(aead)?, additional_data(size), vec![7; size]);
            let tag = key.seal(&aad, &mut sealed)?;
            Operation::on_copies(sealed, move |data| key.open(&aad, data, &tag))
        }
        Primitive::AeadKey(aead) => Operation::new(move || AeadKey::new(aead).map(drop)),
        Primitive::CbcSeal(size) => {
            let (key, mut data) = (AeadKey::cbc(true)?, vec![7; size + CBC_OVERHEAD]);
            Operation::new(move || key.cbc_seal(&mut data, size).map(drop))
        }
        Primitive::CbcOpen(size) => {
            let mut sealed = vec![7; size + CBC_OVERHEAD];
            let len = AeadKey::cbc(true)?.cbc_seal(&mut sealed, size)?;
            sealed.truncate(len);
            let key = AeadKey::cbc(false)?;
            Operation::on_copies(sealed, move |data| key.cbc_open(data))
        }
        Primitive::KeyPair(curve) => Operation::new(move || key_pair(curve).map(drop)),
        Primitive::Exchange(curve) => {
            let peer = key_pair(curve)?.1;
            Operation::new(move || key_pair(curve)?.0.agree(&peer))
        }
        Primitive::KemKeyPair => Operation::new(|| Ok(MlKemPrivateKey::generate(Kem::MlKem768).map(drop)?)),
        Primitive::KemExchange => {
            let ciphertext = MlKemPrivateKey::generate(Kem::MlKem768)?.0.encapsulate()?.0;
            Operation::new(move || {
                Ok(MlKemPrivateKey::generate(Kem::MlKem768)?.1.decapsulate(&ciphertext).map(drop)?)
            })
        }
        Primitive::Encapsulate => {
            let public = MlKemPrivateKey::generate(Kem::MlKem768)?.0.as_bytes().to_vec();
            Operation::new(move || Ok(MlKemPublicKey::from_slice(Kem::MlKem768, &public)?.encapsulate().map(drop)?))
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
            let key = HmacKey::new(&[3; 32])?;
            Operation::new(move || key.sign(&[7; 32]))
        }
        Primitive::ExpandLabel => {
            let (suite, info) = (HkdfSuite::new(MessageDigest::sha256()), expand_label_info());
            Operation::new(move || {
                let mut out = [0; 32];
                suite.expand(&[3; 32], &info, &mut out)?;
                std::hint::black_box(out);
                Ok(())
            })
        }
        Primitive::Random => Operation::new(|| Ok(boring::rand::rand_bytes(&mut [0; 32])?)),
        Primitive::Hash => Operation::new(|| {
            std::hint::black_box(boring::sha::sha256(&[7; 1024]));
            Ok(())
        }),
    }))
}

const MESSAGE: &[u8] = &[7; 130];
/// HMAC-SHA-1 and at most a block of padding.
const CBC_OVERHEAD: usize = 20 + 16;

struct AeadKey(ptr::NonNull<ffi::EVP_AEAD_CTX>);

impl AeadKey {
    fn new(aead: Aead) -> Result<Self> {
        // SAFETY: the key is as long as the AEAD wants it.
        let context = unsafe {
            let algorithm = match aead {
                Aead::Aes128Gcm => ffi::EVP_aead_aes_128_gcm(),
                Aead::Aes256Gcm => ffi::EVP_aead_aes_256_gcm(),
                Aead::ChaCha20Poly1305 => ffi::EVP_aead_chacha20_poly1305(),
            };
            ffi::EVP_AEAD_CTX_new(algorithm, [5_u8; 32].as_ptr(), aead.key_len(), 16)
        };
        ptr::NonNull::new(context).map(Self).context("no AEAD key")
    }

    /// AES-128-CBC with HMAC-SHA-1 for one direction: the MAC's key, then the cipher's.
    fn cbc(seals: bool) -> Result<Self> {
        type Direction = ffi::evp_aead_direction_t;
        let direction = if seals { Direction::evp_aead_seal } else { Direction::evp_aead_open };
        let new = Self::new(Aead::Aes128Gcm)?;
        // SAFETY: a context that was set up may be set up anew once it is cleaned; key and tag have their lengths.
        let done = unsafe {
            ffi::EVP_AEAD_CTX_cleanup(new.0.as_ptr());
            ffi::EVP_AEAD_CTX_zero(new.0.as_ptr());
            let algorithm = ffi::EVP_aead_aes_128_cbc_sha1_tls();
            ffi::EVP_AEAD_CTX_init_with_direction(new.0.as_ptr(), algorithm, [5_u8; 36].as_ptr(), 36, 20, direction)
        };
        ensure!(done == 1, "no CBC key");
        Ok(new)
    }

    fn seal(&self, aad: &[u8], data: &mut [u8]) -> Result<[u8; 16]> {
        let (mut tag, mut tag_len) = ([0; 16], 0);
        // SAFETY: in place; all lengths are those of their buffers.
        let done = unsafe {
            ffi::EVP_AEAD_CTX_seal_scatter(
                self.0.as_ptr(),
                data.as_mut_ptr(),
                tag.as_mut_ptr(),
                &raw mut tag_len,
                tag.len(),
                [9; 12].as_ptr(),
                12,
                data.as_ptr(),
                data.len(),
                ptr::null(),
                0,
                aad.as_ptr(),
                aad.len(),
            )
        };
        ensure!(done == 1, "sealing failed");
        Ok(tag)
    }

    fn open(&self, aad: &[u8], data: &mut [u8], tag: &[u8]) -> Result<()> {
        // SAFETY: in place; all lengths are those of their buffers.
        let done = unsafe {
            ffi::EVP_AEAD_CTX_open_gather(
                self.0.as_ptr(),
                data.as_mut_ptr(),
                [9; 12].as_ptr(),
                12,
                data.as_ptr(),
                data.len(),
                tag.as_ptr(),
                tag.len(),
                aad.as_ptr(),
                aad.len(),
            )
        };
        ensure!(done == 1, "opening failed");
        Ok(())
    }

    /// Seals the first `plain` bytes in place; gives the ciphertext's length.
    fn cbc_seal(&self, data: &mut [u8], plain: usize) -> Result<usize> {
        let mut len = 0;
        // SAFETY: in place; the room behind the plaintext is part of `data`.
        let done = unsafe {
            ffi::EVP_AEAD_CTX_seal(
                self.0.as_ptr(),
                data.as_mut_ptr(),
                &raw mut len,
                data.len(),
                [9; 16].as_ptr(),
                16,
                data.as_ptr(),
                plain,
                [1; 11].as_ptr(),
                11,
            )
        };
        ensure!(done == 1, "sealing failed");
        Ok(len)
    }

    fn cbc_open(&self, data: &mut [u8]) -> Result<()> {
        let mut len = 0;
        // SAFETY: in place; all lengths are those of their buffers.
        let done = unsafe {
            ffi::EVP_AEAD_CTX_open(
                self.0.as_ptr(),
                data.as_mut_ptr(),
                &raw mut len,
                data.len(),
                [9; 16].as_ptr(),
                16,
                data.as_ptr(),
                data.len(),
                [1; 11].as_ptr(),
                11,
            )
        };
        ensure!(done == 1, "opening failed");
        Ok(())
    }
}

impl Drop for AeadKey {
    fn drop(&mut self) {
        // SAFETY: it is ours, and used no more.
        unsafe { ffi::EVP_AEAD_CTX_free(self.0.as_ptr()) }
    }
}

enum PrivateKey {
    X25519([u8; 32]),
    P256(EcKey<Private>),
}

fn key_pair(curve: Curve) -> Result<(PrivateKey, Vec<u8>)> {
    Ok(match curve {
        Curve::X25519 => {
            let (mut public, mut private) = ([0; 32], [0; 32]);
            // SAFETY: both are 32 bytes.
            unsafe { ffi::X25519_keypair(public.as_mut_ptr(), private.as_mut_ptr()) };
            (PrivateKey::X25519(private), public.to_vec())
        }
        Curve::P256 => {
            let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
            let key = EcKey::generate(&group)?;
            let form = PointConversionForm::UNCOMPRESSED;
            let public = key.public_key().to_bytes(&group, form, &mut *BigNumContext::new()?)?;
            (PrivateKey::P256(key), public)
        }
    })
}

impl PrivateKey {
    fn agree(self, peer: &[u8]) -> Result<()> {
        match self {
            Self::X25519(private) => {
                let mut secret = [0; 32];
                ensure!(peer.len() == 32, "a public value of another length");
                // SAFETY: all three are 32 bytes.
                let done = unsafe { ffi::X25519(secret.as_mut_ptr(), private.as_ptr(), peer.as_ptr()) };
                ensure!(done == 1, "no agreement");
                std::hint::black_box(secret);
            }
            Self::P256(key) => {
                let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
                let point = EcPoint::from_bytes(&group, peer, &mut *BigNumContext::new()?)?;
                let peer = PKey::from_ec_key(EcKey::from_public_key(&group, &point)?)?;
                let key = PKey::from_ec_key(key)?;
                let mut deriver = Deriver::new(&key)?;
                deriver.set_peer(&peer)?;
                std::hint::black_box(deriver.derive_to_vec()?);
            }
        }
        Ok(())
    }
}

fn sign(kind: Key, key: &PKey<Private>) -> Result<Vec<u8>> {
    let mut signer = Signer::new(MessageDigest::sha256(), key)?;
    if kind == Key::Rsa2048 {
        signer.set_rsa_padding(Padding::PKCS1_PSS)?;
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
    }
    Ok(signer.sign_oneshot_to_vec(MESSAGE)?)
}

/// An HMAC key that is set up: its context is used again and again.
struct HmacKey(ptr::NonNull<ffi::HMAC_CTX>);

impl HmacKey {
    fn new(key: &[u8; 32]) -> Result<Self> {
        // SAFETY: a new context, and a key of the length that is said.
        unsafe {
            let new = Self(ptr::NonNull::new(ffi::HMAC_CTX_new()).context("no HMAC context")?);
            let done = ffi::HMAC_Init_ex(new.0.as_ptr(), key.as_ptr().cast(), 32, ffi::EVP_sha256(), ptr::null_mut());
            ensure!(done == 1, "no HMAC key");
            Ok(new)
        }
    }

    fn sign(&self, message: &[u8; 32]) -> Result<()> {
        let (mut out, mut len) = ([0; 32], 0);
        // SAFETY: no key means the one that is set up; `out` has room for SHA-256's.
        let done = unsafe {
            let context = self.0.as_ptr();
            ffi::HMAC_Init_ex(context, ptr::null(), 0, ptr::null(), ptr::null_mut())
                & ffi::HMAC_Update(context, message.as_ptr(), message.len())
                & ffi::HMAC_Final(context, out.as_mut_ptr(), &raw mut len)
        };
        ensure!(done == 1, "no MAC");
        std::hint::black_box(out);
        Ok(())
    }
}

impl Drop for HmacKey {
    fn drop(&mut self) {
        // SAFETY: it is ours, and used no more.
        unsafe { ffi::HMAC_CTX_free(self.0.as_ptr()) }
    }
}
