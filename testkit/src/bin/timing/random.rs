//! Randomness for the order of classes and the filling of inputs: fast, and of no use for keys.

/// xorshift64*.
pub(crate) struct Random(u64);

impl Random {
    /// Seeded by the clock.
    pub(crate) fn new() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self(u64::from(now.subsec_nanos()) << 32 | 0x9e37_79b9)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let n = u64::try_from(n).unwrap();
        usize::try_from((self.next() >> 16) % n).unwrap()
    }

    pub(crate) fn fill(&mut self, out: &mut [u8]) {
        out.fill_with(|| self.next().to_be_bytes()[0]);
    }

    /// Bytes none of which is zero, as PKCS#1's padding wants them.
    pub(crate) fn fill_non_zero(&mut self, out: &mut [u8]) {
        out.fill_with(|| 1 + u8::try_from(self.below(255)).unwrap());
    }
}
