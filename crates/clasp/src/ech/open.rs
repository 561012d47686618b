//! Opens what a hello hides: RFC 9849 7.1, 5.2.

use super::config::EchConfig;
use super::key::EchKey;
use super::keyring::EchKeyRing;
use crate::crypto::Provider;
use crate::hpke::{Opener, Suite};
use crate::wire::extension::ech::EchOuter;
use crate::wire::message::HEADER_LEN;

/// The hidden hello, encoded, and what opens another of the same client. `message` is the whole outer hello. A configuration is tried
/// once, and only if the client names its `config_id`, or may name any.
pub(crate) fn open(
    provider: &Provider,
    ring: &EchKeyRing,
    outer: &EchOuter<'_>,
    message: &[u8],
) -> Option<(Vec<u8>, Opener)> {
    let all = || ring.keys().iter().flat_map(|key| key.configs().map(move |config| (key, config)));
    let named = all().filter(|(_, config)| config.id() == outer.config_id);
    let others = all().filter(|(_, config)| ring.any_id() && config.id() != outer.config_id);
    let aad = aad(outer, message);
    named.chain(others).find_map(|tried| open_with(provider, tried, outer, &aad))
}

fn open_with(
    provider: &Provider,
    (key, config): (&EchKey, &EchConfig),
    outer: &EchOuter<'_>,
    aad: &[u8],
) -> Option<(Vec<u8>, Opener)> {
    let suite = Suite { kem: config.kem(), kdf: outer.kdf, aead: outer.aead };
    if !config.suites().any(|own| own == suite) {
        return None;
    }
    let info = [b"tls ech\0", config.as_bytes()].concat();
    let mut opener = suite.opener(provider, key.key(), outer.encapsulated, &info).ok()?;
    let mut payload = outer.payload.to_vec();
    opener.open(aad, &mut payload).ok()?;
    Some((payload, opener))
}

/// What the second hello hides, by the same context: RFC 9849 7.1.1.
pub(crate) fn open_again(opener: &mut Opener, outer: &EchOuter<'_>, message: &[u8]) -> Option<Vec<u8>> {
    let mut payload = outer.payload.to_vec();
    opener.open(&aad(outer, message), &mut payload).ok()?;
    Some(payload)
}

/// ClientHelloOuterAAD: the body, with zeros for what is sealed.
fn aad(outer: &EchOuter<'_>, message: &[u8]) -> Vec<u8> {
    let mut body = message.get(HEADER_LEN..).unwrap_or_default().to_vec();
    let sealed = body.iter_mut().skip(outer.payload_offset).take(outer.payload.len());
    sealed.for_each(|byte| *byte = 0);
    body
}
