//! Finding a path: any order, more than one way up, dead ends, loops, and chains made to be slow.
#![allow(clippy::unwrap_used)]

mod common;

use clasp_x509::{Check, Origin, Profile, Reason, Rejection, Verdicts, verify};
use common::*;
use rustls_pki_types::ServerName;

const WEB: Profile = Profile::WebPki;

fn reason<T>(verdict: Result<T, Box<Rejection>>) -> Result<T, Reason> {
    verdict.map_err(|rejection| rejection.reason())
}

#[test]
fn good_chains_in_any_order() {
    let root = authority("root", None, |_| ());
    let one = authority("one", Some(&root), |d| d.set(BASIC_CONSTRAINTS, true, path_length(1)).done());
    let two = authority("two", Some(&one), |d| d.set(BASIC_CONSTRAINTS, true, path_length(0)).done());
    let leaf = server(&two, |_| ());
    let stray = authority("stray", None, |_| ());
    let accepted = judge(&root, &[&leaf, &two, &one], "example.com", &options(WEB)).unwrap();
    assert_eq!((accepted.path(), &accepted.root()[..]), (&[0, 1, 2][..], "CN=root"));
    let accepted = judge(&root, &[&leaf, &one, &stray, &two], "a.wild.org", &options(WEB)).unwrap();
    assert_eq!(accepted.path(), [0, 3, 1]);
    assert_eq!(accepted.leaf().subject(), "CN=example.com");
    judge(&root, &[&leaf, &two, &one, &root], "192.0.2.7", &options(WEB)).unwrap();
    judge(&root, &[&leaf, &two, &two, &one, &one], "192.0.2.7", &options(WEB)).unwrap();
    let missing = judge(&root, &[&leaf, &one], "example.com", &options(WEB)).unwrap_err();
    assert_eq!(missing.reason(), Reason::UnknownIssuer);
    assert!(missing.to_string().contains("issuer CN=two"), "{missing}");
    assert_eq!(
        reason(judge(&root, &[&leaf, &two, &one], "example.org", &options(WEB))).err(),
        Some(Reason::NameMismatch)
    );
}

#[test]
fn cross_signed_authorities_and_dead_ends() {
    let old = authority("old root", None, |d| d.validity = seq(&[&utc("200101000000Z"), &utc("210101000000Z")]));
    let new = authority("new root", None, |_| ());
    // The new root's key, certified by the old one and expired: the chain of AddTrust.
    let mut cross = authority_of("new root", Key::new(), Some(&old), |d| {
        d.spki = new.key.spki();
        d.set(SKI, false, tlv(4, &new.key.id())).done();
    });
    cross.subject = new.subject.clone();
    let middle = authority("middle", Some(&new), |_| ());
    let leaf = server(&middle, |_| ());
    let host = ServerName::try_from("example.com").unwrap();
    let options = options(WEB).name(&host);
    for order in [[&leaf, &middle, &cross], [&leaf, &cross, &middle]] {
        verify(&chain(&order), &store(&[&old, &new]), &options).unwrap();
        assert_eq!(reason(verify(&chain(&order), &store(&[&old]), &options)).err(), Some(Reason::Expired));
    }
    // Two certificates of one name and key: the first may not issue servers, the second may.
    let narrow = authority_of("middle", Key::new(), Some(&new), |d| {
        d.spki = middle.key.spki();
        d.set(SKI, false, tlv(4, &middle.key.id()))
            .set(NAME_CONSTRAINTS, true, subtrees(&[dns("other.org")], &[]))
            .done();
    });
    verify(&chain(&[&leaf, &narrow, &middle]), &store(&[&new]), &options).unwrap();
    let refused = verify(&chain(&[&leaf, &narrow]), &store(&[&new]), &options).unwrap_err();
    assert_eq!(refused.reason(), Reason::NameConstraint);
    assert_eq!(refused.nearest().origin, Origin::Presented(0));
    assert_eq!(refused.attempts()[0].path.last().unwrap().origin, Origin::Root);
}

#[test]
fn roots_by_name_and_key_and_names_in_other_letters() {
    let root = authority("Root CA", None, |_| ());
    let leaf = server(&root, |d| d.issuer = name_as(0x13, b"  ROOT   ca "));
    judge(&root, &[&leaf], "example.com", &options(WEB)).unwrap();
    let mut anchors = clasp_x509::Roots::empty();
    anchors.add_anchor(&root.subject, &root.key.spki(), Some(&subtrees(&[dns("wild.org")], &[]))).unwrap();
    let refused = verify(&chain(&[&leaf]), &anchors, &options(WEB)).unwrap_err();
    assert_eq!(refused.reason(), Reason::NameConstraint);
    let mut anchors = clasp_x509::Roots::empty();
    anchors.add_anchor(&root.subject, &root.key.spki(), None).unwrap();
    verify(&chain(&[&leaf]), &anchors, &options(WEB)).unwrap();
    assert!(anchors.add_anchor(&root.subject, &[5, 0], None).is_err());
    assert!(anchors.add_anchor(&[0x30], &root.key.spki(), None).is_err());
}

