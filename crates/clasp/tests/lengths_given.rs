//! What a configuration and the parties outside give to be written, longer than its length can say: refused when the
//! configuration is built, with the two figures, or left out, or an error of theirs; never a panic, and no connection lost
//! for a thing that can be left out.
#![allow(clippy::unwrap_used)]

use clasp::config::{
    CertificateCompression, ClientHelloFacts, PreSharedKey, PresentedIdentity, Resolver, Signer, Verified, Verifier,
    WebPki,
};
use clasp::crypto::{HashId, PrivateKey};
use clasp::error::{Blame, Cause, Misuse, Outside};
use clasp::session::{ClientSessionCache, ClientSessions, Opened, PeerKey, Session, TicketSealer};
use clasp::wire::code::{CertificateType, CompressionAlgorithm, ProtocolVersion, SignatureScheme};
use clasp::{Answer, ClientAuth, ClientConfig, Error, Identity, Policy, Result, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime};

const TLS12: ProtocolVersion = ProtocolVersion::Tls12;
const TLS13: ProtocolVersion = ProtocolVersion::Tls13;
const VERSIONS: [ProtocolVersion; 2] = [TLS12, TLS13];

fn policy(version: ProtocolVersion) -> Policy {
    Policy::default().with_versions([version])
}

fn identity() -> Identity {
    authority().issue(KeyKind::P256, &["localhost"]).identity()
}

fn client() -> Client {
    ClientConfig::builder().trust(authority().roots())
}

fn server() -> Server {
    ServerConfig::builder().identity(identity())
}

/// Refused, with how many bytes there are and how many fit.
fn too_long<T>(what: &str, built: Result<T>, figures: [usize; 2]) {
    let error = built.map(drop).expect_err(what);
    assert_eq!((error.cause(), error.blame()), (&Cause::Misuse(Misuse::TooLong), Blame::Caller), "{what}: {error}");
    let text = error.to_string();
    let [there, fit] = figures;
    assert!(text.contains(&format!("seen: {there} bytes; wanted: at most {fit}")), "{what}: {text}");
}

/// Names these issuers, more of them from the second time it is asked on.
struct Names(AtomicUsize, Vec<usize>);

impl Names {
    fn of(counts: &[usize]) -> Arc<Self> {
        Arc::new(Self(AtomicUsize::new(0), counts.to_vec()))
    }
}

impl Verifier for Names {
    fn verify<'a>(&'a self, _: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        Answer::Now(Err(Outside::VerifierFailed.into()))
    }

    fn authorities(&self) -> Vec<Vec<u8>> {
        let asked = self.0.fetch_add(1, Ordering::Relaxed).min(self.1.len() - 1);
        vec![vec![0x30; 460]; self.1[asked]]
    }
}

#[test]
fn names_of_authorities_that_do_not_fit_are_refused_when_the_configuration_is_built() {
    for auth in [ClientAuth::Request, ClientAuth::Require] {
        too_long("1.3", server().client_auth(auth(Names::of(&[180]))).build(), [462 * 180, 65_535]);
        let tls12 = server().policy(policy(TLS12)).client_auth(auth(Names::of(&[180])));
        too_long("1.2", tls12.build(), [462 * 180, 65_535]);
        too_long("later", server().post_handshake_auth(auth(Names::of(&[180]))).build(), [462 * 180, 65_535]);
        // As many as fit; and so many that none is named.
        for count in [0, 1, 141, 201, 10_000] {
            server().client_auth(auth(Names::of(&[count]))).build().unwrap();
        }
    }
}

#[test]
fn a_verifier_that_names_more_later_costs_the_list_and_no_connection() {
    for version in VERSIONS {
        let auth = ClientAuth::Request(Names::of(&[1, 1, 180]));
        let server = server().policy(policy(version)).client_auth(auth).build().unwrap();
        for _ in 0..3 {
            Pair::new(&client().build().unwrap(), &server).drive().unwrap();
        }
    }
}

/// Names these issuers.
struct Exactly(Vec<Vec<u8>>);

impl Verifier for Exactly {
    fn verify<'a>(&'a self, _: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        Answer::Now(Err(Outside::VerifierFailed.into()))
    }

    fn authorities(&self) -> Vec<Vec<u8>> {
        self.0.clone()
    }
}

