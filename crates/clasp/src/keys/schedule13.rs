//! The key schedule of TLS 1.3: RFC 9846 7. All secrets stand in one box, in named slots, and are derived in place;
//! zero-sized tokens move through the flow in their stead, so that the compiler keeps the schedule's order.

use super::schedule12::Side;
use crate::crypto::{AeadId, CryptoResult, Digest, Hash, SharedSecret};
use core::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// The longest hash of a TLS 1.3 suite: SHA-384.
const MAX_HASH: usize = 48;

/// A secret as long as the suite's hash, in its place.
#[derive(Default)]
pub(crate) struct Slot(Secret48);

struct Secret48([u8; MAX_HASH]);

impl Default for Secret48 {
    fn default() -> Self {
        Self([0; MAX_HASH])
    }
}

impl Drop for Secret48 {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Slot {
    fn get(&self, hash: &dyn Hash) -> &[u8] {
        &self.0.0[..hash.id().len().min(MAX_HASH)]
    }

    fn get_mut(&mut self, hash: &dyn Hash) -> &mut [u8] {
        &mut self.0.0[..hash.id().len().min(MAX_HASH)]
    }

    fn set(&mut self, mut value: Digest) {
        let bytes = value.as_ref();
        let len = bytes.len().min(MAX_HASH);
        self.0.0[..len].copy_from_slice(&bytes[..len]);
        value.wipe();
    }
}

/// Token: the early secret stands.
pub(crate) struct AtEarly(());
/// Token: the handshake secret stands.
pub(crate) struct AtHandshake(());
/// Token: the main secret stands.
pub(crate) struct AtMain(());

/// The secrets of one TLS 1.3 handshake.
pub(crate) struct Vault13 {
    pub(crate) hash: &'static dyn Hash,
    /// The (EC)DHE secret; the key exchange writes it here.
    pub(crate) shared: SharedSecret,
    /// Early, handshake, then main secret.
    stage: Slot,
    early: Slot,
    early_exporter: Slot,
    client_handshake: Slot,
    server_handshake: Slot,
    client_application: Slot,
    server_application: Slot,
    exporter: Slot,
    resumption: Slot,
}

/// Which traffic secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Traffic {
    Early,
    Handshake(Side),
    Application(Side),
}

/// The key and IV of one direction; wiped on drop.
pub(crate) struct TrafficKeys {
    pub(crate) key: [u8; 32],
    pub(crate) key_len: usize,
    pub(crate) iv: [u8; 12],
}

impl Drop for TrafficKeys {
    fn drop(&mut self) {
        self.key.zeroize();
        self.iv.zeroize();
    }
}

/// What kind of pre-shared key a binder is for: RFC 9846 7.1, RFC 9258 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinderKind {
    Resumption,
    External,
    Imported,
}

impl Vault13 {
    /// The early secret, from a pre-shared key or none.
    pub(crate) fn early(hash: &'static dyn Hash, psk: Option<&[u8]>) -> (Box<Self>, AtEarly) {
        let mut vault = Box::new(Self {
            hash,
            shared: SharedSecret::default(),
            stage: Slot::default(),
            early: Slot::default(),
            early_exporter: Slot::default(),
            client_handshake: Slot::default(),
            server_handshake: Slot::default(),
            client_application: Slot::default(),
            server_application: Slot::default(),
            exporter: Slot::default(),
            resumption: Slot::default(),
        });
        let zeros = [0; MAX_HASH];
        let zeros = &zeros[..hash.id().len().min(MAX_HASH)];
        vault.stage.set(hash.hmac(zeros).sign(&[psk.unwrap_or(zeros)]));
        (vault, AtEarly(()))
    }

    fn empty_hash(&self) -> Digest {
        self.hash.start().finish()
    }

    fn derive(&mut self, label: &[u8], transcript: &[u8], to: impl FnOnce(&mut Self) -> &mut Slot) {
        let mut out = Slot::default();
        expand_label(self.hash, self.stage.get(self.hash), label, transcript, out.get_mut(self.hash));
        // One copy inside the box and one on the stack that is wiped here.
        let hash = self.hash;
        to(self).get_mut(hash).copy_from_slice(out.get(hash));
    }

