//! MAC-then-encrypt CBC records with HMAC-SHA-256 for AES-256, which AWS-LC has no opener for. They are sealed here only
//! where it has no stitched cipher.
//!
//! Lucky Thirteen: what is done hangs on the record's length alone. The padding is compared by masks over all that could
//! be padding; the inner hash goes through as many blocks as the longest content would need, and its value is picked
//! where the content ends; so is the MAC. The one branch on a secret is the last: whether all was well.
//! `testkit`'s timing program measures it beside the others.

use super::block;
use crate::crypto::{BlockKey, CbcHmacKey, CryptoError, CryptoResult, Use};
use sha2::block_api::compress256;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess};
use zeroize::{Zeroize, Zeroizing};

const MAC: usize = 32;
const BLOCK: usize = 16;
/// A block of SHA-256.
const HASH_BLOCK: usize = 64;
/// What is hashed before the content: the additional data and the content's length.
const PREFIX: usize = 13;
/// The longest padding with its own length, RFC 5246 6.2.3.2.
const MAX_PADDING: usize = 256;
/// SHA-256's initial value: FIPS 180-4 5.3.3.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

struct Key {
    cipher: Box<dyn BlockKey>,
    /// The state of HMAC's two hashes after the key: RFC 2104 4.
    inner: [u32; 8],
    outer: [u32; 8],
}

pub(super) fn key(mac_key: &[u8], key: &[u8], usage: Use) -> CryptoResult<Box<dyn CbcHmacKey>> {
    if mac_key.len() != MAC {
        return Err(CryptoError);
    }
    let keyed = |pad: u8| {
        let mut block = Zeroizing::new([[pad; HASH_BLOCK]]);
        block[0].iter_mut().zip(mac_key).for_each(|(b, k)| *b ^= k);
        let mut state = INITIAL;
        compress256(&mut state, &*block);
        state
    };
    Ok(Box::new(Key { cipher: block::key(key, usage)?, inner: keyed(0x36), outer: keyed(0x5c) }))
}

/// Places in a record are far below 2^32.
fn word(n: usize) -> CryptoResult<u32> {
    u32::try_from(n).map_err(|_| CryptoError)
}

impl Key {
    /// The MAC over the first `content` bytes of `data`, which is secret and at most `longest` and at least `shortest`.
    fn mac(
        &self,
        aad: &[u8; 11],
        data: &[u8],
        content: u32,
        shortest: usize,
        longest: usize,
    ) -> CryptoResult<[u8; MAC]> {
        let [_, _, high, low] = content.to_be_bytes();
        let end = content.wrapping_add(word(PREFIX)?);
        // A shift: a division could take a time of its own for each value.
        let last = end.wrapping_add(8) >> HASH_BLOCK.ilog2();
        let bits = (u64::from(end) + 64).wrapping_mul(8).to_be_bytes();
        let (mut state, mut value) = (self.inner, [0; 8]);
        for n in 0..=(PREFIX + longest + 8) / HASH_BLOCK {
            let mut block = [[0; HASH_BLOCK]];
            for (at, byte) in (n * HASH_BLOCK..).zip(&mut block[0]) {
                let own = match at {
                    0..11 => aad[at],
                    11 => high,
                    12 => low,
                    _ => data.get(at - PREFIX).copied().unwrap_or(0),
                };
                *byte = own;
            }
            // Blocks that are content whatever the padding says need no masks.
            if (n + 1) * HASH_BLOCK > PREFIX + shortest {
                let is_last = word(n)?.ct_eq(&last);
                for (at, byte) in (n * HASH_BLOCK..).zip(&mut block[0]) {
                    let at = word(at)?;
                    *byte = u8::conditional_select(&0, byte, at.ct_lt(&end));
                    *byte |= u8::conditional_select(&0, &0x80, at.ct_eq(&end));
                }
                let (_, tail) = block[0].split_at_mut(HASH_BLOCK - bits.len());
                tail.iter_mut().zip(bits).for_each(|(b, bit)| *b |= u8::conditional_select(&0, &bit, is_last));
                compress256(&mut state, &block);
                for (kept, new) in value.iter_mut().zip(state) {
                    kept.conditional_assign(&new, is_last);
                }
            } else {
                compress256(&mut state, &block);
            }
        }
        Ok(self.finish(value))
    }

