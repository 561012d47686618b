//! Name constraints over whole paths.
#![allow(clippy::unwrap_used)]

mod common;

use clasp_x509::{Options, Profile, Reason, Usage, verify};
use common::*;
use std::slice::from_ref;

const DIRECTORY: u8 = 0xa4;

/// Whether a leaf of these names is accepted below an authority with these constraints.
fn permits(permitted: &[Vec<u8>], excluded: &[Vec<u8>], subject: &[u8], alt: &[Vec<u8>]) -> bool {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |d| {
        d.set(NAME_CONSTRAINTS, true, subtrees(permitted, excluded));
    });
    let leaf = server(&middle, |d| {
        d.subject = subject.to_vec();
        d.set(SAN, subject == [0x30, 0], names(alt));
    });
    let options = Options::new(at(NOW), Usage::Any).profile(Profile::Rfc5280);
    match verify(&chain(&[&leaf, &middle]), &store(&[&root]), &options) {
        Ok(_) => true,
        Err(refused) => {
            assert_eq!((refused.reason(), refused.nearest().rule), (Reason::NameConstraint, "RFC 5280 4.2.1.10"));
            false
        }
    }
}

#[test]
fn every_kind_of_name() {
    let email = |text: &str| tlv(0x81, text.as_bytes());
    let uri = |text: &str| tlv(0x86, text.as_bytes());
    let ip = |bytes: &[u8]| tlv(0x87, bytes);
    let directory = |text: &str| tlv(DIRECTORY, &name(text));
    let other = || tlv(0xa0, &[&oid(&[0x2a, 3])[..], &tlv(0xa0, &[5, 0])].concat());
    let net = [192, 0, 2, 0, 255, 255, 255, 0];
    // constraint, a name within, a name without
    for (base, within, without) in [
        (dns("example.com"), dns("a.example.com"), dns("example.org")),
        (email("example.com"), email("a@example.com"), email("a@b.example.com")),
        (email(".example.com"), email("a@b.example.com"), email("a@example.com")),
        (email("a@example.com"), email("a@example.com"), email("b@example.com")),
        (uri("example.com"), uri("http://example.com/"), uri("http://a.example.com/")),
        (uri(".example.com"), uri("http://a.example.com:80/"), uri("http://example.org/")),
        (ip(&net), ip(&[192, 0, 2, 9]), ip(&[192, 0, 3, 9])),
        (directory("Good CA"), directory("good  ca"), directory("Bad")),
    ] {
        let bare = [0x30, 0];
        assert!(permits(from_ref(&base), &[], &bare, from_ref(&within)), "{within:x?} within {base:x?}");
        assert!(!permits(from_ref(&base), &[], &bare, from_ref(&without)), "{without:x?} within {base:x?}");
        assert!(!permits(from_ref(&base), &[], &bare, &[within.clone(), without.clone()]), "one of two is not enough");
        assert!(!permits(&[], from_ref(&base), &bare, &[without.clone(), within]), "an excluded name of two");
        assert!(permits(&[], from_ref(&base), &bare, &[without]), "what is not excluded");
        if base[0] != DIRECTORY {
            assert!(permits(&[base], &[], &bare, &[directory("any")]), "another kind is not constrained");
        }
    }
    let bare = [0x30, 0];
    assert!(!permits(&[other()], &[], &bare, &[other()]), "a kind without rules cannot be held to them");
    assert!(!permits(&[], &[other()], &bare, &[other()]), "nor can it be excluded");
    assert!(permits(&[], &[other()], &bare, &[dns("a.b")]), "where there is none, nothing is to be held");
    assert!(!permits(&[uri("example.com")], &[], &bare, &[uri("urn:x")]), "a URI without a host");
}

