//! Issuers that a peer has not sent are fetched, where that was asked for, and within bounds.
#![allow(clippy::unwrap_used, clippy::panic)]

use clasp::config::{FetchIssuer, MissingIssuers, Verifier, WebPki};
use clasp::error::{Cause, CertificateError};
use clasp::session::{ClientSessionCache, ClientSessions};
use clasp::x509::Profile;
use clasp::{Answer, ClientConfig, Error, Identity, ServerConfig};
use clasp_testkit::{Gate, ManualClock, Pair};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

/// authorityInfoAccess, with caIssuers at these addresses.
fn at(addresses: &[&str]) -> CustomExtension {
    let element = |tag: u8, content: Vec<u8>| {
        let length = u8::try_from(content.len()).unwrap();
        let head = if length < 128 { vec![tag, length] } else { vec![tag, 0x81, length] };
        [head, content].concat()
    };
    const CA_ISSUERS: &[u8] = &[6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2];
    let access =
        |address: &&str| element(0x30, [CA_ISSUERS.to_vec(), element(0x86, address.as_bytes().to_vec())].concat());
    let content = element(0x30, addresses.iter().flat_map(access).collect());
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content)
}

/// A certificate and its key.
struct Node {
    der: Vec<u8>,
    key: KeyPair,
    params: CertificateParams,
}

fn node(name: &str, by: Option<&Node>, change: impl FnOnce(&mut CertificateParams)) -> Node {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2060, 1, 1));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = match by {
        None => params.self_signed(&key).unwrap(),
        Some(by) => params.signed_by(&key, &Issuer::from_params(&by.params, &by.key)).unwrap(),
    };
    Node { der: certificate.der().to_vec(), key, params }
}

fn leaf(by: &Node, addresses: &[&str]) -> Node {
    node("leaf", Some(by), |params| {
        params.is_ca = IsCa::NoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.subject_alt_names = vec![rcgen::SanType::DnsName("localhost".try_into().unwrap())];
        params.custom_extensions = vec![at(addresses)];
    })
}

/// Has something at each address, and counts who comes.
#[derive(Clone, Default)]
struct Web {
    stands: Arc<Mutex<HashMap<&'static str, Vec<u8>>>>,
    asked: Arc<Mutex<Vec<String>>>,
    gate: Gate,
}

