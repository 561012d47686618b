//! Hellos hidden in others (RFC 9849): those that are opened, those that are not, and those that no client may send.

use super::flights::hello::*;
use super::flights::hidden::*;
use super::flights::*;
use clasp::config::{Admission, ClientHelloFacts, Ready, ServerBuilder};
use clasp::crypto::{HashId, Provider};
use clasp::ech::{EchConfigList, EchError, EchKey, EchKeyRing, EchKeyStore};
use clasp::trace::{Observation, Observer, What};
use clasp::wire::code::{Direction, HandshakeType, NamedGroup};
use clasp::{Answer, Policy, Result};
use std::sync::{Arc, Mutex};

/// What a server has said, and for whom.
#[derive(Default)]
struct Seen {
    sent: Mutex<Vec<Vec<u8>>>,
    names: Mutex<Vec<Option<String>>>,
}

impl Observer for Seen {
    fn observe(&self, seen: &Observation<'_>) {
        if let What::Message { direction: Direction::Sent, bytes, .. } = &seen.what {
            self.sent.lock().unwrap().push(bytes.to_vec());
        }
    }
}

impl Admission for Seen {
    fn admit<'a>(&'a self, hello: &'a ClientHelloFacts) -> Answer<'a, Result<()>> {
        self.names.lock().unwrap().push(hello.server_name.clone());
        Answer::Now(Ok(()))
    }
}

/// What came of hellos: the alert, if there was one, the name that counted, and the messages.
struct Outcome {
    alert: Option<&'static str>,
    name: Option<String>,
    sent: Vec<Vec<u8>>,
}

impl Outcome {
    fn message(&self, kind: HandshakeType) -> &[u8] {
        self.sent.iter().find(|message| message[0] == kind.0).map(Vec::as_slice).unwrap_or_default()
    }

    /// The last ServerHello, and what was said before it.
    fn hello(&self) -> (&[u8], &[Vec<u8>]) {
        let at = self.sent.iter().rposition(|message| message[0] == SERVER_HELLO).unwrap();
        (&self.sent[at], &self.sent[..at])
    }

    /// What the client is told to try again with.
    fn retry_configs(&self) -> Option<&[u8]> {
        let body = self.message(HandshakeType::EncryptedExtensions);
        let at = body.windows(2).position(|w| w == ECH.to_be_bytes())?;
        Some(&body[at + 4..])
    }
}

fn heard(server: ServerBuilder<Ready>, hellos: &[Vec<u8>]) -> Outcome {
    let seen = Arc::new(Seen::default());
    let mut server = server.admission(seen.clone()).observer(seen.clone()).build().unwrap().accept();
    let mut alert = None;
    for hello in hellos {
        let said = server.receive(&mut record(22, hello), &mut Vec::new()).map(drop);
        alert = alert.or(said.err().map(|error| error.alert().name()));
    }
    let name = seen.names.lock().unwrap().first().cloned().flatten();
    let sent = seen.sent.lock().unwrap().clone();
    Outcome { alert, name, sent }
}

fn one(key: EchKey, outer: &Hello, encoded: &[u8]) -> Outcome {
    let hello = Hiding::to(&key).seal(outer, encoded);
    heard(server_with(key), &[hello.message()])
}

/// accept_confirmation, as RFC 9849 7.2 and RFC 9846 7.1 have it.
fn confirmation(random: [u8; 32], label: &str, transcript: &[&[u8]]) -> Vec<u8> {
    let hash = Provider::builtin().hash(HashId::Sha256).unwrap();
    let (mut secret, mut out) = ([0; 32], [0; 32]);
    hash.keyed(&[0; 32], &mut |key| key.sign(&[&random], &mut secret));
    let label = v8(format!("tls13 {label}").as_bytes());
    let context = v8(hash.digest(transcript).as_ref());
    hash.keyed(&secret, &mut |key| key.sign(&[&[0, 8], &label, &context, &[1]], &mut out));
    out[..8].to_vec()
}

