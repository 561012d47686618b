//! A server's answer to an honest hello, and what the client says to it.

use super::*;
use clasp::config::{ClientBuilder, Ready, ServerBuilder};
use clasp::wire::code::{AlertDescription as Alert, NamedGroup};
use clasp::{ClientConfig, Connection, Error, Policy, ServerConfig, ServerName};
use clasp_testkit::hollow_bytes::{HANDSHAKE, Message, Wrap, messages, record};
use clasp_testkit::provider::hollow;
use clasp_testkit::{Issued, KeyKind, authority};
use core::task::{Context, Waker};
use std::sync::LazyLock;

pub(crate) static SERVER: LazyLock<Issued> = LazyLock::new(|| authority().issue(KeyKind::P256, &["localhost"]));

/// Those of the hollow provider.
pub(crate) const CURVES: [NamedGroup; 2] = [NamedGroup::X25519, NamedGroup::Secp256r1];

/// Altering a message's extensions.
pub(crate) trait Extended {
    /// Where the extensions' length stands.
    fn block(&self) -> usize;
    /// Adds an extension, in place of one of its type.
    fn with(&mut self, typ: u16, body: &[u8]);
    fn without(&mut self, typ: u16);
    /// The lengths around the extensions are those of what is there.
    fn close(&mut self);
}

impl Extended for Message {
    fn block(&self) -> usize {
        match self.kind {
            // Version, random, session ID; suite and compression method.
            SERVER_HELLO => 2 + 32 + 1 + usize::from(self.body[34]) + 3,
            // One entry: context, list, certificate.
            CERTIFICATE => {
                let length = u32::from_be_bytes([0, self.body[4], self.body[5], self.body[6]]);
                7 + usize::try_from(length).unwrap()
            }
            CERTIFICATE_REQUEST => 1 + usize::from(self.body[0]),
            _ => 0,
        }
    }

    fn with(&mut self, typ: u16, body: &[u8]) {
        self.without(typ);
        let at = self.block();
        if at == self.body.len() {
            self.body.extend([0, 0]);
        }
        self.body.extend([&typ.to_be_bytes()[..], &len16(body.len()), body].concat());
        self.close();
    }

    fn without(&mut self, typ: u16) {
        let start = self.block() + 2;
        let mut at = start;
        while at < self.body.len() {
            let end = at + 4 + usize::from(u16::from_be_bytes([self.body[at + 2], self.body[at + 3]]));
            if self.body[at..at + 2] == typ.to_be_bytes() {
                self.body.drain(at..end);
            } else {
                at = end;
            }
        }
        if start <= self.body.len() {
            self.close();
        }
    }

    fn close(&mut self) {
        let at = self.block();
        let length = self.body.len() - at - 2;
        self.body[at..at + 2].copy_from_slice(&len16(length));
        if self.kind == CERTIFICATE {
            let list = u32::try_from(self.body.len() - 4).unwrap().to_be_bytes();
            self.body[1..4].copy_from_slice(&list[1..]);
        }
    }
}

pub(crate) fn len16(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap().to_be_bytes()
}

/// A client that has said hello, and a server that has answered.
pub(crate) struct Answered {
    pub(crate) client: Connection,
    pub(crate) tls13: bool,
    pub(crate) messages: Vec<Message>,
}

pub(crate) type Change<B> = fn(B) -> B;

impl Answered {
    pub(crate) fn new(version: ProtocolVersion) -> Self {
        Self::with(version, |c| c, |s| s)
    }

    pub(crate) fn with(
        version: ProtocolVersion,
        client: Change<ClientBuilder<Ready>>,
        server: Change<ServerBuilder<Ready>>,
    ) -> Self {
        Self::to("localhost", version, client, server)
    }

    pub(crate) fn to(
        name: &'static str,
        version: ProtocolVersion,
        client: Change<ClientBuilder<Ready>>,
        server: Change<ServerBuilder<Ready>>,
    ) -> Self {
        let speaks = ClientConfig::builder().trust(authority().roots()).provider(hollow()).grease(false);
        let policy = Policy::default().with_groups(CURVES);
        let client = client(speaks.policy(policy.clone())).build().unwrap();
        let mut client = client.connect(ServerName::try_from(name).unwrap());
        let answers = ServerConfig::builder().identity(SERVER.identity()).provider(hollow());
        let mut server = server(answers.policy(policy.with_versions([version]))).build().unwrap().accept();
        let (mut hello, mut flight) = (Vec::new(), Vec::new());
        client.advance(&mut Context::from_waker(Waker::noop()), &mut hello).unwrap();
        server.receive(&mut hello, &mut flight).unwrap();
        Self { client, tls13: version == TLS13, messages: messages(&flight, version == TLS13) }
    }

    pub(crate) fn message(&mut self, kind: u8) -> &mut Message {
        self.messages.iter_mut().find(|m| m.kind == kind).unwrap()
    }

    pub(crate) fn change(mut self, kind: u8, change: impl FnOnce(&mut Message)) -> Self {
        change(self.message(kind));
        self
    }

    /// A record with messages, under the keys of the moment.
    pub(crate) fn sealed(&self, first: bool, content: u8, body: &[u8]) -> Vec<u8> {
        record(if self.tls13 && !first { Wrap::Inner13 } else { Wrap::Plain }, content, body)
    }

    /// The flight, a record to each message.
    pub(crate) fn flight(&self) -> Vec<Vec<u8>> {
        self.messages.iter().enumerate().map(|(n, m)| self.sealed(n == 0, HANDSHAKE, &m.bytes())).collect()
    }

    /// What the client says to this flight.
    pub(crate) fn hears(&mut self, flight: &[Vec<u8>]) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        let heard = self.client.receive(&mut flight.concat(), &mut out).map(drop);
        assert!(heard.is_ok() || !out.is_empty(), "an alert goes out: {heard:?}");
        heard.map(|()| out)
    }

    pub(crate) fn refused(mut self, name: &str, alert: Alert) -> Error {
        let flight = self.flight();
        let error = self.hears(&flight).map(drop).expect_err(name);
        assert_eq!(error.alert().name(), alert.name(), "{name}: {error}");
        error
    }

    pub(crate) fn taken(mut self, name: &str) -> Connection {
        let flight = self.flight();
        let answered = self.hears(&flight).map(|out| out.len());
        assert!(matches!(answered, Ok(1..)), "{name}: {answered:?}");
        self.client
    }
}
