//! Connections that are idle: most of what they hold is what their ciphers have worked out beforehand.

use super::Connection;
use super::warm::{Claim, Seat};
use crate::error::{Outside, Result};
use crate::record::RecordKeys;

impl Connection {
    /// Gives back what the ciphers hold, which is most of what an idle connection does: about 1,250 bytes with AES-GCM or
    /// ChaCha20-Poly1305, more with CBC. The next record sets the keys of its direction up again, which costs a few
    /// microseconds at most. For programs with many connections of which few talk, who drive them by hand: call it when one
    /// has been silent for a while. Adapters do something like it whenever they wait ([`Exchange::rest`]). During a
    /// handshake it does nothing.
    ///
    /// [`Exchange::rest`]: crate::Exchange::rest
    pub fn rest(&mut self) {
        if self.is_established() {
            (self.warm, self.seat) = (Claim::default(), Seat::default());
            drop((self.opener.rest(), self.sealer.rest()));
        }
    }

    /// The same, for as long as nobody knows: the keys can be had again cheaply, unless many others come to wait meanwhile.
    /// One that has a seat keeps them where they are.
    pub(crate) fn doze(&mut self) {
        let awake = !self.opener.is_resting() || !self.sealer.is_resting();
        if awake && self.is_established() && !self.seat.take() {
            self.warm = Claim::put((self.opener.rest(), self.sealer.rest()));
        }
    }

    fn is_established(&self) -> bool {
        self.live.is_none() && self.established.is_some()
    }

    /// Takes the keys back that [`doze`](Self::doze) put aside, if they are still there.
    fn take_back(&mut self) {
        if let Some((open, seal)) = self.warm.take() {
            self.opener.wake(open);
            self.sealer.wake(seal);
        }
    }

    /// Sets the keys up that open records, if they were given back.
    pub(super) fn wake_reading(&mut self) -> Result<()> {
        if self.opener.is_resting() {
            self.take_back();
        }
        if self.opener.is_resting() {
            let established = self.established.as_ref().ok_or(Outside::Bug)?;
            let keys = established.open(self.provider, &RecordKeys(self.provider))?;
            self.opener.wake(Some(keys));
        }
        Ok(())
    }

    /// Sets the keys up that seal records, if they were given back.
    pub(super) fn wake_sending(&mut self) -> Result<()> {
        if self.sealer.is_resting() {
            self.take_back();
        }
        if self.sealer.is_resting() {
            let established = self.established.as_ref().ok_or(Outside::Bug)?;
            let keys = established.seal(self.provider, &RecordKeys(self.provider))?;
            self.sealer.wake(Some(keys));
        }
        Ok(())
    }
}