/// What a server may be built with, a client takes: the longest list of authorities that each version has room for.
#[test]
fn the_longest_request_that_can_be_built_is_taken() {
    for version in VERSIONS {
        let built = |last: usize| {
            let names = [vec![vec![0x30; 460]; 141], vec![vec![0x30; last]]].concat();
            let server = server().policy(policy(version)).client_auth(ClientAuth::Request(Arc::new(Exactly(names))));
            server.build()
        };
        let server = (1..=400).rev().find_map(|last| built(last).ok()).unwrap();
        Pair::new(&client().build().unwrap(), &server).drive().unwrap();
    }
}

/// Protocols of one length, each another.
fn names(count: usize, length: usize) -> Vec<Vec<u8>> {
    let one = |n: usize| format!("{n:05}").into_bytes().into_iter().chain([b'p'; 300]).take(length).collect();
    (0..count).map(one).collect()
}

#[test]
fn lists_of_a_client_that_do_not_fit_its_hello_are_refused_when_it_is_built() {
    too_long("protocols", client().alpn(names(330, 206)).build(), [330 * 207, 65_535]);
    client().alpn(names(300, 206)).build().unwrap();
    for (length, figure) in [(0, "0 bytes"), (256, "256 bytes")] {
        for error in
            [client().alpn(names(1, length)).build().map(drop), server().alpn(names(1, length)).build().map(drop)]
        {
            let text = error.unwrap_err().to_string();
            assert!(text.contains(figure) && text.contains("1 to 255 bytes"), "{text}");
        }
    }
    let psk =
        |n: usize| PreSharedKey::external(&[&n.to_be_bytes()[..], &[7; 30_000]].concat(), &[7; 32], HashId::Sha256);
    let two = client().pre_shared_key(psk(1).unwrap()).pre_shared_key(psk(2).unwrap());
    two.build().unwrap();
    let three = (0..3).fold(client(), |c, n| c.pre_shared_key(psk(n).unwrap()));
    let error = three.build().unwrap_err().to_string();
    assert!(error.contains("at most 65535"), "{error}");
}

/// As long as they may be, and longer: each entry stands once, so that there are not so many.
#[test]
fn lists_that_say_the_same_again_are_refused() {
    let all = Policy::default();
    let schemes = all.clone().with_schemes(vec![SignatureScheme::EcdsaSecp256r1Sha256; 40_000]);
    let groups = all.clone().with_groups(vec![all.groups()[3]; 40_000]);
    let suites = all.clone().with_suites(vec![all.suites()[0]; 40_000]);
    for policy in [schemes, groups, suites] {
        assert!(client().policy(policy.clone()).build().is_err());
        assert!(server().policy(policy).build().is_err());
    }
    let types = vec![CertificateType::RawPublicKey; 256];
    assert!(client().server_certificate_types(types.clone()).build().is_err());
    assert!(client().client_certificate_types(types).build().is_err());
}

#[test]
fn names_of_keys_have_a_length_and_so_have_contexts() {
    let figures = |made: Result<()>, there: &str, fit: &str| {
        let text = made.unwrap_err().to_string();
        assert!(text.contains(there) && text.contains(fit), "{text}");
    };
    let external = |n: usize| PreSharedKey::external(&vec![7; n], &[7; 32], HashId::Sha256).map(drop);
    external(32_767).unwrap();
    figures(external(32_768), "32768 bytes", "32767");
    figures(external(0), "0 bytes", "32767");
    let imported = |n: usize, m: usize| PreSharedKey::imported(&vec![7; n], &[7; 32], &vec![7; m]).map(drop);
    imported(1, 65_526).unwrap();
    figures(imported(1, 65_527), "65528 bytes", "65527");
}

#[test]
fn what_is_stapled_and_the_chain_are_refused_when_they_do_not_fit() {
    let stapled = |n: usize| ServerConfig::builder().identity(identity().with_ocsp(vec![7; n])).build();
    stapled(64_511).unwrap();
    too_long("a staple", stapled(64_512), [64_512, 64_511]);
    let sct = |n: usize| [&u16::try_from(n).unwrap().to_be_bytes()[..], &vec![7; n]].concat();
    let both = |n: usize| {
        let list = sct(n - 4);
        let list = [&u16::try_from(list.len()).unwrap().to_be_bytes()[..], &list].concat();
        let identity = identity().with_ocsp(vec![7; 1000]).with_timestamps(list).unwrap();
        ServerConfig::builder().identity(identity).build()
    };
    both(63_511).unwrap();
    too_long("timestamps", both(63_512), [64_512, 64_511]);
    let key = authority().issue(KeyKind::P256, &["localhost"]);
    let long = |n: usize| Identity::from_der(vec![key.chain[0].clone(), vec![7; n].into()], &key.key).unwrap();
    too_long("a certificate", ServerConfig::builder().identity(long(1 << 24)).build(), [1 << 24, (1 << 24) - 1]);
    let shown = client().identity(long(1 << 24));
    too_long("a client's", shown.build(), [1 << 24, (1 << 24) - 1]);
    // Of one more identity among several.
    let other = authority().issue(KeyKind::P256, &["other"]).identity().with_ocsp(vec![7; 65_000]);
    let several = clasp::config::Identities::new([identity(), other]);
    too_long("the second", ServerConfig::builder().identity(several).build(), [65_000, 64_511]);
}

