//! Application data, out and in: the ways that need no copy besides the cipher's own. [`Connection::receive`], which
//! decrypts in place, stands with the rest of the conversation.

use super::{Connection, Leave, Taken};
use crate::code::ContentType;
use crate::copy::copy;
use crate::error::{Error, Misuse, Outside, Result};
use crate::record::{MAX_BACK, MAX_FRONT, frame, limits};
use crate::trace::{Direction, Level, What};
use core::ops::Range;
use std::io::IoSlice;

/// What was done with two buffers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// This many bytes of the one are done with.
    pub taken: usize,
    /// This many bytes at the front of the other are what they became.
    pub given: usize,
}

/// Bytes of a KeyUpdate message: RFC 9846 4.6.3.
const KEY_UPDATE: usize = 5;
/// Bytes in front of the plaintext that [`Connection::send_in_place`] may fill: those of its own record, and a KeyUpdate
/// in a record before it (header, message, content type, tag).
pub const HEADROOM: usize = limits::HEADER_LEN + KEY_UPDATE + 1 + 16 + MAX_FRONT;
/// Bytes behind the plaintext that [`Connection::send_in_place`] may fill.
pub const TAILROOM: usize = MAX_BACK;

impl Connection {
    /// Seals `plain` for the peer into `out`; gives the number of bytes taken, which is all of them. A TLS 1.3 server
    /// that asks for no client certificate may send from its Finished on, before the client's.
    ///
    /// A vector's room has to be filled with zeros before it can be sealed into; [`send_into`](Self::send_into) needs
    /// not even that.
    ///
    /// # Errors
    /// If the handshake is not done, or the connection is closed or has failed.
    pub fn send(&mut self, plain: &[IoSlice<'_>], out: &mut Vec<u8>) -> Result<usize> {
        self.ready_to_send()?;
        let total: usize = plain.iter().map(|p| p.len()).sum();
        if total == 0 {
            return Ok(0);
        }
        self.update_if_due(out)?;
        let start = out.len();
        self.sealer.seal(ContentType::ApplicationData, plain, out)?;
        self.tell_sent_data(out.len().saturating_sub(start), total);
        Ok(total)
    }

    /// Seals as much of `plain` as has room in `out`, straight from the one into the other: as many whole records as
    /// that makes. See [`sealed_len`](Self::sealed_len) for how much room is enough.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_into(&mut self, plain: &[IoSlice<'_>], out: &mut [u8]) -> Result<Moved> {
        self.ready_to_send()?;
        let (mut front, mut place) = (0, out);
        if self.update_is_due() {
            if place.len() < self.sealer.sealed_len(KEY_UPDATE) {
                return Ok(Moved::default());
            }
            let mut update = Vec::new();
            self.update_if_due(&mut update)?;
            let (first, rest) = place.split_at_mut_checked(update.len()).ok_or(Outside::Bug)?;
            first.copy_from_slice(&update);
            (front, place) = (update.len(), rest);
        }
        let (taken, sealed) = self.sealer.seal_into(ContentType::ApplicationData, plain, place)?;
        if sealed > 0 {
            self.tell_sent_data(sealed, taken);
        }
        Ok(Moved { taken, given: front.saturating_add(sealed) })
    }

    /// Room that is enough for [`send_into`](Self::send_into) to take `plain` bytes at once.
    pub fn sealed_len(&self, plain: usize) -> usize {
        let update = if self.update_is_due() { self.sealer.sealed_len(KEY_UPDATE) } else { 0 };
        self.sealer.sealed_len(plain).saturating_add(update)
    }

