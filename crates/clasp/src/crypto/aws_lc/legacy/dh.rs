//! Finite-field Diffie-Hellman with a fresh exponent each time (Raccoon needs a reused one).
//!
//! Why unsafe: no safe crate offers it. What holds: every BIGNUM is owned by a wrapper that frees it once; pointers
//! given to C come from live slices with their true length; the secret exponent goes only through
//! `BN_mod_exp_mont_consttime`.
#![allow(unsafe_code)]

use crate::crypto::{CryptoError, CryptoResult, KeyShare, SharedSecret};
use aws_lc_sys as sys;
use core::ptr::{self, NonNull};
use zeroize::Zeroizing;

/// A smaller prime is refused (Logjam); a larger one costs more than a peer may ask for.
const PRIME_BITS: core::ops::RangeInclusive<usize> = 2048..=8192;
/// Twice the strength of the strongest group: RFC 7919 5.2 asks for at least 400 bits with ffdhe8192.
const EXPONENT_LEN: usize = 64;

struct Number(NonNull<sys::BIGNUM>);

// SAFETY: a BIGNUM is plain heap memory.
unsafe impl Send for Number {}

impl Number {
    fn new(bytes: &[u8]) -> CryptoResult<Self> {
        // SAFETY: pointer and length are those of `bytes`; the result is owned by us.
        let number = unsafe { sys::BN_bin2bn(bytes.as_ptr(), bytes.len(), ptr::null_mut()) };
        NonNull::new(number).map(Self).ok_or(CryptoError)
    }

    fn write(&self, out: &mut [u8]) -> CryptoResult<()> {
        // SAFETY: the number is alive; `out` has the length given.
        match unsafe { sys::BN_bn2bin_padded(out.as_mut_ptr(), out.len(), self.0.as_ptr()) } {
            1 => Ok(()),
            _ => Err(CryptoError),
        }
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        // SAFETY: owned, freed once; clears the memory first.
        unsafe { sys::BN_clear_free(self.0.as_ptr()) };
    }
}

struct Share {
    p: Vec<u8>,
    exponent: Zeroizing<[u8; EXPONENT_LEN]>,
    public: Vec<u8>,
}

pub(super) fn start(p: &[u8], g: &[u8]) -> CryptoResult<Box<dyn KeyShare>> {
    let p = trim(p);
    let g = trim(g);
    let zeros = p.first().map_or(0, |b| usize::try_from(b.leading_zeros()).unwrap_or(0));
    let bits = p.len().saturating_mul(8).saturating_sub(zeros);
    let odd = p.last().is_some_and(|b| b & 1 == 1);
    if !PRIME_BITS.contains(&bits) || !odd || !in_range(g, p) {
        return Err(CryptoError);
    }
    let mut exponent = Zeroizing::new([0; EXPONENT_LEN]);
    aws_lc_rs::rand::fill(&mut *exponent)?;
    // The top bit fixes the exponent's length.
    let [top, ..] = &mut *exponent;
    *top |= 0x80;
    let mut public = vec![0; p.len()];
    power(g, &*exponent, p, &mut public)?;
    Ok(Box::new(Share { p: p.to_vec(), exponent, public }))
}

fn trim(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|b| **b == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// 1 < y < p - 1: RFC 7919 5.1. Public values only, so comparing may branch.
fn in_range(y: &[u8], p: &[u8]) -> bool {
    let y = trim(y);
    let mut limit = p.to_vec();
    if let Some(last) = limit.last_mut() {
        *last &= 0xfe;
    }
    let above_one = y.len() > 1 || y.first().is_some_and(|b| *b > 1);
    let below = (y.len(), y) < (limit.len(), limit.as_slice());
    above_one && below
}

/// base ^ exponent mod p into `out`, which has p's length.
fn power(base: &[u8], exponent: &[u8], p: &[u8], out: &mut [u8]) -> CryptoResult<()> {
    let (base, exponent, p) = (Number::new(base)?, Number::new(exponent)?, Number::new(p)?);
    let result = Number::new(&[])?;
    // SAFETY: all numbers are alive and distinct; the context is created and freed here; p is odd, as the function
    // needs; a null Montgomery context makes the function set up its own.
    let done = unsafe {
        let context = NonNull::new(sys::BN_CTX_new()).ok_or(CryptoError)?;
        let done = sys::BN_mod_exp_mont_consttime(
            result.0.as_ptr(),
            base.0.as_ptr(),
            exponent.0.as_ptr(),
            p.0.as_ptr(),
            context.as_ptr(),
            ptr::null(),
        );
        sys::BN_CTX_free(context.as_ptr());
        done
    };
    if done != 1 {
        // SAFETY: only empties this thread's error queue.
        unsafe { sys::ERR_clear_error() };
        return Err(CryptoError);
    }
    result.write(out)
}

impl KeyShare for Share {
    fn public(&self) -> &[u8] {
        &self.public
    }

    fn finish(self: Box<Self>, peer: &[u8], secret: &mut SharedSecret) -> CryptoResult<()> {
        if !in_range(peer, &self.p) {
            return Err(CryptoError);
        }
        power(trim(peer), &*self.exponent, &self.p, secret.fill(self.p.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::ffdhe_primes::{FFDHE2048, FFDHE3072};
    use super::*;

    #[test]
    fn both_sides_agree() {
        for p in [&FFDHE2048[..], &FFDHE3072[..]] {
            let (a, b) = (start(p, &[2]).unwrap(), start(p, &[2]).unwrap());
            let (a_public, b_public) = (a.public().to_vec(), b.public().to_vec());
            assert_ne!(a_public, b_public);
            let (mut a_secret, mut b_secret) = (SharedSecret::default(), SharedSecret::default());
            a.finish(&b_public, &mut a_secret).unwrap();
            b.finish(&a_public, &mut b_secret).unwrap();
            assert_eq!(a_secret.expose(), b_secret.expose());
            assert_eq!(a_secret.expose().len(), p.len());
        }
    }

    #[test]
    fn logjam_small_and_broken_groups_are_refused() {
        assert!(start(&FFDHE2048[..128], &[2]).is_err(), "1024 bits");
        let mut even = FFDHE2048;
        even[255] &= 0xfe;
        assert!(start(&even, &[2]).is_err(), "an even modulus");
        assert!(start(&FFDHE2048, &[1]).is_err(), "generator 1");
        assert!(start(&[], &[]).is_err());
    }

    #[test]
    fn small_subgroup_values_are_refused() {
        let mut minus_one = FFDHE2048;
        minus_one[255] &= 0xfe;
        for bad in [&[][..], &[0], &[1], &minus_one, &FFDHE2048] {
            let share = start(&FFDHE2048, &[2]).unwrap();
            assert!(share.finish(bad, &mut SharedSecret::default()).is_err());
        }
    }
}
