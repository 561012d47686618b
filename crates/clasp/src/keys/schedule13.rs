//! The key schedule of TLS 1.3: RFC 9846 7. All secrets stand in one box, in named slots, and are derived in place;
//! zero-sized tokens move through the flow in their stead, so that the compiler keeps the schedule's order.

use super::kept13::{Also, Kept13};
use super::maker::{KeyLabels, KeyMaterial};
use super::schedule12::Side;
use crate::crypto::{AeadId, CryptoError, CryptoResult, Digest, Hash, HashId, HmacKey, SharedSecret};
use crate::suite::Suite13;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// The longest hash of a TLS 1.3 suite: SHA-384.
pub(super) const MAX_HASH: usize = 48;

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
    pub(super) fn get(&self, hash: &dyn Hash) -> &[u8] {
        &self.0.0[..hash.id().len().min(MAX_HASH)]
    }

    pub(super) fn get_mut(&mut self, hash: &dyn Hash) -> &mut [u8] {
        &mut self.0.0[..hash.id().len().min(MAX_HASH)]
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
    /// What the next stage is extracted with.
    salt: Slot,
    binder: Slot,
    early: TrafficSecret,
    early_exporter: Slot,
    client_handshake: TrafficSecret,
    server_handshake: TrafficSecret,
    client_finished: FinishedKey,
    server_finished: FinishedKey,
    client_application: TrafficSecret,
    server_application: TrafficSecret,
    exporter: Slot,
    resumption: Slot,
}

/// A traffic secret, and the keys that a carrier has asked for.
#[derive(Default)]
struct TrafficSecret {
    secret: Slot,
    keys: TrafficKeys,
}

/// The key of a side's Finished, once somebody wanted it: RFC 9846 4.4.4.
#[derive(Default)]
struct FinishedKey {
    key: Slot,
    stands: bool,
}

/// Which traffic secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Traffic {
    Early,
    Handshake(Side),
    Application(Side),
}

/// The key and IV of one direction; wiped on drop.
#[derive(Default)]
pub(crate) struct TrafficKeys {
    pub(crate) key: [u8; 32],
    pub(crate) key_len: usize,
    pub(crate) iv: [u8; 12],
    /// Of packets' headers, as long as the other, where the carrier has a name for it.
    pub(crate) hp: [u8; 32],
}

