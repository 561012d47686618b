//! A session neither outlives nor leaves the decision that made it; where it does not hold, the handshake is a full one.
#![allow(clippy::unwrap_used)]

use clasp::config::{
    ClientBuilder, DangerousAcceptAnyone, PresentedIdentity, Ready, ServerBuilder, Verified, Verifier, WebPki,
};
use clasp::crypto::Provider;
use clasp::error::{Cause, CertificateError, Misuse, PeerError};
use clasp::session::{ClientSessionCache, ClientSessions, Opened, PeerKey, ServerSessionCache, Session};
use clasp::session::{TicketKeys, TicketSealer};
use clasp::wire::code::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use clasp::x509::{Check, Scope};
use clasp::{Answer, ClientAuth, ClientConfig, Identity, Policy, Result, Roots, ServerConfig, ServerName};
use clasp_testkit::{Authority, KeyKind, ManualClock, Pair, authority};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const NOW: u64 = 1_900_000_000;

static GUESTS: LazyLock<Authority> = LazyLock::new(|| Authority::new("Guests"));
static STAFF: LazyLock<Authority> = LazyLock::new(|| Authority::new("Staff"));

fn policies() -> [Policy; 2] {
    [Policy::modern(), Policy::default().with_versions([ProtocolVersion::Tls12])]
}

fn identity_of(authority: &Authority, name: &str) -> Arc<Identity> {
    Arc::new(authority.issue(KeyKind::P256, &[name]).identity())
}

fn cache() -> Arc<dyn ClientSessions> {
    Arc::new(ClientSessionCache::new(16))
}

fn keys() -> Arc<TicketKeys> {
    Arc::new(TicketKeys::random(Provider::builtin(), HOUR, DAY).unwrap())
}

fn client(roots: Arc<Roots>, policy: &Policy, store: &Arc<dyn ClientSessions>) -> ClientBuilder<Ready> {
    ClientConfig::builder().trust(roots).policy(policy.clone()).sessions(store.clone())
}

fn server(policy: &Policy) -> ServerBuilder<Ready> {
    ServerConfig::builder().identity(authority().issue(KeyKind::P256, &["localhost"]).identity()).policy(policy.clone())
}

fn requires(authority: &Authority) -> ClientAuth {
    ClientAuth::Require(Arc::new(WebPki::clients(authority.roots())))
}

