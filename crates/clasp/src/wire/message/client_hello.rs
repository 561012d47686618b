//! ClientHello: RFC 5246 7.4.1.2, RFC 9846 4.1.2.

use super::Message;
use crate::code::{CipherSuite, CompressionMethod, HandshakeType, ProtocolVersion};
use crate::wire::decode::DecodeKind;
use crate::wire::{Codes, Extensions, Parsed, Reader, Recorder, Writer};

/// ClientHello.
#[derive(Debug)]
pub struct ClientHello;

/// The fields of a ClientHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientHelloView<'a> {
    /// `client_version`; in TLS 1.3 `legacy_version`.
    pub version: ProtocolVersion,
    /// The client random.
    pub random: &'a [u8; 32],
    /// The session ID to resume; 0 to 32 bytes.
    pub session_id: &'a [u8],
    /// The cipher suites, in order of preference.
    pub suites: Codes<'a>,
    /// The compression methods.
    pub compression: &'a [u8],
    /// The extensions.
    pub extensions: Extensions<'a>,
}

impl Message for ClientHello {
    const TYPE: HandshakeType = HandshakeType::ClientHello;
    const NAME: &'static str = "ClientHello";
    type View<'a> = ClientHelloView<'a>;

    fn parse<'a, R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<ClientHelloView<'a>> {
        Ok(ClientHelloView {
            version: r.code("client_version")?,
            random: r.array("random")?,
            session_id: session_id(r)?,
            suites: Codes::read::<CipherSuite, _>(r.vec16("cipher_suites")?, "cipher_suites")?,
            compression: r
                .vec8("compression_methods")?
                .non_empty("compression_methods")?
                .codes::<CompressionMethod, 1>("compression_methods"),
            extensions: Extensions::read(r, true)?,
        })
    }
}

/// `session_id`: at most 32 bytes, RFC 5246 7.4.1.2.
pub(super) fn session_id<'a, R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<&'a [u8]> {
    let id = r.vec8("session_id")?;
    match id.rest().len() {
        0..=32 => Ok(id.rest()),
        n => Err(id.error("session_id", DecodeKind::BadLength(n))),
    }
}

impl ClientHelloView<'_> {
    /// Writes the body. `extensions` writes the block's content.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.u16(self.version.0);
        w.bytes(self.random);
        w.vec8(|w| w.bytes(self.session_id));
        w.vec16(|w| w.bytes(self.suites.bytes()));
        w.vec8(|w| w.bytes(self.compression));
        if !self.extensions.bytes().is_empty() {
            w.vec16(|w| w.bytes(self.extensions.bytes()));
        }
    }
}