    /// Seals the `len` bytes that stand at [`HEADROOM`] in `buffer`, in place, and gives what is to be sent. Behind them
    /// there must be [`TAILROOM`].
    ///
    /// # Errors
    /// As [`send`](Self::send), or if the buffer is too small, or `len` is more than one record may hold (2^14 bytes,
    /// less if the peer asks for less, RFC 8449), or the configuration pads records.
    pub fn send_in_place<'b>(&mut self, buffer: &'b mut [u8], len: usize) -> Result<&'b [u8]> {
        self.ready_to_send()?;
        let enough = len.checked_add(HEADROOM + TAILROOM).is_some_and(|needed| needed <= buffer.len());
        // Not even nothing is sealed in place where records are padded: neither it nor an update has room around it then.
        let most = self.sealer.max_in_place();
        if !enough || most == 0 || len > most {
            return Err(Misuse::BufferTooSmall.into());
        }
        let mut update = Vec::new();
        self.update_if_due(&mut update)?;
        let Range { start, end } = self.sealer.seal_in_place(ContentType::ApplicationData, buffer, HEADROOM, len)?;
        self.tell_sent_data(end.saturating_sub(start), len);
        let front = start.checked_sub(update.len()).ok_or(Outside::Bug)?;
        let sealed = buffer.get_mut(front..end).ok_or(Outside::Bug)?;
        copy(&update, sealed);
        Ok(sealed)
    }

    /// Takes whole records from the front of `input` and decrypts their data to `data`, for as long as both last. A
    /// record that has no room in `data` stays in `input`: if there is no room for the first, nothing is taken, and
    /// [`receive`](Self::receive) opens it where it stands. The part of `data` behind what is given is undefined, as is
    /// the part of `input` that is taken. As with `receive`, send `out` before the next call.
    ///
    /// # Errors
    /// If the handshake is not done, or the connection has failed; its alert stands in `out`.
    pub fn receive_into(&mut self, input: &mut [u8], data: &mut [u8], out: &mut Vec<u8>) -> Result<Moved> {
        self.check_reading()?;
        if self.live.is_some() {
            return Err(Misuse::HandshakeUnfinished.into());
        }
        let mut moved = Moved::default();
        let before = out.len();
        while self.takes_more(out.len().saturating_sub(before)) {
            let input = input.get_mut(moved.taken..).unwrap_or_default();
            let data = data.get_mut(moved.given..).unwrap_or_default();
            match self.record_into(input, data, out) {
                Ok(None) => break,
                Ok(Some(Moved { taken, given })) => {
                    moved.taken = moved.taken.saturating_add(taken);
                    moved.given = moved.given.saturating_add(given);
                }
                Err(error) => {
                    let error = self.fail(error, out);
                    // What came before is good; the next call says what came then.
                    return if moved.given > 0 { Ok(moved) } else { Err(error) };
                }
            }
        }
        Ok(moved)
    }

    /// One record, if it is whole and has room.
    fn record_into(&mut self, input: &mut [u8], data: &mut [u8], out: &mut Vec<u8>) -> Result<Option<Moved>> {
        let frame::Frame::Record { content, len } = frame::next(input, false)? else { return Ok(None) };
        self.wake_reading()?;
        let room = self.opener.room_for(len);
        let (Some(record), Some(place)) = (input.get_mut(..len), data.get_mut(..room)) else { return Ok(None) };
        let given = match self.take_record(content, record, Some(place), out)? {
            Taken::Nothing => 0,
            Taken::Data(range) => range.len(),
        };
        Ok(Some(Moved { taken: len, given }))
    }

    fn ready_to_send(&mut self) -> Result<()> {
        self.check_failed()?;
        let half_rtt = self.leave == Leave::HalfRtt && self.tls13 && self.write_level == Level::Application;
        if self.live.is_some() && !half_rtt {
            return Err(Misuse::HandshakeUnfinished.into());
        }
        if self.closed {
            return Err(Misuse::AlreadyClosed.into());
        }
        self.wake_sending()?;
        // TLS 1.2 has no KeyUpdate, and renegotiation is not done. What is left is for the close.
        if !self.tls13 && self.sealer.is_used_up() {
            return Err(
                Error::from(Misuse::KeysUsedUp).hint("close, and connect again; TLS 1.3 changes its keys by itself")
            );
        }
        Ok(())
    }

    /// Data has been sealed.
    pub(super) fn tell_sent_data(&mut self, wire_len: usize, plain_len: usize) {
        self.own_updates.data_went();
        let (direction, level) = (Direction::Sent, self.write_level);
        self.tell(What::Record { direction, level, content: ContentType::ApplicationData, wire_len, plain_len });
    }
}
