//! The built-in provider: for each primitive the library that is fastest on the processor at hand. The figures are in
//! docs/dependencies.md.

use super::{Aead, Provider, aws_lc, ring};
use std::sync::LazyLock;

pub(super) static AWS_LC: Provider = Provider {
    name: "AWS-LC",
    aeads: AWS_LC_AEADS,
    hashes: aws_lc::HASHES,
    groups: aws_lc::GROUPS,
    verify: aws_lc::VERIFY,
    random: aws_lc::RANDOM,
    legacy: aws_lc::LEGACY,
};

pub(super) static RING_AES_GCM: Provider = Provider {
    name: "AWS-LC, with AES-GCM of ring",
    aeads: RING_AEADS,
    hashes: aws_lc::HASHES,
    groups: aws_lc::GROUPS,
    verify: aws_lc::VERIFY,
    random: aws_lc::RANDOM,
    legacy: aws_lc::LEGACY,
};

const AWS_LC_AEADS: &[&dyn Aead] =
    &[&aws_lc::aead::AES_128_GCM, &aws_lc::aead::AES_256_GCM, &aws_lc::aead::CHACHA20_POLY1305];

const RING_AEADS: &[&dyn Aead] =
    &[&ring::aead::AES_128_GCM, &ring::aead::AES_256_GCM, &aws_lc::aead::CHACHA20_POLY1305];

/// Chosen once: the processor does not change.
pub(super) static FASTEST: LazyLock<&'static Provider> =
    LazyLock::new(|| if ring_has_the_faster_aes_gcm() { &RING_AES_GCM } else { &AWS_LC });

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
    use crate::crypto::{CryptoError, TAG_LEN};

    /// Whichever is chosen here, the other is chosen elsewhere: both must be the same AEADs.
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
                    let tag = from.seal(&nonce, &aad, &mut sealed).unwrap();
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
        for aead in AWS_LC_AEADS.iter().chain(RING_AEADS) {
            assert!(aead.key(&[1; 24]).is_err(), "{:?}", aead.id());
        }
    }
}
