//! What goes to the peer, record by record: the direction that a sending half owns.

use super::common::Common;
use super::data::{HEADROOM, KEY_UPDATE, Moved, TAILROOM};
use super::floods::OwnUpdates;
use crate::code::{AlertDescription, AlertLevel, ContentType, HandshakeType};
use crate::copy::copy;
use crate::error::{Cause, Error, Misuse, Outside, PeerError, Result};
use crate::keys::maker::{KeyMaker, Way};
use crate::record::{RecordKeys, Sealer};
use crate::trace::{Direction, Level, What};
use core::ops::Range;
use std::io::IoSlice;

/// The direction to the peer.
#[derive(Default)]
pub(super) struct Outbound {
    pub(super) sealer: Sealer,
    pub(super) level: Level,
    /// A server may send before the client has finished: nobody asks for the client's certificate.
    pub(super) half_rtt: bool,
    /// We have said that nothing more comes.
    pub(super) closed: bool,
    owes: Owes,
    own_updates: OwnUpdates,
    /// So many KeyUpdates we have asked the peer for, of which the other direction does not know yet.
    asks: u8,
}

/// The KeyUpdate that goes in front of the next data.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Owes {
    #[default]
    Nothing,
    Update,
    /// One that asks the peer for its own.
    Request,
}

impl Outbound {
    /// Before data: whether the connection takes it, and the keys to seal it with.
    pub(super) fn ready(&mut self, common: &Common) -> Result<()> {
        common.check_failed()?;
        if self.closed {
            return Err(Misuse::AlreadyClosed.into());
        }
        self.wake(common)?;
        // TLS 1.2 has no KeyUpdate, and renegotiation is not done. What is left is for the close.
        if !common.tls13 && self.sealer.is_used_up() {
            return Err(
                Error::from(Misuse::KeysUsedUp).hint("close, and connect again; TLS 1.3 changes its keys by itself")
            );
        }
        Ok(())
    }

    /// As [`Connection::send`](super::Connection::send), once it is ready.
    pub(super) fn send(&mut self, common: &mut Common, plain: &[IoSlice<'_>], out: &mut Vec<u8>) -> Result<usize> {
        let total: usize = plain.iter().map(|p| p.len()).sum();
        if total == 0 {
            return Ok(0);
        }
        self.update_if_due(common, out)?;
        let start = out.len();
        self.sealer.seal(ContentType::ApplicationData, plain, out)?;
        self.tell_data(common, out.get(start..).unwrap_or_default(), total);
        Ok(total)
    }

    /// As [`Connection::send_into`](super::Connection::send_into), once it is ready.
    pub(super) fn send_into(&mut self, common: &mut Common, plain: &[IoSlice<'_>], out: &mut [u8]) -> Result<Moved> {
        let (mut front, mut place) = (0, out);
        if self.update_is_due(common) {
            if place.len() < self.sealer.sealed_len(KEY_UPDATE) {
                return Ok(Moved::default());
            }
            let mut update = Vec::new();
            self.update_if_due(common, &mut update)?;
            let (first, rest) = place.split_at_mut_checked(update.len()).ok_or(Outside::Bug)?;
            first.copy_from_slice(&update);
            (front, place) = (update.len(), rest);
        }
        let (taken, sealed) = self.sealer.seal_into(ContentType::ApplicationData, plain, place)?;
        if sealed > 0 {
            self.tell_data(common, place.get(..sealed).unwrap_or_default(), taken);
        }
        Ok(Moved { taken, given: front.saturating_add(sealed) })
    }

    /// As [`Connection::send_in_place`](super::Connection::send_in_place), once it is ready.
    pub(super) fn send_in_place<'b>(
        &mut self,
        common: &mut Common,
        buffer: &'b mut [u8],
        len: usize,
    ) -> Result<&'b [u8]> {
        let enough = len.checked_add(HEADROOM + TAILROOM).is_some_and(|needed| needed <= buffer.len());
        // Not even nothing is sealed in place where records are padded: neither it nor an update has room around it then.
        let most = self.sealer.max_in_place();
        if !enough || most == 0 || len > most {
            return Err(Misuse::BufferTooSmall.into());
        }
        let mut update = Vec::new();
        self.update_if_due(common, &mut update)?;
        let Range { start, end } = self.sealer.seal_in_place(ContentType::ApplicationData, buffer, HEADROOM, len)?;
        self.tell_data(common, buffer.get(start..end).unwrap_or_default(), len);
        let front = start.checked_sub(update.len()).ok_or(Outside::Bug)?;
        let sealed = buffer.get_mut(front..end).ok_or(Outside::Bug)?;
        copy(&update, sealed);
        Ok(sealed)
    }

    pub(super) fn sealed_len(&self, common: &Common, plain: usize) -> usize {
        let update = if self.update_is_due(common) { self.sealer.sealed_len(KEY_UPDATE) } else { 0 };
        self.sealer.sealed_len(plain).saturating_add(update)
    }

    /// Data has been sealed.
    pub(super) fn tell_data(&mut self, common: &mut Common, records: &[u8], plain_len: usize) {
        self.own_updates.data_went();
        common.tell_records((Direction::Sent, self.level), ContentType::ApplicationData, records, plain_len);
    }

