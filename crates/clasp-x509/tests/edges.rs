//! What is asked of a path, at the last that is taken and the first that is not; and what a search costs.
#![allow(clippy::unwrap_used)]

mod common;

use clasp_x509::{
    Check, Crl, KeyUsage, MAX_RSA_BITS, Options, Origin, Profile, Reason, Rejection, Revocation, Roots, Scope, Usage,
    verify,
};
use common::answers::{list, response};
use common::*;

const RFC: Profile = Profile::Rfc5280;

fn reason<T>(verdict: Result<T, Box<Rejection>>) -> Result<(), Reason> {
    verdict.map(|_| ()).map_err(|refused| refused.reason())
}

/// A certificate is good in its first second and in its last.
#[test]
fn a_certificate_is_good_from_its_first_second_to_its_last() {
    let root = authority("root", None, |_| ());
    let (before, now, after) = ("300317174639Z", "300317174640Z", "300317174641Z");
    for (from, to, wanted) in [
        (now, now, Ok(())),
        (now, after, Ok(())),
        (before, now, Ok(())),
        (after, after, Err(Reason::NotYetValid)),
        (before, before, Err(Reason::Expired)),
    ] {
        let leaf = server(&root, |d| d.validity = seq(&[&utc(from), &utc(to)]));
        assert_eq!(reason(verify(&chain(&[&leaf]), &store(&[&root]), &options(RFC))), wanted, "{from} to {to}");
    }
}

/// What a key exchange wants of a key: TLS 1.2 asks for keyEncipherment where the premaster secret is encrypted.
#[test]
fn a_key_is_for_what_is_asked() {
    let root = authority("root", None, |_| ());
    let signs = server(&root, |_| ());
    let both = server(&root, |d| drop(d.set(KEY_USAGE, true, usage(0xa0)).tbs()));
    let open = server(&root, |d| drop(d.without(KEY_USAGE).tbs()));
    let (sign, encrypt) = (KeyUsage::DIGITAL_SIGNATURE, KeyUsage::KEY_ENCIPHERMENT);
    for (made, wanted, good) in [
        (&signs, sign, true),
        (&signs, encrypt, false),
        (&signs, sign.and(encrypt), false),
        (&both, sign.and(encrypt), true),
        (&open, encrypt, true),
    ] {
        let mut options = options(RFC);
        options.key_usage = Some(wanted);
        for roots in [&[&root][..], &[made]] {
            let verdict = verify(&chain(&[made]), &store(roots), &options);
            let said = verdict.as_ref().err().map(|refused| (refused.reason(), refused.nearest().rule));
            assert_eq!(said, (!good).then_some((Reason::WrongUsage, "RFC 5280 4.2.1.3")), "{wanted}");
        }
    }
}

#[test]
fn a_mailbox_is_the_same_in_its_local_part_and_its_host() {
    let root = authority("root", None, |_| ());
    let leaf = server(&root, |d| {
        d.set(SAN, false, names(&[dns("example.com"), tlv(0x81, b"Ada@Example.com")]));
    });
    for (wanted, good) in [
        ("Ada@Example.com", true),
        ("Ada@example.COM", true),
        ("ada@example.com", false),
        ("Ada@example.org", false),
        ("Bob@example.com", false),
        ("Bob@example.org", false),
        ("example.com", false),
    ] {
        let mut options = Options::new(at(NOW), Usage::Any).profile(RFC);
        options.mailbox = Some(wanted);
        let verdict = verify(&chain(&[&leaf]), &store(&[&root]), &options);
        let said = verdict.err().map(|refused| (refused.reason(), refused.nearest().rule));
        assert_eq!(said, (!good).then_some((Reason::NameMismatch, "RFC 8550 3")), "{wanted}");
    }
}

