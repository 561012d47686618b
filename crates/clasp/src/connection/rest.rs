//! Connections that are idle: most of what they hold is what their ciphers have worked out beforehand.

use super::Connection;
use crate::error::Result;
use crate::pool::Pool;

impl Connection {
    /// That of its configuration.
    pub(crate) const fn pool(&self) -> &Pool {
        self.inbound.standby.pool()
    }

    /// Gives back what the ciphers hold, which is most of what an idle connection does: about 1,250 bytes with AES-GCM or
    /// ChaCha20-Poly1305, more with CBC. The next record sets the keys of its direction up again, which costs a few
    /// microseconds at most. For programs with many connections of which few talk, who drive them by hand: call it when one
    /// has been silent for a while. Adapters do something like it whenever they wait ([`Exchange::rest`]). During a
    /// handshake it does nothing.
    ///
    /// [`Exchange::rest`]: crate::Exchange::rest
    pub fn rest(&mut self) {
        if self.is_established() {
            self.inbound.standby.leave();
            drop((self.inbound.opener.rest(), self.outbound.sealer.rest()));
        }
    }

    /// The same, for as long as nobody knows: the keys can be had again cheaply, unless many others come to wait meanwhile.
    /// One that has a seat keeps them where they are.
    pub(crate) fn doze(&mut self) {
        let awake = !self.inbound.opener.is_resting() || !self.outbound.sealer.is_resting();
        if awake && self.is_established() && !self.inbound.standby.sit() {
            let keys = (self.inbound.opener.rest(), self.outbound.sealer.rest());
            self.inbound.standby.put(keys);
        }
    }

    fn is_established(&self) -> bool {
        self.live.is_none() && self.common.established.is_some()
    }

    /// Takes the keys back that [`doze`](Self::doze) put aside, if they are still there.
    pub(super) fn take_back(&mut self) {
        if let Some((open, seal)) = self.inbound.standby.take() {
            self.inbound.opener.wake(open);
            self.outbound.sealer.wake(seal);
        }
    }

    /// The same, before something is sealed.
    pub(super) fn take_back_sending(&mut self) {
        if self.outbound.sealer.is_resting() {
            self.take_back();
        }
    }

    /// Sets the keys up that seal records, if they were given back.
    pub(super) fn wake_sending(&mut self) -> Result<()> {
        self.take_back_sending();
        self.outbound.wake(&self.common)
    }
}
