//! Rows that need more than a change to a builder.

use super::look::{NOW, look, look_by};
use super::rows::{C, Row, client, issued, key, own_row, plain, rsa, server, server_of, tls12};
use clasp::config::{
    CertificateCompression, DangerousAcceptAnyone, FetchIssuer, FirstUse, KeyPin, KnownKeysFile, MissingIssuers,
    PinnedKeys, PresentedIdentity, Profile, Signer, Verified, Verifier, WebPki,
};
use clasp::crypto::PrivateKey;
use clasp::ech::{EchKeyRing, EchKeyStore, EchMode};
use clasp::keys::log::KeyLog;
use clasp::pki_types::{Der, TrustAnchor};
use clasp::session::{ClientSessionCache, ServerSessionCache};
use clasp::trace::{Observation, Observer, What};
use clasp::wire::code::{CipherSuite, CompressionAlgorithm, ProtocolVersion, SignatureScheme};
use clasp::{
    Answer, ClientAuth, ClientConfig, Exchange, Identity, NamedGroup, Policy, Pool, Result, Roots, ServerConfig,
    Stream, TimeLimits,
};
use clasp_testkit::hollow_bytes::{HANDSHAKE, Wrap, record};
use clasp_testkit::provider::{counted, hollow};
use clasp_testkit::{Gate, KeyKind, ManualClock, Pair, SlowVerifier, authority, other_authority};
use std::io::{IoSlice, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Leaves out what every certificate message begins with.
pub(crate) struct Shrinking;

impl CertificateCompression for Shrinking {
    fn algorithm(&self) -> CompressionAlgorithm {
        CompressionAlgorithm(0xff01)
    }
    fn compress(&self, certificate: &[u8]) -> Option<Vec<u8>> {
        certificate.strip_prefix(&[0, 0]).map(<[u8]>::to_vec)
    }
    fn decompress(&self, compressed: &[u8], length: usize) -> Option<Vec<u8>> {
        Some([&[0, 0], compressed].concat()).filter(|body| body.len() == length)
    }
}

/// A clock by which no verdict hangs on the second.
fn still() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(NOW))
}

pub(crate) fn trusting_anyone() -> C {
    ClientConfig::builder().dangerous_trust_anyone().grease(false)
}

/// A hello that another server has opened (RFC 9849 7.2), without a share of P-256: what is asked for again says that it was heard.
fn opened_elsewhere() -> Vec<u8> {
    let share = [&[0, 36, 0, 0x1d, 0, 32][..], &[9; 32]].concat();
    let extensions: [(u16, &[u8]); 5] =
        [(10, &[0, 4, 0, 0x1d, 0, 0x17]), (13, &[0, 2, 4, 3]), (43, &[2, 3, 4]), (51, &share), (0xfe0d, &[1])];
    let long = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
    let extensions: Vec<u8> =
        extensions.iter().flat_map(|(typ, body)| [&typ.to_be_bytes()[..], &long(body)].concat()).collect();
    let body = [&[3, 3][..], &[5; 32], &[0, 0, 2, 0x13, 1, 1, 0], &long(&extensions)].concat();
    [&[22, 3, 1][..], &long(&[&[1, 0][..], &long(&body)].concat())].concat()
}