impl Drop for TrafficKeys {
    fn drop(&mut self) {
        self.key.zeroize();
        self.hp.zeroize();
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
    pub(crate) fn early(hash: &'static dyn Hash, psk: Option<(&[u8], BinderKind)>) -> (Box<Self>, AtEarly) {
        let mut vault = Box::new(Self {
            hash,
            shared: SharedSecret::default(),
            stage: Slot::default(),
            salt: Slot::default(),
            binder: Slot::default(),
            early: TrafficSecret::default(),
            early_exporter: Slot::default(),
            client_handshake: TrafficSecret::default(),
            server_handshake: TrafficSecret::default(),
            client_finished: FinishedKey::default(),
            server_finished: FinishedKey::default(),
            client_application: TrafficSecret::default(),
            server_application: TrafficSecret::default(),
            exporter: Slot::default(),
            resumption: Slot::default(),
        });
        vault.start(psk);
        (vault, AtEarly(()))
    }

    fn start(&mut self, psk: Option<(&[u8], BinderKind)>) {
        let Self { hash, stage, salt, binder, .. } = self;
        let hash = *hash;
        let Some((psk, kind)) = psk else {
            // Without a key the early secret is a constant, and so is all that comes of it.
            if let Some(known) = derived_from_nothing(hash.id()) {
                salt.get_mut(hash).copy_from_slice(known);
                return;
            }
            extract(hash, zeros(hash), zeros(hash), stage.get_mut(hash));
            let nothing = hash.digest(&[]);
            expand_labels(hash, stage.get(hash), &mut [Label::new(b"derived", nothing.as_ref(), salt.get_mut(hash))]);
            return;
        };
        let label: &[u8] = match kind {
            BinderKind::Resumption => b"res binder",
            BinderKind::External => b"ext binder",
            BinderKind::Imported => b"imp binder",
        };
        extract(hash, zeros(hash), psk, stage.get_mut(hash));
        let nothing = hash.digest(&[]);
        let nothing = nothing.as_ref();
        let labels = &mut [
            Label::new(b"derived", nothing, salt.get_mut(hash)),
            Label::new(label, nothing, binder.get_mut(hash)),
        ];
        expand_labels(hash, stage.get(hash), labels);
    }

    /// The MAC of the key's binder: RFC 9846 4.2.11.2.
    pub(crate) fn binder(&self, _: &AtEarly, transcript: &[u8]) -> Digest {
        let mut key = Slot::default();
        let label = Label::new(b"finished", &[], key.get_mut(self.hash));
        expand_labels(self.hash, self.binder.get(self.hash), &mut [label]);
        finished_mac(self.hash, key.get(self.hash), transcript)
    }

    /// client_early_traffic_secret and early_exporter_secret, over the ClientHello.
    pub(crate) fn early_traffic(&mut self, _: &AtEarly, transcript: &[u8]) {
        let Self { hash, stage, early, early_exporter, .. } = self;
        let hash = *hash;
        let labels = &mut [
            Label::new(b"c e traffic", transcript, early.secret.get_mut(hash)),
            Label::new(b"e exp master", transcript, early_exporter.get_mut(hash)),
        ];
        expand_labels(hash, stage.get(hash), labels);
    }

    /// The handshake secret and its traffic secrets, over ClientHello to ServerHello. `dhe` is false for psk_ke.
    pub(crate) fn handshake(&mut self, _: AtEarly, dhe: bool, transcript: &[u8]) -> AtHandshake {
        let Self { hash, shared, stage, salt, client_handshake, server_handshake, .. } = self;
        let hash = *hash;
        extract(hash, salt.get(hash), if dhe { shared.expose() } else { zeros(hash) }, stage.get_mut(hash));
        shared.wipe();
        let nothing = hash.digest(&[]);
        let labels = &mut [
            Label::new(b"c hs traffic", transcript, client_handshake.secret.get_mut(hash)),
            Label::new(b"s hs traffic", transcript, server_handshake.secret.get_mut(hash)),
            Label::new(b"derived", nothing.as_ref(), salt.get_mut(hash)),
        ];
        expand_labels(hash, stage.get(hash), labels);
        AtHandshake(())
    }

    /// The main secret and its traffic secrets, over ClientHello to the server's Finished.
    pub(crate) fn main(&mut self, _: AtHandshake, transcript: &[u8]) -> AtMain {
        let Self { hash, stage, salt, client_application, server_application, exporter, .. } = self;
        let hash = *hash;
        extract(hash, salt.get(hash), zeros(hash), stage.get_mut(hash));
        let labels = &mut [
            Label::new(b"c ap traffic", transcript, client_application.secret.get_mut(hash)),
            Label::new(b"s ap traffic", transcript, server_application.secret.get_mut(hash)),
            Label::new(b"exp master", transcript, exporter.get_mut(hash)),
        ];
        expand_labels(hash, stage.get(hash), labels);
        AtMain(())
    }

    /// resumption_secret, over ClientHello to the client's Finished.
    pub(crate) fn resumption(&mut self, _: &AtMain, transcript: &[u8]) {
        let Self { hash, stage, resumption, .. } = self;
        let label = Label::new(b"res master", transcript, resumption.get_mut(*hash));
        expand_labels(*hash, stage.get(*hash), &mut [label]);
    }

    /// The PSK of one ticket: RFC 9846 4.6.1.
    pub(crate) fn ticket_psk(&self, nonce: &[u8], out: &mut [u8]) {
        expand_label(self.hash, self.resumption.get(self.hash), b"resumption", nonce, out);
    }

    fn secret(&self, which: Traffic) -> &Slot {
        let TrafficSecret { secret, .. } = match which {
            Traffic::Early => &self.early,
            Traffic::Handshake(Side::Client) => &self.client_handshake,
            Traffic::Handshake(Side::Server) => &self.server_handshake,
            Traffic::Application(Side::Client) => &self.client_application,
            Traffic::Application(Side::Server) => &self.server_application,
        };
        secret
    }

    /// The early, the handshake or the main secret, whichever stands, for an observer.
    pub(crate) fn stage(&self) -> &[u8] {
        self.stage.get(self.hash)
    }

    /// binder_key, for an observer.
    pub(crate) fn binder_key(&self) -> &[u8] {
        self.binder.get(self.hash)
    }

    /// resumption_secret, for an observer.
    pub(crate) fn resumption_secret(&self) -> &[u8] {
        self.resumption.get(self.hash)
    }

    /// A traffic secret, for the key log and an observer.
    pub(crate) fn traffic(&self, which: Traffic) -> &[u8] {
        self.secret(which).get(self.hash)
    }

    /// exporter_secret and early_exporter_secret, for the key log and an observer.
    pub(crate) fn exporters(&self) -> [&[u8]; 2] {
        [self.exporter.get(self.hash), self.early_exporter.get(self.hash)]
    }

    /// The keys of a traffic secret, expanded in their place under a carrier's labels: RFC 9846 7.3. The key of the side's
    /// Finished comes with those of the handshake, as the secret is at hand.
    pub(crate) fn material(&mut self, which: Traffic, aead: AeadId, labels: &KeyLabels) -> KeyMaterial<'_> {
        let hash = self.hash;
        let (TrafficSecret { secret, keys }, finished) = match which {
            Traffic::Early => (&mut self.early, None),
            Traffic::Handshake(Side::Client) => (&mut self.client_handshake, Some(&mut self.client_finished)),
            Traffic::Handshake(Side::Server) => (&mut self.server_handshake, Some(&mut self.server_finished)),
            Traffic::Application(Side::Client) => (&mut self.client_application, None),
            Traffic::Application(Side::Server) => (&mut self.server_application, None),
        };
        let [key, iv, hp] = keys.labels(aead, labels);
        match finished {
            None => expand_labels(hash, secret.get(hash), &mut [key, iv, hp]),
            Some(finished) => expand_labels(hash, secret.get(hash), &mut [key, iv, hp, finished.label(hash)]),
        }
        KeyMaterial::Tls13 { aead, keys }
    }