/// Shows one identity that nobody knew of beforehand.
struct Late(Arc<Identity>);

impl Resolver for Late {
    fn resolve<'a>(&'a self, _: &'a ClientHelloFacts) -> Answer<'a, Result<Arc<Identity>>> {
        Answer::Now(Ok(self.0.clone()))
    }
}

#[test]
fn a_staple_that_comes_too_late_to_be_refused_is_left_out() {
    for version in VERSIONS {
        for length in [64_512, 65_531, 70_000, 1 << 24] {
            let late = Late(Arc::new(identity().with_ocsp(vec![7; length])));
            let server = ServerConfig::builder().identity(late).policy(policy(version)).build().unwrap();
            let mut pair = Pair::new(&client().build().unwrap(), &server);
            pair.drive().unwrap();
            assert!(pair.client.facts().is_some_and(|facts| facts.ocsp().is_none()), "{length}");
        }
    }
}

/// Signs with so many bytes.
struct Long(usize, PrivateKey);

impl Signer for Long {
    fn schemes(&self) -> &[SignatureScheme] {
        self.1.schemes()
    }

    fn sign<'a>(&'a self, _: SignatureScheme, _: &'a [u8]) -> Answer<'a, Result<Vec<u8>>> {
        Answer::Now(Ok(vec![7; self.0]))
    }
}

#[test]
fn a_signature_that_does_not_fit_is_its_signers_fault() {
    for version in VERSIONS {
        for (length, blame) in
            [(0, Blame::Outside), (65_000, Blame::Peer), (65_536, Blame::Outside), (1 << 24, Blame::Outside)]
        {
            let issued = authority().issue(KeyKind::P256, &["localhost"]);
            let signer = Arc::new(Long(length, PrivateKey::from_der(&issued.key).unwrap()));
            let identity = Identity::with_signer(issued.chain, signer).unwrap();
            let server = ServerConfig::builder().identity(identity).policy(policy(version)).build().unwrap();
            let error = Pair::new(&client().build().unwrap(), &server).drive().unwrap_err();
            assert_eq!(error.blame(), blame, "{length}: {error}");
        }
    }
}

/// Compresses to so many bytes of nothing.
struct Grows(usize);

impl CertificateCompression for Grows {
    fn algorithm(&self) -> CompressionAlgorithm {
        CompressionAlgorithm(0xff01)
    }

    fn compress(&self, _: &[u8]) -> Option<Vec<u8>> {
        Some(vec![7; self.0])
    }

    fn decompress(&self, _: &[u8], _: usize) -> Option<Vec<u8>> {
        None
    }
}

#[test]
fn what_compression_makes_too_long_is_sent_as_it_is() {
    for length in [100_000, 1 << 24] {
        let client = client().certificate_compression_with(Arc::new(Grows(length))).build().unwrap();
        let server = server().certificate_compression_with(Arc::new(Grows(length))).build().unwrap();
        Pair::new(&client, &server).drive().unwrap();
    }
}

/// Makes what it is given shorter by a hundred bytes, which it keeps.
struct Shortens(Mutex<Vec<u8>>);

impl CertificateCompression for Shortens {
    fn algorithm(&self) -> CompressionAlgorithm {
        CompressionAlgorithm(0xff01)
    }

    fn compress(&self, certificate: &[u8]) -> Option<Vec<u8>> {
        *self.0.lock().unwrap() = certificate.to_vec();
        certificate.get(100..).map(<[u8]>::to_vec)
    }

    fn decompress(&self, _: &[u8], _: usize) -> Option<Vec<u8>> {
        Some(self.0.lock().unwrap().clone())
    }
}

