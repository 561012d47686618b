//! What each side may choose, and what it is told of the other's choice: suites, keys, compression, tickets, admission.
#![allow(clippy::unwrap_used)]

use clasp::config::{
    Admission, CertificateCompression, ClientBuilder, ClientHelloFacts, ClientIdentity, Identities, PreSharedKey,
    Ready, Reloadable, Resolver, ServerBuilder, WebPki,
};
use clasp::crypto::HashId;
use clasp::error::{Cause, Misuse, Outside, PeerError};
use clasp::session::{Opened, ServerSessionCache, TicketKeys, TicketSealer};
use clasp::suite::SUITES13;
use clasp::trace::{Direction, Observation, Observer, What};
use clasp::wire::code::{
    AlertDescription, CipherSuite, CompressionAlgorithm, HandshakeType, NamedGroup, ProtocolVersion,
};
use clasp::wire::fields::message;
use clasp::{
    Answer, ClientAuth, ClientConfig, EarlyData, EarlyDataRefusal, Error, Identity, Policy, Result, Resumption,
    ServerConfig,
};
use clasp_testkit::{KeyKind, ManualClock, Pair, authority};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

fn client() -> ClientBuilder<Ready> {
    ClientConfig::builder().trust(authority().roots())
}

fn server() -> ServerBuilder<Ready> {
    ServerConfig::builder().identity(authority().issue(KeyKind::P256, &["localhost"]).identity())
}