/// A connection with its tickets: whether it was resumed, and whether the server knows who the client is.
fn met(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Result<(bool, bool)> {
    let mut pair = Pair::new(client, server);
    pair.drive()?;
    pair.server_sends(b"x")?;
    pair.drive()?;
    let (ours, theirs) = (pair.client.facts().unwrap(), pair.server.facts().unwrap());
    assert_eq!(ours.resumed, theirs.resumed);
    Ok((ours.resumed.is_some(), theirs.client_authenticated))
}

fn resumed(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> bool {
    met(client, server).unwrap().0
}

fn cause(met: Result<(bool, bool)>) -> Cause {
    met.unwrap_err().cause().clone()
}

const UNKNOWN: Cause = Cause::Certificate(CertificateError::UnknownIssuer);

#[test]
fn a_session_that_a_careless_client_made_with_a_man_in_the_middle_is_not_resumed_by_one_that_checks() {
    for policy in policies() {
        let store = cache();
        let mallory = Authority::new("Mallory").issue(KeyKind::P256, &["localhost"]).identity();
        let mallory = ServerConfig::builder().identity(mallory).policy(policy.clone()).build().unwrap();
        let careless = ClientConfig::builder().dangerous_trust_anyone().policy(policy.clone()).sessions(store.clone());
        let careless = careless.build().unwrap();
        let strict = client(authority().roots(), &policy, &store).build().unwrap();
        assert!(!resumed(&careless, &mallory));
        assert_eq!(cause(met(&strict, &mallory)), UNKNOWN);
        assert!(resumed(&careless, &mallory), "its own is not lost");
        assert_eq!(cause(met(&strict, &mallory)), UNKNOWN);
    }
}

#[test]
fn roots_that_are_reloaded_without_an_authority_end_its_sessions_and_with_it_no_connection() {
    for policy in policies() {
        let (store, server) = (cache(), server(&policy).build().unwrap());
        let before = client(authority().roots(), &policy, &store).build().unwrap();
        assert!(!resumed(&before, &server));
        let without = client(STAFF.roots(), &policy, &store).build().unwrap();
        assert_eq!(cause(met(&without, &server)), UNKNOWN);
        let mut both = Roots::empty();
        both.add_der(authority().der()).unwrap();
        both.add_der(STAFF.der()).unwrap();
        let with = client(Arc::new(both), &policy, &store).build().unwrap();
        assert!(!resumed(&with, &server), "a full handshake");
        assert!(resumed(&with, &server));
        let same = client(authority().roots(), &policy, &store).build().unwrap();
        assert!(resumed(&same, &server), "reloaded, and the same");
    }
}

/// CVE-2025-23419's kind: where servers share ticket keys, or a store, a guest is no member of the staff.
#[test]
fn a_guests_session_lets_nobody_in_at_the_staffs_server() {
    for policy in policies() {
        for tickets in [true, false] {
            let (keys, store) = (keys(), Arc::new(ServerSessionCache::new(1 << 20)));
            let make = |auth: Option<ClientAuth>| {
                let server = server(&policy).sessions(store.clone());
                let server = if tickets { server.tickets(keys.clone()) } else { server };
                auth.into_iter().fold(server, |server, auth| server.client_auth(auth)).build().unwrap()
            };
            let (guests, staff) = (make(Some(requires(&GUESTS))), make(Some(requires(&STAFF))));
            let guest = identity_of(&GUESTS, "guest");
            let guest = || client(authority().roots(), &policy, &cache()).identity(guest.clone()).build().unwrap();
            let known = guest();
            assert_eq!(met(&known, &guests).unwrap(), (false, true));
            assert_eq!(cause(met(&known, &staff)), UNKNOWN);
            // Nor does its identity appear where nobody is asked, nor where another asks.
            for auth in [None, Some(ClientAuth::Request(Arc::new(WebPki::clients(GUESTS.roots()))))] {
                let (known, asks) = (guest(), auth.is_some());
                met(&known, &guests).unwrap();
                assert_eq!(met(&known, &make(auth)).unwrap(), (false, asks));
            }
            let known = guest();
            met(&known, &guests).unwrap();
            assert_eq!(met(&known, &make(Some(requires(&GUESTS)))).unwrap(), (true, true), "reloaded, and the same");
        }
    }
}

#[test]
fn nobody_resumes_as_alice_but_alice() {
    for policy in policies() {
        let store = cache();
        let auth = ClientAuth::Request(Arc::new(WebPki::clients(STAFF.roots())));
        let server = server(&policy).client_auth(auth).build().unwrap();
        let (alice, bob) = (identity_of(&STAFF, "alice"), identity_of(&STAFF, "bob"));
        let as_whom = |who: Option<&Arc<Identity>>| {
            let client = client(authority().roots(), &policy, &store);
            who.into_iter().fold(client, |client, who| client.identity(who.clone())).build().unwrap()
        };
        assert_eq!(met(&as_whom(Some(&alice)), &server).unwrap(), (false, true));
        assert_eq!(met(&as_whom(None), &server).unwrap(), (false, false), "nobody");
        assert_eq!(met(&as_whom(Some(&bob)), &server).unwrap(), (false, true), "bob");
        assert_eq!(met(&as_whom(Some(&alice)), &server).unwrap(), (true, true));
        assert_eq!(met(&as_whom(None), &server).unwrap(), (true, false));
    }
}

#[test]
fn configurations_that_share_a_store_lose_no_session_to_one_another() {
    for policy in policies() {
        let (store, server) = (cache(), server(&policy).build().unwrap());
        let careless =
            || ClientConfig::builder().dangerous_trust_anyone().policy(policy.clone()).sessions(store.clone());
        let two = [client(authority().roots(), &policy, &store).build().unwrap(), careless().build().unwrap()];
        for round in 0..20 {
            for client in &two {
                assert_eq!(resumed(client, &server), round > 0, "round {round}");
            }
        }
    }
}

/// Takes whom another takes, and keeps to itself by what it decides.
struct Closed(WebPki);

impl Verifier for Closed {
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        self.0.verify(peer)
    }
}

#[test]
fn a_verifier_that_says_nothing_of_itself_shares_with_nobody_but_itself() {
    for policy in policies() {
        let store = cache();
        let closed = || Arc::new(Closed(WebPki::servers(authority().roots())));
        let with = |verifier: Arc<Closed>| {
            let client = ClientConfig::builder().dangerous_verifier(verifier).policy(policy.clone());
            client.sessions(store.clone()).build().unwrap()
        };
        let (server, one) = (server(&policy).build().unwrap(), closed());
        assert!(!resumed(&with(one.clone()), &server));
        assert!(!resumed(&with(closed()), &server), "another");
        assert!(resumed(&with(one), &server), "the same in another configuration");
        let keys = keys();
        let asking = |verifier: Arc<dyn Verifier>| {
            let server = self::server(&policy).tickets(keys.clone()).client_auth(ClientAuth::Require(verifier));
            server.build().unwrap()
        };
        let closed = || -> Arc<dyn Verifier> { Arc::new(Closed(WebPki::clients(STAFF.roots()))) };
        let alice = identity_of(&STAFF, "alice");
        let alice = client(authority().roots(), &policy, &store).identity(alice).build().unwrap();
        let one = closed();
        assert!(!resumed(&alice, &asking(one.clone())));
        assert!(!resumed(&alice, &asking(closed())), "another");
        assert!(!resumed(&alice, &asking(one.clone())), "the last session was the other's");
        assert!(resumed(&alice, &asking(one)), "the same in another configuration");
    }
}

#[test]
fn a_session_is_not_resumed_under_another_policy() {
    type Change = fn(Policy) -> Policy;
    let changes: [Change; 4] = [
        |p| p.with_groups([NamedGroup::Secp256r1]),
        |p| p.with_schemes([SignatureScheme::EcdsaSecp256r1Sha256]),
        |p| p.require_extended_master_secret(true),
        |_| Policy::default(),
    ];
    for policy in policies() {
        for (n, change) in changes.into_iter().enumerate() {
            let (store, sealer) = (cache(), keys());
            let client = |policy| client(authority().roots(), policy, &store).build().unwrap();
            let server = |policy| server(policy).tickets(sealer.clone()).build().unwrap();
            let (before, after) = (policy.clone(), change(policy.clone()));
            assert!(!resumed(&client(&before), &server(&before)));
            assert!(!resumed(&client(&after), &server(&before)), "client, change {n}");
            if n < 3 {
                assert!(!resumed(&client(&before), &server(&after)), "server, change {n}");
                assert!(resumed(&client(&before), &server(&after)));
            }
        }
    }
}

#[test]
fn resumption_ends_with_the_first_certificate_however_often_it_is_done() {
    let until = rcgen::date_time_ymd(2030, 3, 20); // less than three days after NOW
    for policy in policies() {
        for of_client in [false, true] {
            let clock = Arc::new(ManualClock::at(NOW));
            let issue = |name, short: bool| {
                let change = |p: &mut rcgen::CertificateParams| {
                    if short {
                        p.not_after = until;
                    }
                };
                authority().issue_with(KeyKind::P256, &[name], change).identity()
            };
            let server = ServerConfig::builder().identity(issue("localhost", !of_client)).policy(policy.clone());
            let server = server.clock(clock.clone()).tickets(keys()).client_auth(requires(authority()));
            let server = server.build().unwrap();
            let alice = Arc::new(issue("alice", of_client));
            let client = client(authority().roots(), &policy, &cache()).clock(clock.clone()).identity(alice.clone());
            let client = client.build().unwrap();
            let end = SystemTime::from(until);
            let mut resumptions = 0;
            while clasp::config::Clock::now(&*clock) <= end {
                resumptions += usize::from(resumed(&client, &server));
                clock.advance(6 * HOUR);
            }
            assert!(resumptions > 4, "{resumptions}");
            let refused = cause(met(&client, &server));
            assert_eq!(refused, Cause::Certificate(CertificateError::Expired), "of the client: {of_client}");
        }
    }
}

#[test]
fn resumption_of_resumption_ends_after_seven_days_where_no_certificate_ends_before() {
    let clock = Arc::new(ManualClock::at(NOW));
    let policy = Policy::modern();
    let server = server(&policy).clock(clock.clone()).tickets(keys()).build().unwrap();
    let client = client(authority().roots(), &policy, &cache()).clock(clock.clone()).build().unwrap();
    for hop in 0..120 {
        let full = hop % 29 == 0;
        assert_eq!(resumed(&client, &server), !full, "after {} hours", 6 * hop);
        clock.advance(6 * HOUR);
    }
}

/// TLS 1.2 gives a new ticket with each resumption whose key is an older one; none of them makes the first decision younger.
#[test]
fn resumption_of_resumption_ends_after_seven_days_in_every_version() {
    for policy in policies() {
        for tickets in [true, false] {
            let clock = Arc::new(ManualClock::at(NOW));
            let server = server(&policy).clock(clock.clone());
            let server = if tickets { server.tickets(keys()) } else { server }.build().unwrap();
            let client = client(authority().roots(), &policy, &cache()).clock(clock.clone()).build().unwrap();
            let (mut last, mut resumptions) = (0, 0);
            for hop in 0..120 {
                if resumed(&client, &server) {
                    resumptions += 1;
                } else {
                    last = hop;
                }
                assert!(6 * (hop - last) <= 7 * 24, "a session of {} hours ago", 6 * (hop - last));
                clock.advance(6 * HOUR);
            }
            assert!(resumptions > 50, "{resumptions}");
        }
    }
}

/// RFC 5077 3.3: a ticket that comes with a resumption is offered from then on, and outlives the key of the one before.
#[test]
fn a_ticket_that_comes_with_a_resumption_takes_the_place_of_the_old_one() {
    let (policy, clock) = (&policies()[1], Arc::new(ManualClock::at(NOW)));
    let server = server(policy).clock(clock.clone()).tickets(keys()).session_lifetime(5 * DAY).build().unwrap();
    let client = client(authority().roots(), policy, &cache()).clock(clock.clone()).build().unwrap();
    assert!(!resumed(&client, &server));
    for _ in 0..5 {
        clock.advance(18 * HOUR);
        assert!(resumed(&client, &server));
    }
}

#[test]
fn a_context_by_name_shares_on_purpose_and_no_more_than_it_says() {
    for policy in policies() {
        let (store, sealer) = (cache(), keys());
        let named = |auth: Option<ClientAuth>| {
            let server = server(&policy).tickets(sealer.clone()).session_context("staff and guests");
            auth.into_iter().fold(server, |server, auth| server.client_auth(auth)).build().unwrap()
        };
        let guest = identity_of(&GUESTS, "guest");
        let named_client = |who: Option<&Arc<Identity>>| {
            let client = client(authority().roots(), &policy, &store).session_context("ours");
            who.into_iter().fold(client, |client, who| client.identity(who.clone())).build().unwrap()
        };
        let requests = |who: &Authority| ClientAuth::Request(Arc::new(WebPki::clients(who.roots())));
        let guest = || named_client(Some(&guest));
        assert_eq!(met(&guest(), &named(Some(requires(&GUESTS)))).unwrap(), (false, true));
        assert_eq!(met(&named_client(None), &named(Some(requests(&GUESTS)))).unwrap(), (true, true), "on purpose");
        // The verifier is asked again, and no identity appears where nobody asks for one.
        assert_eq!(cause(met(&guest(), &named(Some(requires(&STAFF))))), UNKNOWN);
        assert!(met(&guest(), &named(Some(requires(&GUESTS)))).unwrap().1);
        assert_eq!(met(&guest(), &named(None)).unwrap(), (false, false));
        // A session without one does not do where one is required.
        assert_eq!(met(&guest(), &named(Some(requires(&GUESTS)))).unwrap(), (false, true));
    }
    let empty = server(&Policy::modern()).session_context("").build().unwrap_err();
    assert_eq!(empty.cause(), &Cause::Misuse(Misuse::BadSetting));
    let empty = client(authority().roots(), &Policy::modern(), &cache()).session_context([]).build().unwrap_err();
    assert_eq!(empty.cause(), &Cause::Misuse(Misuse::BadSetting));
}

/// Takes everybody until it is told otherwise; may want a staple. It can be told to be quick.
#[derive(Default)]
struct Moody {
    refuses: AtomicBool,
    wants_staple: bool,
    quick: bool,
    asked: AtomicUsize,
    /// Has something to do once the peer has proven its key, and how often it did it.
    wants_proof: AtomicBool,
    proven: Arc<AtomicUsize>,
}

impl Verifier for Moody {
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.refuses.load(Ordering::Relaxed) || self.wants_staple && peer.ocsp.is_none() {
            return Answer::Now(Err(CertificateError::Revoked.into()));
        }
        match DangerousAcceptAnyone.verify(peer) {
            Answer::Now(Ok(verified)) if self.wants_proof.load(Ordering::Relaxed) => {
                let proven = Arc::clone(&self.proven);
                Answer::Now(Ok(verified.once_proven(move || {
                    proven.fetch_add(1, Ordering::Relaxed);
                    Answer::Now(Ok(()))
                })))
            }
            answer => answer,
        }
    }

    fn is_quick(&self) -> bool {
        self.quick
    }
}