/// The hidden hello as both sides have it in their transcripts.
fn whole(inner: Hello) -> Vec<u8> {
    inner.change(|h| h.session_id = vec![8; 32]).message()
}

/// That the ServerHello answers this hidden hello, which stands behind these messages.
fn answers(outcome: &Outcome, before: &[&[u8]], inner: &[u8]) -> bool {
    let (hello, _) = outcome.hello();
    let random = 6..38;
    let mut zeros = hello.to_vec();
    zeros[random.end - 8..random.end].fill(0);
    let transcript = [before, &[inner, &zeros]].concat();
    hello[random.end - 8..random.end] == confirmation([6; 32], "ech accept confirmation", &transcript)
}

fn accepted(outcome: &Outcome, inner: &[u8]) {
    assert_eq!((outcome.alert, outcome.name.as_deref()), (None, Some("hidden.example")));
    assert!(answers(outcome, &[], inner));
    assert_eq!(outcome.retry_configs(), None);
}

/// As if the hidden one were not there, but for what is to be tried again with.
fn rejected(outcome: &Outcome, retry: &[u8]) {
    assert_eq!((outcome.alert, outcome.name.as_deref()), (None, Some("public.example")));
    assert!(!answers(outcome, &[], &whole(inner())));
    assert_eq!(outcome.retry_configs(), Some(retry));
}

#[test]
fn a_hidden_hello_is_the_one_that_counts() {
    accepted(&one(key(), &outer(), &encoded(&inner())), &whole(inner()));
    // Without padding, and without a session ID.
    accepted(&one(key(), &outer(), &inner().message()[4..]), &whole(inner()));
    let outcome = one(key(), &outer().change(|h| h.session_id.clear()), &encoded(&inner()));
    accepted(&outcome, &inner().message());
}

#[test]
fn what_is_left_to_the_outer_hello_is_found_there_in_its_order() {
    let left = |types: &[u16]| {
        let list: Vec<u8> = types.iter().flat_map(|typ| typ.to_be_bytes()).collect();
        let stays = |e: &Vec<u8>| !types.iter().any(|typ| e[..2] == typ.to_be_bytes());
        inner().change(|h| {
            h.extensions.retain(stays);
            h.extensions.insert(0, ext(OUTER_EXTENSIONS, &v8(&list)));
        })
    };
    let outcome = one(key(), &outer(), &encoded(&left(&[GROUPS, SCHEMES, SHARES])));
    let expanded = inner().change(|h| h.extensions.sort_by_key(|e| ![GROUPS, SCHEMES, SHARES].contains(&typ(e))));
    accepted(&outcome, &whole(expanded));
    for (what, types) in [
        ("reordered", &[SCHEMES, GROUPS][..]),
        ("duplicated", &[GROUPS, GROUPS]),
        ("absent", &[UNKNOWN]),
        ("ech within outer_extensions", &[ECH]),
        ("itself", &[OUTER_EXTENSIONS]),
        ("none", &[]),
    ] {
        let outer = outer().with(ext(OUTER_EXTENSIONS, &v8(&[0, 10])));
        let outcome = one(key(), &outer, &encoded(&left(types)));
        assert_eq!(outcome.alert, Some("illegal_parameter"), "{what}");
        assert!(outcome.sent.is_empty(), "{what}");
    }
    let twice = left(&[GROUPS]).change(|h| h.extensions.push(ext(OUTER_EXTENSIONS, &v8(&[0, 13]))));
    assert_eq!(one(key(), &outer(), &encoded(&twice)).alert, Some("illegal_parameter"));
    let both = left(&[GROUPS]).with(ext(GROUPS, &v16(&[0, 0x1d])));
    assert_eq!(one(key(), &outer(), &encoded(&both)).alert, Some("illegal_parameter"));
}

fn typ(e: &[u8]) -> u16 {
    u16::from_be_bytes([e[0], e[1]])
}

