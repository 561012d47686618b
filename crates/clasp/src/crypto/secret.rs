//! A secret that stays where it was made.

use core::fmt;
use zeroize::Zeroize;

/// The largest shared secret: a Diffie-Hellman value of 8192 bits.
const CAPACITY: usize = 1024;

/// A premaster or shared secret. Its buffer is taken once and never grows, so that no copy is left behind; it is wiped
/// on drop.
pub struct SharedSecret {
    bytes: Box<[u8; CAPACITY]>,
    len: usize,
}

impl Default for SharedSecret {
    fn default() -> Self {
        Self { bytes: Box::new([0; CAPACITY]), len: 0 }
    }
}

impl SharedSecret {
    /// Makes room for `len` bytes (at most 1024) and lends it to be filled.
    pub fn fill(&mut self, len: usize) -> &mut [u8] {
        self.len = len.min(CAPACITY);
        &mut self.bytes[..self.len]
    }

    /// The secret, to be used and not kept.
    pub fn expose(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Wipes it before its time.
    pub fn wipe(&mut self) {
        self.bytes.zeroize();
        self.len = 0;
    }

    /// Takes leading zero bytes away: TLS 1.2 Diffie-Hellman only (RFC 5246 8.1.2). What this leaks in time is why
    /// ephemeral keys are never used twice (Raccoon).
    pub fn strip_leading_zeros(&mut self) {
        let zeros = self.expose().iter().take_while(|b| **b == 0).count();
        self.bytes.copy_within(zeros..self.len, 0);
        self.len -= zeros;
    }
}

impl Drop for SharedSecret {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Writes over the stack that calls before this one have used. Crypto libraries leave keys there (AWS-LC's ChaCha20
/// does), and whatever is next built on the stack and moved to the heap takes what lay in its padding along.
#[inline(never)]
pub(crate) fn overwrite_stack() {
    core::hint::black_box([0_u64; STACK_OVERWRITTEN / 8].as_mut_slice());
}

/// Bytes: the frames of a handshake, which are large in builds that are not optimised.
const STACK_OVERWRITTEN: usize = if cfg!(debug_assertions) { 16 * 1024 } else { 4 * 1024 };