/// What a verifier has to do once the peer has proven its key is never left out: a session's peer proves nothing.
#[test]
fn what_a_verifier_does_with_a_proof_is_not_skipped_by_a_session() {
    for policy in policies() {
        let moody = Arc::new(Moody::default());
        moody.wants_proof.store(true, Ordering::Relaxed);
        let proven = || moody.proven.load(Ordering::Relaxed);
        let client = ClientConfig::builder().dangerous_verifier(moody.clone()).policy(policy.clone());
        let client = client.verify_again_on_resumption(true).build().unwrap();
        let server = server(&policy).build().unwrap();
        for times in 1..3 {
            assert!(!resumed(&client, &server));
            assert_eq!(proven(), times);
        }
        moody.wants_proof.store(false, Ordering::Relaxed);
        resumed(&client, &server);
        assert!(resumed(&client, &server));

        let client = self::client(authority().roots(), &policy, &cache());
        let client = client.identity(identity_of(&STAFF, "alice")).build().unwrap();
        let server = self::server(&policy).client_auth(ClientAuth::Require(moody.clone()));
        let server = server.verify_again_on_resumption(true).build().unwrap();
        moody.wants_proof.store(true, Ordering::Relaxed);
        let before = proven();
        for times in 1..3 {
            assert_eq!(met(&client, &server).unwrap(), (false, true));
            assert_eq!(proven(), before + times);
        }
        moody.wants_proof.store(false, Ordering::Relaxed);
        met(&client, &server).unwrap();
        assert_eq!(met(&client, &server).unwrap(), (true, true));
    }
}

