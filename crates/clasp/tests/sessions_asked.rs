//! A session goes no further than what was asked of the peer when it was made: kinds of certificate, staples, timestamps.
#![allow(clippy::unwrap_used)]

use clasp::config::{ClientBuilder, DangerousAcceptAnyone, Ready, ServerBuilder};
use clasp::crypto::Provider;
use clasp::session::{ClientSessionCache, ClientSessions, TicketKeys};
use clasp::wire::code::{CertificateType, ProtocolVersion};
use clasp::{ClientAuth, ClientConfig, Identity, Policy, ServerConfig};
use clasp_testkit::{KeyKind, ManualClock, Pair, authority};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const BOTH: [CertificateType; 2] = [CertificateType::RawPublicKey, CertificateType::X509];

fn policies() -> [Policy; 2] {
    [Policy::modern(), Policy::default().with_versions([ProtocolVersion::Tls12])]
}

fn cache() -> Arc<dyn ClientSessions> {
    Arc::new(ClientSessionCache::new(16))
}

fn keys() -> Arc<TicketKeys> {
    Arc::new(TicketKeys::random(Provider::builtin(), HOUR, 24 * HOUR).unwrap())
}

fn raw() -> Identity {
    Identity::raw_public_key(&authority().issue(KeyKind::P256, &["localhost"]).key).unwrap()
}

fn anyone(policy: &Policy) -> ClientBuilder<Ready> {
    ClientConfig::builder().dangerous_trust_anyone().policy(policy.clone())
}

fn server(policy: &Policy) -> ServerBuilder<Ready> {
    ServerConfig::builder().identity(authority().issue(KeyKind::P256, &["localhost"]).identity()).policy(policy.clone())
}

/// Whether a connection resumed, if there was one.
fn resumed(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Option<bool> {
    let mut pair = Pair::new(client, server);
    pair.drive().ok()?;
    pair.server_sends(b"x").unwrap();
    pair.drive().unwrap();
    Some(pair.server.facts().unwrap().resumed.is_some())
}

#[test]
fn a_session_of_a_server_that_showed_a_raw_key_is_not_offered_where_none_is_taken() {
    for policy in policies() {
        let store = cache();
        let takes = || anyone(&policy).sessions(store.clone()).server_certificate_types(BOTH).build().unwrap();
        let server = ServerConfig::builder().identity(raw()).policy(policy.clone()).tickets(keys()).build().unwrap();
        assert_eq!(resumed(&takes(), &server), Some(false));
        assert_eq!(resumed(&takes(), &server), Some(true));
        let x509 = anyone(&policy).sessions(store.clone()).build().unwrap();
        assert_eq!(resumed(&x509, &server), None, "there is no certificate to show");
    }
}

#[test]
fn a_session_of_a_client_that_showed_a_raw_key_does_not_do_where_none_is_taken() {
    for policy in policies() {
        let sealer = keys();
        let asks = || {
            let auth = ClientAuth::Require(Arc::new(DangerousAcceptAnyone));
            server(&policy).tickets(sealer.clone()).client_auth(auth)
        };
        let takes = asks().client_certificate_types(BOTH).build().unwrap();
        let client = anyone(&policy).identity(raw()).build().unwrap();
        assert_eq!(resumed(&client, &takes), Some(false));
        assert_eq!(resumed(&client, &takes), Some(true));
        assert_eq!(resumed(&client, &asks().build().unwrap()), None, "there is no certificate to show");
    }
}

/// What a verifier may decide by is what was asked for.
#[test]
fn a_session_without_a_staple_or_timestamps_is_none_where_they_are_asked_for() {
    for policy in policies() {
        let (store, sealer) = (cache(), keys());
        let client = |status, timestamps| {
            let client = anyone(&policy).sessions(store.clone());
            client.request_status(status).request_timestamps(timestamps).build().unwrap()
        };
        let plain = server(&policy).tickets(sealer.clone()).build().unwrap();
        assert_eq!(resumed(&client(false, false), &plain), Some(false));
        assert_eq!(resumed(&client(true, false), &plain), Some(false));
        assert_eq!(resumed(&client(false, true), &plain), Some(false));
        assert_eq!(resumed(&client(false, false), &plain), Some(true));
    }
    let (policy, sealer) = (Policy::modern(), keys());
    let alice = authority().issue(KeyKind::P256, &["alice"]).identity();
    let alice = anyone(&policy).identity(alice).build().unwrap();
    let asks = |status, timestamps| {
        let server = server(&policy).tickets(sealer.clone()).request_status(status).request_timestamps(timestamps);
        server.client_auth(ClientAuth::Require(Arc::new(DangerousAcceptAnyone))).build().unwrap()
    };
    for other in [(true, false), (false, true)] {
        assert_eq!(resumed(&alice, &asks(false, false)), Some(false));
        assert_eq!(resumed(&alice, &asks(false, false)), Some(true));
        assert_eq!(resumed(&alice, &asks(other.0, other.1)), Some(false), "{other:?}");
    }
}

/// RFC 7627 5.4: without the extended master secret the second handshake of the attack is a resumption, and the third one
/// would be signed by a client that believes it knows whom it talks to.
#[test]
fn triple_handshake_a_client_with_an_identity_resumes_nothing_without_the_extended_master_secret() {
    let policy = &policies()[1];
    for shows in [false, true] {
        let alice = authority().issue(KeyKind::P256, &["alice"]).identity();
        let client = anyone(policy).extended_master_secret(true);
        let client = if shows { client.identity(alice) } else { client }.build().unwrap();
        let old = server(policy).extended_master_secret(false).build().unwrap();
        assert_eq!(resumed(&client, &old), Some(false));
        assert_eq!(resumed(&client, &old), Some(!shows), "an identity: {shows}");
    }
}

/// RFC 7627 5.3: a session without the extended master secret is not resumed by a hello that offers it.
#[test]
fn triple_handshake_a_server_that_has_learnt_the_extended_master_secret_begins_anew() {
    let (policy, sealer) = (&policies()[1], keys());
    let with = |ems| server(policy).tickets(sealer.clone()).extended_master_secret(ems).build().unwrap();
    let client = anyone(policy).build().unwrap();
    assert_eq!(resumed(&client, &with(false)), Some(false));
    assert_eq!(resumed(&client, &with(false)), Some(true));
    assert_eq!(resumed(&client, &with(true)), Some(false));
}

/// Whatever the client's clock says, and however long the ticket opens.
#[test]
fn a_session_older_than_the_servers_lifetime_is_none() {
    for policy in policies() {
        let clock = ManualClock::at(1_900_000_000);
        let still = Arc::new(ManualClock::at(1_900_000_000));
        let server = server(&policy).tickets(keys()).session_lifetime(HOUR).clock(Arc::new(clock.clone()));
        let (server, client) = (server.build().unwrap(), anyone(&policy).clock(still).build().unwrap());
        assert_eq!(resumed(&client, &server), Some(false));
        clock.advance(HOUR / 2);
        assert_eq!(resumed(&client, &server), Some(true));
        clock.advance(2 * HOUR);
        assert_eq!(resumed(&client, &server), Some(false));
    }
}