    /// Finished.verify_data of a side: RFC 9846 4.4.4.
    pub(crate) fn verify_data(&mut self, side: Side, transcript: &[u8]) -> Digest {
        let hash = self.hash;
        let (secret, finished) = match side {
            Side::Client => (&self.client_handshake.secret, &mut self.client_finished),
            Side::Server => (&self.server_handshake.secret, &mut self.server_finished),
        };
        if !finished.stands {
            expand_labels(hash, secret.get(hash), &mut [finished.label(hash)]);
        }
        finished_mac(hash, finished.key.get(hash), transcript)
    }

    /// What outlives the handshake on `side`; besides what every connection needs, the secrets in `also`.
    pub(crate) fn keep(&self, side: Side, suite: &Suite13, also: &[Also]) -> Kept13 {
        let (read, write) = match side {
            Side::Client => (&self.server_application.secret, &self.client_application.secret),
            Side::Server => (&self.client_application.secret, &self.server_application.secret),
        };
        let always = [read, write, &self.exporter].map(|slot| slot.get(self.hash));
        Kept13::new(self.hash, suite, always, also, |also| {
            let slot = match also {
                Also::Resumption => &self.resumption,
                Also::EarlyExporter => &self.early_exporter,
            };
            slot.get(self.hash)
        })
    }
}

impl FinishedKey {
    /// What expands it, which is done once.
    fn label(&mut self, hash: &dyn Hash) -> Label<'_> {
        self.stands = true;
        Label::new(b"finished", &[], self.key.get_mut(hash))
    }
}

