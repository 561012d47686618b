//! A stream in two halves, for two threads.

use super::transport::{drain, finish, flush_all, keep, push_quietly, read_some, told};
use crate::connection::{Receiver, Sender};
use crate::error::{Error, Outside, Result};
use crate::exchange::{Incoming, Outgoing, Progress};
use core::fmt;
use std::io::{self, BufRead, IoSlice, Read, Write};

/// The half of a stream that is read: [`Stream::into_split`](super::Stream::into_split).
///
/// It ends as a [`Stream`](super::Stream) does. Where it fails, the writer tells the peer.
pub struct StreamReader<T> {
    pub(super) receiver: Receiver,
    pub(super) incoming: Incoming,
    pub(super) transport: T,
}

/// The half of a stream that is written: [`Stream::into_split`](super::Stream::into_split).
///
/// What the reader finds that the peer must be told goes with the next write or flush: new keys that the peer asks for, or
/// the alert of the error that ended the reading, with which every write fails from then on. A transport that ended without
/// close_notify ends the reading alone. Of the transport's own errors it says what a [`Stream`](super::Stream) does.
pub struct StreamWriter<T> {
    pub(super) sender: Sender,
    pub(super) outgoing: Outgoing,
    pub(super) transport: T,
}

impl<T: Read> StreamReader<T> {
    /// The connection, as far as it is here: what it settled, exporters, whether the peer has closed.
    pub fn connection(&self) -> &Receiver {
        &self.receiver
    }

    /// The transport.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// Steps, and reads, until there is data or the end.
    fn progress(
        &mut self,
        mut act: impl FnMut(&mut Incoming, &mut Receiver, &mut Vec<u8>) -> Result<Progress>,
    ) -> io::Result<usize> {
        loop {
            match act(&mut self.incoming, &mut self.receiver, &mut Vec::new())? {
                Progress::Data(n) => return Ok(n),
                Progress::End => return Ok(0),
                // A connection that waits for somebody is not taken apart, and this half says nothing.
                Progress::Outside | Progress::Unsent => return Err(Error::from(Outside::Bug).into()),
                Progress::NeedsBytes => {
                    let read = read_some(&mut self.incoming, &mut self.transport);
                    if !matches!(read, Ok(1..)) {
                        self.incoming.rest(&mut self.receiver);
                    }
                    if read? == 0 {
                        self.receiver.transport_ended()?;
                        return Ok(0);
                    }
                }
            }
        }
    }
}

impl<T: Read> Read for StreamReader<T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.progress(|incoming, receiver, out| incoming.read(receiver, out, buf))
    }
}

impl<T: Read> BufRead for StreamReader<T> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.progress(Incoming::fill)?;
        Ok(self.incoming.data())
    }

    fn consume(&mut self, len: usize) {
        self.incoming.consume(len);
    }
}

impl<T: Write> StreamWriter<T> {
    /// As [`Stream::update_keys`](super::Stream::update_keys).
    ///
    /// # Errors
    /// As there, or if the reader has failed.
    pub fn update_keys(&mut self, ask: bool) -> io::Result<()> {
        self.say(|sender, out| sender.update_keys(ask, out))?;
        push_quietly(&mut self.outgoing, &mut self.transport);
        Ok(())
    }

    /// Says close_notify, and sends all that waits. The peer's data can still be read.
    ///
    /// # Errors
    /// The transport's error; the call can be made again.
    pub fn close(&mut self) -> io::Result<()> {
        self.say(Sender::close)?;
        finish(&mut self.outgoing, &mut self.transport)
    }

    /// Whether bytes wait for the transport: [`Stream::wants_write`](super::Stream::wants_write).
    pub fn wants_write(&self) -> bool {
        self.outgoing.wants_room()
    }

    /// Whether the reader has found something that the peer must be told: a flush tells it. Whoever writes all the time
    /// need not ask.
    pub fn is_due(&self) -> bool {
        self.sender.is_due()
    }

    /// The transport.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// Has the sender say something. Where it fails, the peer is told, if it can be.
    fn say(&mut self, act: impl FnOnce(&mut Sender, &mut Vec<u8>) -> Result<()>) -> io::Result<()> {
        act(&mut self.sender, self.outgoing.said()).map_err(|error| {
            push_quietly(&mut self.outgoing, &mut self.transport);
            error.into()
        })
    }
}

impl<T: Write> Write for StreamWriter<T> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buf)])
    }

    /// Takes up to 64 KiB at once, which go to the transport in one piece.
    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let Self { sender, outgoing, transport } = self;
        if !sender.is_closed() {
            told(outgoing)?;
            drain(outgoing, transport)?;
        }
        let written = outgoing.write(|room| sender.send_into(bufs, room));
        if written.is_err() {
            // What the error has to be said with takes a vector.
            let _said_already = sender.say(outgoing.said());
            push_quietly(outgoing, transport);
        }
        let taken = written?;
        let sent = drain(outgoing, transport);
        keep(outgoing, sent);
        Ok(taken)
    }

    /// Tells the peer what the reader has found, too.
    fn flush(&mut self) -> io::Result<()> {
        self.say(Sender::say)?;
        flush_all(&mut self.outgoing, &mut self.transport)
    }
}

impl<T: fmt::Debug> fmt::Debug for StreamReader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamReader")
            .field("receiver", &self.receiver)
            .field("arrived", &self.incoming.waiting())
            .field("transport", &self.transport)
            .finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for StreamWriter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamWriter")
            .field("sender", &self.sender)
            .field("unsent", &self.outgoing.len())
            .field("transport", &self.transport)
            .finish()
    }
}
