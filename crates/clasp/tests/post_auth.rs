//! Client certificates after a TLS 1.3 handshake: asked for when the server likes, answered when the client's key does.
#![allow(clippy::unwrap_used, clippy::panic)]

use clasp::config::{ClientBuilder, Clock, Ready, ServerBuilder, Verifier, WebPki};
use clasp::error::{Cause, Misuse, PeerError};
use clasp::trace::{Direction, Observation, Observer, What};
use clasp::wire::code::{AlertDescription, HandshakeType, NamedGroup, ProtocolVersion};
use clasp::{ClientAuth, ClientConfig, Identity, Policy, ServerConfig};
use clasp_testkit::hollow_bytes::{HANDSHAKE, Message, Wrap, messages, record};
use clasp_testkit::{Gate, KeyKind, ManualClock, Pair, SlowSigner, SlowVerifier, authority, provider};
use core::task::{Context, Waker};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn server() -> ServerBuilder<Ready> {
    ServerConfig::builder().identity(authority().issue(KeyKind::P256, &["localhost"]).identity())
}

fn client() -> ClientBuilder<Ready> {
    ClientConfig::builder().trust(authority().roots()).post_handshake_auth(true)
}

fn clients() -> Arc<WebPki> {
    Arc::new(WebPki::clients(authority().roots()))
}

fn alice(kind: KeyKind) -> Identity {
    authority().issue(kind, &["alice"]).identity()
}

