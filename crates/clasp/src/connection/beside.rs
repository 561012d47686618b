//! What only some connections have: in a place of its own on the heap, so that the others do not carry it.

use super::Connection;
use super::early::Early;
use super::post_auth::PostAuth;
use crate::facts::Event;
use std::collections::VecDeque;

/// What a connection may have besides.
#[derive(Default)]
pub(super) struct Beside {
    pub(super) early: Option<Early>,
    /// What the caller has not asked for yet; none if he does not want to hear it.
    pub(super) events: Option<VecDeque<Event>>,
    pub(super) post_auth: Option<PostAuth>,
}

impl Connection {
    /// What there is of early data.
    pub(super) fn early(&self) -> Option<&Early> {
        self.beside.as_ref()?.early.as_ref()
    }

    pub(super) fn early_mut(&mut self) -> Option<&mut Early> {
        self.beside.as_mut()?.early.as_mut()
    }

    /// There is early data, or may be.
    pub(super) fn begin_early(&mut self) -> &mut Early {
        self.beside.get_or_insert_default().early.get_or_insert_default()
    }

    /// What there is of client authentication after the handshake.
    pub(super) fn post_auth(&self) -> Option<&PostAuth> {
        self.beside.as_ref()?.post_auth.as_ref()
    }

    pub(super) fn post_auth_mut(&mut self) -> Option<&mut PostAuth> {
        self.beside.as_mut()?.post_auth.as_mut()
    }

    /// The place goes once nothing is in it.
    pub(super) fn settle_beside(&mut self) {
        if self
            .beside
            .as_ref()
            .is_some_and(|beside| matches!(**beside, Beside { early: None, events: None, post_auth: None }))
        {
            self.beside = None;
        }
    }
}
