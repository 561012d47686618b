//! The half of a connection that sends.

use super::common::Common;
use super::data::Moved;
use super::outbound::Outbound;
use super::split::HalvesState;
use crate::code::AlertDescription;
use crate::error::{Error, Result};
use core::fmt;
use std::io::IoSlice;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The half that sends: [`Connection::into_split`](super::Connection::into_split).
///
/// Where the receiving half has failed, every call fails with the same error, and the alert goes out with the first that
/// takes a vector.
pub struct Sender {
    pub(super) outbound: Outbound,
    pub(super) common: Common,
    pub(super) shared: Arc<HalvesState>,
}

impl Sender {
    /// As [`Connection::send`](super::Connection::send).
    ///
    /// # Errors
    /// As there, or if the receiving half has failed: the alert stands in `out` then.
    pub fn send(&mut self, plain: &[IoSlice<'_>], out: &mut Vec<u8>) -> Result<usize> {
        self.say_failure(out)?;
        self.outbound.ready(&self.common)?;
        self.outbound.send(&mut self.common, plain, out)
    }

    /// As [`Connection::send_into`](super::Connection::send_into).
    ///
    /// # Errors
    /// As there, or if the receiving half has failed: [`say`](Self::say) tells the peer.
    pub fn send_into(&mut self, plain: &[IoSlice<'_>], out: &mut [u8]) -> Result<Moved> {
        self.check_shared()?;
        self.outbound.ready(&self.common)?;
        self.outbound.send_into(&mut self.common, plain, out)
    }

    /// As [`Connection::send_in_place`](super::Connection::send_in_place).
    ///
    /// # Errors
    /// As there, or if the receiving half has failed: [`say`](Self::say) tells the peer.
    pub fn send_in_place<'b>(&mut self, buffer: &'b mut [u8], len: usize) -> Result<&'b [u8]> {
        self.check_shared()?;
        self.outbound.ready(&self.common)?;
        self.outbound.send_in_place(&mut self.common, buffer, len)
    }

    /// As [`Connection::sealed_len`](super::Connection::sealed_len). The peer can ask for new keys between this and the next
    /// call, which then takes less.
    pub fn sealed_len(&mut self, plain: usize) -> usize {
        self.tell_shared();
        self.outbound.sealed_len(&self.common, plain)
    }

    /// As [`Connection::update_keys`](super::Connection::update_keys).
    ///
    /// # Errors
    /// As there, or if the receiving half has failed: the alert stands in `out` then.
    pub fn update_keys(&mut self, ask: bool, out: &mut Vec<u8>) -> Result<()> {
        self.say_failure(out)?;
        self.common.check_failed()?;
        self.outbound.update_keys(&mut self.common, ask, out)
    }

    /// Whether there is something for [`say`](Self::say), from the receiving half. Whoever sends all the time need not ask.
    pub fn is_due(&self) -> bool {
        let HalvesState { failed, update_asked, .. } = &*self.shared;
        let may_speak = !self.outbound.closed && self.common.failed.is_none();
        let answer_is_due = self.outbound.answer_is_due(&self.common);
        may_speak && (failed.get().is_some() || answer_is_due || update_asked.load(Ordering::Acquire))
    }

    /// Says what the receiving half has found that the peer must be told: an answer to its KeyUpdate, or an alert.
    ///
    /// # Errors
    /// If the receiving half has failed: the alert stands in `out` then. Or if no record sequence number is left.
    pub fn say(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.say_failure(out)?;
        if self.outbound.closed { Ok(()) } else { self.outbound.answer_update(&mut self.common, out) }
    }

    /// As [`Connection::close`](super::Connection::close).
    ///
    /// # Errors
    /// If no record sequence number is left.
    pub fn close(&mut self, out: &mut Vec<u8>) -> Result<()> {
        match self.say_failure(out) {
            Err(_the_end_already) => Ok(()),
            Ok(()) => self.outbound.say_close(&mut self.common, out),
        }
    }

    /// As [`Connection::is_closed`](super::Connection::is_closed).
    pub fn is_closed(&self) -> bool {
        self.outbound.closed
    }

    /// As [`Connection::abort`](super::Connection::abort); the receiving half fails too.
    ///
    /// # Errors
    /// If the connection has failed before.
    pub fn abort(&mut self, alert: AlertDescription, out: &mut Vec<u8>) -> Result<()> {
        self.say_failure(out)?;
        self.common.check_failed()?;
        let error = Error::aborted(alert);
        self.outbound.say_alert(&mut self.common, &error, out);
        self.shared.fail(&self.common.fail(error));
        Ok(())
    }

    /// Whether the receiving half has failed; what else it has to say is taken up.
    fn check_shared(&mut self) -> Result<()> {
        self.tell_shared();
        self.shared.failed.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// The same; of a failure the peer is told, once.
    fn say_failure(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let checked = self.check_shared();
        if let (Err(error), None) = (&checked, &self.common.failed) {
            self.outbound.say_alert(&mut self.common, error, out);
            self.common.failed = Some(error.clone());
        }
        checked
    }

    /// What the two halves have to tell each other.
    fn tell_shared(&mut self) {
        // Looked at before it is taken: a line of memory that is only read stays with both threads.
        let asked = &self.shared.update_asked;
        if asked.load(Ordering::Acquire) && asked.swap(false, Ordering::AcqRel) {
            self.outbound.owe_update();
        }
        // What the last call asked for; a sum that does not fit is no worse than none.
        if let asks @ 1.. = self.outbound.take_asks() {
            self.shared.answers_due.fetch_add(asks, Ordering::AcqRel);
        }
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("server", &self.common.server)
            .field("closed", &self.outbound.closed)
            .field("failed", &self.common.failed)
            .finish_non_exhaustive()
    }
}
