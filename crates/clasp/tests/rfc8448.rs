//! The traces of RFC 8448, replayed byte for byte on both sides.
//!
//! The provider of `clasp_testkit::provider::Script` gives the trace's randomness and private keys. Clasp's own ClientHello has
//! other extensions than that of the trace, so where Clasp is the client the trace's hello takes its place in what is
//! hashed; where Clasp is the server it reads the trace's hello as it is. All else must come out as printed: every
//! record, and every secret by way of the key log. A signature with a random salt comes from the trace.
//!
//! The resumed handshake's ticket is another implementation's inside: a sealer of the test opens it as a session of
//! Clasp's that has the trace's key. Not replayed: tickets that Clasp would write another way.
#![cfg(feature = "legacy")] // the groups of the traces
#![allow(clippy::unwrap_used, clippy::panic)]

use clasp::config::{PresentedIdentity, Ready, ServerBuilder, Signer, Verified, Verifier};
use clasp::keys::log::KeyLog;
use clasp::session::{ClientSessionCache, Opened, TicketSealer};
use clasp::wire::code::{NamedGroup, SignatureScheme as S};
use clasp::{Answer, ClientAuth, ClientConfig, Connection, Identity, Policy, Result, ServerConfig};
use clasp_testkit::provider::Script;
use clasp_testkit::{ManualClock, Pair};
use core::task::{Context, Waker};
use std::collections::{BTreeMap, VecDeque};
use std::io::IoSlice;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// Who sends a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Client,
    Server,
}

/// A trace, as its file has it.
#[derive(Default)]
struct Trace {
    client_keys: Vec<Vec<u8>>,
    server_keys: Vec<Vec<u8>>,
    records: Vec<(From, Vec<u8>)>,
    secrets: BTreeMap<String, Vec<u8>>,
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

impl Trace {
    fn read(file: &str) -> Self {
        let mut items: Vec<(String, String)> = Vec::new();
        for line in file.lines().filter(|l| !l.starts_with('#')) {
            match line.strip_prefix("  ") {
                Some(more) => items.last_mut().unwrap().1 += more,
                None => items.push(line.rsplit_once(' ').map(|(what, value)| (what.into(), value.into())).unwrap()),
            }
        }
        let mut trace = Self::default();
        for (what, value) in items {
            let value = hex(&value);
            match what.as_str() {
                "key client" => trace.client_keys.push(value),
                "key server" => trace.server_keys.push(value),
                ">" => trace.records.push((From::Client, value)),
                "<" => trace.records.push((From::Server, value)),
                _ => drop(trace.secrets.insert(what, value)),
            }
        }
        trace
    }

