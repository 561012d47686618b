//! Tickets as the runner's callbacks make them: late under `-async`, sometimes none, sometimes due for renewal.

use crate::doubles::answer;
use crate::flags::Flags;
use clasp::Answer;
use clasp::session::{Opened, TicketKeys, TicketSealer};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The keys of the process, behind a callback.
pub(crate) struct CallbackTickets {
    keys: Arc<TicketKeys>,
    skip: bool,
    renew: bool,
    slow: bool,
}

impl CallbackTickets {
    pub(crate) fn new(keys: Arc<TicketKeys>, flags: &Flags) -> Self {
        Self { keys, skip: flags.skip_ticket, renew: flags.renew_ticket, slow: flags.async_ }
    }
}

impl TicketSealer for CallbackTickets {
    fn seal<'a>(&'a self, now: SystemTime, session: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        let mut ticket = Vec::new();
        let sealed = self.keys.seal(now, session, &mut ticket).is_ok() && !self.skip;
        answer(self.slow, sealed.then_some(ticket))
    }

    fn open<'a>(&'a self, now: SystemTime, ticket: &'a [u8]) -> Answer<'a, Option<Opened>> {
        let opened = self.keys.open(now, ticket);
        answer(self.slow, opened.map(|o| Opened { renew: o.renew || self.renew, ..o }))
    }

    fn lifetime(&self) -> Duration {
        self.keys.lifetime()
    }
}
