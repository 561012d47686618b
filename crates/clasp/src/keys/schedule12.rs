//! The key schedule of TLS 1.2: RFC 5246 5, 6.3, 8.1; RFC 7627 4. All secrets stand in one box and never move.

use crate::crypto::{Hash, HmacKey, Provider, RandomError, SharedSecret};
use crate::suite::{Bulk, Suite};
use core::fmt;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a master secret.
pub(crate) const MASTER_LEN: usize = 48;
/// The longest hash of a provider: SHA-512.
const MAX_HASH: usize = 64;
/// Two MAC keys, two cipher keys, two IVs, at their longest.
const KEY_BLOCK_LEN: usize = 2 * (48 + 32 + 16);
/// Bytes of Finished.verify_data: RFC 5246 7.4.9.
pub(crate) const VERIFY_DATA_LEN: usize = 12;

/// Which side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

impl Side {
    /// The other one.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// The secrets of one TLS 1.2 connection, in named slots on the heap.
pub(crate) struct Vault12 {
    /// The premaster secret; the key exchange writes it here.
    pub(crate) premaster: SharedSecret,
    master: Master,
    /// The master secret as the PRF's key: set up once, used for the key block and both Finished.
    keyed: Option<Box<dyn HmacKey>>,
    key_block: KeyBlock,
}

/// The room, and how much of it the suite uses.
struct KeyBlock([u8; KEY_BLOCK_LEN], usize);

/// The master secret in a slot of its own, so that what outlives the handshake (the exporter) can own just that.
pub(crate) struct Master(Box<[u8; MASTER_LEN]>);

impl Drop for Master {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Master {
    pub(crate) fn expose(&self) -> &[u8; MASTER_LEN] {
        &self.0
    }

    /// Keying material for another protocol: RFC 5705 4.
    pub(crate) fn export(&self, hash: &dyn Hash, label: &[u8], seed: Seed<'_>, out: &mut [u8]) {
        prf(hash, &self.0[..], label, seed, out);
    }
}

impl Drop for KeyBlock {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The keys of one direction.
pub(crate) struct DirectionKeys<'a> {
    pub(crate) mac: &'a [u8],
    pub(crate) key: &'a [u8],
    pub(crate) iv: &'a [u8],
}

impl Vault12 {
    pub(crate) fn new() -> Box<Self> {
        Box::new(Self {
            premaster: SharedSecret::default(),
            master: Master(Box::new([0; MASTER_LEN])),
            keyed: None,
            key_block: KeyBlock([0; KEY_BLOCK_LEN], 0),
        })
    }

    /// Takes a master secret from a session.
    pub(crate) fn resume(&mut self, master: &[u8; MASTER_LEN]) {
        self.master.0.copy_from_slice(master);
    }

    /// RFC 5246 8.1: the master secret is bound to the randoms only.
    pub(crate) fn master(&mut self, hash: &dyn Hash, client_random: &[u8], server_random: &[u8]) {
        let seed = [client_random, server_random, &[]];
        prf(hash, self.premaster.expose(), b"master secret", seed, &mut self.master.0[..]);
    }

    /// RFC 7627 4: the master secret is bound to the whole conversation (triple handshake).
    pub(crate) fn extended_master(&mut self, hash: &dyn Hash, session_hash: &[u8]) {
        let seed = [session_hash, &[], &[]];
        prf(hash, self.premaster.expose(), b"extended master secret", seed, &mut self.master.0[..]);
    }

    /// RFC 5246 6.3: as much of the key block as the suite uses.
    pub(crate) fn expand(&mut self, hash: &dyn Hash, suite: &Suite, client_random: &[u8], server_random: &[u8]) {
        let seed = [server_random, client_random, &[]];
        let (mac, key, iv) = key_lens(suite);
        let Self { master, keyed, key_block, .. } = self;
        let keyed = keyed.insert(hash.hmac(&master.0[..]));
        key_block.1 = 2 * (mac + key + iv);
        p_hash(&**keyed, hash.id().len(), b"key expansion", seed, &mut key_block.0[..key_block.1]);
    }

    /// One direction's share of the key block: MAC keys first, then cipher keys, then IVs.
    pub(crate) fn keys(&self, suite: &Suite, writer: Side) -> DirectionKeys<'_> {
        let (mac, key, iv) = key_lens(suite);
        let nth = match writer {
            Side::Client => 0,
            Side::Server => 1,
        };
        let slot = |start: usize, len: usize| &self.key_block.0[start + nth * len..start + (nth + 1) * len];
        DirectionKeys { mac: slot(0, mac), key: slot(2 * mac, key), iv: slot(2 * (mac + key), iv) }
    }