/// SEC 1 3.2.2.1: of every curve, where no proof of the key follows.
#[test]
fn a_leafs_key_is_a_point_of_its_curve() {
    use aws_lc_rs::signature::{ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
    let root = authority("root", None, |_| ());
    for (curve, last) in [(&ECDSA_P384_SHA384_ASN1_SIGNING, 34), (&ECDSA_P521_SHA512_ASN1_SIGNING, 35)] {
        let key = EcdsaKeyPair::generate(curve).unwrap();
        let mut off = key.public_key().as_ref().to_vec();
        *off.last_mut().unwrap() ^= 1;
        for (bits, follows, good) in
            [(key.public_key().as_ref(), false, true), (&off, false, false), (&off, true, true)]
        {
            let kind = seq(&[&oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]), &oid(&[0x2b, 0x81, 4, 0, last])]);
            let leaf = server(&root, |d| d.spki = seq(&[&kind, &bit_string(bits)]));
            let mut options = options(RFC);
            options.proof_follows = follows;
            let verdict = verify(&chain(&[&leaf]), &store(&[&root]), &options);
            let said = verdict.err().map(|refused| (refused.reason(), refused.nearest().rule));
            assert_eq!(said, (!good).then_some((Reason::UnsupportedAlgorithm, "SEC 1 3.2.2.1")), "{last} {follows}");
        }
    }
    let rsa = |bytes: usize| {
        let modulus = [&[0, 0x80][..], &vec![7; bytes - 1]].concat();
        let key = seq(&[&tlv(2, &modulus), &[2, 3, 1, 0, 1]]);
        seq(&[&seq(&[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]), &[5, 0]]), &bit_string(&key)])
    };
    let most = usize::try_from(MAX_RSA_BITS).unwrap() / 8;
    for (bytes, good) in [(most, true), (most + 1, false), (256, true), (255, false)] {
        let leaf = server(&root, |d| d.spki = rsa(bytes));
        assert_eq!(verify(&chain(&[&leaf]), &store(&[&root]), &options(Profile::WebPki)).is_ok(), good, "{bytes}");
    }
}

/// Of an issuer the signature tells: what cannot be a key has signed nothing.
#[test]
fn an_issuers_key_off_its_curve_has_signed_nothing() {
    let root = authority("root", None, |_| ());
    for (curve, len) in [
        (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7][..], 65),
        (&[0x2b, 0x81, 4, 0, 34], 97),
        (&[0x2b, 0x81, 4, 0, 35], 133),
    ] {
        let kind = seq(&[&oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]), &oid(curve)]);
        let off = [&[4][..], &vec![7; len - 1]].concat();
        let middle = authority("middle", Some(&root), |d| d.spki = seq(&[&kind, &bit_string(&off)]));
        let leaf = server(&middle, |_| ());
        let refused = verify(&chain(&[&leaf, &middle]), &store(&[&root]), &options(RFC)).unwrap_err();
        assert_eq!((refused.reason(), refused.nearest().origin), (Reason::BadSignature, Origin::Presented(0)), "{len}");
    }
}

/// Microsoft's application policies say what extKeyUsage says: critical ones are understood beside it, and not without.
#[test]
fn application_policies_are_understood_beside_an_extended_key_usage() {
    let policies: &'static [u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 21, 10];
    let root = authority("root", None, |_| ());
    let judge = |critical: bool, beside: bool| {
        let leaf = server(&root, |d| {
            d.set(policies, critical, seq(&[&seq(&[&oid(SERVER_AUTH)])]));
            if !beside {
                d.without(EKU);
            }
        });
        reason(verify(&chain(&[&leaf]), &store(&[&root]), &options(RFC)))
    };
    assert_eq!(judge(true, true), Ok(()));
    assert_eq!(judge(false, true), Ok(()));
    assert_eq!(judge(false, false), Ok(()));
    assert_eq!(judge(true, false), Err(Reason::CriticalExtension));
}

