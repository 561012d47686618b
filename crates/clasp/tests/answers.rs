//! Answers of a server that a client must refuse, each with the alert that its RFC asks for, and odd ones that it must take.
//!
//! The provider is hollow, so that what is altered fails by what it says, never by a MAC or a signature.
#![allow(clippy::unwrap_used)]

use clasp::config::{ClientBuilder, PreSharedKey, Ready, ServerBuilder};
use clasp::crypto::HashId;
use clasp::wire::code::{AlertDescription as Alert, MaxFragmentLength, NamedGroup, ProtocolVersion};
use clasp::{ClientConfig, Connection, Error, Policy, ServerConfig, ServerName};
use clasp_testkit::provider::hollow;
use clasp_testkit::{Issued, KeyKind, authority};
use core::task::{Context, Waker};
use std::sync::{Arc, LazyLock};

static SERVER: LazyLock<Issued> = LazyLock::new(|| authority().issue(KeyKind::P256, &["localhost"]));

const TLS12: ProtocolVersion = ProtocolVersion::Tls12;
const TLS13: ProtocolVersion = ProtocolVersion::Tls13;

const CCS: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;
const TAG: usize = 16;

const SERVER_HELLO: u8 = 2;
const TICKET: u8 = 4;
const ENCRYPTED_EXTENSIONS: u8 = 8;
const CERTIFICATE: u8 = 11;
const CERTIFICATE_REQUEST: u8 = 13;
const FINISHED: u8 = 20;

/// One handshake message.
#[derive(Clone)]
struct Message {
    kind: u8,
    body: Vec<u8>,
}

impl Message {
    fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.body.len()).unwrap().to_be_bytes();
        [&[self.kind], &length[1..], &self.body[..]].concat()
    }

    /// Where the extensions' length stands.
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

    /// Adds an extension, in place of one of its type.
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

    /// The lengths around the extensions are those of what is there.
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

fn len16(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap().to_be_bytes()
}

fn plain(content: u8, body: &[u8]) -> Vec<u8> {
    [&[content, 3, 3], &len16(body.len())[..], body].concat()
}

/// A record of TLS 1.3 under hollow keys.
fn sealed(content: u8, body: &[u8]) -> Vec<u8> {
    plain(DATA, &[body, &[content], &[0; TAG]].concat())
}

/// Splits a flight into records.
fn records(mut flight: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut out = Vec::new();
    while !flight.is_empty() {
        let (record, rest) = flight.split_at(5 + usize::from(u16::from_be_bytes([flight[3], flight[4]])));
        out.push((record[0], record[5..].to_vec()));
        flight = rest;
    }
    out
}

/// The messages of a server's first flight.
fn messages(flight: &[u8]) -> Vec<Message> {
    let content = records(flight).into_iter().filter_map(|(content, mut body)| match content {
        HANDSHAKE => Some(body),
        DATA => {
            body.truncate(body.len() - TAG);
            (body.pop() == Some(HANDSHAKE)).then_some(body)
        }
        _ => None,
    });
    let mut bytes = &content.collect::<Vec<_>>().concat()[..];
    let mut out = Vec::new();
    while !bytes.is_empty() {
        let length = 4 + usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        out.push(Message { kind: bytes[0], body: bytes[4..length].to_vec() });
        bytes = &bytes[length..];
    }
    out
}

/// A client that has said hello, and a server that has answered.
struct Answered {
    client: Connection,
    tls13: bool,
    messages: Vec<Message>,
}

type Change<B> = fn(B) -> B;

impl Answered {
    fn new(version: ProtocolVersion) -> Self {
        Self::with(version, |c| c, |s| s)
    }

    fn with(
        version: ProtocolVersion,
        client: Change<ClientBuilder<Ready>>,
        server: Change<ServerBuilder<Ready>>,
    ) -> Self {
        let groups = [NamedGroup::X25519, NamedGroup::Secp256r1];
        let speaks = ClientConfig::builder().trust(authority().roots()).provider(hollow()).grease(false);
        let policy = Policy::default().with_groups(groups);
        let client = client(speaks.policy(policy.clone()).key_shares([NamedGroup::X25519])).build().unwrap();
        let mut client = client.connect(ServerName::try_from("localhost").unwrap()).unwrap();
        let answers = ServerConfig::builder().identity(SERVER.identity()).provider(hollow());
        let mut server = server(answers.policy(policy.with_versions([version]))).build().unwrap().accept();
        let (mut hello, mut flight) = (Vec::new(), Vec::new());
        client.advance(&mut Context::from_waker(Waker::noop()), &mut hello).unwrap();
        server.receive(&mut hello, &mut flight).unwrap();
        Self { client, tls13: version == TLS13, messages: messages(&flight) }
    }

    fn message(&mut self, kind: u8) -> &mut Message {
        self.messages.iter_mut().find(|m| m.kind == kind).unwrap()
    }

    fn change(mut self, kind: u8, change: impl FnOnce(&mut Message)) -> Self {
        change(self.message(kind));
        self
    }

