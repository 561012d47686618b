//! Where a configuration takes the time from.

use std::time::SystemTime;

/// Tells the time: certificates, tickets and sessions have dates. The core itself reads no clock.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> SystemTime;
}

/// The system's clock; what a configuration uses unless told otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}