/// A loop is the same name with the same key: an authority may certify its own key under another name.
#[test]
fn one_key_under_two_names_is_no_loop() {
    let root = authority("root", None, |_| ());
    let one = authority("one", Some(&root), |_| ());
    let two = authority_of("two", Key::new(), Some(&one), |d| {
        d.spki = one.key.spki();
        d.set(SKI, false, tlv(4, &one.key.id()));
    });
    // What carries the second name is signed with the key of both.
    let by = Made { der: two.der.clone(), subject: two.subject.clone(), key: one.key };
    let leaf = server(&by, |_| ());
    for presented in [[&leaf.der[..], &by.der, &one.der], [&leaf.der, &one.der, &by.der]] {
        verify(&presented, &store(&[&root]), &options(RFC)).unwrap();
    }
}

/// The finding stands at the certificate whose issuer is missing, however far up that is.
#[test]
fn a_missing_issuer_is_missed_where_the_path_ends() {
    let root = authority("root", None, |_| ());
    let one = authority("one", Some(&root), |_| ());
    let two = authority("two", Some(&one), |_| ());
    let three = authority("three", Some(&two), |_| ());
    let leaf = server(&three, |_| ());
    let all = [&leaf, &three, &two, &one];
    for length in 1..=4 {
        let refused = verify(&chain(&all[..length]), &Roots::empty(), &options(RFC)).unwrap_err();
        assert_eq!(
            (refused.reason(), refused.nearest().origin),
            (Reason::UnknownIssuer, Origin::Presented(length - 1))
        );
        assert_eq!(refused.attempts().last().unwrap().path.len(), length);
    }
}

#[test]
fn thirty_two_intermediates_and_no_more() {
    let root = authority("root", None, |_| ());
    let mut path: Vec<Made> = Vec::new();
    for level in 0..33 {
        let made = authority(&format!("level {level}"), Some(path.last().unwrap_or(&root)), |_| ());
        path.push(made);
    }
    for (intermediates, wanted) in [(32, Ok(())), (33, Err(Reason::TooCostly))] {
        let leaf = server(&path[intermediates - 1], |_| ());
        let presented: Vec<&Made> = std::iter::once(&leaf).chain(path[..intermediates].iter().rev()).collect();
        assert_eq!(reason(verify(&chain(&presented), &store(&[&root]), &options(RFC))), wanted, "{intermediates}");
    }
}

/// The likeliest issuer is tried first: many others of its name, sent before it, do not use up the budget.
#[test]
fn strangers_of_the_issuers_name_do_not_keep_it_from_being_found() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |_| ());
    let leaf = server(&middle, |_| ());
    let strangers: Vec<Made> = (0..100).map(|_| authority("middle", Some(&root), |_| ())).collect();
    let presented: Vec<&Made> = std::iter::once(&leaf).chain(&strangers).chain([&middle]).collect();
    verify(&chain(&presented), &store(&[&root]), &options(RFC)).unwrap();
    // Without a hint each is as likely: that costs more than there is.
    let unhinted = server(&middle, |d| drop(d.without(AKI).tbs()));
    let presented: Vec<&Made> = std::iter::once(&unhinted).chain(&strangers).chain([&middle]).collect();
    let refused = verify(&chain(&presented), &store(&[&root]), &options(RFC)).unwrap_err();
    assert_eq!(refused.reason(), Reason::TooCostly);
    assert_eq!(refused.attempts().len(), 16, "the first few are told");
    assert!(refused.untold() > 40, "{}", refused.untold());
}

/// An issuer that is out of date is tried behind those that are not, and told behind them.
#[test]
fn issuers_of_today_are_tried_first() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |_| ());
    let old = authority("middle", Some(&root), |d| d.validity = seq(&[&utc("200101000000Z"), &utc("210101000000Z")]));
    let other = authority("middle", Some(&root), |_| ());
    for hinted in [false, true] {
        let leaf = server(&middle, |d| {
            if !hinted {
                d.without(AKI);
            }
        });
        let refused = verify(&chain(&[&leaf, &old, &other]), &store(&[&root]), &options(RFC)).unwrap_err();
        let reasons: Vec<Reason> = refused.attempts().iter().map(|a| a.finding.reason).collect();
        assert_eq!(reasons, [Reason::BadSignature, Reason::Expired], "hinted: {hinted}");
    }
}