impl TrafficKeys {
    /// Those of a traffic secret that is known from elsewhere, as of a key log's: RFC 9846 7.3.
    pub(crate) fn of(hash: &dyn Hash, secret: &[u8], aead: AeadId, names: &KeyLabels) -> Self {
        let mut keys = Self::default();
        expand_labels(hash, secret, &mut keys.labels(aead, names));
        keys
    }

    /// Where there is no name there is nothing to expand either.
    pub(super) fn labels(&mut self, aead: AeadId, names: &KeyLabels) -> [Label<'_>; 3] {
        self.key_len = aead.key_len();
        let hp = if names.hp.is_empty() { 0 } else { aead.key_len() };
        [
            Label::new(names.key, &[], &mut self.key[..aead.key_len()]),
            Label::new(names.iv, &[], &mut self.iv),
            Label::new(names.hp, &[], &mut self.hp[..hp]),
        ]
    }
}

pub(super) fn export(hash: &dyn Hash, secret: &[u8], label: &[u8], context: &[u8], out: &mut [u8]) {
    let mut derived = Slot::default();
    expand_label(hash, secret, label, hash.digest(&[]).as_ref(), derived.get_mut(hash));
    expand_label(hash, derived.get(hash), b"exporter", hash.digest(&[context]).as_ref(), out);
}

pub(super) fn finished_mac(hash: &dyn Hash, key: &[u8], transcript: &[u8]) -> Digest {
    Digest::filled(hash.id().len(), |out| hash.keyed(key, &mut |key| key.sign(&[transcript], out)))
}

/// As many zeros as the hash is long.
fn zeros(hash: &dyn Hash) -> &'static [u8] {
    &[0; MAX_HASH][..hash.id().len().min(MAX_HASH)]
}

/// Compares MACs in constant time.
pub(crate) fn same_mac(ours: &Digest, theirs: &[u8]) -> bool {
    bool::from(ours.as_ref().ct_eq(theirs))
}

/// HKDF-Extract: RFC 5869 2.2.
pub(crate) fn extract(hash: &dyn Hash, salt: &[u8], key: &[u8], out: &mut [u8]) {
    hash.keyed(salt, &mut |hmac| hmac.sign(&[key], out));
}

/// One value to expand from a secret.
pub(super) struct Label<'a> {
    label: &'a [u8],
    context: &'a [u8],
    /// At most 255 hashes long, which every caller keeps.
    out: &'a mut [u8],
}

impl<'a> Label<'a> {
    const fn new(label: &'a [u8], context: &'a [u8], out: &'a mut [u8]) -> Self {
        Self { label, context, out }
    }

    /// HKDF-Expand-Label under a key: RFC 9846 7.1, RFC 5869 2.3.
    fn expand(&mut self, hash_len: usize, key: &dyn HmacKey) {
        const PREFIX: &[u8] = b"tls13 ";
        let byte = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
        let length = u16::try_from(self.out.len()).unwrap_or(u16::MAX).to_be_bytes();
        let front = [length[0], length[1], byte(PREFIX.len() + self.label.len())];
        let context_len = [byte(self.context.len())];
        let mut done = 0;
        for n in 1..=self.out.len().div_ceil(hash_len) {
            let end = self.out.len().min(done + hash_len);
            let (before, block) = self.out[..end].split_at_mut(done);
            let previous = &before[done.saturating_sub(hash_len)..];
            key.sign(&[previous, &front, PREFIX, self.label, &context_len, self.context, &[byte(n)]], block);
            done = end;
        }
    }
}

