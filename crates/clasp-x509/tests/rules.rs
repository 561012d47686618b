//! One rule broken at a time: the refusal names it, and a chain without the fault is accepted.
#![allow(clippy::unwrap_used)]

mod common;

use clasp_x509::{Profile, Reason, Rejection};
use common::*;

/// Changes of the root, the intermediate and the leaf.
#[derive(Default)]
struct Change {
    root: Option<fn(&mut Draft)>,
    middle: Option<fn(&mut Draft)>,
    leaf: Option<fn(&mut Draft)>,
}

fn root(change: fn(&mut Draft)) -> Change {
    Change { root: Some(change), ..Change::default() }
}

fn middle(change: fn(&mut Draft)) -> Change {
    Change { middle: Some(change), ..Change::default() }
}

fn leaf(change: fn(&mut Draft)) -> Change {
    Change { leaf: Some(change), ..Change::default() }
}

fn judged(change: &Change, host: &str, profile: Profile) -> Result<(), Box<Rejection>> {
    let apply = |with: Option<fn(&mut Draft)>| move |draft: &mut Draft| with.map_or((), |with| with(draft));
    let root = authority("root", None, apply(change.root));
    let middle = authority("middle", Some(&root), apply(change.middle));
    let leaf = server(&middle, apply(change.leaf));
    judge(&root, &[&leaf, &middle], host, &options(profile)).map(|_| ())
}

/// The rule is broken in the strictest profile; the others say whether they mind.
fn broken(what: &str, change: &Change, reason: Reason, rule: &str, others: [bool; 2]) {
    let refused = judged(change, "example.com", Profile::WebPki).expect_err(what);
    assert_eq!((refused.reason(), refused.nearest().rule), (reason, rule), "{what}: {refused}");
    assert!(!refused.nearest().found.is_empty() && !refused.nearest().wanted.is_empty(), "{what}");
    for (profile, accepts) in [Profile::Rfc5280, Profile::Legacy].into_iter().zip(others) {
        let verdict = judged(change, "example.com", profile);
        assert_eq!(verdict.is_ok(), accepts, "{what} by {profile:?}: {verdict:?}");
    }
}

const MIND: [bool; 2] = [false, false];
const BEAR: [bool; 2] = [true, true];

#[test]
fn the_plain_chain_is_good_everywhere() {
    for profile in Profile::ALL {
        for host in ["example.com", "a.wild.org", "192.0.2.7"] {
            judged(&Change::default(), host, profile).unwrap();
        }
    }
}

#[test]
fn validity() {
    let rule = "RFC 5280 6.1.3 (a)(2)";
    let over = |d: &mut Draft| d.validity = seq(&[&utc("200101000000Z"), &utc("210101000000Z")]);
    let early = |d: &mut Draft| d.validity = seq(&[&utc("310101000000Z"), &utc("320101000000Z")]);
    broken("expired leaf", &leaf(over), Reason::Expired, rule, MIND);
    broken("expired intermediate", &middle(over), Reason::Expired, rule, MIND);
    broken("expired root", &root(over), Reason::Expired, rule, MIND);
    broken("early leaf", &leaf(early), Reason::NotYetValid, rule, MIND);
    broken("early intermediate", &middle(early), Reason::NotYetValid, rule, MIND);
    let form = |d: &mut Draft| d.validity = seq(&[&general("20290101000000Z"), &utc("310101000000Z")]);
    broken("GeneralizedTime of 2029", &leaf(form), Reason::BadForm, "RFC 5280 4.1.2.5", BEAR);
}