/// A certificate of 70 KB is taken as it is, so it is when it is a little shorter on the way.
#[test]
fn a_long_certificate_is_taken_compressed_too() {
    let names: Vec<String> = (0..3000).map(|n| format!("a-long-name-{n:06}.ex")).collect();
    let names: Vec<&str> = names.iter().map(|name| &**name).chain(["localhost"]).collect();
    let issued = authority().issue(KeyKind::P256, &names);
    assert!(issued.chain[0].len() > 66_660);
    let way = Arc::new(Shortens(Mutex::default()));
    let client = client().certificate_compression_with(way.clone()).build().unwrap();
    let server = ServerConfig::builder().identity(issued.identity()).certificate_compression_with(way).build().unwrap();
    Pair::new(&client, &server).drive().unwrap();
}

/// Keeps what it is given, and gives tickets of one length.
struct Tickets(usize, Mutex<Vec<u8>>);

impl TicketSealer for Tickets {
    fn seal<'a>(&'a self, _: SystemTime, session: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        *self.1.lock().unwrap() = session.to_vec();
        Answer::Now(Some(vec![7; self.0]))
    }

    fn open<'a>(&'a self, _: SystemTime, ticket: &'a [u8]) -> Answer<'a, Option<Opened>> {
        let plain = self.1.lock().unwrap().clone();
        Answer::Now((ticket.len() == self.0).then(|| Opened { plain: plain.into(), renew: false }))
    }

    fn lifetime(&self) -> Duration {
        Duration::from_secs(3600)
    }
}

/// Counts the sessions that come.
struct Counted(ClientSessionCache, AtomicUsize);

impl ClientSessions for Counted {
    fn put(&self, peer: &PeerKey, session: Session) {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.put(peer, session);
    }

    fn take(&self, peer: &PeerKey) -> Option<Session> {
        self.0.take(peer)
    }
}

/// 60,000 bytes fit the hello that comes next, and are resumed; more are not kept by the client, and what no ticket can be is
/// not sent.
#[test]
fn tickets_of_every_length_are_resumed_or_not_kept() {
    for version in VERSIONS {
        for (length, kept) in [
            (0, false),
            (1, true),
            (256, true),
            (16_384, true),
            (60_000, true),
            (64_500, false),
            (65_490, false),
            (65_535, false),
            (65_536, false),
            (100_000, false),
            (1 << 24, false),
        ] {
            let store = Arc::new(Counted(ClientSessionCache::new(1), AtomicUsize::new(0)));
            let client = client().sessions(store.clone()).build().unwrap();
            let sealer = Tickets(length, Mutex::default());
            let server = server().policy(policy(version)).tickets(Arc::new(sealer)).no_sessions().build().unwrap();
            for resumed in [false, kept] {
                let mut pair = Pair::new(&client, &server);
                pair.drive().unwrap_or_else(|e| panic!("{version}, {length}: {e}"));
                let facts = pair.client.facts().unwrap();
                assert_eq!(facts.resumed.is_some(), resumed, "{version}, a ticket of {length} bytes");
            }
            assert_eq!(store.1.load(Ordering::Relaxed) > 0, kept, "{version}, {length}");
        }
    }
}

/// One store, two configurations: the hello of one has less room.
#[test]
fn a_ticket_that_another_configuration_kept_is_not_offered_where_it_does_not_fit() {
    static STORE: LazyLock<Arc<ClientSessionCache>> = LazyLock::new(|| Arc::new(ClientSessionCache::new(4)));
    let short = client().sessions(STORE.clone()).build().unwrap();
    let long = client().sessions(STORE.clone()).alpn(names(200, 200)).build().unwrap();
    let server = server().tickets(Arc::new(Tickets(50_000, Mutex::default()))).no_sessions().build().unwrap();
    Pair::new(&short, &server).drive().unwrap();
    let mut pair = Pair::new(&long, &server);
    pair.drive_one_client_flight().unwrap();
    assert!(pair.to_server.len() < 50_000);
}

type Client = clasp::config::ClientBuilder<clasp::config::Ready>;
type Server = clasp::config::ServerBuilder<clasp::config::Ready>;

