//! From the transport to whoever reads.

use super::Progress;
use super::buffer::Buffer;
use crate::code::ContentType;
use crate::connection::Receives;
use crate::copy::copy;
use crate::error::Result;
use crate::handshake::link::Waiting;
use crate::pool::Pool;
use crate::record::frame::{self, Frame};
use crate::record::limits::MAX_SAID;
use core::ops::Range;

/// What has come from the transport, and has not been read.
pub(crate) struct Incoming {
    /// Not taken yet.
    input: Buffer,
    /// Data that was decrypted in `input` and not read yet, and how much of `input` is done with when it has been.
    ready: Range<usize>,
    taken: usize,
    /// Early data that came during the handshake; the configuration bounds it.
    early: Vec<u8>,
    /// The transport has ended, although not all that came before has been taken.
    at_end: bool,
}

impl Incoming {
    /// Nothing has; the buffer will be of this pool.
    pub(crate) fn of(pool: Pool) -> Self {
        Self { input: Buffer::of(pool), ready: 0..0, taken: 0, early: Vec::new(), at_end: false }
    }

    /// Room for bytes of the transport.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        self.input.room()
    }

    /// The transport has put this many bytes into the room.
    pub(crate) fn arrived(&mut self, len: usize) {
        self.input.filled(len);
    }

    /// Bytes that somebody else has read from the transport.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.input.add(bytes);
    }

    /// The transport has ended.
    pub(crate) fn end(&mut self) {
        self.at_end = true;
    }

    /// Whether it has.
    pub(crate) fn is_at_end(&self) -> bool {
        self.at_end
    }

    /// What the transport gave that has not been taken. Data that is ready is not among it.
    pub(crate) fn untaken(&self) -> &[u8] {
        self.input.waiting().get(self.taken..).unwrap_or_default()
    }

    /// Whether there is a whole record among them that says something. A ChangeCipherSpec by itself does not.
    pub(crate) fn has_word(&self) -> bool {
        let mut rest = self.untaken();
        loop {
            match frame::next(rest, false) {
                Ok(Frame::Partial(_)) => return false,
                Ok(Frame::Record { content: ContentType::ChangeCipherSpec, len }) => {
                    rest = rest.get(len..).unwrap_or_default();
                }
                // What is no record is refused when it is its turn.
                Ok(Frame::Record { .. }) | Err(_) => return true,
            }
        }
    }

    /// Bytes of the transport that have not been taken.
    pub(crate) fn waiting(&self) -> usize {
        self.input.waiting().len()
    }

    /// Takes what has arrived, during the handshake. False if bytes of the transport are needed.
    pub(crate) fn take(&mut self, connection: &mut impl Receives, out: &mut Vec<u8>) -> Result<bool> {
        if !self.ready.is_empty() {
            return Ok(true);
        }
        let received = connection.receive(self.input.waiting_mut(), out)?;
        let used = received.used;
        if received.early {
            self.early.extend_from_slice(received.data);
        } else {
            self.ready = received.at..received.at.saturating_add(received.data.len());
        }
        self.taken = used;
        self.settle();
        Ok(used > 0)
    }

    /// Data, decrypted straight into `buf` where a record has room there.
    pub(crate) fn read(
        &mut self,
        connection: &mut impl Receives,
        out: &mut Vec<u8>,
        buf: &mut [u8],
    ) -> Result<Progress> {
        while self.ready.is_empty() {
            if buf.is_empty() {
                return Ok(Progress::Data(0));
            }
            if out.len() >= MAX_SAID {
                return Ok(Progress::Unsent);
            }
            let moved = connection.receive_into(self.input.waiting_mut(), buf, out)?;
            self.input.done(moved.taken);
            if moved.given > 0 {
                return Ok(Progress::Data(moved.given));
            }
            if moved.taken == 0 && (self.input.is_empty() || !self.take(connection, out)?) {
                return Ok(without_data(connection));
            }
        }
        let data = self.data();
        let len = data.len().min(buf.len());
        copy(data, buf);
        self.consume(len);
        Ok(Progress::Data(len))
    }

    /// Makes data ready, if there is none.
    pub(crate) fn fill(&mut self, connection: &mut impl Receives, out: &mut Vec<u8>) -> Result<Progress> {
        while self.ready.is_empty() {
            if out.len() >= MAX_SAID {
                return Ok(Progress::Unsent);
            }
            if !self.take(connection, out)? {
                return Ok(without_data(connection));
            }
        }
        Ok(Progress::Data(self.ready.len()))
    }

    /// What [`fill`](Self::fill) made ready.
    pub(crate) fn data(&self) -> &[u8] {
        self.input.waiting().get(self.ready.clone()).unwrap_or_default()
    }

    /// This much of it has been read.
    pub(crate) fn consume(&mut self, len: usize) {
        self.ready.start = self.ready.end.min(self.ready.start.saturating_add(len));
        self.settle();
    }

    pub(crate) fn early(&mut self) -> &mut Vec<u8> {
        &mut self.early
    }

    /// Whether early data waits to be read.
    pub(crate) fn has_early(&self) -> bool {
        !self.early.is_empty()
    }

    /// Nothing will happen until the transport has bytes.
    pub(crate) fn rest(&mut self, connection: &mut impl Receives) {
        if self.ready.is_empty() {
            self.input.rest();
            connection.doze();
        }
    }

    /// Input that is done with goes, once its data has been read.
    fn settle(&mut self) {
        if self.ready.is_empty() {
            self.input.done(core::mem::take(&mut self.taken));
            self.ready = 0..0;
        }
    }
}

fn without_data(connection: &impl Receives) -> Progress {
    match connection.waiting() {
        Waiting::Outside(_) => Progress::Outside,
        _ if connection.peer_closed() => Progress::End,
        _ => Progress::NeedsBytes,
    }
}
