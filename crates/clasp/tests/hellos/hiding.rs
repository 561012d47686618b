//! A client that hides its hello (RFC 9849 6), and our server: what stands outside, what is heard, and what is kept of it.

use super::flights::hidden::{ECH, OUTER_EXTENSIONS, key, ring};
use super::flights::*;
use clasp::config::{ClientBuilder, PreSharedKey, Ready, ServerBuilder, WebPki};
use clasp::crypto::{HashId, Provider};
use clasp::ech::{EchConfigList, EchKey, EchMode, EchParameters};
use clasp::error::{Cause, Misuse};
use clasp::session::TicketKeys;
use clasp::trace::{Observation, Observer, What};
use clasp::wire::code::{CipherSuite, Direction, ExtensionType, HandshakeType, NamedGroup};
use clasp::wire::extension::pre_shared_key;
use clasp::wire::message::{Checked, ClientHello};
use clasp::{ClientAuth, ClientConfig, EarlyData, EchFacts, Policy, Resumption, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority};
use std::sync::{Arc, LazyLock, Mutex};

static BOTH: LazyLock<clasp_testkit::Issued> =
    LazyLock::new(|| authority().issue(KeyKind::P256, &["public.example", "hidden.example", "localhost"]));

/// What a client has said for all to see.
#[derive(Default)]
pub(crate) struct Said(Mutex<Vec<Vec<u8>>>);

impl Observer for Said {
    fn observe(&self, seen: &Observation<'_>) {
        if let What::Message { direction: Direction::Sent, bytes, .. } = &seen.what {
            self.0.lock().unwrap().push(bytes.to_vec());
        }
    }
}

impl Said {
    pub(crate) fn hellos(&self) -> Vec<Checked<ClientHello>> {
        let said = self.0.lock().unwrap();
        let hellos = said.iter().filter(|message| message[0] == HandshakeType::ClientHello.0);
        hellos.map(|message| Checked::new(message.clone()).unwrap()).collect()
    }

    /// The one hello, or the last.
    pub(crate) fn hello(&self) -> Checked<ClientHello> {
        self.hellos().pop().unwrap()
    }

    pub(crate) fn kinds(&self) -> Vec<u8> {
        self.0.lock().unwrap().iter().map(|message| message[0]).collect()
    }
}

pub(crate) fn body(hello: &Checked<ClientHello>, typ: u16) -> Option<Vec<u8>> {
    hello.view().extensions.find(ExtensionType(typ)).map(|e| e.body.to_vec())
}

pub(crate) fn types(hello: &Checked<ClientHello>) -> Vec<u16> {
    // GREASE (RFC 8701) is another each time.
    let grease = |typ: u16| typ & 0x0f0f == 0x0a0a;
    hello.view().extensions.iter().map(|e| e.typ.0).filter(|typ| !grease(*typ)).collect()
}

pub(crate) fn holds(hello: &Checked<ClientHello>, name: &str) -> bool {
    hello.bytes().windows(name.len()).any(|window| window == name.as_bytes())
}

pub(crate) fn hides(list: &EchConfigList) -> ClientBuilder<Ready> {
    client().encrypted_client_hello(EchMode::Offer(list.clone()))
}

pub(crate) fn client() -> ClientBuilder<Ready> {
    ClientConfig::builder().trust(authority().roots())
}

pub(crate) fn server() -> ServerBuilder<Ready> {
    ServerConfig::builder().identity(BOTH.identity())
}

pub(crate) fn opens(key: EchKey) -> ServerBuilder<Ready> {
    server().encrypted_client_hello(ring([key]))
}

pub(crate) fn p256(server: ServerBuilder<Ready>) -> ServerBuilder<Ready> {
    server.policy(Policy::default().with_groups([NamedGroup::Secp256r1]))
}

pub(crate) fn pair(client: ClientBuilder<Ready>, server: ServerBuilder<Ready>) -> Pair {
    Pair::to(&client.build().unwrap(), &server.build().unwrap(), "hidden.example")
}

fn heard(pair: &Pair) {
    for side in [&pair.client, &pair.server] {
        let facts = side.facts().unwrap();
        let EchFacts { accepted, outer_name, .. } = facts.encrypted_client_hello.as_deref().unwrap();
        assert!(*accepted);
        assert_eq!(outer_name.as_deref(), Some("public.example"));
        assert_eq!(facts.server_name.as_deref(), Some("hidden.example"));
    }
}