    /// The outer hash of HMAC: its message is always of one length.
    fn finish(&self, inner: [u32; 8]) -> [u8; MAC] {
        let mut block = [[0; HASH_BLOCK]];
        let bytes = |state: [u32; 8]| state.into_iter().flat_map(u32::to_be_bytes);
        block[0].iter_mut().zip(bytes(inner)).for_each(|(b, v)| *b = v);
        block[0][MAC] = 0x80;
        let bits: [u8; 2] = [0x03, 0x00]; // (64 + 32) * 8
        block[0][HASH_BLOCK - 2..].copy_from_slice(&bits);
        let mut state = self.outer;
        compress256(&mut state, &block);
        let mut mac = [0; MAC];
        mac.iter_mut().zip(bytes(state)).for_each(|(b, v)| *b = v);
        mac
    }
}

impl CbcHmacKey for Key {
    fn seal(&mut self, aad: &[u8; 11], record: &mut [u8], plain_len: usize) -> CryptoResult<usize> {
        let (iv, in_out) = record.split_first_chunk_mut::<BLOCK>().ok_or(CryptoError)?;
        let padding = BLOCK - 1 - (plain_len + MAC) % BLOCK;
        let total = plain_len + MAC + padding + 1;
        let record = in_out.get_mut(..total).ok_or(CryptoError)?;
        let mac = self.mac(aad, record, word(plain_len)?, plain_len, plain_len)?;
        let (tag, filling) = record[plain_len..].split_at_mut(MAC);
        tag.copy_from_slice(&mac);
        filling.fill(u8::try_from(padding).map_err(|_| CryptoError)?);
        self.cipher.encrypt(iv, record)?;
        Ok(iv.len() + total)
    }

    fn open(&mut self, iv: &[u8; 16], aad: &[u8; 11], in_out: &mut [u8]) -> CryptoResult<usize> {
        let total = in_out.len();
        // Public: room for the MAC and the padding's length.
        let longest = total.checked_sub(MAC + 1).ok_or(CryptoError)?;
        self.cipher.decrypt(iv, in_out)?;
        let (good, padding) = padding(in_out, longest)?;
        let shortest = longest.saturating_sub(MAX_PADDING - 1);
        let content = word(longest)?.wrapping_sub(padding);
        let wanted = self.mac(aad, in_out, content, shortest, longest)?;
        let seen = picked(in_out, content, shortest)?;
        let good = good & wanted.ct_eq(&seen);
        // From here on the peer is told anyway.
        if bool::from(good) { usize::try_from(content).map_err(|_| CryptoError) } else { Err(CryptoError) }
    }
}

/// Whether the padding is well formed, and its length without the byte that says it; 0 where it is not.
fn padding(record: &[u8], longest: usize) -> CryptoResult<(Choice, u32)> {
    let says = *record.last().ok_or(CryptoError)?;
    let padding = u32::from(says);
    let mut good = !padding.ct_gt(&word(longest)?);
    for (back, byte) in record.iter().rev().take(MAX_PADDING).enumerate() {
        let outside = word(back)?.ct_gt(&padding);
        good &= outside | byte.ct_eq(&says);
    }
    Ok((good, u32::conditional_select(&0, &padding, good)))
}

/// The MAC that stands behind the content: every byte that could belong to it goes by, each into a slot that its place
/// alone decides; where in the slots the MAC begins is secret, so they are turned by masks too.
fn picked(record: &[u8], content: u32, shortest: usize) -> CryptoResult<[u8; MAC]> {
    let end = content.wrapping_add(word(MAC)?);
    let mut mac = [0; MAC];
    for (n, (at, seen)) in record.iter().enumerate().skip(shortest).enumerate() {
        let at = word(at)?;
        let inside = !at.ct_lt(&content) & at.ct_lt(&end);
        mac[n % MAC] |= u8::conditional_select(&0, seen, inside);
    }
    let begins = content.wrapping_sub(word(shortest)?);
    for bit in 0..MAC.ilog2() {
        let mut turned = mac;
        turned.rotate_left(1 << bit);
        let turns = (begins >> bit & 1).ct_eq(&1);
        mac.iter_mut().zip(turned).for_each(|(byte, turned)| byte.conditional_assign(&turned, turns));
    }
    Ok(mac)
}

impl Drop for Key {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::super::cbc_hmac;
    use super::*;
    use crate::crypto::{CbcId, HashId};

