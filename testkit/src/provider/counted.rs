//! The built-in provider, with its AEAD keys counted.

use clasp::crypto::{Aead, AeadId, AeadKey, CryptoResult, Provider};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counted(&'static dyn Aead, Arc<AtomicUsize>);

impl Aead for Counted {
    fn id(&self) -> AeadId {
        self.0.id()
    }
    fn key(&self, key: &[u8]) -> CryptoResult<Box<dyn AeadKey>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.key(key)
    }
}

/// The built-in provider, and how many AEAD keys have been made with it. Each call leaks some bytes.
pub fn counted() -> (&'static Provider, Arc<AtomicUsize>) {
    let (inner, made) = (Provider::builtin(), Arc::default());
    let aeads = inner.aeads.iter().map(|aead| &*Box::leak(Box::new(Counted(*aead, Arc::clone(&made)))) as &dyn Aead);
    let provider = Provider {
        name: "counted",
        aeads: aeads.collect::<Vec<_>>().leak(),
        hashes: inner.hashes,
        groups: inner.groups,
        signatures: inner.signatures,
        schemes: inner.schemes,
        random: inner.random,
        legacy: inner.legacy,
    };
    (Box::leak(Box::new(provider)), made)
}
