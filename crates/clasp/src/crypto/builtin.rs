//! The built-in provider: for each primitive the library that is fastest on the processor at hand. The figures are in
//! docs/dependencies.md.

#[cfg(feature = "ring")]
use super::ring;
#[cfg(feature = "rust-crypto")]
use super::rust_crypto;
use super::{Aead, Hash, Provider, aws_lc};
use crate::code::SignatureScheme;
use clasp_x509::AwsLc;
use std::sync::LazyLock;

const fn provider(
    name: &'static str,
    aeads: &'static [&'static dyn Aead],
    hashes: &'static [&'static dyn Hash],
) -> Provider {
    Provider {
        name,
        aeads,
        hashes,
        groups: aws_lc::GROUPS,
        signatures: &AwsLc,
        schemes: SCHEMES,
        random: aws_lc::RANDOM,
        legacy: aws_lc::LEGACY,
    }
}

/// Public keys are AWS-LC's on every processor.
const SCHEMES: &[SignatureScheme] = &[
    SignatureScheme::EcdsaSecp256r1Sha256,
    SignatureScheme::EcdsaSecp384r1Sha384,
    SignatureScheme::EcdsaSecp521r1Sha512,
    SignatureScheme::Ed25519,
    SignatureScheme::RsaPssRsaeSha256,
    SignatureScheme::RsaPssRsaeSha384,
    SignatureScheme::RsaPssRsaeSha512,
    SignatureScheme::RsaPssPssSha256,
    SignatureScheme::RsaPssPssSha384,
    SignatureScheme::RsaPssPssSha512,
    SignatureScheme::RsaPkcs1Sha256,
    SignatureScheme::RsaPkcs1Sha384,
    SignatureScheme::RsaPkcs1Sha512,
    SignatureScheme::MlDsa44,
    SignatureScheme::MlDsa65,
    SignatureScheme::MlDsa87,
];

pub(super) static AWS_LC: Provider = provider("AWS-LC", AWS_LC_AEADS, AWS_LC_HASHES);
#[cfg(feature = "ring")]
static RING: Provider = provider("AWS-LC, with AES-GCM of ring", RING_AEADS, AWS_LC_HASHES);
#[cfg(feature = "rust-crypto")]
static RUST_CRYPTO: Provider = provider("AWS-LC, with SHA-2 of RustCrypto", AWS_LC_AEADS, RUST_CRYPTO_HASHES);
#[cfg(all(feature = "ring", feature = "rust-crypto"))]
static MIXED: Provider =
    provider("AWS-LC, with AES-GCM of ring and SHA-2 of RustCrypto", RING_AEADS, RUST_CRYPTO_HASHES);

/// All that may be chosen.
pub(super) static CHOICES: &[&Provider] = &[
    &AWS_LC,
    #[cfg(feature = "ring")]
    &RING,
    #[cfg(feature = "rust-crypto")]
    &RUST_CRYPTO,
    #[cfg(all(feature = "ring", feature = "rust-crypto"))]
    &MIXED,
];

const AWS_LC_AEADS: &[&dyn Aead] =
    &[&aws_lc::aead::AES_128_GCM, &aws_lc::aead::AES_256_GCM, &aws_lc::aead::CHACHA20_POLY1305];

#[cfg(feature = "ring")]
const RING_AEADS: &[&dyn Aead] =
    &[&ring::aead::AES_128_GCM, &ring::aead::AES_256_GCM, &aws_lc::aead::CHACHA20_POLY1305];

const AWS_LC_HASHES: &[&dyn Hash] =
    &[&aws_lc::hash::SHA256, &aws_lc::hash::SHA384, &aws_lc::hash::SHA1, &aws_lc::hash::SHA512];

#[cfg(feature = "rust-crypto")]
const RUST_CRYPTO_HASHES: &[&dyn Hash] =
    &[&rust_crypto::hash::SHA256, &rust_crypto::hash::SHA384, &aws_lc::hash::SHA1, &aws_lc::hash::SHA512];

