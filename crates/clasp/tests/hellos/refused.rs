//! A client whose hidden hello was not heard (RFC 9849 6.1.6, 6.1.7): it goes on for the public name, shows nothing of itself, keeps
//! nothing, and says what to try again with.

use super::flights::hidden::{ECH, key, ring};
use super::flights::*;
use super::hiding::*;
use clasp::config::{
    ClientBuilder, FirstUse, KeyPin, KnownKeys, PresentedIdentity, Ready, ServerBuilder, Verified, Verifier, WebPki,
};
use clasp::crypto::Provider;
use clasp::ech::{EchConfigList, EchMode};
use clasp::error::{Cause, CertificateError, PeerError};
use clasp::session::{ClientSessions, PeerKey, Session, TicketKeys};
use clasp::{Answer, ClientAuth, ClientConfig, Error, Policy, Result, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What comes of a client and a server: what the client says, and what the server hears of it.
fn outcome(pair: &mut Pair) -> Error {
    let said = pair.drive().unwrap_err();
    assert!(pair.client.facts().is_none(), "nothing that may be taken for a connection");
    assert_eq!(pair.client.failure().unwrap().cause(), said.cause());
    said
}

fn rejected(error: &Error, list: Option<&EchConfigList>) {
    let row = if list.is_some() { PeerError::EchRejected } else { PeerError::EchDisabled };
    assert_eq!(error.cause(), &Cause::Peer(row), "{error}");
    assert_eq!(error.alert().name(), "ech_required");
    assert_eq!(error.ech_retry_configs(), list);
}

/// A server that opens nothing of a client's, and gives this list.
fn other() -> (ServerBuilder<Ready>, EchConfigList) {
    let key = key();
    let list = key.list().clone();
    (opens(key), list)
}

fn stale() -> ClientBuilder<Ready> {
    hides(key().list())
}

#[test]
fn a_client_learns_of_the_key_that_is_published_now() {
    for again in [false, true] {
        let said = Arc::new(Said::default());
        let (server, list) = other();
        let server = if again { p256(server) } else { server }.build().unwrap();
        let client = stale().observer(said.clone()).build().unwrap();
        let mut pair = Pair::to(&client, &server, "hidden.example");
        let error = outcome(&mut pair);
        rejected(&error, Some(&list));
        assert!(error.to_string().contains("public.example"), "{error}");
        // The server has had all of the handshake, for the name that stands outside, and the alert.
        let facts = pair.server.facts().unwrap();
        assert_eq!(facts.server_name.as_deref(), Some("public.example"));
        assert_eq!(pair.server.failure().unwrap().peer_alert().unwrap().name(), "ech_required");
        for hello in said.hellos() {
            assert!(!holds(&hello, "hidden.example"));
        }
        // By what it was given it is heard.
        let next = ClientConfig::clone(&client).with_encrypted_client_hello(EchMode::Offer(list)).unwrap();
        let mut pair = Pair::to(&Arc::new(next), &server, "hidden.example");
        pair.drive().unwrap();
        assert!(pair.client.facts().unwrap().encrypted_client_hello.as_ref().unwrap().accepted);
    }
}

/// What is sent in a second hello is what the first one had, as at a client without hidden hellos: it is not sealed anew for whoever
/// has sent the request (HelloRetryRequest hijack, RFC 9849 10.12.2).
#[test]
fn a_request_that_heard_nothing_is_told_nothing_more() {
    let said = Arc::new(Said::default());
    let (server, list) = other();
    rejected(&outcome(&mut pair(stale().observer(said.clone()), p256(server))), Some(&list));
    let [first, second] = &said.hellos()[..] else { panic!("two hellos") };
    assert_eq!(body(first, ECH), body(second, ECH));
    assert_eq!(types(first), types(second));
    assert_eq!((first.view().random, first.view().suites), (second.view().random, second.view().suites));
}

#[test]
fn a_server_that_has_no_keys_says_so_by_saying_nothing() {
    for (what, server) in [
        ("TLS 1.3", server()),
        ("TLS 1.3 with another hello", p256(server())),
        ("no list", server().encrypted_client_hello(ring([]))),
        ("TLS 1.2", server().policy(Policy::default().with_versions([TLS12]))),
    ] {
        let error = outcome(&mut pair(stale(), server));
        rejected(&error, None);
        assert!(error.to_string().contains("public.example"), "{what}: {error}");
    }
}

/// "client that trusts the outer certificate": only the public name's counts, and without it nothing that was said is to be believed.
#[test]
fn a_server_that_is_not_the_public_names_can_say_nothing() {
    let foreign = clasp_testkit::other_authority();
    for (what, issued) in [
        ("that of the hidden name", authority().issue(KeyKind::P256, &["hidden.example"])),
        ("that of an authority nobody trusts", foreign.issue(KeyKind::P256, &["public.example"])),
    ] {
        for old in [false, true] {
            let server = ServerConfig::builder().identity(issued.identity());
            let server = match old {
                true => server.policy(Policy::default().with_versions([TLS12])),
                false => server.encrypted_client_hello(ring([key()])),
            };
            let error = outcome(&mut pair(stale(), server));
            assert!(matches!(error.cause(), Cause::Certificate(_)), "{what}: {error}");
            assert!(error.ech_retry_configs().is_none(), "{what}");
            assert_ne!(error.alert().name(), "ech_required", "{what}");
        }
    }
}

/// What a client would keep of a server.
#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

impl ClientSessions for Kept {
    fn put(&self, peer: &PeerKey, _: Session) {
        self.0.lock().unwrap().push(format!("{peer:?}"));
    }

    fn take(&self, _: &PeerKey) -> Option<Session> {
        None
    }
}

/// "rejected client that sends its certificate", and its sessions.
#[test]
fn a_client_shows_nothing_of_itself_and_keeps_nothing() {
    let identity = || authority().issue(KeyKind::P256, &["client"]).identity();
    let auth = || ClientAuth::Request(Arc::new(WebPki::clients(authority().roots())));
    let old = |server: ServerBuilder<Ready>| server.policy(Policy::default().with_versions([TLS12]));
    for server in [other().0, server(), old(server())] {
        let (said, kept) = (Arc::new(Said::default()), Arc::new(Kept::default()));
        let client = stale().identity(identity()).observer(said.clone()).sessions(kept.clone());
        let mut pair = pair(client, server.client_auth(auth()));
        assert_eq!(outcome(&mut pair).alert().name(), "ech_required");
        let facts = pair.server.facts().unwrap();
        assert!(!facts.client_authenticated && facts.peer.is_none());
        assert!(said.kinds().contains(&CERTIFICATE), "an empty one");
        assert!(!said.kinds().contains(&CERTIFICATE_VERIFY));
        assert_eq!(kept.0.lock().unwrap()[..], [] as [String; 0]);
    }
}

/// A session of the hidden name, and its key, stay inside: a server that knows the ticket but cannot read what is hidden sees none of it.
#[test]
fn a_session_of_the_hidden_name_is_not_offered_outside() {
    let tickets = Arc::new(
        TicketKeys::random(Provider::builtin(), Duration::from_secs(3600), Duration::from_secs(7200)).unwrap(),
    );
    let first = key();
    let list = first.list().clone();
    let client = hides(&list).early_data(true).build().unwrap();
    let server = opens(first).tickets(tickets.clone()).max_early_data(100).build().unwrap();
    let mut pair = Pair::to(&client, &server, "hidden.example");
    pair.drive().unwrap();
    pair.server_sends(b"x").unwrap();
    pair.drive().unwrap();
    for (with_request, versions) in [(false, &[TLS13][..]), (true, &[TLS13])] {
        let (server, new) = other();
        let policy = Policy::default().with_versions(versions);
        let policy = if with_request { policy.with_groups([clasp::NamedGroup::Secp256r1]) } else { policy };
        let server = server.tickets(tickets.clone()).max_early_data(100).policy(policy).build().unwrap();
        let mut pair = Pair::to(&client, &server, "hidden.example");
        pair.drive_one_client_flight().unwrap();
        let mut out = core::mem::take(&mut pair.to_server);
        pair.client.send_early(b"for hidden.example alone", &mut out).unwrap();
        pair.to_server = out;
        rejected(&outcome(&mut pair), Some(&new));
        let facts = pair.server.facts().unwrap();
        assert_eq!((facts.resumed, &pair.server_data[..]), (None, &b""[..]));
    }
}

/// A server that answers the keys outside, which nobody has: RFC 9849 6.1.2.
#[test]
fn a_key_that_only_looks_like_one_cannot_be_taken() {
    let server = server().build().unwrap();
    let key = clasp::config::PreSharedKey::external(b"ours", &[7; 32], clasp::crypto::HashId::Sha256).unwrap();
    let policy = Policy::modern().with_suites([clasp::wire::code::CipherSuite::TLS_AES_128_GCM_SHA256]);
    let client = stale().policy(policy).pre_shared_key(key);
    let mut pair = Pair::to(&client.build().unwrap(), &server, "hidden.example");
    pair.drive_server_flights(1);
    let length = usize::from(u16::from_be_bytes([pair.to_client[3], pair.to_client[4]]));
    let rest = pair.to_client.split_off(5 + length);
    let mut hello = pair.to_client.split_off(5);
    // One extension more: the first key is taken.
    hello.extend(hello::ext(PSK, &[0, 0]));
    let block = 4 + 2 + 32 + 1 + usize::from(hello[38]) + 3;
    for (at, more) in [(2, 6), (block, 6)] {
        let length = u16::from_be_bytes([hello[at], hello[at + 1]]) + more;
        hello[at..at + 2].copy_from_slice(&length.to_be_bytes());
    }
    pair.to_client = [hello::record(22, &hello), rest].concat();
    let error = outcome(&mut pair);
    assert_eq!(error.cause(), &Cause::Peer(PeerError::UnknownPskSelected));
    assert_eq!(error.alert().name(), "illegal_parameter");
}

/// The byte of a ServerHello's record at which its random ends.
const RANDOM_END: usize = 5 + 4 + 2 + 31;

/// A confirmation that is none: in the one hello it is a refusal, after a request that was confirmed it is an attack (RFC 9849 6.1.5).
#[test]
fn a_confirmation_is_of_every_bit() {
    for bit in 0..64 {
        let key = key();
        let mut pair = pair(hides(key.list()), opens(key));
        pair.drive_server_flights(1);
        pair.to_client[RANDOM_END - bit / 8] ^= 1 << (bit % 8);
        let error = outcome(&mut pair);
        // It goes on with the outer hello, under whose keys nothing is sealed.
        assert_eq!(error.alert().name(), "bad_record_mac", "{error}");
        assert!(error.ech_retry_configs().is_none());
    }
}

#[test]
fn what_a_request_has_confirmed_the_hello_behind_it_confirms() {
    for bit in 0..64 {
        let key = key();
        let mut pair = pair(hides(key.list()), p256(opens(key)));
        pair.drive_server_flights(2);
        pair.to_client[RANDOM_END - bit / 8] ^= 1 << (bit % 8);
        let error = outcome(&mut pair);
        assert_eq!(error.cause(), &Cause::Peer(PeerError::EchUnconfirmed));
        assert_eq!(error.alert().name(), "illegal_parameter");
    }
}

/// The confirmation of a HelloRetryRequest is its last extension; one of another length cannot be read, and another one is none.
#[test]
fn a_request_that_is_not_confirmed_is_answered_outside() {
    for flip in (0..64).map(Some).chain([None]) {
        let said = Arc::new(Said::default());
        let key = key();
        let mut pair = pair(hides(key.list()).observer(said.clone()), p256(opens(key)));
        pair.drive_server_flights(1);
        let length = usize::from(u16::from_be_bytes([pair.to_client[3], pair.to_client[4]]));
        let rest = pair.to_client.split_off(5 + length);
        let mut request = pair.to_client.split_off(5);
        if let Some(bit) = flip {
            let last = request.len() - 1;
            request[last - bit / 8] ^= 1 << (bit % 8);
        } else {
            request.pop();
            let extension = request.len() - 8;
            let block = 4 + 2 + 32 + 1 + usize::from(request[38]) + 3;
            for at in [2, block, extension - 1] {
                let length = u16::from_be_bytes([request[at], request[at + 1]]) - 1;
                request[at..at + 2].copy_from_slice(&length.to_be_bytes());
            }
        }
        pair.to_client = [hello::record(22, &request), rest].concat();
        let error = pair.drive().unwrap_err();
        if flip.is_none() {
            assert_eq!(error.alert().name(), "decode_error", "{error}");
            assert_eq!(said.hellos().len(), 1);
            continue;
        }
        // The server waits for another hello hidden, by the context of the first: whoever changed the request gets no further.
        assert_eq!(error.cause(), &Cause::Peer(PeerError::EchChangedAfterRetry));
        let [first, second] = &said.hellos()[..] else { panic!("two hellos") };
        assert_eq!(body(first, ECH), body(second, ECH));
        assert!(!holds(second, "hidden.example"));
        assert!(error.ech_retry_configs().is_none());
    }
}

/// Whom a verifier was asked about.
struct Asked {
    names: Mutex<Vec<String>>,
    under: WebPki,
}

impl Verifier for Asked {
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        self.names.lock().unwrap().push(peer.name.unwrap().to_str().into_owned());
        self.under.verify(peer)
    }
}

