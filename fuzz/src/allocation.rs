//! How much of the heap a piece of work takes at most at a time.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    // A thread that ends frees after its counters are gone.
    let _gone = LIVE.try_with(|live| {
        live.set(live.get() + change);
        PEAK.with(|peak| peak.set(peak.get().max(live.get())));
    });
}

fn size(layout: Layout) -> isize {
    isize::try_from(layout.size()).unwrap_or(isize::MAX)
}

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(size(layout));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-size(layout));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Runs `work`; it may take `limit` bytes at a time beyond what was taken before.
///
/// # Panics
/// If it takes more.
pub(crate) fn bounded(name: &str, limit: usize, work: impl FnOnce()) {
    let before = LIVE.get();
    PEAK.set(before);
    work();
    let peak = usize::try_from(PEAK.get() - before).unwrap_or(0);
    assert!(peak <= limit, "{name} took {peak} bytes of the heap at a time; {limit} are allowed");
}