    /// The handshake message of the n-th record.
    fn message(&self, n: usize) -> Vec<u8> {
        self.records[n].1[5..].to_vec()
    }
}

/// The random of a hello, and its session ID.
fn random(hello: &[u8]) -> Vec<u8> {
    hello[6..38].to_vec()
}

fn session_id(hello: &[u8]) -> Vec<u8> {
    hello[39..39 + usize::from(hello[38])].to_vec()
}

/// The secrets that a connection told.
#[derive(Default)]
struct Told(Mutex<BTreeMap<String, Vec<u8>>>);

impl KeyLog for Told {
    fn log(&self, label: &'static str, _client_random: &[u8; 32], secret: &[u8]) {
        self.0.lock().unwrap().insert(label.to_owned(), secret.to_vec());
    }
}

/// What our side says of its own accord, where the trace has a record of ours and the handshake gives none.
enum Say {
    /// This, which must come out as the record.
    Data(Vec<u8>),
    /// Something that uses up a sequence number, in place of a ticket.
    InPlaceOfTicket,
    Close,
}

/// Bytes 0 to 49: the traces' application data.
fn data() -> Vec<u8> {
    (0..50).collect()
}

/// Plays one side of a trace. Records of ours with a place in `unlike` are not compared; `early` is the data behind the
/// hello.
fn play(
    trace: &Trace,
    ours: From,
    mut connection: Connection,
    says: Vec<Say>,
    unlike: &[usize],
    early: &[u8],
) -> Connection {
    let (mut out, mut heard) = (Vec::new(), Vec::new());
    let mut says = VecDeque::from(says);
    connection.advance(&mut Context::from_waker(Waker::noop()), &mut out).unwrap();
    if ours == From::Client && !early.is_empty() {
        assert_eq!(connection.send_early(early, &mut out).unwrap(), early.len());
    }
    for (n, (from, record)) in trace.records.iter().enumerate() {
        if *from != ours {
            let mut input = record.clone();
            let received = connection.receive(&mut input, &mut out).unwrap_or_else(|e| panic!("record {n}: {e}"));
            assert_eq!(received.used, record.len(), "record {n} was not taken");
            heard.extend_from_slice(received.data);
            continue;
        }
        let mut compared = !unlike.contains(&n);
        if out.is_empty() {
            match says.pop_front().unwrap_or_else(|| panic!("record {n}: nothing to say")) {
                Say::Data(plain) => drop(connection.send(&[IoSlice::new(&plain)], &mut out).unwrap()),
                Say::InPlaceOfTicket => {
                    connection.send(&[IoSlice::new(b"0")], &mut out).unwrap();
                    compared = false;
                }
                Say::Close => connection.close(&mut out).unwrap(),
            }
        }
        let length = 5 + usize::from(u16::from_be_bytes([out[3], out[4]]));
        let one: Vec<u8> = out.drain(..length).collect();
        assert_eq!(one[..3], record[..3], "head of record {n}");
        if compared {
            assert_eq!(one, *record, "record {n}");
        }
    }
    assert!(out.is_empty() && says.is_empty(), "more was said than the trace has");
    assert!(connection.peer_closed());
    if trace.records.iter().any(|(from, r)| *from != ours && r.len() == 72) {
        let before: &[u8] = if ours == From::Server { early } else { b"" };
        assert_eq!(heard, [before, &data()].concat());
    }
    connection
}

fn same_secrets(trace: &Trace, told: &Told) {
    let told = told.0.lock().unwrap();
    for (label, secret) in &trace.secrets {
        assert_eq!(told.get(label), Some(secret), "{label}");
    }
}

/// What NSS, which made the traces, has.
const SCHEMES: &[S] = &[
    S(0x0403),
    S(0x0503),
    S(0x0603),
    S(0x0203),
    S(0x0804),
    S(0x0805),
    S(0x0806),
    S(0x0401),
    S(0x0501),
    S(0x0601),
    S(0x0201),
    S(0x0402),
    S(0x0502),
    S(0x0602),
    S(0x0202),
];

const GROUPS: [NamedGroup; 9] = [
    NamedGroup::X25519,
    NamedGroup::Secp256r1,
    NamedGroup::Secp384r1,
    NamedGroup::Secp521r1,
    NamedGroup::Ffdhe2048,
    NamedGroup::Ffdhe3072,
    NamedGroup::Ffdhe4096,
    NamedGroup::Ffdhe6144,
    NamedGroup::Ffdhe8192,
];

/// Gives a signature of the trace.
struct Signed(S, Vec<u8>);

impl Signer for Signed {
    fn schemes(&self) -> &[S] {
        core::slice::from_ref(&self.0)
    }

    fn sign<'a>(&'a self, _scheme: S, _message: &'a [u8]) -> Answer<'a, Result<Vec<u8>>> {
        Answer::Now(Ok(self.1.clone()))
    }
}

/// Takes the traces' certificates, which no authority issued. Their RSA keys have 1024 bits, with which no provider gets a signature
/// checked; another key stands for them.
struct Anyone;

impl Verifier for Anyone {
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        let leaf = clasp::x509::Certificate::parse(&peer.chain[0]).unwrap();
        let large = clasp_testkit::authority().issue(clasp_testkit::KeyKind::Rsa, &["localhost"]);
        let large = clasp::x509::Certificate::parse(&large.chain[0]).unwrap();
        let is_rsa = matches!(leaf.public_key(), clasp::x509::PublicKey::Rsa { .. });
        Answer::Now(Ok(Verified::dangerous_assume(if is_rsa { large.spki() } else { leaf.spki() })))
    }
}

