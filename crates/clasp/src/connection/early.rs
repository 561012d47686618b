//! Early data (0-RTT): what a client sends with its hello, and what a server takes or skips. RFC 9846 2.3, 4.2.10.

use super::Connection;
use crate::code::ContentType;
use crate::error::{Misuse, PeerError, Result};
use crate::handshake::operation::Early as Asked;
use crate::keys::kept13::Kept13;
use crate::record::limits;
use crate::trace::Level;
use std::io::IoSlice;

/// What only connections with early data need.
#[derive(Default)]
pub(super) struct Early {
    /// Client: how much more may be sent.
    pub(super) left: usize,
    /// Client: what was sent, until it is known that it arrived.
    sent: Vec<u8>,
    /// Client: it did not arrive.
    refused: bool,
    /// Server: how much more is taken.
    taken_left: usize,
    /// Server: what keying material is exported from before the client has finished.
    pub(super) half_rtt: Option<Kept13>,
    /// Server: how many more bytes are skipped of what records hold.
    pub(super) skip: Option<usize>,
}

impl Connection {
    /// How many bytes of early data [`send_early`](Self::send_early) takes now. 0 unless the configuration allows early
    /// data, there is a session that does too, and the handshake is still going on.
    pub fn early_data_left(&self) -> usize {
        self.early().filter(|e| !e.refused && self.outbound.level == Level::Early).map_or(0, |e| e.left)
    }

    /// Client: sends data before the server has answered. It may reach the server more than once if an attacker repeats
    /// it, and whoever steals the ticket's key later can read it. Gives how much was taken.
    ///
    /// If the server does not read it ([`Facts::early_data`](crate::Facts::early_data)), send it again after the
    /// handshake: [`take_refused_early_data`](Self::take_refused_early_data) has it.
    ///
    /// # Errors
    /// If no early data can be sent at this point.
    pub fn send_early(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<usize> {
        self.common.check_failed()?;
        let left = self.early_data_left();
        if left == 0 {
            return Err(Misuse::EarlyDataUnavailable.into());
        }
        let plain = plain.get(..left).unwrap_or(plain);
        if !plain.is_empty() {
            let before = out.len();
            self.outbound.sealer.seal(ContentType::ApplicationData, &[IoSlice::new(plain)], out)?;
            self.outbound.tell_data(&mut self.common, out.get(before..).unwrap_or_default(), plain.len());
            let early = self.begin_early();
            early.left = early.left.saturating_sub(plain.len());
            early.sent.extend_from_slice(plain);
        }
        Ok(plain.len())
    }

    /// Client: the early data that the server did not read, once. Empty before the handshake is done, and if there was
    /// none or it arrived.
    pub fn take_refused_early_data(&mut self) -> Vec<u8> {
        if self.live.is_some() {
            return Vec::new();
        }
        let early = self.beside.as_mut().and_then(|beside| beside.early.take());
        self.settle_beside();
        early.filter(|early| early.refused).map(|early| early.sent).unwrap_or_default()
    }

    /// What the conversation says of it.
    pub(super) fn take_early(&mut self, asked: Asked) {
        let early = self.begin_early();
        match asked {
            Asked::Allow(max, _) => early.left = usize::try_from(max).unwrap_or(usize::MAX),
            Asked::Refused => early.refused = true,
            Asked::Take(max) => early.taken_left = usize::try_from(max).unwrap_or(usize::MAX),
            Asked::HalfWay(kept) => early.half_rtt = Some(kept),
        }
    }

    pub(super) fn skip_early(&mut self, bytes: usize) {
        self.begin_early().skip = Some(bytes);
    }

    /// New keys to open with: what was refused belongs to those before. Behind a second ClientHello nothing that fails to
    /// open is early data (RFC 9846 4.2.10, 5.2).
    pub(super) fn end_skipping(&mut self) {
        if let Some(early) = self.early_mut() {
            early.skip = None;
        }
    }

    /// Server: counts early data; a client that sends more than its ticket allows is at fault (RFC 9846 4.6.1).
    pub(super) fn count_early(&mut self, len: usize) -> Result<()> {
        let early = self.begin_early();
        early.taken_left = early.taken_left.checked_sub(len).ok_or(PeerError::TooMuchEarlyData)?;
        Ok(())
    }

    /// Whether a record that does not open is early data that was refused and is still on its way; such records are
    /// skipped up to a bound (RFC 9846 4.2.10).
    pub(super) fn skips(&mut self, content: ContentType, record_len: usize) -> Result<bool> {
        let partial = self.holds_part();
        let Some(skip) = self.early_mut().and_then(|e| e.skip.as_mut()) else { return Ok(false) };
        // RFC 9846 5.1: no record stands between those of one message.
        if content != ContentType::ApplicationData || partial {
            return Ok(false);
        }
        // Only the data counts, as it does where it is taken, so that small records are skipped as they are read; one that
        // has none counts as a byte.
        let data = record_len.saturating_sub(limits::LEAST_AROUND_13).max(1);
        *skip = skip.checked_sub(data).ok_or(PeerError::TooMuchEarlyData)?;
        Ok(true)
    }

    /// The handshake is done: what is not needed any more goes.
    pub(super) fn settle_early(&mut self) {
        if let Some(beside) = &mut self.beside {
            beside.early.take_if(|early| !early.refused);
            self.settle_beside();
        }
    }
}
