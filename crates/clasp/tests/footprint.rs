//! What a connection costs in memory: allocations and heap bytes per handshake, for each side, and what is kept while a
//! connection is idle. Run with `--nocapture` to see the figures.
//!
//! Counted is Rust's heap. AWS-LC has its own (cipher contexts, keys); what a process grows by per idle connection, all
//! told, is measured beside it; streams have idle_streams.rs, because a process's growth is measured once.
//!
//! What is measured hangs on the libraries that Clasp chooses for the processor at hand, so all choices are measured,
//! whatever the machine.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use clasp::crypto::Provider;
use clasp::session::{ServerSessionCache, ServerSessions, TicketKeys};
use clasp::wire::code::{CipherSuite, ProtocolVersion};
use clasp::{Answer, ClientConfig, Connection, Exchange, Policy, Progress, ServerConfig};
use clasp_testkit::idle::resident;
use clasp_testkit::{KeyKind, authority};
use core::task::{Context, Waker};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::IoSlice;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// What one side did to the heap.
#[derive(Clone, Copy, Debug, Default)]
struct Heap {
    allocations: usize,
    /// All bytes asked for, whether given back or not.
    asked: usize,
    /// Bytes that are held.
    held: isize,
    /// The most that was held.
    peak: isize,
}

thread_local! {
    static HEAP: Cell<Heap> = const { Cell::new(Heap { allocations: 0, asked: 0, held: 0, peak: 0 }) };
}

/// The system's allocator, counted per thread.
struct Counter;

fn count(change: impl FnOnce(&mut Heap)) {
    HEAP.with(|cell| {
        let mut heap = cell.get();
        change(&mut heap);
        heap.peak = heap.peak.max(heap.held);
        cell.set(heap);
    });
}

// SAFETY: everything is passed on to `System`.
unsafe impl GlobalAlloc for Counter {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(|h| {
            h.allocations += 1;
            h.asked += layout.size();
            h.held += layout.size().cast_signed();
        });
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(|h| h.held -= layout.size().cast_signed());
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTER: Counter = Counter;

/// Runs `act` on one side's account.
fn on<R>(account: &mut Heap, act: impl FnOnce() -> R) -> R {
    HEAP.with(|cell| cell.set(*account));
    let result = act();
    *account = HEAP.with(Cell::get);
    result
}

/// One side and what it has cost.
struct End {
    connection: Connection,
    heap: Heap,
}

impl End {
    fn new(make: impl FnOnce() -> Connection) -> Self {
        let mut heap = Heap::default();
        let connection = on(&mut heap, make);
        Self { connection, heap }
    }