/// The tests' choice in place of the processor's, so that each can be tested on any machine. `CLASP_TEST_PROVIDER` is read when
/// Clasp is compiled: whoever starts a program has no say in it. Compiled with `asked`, for tests alone, it asks
/// `CLASP_TEST_PROVIDER_NOW` at its start, so that one build goes through several choices.
#[allow(clippy::panic)] // in tests' builds alone
fn forced() -> Option<&'static Provider> {
    let told = option_env!("CLASP_TEST_PROVIDER")?;
    let asked = if told == "asked" { std::env::var("CLASP_TEST_PROVIDER_NOW").ok()? } else { told.to_owned() };
    let named = match &*asked {
        "aws-lc" => &AWS_LC,
        #[cfg(feature = "ring")]
        "ring" => &RING,
        #[cfg(feature = "rust-crypto")]
        "rust-crypto" => &RUST_CRYPTO,
        #[cfg(all(feature = "ring", feature = "rust-crypto"))]
        "mixed" => &MIXED,
        _ => panic!(
            "a choice for tests is aws-lc or, with the features for them, ring, rust-crypto or mixed; found {asked:?}"
        ),
    };
    Some(named)
}

/// Chosen once: the processor does not change.
pub(super) static FASTEST: LazyLock<&Provider> =
    LazyLock::new(|| forced().unwrap_or_else(|| choice(ring_has_the_faster_aes_gcm(), has_sha_instructions())));

/// Of what is built in, what a processor gets for which ring's AES-GCM or RustCrypto's SHA-2 is the faster.
const fn choice(ring: bool, rust_crypto: bool) -> &'static Provider {
    #[cfg(all(feature = "ring", feature = "rust-crypto"))]
    if ring && rust_crypto {
        return &MIXED;
    }
    #[cfg(feature = "ring")]
    if ring {
        return &RING;
    }
    #[cfg(feature = "rust-crypto")]
    if rust_crypto {
        return &RUST_CRYPTO;
    }
    let _without_these_features = (ring, rust_crypto);
    &AWS_LC
}

/// RustCrypto's SHA-256 is as fast as any where the processor has instructions for it, and needs no heap. Without them
/// AWS-LC's assembly is faster.
#[cfg(target_arch = "x86_64")]
fn has_sha_instructions() -> bool {
    is_x86_feature_detected!("sha") && is_x86_feature_detected!("ssse3") && is_x86_feature_detected!("sse4.1")
}