    /// The MAC of a binder: RFC 9846 4.2.11.2.
    pub(crate) fn binder(&self, _: &AtEarly, kind: BinderKind, transcript: &[u8]) -> Digest {
        let label: &[u8] = match kind {
            BinderKind::Resumption => b"res binder",
            BinderKind::External => b"ext binder",
            BinderKind::Imported => b"imp binder",
        };
        let mut key = Slot::default();
        let empty = self.empty_hash();
        expand_label(self.hash, self.stage.get(self.hash), label, empty.as_ref(), key.get_mut(self.hash));
        finished_mac(self.hash, key.get(self.hash), transcript)
    }

    /// client_early_traffic_secret and early_exporter_secret, over the ClientHello.
    pub(crate) fn early_traffic(&mut self, _: &AtEarly, transcript: &[u8]) {
        self.derive(b"c e traffic", transcript, |v| &mut v.early);
        self.derive(b"e exp master", transcript, |v| &mut v.early_exporter);
    }

    fn extract(&mut self, with_shared: bool) {
        let empty = self.empty_hash();
        let mut salt = Slot::default();
        expand_label(self.hash, self.stage.get(self.hash), b"derived", empty.as_ref(), salt.get_mut(self.hash));
        let zeros = [0; MAX_HASH];
        let ikm = if with_shared { self.shared.expose() } else { &zeros[..self.hash.id().len().min(MAX_HASH)] };
        let next = self.hash.hmac(salt.get(self.hash)).sign(&[ikm]);
        self.stage.set(next);
    }

    /// The handshake secret and its traffic secrets, over ClientHello to ServerHello. `dhe` is false for psk_ke.
    pub(crate) fn handshake(&mut self, _: AtEarly, dhe: bool, transcript: &[u8]) -> AtHandshake {
        self.extract(dhe);
        self.shared.wipe();
        self.derive(b"c hs traffic", transcript, |v| &mut v.client_handshake);
        self.derive(b"s hs traffic", transcript, |v| &mut v.server_handshake);
        AtHandshake(())
    }

    /// The main secret and its traffic secrets, over ClientHello to the server's Finished.
    pub(crate) fn main(&mut self, _: AtHandshake, transcript: &[u8]) -> AtMain {
        self.extract(false);
        self.derive(b"c ap traffic", transcript, |v| &mut v.client_application);
        self.derive(b"s ap traffic", transcript, |v| &mut v.server_application);
        self.derive(b"exp master", transcript, |v| &mut v.exporter);
        AtMain(())
    }

    /// resumption_secret, over ClientHello to the client's Finished.
    pub(crate) fn resumption(&mut self, _: &AtMain, transcript: &[u8]) {
        self.derive(b"res master", transcript, |v| &mut v.resumption);
    }

    /// The PSK of one ticket: RFC 9846 4.6.1.
    pub(crate) fn ticket_psk(&self, nonce: &[u8], out: &mut [u8]) {
        expand_label(self.hash, self.resumption.get(self.hash), b"resumption", nonce, out);
    }

    fn slot(&self, which: Traffic) -> &Slot {
        match which {
            Traffic::Early => &self.early,
            Traffic::Handshake(Side::Client) => &self.client_handshake,
            Traffic::Handshake(Side::Server) => &self.server_handshake,
            Traffic::Application(Side::Client) => &self.client_application,
            Traffic::Application(Side::Server) => &self.server_application,
        }
    }

    /// A traffic secret, for the key log.
    pub(crate) fn traffic(&self, which: Traffic) -> &[u8] {
        self.slot(which).get(self.hash)
    }

    /// exporter_secret and early_exporter_secret, for the key log.
    pub(crate) fn exporters(&self) -> [&[u8]; 2] {
        [self.exporter.get(self.hash), self.early_exporter.get(self.hash)]
    }

    /// The record keys of a traffic secret.
    pub(crate) fn keys(&self, which: Traffic, aead: AeadId) -> TrafficKeys {
        traffic_keys(self.hash, self.traffic(which), aead)
    }