/// A path that came to a root says more than a longer one that came to none.
#[test]
fn what_broke_below_a_root_is_the_nearest_miss() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |d| {
        drop(d.set(NAME_CONSTRAINTS, true, subtrees(&[], &[dns("example.com")])).tbs());
    });
    let lost = authority("lost", None, |_| ());
    let one = authority("one", Some(&lost), |_| ());
    let two = authority("two", Some(&one), |_| ());
    let again = authority_of("middle", Key::new(), Some(&two), |d| {
        d.spki = middle.key.spki();
        d.set(SKI, false, tlv(4, &middle.key.id()));
    });
    let leaf = server(&middle, |_| ());
    for presented in [[&leaf, &middle, &again, &two, &one], [&leaf, &again, &two, &one, &middle]] {
        let refused = verify(&chain(&presented), &store(&[&root]), &options(RFC)).unwrap_err();
        let reasons: Vec<Reason> = refused.attempts().iter().map(|a| a.finding.reason).collect();
        assert!(reasons.contains(&Reason::UnknownIssuer), "{reasons:?}");
        assert_eq!(refused.reason(), Reason::NameConstraint, "{reasons:?}");
    }
}

/// Every level twice: as many paths as two to the number of levels, for few signatures. None is good.
fn lattice(levels: usize, stuffing: usize, strays: usize) -> Result<(), Reason> {
    let root = authority("root", None, |_| ());
    let big = |d: &mut Draft, bytes: usize| {
        if bytes > 0 {
            d.set(&[0x2a, 3, 9], false, tlv(4, &vec![7; bytes]));
        }
    };
    let mut levels_made: Vec<[Made; 2]> = Vec::new();
    for level in 0..levels {
        let above = levels_made.last().map_or(&root, |[one, _]| one);
        let text = format!("level {level}");
        let one = authority(&text, Some(above), |_| ());
        let other = authority_of(&text, Key::new(), Some(above), |d| {
            d.serial = vec![2];
            d.spki = one.key.spki();
            d.set(SKI, false, tlv(4, &one.key.id()));
        });
        levels_made.push([one, other]);
    }
    let leaf = server(&levels_made.last().unwrap()[0], |d| {
        d.set(POLICIES, false, seq(&[&seq(&[&oid(&[0x2a, 3])])]));
        big(d, stuffing);
    });
    let strays: Vec<Made> = (0..strays).map(|_| authority("stray", None, |d| big(d, 8000))).collect();
    let presented: Vec<&Made> =
        std::iter::once(&leaf).chain(levels_made.iter().rev().flatten()).chain(&strays).collect();
    // No path has a policy, and that is found out at the end of each.
    let mut options = options(RFC);
    options.policies.require_explicit = true;
    reason(verify(&chain(&presented), &store(&[&root]), &options))
}

#[test]
fn paths_are_counted_and_so_are_their_bytes() {
    assert_eq!(lattice(5, 0, 6), Err(Reason::Policy), "32 paths are all looked at");
    assert_eq!(lattice(7, 0, 6), Err(Reason::TooCostly), "128 paths, which are short beside what was sent");
    assert_eq!(lattice(5, 8000, 0), Err(Reason::TooCostly), "32 paths, which are long");
}