/// A verifier that is asked again and says no costs the session, not the connection: whoever has a new certificate by then
/// shows it.
#[test]
fn a_session_whose_peer_is_refused_by_now_is_followed_by_a_full_handshake() {
    for policy in policies() {
        let moody = Arc::new(Moody::default());
        let again = ClientConfig::builder().dangerous_verifier(moody.clone()).policy(policy.clone());
        let again = again.verify_again_on_resumption(true).build().unwrap();
        let server = server(&policy).build().unwrap();
        assert!(!resumed(&again, &server));
        assert!(resumed(&again, &server));
        moody.refuses.store(true, Ordering::Relaxed);
        let asked = moody.asked.load(Ordering::Relaxed);
        assert_eq!(cause(met(&again, &server)), Cause::Certificate(CertificateError::Revoked));
        assert_eq!(moody.asked.load(Ordering::Relaxed), asked + 2, "of the session, and of what was shown anew");
        moody.refuses.store(false, Ordering::Relaxed);
        assert!(!resumed(&again, &server) || policy.versions().contains(&ProtocolVersion::Tls13), "it was dropped");
        assert!(resumed(&again, &server));

        // A server whose client has been replaced by one with a new certificate.
        let list = |serials: &[u8]| {
            let lists = vec![authority().revocation_list(serials)];
            WebPki::clients(authority().roots()).revocation(Check::Require, Scope::Leaf, lists).unwrap()
        };
        let (keys, store) = (keys(), cache());
        let server = |serials: &[u8]| {
            let server = self::server(&policy).tickets(keys.clone()).session_context("reloads its lists");
            server.client_auth(ClientAuth::Require(Arc::new(list(serials)))).build().unwrap()
        };
        let alice = |serial: u8| {
            let change = |p: &mut rcgen::CertificateParams| p.serial_number = Some(vec![serial].into());
            let identity = Arc::new(authority().issue_with(KeyKind::P256, &["alice"], change).identity());
            let client = client(authority().roots(), &policy, &store).session_context("alice");
            client.identity(identity.clone()).build().unwrap()
        };
        assert_eq!(met(&alice(7), &server(&[])).unwrap(), (false, true));
        assert_eq!(met(&alice(7), &server(&[])).unwrap(), (true, true));
        assert_eq!(met(&alice(8), &server(&[7])).unwrap(), (false, true), "the session was of what is revoked now");
        assert_eq!(met(&alice(8), &server(&[7])).unwrap(), (true, true));
    }
}

