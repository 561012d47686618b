//! Buffers that wait to be borrowed.

use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// Bytes of a buffer: four of the longest records that are usual.
pub(crate) const SIZE: usize = 4 * (17 << 10);
/// They stand on shelves, each for some of the threads. With one for all of them, every record would cost a wait for the
/// others, and a way for the memory from another processor's cache.
const SHELVES: usize = 8;
/// A shelf has room for so many before there is another: one for what comes, one for what goes.
const TOGETHER: usize = 2;

/// In cache lines of its own.
#[repr(align(128))]
struct Shelf(Mutex<Vec<Box<[u8]>>>);

/// The shelves, and how many buffers may stand on them.
pub(super) struct Buffers {
    shelves: [Shelf; SHELVES],
    /// So many of the shelves are used,
    used: NonZeroUsize,
    /// each for so many buffers, and the first ones for one more, where it does not come out even.
    each: usize,
    odd: usize,
}

thread_local! {
    /// Which of the threads this is.
    static THREAD: usize = {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        THREADS.fetch_add(1, Relaxed)
    };
}

impl Buffers {
    pub(super) const fn new(most: usize) -> Self {
        let pairs = most / TOGETHER;
        let used = match NonZeroUsize::new(if pairs < SHELVES { pairs } else { SHELVES }) {
            Some(used) => used,
            None => NonZeroUsize::MIN,
        };
        let (each, odd) = match (most.checked_div(used.get()), most.checked_rem(used.get())) {
            (Some(each), Some(odd)) => (each, odd),
            _ => (0, 0),
        };
        Self { shelves: [const { Shelf(Mutex::new(Vec::new())) }; SHELVES], used, each, odd }
    }

    pub(super) fn take(&self) -> Box<[u8]> {
        let idle = THREAD.with(|thread| self.on_shelf(*thread, |idle, _| idle.pop())).flatten();
        idle.unwrap_or_else(|| vec![0; SIZE].into_boxed_slice())
    }

    /// What this connection has read is nothing that should be found in another's memory, or in memory that nobody has: the
    /// first bytes, where records were opened, are wiped.
    pub(super) fn put(&self, mut bytes: Box<[u8]>, opened: usize) {
        if let Some(plain) = bytes.get_mut(..opened) {
            plain.fill(0);
            // Without a reader the compiler might leave it out.
            core::hint::black_box(plain);
        }
        if bytes.len() == SIZE {
            THREAD.with(|thread| self.put_for(*thread, bytes));
        }
    }

    fn put_for(&self, thread: usize, bytes: Box<[u8]>) {
        // What is too much is freed once the shelf is.
        let mut bytes = Some(bytes);
        self.on_shelf(thread, |idle, most| {
            if idle.len() < most {
                idle.extend(bytes.take());
            }
        });
    }

    /// Does something with a thread's shelf, and how many may stand on it; nothing where there is none.
    fn on_shelf<R>(&self, thread: usize, act: impl FnOnce(&mut Vec<Box<[u8]>>, usize) -> R) -> Option<R> {
        let at = thread % self.used;
        let most = self.each.saturating_add(usize::from(at < self.odd));
        let shelf = self.shelves.get(at).filter(|_| most > 0)?;
        let mut idle = shelf.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some(act(&mut idle, most))
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shelves.iter().map(|shelf| shelf.0.lock().unwrap().len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::{Pool, PoolSizes};

    /// Each of many threads gives more back than is kept. How many are there then.
    fn crowd(pool: &Pool) -> usize {
        for thread in 0..3 * SHELVES {
            (0..50).for_each(|_| pool.stock().buffers.put_for(thread, Box::default()));
        }
        pool.buffers()
    }

    #[test]
    fn a_pool_keeps_as_many_buffers_as_it_may_and_no_more() {
        for most in [0, 1, 2, 3, 5, 16, 19, 40] {
            let pool = Pool::with_sizes(PoolSizes::default().buffers(most));
            assert_eq!(crowd(&pool), most);
        }
        assert_eq!(crowd(&Pool::new()), 16);
        assert_eq!(crowd(&Pool::off()), 0);
        let pool = Pool::off();
        pool.give_back(pool.borrow(), 0);
        assert_eq!(pool.buffers(), 0);
    }

    #[test]
    fn pools_share_no_buffer() {
        let (one, other) = (Pool::new(), Pool::new());
        let mut marked = one.borrow();
        marked[SIZE - 1] = 0x5a;
        one.give_back(marked, 0);
        let has_mark = |pool: &Pool| {
            let (all, count) = ([(); 3].map(|()| pool.borrow()), pool.buffers());
            let found = all.iter().any(|bytes| bytes[SIZE - 1] == 0x5a);
            all.into_iter().for_each(|bytes| pool.give_back(bytes, 0));
            (found, count)
        };
        assert_eq!(has_mark(&other), (false, 0));
        assert!(!has_mark(&Pool::default()).0);
        assert_eq!(has_mark(&one.clone()), (true, 0), "a clone is the same pool");
    }
}