#[test]
fn authorities() {
    let not_ca =
        |d: &mut Draft| d.set(BASIC_CONSTRAINTS, true, vec![0x30, 0]).set(KEY_USAGE, true, usage(0x80)).nothing();
    let missing = |d: &mut Draft| d.without(BASIC_CONSTRAINTS).nothing();
    let no_sign = |d: &mut Draft| d.set(KEY_USAGE, true, usage(0x02)).nothing();
    let short = |d: &mut Draft| d.set(BASIC_CONSTRAINTS, true, path_length(0)).nothing();
    broken("cA false", &middle(not_ca), Reason::Constraint, "RFC 5280 6.1.4 (k)", MIND);
    broken("no basicConstraints", &middle(missing), Reason::Constraint, "RFC 5280 6.1.4 (k)", MIND);
    broken("no basicConstraints in the root", &root(missing), Reason::Constraint, "RFC 5280 6.1.4 (k)", BEAR);
    broken("no keyCertSign", &middle(no_sign), Reason::Constraint, "RFC 5280 6.1.4 (n)", MIND);
    broken("path length of the root", &root(short), Reason::Constraint, "RFC 5280 6.1.4 (l)", MIND);
    let not_critical = |d: &mut Draft| d.set(BASIC_CONSTRAINTS, false, seq(&[&[1, 1, 0xff]])).nothing();
    broken("basicConstraints not critical", &middle(not_critical), Reason::BadForm, "RFC 5280 4.2.1.9", BEAR);
    let issued = |d: &mut Draft| {
        d.issuer = name("another");
        d.set(AKI, false, seq(&[&tlv(0x80, &[1])])).nothing();
    };
    broken("a root that another issued", &root(issued), Reason::BadForm, "BR 7.1.2.1", BEAR);
    let nameless = |d: &mut Draft| d.subject = vec![0x30, 0];
    broken("an authority without a name", &middle(nameless), Reason::BadForm, "RFC 5280 4.1.2.4", MIND);
}

#[test]
fn key_identifiers() {
    let aki = "RFC 5280 4.2.1.1";
    let no_aki = |d: &mut Draft| d.without(AKI).nothing();
    let no_ski = |d: &mut Draft| d.without(SKI).nothing();
    broken("leaf without AKI", &leaf(no_aki), Reason::BadForm, aki, BEAR);
    broken("intermediate without AKI", &middle(no_aki), Reason::BadForm, aki, BEAR);
    broken("intermediate without SKI", &middle(no_ski), Reason::BadForm, "RFC 5280 4.2.1.2", BEAR);
    broken("root without SKI", &root(no_ski), Reason::BadForm, "RFC 5280 4.2.1.2", BEAR);
    let empty = |d: &mut Draft| d.set(AKI, false, vec![0x30, 0]).nothing();
    broken("AKI without keyIdentifier", &leaf(empty), Reason::BadForm, aki, BEAR);
    let serial = |d: &mut Draft| d.set(AKI, false, seq(&[&tlv(0x80, &[1]), &tlv(0x82, &[1])])).nothing();
    broken("AKI with a serial number", &leaf(serial), Reason::BadForm, "BR 7.1.2.11.1", BEAR);
    let other = |d: &mut Draft| d.set(AKI, false, seq(&[&tlv(0x80, &[1])])).nothing();
    broken("root with another key in its AKI", &root(other), Reason::BadForm, "BR 7.1.2.1.3", BEAR);
    let critical = |d: &mut Draft| d.set(SKI, true, tlv(4, &[1])).nothing();
    broken("critical SKI", &leaf(critical), Reason::BadForm, "RFC 5280 4.2.1.2", MIND);
    let critical = |d: &mut Draft| d.set(AKI, true, seq(&[&tlv(0x80, &[1])])).nothing();
    broken("critical AKI", &leaf(critical), Reason::BadForm, aki, MIND);
}