const SIMPLE: &str = include_str!("rfc8448/simple.txt");
const RESUMED: &str = include_str!("rfc8448/resumed_0rtt.txt");
const RETRIED: &str = include_str!("rfc8448/hello_retry.txt");
const CLIENT_AUTH: &str = include_str!("rfc8448/client_auth.txt");
const COMPATIBLE: &str = include_str!("rfc8448/compatibility.txt");
const CREDENTIALS: &str = include_str!("rfc8448/credentials.txt");

fn credential(what: &str) -> Vec<u8> {
    let trace = Trace::read(CREDENTIALS);
    trace.secrets.get(what).unwrap_or_else(|| panic!("no {what}")).clone()
}

fn identity(certificate: &str, scheme: S, signature: &str) -> Identity {
    let signer = Signed(scheme, credential(signature));
    Identity::with_signer(vec![credential(certificate).into()], Arc::new(signer)).unwrap()
}

fn rsa(signature: &str) -> Identity {
    identity("certificate rsa", S::RsaPssRsaeSha256, signature)
}

/// Every signature of the traces: good whatever the key.
fn signatures() -> Vec<Vec<u8>> {
    let all = Trace::read(CREDENTIALS).secrets;
    all.into_iter().filter(|(what, _)| what.starts_with("signature")).map(|(_, value)| value).collect()
}

fn keys(keys: &[Vec<u8>], groups: &[NamedGroup]) -> Vec<(NamedGroup, Vec<u8>)> {
    groups.iter().copied().zip(keys.iter().cloned()).collect()
}

/// The server of a trace; `hello` is the record of its ServerHello.
fn server(trace: &Trace, identity: Identity, hello: usize, script: Script, auth: bool) -> (Connection, Arc<Told>) {
    let (mut config, told) = server_config(trace, identity, hello, script);
    if auth {
        config = config.client_auth(ClientAuth::Require(Arc::new(Anyone))).request_status(false);
    }
    (config.build().unwrap().accept(), told)
}

fn server_config(trace: &Trace, identity: Identity, hello: usize, script: Script) -> (ServerBuilder<Ready>, Arc<Told>) {
    let told = Arc::new(Told::default());
    let group = if script.hello_retry_request.is_some() { NamedGroup::Secp256r1 } else { NamedGroup::X25519 };
    let script = Script {
        random: vec![random(&trace.message(hello))],
        keys: keys(&trace.server_keys, &[group]),
        signatures: signatures(),
        schemes: SCHEMES,
        ..script
    };
    let provider = script.provider();
    // In the trace with a retry the server does not take the curve that it was offered a share of.
    let groups = if group == NamedGroup::X25519 { GROUPS.to_vec() } else { GROUPS[1..3].to_vec() };
    let config = ServerConfig::builder()
        .identity(identity)
        .provider(provider)
        .policy(Policy::modern().with_groups(groups).with_schemes(SCHEMES))
        .announce_groups(true)
        .record_size_limit(16_384)
        .session_context("the server of the traces")
        .tickets_per_handshake(0)
        .key_log(told.clone());
    (config, told)
}

/// A sealer with one session, which every ticket stands for.
#[derive(Default)]
struct OneSession(Mutex<Vec<u8>>);

impl TicketSealer for OneSession {
    fn seal<'a>(&'a self, _now: SystemTime, session: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        *self.0.lock().unwrap() = session.to_vec();
        Answer::Now(Some(vec![1]))
    }

    fn open<'a>(&'a self, _now: SystemTime, _ticket: &'a [u8]) -> Answer<'a, Option<Opened>> {
        let plain = self.0.lock().unwrap().clone().into();
        Answer::Now(Some(Opened { plain, renew: false }))
    }

    fn lifetime(&self) -> Duration {
        Duration::from_secs(3600)
    }
}

