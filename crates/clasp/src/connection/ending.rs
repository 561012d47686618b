//! How a connection ends: by close_notify, by an error and its alert, by its transport.

use super::Connection;
use crate::code::AlertDescription;
use crate::error::{Error, Misuse, Outside, PeerError, Result};
use crate::handshake::link::Waiting;
use crate::trace::Level;

impl Connection {
    /// Ends the connection with a fatal alert of the caller's choice.
    ///
    /// # Errors
    /// If it has failed before.
    pub fn abort(&mut self, alert: AlertDescription, out: &mut Vec<u8>) -> Result<()> {
        self.common.check_failed()?;
        let _the_error_that_stands = self.fail(Error::aborted(alert), out);
        Ok(())
    }

    /// Says close_notify: nothing more will be sent (RFC 5246 7.2.1). Data of the peer may still be received. A handshake in
    /// which we have not said all there is to say ends with it: the connection has failed.
    ///
    /// # Errors
    /// If no record sequence number is left.
    pub fn close(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.outbound.closed || self.common.failed.is_some() {
            return Ok(());
        }
        self.say_close(out)?;
        if self.live.is_some() && self.outbound.level != Level::Application {
            self.fail(Misuse::AlreadyClosed.into(), out);
        }
        Ok(())
    }

    /// The alert alone.
    pub(super) fn say_close(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.take_back_sending();
        self.outbound.say_close(&mut self.common, out)
    }

    /// The transport has ended. Without a close_notify before, data may be missing: that is an error, never an end. After
    /// the handshake it is an end of receiving alone: what a peer does that closes one direction of its transport has no
    /// bearing on the other (RFC 9846 6.1).
    ///
    /// # Errors
    /// If the peer had not closed.
    pub fn transport_ended(&mut self) -> Result<()> {
        self.common.check_failed()?;
        if self.peer_closed() {
            return Ok(());
        }
        let error = match self.live.as_ref().map(|live| live.waiting()) {
            None => return Err(self.inbound.cut_off(&mut self.common)),
            Some(Waiting::Message(wanted)) => Error::from(PeerError::ClosedDuringHandshake).wanted(wanted),
            Some(_) => PeerError::ClosedDuringHandshake.into(),
        };
        Err(self.fail(error, &mut Vec::new()))
    }

    /// Whoever drives the connection will not wait any longer for what it waits for. The connection has failed; the error
    /// says who was too slow, and the alert stands in `out`.
    pub fn give_up(&mut self, out: &mut Vec<u8>) -> Error {
        if let Some(first) = &self.common.failed {
            return first.clone();
        }
        let error = match self.waiting() {
            Waiting::Outside(who) => Error::from(Outside::TookTooLong).wanted(format_args!("an answer from {who}")),
            Waiting::Message(wanted) => Error::from(PeerError::TookTooLong).wanted(wanted),
            Waiting::Nothing => PeerError::TookTooLong.into(),
        };
        self.fail(error.hint("the adapters' TimeLimits say how long is waited"), out)
    }

    /// The connection is poisoned with the error, of which the peer is told.
    pub(super) fn fail(&mut self, error: Error, out: &mut Vec<u8>) -> Error {
        let error = match &self.live {
            Some(live) => error.in_phase(live.phase),
            None => error,
        };
        self.take_back_sending();
        self.outbound.say_alert(&mut self.common, &error, out);
        self.live = None;
        self.common.fail(error)
    }
}