/// HKDF-Expand-Label of several values from one secret, which is keyed once.
pub(super) fn expand_labels(hash: &dyn Hash, secret: &[u8], labels: &mut [Label<'_>]) {
    hash.keyed(secret, &mut |key| labels.iter_mut().for_each(|label| label.expand(hash.id().len(), key)));
}

/// HKDF-Expand-Label: RFC 9846 7.1. `out` is at most 255 hashes long, which every caller keeps.
pub(crate) fn expand_label(hash: &dyn Hash, secret: &[u8], label: &[u8], context: &[u8], out: &mut [u8]) {
    expand_labels(hash, secret, &mut [Label::new(label, context, out)]);
}

/// The traffic secret after one: RFC 9846 7.2.
pub(crate) fn next_secret(hash: &dyn Hash, secret: &[u8], names: &KeyLabels, out: &mut [u8]) {
    expand_label(hash, secret, names.update, &[], out);
}

/// Derive-Secret(Early Secret, "derived", "") where there is no pre-shared key: RFC 9846 7.1, and RFC 8448 3 for
/// SHA-256.
const fn derived_from_nothing(hash: HashId) -> Option<&'static [u8]> {
    match hash {
        HashId::Sha256 => Some(
            b"\x6f\x26\x15\xa1\x08\xc7\x02\xc5\x67\x8f\x54\xfc\x9d\xba\xb6\x97\x16\xc0\x76\x18\x9c\x48\x25\x0c\
              \xeb\xea\xc3\x57\x6c\x36\x11\xba",
        ),
        HashId::Sha384 => Some(
            b"\x15\x91\xda\xc5\xcb\xbf\x03\x30\xa4\xa8\x4d\xe9\xc7\x53\x33\x0e\x92\xd0\x1f\x0a\x88\x21\x4b\x44\
              \x64\x97\x2f\xd6\x68\x04\x9e\x93\xe5\x2f\x2b\x16\xfa\xd9\x22\xfd\xc0\x58\x44\x78\x42\x8f\x28\x2b",
        ),
        _ => None,
    }
}