/// What is not a length, at its ends: refused, or a connection like any other.
#[test]
fn numbers_at_their_ends_make_no_connection_panic() {
    const SERVERS: [fn(Server, usize) -> Server; 8] = [
        |s, n| s.session_lifetime(time(n)),
        |s, n| s.max_early_data(u32::MAX).early_data_window(time(n)),
        |s, n| s.max_early_data(u32::try_from(n).unwrap_or(u32::MAX)),
        |s, n| s.record_size_limit(u16::try_from(n).unwrap_or(u16::MAX)),
        |s, n| s.record_padding(n),
        |s, n| s.tickets_per_handshake(u8::try_from(n).unwrap_or(20)),
        |s, n| s.max_record(n),
        |s, _| s,
    ];
    const CLIENTS: [fn(Client, usize) -> Client; 4] = [
        |c, n| c.record_padding(n),
        |c, n| c.max_record(n),
        |c, n| c.record_size_limit(u16::try_from(n).unwrap_or(u16::MAX)),
        |c, _| c,
    ];
    let mut connections = 0;
    for n in [0, 1, 63, 64, 16_384, 65_536, usize::MAX] {
        for version in VERSIONS {
            for (set_server, set_client) in SERVERS.iter().flat_map(|s| CLIENTS.iter().map(move |c| (s, c))) {
                let server = set_server(server().policy(policy(version)), n).build();
                let client = set_client(client().policy(policy(version)), n).build();
                let (Ok(client), Ok(server)) = (client, server) else { continue };
                connections += 1;
                for _ in 0..2 {
                    talk(&mut Pair::new(&client, &server));
                }
            }
        }
    }
    assert!(connections > 100, "{connections}");
}

fn time(n: usize) -> Duration {
    if n == usize::MAX { Duration::MAX } else { Duration::from_secs(u64::try_from(n).unwrap()) }
}

fn talk(pair: &mut Pair) {
    pair.drive().unwrap();
    pair.client_sends(&[7; 20_000]).unwrap();
    pair.server_sends(&[7; 20_000]).unwrap();
    pair.drive().unwrap();
    assert_eq!((pair.client_data.len(), pair.server_data.len()), (20_000, 20_000));
}

#[test]
fn labels_and_contexts_of_exporters_at_their_ends() {
    for version in VERSIONS {
        let mut pair = Pair::new(&client().build().unwrap(), &server().policy(policy(version)).build().unwrap());
        pair.drive().unwrap();
        for label in [0, 1, 248, 249, 250, 300, 70_000] {
            for context in [0, 65_535, 65_536] {
                let label_bytes = vec![b'l'; label];
                let exported = pair.client.export(&label_bytes, Some(&vec![7; context]), &mut [0; 100]);
                assert!(exported.is_ok() || label > 248 || context > 65_535, "{label} {context}: {exported:?}");
            }
        }
    }
}

/// A name that is no DNS name is told so, and nothing is kept of it.
#[test]
fn a_server_name_of_bytes_that_are_no_name_is_refused() {
    for version in VERSIONS {
        for (name, taken) in [
            (&b"localhost"[..], true),
            (b"LOCALHOST", true),
            (b"x", true),
            (b"127.0.0.1", true),
            (b"_a.example.", true),
            (&[b'a'; 255], true),
            (&[0xff; 9], false),
            ("b\u{fc}cher.de".as_bytes(), false),
            (b"a b", false),
            (b"a\n", false),
        ] {
            let mut pair = Pair::new(&client().policy(policy(version)).build().unwrap(), &server().build().unwrap());
            pair.drive_one_client_flight().unwrap();
            pair.to_server = renamed(&pair.to_server, name);
            let outcome = pair.server.receive(&mut pair.to_server, &mut pair.to_client).map(drop);
            assert_eq!(outcome.is_ok(), taken, "{}: {outcome:?}", name.escape_ascii());
            if let Err(error) = outcome {
                assert_eq!(error.alert().name(), "unrecognized_name");
                assert!(error.to_string().is_ascii() && !error.to_string().contains('\n'), "{error}");
            }
        }
    }
}

/// A hello with another name than `localhost`.
fn renamed(hello: &[u8], name: &[u8]) -> Vec<u8> {
    let at = hello.windows(9).position(|w| w == b"localhost").unwrap();
    let mut hello = hello.to_vec();
    hello.splice(at..at + 9, name.iter().copied());
    let more = |hello: &mut Vec<u8>, place: usize| {
        let length = u16::from_be_bytes([hello[place], hello[place + 1]]);
        let length = usize::from(length) + name.len() - 9;
        hello[place..place + 2].copy_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
    };
    let suites = 44 + usize::from(hello[43]);
    let compression = suites + 2 + usize::from(u16::from_be_bytes([hello[suites], hello[suites + 1]]));
    for place in [3, 7, at - 2, at - 5, at - 7, compression + 2] {
        more(&mut hello, place);
    }
    hello
}

/// WebPki names its roots; an error of a peer's is no business of this file.
#[test]
fn roots_are_named() {
    let auth = ClientAuth::Request(Arc::new(WebPki::clients(authority().roots())));
    let server = server().client_auth(auth).build().unwrap();
    let outcome: Result<(), Error> = Pair::new(&client().build().unwrap(), &server).drive();
    outcome.unwrap();
}
