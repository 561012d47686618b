//! Configurations that share their sessions under a name: what a session was made with is held against each of them by itself.
#![allow(clippy::unwrap_used)]

use clasp::config::{ClientBuilder, DangerousAcceptAnyone, PreSharedKey, Ready, ServerBuilder};
use clasp::crypto::{HashId, Provider};
use clasp::session::{ClientSessionCache, ClientSessions, PeerKey, ServerSessionCache, TicketKeys};
use clasp::wire::code::{CertificateType, CipherSuite, ProtocolVersion};
use clasp::{ClientAuth, ClientConfig, Identity, Policy, Result, Resumption, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const ONE: CipherSuite = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
const OTHER: CipherSuite = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384;

fn classic(suites: &[CipherSuite]) -> Policy {
    Policy::default().with_versions([ProtocolVersion::Tls12]).with_suites(suites)
}

fn cache() -> Arc<dyn ClientSessions> {
    Arc::new(ClientSessionCache::new(16))
}

fn keys() -> Arc<TicketKeys> {
    Arc::new(TicketKeys::random(Provider::builtin(), HOUR, 24 * HOUR).unwrap())
}

fn client(store: &Arc<dyn ClientSessions>) -> ClientBuilder<Ready> {
    let client = ClientConfig::builder().trust(authority().roots()).policy(classic(&[ONE, OTHER]));
    client.sessions(store.clone()).session_context("ours")
}

fn nameless() -> ServerBuilder<Ready> {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    ServerConfig::builder().identity(identity).policy(classic(&[ONE, OTHER]))
}

fn server() -> ServerBuilder<Ready> {
    nameless().session_context("theirs")
}

/// What a connection was resumed by.
fn met(client: ClientBuilder<Ready>, server: ServerBuilder<Ready>) -> Result<Option<Resumption>> {
    let mut pair = Pair::new(&client.build()?, &server.build()?);
    pair.drive()?;
    pair.server_sends(b"x")?;
    pair.drive()?;
    assert_eq!(pair.client.facts().unwrap().resumed, pair.server.facts().unwrap().resumed);
    Ok(pair.server.facts().unwrap().resumed)
}

/// One that its configuration could not have made is not offered, nor kept; one that it could have made is not lost for a server
/// that knows nothing of it.
#[test]
fn a_client_keeps_the_session_that_it_could_have_made() {
    type Change = fn(ClientBuilder<Ready>) -> ClientBuilder<Ready>;
    /// Whether a session still holds: of the extended master secret or not, by ticket or by ID.
    type Holds = fn(bool, bool) -> bool;
    let cases: [(&str, Change, Holds); 7] = [
        ("nothing", |c| c, |_, _| true),
        ("its suite has gone", |c| c.policy(classic(&[OTHER])), |_, _| false),
        ("its suite is among others", |c| c.policy(classic(&[OTHER, ONE])), |_, _| true),
        ("no extended master secret", |c| c.extended_master_secret(false), |extended, _| !extended),
        (
            "the extended master secret or nothing",
            |c| c.policy(classic(&[ONE, OTHER]).require_extended_master_secret(true)),
            |extended, _| extended,
        ),
        (
            "an identity",
            |c| c.identity(authority().issue(KeyKind::P256, &["alice"]).identity()),
            |extended, _| extended,
        ),
        ("no tickets", |c| c.session_tickets(false), |_, ticket| !ticket),
    ];
    for (what, change, holds) in cases {
        for (extended, ticket) in [(true, true), (true, false), (false, true), (false, false)] {
            let store = cache();
            let first = server().policy(classic(&[ONE])).extended_master_secret(extended);
            let first = if ticket { first.tickets(keys()) } else { first };
            assert_eq!(met(client(&store), first).unwrap(), None);
            assert_eq!(met(change(client(&store)), nameless().no_sessions()).unwrap(), None);
            let kept = store.take(&PeerKey("localhost".into()));
            assert_eq!(kept.is_some(), holds(extended, ticket), "{what}, extended: {extended}, ticket: {ticket}");
        }
    }
}

#[test]
fn a_client_that_takes_no_tickets_offers_none_in_tls13_either() {
    let (store, keys) = (cache(), keys());
    let modern = || client(&store).policy(Policy::modern());
    let server = || server().policy(Policy::modern()).tickets(keys.clone());
    assert_eq!(met(modern(), server()).unwrap(), None);
    assert_eq!(met(modern(), server()).unwrap(), Some(Resumption::Ticket));
    assert_eq!(met(modern().session_tickets(false), server()).unwrap(), None);
}

/// RFC 5246 7.4.1.3, RFC 7627 5.3: a full handshake follows, or the refusal that a new client would meet.
#[test]
fn a_server_resumes_the_session_that_it_could_have_made() {
    type Change = fn(ServerBuilder<Ready>) -> ServerBuilder<Ready>;
    type Met = core::result::Result<Option<Resumption>, ()>;
    let plain: Change = |s| s.extended_master_secret(false);
    let strict: Change = |s| s.policy(classic(&[ONE, OTHER]).require_extended_master_secret(true));
    let again = Ok(Some(Resumption::Ticket));
    // What the client does, how the session was made, and what there is now.
    let cases: [(&str, bool, Change, Change, Met); 7] = [
        ("nothing changes", true, |s| s, |s| s, again),
        ("its suite has gone", true, |s| s.policy(classic(&[ONE])), |s| s.policy(classic(&[OTHER])), Ok(None)),
        ("its suite is among others", true, |s| s.policy(classic(&[ONE])), |s| s, again),
        ("no extended master secret now", true, |s| s, plain, Ok(None)),
        ("none then, and the client has it", true, plain, |s| s, Ok(None)),
        ("none then, nor now", false, plain, |s| s, again),
        ("none then, and it is required", false, plain, strict, Err(())),
    ];
    for (what, extended, before, after, wanted) in cases {
        let (store, keys) = (cache(), keys());
        let client = || client(&store).extended_master_secret(extended);
        assert_eq!(met(client(), before(server().tickets(keys.clone()))).unwrap(), None);
        assert_eq!(met(client(), after(server().tickets(keys.clone()))).map_err(drop), wanted, "{what}");
    }
}

/// RFC 5077 3.2: an empty extension asks for a ticket, and is none.
#[test]
fn a_server_that_has_learnt_tickets_still_resumes_by_id() {
    let (store, kept) = (cache(), Arc::new(ServerSessionCache::new(1 << 20)));
    let server = || server().sessions(kept.clone());
    assert_eq!(met(client(&store), server()).unwrap(), None);
    assert_eq!(met(client(&store), server().tickets(keys())).unwrap(), Some(Resumption::SessionId));
}

#[test]
fn a_raw_key_of_then_is_none_where_certificates_are_taken_alone() {
    for policy in [classic(&[ONE, OTHER]), Policy::modern()] {
        let (store, keys) = (cache(), keys());
        let asks = || {
            let auth = ClientAuth::Require(Arc::new(DangerousAcceptAnyone));
            server().policy(policy.clone()).tickets(keys.clone()).client_auth(auth)
        };
        let raw = Identity::raw_public_key(&authority().issue(KeyKind::P256, &["alice"]).key).unwrap();
        let raw = Arc::new(raw);
        let alice = || client(&store).policy(policy.clone()).identity(raw.clone());
        let both = [CertificateType::RawPublicKey, CertificateType::X509];
        assert_eq!(met(alice(), asks().client_certificate_types(both)).unwrap(), None);
        assert_eq!(met(alice(), asks().client_certificate_types(both)).unwrap(), Some(Resumption::Ticket));
        assert!(met(alice(), asks()).is_err(), "there is no certificate to show");
    }
}

/// A session that a pre-shared key authenticated ends with that key, and one of a certificate where keys alone count.
#[test]
fn a_session_ends_with_the_key_that_authenticated_it() {
    let suites = [CipherSuite::TLS_AES_128_GCM_SHA256];
    let key = |name: &str| PreSharedKey::external(name.as_bytes(), &[7; 32], HashId::Sha256).unwrap();
    let policy = || Policy::modern().with_suites(suites);
    let trusting = |store: &Arc<dyn ClientSessions>, names: &[&str]| {
        let client = ClientConfig::builder().trust_pre_shared_keys(names.iter().map(|name| key(name)));
        client.policy(policy()).sessions(store.clone()).session_context("ours")
    };
    let keys = keys();
    let only = |names: &[&str]| {
        let server = ServerConfig::builder().pre_shared_keys_only(names.iter().map(|name| key(name)));
        server.policy(policy()).tickets(keys.clone()).session_context("theirs")
    };
    let (ticket, external) = (Some(Resumption::Ticket), Some(Resumption::ExternalPsk));
    for (then, now, wanted) in [(["a", "b"], ["b", "a"], ticket), (["a", "c"], ["b", "c"], external)] {
        // The client's keys change, or the server's.
        let store = cache();
        assert_eq!(met(trusting(&store, &then), only(&["a", "b", "c"])).unwrap(), external);
        assert_eq!(met(trusting(&store, &now), only(&["a", "b", "c"])).unwrap(), wanted, "the client's");
        let store = cache();
        assert_eq!(met(trusting(&store, &["a", "b", "c"]), only(&then)).unwrap(), external);
        assert_eq!(met(trusting(&store, &["a", "b", "c"]), only(&now)).unwrap(), wanted, "the server's");
    }
    // By certificate then, by keys alone now.
    let certified = || server().policy(policy()).tickets(keys.clone());
    let (store, other) = (cache(), cache());
    assert_eq!(met(client(&store).policy(policy()), certified()).unwrap(), None);
    assert_eq!(met(trusting(&store, &["a"]), certified().pre_shared_key(key("a"))).unwrap(), external, "the client's");
    assert_eq!(met(client(&other).policy(policy()), certified()).unwrap(), None);
    let may = client(&other).policy(policy()).pre_shared_key(key("a"));
    assert_eq!(met(may, only(&["a"])).unwrap(), external, "the server's");
}
