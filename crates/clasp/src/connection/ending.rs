//! How a connection ends: by close_notify, by an error and its alert, by its transport.

use super::{Connection, Reading, refusal};
use crate::code::{AlertDescription, ContentType};
use crate::error::{Cause, Error, Misuse, Outside, PeerError, Result};
use crate::handshake::link::Waiting;
use crate::trace::{Direction, Level, What};
use std::io::IoSlice;

impl Connection {
    /// Ends the connection with a fatal alert of the caller's choice.
    ///
    /// # Errors
    /// If it has failed before.
    pub fn abort(&mut self, alert: AlertDescription, out: &mut Vec<u8>) -> Result<()> {
        self.check_failed()?;
        let _the_error_that_stands = self.fail(Error::aborted(alert), out);
        Ok(())
    }

    /// Says close_notify: nothing more will be sent (RFC 5246 7.2.1). Data of the peer may still be received. A handshake in
    /// which we have not said all there is to say ends with it: the connection has failed.
    ///
    /// # Errors
    /// If no record sequence number is left.
    pub fn close(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.closed || self.failed.is_some() {
            return Ok(());
        }
        self.say_close(out)?;
        if self.live.is_some() && self.write_level != Level::Application {
            self.fail(Misuse::AlreadyClosed.into(), out);
        }
        Ok(())
    }

    /// The alert alone.
    pub(super) fn say_close(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if core::mem::replace(&mut self.closed, true) {
            return Ok(());
        }
        self.send_alert(AlertDescription::CloseNotify, false, out)
    }

    /// The transport has ended. Without a close_notify before, data may be missing: that is an error, never an end. After
    /// the handshake it is an end of receiving alone: what a peer does that closes one direction of its transport has no
    /// bearing on the other (RFC 9846 6.1).
    ///
    /// # Errors
    /// If the peer had not closed.
    pub fn transport_ended(&mut self) -> Result<()> {
        self.check_failed()?;
        if self.peer_closed() {
            return Ok(());
        }
        let error = match self.live.as_ref().map(|live| live.waiting()) {
            None => {
                let error = Error::from(PeerError::Truncated);
                if core::mem::replace(&mut self.reading, Reading::CutOff) != Reading::CutOff {
                    self.tell(What::Failed(&error));
                }
                return Err(error);
            }
            Some(Waiting::Message(wanted)) => Error::from(PeerError::ClosedDuringHandshake).wanted(wanted),
            Some(_) => PeerError::ClosedDuringHandshake.into(),
        };
        Err(self.fail(error, &mut Vec::new()))
    }

    /// Whoever drives the connection will not wait any longer for what it waits for. The connection has failed; the error
    /// says who was too slow, and the alert stands in `out`.
    pub fn give_up(&mut self, out: &mut Vec<u8>) -> Error {
        if let Some(first) = &self.failed {
            return first.clone();
        }
        let error = match self.waiting() {
            Waiting::Outside(who) => Error::from(Outside::TookTooLong).wanted(format_args!("an answer from {who}")),
            Waiting::Message(wanted) => Error::from(PeerError::TookTooLong).wanted(wanted),
            Waiting::Nothing => PeerError::TookTooLong.into(),
        };
        self.fail(error.hint("the adapters' TimeLimits say how long is waited"), out)
    }

    pub(super) fn peer_refused(&self, alert: AlertDescription) -> Error {
        let last = self.live.as_ref().and_then(|live| live.last_sent);
        let error = Error::from(alert);
        let error = match last {
            Some(kind) => error.seen(format_args!("it as an answer to our {kind}")),
            None => error,
        };
        match refusal::advice(alert, last, self.server) {
            Some(advice) => error.hint(advice),
            None => error,
        }
    }

    /// The connection is poisoned with the error, of which the peer is told.
    pub(super) fn fail(&mut self, error: Error, out: &mut Vec<u8>) -> Error {
        let phase = self.live.as_ref().map(|live| live.phase);
        let error = match phase {
            Some(phase) => error.in_phase(phase),
            None => error,
        };
        self.say_alert(&error, out);
        self.forget_session(&error);
        self.tell(What::Failed(&error));
        self.live = None;
        self.failed = Some(error.clone());
        error
    }

    /// An end without close_notify, and a warning, are no fatal alerts: RFC 5246 7.2.1, 7.2.2.
    fn forget_session(&self, error: &Error) {
        let fatal = !error.is_truncation() && error.alert() != AlertDescription::NoRenegotiation;
        if let Some(established) = self.established.as_ref().filter(|_| fatal) {
            established.forget_session();
        }
    }

    /// The one place that turns an error into an alert.
    pub(super) fn say_alert(&mut self, error: &Error, out: &mut Vec<u8>) {
        let silent = matches!(
            error.cause(),
            Cause::Alert(_) | Cause::Peer(PeerError::Truncated | PeerError::ClosedDuringHandshake)
        );
        // RFC 5246 7.2.2: this one is always a warning, which ends nothing by itself.
        let fatal = error.alert() != AlertDescription::NoRenegotiation;
        if !silent && !self.closed {
            // Without a sequence number left there is nothing to say it with.
            let _unsaid = self.send_alert(error.alert(), fatal, out);
            if !fatal {
                let _unsaid = self.say_close(out);
            }
        }
    }

    fn send_alert(&mut self, alert: AlertDescription, fatal: bool, out: &mut Vec<u8>) -> Result<()> {
        self.wake_sending()?;
        self.sealer.seal(ContentType::Alert, &[IoSlice::new(&[if fatal { 2 } else { 1 }, alert.0])], out)?;
        self.tell(What::Alert { direction: Direction::Sent, fatal, alert });
        Ok(())
    }
}