/// The client of a trace.
struct Client {
    script: Script,
    identity: Option<Identity>,
    sessions: Arc<ClientSessionCache>,
    clock: ManualClock,
    compatible: bool,
}

impl Client {
    fn new(trace: &Trace) -> Self {
        let hello = trace.message(0);
        let script = Script {
            // Drawn at once.
            random: vec![[random(&hello), session_id(&hello)].concat()],
            keys: keys(&trace.client_keys, &[NamedGroup::X25519, NamedGroup::Secp256r1]),
            client_hello: Some(hello.clone()),
            signatures: signatures(),
            schemes: SCHEMES,
            ..Script::default()
        };
        let (sessions, clock) = (Arc::new(ClientSessionCache::new(4)), ManualClock::at(1_470_000_000));
        Self { script, identity: None, sessions, clock, compatible: !session_id(&hello).is_empty() }
    }

    fn connect(self) -> (Connection, Arc<Told>) {
        let told = Arc::new(Told::default());
        let mut config = ClientConfig::builder()
            .dangerous_verifier(Arc::new(Anyone))
            .provider(self.script.provider())
            .policy(Policy::modern().with_groups(&GROUPS[..4]).with_schemes(SCHEMES))
            .key_shares([NamedGroup::X25519])
            .record_size_limit(16_384)
            .grease(false)
            .middlebox_compatibility(self.compatible)
            .sessions(self.sessions)
            .session_context("the client of the traces")
            .early_data(true)
            .clock(Arc::new(self.clock))
            .key_log(told.clone());
        if let Some(identity) = self.identity {
            config = config.identity(identity);
        }
        (config.build().unwrap().connect("server".try_into().unwrap()), told)
    }
}

#[test]
fn simple_handshake_server() {
    let trace = Trace::read(SIMPLE);
    let (connection, told) = server(&trace, rsa("signature simple"), 1, Script::default(), false);
    play(&trace, From::Server, connection, vec![Say::InPlaceOfTicket, Say::Data(data()), Say::Close], &[], b"");
    same_secrets(&trace, &told);
}

#[test]
fn simple_handshake_client_then_its_ticket_with_early_data() {
    let trace = Trace::read(SIMPLE);
    let client = Client::new(&trace);
    let (sessions, clock) = (client.sessions.clone(), client.clock.clone());
    let (connection, told) = client.connect();
    play(&trace, From::Client, connection, vec![Say::Data(data()), Say::Close], &[0], b"");
    same_secrets(&trace, &told);

    let trace = Trace::read(RESUMED);
    let (connection, told) = Client { sessions, clock, ..Client::new(&trace) }.connect();
    let says = vec![Say::Data(data()), Say::Close];
    let connection = play(&trace, From::Client, connection, says, &[0], b"ABCDEF");
    same_secrets(&trace, &told);
    assert_eq!(connection.facts().unwrap().early_data, clasp::EarlyData::Accepted);
}

/// A session that a server of ours made, but for its key, which is the trace's.
fn session_of_the_trace(clock: &ManualClock) -> Arc<OneSession> {
    const KEY_AT: usize = 5;
    let sealer = Arc::new(OneSession::default());
    let issued = clasp_testkit::authority().issue(clasp_testkit::KeyKind::P256, &["server"]);
    let server = ServerConfig::builder().identity(issued.identity()).tickets(sealer.clone());
    let server = server.session_context("the server of the traces").max_early_data(1024);
    let server = server.clock(Arc::new(clock.clone())).build().unwrap();
    let client = ClientConfig::builder().trust(clasp_testkit::authority().roots()).build().unwrap();
    let mut pair = Pair::new(&client, &server);
    pair.client = client.connect("server".try_into().unwrap());
    pair.drive().unwrap();
    let key = hex("4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3");
    sealer.0.lock().unwrap()[KEY_AT..][..key.len()].copy_from_slice(&key);
    sealer
}