/// Of a path below a path, a list's signer's, nothing is told: the refusal is of the chain.
#[test]
fn what_fails_below_a_path_is_not_told_as_the_paths() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |_| ());
    let leaf = server(&middle, |d| d.serial = vec![9]);
    // Another key of the issuer's name signs lists, and has no path to the root.
    let lost = authority("lost", None, |_| ());
    let signer = authority("middle", Some(&lost), |_| ());
    let lists = [list(&signer, |_| ())];
    let lists: Vec<Crl<'_>> = lists.iter().map(|list| Crl::parse(list).unwrap()).collect();
    let mut options = options(RFC);
    (options.revocation.check, options.revocation.lists) = (Check::Require, &lists);
    options.revocation.scope = Scope::Leaf;
    let refused = verify(&chain(&[&leaf, &middle, &signer]), &store(&[&root]), &options).unwrap_err();
    assert_eq!(refused.reason(), Reason::StatusUnknown);
    assert!(refused.attempts().iter().any(|a| a.finding.found.contains("no path to the same root")), "{refused:?}");
    for attempt in refused.attempts() {
        let starts = attempt.path.first().map(|step| step.origin);
        assert!(matches!(starts, None | Some(Origin::Presented(0))), "{attempt:?}");
    }
}

/// A certificate that is trusted by itself, and answers of whatever kind that count for nothing: the refusal says that.
#[test]
fn answers_that_do_not_count_for_a_trusted_certificate_are_said_not_to() {
    let stranger = authority("stranger", None, |_| ());
    let own = authority_of("device", Key::new(), None, |d| {
        d.serial = vec![9];
        d.without(BASIC_CONSTRAINTS).without(KEY_USAGE).set(SAN, false, names(&[dns("example.com")]));
    });
    let (der, answer) = (list(&stranger, |_| ()), response(&stranger, &stranger, |_| ()));
    let lists = [Crl::parse(&der).unwrap()];
    let responses = [&answer[..]];
    let nothing = Revocation { check: Check::Require, ..Revocation::default() };
    for (revocation, said) in [
        (nothing, false),
        (Revocation { lists: &lists, ..nothing }, true),
        (Revocation { responses: &responses, ..nothing }, true),
        (Revocation { stapled: Some(&answer), ..nothing }, true),
    ] {
        let refused = verify(&chain(&[&own]), &store(&[&own]), &options(RFC).revocation(revocation)).unwrap_err();
        assert_eq!(refused.reason(), Reason::StatusUnknown);
        let told = refused.attempts().iter().any(|a| a.finding.found.starts_with("no answer counts"));
        assert_eq!(told, said, "{refused:?}");
    }
}

/// A leaf that is itself trusted is still of its time, understood, and for its use.
#[test]
fn what_is_asked_of_a_trusted_leaf() {
    let root = authority("root", None, |_| ());
    for (change, wanted) in [
        (None, Ok(())),
        (
            Some((|d| d.validity = seq(&[&utc("200101000000Z"), &utc("210101000000Z")])) as fn(&mut Draft)),
            Err(Reason::Expired),
        ),
        (Some(|d| d.validity = seq(&[&utc("310101000000Z"), &utc("320101000000Z")])), Err(Reason::NotYetValid)),
        (Some(|d| drop(d.set(&[0x2a, 3], true, vec![5, 0]).tbs())), Err(Reason::CriticalExtension)),
        (Some(|d| drop(d.set(EKU, false, seq(&[&oid(CLIENT_AUTH)])).tbs())), Err(Reason::WrongUsage)),
        (Some(|d| drop(d.set(NAME_CONSTRAINTS, true, subtrees(&[], &[])).tbs())), Err(Reason::BadEncoding)),
    ] {
        let leaf = server(&root, |d| change.map_or((), |change| change(d)));
        let mut roots = Roots::empty();
        if roots.add_der(&leaf.der).is_err() {
            assert_eq!(wanted, Err(Reason::BadEncoding));
            continue;
        }
        assert_eq!(reason(verify(&chain(&[&leaf]), &roots, &options(RFC))), wanted);
    }
}

/// No handshake takes a key that nobody here can use.
#[test]
fn a_key_of_another_kind_is_refused() {
    let root = authority("root", None, |_| ());
    let leaf = server(&root, |d| d.spki = seq(&[&seq(&[&oid(&[0x2a, 3, 4])]), &bit_string(&[1, 2, 3])]));
    for profile in Profile::ALL {
        let verdict = reason(verify(&chain(&[&leaf]), &store(&[&root]), &options(profile)));
        assert_eq!(verdict, Err(Reason::UnsupportedAlgorithm), "{profile:?}");
    }
}

