//! Two ends, and the stack between them, which has nothing but levels and keys: what goes at a level is sealed with the keys of one
//! end and opened with those of the other.

use clasp::config::{ClientBuilder, Ready, ServerBuilder};
use clasp::quic::{Connection, DirectionKeys, HeaderKey, Level, Output, PacketKey, Parameters, Version};
use clasp::{ClientConfig, Result, ServerConfig};
use clasp_testkit::{KeyKind, authority};
use core::task::{Context, Waker};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) fn client() -> ClientBuilder<Ready> {
    ClientConfig::builder().trust(authority().roots()).alpn(["h3", "q"])
}

pub(crate) fn server() -> ServerBuilder<Ready> {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    ServerConfig::builder().identity(identity).alpn(["h3"])
}

/// initial_max_data, and nothing else.
pub(crate) fn allows(data: u8) -> Parameters {
    Parameters::new([0x04, 0x01, data & 0x3f]).unwrap()
}

/// One end, and the keys that it has given out.
pub(crate) struct End {
    pub(crate) tls: Connection,
    pub(crate) send: BTreeMap<Level, DirectionKeys>,
    pub(crate) receive: BTreeMap<Level, DirectionKeys>,
    /// What came out, in order: the level of CRYPTO bytes, or of keys.
    pub(crate) order: Vec<String>,
}

impl End {
    pub(crate) fn new(tls: Connection) -> Self {
        Self { tls, send: BTreeMap::new(), receive: BTreeMap::new(), order: Vec::new() }
    }

    pub(crate) fn client(config: &Arc<ClientConfig>, version: Version, parameters: Parameters) -> Self {
        Self::new(config.connect_quic("localhost".try_into().unwrap(), version, parameters).unwrap())
    }

    pub(crate) fn server(config: &Arc<ServerConfig>, version: Version, parameters: Parameters) -> Self {
        Self::new(config.accept_quic(version, parameters).unwrap())
    }

    /// Goes on, and gives what is to be carried.
    pub(crate) fn advance(&mut self) -> Result<Vec<(Level, Vec<u8>)>> {
        self.tls.advance(&mut Context::from_waker(Waker::noop()))?;
        Ok(self.outputs())
    }

    pub(crate) fn outputs(&mut self) -> Vec<(Level, Vec<u8>)> {
        let mut out = Vec::new();
        while let Some(output) = self.tls.poll_output() {
            match output {
                Output::Crypto { level, bytes } => {
                    // A level has keys before it has anything to say.
                    assert!(level == Level::Initial || self.send.contains_key(&level), "{level:?}");
                    self.order.push(format!("crypto {level:?}"));
                    out.push((level, bytes));
                }
                Output::SendKeys { level, keys } => {
                    self.order.push(format!("send {level:?}"));
                    assert!(self.send.insert(level, keys).is_none(), "{level:?} twice");
                }
                Output::ReceiveKeys { level, keys } => {
                    self.order.push(format!("receive {level:?}"));
                    assert!(self.receive.insert(level, keys).is_none(), "{level:?} twice");
                }
                other => panic!("{other:?}"),
            }
        }
        out
    }

    pub(crate) fn hear(&mut self, level: Level, bytes: &[u8]) -> Result<Vec<(Level, Vec<u8>)>> {
        self.tls.read_crypto(level, bytes)?;
        self.advance()
    }
}

/// A packet with a short header, sealed with the keys of one end and opened with those of the other.
pub(crate) fn opens(from: &DirectionKeys, to: &DirectionKeys) -> bool {
    passes((&from.packet, &to.packet), (&from.header, &to.header))
}

pub(crate) fn passes((seal, open): (&PacketKey, &PacketKey), (hide, show): (&HeaderKey, &HeaderKey)) -> bool {
    const HEADER: usize = 11;
    let number = 0x1234_5678_u64;
    let mut packet = [&[0x41, 1, 2, 3, 4, 5, 6, 7, 8, 0x56, 0x78][..], b"twenty bytes of data", &[0; 16]].concat();
    let plain = packet.clone();
    seal.seal(number, &mut packet, HEADER).unwrap();
    hide.protect(&mut packet, 9).unwrap();
    if show.unprotect(&mut packet, 9).ok() != Some(2) {
        return false;
    }
    let (header, sealed) = packet.split_at_mut(HEADER);
    open.open(number, header, sealed).is_ok_and(|len| sealed[..len] == plain[HEADER..plain.len() - 16])
}

/// The handshake, to its end; CRYPTO bytes are cut into pieces of `cut`.
pub(crate) fn drive(client: &mut End, server: &mut End, cut: usize) -> Result<()> {
    let mut up = client.advance()?;
    loop {
        let mut down = Vec::new();
        for (level, bytes) in up.drain(..) {
            assert!(level == Level::Initial || opens(&client.send[&level], &server.receive[&level]), "{level:?}");
            for piece in bytes.chunks(cut) {
                down.extend(server.hear(level, piece)?);
            }
        }
        for (level, bytes) in down {
            assert!(level == Level::Initial || opens(&server.send[&level], &client.receive[&level]), "{level:?}");
            for piece in bytes.chunks(cut) {
                up.extend(client.hear(level, piece)?);
            }
        }
        if up.is_empty() {
            return Ok(());
        }
    }
}

/// Both ends of a new connection.
pub(crate) fn ends(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> (End, End) {
    (End::client(client, Version::V1, allows(10)), End::server(server, Version::V1, allows(20)))
}

/// Both ends of a connection that is made.
pub(crate) fn met(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> (End, End) {
    let (mut client, mut server) = ends(client, server);
    drive(&mut client, &mut server, usize::MAX).unwrap();
    (client, server)
}

/// A ClientHello or EncryptedExtensions with other extensions of one type, each with its body, in place of its own.
pub(crate) fn with(message: &[u8], typ: u16, bodies: &[&[u8]]) -> Vec<u8> {
    let len16 = |at: usize| usize::from(u16::from_be_bytes([message[at], message[at + 1]]));
    let mut at = 4;
    if message[0] == 1 {
        at += 2 + 32;
        at += 1 + usize::from(message[at]);
        at += 2 + len16(at);
        at += 1 + usize::from(message[at]);
    }
    let (front, mut rest) = (&message[4..at], &message[at + 2..]);
    let mut extensions = Vec::new();
    while !rest.is_empty() {
        let (one, others) = rest.split_at(4 + usize::from(u16::from_be_bytes([rest[2], rest[3]])));
        if one[..2] != typ.to_be_bytes() {
            extensions.extend_from_slice(one);
        }
        rest = others;
    }
    for body in bodies {
        let len = u16::try_from(body.len()).unwrap().to_be_bytes();
        extensions.extend([&typ.to_be_bytes()[..], &len, body].concat());
    }
    let len = u16::try_from(extensions.len()).unwrap().to_be_bytes();
    message_of(message[0], &[front, &len, &extensions].concat())
}

/// A handshake message.
pub(crate) fn message_of(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind], &len[1..], body].concat()
}