    const MAC_KEY: [u8; 32] = [3; 32];
    const IV: [u8; 16] = [9; 16];
    const AAD: [u8; 11] = [0, 0, 0, 0, 0, 0, 0, 5, 23, 3, 3];

    fn ours(len: usize, usage: Use) -> Box<dyn CbcHmacKey> {
        key(&MAC_KEY, &[7; 32][..len], usage).unwrap()
    }

    /// AWS-LC's own, which it has for AES-128.
    fn theirs(usage: Use) -> Box<dyn CbcHmacKey> {
        cbc_hmac::key(CbcId { key_len: 16, mac: HashId::Sha256 }, &MAC_KEY, &[7; 16], usage).unwrap().unwrap()
    }

    fn sealed(by: &mut dyn CbcHmacKey, plain: &[u8]) -> Vec<u8> {
        let mut record = [&IV, plain, &[0; 64]].concat();
        let length = by.seal(&AAD, &mut record, plain.len()).unwrap();
        assert_eq!(record[..BLOCK], IV);
        record[BLOCK..length].to_vec()
    }

    #[test]
    fn records_are_those_of_aws_lc() {
        for length in (0..600_usize).chain([1 << 14]) {
            let plain: Vec<u8> = (0..length).map(|n| n.to_le_bytes()[0]).collect();
            let mut record = sealed(&mut *ours(16, Use::Seal), &plain);
            assert_eq!(record, sealed(&mut *theirs(Use::Seal), &plain), "{length} bytes");
            let opened = ours(16, Use::Open).open(&IV, &AAD, &mut record).unwrap();
            assert_eq!(record[..opened], plain, "{length} bytes");
            let mut record = sealed(&mut *ours(32, Use::Seal), &plain);
            assert_eq!(ours(32, Use::Open).open(&IV, &AAD, &mut record), Ok(plain.len()));
        }
    }

    /// A record of AES-128 with this content and this padding, changed before it is encrypted.
    fn made(content: usize, padding: u8, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mac_key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &MAC_KEY);
        let mut plain = vec![0xa5; content];
        let length = u16::try_from(content).unwrap().to_be_bytes();
        let mac = aws_lc_rs::hmac::sign(&mac_key, &[&AAD[..], &length, &plain].concat());
        plain.extend_from_slice(mac.as_ref());
        plain.extend(core::iter::repeat_n(padding, usize::from(padding) + 1));
        change(&mut plain);
        block::key(&[7; 16], Use::Seal).unwrap().encrypt(&IV, &mut plain).unwrap();
        plain
    }

    /// What both openers say of a record.
    fn verdict(record: &[u8]) -> Result<usize, CryptoError> {
        let verdicts = [ours(16, Use::Open), theirs(Use::Open)].map(|mut o| o.open(&IV, &AAD, &mut record.to_vec()));
        assert_eq!(verdicts[0], verdicts[1]);
        verdicts[0]
    }

    #[test]
    fn every_padding_is_judged_as_aws_lc_judges_it() {
        for padding in 0..=255_u8 {
            let around = MAC + usize::from(padding) + 1;
            for content in [(BLOCK - around % BLOCK) % BLOCK, 320 + (BLOCK - around % BLOCK) % BLOCK] {
                assert_eq!(verdict(&made(content, padding, |_| ())), Ok(content), "padding {padding}");
                // Each byte of content, MAC and padding matters.
                for at in [0, content, content + MAC - 1, content + MAC, content + around - 1] {
                    let wrong = made(content, padding, |plain| plain[at.min(content + around - 1)] ^= 1);
                    assert_eq!(verdict(&wrong), Err(CryptoError), "padding {padding}, byte {at}");
                }
            }
        }
    }

    #[test]
    fn short_and_odd_records_are_refused() {
        for length in [0, 1, 15, 16, 32, 47, 49] {
            assert!(ours(32, Use::Open).open(&IV, &AAD, &mut vec![1; length]).is_err(), "{length} bytes");
        }
        // All padding, and more than there is.
        for says in [15, 16, 47, 48, 255] {
            let mut blocks = vec![says; 48];
            block::key(&[7; 16], Use::Seal).unwrap().encrypt(&IV, &mut blocks).unwrap();
            assert_eq!(verdict(&blocks), Err(CryptoError));
        }
    }
}
