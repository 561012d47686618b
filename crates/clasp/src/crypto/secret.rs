//! A secret that stays where it was made.

use core::fmt;
use zeroize::Zeroizing;

/// The largest shared secret: a Diffie-Hellman value of 8192 bits.
const CAPACITY: usize = 1024;

/// A premaster or shared secret. Its buffer is taken at once at the length it is to have and never grows, so that no copy
/// is left behind; it is wiped on drop.
#[derive(Default)]
pub struct SharedSecret(Zeroizing<Box<[u8]>>);

impl SharedSecret {
    /// Makes room for `len` bytes (at most 1024) and lends it to be filled. What was there before is wiped.
    pub fn fill(&mut self, len: usize) -> &mut [u8] {
        self.0 = Zeroizing::new(vec![0; len.min(CAPACITY)].into_boxed_slice());
        &mut self.0
    }

    /// The secret, to be used and not kept.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Wipes it before its time.
    pub fn wipe(&mut self) {
        self.0 = Zeroizing::default();
    }

    /// Takes leading zero bytes away: TLS 1.2 Diffie-Hellman only (RFC 5246 8.1.2). What this leaks in time is why
    /// ephemeral keys are never used twice (Raccoon).
    pub fn strip_leading_zeros(&mut self) {
        let zeros = self.expose().iter().take_while(|b| **b == 0).count();
        if zeros > 0 {
            let stripped = Zeroizing::new(self.0[zeros..].into());
            self.0 = stripped;
        }
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