#[test]
fn roots_of_a_store_that_is_vetted_elsewhere() {
    // Old roots have old forms; their name constraints hold all the same.
    let old = authority("old", None, |d| {
        d.validity = seq(&[&utc("000101000000Z"), &utc("010101000000Z")]);
        d.without(SKI).set(NAME_CONSTRAINTS, true, subtrees(&[dns("example.com")], &[])).done();
    });
    let leaf = |host: &str| {
        server(&old, |d| {
            d.subject = name("a server");
            d.set(SAN, false, names(&[dns(host)])).done();
        })
    };
    let (good, other) = (leaf("example.com"), leaf("example.org"));
    let mut vetted = clasp_x509::Roots::empty();
    vetted.add_vetted(&old.der).unwrap();
    verify(&chain(&[&good]), &vetted, &options(WEB)).unwrap();
    assert_eq!(reason(verify(&chain(&[&other]), &vetted, &options(WEB))).err(), Some(Reason::NameConstraint));
    assert_eq!(reason(verify(&chain(&[&good]), &store(&[&old]), &options(WEB))).err(), Some(Reason::Expired));
}

#[test]
fn a_certificate_that_is_itself_trusted_stands_for_itself() {
    let key = Key::new();
    let mut made = authority_of("device", key, None, |d| {
        d.without(BASIC_CONSTRAINTS).without(KEY_USAGE).set(SAN, false, names(&[dns("device.local")])).done();
    });
    judge(&made, &[&made], "device.local", &options(WEB)).unwrap();
    assert_eq!(reason(judge(&made, &[&made], "example.com", &options(WEB))).err(), Some(Reason::NameMismatch));
    let below = server(&made, |_| ());
    assert_eq!(reason(judge(&made, &[&below], "example.com", &options(WEB))).err(), Some(Reason::Constraint));
    let trusted = store(&[&made]);
    let last = made.der.len() - 1;
    made.der[last] ^= 1;
    assert!(verify(&chain(&[&made]), &trusted, &options(WEB)).is_err(), "another certificate of that name");
}

#[test]
fn man_in_the_middle_same_names_other_key() {
    let (good, evil) = (authority("root", None, |_| ()), authority("root", None, |_| ()));
    let forged = server(&evil, |_| ());
    for presented in [&[&forged][..], &[&forged, &evil]] {
        let refused = judge(&good, presented, "example.com", &options(WEB)).unwrap_err();
        assert!(refused.attempts().iter().any(|a| a.finding.reason == Reason::BadSignature), "{refused:?}");
    }
}

#[test]
fn self_issued_certificates_do_not_count_for_path_length() {
    let root = authority("root", None, |d| d.set(BASIC_CONSTRAINTS, true, path_length(1)).done());
    let middle = authority("middle", Some(&root), |_| ());
    let again = authority("middle", Some(&middle), |_| ());
    let leaf = server(&again, |_| ());
    judge(&root, &[&leaf, &again, &middle], "example.com", &options(WEB)).unwrap();
    let other = authority("other", Some(&again), |_| ());
    let deep = server(&other, |_| ());
    let verdict = judge(&root, &[&deep, &other, &again, &middle], "example.com", &options(WEB));
    assert_eq!(reason(verdict).err(), Some(Reason::Constraint));
    let mut shallow = options(WEB);
    shallow.max_intermediates = Some(0);
    assert_eq!(
        reason(judge(&root, &[&leaf, &again, &middle], "example.com", &shallow)).err(),
        Some(Reason::Constraint)
    );
}

