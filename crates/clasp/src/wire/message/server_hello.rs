//! ServerHello: RFC 5246 7.4.1.3, RFC 9846 4.1.3.

use super::Message;
use crate::code::{CipherSuite, CompressionMethod, HandshakeType, ProtocolVersion};
use crate::wire::{Extensions, Parsed, Reader, Recorder, Writer};

/// The random of a ServerHello that is a HelloRetryRequest: RFC 9846 4.1.3.
pub const HELLO_RETRY_REQUEST_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// ServerHello.
#[derive(Debug)]
pub struct ServerHello;

/// The fields of a ServerHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerHelloView<'a> {
    /// `server_version`; in TLS 1.3 `legacy_version`.
    pub version: ProtocolVersion,
    /// The server random.
    pub random: &'a [u8; 32],
    /// The session ID; 0 to 32 bytes.
    pub session_id: &'a [u8],
    /// The cipher suite chosen.
    pub suite: CipherSuite,
    /// The compression method chosen: 0 or a fault.
    pub compression: u8,
    /// The extensions.
    pub extensions: Extensions<'a>,
}

impl Message for ServerHello {
    const TYPE: HandshakeType = HandshakeType::ServerHello;
    const NAME: &'static str = "ServerHello";
    type View<'a> = ServerHelloView<'a>;

    fn parse<'a, R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<ServerHelloView<'a>> {
        Ok(ServerHelloView {
            version: r.code("server_version")?,
            random: r.array("random")?,
            session_id: super::client_hello::session_id(r)?,
            suite: r.code("cipher_suite")?,
            compression: r.code::<CompressionMethod, 1>("compression_method")?.0,
            extensions: Extensions::read(r, true)?,
        })
    }
}

impl ServerHelloView<'_> {
    /// Writes the body.
    pub fn encode(&self, w: &mut Writer<'_>) {
        self.encode_with(|w| w.bytes(self.extensions.bytes()), w);
    }

    /// Writes the body with the extensions that `extensions` writes, in place of its own.
    pub fn encode_with(&self, extensions: impl FnOnce(&mut Writer<'_>), w: &mut Writer<'_>) {
        w.u16(self.version.0);
        w.bytes(self.random);
        w.vec8(|w| w.bytes(self.session_id));
        w.u16(self.suite.0);
        w.u8(self.compression);
        w.vec16_or_nothing(extensions);
    }

    /// Whether this is a HelloRetryRequest.
    pub fn is_hello_retry_request(&self) -> bool {
        self.random == &HELLO_RETRY_REQUEST_RANDOM
    }
}
