//! The half of a connection that receives.

use super::bindings::server_end_point;
use super::common::Common;
use super::data::Moved;
use super::inbound::{Inbound, Reading, Taken};
use super::receiving::{self, Received, Receives, TakesRecords};
use super::split::HalvesState;
use crate::code::ContentType;
use crate::error::{Error, Result};
use crate::facts::Facts;
use crate::handshake::link::Waiting;
use crate::keys::schedule12::VERIFY_DATA_LEN;
use core::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The half that receives: [`Connection::into_split`](super::Connection::into_split).
///
/// It says nothing to the peer. Where it fails, or the peer asks for new keys, [`Sender::is_due`](super::Sender::is_due) says
/// so, and the sending half says the rest.
pub struct Receiver {
    pub(super) inbound: Inbound,
    pub(super) common: Common,
    pub(super) shared: Arc<HalvesState>,
}

impl Receiver {
    /// As [`Connection::receive`](super::Connection::receive).
    ///
    /// # Errors
    /// The connection has failed, in whichever half.
    pub fn receive<'b>(&mut self, input: &'b mut [u8]) -> Result<Received<'b>> {
        self.check()?;
        receiving::receive(self, input, &mut Vec::new())
    }

    /// As [`Connection::receive_into`](super::Connection::receive_into).
    ///
    /// # Errors
    /// The connection has failed, in whichever half.
    pub fn receive_into(&mut self, input: &mut [u8], data: &mut [u8]) -> Result<Moved> {
        self.check()?;
        receiving::receive_into(self, input, data, &mut Vec::new())
    }

    /// As [`Connection::transport_ended`](super::Connection::transport_ended).
    ///
    /// # Errors
    /// If the peer had not closed, or the connection had failed.
    pub fn transport_ended(&mut self) -> Result<()> {
        self.check_shared()?;
        self.common.check_failed()?;
        if self.peer_closed() { Ok(()) } else { Err(self.inbound.cut_off(&mut self.common)) }
    }

    /// As [`Connection::facts`](super::Connection::facts); there are some.
    pub fn facts(&self) -> Option<&Arc<Facts>> {
        self.common.facts()
    }

    /// As [`Connection::is_confirmed`](super::Connection::is_confirmed).
    pub fn is_confirmed(&self) -> bool {
        self.inbound.is_confirmed(&self.common)
    }

    /// As [`Connection::peer_closed`](super::Connection::peer_closed).
    pub fn peer_closed(&self) -> bool {
        self.inbound.reading == Reading::Closed
    }

    /// As [`Connection::failure`](super::Connection::failure).
    pub fn failure(&self) -> Option<&Error> {
        self.common.failed.as_ref()
    }

    /// As [`Connection::export`](super::Connection::export).
    ///
    /// # Errors
    /// As there.
    pub fn export(&self, label: &[u8], context: Option<&[u8]>, out: &mut [u8]) -> Result<()> {
        self.common.established()?.export(self.common.provider, label, context, out)
    }

    /// As [`Connection::export_early`](super::Connection::export_early).
    ///
    /// # Errors
    /// As there.
    pub fn export_early(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<()> {
        self.common.established()?.export_early(label, context, out)
    }

    /// As [`Connection::tls_exporter`](super::Connection::tls_exporter).
    ///
    /// # Errors
    /// As there.
    pub fn tls_exporter(&self) -> Result<[u8; 32]> {
        self.common.established()?.tls_exporter(self.common.provider)
    }

    /// As [`Connection::tls_unique`](super::Connection::tls_unique).
    ///
    /// # Errors
    /// As there.
    pub fn tls_unique(&self) -> Result<[u8; VERIFY_DATA_LEN]> {
        self.common.established()?.tls_unique()
    }

    /// As [`Connection::tls_server_end_point`](super::Connection::tls_server_end_point).
    ///
    /// # Errors
    /// As there.
    pub fn tls_server_end_point(&self, certificate: &[u8]) -> Result<Vec<u8>> {
        server_end_point(self.common.provider, certificate)
    }

    /// Whether more can be received, as far as either half knows.
    fn check(&mut self) -> Result<()> {
        self.check_shared()?;
        self.inbound.check_reading(&self.common)
    }

    /// What the two halves have to tell each other.
    fn check_shared(&mut self) -> Result<()> {
        if let Some(error) = self.shared.failed.get() {
            return Err(self.common.failed.get_or_insert_with(|| error.clone()).clone());
        }
        if self.shared.answers_due.load(Ordering::Acquire) > 0 {
            let asks = self.shared.answers_due.swap(0, Ordering::AcqRel);
            self.inbound.floods.expect_answers(asks);
        }
        Ok(())
    }
}

impl TakesRecords for Receiver {
    fn inbound(&mut self) -> &mut Inbound {
        &mut self.inbound
    }

    fn wake_reading(&mut self) -> Result<()> {
        if self.inbound.opener.is_resting()
            && let Some((open, _none)) = self.inbound.standby.take()
        {
            self.inbound.opener.wake(open);
        }
        self.inbound.wake(&self.common)
    }

    fn takes_more(&self, _: usize) -> bool {
        !self.peer_closed()
    }

    fn is_early(&self) -> bool {
        false
    }

    fn take_record(
        &mut self,
        content: ContentType,
        record: &mut [u8],
        mut data: Option<&mut [u8]>,
        _: &mut Vec<u8>,
    ) -> Result<Taken> {
        let Self { inbound, common, shared } = self;
        let opened = inbound.open(common, content, record, data.as_deref_mut())?;
        let plain = data.as_deref().unwrap_or(record).get(opened.range.clone()).unwrap_or_default();
        let taken = inbound.take(common, opened, plain)?;
        while let Some((message, last)) = inbound.next_message() {
            inbound.after_handshake(common, message, last)?;
            if inbound.take_asked() {
                shared.update_asked.store(true, Ordering::Release);
            }
        }
        Ok(taken)
    }

    fn fail(&mut self, error: Error, _: &mut Vec<u8>) -> Error {
        let error = self.common.fail(error);
        self.shared.fail(&error);
        error
    }
}

impl Receives for Receiver {
    fn receive<'b>(&mut self, input: &'b mut [u8], _: &mut Vec<u8>) -> Result<Received<'b>> {
        Self::receive(self, input)
    }

    fn receive_into(&mut self, input: &mut [u8], data: &mut [u8], _: &mut Vec<u8>) -> Result<Moved> {
        Self::receive_into(self, input, data)
    }

    fn waiting(&self) -> Waiting {
        Waiting::Nothing
    }

    fn peer_closed(&self) -> bool {
        Self::peer_closed(self)
    }

    fn doze(&mut self) {
        if !self.inbound.opener.is_resting() && !self.inbound.standby.sit() {
            let keys = (self.inbound.opener.rest(), None);
            self.inbound.standby.put(keys);
        }
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("server", &self.common.server)
            .field("facts", &self.facts())
            .field("failed", &self.common.failed)
            .finish_non_exhaustive()
    }
}
