//! Honest conversations of every kind over the [`hollow`] provider, cut into messages, and a peer
//! that plays them up to some wait: tests say something else there.

use crate::hollow_bytes::{DATA, HANDSHAKE, Wrap, record};
use crate::provider::{hollow, reseed};
use crate::{KeyKind, ManualClock, authority};
use clasp::config::{Identities, Identity, WebPki};
use clasp::session::{ServerSessionCache, ServerSessions, TicketKeys};
use clasp::suite::{Bulk, Kx, SUITES};
use clasp::wire::code::CompressionAlgorithm;
use clasp::wire::code::{HandshakeType as H, NamedGroup, ProtocolVersion};
use clasp::{Answer, ClientAuth, ClientConfig, Connection, Policy, Result, ServerConfig};
use core::task::{Context, Waker};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// One kind of conversation.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// What it is called.
    pub name: &'static str,
    /// Its version.
    pub version: ProtocolVersion,
    /// Its key exchange, in TLS 1.2.
    pub kx: Kx,
    /// The client shows a certificate.
    pub client_certificate: bool,
    /// Honest conversations before: 1 makes the one that is played a resumption.
    pub before: usize,
    /// The client may send early data, and the server takes it.
    pub early_data: bool,
    /// The server asks for a second hello.
    pub hello_retry: bool,
    /// The client keeps sessions and asks for all there is, and the server has it.
    pub all: bool,
    /// Where the first may come, the others may too.
    pub also: &'static [(H, &'static [H])],
}

/// TLS 1.2, nothing else.
pub const CLASSIC: Scenario = Scenario {
    name: "1.2 full",
    version: ProtocolVersion::Tls12,
    kx: Kx::Ecdhe,
    client_certificate: false,
    before: 0,
    early_data: false,
    hello_retry: false,
    all: false,
    // RFC 5246 7.4.1.1 has a client ignore HelloRequest in a handshake; Clasp takes none, as BoringSSL.
    also: &[(H::ServerHelloDone, &[H::CertificateRequest]), (H::CertificateRequest, &[H::ServerHelloDone])],
};

/// TLS 1.3, nothing else.
pub const MODERN: Scenario = Scenario {
    name: "1.3 full",
    version: ProtocolVersion::Tls13,
    also: &[(H::Certificate, &[H::CertificateRequest]), (H::CertificateRequest, &[H::Certificate])],
    ..CLASSIC
};

/// All that are played.
pub const SCENARIOS: [Scenario; 10] = [
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

// Reading a key takes longer than a hollow handshake.
static SERVER: LazyLock<Arc<Identities>> =
    LazyLock::new(|| Arc::new(Identities::new([authority().issue(KeyKind::Rsa, &["localhost"]).identity()])));
static CLIENT: LazyLock<Arc<Identity>> =
    LazyLock::new(|| Arc::new(authority().issue(KeyKind::P256, &["client"]).identity()));

/// The same conversation comes again and again, early data and all: each time the store is new, and says of its claims what
/// the last one said, for that stands in the tickets.
struct SameClaims(ServerSessionCache);

impl ServerSessions for SameClaims {
    fn put<'a>(&'a self, id: &'a [u8], sealed: &'a [u8], until: SystemTime) -> Answer<'a, Result<()>> {
        self.0.put(id, sealed, until)
    }

    fn get<'a>(&'a self, id: &'a [u8], now: SystemTime) -> Answer<'a, Result<Option<Zeroizing<Vec<u8>>>>> {
        self.0.get(id, now)
    }

    fn claim<'a>(&'a self, _: &'a [u8], _: SystemTime, _: SystemTime) -> Answer<'a, Result<bool>> {
        Answer::Now(Ok(true))
    }

    fn forget<'a>(&'a self, id: &'a [u8]) -> Answer<'a, ()> {
        self.0.forget(id)
    }

    fn claims_context(&self) -> Option<Vec<u8>> {
        Some(b"script".to_vec())
    }
}

impl Scenario {
    /// The two sides.
    ///
    /// # Panics
    /// If they cannot be made.
    pub fn sides(&self) -> Sides {
        self.sides_speaking(&[])
    }

