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
    /// TLS 1.3: what the server's carrier said then.
    pub(crate) parameters: Option<Arc<[u8]>>,
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

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::super::Fitting;
    use super::*;

    /// A session that its ticket tells from others.
    fn session(version: ProtocolVersion, context: u8, ticket: usize) -> Session {
        Session {
            version,
            suite: CipherSuite::TLS_AES_128_GCM_SHA256,
            master: Box::new([7; MASTER_LEN]),
            extended_master_secret: true,
            id: Vec::new(),
            ticket: vec![1; ticket],
            until: SystemTime::UNIX_EPOCH,
            server: None,
            server_type: CertificateType::X509,
            alpn: None,
            group: None,
            signature_scheme: None,
            received: SystemTime::UNIX_EPOCH,
            age_add: 0,
            max_early_data: 17,
            context: Context([context; CONTEXT_LEN]),
            authenticated_until: End(0),
            psk: None,
            parameters: None,
        }
    }

    fn peer(name: &str) -> PeerKey {
        PeerKey(name.to_owned())
    }

    /// The tickets' lengths, the last first.
    fn drain(store: &dyn ClientSessions, name: &str) -> Vec<usize> {
        core::iter::from_fn(|| store.take(&peer(name))).map(|s| s.ticket.len()).collect()
    }

    const TLS12: ProtocolVersion = ProtocolVersion::Tls12;
    const TLS13: ProtocolVersion = ProtocolVersion::Tls13;

    #[test]
    fn a_session_tells_of_itself() {
        let session = session(TLS13, 0, 3);
        assert_eq!((session.version(), session.max_early_data()), (TLS13, 17));
        assert_eq!(session.suite(), CipherSuite::TLS_AES_128_GCM_SHA256);
        assert!(session.has_ticket() && !self::session(TLS12, 0, 0).has_ticket());
        assert!(format!("{session:?}").ends_with("ticket, [secret])"), "{session:?}");
        assert!(format!("{:?}", self::session(TLS12, 0, 0)).ends_with("session ID, [secret])"));
        assert_eq!(format!("{:?}", ClientSessionCache::new(3)), "ClientSessionCache(of 3)");
    }

    #[test]
    fn the_last_few_of_each_configuration_are_kept() {
        let store = ClientSessionCache::new(2);
        for ticket in 1..=SESSIONS_PER_SERVER + 2 {
            store.put(&peer("a"), session(TLS13, 1, ticket));
        }
        assert_eq!(drain(&store, "a"), (3..=SESSIONS_PER_SERVER + 2).rev().collect::<Vec<_>>());
        // Another configuration's push out none of these, until there are too many of all.
        let configurations = SESSIONS_OF_ALL / SESSIONS_PER_SERVER;
        for context in 0..configurations {
            for ticket in 0..SESSIONS_PER_SERVER {
                let (context, ticket) = (u8::try_from(context).unwrap(), context * 100 + ticket);
                store.put(&peer("a"), session(TLS13, context, ticket));
            }
        }
        store.put(&peer("a"), session(TLS13, 99, 9999));
        let kept = drain(&store, "a");
        assert_eq!((kept.len(), kept[0], kept[kept.len() - 1]), (SESSIONS_OF_ALL, 9999, 1), "the oldest has gone");
        for ticket in 0..SESSIONS_OF_ALL {
            store.put(&peer("a"), session(TLS13, u8::try_from(ticket).unwrap(), ticket));
        }
        assert_eq!(drain(&store, "a").len(), SESSIONS_OF_ALL);
    }

    #[test]
    fn one_session_of_tls12_is_kept_for_each_configuration() {
        let store = ClientSessionCache::new(2);
        for (version, context, ticket) in [(TLS12, 1, 1), (TLS13, 1, 2), (TLS12, 2, 3), (TLS12, 1, 4), (TLS13, 1, 5)] {
            store.put(&peer("a"), session(version, context, ticket));
        }
        assert_eq!(drain(&store, "a"), [5, 4, 3, 2]);
    }

    #[test]
    fn servers_are_forgotten_in_the_order_they_were_met() {
        let store = ClientSessionCache::new(2);
        for (name, ticket) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            store.put(&peer(name), session(TLS13, 0, ticket));
        }
        assert_eq!([drain(&store, "a"), drain(&store, "b"), drain(&store, "c")], [vec![], vec![2], vec![4]]);
        // One whose sessions are taken keeps its place.
        store.put(&peer("b"), session(TLS13, 0, 5));
        store.put(&peer("d"), session(TLS13, 0, 6));
        assert_eq!([drain(&store, "b"), drain(&store, "c"), drain(&store, "d")], [vec![], vec![], vec![6]]);
        let none = ClientSessionCache::new(0);
        none.put(&peer("a"), session(TLS13, 0, 1));
        assert!(none.take(&peer("a")).is_none());
    }

    /// A store that has no way of its own to choose.
    struct Plain(ClientSessionCache);

    impl ClientSessions for Plain {
        fn put(&self, peer: &PeerKey, session: Session) {
            self.0.put(peer, session);
        }

        fn take(&self, peer: &PeerKey) -> Option<Session> {
            self.0.take(peer)
        }
    }

    #[test]
    fn what_does_not_fit_stays() {
        let own = ClientSessionCache::new(2);
        let plain = Plain(ClientSessionCache::new(2));
        let shared: [&dyn ClientSessions; 2] = [&own, &plain];
        for store in shared {
            store.put(&peer("a"), session(TLS13, 0, 1));
            store.put(&peer("a"), session(TLS13, 0, 2));
            assert!(store.take_fitting(&peer("a"), &|_| false).is_none());
            assert!(store.take_fitting(&peer("b"), &|_| true).is_none());
            assert_eq!(store.take_fitting(&peer("a"), &|s| s.ticket.len() == 2).map(|s| s.ticket.len()), Some(2));
            assert_eq!(drain(store, "a"), [1]);
        }
        own.put(&peer("a"), session(TLS13, 0, 1));
        own.put(&peer("a"), session(TLS13, 0, 2));
        assert!(own.take_fitting(&peer("a"), &|s| s.ticket.len() == 1).is_some(), "not the last alone");
        assert_eq!(drain(&own, "a"), [2]);
    }

    #[test]
    fn a_ticket_that_the_hello_has_no_room_for_is_neither_kept_nor_given() {
        let store = Arc::new(ClientSessionCache::new(2));
        let fitting = Fitting::new(store.clone(), 10);
        for ticket in [9, 10, 11] {
            fitting.put(&peer("a"), session(TLS13, 0, ticket));
        }
        assert_eq!(drain(&*store, "a"), [10, 9]);
        for (ticket, given) in [(9, true), (10, true), (11, false)] {
            store.put(&peer("a"), session(TLS13, 0, ticket));
            assert_eq!(fitting.take(&peer("a")).is_some(), given, "{ticket}");
            store.put(&peer("a"), session(TLS13, 0, ticket));
            assert_eq!(fitting.take_fitting(&peer("a"), &|_| true).is_some(), given, "{ticket}");
        }
        fitting.put(&peer("a"), session(TLS13, 0, 5));
        assert!(fitting.take_fitting(&peer("a"), &|_| false).is_none());
        assert_eq!(drain(&fitting, "a"), [5]);
    }
}
