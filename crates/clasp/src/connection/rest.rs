//! Connections that are idle: most of what they hold is what their ciphers have worked out beforehand.

use super::Connection;
use super::bindings::{Done, Kept};
use super::warm::{Claim, Seat};
use crate::crypto::{CryptoResult, Provider};
use crate::error::{Outside, Result};
use crate::keys::maker::{KeyLabels, KeyMaker, KeyMaterial, Way};
use crate::keys::schedule12::{Side, Vault12};
use crate::keys::schedule13::TrafficKeys;
use crate::record::RecordKeys;
use crate::suite::Suite;

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
        self.live.is_none() && self.done.is_some()
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
            let done = self.done.as_ref().ok_or(Outside::Bug)?;
            let writer = if self.server { Side::Client } else { Side::Server };
            let maker = RecordKeys(self.provider);
            let keys =
                done.keys(self.provider, (Way::Read, writer), maker.labels(), |material| maker.open(material))?;
            self.opener.wake(keys);
        }
        Ok(())
    }

    /// Sets the keys up that seal records, if they were given back.
    pub(super) fn wake_sending(&mut self) -> Result<()> {
        if self.sealer.is_resting() {
            self.take_back();
        }
        if self.sealer.is_resting() {
            let done = self.done.as_ref().ok_or(Outside::Bug)?;
            let writer = if self.server { Side::Server } else { Side::Client };
            let maker = RecordKeys(self.provider);
            let keys =
                done.keys(self.provider, (Way::Write, writer), maker.labels(), |material| maker.seal(material))?;
            self.sealer.wake(keys);
        }
        Ok(())
    }
}

impl Done {
    /// The keys that one direction has at present, made of the secrets that are kept.
    fn keys<K>(
        &self,
        provider: &Provider,
        (way, writer): (Way, Side),
        labels: &KeyLabels,
        make: impl FnOnce(&KeyMaterial<'_>) -> CryptoResult<K>,
    ) -> Result<K> {
        Ok(match &self.kept {
            Kept::Tls12 { hash, master, randoms, .. } => {
                let suite = Suite::find(self.facts.suite).ok_or(Outside::Bug)?;
                let (client_random, server_random) = randoms.get().split_at(32);
                let mut vault = Vault12::new();
                vault.resume(master.expose());
                vault.expand(provider.hash(*hash)?, suite, client_random, server_random);
                let (keys, encrypt_then_mac) = (vault.keys(suite, writer), self.facts.encrypt_then_mac);
                make(&KeyMaterial::Tls12 { suite, keys, encrypt_then_mac })?
            }
            Kept::Tls13 { kept, .. } => make(&kept.material(way, labels, &mut TrafficKeys::default()))?,
        })
    }
}
