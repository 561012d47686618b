//! Processor time of this thread: other processes on the machine do not count, unlike on a wall clock.

use std::sync::OnceLock;

/// Nanoseconds of processor time this thread has had.
pub(crate) fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable, and the clock exists on every Linux.
    let outcome = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(outcome, 0, "this system has no clock for a thread's processor time");
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// What measuring nothing takes: it is taken off every measurement, for a look at this clock is a system call.
pub(crate) fn overhead() -> u64 {
    static OVERHEAD: OnceLock<u64> = OnceLock::new();
    *OVERHEAD.get_or_init(|| {
        let mut samples: Vec<u64> = (0..2001)
            .map(|_| {
                let start = now();
                now() - start
            })
            .collect();
        samples.sort_unstable();
        samples[samples.len() / 2]
    })
}