#[test]
fn who_is_quick_is_asked_again_unless_told_otherwise_and_sees_the_staple_of_then() {
    for policy in policies() {
        for (quick, told, wanted) in [(false, None, 0), (true, None, 1), (true, Some(false), 0), (false, Some(true), 1)]
        {
            let moody = Arc::new(Moody { quick, wants_staple: true, ..Moody::default() });
            let client = ClientConfig::builder().dangerous_verifier(moody.clone()).policy(policy.clone());
            let client = told.into_iter().fold(client, |client, told| client.verify_again_on_resumption(told));
            let client = client.build().unwrap();
            let stapled = authority().issue(KeyKind::P256, &["localhost"]).identity().with_ocsp(b"staple".to_vec());
            let server = ServerConfig::builder().identity(stapled).policy(policy.clone()).build().unwrap();
            assert!(!resumed(&client, &server));
            assert!(resumed(&client, &server), "quick {quick}, told {told:?}");
            assert_eq!(moody.asked.load(Ordering::Relaxed), 1 + wanted, "quick {quick}, told {told:?}");
        }
    }
    assert!(WebPki::servers(authority().roots()).is_quick());
    assert!(!WebPki::servers(authority().roots()).remember(0).is_quick());
}

/// Seals as it should, and opens to something else.
struct Garbled(TicketKeys, fn(Vec<u8>) -> Vec<u8>);