#[test]
fn critical_extensions() {
    let unknown = |d: &mut Draft| d.set(&[0x2a, 3, 4], true, vec![5, 0]).nothing();
    broken("unknown in the leaf", &leaf(unknown), Reason::CriticalExtension, "RFC 5280 4.2", MIND);
    broken("unknown in the intermediate", &middle(unknown), Reason::CriticalExtension, "RFC 5280 4.2", MIND);
    broken("unknown in the root", &root(unknown), Reason::CriticalExtension, "RFC 5280 4.2", MIND);
    let place = |d: &mut Draft, critical| {
        let access = seq(&[&oid(&[0x2b, 6, 1, 5, 5, 7, 48, 2]), &tlv(0x86, b"http://a.example/")]);
        d.set(AUTHORITY_INFO, critical, seq(&[&access])).nothing();
    };
    let anchor = authority("root", None, |_| ());
    let bad = server(&anchor, |d| place(d, true));
    let good = server(&anchor, |d| place(d, false));
    let verdict = judge(&anchor, &[&bad], "example.com", &options(Profile::WebPki)).unwrap_err();
    assert_eq!(verdict.nearest().rule, "RFC 5280 4.2.2.1");
    judge(&anchor, &[&good], "example.com", &options(Profile::WebPki)).unwrap();
    // Each that must not be critical; what it holds is as it should be.
    let point = seq(&[&seq(&[&tlv(0xa0, &tlv(0xa0, &tlv(0x86, b"http://a.example/")))])]);
    let access = seq(&[&seq(&[&oid(&[0x2b, 6, 1, 5, 5, 7, 48, 5]), &tlv(0x86, b"http://a.example/")])]);
    let attribute = seq(&[&seq(&[&oid(&[0x2b, 6, 1, 5, 5, 7, 9, 4]), &tlv(0x31, &tlv(0x13, b"DE"))])]);
    for (id, value, rule) in [
        (&[0x55u8, 0x1d, 9][..], attribute, "RFC 5280 4.2.1.8"),
        (&[0x55, 0x1d, 46], point.clone(), "RFC 5280 4.2.1.15"),
        (&[0x2b, 6, 1, 5, 5, 7, 1, 11], access, "RFC 5280 4.2.2.2"),
        (CRL_POINTS, point, "BR 7.1.2.11.2"),
    ] {
        for critical in [true, false] {
            let made = server(&anchor, |d| d.set(id, critical, value.clone()).nothing());
            let verdict = judge(&anchor, &[&made], "example.com", &options(Profile::WebPki));
            assert_eq!(verdict.err().map(|refused| refused.nearest().rule), critical.then_some(rule));
            let verdict = judge(&anchor, &[&made], "example.com", &options(Profile::Rfc5280));
            assert_eq!(verdict.is_ok(), !critical || id == CRL_POINTS, "{rule}");
        }
    }
    let constraints = |d: &mut Draft| d.set(POLICY_CONSTRAINTS, false, seq(&[&tlv(0x80, &[5])])).nothing();
    broken("policyConstraints not critical", &middle(constraints), Reason::BadForm, "RFC 5280 4.2.1.11", BEAR);
    let inhibit = |d: &mut Draft| d.set(INHIBIT_ANY, false, vec![2, 1, 0]).nothing();
    broken("inhibitAnyPolicy not critical", &middle(inhibit), Reason::BadForm, "RFC 5280 4.2.1.14", BEAR);
}

#[test]
fn serial_numbers() {
    let rule = "RFC 5280 4.1.2.2";
    for (what, serial) in [("zero", vec![0]), ("negative", vec![0x80, 1]), ("long", vec![1; 21])] {
        let root = authority("root", None, |_| ());
        let bad = server(&root, |d| d.serial.clone_from(&serial));
        let refused = judge(&root, &[&bad], "example.com", &options(Profile::WebPki)).unwrap_err();
        assert_eq!((refused.reason(), refused.nearest().rule), (Reason::BadForm, rule), "{what}");
        judge(&root, &[&bad], "example.com", &options(Profile::Rfc5280)).unwrap();
    }
    let zero = |d: &mut Draft| d.serial = vec![0];
    judged(&root(zero), "example.com", Profile::WebPki).expect("a root's serial number may be 0");
}

#[test]
fn versions_and_old_fields() {
    let old = |d: &mut Draft| {
        d.version = Vec::new();
        d.extensions.clear();
    };
    let root = authority("root", None, |_| ());
    let leaf_1 = server(&root, old);
    for (profile, accepted) in [(Profile::WebPki, false), (Profile::Rfc5280, false), (Profile::Legacy, true)] {
        let verdict = judge(&root, &[&leaf_1], "example.com", &options(profile));
        assert_eq!(verdict.is_ok(), accepted, "version 1, by its common name, in {profile:?}: {verdict:?}");
    }
    let unique = |d: &mut Draft| d.unique_ids = tlv(0x81, &[0, 1]);
    broken("a unique identifier", &leaf(unique), Reason::BadForm, "RFC 5280 4.1.2.8", BEAR);
    let empty_usage = |d: &mut Draft| d.set(KEY_USAGE, true, vec![3, 1, 0]).nothing();
    broken("empty keyUsage", &leaf(empty_usage), Reason::BadForm, "RFC 5280 4.2.1.3", MIND);
}