    /// Finished.verify_data of a side: RFC 9846 4.4.4.
    pub(crate) fn verify_data(&self, side: Side, transcript: &[u8]) -> Digest {
        finished_mac(self.hash, self.traffic(Traffic::Handshake(side)), transcript)
    }

    /// What outlives the handshake on `side`.
    pub(crate) fn keep(&self, side: Side, suite: crate::wire::code::CipherSuite, aead: AeadId) -> Box<Kept13> {
        let (read, write) = match side {
            Side::Client => (&self.server_application, &self.client_application),
            Side::Server => (&self.client_application, &self.server_application),
        };
        let mut kept = Box::new(Kept13 {
            hash: self.hash,
            suite,
            aead,
            read: Slot::default(),
            write: Slot::default(),
            exporter: Slot::default(),
            early_exporter: Slot::default(),
            resumption: Slot::default(),
        });
        for (to, from) in [
            (&mut kept.read, read),
            (&mut kept.write, write),
            (&mut kept.exporter, &self.exporter),
            (&mut kept.early_exporter, &self.early_exporter),
            (&mut kept.resumption, &self.resumption),
        ] {
            to.0.0.copy_from_slice(&from.0.0);
        }
        kept
    }
}

/// The secrets of an established TLS 1.3 connection.
pub(crate) struct Kept13 {
    hash: &'static dyn Hash,
    pub(crate) suite: crate::wire::code::CipherSuite,
    aead: AeadId,
    read: Slot,
    write: Slot,
    exporter: Slot,
    early_exporter: Slot,
    resumption: Slot,
}

impl Kept13 {
    /// The next generation of a direction's keys: RFC 9846 7.2.
    pub(crate) fn update(&mut self, reading: bool) -> TrafficKeys {
        let slot = if reading { &mut self.read } else { &mut self.write };
        let mut next = Slot::default();
        expand_label(self.hash, slot.get(self.hash), b"traffic upd", &[], next.get_mut(self.hash));
        slot.get_mut(self.hash).copy_from_slice(next.get(self.hash));
        traffic_keys(self.hash, slot.get(self.hash), self.aead)
    }

    pub(crate) fn hash_id(&self) -> crate::crypto::HashId {
        self.hash.id()
    }

    pub(crate) fn aead(&self) -> AeadId {
        self.aead
    }

    /// Keying material: RFC 9846 7.5.
    pub(crate) fn export(&self, label: &[u8], context: &[u8], out: &mut [u8]) {
        export(self.hash, &self.exporter, label, context, out);
    }

    /// Early keying material: safe against neither replay nor a later theft of the ticket's key.
    pub(crate) fn export_early(&self, label: &[u8], context: &[u8], out: &mut [u8]) {
        export(self.hash, &self.early_exporter, label, context, out);
    }

    /// The PSK of one ticket: RFC 9846 4.6.1. Gives its length.
    pub(crate) fn ticket_psk(&self, nonce: &[u8], out: &mut [u8; MAX_HASH]) -> usize {
        let len = self.hash.id().len().min(MAX_HASH);
        expand_label(self.hash, self.resumption.get(self.hash), b"resumption", nonce, &mut out[..len]);
        len
    }
}

impl fmt::Debug for Kept13 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

fn export(hash: &dyn Hash, secret: &Slot, label: &[u8], context: &[u8], out: &mut [u8]) {
    let digest = |bytes: &[u8]| {
        let mut h = hash.start();
        h.update(bytes);
        h.finish()
    };
    let mut derived = Slot::default();
    expand_label(hash, secret.get(hash), label, digest(&[]).as_ref(), derived.get_mut(hash));
    expand_label(hash, derived.get(hash), b"exporter", digest(context).as_ref(), out);
}

fn traffic_keys(hash: &dyn Hash, secret: &[u8], aead: AeadId) -> TrafficKeys {
    let mut keys = TrafficKeys { key: [0; 32], key_len: aead.key_len(), iv: [0; 12] };
    let len = keys.key_len;
    expand_label(hash, secret, b"key", &[], &mut keys.key[..len]);
    expand_label(hash, secret, b"iv", &[], &mut keys.iv);
    keys
}

