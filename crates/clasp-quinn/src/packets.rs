//! The keys of packets, as quinn asks for them.

use bytes::BytesMut;
use clasp::crypto::SAMPLE_LEN;
use clasp::quic::{DirectionKeys, PacketKey};
use quinn_proto::crypto::{self, CryptoError, KeyPair, Keys};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The header protection of one direction.
struct Header(Arc<DirectionKeys>);

impl crypto::HeaderKey for Header {
    /// What is too short was looked at before; a header that cannot be shown does not open.
    fn decrypt(&self, pn_offset: usize, packet: &mut [u8]) {
        if self.0.header.unprotect(packet, pn_offset).is_err() {
            packet.fill(0);
        }
    }

    fn encrypt(&self, pn_offset: usize, packet: &mut [u8]) {
        if self.0.header.protect(packet, pn_offset).is_err() {
            packet.fill(0);
        }
    }

    fn sample_size(&self) -> usize {
        SAMPLE_LEN
    }
}

/// What keys and the conversation that gave them away tell each other: that it has failed while quinn was not listening, or that a packet
/// has been sealed.
#[derive(Clone, Default)]
pub(crate) struct Flag(Arc<AtomicBool>);

impl Flag {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What is told of the keys of a level.
#[derive(Clone, Default)]
pub(crate) struct Told {
    /// Raised when the conversation has failed: what is opened from there on says so.
    pub(crate) failed: Option<Flag>,
    /// Raised when a packet is sealed.
    pub(crate) sealed: Option<Flag>,
}

/// The protection of payloads: that of a level, or that behind a key update.
enum Packet {
    OfLevel(Arc<DirectionKeys>, Told),
    Updated(PacketKey),
}

impl Packet {
    fn key(&self) -> &PacketKey {
        match self {
            Self::OfLevel(keys, _) => &keys.packet,
            Self::Updated(key) => key,
        }
    }

    fn has_failed(&self) -> bool {
        matches!(self, Self::OfLevel(_, Told { failed: Some(flag), .. }) if flag.is_set())
    }
}

/// A CRYPTO frame (RFC 9000 19.6) of one byte at the beginning.
const SOMETHING_TO_READ: [u8; 4] = [0x06, 0, 1, 0];

impl crypto::PacketKey for Packet {
    /// Nothing leaves in the clear, whatever fails.
    fn encrypt(&self, packet: u64, buf: &mut [u8], header_len: usize) {
        if self.key().seal(packet, buf, header_len).is_err() {
            buf.fill(0);
        }
        if let Self::OfLevel(_, Told { sealed: Some(flag), .. }) = self {
            flag.set();
        }
    }

    fn decrypt(&self, packet: u64, header: &[u8], payload: &mut BytesMut) -> Result<(), CryptoError> {
        let len = self.key().open(packet, header, payload).map_err(|_| CryptoError)?;
        payload.truncate(len);
        if self.has_failed() {
            // The client waits, and has given us nothing to read at this level; quinn reads this, and hears of the error.
            payload.clear();
            payload.extend_from_slice(&SOMETHING_TO_READ);
        }
        Ok(())
    }

    fn tag_len(&self) -> usize {
        PacketKey::TAG_LEN
    }

    fn confidentiality_limit(&self) -> u64 {
        self.key().confidentiality_limit()
    }

    fn integrity_limit(&self) -> u64 {
        self.key().integrity_limit()
    }
}

pub(crate) type OneWay = (Box<dyn crypto::HeaderKey>, Box<dyn crypto::PacketKey>);

/// The keys of one direction.
pub(crate) fn one_way(keys: &Arc<DirectionKeys>) -> OneWay {
    with_told(keys, Told::default())
}

fn with_told(keys: &Arc<DirectionKeys>, told: Told) -> OneWay {
    (Box::new(Header(keys.clone())), Box::new(Packet::OfLevel(keys.clone(), told)))
}

/// The keys of both directions, what we send first.
pub(crate) fn both_ways(local: DirectionKeys, remote: DirectionKeys, told: Told) -> Keys {
    let (local, remote) = (with_told(&Arc::new(local), told.clone()), with_told(&Arc::new(remote), told));
    Keys { header: KeyPair { local: local.0, remote: remote.0 }, packet: KeyPair { local: local.1, remote: remote.1 } }
}

/// The keys behind an update.
pub(crate) fn updated(key: PacketKey) -> Box<dyn crypto::PacketKey> {
    Box::new(Packet::Updated(key))
}
