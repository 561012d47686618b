//! MAC-then-encrypt CBC records sealed by AWS-LC's stitched ciphers, `EVP_aes_*_cbc_hmac_*`: one loop hashes a record and
//! encrypts it. They are there on x86-64 with AES instructions; elsewhere [`key`] gives `None`, and a record is hashed
//! first and then encrypted.
//!
//! For sealing alone. How long that takes hangs on the content's length, which the sender knows, and which is no secret
//! (RFC 5246 6.2.3.2). Lucky Thirteen is about padding and MAC that came from a peer; records are opened elsewhere.
//!
//! Why unsafe: no safe crate offers these. What holds: the context comes from AWS-LC, is owned here alone and freed once
//! on drop, which wipes it; every pointer given to C comes from a live slice with its true length, and none is kept.
#![allow(unsafe_code)]

use super::cbc_hmac::result;
use crate::crypto::{CbcHmacKey, CbcId, CryptoError, CryptoResult, HashId, Use};
use aws_lc_sys as sys;
use core::ffi::c_int;
use core::ptr::{NonNull, null, null_mut};

const BLOCK: usize = 16;
/// What is hashed before the content: the additional data and a length.
const PREFIX: usize = 13;
/// The random block is encrypted with the rest, and what it becomes is the IV: RFC 4346 6.2.3.2, (2). This is added to the
/// first; to each one after that, the last block of the record before.
const MASK: [u8; BLOCK] = [0; BLOCK];
/// From here on records have an IV of their own, which these ciphers look up in the additional data: RFC 4346 6.2.3.2.
const TLS11: [u8; 2] = [3, 2];

struct Key {
    context: NonNull<sys::EVP_CIPHER_CTX>,
    mac_len: usize,
}

// SAFETY: the context holds plain memory and a pointer it owns; nothing in it is bound to a thread.
unsafe impl Send for Key {}
// SAFETY: nothing can be done with a shared reference: every method takes `&mut`.
unsafe impl Sync for Key {}

/// `None` if there is no stitched cipher for this pair, this direction or this processor.
pub(super) fn key(id: CbcId, mac_key: &[u8], key: &[u8], usage: Use) -> Option<CryptoResult<Box<dyn CbcHmacKey>>> {
    // SAFETY: these functions only look at the processor, and return pointers to static tables or null.
    let cipher = unsafe {
        let cipher = match (usage, id.key_len, id.mac) {
            (Use::Seal, 16, HashId::Sha1) => sys::EVP_aes_128_cbc_hmac_sha1(),
            (Use::Seal, 32, HashId::Sha1) => sys::EVP_aes_256_cbc_hmac_sha1(),
            (Use::Seal, 16, HashId::Sha256) => sys::EVP_aes_128_cbc_hmac_sha256(),
            (Use::Seal, 32, HashId::Sha256) => sys::EVP_aes_256_cbc_hmac_sha256(),
            _ => null(),
        };
        cipher.as_ref()
    }?;
    let right = mac_key.len() == id.mac.len() && key.len() == id.key_len;
    let key = if right { Key::new(cipher, mac_key, key) } else { Err(CryptoError) };
    Some(key.map(|key| -> Box<dyn CbcHmacKey> { Box::new(key) }))
}

impl Key {
    /// `key` is as long as `cipher` takes it.
    fn new(cipher: &'static sys::EVP_CIPHER, mac_key: &[u8], key: &[u8]) -> CryptoResult<Self> {
        let mac_key_len = c_int::try_from(mac_key.len()).map_err(|_| CryptoError)?;
        // SAFETY: takes nothing.
        let context = NonNull::new(unsafe { sys::EVP_CIPHER_CTX_new() }).ok_or(CryptoError)?;
        // From here on Drop frees the context.
        let own = Self { context, mac_len: mac_key.len() };
        // SAFETY: the context is alive; AWS-LC reads the cipher's length of key and 16 bytes of mask.
        let done =
            unsafe { sys::EVP_EncryptInit_ex(context.as_ptr(), cipher, null_mut(), key.as_ptr(), MASK.as_ptr()) };
        result(done, ())?;
        let mac_key = mac_key.as_ptr().cast_mut().cast();
        // SAFETY: the context is initialised; this reads `mac_key_len` bytes, and writes none though its type says so.
        let done =
            unsafe { sys::EVP_CIPHER_CTX_ctrl(context.as_ptr(), sys::EVP_CTRL_AEAD_SET_MAC_KEY, mac_key_len, mac_key) };
        result(done, own)
    }
}