    /// The same, with these application protocols where they have no others.
    ///
    /// # Panics
    /// As there.
    pub fn sides_speaking(&self, protocols: &[&str]) -> Sides {
        let tls12 = SUITES.iter().filter(|s| s.kx == self.kx && s.is_legacy() == (self.kx != Kx::Ecdhe));
        let suites: Vec<_> = match self.version {
            ProtocolVersion::Tls13 => Policy::modern().suites().to_vec(),
            _ => tls12.filter(|s| matches!(s.bulk, Bulk::Aead(_))).map(|s| s.code).collect(),
        };
        let groups = |first| {
            let dhe = (self.kx == Kx::Dhe).then_some(NamedGroup::Ffdhe2048);
            let second = (first != NamedGroup::Secp256r1).then_some(NamedGroup::Secp256r1);
            [first].into_iter().chain(second).chain(dhe).collect::<Vec<_>>()
        };
        let x25519 = NamedGroup::X25519;
        let policy = Policy::legacy().with_versions([self.version]).with_suites(suites);
        let clock = Arc::new(ManualClock::at(1_800_000_000));
        let hour = Duration::from_secs(3600);
        // A server that does not take the share of X25519 asks for one of P-256.
        let first = if self.hello_retry { NamedGroup::Secp256r1 } else { x25519 };
        let mut server = ServerConfig::builder()
            .identity(SERVER.clone())
            .provider(hollow())
            .alpn(protocols.iter().copied())
            .policy(policy.clone().with_groups(groups(first)))
            .tickets(Arc::new(TicketKeys::random(hollow(), hour, hour).expect("an honest conversation")))
            .sessions(Arc::new(SameClaims(ServerSessionCache::new(1 << 16))))
            .max_early_data(if self.early_data { 1000 } else { 0 })
            .clock(clock.clone());
        let mut client = ClientConfig::builder()
            .trust(authority().roots())
            .provider(hollow())
            .alpn(protocols.iter().copied())
            .policy(policy.with_groups(groups(x25519)))
            .early_data(self.early_data)
            .grease(false)
            .clock(clock);
        let tls13 = self.version == ProtocolVersion::Tls13;
        if tls13 {
            client = client.key_shares([x25519]);
        }
        if self.before == 0 && !self.all {
            client = client.no_sessions();
        }
        if self.all {
            client = client.alpn(["h2", "http/1.1"]).request_timestamps(true).record_size_limit(16_000);
            if tls13 {
                client = client.certificate_compression([CompressionAlgorithm::Zlib]);
            }
            server = server.alpn(["h2"]).record_size_limit(16_000);
        }
        if self.client_certificate {
            server = server.client_auth(ClientAuth::Require(Arc::new(WebPki::clients(authority().roots()))));
            client = client.identity(CLIENT.clone());
        }
        Sides {
            client: client.build().expect("an honest conversation"),
            server: server.build().expect("an honest conversation"),
        }
    }

    /// The two sides as they stand before the conversation, the same each time: a side that is played with must say what
    /// it said in the honest one.
    ///
    /// # Panics
    /// If a conversation before fails.
    pub fn fresh(&self, kept: &mut Option<Sides>) -> Sides {
        let honest = |sides: &Sides| drop(honest(sides, self.version == ProtocolVersion::Tls12));
        self.fresh_by(kept, || self.sides(), honest)
    }

    /// The same; `honest` has the conversations before.
    pub(crate) fn fresh_by(
        &self,
        kept: &mut Option<Sides>,
        sides: impl FnOnce() -> Sides,
        honest: impl Fn(&Sides),
    ) -> Sides {
        reseed(8_446);
        // Without a session before, a side remembers nothing.
        if let Some(sides) = kept.as_ref().filter(|_| self.before == 0 && !self.all) {
            return sides.clone();
        }
        let sides = kept.insert(sides());
        for _ in 0..self.before {
            honest(sides);
        }
        reseed(8_446);
        sides.clone()
    }

    /// Whether a message may come where an honest one did.
    pub fn may_come(&self, honest: Unit, kind: H) -> bool {
        let Unit { kind: Some(usual), .. } = honest else { return false };
        let also = self.also.iter().filter(|(first, _)| *first == usual).flat_map(|(_, others)| *others);
        kind == usual || also.into_iter().any(|k| *k == kind)
    }
}

/// A client and a server.
#[derive(Clone, Debug)]
pub struct Sides {
    /// The client.
    pub client: Arc<ClientConfig>,
    /// The server.
    pub server: Arc<ServerConfig>,
}

/// A record with one message of the peer.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    /// None is ChangeCipherSpec.
    pub kind: Option<H>,
    /// How its record is protected.
    pub wrap: Wrap,
}

const TAG: usize = 16;

/// Cuts flights into records of one message each. `encrypted` says whether ChangeCipherSpec of TLS 1.2 has gone by.
///
/// # Panics
/// If they are no such flights.
pub fn cut(mut flight: &[u8], tls12: bool, encrypted: &mut bool) -> Vec<(Unit, Vec<u8>)> {
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
///
/// # Panics
/// If it fails.
pub fn honest(sides: &Sides, tls12: bool) -> [Vec<(Unit, Vec<u8>)>; 2] {
    let mut client = sides.client.connect("localhost".try_into().expect("an honest conversation"));
    let mut server = sides.server.accept();
    let (mut up, mut down) = (Vec::new(), Vec::new());
    let (mut to_client, mut to_server) = (Vec::new(), Vec::new());
    let mut encrypted = [false; 2];
    client.advance(&mut Context::from_waker(Waker::noop()), &mut up).expect("an honest conversation");
    while !(up.is_empty() && down.is_empty()) {
        to_server.extend(cut(&up, tls12, &mut encrypted[0]));
        server.receive(&mut up, &mut down).expect("an honest conversation");
        up.clear();
        to_client.extend(cut(&down, tls12, &mut encrypted[1]));
        client.receive(&mut down, &mut up).expect("an honest conversation");
        down.clear();
    }
    assert!(client.facts().is_some() && server.facts().is_some());
    [to_client, to_server]
}

/// Plays what the peer said up to `wait`; the connection then waits for the next.
///
/// # Panics
/// If it does not take what was said.
pub fn play(sides: &Sides, to_client: bool, said: &[(Unit, Vec<u8>)]) -> Connection {
    let mut connection = if to_client {
        sides.client.connect("localhost".try_into().expect("an honest conversation"))
    } else {
        sides.server.accept()
    };
    let mut out = Vec::new();
    connection.advance(&mut Context::from_waker(Waker::noop()), &mut out).expect("an honest conversation");
    for (unit, record) in said {
        let mut record = record.clone();
        let length = record.len();
        let received = connection.receive(&mut record, &mut out);
        assert!(received.is_ok_and(|r| r.used == length), "{unit:?}");
    }
    connection
}
