//! RSA key transport on the server: raw RSA decryption, then the check of RFC 5246 7.4.7.1 and the substitution of a
//! random premaster, without a branch, an error or a timing that tells good padding from bad (Bleichenbacher, ROBOT,
//! Marvin).
//!
//! Why unsafe: aws-lc-rs offers PKCS#1 decryption only with an error for bad padding, which is the oracle itself.
//! What holds: the RSA object is created once, owned here, freed once on drop, and used through `RSA_decrypt`, which
//! AWS-LC allows from many threads at once; every pointer given to C comes from a live slice with its true length.
#![allow(unsafe_code)]

use crate::crypto::{CryptoError, CryptoResult};
use aws_lc_sys as sys;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

/// The largest modulus taken: 8192 bits.
const MAX_MODULUS_LEN: usize = 1024;
/// Bytes of a premaster secret.
const PREMASTER_LEN: usize = 48;
/// 0x00 0x02, at least eight bytes of padding, 0x00.
const LEAST_PADDING: usize = 11;

pub(in super::super) struct RsaTransportKey(NonNull<sys::RSA>);

// SAFETY: an RSA object is reference-counted plain memory, not bound to a thread.
unsafe impl Send for RsaTransportKey {}
// SAFETY: AWS-LC locks inside an RSA object where it changes (blinding); private operations may run at once.
unsafe impl Sync for RsaTransportKey {}

impl RsaTransportKey {
    /// Reads a PKCS#8 or PKCS#1 private key.
    pub(in super::super) fn from_der(der: &[u8]) -> CryptoResult<Self> {
        Self::pkcs8(der).or_else(|| Self::pkcs1(der)).ok_or(CryptoError)
    }

    fn pkcs8(der: &[u8]) -> Option<Self> {
        let mut cbs = MaybeUninit::uninit();
        // SAFETY: CBS_init writes a view of `der`, which outlives the parse; the parsed key is freed here, after the
        // RSA inside it has been given a reference of its own.
        let rsa = unsafe {
            sys::CBS_init(cbs.as_mut_ptr(), der.as_ptr(), der.len());
            let key = NonNull::new(sys::EVP_parse_private_key(cbs.as_mut_ptr()))?;
            let rsa = sys::EVP_PKEY_get1_RSA(key.as_ptr());
            sys::EVP_PKEY_free(key.as_ptr());
            rsa
        };
        NonNull::new(rsa).map(Self)
    }

    fn pkcs1(der: &[u8]) -> Option<Self> {
        // SAFETY: pointer and length are those of `der`; the result is owned by us.
        NonNull::new(unsafe { sys::RSA_private_key_from_bytes(der.as_ptr(), der.len()) }).map(Self)
    }

    fn modulus_len(&self) -> usize {
        // SAFETY: the object is alive.
        usize::try_from(unsafe { sys::RSA_size(self.0.as_ptr()) }).unwrap_or(0)
    }

    /// Puts the premaster into `out`: the decrypted one if its padding and version are right, else `random`, which the
    /// caller drew before. Nothing tells which.
    pub(in super::super) fn premaster(
        &self,
        ciphertext: &[u8],
        version: [u8; 2],
        random: &[u8; 48],
        out: &mut [u8; 48],
    ) {
        let len = self.modulus_len();
        let mut buffer = Zeroizing::new([0_u8; MAX_MODULUS_LEN]);
        out.copy_from_slice(random);
        if !(LEAST_PADDING + PREMASTER_LEN..=MAX_MODULUS_LEN).contains(&len) {
            return;
        }
        let mut written = 0;
        // A ciphertext of another length, or not below the modulus, is public knowledge: it fails here and the random
        // premaster stays, with the same outcome for the peer.
        // SAFETY: the object is alive; `buffer` has room for `len` bytes; both slices are live.
        let done = unsafe {
            sys::RSA_decrypt(
                self.0.as_ptr(),
                &raw mut written,
                buffer.as_mut_ptr(),
                len,
                ciphertext.as_ptr(),
                ciphertext.len(),
                sys::RSA_NO_PADDING,
            )
        };
        // SAFETY: only empties this thread's error queue.
        unsafe { sys::ERR_clear_error() };
        let usable = Choice::from(u8::from(done == 1 && written == len));
        select(&buffer[..len], version, usable, out);
    }
}

