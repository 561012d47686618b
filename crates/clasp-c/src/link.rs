//! A connection with what is on its way through it, as C holds it: the work behind `connection.rs`.

use crate::error::{Result, clasp_error};
use clasp::{Connection, Exchange, Progress, Want};
use core::task::{Context, Waker};

/// One end of a TLS connection: bytes of the transport go in and out, and so does plaintext. One thread at a time; which one may
/// change.
#[allow(non_camel_case_types, reason = "C's names")]
pub struct clasp_connection {
    exchange: Exchange,
    /// The transport has ended.
    ended: bool,
    /// Inside a call. One that panicked never came out of it.
    busy: bool,
    failure: Option<Box<clasp_error>>,
}

impl clasp_connection {
    /// A client's hello can be sent at once.
    pub(crate) fn new(connection: Connection) -> Result<Box<Self>> {
        let exchange = Exchange::new(connection);
        let mut this = Box::new(Self { exchange, ended: false, busy: false, failure: None });
        this.step()?;
        Ok(this)
    }

    pub(crate) fn connection(&self) -> &Connection {
        self.exchange.connection()
    }

    pub(crate) fn exchange(&mut self) -> &mut Exchange {
        &mut self.exchange
    }

    pub(crate) fn unsent(&self) -> &[u8] {
        self.exchange.unsent()
    }

    pub(crate) fn data(&self) -> &[u8] {
        self.exchange.data()
    }

    pub(crate) fn failure(&self) -> Option<&clasp_error> {
        self.failure.as_deref()
    }

    pub(crate) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Does something with the connection, unless a call has left it half done.
    pub(crate) fn call<R>(&mut self, work: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        if self.busy {
            return Err(clasp_error::bug("this connection was inside a call that failed"));
        }
        self.busy = true;
        let done = work(self);
        self.busy = false;
        if self.failure.is_none() {
            self.failure = self.connection().failure().map(Into::into);
        }
        done
    }

    /// Does what can be done with what has come: the handshake's next steps, or else the next data is made ready.
    fn step(&mut self) -> Result<Progress> {
        // Nobody whom a configuration of C can name answers later.
        let mut cx = Context::from_waker(Waker::noop());
        while self.connection().is_handshaking() {
            match self.exchange.advance(&mut cx)? {
                Want::Bytes if !self.exchange.take()? => return Ok(Progress::NeedsBytes),
                Want::Bytes | Want::Nothing => {}
                other => return Err(clasp_error::bug(&format!("a handshake wants {other:?}"))),
            }
        }
        Ok(self.exchange.fill()?)
    }

    /// Bytes of the transport; gives how many were taken.
    pub(crate) fn feed(&mut self, received: &[u8], taken: &mut usize) -> Result<()> {
        if self.ended {
            let words = "bytes were received behind the transport's end";
            return Err(clasp_error::argument("received", words, "none behind clasp_connection_ended"));
        }
        while let Some(left @ [_, ..]) = received.get(*taken..) {
            if self.connection().peer_closed() {
                // RFC 9846 6.1: what stands behind close_notify is ignored.
                *taken = received.len();
                break;
            }
            let room = self.exchange.room();
            let len = room.len().min(left.len());
            if len == 0 {
                break;
            }
            if let (Some(place), Some(front)) = (room.get_mut(..len), left.get(..len)) {
                place.copy_from_slice(front);
            }
            self.exchange.arrived(len);
            *taken = taken.saturating_add(len);
            self.step()?;
        }
        Ok(())
    }

    /// The transport has ended: an error unless the peer had said so, or there is something to read first.
    pub(crate) fn end(&mut self) -> Result<()> {
        self.ended = true;
        let came_to = self.step()?;
        self.settle(came_to)
    }

    /// Where no more can come of what has come.
    fn settle(&mut self, came_to: Progress) -> Result<()> {
        match came_to {
            Progress::NeedsBytes if self.ended => Ok(self.exchange.ended()?),
            Progress::NeedsBytes | Progress::End => {
                self.exchange.rest();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Makes data ready, if there is any.
    pub(crate) fn ready(&mut self) -> Result<()> {
        if self.data().is_empty() {
            let came_to = self.step()?;
            self.settle(came_to)?;
        }
        Ok(())
    }

    /// The front of what the caller has read, or sent, of so many bytes.
    pub(crate) fn within(len: usize, most: usize) -> Result<()> {
        if len <= most {
            return Ok(());
        }
        let seen = format_args!("{len} bytes").to_string();
        Err(clasp_error::argument("len", seen, &format!("at most the {most} that were shown")))
    }

    /// Seals plaintext, as much as there is room for.
    pub(crate) fn write(&mut self, plain: &[u8]) -> Result<usize> {
        if plain.is_empty() {
            return Ok(0);
        }
        Ok(self.exchange.write(&[std::io::IoSlice::new(plain)])?)
    }
}
