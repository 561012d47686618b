//! A client's reply to an honest server, and what the server says to it.
#![cfg(feature = "legacy")]

use super::*;
use clasp::config::WebPki;
use clasp::suite::{Kx, SUITES};
use clasp::wire::code::{AlertDescription as Alert, NamedGroup};
use clasp::{ClientAuth, ClientConfig, Connection, Policy, ServerConfig};
use clasp_testkit::hollow_bytes::{CCS, HANDSHAKE, Message, Wrap, messages, record};
use clasp_testkit::provider::hollow;
use clasp_testkit::{Issued, KeyKind, authority};
use core::task::{Context, Waker};
use std::sync::{Arc, LazyLock};

pub(crate) static SERVER: LazyLock<Issued> = LazyLock::new(|| authority().issue(KeyKind::Rsa, &["localhost"]));
pub(crate) static CLIENT: LazyLock<Issued> = LazyLock::new(|| authority().issue(KeyKind::P256, &["client"]));

/// A server that has said its flight, and the client's messages that come then.
pub(crate) struct Replied {
    pub(crate) server: Connection,
    pub(crate) tls13: bool,
    pub(crate) messages: Vec<Message>,
}

impl Replied {
    pub(crate) fn new(version: ProtocolVersion, kx: Kx) -> Self {
        let suites = SUITES.iter().filter(|s| s.kx == kx && matches!(s.bulk, clasp::suite::Bulk::Aead(_)));
        let policy = match version {
            TLS13 => Policy::modern(),
            _ => Policy::legacy().with_suites(suites.map(|s| s.code).collect::<Vec<_>>()).with_versions([TLS12]),
        };
        let groups = [NamedGroup::X25519, NamedGroup::Secp256r1];
        let dhe = (kx == Kx::Dhe).then_some(NamedGroup::Ffdhe2048);
        let policy = policy.with_groups(groups.into_iter().chain(dhe).collect::<Vec<_>>());
        let client = ClientConfig::builder().trust(authority().roots()).provider(hollow()).policy(policy.clone());
        let client = client.identity(CLIENT.identity()).build().unwrap();
        let auth = ClientAuth::Request(Arc::new(WebPki::clients(authority().roots())));
        let server = ServerConfig::builder().identity(SERVER.identity()).provider(hollow()).policy(policy);
        let mut server = server.client_auth(auth).request_status(false).build().unwrap().accept();
        let mut client = client.connect("localhost".try_into().unwrap());
        let (mut up, mut down) = (Vec::new(), Vec::new());
        client.advance(&mut Context::from_waker(Waker::noop()), &mut up).unwrap();
        server.receive(&mut up, &mut down).unwrap();
        up.clear();
        client.receive(&mut down, &mut up).unwrap();
        Self { server, tls13: version == TLS13, messages: messages(&up, version == TLS13) }
    }

    pub(crate) fn change(mut self, kind: u8, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        change(&mut self.messages.iter_mut().find(|m| m.kind == kind).unwrap().body);
        self
    }

    /// What becomes of the server: the alert, or nothing.
    pub(crate) fn outcome(mut self) -> Option<&'static str> {
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

    pub(crate) fn refused(self, name: &str, alert: Alert) {
        assert_eq!(self.outcome(), Some(alert.name()), "{name}");
    }
}
