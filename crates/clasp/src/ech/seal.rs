//! Seals a hello into another: RFC 9849 6.1, 6.1.1, 6.2.

use super::mode::Chosen;
use crate::code::ExtensionType;
use crate::code::NamedGroup;
use crate::crypto::{CryptoError, CryptoResult, Provider, TAG_LEN};
use crate::hpke::{Sealer, Suite};
use crate::wire::Writer;
use crate::wire::extension::ech::{EchHello, client};
use crate::wire::message::{ClientHello, HEADER_LEN, Message};
use crate::wire::{Parsed, Reader};
use core::ops::Range;

/// What a client seals its hellos with, the second one too.
pub(crate) struct Hider {
    suite: Suite,
    config_id: u8,
    /// Of a second hello nothing.
    encapsulated: Vec<u8>,
    sealer: Sealer,
}

impl Hider {
    /// # Errors
    /// If the public key is none.
    pub(crate) fn new(provider: &Provider, chosen: &Chosen) -> CryptoResult<Self> {
        let Chosen { config, suite, .. } = chosen;
        let info = [b"tls ech\0", config.as_bytes()].concat();
        let (encapsulated, sealer) = suite.sealer(provider, config.public_key(), &info)?;
        Ok(Self { suite: *suite, config_id: config.id(), encapsulated, sealer })
    }

    /// The body of the outer hello's extension, with zeros where a hello of this length is to be sealed.
    pub(crate) fn extension(&self, length: usize, w: &mut Writer<'_>) {
        let payload = vec![0; length.saturating_add(TAG_LEN)];
        write(self.suite, self.config_id, &self.encapsulated, &payload, w);
    }

    /// Seals `encoded` into the whole outer hello, which has zeros in its place.
    ///
    /// # Errors
    /// If they are not there, or the primitive fails.
    pub(crate) fn seal(&mut self, mut encoded: Vec<u8>, outer: &mut [u8]) -> CryptoResult<()> {
        let body = outer.get_mut(HEADER_LEN..).ok_or(CryptoError)?;
        let place = place(body).ok().flatten().ok_or(CryptoError)?;
        self.sealer.seal(body, &mut encoded)?;
        let place = body.get_mut(place).filter(|place| place.len() == encoded.len()).ok_or(CryptoError)?;
        place.copy_from_slice(&encoded);
        self.encapsulated.clear();
        Ok(())
    }
}

/// Where the payload stands in the body of a hello.
fn place(body: &[u8]) -> Parsed<Option<Range<usize>>> {
    let hello = ClientHello::parse(&mut Reader::new(body))?;
    let found = hello.extensions.find(ExtensionType::EncryptedClientHello).map(client).transpose()?;
    Ok(found.and_then(|found| match found {
        EchHello::Outer(outer) => Some(outer.payload_offset..outer.payload_offset.saturating_add(outer.payload.len())),
        EchHello::Inner => None,
    }))
}

/// ECHClientHello of the outer type: RFC 9849 5.
fn write(suite: Suite, config_id: u8, encapsulated: &[u8], payload: &[u8], w: &mut Writer<'_>) {
    w.u8(0);
    w.u16(suite.kdf.0);
    w.u16(suite.aead.0);
    w.u8(config_id);
    w.vec16(|w| w.bytes(encapsulated));
    w.vec16(|w| w.bytes(payload));
}

/// The body of an extension that only looks like a hidden hello of this length: RFC 9849 6.2. Its key is a public value as real ones
/// are, which not all random bytes are.
///
/// # Errors
/// If the provider lacks X25519, or its randomness fails.
pub(crate) fn grease(provider: &Provider, length: usize) -> CryptoResult<Vec<u8>> {
    let key = provider.group(NamedGroup::X25519).ok_or(CryptoError)?.start()?;
    let mut payload = vec![0; length.saturating_add(TAG_LEN)];
    let mut id = [0];
    provider.random.fill(&mut payload).and_then(|()| provider.random.fill(&mut id)).map_err(|_| CryptoError)?;
    let mut body = Vec::new();
    let written = Writer::write(&mut body, |w| write(Suite::default(), id[0], key.public(), &payload, w));
    written.map_err(|_| CryptoError)?;
    Ok(body)
}
