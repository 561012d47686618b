//! What binds sessions to what decided is not in the way of ordinary use: each setup that people have resumes.
#![allow(clippy::unwrap_used)]

use clasp::config::{ClientBuilder, Identities, PreSharedKey, RawPublicKeys, Ready, ServerBuilder, WebPki};
use clasp::crypto::{HashId, Provider};
use clasp::error::{Cause, CertificateError};
use clasp::session::{ClientSessionCache, ClientSessions, ServerSessionCache, TicketKeys};
use clasp::wire::code::ProtocolVersion;
use clasp::x509::{Check, Scope};
use clasp::{ClientAuth, ClientConfig, Identity, Policy, Roots, ServerConfig, ServerName};
use clasp_testkit::{Authority, KeyKind, ManualClock, Pair, authority};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn policies() -> [Policy; 3] {
    [Policy::default(), Policy::modern(), Policy::default().with_versions([ProtocolVersion::Tls12])]
}

fn cache() -> Arc<dyn ClientSessions> {
    Arc::new(ClientSessionCache::new(16))
}

fn client(policy: &Policy) -> ClientBuilder<Ready> {
    ClientConfig::builder().trust(authority().roots()).policy(policy.clone())
}

fn identity(name: &str) -> Identity {
    authority().issue(KeyKind::P256, &[name]).identity()
}

fn server(policy: &Policy) -> ServerBuilder<Ready> {
    ServerConfig::builder().identity(identity("localhost")).policy(policy.clone())
}