    /// A record with messages, under the keys of the moment.
    fn record(&self, first: bool, content: u8, body: &[u8]) -> Vec<u8> {
        if self.tls13 && !first { sealed(content, body) } else { plain(content, body) }
    }

    /// The flight, a record to each message.
    fn flight(&self) -> Vec<Vec<u8>> {
        self.messages.iter().enumerate().map(|(n, m)| self.record(n == 0, HANDSHAKE, &m.bytes())).collect()
    }

    /// What the client says to this flight.
    fn hears(&mut self, flight: &[Vec<u8>]) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        let heard = self.client.receive(&mut flight.concat(), &mut out).map(drop);
        assert!(heard.is_ok() || !out.is_empty(), "an alert goes out: {heard:?}");
        heard.map(|()| out)
    }

    fn refused(mut self, name: &str, alert: Alert) -> Error {
        let flight = self.flight();
        let error = self.hears(&flight).map(drop).expect_err(name);
        assert_eq!(error.alert().name(), alert.name(), "{name}: {error}");
        error
    }

    fn taken(mut self, name: &str) -> Connection {
        let flight = self.flight();
        let answered = self.hears(&flight).map(|out| out.len());
        assert!(matches!(answered, Ok(1..)), "{name}: {answered:?}");
        self.client
    }
}

const SERVER_NAME: u16 = 0;
const MAX_FRAGMENT: u16 = 1;
const SIZE_LIMIT: u16 = 28;
const VERSIONS: u16 = 43;

#[test]
fn honest_answers_are_taken() {
    for version in [TLS12, TLS13] {
        Answered::new(version).taken("an honest answer");
    }
}

/// RFC 8449 5: the two ways to limit records exclude each other in an answer.
#[test]
fn two_limits_of_records_are_refused() {
    for (version, message) in [(TLS12, SERVER_HELLO), (TLS13, ENCRYPTED_EXTENSIONS)] {
        let both = || {
            let asks: Change<_> = |c: ClientBuilder<Ready>| {
                c.max_fragment_length(MaxFragmentLength::Bytes512).record_size_limit(600)
            };
            Answered::with(version, asks, |s| s).change(message, |m| m.without(MAX_FRAGMENT))
        };
        both().change(message, |m| m.with(MAX_FRAGMENT, &[1])).taken("one");
        both().change(message, |m| m.with(SIZE_LIMIT, &[4, 0])).taken("the other");
        let answer = both().change(message, |m| m.with(MAX_FRAGMENT, &[1]));
        answer.change(message, |m| m.with(SIZE_LIMIT, &[4, 0])).refused("both", Alert::IllegalParameter);
    }
}

/// RFC 8449 4: "Unprotected messages are not subject to this limit"; RFC 6066 4 makes no such exception.
#[test]
fn a_record_size_limit_is_not_for_what_is_in_the_clear() {
    let together = |asks: Change<ClientBuilder<Ready>>| {
        let mut answered = Answered::with(TLS12, asks, |s| s.record_size_limit(1000));
        let rest: Vec<u8> = answered.messages[1..].iter().flat_map(Message::bytes).collect();
        assert!(rest.len() > 512);
        let flight = [plain(HANDSHAKE, &answered.messages[0].bytes()), plain(HANDSHAKE, &rest)];
        answered.hears(&flight).map(drop).map_err(|e| e.alert().name())
    };
    assert_eq!(together(|c| c.record_size_limit(512)), Ok(()));
    assert_eq!(together(|c| c.max_fragment_length(MaxFragmentLength::Bytes512)), Err("record_overflow"));
}

/// RFC 9846 4.1.3: the version that the middleboxes see is 1.2; which it is stands in supported_versions alone.
#[test]
fn versions() {
    let retried = || Answered::with(TLS13, |c| c, |s| s.policy(Policy::modern().with_groups([NamedGroup::Secp256r1])));
    for answered in [|| Answered::new(TLS13), retried] {
        for legacy in [[3, 0], [3, 1], [3, 2], [3, 4], [2, 0], [0, 0]] {
            let answer = answered().change(SERVER_HELLO, |m| m.body[..2].copy_from_slice(&legacy));
            answer.refused("another legacy_version", Alert::ProtocolVersion);
        }
        for selected in [[3, 3], [3, 2], [3, 0], [3, 5]] {
            let answer = answered().change(SERVER_HELLO, |m| m.with(VERSIONS, &selected));
            answer.refused("another version", Alert::IllegalParameter);
        }
        let answer = answered().change(SERVER_HELLO, |m| m.with(VERSIONS, &[3, 4, 3, 4]));
        answer.refused("two versions", Alert::DecodeError);
    }
    for legacy in [[3, 0], [3, 1], [3, 2], [3, 4], [4, 3]] {
        let answer = Answered::new(TLS12).change(SERVER_HELLO, |m| m.body[..2].copy_from_slice(&legacy));
        answer.refused("another version without supported_versions", Alert::ProtocolVersion);
    }
}