#[test]
fn a_hidden_hello_is_heard_and_nobody_else_reads_the_name() {
    let said = Arc::new(Said::default());
    let key = key();
    let mut pair = pair(hides(key.list()).alpn(["h2"]).observer(said.clone()), opens(key).alpn(["h2"]));
    pair.drive().unwrap();
    heard(&pair);
    assert_eq!(pair.server.facts().unwrap().alpn.as_deref(), Some(&b"h2"[..]));
    let hello = said.hello();
    assert!(holds(&hello, "public.example") && !holds(&hello, "hidden.example"));
    assert_eq!(body(&hello, OUTER_EXTENSIONS), None);
    pair.client_sends(b"both ways").unwrap();
    pair.drive().unwrap();
    assert_eq!(pair.server_data, b"both ways");
}

/// What an observer is told of each side, in order: a ClientHello, and behind it the hello that it hides.
#[derive(Default)]
struct Hellos(Mutex<Vec<(bool, Direction, Vec<u8>)>>);

impl Observer for Hellos {
    fn observe(&self, seen: &Observation<'_>) {
        let (hidden, direction, bytes) = match &seen.what {
            What::HiddenHello { direction, bytes } => (true, *direction, *bytes),
            What::Message { direction, kind: HandshakeType::ClientHello, bytes, .. } => (false, *direction, *bytes),
            _ => return,
        };
        self.0.lock().unwrap().push((hidden, direction, bytes.to_vec()));
    }
}

#[test]
fn an_observer_of_either_side_is_told_of_what_is_hidden() {
    let (ours, theirs) = (Arc::new(Hellos::default()), Arc::new(Hellos::default()));
    let key = key();
    let mut pair = pair(hides(key.list()).observer(ours.clone()), p256(opens(key)).observer(theirs.clone()));
    pair.drive().unwrap();
    heard(&pair);
    let (sent, received) = (ours.0.lock().unwrap(), theirs.0.lock().unwrap());
    // Once more behind a HelloRetryRequest.
    assert_eq!(sent.iter().map(|(hidden, ..)| *hidden).collect::<Vec<_>>(), [false, true, false, true]);
    for ((hidden, to, said), (there, from, heard)) in sent.iter().zip(received.iter()) {
        assert_eq!((hidden, to, from, said), (there, &Direction::Sent, &Direction::Received, heard));
        assert_eq!(holds(&Checked::new(said.clone()).unwrap(), "hidden.example"), *hidden);
    }
    assert_eq!(sent.len(), received.len());
}

/// What is not opened the server knows nothing of.
#[test]
fn an_observer_of_a_server_without_the_key_is_told_of_nothing_hidden() {
    let (ours, theirs) = (Arc::new(Hellos::default()), Arc::new(Hellos::default()));
    let other = key();
    let mut pair = pair(hides(key().list()).observer(ours.clone()), opens(other).observer(theirs.clone()));
    pair.drive().unwrap_err();
    let hidden = |seen: &Hellos| seen.0.lock().unwrap().iter().filter(|(hidden, ..)| *hidden).count();
    assert_eq!((hidden(&ours), hidden(&theirs)), (1, 0));
}

/// Both suites of algorithms that are written by default, and each KEM there is.
#[test]
fn every_kem_is_sealed_to() {
    use clasp::code::HpkeKem;
    for kem in [
        HpkeKem::DhkemX25519HkdfSha256,
        HpkeKem::DhkemP256HkdfSha256,
        HpkeKem::DhkemP384HkdfSha384,
        HpkeKem::DhkemP521HkdfSha512,
    ] {
        let mut parameters = EchParameters::new("public.example");
        parameters.kem = kem;
        let key = EchKey::generate(Provider::builtin(), &parameters).unwrap();
        let mut pair = pair(hides(key.list()), opens(key));
        pair.drive().unwrap();
        heard(&pair);
    }
}

#[test]
fn a_second_hello_hides_the_same_by_the_same_context() {
    let said = Arc::new(Said::default());
    let key = key();
    let mut pair = pair(hides(key.list()).observer(said.clone()), p256(opens(key)));
    pair.drive().unwrap();
    heard(&pair);
    assert!(pair.client.facts().unwrap().hello_retried);
    let [first, second] = &said.hellos()[..] else { panic!("two hellos") };
    let (one, other) = (body(first, ECH).unwrap(), body(second, ECH).unwrap());
    // Type, algorithms and config_id stay; the encapsulated key is gone, and the rest is sealed anew.
    assert_eq!(one[..6], other[..6]);
    assert_eq!((&one[6..8], &other[6..8]), (&[0, 32][..], &[0, 0][..]));
    assert!(!holds(second, "hidden.example") && holds(second, "public.example"));
    assert_eq!(first.view().random, second.view().random);
}

