//! A hello hidden in another, to change: RFC 9849 6.1.

use super::hello::{Hello, ext, v16};
use super::*;
use clasp::crypto::Provider;
use clasp::ech::{EchKey, EchKeyRing, EchKeyStore, EchParameters};
use clasp::hpke::{Sealer, Suite};
use clasp_testkit::{KeyKind, authority};
use std::sync::Arc;

pub(crate) const ECH: u16 = 0xfe0d;
pub(crate) const OUTER_EXTENSIONS: u16 = 0xfd00;

pub(crate) fn key() -> EchKey {
    EchKey::generate(Provider::builtin(), &EchParameters::new("public.example")).unwrap()
}

pub(crate) fn ring(keys: impl IntoIterator<Item = EchKey>) -> Arc<EchKeyStore> {
    Arc::new(EchKeyStore::new(EchKeyRing::new(keys).unwrap()))
}

/// A server that has one key.
pub(crate) fn server_with(key: EchKey) -> clasp::config::ServerBuilder<clasp::config::Ready> {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    clasp::ServerConfig::builder().identity(identity).encrypted_client_hello(ring([key]))
}

pub(crate) fn named(name: &str) -> Vec<u8> {
    ext(SERVER_NAME, &v16(&[&[0], &v16(name.as_bytes())[..]].concat()))
}

/// What all can see.
pub(crate) fn outer() -> Hello {
    Hello::tls13().with(named("public.example")).change(|h| h.session_id = vec![8; 32])
}

/// What is meant.
pub(crate) fn inner() -> Hello {
    Hello::tls13().with(named("hidden.example")).with(ext(ECH, &[1])).change(|h| h.random = [6; 32])
}

/// EncodedClientHelloInner, with padding.
pub(crate) fn encoded(inner: &Hello) -> Vec<u8> {
    [&inner.message()[4..], &[0; 40]].concat()
}

/// Whoever hides.
pub(crate) struct Hiding {
    pub(crate) config_id: u8,
    /// Of a second hello nothing.
    pub(crate) encapsulated: Vec<u8>,
    sealer: Sealer,
}

impl Hiding {
    pub(crate) fn to(key: &EchKey) -> Self {
        let config = &key.list().configs()[0];
        let info = [b"tls ech\0", config.as_bytes()].concat();
        let sealed = Suite::default().sealer(Provider::builtin(), config.public_key(), &info);
        let (encapsulated, sealer) = sealed.unwrap();
        Self { config_id: config.id(), encapsulated, sealer }
    }

    pub(crate) fn extension(&self, payload: &[u8]) -> Vec<u8> {
        let head = [0, 0, 1, 0, 1, self.config_id];
        ext(ECH, &[&head[..], &v16(&self.encapsulated), &v16(payload)].concat())
    }

    /// The outer hello with this sealed in it. The next one has no encapsulated key.
    pub(crate) fn seal(&mut self, outer: &Hello, encoded: &[u8]) -> Hello {
        let zeros = outer.clone().with(self.extension(&vec![0; encoded.len() + 16])).message();
        let mut payload = encoded.to_vec();
        self.sealer.seal(&zeros[4..], &mut payload).unwrap();
        let hello = outer.clone().with(self.extension(&payload));
        self.encapsulated.clear();
        hello
    }
}