fn finished_mac(hash: &dyn Hash, base_key: &[u8], transcript: &[u8]) -> Digest {
    let mut key = Slot::default();
    expand_label(hash, base_key, b"finished", &[], key.get_mut(hash));
    hash.hmac(key.get(hash)).sign(&[transcript])
}

/// Compares MACs in constant time.
pub(crate) fn same_mac(ours: &Digest, theirs: &[u8]) -> bool {
    bool::from(ours.as_ref().ct_eq(theirs))
}

/// HKDF-Expand-Label: RFC 9846 7.1. `out` is at most 255 hashes long, which every caller keeps.
pub(crate) fn expand_label(hash: &dyn Hash, secret: &[u8], label: &[u8], context: &[u8], out: &mut [u8]) {
    const PREFIX: &[u8] = b"tls13 ";
    let byte = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
    let length = u16::try_from(out.len()).unwrap_or(u16::MAX).to_be_bytes();
    let (label_len, context_len) = ([byte(PREFIX.len() + label.len())], [byte(context.len())]);
    let key = hash.hmac(secret);
    let mut previous = Digest::empty();
    for (n, chunk) in out.chunks_mut(hash.id().len()).enumerate() {
        let counter = [byte(n + 1)];
        let parts: [&[u8]; 8] =
            [previous.as_ref(), &length, &label_len, PREFIX, label, &context_len, context, &counter];
        let mut block = key.sign(&parts);
        chunk.copy_from_slice(&block.as_ref()[..chunk.len()]);
        previous = block;
        // What stays on the stack can be copied into the heap with the padding of a value that is moved there.
        block.wipe();
    }
    previous.wipe();
}

/// The longest export: 255 hashes (RFC 5869 2.3).
pub(crate) fn max_export(hash: crate::crypto::HashId) -> usize {
    255 * hash.len()
}

/// An imported external key: RFC 9258 5. `target` is the hash of the suites it is for.
pub(crate) fn import(
    own: &dyn Hash,
    target: &dyn Hash,
    key: &[u8],
    identity: &[u8],
    context: &[u8],
    out: &mut [u8],
) -> CryptoResult<Vec<u8>> {
    use crate::crypto::{CryptoError, HashId};
    let kdf: u16 = match target.id() {
        HashId::Sha256 => 1,
        HashId::Sha384 => 2,
        _ => return Err(CryptoError),
    };
    let mut imported = Vec::new();
    let mut w = crate::wire::Writer::new(&mut imported);
    w.vec16(|w| w.bytes(identity));
    w.vec16(|w| w.bytes(context));
    w.u16(crate::wire::code::ProtocolVersion::Tls13.0);
    w.u16(kdf);
    let mut digest = own.start();
    digest.update(&imported);
    let digest = digest.finish();
    let zeros = [0; 64];
    let mut extracted = own.hmac(&zeros[..own.id().len()]).sign(&[key]);
    expand_label(own, extracted.as_ref(), b"derived psk", digest.as_ref(), out);
    extracted.wipe();
    Ok(imported)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{HashId, Provider};

    fn hex(text: &str) -> Vec<u8> {
        let text: String = text.split_whitespace().collect();
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    /// RFC 8448 3: the simple 1-RTT handshake's secrets, from its transcript hashes.
    #[test]
    fn rfc_8448_simple_handshake_secrets() {
        let hash = Provider::builtin().hash(HashId::Sha256).unwrap();
        let (mut vault, at) = Vault13::early(hash, None);
        assert_eq!(vault.stage.get(hash), hex("33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a"));
        let shared = hex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d");
        vault.shared.fill(32).copy_from_slice(&shared);
        // The handshake secret does not depend on the transcript; its traffic secrets do.
        let _at = vault.handshake(at, true, &[0; 32]);
        assert_eq!(vault.stage.get(hash), hex("1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac"));
        assert_eq!(vault.shared.expose(), [0_u8; 0], "the shared secret outlives its use");
    }
}
