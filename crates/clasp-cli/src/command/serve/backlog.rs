//! What has been said on a connection, and has not left yet.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::Arc;

/// What of a connection's words waits for the kernel to take it, for whoever would call them gone. Nothing else is guarded by
/// these, so that no order among them is needed.
#[derive(Clone, Default)]
pub(super) struct Backlog(Arc<Waiting>);

#[derive(Default)]
struct Waiting {
    any: AtomicBool,
    /// Counts on with what the kernel takes.
    taken: AtomicUsize,
}

impl Backlog {
    /// Whether there is any.
    pub(super) fn is_any(&self) -> bool {
        self.0.any.load(Relaxed)
    }

    /// Grows as it is taken.
    pub(super) fn taken(&self) -> usize {
        self.0.taken.load(Relaxed)
    }

    pub(super) fn set(&self, any: bool) {
        self.0.any.store(any, Relaxed);
    }

    pub(super) fn take(&self, bytes: usize) {
        self.0.taken.fetch_add(bytes, Relaxed);
    }
}