fn resumed(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> bool {
    resumed_as("localhost", client, server)
}

fn resumed_as(name: &'static str, client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> bool {
    let mut pair = Pair::new(client, server);
    pair.client = client.connect(ServerName::try_from(name).unwrap());
    pair.drive().unwrap();
    pair.server_sends(b"x").unwrap();
    pair.drive().unwrap();
    let (ours, theirs) = (pair.client.facts().unwrap(), pair.server.facts().unwrap());
    assert_eq!(ours.resumed, theirs.resumed);
    ours.resumed.is_some()
}

#[track_caller]
fn resumes(what: &str, client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) {
    assert!(!resumed(client, server), "{what}: the first");
    for n in 0..10 {
        assert!(resumed(client, server), "{what}: {n}");
    }
}

/// Different each time: the same built anew.
fn fleet_keys() -> Arc<TicketKeys> {
    let mut secret = [9; 32];
    secret[0] = 1;
    Arc::new(TicketKeys::shared(Provider::builtin(), &secret, HOUR, 24 * HOUR).unwrap())
}

#[test]
fn every_ordinary_setup_resumes() {
    let requires = || ClientAuth::Require(Arc::new(WebPki::clients(authority().roots())));
    let requests = || ClientAuth::Request(Arc::new(WebPki::clients(authority().roots())));
    for policy in policies() {
        let alice = || client(&policy).identity(identity("alice")).build().unwrap();
        let plain = || client(&policy).build().unwrap();
        resumes("nothing said", &plain(), &server(&policy).build().unwrap());
        resumes("tickets", &plain(), &server(&policy).tickets(fleet_keys()).build().unwrap());
        resumes("tickets alone", &plain(), &server(&policy).tickets(fleet_keys()).no_sessions().build().unwrap());
        resumes("an identity nobody wants", &alice(), &server(&policy).build().unwrap());
        for auth in [requires, requests] {
            let asks = || server(&policy).client_auth(auth());
            resumes("client_auth", &alice(), &asks().build().unwrap());
            resumes("client_auth and tickets", &alice(), &asks().tickets(fleet_keys()).build().unwrap());
            let again = asks().verify_again_on_resumption(true).build().unwrap();
            resumes("client_auth and another look", &alice(), &again);
            let lists = vec![authority().revocation_list(&[77])];
            let strict = WebPki::clients(authority().roots()).revocation(Check::Require, Scope::Leaf, lists).unwrap();
            let auth = ClientAuth::Require(Arc::new(strict));
            resumes("lists", &alice(), &server(&policy).client_auth(auth).build().unwrap());
        }
        resumes("asked, and nothing to show", &plain(), &server(&policy).client_auth(requests()).build().unwrap());
        let named = Identities::new([identity("other.example"), identity("localhost")]);
        let several = ServerConfig::builder().identity(named).policy(policy.clone());
        resumes("several identities", &plain(), &several.build().unwrap());
        let anyone = ClientConfig::builder().dangerous_trust_anyone().policy(policy.clone()).build().unwrap();
        resumes("anyone", &anyone, &server(&policy).build().unwrap());
        let stapled = ServerConfig::builder().identity(identity("localhost").with_ocsp(b"staple".to_vec()));
        let ignores = WebPki::servers(authority().roots()).revocation(Check::Ignore, Scope::Leaf, Vec::new()).unwrap();
        let ignores = ClientConfig::builder().dangerous_verifier(Arc::new(ignores)).policy(policy.clone());
        resumes("stapled", &ignores.build().unwrap(), &stapled.policy(policy.clone()).build().unwrap());
        let early = |policy: &Policy| client(policy).early_data(true).build().unwrap();
        if policy.versions().contains(&ProtocolVersion::Tls13) {
            resumes("early data", &early(&policy), &server(&policy).max_early_data(999).build().unwrap());
            let later = server(&policy).post_handshake_auth(requires()).build().unwrap();
            let may = client(&policy).identity(identity("alice")).post_handshake_auth(true).build().unwrap();
            resumes("asked later", &may, &later);
        }
        let nameless = client(&policy).send_server_name(false).build().unwrap();
        resumes("no name sent", &nameless, &server(&policy).build().unwrap());
    }
}

#[test]
fn raw_keys_and_pre_shared_keys_resume() {
    let policy = Policy::modern();
    let own = authority().issue(KeyKind::P256, &["localhost"]);
    let raw = Identity::raw_public_key(&own.key).unwrap();
    let pinned = RawPublicKeys::new([raw.spki().to_vec()]);
    let client = ClientConfig::builder().dangerous_verifier(Arc::new(pinned)).policy(policy.clone()).build().unwrap();
    resumes("a raw key", &client, &ServerConfig::builder().identity(raw).policy(policy.clone()).build().unwrap());
    let key = || PreSharedKey::external(b"name", &[7; 32], HashId::Sha256).unwrap();
    let client = ClientConfig::builder().trust_pre_shared_keys([key()]).build().unwrap();
    let server = ServerConfig::builder().pre_shared_keys_only([key()]).build().unwrap();
    assert!(resumed(&client, &server) && resumed(&client, &server));
}

/// A process that makes its configurations anew, for each connection or when files change, from the same files; a fleet that
/// does, where each machine finds them in another order.
#[test]
fn what_is_built_anew_from_the_same_files_shares_sessions() {
    let others: Vec<Authority> = ["One", "Two", "Three"].map(Authority::new).into();
    let lists: Vec<_> = others.iter().map(|other| other.revocation_list(&[1])).collect();
    for policy in policies() {
        let (store, alice) = (cache(), authority().issue(KeyKind::P256, &["alice"]));
        let roots = |turned: bool| {
            let mut all: Vec<&[u8]> = others.iter().chain([authority()]).map(Authority::der).collect();
            if turned {
                all.reverse();
            }
            let mut roots = Roots::empty();
            all.iter().for_each(|der| roots.add_der(der).unwrap());
            Arc::new(roots)
        };
        let lists = |turned: bool| {
            if turned { lists.iter().rev().cloned().collect::<Vec<_>>() } else { lists.clone() }
        };
        let client = |turned| {
            let identity = Identity::from_der(alice.chain.clone(), &alice.key).unwrap();
            let verifier = WebPki::servers(roots(turned)).revocation(Check::Prefer, Scope::Leaf, lists(turned));
            let client = ClientConfig::builder().dangerous_verifier(Arc::new(verifier.unwrap())).policy(policy.clone());
            client.identity(identity).sessions(store.clone()).build().unwrap()
        };
        let server = |turned| {
            let verifier = WebPki::clients(roots(turned)).revocation(Check::Prefer, Scope::Leaf, lists(turned));
            let auth = ClientAuth::Require(Arc::new(verifier.unwrap()));
            server(&policy).client_auth(auth).tickets(fleet_keys()).build().unwrap()
        };
        assert!(!resumed(&client(false), &server(false)));
        for (ours, theirs) in [(false, false), (true, false), (false, true), (true, true)] {
            assert!(resumed(&client(ours), &server(theirs)), "turned: client {ours}, server {theirs}");
        }
    }
}

#[test]
fn many_names_of_one_server_resume_each_for_itself() {
    for policy in policies() {
        let both = authority().issue(KeyKind::P256, &["localhost", "other.example"]).identity();
        let store = Arc::new(ServerSessionCache::new(1 << 20));
        let server = ServerConfig::builder().identity(both).policy(policy.clone()).sessions(store).build().unwrap();
        let client = client(&policy).build().unwrap();
        for name in ["localhost", "other.example"] {
            assert!(!resumed_as(name, &client, &server));
            assert!(resumed_as(name, &client, &server));
        }
        assert!(resumed_as("localhost", &client, &server));
    }
}

/// What decided has not only changed when a setting has: a list ends (RFC 5280 5.1.2.5), and with it what it said.
#[test]
fn a_session_ends_with_the_list_that_let_its_client_in() {
    for policy in policies() {
        let clock = Arc::new(ManualClock::at(1_900_022_400 - 3 * 3600)); // three hours before 18 March 2030
        let lists = vec![authority().revocation_list_until(&[77], (2030, 3, 18))];
        let strict = WebPki::clients(authority().roots()).revocation(Check::Require, Scope::Leaf, lists).unwrap();
        let server = server(&policy).clock(clock.clone()).client_auth(ClientAuth::Require(Arc::new(strict)));
        let server = server.build().unwrap();
        let client = client(&policy).clock(clock.clone()).identity(identity("alice")).build().unwrap();
        assert!(!resumed(&client, &server));
        clock.advance(2 * HOUR);
        assert!(resumed(&client, &server));
        clock.advance(2 * HOUR);
        let refused = Pair::new(&client, &server).drive().unwrap_err();
        assert_eq!(refused.cause(), &Cause::Certificate(CertificateError::StatusUnknown));
    }
}