/// RFC 5246 7.4.7.1: EM = 00 02 PS 00 version(2) random(46), PS without a zero. Constant time in `em`.
fn select(em: &[u8], version: [u8; 2], usable: Choice, out: &mut [u8; 48]) {
    let secret = em.len() - PREMASTER_LEN;
    let mut good = usable & em[0].ct_eq(&0) & em[1].ct_eq(&2) & em[secret - 1].ct_eq(&0);
    for byte in &em[2..secret - 1] {
        good &= !byte.ct_eq(&0);
    }
    good &= em[secret].ct_eq(&version[0]) & em[secret + 1].ct_eq(&version[1]);
    for (out, byte) in out.iter_mut().zip(&em[secret..]) {
        out.conditional_assign(byte, good);
    }
}

impl Drop for RsaTransportKey {
    fn drop(&mut self) {
        // SAFETY: owned, freed once.
        unsafe { sys::RSA_free(self.0.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded() -> [u8; 256] {
        let mut em = [0xab; 256];
        em[0] = 0;
        em[1] = 2;
        em[207] = 0;
        em[208] = 3;
        em[209] = 3;
        em
    }

    fn selected(em: &[u8], version: [u8; 2]) -> bool {
        let mut out = [0x55; 48];
        select(em, version, Choice::from(1), &mut out);
        assert!(out == [0x55; 48] || out[..] == em[208..], "neither the random nor the decrypted premaster");
        out != [0x55; 48]
    }

    /// Bleichenbacher, ROBOT: each kind of malformed plaintext gives the random premaster, silently.
    #[test]
    fn bleichenbacher_every_malformed_plaintext_gives_the_random_premaster() {
        assert!(selected(&encoded(), [3, 3]));
        for (place, value) in [(0, 1), (1, 1), (1, 0), (2, 0), (100, 0), (206, 0), (207, 1), (208, 2), (209, 1)] {
            let mut em = encoded();
            em[place] = value;
            assert!(!selected(&em, [3, 3]), "byte {place} = {value} was taken");
        }
        assert!(!selected(&encoded(), [3, 1]), "another version was taken");
    }

    /// Wycheproof's RSAES-PKCS1-v1_5 vectors: what is valid and as long as a premaster secret comes out, all else leaves
    /// the random one.
    #[test]
    fn bleichenbacher_wycheproof_what_is_no_premaster_gives_the_random_one() {
        use wycheproof::TestResult;
        use wycheproof::rsa_pkcs1_decrypt::{TestName, TestSet};
        let mut seen = (0, 0);
        for name in [TestName::Rsa2048, TestName::Rsa3072, TestName::Rsa4096] {
            for group in TestSet::load(name).unwrap().test_groups {
                let key = RsaTransportKey::from_der(&group.pkcs8).unwrap();
                for test in group.tests {
                    let secret = <[u8; 48]>::try_from(&test.pt[..]).ok();
                    let version = secret.map_or([3, 3], |secret| [secret[0], secret[1]]);
                    let mut out = [0; 48];
                    key.premaster(&test.ct, version, &[0x55; 48], &mut out);
                    let wanted = secret.filter(|_| test.result == TestResult::Valid);
                    assert_eq!(out, wanted.unwrap_or([0x55; 48]), "{name:?} {}: {}", test.tc_id, test.comment);
                    seen = (seen.0 + 1, seen.1 + usize::from(wanted.is_some()));
                }
            }
        }
        assert!(seen.0 > 150, "{seen:?}");
    }
}
