//! A provider whose agreed secrets are marked for memcheck. What is derived from them is marked as it comes, through hashes
//! and HMACs. The ciphers get copies of their keys that are not: what they do with a key is the library's affair. What was
//! secret in a plaintext when it was sealed is secret again when it is opened.

use crate::memcheck::{make_outcome_public, make_public, make_secret, restore_secrecy, secrecy};
use clasp::crypto::{
    Aead, AeadId, AeadKey, BlockKey, CbcHmacKey, CbcId, CryptoResult, Group, KeyShare, Legacy, Provider, SharedSecret,
    TAG_LEN, Use,
};
use clasp::wire::code::NamedGroup;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Keys of ciphers that came marked: that marks go all the way can be seen.
pub(crate) static MARKED_KEYS: AtomicUsize = AtomicUsize::new(0);

/// By its tag, what was secret in a plaintext.
static SEALED: Mutex<Option<HashMap<[u8; TAG_LEN], Vec<u8>>>> = Mutex::new(None);

/// A copy for the library, and a note.
fn public_copy(key: &[u8]) -> Vec<u8> {
    if secrecy(key).iter().all(|bits| *bits == 0xff) {
        MARKED_KEYS.fetch_add(1, Ordering::Relaxed);
    }
    let copy = key.to_vec();
    make_public(&copy);
    copy
}

struct MarkedGroup(&'static dyn Group);
struct MarkedShare(Box<dyn KeyShare>);
struct MarkedAead(&'static dyn Aead);
struct MarkedAeadKey(Box<dyn AeadKey>);
struct MarkedLegacy(&'static dyn Legacy);
struct MarkedBlock(Box<dyn BlockKey>);

impl Group for MarkedGroup {
    fn id(&self) -> NamedGroup {
        self.0.id()
    }
    fn start(&self) -> CryptoResult<Box<dyn KeyShare>> {
        Ok(Box::new(MarkedShare(self.0.start()?)))
    }
    fn answer(&self, peer: &[u8], secret: &mut SharedSecret, public: &mut Vec<u8>) -> CryptoResult<()> {
        self.0.answer(peer, secret, public)?;
        make_secret(secret.expose());
        Ok(())
    }
}

impl KeyShare for MarkedShare {
    fn public(&self) -> &[u8] {
        self.0.public()
    }
    fn finish(self: Box<Self>, peer: &[u8], secret: &mut SharedSecret) -> CryptoResult<()> {
        self.0.finish(peer, secret)?;
        make_secret(secret.expose());
        Ok(())
    }
    fn also(&self) -> Option<(NamedGroup, &[u8])> {
        self.0.also()
    }
    fn finish_also(self: Box<Self>, peer: &[u8], secret: &mut SharedSecret) -> CryptoResult<()> {
        self.0.finish_also(peer, secret)?;
        make_secret(secret.expose());
        Ok(())
    }
}

impl Aead for MarkedAead {
    fn id(&self) -> AeadId {
        self.0.id()
    }
    fn key(&self, key: &[u8]) -> CryptoResult<Box<dyn AeadKey>> {
        Ok(Box::new(MarkedAeadKey(self.0.key(&public_copy(key))?)))
    }
}

impl AeadKey for MarkedAeadKey {
    fn seal(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8], tag: &mut [u8; TAG_LEN]) -> CryptoResult<()> {
        // Nonces come of secret IVs.
        let nonce = *nonce;
        make_public(&nonce);
        let bits = secrecy(in_out);
        make_public(in_out);
        self.0.seal(&nonce, aad, in_out, tag)?;
        make_public(tag);
        SEALED.lock().unwrap().get_or_insert_default().insert(*tag, bits);
        Ok(())
    }
    fn open(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8]) -> CryptoResult<usize> {
        let nonce = *nonce;
        make_public(&nonce);
        let tag = in_out.last_chunk().copied();
        let len = self.0.open(&nonce, aad, in_out)?;
        let sealed = SEALED.lock().unwrap();
        if let Some(bits) = tag.and_then(|tag| sealed.as_ref()?.get(&tag)) {
            restore_secrecy(&in_out[..len], bits);
        }
        Ok(len)
    }
}

impl Legacy for MarkedLegacy {
    fn cbc_hmac(&self, id: CbcId, mac_key: &[u8], key: &[u8], usage: Use) -> Option<CryptoResult<Box<dyn CbcHmacKey>>> {
        self.0.cbc_hmac(id, &public_copy(mac_key), &public_copy(key), usage)
    }
    fn block(&self, key: &[u8], usage: Use) -> CryptoResult<Box<dyn BlockKey>> {
        Ok(Box::new(MarkedBlock(self.0.block(&public_copy(key), usage)?)))
    }
    fn dh(&self, p: &[u8], g: &[u8]) -> CryptoResult<Box<dyn KeyShare>> {
        self.0.dh(p, g)
    }
    fn ffdhe(&self, group: NamedGroup) -> Option<(&'static [u8], &'static [u8])> {
        self.0.ffdhe(group)
    }
    fn rsa_encrypt(&self, spki: &[u8], premaster: &SharedSecret) -> CryptoResult<Vec<u8>> {
        let encrypted = self.0.rsa_encrypt(spki, premaster)?;
        make_secret(premaster.expose());
        Ok(encrypted)
    }
}

impl BlockKey for MarkedBlock {
    fn encrypt(&self, iv: &[u8; 16], in_out: &mut [u8]) -> CryptoResult<()> {
        let done = self.0.encrypt(iv, in_out);
        make_public(in_out);
        make_outcome_public(&done);
        done
    }
    fn decrypt(&self, iv: &[u8; 16], in_out: &mut [u8]) -> CryptoResult<()> {
        // The MAC was good: who made the padding knows it.
        self.0.decrypt(iv, in_out)
    }
}

/// The built-in provider, marked; with AWS-LC's ciphers, which memcheck has nothing to say of while their keys are public.
pub(crate) fn marked() -> &'static Provider {
    let inner = Provider::builtin();
    let aeads =
        Provider::aws_lc().aeads.iter().map(|a| &*Box::leak(Box::new(MarkedAead(*a))) as &dyn Aead).collect::<Vec<_>>();
    let groups = inner.groups.iter().map(|g| &*Box::leak(Box::new(MarkedGroup(*g))) as &dyn Group).collect::<Vec<_>>();
    Box::leak(Box::new(Provider {
        name: "marked",
        hashes: inner.hashes,
        aeads: aeads.leak(),
        groups: groups.leak(),
        signatures: inner.signatures,
        schemes: inner.schemes,
        random: inner.random,
        legacy: inner.legacy.map(|l| &*Box::leak(Box::new(MarkedLegacy(l))) as &dyn Legacy),
    }))
}
