//! What a peer's certificates cost whoever judges them.

use crate::{Input, Kind};
use clasp::config::{FetchIssuer, MissingIssuers, PresentedIdentity, Verifier, WebPki};
use clasp::crypto::Provider;
use clasp::error::Result;
use clasp::pki_types::{CertificateDer, CertificateRevocationListDer};
use clasp::x509::{Check, Profile, Scope};
use clasp::{Answer, ServerName};
use clasp_testkit::{KeyKind, authority};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, NameConstraints, SanType,
};
use std::io;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, UNIX_EPOCH};

pub(crate) const KINDS: &[Kind] = &[
    Kind { name: "chain: names of a certificate", least: 250, make: |n| leaf(|p| p.subject_alt_names = hosts(n)) },
    Kind { name: "chain: a long subject", least: 2000, make: |n| leaf(|p| p.distinguished_name = long_name(1, n, 0)) },
    Kind {
        name: "chain: attributes of a subject",
        least: 100,
        make: |n| leaf(|p| p.distinguished_name = long_name(n, 4, 0)),
    },
    Kind { name: "chain: purposes", least: 500, make: |n| leaf(|p| p.extended_key_usages = purposes(n)) },
    Kind { name: "chain: a long extension", least: 8000, make: |n| leaf(|p| p.custom_extensions.push(unknown(7, n))) },
    Kind {
        name: "chain: extensions",
        least: 20,
        make: |n| leaf(|p| p.custom_extensions = (0..n).map(|i| unknown(i, 8)).collect()),
    },
    Kind { name: "chain: constraints, and names to hold against them", least: 100, make: constraints },
    Kind { name: "chain: certificates of one name", least: 16, make: one_name },
    Kind { name: "chain: a mesh of 13, names nearly the same", least: 32, make: mesh },
    Kind { name: "chain: in reverse order, and an issuer to fetch", least: 7, make: reversed },
    Kind { name: "chain: a staple that is none", least: 4000, make: |n| judge(&[plain()], vec![0x30; n], Vec::new()) },
    Kind { name: "chain: entries of a revocation list (ours)", least: 60, make: listed },
];

fn hosts(n: usize) -> Vec<SanType> {
    (0..n).map(|n| SanType::DnsName(format!("host-{n:05}.example.com").try_into().unwrap())).collect()
}

fn purposes(n: usize) -> Vec<ExtendedKeyUsagePurpose> {
    (0..n).map(|n| ExtendedKeyUsagePurpose::Other(vec![1, 2, 3, 1000 + n as u64])).collect()
}

fn unknown(n: usize, length: usize) -> CustomExtension {
    CustomExtension::from_oid_content(&[1, 2, 3, 2000 + n as u64], vec![7; length])
}

/// So many attributes with values so long; different in the last byte alone.
fn long_name(attributes: usize, length: usize, which: usize) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for n in 0..attributes {
        let last = if n + 1 == attributes { which } else { 0 };
        name.push(DnType::CustomDnType(vec![1, 2, 3, 3000 + n as u64]), format!("{}{last}", "x".repeat(length)));
    }
    name
}

fn issued(change: impl FnOnce(&mut CertificateParams)) -> CertificateDer<'static> {
    authority().issue_with(KeyKind::P256, &["localhost"], change).chain.swap_remove(0)
}

fn plain() -> CertificateDer<'static> {
    issued(|_| ())
}

fn leaf(change: impl FnOnce(&mut CertificateParams)) -> Input {
    judge(&[issued(change)], Vec::new(), Vec::new())
}