#[cfg(target_arch = "aarch64")]
fn has_sha_instructions() -> bool {
    std::arch::is_aarch64_feature_detected!("sha2")
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const fn has_sha_instructions() -> bool {
    false
}

/// ring has AES-GCM in VAES and AVX2, which AWS-LC has not; AWS-LC has it in VAES and AVX-512, which is faster still
/// (and is left out of its builds for Windows).
#[cfg(target_arch = "x86_64")]
fn ring_has_the_faster_aes_gcm() -> bool {
    let vaes = is_x86_feature_detected!("vaes") && is_x86_feature_detected!("vpclmulqdq");
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && cfg!(not(windows));
    vaes && is_x86_feature_detected!("avx2") && !avx512
}

#[cfg(not(target_arch = "x86_64"))]
const fn ring_has_the_faster_aes_gcm() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(feature = "ring")]
    use crate::crypto::{CryptoError, TAG_LEN};

    /// Without a library, its choice is not there, and a processor that would have had it gets the next best.
    #[test]
    fn what_is_left_out_is_not_chosen() {
        let name = |ring, rust_crypto| choice(ring, rust_crypto).name;
        assert_eq!(name(false, false), "AWS-LC");
        assert_eq!(name(true, false).contains("ring"), cfg!(feature = "ring"));
        assert_eq!(name(false, true).contains("RustCrypto"), cfg!(feature = "rust-crypto"));
        assert_eq!(name(true, true).contains("ring"), cfg!(feature = "ring"));
        assert_eq!(name(true, true).contains("RustCrypto"), cfg!(feature = "rust-crypto"));
        let (ring, rust_crypto) = (usize::from(cfg!(feature = "ring")), usize::from(cfg!(feature = "rust-crypto")));
        assert_eq!(CHOICES.len(), (1 + ring) * (1 + rust_crypto));
    }

    /// Whichever is chosen here, the other is chosen elsewhere: both must be the same AEADs.
    #[cfg(feature = "ring")]
    #[test]
    fn what_one_library_seals_the_other_opens() {
        let key: Vec<u8> = (1..=32).collect();
        let (nonce, aad) = ([9; 12], *b"\x17\x03\x03\x00\x20");
        for (one, other) in AWS_LC_AEADS.iter().zip(RING_AEADS) {
            assert_eq!(one.id(), other.id());
            for (from, to) in [(one, other), (other, one)] {
                let (from, to) =
                    (from.key(&key[..one.id().key_len()]).unwrap(), to.key(&key[..one.id().key_len()]).unwrap());
                for len in [0, 1, 15, 16, 17, 63, 64, 255, 256, 1024, 16_384] {
                    let plain: Vec<u8> = (0..=250).cycle().take(len).collect();
                    let mut sealed = plain.clone();
                    let mut tag = [0; TAG_LEN];
                    from.seal(&nonce, &aad, &mut sealed, &mut tag).unwrap();
                    sealed.extend_from_slice(&tag);
                    let mut altered = sealed.clone();
                    assert_eq!(to.open(&nonce, &aad, &mut sealed), Ok(len));
                    assert_eq!(&sealed[..len], plain);
                    let mut apart = vec![0; len + TAG_LEN];
                    from.seal_to(&nonce, &aad, &plain[..len - len.min(1)], &plain[len - len.min(1)..], &mut apart)
                        .unwrap();
                    assert_eq!(apart, altered, "from one buffer to another it is the same");
                    let mut back = vec![0; len + 3];
                    assert_eq!(to.open_to(&nonce, &aad, &mut apart, &mut back), Ok(len));
                    assert_eq!(&back[..len], plain);
                    assert!(from.seal_to(&nonce, &aad, &plain, &[], &mut back).is_err(), "no room for the tag");
                    altered[len + TAG_LEN - 1] ^= 1;
                    assert_eq!(to.open_to(&nonce, &aad, &mut altered.clone(), &mut back), Err(CryptoError));
                    assert_eq!(to.open(&nonce, &aad, &mut altered), Err(CryptoError));
                }
            }
        }
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        for aead in CHOICES.iter().flat_map(|choice| choice.aeads) {
            assert!(aead.key(&[1; 24]).is_err(), "{:?}", aead.id());
        }
    }

    #[cfg(feature = "rust-crypto")]
    #[test]
    fn hashes_of_both_libraries_are_the_same() {
        let text: Vec<u8> = (0..=255).collect();
        for (one, other) in AWS_LC_HASHES.iter().zip(RUST_CRYPTO_HASHES) {
            assert_eq!(one.id(), other.id());
            let len = one.id().len();
            for at in [0, 1, 55, 64, 127, 200] {
                let (front, back) = text.split_at(at);
                let (mut a, mut b) = (one.start(), other.start());
                assert_eq!(a.value().as_ref(), b.value().as_ref());
                a.update(front);
                b.update(front);
                assert_eq!(a.value().as_ref(), one.digest(&[front]).as_ref());
                b.update(back);
                assert_eq!(b.value().as_ref(), one.digest(&[front, back]).as_ref());
                assert_eq!(other.digest(&[front, &[], back]).as_ref(), one.digest(&[&text]).as_ref());

                let (mut x, mut y, mut z) = ([0; 65], [0; 65], [0; 12]);
                one.hmac(front).sign(&[front, back], &mut x);
                other.keyed(front, &mut |key| {
                    key.sign(&[&text], &mut y);
                    key.sign(&[front, back], &mut z);
                });
                assert_eq!(x, y, "{:?} of {at} bytes", one.id());
                assert_eq!(x[..12], z);
                assert!(x[len..].iter().all(|b| *b == 0), "written behind the MAC");
            }
        }
    }
}