#[test]
fn extended_key_usage() {
    let client = |d: &mut Draft| d.set(EKU, false, seq(&[&oid(CLIENT_AUTH)])).nothing();
    let rule = "RFC 5280 4.2.1.12";
    broken("leaf for clients", &leaf(client), Reason::WrongUsage, rule, MIND);
    broken("intermediate for clients", &middle(client), Reason::WrongUsage, rule, MIND);
    let any = |d: &mut Draft| d.set(EKU, false, seq(&[&oid(&[0x55, 0x1d, 37, 0])])).nothing();
    broken("leaf for anything", &leaf(any), Reason::WrongUsage, rule, BEAR);
    judged(&middle(any), "example.com", Profile::WebPki).expect("anyExtendedKeyUsage in an authority");
    let none = |d: &mut Draft| d.without(EKU).nothing();
    broken("leaf without", &leaf(none), Reason::WrongUsage, "BR 7.1.2.7.10", BEAR);
    let many = |d: &mut Draft| d.set(EKU, false, seq(&[&oid(SERVER_AUTH), &oid(OCSP_SIGNING)])).nothing();
    broken("leaf that signs OCSP too", &leaf(many), Reason::WrongUsage, "BR 7.1.2.7.10", BEAR);
    let server = |d: &mut Draft| d.set(EKU, false, seq(&[&oid(SERVER_AUTH)])).nothing();
    let critical = |d: &mut Draft| d.set(EKU, true, seq(&[&oid(SERVER_AUTH)])).nothing();
    broken("critical purposes", &leaf(critical), Reason::BadForm, "BR 7.1.2.7.6", BEAR);
    broken("root with purposes", &root(server), Reason::BadForm, "BR 7.1.2.1.2", BEAR);
}

#[test]
fn servers() {
    let ca = |d: &mut Draft| {
        d.set(BASIC_CONSTRAINTS, true, seq(&[&[1, 1, 0xff]])).set(KEY_USAGE, true, usage(0x84)).nothing();
    };
    broken("an authority as server", &leaf(ca), Reason::BadForm, "BR 7.1.2.7.8", BEAR);
    let length = |d: &mut Draft| d.set(BASIC_CONSTRAINTS, true, seq(&[&[2, 1, 0]])).nothing();
    broken("path length without cA", &leaf(length), Reason::BadForm, "RFC 5280 4.2.1.9", BEAR);
    let signs = |d: &mut Draft| d.set(KEY_USAGE, true, usage(0x84)).nothing();
    broken("keyCertSign in a leaf", &leaf(signs), Reason::BadForm, "RFC 5280 4.2.1.3", BEAR);
    let lists = |d: &mut Draft| d.set(KEY_USAGE, true, usage(0x82)).nothing();
    broken("cRLSign in a leaf", &leaf(lists), Reason::BadForm, "BR 7.1.2.7.11", BEAR);
    let dot = |d: &mut Draft| d.set(NAME_CONSTRAINTS, true, subtrees(&[], &[dns(".example.org")])).nothing();
    broken("a constraint with a leading dot", &middle(dot), Reason::BadForm, "RFC 5280 4.2.1.10", BEAR);
    let nc = |d: &mut Draft| d.set(NAME_CONSTRAINTS, true, subtrees(&[dns("example.com")], &[])).nothing();
    broken("nameConstraints in a leaf", &leaf(nc), Reason::BadForm, "RFC 5280 4.2.1.10", MIND);
}