/// RFC 9598 6: an e-mail address that stands in an otherName, since it is not ASCII, is held against what is said of e-mail addresses.
#[test]
fn an_email_address_in_another_form_is_no_way_around_a_constraint() {
    let email = |text: &str| tlv(0x81, text.as_bytes());
    let id = oid(&[0x2b, 6, 1, 5, 5, 7, 8, 9]);
    let other = |value: &[u8]| tlv(0xa0, &[&id[..], value].concat());
    let mailbox = |text: &str| other(&tlv(0xa0, &tlv(0x0c, text.as_bytes())));
    let bare = [0x30, 0];
    for (name, base, within, caught) in [
        ("ü@example.com", "example.com", true, true),
        ("ü@EXAMPLE.com", "example.com", true, true),
        ("ü@a.example.com", ".example.com", true, true),
        ("ü@a.example.com", "example.com", false, false),
        ("ü@other.org", "example.com", false, false),
        ("ü@example.com", "u@example.com", false, false),
        // RFC 9598 3: the host is in A-labels. Of what is not, nobody can tell.
        ("ü@bücher.test", "xn--bcher-kva.test", false, true),
        ("ü", "example.com", false, true),
        ("", "example.com", false, true),
    ] {
        assert_eq!(permits(&[email(base)], &[], &bare, &[mailbox(name)]), within, "{name} within {base}");
        assert_eq!(permits(&[], &[email(base)], &bare, &[mailbox(name)]), !caught, "{name} excluded by {base}");
    }
    let unreadable: [&[u8]; 6] = [
        &[],
        &tlv(0xa0, &tlv(0x16, b"a@example.com")),
        &tlv(0xa0, &tlv(0x0c, b"\xff@example.com")),
        &tlv(0xa0, &[tlv(0x0c, b"a@example.com"), vec![5, 0]].concat()),
        &[tlv(0xa0, &tlv(0x0c, b"a@example.com")), vec![5, 0]].concat(),
        &tlv(0xa1, &tlv(0x0c, b"a@example.com")),
    ];
    for value in unreadable {
        assert!(!permits(&[email("example.com")], &[], &bare, &[other(value)]), "{value:x?}");
        assert!(!permits(&[], &[email("other.org")], &bare, &[other(value)]), "{value:x?}");
        assert!(permits(&[dns("example.com")], &[], &bare, &[other(value)]), "{value:x?}: of DNS names alone");
    }
    assert!(permits(
        &[email("example.com")],
        &[],
        &bare,
        &[tlv(0xa0, &[&oid(&[0x2a, 3])[..], &tlv(0xa0, &[5, 0])].concat())]
    ));
}

/// RFC 7633 4.2.2: what an authority has those below it demand, they demand.
#[test]
fn must_staple_of_an_authority_binds_those_below_it() {
    let features = |list: &[u8]| seq(&[&list.iter().flat_map(|n| [2, 1, *n]).collect::<Vec<u8>>()]);
    let set = |d: &mut Draft, list: &[u8]| {
        if !list.is_empty() {
            d.set(TLS_FEATURE, false, features(list));
        }
    };
    for (top, above, below, good) in [
        (&[][..], &[][..], &[5][..], true),
        (&[], &[5], &[5], true),
        (&[], &[5], &[17, 5], true),
        (&[], &[5], &[], false),
        (&[], &[5], &[17], false),
        (&[], &[5, 17], &[5], false),
        (&[5], &[], &[5], false),
        (&[5], &[5], &[5], true),
    ] {
        let root = authority("root", None, |d| set(d, top));
        let middle = authority("middle", Some(&root), |d| set(d, above));
        let leaf = server(&middle, |d| set(d, below));
        for profile in Profile::ALL {
            let verdict = judge(&root, &[&leaf, &middle], "example.com", &options(profile));
            assert_eq!(verdict.is_ok(), good, "{top:?} {above:?} {below:?} {profile:?}");
            if let Err(refused) = verdict {
                assert_eq!((refused.reason(), refused.nearest().rule), (Reason::Constraint, "RFC 7633 4.2.2"));
            }
        }
    }
}

