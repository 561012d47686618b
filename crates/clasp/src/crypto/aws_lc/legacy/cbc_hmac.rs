//! MAC-then-encrypt CBC records through AWS-LC's `EVP_aead_*_cbc_*_tls`, whose opener runs in constant time over
//! padding and MAC (Lucky Thirteen).
//!
//! Why unsafe: no safe crate offers these. What holds: the context is heap-allocated and never moves, is initialised
//! once before any use and cleaned up once on drop; every pointer given to C comes from a live slice with its true
//! length. `seal` and `open` change cipher state inside the context (although C calls it const), so both take `&mut`.
#![allow(unsafe_code)]

use crate::crypto::{CbcHmacKey, CbcId, CryptoError, CryptoResult, HashId, Use};
use aws_lc_sys as sys;
use core::mem::MaybeUninit;
use zeroize::Zeroize;

struct Key(Box<MaybeUninit<sys::EVP_AEAD_CTX>>, Use);

// SAFETY: the context holds plain memory and pointers it owns; nothing in it is bound to a thread.
unsafe impl Send for Key {}
// SAFETY: nothing can be done with a shared reference: every method takes `&mut`.
unsafe impl Sync for Key {}

pub(super) fn key(id: CbcId, mac_key: &[u8], key: &[u8], usage: Use) -> Option<CryptoResult<Box<dyn CbcHmacKey>>> {
    // SAFETY: these functions only return pointers to static tables.
    let aead = unsafe {
        match (id.key_len, id.mac) {
            (16, HashId::Sha1) => sys::EVP_aead_aes_128_cbc_sha1_tls(),
            (32, HashId::Sha1) => sys::EVP_aead_aes_256_cbc_sha1_tls(),
            (16, HashId::Sha256) => sys::EVP_aead_aes_128_cbc_sha256_tls(),
            (32, HashId::Sha384) => sys::EVP_aead_aes_256_cbc_sha384_tls(),
            _ => return None,
        }
    };
    let direction = match usage {
        Use::Seal => sys::evp_aead_direction_t_evp_aead_seal,
        Use::Open => sys::evp_aead_direction_t_evp_aead_open,
    };
    let mut whole = [0_u8; 80];
    let len = mac_key.len().saturating_add(key.len());
    if mac_key.len() != id.mac.len() || key.len() != id.key_len || len > whole.len() {
        return Some(Err(CryptoError));
    }
    whole.iter_mut().zip(mac_key.iter().chain(key)).for_each(|(place, byte)| *place = *byte);
    let mut context = Box::new(MaybeUninit::uninit());
    // SAFETY: `context` is valid for writes of its type; `whole` holds `len` bytes.
    let done = unsafe {
        sys::EVP_AEAD_CTX_zero(context.as_mut_ptr());
        sys::EVP_AEAD_CTX_init_with_direction(context.as_mut_ptr(), aead, whole.as_ptr(), len, id.mac.len(), direction)
    };
    whole.zeroize();
    // A failed init leaves a context that is zeroed or cleaned up; either may be cleaned up again by Drop.
    let key = Key(context, usage);
    Some(if done == 1 { Ok(Box::new(key)) } else { Err(CryptoError) })
}

impl CbcHmacKey for Key {
    fn seal(&mut self, aad: &[u8; 11], record: &mut [u8], plain_len: usize) -> CryptoResult<usize> {
        let (iv, in_out) = record.split_first_chunk_mut::<16>().ok_or(CryptoError)?;
        if self.1 != Use::Seal || plain_len > in_out.len() {
            return Err(CryptoError);
        }
        let mut written = 0;
        // SAFETY: the context is initialised; input and output are the same buffer, which AWS-LC allows when they
        // start at the same place; `max_out` is the buffer's true length.
        let done = unsafe {
            sys::EVP_AEAD_CTX_seal(
                self.0.as_mut_ptr(),
                in_out.as_mut_ptr(),
                &raw mut written,
                in_out.len(),
                iv.as_ptr(),
                iv.len(),
                in_out.as_ptr(),
                plain_len,
                aad.as_ptr(),
                aad.len(),
            )
        };
        Ok(iv.len().saturating_add(result(done, written)?))
    }

    fn open(&mut self, iv: &[u8; 16], aad: &[u8; 11], in_out: &mut [u8]) -> CryptoResult<usize> {
        if self.1 != Use::Open {
            return Err(CryptoError);
        }
        let mut written = 0;
        // SAFETY: as in `seal`.
        let done = unsafe {
            sys::EVP_AEAD_CTX_open(
                self.0.as_mut_ptr(),
                in_out.as_mut_ptr(),
                &raw mut written,
                in_out.len(),
                iv.as_ptr(),
                iv.len(),
                in_out.as_ptr(),
                in_out.len(),
                aad.as_ptr(),
                aad.len(),
            )
        };
        result(done, written)
    }
}

/// `value`, if AWS-LC says 1.
pub(super) fn result<T>(done: i32, value: T) -> CryptoResult<T> {
    if done == 1 {
        return Ok(value);
    }
    // SAFETY: only empties this thread's error queue, which would otherwise keep the failure.
    unsafe { sys::ERR_clear_error() };
    Err(CryptoError)
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: the context was zeroed or initialised in `key`; this frees what it owns, once.
        unsafe { sys::EVP_AEAD_CTX_cleanup(self.0.as_mut_ptr()) };
    }
}