/// A name that is an address stands in no hello, and one that is not to be said does not either; the public name does.
#[test]
fn what_has_no_name_inside_has_one_outside() {
    for without in [false, true] {
        let said = Arc::new(Said::default());
        let key = key();
        let trust = client().send_server_name(!without);
        let trust = trust.encrypted_client_hello(EchMode::Offer(key.list().clone())).observer(said.clone());
        let name = if without { "hidden.example" } else { "127.0.0.1" };
        let identity = authority().issue(KeyKind::P256, &["hidden.example", "127.0.0.1"]).identity();
        let server = ServerConfig::builder().identity(identity).encrypted_client_hello(ring([key]));
        let mut pair = Pair::to(&trust.build().unwrap(), &server.build().unwrap(), name);
        pair.drive().unwrap();
        assert!(pair.client.facts().unwrap().encrypted_client_hello.as_ref().unwrap().accepted);
        assert_eq!(pair.server.facts().unwrap().server_name, None);
        assert!(holds(&said.hello(), "public.example"));
    }
}

fn sealed_length(name: &'static str, longest: u8) -> usize {
    let said = Arc::new(Said::default());
    let mut parameters = EchParameters::new("public.example");
    parameters.max_name_length = longest;
    let key = EchKey::generate(Provider::builtin(), &parameters).unwrap();
    let config = hides(key.list()).observer(said.clone()).build().unwrap();
    Pair::to(&config, &opens(key).build().unwrap(), name).drive_one_client_flight().unwrap();
    body(&said.hello(), ECH).unwrap().len()
}

#[test]
fn the_length_of_a_hidden_name_does_not_show() {
    // The public name itself is one of those that are hidden.
    let names = [
        "a.example",
        "public.example",
        "hidden.example",
        "a-very-long-name-of-sixty-four-letters.under.a.domain.example",
    ];
    let lengths = names.map(|name| sealed_length(name, 64));
    assert_eq!(lengths, [lengths[0]; 4]);
    // Without a word of the server, and above it, all that hides are the 32 bytes.
    let head = 1 + 4 + 1 + 2 + 32 + 2 + 16;
    for (name, longest) in [(names[0], 0), (names[3], 0), (names[3], 10)] {
        assert_eq!((sealed_length(name, longest) - head) % 32, 0);
    }
    assert!(sealed_length(names[3], 0) > sealed_length(names[0], 0));
}

/// Comes to know the server, and gives the configuration that has sessions of it.
fn met(client: ClientBuilder<Ready>, server: &Arc<ServerConfig>) -> Arc<ClientConfig> {
    let client = client.build().unwrap();
    let mut pair = Pair::to(&client, server, "hidden.example");
    pair.drive().unwrap();
    pair.server_sends(b"x").unwrap();
    pair.drive().unwrap();
    client
}

fn identities(hello: &Checked<ClientHello>) -> Vec<Vec<u8>> {
    let found = hello.view().extensions.find(ExtensionType(PSK)).map(|e| pre_shared_key::offered(e).unwrap());
    found.into_iter().flat_map(|psks| psks.identities()).map(|psk| psk.identity.to_vec()).collect()
}

#[test]
fn a_session_is_resumed_inside_and_outside_stands_what_only_looks_like_it() {
    for retried in [false, true] {
        let key = key();
        let list = key.list().clone();
        let server = opens(key).max_early_data(1000);
        let server = if retried { p256(server) } else { server }.build().unwrap();
        let said = Arc::new(Said::default());
        let client = met(hides(&list).early_data(true).observer(said.clone()), &server);
        let known = said.hellos().len();

        // The same ticket in plain sight, to compare with.
        let (mut ticket, plain) = (Vec::new(), Arc::new(Said::default()));
        for _ in 0..2 {
            let open = ClientConfig::clone(&client).with_encrypted_client_hello(EchMode::Off).unwrap();
            let open = Arc::new(open.with_observer(plain.clone()));
            Pair::to(&open, &server, "hidden.example").drive_one_client_flight().unwrap();
            ticket = identities(&plain.hello()).remove(0);
            met_again(&client, &server, retried);
        }
        let hello = said.hellos().remove(known);
        let outside = identities(&hello);
        assert_eq!(outside.iter().map(Vec::len).collect::<Vec<_>>(), [ticket.len()]);
        assert_eq!(types(&hello), with_hiding(&types(&plain.hello())), "but for the hidden hello");
    }
}

/// The extensions of a hello, with that which hides another before the last.
fn with_hiding(types: &[u16]) -> Vec<u16> {
    let mut types = types.to_vec();
    types.insert(types.len() - 1, ECH);
    types
}

