//! A secret that stays where it was made.

use core::fmt;
use zeroize::{Zeroize, Zeroizing};

/// The largest shared secret: a Diffie-Hellman value of 8192 bits.
const CAPACITY: usize = 1024;

/// What curves and hybrids agree on is no longer: 48 bytes of P-384 with 32 of ML-KEM.
const SHORT: usize = 80;

/// A premaster or shared secret. It stands in one place, on the heap if it is long, at once at the length it is to have,
/// so that no copy is left behind; it is wiped on drop. Whoever holds one does not move it while it is filled.
pub struct SharedSecret {
    short: [u8; SHORT],
    long: Zeroizing<Box<[u8]>>,
    /// Where it begins and ends.
    start: u16,
    end: u16,
}

impl Default for SharedSecret {
    fn default() -> Self {
        Self { short: [0; SHORT], long: Zeroizing::default(), start: 0, end: 0 }
    }
}

impl Drop for SharedSecret {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl SharedSecret {
    /// Makes room for `len` bytes (at most 1024) and lends it to be filled. What was there before is wiped.
    pub fn fill(&mut self, len: usize) -> &mut [u8] {
        self.wipe();
        let len = len.min(CAPACITY);
        self.end = u16::try_from(len).unwrap_or(u16::MAX);
        if len > SHORT {
            self.long = Zeroizing::new(vec![0; len].into_boxed_slice());
            return &mut self.long;
        }
        // It is no longer than that.
        self.short.get_mut(..len).unwrap_or_default()
    }

    /// The secret, to be used and not kept.
    pub fn expose(&self) -> &[u8] {
        let all = if self.long.is_empty() { &self.short[..] } else { &self.long };
        all.get(usize::from(self.start)..usize::from(self.end)).unwrap_or_default()
    }

    /// Wipes it before its time.
    pub fn wipe(&mut self) {
        self.short.zeroize();
        self.long = Zeroizing::default();
        (self.start, self.end) = (0, 0);
    }

    /// Takes leading zero bytes away: TLS 1.2 Diffie-Hellman only (RFC 5246 8.1.2). What this leaks in time is why
    /// ephemeral keys are never used twice (Raccoon).
    pub fn strip_leading_zeros(&mut self) {
        let zeros = self.expose().iter().take_while(|b| **b == 0).count();
        self.start = self.start.saturating_add(u16::try_from(zeros).unwrap_or(0));
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Writes over the stack that calls before this one have used. Crypto libraries leave keys there (AWS-LC's ChaCha20
/// does), and whatever is next built on the stack and moved to the heap takes what lay in its padding along.
pub(crate) fn overwrite_stack() {
    overwrite_frames(STACK_OVERWRITTEN / FRAME);
}

/// One frame below the other. Not all in one piece: from 2 KiB on, `memset` may go byte by byte (`rep stosb`), which costs more
/// to begin than these do.
#[inline(never)]
fn overwrite_frames(frames: usize) {
    let mut frame = [0_u64; FRAME / 8];
    core::hint::black_box(frame.as_mut_slice());
    if frames > 1 {
        overwrite_frames(frames.saturating_sub(1));
    }
    // In use until here, so that the next frame does not take its place.
    core::hint::black_box(frame.as_mut_slice());
}

/// Bytes: the frames of a handshake, which are large in builds that are not optimised.
const STACK_OVERWRITTEN: usize = if cfg!(debug_assertions) { 16 * 1024 } else { 4 * 1024 };
const FRAME: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_of_every_length_is_what_was_put_in_until_it_is_wiped() {
        let mut secret = SharedSecret::default();
        assert!(secret.expose().is_empty());
        for len in [32, SHORT, SHORT + 1, CAPACITY, 0, 48] {
            secret.fill(len).fill(7);
            assert_eq!(secret.expose(), vec![7; len]);
            secret.fill(len).iter_mut().skip(3).for_each(|b| *b = 7);
            secret.strip_leading_zeros();
            assert_eq!(secret.expose(), vec![7; len.saturating_sub(3)], "{len} bytes, three of them zeros");
            secret.fill(len).fill(7);
            secret.wipe();
            assert!(secret.expose().is_empty());
            assert!(secret.long.is_empty() && secret.short == [0; SHORT]);
        }
    }
}