#[test]
fn subjects_count_too() {
    let directory = tlv(DIRECTORY, &name("Good"));
    assert!(permits(from_ref(&directory), &[], &name("GOOD"), &[dns("a.b")]));
    assert!(!permits(from_ref(&directory), &[], &name("Bad"), &[dns("a.b")]));
    assert!(!permits(&[], &[directory], &name("Good"), &[dns("a.b")]));
    let pair = seq(&[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1]), &tlv(0x16, b"a@evil.org")]);
    let mail = seq(&[&tlv(0x31, &pair)]);
    assert!(!permits(&[tlv(0x81, b"example.com")], &[], &mail, &[dns("a.b")]), "an address in the subject");
}

#[test]
fn constraints_only_narrow_and_spare_self_issued_authorities() {
    let root = authority("root", None, |d| {
        d.set(NAME_CONSTRAINTS, true, subtrees(&[dns("example.com")], &[]));
    });
    let same = authority("root", Some(&root), |d| {
        d.set(SAN, false, names(&[dns("other.org")]));
    });
    let leaf = server(&same, |d| {
        d.set(SAN, false, names(&[dns("example.com")]));
    });
    judge(&root, &[&leaf, &same], "example.com", &options(Profile::WebPki)).unwrap();
    let wide = authority("wide", Some(&root), |d| {
        d.set(NAME_CONSTRAINTS, true, subtrees(&[dns("example.com"), dns("other.org")], &[]));
    });
    let other = server(&wide, |d| {
        d.subject = name("some server");
        d.set(SAN, false, names(&[dns("other.org")]));
    });
    for profile in Profile::ALL {
        let refused = judge(&root, &[&other, &wide], "other.org", &options(profile)).unwrap_err();
        assert_eq!(refused.reason(), Reason::NameConstraint, "a root's name constraints hold in every profile");
    }
}

#[test]
fn a_common_name_that_stands_in_is_constrained_as_a_host() {
    let root = authority("root", None, |d| {
        d.set(NAME_CONSTRAINTS, true, subtrees(&[dns("example.org")], &[]));
    });
    let leaf = server(&root, |d| {
        d.without(SAN);
    });
    let refused = judge(&root, &[&leaf], "example.com", &options(Profile::Legacy)).unwrap_err();
    assert_eq!(refused.reason(), Reason::NameConstraint);
    let mut lenient = options(Profile::Rfc5280);
    assert!(judge(&root, &[&leaf], "example.com", &lenient).is_err());
    let open = authority("open", None, |_| ());
    let leaf = server(&open, |d| {
        d.without(SAN);
    });
    lenient.common_name = Some(true);
    judge(&open, &[&leaf], "example.com", &lenient).unwrap();
}

#[test]
fn an_address_in_a_common_name_that_stands_in_is_constrained_as_an_address() {
    let (ten, all) = ([10, 0, 0, 0, 255, 0, 0, 0], [0; 8]);
    let (documentation, everywhere) =
        ([[0x20, 1, 0xd, 0xb8].as_slice(), &[0; 12], &[255; 4], &[0; 12]].concat(), [0; 32]);
    let mut lenient = options(Profile::Rfc5280);
    lenient.common_name = Some(true);
    for (text, permitted, excluded, good) in [
        ("8.8.8.8", Some(&ten[..]), None, false),
        ("10.1.2.3", Some(&ten[..]), None, true),
        ("8.8.8.8", None, Some(&all[..]), false),
        ("8.8.8.8", None, Some(&ten[..]), true),
        ("2001:db9::1", Some(&documentation[..]), None, false),
        ("2001:DB8:0::1", Some(&documentation[..]), None, true),
        ("2001:db8::1", None, Some(&everywhere[..]), false),
        ("2001:db8::1", None, Some(&all[..]), true),
    ] {
        let base = |range: Option<&[u8]>| range.map(|range| tlv(0x87, range)).into_iter().collect::<Vec<_>>();
        let root = authority("root", None, |_| ());
        let middle = authority("middle", Some(&root), |d| {
            d.set(NAME_CONSTRAINTS, true, subtrees(&base(permitted), &base(excluded)));
        });
        let leaf = server(&middle, |d| {
            d.subject = name(text);
            d.without(SAN);
        });
        for options in [options(Profile::Legacy), lenient] {
            let found = judge(&root, &[&leaf, &middle], text, &options).map(|_| ()).map_err(|refused| refused.reason());
            assert_eq!(
                found,
                if good { Ok(()) } else { Err(Reason::NameConstraint) },
                "{text} {permitted:?} {excluded:?}"
            );
        }
    }
}