fn established(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Pair {
    let mut pair = Pair::new(client, server);
    pair.drive().unwrap();
    assert!(!pair.server.facts().unwrap().client_authenticated);
    pair
}

fn ask(pair: &mut Pair) {
    pair.server.request_certificate(&mut pair.to_client).unwrap();
    assert!(pair.server.certificate_is_due());
}

fn still_talks(pair: &mut Pair) {
    let (up, down) = (pair.server_data.len(), pair.client_data.len());
    pair.client_sends(b"up").unwrap();
    pair.server_sends(b"down").unwrap();
    pair.drive().unwrap();
    assert_eq!((&pair.server_data[up..], &pair.client_data[down..]), (&b"up"[..], &b"down"[..]));
}

#[test]
fn a_client_shows_its_certificate_when_it_is_asked_and_again() {
    for kind in [KeyKind::P256, KeyKind::Rsa] {
        let server = server().post_handshake_auth(ClientAuth::Require(clients())).build().unwrap();
        let mut pair = established(&client().identity(alice(kind)).build().unwrap(), &server);
        for round in 0..3 {
            if round == 2 {
                // Finished is under the traffic secret of the moment.
                pair.client.update_keys(true, &mut pair.to_server).unwrap();
                pair.drive().unwrap();
            }
            still_talks(&mut pair);
            ask(&mut pair);
            pair.drive().unwrap();
            let facts = pair.server.facts().unwrap();
            assert!(facts.client_authenticated && !pair.server.certificate_is_due());
            assert!(facts.peer_identifiers().iter().any(|i| i.to_string().contains("alice")), "round {round}");
            assert!(pair.client.facts().unwrap().client_authenticated);
            still_talks(&mut pair);
        }
    }
}

/// What has come of the requests.
#[derive(Default)]
struct Contexts(Mutex<Vec<Vec<u8>>>);

impl Observer for Contexts {
    fn observe(&self, seen: &Observation<'_>) {
        if let What::Message {
            direction: Direction::Received, kind: HandshakeType::CertificateRequest, bytes, ..
        } = seen.what
        {
            let (len, rest) = bytes[4..].split_first().unwrap();
            self.0.lock().unwrap().push(rest[..usize::from(*len)].to_vec());
        }
    }
}

/// RFC 9846 4.3.2: so that nobody signs an answer beforehand who has the key for a moment.
#[test]
fn the_context_of_a_request_is_made_anew_each_time() {
    let contexts = Arc::new(Contexts::default());
    let client = client().observer(contexts.clone()).build().unwrap();
    let server = server().post_handshake_auth(ClientAuth::Request(clients())).build().unwrap();
    let mut pair = established(&client, &server);
    for _ in 0..3 {
        ask(&mut pair);
        pair.drive().unwrap();
    }
    let contexts = contexts.0.lock().unwrap();
    let [a, b, c] = &contexts[..] else { panic!("{contexts:?}") };
    assert!(
        a != b && b != c && a != c && contexts.iter().all(|c| c.len() >= 16 && c.iter().any(|b| *b != 0)),
        "{contexts:?}"
    );
}

#[test]
fn a_client_without_a_certificate_says_so() {
    let asks = server().post_handshake_auth(ClientAuth::Request(clients())).build().unwrap();
    let mut pair = established(&client().build().unwrap(), &asks);
    ask(&mut pair);
    pair.drive().unwrap();
    assert!(!pair.server.facts().unwrap().client_authenticated && !pair.server.certificate_is_due());
    still_talks(&mut pair);

    let requires = server().post_handshake_auth(ClientAuth::Require(clients())).build().unwrap();
    let mut pair = established(&client().build().unwrap(), &requires);
    ask(&mut pair);
    let error = pair.drive().unwrap_err();
    assert_eq!(error.cause(), &Cause::Peer(PeerError::NoCertificate));
    assert_eq!(pair.client.failure().unwrap().cause(), &Cause::Alert(AlertDescription::CertificateRequired));
}

#[test]
fn it_is_off_unless_both_sides_want_it() {
    let willing = || server().post_handshake_auth(ClientAuth::Require(clients()));
    let never = ClientConfig::builder().trust(authority().roots()).identity(alice(KeyKind::P256));
    let tls12 = Policy::default().with_versions([ProtocolVersion::Tls12]);
    for (client, server) in [
        (never.build().unwrap(), willing().build().unwrap()),
        (client().build().unwrap(), server().build().unwrap()),
        (client().build().unwrap(), server().policy(tls12).build().unwrap()),
    ] {
        let mut pair = established(&client, &server);
        let error = pair.server.request_certificate(&mut pair.to_client).unwrap_err();
        assert_eq!(error.cause(), &Cause::Misuse(Misuse::PostHandshakeAuthUnavailable));
        still_talks(&mut pair);
    }
    let server = willing().build().unwrap();
    let mut pair = Pair::new(&client().build().unwrap(), &server);
    let early = pair.server.request_certificate(&mut pair.to_client).unwrap_err();
    assert_eq!(early.cause(), &Cause::Misuse(Misuse::HandshakeUnfinished));
    pair.drive().unwrap();
    ask(&mut pair);
    let twice = pair.server.request_certificate(&mut pair.to_client).unwrap_err();
    assert_eq!(twice.cause(), &Cause::Misuse(Misuse::PostHandshakeAuthUnavailable));
}

#[test]
fn key_and_verifier_may_take_their_time() {
    let (signing, verifying) = (Gate::default(), Gate::default());
    let issued = authority().issue(KeyKind::P256, &["alice"]);
    let key = clasp::crypto::PrivateKey::from_der(&issued.key).unwrap();
    let slow =
        Identity::with_signer(issued.chain.clone(), Arc::new(SlowSigner(signing.clone(), Arc::new(key)))).unwrap();
    let clocks = [1_800_000_000, 1_800_000_500].map(ManualClock::at);
    let since = |clock: &ManualClock| Some(Clock::now(clock));
    let client = client().identity(slow).clock(Arc::new(clocks[0].clone())).build().unwrap();
    let verifier = Arc::new(SlowVerifier(verifying.clone(), clients()));
    let server = server().post_handshake_auth(ClientAuth::Require(verifier)).clock(Arc::new(clocks[1].clone()));
    let server = server.build().unwrap();
    let mut pair = established(&client, &server);
    ask(&mut pair);
    pair.drive().unwrap();
    assert!(pair.waits_outside() && pair.to_server.is_empty(), "nothing goes out before the whole answer");
    let began = since(&clocks[0]);
    clocks[0].advance(Duration::from_secs(7));
    assert_eq!((pair.client.waiting_since(), pair.server.waiting_since()), (began, None));
    // Data goes on meanwhile.
    pair.client_sends(b"meanwhile").unwrap();
    pair.drive().unwrap();
    assert_eq!(pair.server_data, b"meanwhile");
    signing.open();
    assert!(!pair.waits_outside());
    // What the client says behind its answer waits for the verifier.
    pair.client_sends(b"behind").unwrap();
    let (mut wire, mut data) = (std::mem::take(&mut pair.to_server), [0; 20_000]);
    let moved = pair.server.receive_into(&mut wire, &mut data, &mut pair.to_client).unwrap();
    assert!(moved.given == 0 && moved.taken < wire.len());
    assert!(pair.waits_outside() && pair.server.certificate_is_due());
    let began = since(&clocks[1]);
    clocks[1].advance(Duration::from_secs(7));
    assert_eq!((pair.client.waiting_since(), pair.server.waiting_since()), (None, began));
    verifying.open();
    assert!(!pair.waits_outside());
    let moved = pair.server.receive_into(&mut wire[moved.taken..], &mut data, &mut pair.to_client).unwrap();
    assert_eq!(data[..moved.given], *b"behind");
    pair.drive().unwrap();
    assert!(pair.server.facts().unwrap().client_authenticated);
    still_talks(&mut pair);
}

/// What the client says behind its answer may stand in the same record, and no key changes between: RFC 9846 5.1.
#[test]
fn a_key_update_may_stand_in_the_record_of_an_answer() {
    let verifying = Gate::default();
    let verifiers: [Arc<dyn Verifier>; 2] = [clients(), Arc::new(SlowVerifier(verifying.clone(), clients()))];
    for verifier in verifiers {
        for (behind, good) in [
            (&[24, 0, 0, 1, 0][..], true),
            // Something behind the change; and what may not come at all.
            (&[24, 0, 0, 1, 0, 24, 0, 0, 1, 0], false),
            (&[24, 0, 0, 1, 0, 24], false),
            (&[11, 0, 0, 4, 0, 0, 0, 0], false),
        ] {
            let mut pair = hollow_with(verifier.clone());
            ask(&mut pair);
            let mut said = Vec::new();
            pair.client.receive(&mut pair.to_client, &mut said).unwrap();
            let answer: Vec<u8> = messages(&said, true).iter().flat_map(Message::bytes).collect();
            let mut flight = record(Wrap::Inner13, HANDSHAKE, &[&answer, behind].concat());
            let received = pair.server.receive(&mut flight, &mut Vec::new()).map(|received| received.used);
            verifying.open();
            let outcome =
                received.and_then(|_| pair.server.advance(&mut Context::from_waker(Waker::noop()), &mut said));
            assert_eq!(outcome.is_ok(), good, "{behind:?}: {outcome:?}");
            assert!(!good || pair.server.facts().unwrap().client_authenticated);
        }
    }
}

/// The messages of an answer follow one another: RFC 9846 4.6.2.
#[test]
fn no_data_stands_within_an_answer() {
    let mut pair = hollow();
    ask(&mut pair);
    let mut said = Vec::new();
    pair.client.receive(&mut pair.to_client, &mut said).unwrap();
    let certificate = messages(&said, true).swap_remove(0).bytes();
    pair.server.receive(&mut record(Wrap::Inner13, HANDSHAKE, &certificate), &mut Vec::new()).unwrap();
    let error = pair.server.receive(&mut sealed(23, b"data"), &mut Vec::new()).unwrap_err();
    assert_eq!(error.cause(), &Cause::Peer(PeerError::UnexpectedApplicationData));
}

/// Nothing follows close_notify: a client that has closed answers no request.
#[test]
fn a_client_that_has_closed_says_nothing_more() {
    let server = server().post_handshake_auth(ClientAuth::Request(clients())).build().unwrap();
    let mut pair = established(&client().identity(alice(KeyKind::P256)).build().unwrap(), &server);
    pair.client.close(&mut pair.to_server).unwrap();
    pair.drive().unwrap();
    ask(&mut pair);
    pair.server_sends(b"still").unwrap();
    let used = pair.client.receive(&mut pair.to_client, &mut pair.to_server).unwrap().used;
    assert_eq!((used, pair.to_server.len()), (pair.to_client.len(), 0));
    assert!(!pair.client.facts().unwrap().client_authenticated);
}

/// Under hollow keys, a server that asks whenever it likes: a request in a record of its own.
fn request(n: u32) -> Vec<u8> {
    let request = [&[4][..], &n.to_be_bytes(), &[0, 8, 0, 13, 0, 4, 0, 2, 4, 3]].concat();
    let body = [&[13, 0, 0, u8::try_from(request.len()).unwrap()][..], &request].concat();
    sealed(22, &body)
}

fn sealed(content: u8, body: &[u8]) -> Vec<u8> {
    record(Wrap::Plain, 23, &[body, &[content], &[0; 16]].concat())
}

fn hollow() -> Pair {
    hollow_with(clients())
}

fn hollow_with(verifier: Arc<dyn Verifier>) -> Pair {
    let policy = || Policy::modern().with_groups([NamedGroup::X25519]);
    let client = client().identity(alice(KeyKind::P256)).policy(policy()).provider(provider::hollow());
    let server = server().post_handshake_auth(ClientAuth::Require(verifier)).policy(policy());
    let server = server.provider(provider::hollow()).build().unwrap();
    established(&client.build().unwrap(), &server)
}

/// A server that asks thousands of times in one piece, with data between, gets a bounded piece of answers for each call; what
/// it has not been answered stays in its own bytes.
#[test]
fn one_call_says_only_so_much() {
    let mut pair = hollow();
    let mut flood: Vec<u8> = (0..4000).flat_map(|n| [request(n), sealed(23, b"x")].concat()).collect();
    let mut room = vec![0; 100_000];
    for _ in 0..3 {
        let mut out = Vec::new();
        let used = pair.client.receive_into(&mut flood, &mut room, &mut out).unwrap().taken;
        assert!((1..flood.len()).contains(&used) && out.len() < 32 << 10, "{used} taken, {} bytes", out.len());
        flood.drain(..used);
    }
}

/// Each request costs a signature.
#[test]
fn requests_without_data_between_end_the_connection_after_a_few() {
    let mut pair = hollow();
    let (mut answered, mut out) = (0, Vec::new());
    let error = loop {
        if let Err(error) = pair.client.receive(&mut request(answered), &mut out) {
            break error;
        }
        answered += 1;
    };
    assert_eq!((error.cause(), answered), (&Cause::Peer(PeerError::TooManyMessages), 32));
    assert!(out.len() < 64 << 10, "{} bytes", out.len());
}
