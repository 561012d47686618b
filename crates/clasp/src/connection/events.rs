//! What a caller wants to know before the handshake is done.

use super::Connection;
use crate::facts::Event;

impl Connection {
    /// Has [`poll_event`](Self::poll_event) tell of what the handshake comes to from here on. Call it before anything else:
    /// unless it is asked for, nothing is kept.
    pub fn keep_events(&mut self) {
        self.beside.get_or_insert_default().events.get_or_insert_default();
        if let Some(live) = &self.live {
            live.tell_events();
        }
    }

    /// What the handshake has come to, in order; none where there is nothing new. Ask after each call that takes bytes of
    /// the peer, and after [`advance`](Self::advance).
    pub fn poll_event(&mut self) -> Option<Event> {
        let beside = self.beside.as_mut()?;
        let event = beside.events.as_mut()?.pop_front();
        if self.live.is_none() {
            // Nothing more will come.
            beside.events.take_if(|events| events.is_empty());
            self.settle_beside();
        }
        event
    }

    pub(super) fn add_event(&mut self, event: Event) {
        if let Some(events) = self.beside.as_mut().and_then(|beside| beside.events.as_mut()) {
            events.push_back(event);
        }
    }
}