/// Resumes, with early data, and gets other tickets.
fn met_again(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>, retried: bool) {
    let mut pair = Pair::to(client, server, "hidden.example");
    pair.drive_one_client_flight().unwrap();
    let mut out = core::mem::take(&mut pair.to_server);
    pair.client.send_early(b"early", &mut out).unwrap();
    pair.to_server = out;
    pair.drive().unwrap();
    heard(&pair);
    for side in [&pair.client, &pair.server] {
        let facts = side.facts().unwrap();
        assert_eq!(facts.resumed, Some(Resumption::Ticket));
        let early = if retried { EarlyData::Rejected } else { EarlyData::Accepted };
        assert_eq!(facts.early_data, early);
    }
    assert_eq!(pair.server_data, if retried { &b""[..] } else { b"early" });
    pair.server_sends(b"x").unwrap();
    pair.drive().unwrap();
}

#[test]
fn keys_from_outside_are_offered_inside_alone() {
    let shared = |hash| PreSharedKey::external(format!("{hash:?}").as_bytes(), &[7; 32], hash).unwrap();
    for groups in [&[NamedGroup::X25519], &[NamedGroup::Secp256r1]] {
        let said = Arc::new(Said::default());
        let key = key();
        let client = hides(key.list()).observer(said.clone());
        let client = client.pre_shared_key(shared(HashId::Sha384)).pre_shared_key(shared(HashId::Sha256));
        let policy = Policy::modern().with_suites([CipherSuite::TLS_AES_128_GCM_SHA256]).with_groups(groups);
        let mut pair = pair(client, opens(key).policy(policy).pre_shared_key(shared(HashId::Sha256)));
        pair.drive().unwrap();
        heard(&pair);
        assert_eq!(pair.server.facts().unwrap().psk_identity.as_deref(), Some(&b"Sha256"[..]));
        for hello in said.hellos() {
            assert!(!holds(&hello, "Sha256") && !holds(&hello, "Sha384"));
            assert_eq!(identities(&hello).iter().map(Vec::len).collect::<Vec<_>>(), [6, 6]);
        }
    }
}

/// A session of TLS 1.2 can be offered nowhere: inside there is no TLS 1.2, and outside nothing is resumed.
#[test]
fn an_old_session_is_not_offered() {
    let hour = std::time::Duration::from_secs(3600);
    for by_ticket in [false, true] {
        let old = server().policy(Policy::default().with_versions([TLS12]));
        let tickets = || Arc::new(TicketKeys::random(Provider::builtin(), hour, 2 * hour).unwrap());
        let old = if by_ticket { old.tickets(tickets()) } else { old }.build().unwrap();
        let client = met(client(), &old);
        let hello_of = |mode| {
            let said = Arc::new(Said::default());
            let config = ClientConfig::clone(&client).with_encrypted_client_hello(mode).unwrap();
            let config = Arc::new(config.with_observer(said.clone()));
            Pair::to(&config, &old, "hidden.example").drive_one_client_flight().unwrap();
            said.hello()
        };
        let hidden = hello_of(EchMode::Offer(key().list().clone()));
        // It is still there for whoever may offer it.
        let plain = hello_of(EchMode::Off);
        let ticket = body(&plain, 35).unwrap();
        assert_eq!((ticket.is_empty(), body(&hidden, 35)), (!by_ticket, Some(Vec::new())));
        let known = plain.view().session_id;
        assert_ne!(hidden.view().session_id, known);
        let again = hello_of(EchMode::Off);
        assert_eq!(again.view().session_id == known, !by_ticket, "an ID that was given, or one of our own");
    }
}

#[test]
fn a_client_certificate_is_shown_to_whom_it_hides_from_nobody() {
    let key = key();
    let identity = authority().issue(KeyKind::P256, &["client"]).identity();
    let auth = ClientAuth::Require(Arc::new(WebPki::clients(authority().roots())));
    let mut pair = pair(hides(key.list()).identity(identity), opens(key).client_auth(auth));
    pair.drive().unwrap();
    heard(&pair);
    assert!(pair.server.facts().unwrap().client_authenticated);
}

