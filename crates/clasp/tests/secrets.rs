//! No secret is left behind on the heap: every block that is freed during a handshake, a conversation and its end is
//! kept aside, and searched afterwards for the secrets that were in use.
//!
//! The secrets are learnt through a provider that notes what passes through it (premaster secrets, record keys, MAC
//! keys) and through the key log (master secrets). Only Rust's heap is seen here: AWS-LC's own is wiped by its `free`.
#![allow(clippy::unwrap_used)]

use clasp::crypto::{
    Aead, AeadId, AeadKey, BlockKey, CbcHmacKey, CbcId, CryptoResult, Digest, Group, Hash, HashContext, HashId,
    HmacKey, KeyShare, Legacy, Provider, SharedSecret, Use,
};
use clasp::keys::log::KeyLog;
use clasp::pki_types::PrivateKeyDer;
use clasp::session::{ClientSessionCache, TicketKeys};
use clasp::suite::{Auth, Bulk, Kx, SUITES, SUITES13, Suite};
use clasp::wire::code::{NamedGroup, ProtocolVersion};
use clasp::{
    ClientAuth, ClientConfig, Connection, EarlyData, Exchange, Policy, Resumption, ServerConfig, config::WebPki,
};
use clasp_testkit::{KeyKind, Pair, authority};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Room for what is freed in one scenario.
const GRAVES: usize = 32 << 20;

struct Graveyard {
    bytes: UnsafeCell<[u8; GRAVES]>,
    used: AtomicUsize,
}

// SAFETY: `bytes` is written only through `bury`, at places that `used` gives to one caller each, and read only by the
// test, on the thread that alone buries.
unsafe impl Sync for Graveyard {}

static GRAVEYARD: Graveyard = Graveyard { bytes: UnsafeCell::new([0; GRAVES]), used: AtomicUsize::new(0) };

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// The system's allocator, which keeps a copy of what is freed while this thread is watched. `realloc` is the trait's
/// own, which frees the old block, so growing vectors are seen too.
struct Keeper;

// SAFETY: everything is passed on to `System`; the block is still whole when it is copied.
unsafe impl GlobalAlloc for Keeper {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promised.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if WATCHED.with(Cell::get) {
            let at = GRAVEYARD.used.fetch_add(layout.size(), Ordering::Relaxed);
            if at + layout.size() <= GRAVES {
                // SAFETY: `block` has `layout.size()` bytes, all written (it came zeroed); the place is ours alone.
                unsafe { block.copy_to_nonoverlapping(GRAVEYARD.bytes.get().cast::<u8>().add(at), layout.size()) };
            }
        }
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static KEEPER: Keeper = Keeper;

/// Runs `act` and gives everything that was freed meanwhile.
fn freed(act: impl FnOnce()) -> &'static [u8] {
    GRAVEYARD.used.store(0, Ordering::Relaxed);
    WATCHED.with(|w| w.set(true));
    act();
    WATCHED.with(|w| w.set(false));
    let used = GRAVEYARD.used.load(Ordering::Relaxed);
    assert!(used <= GRAVES, "more was freed than there is room for: {used} bytes");
    // SAFETY: nothing is buried while this thread is not watched.
    unsafe { core::slice::from_raw_parts(GRAVEYARD.bytes.get().cast::<u8>(), used) }
}

