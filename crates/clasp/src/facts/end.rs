//! When what authenticated a peer counts no longer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long what authenticated a peer counts, if none of its certificates ends before: RFC 9846 4.6.1 has tickets end after
/// seven days, and recommends that an end be put to tickets that come of tickets.
pub(crate) const MAX_AUTHENTICATION: Duration = Duration::from_secs(7 * 24 * 3600);

/// In whole seconds since 1970, until 2106: an idle connection and a kept session each hold one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct End(pub(crate) u32);

impl End {
    /// Rounded down, so that nothing counts too long.
    pub(crate) fn at(time: SystemTime) -> Self {
        let seconds = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        Self(u32::try_from(seconds).unwrap_or(u32::MAX))
    }

    pub(crate) fn is_past(self, now: SystemTime) -> bool {
        now > self.time()
    }

    pub(crate) fn time(self) -> SystemTime {
        UNIX_EPOCH.checked_add(Duration::from_secs(self.0.into())).unwrap_or(UNIX_EPOCH)
    }
}
