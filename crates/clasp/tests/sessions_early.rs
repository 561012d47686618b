//! Early data goes no further than its session: not to another configuration, process, suite or protocol, and not twice.
#![allow(clippy::unwrap_used)]

use clasp::config::{ClientBuilder, Ready, ServerBuilder, WebPki};
use clasp::crypto::Provider;
use clasp::session::{ServerSessionCache, ServerSessions, TicketKeys};
use clasp::wire::code::{CipherSuite, NamedGroup};
use clasp::{Answer, ClientConfig, EarlyData, EarlyDataRefusal, Policy, Result, ServerConfig};
use clasp_testkit::{Gate, KeyKind, ManualClock, Pair, SlowVerifier, authority};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

const HOUR: Duration = Duration::from_secs(3600);

/// Servers that share ticket keys and a clock.
struct Fleet {
    keys: Arc<TicketKeys>,
    clock: ManualClock,
}

impl Fleet {
    fn new() -> Self {
        let keys = Arc::new(TicketKeys::random(Provider::builtin(), HOUR, 2 * HOUR).unwrap());
        Self { keys, clock: ManualClock::at(1_800_000_000) }
    }

    fn server(&self) -> ServerBuilder<Ready> {
        let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
        let server = ServerConfig::builder().identity(identity).policy(Policy::modern()).tickets(self.keys.clone());
        server.max_early_data(1000).clock(Arc::new(self.clock.clone()))
    }

    fn client(&self) -> ClientBuilder<Ready> {
        let client = ClientConfig::builder().trust(authority().roots()).early_data(true);
        client.clock(Arc::new(self.clock.clone()))
    }
}

fn met(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) {
    let mut pair = Pair::new(client, server);
    pair.drive().unwrap();
    pair.server_sends(b"x").unwrap();
    pair.drive().unwrap();
}

