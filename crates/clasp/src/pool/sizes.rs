//! How much a pool holds.

/// How much a [`Pool`](super::Pool) holds at most. The default is what the process's holds.
///
/// ```
/// use clasp::{Pool, PoolSizes};
/// // A device with little memory and a handful of connections: 136 KiB of buffers, and each has its keys at hand.
/// let small = Pool::with_sizes(PoolSizes::default().buffers(2).keys_in_place(8).keys_aside(0));
/// # drop(small);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolSizes {
    pub(super) buffers: usize,
    pub(super) in_place: usize,
    pub(super) aside: usize,
}

/// Places for keys that stand aside, at most: those that come and go use them all in turn, whether many wait or few.
const MOST_ASIDE: usize = 1 << 16;

impl PoolSizes {
    pub(super) const DEFAULT: Self = Self { buffers: 16, in_place: 256, aside: 768 };
    pub(super) const NONE: Self = Self { buffers: 0, in_place: 0, aside: 0 };

    /// Buffers that wait to be borrowed, at most: 16 unless said. One has 68 KiB, and a connection on which bytes are on their
    /// way has borrowed one for each direction; with more than wait here a new one is made, and freed when it has been used.
    #[must_use]
    pub const fn buffers(self, count: usize) -> Self {
        Self { buffers: count, ..self }
    }

    /// So many connections, the first that come to wait, keep their expanded keys where they are, however many others there
    /// are: 256 unless said. With AES-GCM or ChaCha20-Poly1305 they are about 1,250 bytes a connection, with CBC more.
    #[must_use]
    pub const fn keys_in_place(self, connections: usize) -> Self {
        Self { in_place: connections, ..self }
    }

    /// So many more have them put aside while they wait, and take them back at the next record: 768 unless said, and at most
    /// 65,536. Those that have waited longest lose theirs, and make them anew, which takes less than a microsecond.
    #[must_use]
    pub const fn keys_aside(self, connections: usize) -> Self {
        let aside = if connections < MOST_ASIDE { connections } else { MOST_ASIDE };
        Self { aside, ..self }
    }
}

impl Default for PoolSizes {
    fn default() -> Self {
        Self::DEFAULT
    }
}
