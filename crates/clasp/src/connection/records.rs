//! What a connection makes of the records that come, during the handshake and after it.

use super::Connection;
use super::data::Moved;
use super::floods::Flood;
use super::inbound::{Alerted, Inbound, Taken, check_whole, read_change_cipher_spec};
use super::receiving::{self, Received, Receives, TakesRecords};
use crate::code::ContentType;
use crate::error::{Error, Misuse, PeerError, Result};
use crate::handshake::link::Waiting;
use crate::record::{OpenedRecord, RecordError, limits};
use crate::trace::{Direction, Level};
use core::task::{Context, Waker};

impl Connection {
    /// Takes whole records from the front of `input`, decrypting in place, up to and including the first with
    /// application data. Bytes of a record that is not whole yet stay with the caller; nothing else need be kept
    /// between calls. What the peer is to be told is appended to `out`, also when this fails: send it before the next call.
    /// One call takes no more records once it has had 16 KiB to say, so that a peer that does not read cannot make `out`
    /// grow.
    ///
    /// # Errors
    /// The connection has failed; its alert stands in `out`.
    pub fn receive<'b>(&mut self, input: &'b mut [u8], out: &mut Vec<u8>) -> Result<Received<'b>> {
        self.inbound.check_reading(&self.common)?;
        receiving::receive(self, input, out)
    }

    /// Takes whole records from the front of `input` and decrypts their data to `data`, for as long as both last. A
    /// record that has no room in `data` stays in `input`: if there is no room for the first, nothing is taken, and
    /// [`receive`](Self::receive) opens it where it stands. The part of `data` behind what is given is undefined, as is
    /// the part of `input` that is taken. As with `receive`, send `out` before the next call.
    ///
    /// # Errors
    /// If the handshake is not done, or the connection has failed; its alert stands in `out`.
    pub fn receive_into(&mut self, input: &mut [u8], data: &mut [u8], out: &mut Vec<u8>) -> Result<Moved> {
        self.inbound.check_reading(&self.common)?;
        if self.live.is_some() {
            return Err(Misuse::HandshakeUnfinished.into());
        }
        receiving::receive_into(self, input, data, out)
    }

    /// TLS 1.3, during the handshake: the compatibility ChangeCipherSpec is dropped (RFC 9846 5), and a peer that fails
    /// before it has keys says why in the clear. True if the record is dealt with.
    fn in_the_clear(&mut self, content: ContentType, record: &[u8], out: &mut Vec<u8>) -> Result<bool> {
        let body = record.get(limits::HEADER_LEN..).unwrap_or_default();
        let opener = &self.inbound.opener;
        match content {
            ContentType::ChangeCipherSpec => {
                if body != [1] {
                    return Err(RecordError::BadChangeCipherSpecTls13.into());
                }
                self.inbound.floods.count(Flood::CompatibilityCcs)?;
                self.common.tell_compatibility_ccs(Direction::Received, record);
                Ok(true)
            }
            ContentType::Alert if opener.is_tls13() && opener.is_fresh() && body.len() == 2 => {
                self.common.tell_records((Direction::Received, Level::Plain), content, record, body.len());
                self.take_alert(body, out).map(|()| true)
            }
            _ => Ok(false),
        }
    }

    /// During the handshake: opens a record, unless it is early data that is skipped.
    fn open(
        &mut self,
        content: ContentType,
        record: &mut [u8],
        data: Option<&mut [u8]>,
    ) -> Result<Option<OpenedRecord>> {
        if !self.inbound.opener.is_protected() && self.skips(content, record.len())? {
            return Ok(None);
        }
        let opened = match self.inbound.open(&mut self.common, content, record, data) {
            Err(RecordError::BadMac) if self.skips(content, record.len())? => return Ok(None),
            opened => opened?,
        };
        if self.inbound.opener.is_protected() {
            self.end_skipping();
        }
        Ok(Some(opened))
    }

    /// What a record came to during the handshake.
    fn take_handshaking(&mut self, opened: OpenedRecord, plain: &[u8], out: &mut Vec<u8>) -> Result<Taken> {
        let OpenedRecord { content, range } = opened;
        check_whole(self.holds_part(), content)?;
        match content {
            ContentType::ApplicationData if self.inbound.level != Level::Early => {
                return Err(PeerError::UnexpectedApplicationData.into());
            }
            ContentType::ApplicationData => {
                self.count_early(range.len())?;
                return self.inbound.take_data(range);
            }
            ContentType::Handshake => {
                let Self { live, common, inbound, .. } = self;
                let tell = |bytes: &[u8]| common.tell_message(Direction::Received, inbound.level, bytes);
                live.as_ref().map_or(Ok(()), |live| live.deliver(plain, tell))?;
                self.drive(&mut Context::from_waker(Waker::noop()), out)?;
            }
            ContentType::ChangeCipherSpec => {
                read_change_cipher_spec(&mut self.common, plain)?;
                self.live.as_ref().map_or(Ok(()), |live| live.deliver_change_cipher_spec())?;
                self.drive(&mut Context::from_waker(Waker::noop()), out)?;
            }
            ContentType::Alert => self.take_alert(plain, out)?,
            // Only what stands inside a record of TLS 1.3 can be of no known type here.
            ContentType(unknown) => return Err(RecordError::UnknownType(unknown).into()),
        }
        Ok(Taken::Nothing)
    }

    /// An alert during the handshake.
    fn take_alert(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let partial = self.holds_part();
        match self.inbound.take_alert(&mut self.common, plain, partial)? {
            Alerted::Closed => {
                // RFC 5246 7.2.1, RFC 9846 6.1: who closes without having failed says so.
                self.say_close(out)?;
                Err(PeerError::ClosedDuringHandshake.into())
            }
            Alerted::Fatal(alert) => {
                let last = self.live.as_ref().and_then(|live| live.last_sent);
                Err(self.common.refused(alert, last))
            }
            Alerted::Warned => Ok(()),
        }
    }

    /// What a record came to after the handshake.
    fn take_established(&mut self, opened: OpenedRecord, plain: &[u8], out: &mut Vec<u8>) -> Result<Taken> {
        let content = opened.content;
        let checking = self.post_auth().is_some_and(|post| post.is_checking());
        if content == ContentType::ApplicationData && checking && self.inbound.joiner.is_none() {
            return Err(PeerError::UnexpectedApplicationData.into());
        }
        let taken = self.inbound.take(&mut self.common, opened, plain)?;
        if content == ContentType::Handshake {
            self.take_messages(out)?;
        }
        Ok(taken)
    }
}