/// The longest export: 255 hashes (RFC 5869 2.3).
pub(crate) fn max_export(hash: HashId) -> usize {
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
    let kdf: u16 = match target.id() {
        HashId::Sha256 => 1,
        HashId::Sha384 => 2,
        _ => return Err(CryptoError),
    };
    let mut imported = Vec::new();
    let written = crate::wire::Writer::write(&mut imported, |w| {
        w.vec16(|w| w.bytes(identity));
        w.vec16(|w| w.bytes(context));
        w.u16(crate::code::ProtocolVersion::Tls13.0);
        w.u16(kdf);
    });
    written.map_err(|_| CryptoError)?;
    // The key's own hash may be longer than any of a suite's.
    let mut extracted = Zeroizing::new([0; 64]);
    let extracted = &mut extracted[..own.id().len()];
    extract(own, &[], key, extracted);
    expand_label(own, extracted, b"derived psk", own.digest(&[&imported]).as_ref(), out);
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

    fn keys(vault: &mut Vault13, which: Traffic) -> (Vec<u8>, [u8; 12]) {
        match vault.material(which, AeadId::Aes128Gcm, &KeyLabels::TLS) {
            KeyMaterial::Tls13 { keys, .. } => (keys.key[..keys.key_len].to_vec(), keys.iv),
            KeyMaterial::Tls12 { .. } => panic!("of another version"),
        }
    }

    #[test]
    fn what_comes_of_no_pre_shared_key_is_known() {
        for id in [HashId::Sha256, HashId::Sha384] {
            let hash = Provider::builtin().hash(id).unwrap();
            let (mut early, mut derived) = (Slot::default(), Slot::default());
            extract(hash, zeros(hash), zeros(hash), early.get_mut(hash));
            let nothing = hash.digest(&[]);
            expand_label(hash, early.get(hash), b"derived", nothing.as_ref(), derived.get_mut(hash));
            assert_eq!(derived_from_nothing(id), Some(derived.get(hash)));
        }
    }

    /// RFC 8448 3: the simple 1-RTT handshake's secrets, from its transcript hashes.
    #[test]
    fn rfc_8448_simple_handshake_secrets() {
        let hash = Provider::builtin().hash(HashId::Sha256).unwrap();
        let (mut vault, at) = Vault13::early(hash, None);
        let shared = hex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d");
        vault.shared.fill(32).copy_from_slice(&shared);
        let transcript = hex("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8");
        let at = vault.handshake(at, true, &transcript);
        assert_eq!(vault.stage.get(hash), hex("1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac"));
        assert_eq!(vault.shared.expose(), [0_u8; 0], "the shared secret outlives its use");
        let (key, iv) = keys(&mut vault, Traffic::Handshake(Side::Server));
        assert_eq!(key, hex("3fce516009c21727d0f2e4e86ee403bc"));
        assert_eq!(iv[..], hex("5d313eb2671276ee13000b30"));
        let finished = hex("008d3b66f816ea559f96b537e885c31fc068bf492c652f01f288a1d8cdc19fc8");
        assert_eq!(vault.server_finished.key.get(hash), finished);
        // The same where nobody has asked for keys before.
        vault.server_finished = FinishedKey::default();
        vault.verify_data(Side::Server, &[]);
        assert_eq!(vault.server_finished.key.get(hash), finished);

        let transcript = hex("9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13");
        let at = vault.main(at, &transcript);
        assert_eq!(vault.stage.get(hash), hex("18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919"));
        let (key, iv) = keys(&mut vault, Traffic::Application(Side::Client));
        assert_eq!(key, hex("17422dda596ed5d9acd890e3c63f5051"));
        assert_eq!(iv[..], hex("5b78923dee08579033e523d9"));
        assert_eq!(vault.exporters()[0], hex("fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50"));

        let transcript = hex("209145a96ee8e2a122ff810047cc952684658d6049e86429426db87c54ad143d");
        vault.resumption(&at, &transcript);
        let mut psk = [0; 32];
        vault.ticket_psk(&[0, 0], &mut psk);
        assert_eq!(psk[..], hex("4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3"));
    }

    /// RFC 8448 4: the binder of the resumed handshake, from the ticket's key and the hash of the hello up to the
    /// binders. Everything else of the traces is replayed in `tests/rfc8448.rs`.
    #[test]
    fn rfc_8448_resumed_handshake_binder() {
        let hash = Provider::builtin().hash(HashId::Sha256).unwrap();
        let psk = hex("4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3");
        let (vault, at) = Vault13::early(hash, Some((&psk, BinderKind::Resumption)));
        assert_eq!(vault.stage.get(hash), hex("9b2188e9b2fc6d64d71dc329900e20bb41915000f678aa839cbb797cb7d8332c"));
        let binder = vault.binder(&at, &hex("63224b2e4573f2d3454ca84b9d009a04f6be9e05711a8396473aefa01e924a14"));
        assert_eq!(binder.as_ref(), hex("3add4fb2d8fdf822a0ca3cf7678ef5e88dae990141c5924d57bb6fa31b9e5f9d"));
    }

    /// RFC 9258 5. It has no vectors: these are what the HMAC of another library makes of it.
    #[test]
    fn rfc_9258_imported_keys() {
        let hash = |id| Provider::builtin().hash(id).unwrap();
        for (own, target, wanted) in [
            (HashId::Sha256, HashId::Sha256, "d8b88704fb1bebcc2011576a96fc17bd2039c4533230c0104af3f21af019ccf2"),
            (
                HashId::Sha256,
                HashId::Sha384,
                "a9e20956ddc63d09995cfaf9bad0a6804aab17900bf5634a58605c28951d2d71bcc5f47fddf5f1f88fe9ecd328e279e8",
            ),
            (HashId::Sha384, HashId::Sha256, "9a807f6e5ae36c58f22c56dda2dc92a533ea8dde6d6069ad81d8de37fd2b5953"),
            (
                HashId::Sha512,
                HashId::Sha384,
                "a68069db93ab4950e003665f2756335d10b69621ca6b22ff807939e1b267f3e9b751741a9617df95e8b3c5e262d12e1c",
            ),
        ] {
            let mut secret = vec![0; target.len()];
            let imported =
                import(hash(own), hash(target), &[7; 32], b"device 7", b"device 7 to hub", &mut secret).unwrap();
            assert_eq!(secret, hex(wanted), "{own:?} for {target:?}");
            let kdf = if target == HashId::Sha256 { 1 } else { 2 };
            assert_eq!(imported, [b"\0\x08device 7\0\x0fdevice 7 to hub\x03\x04\0", &[kdf][..]].concat());
        }
    }
}
