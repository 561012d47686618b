// Above `error`.
//! What connections leave to one another while they wait: buffers, and expanded keys.

mod buffers;
mod keys;
mod sizes;

pub(crate) use buffers::SIZE;
pub(crate) use keys::Standby;
pub use sizes::PoolSizes;

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

    /// How many buffers are in it.
    #[cfg(test)]
    pub(crate) fn buffers(&self) -> usize {
        self.stock().buffers.len()
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