    /// Finished.verify_data: RFC 5246 7.4.9. The key block is there by then.
    pub(crate) fn verify_data(&self, hash: &dyn Hash, side: Side, transcript: &[u8]) -> [u8; VERIFY_DATA_LEN] {
        let label: &[u8] = match side {
            Side::Client => b"client finished",
            Side::Server => b"server finished",
        };
        let mut out = [0; VERIFY_DATA_LEN];
        match &self.keyed {
            Some(keyed) => p_hash(&**keyed, hash.id().len(), label, [transcript, &[], &[]], &mut out),
            None => prf(hash, &self.master.0[..], label, [transcript, &[], &[]], &mut out),
        }
        out
    }

    /// The key block, as far as the suite uses it, for an observer.
    pub(crate) fn key_block(&self) -> &[u8] {
        &self.key_block.0[..self.key_block.1]
    }

    pub(crate) fn master_secret(&self) -> &Master {
        &self.master
    }

    /// What is kept after the handshake: the master secret alone.
    pub(crate) fn into_master(self: Box<Self>) -> Master {
        self.master
    }
}

/// Draws the premaster of RSA key transport: the version the client offered, then 46 random bytes (RFC 5246 7.4.7.1).
pub(crate) fn rsa_premaster(provider: &Provider, vault: &mut Vault12, version: [u8; 2]) -> Result<(), RandomError> {
    let premaster = vault.premaster.fill(MASTER_LEN);
    provider.random.fill(premaster)?;
    premaster[..2].copy_from_slice(&version);
    Ok(())
}

/// Bytes of a direction's MAC key, cipher key and IV: RFC 5246 6.3.
const fn key_lens(suite: &Suite) -> (usize, usize, usize) {
    match suite.bulk {
        Bulk::Aead(id) => (0, id.key_len(), suite.fixed_iv_len()),
        Bulk::Cbc(id) => (id.mac.len(), id.key_len, 0),
    }
}

/// The seed of a PRF, in up to three parts.
pub(crate) type Seed<'a> = [&'a [u8]; 3];

/// The PRF: P_hash(secret, label + seed). RFC 5246 5.
fn prf(hash: &dyn Hash, secret: &[u8], label: &[u8], seed: Seed<'_>, out: &mut [u8]) {
    let len = hash.id().len();
    hash.keyed(secret, &mut |key| p_hash(key, len, label, seed, out));
}

/// P_hash under a key, of a hash of `len` bytes: RFC 5246 5.
fn p_hash(key: &dyn HmacKey, len: usize, label: &[u8], [first, second, third]: Seed<'_>, out: &mut [u8]) {
    let (mut a, mut next) = (Zeroizing::new([0; MAX_HASH]), Zeroizing::new([0; MAX_HASH]));
    key.sign(&[label, first, second, third], &mut a[..len]);
    let mut chunks = out.chunks_mut(len).peekable();
    while let Some(chunk) = chunks.next() {
        key.sign(&[&a[..len], label, first, second, third], chunk);
        if chunks.peek().is_some() {
            key.sign(&[&a[..len]], &mut next[..len]);
            a.copy_from_slice(&next[..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::HashId;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    /// The test vectors that circulate for the TLS 1.2 PRF (IETF TLS list, 2009).
    #[test]
    fn known_prf_values() {
        let hash = Provider::builtin().hash(HashId::Sha256).unwrap();
        let mut out = [0; 100];
        prf(
            hash,
            &hex("9bbe436ba940f017b17652849a71db35"),
            b"test label",
            [&hex("a0ba9f936cda311827a6f796ffd5198c"), &[], &[]],
            &mut out,
        );
        assert_eq!(
            out[..],
            hex(concat!(
                "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a",
                "6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab",
                "4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701",
                "87347b66"
            ))
        );
        let hash = Provider::builtin().hash(HashId::Sha384).unwrap();
        let mut out = [0; 148];
        prf(
            hash,
            &hex("b80b733d6ceefcdc71566ea48e5567df"),
            b"test label",
            [&hex("cd665cf6a8447dd6ff8b27555edb7465"), &[], &[]],
            &mut out,
        );
        assert_eq!(out[..32], hex("7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cd"));
    }

    /// A resumed connection has the master secret of its session, and no other.
    #[test]
    fn a_session_brings_its_own_master_secret() {
        let hash = Provider::builtin().hash(HashId::Sha256).unwrap();
        let finished = |master: [u8; MASTER_LEN]| {
            let mut vault = Vault12::new();
            vault.resume(&master);
            assert_eq!(*vault.master_secret().expose(), master);
            let said = [Side::Client, Side::Server].map(|side| vault.verify_data(hash, side, b"transcript"));
            assert_eq!(*vault.into_master().expose(), master);
            said
        };
        let [client, server] = finished([7; MASTER_LEN]);
        assert_ne!(client, server);
        assert_ne!(finished([8; MASTER_LEN])[0], client);
        assert_eq!((Side::Client.other(), Side::Server.other()), (Side::Server, Side::Client));
    }
}