impl TicketSealer for Garbled {
    fn seal<'a>(&'a self, now: SystemTime, session: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        TicketSealer::seal(&self.0, now, session)
    }

    fn open<'a>(&'a self, now: SystemTime, ticket: &'a [u8]) -> Answer<'a, Option<Opened>> {
        let opened = self.0.open(now, ticket);
        let garbled = |o: Opened| Opened { plain: self.1(o.plain.to_vec()).into(), renew: o.renew };
        Answer::Now(opened.map(garbled))
    }

    fn lifetime(&self) -> Duration {
        DAY
    }
}

#[test]
fn state_that_an_older_or_a_newer_program_sealed_is_no_session_and_no_failure() {
    let garblings: [fn(Vec<u8>) -> Vec<u8>; 6] = [
        |state| [&[6], &state[1..]].concat(),
        |state| [&[8], &state[1..]].concat(),
        |state| state[..state.len() - 1].to_vec(),
        |state| [&state[..], &[0]].concat(),
        |_| Vec::new(),
        |_| vec![0xff; 500],
    ];
    for policy in policies() {
        for (n, garbling) in garblings.into_iter().enumerate() {
            let keys = TicketKeys::random(Provider::builtin(), HOUR, DAY).unwrap();
            let server = server(&policy).tickets(Arc::new(Garbled(keys, garbling))).build().unwrap();
            let client = client(authority().roots(), &policy, &cache()).build().unwrap();
            assert!(!resumed(&client, &server));
            assert!(!resumed(&client, &server), "garbling {n}");
        }
    }
}

