//! Application data on its way out: the ways that need no copy besides the cipher's own. How it comes in stands in
//! `records.rs`.

use super::Connection;
use crate::error::{Misuse, Result};
use crate::record::{MAX_BACK, MAX_FRONT, limits};
use crate::trace::Level;
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
pub(super) const KEY_UPDATE: usize = 5;
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
        self.outbound.send(&mut self.common, plain, out)
    }

    /// Seals as much of `plain` as has room in `out`, straight from the one into the other: as many whole records as
    /// that makes. See [`sealed_len`](Self::sealed_len) for how much room is enough.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_into(&mut self, plain: &[IoSlice<'_>], out: &mut [u8]) -> Result<Moved> {
        self.ready_to_send()?;
        self.outbound.send_into(&mut self.common, plain, out)
    }

    /// Room that is enough for [`send_into`](Self::send_into) to take `plain` bytes at once.
    pub fn sealed_len(&self, plain: usize) -> usize {
        self.outbound.sealed_len(&self.common, plain)
    }

    /// Seals the `len` bytes that stand at [`HEADROOM`] in `buffer`, in place, and gives what is to be sent. Behind them
    /// there must be [`TAILROOM`].
    ///
    /// # Errors
    /// As [`send`](Self::send), or if the buffer is too small, or `len` is more than one record may hold (2^14 bytes,
    /// less if the peer asks for less, RFC 8449), or the configuration pads records.
    pub fn send_in_place<'b>(&mut self, buffer: &'b mut [u8], len: usize) -> Result<&'b [u8]> {
        self.ready_to_send()?;
        self.outbound.send_in_place(&mut self.common, buffer, len)
    }

    fn ready_to_send(&mut self) -> Result<()> {
        self.common.check_failed()?;
        let half_rtt = self.outbound.half_rtt && self.common.tls13 && self.outbound.level == Level::Application;
        if self.live.is_some() && !half_rtt {
            return Err(Misuse::HandshakeUnfinished.into());
        }
        self.take_back_sending();
        self.outbound.ready(&self.common)
    }
}
