//! What a client says after the server's flight, and that a server must refuse, each with the alert that its RFC asks for.
//!
//! The provider is hollow, so that what is altered fails by what it says, never by a MAC or a signature.
#![cfg(feature = "legacy")]
#![allow(clippy::unwrap_used)]

use clasp::config::WebPki;
use clasp::suite::{Kx, SUITES};
use clasp::wire::code::{AlertDescription as Alert, NamedGroup, ProtocolVersion};
use clasp::{ClientAuth, ClientConfig, Connection, Policy, ServerConfig};
use clasp_testkit::hollow_bytes::{CCS, HANDSHAKE, Message, Wrap, messages, record};
use clasp_testkit::provider::hollow;
use clasp_testkit::{Issued, KeyKind, authority};
use core::task::{Context, Waker};
use std::sync::{Arc, LazyLock};

static SERVER: LazyLock<Issued> = LazyLock::new(|| authority().issue(KeyKind::Rsa, &["localhost"]));
static CLIENT: LazyLock<Issued> = LazyLock::new(|| authority().issue(KeyKind::P256, &["client"]));

const TLS12: ProtocolVersion = ProtocolVersion::Tls12;
const TLS13: ProtocolVersion = ProtocolVersion::Tls13;

const CERTIFICATE: u8 = 11;
const CERTIFICATE_VERIFY: u8 = 15;
const CLIENT_KEY_EXCHANGE: u8 = 16;
const FINISHED: u8 = 20;

/// A server that has said its flight, and the client's messages that come then.
struct Replied {
    server: Connection,
    tls13: bool,
    messages: Vec<Message>,
}

impl Replied {
    fn new(version: ProtocolVersion, kx: Kx) -> Self {
        let suites = SUITES.iter().filter(|s| s.kx == kx && matches!(s.bulk, clasp::suite::Bulk::Aead(_)));
        let policy = match version {
            TLS13 => Policy::modern(),
            _ => Policy::legacy().with_suites(suites.map(|s| s.code).collect::<Vec<_>>()).with_versions([TLS12]),
        };
        let groups = [NamedGroup::X25519, NamedGroup::Secp256r1];
        let dhe = (kx == Kx::Dhe).then_some(NamedGroup::Ffdhe2048);
        let policy = policy.with_groups(groups.into_iter().chain(dhe).collect::<Vec<_>>());
        let client = ClientConfig::builder().trust(authority().roots()).provider(hollow()).policy(policy.clone());
        let client = client.identity(Arc::new(Arc::new(CLIENT.identity()))).build().unwrap();
        let auth = ClientAuth::Request(Arc::new(WebPki::clients(authority().roots())));
        let server = ServerConfig::builder().identity(SERVER.identity()).provider(hollow()).policy(policy);
        let mut server = server.client_auth(auth).request_status(false).build().unwrap().accept();
        let mut client = client.connect("localhost".try_into().unwrap()).unwrap();
        let (mut up, mut down) = (Vec::new(), Vec::new());
        client.advance(&mut Context::from_waker(Waker::noop()), &mut up).unwrap();
        server.receive(&mut up, &mut down).unwrap();
        up.clear();
        client.receive(&mut down, &mut up).unwrap();
        Self { server, tls13: version == TLS13, messages: messages(&up, version == TLS13) }
    }

    fn change(mut self, kind: u8, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        change(&mut self.messages.iter_mut().find(|m| m.kind == kind).unwrap().body);
        self
    }

    /// What becomes of the server: the alert, or nothing.
    fn outcome(mut self) -> Option<&'static str> {
        for message in &self.messages {
            let mut records = match (self.tls13, message.kind) {
                (true, _) => record(Wrap::Inner13, HANDSHAKE, &message.bytes()),
                (false, FINISHED) => {
                    let finished = record(Wrap::Gcm12, HANDSHAKE, &message.bytes());
                    [record(Wrap::Plain, CCS, &[1]), finished].concat()
                }
                (false, _) => record(Wrap::Plain, HANDSHAKE, &message.bytes()),
            };
            let mut out = Vec::new();
            if let Err(error) = self.server.receive(&mut records, &mut out) {
                assert!(!out.is_empty(), "{error}");
                return Some(error.alert().name());
            }
        }
        assert!(self.server.facts().is_some(), "the handshake is done");
        None
    }

    fn refused(self, name: &str, alert: Alert) {
        assert_eq!(self.outcome(), Some(alert.name()), "{name}");
    }
}

#[test]
fn honest_replies_are_taken() {
    for kx in [Kx::Ecdhe, Kx::Rsa, Kx::Dhe] {
        assert_eq!(Replied::new(TLS12, kx).outcome(), None);
    }
    assert_eq!(Replied::new(TLS13, Kx::Ecdhe).outcome(), None);
}

