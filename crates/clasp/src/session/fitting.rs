//! What a client keeps of the tickets that come: those that its next hello has room for.

use super::{ClientSessions, PeerKey, Session};
use std::sync::Arc;

/// A client's store as its connections see it. A ticket may be as long as a hello's extensions together (RFC 9846
/// 4.6.1, RFC 5077 3.3), and then it could never be sent: it does not get in; nor does one come out that another
/// configuration, with a shorter hello, has put there.
pub(crate) struct Fitting {
    store: Arc<dyn ClientSessions>,
    /// Bytes of a ticket that the hello has room for.
    room: usize,
}

impl Fitting {
    pub(crate) fn new(store: Arc<dyn ClientSessions>, room: usize) -> Self {
        Self { store, room }
    }
}

impl ClientSessions for Fitting {
    fn put(&self, peer: &PeerKey, session: Session) {
        if session.ticket.len() <= self.room {
            self.store.put(peer, session);
        }
    }

    fn take(&self, peer: &PeerKey) -> Option<Session> {
        self.store.take(peer).filter(|session| session.ticket.len() <= self.room)
    }

    fn take_fitting(&self, peer: &PeerKey, fits: &dyn Fn(&Session) -> bool) -> Option<Session> {
        self.store.take_fitting(peer, fits).filter(|session| session.ticket.len() <= self.room)
    }
}