impl CbcHmacKey for Key {
    fn seal(&mut self, aad: &[u8; 11], record: &mut [u8], plain_len: usize) -> CryptoResult<usize> {
        // Two bytes say how much is to be encrypted besides MAC and padding.
        let length = plain_len.checked_add(BLOCK).and_then(|n| u16::try_from(n).ok()).ok_or(CryptoError)?;
        let most = usize::from(length).saturating_add(self.mac_len).saturating_add(BLOCK);
        let total = most.saturating_sub(most % BLOCK);
        let record = record.get_mut(..total).ok_or(CryptoError)?;
        let [.., major, minor] = *aad;
        if [major, minor] < TLS11 {
            return Err(CryptoError);
        }
        let mut prefix = [0; PREFIX];
        prefix.iter_mut().zip(aad.iter().chain(&length.to_be_bytes())).for_each(|(place, byte)| *place = *byte);
        // SAFETY: the context is initialised; this reads `prefix` and takes the IV off the length in it.
        let room = unsafe {
            sys::EVP_CIPHER_CTX_ctrl(
                self.context.as_ptr(),
                sys::EVP_CTRL_AEAD_TLS1_AAD,
                sys::EVP_AEAD_TLS1_AAD_LEN,
                prefix.as_mut_ptr().cast(),
            )
        };
        // It says what MAC and padding take.
        let agreed = usize::try_from(room).is_ok_and(|room| usize::from(length).checked_add(room) == Some(total));
        result(agreed.into(), ())?;
        let at = record.as_mut_ptr();
        // SAFETY: the context is initialised; `total` bytes stand at `at`, and the cipher goes no further; input and
        // output may be the same place.
        let done = unsafe { sys::EVP_Cipher(self.context.as_ptr(), at, at, total) };
        result(done, total)
    }

