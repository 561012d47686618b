//! Sessions kept by the client.

use crate::keys::schedule12::MASTER_LEN;
use crate::wire::code::CipherSuite;
use core::fmt;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;
use zeroize::Zeroize;

/// Whom a session was made with: the server's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PeerKey(pub String);

/// A session a client can offer to resume.
#[derive(Clone)]
pub struct Session {
    pub(crate) suite: CipherSuite,
    pub(crate) master: Box<[u8; MASTER_LEN]>,
    pub(crate) extended_master_secret: bool,
    pub(crate) id: Vec<u8>,
    pub(crate) ticket: Vec<u8>,
    pub(crate) until: SystemTime,
    pub(crate) server_chain: Vec<Vec<u8>>,
}

impl Session {
    /// The session's cipher suite.
    pub fn suite(&self) -> CipherSuite {
        self.suite
    }

    /// Whether it is resumed by a ticket (else by its session ID).
    pub fn has_ticket(&self) -> bool {
        !self.ticket.is_empty()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.master.zeroize();
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({}, {}, [secret])", self.suite, if self.has_ticket() { "ticket" } else { "session ID" })
    }
}

/// A client's store of sessions. It answers at once: a client that would wait had better do the handshake.
pub trait ClientSessions: Send + Sync {
    /// Keeps a session.
    fn put(&self, peer: &PeerKey, session: Session);
    /// A session to offer. TLS 1.2 sessions may be offered again and again.
    fn get(&self, peer: &PeerKey) -> Option<Session>;
    /// A session that must not be offered again.
    fn forget(&self, peer: &PeerKey);
}

/// The last session of each of a bounded number of servers, in memory.
pub struct ClientSessionCache {
    capacity: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    sessions: HashMap<PeerKey, Session>,
    order: VecDeque<PeerKey>,
}

impl ClientSessionCache {
    /// Keeps the sessions of the last `capacity` servers.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, inner: Mutex::default() }
    }
}

impl ClientSessions for ClientSessionCache {
    fn put(&self, peer: &PeerKey, session: Session) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.sessions.insert(peer.clone(), session).is_none() {
            inner.order.push_back(peer.clone());
        }
        while inner.sessions.len() > self.capacity {
            let Some(oldest) = inner.order.pop_front() else { break };
            inner.sessions.remove(&oldest);
        }
    }

    fn get(&self, peer: &PeerKey) -> Option<Session> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).sessions.get(peer).cloned()
    }

    fn forget(&self, peer: &PeerKey) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.sessions.remove(peer);
        inner.order.retain(|p| p != peer);
    }
}

impl fmt::Debug for ClientSessionCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientSessionCache(of {})", self.capacity)
    }
}
