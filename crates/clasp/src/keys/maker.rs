//! Keys are asked for, not handed over: a carrier makes its own of the secrets of a conversation, where they stand, so that
//! no secret moves. Records have record keys; packets have header keys besides, and labels of their own.

use super::schedule12::{DirectionKeys, Side};
use super::schedule13::TrafficKeys;
use crate::crypto::{AeadId, CryptoResult};
use crate::suite::Suite;

/// Which way what is protected goes, seen from our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the peer: these keys open.
    Read,
    /// To the peer: these seal.
    Write,
}

/// What is expanded from a traffic secret of TLS 1.3 goes by these names: RFC 9846 7.2, 7.3.
#[derive(Debug)]
pub(crate) struct KeyLabels {
    pub(crate) key: &'static [u8],
    pub(crate) iv: &'static [u8],
    /// The key of packets' headers (RFC 9001 5.4); nothing where there are none.
    pub(crate) hp: &'static [u8],
    /// The traffic secret after this one.
    pub(crate) update: &'static [u8],
}

impl KeyLabels {
    /// Those of TLS records.
    pub(crate) const TLS: Self = Self { key: b"key", iv: b"iv", hp: b"", update: b"traffic upd" };
}

/// What one direction's keys are made of, where it stands.
pub(crate) enum KeyMaterial<'v> {
    Tls12 { suite: &'v Suite, keys: DirectionKeys<'v>, encrypt_then_mac: bool },
    Tls13 { aead: AeadId, keys: &'v TrafficKeys },
}

impl KeyMaterial<'_> {
    /// Its parts, by the names that RFC 9846 7.3 and RFC 5246 6.3 have for them where this side writes. What a suite does
    /// not have is not there.
    pub(crate) fn named(&self, writer: Side) -> impl Iterator<Item = (&'static str, &[u8])> {
        let parts = match self {
            Self::Tls12 { keys: DirectionKeys { mac, key, iv }, .. } => [*mac, *key, *iv],
            Self::Tls13 { keys, .. } => [&[][..], keys.key.get(..keys.key_len).unwrap_or_default(), &keys.iv],
        };
        let names = match (self, writer) {
            (Self::Tls12 { .. }, Side::Client) => ["client_write_MAC_key", "client_write_key", "client_write_IV"],
            (Self::Tls12 { .. }, Side::Server) => ["server_write_MAC_key", "server_write_key", "server_write_IV"],
            (Self::Tls13 { .. }, Side::Client) => ["", "client_write_key", "client_write_iv"],
            (Self::Tls13 { .. }, Side::Server) => ["", "server_write_key", "server_write_iv"],
        };
        names.into_iter().zip(parts).filter(|(_, part)| !part.is_empty())
    }
}

/// Makes the keys of one carrier.
pub(crate) trait KeyMaker {
    /// Keys that open what comes.
    type Open;
    /// Keys that seal what goes.
    type Seal;

    fn labels(&self) -> &'static KeyLabels;

    fn open(&self, material: &KeyMaterial<'_>) -> CryptoResult<Self::Open>;

    fn seal(&self, material: &KeyMaterial<'_>) -> CryptoResult<Self::Seal>;
}