    fn open(&mut self, _iv: &[u8; 16], _aad: &[u8; 11], _in_out: &mut [u8]) -> CryptoResult<usize> {
        Err(CryptoError)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: owned, freed once.
        unsafe { sys::EVP_CIPHER_CTX_free(self.context.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use super::super::{block, unstitched};
    use super::*;

    const IDS: [CbcId; 4] = [
        CbcId { key_len: 16, mac: HashId::Sha1 },
        CbcId { key_len: 32, mac: HashId::Sha1 },
        CbcId { key_len: 16, mac: HashId::Sha256 },
        CbcId { key_len: 32, mac: HashId::Sha256 },
    ];
    const MAC_KEY: [u8; 32] = [3; 32];
    const KEY: [u8; 32] = [7; 32];
    const AAD: [u8; 11] = [0, 0, 0, 0, 0, 0, 0, 5, 23, 3, 3];
    /// More than MAC and padding take.
    const ROOM: usize = 64;

    /// None where there is no such cipher; x86-64 with AES instructions has one, unless AWS-LC was told to overlook them.
    fn stitched(id: CbcId) -> Option<Box<dyn CbcHmacKey>> {
        let key = key(id, &MAC_KEY[..id.mac.len()], &KEY[..id.key_len], Use::Seal);
        #[cfg(target_arch = "x86_64")]
        if std::env::var_os("OPENSSL_ia32cap").is_none() {
            assert_eq!(key.is_some(), std::arch::is_x86_feature_detected!("aes"));
        }
        key.map(Result::unwrap)
    }

    fn plain(id: CbcId, usage: Use) -> Box<dyn CbcHmacKey> {
        unstitched(id, &MAC_KEY[..id.mac.len()], &KEY[..id.key_len], usage).unwrap().unwrap()
    }

    /// What comes of a record that begins with `block`, and that nothing behind it was written.
    fn sealed(by: &mut dyn CbcHmacKey, block: &[u8], content: &[u8]) -> Vec<u8> {
        let mut record = [block, content, &[0xee; ROOM]].concat();
        let length = by.seal(&AAD, &mut record, content.len()).unwrap();
        assert!(record[length..].iter().all(|byte| *byte == 0xee), "{} bytes", content.len());
        record.truncate(length);
        record
    }

    /// One key for all lengths, so that what a record leaves in it is seen in the next.
    #[test]
    fn records_are_those_of_the_ciphers_that_are_not_stitched() {
        for id in IDS {
            let Some(mut one) = stitched(id) else { return };
            let (mut other, mut opener) = (plain(id, Use::Seal), plain(id, Use::Open));
            for length in (0..=300_usize).chain([1023, 1024, 1025, 4096, 16_383, 16_384]) {
                let content: Vec<u8> = (0..length).map(|n| n.to_le_bytes()[0]).collect();
                let record = sealed(&mut *one, &[length.to_le_bytes()[0]; BLOCK], &content);
                assert_eq!(record, sealed(&mut *other, &record[..BLOCK], &content), "{id:?}, {length} bytes");
                let (iv, body) = record.split_first_chunk().unwrap();
                let mut body = body.to_vec();
                assert_eq!(opener.open(iv, &AAD, &mut body), Ok(length), "{id:?}");
                assert_eq!(body[..length], content, "{id:?}");
            }
        }
    }

    /// BEAST: an IV is the cipher's value of the random block and a mask, so it is as unpredictable as that block.
    #[test]
    fn beast_an_iv_is_the_random_block_enciphered() {
        for id in IDS {
            let Some(mut one) = stitched(id) else { return };
            let mut mask = MASK;
            for random in 1..4_u8 {
                let record = sealed(&mut *one, &[random; BLOCK], b"content");
                let mut iv = [random; BLOCK];
                block::key(&KEY[..id.key_len], Use::Seal).unwrap().encrypt(&mask, &mut iv).unwrap();
                assert_eq!(record[..BLOCK], iv);
                mask = *record.last_chunk().unwrap();
            }
        }
    }

    #[test]
    fn what_cannot_be_sealed_is_refused_and_the_key_stays_good() {
        for id in IDS {
            let Some(mut one) = stitched(id) else { return };
            let whole = sealed(&mut *one, &[1; BLOCK], &[5; 100]);
            for room in [0, BLOCK, whole.len() - 1] {
                assert_eq!(one.seal(&AAD, &mut vec![1; room], 100), Err(CryptoError), "{id:?}, {room} bytes");
            }
            for long in [65_520, 65_536, usize::MAX - 15, usize::MAX] {
                assert_eq!(one.seal(&AAD, &mut vec![1; 70_000], long), Err(CryptoError), "{id:?}, {long} bytes");
            }
            // TLS 1.0 has no IV in a record: what is random would be taken for content.
            assert_eq!(one.seal(&[0, 0, 0, 0, 0, 0, 0, 5, 23, 3, 1], &mut [1; 200], 100), Err(CryptoError));
            assert_eq!(one.open(&[1; BLOCK], &AAD, &mut whole[BLOCK..].to_vec()), Err(CryptoError));
            let mut record = sealed(&mut *one, &[2; BLOCK], &[6; 100]);
            let (iv, body) = record.split_first_chunk_mut().unwrap();
            assert_eq!(plain(id, Use::Open).open(iv, &AAD, body), Ok(100));
        }
    }

    #[test]
    fn keys_have_one_length_and_one_direction() {
        for id in IDS {
            if stitched(id).is_none() {
                return;
            }
            let (mac, own) = (&MAC_KEY[..id.mac.len()], &KEY[..id.key_len]);
            assert!(key(id, mac, &own[1..], Use::Seal).unwrap().is_err());
            assert!(key(id, &mac[1..], own, Use::Seal).unwrap().is_err());
            assert!(key(id, mac, own, Use::Open).is_none());
        }
        assert!(key(CbcId { key_len: 32, mac: HashId::Sha384 }, &[3; 48], &KEY, Use::Seal).is_none());
    }
}