#[test]
fn hidden_hellos_that_no_client_may_send() {
    let nothing = Hiding::to(&key()).extension(&[7; 99])[4..].to_vec();
    for (what, inner) in [
        ("outer/inner mixup: none says that it is hidden", inner().without(ECH)),
        ("outer/inner mixup: another hides in it", inner().with(ext(ECH, &nothing))),
        ("of a third type", inner().with(ext(ECH, &[2]))),
        ("inner hello with TLS 1.2", inner().with(ext(VERSIONS, &v8(&[3, 4, 3, 3])))),
        ("inner hello with TLS 1.2 alone", inner().with(ext(VERSIONS, &v8(&[3, 3])))),
        ("inner hello without versions", inner().without(VERSIONS)),
        ("a session ID of its own", inner().change(|h| h.session_id = vec![8; 32])),
        ("an extension twice", inner().change(|h| h.extensions.push(ext(SCHEMES, &v16(&[4, 3]))))),
        ("padding that is not zero", inner().change(|h| h.tail = vec![0, 0, 1])),
        ("cut short", inner().change(|h| h.suites.clear())),
    ] {
        let outcome = one(key(), &outer(), &encoded(&inner));
        assert_eq!(outcome.alert, Some("illegal_parameter"), "{what}");
        assert!(outcome.sent.is_empty(), "{what}");
    }
    // A newer version beside, and what means nothing, are fine.
    let newer = inner().with(ext(VERSIONS, &v8(&[0x1a, 0x1a, 3, 4, 3, 5])));
    accepted(&one(key(), &outer(), &encoded(&newer)), &whole(newer));
}

/// "rejection that looks like a server without ECH"
#[test]
fn what_no_key_opens_is_answered_as_without_keys() {
    let (ours, theirs) = (key(), key());
    let retry = ours.list().as_bytes().to_vec();
    let mut hiding = Hiding::to(&theirs);
    // A decoy: our config_id, another's key.
    hiding.config_id = ours.list().configs()[0].id();
    let sealed = hiding.seal(&outer(), &encoded(&inner()));
    let outcome = heard(server_with(ours), &[sealed.message()]);
    rejected(&outcome, &retry);
    let without = heard(server_without(), &[sealed.message()]);
    assert_eq!(without.retry_configs(), None);
    assert_eq!(without.hello().0.len(), outcome.hello().0.len());
}

fn server_without() -> ServerBuilder<Ready> {
    let identity = clasp_testkit::authority().issue(clasp_testkit::KeyKind::P256, &["localhost"]).identity();
    clasp::ServerConfig::builder().identity(identity)
}

/// The outer hello is bound to the hidden one: whatever an attacker changes there, the hidden one is not opened.
#[test]
fn a_changed_outer_hello_opens_nothing() {
    for (what, change) in [
        ("name", (|h| h.with(named("other.example"))) as fn(Hello) -> Hello),
        ("random", |h| h.change(|h| h.random[31] ^= 1)),
        ("session ID", |h| h.change(|h| h.session_id[0] ^= 1)),
        ("suites", |h| h.change(|h| h.suites.truncate(2))),
        ("order", |h| h.change(|h| h.extensions.swap(0, 1))),
        ("an extension more", |h| h.with(ext(UNKNOWN, &[1]))),
    ] {
        let key = key();
        let hello = change(Hiding::to(&key).seal(&outer(), &encoded(&inner())));
        let outcome = heard(server_with(key), &[hello.message()]);
        assert_eq!(outcome.alert, None, "{what}");
        assert_ne!(outcome.name.as_deref(), Some("hidden.example"), "{what}");
        assert!(outcome.retry_configs().is_some(), "{what}");
    }
}

