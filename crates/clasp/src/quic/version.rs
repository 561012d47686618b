//! What the versions of QUIC make different: names, salts, and whose sessions count. RFC 9001, RFC 9369 3.3.

use crate::handshake::wiring::Wiring;
use crate::keys::maker::KeyLabels;
use crate::session::Context;

/// A version of QUIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Version {
    /// RFC 9000, RFC 9001.
    V1,
    /// RFC 9369.
    V2,
}

impl Version {
    /// Its number in packets.
    pub const fn number(self) -> u32 {
        match self {
            Self::V1 => 0x0000_0001,
            Self::V2 => 0x6b33_43cf,
        }
    }

    /// The version of a number, if it is known here.
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            0x0000_0001 => Some(Self::V1),
            0x6b33_43cf => Some(Self::V2),
            _ => None,
        }
    }

    /// RFC 9001 5.2, RFC 9369 3.3.1.
    pub(super) const fn initial_salt(self) -> &'static [u8; 20] {
        match self {
            Self::V1 => b"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a",
            Self::V2 => b"\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9",
        }
    }

    /// The key and the nonce of Retry's tag: RFC 9001 5.8, RFC 9369 3.3.3.
    pub(super) const fn retry(self) -> (&'static [u8; 16], &'static [u8; 12]) {
        match self {
            Self::V1 => (
                b"\xbe\x0c\x69\x0b\x9f\x66\x57\x5a\x1d\x76\x6b\x54\xe3\x68\xc8\x4e",
                b"\x46\x15\x99\xd3\x5d\x63\x2b\xf2\x23\x98\x25\xbb",
            ),
            Self::V2 => (
                b"\x8f\xb4\xb0\x1b\x56\xac\x48\xe2\x60\xfb\xcb\xce\xad\x7c\xcc\x92",
                b"\xd8\x69\x69\xbc\x2d\x7c\x6d\x99\x90\xef\xb0\x4a",
            ),
        }
    }

    /// RFC 9001 5.1, 6.1; RFC 9369 3.3.2.
    pub(super) const fn labels(self) -> &'static KeyLabels {
        match self {
            Self::V1 => &KeyLabels { key: b"quic key", iv: b"quic iv", hp: b"quic hp", update: b"quic ku" },
            Self::V2 => &KeyLabels { key: b"quicv2 key", iv: b"quicv2 iv", hp: b"quicv2 hp", update: b"quicv2 ku" },
        }
    }

    /// The keys of headers stay as they are: RFC 9001 6.1.
    pub(super) const fn update_labels(self) -> &'static KeyLabels {
        match self {
            Self::V1 => &KeyLabels { key: b"quic key", iv: b"quic iv", hp: b"", update: b"quic ku" },
            Self::V2 => &KeyLabels { key: b"quicv2 key", iv: b"quicv2 iv", hp: b"", update: b"quicv2 ku" },
        }
    }

    /// Sessions are of one version: RFC 9369 5.
    pub(super) const fn wiring(self) -> &'static Wiring {
        const fn of(sessions: Context) -> Wiring {
            Wiring {
                end_of_early_data: false,
                middlebox_compatibility: false,
                keeps_half_way: true,
                protocol_required: true,
                sessions,
            }
        }
        match self {
            Self::V1 => const { &of(Context(*b"QUIC version 1  ")) },
            Self::V2 => const { &of(Context(*b"QUIC version 2  ")) },
        }
    }
}
