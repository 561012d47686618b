// Above `error`.
//! What connections leave to one another while they wait: buffers, and expanded keys.

mod buffers;
mod keys;

pub(crate) use buffers::SIZE;
pub(crate) use keys::Standby;

use buffers::Buffers;
use core::fmt;
use keys::Keys;
use std::sync::Arc;

/// What connections leave to one another while they wait, so that many that are idle hold little, and one that goes on finds
/// at hand what it needs: buffers for bytes on their way, and the expanded keys of ciphers, which cost more to make anew than
/// many a record to open.
///
/// There is one of the process, [`Pool::default`], and configurations use it unless they are told otherwise. One of its own
/// keeps what a configuration's connections have had apart from all others, bounds what they hold, or makes it no matter to
/// them how many others there are:
///
/// ```
/// use clasp::{ClientConfig, Pool, PoolSizes, Roots};
/// # let roots = Roots::empty();
/// // A proxy with a hundred connections to the same few servers: none loses its keys to the thousands that come in.
/// let out = Pool::with_sizes(PoolSizes::default().keys_in_place(100));
/// let config = ClientConfig::builder().trust(roots).pool(out.clone()).build()?;
/// # drop((config, out));
/// # Ok::<(), clasp::Error>(())
/// ```
///
/// Clones are the same pool, so that several configurations may share one. What is in it is freed with the last of them and of
/// their connections; that of the process stays.
///
/// Buffers are used by adapters (every [`Exchange`](crate::Exchange)), and keys are put aside by these too, when they wait.
/// Whoever drives a [`Connection`](crate::Connection) by hand uses no pool. Nothing that was decrypted is left in a buffer that
/// is given back.
#[derive(Clone, Default)]
pub struct Pool(Option<Arc<Stock>>);

/// How much a [`Pool`] holds at most. The default is what the process's holds.
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
    buffers: usize,
    in_place: usize,
    aside: usize,
}

/// Places for keys that stand aside, at most: those that come and go use them all in turn, whether many wait or few.
const MOST_ASIDE: usize = 1 << 16;

impl PoolSizes {
    const DEFAULT: Self = Self { buffers: 16, in_place: 256, aside: 768 };
    const NONE: Self = Self { buffers: 0, in_place: 0, aside: 0 };

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

impl Pool {
    /// One of its own, as large as that of the process.
    pub fn new() -> Self {
        Self::with_sizes(PoolSizes::DEFAULT)
    }

    /// One of its own that holds so much at most.
    pub fn with_sizes(sizes: PoolSizes) -> Self {
        Self(Some(Arc::new(Stock::new(sizes))))
    }

    /// One that holds nothing: every buffer is made when it is needed and freed when it has been used, and a connection that
    /// waits has no expanded keys. That costs two derivations of keys for each question and its answer, and an allocation of
    /// 68 KiB, which is zeroed, for each direction.
    pub fn off() -> Self {
        Self::with_sizes(PoolSizes::NONE)
    }

    fn stock(&self) -> &Stock {
        static OF_THE_PROCESS: Stock = Stock::new(PoolSizes::DEFAULT);
        self.0.as_deref().unwrap_or(&OF_THE_PROCESS)
    }

    /// A buffer of [`SIZE`] bytes.
    pub(crate) fn borrow(&self) -> Box<[u8]> {
        self.stock().buffers.take()
    }

    /// What other connections may have once nobody needs it. Its first bytes, where records were opened, are wiped.
    pub(crate) fn give_back(&self, bytes: Box<[u8]>, opened: usize) {
        self.stock().buffers.put(bytes, opened);
    }

    fn keys(&self) -> &Keys {
        &self.stock().keys
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("of_the_process", &self.0.is_none()).finish_non_exhaustive()
    }
}

/// What there is in one.
struct Stock {
    buffers: Buffers,
    keys: Keys,
}

impl Stock {
    const fn new(sizes: PoolSizes) -> Self {
        let PoolSizes { buffers, in_place, aside } = sizes;
        Self { buffers: Buffers::new(buffers), keys: Keys::new(in_place, aside) }
    }
}
