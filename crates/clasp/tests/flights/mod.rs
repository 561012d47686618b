//! First flights, answers and replies to change before the other side hears them. The provider is hollow, so that what is
//! altered fails by what it says, never by a MAC or a signature.
#![allow(dead_code, reason = "each test has a use for some of it")]

pub(crate) mod answered;
pub(crate) mod hello;
pub(crate) mod hidden;
pub(crate) mod replied;

use clasp::wire::code::ProtocolVersion;

pub(crate) const TLS12: ProtocolVersion = ProtocolVersion::Tls12;
pub(crate) const TLS13: ProtocolVersion = ProtocolVersion::Tls13;

// Extensions. A code that the library had wrong would be found.
pub(crate) const SERVER_NAME: u16 = 0;
pub(crate) const MAX_FRAGMENT: u16 = 1;
pub(crate) const STATUS: u16 = 5;
pub(crate) const GROUPS: u16 = 10;
pub(crate) const POINT_FORMATS: u16 = 11;
pub(crate) const SCHEMES: u16 = 13;
pub(crate) const ALPN: u16 = 16;
pub(crate) const TIMESTAMPS: u16 = 18;
pub(crate) const SERVER_TYPES: u16 = 20;
pub(crate) const PADDING: u16 = 21;
pub(crate) const ENCRYPT_THEN_MAC: u16 = 22;
pub(crate) const EXTENDED_MASTER: u16 = 23;
pub(crate) const COMPRESSION: u16 = 27;
pub(crate) const SIZE_LIMIT: u16 = 28;
pub(crate) const PSK: u16 = 41;
pub(crate) const EARLY_DATA: u16 = 42;
pub(crate) const VERSIONS: u16 = 43;
pub(crate) const COOKIE: u16 = 44;
pub(crate) const PSK_MODES: u16 = 45;
pub(crate) const AUTHORITIES: u16 = 47;
pub(crate) const POST_AUTH: u16 = 49;
pub(crate) const SCHEMES_CERT: u16 = 50;
pub(crate) const SHARES: u16 = 51;
pub(crate) const UNKNOWN: u16 = 0x5a5a;
pub(crate) const RENEGOTIATION: u16 = 0xff01;

// Handshake messages.
pub(crate) const SERVER_HELLO: u8 = 2;
pub(crate) const TICKET: u8 = 4;
pub(crate) const ENCRYPTED_EXTENSIONS: u8 = 8;
pub(crate) const CERTIFICATE: u8 = 11;
pub(crate) const SERVER_KEY_EXCHANGE: u8 = 12;
pub(crate) const CERTIFICATE_REQUEST: u8 = 13;
pub(crate) const CERTIFICATE_VERIFY: u8 = 15;
pub(crate) const CLIENT_KEY_EXCHANGE: u8 = 16;
pub(crate) const FINISHED: u8 = 20;