    /// Takes all of `input`; what it says goes behind `out`, whose room is on nobody's account.
    fn take(&mut self, input: &mut [u8], out: &mut Vec<u8>) {
        let Self { connection, heap } = self;
        on(heap, || {
            connection.advance(&mut Context::from_waker(Waker::noop()), out).unwrap();
            let mut start = 0;
            while start < input.len() {
                let used = connection.receive(&mut input[start..], out).unwrap().used;
                assert!(used > 0, "a flight came whole");
                start += used;
            }
        });
    }
}

/// A whole handshake; both connections stand idle afterwards.
fn handshake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> (End, End) {
    handshake_as("localhost", client, server)
}

fn handshake_as(name: &'static str, client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> (End, End) {
    let mut client = End::new(|| client.connect(name.try_into().unwrap()));
    let mut server = End::new(|| server.accept());
    let (mut up, mut down) = (Vec::with_capacity(1 << 16), Vec::with_capacity(1 << 16));
    client.take(&mut [], &mut up);
    while client.connection.is_handshaking() || server.connection.is_handshaking() {
        server.take(&mut up, &mut down);
        up.clear();
        client.take(&mut down, &mut up);
        down.clear();
    }
    (client, server)
}

struct Figures {
    name: &'static str,
    client: Heap,
    server: Heap,
    /// The most blocks that may be taken, by client and server: as many as are (a signature may be a byte shorter than
    /// its buffer, which then shrinks).
    most: [usize; 2],
    /// What is held after `Connection::rest`, by client and server.
    resting: [isize; 2],
}

fn figures(name: &'static str, most: [usize; 2], ends: (End, End)) -> Figures {
    let (mut client, mut server) = ends;
    let (before, after) = ((client.heap, server.heap), |end: &mut End| {
        on(&mut end.heap, || end.connection.rest());
        end.heap.held
    });
    Figures { name, client: before.0, server: before.1, most, resting: [after(&mut client), after(&mut server)] }
}

fn configs(
    provider: &'static Provider,
    suite: CipherSuite,
    tickets: bool,
    resume: bool,
) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let kind = if suite.name().starts_with("TLS_RSA") { KeyKind::Rsa } else { KeyKind::P256 };
    let mut server = ServerConfig::builder()
        .identity(authority().issue(kind, &["localhost"]).identity())
        .policy(Policy::legacy())
        .provider(provider)
        .no_sessions();
    if tickets {
        let hour = Duration::from_secs(3600);
        let keys = TicketKeys::random(provider, hour, hour).unwrap();
        server = server.tickets(Arc::new(keys));
    }
    let policy = Policy::legacy().with_suites([suite]);
    let curves = Policy::default().groups().to_vec();
    let policy = policy.with_groups(if suite.name().starts_with("TLS_RSA") { Vec::new() } else { curves });
    let mut client = ClientConfig::builder().trust(authority().roots()).policy(policy).provider(provider);
    if !resume {
        client = client.no_sessions();
    }
    (client.build().unwrap(), server.build().unwrap())
}

/// Bounds a little above what is measured: half as much again is found.
const MAX_ASKED: usize = 48 * 1024;
const MAX_PEAK: isize = 20 * 1024;
/// An idle connection keeps the secrets it may need again and what is known of the peer, and no buffer. The peer's
/// certificates are those of the first connection that met it.
const MAX_IDLE: isize = 328;
/// With CBC there are HMAC keys besides.
const MAX_IDLE_CBC: isize = 5 * 1024;
/// What two AES-GCM keys add: ring's stand on Rust's heap, AWS-LC's on its own.
const MAX_RING_KEYS: isize = 1088;
/// What the process grows by: AWS-LC's two AEAD contexts of 600 bytes besides, the rounding of the allocator, and what the
/// handshakes of an unoptimised build leave in pieces too small to be used again.
const MOST_RESIDENT: usize = 2000;

#[test]
fn footprint() {
    #[cfg(target_os = "linux")]
    for provider in Provider::choices() {
        println!("{}:", provider.name);
        let max_keys = if provider.name.contains("ring") { MAX_RING_KEYS } else { 0 };
        what_a_handshake_and_an_idle_connection_cost(provider, max_keys);
        data_is_moved_without_an_allocation(provider);
    }
    adapters_hold_no_buffer_while_idle();
    a_million_sessions();
}

/// How a process that measures one choice is told which.
#[cfg(target_os = "linux")]
const NTH: &str = "CLASP_FOOTPRINT_OF";

/// What a process has grown by once, it does not grow by again: each choice has a process of its own.
#[test]
#[cfg(target_os = "linux")]
fn an_idle_connection_all_told() {
    if let Ok(nth) = std::env::var(NTH) {
        return what_an_idle_connection_holds_all_told(Provider::choices()[nth.parse::<usize>().unwrap()]);
    }
    for nth in 0..Provider::choices().len() {
        let mut one = std::process::Command::new(std::env::current_exe().unwrap());
        one.args(["--exact", "an_idle_connection_all_told", "--nocapture"]).env(NTH, nth.to_string());
        assert!(one.status().unwrap().success(), "{}", Provider::choices()[nth].name);
    }
}