#[test]
fn a_config_id_that_is_not_named_is_tried_where_that_is_asked_for() {
    for any_id in [false, true] {
        let key = key();
        let retry = key.list().as_bytes().to_vec();
        let mut hiding = Hiding::to(&key);
        hiding.config_id ^= 1;
        let hello = hiding.seal(&outer(), &encoded(&inner()));
        let keys = EchKeyStore::new(EchKeyRing::new([key]).unwrap().try_any_id(any_id));
        let outcome = heard(server_without().encrypted_client_hello(Arc::new(keys)), &[hello.message()]);
        if any_id { accepted(&outcome, &whole(inner())) } else { rejected(&outcome, &retry) }
    }
}

#[test]
fn keys_come_and_go_while_a_server_runs() {
    let (old, new) = (key(), key());
    let (to_old, to_new) = (
        Hiding::to(&old).seal(&outer(), &encoded(&inner())).message(),
        Hiding::to(&new).seal(&outer(), &encoded(&inner())).message(),
    );
    let retry = new.list().as_bytes().to_vec();
    let store = Arc::new(EchKeyStore::new(EchKeyRing::new([new, old]).unwrap()));
    for hello in [&to_old, &to_new] {
        let outcome = heard(server_without().encrypted_client_hello(store.clone()), std::slice::from_ref(hello));
        accepted(&outcome, &whole(inner()));
    }
    store.replace(EchKeyRing::new([key()]).unwrap());
    let outcome = heard(server_without().encrypted_client_hello(store), &[to_new]);
    assert!(outcome.retry_configs().is_some_and(|list| list != retry));
    let many = EchKeyRing::new((0..9).map(|_| key())).unwrap_err();
    assert_eq!(many, EchError::TooManyConfigs);
}

/// RFC 9849 7.1: all that are published, and none that would be refused again.
#[test]
fn a_client_is_told_of_several_keys_where_that_is_asked_for() {
    let (old, current, other) = (key(), key(), key());
    let both = EchConfigList::of(current.configs().chain(other.configs())).unwrap();
    let stranger = EchConfigList::of(key().configs()).unwrap();
    let ring = |list| EchKeyRing::new([old, current, other]).unwrap().retry_with(list);
    let keys = EchKeyStore::new(ring(both.clone()).unwrap());
    let hello = Hiding::to(&key()).seal(&outer(), &encoded(&inner()));
    let outcome = heard(server_without().encrypted_client_hello(Arc::new(keys)), &[hello.message()]);
    rejected(&outcome, both.as_bytes());

    let mixed = EchConfigList::of(both.configs().iter().chain(stranger.configs())).unwrap();
    for list in [stranger, mixed] {
        let ring = EchKeyRing::new([key()]).unwrap().retry_with(list);
        assert_eq!(ring.unwrap_err(), EchError::NoKey);
    }
}

/// Split mode, RFC 9849 7.2: what another has opened is confirmed without a key.
#[test]
fn a_hello_that_another_has_opened_is_confirmed() {
    let backend = server_without().encrypted_client_hello(ring([]));
    accepted(&heard(backend, &[whole(inner())]), &whole(inner()));
}

/// A server that wants a share of P-256.
fn asks_again(server: ServerBuilder<Ready>) -> ServerBuilder<Ready> {
    server.policy(Policy::default().with_groups([NamedGroup::Secp256r1]))
}

fn shared(hello: Hello) -> Hello {
    let group = Provider::builtin().group(NamedGroup::Secp256r1).unwrap();
    static PUBLIC: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    let public = PUBLIC.get_or_init(|| group.start().unwrap().public().to_vec());
    hello.with(ext(SHARES, &v16(&share(0x17, public))))
}

