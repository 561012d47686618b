//! The heap, counted: `malloc` and its kin are replaced in a worker's binary, so that C counts as Rust does.
//!
//! Counted is what the allocator set aside (`malloc_usable_size`), which is a little more than what was asked for.
//! Only one thread of a worker allocates while counting is on.

use core::ffi::c_void;
use core::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

/// What was done to the heap.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Account {
    pub allocations: i64,
    /// Bytes held.
    pub held: i64,
    /// The most that was held.
    pub peak: i64,
}

static COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicI64 = AtomicI64::new(0);
static HELD: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

/// Runs `step`; what it does to the heap goes on `account`.
pub(crate) fn count_on<R>(account: &mut Account, step: impl FnOnce() -> R) -> R {
    ALLOCATIONS.store(account.allocations, Relaxed);
    HELD.store(account.held, Relaxed);
    PEAK.store(account.peak, Relaxed);
    COUNTING.store(true, Relaxed);
    let result = step();
    COUNTING.store(false, Relaxed);
    *account = Account { allocations: ALLOCATIONS.load(Relaxed), held: HELD.load(Relaxed), peak: PEAK.load(Relaxed) };
    result
}

/// Whether the replacements below are in force: a linker may have left them out.
pub(crate) fn is_counted() -> bool {
    let mut account = Account::default();
    let held = count_on(&mut account, || {
        // SAFETY: a block of C's heap, given back as it came.
        unsafe {
            // A compiler may leave out a block that nobody looks at.
            let block = core::hint::black_box(libc::malloc(1000));
            let held = HELD.load(Relaxed);
            libc::free(block);
            held
        }
    });
    held >= 1000 && account.held == 0 && account.allocations == 1
}

fn add(block: *mut c_void) {
    // SAFETY: `block` is null or came from the allocator just now.
    let size = i64::try_from(unsafe { libc::malloc_usable_size(block) }).unwrap_or(0);
    let held = HELD.fetch_add(size, Relaxed) + size;
    PEAK.fetch_max(held, Relaxed);
}

fn taken(block: *mut c_void) -> *mut c_void {
    if COUNTING.load(Relaxed) {
        ALLOCATIONS.fetch_add(1, Relaxed);
        add(block);
    }
    block
}

fn leaves(block: *mut c_void) {
    if COUNTING.load(Relaxed) {
        // SAFETY: `block` is null or came from the allocator and is given back only after this.
        let size = unsafe { libc::malloc_usable_size(block) };
        HELD.fetch_sub(i64::try_from(size).unwrap_or(0), Relaxed);
    }
}

/// The C library's allocator under its own names, and the replacements under the usual ones.
mod replaced {
    use super::{leaves, taken};
    use core::ffi::{c_int, c_void};

    unsafe extern "C" {
        fn __libc_malloc(size: usize) -> *mut c_void;
        fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
        fn __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void;
        fn __libc_memalign(alignment: usize, size: usize) -> *mut c_void;
        fn __libc_free(block: *mut c_void);
    }

    // SAFETY of all of them: they do what the C library's do, with the caller's own arguments.

    #[unsafe(no_mangle)]
    extern "C" fn malloc(size: usize) -> *mut c_void {
        taken(unsafe { __libc_malloc(size) })
    }

    #[unsafe(no_mangle)]
    extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
        taken(unsafe { __libc_calloc(count, size) })
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
        leaves(block);
        taken(unsafe { __libc_realloc(block, size) })
    }

    #[unsafe(no_mangle)]
    extern "C" fn memalign(alignment: usize, size: usize) -> *mut c_void {
        taken(unsafe { __libc_memalign(alignment, size) })
    }

    #[unsafe(no_mangle)]
    extern "C" fn aligned_alloc(alignment: usize, size: usize) -> *mut c_void {
        memalign(alignment, size)
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn posix_memalign(block: *mut *mut c_void, alignment: usize, size: usize) -> c_int {
        let new = memalign(alignment, size);
        if new.is_null() {
            return libc::ENOMEM;
        }
        unsafe { *block = new };
        0
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn free(block: *mut c_void) {
        leaves(block);
        unsafe { __libc_free(block) }
    }
}
