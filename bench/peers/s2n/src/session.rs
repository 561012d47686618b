//! What s2n-tls leaves to its user: where a client keeps its tickets, and whose names count.

use bench_harness::scenario::{Resume, Scenario, Version};
use s2n_tls::callbacks::{SessionTicket, SessionTicketCallback, VerifyHostNameCallback};
use s2n_tls::connection::Connection;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// As many tickets as other libraries keep for one server.
const MOST: usize = 8;

/// Tickets that the client was given.
#[derive(Clone)]
pub(crate) struct Store(Arc<Inner>);

struct Inner {
    sessions: Mutex<Vec<Vec<u8>>>,
    resume: Resume,
    /// A TLS 1.3 ticket is used once; one TLS 1.2 session serves every connection.
    used_once: bool,
}

impl Store {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        Self(Arc::new(Inner {
            sessions: Mutex::default(),
            resume: scenario.resume,
            used_once: scenario.version == Version::Tls13,
        }))
    }

    /// A session to offer.
    pub(crate) fn offer(&self) -> Option<Vec<u8>> {
        let mut sessions = lock(&self.0.sessions);
        if self.0.used_once { sessions.pop() } else { sessions.last().cloned() }
    }

    fn keep(&self, session: Vec<u8>) {
        let mut sessions = lock(&self.0.sessions);
        let most = if self.0.used_once { MOST } else { 1 };
        if self.0.resume != Resume::Full && sessions.len() < most {
            sessions.push(session);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SessionTicketCallback for Store {
    fn on_session_ticket(&self, _: &mut Connection, ticket: &SessionTicket) {
        let mut session = vec![0; ticket.len().unwrap_or(0)];
        if ticket.data(&mut session).is_ok() {
            self.keep(session);
        }
    }
}

/// Takes any name: what is checked of a client is its chain.
pub(crate) struct AnyClient;

impl VerifyHostNameCallback for AnyClient {
    fn verify_host_name(&self, _: &str) -> bool {
        true
    }
}