#[test]
fn resumed_handshake_with_early_data_server() {
    let trace = Trace::read(RESUMED);
    // The server of the trace confirms the name of a session too.
    let extensions = hex("080000280026000a00140012001d00170018001901000101010201030104001c0002400100000000002a0000");
    let script = Script { encrypted_extensions: Some(extensions), ..Script::default() };
    let clock = ManualClock::at(1_470_000_000);
    let (config, told) = server_config(&trace, rsa("signature simple"), 2, script);
    // What the ticket's age is hidden with is not known, so every age must do.
    let any_age = Duration::from_secs(50 * 24 * 3600);
    let config = config.tickets(session_of_the_trace(&clock)).max_early_data(1024).early_data_window(any_age);
    let connection = config.clock(Arc::new(clock)).build().unwrap().accept();
    let says = vec![Say::Data(data()), Say::Close];
    let connection = play(&trace, From::Server, connection, says, &[3], b"ABCDEF");
    same_secrets(&trace, &told);
    assert_eq!(connection.facts().unwrap().early_data, clasp::EarlyData::Accepted);
}

#[test]
fn hello_retry_request_server() {
    let trace = Trace::read(RETRIED);
    // The server of the trace rather asks again than take the share of a curve that it likes less; ours has to be
    // without that curve, and its list of groups is shorter.
    let groups = [8, 0, 0, 24, 0, 22, 0, 10, 0, 8, 0, 6, 0, 23, 0, 24, 0, 29, 0, 28, 0, 2, 64, 1, 0, 0, 0, 0].to_vec();
    let script =
        Script { hello_retry_request: Some(trace.message(1)), encrypted_extensions: Some(groups), ..Script::default() };
    let (connection, told) = server(&trace, rsa("signature retried"), 3, script, false);
    // Our own request has no cookie.
    play(&trace, From::Server, connection, vec![Say::Close], &[1, 4], b"");
    same_secrets(&trace, &told);
}

#[test]
fn hello_retry_request_client() {
    let trace = Trace::read(RETRIED);
    let mut client = Client::new(&trace);
    client.script.second_client_hello = Some(trace.message(2));
    let (connection, told) = client.connect();
    play(&trace, From::Client, connection, vec![Say::Close], &[0, 2], b"");
    same_secrets(&trace, &told);
}

#[test]
fn client_authentication_server() {
    let trace = Trace::read(CLIENT_AUTH);
    let own = identity("certificate ecdsa", S::EcdsaSecp256r1Sha256, "signature ecdsa");
    let (connection, told) = server(&trace, own, 1, Script::default(), true);
    let connection = play(&trace, From::Server, connection, vec![Say::Close], &[], b"");
    same_secrets(&trace, &told);
    assert!(connection.facts().unwrap().client_authenticated);
}

#[test]
fn client_authentication_client() {
    let trace = Trace::read(CLIENT_AUTH);
    let identity = identity("certificate client", S::RsaPssRsaeSha256, "signature client");
    let (connection, told) = Client { identity: Some(identity), ..Client::new(&trace) }.connect();
    play(&trace, From::Client, connection, vec![Say::Close], &[0], b"");
    same_secrets(&trace, &told);
}

#[test]
fn compatibility_mode_server() {
    let trace = Trace::read(COMPATIBLE);
    let (connection, told) = server(&trace, rsa("signature compatible"), 1, Script::default(), false);
    play(&trace, From::Server, connection, vec![Say::Close], &[], b"");
    same_secrets(&trace, &told);
}

#[test]
fn compatibility_mode_client() {
    let trace = Trace::read(COMPATIBLE);
    let (connection, told) = Client::new(&trace).connect();
    play(&trace, From::Client, connection, vec![Say::Close], &[0], b"");
    same_secrets(&trace, &told);
}