#[test]
fn grease_looks_like_a_hidden_hello_and_hides_nothing() {
    let key = key();
    let hello_of = |mode: EchMode, name: &'static str| {
        let said = Arc::new(Said::default());
        let config = client().encrypted_client_hello(mode).observer(said.clone()).build().unwrap();
        Pair::to(&config, &server().build().unwrap(), name).drive_one_client_flight().unwrap();
        said.hello()
    };
    // Names of one length: the one in sight, and the one that is hidden.
    let real = hello_of(EchMode::Offer(key.list().clone()), "hidden.example");
    let grease = hello_of(EchMode::Grease, "public.example");
    let plain = hello_of(EchMode::Off, "public.example");
    assert_eq!(types(&grease), types(&real));
    assert_eq!(grease.bytes().len(), real.bytes().len());
    let without = |hello| types(hello).into_iter().filter(|typ| *typ != ECH).collect::<Vec<_>>();
    assert_eq!(without(&grease), types(&plain));
    let (real, grease) = (body(&real, ECH).unwrap(), body(&grease, ECH).unwrap());
    // Type and algorithms, and the lengths of key and payload.
    assert_eq!((&grease[..5], &grease[6..8], &grease[40..42]), (&real[..5], &real[6..8], &real[40..42]));
    assert_eq!(grease.len(), real.len());
    assert_eq!(grease[39] & 0x80, 0, "an X25519 value has this bit clear");
}

#[test]
fn grease_is_the_same_in_a_second_hello_and_what_answers_it_is_passed_over() {
    for again in [false, true] {
        let said = Arc::new(Said::default());
        let server = opens(key());
        let server = if again { p256(server) } else { server };
        let mut pair = pair(client().encrypted_client_hello(EchMode::Grease).observer(said.clone()), server);
        pair.drive().unwrap();
        let facts = pair.client.facts().unwrap();
        assert_eq!((facts.hello_retried, &facts.encrypted_client_hello), (again, &None));
        let sent: Vec<_> = said.hellos().iter().map(|hello| body(hello, ECH).unwrap()).collect();
        assert_eq!(sent.len(), if again { 2 } else { 1 });
        assert!(sent.iter().all(|one| *one == sent[0]));
        assert!(pair.server.facts().unwrap().encrypted_client_hello.as_ref().is_some_and(|ech| !ech.accepted));
    }
    // A client of TLS 1.2 has no such extension, and says so when it is asked for one.
    let old = client().policy(Policy::default().with_versions([TLS12])).encrypted_client_hello(EchMode::Grease);
    assert_eq!(old.build().unwrap_err().cause(), &Cause::Misuse(Misuse::Clash));
}

/// RFC 9849 6.1, 4.2: those that cannot be used are passed over; where there is none that can, nothing is said in plain sight.
#[test]
fn a_list_is_looked_through_for_what_can_be_used() {
    let key = key();
    let good = key.list().configs()[0].as_bytes().to_vec();
    // Behind the public name: no extensions, or a mandatory one.
    let mandatory = {
        let mut config = good[..good.len() - 2].to_vec();
        config.extend([0, 4, 0xff, 1, 0, 0]);
        let length = u16::try_from(config.len() - 4).unwrap().to_be_bytes();
        config[2..4].copy_from_slice(&length);
        config
    };
    let at = good.windows(6).position(|window| window == b"public").unwrap();
    let mut unnamed = good.clone();
    unnamed[at] = b'_';
    let mut other_kem = good.clone();
    other_kem[5..7].copy_from_slice(&[0x7a, 0x7a]);
    let unknown = vec![0xfe, 0x0a, 0, 1, 7];
    let list = |configs: &[&Vec<u8>]| {
        let all: Vec<u8> = configs.iter().flat_map(|config| config.iter().copied()).collect();
        EchConfigList::parse(&hello::v16(&all)).unwrap()
    };
    let bad = [&unknown, &mandatory, &unnamed, &other_kem];
    let with_good = [&bad[..], &[&good]].concat();
    let mut pair = pair(hides(&list(&with_good)), opens(key));
    pair.drive().unwrap();
    heard(&pair);
    for (config, why) in bad.into_iter().zip(["known version", "mandatory", "public name", "algorithms"]) {
        let error = hides(&list(&[config])).build().unwrap_err();
        assert_eq!(error.cause(), &Cause::Misuse(Misuse::NoUsableEchConfig));
        assert!(error.to_string().contains(why), "{error}");
    }
}

/// A key that is none is found when it is to be sealed to, and nothing is sent.
#[test]
fn a_public_key_that_is_none_is_not_sealed_to() {
    let key = key();
    let mut list = key.list().as_bytes().to_vec();
    let at = list.windows(32).position(|window| window == key.key().public()).unwrap();
    list[at..at + 32].fill(0);
    let mut pair = pair(hides(&EchConfigList::parse(&list).unwrap()), opens(key));
    let error = pair.drive_one_client_flight().unwrap_err();
    assert_eq!(error.cause(), &Cause::Misuse(Misuse::NoUsableEchConfig));
    assert!(!pair.to_server.starts_with(&[22]), "no hello");
}
