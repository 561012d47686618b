//! One end of a connection, and what must hold of it whatever it is fed.

use clasp::error::{Cause, PeerError};
use clasp::wire::code::AlertDescription;
use clasp::{Connection, Error, Want};
use core::task::{Context, Waker};
use std::io::IoSlice;

/// An end's own part of what it sends: its flights, tickets and alerts.
const OWN_WORDS: usize = 32 << 10;

pub(crate) struct End {
    pub(crate) connection: Connection,
    /// Bytes that came and are not taken yet.
    incoming: Vec<u8>,
    /// Bytes for the peer.
    pub(crate) out: Vec<u8>,
    /// Application data that came, early data apart.
    pub(crate) data: Vec<u8>,
    pub(crate) early: Vec<u8>,
    came: usize,
    went: usize,
    /// The transport has ended after the handshake.
    cut_off: bool,
}

impl End {
    pub(crate) fn new(connection: Connection) -> Self {
        let (incoming, out, data, early) = Default::default();
        let mut end = Self { connection, incoming, out, data, early, came: 0, went: 0, cut_off: false };
        end.advance();
        end
    }

    /// Polls the conversation, as long as somebody outside has an answer.
    pub(crate) fn advance(&mut self) {
        // Those who are late are ready after a few polls.
        for _ in 0..8 {
            if self.connection.failure().is_some() {
                return;
            }
            let before = self.out.len();
            let mut cx = Context::from_waker(Waker::noop());
            let want = self.connection.advance(&mut cx, &mut self.out);
            let outside = matches!(want, Ok(Want::Outside));
            self.check(want.err(), before);
            if !outside {
                return;
            }
        }
    }

    /// The transport has ended: during the handshake and after a failure that is the end; later nothing more is received, and
    /// that is all (RFC 9846 6.1).
    pub(crate) fn cut_off(&mut self) {
        let ended = self.connection.transport_ended();
        if self.connection.failure().is_none() && !self.connection.peer_closed() {
            let error = ended.expect_err("no close_notify had come");
            assert_eq!(error.cause(), &Cause::Peer(PeerError::Truncated));
            self.cut_off = true;
        }
    }

    /// Delivers bytes; they are taken as far as they can be.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.connection.failure().is_some() {
            return;
        }
        if self.cut_off {
            let before = self.out.len();
            let late = self.connection.receive(&mut bytes.to_vec(), &mut self.out).map(drop);
            assert_eq!(late.expect_err("the transport has ended").cause(), &Cause::Peer(PeerError::Truncated));
            assert!(self.out.len() == before && self.connection.failure().is_none());
            return;
        }
        self.came += bytes.len();
        self.incoming.extend_from_slice(bytes);
        loop {
            self.receive_into();
            let before = self.out.len();
            let len = self.incoming.len();
            if self.connection.failure().is_some() {
                break;
            }
            let taken = match self.connection.receive(&mut self.incoming, &mut self.out) {
                Ok(received) => {
                    assert!(received.used <= len && received.data.len() <= received.used);
                    let whole = received.at + received.data.len();
                    assert!(received.data.is_empty() || whole <= received.used, "data behind what was used");
                    let into = if received.early { &mut self.early } else { &mut self.data };
                    into.extend_from_slice(received.data);
                    Ok(received.used)
                }
                Err(error) => Err(error),
            };
            self.check(taken.as_ref().err().cloned(), before);
            match taken {
                Ok(0) => break,
                Ok(used) => drop(self.incoming.drain(..used)),
                Err(_) => {
                    self.incoming.clear();
                    break;
                }
            }
        }
    }

    /// Once the handshake is done, takes data from one buffer to another, as long as it has room there.
    fn receive_into(&mut self) {
        if self.connection.facts().is_none() {
            return;
        }
        let before = self.out.len();
        let mut room = [0; 2000];
        match self.connection.receive_into(&mut self.incoming, &mut room, &mut self.out) {
            Ok(moved) => {
                self.data.extend_from_slice(&room[..moved.given]);
                self.incoming.drain(..moved.taken);
                // What came before a failure is given; the failure is there all the same.
                let error = self.connection.failure().cloned();
                assert!(error.is_none() || moved.given > 0);
                self.check(error, before);
            }
            Err(error) => self.check(Some(error), before),
        }
    }

    /// Sends data, if it can be sent; says whether it went.
    pub(crate) fn send(&mut self, data: &[u8]) -> bool {
        let before = self.out.len();
        let mut buffer = vec![0; self.connection.sealed_len(data.len())];
        let sent = if self.came.is_multiple_of(2) {
            self.connection.send(&[IoSlice::new(data)], &mut self.out).map(drop)
        } else {
            self.connection.send_into(&[IoSlice::new(data)], &mut buffer).map(|moved| {
                assert_eq!(moved.taken, data.len(), "there was room for all");
                self.out.extend_from_slice(&buffer[..moved.given]);
            })
        };
        if sent.is_ok() {
            self.went += data.len() + 64;
        } else {
            assert_eq!(self.out.len(), before, "a refused send writes");
        }
        sent.is_ok()
    }

    /// Whether the handshake is done and nothing has failed.
    pub(crate) fn is_whole(&self) -> bool {
        self.connection.facts().is_some() && self.connection.failure().is_none()
    }

    /// What holds after every call.
    fn check(&mut self, error: Option<Error>, before: usize) {
        let bound = OWN_WORDS + self.went + 2 * self.came;
        assert!(self.out.len() <= bound, "{} bytes written after {} came", self.out.len(), self.came);
        assert!(self.data.len() + self.early.len() <= self.came);
        let Some(error) = error else {
            assert!(self.connection.failure().is_none(), "a failure that no call told of");
            return;
        };
        told(&error, self.out.len() - before);
        let failure = self.connection.failure().expect("a call has failed, and so has the connection");
        assert_eq!(failure.cause(), error.cause());
        assert!(!self.connection.is_handshaking());
        self.stays_failed(&error);
    }

    /// A connection that failed stays failed, and says nothing more.
    fn stays_failed(&mut self, error: &Error) {
        let before = self.out.len();
        let mut cx = Context::from_waker(Waker::noop());
        let mut records = [22, 3, 3, 0, 1, 1];
        for again in [
            self.connection.receive(&mut records, &mut self.out).map(drop).err(),
            self.connection.advance(&mut cx, &mut self.out).map(drop).err(),
            self.connection.send(&[IoSlice::new(b"more")], &mut self.out).map(drop).err(),
            self.connection.transport_ended().err(),
        ] {
            assert_eq!(again.expect("a failed connection goes on").cause(), error.cause());
        }
        self.connection.close(&mut self.out).expect("closing what has failed does nothing");
        assert_eq!(self.out.len(), before, "a failed connection speaks");
    }
}

/// An error is told to the peer with an alert of its table, unless the peer ended the connection.
fn told(error: &Error, written: usize) {
    let silent =
        matches!(error.cause(), Cause::Alert(_) | Cause::Peer(PeerError::Truncated | PeerError::ClosedDuringHandshake));
    let alert = error.alert();
    assert!(alert.is_known(), "{error}: the alert {alert}");
    assert!(silent || alert != AlertDescription::CloseNotify, "{error}: told as an end");
    assert!(silent || written >= 7, "{error}: not told at all");
    // The words for people do not fail either, and stay readable.
    assert!(error.to_string().len() < 16 << 10, "an error of {} bytes", error.to_string().len());
    assert!(!matches!(error.cause(), Cause::Outside(clasp::error::Outside::Bug)), "a bug: {error:?}");
}
