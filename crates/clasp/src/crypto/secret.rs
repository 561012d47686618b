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