/// No chain that a peer can send is searched for long: these have more paths than could ever be walked.
#[test]
fn certificate_bombs_are_refused_soon() {
    let root = authority("unrelated", None, |_| ());
    let keys = || (0..60).map(|_| Key::new());
    // All of one name and different keys: every one could have issued every other.
    let mut one_name: Vec<Made> = Vec::new();
    for key in keys() {
        let made = authority_of("loop", key, one_name.last(), |_| ());
        one_name.push(made);
    }
    // Pairs that issue each other, in a ring of names.
    let mut ring: Vec<Made> = Vec::new();
    for (n, key) in keys().enumerate() {
        let made = authority_of(&format!("ring {}", n % 4), key, ring.last(), |_| ());
        ring.push(made);
    }
    for bomb in [one_name, ring] {
        let leaf = server(bomb.last().unwrap(), |_| ());
        let presented: Vec<&Made> = std::iter::once(&leaf).chain(&bomb).collect();
        let refused = judge(&root, &presented, "example.com", &options(Profile::Rfc5280)).unwrap_err();
        assert!(matches!(refused.reason(), Reason::TooCostly | Reason::UnknownIssuer), "{refused}");
        assert!(refused.attempts().len() <= 20);
    }
}

#[test]
fn many_names_and_constraints_are_refused_before_they_are_compared() {
    let many = |prefix: &str| -> Vec<Vec<u8>> { (0..1500).map(|n| dns(&format!("{prefix}{n}.test"))).collect() };
    let root = authority("root", None, |d| d.set(NAME_CONSTRAINTS, true, subtrees(&many("x"), &[])).done());
    let leaf = server(&root, |d| d.set(SAN, false, names(&many("x"))).done());
    let refused = judge(&root, &[&leaf], "x1.test", &options(Profile::Rfc5280)).unwrap_err();
    assert_eq!(refused.reason(), Reason::TooCostly);
}

#[test]
fn verdicts_are_remembered_for_the_same_question_only() {
    let root = authority("root", None, |_| ());
    let leaf = server(&root, |_| ());
    let roots = store(&[&root]);
    let (host, other) = (ServerName::try_from("example.com").unwrap(), ServerName::try_from("example.org").unwrap());
    let verdicts = Verdicts::new(2);
    let ask = options(WEB).name(&host);
    for _ in 0..3 {
        let accepted = verdicts.verify(&chain(&[&leaf]), &roots, &ask).unwrap();
        assert_eq!((accepted.path(), accepted.leaf().subject()), (&[0][..], "CN=example.com".to_owned()));
    }
    assert_eq!(verdicts.len(), 1);
    assert!(verdicts.verify(&chain(&[&leaf]), &roots, &options(WEB).name(&other)).is_err(), "another name");
    assert!(verdicts.verify(&chain(&[&leaf]), &clasp_x509::Roots::empty(), &ask).is_err(), "other roots");
    let mut later = ask;
    later.time = at(NOW + 400_000_000);
    assert_eq!(reason(verdicts.verify(&chain(&[&leaf]), &roots, &later)).err(), Some(Reason::Expired));
    let mut strict = ask;
    strict.revocation.check = Check::Require;
    assert_eq!(reason(verdicts.verify(&chain(&[&leaf]), &roots, &strict)).err(), Some(Reason::StatusUnknown));
    for _ in 0..4 {
        let fresh = server(&root, |_| ());
        verdicts.verify(&chain(&[&fresh]), &roots, &ask).unwrap();
    }
    assert_eq!(verdicts.len(), 2, "the oldest make room");
    let none = Verdicts::new(0);
    none.verify(&chain(&[&leaf]), &roots, &ask).unwrap();
    assert!(none.is_empty());
}

/// Whatever is altered in a chain that is remembered makes it another one: a forger gains nothing by what went before.
#[test]
fn a_verdict_does_not_cover_a_forgery() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |_| ());
    let (leaf, twin) = (server(&middle, |_| ()), server(&authority("middle", Some(&root), |_| ()), |_| ()));
    let roots = store(&[&root]);
    let host = ServerName::try_from("example.com").unwrap();
    let ask = options(WEB).name(&host);
    let verdicts = Verdicts::new(8);
    verdicts.verify(&chain(&[&leaf, &middle]), &roots, &ask).unwrap();
    for at in 0..leaf.der.len() {
        let mut forged = leaf.der.clone();
        forged[at] ^= 1;
        assert!(verdicts.verify(&[&forged, &middle.der], &roots, &ask).is_err(), "byte {at} of the leaf");
    }
    for at in 0..middle.der.len() {
        let mut forged = middle.der.clone();
        forged[at] ^= 1;
        assert!(verdicts.verify(&[&leaf.der, &forged], &roots, &ask).is_err(), "byte {at} of the intermediate");
    }
    assert!(verdicts.verify(&chain(&[&twin, &middle]), &roots, &ask).is_err(), "by another key of the issuer's name");
    assert_eq!(verdicts.len(), 1);
}

/// Ends a chain of changes as a statement.
trait Done {
    fn done(&mut self) {}
}

impl Done for Draft {}