#[test]
fn subject_alt_names() {
    let rule = "RFC 5280 4.2.1.6";
    let none = |d: &mut Draft| d.without(SAN).nothing();
    broken("none", &leaf(none), Reason::BadForm, "BR 7.1.2.7.12", [false, true]);
    let critical = |d: &mut Draft| d.set(SAN, true, names(&[dns("example.com")])).nothing();
    broken("critical beside a subject", &leaf(critical), Reason::BadForm, "BR 7.1.2.7.12", BEAR);
    let empty = |d: &mut Draft| d.subject = vec![0x30, 0];
    broken("not critical without a subject", &leaf(empty), Reason::BadForm, rule, BEAR);
    let under = |d: &mut Draft| d.set(SAN, false, names(&[dns("example.com"), dns("a_b.example.com")])).nothing();
    broken("an underscore", &leaf(under), Reason::BadForm, rule, BEAR);
    let star = |d: &mut Draft| d.set(SAN, false, names(&[dns("example.com"), dns("a*.example.com")])).nothing();
    broken("a wildcard within a label", &leaf(star), Reason::BadForm, rule, BEAR);
    let long = |d: &mut Draft| d.set(SAN, false, names(&[dns("example.com"), tlv(0x87, &[1; 5])])).nothing();
    broken("an address of five bytes", &leaf(long), Reason::BadForm, rule, MIND);
    let other = |d: &mut Draft| d.set(SAN, false, names(&[dns("other.org")])).nothing();
    let refused =
        judged(&Change { leaf: Some(other), ..Change::default() }, "example.com", Profile::Rfc5280).unwrap_err();
    assert_eq!((refused.reason(), refused.nearest().rule), (Reason::NameMismatch, "RFC 9525 6"));
    assert_eq!(refused.nearest().found, "other.org");
}

#[test]
fn common_names() {
    let rule = "BR 7.1.4.3";
    let sibling = |d: &mut Draft| d.subject = name("other.example.com");
    broken("a name that is not certified", &leaf(sibling), Reason::BadForm, rule, BEAR);
    let capital = |d: &mut Draft| d.subject = name("Example.com");
    broken("another spelling", &leaf(capital), Reason::BadForm, rule, BEAR);
    let hexadecimal = |d: &mut Draft| d.subject = name("0xC0000207");
    broken("an address in hexadecimal", &leaf(hexadecimal), Reason::BadForm, rule, BEAR);
    let unicode = |d: &mut Draft| d.subject = name("bücher.example");
    broken("a name in Unicode", &leaf(unicode), Reason::BadForm, rule, BEAR);
    // Addresses as some software reads them and other software does not.
    let root = authority("root", None, |_| ());
    for odd in [
        "192.168.001.001",
        "192.0.2.07",
        "0300.0.2.7",
        "192.0.519",
        "2001:db8:0:0:0:0:0:1",
        "2001:0db8::1",
        "2001:DB8::1",
    ] {
        let addresses = [dns("example.com"), tlv(0x87, &[192, 0, 2, 7])];
        let made = server(&root, |d| {
            d.subject = name(odd);
            d.set(SAN, false, names(&addresses));
        });
        let refused = judge(&root, &[&made], "example.com", &options(Profile::WebPki)).map(|_| ());
        assert_eq!(refused.expect_err(odd).nearest().rule, rule, "{odd}");
    }
    for good in ["Ada Lovelace", "nas", "nas.local", "10.0.0.1", "192.0.2.7", "wild.org"] {
        let root = authority("root", None, |_| ());
        let made = server(&root, |d| d.subject = name(good));
        judge(&root, &[&made], "example.com", &options(Profile::WebPki)).unwrap_or_else(|e| panic!("{good}: {e}"));
    }
}