fn what_a_handshake_and_an_idle_connection_cost(provider: &'static Provider, max_keys: isize) {
    let ecdhe = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
    let rsa = CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA;
    let mut all = Vec::new();
    let (client, server) = configs(provider, ecdhe, true, true);
    // Not counted: what is set up once per process or configuration, such as the ring of ticket keys.
    drop(handshake(&configs(provider, ecdhe, true, true).0, &server));
    // A client that keeps no session: the store's bytes are the store's.
    let (forgetful, plain) = configs(provider, ecdhe, false, false);
    let first = handshake(&forgetful, &plain);
    all.push(figures("ECDHE-ECDSA, full", [28, 28], handshake(&forgetful, &plain)));
    drop(first);
    drop(handshake(&client, &server));
    let resumed = handshake(&client, &server);
    assert!(resumed.0.connection.facts().unwrap().resumed.is_some());
    all.push(figures("ECDHE-ECDSA, resumed by ticket", [22, 20], resumed));
    let tls13 = CipherSuite::TLS_AES_128_GCM_SHA256;
    let (client, server) = configs(provider, tls13, true, true);
    drop(handshake(&client, &server));
    let (forgetful, plain) = configs(provider, tls13, false, false);
    let first = handshake(&forgetful, &plain);
    all.push(figures("TLS 1.3 with X25519MLKEM768, full", [29, 26], handshake(&forgetful, &plain)));
    drop(first);
    let resumed = handshake(&client, &server);
    assert!(resumed.0.connection.facts().unwrap().resumed.is_some());
    all.push(figures("TLS 1.3, resumed by ticket", [38, 34], resumed));
    if cfg!(feature = "legacy") {
        let (client, server) = configs(provider, rsa, false, false);
        let first = handshake(&client, &server);
        all.push(figures("RSA key transport with CBC, full", [30, 27], handshake(&client, &server)));
        drop(first);
    }

    let own = size_of::<Connection>();
    println!("size_of::<Connection>() = {own}");
    println!("{:<34} {:<7} {:>6} {:>8} {:>8} {:>8} {:>8}", "", "side", "allocs", "bytes", "peak", "idle", "resting");
    for f in &all {
        for (side, h, nth) in [("client", f.client, 0), ("server", f.server, 1)] {
            let Heap { allocations, asked, held, peak } = h;
            let (most, resting) = (f.most[nth], f.resting[nth]);
            println!("{:<34} {side:<7} {allocations:>6} {asked:>8} {peak:>8} {held:>8} {resting:>8}", f.name);
            let who = format!("{} {side}", f.name);
            assert!(resting < held && resting <= 2 * MAX_IDLE, "{who}: {resting} bytes while it rests");
            assert!(
                (1..=most).contains(&allocations),
                "{who} takes {allocations} blocks, and may take {most} (the figures beside its name)"
            );
            assert!(asked <= MAX_ASKED, "{who} asks for {asked} bytes, and may ask for {MAX_ASKED} (MAX_ASKED)");
            assert!(peak <= MAX_PEAK, "{who} holds {peak} bytes at its peak, and may hold {MAX_PEAK} (MAX_PEAK)");
            // A client that resumes has the store's new ticket on its account.
            let (max_idle, bound) = match f.name {
                name if name.contains("CBC") => (MAX_IDLE_CBC, "MAX_IDLE_CBC"),
                name if name.contains("resumed") => (2 * MAX_IDLE + max_keys, "twice MAX_IDLE, and the keys"),
                _ => (MAX_IDLE + max_keys, "MAX_IDLE, and the keys"),
            };
            assert!((1..=max_idle).contains(&held), "{who} holds {held} bytes idle, and may hold {max_idle} ({bound})");
        }
    }
    assert!(own <= 256, "a Connection itself: {own} bytes");
}

