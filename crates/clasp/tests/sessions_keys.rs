//! Sessions that a pre-shared key authenticated.
#![allow(clippy::unwrap_used, clippy::cloned_ref_to_slice_refs)]

use clasp::config::{ClientBuilder, PreSharedKey, Ready, ServerBuilder};
use clasp::crypto::{HashId, Provider};
use clasp::error::{Cause, PeerError};
use clasp::session::{ClientSessionCache, ServerSessionCache, TicketKeys};
use clasp::wire::code::CipherSuite;
use clasp::{ClientConfig, Facts, Policy, Result, Resumption, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn key(name: &str, secret: u8) -> PreSharedKey {
    PreSharedKey::external(name.as_bytes(), &[secret; 32], HashId::Sha256).unwrap()
}

fn policy() -> Policy {
    Policy::modern().with_suites([CipherSuite::TLS_AES_128_GCM_SHA256])
}

type Share = Box<dyn Fn(ServerBuilder<Ready>) -> ServerBuilder<Ready>>;

/// The ways in which servers can have sessions in common.
fn sharing() -> [Share; 2] {
    let keys = Arc::new(TicketKeys::random(Provider::builtin(), HOUR, HOUR).unwrap());
    let store = Arc::new(ServerSessionCache::new(1 << 16));
    [
        Box::new(move |s| s.tickets(keys.clone()).session_context("shared")),
        Box::new(move |s| s.sessions(store.clone()).session_context("shared")),
    ]
}

fn with_certificate() -> ServerBuilder<Ready> {
    ServerConfig::builder().identity(authority().issue(KeyKind::P256, &["localhost"]).identity()).policy(policy())
}

fn keys_alone(keys: &[PreSharedKey]) -> ServerBuilder<Ready> {
    ServerConfig::builder().pre_shared_keys_only(keys.to_vec()).policy(policy())
}

fn met(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Result<[Arc<Facts>; 2]> {
    let mut pair = Pair::new(client, server);
    pair.drive()?;
    pair.server_sends(b"x")?;
    pair.drive()?;
    Ok([&pair.client, &pair.server].map(|side| Arc::clone(side.facts().unwrap())))
}

fn how(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Option<Resumption> {
    let [ours, theirs] = met(client, server).unwrap();
    assert_eq!((ours.resumed, &ours.psk_identity), (theirs.resumed, &theirs.psk_identity));
    ours.resumed
}

const UNKNOWN: Cause = Cause::Peer(PeerError::UnknownPskIdentity);

#[test]
fn a_resumed_session_keeps_the_name_of_its_key() {
    let client = ClientConfig::builder().trust_pre_shared_keys([key("a", 1)]).policy(policy()).build().unwrap();
    let server = keys_alone(&[key("b", 2), key("a", 1)]).build().unwrap();
    for round in 0..4 {
        for facts in met(&client, &server).unwrap() {
            let how = if round == 0 { Resumption::ExternalPsk } else { Resumption::Ticket };
            assert_eq!((facts.resumed, facts.psk_identity.as_deref()), (Some(how), Some(&b"a"[..])), "round {round}");
        }
    }
}

#[test]
fn a_server_of_keys_alone_is_not_entered_by_a_ticket_without_one_of_them() {
    for share in sharing() {
        // Of a server with a certificate, that knows nobody.
        let client = ClientConfig::builder().trust(authority().roots()).policy(policy()).build().unwrap();
        assert_eq!(how(&client, &share(with_certificate()).build().unwrap()), None);
        let refused = met(&client, &share(keys_alone(&[key("a", 1)])).build().unwrap()).unwrap_err();
        assert_eq!(refused.cause(), &UNKNOWN);
    }
}

#[test]
fn a_session_ends_when_its_key_is_taken_away() {
    let (a, again, b) = (key("a", 1), key("a", 9), key("b", 2));
    for share in sharing() {
        // Each client has a key that it no longer needs once it has a ticket.
        let client = || {
            let client = ClientConfig::builder().trust_pre_shared_keys([a.clone()]).policy(policy()).build().unwrap();
            let both = share(keys_alone(&[a.clone(), b.clone()])).build().unwrap();
            assert_eq!(how(&client, &both), Some(Resumption::ExternalPsk));
            client
        };
        let server = |keys: &[PreSharedKey]| share(keys_alone(keys)).build().unwrap();
        assert_eq!(how(&client(), &server(&[b.clone(), a.clone()])), Some(Resumption::Ticket), "it is there still");
        assert_eq!(met(&client(), &server(&[b.clone()])).unwrap_err().cause(), &UNKNOWN);
        let refused = met(&client(), &server(&[again.clone()])).unwrap_err();
        assert_eq!(refused.cause(), &Cause::Peer(PeerError::BadBinder), "another key by the same name");

        // Beside a certificate a full handshake follows.
        let store = Arc::new(ClientSessionCache::new(4));
        let trusting = || -> ClientBuilder<Ready> {
            let client = ClientConfig::builder().trust(authority().roots()).policy(policy());
            client.sessions(store.clone()).session_context("ours")
        };
        let known = trusting().pre_shared_key(a.clone()).build().unwrap();
        let beside = |keys: &[PreSharedKey]| {
            let server = keys.iter().fold(with_certificate(), |server, key| server.pre_shared_key(key.clone()));
            share(server).build().unwrap()
        };
        assert_eq!(how(&known, &beside(&[a.clone()])), Some(Resumption::ExternalPsk));
        assert_eq!(how(&known, &beside(&[])), None);
        assert_eq!(
            how(&known, &beside(&[a.clone()])),
            Some(Resumption::Ticket),
            "the other session, of the certificate"
        );
        // The client's key is taken away.
        met(&known, &beside(&[a.clone()])).unwrap();
        let fresh = Arc::new(ClientSessionCache::new(4));
        let with_key = trusting().sessions(fresh.clone()).pre_shared_key(a.clone()).build().unwrap();
        assert_eq!(how(&with_key, &beside(&[a.clone()])), Some(Resumption::ExternalPsk));
        let without = trusting().sessions(fresh).build().unwrap();
        assert_eq!(how(&without, &beside(&[a.clone()])), None);
    }
}

#[test]
fn a_client_of_keys_alone_resumes_no_session_of_a_certificate() {
    let store = Arc::new(ClientSessionCache::new(4));
    let server = with_certificate().pre_shared_key(key("a", 1)).build().unwrap();
    let trusting = ClientConfig::builder().trust(authority().roots()).policy(policy()).sessions(store.clone());
    let trusting = trusting.session_context("ours").build().unwrap();
    assert_eq!(how(&trusting, &server), None);
    let strict = ClientConfig::builder().trust_pre_shared_keys([key("a", 1)]).policy(policy()).sessions(store);
    let strict = strict.session_context("ours").build().unwrap();
    assert_eq!(how(&strict, &server), Some(Resumption::ExternalPsk));
    assert_eq!(how(&strict, &server), Some(Resumption::Ticket));
}