/// BR 7.1.4.3, of addresses and domains that are routed: one of the certified, or none of that kind is.
#[test]
fn public_common_names_are_among_the_certified() {
    let root = authority("root", None, |_| ());
    let ip = |bytes: &[u8]| tlv(0x87, bytes);
    let six = [0x26, 6, 0x47, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11, 0x11];
    for (text, alt, good) in [
        ("8.8.8.8", vec![ip(&[8, 8, 8, 8])], true),
        ("8.8.8.8", vec![ip(&[8, 8, 4, 4])], false),
        ("8.8.8.8", vec![ip(&[8, 8, 4, 4]), ip(&[8, 8, 8, 8])], true),
        ("8.8.8.8", vec![ip(&[10, 0, 0, 1])], true),
        ("8.8.8.8", vec![], true),
        ("10.0.0.1", vec![ip(&[8, 8, 8, 8])], true),
        ("2606:4700::1111", vec![ip(&six)], true),
        ("2606:4700::1112", vec![ip(&six)], false),
        ("2606:4700::1111", vec![ip(&[8, 8, 8, 8])], false),
        ("nas.local", vec![dns("example.org")], true),
        ("example.net", vec![dns("nas.local")], false),
        ("example.com", vec![dns("example.org")], true),
    ] {
        let made = server(&root, |d| {
            d.subject = name(text);
            d.set(SAN, false, names(&[vec![dns("example.com")], alt.clone()].concat())).nothing();
        });
        let refused = judge(&root, &[&made], "example.com", &options(Profile::WebPki)).err();
        assert_eq!(refused.map(|r| r.nearest().rule), (!good).then_some("BR 7.1.4.3"), "{text} {alt:x?}");
    }
    // Where only private names are certified, a public one is let be.
    let private = server(&root, |d| {
        d.subject = name("example.net");
        d.set(SAN, false, names(&[dns("nas.local")])).nothing();
    });
    judge(&root, &[&private], "nas.local", &options(Profile::WebPki)).unwrap();
}

#[test]
fn keys_and_algorithms() {
    let weak = |d: &mut Draft| {
        let rsa = seq(&[&tlv(2, &[&[0, 0x80][..], &[1; 127]].concat()), &[2, 3, 1, 0, 1]]);
        let algorithm = seq(&[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]), &[5, 0]]);
        d.spki = seq(&[&algorithm, &bit_string(&rsa)]);
    };
    broken("RSA 1024", &leaf(weak), Reason::UnsupportedAlgorithm, "BR 6.1.5", [false, true]);
    let sha1 = |d: &mut Draft| d.algorithm = seq(&[&oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1])]);
    let refused = judged(&leaf(sha1), "example.com", Profile::WebPki).unwrap_err();
    assert_eq!((refused.reason(), refused.nearest().rule), (Reason::UnsupportedAlgorithm, "RFC 5280 4.1.1.2"));
    let unknown = |d: &mut Draft| d.algorithm = seq(&[&oid(&[0x2a, 3])]);
    broken("an unknown algorithm", &leaf(unknown), Reason::UnsupportedAlgorithm, "RFC 5280 4.1.1.2", MIND);
}

#[test]
fn encodings() {
    let root = authority("root", None, |_| ());
    let read = |change: &dyn Fn(&mut Draft)| {
        let made = server(&root, change);
        let verdict = judge(&root, &[&made], "example.com", &options(Profile::Legacy));
        let refused = verdict.expect_err("a certificate that cannot be read");
        assert_eq!(refused.reason(), Reason::BadEncoding, "{refused}");
        format!("{}, wanted {}", refused.nearest().found, refused.nearest().wanted)
    };
    assert!(read(&|d| d.extensions.push((SAN, false, names(&[dns("a.b")])))).contains("each extension once"));
    assert!(read(&|d| d.set(EKU, false, vec![0x30, 0]).nothing()).contains("extKeyUsage"));
    assert!(read(&|d| d.set(SAN, false, vec![0x30, 0]).nothing()).contains("subjectAltName"));
    assert!(read(&|d| d.set(NAME_CONSTRAINTS, true, vec![0x30, 0]).nothing()).contains("nameConstraints"));
    assert!(read(&|d| d.version = tlv(0xa0, &[2, 1, 1])).contains("version 3"));
    assert!(read(&|d| d.validity = seq(&[&utc("2901010000Z"), &utc("310101000000Z")])).contains("notBefore"));
    assert!(read(&|d| d.subject = seq(&[&[0x31, 0]])).contains("subject"));
    let whole = server(&root, |_| ());
    let (tbs, rest) = (whole.der.clone(), vec![0]);
    let refused = clasp_x509::Certificate::parse(&[tbs, rest].concat()).map(|_| ()).unwrap_err();
    assert_eq!(refused.field(), "Certificate", "bytes left over");
}

/// Lets a chain of changes end as a statement.
trait Nothing {
    fn nothing(&mut self) {}
}

impl Nothing for Draft {}
