//! The kinds of conversations, and what each side says in an honest one.

use clasp::config::WebPki;
use clasp::session::TicketKeys;
use clasp::suite::{Kx, SUITES};
use clasp::wire::code::{HandshakeType as H, ProtocolVersion};
use clasp::{ClientAuth, ClientConfig, Connection, Policy, ServerConfig};
use clasp_testkit::hollow_bytes::{DATA, HANDSHAKE, Wrap, record};
use clasp_testkit::provider::{hollow, reseed};
use clasp_testkit::{Issued, KeyKind, ManualClock, authority};
use core::task::{Context, Waker};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// One kind of conversation.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) version: ProtocolVersion,
    pub(crate) kx: Kx,
    pub(crate) client_certificate: bool,
    /// Honest conversations before: 1 makes the one that is played a resumption.
    pub(crate) before: usize,
    pub(crate) early_data: bool,
    pub(crate) hello_retry: bool,
    /// Where the first may come, the others may too.
    pub(crate) also: &'static [(H, &'static [H])],
}

const CLASSIC: Scenario = Scenario {
    name: "1.2 full",
    version: ProtocolVersion::Tls12,
    kx: Kx::Ecdhe,
    client_certificate: false,
    before: 0,
    early_data: false,
    hello_retry: false,
    // RFC 5246 7.4.1.1 has a client ignore HelloRequest in a handshake; Clasp takes none, as BoringSSL.
    also: &[(H::ServerHelloDone, &[H::CertificateRequest]), (H::CertificateRequest, &[H::ServerHelloDone])],
};

const MODERN: Scenario = Scenario {
    name: "1.3 full",
    version: ProtocolVersion::Tls13,
    also: &[(H::Certificate, &[H::CertificateRequest]), (H::CertificateRequest, &[H::Certificate])],
    ..CLASSIC
};

pub(crate) const SCENARIOS: [Scenario; 10] = [
    CLASSIC,
    Scenario { name: "1.2 RSA key transport", kx: Kx::Rsa, ..CLASSIC },
    Scenario { name: "1.2 DHE", kx: Kx::Dhe, ..CLASSIC },
    Scenario { name: "1.2 client certificate", client_certificate: true, ..CLASSIC },
    Scenario { name: "1.2 resumed", before: 1, ..CLASSIC },
    MODERN,
    Scenario { name: "1.3 client certificate", client_certificate: true, ..MODERN },
    Scenario { name: "1.3 resumed", before: 1, ..MODERN },
    Scenario { name: "1.3 early data", before: 1, early_data: true, ..MODERN },
    Scenario { name: "1.3 HelloRetryRequest", hello_retry: true, ..MODERN },
];

static SERVER: LazyLock<Issued> = LazyLock::new(|| authority().issue(KeyKind::Rsa, &["localhost"]));
static CLIENT: LazyLock<Issued> = LazyLock::new(|| authority().issue(KeyKind::P256, &["client"]));

/// Every message there is, and one there is not.
pub(crate) const ALPHABET: [H; 17] = [
    H::HelloRequest,
    H::ClientHello,
    H::ServerHello,
    H::NewSessionTicket,
    H::EndOfEarlyData,
    H::EncryptedExtensions,
    H::Certificate,
    H::ServerKeyExchange,
    H::CertificateRequest,
    H::ServerHelloDone,
    H::CertificateVerify,
    H::ClientKeyExchange,
    H::Finished,
    H::CertificateStatus,
    H::KeyUpdate,
    H::CompressedCertificate,
    H(99),
];

impl Scenario {
    pub(crate) fn sides(&self) -> Sides {
        let tls12 = SUITES.iter().filter(|s| s.kx == self.kx && s.is_legacy() == (self.kx != Kx::Ecdhe));
        let suites: Vec<_> = match self.version {
            ProtocolVersion::Tls13 => Policy::modern().suites().to_vec(),
            _ => tls12.filter(|s| matches!(s.bulk, clasp::suite::Bulk::Aead(_))).map(|s| s.code).collect(),
        };
        let groups = |first| {
            let dhe = (self.kx == Kx::Dhe).then_some(clasp::wire::code::NamedGroup::Ffdhe2048);
            [first, clasp::wire::code::NamedGroup::Secp256r1].into_iter().chain(dhe).collect::<Vec<_>>()
        };
        let x25519 = clasp::wire::code::NamedGroup::X25519;
        let policy = Policy::legacy().with_versions([self.version]).with_suites(suites);
        let clock = Arc::new(ManualClock::at(1_800_000_000));
        let key = SERVER.identity();
        let hour = Duration::from_secs(3600);
        // A server that does not take the share of X25519 asks for one of P-256.
        let first = if self.hello_retry { clasp::wire::code::NamedGroup::Secp256r1 } else { x25519 };
        let mut server = ServerConfig::builder()
            .identity(key)
            .provider(hollow())
            .policy(policy.clone().with_groups(groups(first)))
            .tickets(Arc::new(TicketKeys::random(hollow(), hour, hour).unwrap()))
            .max_early_data(if self.early_data { 1000 } else { 0 })
            .clock(clock.clone());
        let mut client = ClientConfig::builder()
            .trust(authority().roots())
            .provider(hollow())
            .policy(policy.with_groups(groups(x25519)))
            .key_shares([x25519])
            .early_data(self.early_data)
            .grease(false)
            .clock(clock);
        if self.before == 0 {
            client = client.no_sessions();
        }
        if self.client_certificate {
            server = server.client_auth(ClientAuth::Require(Arc::new(WebPki::clients(authority().roots()))));
            client = client.identity(Arc::new(Arc::new(CLIENT.identity())));
        }
        Sides { client: client.build().unwrap(), server: server.build().unwrap() }
    }