impl TakesRecords for Connection {
    fn inbound(&mut self) -> &mut Inbound {
        &mut self.inbound
    }

    fn wake_reading(&mut self) -> Result<()> {
        if self.inbound.opener.is_resting() {
            self.take_back();
        }
        self.inbound.wake(&self.common)
    }

    fn takes_more(&self, said: usize) -> bool {
        let enough = self.live.is_none() && said >= limits::MAX_SAID;
        !self.peer_closed() && !enough && !self.waits_outside()
    }

    fn is_early(&self) -> bool {
        self.live.is_some()
    }

    fn take_record(
        &mut self,
        content: ContentType,
        record: &mut [u8],
        mut data: Option<&mut [u8]>,
        out: &mut Vec<u8>,
    ) -> Result<Taken> {
        let handshaking = self.live.is_some();
        if handshaking && self.inbound.drops_ccs && self.in_the_clear(content, record, out)? {
            return Ok(Taken::Nothing);
        }
        let opened = if handshaking {
            let Some(opened) = self.open(content, record, data.as_deref_mut())? else { return Ok(Taken::Nothing) };
            opened
        } else {
            self.inbound.open(&mut self.common, content, record, data.as_deref_mut())?
        };
        let plain = data.as_deref().unwrap_or(record).get(opened.range.clone()).unwrap_or_default();
        if handshaking { self.take_handshaking(opened, plain, out) } else { self.take_established(opened, plain, out) }
    }

    fn fail(&mut self, error: Error, out: &mut Vec<u8>) -> Error {
        Self::fail(self, error, out)
    }
}

impl Receives for Connection {
    fn receive<'b>(&mut self, input: &'b mut [u8], out: &mut Vec<u8>) -> Result<Received<'b>> {
        Self::receive(self, input, out)
    }

    fn receive_into(&mut self, input: &mut [u8], data: &mut [u8], out: &mut Vec<u8>) -> Result<Moved> {
        Self::receive_into(self, input, data, out)
    }

    fn waiting(&self) -> Waiting {
        Self::waiting(self)
    }

    fn peer_closed(&self) -> bool {
        Self::peer_closed(self)
    }

    fn doze(&mut self) {
        Self::doze(self);
    }
}