#[test]
fn a_verifier_is_asked_for_the_name_that_counts() {
    let first = key();
    let list = first.list().clone();
    let (server, _) = other();
    for (server, name) in [(opens(first), "hidden.example"), (server, "public.example")] {
        let asked = Arc::new(Asked { names: Mutex::default(), under: WebPki::servers(authority().roots()) });
        let client = ClientConfig::builder().dangerous_verifier(asked.clone());
        let client = client.encrypted_client_hello(EchMode::Offer(list.clone()));
        let _ = pair(client, server).drive();
        assert_eq!(asked.names.lock().unwrap()[..], [name]);
    }
}

/// What is remembered of whoever is met first.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Vec<String>>>);

impl KnownKeys for Book {
    fn find<'a>(&'a self, _: &'a str) -> Answer<'a, Result<Option<KeyPin>>> {
        Answer::Now(Ok(None))
    }

    fn keep(self: Arc<Self>, name: String, key: KeyPin) -> Answer<'static, Result<KeyPin>> {
        self.0.lock().unwrap().push(name);
        Answer::Now(Ok(key))
    }
}

/// Whoever makes a client fail is not trusted on first use for it, and says nothing of what to try again with.
#[test]
fn nobody_is_met_first_by_a_hello_that_was_not_heard() {
    let book = Book::default();
    let client = ClientConfig::builder().trust_on_first_use(FirstUse::new(book.clone()));
    let client = client.encrypted_client_hello(EchMode::Offer(key().list().clone()));
    let error = outcome(&mut pair(client, other().0));
    assert_eq!(error.cause(), &Cause::Certificate(CertificateError::Refused), "{error}");
    assert!(error.ech_retry_configs().is_none());
    assert!(book.0.lock().unwrap().is_empty());
}