    /// The two sides as they stand before the conversation, the same each time: a side that is played with must say what
    /// it said in the honest one.
    pub(crate) fn fresh(&self, kept: &mut Option<Sides>) -> Sides {
        reseed(8_446);
        // Without a session before, a side remembers nothing.
        if let Some(sides) = kept.as_ref().filter(|_| self.before == 0) {
            return sides.clone();
        }
        let sides = kept.insert(self.sides());
        for _ in 0..self.before {
            honest(sides, self.version == ProtocolVersion::Tls12);
        }
        reseed(8_446);
        sides.clone()
    }

    pub(crate) fn may_come(&self, honest: Unit, kind: H) -> bool {
        let Unit { kind: Some(usual), .. } = honest else { return false };
        let also = self.also.iter().filter(|(first, _)| *first == usual).flat_map(|(_, others)| *others);
        kind == usual || also.into_iter().any(|k| *k == kind)
    }
}

#[derive(Clone)]
pub(crate) struct Sides {
    pub(crate) client: Arc<ClientConfig>,
    pub(crate) server: Arc<ServerConfig>,
}

/// A record with one message of the peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit {
    /// None is ChangeCipherSpec.
    pub(crate) kind: Option<H>,
    pub(crate) wrap: Wrap,
}

const TAG: usize = 16;

/// Cuts flights into records of one message each. `encrypted` says whether ChangeCipherSpec of TLS 1.2 has gone by.
pub(crate) fn cut(mut flight: &[u8], tls12: bool, encrypted: &mut bool) -> Vec<(Unit, Vec<u8>)> {
    let mut units = Vec::new();
    while !flight.is_empty() {
        let length = usize::from(u16::from_be_bytes([flight[3], flight[4]]));
        let (content, body) = (flight[0], &flight[5..5 + length]);
        flight = &flight[5 + length..];
        let (wrap, content, mut plain) = match content {
            20 if tls12 => {
                *encrypted = true;
                units.push((Unit { kind: None, wrap: Wrap::Plain }, record(Wrap::Plain, 20, body)));
                continue;
            }
            // The compatibility mode's: it means nothing.
            20 => continue,
            DATA if !tls12 => {
                let inner = &body[..length - TAG];
                (Wrap::Inner13, inner[inner.len() - 1], &inner[..inner.len() - 1])
            }
            _ if *encrypted => (Wrap::Gcm12, content, &body[8..length - TAG]),
            _ => (Wrap::Plain, content, body),
        };
        assert_eq!(content, HANDSHAKE);
        while !plain.is_empty() {
            let length = 4 + usize::from(u16::from_be_bytes([plain[2], plain[3]]));
            let (message, rest) = plain.split_at(length);
            units.push((Unit { kind: Some(H(message[0])), wrap }, record(wrap, HANDSHAKE, message)));
            plain = rest;
        }
    }
    units
}

/// Everything the two sides of an honest conversation say, cut: to the client, to the server.
pub(crate) fn honest(sides: &Sides, tls12: bool) -> [Vec<(Unit, Vec<u8>)>; 2] {
    let mut client = sides.client.connect("localhost".try_into().unwrap()).unwrap();
    let mut server = sides.server.accept();
    let (mut up, mut down) = (Vec::new(), Vec::new());
    let (mut to_client, mut to_server) = (Vec::new(), Vec::new());
    let mut encrypted = [false; 2];
    client.advance(&mut Context::from_waker(Waker::noop()), &mut up).unwrap();
    while !(up.is_empty() && down.is_empty()) {
        to_server.extend(cut(&up, tls12, &mut encrypted[0]));
        server.receive(&mut up, &mut down).unwrap();
        up.clear();
        to_client.extend(cut(&down, tls12, &mut encrypted[1]));
        client.receive(&mut down, &mut up).unwrap();
        down.clear();
    }
    assert!(client.facts().is_some() && server.facts().is_some());
    [to_client, to_server]
}

/// Plays what the peer said up to `wait`; the connection then waits for the next.
pub(crate) fn play(sides: &Sides, to_client: bool, said: &[(Unit, Vec<u8>)]) -> Connection {
    let mut connection =
        if to_client { sides.client.connect("localhost".try_into().unwrap()).unwrap() } else { sides.server.accept() };
    let mut out = Vec::new();
    connection.advance(&mut Context::from_waker(Waker::noop()), &mut out).unwrap();
    for (unit, record) in said {
        let mut record = record.clone();
        let length = record.len();
        let received = connection.receive(&mut record, &mut out);
        assert!(received.is_ok_and(|r| r.used == length), "{unit:?}");
    }
    connection
}
