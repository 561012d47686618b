//! A connection in two halves, for two threads. Each half has its own keys; no lock stands between them.
//!
//! What the receiving half finds that the peer must be told, the sending half says with its next call: the two share an
//! error that is set once, and a flag.

use super::receiving::TakesRecords;
use super::{Connection, Receiver, Sender};
use crate::error::{Error, Misuse, Result};
use std::sync::atomic::{AtomicBool, AtomicU8};
use std::sync::{Arc, OnceLock};

/// What the halves have to tell each other.
#[derive(Debug, Default)]
pub(super) struct HalvesState {
    /// What ended the connection, in whichever half.
    pub(super) failed: OnceLock<Error>,
    /// The peer has asked for new keys: RFC 9846 4.6.3.
    pub(super) update_asked: AtomicBool,
    /// So many KeyUpdates of the peer have been asked for.
    pub(super) answers_due: AtomicU8,
}

impl HalvesState {
    /// The first error stands.
    pub(super) fn fail(&self, error: &Error) {
        self.failed.get_or_init(|| error.clone());
    }
}

impl Connection {
    /// Takes an established connection apart, so that one thread can send while another receives. Each half has its own
    /// keys, keeps the limits of their use and moves them on by itself.
    ///
    /// A client goes on taking tickets. A certificate can no longer be asked for. [`rest`](Self::rest) is not to be had
    /// any more. An observer hears of both halves under the number of the connection, from two threads, and flights are
    /// counted no further.
    ///
    /// ```
    /// # use clasp::{Connection, Error};
    /// # use std::io::IoSlice;
    /// # fn both_ways(connection: Connection, mut arrived: Vec<u8>) -> Result<(), Error> {
    /// let (mut sender, mut receiver) = connection.into_split().map_err(|(_whole, error)| error)?;
    /// std::thread::scope(|threads| {
    ///     threads.spawn(move || {
    ///         let mut out = Vec::new();
    ///         sender.send(&[IoSlice::new(b"from this thread")], &mut out)?;
    ///         sender.close(&mut out)?;
    ///         // ... `out` goes to the peer.
    ///         Ok::<(), Error>(())
    ///     });
    ///     let received = receiver.receive(&mut arrived)?;
    ///     println!("{} bytes of data in this one", received.data.len());
    ///     Ok(())
    /// })
    /// # }
    /// ```
    ///
    /// # Errors
    /// Gives the connection back: if the handshake is not done, if it has failed, if early data that was refused has not
    /// been taken, if a certificate that was asked for is still out, or if this is a client that has agreed to be asked
    /// for one ([`post_handshake_auth`](crate::config::ClientBuilder::post_handshake_auth)), whose answer would need both.
    #[expect(clippy::result_large_err, reason = "the connection goes back to whoever had it")]
    pub fn into_split(mut self) -> core::result::Result<(Sender, Receiver), (Self, Error)> {
        let awake = self.check_split().and_then(|()| self.wake_reading()).and_then(|()| self.wake_sending());
        if let Err(error) = awake {
            return Err((self, error));
        }
        // What one direction has to tell the other.
        self.inbound.floods.expect_answers(self.outbound.take_asks());
        let Self { inbound, outbound, common, .. } = self;
        let (receiving, sending) = common.split();
        let shared = Arc::<HalvesState>::default();
        let sender = Sender { outbound, common: sending, shared: shared.clone() };
        Ok((sender, Receiver { inbound, common: receiving, shared }))
    }

    fn check_split(&self) -> Result<()> {
        self.common.check_failed()?;
        if self.live.is_some() || self.common.established.is_none() {
            return Err(Misuse::HandshakeUnfinished.into());
        }
        let pending = if self.early().is_some() {
            "early data that was refused and not taken"
        } else if self.certificate_is_due() {
            "a certificate that is still out"
        } else if self.post_auth().is_some() && !self.common.server {
            "a client that may be asked for a certificate"
        } else {
            return Ok(());
        };
        Err(Error::from(Misuse::CannotSplit).seen(pending))
    }
}