fn done(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Pair {
    let mut pair = Pair::new(client, server);
    pair.drive().unwrap();
    pair.client_sends(b"ping").unwrap();
    pair.drive().unwrap();
    assert_eq!(pair.server_data, b"ping");
    pair
}

fn refused(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Error {
    Pair::new(client, server).drive().unwrap_err()
}

#[test]
fn within_a_tier_the_client_chooses_the_suite() {
    let [aes128, aes256, chacha] = ["AES_128_GCM", "AES_256_GCM", "CHACHA20"]
        .map(|n| *SUITES13.iter().find(|s| s.code.name().contains(n)).unwrap());
    let equals = [aes128.code, chacha.code];
    let policy = Policy::modern().with_suite_tiers([&[aes256.code][..], &equals]);
    let server = server().policy(policy).build().unwrap();
    let suite = |order: &[CipherSuite]| {
        let client = client().policy(Policy::modern().with_suites(order)).build().unwrap();
        done(&client, &server).client.facts().unwrap().suite
    };
    assert_eq!(suite(&[chacha.code, aes128.code]), chacha.code, "the client's order");
    assert_eq!(suite(&[aes128.code, chacha.code]), aes128.code, "the client's order");
    assert_eq!(suite(&[chacha.code, aes256.code]), aes256.code, "the server's better tier");
}

#[test]
fn a_known_server_gets_the_one_share_it_takes() {
    let server = server().policy(Policy::default().with_groups([NamedGroup::Secp384r1])).build().unwrap();
    let unknown = done(&client().build().unwrap(), &server);
    assert!(unknown.client.facts().unwrap().hello_retried);
    let known = client().server_groups([NamedGroup(0x1234), NamedGroup::Secp384r1]).build().unwrap();
    let pair = done(&known, &server);
    let facts = pair.client.facts().unwrap();
    assert_eq!((facts.hello_retried, facts.group), (false, Some(NamedGroup::Secp384r1)));
}

/// Compresses by leaving out what every certificate of the test has.
struct Shrinking {
    compressed: AtomicUsize,
    decompressed: AtomicUsize,
}

impl CertificateCompression for Shrinking {
    fn algorithm(&self) -> CompressionAlgorithm {
        CompressionAlgorithm(0xff01)
    }

    fn compress(&self, certificate: &[u8]) -> Option<Vec<u8>> {
        self.compressed.fetch_add(1, Ordering::Relaxed);
        certificate.strip_prefix(&[0, 0]).map(<[u8]>::to_vec)
    }

    fn decompress(&self, compressed: &[u8], length: usize) -> Option<Vec<u8>> {
        self.decompressed.fetch_add(1, Ordering::Relaxed);
        Some([&[0, 0], compressed].concat()).filter(|body| body.len() == length)
    }
}

#[test]
fn certificates_are_compressed_in_a_way_of_the_applications_own() {
    let own = Arc::new(Shrinking { compressed: AtomicUsize::new(0), decompressed: AtomicUsize::new(0) });
    let with = client().certificate_compression_with(own.clone()).build().unwrap();
    let server = server().certificate_compression_with(own.clone()).build().unwrap();
    done(&with, &server);
    assert_eq!((own.compressed.load(Ordering::Relaxed), own.decompressed.load(Ordering::Relaxed)), (1, 1));
    done(&client().build().unwrap(), &server);
    assert_eq!(own.compressed.load(Ordering::Relaxed), 1, "a client that does not take it gets none");
    let twice = client().certificate_compression_with(own.clone()).certificate_compression_with(own);
    assert_eq!(twice.build().unwrap_err().cause(), &Cause::Misuse(Misuse::BadPolicy));
}

fn key(name: &[u8], hash: HashId) -> PreSharedKey {
    PreSharedKey::external(name, b"sixteen bytes and a few more", hash).unwrap()
}

#[test]
fn pre_shared_keys_alone_refuse_everyone_else() {
    let [a, b] = [&b"a"[..], b"b"].map(|name| key(name, HashId::Sha256));
    let suites = [SUITES13.iter().find(|s| s.hash == HashId::Sha256).unwrap().code];
    let policy = || Policy::default().with_suites(suites);
    let only =
        |keys: Vec<PreSharedKey>| ServerConfig::builder().pre_shared_keys_only(keys).policy(policy()).build().unwrap();
    let trusting =
        |keys: Vec<PreSharedKey>| ClientConfig::builder().trust_pre_shared_keys(keys).policy(policy()).build().unwrap();

    // The server's order decides, and both are told whose key it was.
    let pair = done(&trusting(vec![a.clone(), b.clone()]), &only(vec![b.clone(), a.clone()]));
    for facts in [pair.client.facts().unwrap(), pair.server.facts().unwrap()] {
        assert_eq!(facts.resumed, Some(Resumption::ExternalPsk));
        assert_eq!(facts.psk_identity.as_deref(), Some(&b"b"[..]));
        assert_eq!(facts.version, ProtocolVersion::Tls13);
    }
    // Its ticket resumes.
    let (c, s) = (trusting(vec![a.clone()]), only(vec![a.clone()]));
    done(&c, &s);
    assert_eq!(done(&c, &s).server.facts().unwrap().resumed, Some(Resumption::Ticket));

    let unknown = refused(&trusting(vec![a.clone()]), &only(vec![b.clone()]));
    assert_eq!(unknown.cause(), &Cause::Peer(PeerError::UnknownPskIdentity));
    let none = refused(&client().policy(policy()).build().unwrap(), &only(vec![b.clone()]));
    assert_eq!(none.cause(), &Cause::Peer(PeerError::UnknownPskIdentity));
    let mut with_certificate = Pair::new(&trusting(vec![a]), &server().policy(policy()).build().unwrap());
    let error = with_certificate.drive().unwrap_err();
    assert_eq!(error.cause(), &Cause::Peer(PeerError::PskRequired), "a certificate in place of the key");

    let empty = ServerConfig::builder().pre_shared_keys_only([]).build().unwrap_err();
    assert_eq!(empty.cause(), &Cause::Misuse(Misuse::BadPreSharedKey));
    let old = Policy::default().with_versions([ProtocolVersion::Tls12]);
    let error = ClientConfig::builder().trust_pre_shared_keys([b]).policy(old).build().unwrap_err();
    assert_eq!(error.cause(), &Cause::Misuse(Misuse::BadPreSharedKey));
}

/// Keeps how many pre-shared keys each hello that is sent names.
#[derive(Default)]
struct KeysNamed(Mutex<Vec<usize>>);

impl Observer for KeysNamed {
    fn observe(&self, seen: &Observation<'_>) {
        if let What::Message { direction: Direction::Sent, kind: HandshakeType::ClientHello, bytes, context, .. } =
            seen.what
        {
            let fields = message(bytes, &context).fields;
            self.0.lock().unwrap().push(fields.iter().filter(|field| field.name == "identity").count());
        }
    }
}

/// RFC 9846 4.1.2: the second hello names the keys of the first again, without those of another hash than that of the suite.
#[test]
fn a_second_hello_names_each_key_once() {
    let keys = [key(b"a", HashId::Sha256), key(b"b", HashId::Sha256), key(b"c", HashId::Sha384)];
    for (suite, again) in [(CipherSuite::TLS_AES_128_GCM_SHA256, 2), (CipherSuite::TLS_AES_256_GCM_SHA384, 1)] {
        let named = Arc::new(KeysNamed::default());
        let client = ClientConfig::builder().trust_pre_shared_keys(keys.clone()).key_shares([]);
        let client = client.observer(named.clone()).build().unwrap();
        let fit = keys.iter().filter(|key| (key.identity() == b"c") == (again == 1)).cloned();
        let server = ServerConfig::builder().pre_shared_keys_only(fit).policy(Policy::modern().with_suites([suite]));
        let pair = done(&client, &server.build().unwrap());
        assert!(pair.client.facts().unwrap().hello_retried);
        assert_eq!(*named.0.lock().unwrap(), [3, again]);
    }
}

/// Refuses the names it is given, and notes whom it saw.
struct Doorman(&'static str, Mutex<Vec<ProtocolVersion>>);

impl Admission for Doorman {
    fn admit<'a>(&'a self, hello: &'a ClientHelloFacts) -> Answer<'a, Result<()>> {
        Answer::later(async move {
            self.1.lock().unwrap().push(hello.version);
            let refused = hello.server_name.as_deref() == Some(self.0);
            if refused { Err(Error::from(Outside::ResolverRefused)) } else { Ok(()) }
        })
    }
}

#[test]
fn admission_is_asked_first_for_new_and_resumed_connections() {
    for version in [ProtocolVersion::Tls13, ProtocolVersion::Tls12] {
        let policy = Policy::default().with_versions([version]);
        let client = client().policy(policy).build().unwrap();
        let store = Arc::new(ServerSessionCache::new(1 << 20));
        let serving = |name| {
            let doorman = Arc::new(Doorman(name, Mutex::default()));
            (server().sessions(store.clone()).admission(doorman.clone()).build().unwrap(), doorman)
        };
        let (open, doorman) = serving("elsewhere");
        for resumed in [false, true] {
            let mut pair = Pair::new(&client, &open);
            while pair.client.is_handshaking() || pair.server.is_handshaking() {
                pair.drive().unwrap();
            }
            assert_eq!(pair.server.facts().unwrap().resumed.is_some(), resumed, "{version}");
        }
        assert_eq!(*doorman.1.lock().unwrap(), [version; 2]);
        let (closed, _) = serving("localhost");
        let error = refused(&client, &closed);
        assert_eq!(
            (error.cause(), error.alert()),
            (&Cause::Outside(Outside::ResolverRefused), AlertDescription::AccessDenied)
        );
    }
}

/// A sealer outside: counts, answers late, and sometimes gives nothing.
struct Service {
    keys: TicketKeys,
    sealed: AtomicUsize,
    opened: AtomicUsize,
    gives: bool,
}

impl TicketSealer for Service {
    fn seal<'a>(&'a self, now: SystemTime, session: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        Answer::later(async move {
            self.sealed.fetch_add(1, Ordering::Relaxed);
            let mut ticket = Vec::new();
            self.keys.seal(now, session, &mut ticket).ok().filter(|()| self.gives).map(|()| ticket)
        })
    }

    fn open<'a>(&'a self, now: SystemTime, ticket: &'a [u8]) -> Answer<'a, Option<Opened>> {
        Answer::later(async move {
            self.opened.fetch_add(1, Ordering::Relaxed);
            self.keys.open(now, ticket)
        })
    }

    fn lifetime(&self) -> Duration {
        self.keys.lifetime()
    }
}

#[test]
fn tickets_are_sealed_and_opened_by_a_service_that_takes_its_time() {
    let hour = Duration::from_secs(3600);
    for version in [ProtocolVersion::Tls13, ProtocolVersion::Tls12] {
        for gives in [true, false] {
            let keys = TicketKeys::random(clasp::crypto::Provider::builtin(), hour, hour).unwrap();
            let service = Arc::new(Service { keys, sealed: AtomicUsize::new(0), opened: AtomicUsize::new(0), gives });
            let server = server().tickets(service.clone()).no_sessions().build().unwrap();
            let client = client().policy(Policy::default().with_versions([version])).build().unwrap();
            for round in 0..2 {
                let mut pair = Pair::new(&client, &server);
                while pair.client.is_handshaking() || pair.server.is_handshaking() {
                    pair.drive().unwrap();
                }
                pair.drive().unwrap();
                let resumed = pair.client.facts().unwrap().resumed.is_some();
                assert_eq!(resumed, gives && round == 1, "{version}, {gives}");
            }
            assert!(service.sealed.load(Ordering::Relaxed) > 0);
            assert_eq!(service.opened.load(Ordering::Relaxed), usize::from(gives));
        }
    }
}

struct EarlyWorld {
    client: Arc<ClientConfig>,
    store: Arc<ServerSessionCache>,
    clock: ManualClock,
}

impl EarlyWorld {
    fn new() -> Self {
        let clock = ManualClock::at(1_800_000_000);
        let client = client().early_data(true).alpn(["one", "two"]).clock(Arc::new(clock.clone())).build().unwrap();
        let world = Self { client, store: Arc::new(ServerSessionCache::new(1 << 20)), clock };
        done(&world.client, &world.server(|s| s));
        world
    }

    fn server(&self, change: impl FnOnce(ServerBuilder<Ready>) -> ServerBuilder<Ready>) -> Arc<ServerConfig> {
        // Sessions are good at servers of other policies, too.
        let server = server().session_context("early world").sessions(self.store.clone());
        let server = server.max_early_data(100).clock(Arc::new(self.clock.clone()));
        let since = SystemTime::UNIX_EPOCH;
        change(server.alpn(["one"]).policy(Policy::modern()).claims_kept_since(since)).build().unwrap()
    }

    fn early(&self, server: &Arc<ServerConfig>) -> Pair {
        let mut pair = Pair::new(&self.client, server);
        pair.drive_one_client_flight().unwrap();
        let mut out = core::mem::take(&mut pair.to_server);
        pair.client.send_early(b"early", &mut out).unwrap();
        pair.to_server = out;
        pair
    }
}

/// RFC 9846 4.6.1: a server that took early data knows what the client's Finished will be, and gives its tickets before.
#[test]
fn tickets_go_ahead_of_the_clients_finished_where_early_data_was_taken() {
    let world = EarlyWorld::new();
    let server = world.server(|s| s);
    let mut pair = world.early(&server);
    let mut up = core::mem::take(&mut pair.to_server);
    let mut down = Vec::new();
    let used = pair.server.receive(&mut up, &mut down).unwrap().used;
    assert!(pair.server.is_handshaking(), "the client's Finished has not come");
    // Keying material is there already.
    let (mut half_rtt, mut after) = ([0; 32], [0; 32]);
    pair.server.export(b"EXPORTER-test", None, &mut half_rtt).unwrap();
    pair.to_client = down;
    pair.to_server = up.split_off(used);
    pair.drive().unwrap();
    pair.client.export(b"EXPORTER-test", None, &mut after).unwrap();
    assert_eq!(half_rtt, after);
    pair.server.export(b"EXPORTER-test", None, &mut after).unwrap();
    assert_eq!(half_rtt, after);
    assert_eq!(pair.server.facts().unwrap().early_data, EarlyData::Accepted);
    // The tickets that came early are as good as any.
    let mut again = world.early(&server);
    again.drive().unwrap();
    assert_eq!(again.server.facts().unwrap().early_data, EarlyData::Accepted);
    assert_eq!(again.server.facts().unwrap().ticket_age_skew, Some(0));
}

#[test]
fn both_sides_know_why_early_data_was_not_read() {
    use EarlyDataRefusal as R;
    type Change = fn(ServerBuilder<Ready>) -> ServerBuilder<Ready>;
    const SHA384: CipherSuite = CipherSuite::TLS_AES_256_GCM_SHA384;
    let cases: [(Change, R, R); 4] = [
        (|s| s.max_early_data(0), R::Disabled, R::ByServer),
        (|s| s.policy(Policy::modern().with_groups([NamedGroup::Secp521r1])), R::HelloRetried, R::HelloRetried),
        (|s| s.policy(Policy::modern().with_suites([SHA384])), R::NotResumed, R::NotResumed),
        (|s| s.alpn(["two"]), R::Protocol, R::ByServer),
    ];
    for (change, theirs, ours) in cases {
        let world = EarlyWorld::new();
        let mut pair = world.early(&world.server(change));
        pair.drive().unwrap();
        let (client, server) = (pair.client.facts().unwrap(), pair.server.facts().unwrap());
        assert_eq!((client.early_data, server.early_data), (EarlyData::Rejected, EarlyData::Rejected));
        assert_eq!((client.early_data_refusal, server.early_data_refusal), (Some(ours), Some(theirs)));
    }
}

#[test]
fn the_window_for_early_data_is_the_configurations() {
    for (window, taken) in [(Duration::from_secs(10), false), (Duration::from_secs(60), true)] {
        let world = EarlyWorld::new();
        let server = world.server(|s| s.early_data_window(window));
        let mut pair = world.early(&server);
        world.clock.advance(Duration::from_secs(30));
        pair.drive().unwrap();
        let facts = pair.server.facts().unwrap();
        assert_eq!(facts.early_data == EarlyData::Accepted, taken);
        assert_eq!(facts.early_data_refusal, (!taken).then_some(EarlyDataRefusal::Age));
        assert_eq!(facts.ticket_age_skew, Some(-30));
    }
}

#[test]
fn timestamps_that_are_no_list_are_refused_at_once() {
    let identity = || -> Identity { authority().issue(KeyKind::P256, &["localhost"]).identity() };
    assert!(identity().with_timestamps(vec![0, 3, 0, 1, 9]).is_ok());
    for bad in [&[][..], &[0, 0], &[0, 3, 0, 1], &[0, 2, 0, 0], &[0, 3, 0, 1, 9, 9]] {
        let error = identity().with_timestamps(bad.to_vec()).unwrap_err();
        assert_eq!(error.cause(), &Cause::Misuse(Misuse::BadTimestamps), "{bad:?}");
    }
}

/// An identity, or whoever chooses one, in at most one `Arc`.
#[test]
fn identities_and_choosers_are_taken_by_value_and_in_an_arc() {
    let identity = |name: &str| authority().issue(KeyKind::P256, &[name]).identity();
    let replaceable = |name| Reloadable::new([identity(name)]).unwrap();
    let builder = ServerConfig::builder;
    let servers = [
        builder().identity(identity("localhost")),
        builder().identity(Arc::new(identity("localhost"))),
        builder().identity(replaceable("localhost")),
        builder().identity(Arc::new(replaceable("localhost"))),
        builder().identity(Arc::new(replaceable("localhost")) as Arc<dyn Resolver>),
        builder().identity(Identities::new([identity("other"), identity("localhost")])),
    ];
    let clients = [
        client().identity(identity("alice")),
        client().identity(Arc::new(identity("alice"))),
        client().identity(replaceable("alice")),
        client().identity(Arc::new(replaceable("alice"))),
        client().identity(Arc::new(replaceable("alice")) as Arc<dyn ClientIdentity>),
        client().identity(Arc::new(Arc::new(identity("alice")))),
    ];
    for (server, client) in servers.into_iter().zip(clients) {
        let auth = ClientAuth::Require(Arc::new(WebPki::clients(authority().roots())));
        let pair = done(&client.build().unwrap(), &server.client_auth(auth).build().unwrap());
        assert!(pair.server.facts().unwrap().peer.is_some());
    }
}