    /// Seals what is no data: messages, an alert, ChangeCipherSpec.
    pub(super) fn seal(
        &mut self,
        common: &mut Common,
        content: ContentType,
        plain: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let start = out.len();
        self.sealer.seal(content, &[IoSlice::new(plain)], out)?;
        common.tell_records((Direction::Sent, self.level), content, out.get(start..).unwrap_or_default(), plain.len());
        Ok(())
    }

    /// Sets the keys up that seal records, if they were given back.
    pub(super) fn wake(&mut self, common: &Common) -> Result<()> {
        if self.sealer.is_resting() {
            let established = common.established.as_ref().ok_or(Outside::Bug)?;
            let keys = established.seal(common.provider, &RecordKeys(common.provider))?;
            self.sealer.wake(Some(keys));
        }
        Ok(())
    }
}

/// New keys: RFC 9846 4.6.3.
impl Outbound {
    /// The peer has asked for new keys.
    pub(super) fn owe_update(&mut self) {
        self.owes = self.owes.max(Owes::Update);
    }

    /// How many KeyUpdates of the peer's have been asked for since this was asked last.
    pub(super) fn take_asks(&mut self) -> u8 {
        core::mem::take(&mut self.asks)
    }

    /// As [`Connection::update_keys`](super::Connection::update_keys), once there is a handshake behind us.
    pub(super) fn update_keys(&mut self, common: &mut Common, ask: bool, out: &mut Vec<u8>) -> Result<()> {
        if self.closed {
            return Err(Misuse::AlreadyClosed.into());
        }
        if !common.tls13 {
            return Err(Misuse::OldVersionForThis.into());
        }
        if self.own_updates.has_room() {
            return self.update(common, ask, out);
        }
        self.owes = self.owes.max(if ask { Owes::Request } else { Owes::Update });
        Ok(())
    }

    pub(super) fn update(&mut self, common: &mut Common, ask: bool, out: &mut Vec<u8>) -> Result<()> {
        let message = [HandshakeType::KeyUpdate.0, 0, 0, 1, u8::from(ask)];
        self.wake(common)?;
        self.seal(common, ContentType::Handshake, &message, out)?;
        let (direction, level) = (Direction::Sent, self.level);
        common.tell_message(direction, level, &message);
        let (established, maker) = (common.established.as_mut().ok_or(Outside::Bug)?, RecordKeys(common.provider));
        established.update(Way::Write, maker.labels())?;
        let (suite, keys) = (established.facts.suite, established.seal(common.provider, &maker)?);
        self.sealer.install(keys);
        self.owes = Owes::Nothing;
        self.own_updates.count();
        self.asks = self.asks.saturating_add(u8::from(ask));
        common.tell_update(Way::Write)?;
        common.tell(What::Keys { direction, level, suite });
        Ok(())
    }

    /// Before data goes out: an update that the peer asked for, or that the keys' age asks for.
    fn update_if_due(&mut self, common: &mut Common, out: &mut Vec<u8>) -> Result<()> {
        if self.update_is_due(common) { self.update(common, self.owes == Owes::Request, out) } else { Ok(()) }
    }

    /// The same where no data follows.
    pub(super) fn answer_update(&mut self, common: &mut Common, out: &mut Vec<u8>) -> Result<()> {
        if self.answer_is_due(common) { self.update_if_due(common, out) } else { Ok(()) }
    }

    pub(super) fn answer_is_due(&self, common: &Common) -> bool {
        self.own_updates.has_room() && self.update_is_due(common)
    }

    fn update_is_due(&self, common: &Common) -> bool {
        common.tls13 && common.established.is_some() && (self.owes != Owes::Nothing || self.sealer.is_used_up())
    }
}

/// The end: RFC 5246 7.2, RFC 9846 6.
impl Outbound {
    /// close_notify, once.
    pub(super) fn say_close(&mut self, common: &mut Common, out: &mut Vec<u8>) -> Result<()> {
        if core::mem::replace(&mut self.closed, true) {
            return Ok(());
        }
        self.send_alert(common, AlertDescription::CloseNotify, false, out)
    }

    /// The one place that turns an error into an alert.
    pub(super) fn say_alert(&mut self, common: &mut Common, error: &Error, out: &mut Vec<u8>) {
        let silent = matches!(
            error.cause(),
            Cause::Alert(_) | Cause::Peer(PeerError::Truncated | PeerError::ClosedDuringHandshake)
        );
        // RFC 5246 7.2.2: this one is always a warning, which ends nothing by itself.
        let fatal = error.alert() != AlertDescription::NoRenegotiation;
        if !silent && !self.closed {
            // Without a sequence number left there is nothing to say it with.
            let _unsaid = self.send_alert(common, error.alert(), fatal, out);
            if !fatal {
                let _unsaid = self.say_close(common, out);
            }
        }
    }

    fn send_alert(
        &mut self,
        common: &mut Common,
        alert: AlertDescription,
        fatal: bool,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        self.wake(common)?;
        let bytes = [if fatal { AlertLevel::Fatal } else { AlertLevel::Warning }.0, alert.0];
        self.seal(common, ContentType::Alert, &bytes, out)?;
        common.tell(What::Alert { direction: Direction::Sent, fatal, alert, bytes: &bytes });
        Ok(())
    }
}