/// A store that gives whatever it has to whoever asks.
#[derive(Default)]
struct ForAnyName(Mutex<Vec<Session>>);

impl ClientSessions for ForAnyName {
    fn put(&self, _: &PeerKey, session: Session) {
        self.0.lock().unwrap().push(session);
    }

    fn take(&self, _: &PeerKey) -> Option<Session> {
        self.0.lock().unwrap().pop()
    }
}

#[test]
fn a_session_is_resumed_under_its_servers_name_alone() {
    for policy in policies() {
        let store: Arc<dyn ClientSessions> = Arc::new(ForAnyName::default());
        let both = authority().issue(KeyKind::P256, &["localhost", "other.example"]).identity();
        let server = ServerConfig::builder().identity(both).policy(policy.clone()).tickets(keys()).build().unwrap();
        let client = client(authority().roots(), &policy, &store).build().unwrap();
        let resumed_as = |name: &'static str| {
            let mut pair = Pair::new(&client, &server);
            pair.client = client.connect(ServerName::try_from(name).unwrap());
            pair.drive().unwrap();
            pair.server.facts().unwrap().resumed.is_some()
        };
        assert!(!resumed_as("localhost"));
        assert!(!resumed_as("other.example"), "another name");
        assert!(resumed_as("other.example"));
    }
}

/// RFC 7627 5.4: what a man in the middle can have in common with two connections is no keying material.
#[test]
fn triple_handshake_nothing_is_exported_without_the_extended_master_secret() {
    let policy = &policies()[1];
    for extended in [true, false] {
        let client = client(authority().roots(), policy, &cache()).extended_master_secret(extended).build().unwrap();
        let mut pair = Pair::new(&client, &server(policy).build().unwrap());
        pair.drive().unwrap();
        let mut out = [0; 32];
        for side in [&pair.client, &pair.server] {
            let exported = side.export(b"EXPORTER-test", None, &mut out);
            assert_eq!(exported.is_ok(), extended);
            let refused = exported.map_err(|e| e.cause().clone()).err();
            assert_eq!(refused, (!extended).then_some(Cause::Misuse(Misuse::ExporterUnavailable)));
        }
    }
}

/// Where a hello's session ID begins: behind the headers of record and message, version and random.
const ID: usize = 5 + 4 + 2 + 32;

/// RFC 9846 E.4: the ID that a client makes up names no session, and its echo is no resumption.
#[test]
fn an_echo_of_an_id_that_was_made_up_is_refused() {
    let client = client(authority().roots(), &Policy::default(), &cache()).build().unwrap();
    let mut pair = Pair::new(&client, &server(&policies()[1]).build().unwrap());
    pair.drive_one_client_flight().unwrap();
    let id = pair.to_server[ID..=ID + 32].to_vec();
    pair.drive_server_flights(1);
    assert_eq!((id[0], pair.to_client[ID]), (32, 32), "an ID of 32 bytes, and the server's own");
    pair.to_client[ID..=ID + 32].copy_from_slice(&id);
    assert_eq!(pair.drive().unwrap_err().cause(), &Cause::Peer(PeerError::BadSessionIdEcho));
}

/// RFC 9846 4.1.4.
#[test]
fn a_suite_that_changes_after_the_retry_is_refused() {
    let client = client(authority().roots(), &Policy::modern(), &cache()).key_shares([]).build().unwrap();
    let policy = Policy::modern().with_suites([CipherSuite::TLS_AES_128_GCM_SHA256]);
    let mut pair = Pair::new(&client, &server(&policy).build().unwrap());
    pair.drive_server_flights(2);
    // Not looked for: the same two bytes stand by chance in a random or a session ID.
    let at = ID + 1 + usize::from(pair.to_client[ID]);
    assert_eq!(pair.to_client[at..at + 2], CipherSuite::TLS_AES_128_GCM_SHA256.0.to_be_bytes());
    pair.to_client[at..at + 2].copy_from_slice(&CipherSuite::TLS_CHACHA20_POLY1305_SHA256.0.to_be_bytes());
    assert_eq!(pair.drive().unwrap_err().cause(), &Cause::Peer(PeerError::SuiteChangedAfterRetry));
}
