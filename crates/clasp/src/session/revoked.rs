//! "Any connection terminated with a fatal alert MUST NOT be resumed": RFC 5246 7.2.2.

use super::{ClientSessions, PeerKey, ServerSessions, Session};
use crate::answer::Answer;
use crate::keys::schedule12::Master;
use core::task::{Context, Waker};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Where the session of a TLS 1.2 connection is kept. A ticket is kept by nobody, and cannot be revoked.
pub(crate) enum KeptSession {
    /// By the client, under the server's name.
    Client(Arc<dyn ClientSessions>),
    /// By the server, under its ID.
    Server(Arc<dyn ServerSessions>, [u8; ID_LEN]),
}

/// Bytes of the IDs that a server makes.
pub(crate) const ID_LEN: usize = 32;

impl KeptSession {
    /// Forgets the session with this secret. `name` is the server's.
    pub(crate) fn forget(&self, master: &Master, name: &str) {
        match self {
            Self::Client(store) => {
                // Another session of the same server stays.
                let this = |session: &Session| session.master[..].ct_eq(&master.expose()[..]).into();
                drop(store.take_fitting(&PeerKey(name.to_owned()), &this));
            }
            Self::Server(store, id) => {
                if let Answer::Later(mut forgetting) = store.forget(id) {
                    // The connection is over; there is nobody left to wait.
                    let _begun = forgetting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                }
            }
        }
    }
}