/// RFC 5246 7.4.7, RFC 8422 5.7.
#[test]
fn client_key_exchange() {
    let of = |kx, change: &dyn Fn(&mut Vec<u8>)| Replied::new(TLS12, kx).change(CLIENT_KEY_EXCHANGE, change).outcome();
    for kx in [Kx::Ecdhe, Kx::Rsa, Kx::Dhe] {
        assert_eq!(of(kx, &Vec::clear), Some("decode_error"), "nothing");
        assert_eq!(of(kx, &|b| b.push(0)), Some("decode_error"), "a byte behind");
        assert_eq!(of(kx, &|b| b.truncate(b.len() - 1)), Some("decode_error"), "a byte too few");
    }
    assert_eq!(of(Kx::Ecdhe, &|b| *b = vec![0]), Some("decode_error"), "an empty point");
    assert_eq!(of(Kx::Ecdhe, &|b| *b = vec![1, 7]), Some("illegal_parameter"), "a short point");
    for kx in [Kx::Rsa, Kx::Dhe] {
        assert_eq!(of(kx, &|b| *b = vec![0, 0]), Some("decode_error"), "an empty value");
    }
}

/// RFC 5246 7.4.6, 7.4.8; RFC 9846 4.4.2, 4.4.3, 4.2.
#[test]
fn certificates_and_their_proofs() {
    for version in [TLS12, TLS13] {
        let of = |kind, change: &dyn Fn(&mut Vec<u8>)| Replied::new(version, Kx::Ecdhe).change(kind, change);
        let verify = |name, change: &dyn Fn(&mut Vec<u8>), alert| of(CERTIFICATE_VERIFY, change).refused(name, alert);
        verify("SHA-1", &|b| b[..2].copy_from_slice(&[2, 3]), Alert::IllegalParameter);
        verify("a scheme for RSA", &|b| b[..2].copy_from_slice(&[8, 4]), Alert::IllegalParameter);
        verify("PKCS #1", &|b| b[..2].copy_from_slice(&[4, 1]), Alert::IllegalParameter);
        verify("an unknown scheme", &|b| b[..2].copy_from_slice(&[0x5a, 0x5a]), Alert::IllegalParameter);
        verify("no signature", &|b| *b = [&b[..2], &[0, 0]].concat(), Alert::DecryptError);
        verify("a byte behind", &|b| b.push(0), Alert::DecodeError);
        verify("nothing", &Vec::clear, Alert::DecodeError);
        let shown = |name, change: &dyn Fn(&mut Vec<u8>), alert| of(CERTIFICATE, change).refused(name, alert);
        shown("a byte behind", &|b| b.push(0), Alert::DecodeError);
        shown("nothing", &Vec::clear, Alert::DecodeError);
        shown("a list cut short", &|b| b.truncate(b.len() - 1), Alert::DecodeError);
    }
    let shown = |name, change: &dyn Fn(&mut Vec<u8>), alert| {
        Replied::new(TLS13, Kx::Ecdhe).change(CERTIFICATE, change).refused(name, alert);
    };
    shown("a context", &|b| drop(b.splice(0..1, [1, 7])), Alert::IllegalParameter);
    let entry = |extensions: &[u8]| {
        let certificate = &CLIENT.chain[0];
        let length = |n: usize| u32::try_from(n).unwrap().to_be_bytes()[1..].to_vec();
        let block = u16::try_from(extensions.len()).unwrap().to_be_bytes();
        let list = [&length(certificate.len())[..], certificate, &block, extensions].concat();
        [&[0], &length(list.len())[..], &list].concat()
    };
    shown("a staple not asked for", &|b| *b = entry(&[0, 5, 0, 0]), Alert::UnsupportedExtension);
    shown("an unknown extension", &|b| *b = entry(&[0x5a, 0x5a, 0, 0]), Alert::UnsupportedExtension);
    shown("an extension out of place", &|b| *b = entry(&[0, 51, 0, 0]), Alert::IllegalParameter);
    shown("an extension twice", &|b| *b = entry(&[0, 5, 0, 0, 0, 5, 0, 0]), Alert::DecodeError);
    shown("half an extension", &|b| *b = entry(&[0, 5, 0]), Alert::DecodeError);
}

/// RFC 5246 7.4.9, RFC 9846 4.4.4.
#[test]
fn finished() {
    for version in [TLS12, TLS13] {
        let of = |change: &dyn Fn(&mut Vec<u8>)| Replied::new(version, Kx::Ecdhe).change(FINISHED, change).outcome();
        assert_eq!(of(&|b| b[0] ^= 1), Some("decrypt_error"));
        assert_eq!(of(&|b| b.push(0)), Some("decode_error"));
        assert_eq!(of(&|b| b.truncate(b.len() - 1)), Some("decode_error"));
        assert_eq!(of(&Vec::clear), Some("decode_error"));
    }
}