/// RFC 4518 2.3: a name that is the same by compatibility is within what is excluded, and not within what is permitted.
#[test]
fn an_excluded_name_is_not_escaped_by_compatibility_characters() {
    let acme = tlv(DIRECTORY, &name("ACME"));
    let held = |permitted: &[Vec<u8>], excluded: &[Vec<u8>], subject: &[u8]| {
        permits(permitted, excluded, subject, &[dns("a.b")])
    };
    for text in ["ＡＣＭＥ", "acme", "AC\u{200d}ME", "\u{1d400}CME", "ⒶCME", "A\u{202e}CME"] {
        assert!(!held(&[], from_ref(&acme), &name(text)), "{text}");
    }
    assert!(!held(&[], from_ref(&acme), &name_as(0x1b, b"ACME")), "a GeneralString");
    assert!(!held(from_ref(&acme), &[], &name("ＡＣＭＥ")));
    for text in ["ÄCME", "АCME", "ACME2"] {
        assert!(held(&[], from_ref(&acme), &name(text)), "{text}");
    }
    assert!(!held(&[], &[tlv(DIRECTORY, &name("ﬁrm"))], &name("FIRM")), "the base may have them too");
}

#[test]
fn malformed_constraints_spoil_their_authority() {
    for base in [
        tlv(0x87, &[192, 0, 2, 1]),
        tlv(0x87, &[1, 2, 3, 4, 255, 0, 255, 0]),
        tlv(0x81, b"a@b@example.com"),
        dns("*.example.com"),
    ] {
        let root = authority("root", None, |_| ());
        let middle = authority("middle", Some(&root), |d| {
            d.set(NAME_CONSTRAINTS, true, subtrees(&[], from_ref(&base)));
        });
        let leaf = server(&middle, |_| ());
        let refused = judge(&root, &[&leaf, &middle], "example.com", &options(Profile::Rfc5280)).unwrap_err();
        let told = refused.attempts().iter().any(|a| a.finding.found.contains("nameConstraints"));
        assert!(told, "{base:x?}: {refused:?}");
    }
}

/// As many comparisons as the limit lets through are made. That they take their time only once per name, not once per pair, is
/// for testkit's `cost` to see, which counts instructions.
#[test]
fn a_million_comparisons_are_let_through() {
    let kinds: [fn(usize) -> Vec<u8>; 3] = [
        |n| tlv(DIRECTORY, &name(&format!("directory {n:05}"))),
        |n| dns(&format!("h{n:05}.example.test")),
        |n| tlv(0x81, format!("h{n:05}@example.test").as_bytes()),
    ];
    for kind in kinds {
        let (bases, alt): (Vec<_>, Vec<_>) = ((5000..6000).map(kind).collect(), (0..1000).map(kind).collect());
        let root = authority("root", None, |d| {
            d.set(NAME_CONSTRAINTS, true, subtrees(&[], &bases));
        });
        let leaf = server(&root, |d| {
            d.set(SAN, false, names(&alt));
        });
        let options = Options::new(at(NOW), Usage::Any).profile(Profile::Rfc5280);
        verify(&chain(&[&leaf]), &store(&[&root]), &options).unwrap();
    }
}