/// Once the buffers are there, records come and go without a look at the heap.
fn data_is_moved_without_an_allocation(provider: &'static Provider) {
    for suite in [CipherSuite::TLS_AES_128_GCM_SHA256, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256] {
        let (client, server) = configs(provider, suite, false, false);
        let (mut client, mut server) = handshake(&client, &server);
        let plain = [7; 100_000];
        let (mut wire, mut data) = (vec![0; 110_000], vec![0; 110_000]);
        let (mut grown, mut nothing) = (Vec::with_capacity(110_000), Vec::new());
        let (before, slices) =
            (HEAP.get().allocations, [IoSlice::new(&plain[..50_000]), IoSlice::new(&plain[50_000..])]);
        for _ in 0..3 {
            let moved = client.connection.send_into(&slices, &mut wire).unwrap();
            let moved = server.connection.receive_into(&mut wire[..moved.given], &mut data, &mut nothing).unwrap();
            assert_eq!(data[..moved.given], plain);
            grown.clear();
            client.connection.send(&slices, &mut grown).unwrap();
            let mut start = 0;
            while start < grown.len() {
                start += server.connection.receive(&mut grown[start..], &mut nothing).unwrap().used;
            }
        }
        assert_eq!(HEAP.get().allocations - before, 0, "{suite}");
    }
}

/// Adapters hold buffers while bytes are on their way, and none before and after: what is left over is the pool, whose
/// size does not depend on how many connections there are.
fn adapters_hold_no_buffer_while_idle() {
    const PAIRS: usize = 200;
    const POOL: usize = 16 * 4 * (17 << 10) + 4096;
    let (client, server) = configs(Provider::builtin(), CipherSuite::TLS_AES_128_GCM_SHA256, false, false);
    let pair = || {
        let (client, server) = handshake(&client, &server);
        (Exchange::new(client.connection), Exchange::new(server.connection))
    };
    let mut pairs: Vec<_> = (0..PAIRS).map(|_| pair()).collect();
    let before = HEAP.get().held;
    let mut data = [0; 10_000];
    for (client, server) in &mut pairs {
        for _ in 0..2 {
            assert_eq!(client.write(&[IoSlice::new(&[7; 30_000])]).unwrap(), 30_000);
            let mut got = 0;
            while got < 30_000 {
                match server.read(&mut data).unwrap() {
                    Progress::Data(n) => got += n,
                    end_or_more => {
                        assert_eq!(end_or_more, Progress::NeedsBytes, "nobody has closed");
                        let n = client.unsent().len().min(12_345);
                        server.room()[..n].copy_from_slice(&client.unsent()[..n]);
                        server.arrived(n);
                        client.sent(n);
                    }
                }
            }
            core::mem::swap(client, server);
        }
    }
    let held = (HEAP.get().held - before).unsigned_abs();
    println!("heap bytes that {PAIRS} pairs of idle adapters hold together: {held}");
    assert!(held <= POOL, "{held} bytes");
    drop(pairs);
}

/// A store that notes what it is to keep.
#[derive(Default)]
struct Noted(Mutex<Vec<Vec<u8>>>);

impl ServerSessions for Noted {
    fn put<'a>(&'a self, _: &'a [u8], sealed: &'a [u8], _: SystemTime) -> Answer<'a, clasp::Result<()>> {
        self.0.lock().unwrap().push(sealed.to_vec());
        Answer::Now(Ok(()))
    }
    fn get<'a>(&'a self, _: &'a [u8], _: SystemTime) -> Answer<'a, clasp::Result<Option<Zeroizing<Vec<u8>>>>> {
        Answer::Now(Ok(None))
    }
    fn claim<'a>(&'a self, _: &'a [u8], _: SystemTime, _: SystemTime) -> Answer<'a, clasp::Result<bool>> {
        Answer::Now(Ok(false))
    }
    fn forget<'a>(&'a self, _: &'a [u8]) -> Answer<'a, ()> {
        Answer::Now(())
    }
}