#[test]
fn a_second_hello_is_opened_by_the_context_of_the_first() {
    let key = key();
    let mut hiding = Hiding::to(&key);
    let first = hiding.seal(&outer(), &encoded(&inner()));
    let second = hiding.seal(&shared(outer()), &encoded(&shared(inner())));
    let outcome = heard(asks_again(server_with(key)), &[first.message(), second.message()]);
    assert_eq!((outcome.alert, outcome.name.as_deref()), (None, Some("hidden.example")));
    let (_, before) = outcome.hello();
    let [request] = before else { panic!("one HelloRetryRequest: {}", before.len()) };
    let hash = Provider::builtin().hash(HashId::Sha256).unwrap();
    let digest = hash.digest(&[&whole(inner())]);
    let first = [&[254, 0, 0, 32][..], digest.as_ref()].concat();
    assert!(answers(&outcome, &[&first, request], &whole(shared(inner()))));
    let (head, mark) = request.split_at(request.len() - 8);
    assert_eq!(mark, confirmation([6; 32], "hrr ech accept confirmation", &[&first, head, &[0; 8]]));
    assert!(head.ends_with(&[0xfe, 0x0d, 0, 8]));
}

#[test]
fn second_hellos_that_no_client_may_send() {
    let second = |change: &dyn Fn(&mut Hiding, Hello) -> Hello| {
        let key = key();
        let mut hiding = Hiding::to(&key);
        let first = hiding.seal(&outer(), &encoded(&inner()));
        let second = change(&mut hiding, first.clone());
        let outcome = heard(asks_again(server_with(key)), &[first.message(), second.message()]);
        assert_eq!(outcome.sent.len(), 1, "the request alone");
        outcome.alert
    };
    let seal = |hiding: &mut Hiding, inner: Hello| hiding.seal(&shared(outer()), &encoded(&shared(inner)));
    let reused_enc = |hiding: &mut Hiding, _| {
        hiding.encapsulated = vec![9; 32];
        seal(hiding, inner())
    };
    assert_eq!(second(&reused_enc), Some("illegal_parameter"));
    let other_id = |hiding: &mut Hiding, _| {
        hiding.config_id ^= 1;
        seal(hiding, inner())
    };
    assert_eq!(second(&other_id), Some("illegal_parameter"));
    let inner_type = |_: &mut Hiding, _| shared(outer()).with(ext(ECH, &[1]));
    assert_eq!(second(&inner_type), Some("illegal_parameter"));
    assert_eq!(second(&|_, _| shared(outer())), Some("missing_extension"));
    let garbage = |hiding: &mut Hiding, _| shared(outer()).with(hiding.extension(&[7; 300]));
    assert_eq!(second(&garbage), Some("decrypt_error"));
    // What was sealed for the first place does not fit the second: HRR swaps.
    let swapped = |hiding: &mut Hiding, first: Hello| {
        let sealed = first.extensions.iter().find(|e| typ(e) == ECH).unwrap();
        let payload = &sealed[4 + 6 + 2 + 32 + 2..];
        shared(outer()).with(hiding.extension(payload))
    };
    assert_eq!(second(&swapped), Some("decrypt_error"));
    let other_name = |hiding: &mut Hiding, _| seal(hiding, inner().with(named("third.example")));
    assert_eq!(second(&other_name), Some("illegal_parameter"));
    let other_random = |hiding: &mut Hiding, _| seal(hiding, inner().change(|h| h.random = [7; 32]));
    assert_eq!(second(&other_random), Some("illegal_parameter"));
}

/// What is sealed anew is another each time: a server that opened nothing, or never would, minds it not.
#[test]
fn a_second_hello_may_hide_anew_what_is_not_opened() {
    for keys in [true, false] {
        let mut hiding = Hiding::to(&key());
        let first = hiding.seal(&outer(), &encoded(&inner()));
        let second = hiding.seal(&shared(outer()), &encoded(&shared(inner())));
        let server = if keys { server_with(key()) } else { server_without() };
        let outcome = heard(asks_again(server), &[first.message(), second.message()]);
        assert_eq!((outcome.alert, outcome.name.as_deref()), (None, Some("public.example")));
        assert_eq!(outcome.retry_configs().is_some(), keys);
        assert!(!outcome.sent[0].windows(2).any(|w| w == [0xfe, 0x0d]), "no mark");
    }
}