fn judge(
    chain: &[CertificateDer<'static>],
    staple: Vec<u8>,
    lists: Vec<CertificateRevocationListDer<'static>>,
) -> Input {
    let anew = lists.is_empty();
    let verifier = WebPki::servers(authority().roots()).profile(Profile::Rfc5280).remember(0);
    let verifier = verifier.revocation(Check::Prefer, Scope::Leaf, lists).unwrap();
    let chain = chain.to_vec();
    let bytes = chain.iter().map(|der| der.len()).sum::<usize>() + staple.len();
    let work = move || {
        let name = ServerName::try_from("localhost").unwrap();
        let ocsp = Some(&staple[..]).filter(|staple| !staple.is_empty());
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let mut peer = PresentedIdentity::new(&chain, now, Provider::builtin());
        (peer.name, peer.ocsp, peer.asked_for_ocsp) = (Some(&name), ocsp, true);
        let verdict: Answer<'_, Result<_>> = verifier.verify(peer);
        assert!(matches!(verdict, Answer::Now(_)));
    };
    if !anew {
        // The first peer has the list's signature checked, once for all.
        work();
    }
    (bytes, Box::new(work))
}

struct Maker {
    params: CertificateParams,
    key: KeyPair,
}

impl Maker {
    fn new(name: DistinguishedName) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = name;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { params, key: KeyPair::generate().unwrap() }
    }

    fn issues(&self, params: &CertificateParams, key: &KeyPair) -> Certificate {
        let own = KeyPair::try_from(self.key.serialize_der()).unwrap();
        params.signed_by(key, &Issuer::new(self.params.clone(), own)).unwrap()
    }

    fn issues_leaf(&self, change: impl FnOnce(&mut CertificateParams)) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        change(&mut params);
        self.issues(&params, &KeyPair::generate().unwrap()).der().clone()
    }
}

fn constraints(n: usize) -> Input {
    let mut middle = Maker::new(long_name(1, 8, 1));
    let subtrees = (0..n).map(|n| GeneralSubtree::DnsName(format!("no-{n:05}.example.org"))).collect();
    middle.params.name_constraints =
        Some(NameConstraints { permitted_subtrees: Vec::new(), excluded_subtrees: subtrees });
    let params = middle.params.clone();
    let above = authority().issue_with(KeyKind::P256, &[], |p| *p = params).chain.swap_remove(0);
    let leaf = middle.issues_leaf(|p| p.subject_alt_names = hosts(n));
    judge(&[leaf, above], Vec::new(), Vec::new())
}

fn one_name(n: usize) -> Input {
    let makers: Vec<Maker> = (0..n).map(|_| Maker::new(long_name(1, 8, 0))).collect();
    let mut chain = vec![makers[0].issues_leaf(|_| ())];
    chain.extend((0..n).map(|i| makers[(i + 1) % n].issues(&makers[i].params, &makers[i].key).der().clone()));
    judge(&chain, Vec::new(), Vec::new())
}

/// Four authorities, each certified by each other.
fn mesh(length: usize) -> Input {
    let makers: Vec<Maker> = (0..4).map(|which| Maker::new(long_name(16, length, which))).collect();
    let mut chain = vec![makers[0].issues_leaf(|_| ())];
    for below in &makers {
        for above in makers.iter().filter(|above| !std::ptr::eq(*above, below)) {
            chain.push(above.issues(&below.params, &below.key).der().clone());
        }
    }
    judge(&chain, Vec::new(), Vec::new())
}

/// Nothing stands at any address.
struct Nowhere;

impl FetchIssuer for Nowhere {
    fn fetch<'a>(&'a self, _: &'a str) -> Answer<'a, io::Result<Vec<u8>>> {
        Answer::Now(Err(io::ErrorKind::NotFound.into()))
    }
}

/// Each issued by the one before it, where it should be the one behind; the last has an issuer that was not sent.
fn reversed(n: usize) -> Input {
    let makers: Vec<Maker> = (0..=n).map(|which| Maker::new(long_name(1, 400, 1000 + which))).collect();
    let mut chain: Vec<_> =
        makers.windows(2).map(|pair| pair[1].issues(&pair[0].params, &pair[0].key).der().clone()).collect();
    chain.push(makers[0].issues_leaf(|_| ()));
    chain.reverse();
    chain[1..].reverse();
    let verifier = WebPki::servers(authority().roots()).profile(Profile::Rfc5280).remember(0);
    let verifier = MissingIssuers::new(verifier, Nowhere);
    let bytes = chain.iter().map(|der| der.len()).sum();
    let work = move || {
        let name = ServerName::try_from("localhost").unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let mut peer = PresentedIdentity::new(&chain, now, Provider::builtin());
        peer.name = Some(&name);
        let Answer::Later(mut verdict) = verifier.verify(peer) else { unreachable!() };
        let done = verdict.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(done, Poll::Ready(Err(_))));
    };
    (bytes, Box::new(work))
}

/// It is read before a peer comes, and so costs it nothing.
fn listed(n: usize) -> Input {
    let serials: Vec<u8> = (0..n).map(|n| u8::try_from(n).unwrap()).collect();
    let (_, work) = judge(
        &[issued(|p| p.serial_number = Some(vec![250].into()))],
        Vec::new(),
        vec![authority().revocation_list(&serials)],
    );
    (n, work)
}
