//! Parties outside that answer later: the conversation waits by its waker, and others go on meanwhile.

use super::ends::*;
use clasp::config::{Identity, WebPki};
use clasp::crypto::PrivateKey;
use clasp::error::{Cause, Outside, PeerError};
use clasp::quic::{Level, Version, error_code};
use clasp::session::ServerSessionCache;
use clasp::{Resumption, ServerConfig, Waiting};
use clasp_testkit::{Gate, KeyKind, SlowSessions, SlowSigner, SlowVerifier, authority};
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Waker};
use std::sync::Arc;
use std::task::Wake;

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Advances an end that waits for a party behind a gate: it is woken when that opens, and only then has more to say.
fn wait_and_go_on(end: &mut End, gate: &Gate, on: &str) -> Vec<(Level, Vec<u8>)> {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    end.tls.advance(&mut Context::from_waker(&waker)).unwrap();
    assert!(matches!(end.tls.waiting(), Waiting::Outside(_)), "{on}: {:?}", end.tls.waiting());
    assert!(gate.is_waited_at(), "{on}");
    // Others go on meanwhile.
    let (other, _) = met(&client().build().unwrap(), &server().build().unwrap());
    assert!(other.tls.facts().is_some());
    assert_eq!(woken.0.load(Ordering::Relaxed), 0, "{on}");
    gate.open();
    assert!(woken.0.load(Ordering::Relaxed) > 0, "{on}: nobody was woken");
    end.tls.advance(&mut Context::from_waker(&waker)).unwrap();
    let said = end.outputs();
    gate.close();
    said
}

#[test]
fn a_slow_signer() {
    let gate = Gate::default();
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    let key = Arc::new(PrivateKey::from_der(&issued.key).unwrap());
    let identity = Identity::with_signer(issued.chain, Arc::new(SlowSigner(gate.clone(), key))).unwrap();
    let server = ServerConfig::builder().identity(identity).alpn(["h3"]).build().unwrap();
    let (mut client, mut server) = ends(&client().build().unwrap(), &server);
    let hello = client.advance().unwrap().remove(0).1;
    server.tls.read_crypto(Level::Initial, &hello).unwrap();
    let mut said = wait_and_go_on(&mut server, &gate, "the signer");
    while let Some((level, bytes)) = (!said.is_empty()).then(|| said.remove(0)) {
        for (level, bytes) in client.hear(level, &bytes).unwrap() {
            said.extend(server.hear(level, &bytes).unwrap());
        }
    }
    assert!(client.tls.facts().is_some() && server.tls.facts().is_some());
}

#[test]
fn a_slow_verifier() {
    let gate = Gate::default();
    let verifier = SlowVerifier(gate.clone(), Arc::new(WebPki::servers(authority().roots())));
    let client = clasp::ClientConfig::builder().dangerous_verifier(Arc::new(verifier)).alpn(["h3"]).build().unwrap();
    let (mut client, mut server) = ends(&client, &server().build().unwrap());
    let hello = client.advance().unwrap().remove(0).1;
    let flight = server.hear(Level::Initial, &hello).unwrap();
    client.hear(Level::Initial, &flight[0].1).unwrap();
    client.tls.read_crypto(Level::Handshake, &flight[1].1).unwrap();
    for (level, bytes) in wait_and_go_on(&mut client, &gate, "the verifier") {
        server.hear(level, &bytes).unwrap();
    }
    assert!(client.tls.facts().is_some() && server.tls.facts().is_some());
}

#[test]
fn a_slow_session_store() {
    let gate = Gate::default();
    gate.open();
    let store = SlowSessions(gate.clone(), ServerSessionCache::new(1 << 16));
    let server = server().sessions(Arc::new(store)).build().unwrap();
    let client = client().build().unwrap();
    met(&client, &server);
    gate.close();
    let mut client = End::client(&client, Version::V1, allows(10));
    let mut server = End::server(&server, Version::V1, allows(20));
    let hello = client.advance().unwrap().remove(0).1;
    server.tls.read_crypto(Level::Initial, &hello).unwrap();
    for (level, bytes) in wait_and_go_on(&mut server, &gate, "the store") {
        for (level, bytes) in client.hear(level, &bytes).unwrap() {
            server.tls.read_crypto(level, &bytes).unwrap();
        }
    }
    // The new tickets go into the store, too.
    gate.open();
    server.advance().unwrap();
    assert_eq!(client.tls.facts().unwrap().resumed, Some(Resumption::Ticket));
    assert_eq!(server.tls.facts().unwrap().resumed, Some(Resumption::Ticket));
}

/// Who will not wait any longer learns who was too slow, and the peer is told of an internal error.
#[test]
fn who_gives_up_learns_who_was_slow() {
    let gate = Gate::default();
    let verifier = SlowVerifier(gate, Arc::new(WebPki::servers(authority().roots())));
    let client = clasp::ClientConfig::builder().dangerous_verifier(Arc::new(verifier)).alpn(["h3"]).build().unwrap();
    let (mut client, mut server) = ends(&client, &server().build().unwrap());
    let hello = client.advance().unwrap().remove(0).1;
    let flight = server.hear(Level::Initial, &hello).unwrap();
    client.hear(Level::Initial, &flight[0].1).unwrap();
    client.hear(Level::Handshake, &flight[1].1).unwrap();
    let error = client.tls.give_up();
    assert_eq!(*error.cause(), Cause::Outside(Outside::TookTooLong));
    assert!(error.to_string().contains("verifier"), "{error}");
    assert_eq!(error_code(&error), 0x150);
    assert_eq!(client.advance().unwrap_err().to_string(), error.to_string());
    let error = server.tls.give_up();
    assert_eq!(*error.cause(), Cause::Peer(PeerError::TookTooLong));
    assert!(error.to_string().contains("Finished"), "{error}");
}