/// What cannot be read and stands behind the leaf is passed over; the leaf is not.
#[test]
fn a_stray_that_cannot_be_read_does_not_spoil_a_chain() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |_| ());
    let leaf = server(&middle, |_| ());
    let accepted = verify(&[&leaf.der, b"no certificate", &middle.der], &store(&[&root]), &options(RFC)).unwrap();
    assert_eq!(accepted.path(), [0, 2]);
    let refused = verify(&[&leaf.der, b"no certificate"], &store(&[&root]), &options(RFC)).unwrap_err();
    assert!(refused.attempts().iter().any(|a| a.finding.origin == Origin::Presented(1)), "it may be the one missing");
    let refused = verify(&[b"no certificate", &middle.der], &store(&[&root]), &options(RFC)).unwrap_err();
    assert_eq!((refused.reason(), refused.nearest().origin), (Reason::BadEncoding, Origin::Presented(0)));
    assert_eq!(verify(&[], &store(&[&root]), &options(RFC)).unwrap_err().reason(), Reason::BadEncoding);
}

/// Each way that was tried is told with its own certificates.
#[test]
fn each_attempt_has_its_own_path() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |_| ());
    let leaf = server(&middle, |_| ());
    let no_authority = |serial: u8| {
        authority_of("middle", Key::new(), Some(&root), |d| {
            d.serial = vec![serial];
            d.spki = middle.key.spki();
            d.without(BASIC_CONSTRAINTS);
        })
    };
    let (one, other) = (no_authority(1), no_authority(2));
    let refused = verify(&chain(&[&leaf, &one, &other]), &store(&[&root]), &options(RFC)).unwrap_err();
    let paths: Vec<Vec<Origin>> =
        refused.attempts().iter().map(|a| a.path.iter().map(|step| step.origin).collect()).collect();
    let of = |place| vec![Origin::Presented(0), Origin::Presented(place)];
    assert_eq!(paths, [of(1), of(2)]);
    assert_eq!((refused.reason(), refused.untold()), (Reason::Constraint, 0));
    // Where no root is known, one look says why.
    let by_roots = options(RFC).by_roots();
    let refused = verify(&chain(&[&leaf, &middle]), &Roots::empty(), &by_roots).unwrap_err();
    assert!(refused.nearest().found.contains("CN=root"), "{refused}");
}

/// What the strictest profile asks of leaves that are no servers.
#[test]
fn the_form_of_leaves_for_any_use() {
    let root = authority("root", None, |_| ());
    let judge = |change: fn(&mut Draft)| {
        let leaf = server(&root, change);
        let options = Options::new(at(NOW), Usage::Any).profile(Profile::WebPki);
        let verdict = verify(&chain(&[&leaf]), &store(&[&root]), &options);
        verdict.map(|_| ()).map_err(|refused| (refused.nearest().rule, refused.nearest().found.clone()))
    };
    let length = judge(|d| drop(d.set(BASIC_CONSTRAINTS, true, path_length(0)).tbs()));
    assert_eq!(length.unwrap_err().0, "RFC 5280 4.2.1.9");
    judge(|d| drop(d.set(BASIC_CONSTRAINTS, true, path_length(0)).set(KEY_USAGE, true, usage(0x04)).tbs())).unwrap();
    let nameless = judge(|d| {
        d.subject = vec![0x30, 0];
        d.without(SAN);
    });
    assert!(nameless.unwrap_err().1.starts_with("neither a subject nor a subjectAltName"));
    judge(|d| drop(d.without(SAN).tbs())).unwrap();
    judge(|d| {
        d.subject = vec![0x30, 0];
        d.set(SAN, true, names(&[dns("example.com")]));
    })
    .unwrap();
}
