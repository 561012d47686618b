//! What outlives a TLS 1.3 handshake: the traffic secrets of the moment, the exporter's, and what some need besides.

use super::maker::{KeyLabels, KeyMaterial, Way};
use super::schedule13::{MAX_HASH, Slot, TrafficKeys, expand_label, expand_labels, export, finished_mac};
use crate::code::CipherSuite;
use crate::crypto::{AeadId, Digest, Hash, HashId};
use crate::suite::Suite13;
use core::fmt;
use zeroize::Zeroize;

/// A secret that only some connections need after their handshake.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Also {
    /// A client's that keeps tickets.
    Resumption,
    /// Of one with early data.
    EarlyExporter,
}

/// The secrets of an established TLS 1.3 connection.
pub(crate) struct Kept13 {
    hash: &'static dyn Hash,
    pub(crate) suite: CipherSuite,
    aead: AeadId,
    /// One behind another, each as long as the hash: those of reading, writing and exporting, then what some need.
    secrets: Box<[u8]>,
    resumption: Option<u8>,
    early_exporter: Option<u8>,
}

const READ: u8 = 0;
const WRITE: u8 = 1;
const EXPORTER: u8 = 2;

const fn place_of(way: Way) -> u8 {
    match way {
        Way::Read => READ,
        Way::Write => WRITE,
    }
}

impl Kept13 {
    /// `always` are the secrets of reading, writing and exporting; `secret` gives those in `also`.
    pub(super) fn new<'v>(
        hash: &'static dyn Hash,
        suite: &Suite13,
        always: [&'v [u8]; 3],
        also: &[Also],
        secret: impl Fn(Also) -> &'v [u8],
    ) -> Self {
        let place = |wanted| (EXPORTER + 1..).zip(also).find(|(_, a)| **a == wanted).map(|(place, _)| place);
        let (resumption, early_exporter) = (place(Also::Resumption), place(Also::EarlyExporter));
        // The room is taken at once: growing would leave copies behind.
        let mut secrets = Vec::with_capacity((always.len() + also.len()) * hash.id().len());
        always.into_iter().chain(also.iter().map(|also| secret(*also))).for_each(|s| secrets.extend_from_slice(s));
        let secrets = secrets.into_boxed_slice();
        Self { hash, suite: suite.code, aead: suite.aead, secrets, resumption, early_exporter }
    }

    fn secret(&self, place: u8) -> &[u8] {
        let len = self.hash.id().len();
        &self.secrets[usize::from(place) * len..][..len]
    }

    fn secret_mut(&mut self, place: u8) -> &mut [u8] {
        let len = self.hash.id().len();
        &mut self.secrets[usize::from(place) * len..][..len]
    }

    /// The next generation of a direction's traffic secret: RFC 9846 7.2.
    pub(crate) fn update(&mut self, way: Way, labels: &KeyLabels) {
        let mut next = Slot::default();
        let (hash, place) = (self.hash, place_of(way));
        expand_label(hash, self.secret(place), labels.update, &[], next.get_mut(hash));
        self.secret_mut(place).copy_from_slice(next.get(hash));
    }

    /// A direction's traffic secret, for an observer.
    pub(crate) fn traffic(&self, way: Way) -> &[u8] {
        self.secret(place_of(way))
    }

    /// What a direction's keys of the moment are made of, expanded into `keys`: RFC 9846 7.3.
    pub(crate) fn material<'k>(&self, way: Way, labels: &KeyLabels, keys: &'k mut TrafficKeys) -> KeyMaterial<'k> {
        expand_labels(self.hash, self.secret(place_of(way)), &mut keys.labels(self.aead, labels));
        KeyMaterial::Tls13 { aead: self.aead, keys }
    }

    /// The secret of writing, in a box of its own for a half that only sends; it is gone from this one.
    pub(crate) fn split_writing(&mut self) -> Self {
        let len = self.hash.id().len();
        // The places in front of the exporter's.
        let mut secrets = vec![0; usize::from(EXPORTER) * len].into_boxed_slice();
        secrets[usize::from(WRITE) * len..].copy_from_slice(self.secret(WRITE));
        self.secret_mut(WRITE).zeroize();
        Self { secrets, resumption: None, early_exporter: None, ..*self }
    }

    pub(crate) fn hash_id(&self) -> HashId {
        self.hash.id()
    }

    /// Finished.verify_data of post-handshake authentication, under the traffic secret of the moment: RFC 9846 4.4, 4.6.2.
    pub(crate) fn verify_data(&self, way: Way, transcript: &[u8]) -> Digest {
        let mut key = Slot::default();
        expand_label(self.hash, self.secret(place_of(way)), b"finished", &[], key.get_mut(self.hash));
        finished_mac(self.hash, key.get(self.hash), transcript)
    }

    /// Keying material: RFC 9846 7.5.
    pub(crate) fn export(&self, label: &[u8], context: &[u8], out: &mut [u8]) {
        export(self.hash, self.secret(EXPORTER), label, context, out);
    }

    /// Early keying material: safe against neither replay nor a later theft of the ticket's key. False if there was no
    /// early data.
    pub(crate) fn export_early(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> bool {
        let secret = self.early_exporter.map(|place| self.secret(place));
        secret.map(|secret| export(self.hash, secret, label, context, out)).is_some()
    }

    /// The PSK of one ticket: RFC 9846 4.6.1. False where no tickets are kept.
    pub(crate) fn ticket_psk(&self, nonce: &[u8], out: &mut [u8; MAX_HASH]) -> bool {
        let len = self.hash.id().len().min(MAX_HASH);
        let secret = self.resumption.map(|place| self.secret(place));
        secret.map(|secret| expand_label(self.hash, secret, b"resumption", nonce, &mut out[..len])).is_some()
    }
}

impl Drop for Kept13 {
    fn drop(&mut self) {
        self.secrets.zeroize();
    }
}

impl fmt::Debug for Kept13 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
