//! How long whoever drives a connection waits.

use core::time::Duration;

/// How long an adapter waits: for the whole handshake, and for each answer of a party outside (a key, a verifier, a resolver,
/// a session store), also after the handshake. Then the connection ends with an error of the kind
/// [`TimedOut`](std::io::ErrorKind::TimedOut), which says who was waited for, and the peer is told.
///
/// ```
/// use clasp::TimeLimits;
/// use std::time::Duration;
/// // A card that asks for its PIN takes longer than the 10 seconds that are usual.
/// let patient = TimeLimits::default().outside(Duration::from_secs(120)).handshake(Duration::from_secs(180));
/// # drop(patient);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimits {
    /// In milliseconds; none if 0. Every stream has them.
    handshake: u32,
    outside: u32,
}

impl Default for TimeLimits {
    /// 30 seconds for a handshake, 10 for each answer from outside.
    fn default() -> Self {
        Self { handshake: 30_000, outside: 10_000 }
    }
}

impl TimeLimits {
    /// For ever: for programs that watch over their connections by other means.
    pub const fn none() -> Self {
        Self { handshake: 0, outside: 0 }
    }

    /// For the whole handshake, from its first step on.
    #[must_use]
    pub fn handshake(self, limit: Duration) -> Self {
        Self { handshake: milliseconds(limit), ..self }
    }

    /// For each answer of a party outside.
    #[must_use]
    pub fn outside(self, limit: Duration) -> Self {
        Self { outside: milliseconds(limit), ..self }
    }

    /// How long a handshake may take, if that is bounded.
    pub fn for_handshake(self) -> Option<Duration> {
        duration(self.handshake)
    }

    /// How long a party outside may take, if that is bounded.
    pub fn for_outside(self) -> Option<Duration> {
        duration(self.outside)
    }
}

/// At least one: a limit of nothing is a limit. More than fit are 49 days.
fn milliseconds(limit: Duration) -> u32 {
    u32::try_from(limit.as_millis()).unwrap_or(u32::MAX).max(1)
}

fn duration(milliseconds: u32) -> Option<Duration> {
    (milliseconds > 0).then(|| Duration::from_millis(milliseconds.into()))
}