/// What the recording provider and the key log have seen: a name and the secret.
static SEEN: Mutex<Vec<(&'static str, Vec<u8>)>> = Mutex::new(Vec::new());

fn note(name: &'static str, secret: &[u8]) {
    // The note is no leftover: it is made, and freed later, while nobody watches.
    let watched = WATCHED.with(|w| w.replace(false));
    SEEN.lock().unwrap().push((name, secret.to_vec()));
    WATCHED.with(|w| w.set(watched));
}

struct NotedHash(&'static dyn Hash);
struct NotedHmac(Box<dyn HmacKey>);
struct NotedKeyed<'a>(&'a dyn HmacKey);
struct NotedAead(&'static dyn Aead);
struct NotedGroup(&'static dyn Group);
struct NotedShare(Box<dyn KeyShare>);
struct NotedLegacy(&'static dyn Legacy);

impl Hash for NotedHash {
    fn id(&self) -> HashId {
        self.0.id()
    }
    fn start(&self) -> Box<dyn HashContext> {
        self.0.start()
    }
    fn digest(&self, parts: &[&[u8]]) -> Digest {
        self.0.digest(parts)
    }
    fn hmac(&self, key: &[u8]) -> Box<dyn HmacKey> {
        note_hmac(key);
        Box::new(NotedHmac(self.0.hmac(key)))
    }
    fn keyed(&self, key: &[u8], then: &mut dyn FnMut(&dyn HmacKey)) {
        note_hmac(key);
        self.0.keyed(key, &mut |key| then(&NotedKeyed(key)));
    }
}

fn note_hmac(key: &[u8]) {
    // The salt of an HKDF without one is zeros, and no secret; without a pre-shared key the next one is a constant.
    let known = [b"\x6f\x26\x15\xa1\x08\xc7\x02\xc5", b"\x15\x91\xda\xc5\xcb\xbf\x03\x30"];
    if key.iter().any(|b| *b != 0) && !known.iter().any(|k| key.starts_with(*k)) {
        note("an HMAC key", key);
    }
}

/// Notes what HKDF-Expand-Label gives (RFC 9846 7.1): traffic secrets, keys, the PSKs of tickets.
fn note_expanded(parts: &[&[u8]], out: &[u8]) {
    if parts.iter().any(|p| p.windows(6).any(|w| w == b"tls13 ")) {
        note("an expanded secret", out);
    }
}

impl HmacKey for NotedHmac {
    fn sign(&self, parts: &[&[u8]], out: &mut [u8]) {
        self.0.sign(parts, out);
        note_expanded(parts, out);
    }
}

impl HmacKey for NotedKeyed<'_> {
    fn sign(&self, parts: &[&[u8]], out: &mut [u8]) {
        self.0.sign(parts, out);
        note_expanded(parts, out);
    }
}

impl Aead for NotedAead {
    fn id(&self) -> AeadId {
        self.0.id()
    }
    fn key(&self, key: &[u8]) -> CryptoResult<Box<dyn AeadKey>> {
        note("an AEAD key", key);
        self.0.key(key)
    }
}

impl Group for NotedGroup {
    fn id(&self) -> NamedGroup {
        self.0.id()
    }
    fn start(&self) -> CryptoResult<Box<dyn KeyShare>> {
        Ok(Box::new(NotedShare(self.0.start()?)))
    }
    fn answer(&self, peer: &[u8], secret: &mut SharedSecret, public: &mut Vec<u8>) -> CryptoResult<()> {
        self.0.answer(peer, secret, public)?;
        note("a premaster secret", secret.expose());
        Ok(())
    }
}

impl KeyShare for NotedShare {
    fn public(&self) -> &[u8] {
        self.0.public()
    }
    fn finish(self: Box<Self>, peer: &[u8], secret: &mut SharedSecret) -> CryptoResult<()> {
        self.0.finish(peer, secret)?;
        note("a premaster secret", secret.expose());
        Ok(())
    }
    fn also(&self) -> Option<(NamedGroup, &[u8])> {
        self.0.also()
    }
    fn finish_also(self: Box<Self>, peer: &[u8], secret: &mut SharedSecret) -> CryptoResult<()> {
        self.0.finish_also(peer, secret)?;
        note("a premaster secret", secret.expose());
        Ok(())
    }
}

impl Legacy for NotedLegacy {
    fn cbc_hmac(&self, id: CbcId, mac_key: &[u8], key: &[u8], usage: Use) -> Option<CryptoResult<Box<dyn CbcHmacKey>>> {
        note("a MAC key", mac_key);
        note("a CBC key", key);
        self.0.cbc_hmac(id, mac_key, key, usage)
    }
    fn block(&self, key: &[u8], usage: Use) -> CryptoResult<Box<dyn BlockKey>> {
        note("a CBC key", key);
        self.0.block(key, usage)
    }
    fn dh(&self, p: &[u8], g: &[u8]) -> CryptoResult<Box<dyn KeyShare>> {
        Ok(Box::new(NotedShare(self.0.dh(p, g)?)))
    }
    fn ffdhe(&self, group: NamedGroup) -> Option<(&'static [u8], &'static [u8])> {
        self.0.ffdhe(group)
    }
    fn rsa_encrypt(&self, spki: &[u8], premaster: &SharedSecret) -> CryptoResult<Vec<u8>> {
        note("a premaster secret", premaster.expose());
        self.0.rsa_encrypt(spki, premaster)
    }
}

struct NotedLog;

impl KeyLog for NotedLog {
    fn log(&self, label: &'static str, _client_random: &[u8; 32], secret: &[u8]) {
        note(label, secret);
    }
}

/// A provider, noted.
fn noted(inner: &'static Provider) -> &'static Provider {
    let hashes = inner.hashes.iter().map(|h| &*Box::leak(Box::new(NotedHash(*h))) as &dyn Hash).collect::<Vec<_>>();
    let aeads = inner.aeads.iter().map(|a| &*Box::leak(Box::new(NotedAead(*a))) as &dyn Aead).collect::<Vec<_>>();
    let groups = inner.groups.iter().map(|g| &*Box::leak(Box::new(NotedGroup(*g))) as &dyn Group).collect::<Vec<_>>();
    let legacy = inner.legacy.map(|l| &*Box::leak(Box::new(NotedLegacy(l))) as &dyn Legacy);
    Box::leak(Box::new(Provider {
        name: inner.name,
        hashes: hashes.leak(),
        aeads: aeads.leak(),
        groups: groups.leak(),
        signatures: inner.signatures,
        schemes: inner.schemes,
        random: inner.random,
        legacy,
    }))
}

/// The shortest piece of a secret that is looked for: optimised, any 16 bytes; unoptimised, any 32 (or the whole of a
/// shorter secret), because there a register's worth of an older stack frame can stand in the padding of a value that
/// moves to the heap.
const PIECE: usize = if cfg!(debug_assertions) { 32 } else { 16 };
/// The shortest secret: an AES-128 key.
const SHORTEST: usize = 16;

/// The pieces of secrets that stand in `freed`, counted by name.
fn leftovers(freed: &[u8]) -> Vec<String> {
    let seen = SEEN.lock().unwrap();
    let mut wanted = std::collections::HashMap::<&[u8], (&str, &[u8])>::new();
    // Most places are ruled out by their first two bytes, without a look into the map.
    let mut begins = vec![false; 1 << 16];
    let begin = |piece: &[u8]| usize::from(u16::from_be_bytes([piece[0], piece[1]]));
    for (name, secret) in seen.iter().filter(|(_, s)| s.len() >= SHORTEST) {
        for piece in secret.windows(PIECE.min(secret.len())).step_by(4) {
            wanted.insert(&piece[..SHORTEST], (*name, piece));
            begins[begin(piece)] = true;
        }
    }
    let mut found = std::collections::BTreeMap::<&str, usize>::new();
    for (at, window) in freed.windows(SHORTEST).enumerate().filter(|(_, w)| begins[begin(w)]) {
        if let Some((name, piece)) = wanted.get(window)
            && freed[at..].starts_with(piece)
        {
            *found.entry(name).or_default() += 1;
        }
    }
    found.iter().map(|(name, count)| format!("{count} pieces of {name}")).collect()
}

/// A conversation with data both ways, its end, and the end of the connections.
fn talk(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>, resumed: Option<Resumption>) {
    let mut pair = Pair::new(client, server);
    pair.drive().unwrap();
    pair.client_sends(b"ping").unwrap();
    pair.server_sends(&[7; 3000]).unwrap();
    pair.drive().unwrap();
    assert_eq!(pair.server_data, b"ping");
    assert_eq!(pair.client.facts().unwrap().resumed, resumed);
    pair.client.rest();
    pair.server.rest();
    pair.client_sends(b"pong").unwrap();
    pair.drive().unwrap();
    assert_eq!(pair.server_data, b"pingpong");
    (pair.client, pair.server) = (waiting(pair.client), waiting(pair.server));
    pair.client_sends(b"pang").unwrap();
    pair.drive().unwrap();
    assert_eq!(pair.server_data, b"pingpongpang");
    pair.client.export(b"EXPORTER-test", None, &mut [0; 32]).unwrap();
    pair.client.close(&mut pair.to_server).unwrap();
    pair.server.close(&mut pair.to_client).unwrap();
    pair.drive().unwrap();
    drop((waiting(pair.client), waiting(pair.server)));
}

/// With its keys put aside, as an adapter does that waits.
fn waiting(connection: Connection) -> Connection {
    let mut exchange = Exchange::new(connection);
    exchange.rest();
    exchange.into_connection().unwrap()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kept {
    SessionId,
    Ticket,
}

/// What a scenario is about.
#[derive(Clone)]
struct Scenario {
    /// What the client may use.
    policy: Policy,
    kind: KeyKind,
    kept: Kept,
    etm: bool,
    /// TLS 1.3: a hello without a key share, which the server answers with a HelloRetryRequest.
    retry: bool,
}

impl Scenario {
    fn configs(&self, provider: &'static Provider) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
        // The scenario's suite by name: it may be one that no named policy has.
        let (usual, own) = (Policy::legacy(), self.policy.suites());
        let others = usual.suites().iter().filter(|suite| !own.contains(suite));
        let suites: Vec<_> = own.iter().chain(others).copied().collect();
        let mut server = ServerConfig::builder()
            .identity(authority().issue(self.kind, &["localhost"]).identity())
            .policy(usual.with_suites(suites))
            .client_auth(ClientAuth::Request(Arc::new(WebPki::clients(authority().roots()))))
            .max_early_data(1000)
            .key_log(Arc::new(NotedLog))
            .provider(provider);
        if self.kept == Kept::Ticket {
            // Long epochs: the ring has few keys to derive before it reaches today.
            let month = Duration::from_secs(30 * 24 * 3600);
            server = server.tickets(Arc::new(TicketKeys::random(provider, month, month).unwrap()));
        }
        let mut client = ClientConfig::builder()
            .trust(authority().roots())
            .policy(self.policy.clone())
            .encrypt_then_mac(self.etm)
            .identity(authority().issue(KeyKind::P256, &["alice"]).identity())
            .sessions(Arc::new(ClientSessionCache::new(4)))
            .early_data(self.policy.speaks(ProtocolVersion::Tls13))
            .key_log(Arc::new(NotedLog))
            .provider(provider);
        if self.retry {
            client = client.key_shares([]);
        }
        (client.build().unwrap(), server.build().unwrap())
    }

    /// A conversation given up, one in full, two resumed; then everything is dropped: connections, stores,
    /// configurations.
    fn run(&self, provider: &'static Provider) {
        let (client, server) = self.configs(provider);
        let tls13 = self.policy.speaks(ProtocolVersion::Tls13);
        let by = match self.kept {
            Kept::SessionId if !tls13 => Resumption::SessionId,
            _ => Resumption::Ticket,
        };
        // One that is given up in the middle, with keys made already.
        Pair::new(&client, &server).drive_server_flights(1);
        Pair::new(&client, &server).drive_client_flights(1);
        talk(&client, &server, None);
        talk(&client, &server, Some(by));
        talk(&client, &server, Some(by));
        if tls13 {
            let mut pair = Pair::new(&client, &server);
            pair.drive_one_client_flight().unwrap();
            pair.client.send_early(b"early", &mut pair.to_server).unwrap();
            pair.drive().unwrap();
            let fate = if self.retry { EarlyData::Rejected } else { EarlyData::Accepted };
            assert_eq!(pair.client.facts().unwrap().early_data, fate);
            pair.client.update_keys(true, &mut pair.to_server).unwrap();
            pair.drive().unwrap();
            pair.client_sends(b"under new keys").unwrap();
            pair.drive().unwrap();
            assert!(pair.server_data.ends_with(b"under new keys"));
        }
    }
}

fn tls12(suite: &Suite, kept: Kept, etm: bool) -> Scenario {
    let policy = Policy::legacy().with_suites([suite.code]);
    let policy = match suite.kx {
        Kx::Dhe => policy.with_groups([NamedGroup::Ffdhe2048]),
        // The P-256 of the server's key is named too: RFC 8422 5.3.
        Kx::Ecdhe => policy.with_groups([NamedGroup::Secp384r1, NamedGroup::Secp256r1]),
        _ => policy.with_groups([]),
    };
    let kind = match suite.auth {
        Auth::Rsa => KeyKind::Rsa,
        _ => KeyKind::P256,
    };
    Scenario { policy, kind, kept, etm, retry: false }
}

/// Every scenario, by name.
fn scenarios() -> Vec<(String, Scenario)> {
    let legacy = Provider::builtin().legacy.is_some();
    let mut all = Vec::new();
    for suite in SUITES.iter().filter(|s| legacy || !s.is_legacy()) {
        // MAC-then-encrypt beside encrypt-then-MAC, and the two ways to resume.
        let cbc = matches!(suite.bulk, Bulk::Cbc(_));
        for (kept, etm) in [(Kept::SessionId, true), (Kept::Ticket, !cbc)] {
            all.push((format!("{} {kept:?} etm {etm}", suite.code), tls12(suite, kept, etm)));
        }
    }
    let groups = [NamedGroup::X25519MlKem768, NamedGroup::SecP384r1MlKem1024, NamedGroup::Secp256r1];
    for (suite, group) in SUITES13.iter().zip(groups.into_iter().cycle()) {
        for (kept, retry) in [(Kept::SessionId, false), (Kept::Ticket, false), (Kept::Ticket, true)] {
            let policy = Policy::modern().with_suites([suite.code]).with_groups([group]);
            let scenario = Scenario { policy, kind: KeyKind::P256, kept, etm: true, retry };
            all.push((format!("{} {group} {kept:?} retry {retry}", suite.code), scenario));
        }
    }
    all
}

/// The search finds what it should: a secret in a freed vector, one that moved when its vector grew, and none that
/// was wiped.
fn the_search_finds_what_is_there() {
    SEEN.lock().unwrap().clear();
    let secret: Vec<u8> = (0..48).map(|i| i ^ 0xa5).collect();
    note("a planted secret", &secret);
    assert!(!leftovers(freed(|| drop(secret.clone()))).is_empty(), "a freed copy is not found");
    let grown = freed(|| {
        let mut v = secret.clone();
        v.reserve(1000);
        zeroize::Zeroize::zeroize(&mut v);
    });
    assert!(!leftovers(grown).is_empty(), "a copy left behind by growing is not found");
    let wiped = freed(|| {
        let mut v = secret.clone();
        zeroize::Zeroize::zeroize(&mut v);
    });
    assert_eq!(leftovers(wiped), Vec::<String>::new());
}

#[test]
fn no_secret_is_left_on_the_heap() {
    the_search_finds_what_is_there();
    // Certificates and keys that are made once per process are made before anybody watches.
    authority().issue(KeyKind::Rsa, &["localhost"]);
    let mut faults = Vec::new();
    // Any may be the one that is built in, by the processor: the first is AWS-LC alone, the last has all that there is.
    let choices = Provider::choices();
    for inner in [choices[0], choices[choices.len() - 1]] {
        let provider = noted(inner);
        for (name, scenario) in scenarios() {
            let name = format!("{}: {name}", inner.name);
            SEEN.lock().unwrap().clear();
            let freed = freed(|| scenario.run(provider));
            let names: Vec<_> = SEEN.lock().unwrap().iter().map(|(n, _)| *n).collect();
            for kind in ["a premaster secret", "an HMAC key"] {
                assert!(names.contains(&kind), "{name}: no {kind} was seen");
            }
            assert!(names.iter().any(|n| n.contains("CLIENT")), "{name}: nothing was logged");
            let left = leftovers(freed);
            if !left.is_empty() {
                faults.push(format!("{name}: {}", left.join(", ")));
            }
        }
    }
    faults.extend(keys_left_behind());
    assert!(faults.is_empty(), "left on the heap:\n{}", faults.join("\n"));
}

/// What is left of a private key, its bytes or its text, when an identity is made of PEM files, or of a key in DER that is handed
/// over, and dropped.
fn keys_left_behind() -> Vec<String> {
    let mut faults = Vec::new();
    for kind in [KeyKind::Rsa, KeyKind::P256, KeyKind::Ed25519] {
        let issued = authority().issue(kind, &["localhost"]);
        let (key, text) = (&issued.key[..], issued.key_pem.lines().collect::<Vec<_>>());
        let scalar = key.windows(2).position(|head| head == [4, 32]).map(|at| &key[at + 2..at + 34]);
        // The end of an RSA key is its coefficient (RFC 8017 A.1.2); the scalar of the others is in the first line of text.
        let (bytes, line) = match scalar.filter(|_| kind != KeyKind::Rsa) {
            Some(scalar) => (scalar, text[1].get(48..).unwrap_or(text[1])),
            None => (&key[key.len() - 100..], text[text.len() - 3]),
        };
        let found = |freed: &[u8], secret: &[u8]| freed.windows(16).any(|part| part == &secret[..16]);
        let from_pem = freed(|| {
            drop(clasp::Identity::from_pem(issued.chain_pem.as_bytes(), issued.key_pem.as_bytes()).unwrap());
        });
        for (what, secret) in [("bytes", bytes), ("text", line.as_bytes())] {
            if found(from_pem, secret) {
                faults.push(format!("the {what} of a key in PEM: {kind:?}"));
            }
        }
        // Its type does not wipe itself.
        let given = PrivateKeyDer::try_from(issued.key.clone()).unwrap();
        let from_der = freed(|| drop(clasp::Identity::from_der(issued.chain.clone(), given).unwrap()));
        if found(from_der, bytes) {
            faults.push(format!("the bytes of a PrivateKeyDer: {kind:?}"));
        }
    }
    faults
}
