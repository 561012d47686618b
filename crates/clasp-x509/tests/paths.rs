//! Chains made by rcgen, judged.
#![allow(clippy::unwrap_used)]

use clasp_x509::{Options, Reason, Rejection, Roots, Usage, verify};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls_pki_types::{ServerName, UnixTime};
use std::time::Duration;

const NOW: u64 = 1_900_000_000;

struct Made {
    der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

fn authority(name: &str, path_len: Option<u8>, by: Option<&Made>) -> Made {
    make(name, by, |p| {
        p.is_ca = IsCa::Ca(path_len.map_or(BasicConstraints::Unconstrained, BasicConstraints::Constrained));
        p.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    })
}

fn make(name: &str, by: Option<&Made>, change: impl FnOnce(&mut CertificateParams)) -> Made {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2029, 1, 1);
    params.not_after = rcgen::date_time_ymd(2031, 1, 1);
    change(&mut params);
    let der = match by {
        None => params.self_signed(&key).unwrap().der().to_vec(),
        Some(by) => params.signed_by(&key, &by.issuer).unwrap().der().to_vec(),
    };
    Made { der, issuer: Issuer::new(params, key) }
}

fn server(by: &Made, change: impl FnOnce(&mut CertificateParams)) -> Made {
    make("server", Some(by), |p| {
        p.subject_alt_names =
            CertificateParams::new(vec!["example.com".into(), "*.wild.org".into(), "192.0.2.7".into()])
                .unwrap()
                .subject_alt_names;
        p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        change(p);
    })
}

fn judge_at(root: &Made, chain: &[&Made], name: &str, time: u64, usage: Usage) -> Result<(), Rejection> {
    let mut roots = Roots::empty();
    roots.add_der(&root.der).unwrap();
    let name = ServerName::try_from(name).unwrap();
    let chain: Vec<&[u8]> = chain.iter().map(|m| &m.der[..]).collect();
    let time = UnixTime::since_unix_epoch(Duration::from_secs(time));
    verify(&chain, &roots, &Options { time, usage, name: Some(&name) }).map(|_| ()).map_err(|e| *e)
}

fn judge(root: &Made, chain: &[&Made], name: &str) -> Result<(), Reason> {
    judge_at(root, chain, name, NOW, Usage::Server).map_err(|r| r.reason)
}

#[test]
fn good_chains_in_any_order() {
    let root = authority("root", None, None);
    let one = authority("one", Some(1), Some(&root));
    let two = authority("two", Some(0), Some(&one));
    let leaf = server(&two, |_| ());
    let stray = authority("stray", None, None);
    assert_eq!(judge(&root, &[&leaf, &two, &one], "example.com"), Ok(()));
    assert_eq!(judge(&root, &[&leaf, &one, &stray, &two], "a.wild.org"), Ok(()));
    assert_eq!(judge(&root, &[&leaf, &two, &one, &root], "192.0.2.7"), Ok(()));
    assert_eq!(judge(&root, &[&leaf, &two, &one], "example.org"), Err(Reason::NameMismatch));
    assert_eq!(judge(&root, &[&leaf, &one], "example.com"), Err(Reason::UnknownIssuer), "a missing intermediate");
}

#[test]
fn man_in_the_middle_same_names_other_key() {
    let (good, evil) = (authority("root", None, None), authority("root", None, None));
    let forged = server(&evil, |_| ());
    let refused = judge_at(&good, &[&forged], "example.com", NOW, Usage::Server).unwrap_err();
    assert_eq!(refused.reason, Reason::BadSignature);
    assert!(refused.to_string().contains("CN=root"), "{refused}");
    assert_eq!(judge(&good, &[&forged, &evil], "example.com"), Err(Reason::BadSignature));
}

#[test]
fn times_usages_and_constraints() {
    let root = authority("root", None, None);
    let leaf = server(&root, |_| ());
    let at = |t| judge_at(&root, &[&leaf], "example.com", t, Usage::Server).map_err(|r| r.reason);
    assert_eq!(at(1_700_000_000), Err(Reason::NotYetValid));
    assert_eq!(at(2_000_000_000), Err(Reason::Expired));
    let as_client = judge_at(&root, &[&leaf], "example.com", NOW, Usage::Client).map_err(|r| r.reason);
    assert_eq!(as_client, Err(Reason::WrongUsage));
    let by_leaf = server(&leaf, |_| ());
    assert_eq!(judge(&root, &[&by_leaf, &leaf], "example.com"), Err(Reason::Constraint), "a leaf that issues");
    let short = authority("short", Some(0), Some(&root));
    let below = authority("below", None, Some(&short));
    let deep = server(&below, |_| ());
    assert_eq!(judge(&root, &[&deep, &below, &short], "example.com"), Err(Reason::Constraint), "path length");
    let critical = server(&root, |p| {
        let mut extension = rcgen::CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(true);
        p.custom_extensions.push(extension);
    });
    assert_eq!(judge(&root, &[&critical], "example.com"), Err(Reason::CriticalExtension));
    let mut altered = server(&root, |_| ());
    let at = altered.der.len() - 5;
    altered.der[at] ^= 1;
    assert_eq!(judge(&root, &[&altered], "example.com"), Err(Reason::BadSignature));
}

#[test]
fn certificate_bomb_many_issuers_of_one_name_cost_a_bounded_number_of_signatures() {
    let root = authority("other", None, None);
    let issuers: Vec<Made> = (0..31).map(|_| authority("loop", None, None)).collect();
    let leaf = server(&issuers[0], |_| ());
    let chain: Vec<&Made> = std::iter::once(&leaf).chain(&issuers).collect();
    assert_eq!(judge(&root, &chain, "example.com"), Err(Reason::TooCostly));
}

#[test]
fn no_mutation_panics_or_passes() {
    let root = authority("root", None, None);
    let leaf = server(&root, |_| ());
    for place in 0..leaf.der.len() {
        for value in [0, 0x7f, 0x80, 0xff, leaf.der[place] ^ 1] {
            if value == leaf.der[place] {
                continue;
            }
            let mut der = leaf.der.clone();
            der[place] = value;
            let mutant = Made { der, issuer: Issuer::new(CertificateParams::default(), KeyPair::generate().unwrap()) };
            assert!(judge(&root, &[&mutant], "example.com").is_err(), "byte {place} = {value:#x} passes");
        }
    }
    for len in 0..leaf.der.len() {
        assert!(clasp_x509::Certificate::parse(&leaf.der[..len]).is_err());
    }
}