/// What a server keeps of a TLS 1.2 session, with a name and a protocol of the usual length.
fn a_session() -> Vec<u8> {
    let noted = Arc::new(Noted::default());
    let server = ServerConfig::builder()
        .identity(authority().issue(KeyKind::P256, &["www.shop.example.com", "localhost"]).identity())
        .alpn([&b"http/1.1"[..]])
        .sessions(noted.clone())
        .build()
        .unwrap();
    let client = ClientConfig::builder()
        .trust(authority().roots())
        .policy(Policy::default().with_versions([ProtocolVersion::Tls12]))
        .alpn([&b"http/1.1"[..]])
        .build()
        .unwrap();
    drop(handshake_as("www.shop.example.com", &client, &server));
    let kept = core::mem::take(&mut *noted.0.lock().unwrap());
    assert_eq!(kept.len(), 1);
    kept.into_iter().next().unwrap()
}

/// A million TLS 1.2 sessions in 200 MB, none lost.
fn a_million_sessions() {
    const SESSIONS: usize = 1_000_000;
    const MOST_EACH: usize = 200;
    let sealed = a_session();
    let until = SystemTime::now() + Duration::from_secs(3600);
    // IDs as the server makes them: 32 random bytes.
    let id = |n: usize| {
        let half = (n as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        [half.to_be_bytes(), half.rotate_left(64).to_le_bytes()].concat()
    };
    let (held, grown) = (HEAP.get().held, resident());
    let cache = ServerSessionCache::new(SESSIONS * MOST_EACH);
    for n in 0..SESSIONS {
        cache.put(&id(n), &sealed, until).now().unwrap().unwrap();
    }
    let each = (HEAP.get().held - held).unsigned_abs() / SESSIONS;
    let grown = resident().saturating_sub(grown) / SESSIONS;
    println!("a TLS 1.2 session of {} bytes: {each} bytes of heap, {grown} resident", sealed.len());
    assert_eq!(cache.len(), SESSIONS, "a session was put out though there was room");
    assert!(cache.get(&id(0), SystemTime::now()).now().unwrap().unwrap().is_some_and(|found| *found == sealed));
    assert!(each <= MOST_EACH, "{each} bytes for a session");
}

/// Everything an idle pair of connections holds after data both ways, the C library's part too: the process's growth
/// over thousands of pairs. The store of sessions and the certificate, which they share, are not in it.
#[cfg(target_os = "linux")]
fn what_an_idle_connection_holds_all_told(provider: &'static Provider) {
    const PAIRS: usize = 4000;
    let aes128 = CipherSuite::TLS_AES_128_GCM_SHA256;
    let (client, server) = configs(provider, aes128, false, false);
    let mut wire = vec![0; 20_000];
    let mut idle = |count: usize| {
        let talk = |_| {
            let (mut client, mut server) = handshake(&client, &server);
            data(&mut client.connection, &mut server.connection, &mut wire);
            data(&mut server.connection, &mut client.connection, &mut wire);
            (client, server)
        };
        (0..count).map(talk).collect::<Vec<_>>()
    };
    let warm = idle(100);
    let before = resident();
    let pairs = idle(PAIRS);
    let grown = resident().saturating_sub(before) / (2 * PAIRS) - size_of::<End>();
    let rust = pairs.iter().map(|(client, server)| client.heap.held + server.heap.held).sum::<isize>();
    let rust = rust.unsigned_abs() / (2 * PAIRS);
    drop((warm, pairs));
    println!("{PAIRS} idle pairs, bytes a side beside the Connection: {grown} resident, {rust} of them on Rust's heap");
    assert!((500..=MOST_RESIDENT).contains(&grown), "{grown} bytes for an idle connection");
}

/// 16 KiB from one to the other.
fn data(from: &mut Connection, to: &mut Connection, wire: &mut [u8]) {
    let moved = from.send_into(&[IoSlice::new(&[7; 16 * 1024])], wire).unwrap();
    let received = to.receive(&mut wire[..moved.given], &mut Vec::new()).unwrap();
    assert_eq!((received.used, received.data.len()), (moved.given, 16 * 1024));
}
