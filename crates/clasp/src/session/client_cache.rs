//! Sessions kept by the client.

use super::{CONTEXT_LEN, Context};
use crate::code::{CertificateType, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::facts::End;
use crate::facts::PeerIdentity;
use crate::keys::schedule12::MASTER_LEN;
use core::fmt;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use zeroize::Zeroize;

/// Whom a session was made with: the server's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PeerKey(pub String);

/// A session a client can offer to resume.
#[derive(Clone)]
pub struct Session {
    pub(crate) version: ProtocolVersion,
    pub(crate) suite: CipherSuite,
    pub(crate) master: Box<[u8; MASTER_LEN]>,
    pub(crate) extended_master_secret: bool,
    pub(crate) id: Vec<u8>,
    pub(crate) ticket: Vec<u8>,
    pub(crate) until: SystemTime,
    /// What the server had shown of itself.
    pub(crate) server: Option<Arc<PeerIdentity>>,
    /// What its chain holds.
    pub(crate) server_type: CertificateType,
    pub(crate) alpn: Option<Vec<u8>>,
    /// What was settled when the session was made.
    pub(crate) group: Option<NamedGroup>,
    pub(crate) signature_scheme: Option<SignatureScheme>,
    /// TLS 1.3: when the ticket came, and what is added to its age.
    pub(crate) received: SystemTime,
    pub(crate) age_add: u32,
    pub(crate) max_early_data: u32,
    /// What decided when it was made.
    pub(crate) context: Context,
    /// When that decision ends, however often it is resumed.
    pub(crate) authenticated_until: End,
    /// TLS 1.3: the mark of the pre-shared key that authenticated both sides.
    pub(crate) psk: Option<[u8; CONTEXT_LEN]>,
}

impl Session {
    /// The session's version.
    pub fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// How many bytes of early data the server takes with it (TLS 1.3).
    pub fn max_early_data(&self) -> u32 {
        self.max_early_data
    }

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
    /// Takes out a session to offer. A TLS 1.3 ticket is used once, so that onlookers cannot link connections by it
    /// (RFC 9846 C.4); the connection puts a TLS 1.2 session back.
    fn take(&self, peer: &PeerKey) -> Option<Session>;
    /// Takes out a session that `fits`, and leaves the others: configurations that share a store must not lose their sessions
    /// to one another. By default one is taken, and put back if it does not.
    fn take_fitting(&self, peer: &PeerKey, fits: &dyn Fn(&Session) -> bool) -> Option<Session> {
        let session = self.take(peer)?;
        if fits(&session) {
            return Some(session);
        }
        self.put(peer, session);
        None
    }
}

/// The last sessions of each of a bounded number of servers, in memory.
pub struct ClientSessionCache {
    capacity: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    sessions: HashMap<PeerKey, VecDeque<Session>>,
    order: VecDeque<PeerKey>,
}

/// Tickets that a configuration keeps for one server: one for each of a browser's connections to it.
const SESSIONS_PER_SERVER: usize = 6;
/// Sessions kept for one server by all the configurations that share a store.
const SESSIONS_OF_ALL: usize = 4 * SESSIONS_PER_SERVER;

impl ClientSessionCache {
    /// Keeps the sessions of the last `capacity` servers.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, inner: Mutex::default() }
    }
}

impl ClientSessions for ClientSessionCache {
    fn put(&self, peer: &PeerKey, session: Session) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *inner;
        let kept = match inner.sessions.get_mut(peer) {
            Some(kept) => kept,
            None => {
                inner.order.push_back(peer.clone());
                inner.sessions.entry(peer.clone()).or_default()
            }
        };
        let context = session.context;
        if session.version != ProtocolVersion::Tls13 {
            // One TLS 1.2 session serves every connection.
            kept.retain(|s| s.version == ProtocolVersion::Tls13 || s.context != context);
        }
        kept.push_back(session);
        if kept.iter().filter(|s| s.context == context).count() > SESSIONS_PER_SERVER
            && let Some(oldest) = kept.iter().position(|s| s.context == context)
        {
            kept.remove(oldest);
        }
        if kept.len() > SESSIONS_OF_ALL {
            kept.pop_front();
        }
        while inner.sessions.len() > self.capacity {
            let Some(oldest) = inner.order.pop_front() else { break };
            inner.sessions.remove(&oldest);
        }
    }

    /// A server whose last session is taken keeps its place: it is about to give another.
    fn take(&self, peer: &PeerKey) -> Option<Session> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.sessions.get_mut(peer)?.pop_back()
    }

    fn take_fitting(&self, peer: &PeerKey, fits: &dyn Fn(&Session) -> bool) -> Option<Session> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = inner.sessions.get_mut(peer)?;
        let last = kept.iter().rposition(fits)?;
        kept.remove(last)
    }
}

impl fmt::Debug for ClientSessionCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientSessionCache(of {})", self.capacity)
    }
}