impl Web {
    fn with(stands: &[(&'static str, &Node)]) -> Self {
        let web = Self::default();
        web.stands.lock().unwrap().extend(stands.iter().map(|(address, node)| (*address, node.der.clone())));
        web.gate.open();
        web
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl FetchIssuer for Web {
    fn fetch<'a>(&'a self, address: &'a str) -> Answer<'a, io::Result<Vec<u8>>> {
        self.asked.lock().unwrap().push(address.to_owned());
        let there = self.stands.lock().unwrap().get(address).cloned();
        self.gate.later(Answer::Now(there.ok_or_else(|| io::Error::other("404 Not Found"))))
    }
}

fn server(chain: &[&Node]) -> Arc<ServerConfig> {
    let key = chain[0].key.serialize_der();
    let chain = chain.iter().map(|node| node.der.clone().into()).collect();
    ServerConfig::builder().identity(Identity::from_der(chain, &key).unwrap()).build().unwrap()
}

fn trusting(root: &Node) -> WebPki {
    let mut roots = clasp::Roots::empty();
    roots.add_der_as(&root.der, Profile::Rfc5280).unwrap();
    WebPki::servers(Arc::new(roots))
}

fn client(chains: MissingIssuers) -> Arc<ClientConfig> {
    ClientConfig::builder().trust_fetching(chains).no_sessions().build().unwrap()
}

fn connect(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Result<(), Error> {
    Pair::new(client, server).drive()
}

const ONE: &str = "http://ca.test/one.cer";
const TWO: &str = "HTTP://ca.test/two.cer";

/// A root, two issuers below it, and a server that sends its own certificate alone.
fn deep() -> (Node, Node, Node, Node) {
    let root = node("Root", None, |_| ());
    let one = node("One", Some(&root), |_| ());
    let two = node("Two", Some(&one), |params| params.custom_extensions = vec![at(&[ONE])]);
    let leaf = leaf(&two, &["ldap://ca.test/cn=two", "https://ca.test/two.cer", TWO]);
    (root, one, two, leaf)
}

#[test]
fn missing_issuers_are_fetched_once_and_only_where_that_was_asked_for() {
    let (root, one, two, leaf) = deep();
    let (server, web) = (server(&[&leaf]), Web::with(&[(ONE, &one), (TWO, &two)]));
    let plain = ClientConfig::builder().trust(trusting(&root)).build().unwrap();
    assert_eq!(connect(&plain, &server).unwrap_err().cause(), &Cause::Certificate(CertificateError::UnknownIssuer));
    let client = client(MissingIssuers::new(trusting(&root), web.clone()));
    connect(&client, &server).unwrap();
    assert_eq!(*web.asked.lock().unwrap(), [TWO, ONE], "http, and nothing else");
    connect(&client, &server).unwrap();
    assert_eq!(web.asked(), 2, "they are remembered");
    // A chain that is whole costs nobody anything.
    let whole = self::server(&[&leaf, &two, &one]);
    connect(&client, &whole).unwrap();
    // Some of it may be there, in whatever order.
    let web = Web::with(&[(TWO, &two)]);
    let client = self::client(MissingIssuers::new(trusting(&root), web.clone()));
    connect(&client, &self::server(&[&leaf, &one])).unwrap();
    assert_eq!(*web.asked.lock().unwrap(), [TWO]);
}

#[test]
fn no_more_are_fetched_than_may_be() {
    let (root, one, two, leaf) = deep();
    for (most, enough) in [(0, false), (1, false), (2, true), (3, true)] {
        let web = Web::with(&[(ONE, &one), (TWO, &two)]);
        let client = client(MissingIssuers::new(trusting(&root), web.clone()).most(most));
        assert_eq!(connect(&client, &server(&[&leaf])).is_ok(), enough);
        assert_eq!(web.asked(), most.min(2));
    }
    // Two that issue each other, and neither is trusted: it ends.
    let circle = "http://ca.test/circle.cer";
    let first = node("Circle", None, |params| params.custom_extensions = vec![at(&[circle])]);
    let again = node("Circle", Some(&first), |params| params.custom_extensions = vec![at(&[circle])]);
    let web = Web::with(&[(circle, &again)]);
    let client = client(MissingIssuers::new(trusting(&root), web.clone()));
    let error = connect(&client, &server(&[&self::leaf(&again, &[circle])])).unwrap_err();
    assert_eq!(error.cause(), &Cause::Certificate(CertificateError::UnknownIssuer));
    assert!(web.asked() <= 3, "{}", web.asked());
}

/// What is fetched is believed no more than what is sent.
#[test]
fn what_is_fetched_proves_nothing() {
    let (root, _, two, leaf) = deep();
    let refused = |stands: &[(&'static str, &Node)], leaf: &Node| {
        let client = client(MissingIssuers::new(trusting(&root), Web::with(stands)));
        let error = connect(&client, &server(&[leaf])).unwrap_err();
        assert!(!error.refused_chain().is_empty());
        error
    };
    let nowhere = refused(&[], &leaf);
    assert_eq!(nowhere.cause(), &Cause::Certificate(CertificateError::UnknownIssuer));
    assert!(nowhere.to_string().contains("404") && nowhere.to_string().contains(TWO), "{nowhere}");
    let wrong = refused(&[(TWO, &root)], &leaf);
    assert!(wrong.to_string().contains("a certificate of CN=Root, and not of CN=Two"), "{wrong}");
    // One of the same name with another key, and an authority that is nobody's.
    let stranger = node("Two", None, |_| ());
    let other = refused(&[(TWO, &stranger)], &leaf);
    assert!(matches!(other.cause(), Cause::Certificate(_)), "{other}");
    let known = refused(&[(TWO, &two)], &leaf);
    assert!(known.to_string().contains("one.cer"), "{known}");
    // Addresses that are none of plain HTTP are not gone to.
    let odd = self::leaf(&two, &["https://ca.test/two.cer", "http://ca.test/ two", "file:///etc/passwd"]);
    let web = Web::with(&[]);
    let client = client(MissingIssuers::new(trusting(&root), web.clone()));
    assert!(connect(&client, &server(&[&odd])).is_err());
    assert_eq!(web.asked(), 0);
}

#[test]
fn what_is_no_certificate_or_too_long_is_not_taken() {
    let (root, _, _, leaf) = deep();
    for (bytes, words) in [(b"<html>".to_vec(), "no certificate in DER"), (vec![0x30; 100_000], "100000 bytes")] {
        let web = Web::with(&[]);
        web.stands.lock().unwrap().insert(TWO, bytes);
        let client = client(MissingIssuers::new(trusting(&root), web));
        let error = connect(&client, &server(&[&leaf])).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_handshake_waits_for_what_is_fetched() {
    let (root, one, two, leaf) = deep();
    let web = Web::with(&[(ONE, &one), (TWO, &two)]);
    web.gate.close();
    let client = client(MissingIssuers::new(trusting(&root), web.clone()));
    let mut pair = Pair::new(&client, &server(&[&leaf]));
    pair.drive().unwrap();
    assert!(pair.client.is_handshaking() && web.gate.is_waited_at());
    web.gate.open();
    pair.drive().unwrap();
    assert!(pair.client.facts().is_some());
    assert_eq!(pair.client.facts().unwrap().peer_chain(), [leaf.der.into()], "what the peer has shown");
}

/// An authority that has renewed its certificate has another at the same address.
#[test]
fn an_issuer_that_has_ended_is_fetched_anew() {
    let root = node("Root", None, |_| ());
    let old = node("Two", Some(&root), |params| params.not_after = date_time_ymd(2030, 1, 1));
    let key = old.key.serialize_der();
    let mut new = old.params.clone();
    new.not_after = date_time_ymd(2050, 1, 1);
    let new = new.signed_by(&KeyPair::try_from(key).unwrap(), &Issuer::from_params(&root.params, &root.key)).unwrap();
    let leaf = leaf(&old, &[TWO]);
    let web = Web::with(&[(TWO, &old)]);
    let clock = Arc::new(ManualClock::at(1_800_000_000));
    let client = ClientConfig::builder().trust_fetching(MissingIssuers::new(trusting(&root), web.clone()));
    let client = client.clock(clock.clone()).no_sessions().build().unwrap();
    connect(&client, &server(&[&leaf])).unwrap();
    web.stands.lock().unwrap().insert(TWO, new.der().to_vec());
    connect(&client, &server(&[&leaf])).unwrap();
    assert_eq!(web.asked(), 1);
    // 2035
    clock.set(2_051_222_400);
    connect(&client, &server(&[&leaf])).unwrap();
    assert_eq!(web.asked(), 2);
}

/// What comes over plain HTTP may be anybody's: one wrong answer is not remembered in place of the right one.
#[test]
fn a_wrong_issuer_is_not_remembered() {
    let (root, one, two, leaf) = deep();
    let stranger = node("Two", None, |_| ());
    let web = Web::with(&[(ONE, &one), (TWO, &stranger)]);
    let client = client(MissingIssuers::new(trusting(&root), web.clone()));
    connect(&client, &server(&[&leaf])).unwrap_err();
    web.stands.lock().unwrap().insert(TWO, two.der.clone());
    connect(&client, &server(&[&leaf])).unwrap();
    let asked = web.asked();
    connect(&client, &server(&[&leaf])).unwrap();
    assert_eq!(web.asked(), asked, "the right one is");
}

/// An authority with a new key has a new certificate at the same address, of another name or the same.
#[test]
fn a_remembered_issuer_that_does_not_fit_is_fetched_anew() {
    let root = node("Root", None, |_| ());
    let old = node("Two", Some(&root), |_| ());
    for name in ["Two", "Three"] {
        let new = node(name, Some(&root), |_| ());
        let web = Web::with(&[(TWO, &old)]);
        let client = client(MissingIssuers::new(trusting(&root), web.clone()));
        connect(&client, &server(&[&leaf(&old, &[TWO])])).unwrap();
        web.stands.lock().unwrap().insert(TWO, new.der.clone());
        let leaf = leaf(&new, &[TWO]);
        // One of the same name is used once more, and then forgotten.
        let once = connect(&client, &server(&[&leaf]));
        assert_eq!(once.is_ok(), name == "Three", "{once:?}");
        connect(&client, &server(&[&leaf])).unwrap();
        assert_eq!(web.asked(), 2, "{name}");
    }
}

/// Sessions shared by a name do not go on after the roots were replaced.
#[test]
fn sessions_of_a_name_end_with_the_roots_that_made_them() {
    let (root, one, two, leaf) = deep();
    let other = node("Other", None, |_| ());
    assert!(!MissingIssuers::new(trusting(&root).remember(0), Web::default()).is_quick());
    let store: Arc<dyn ClientSessions> = Arc::new(ClientSessionCache::new(16));
    let client = |root: &Node| {
        let chains = MissingIssuers::new(trusting(root), Web::with(&[(ONE, &one), (TWO, &two)]));
        ClientConfig::builder().trust_fetching(chains).sessions(store.clone()).session_context("all").build().unwrap()
    };
    let server = server(&[&leaf]);
    let resumed = |client: &Arc<ClientConfig>| {
        let mut pair = Pair::new(client, &server);
        pair.drive()?;
        pair.server_sends(b"x")?;
        pair.drive()?;
        Ok::<_, Error>(pair.client.facts().unwrap().resumed.is_some())
    };
    assert!(!resumed(&client(&root)).unwrap());
    assert!(resumed(&client(&root)).unwrap());
    let refused = resumed(&client(&other)).unwrap_err();
    assert_eq!(refused.cause(), &Cause::Certificate(CertificateError::UnknownIssuer));
}