/// A client's first flight with early data; none if it has no session for that.
fn flight(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> (Pair, bool) {
    let mut pair = Pair::new(client, server);
    pair.drive_one_client_flight().unwrap();
    let may = pair.client.early_data_left() > 0;
    if may {
        let mut out = core::mem::take(&mut pair.to_server);
        pair.client.send_early(b"pay 100", &mut out).unwrap();
        pair.to_server = out;
    }
    (pair, may)
}

/// What a server takes of a flight.
fn taken(server: &Arc<ServerConfig>, flight: &[u8]) -> Vec<u8> {
    let (mut flight, mut out) = (flight.to_vec(), Vec::new());
    server.accept().receive(&mut flight, &mut out).unwrap().data.to_vec()
}

/// A server that refuses early data bears as much as one that takes it, however small its records are (RFC 9846 4.2.10).
#[test]
fn early_data_in_small_records_is_skipped_as_it_is_taken() {
    for (size, stale, other_group) in [(1, false, false), (1, true, false), (64, true, false), (64, false, true)] {
        let fleet = Fleet::new();
        let server = |policy| fleet.server().policy(policy).max_early_data(20_000).build().unwrap();
        let (client, knows) = (fleet.client().build().unwrap(), server(Policy::modern()));
        met(&client, &knows);
        let retries = server(Policy::modern().with_groups([NamedGroup::Secp521r1]));
        let mut pair = Pair::new(&client, if other_group { &retries } else { &knows });
        pair.drive_one_client_flight().unwrap();
        while pair.client.early_data_left() > 0 {
            pair.client.send_early(&vec![7; size], &mut pair.to_server).unwrap();
        }
        if stale {
            fleet.clock.advance(Duration::from_secs(60));
        }
        pair.drive().unwrap();
        let outcome = pair.client.facts().unwrap().early_data;
        assert_eq!(outcome == EarlyData::Accepted, !stale && !other_group, "{outcome:?}");
        assert_eq!(pair.client.take_refused_early_data().len() + pair.server_data.len(), 20_000);
    }
}

#[test]
fn early_data_replay_two_configurations_of_one_process_take_it_once_between_them() {
    for first in [0, 1] {
        let fleet = Fleet::new();
        let (client, servers) = (fleet.client().build().unwrap(), [0, 1].map(|_| fleet.server().build().unwrap()));
        met(&client, &servers[0]);
        let (pair, _) = flight(&client, &servers[0]);
        assert_eq!(taken(&servers[first], &pair.to_server), b"pay 100");
        for server in &servers {
            assert_eq!(taken(server, &pair.to_server), b"", "a replay reached the application");
        }
    }
}

/// A store whose claims are its own, as those of another process are.
struct Elsewhere(ServerSessionCache, Option<&'static [u8]>);

impl ServerSessions for Elsewhere {
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
        self.1.map(<[u8]>::to_vec)
    }
}

#[test]
fn early_data_replay_another_process_takes_none_unless_the_claims_are_the_same() {
    for (name, wanted) in [(None, &b""[..]), (Some(&b"redis 7"[..]), b"pay 100")] {
        let fleet = Fleet::new();
        let store = |name| Arc::new(Elsewhere(ServerSessionCache::new(1 << 16), name));
        let machines = [0, 1].map(|_| fleet.server().sessions(store(name)).build().unwrap());
        let client = fleet.client().build().unwrap();
        met(&client, &machines[0]);
        let (pair, _) = flight(&client, &machines[0]);
        assert_eq!(taken(&machines[1], &pair.to_server), wanted, "{name:?}");
        assert_eq!(taken(&machines[0], &pair.to_server), b"pay 100");
    }
}

/// Claims of before are not known: a process takes no early data of tickets that are older than it, unless it is told that
/// the claims were kept.
#[test]
fn early_data_of_tickets_older_than_the_process_is_not_taken() {
    for kept in [false, true] {
        let fleet = Fleet::new();
        let store = Arc::new(Elsewhere(ServerSessionCache::new(1 << 16), Some(b"the same")));
        let client = fleet.client().build().unwrap();
        met(&client, &fleet.server().sessions(store.clone()).build().unwrap());
        fleet.clock.advance(Duration::from_secs(2));
        let started = fleet.server().sessions(store);
        let started = if kept { started.claims_kept_since(SystemTime::UNIX_EPOCH) } else { started };
        let (mut pair, may) = flight(&client, &started.build().unwrap());
        assert!(may);
        pair.drive().unwrap();
        let facts = pair.server.facts().unwrap();
        assert!(facts.resumed.is_some(), "the session itself holds");
        let wanted =
            if kept { (EarlyData::Accepted, None) } else { (EarlyData::Rejected, Some(EarlyDataRefusal::Replayed)) };
        assert_eq!((facts.early_data, facts.early_data_refusal), wanted);
    }
}

/// RFC 9846 4.2.10: early data is under the suite and the protocol of its session.
#[test]
fn early_data_is_taken_under_its_sessions_suite_and_protocol_alone() {
    type Change = fn(ServerBuilder<Ready>) -> ServerBuilder<Ready>;
    let suites = [CipherSuite::TLS_AES_128_GCM_SHA256, CipherSuite::TLS_CHACHA20_POLY1305_SHA256];
    let changes: [(Change, Option<EarlyDataRefusal>); 4] = [
        (|s| s, None),
        (
            |s| s.policy(Policy::modern().with_suites([CipherSuite::TLS_CHACHA20_POLY1305_SHA256])),
            Some(EarlyDataRefusal::Suite),
        ),
        (|s| s.alpn(["two"]), Some(EarlyDataRefusal::Protocol)),
        (|s| s.alpn(["two", "one"]), Some(EarlyDataRefusal::Protocol)),
    ];
    for (n, (change, refusal)) in changes.into_iter().enumerate() {
        let fleet = Fleet::new();
        let server = || fleet.server().alpn(["one"]).policy(Policy::modern().with_suites(suites));
        let client = fleet.client().alpn(["one", "two"]).build().unwrap();
        met(&client, &server().build().unwrap());
        let (mut pair, may) = flight(&client, &change(server()).build().unwrap());
        assert!(may);
        pair.drive().unwrap();
        let facts = pair.server.facts().unwrap();
        assert!(facts.resumed.is_some(), "change {n}: another suite with the same hash, or another protocol, resumes");
        assert_eq!(facts.early_data_refusal, refusal, "change {n}");
        assert_eq!(pair.server_data.is_empty(), refusal.is_some());
    }
}

#[test]
fn early_data_is_sent_under_a_suite_and_a_protocol_that_are_offered_alone() {
    type Change = fn(ClientBuilder<Ready>) -> ClientBuilder<Ready>;
    let changes: [(Change, bool); 3] = [
        (|c| c.alpn(["one"]), true),
        (|c| c.alpn(["two"]), false),
        (|c| c.alpn(["one"]).policy(Policy::default().with_suites([CipherSuite::TLS_CHACHA20_POLY1305_SHA256])), false),
    ];
    for (change, wanted) in changes {
        let fleet = Fleet::new();
        let suites = [CipherSuite::TLS_AES_128_GCM_SHA256, CipherSuite::TLS_CHACHA20_POLY1305_SHA256];
        let server = fleet.server().alpn(["one", "two"]).policy(Policy::modern().with_suites(suites)).build().unwrap();
        let store = Arc::new(clasp::session::ClientSessionCache::new(4));
        let client = || fleet.client().sessions(store.clone()).session_context("one client");
        met(&client().alpn(["one"]).build().unwrap(), &server);
        let (mut pair, may) = flight(&change(client()).build().unwrap(), &server);
        assert_eq!(may, wanted);
        pair.drive().unwrap();
        assert_eq!(pair.server.facts().unwrap().early_data == EarlyData::Accepted, wanted);
    }
}

/// Spends tickets elsewhere for long enough that whatever lapsed claims there are go, whichever lock they stand behind.
fn other_claims(fleet: &Fleet, server: &Arc<ServerConfig>) {
    let client = fleet.client().build().unwrap();
    for _ in 0..200 {
        met(&client, server);
        let (pair, _) = flight(&client, server);
        taken(server, &pair.to_server);
    }
}

/// RFC 9846 8.2: a register that forgets by the clock is emptied by one that leaps ahead; when it comes back, what was claimed
/// would look fresh once more.
#[test]
fn early_data_replay_after_the_clock_leapt_ahead_and_came_back() {
    for another in [false, true] {
        let fleet = Fleet::new();
        let (client, server) = (fleet.client().build().unwrap(), fleet.server().build().unwrap());
        met(&client, &server);
        let (pair, _) = flight(&client, &server);
        assert_eq!(taken(&server, &pair.to_server), b"pay 100");
        fleet.clock.advance(HOUR);
        let elsewhere = fleet.server().build().unwrap();
        other_claims(&fleet, if another { &elsewhere } else { &server });
        fleet.clock.set(1_800_000_000 + 2);
        assert_eq!(taken(&server, &pair.to_server), b"", "a replay reached the application; by another: {another}");
    }
}

/// RFC 9846 8.3: a clock that is set back makes sessions of the future; the age of such a one is not nothing, or whatever was
/// said meanwhile would be fresh for as long as it was set back by.
#[test]
fn early_data_of_a_session_from_the_future_is_not_fresh() {
    let fleet = Fleet::new();
    let server = fleet.server().build().unwrap();
    let early = |back: u64| {
        fleet.clock.set(1_800_000_000 + 7200);
        let client = fleet.client().build().unwrap();
        met(&client, &server);
        let (mut pair, _) = flight(&client, &server);
        fleet.clock.set(1_800_000_000 + 7200 - back);
        pair.drive().unwrap();
        pair.server.facts().unwrap().early_data
    };
    assert_eq!(early(5), EarlyData::Accepted, "a machine whose clock is a little behind");
    assert_eq!(early(1800), EarlyData::Rejected);
}

/// A claim lasts as long as its hello can look fresh to whoever made it, and no longer: another that has a wider window, and
/// shares the tickets, would take the same early data a second time.
#[test]
fn early_data_replay_to_a_configuration_with_a_wider_window() {
    let fleet = Fleet::new();
    let (client, narrow) = (fleet.client().build().unwrap(), fleet.server().build().unwrap());
    let wide = fleet.server().early_data_window(HOUR).build().unwrap();
    met(&client, &narrow);
    let (pair, _) = flight(&client, &narrow);
    assert_eq!(taken(&narrow, &pair.to_server), b"pay 100");
    fleet.clock.advance(Duration::from_secs(60));
    other_claims(&fleet, &narrow);
    assert_eq!(taken(&wide, &pair.to_server), b"", "a replay reached the application");
    // Of what another machine's window is nobody knows.
    let store = || Arc::new(Elsewhere(ServerSessionCache::new(1 << 16), Some(b"redis 7")));
    let elsewhere = |window| fleet.server().sessions(store()).early_data_window(window).build().unwrap();
    let (narrow, same, wide) = (elsewhere(HOUR / 60), elsewhere(HOUR / 60), elsewhere(HOUR));
    let client = fleet.client().build().unwrap();
    met(&client, &narrow);
    let (pair, _) = flight(&client, &narrow);
    assert_eq!(taken(&wide, &pair.to_server), b"", "of another window");
    assert_eq!(taken(&same, &pair.to_server), b"pay 100");
}

/// No age is longer than its field can say (RFC 9846 4.2.11). Without a bound the time a claim lasts cannot be reckoned: it
/// would not last at all, or the reckoning would end the process.
#[test]
fn a_window_longer_than_any_age_is_refused() {
    let fleet = Fleet::new();
    let day = Duration::from_secs(24 * 3600);
    let longest = 50 * day;
    fleet.server().early_data_window(longest).build().unwrap();
    for window in [longest + Duration::from_millis(1), 400_000_000 * day, Duration::MAX] {
        let refused = fleet.server().early_data_window(window).build().unwrap_err();
        assert!(refused.to_string().contains("early_data_window"), "{refused}");
    }
}

/// While the certificate of a server that has refused it is looked at, no more is taken.
#[test]
fn no_early_data_is_taken_once_it_is_refused() {
    let gate = Gate::default();
    gate.open();
    let verifier = Arc::new(SlowVerifier(gate.clone(), Arc::new(WebPki::servers(authority().roots()))));
    let client = ClientConfig::builder().dangerous_verifier(verifier).policy(Policy::modern()).early_data(true);
    let client = client.build().unwrap();
    let server = || {
        let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
        ServerConfig::builder().identity(identity).max_early_data(1000).build().unwrap()
    };
    Pair::new(&client, &server()).drive().unwrap();
    gate.close();
    let mut pair = Pair::new(&client, &server());
    pair.drive_one_client_flight().unwrap();
    assert_eq!(pair.client.send_early(b"early", &mut pair.to_server).unwrap(), 5);
    assert_eq!(pair.client.early_data_left(), 995);
    pair.drive().unwrap();
    assert!(pair.waits_outside() && pair.client.is_handshaking());
    assert_eq!(pair.client.early_data_left(), 0);
    assert!(pair.client.send_early(b"more", &mut pair.to_server).is_err());
    gate.open();
    pair.drive().unwrap();
    assert_eq!(pair.client.take_refused_early_data(), b"early");
}
