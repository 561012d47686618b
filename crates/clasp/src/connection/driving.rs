//! What a caller asks a connection, and has it do, whichever way its data goes.

use super::Connection;
use super::inbound::Reading;
use crate::error::{Error, Result};
use crate::facts::Facts;
use crate::handshake::link::Waiting;
use core::task::Context;
use std::sync::Arc;
use std::time::SystemTime;

/// What a connection wants next. A carrier over datagrams will have one more thing to want, to be called again at a deadline
/// (RFC 9147 5.8): whoever does not know what is wanted waits for bytes of the peer, and calls [`Connection::advance`] when
/// there are some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Want {
    /// Bytes from the peer.
    Bytes,
    /// An answer from outside: call [`Connection::advance`] when the waker fires.
    Outside,
    /// Nothing: the handshake is done, or the connection is closed.
    Nothing,
}

impl Connection {
    /// Polls the conversation: call it first thing, and whenever the context's waker fires.
    ///
    /// # Errors
    /// The connection has failed; its alert stands in `out`.
    pub fn advance(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Result<Want> {
        self.common.check_failed()?;
        if let Err(error) = self.drive(cx, out) {
            return Err(self.fail(error, out));
        }
        Ok(match (&self.live, self.waits_outside()) {
            (_, true) => Want::Outside,
            (Some(_), false) => Want::Bytes,
            (None, false) => Want::Nothing,
        })
    }

    /// What the handshake settled, once it is done.
    pub fn facts(&self) -> Option<&Arc<Facts>> {
        self.common.facts()
    }

    /// Whether the handshake is still going on.
    pub fn is_handshaking(&self) -> bool {
        self.live.is_some() && self.common.failed.is_none()
    }

    /// Client: whether the server has let us in, with our certificate or without the one that it asked for. A TLS 1.3 client's
    /// handshake is done when it has sent its certificate; whether the server takes it shows with what comes next: a ticket or
    /// data, or an alert ([`Error::peer_alert`]). In TLS 1.2, and where no certificate was asked for, it is so from the
    /// handshake's end on.
    ///
    /// A server may say something before it has looked at the certificate (RFC 9846 2, 4.6.1), though hardly any does that
    /// asks for one; an application that has to know better has its protocol say so.
    pub fn is_confirmed(&self) -> bool {
        self.inbound.is_confirmed(&self.common)
    }

    /// Whether the peer has said close_notify.
    pub fn peer_closed(&self) -> bool {
        self.inbound.reading == Reading::Closed
    }

    /// Whether we have: nothing more is sent.
    pub fn is_closed(&self) -> bool {
        self.outbound.closed
    }

    /// The error that ended the connection.
    pub fn failure(&self) -> Option<&Error> {
        self.common.failed.as_ref()
    }

    /// What the connection waits for: during the handshake, and while a certificate is shown or checked after it.
    pub fn waiting(&self) -> Waiting {
        match (&self.live, self.post_auth()) {
            (Some(live), _) => live.waiting(),
            (None, Some(post)) => post.waiting(),
            (None, None) => Waiting::Nothing,
        }
    }

    /// Since when it has waited for that, by the configuration's clock.
    pub fn waiting_since(&self) -> Option<SystemTime> {
        match (&self.live, self.post_auth()) {
            (Some(live), _) => live.waiting_since(),
            (None, Some(post)) => post.waiting_since(),
            (None, None) => None,
        }
    }

    pub(super) fn waits_outside(&self) -> bool {
        matches!(self.waiting(), Waiting::Outside(_))
    }

    /// Whether part of a handshake message waits for its rest.
    pub(super) fn holds_part(&self) -> bool {
        self.live.as_ref().map_or(self.inbound.joiner.is_some(), |live| live.is_partial())
    }
}