/// Whether two such come to a resumed connection.
fn resumed(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> String {
    let mut pair = Pair::new(client, server);
    pair.drive().unwrap();
    format!("{:?} ", pair.server.facts().unwrap().resumed)
}

/// Both sides wait, and write then.
fn rest_and_say(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) {
    let mut pair = Pair::new(client, server);
    pair.drive().unwrap();
    for connection in [pair.client, pair.server] {
        let mut exchange = Exchange::new(connection);
        exchange.rest();
        assert_eq!(exchange.write(&[IoSlice::new(b"words")]).unwrap(), 5);
    }
}

/// Counts whatever it is there for.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicUsize>);

impl Counter {
    fn up(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    fn count(&self) -> String {
        self.0.load(Ordering::Relaxed).to_string()
    }
}

impl KeyLog for Counter {
    fn log(&self, _: &'static str, _: &[u8; 32], _: &[u8]) {
        self.up();
    }
}

impl Observer for Counter {
    fn observe(&self, _: &Observation<'_>) {
        self.up();
    }
}

/// Counts the secrets that are shown.
#[derive(Default)]
struct Shown(Counter);

impl Observer for Shown {
    fn observe(&self, seen: &Observation<'_>) {
        if let What::Derived { value: Some(_), .. } = seen.what {
            self.0.up();
        }
    }
}

impl Verifier for Counter {
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        self.up();
        DangerousAcceptAnyone.verify(peer)
    }
}

/// Has nothing.
struct Nowhere;

impl FetchIssuer for Nowhere {
    fn fetch<'a>(&'a self, _: &'a str) -> Answer<'a, std::io::Result<Vec<u8>>> {
        Answer::Now(Err(std::io::ErrorKind::NotFound.into()))
    }
}

/// What a verifier says of the plain server.
pub(crate) fn judged(change: fn(WebPki) -> WebPki) -> String {
    let verifier = change(WebPki::servers(authority().roots()));
    look(ClientConfig::builder().dangerous_verifier(Arc::new(verifier)).grease(false), server())
}

/// What it says of a certificate without subjectAltName.
pub(crate) fn of_no_name(change: fn(WebPki) -> WebPki) -> String {
    let verifier = change(WebPki::servers(authority().roots()));
    let nameless = authority().issue_with(KeyKind::Ed25519, &["localhost"], |p| p.subject_alt_names.clear());
    let client = ClientConfig::builder().dangerous_verifier(Arc::new(verifier)).build().unwrap();
    let error = Pair::new(&client, &server_of(nameless.identity()).build().unwrap()).drive();
    format!("{:?}", error.map_err(|e| e.to_string()))
}

/// What a client that trusts these roots says of the plain server.
fn trusted(change: impl Fn(&mut Roots)) -> String {
    let mut roots = Roots::empty();
    change(&mut roots);
    look(ClientConfig::builder().trust(Arc::new(roots)).grease(false), server())
}

/// The server's answer to a hello of these extensions; TLS 1.2 suites.
fn answer_to(server: &Arc<ServerConfig>, suite: [u8; 2], extensions: &[u8]) -> String {
    let extensions = [&u16::try_from(extensions.len()).unwrap().to_be_bytes()[..], extensions].concat();
    let body = [&[3, 3], &[5; 32][..], &[0, 0, 2], &suite, &[1, 0], &extensions].concat();
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let mut hello = record(Wrap::Plain, HANDSHAKE, &[&[1], &length[1..], &body].concat());
    let mut connection = server.accept();
    let result = connection.receive(&mut hello, &mut Vec::new()).map(drop);
    format!("{:?}", result.map_err(|e| e.to_string()))
}

/// Groups, schemes and, for TLS 1.3, a version.
const GROUPS: &[u8] = &[0, 10, 0, 4, 0, 2, 0, 0x1d];
const SCHEMES: &[u8] = &[0, 13, 0, 4, 0, 2, 8, 7];
const TLS13: &[u8] = &[0, 43, 0, 3, 2, 3, 4];

fn of_both_sides() -> Vec<Row> {
    vec![
        own_row("ClientBuilder::key_log", |with| {
            let (log, c) = (Arc::new(Counter::default()), client());
            look(if with { c.key_log(log.clone()) } else { c }, server());
            log.count()
        }),
        own_row("ServerBuilder::key_log", |with| {
            let (log, s) = (Arc::new(Counter::default()), server());
            look(client(), if with { s.key_log(log.clone()) } else { s });
            log.count()
        }),
        own_row("ClientBuilder::observer", |with| {
            let (seen, c) = (Arc::new(Counter::default()), client());
            let c = if with { c.observer(seen.clone()) } else { c };
            Pair::new(&c.build().unwrap(), &server().build().unwrap()).drive().unwrap();
            seen.count()
        }),
        own_row("ServerBuilder::observer", |with| {
            let (seen, s) = (Arc::new(Counter::default()), server());
            look(client(), if with { s.observer(seen.clone()) } else { s });
            seen.count()
        }),
        own_row("ClientBuilder::dangerous_observe_secrets", |with| {
            let (seen, c) = (Arc::new(Shown::default()), client());
            let c = if with { c.dangerous_observe_secrets(seen.clone()) } else { c.observer(seen.clone()) };
            Pair::new(&c.build().unwrap(), &server().build().unwrap()).drive().unwrap();
            seen.0.count()
        }),
        own_row("ServerBuilder::dangerous_observe_secrets", |with| {
            let (seen, s) = (Arc::new(Shown::default()), server());
            look(client(), if with { s.dangerous_observe_secrets(seen.clone()) } else { s.observer(seen.clone()) });
            seen.0.count()
        }),
        own_row("ClientConfig::with_observer", |with| {
            let (seen, config) = (Arc::new(Counter::default()), ClientConfig::clone(&client().build().unwrap()));
            let config = if with { config.with_observer(seen.clone()) } else { config };
            Pair::new(&Arc::new(config), &server().build().unwrap()).drive().unwrap();
            seen.count()
        }),
        own_row("ClientBuilder::clock", |with| {
            let clock = Arc::new(ManualClock::at(if with { 4_000_000_000 } else { NOW }));
            look_by(&client().clock(clock).build().unwrap(), &server().clock(still()).build().unwrap(), || ())
        }),
        own_row("ClientConfig::with_clock", |with| {
            let config = ClientConfig::clone(&client().build().unwrap());
            // By the clock of the machine it would hang on the second.
            let config = config.with_clock(Arc::new(ManualClock::at(if with { 4_000_000_000 } else { NOW })));
            look_by(&Arc::new(config), &server().clock(still()).build().unwrap(), || ())
        }),
        own_row("ClientBuilder::encrypted_client_hello", |with| {
            let c = if with { client().encrypted_client_hello(EchMode::Grease) } else { client() };
            let mut pair = Pair::new(&c.build().unwrap(), &server().build().unwrap());
            pair.drive_one_client_flight().unwrap();
            format!("{} bytes", pair.to_server.len())
        }),
        own_row("ClientConfig::with_encrypted_client_hello", |with| {
            let c = ClientConfig::clone(&client().build().unwrap());
            let c = if with { c.with_encrypted_client_hello(EchMode::Grease).unwrap() } else { c };
            let mut pair = Pair::new(&Arc::new(c), &server().build().unwrap());
            pair.drive_one_client_flight().unwrap();
            format!("{} bytes", pair.to_server.len())
        }),
        own_row("ServerBuilder::encrypted_client_hello", |with| {
            let server = server().policy(Policy::default().with_groups([NamedGroup::Secp256r1]));
            let keys = Arc::new(EchKeyStore::new(EchKeyRing::new([]).unwrap()));
            let server = if with { server.encrypted_client_hello(keys) } else { server };
            let mut out = Vec::new();
            server.build().unwrap().accept().receive(&mut opened_elsewhere(), &mut out).unwrap();
            format!("{} bytes", out.len())
        }),
        own_row("ServerConfig::with_observer", |with| {
            let (seen, config) = (Arc::new(Counter::default()), ServerConfig::clone(&server().build().unwrap()));
            let config = if with { config.with_observer(seen.clone()) } else { config };
            Pair::new(&client().build().unwrap(), &Arc::new(config)).drive().unwrap();
            seen.count()
        }),
        own_row("ClientConfig::with_alpn", |with| {
            let c = ClientConfig::clone(&client().clock(still()).build().unwrap());
            let c = if with { c.with_alpn(["h2"]).unwrap() } else { c };
            look_by(&Arc::new(c), &server().alpn(["h2"]).clock(still()).build().unwrap(), || ())
        }),
        own_row("ServerConfig::with_alpn", |with| {
            let s = ServerConfig::clone(&server().clock(still()).build().unwrap());
            let s = if with { s.with_alpn(["h2"]).unwrap() } else { s };
            look_by(&client().alpn(["h2"]).clock(still()).build().unwrap(), &Arc::new(s), || ())
        }),
        own_row("ServerConfig::with_clock", |with| {
            let verifier = Arc::new(WebPki::clients(authority().roots()));
            let s = server().client_auth(ClientAuth::Require(verifier)).build().unwrap();
            let s =
                ServerConfig::clone(&s).with_clock(Arc::new(ManualClock::at(if with { 4_000_000_000 } else { NOW })));
            let c = client().clock(still()).identity(issued().identity());
            look_by(&c.build().unwrap(), &Arc::new(s), || ())
        }),
        own_row("ServerBuilder::clock", |with| {
            let verifier = Arc::new(WebPki::clients(authority().roots()));
            let clock = Arc::new(ManualClock::at(if with { 4_000_000_000 } else { NOW }));
            let s = server().client_auth(ClientAuth::Require(verifier)).clock(clock).build().unwrap();
            let c = client().clock(still()).identity(issued().identity());
            look_by(&c.build().unwrap(), &s, || ())
        }),
        own_row("ClientBuilder::provider", |with| {
            let ((provider, keys), c) = (counted(), client());
            look(if with { c.provider(provider) } else { c }, server());
            keys.load(Ordering::Relaxed).to_string()
        }),
        own_row("ServerBuilder::provider", |with| {
            let ((provider, keys), s) = (counted(), server());
            look(client(), if with { s.provider(provider) } else { s });
            keys.load(Ordering::Relaxed).to_string()
        }),
        own_row("ClientBuilder::pool", |with| {
            let ((provider, keys), c, off) = (counted(), client(), Pool::off());
            let c = if with { c.pool(off) } else { c }.provider(provider).build().unwrap();
            rest_and_say(&c, &server().build().unwrap());
            keys.load(Ordering::Relaxed).to_string()
        }),
        own_row("ServerBuilder::pool", |with| {
            let ((provider, keys), s, off) = (counted(), server(), Pool::off());
            let s = if with { s.pool(off) } else { s }.provider(provider).build().unwrap();
            rest_and_say(&client().build().unwrap(), &s);
            keys.load(Ordering::Relaxed).to_string()
        }),
        own_row("ClientBuilder::verify_again_on_resumption", |with| {
            let seen = Arc::new(Counter::default());
            let c = ClientConfig::builder().dangerous_verifier(seen.clone()).verify_again_on_resumption(with);
            look(c, server());
            seen.count()
        }),
        own_row("ServerBuilder::verify_again_on_resumption", |with| {
            let seen = Arc::new(Counter::default());
            let s = server().client_auth(ClientAuth::Require(seen.clone())).verify_again_on_resumption(with);
            look(client().identity(issued().identity()), s);
            seen.count()
        }),
        own_row("ClientBuilder::session_context", |with| {
            let (store, s) = (Arc::new(ClientSessionCache::new(4)), server().build().unwrap());
            let with_verifier_of_its_own = || {
                let c =
                    ClientConfig::builder().dangerous_verifier(Arc::new(Counter::default())).sessions(store.clone());
                let c = if with { c.session_context("shared") } else { c };
                resumed(&c.build().unwrap(), &s)
            };
            [with_verifier_of_its_own(), with_verifier_of_its_own()].concat()
        }),
        own_row("ServerBuilder::session_context", |with| {
            let store = Arc::new(ServerSessionCache::new(1 << 16));
            let c = client().identity(issued().identity()).build().unwrap();
            let with_verifier_of_its_own = || {
                let s = server().client_auth(ClientAuth::Require(Arc::new(Counter::default()))).sessions(store.clone());
                let s = if with { s.session_context("shared") } else { s };
                resumed(&c, &s.build().unwrap())
            };
            [with_verifier_of_its_own(), with_verifier_of_its_own()].concat()
        }),
        own_row("ClientBuilder::ignore_renegotiation", |with| {
            let suites = [CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256];
            let groups = [NamedGroup::X25519];
            let policy = tls12().with_suites(suites).with_groups(groups);
            let c = client().provider(hollow()).policy(policy.clone()).ignore_renegotiation(with);
            let s = server().provider(hollow()).policy(policy);
            let mut pair = Pair::new(&c.build().unwrap(), &s.build().unwrap());
            pair.drive().unwrap();
            pair.to_client.extend(record(Wrap::Gcm12, HANDSHAKE, &[0; 4]));
            format!("{:?}", pair.drive().map_err(|e| e.to_string()))
        }),
    ]
}

fn of_trust() -> Vec<Row> {
    vec![
        own_row("ClientBuilder::trust", |with| {
            let roots = if with { authority() } else { other_authority() }.roots();
            look(ClientConfig::builder().trust(roots).grease(false), server())
        }),
        own_row("ClientBuilder::trust_fetching", |with| {
            let roots = if with { authority() } else { other_authority() }.roots();
            let chains = MissingIssuers::new(roots, Nowhere);
            look(ClientConfig::builder().trust_fetching(chains).grease(false), server())
        }),
        own_row("ClientBuilder::trust_pinned", |with| {
            let key = KeyPin::of_certificate(&issued().chain[0]).unwrap();
            let keys = PinnedKeys::in_place_of_a_chain(with.then_some(key));
            look(ClientConfig::builder().trust_pinned(keys).grease(false), server())
        }),
        own_row("ClientBuilder::trust_on_first_use", |with| {
            let folder = tempfile::tempdir().unwrap();
            // A folder is no file.
            let known = if with { folder.path().join("known") } else { "/".into() };
            let known = KnownKeysFile::new(known);
            look(ClientConfig::builder().trust_on_first_use(FirstUse::new(known)).grease(false), server())
        }),
        own_row("ClientBuilder::dangerous_verifier", |with| {
            let roots = if with { authority() } else { other_authority() }.roots();
            let verifier = Arc::new(WebPki::servers(roots));
            look(ClientConfig::builder().dangerous_verifier(verifier).grease(false), server())
        }),
        own_row("ClientBuilder::dangerous_trust_anyone", |with| {
            let of_others = ClientConfig::builder().trust(other_authority().roots()).grease(false);
            look(if with { trusting_anyone() } else { of_others }, server())
        }),
        own_row("ClientBuilder::trust_pre_shared_keys", |with| {
            let by_key = ClientConfig::builder().trust_pre_shared_keys([key()]).grease(false);
            look(if with { by_key } else { client().pre_shared_key(key()) }, server())
        }),
        own_row("ServerBuilder::identity", |with| {
            look(client(), server_of(if with { rsa() } else { issued() }.identity()))
        }),
        own_row("ServerBuilder::pre_shared_keys_only", |with| {
            let only = ServerConfig::builder().pre_shared_keys_only([key()]);
            look(client(), if with { only } else { server().pre_shared_key(key()) })
        }),
        own_row("ServerBuilder::psk_without_dhe", |with| {
            // A client that names that mode alone.
            let s = ServerConfig::builder().pre_shared_keys_only([key()]).psk_without_dhe(with).build().unwrap();
            let identity = [&[0, 14, 0, 8][..], b"device 7", &[0; 4]].concat();
            let psk = [&[0, 41, 0, 51], &identity[..], &[0, 33, 32], &[1; 32]].concat();
            answer_to(&s, [0x13, 1], &[TLS13, SCHEMES, &[0, 45, 0, 2, 1, 0], &psk].concat())
        }),
        own_row("Policy::require_secure_renegotiation", |with| {
            let policy = if with { tls12().require_secure_renegotiation(true) } else { tls12() };
            let s = server().policy(policy).build().unwrap();
            answer_to(&s, [0xc0, 0x2b], &[GROUPS, SCHEMES].concat())
        }),
        own_row("Roots::add_der", |with| {
            trusted(|roots| {
                if with {
                    roots.add_der(authority().der()).unwrap();
                }
            })
        }),
        own_row("Roots::add_vetted", |with| {
            trusted(|roots| {
                if with {
                    roots.add_vetted(authority().der()).unwrap();
                }
            })
        }),
        own_row("Roots::add_pem", |with| {
            trusted(|roots| assert!(!with || roots.add_pem(authority().pem().as_bytes()).unwrap() == 1))
        }),
        own_row("Roots::add_der_as", |with| {
            trusted(|roots| {
                if with {
                    roots.add_der_as(authority().der(), Profile::Rfc5280).unwrap();
                }
            })
        }),
        own_row("Roots::add_pem_as", |with| {
            let pem = authority().pem().as_bytes();
            trusted(|roots| assert!(!with || roots.add_pem_as(pem, Profile::Rfc5280).unwrap() == 1))
        }),
        own_row("Roots::add_anchor", |with| {
            trusted(|roots| {
                let root = clasp::x509::Certificate::parse(authority().der()).unwrap();
                if with {
                    roots.add_anchor(root.subject_der(), root.spki(), None).unwrap();
                }
            })
        }),
        own_row("Roots::add_trust_anchor", |with| {
            trusted(|roots| {
                let root = clasp::x509::Certificate::parse(authority().der()).unwrap();
                // Without tag and length, which are two bytes of what is so short.
                let inside = |der: &[u8]| Der::from(der[2..].to_vec());
                let (subject, subject_public_key_info) = (inside(root.subject_der()), inside(root.spki()));
                if with {
                    let anchor = TrustAnchor { subject, subject_public_key_info, name_constraints: None };
                    roots.add_trust_anchor(&anchor).unwrap();
                }
            })
        }),
    ]
}

/// A key that is elsewhere.
struct Elsewhere(PrivateKey);

impl Signer for Elsewhere {
    fn schemes(&self) -> &[SignatureScheme] {
        self.0.schemes()
    }
    fn sign<'a>(&'a self, scheme: SignatureScheme, message: &'a [u8]) -> Answer<'a, Result<Vec<u8>>> {
        Signer::sign(&self.0, scheme, message)
    }
}

fn of_identities() -> Vec<Row> {
    vec![
        own_row("Identity::with_transport_key", |with| {
            let (key, signer) = [(); 2].map(|()| PrivateKey::from_der(&rsa().key).unwrap()).into();
            let mut identity = Identity::with_signer(rsa().chain.clone(), Arc::new(Elsewhere(signer))).unwrap();
            if with {
                identity = identity.with_transport_key(Arc::new(key)).unwrap();
            }
            let suites =
                [CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256, CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256];
            let policy = Policy::legacy().with_suites(suites).with_versions([ProtocolVersion::Tls12]);
            look(client().policy(policy.clone()), server_of(identity).policy(policy))
        }),
        own_row("Identity::with_ocsp", |with| {
            let (identity, c) = (issued().identity(), trusting_anyone());
            look(c, server_of(if with { identity.with_ocsp(vec![0x30, 3, 10, 1, 6]) } else { identity }))
        }),
        // A client's staple goes to servers that ask.
        own_row("Identity::with_ocsp", |with| {
            let identity = issued().identity();
            let identity = if with { identity.with_ocsp(vec![0x30, 3, 10, 1, 6]) } else { identity };
            let s = server().client_auth(ClientAuth::Request(Arc::new(DangerousAcceptAnyone)));
            look(client().identity(identity), s)
        }),
        own_row("Identity::with_timestamps", |with| {
            let (c, _) = plain();
            let identity = issued().identity();
            let stamped = |i: Identity| i.with_timestamps(vec![0, 4, 0, 2, 1, 1]).unwrap();
            look(c.request_timestamps(true), server_of(if with { stamped(identity) } else { identity }))
        }),
    ]
}

/// How a stream's handshake ends with a peer that drips bytes for a while, and is gone then.
fn dripped_at(change: fn(Stream<UnixStream>) -> Stream<UnixStream>) -> String {
    let (a, mut b) = UnixStream::pair().unwrap();
    let dripping = thread::spawn(move || {
        // The front of a ServerHello.
        for byte in [&[22, 3, 3, 0x10, 0, 2, 0, 0x0f, 0xfc, 3, 3][..], &[7; 30]].concat() {
            if b.write_all(&[byte]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(8));
        }
    });
    let connection = client().build().unwrap().connect("localhost".try_into().unwrap());
    let ended = change(Stream::new(connection, a)).handshake().map(drop).map_err(|e| e.kind());
    dripping.join().unwrap();
    format!("{ended:?}")
}

/// The same with a verifier that takes its time.
fn verified_late(limits: TimeLimits) -> String {
    let (a, b) = UnixStream::pair().unwrap();
    let gate = Gate::default();
    let verifier = SlowVerifier(gate.clone(), Arc::new(DangerousAcceptAnyone));
    let config = ClientConfig::builder().dangerous_verifier(Arc::new(verifier)).build().unwrap();
    let connection = config.connect("localhost".try_into().unwrap());
    let serving = thread::spawn(move || drop(Stream::new(server().build().unwrap().accept(), b).handshake()));
    let opening = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        gate.open();
    });
    let mut stream = Stream::new(connection, a).with_limits(limits);
    let ended = stream.handshake().map(drop).map_err(|e| e.kind());
    drop(stream);
    serving.join().unwrap();
    opening.join().unwrap();
    format!("{ended:?}")
}

fn of_streams() -> Vec<Row> {
    vec![
        own_row("Stream::with_limits", |with| {
            let limits = |stream: Stream<UnixStream>| {
                stream.with_limits(TimeLimits::default().handshake(Duration::from_millis(30)))
            };
            dripped_at(if with { limits } else { |stream| stream })
        }),
        own_row("TimeLimits::handshake", |with| {
            let limits = |stream: Stream<UnixStream>| {
                stream.with_limits(TimeLimits::none().handshake(Duration::from_millis(30)))
            };
            dripped_at(if with { limits } else { |stream| stream.with_limits(TimeLimits::none()) })
        }),
        own_row("TimeLimits::outside", |with| {
            let limits = TimeLimits::default();
            verified_late(if with { limits.outside(Duration::from_millis(30)) } else { limits })
        }),
    ]
}

pub(crate) fn rows() -> Vec<Row> {
    [of_both_sides(), of_trust(), of_identities(), of_streams()].into_iter().flatten().collect()
}
