//! Certificate policies over whole paths: RFC 5280 6.1.
#![allow(clippy::unwrap_used)]

mod common;

use clasp_x509::{PolicyInputs, Profile, Reason, verify};
use common::*;

const A: &[u8] = &[0x2a, 3, 1];
const B: &[u8] = &[0x2a, 3, 2];
const C: &[u8] = &[0x2a, 3, 3];
const ANY: &[u8] = &[0x55, 0x1d, 32, 0];

fn policies(list: &[&[u8]]) -> Vec<u8> {
    let all: Vec<u8> = list.iter().flat_map(|policy| seq(&[&oid(policy)])).collect();
    tlv(0x30, &all)
}

/// Judges root, an intermediate and a leaf with policies, and mappings in the intermediate.
fn with_policies(
    middle_has: &[&[u8]],
    maps: &[(&[u8], &[u8])],
    leaf_has: &[&[u8]],
    inputs: PolicyInputs<'_>,
) -> Result<(), Reason> {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |d| {
        if !middle_has.is_empty() {
            d.set(POLICIES, false, policies(middle_has));
        }
        let pairs: Vec<u8> = maps.iter().flat_map(|(from, to)| seq(&[&oid(from), &oid(to)])).collect();
        if !pairs.is_empty() {
            d.set(MAPPINGS, true, tlv(0x30, &pairs));
        }
    });
    let leaf = server(&middle, |d| {
        if !leaf_has.is_empty() {
            d.set(POLICIES, false, policies(leaf_has));
        }
    });
    let mut options = options(Profile::WebPki);
    options.policies = inputs;
    verify(&chain(&[&leaf, &middle]), &store(&[&root]), &options).map(|_| ()).map_err(|refused| {
        assert!(refused.nearest().rule.starts_with("RFC 5280 6.1"), "{refused}");
        refused.reason()
    })
}

#[test]
fn policies_hold_along_the_path() {
    let must = PolicyInputs { require_explicit: true, ..PolicyInputs::default() };
    let want_a = PolicyInputs { acceptable: &[A], ..must };
    let no = Err(Reason::Policy);
    assert_eq!(with_policies(&[], &[], &[], PolicyInputs::default()), Ok(()), "nobody asks");
    assert_eq!(with_policies(&[], &[], &[], must), no);
    assert_eq!(with_policies(&[A], &[], &[A], must), Ok(()));
    assert_eq!(with_policies(&[A], &[], &[B], must), no);
    assert_eq!(with_policies(&[A, B], &[], &[B], want_a), no, "not the one that is wanted");
    assert_eq!(with_policies(&[A, B], &[], &[A], want_a), Ok(()));
    assert_eq!(with_policies(&[ANY], &[], &[A], want_a), Ok(()));
    assert_eq!(with_policies(&[ANY], &[], &[A], PolicyInputs { inhibit_any: true, ..want_a }), no);
    assert_eq!(with_policies(&[A], &[(A, B)], &[B], want_a), Ok(()), "mapped");
    assert_eq!(with_policies(&[A], &[(A, B)], &[A], want_a), no, "mapped away");
    assert_eq!(with_policies(&[A], &[(A, B)], &[B], PolicyInputs { inhibit_mapping: true, ..want_a }), no);
    assert_eq!(with_policies(&[A], &[(ANY, B)], &[B], PolicyInputs::default()), no, "anyPolicy may not be mapped");
}

#[test]
fn policy_constraints_of_an_authority() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |d| {
        d.set(POLICIES, false, policies(&[A])).set(POLICY_CONSTRAINTS, true, seq(&[&tlv(0x80, &[0])]));
    });
    let bare = server(&middle, |_| ());
    let good = server(&middle, |d| {
        d.set(POLICIES, false, policies(&[A]));
    });
    judge(&root, &[&good, &middle], "example.com", &options(Profile::WebPki)).unwrap();
    let refused = judge(&root, &[&bare, &middle], "example.com", &options(Profile::WebPki)).unwrap_err();
    assert_eq!(refused.reason(), Reason::Policy);
    let twice = server(&middle, |d| {
        d.set(POLICIES, false, policies(&[A, A]));
    });
    assert!(judge(&root, &[&twice, &middle], "example.com", &options(Profile::WebPki)).is_err());
    let qualified = server(&middle, |d| {
        let qualifier = seq(&[&oid(&[0x2a, 9]), &[5, 0]]);
        d.set(POLICIES, true, seq(&[&seq(&[&oid(A), &seq(&[&qualifier])])]));
    });
    let refused = judge(&root, &[&qualified, &middle], "example.com", &options(Profile::WebPki)).unwrap_err();
    assert_eq!((refused.reason(), refused.nearest().rule), (Reason::CriticalExtension, "RFC 5280 4.2.1.4"));
}

/// Mappings that would double a tree at every level cost no more than their length here: with a tree this would not end.
#[test]
fn policy_bombs_are_cheap() {
    let root = authority("root", None, |_| ());
    let oids: Vec<Vec<u8>> = (0..100).map(|n| vec![0x2a, 3, n]).collect();
    let all: Vec<&[u8]> = oids.iter().map(Vec::as_slice).collect();
    let mut path: Vec<Made> = Vec::new();
    for level in 0..12 {
        let made = authority(&format!("level {level}"), Some(path.last().unwrap_or(&root)), |d| {
            let pairs: Vec<u8> = all
                .iter()
                .flat_map(|from| [&all[0], &all[1]].map(|to| seq(&[&oid(from), &oid(to)])).concat())
                .collect();
            d.set(POLICIES, false, policies(&all)).set(MAPPINGS, true, tlv(0x30, &pairs));
        });
        path.push(made);
    }
    let leaf = server(path.last().unwrap(), |d| {
        d.set(POLICIES, false, policies(&[all[0]]));
    });
    let presented: Vec<&Made> = std::iter::once(&leaf).chain(path.iter().rev()).collect();
    let mut options = options(Profile::Rfc5280);
    options.policies.require_explicit = true;
    judge(&root, &presented, "example.com", &options).unwrap();
}

/// One of these, and no path without.
fn must<'a>(acceptable: &'a [&'a [u8]]) -> PolicyInputs<'a> {
    PolicyInputs { require_explicit: true, acceptable, ..PolicyInputs::default() }
}

/// Each way to an acceptable policy counts, not only the first.
#[test]
fn several_policies_may_be_mapped_to_one() {
    let both: &[(&[u8], &[u8])] = &[(A, B), (C, B)];
    for wanted in [A, C] {
        assert_eq!(with_policies(&[A, C], both, &[B], must(&[wanted])), Ok(()), "{wanted:?}");
    }
    assert_eq!(with_policies(&[A, C], both, &[B], must(&[B])), Err(Reason::Policy));
    // B stands for itself too, where it is not mapped away.
    for wanted in [A, B] {
        assert_eq!(with_policies(&[A, B], &[(A, B)], &[B], must(&[wanted])), Ok(()), "{wanted:?}");
    }
    assert_eq!(with_policies(&[A, B], &[(A, B), (A, B)], &[B], must(&[A])), Ok(()), "said twice");
    assert_eq!(with_policies(&[A], &[(A, B), (A, C)], &[C], must(&[A])), Ok(()), "one to two");
    // From anyPolicy what is mapped comes into being.
    assert_eq!(with_policies(&[ANY], &[(A, B)], &[B], must(&[A])), Ok(()));
    assert_eq!(with_policies(&[ANY], &[(A, B)], &[A], must(&[A])), Ok(()), "anyPolicy has A beside the mapping");
    assert_eq!(with_policies(&[ANY], &[(A, B)], &[B], must(&[B])), Err(Reason::Policy), "B is another's A here");
    assert_eq!(with_policies(&[C], &[(A, B)], &[B], must(&[])), Err(Reason::Policy), "a mapping of what is not there");
    assert_eq!(with_policies(&[ANY], &[], &[ANY], must(&[A])), Ok(()), "anyPolicy to the end");
    assert_eq!(with_policies(&[A], &[], &[ANY], must(&[A])), Ok(()));
    assert_eq!(with_policies(&[A], &[], &[ANY], must(&[B])), Err(Reason::Policy));
    assert_eq!(with_policies(&[A], &[], &[A], must(&[B, ANY])), Ok(()), "anything will do");
    for mapping in [(A, ANY), (ANY, B)] {
        assert_eq!(with_policies(&[A], &[mapping], &[B], PolicyInputs::default()), Err(Reason::Policy));
    }
    // Not at the end of the list alone is a policy found, nor said twice.
    assert_eq!(with_policies(&[C, A, B], &[], &[B, C, A], must(&[A])), Ok(()));
}

/// A path of authorities, each with these extensions and policy A, and a leaf of theirs with what it has.
fn path(authorities: &[fn(&mut Draft)], leaf_has: &[&[u8]], root_has: fn(&mut Draft)) -> Result<(), Reason> {
    let root = authority("root", None, root_has);
    let mut made: Vec<Made> = Vec::new();
    for (level, change) in authorities.iter().enumerate() {
        let next = authority(&format!("level {level}"), Some(made.last().unwrap_or(&root)), |d| {
            d.set(POLICIES, false, policies(&[A]));
            change(d);
        });
        made.push(next);
    }
    let leaf = server(made.last().unwrap_or(&root), |d| {
        if !leaf_has.is_empty() {
            d.set(POLICIES, false, policies(leaf_has));
        }
    });
    let presented: Vec<&Made> = std::iter::once(&leaf).chain(made.iter().rev()).collect();
    verify(&chain(&presented), &store(&[&root]), &options(Profile::WebPki)).map(|_| ()).map_err(|r| r.reason())
}

fn plain(_: &mut Draft) {}

fn explicit<const AFTER: u8>(draft: &mut Draft) {
    draft.set(POLICY_CONSTRAINTS, true, seq(&[&tlv(0x80, &[AFTER])]));
}

fn no_mapping<const AFTER: u8>(draft: &mut Draft) {
    draft.set(POLICY_CONSTRAINTS, true, seq(&[&tlv(0x81, &[AFTER])]));
}

fn no_any<const AFTER: u8>(draft: &mut Draft) {
    draft.set(INHIBIT_ANY, true, vec![2, 1, AFTER]);
}

fn maps(draft: &mut Draft) {
    draft.set(MAPPINGS, true, seq(&[&seq(&[&oid(A), &oid(B)])]));
}

fn maps_and_asks(draft: &mut Draft) {
    maps(draft);
    explicit::<0>(draft);
}

/// Asks for a policy, and is issued by itself.
fn any_and_asks(draft: &mut Draft) {
    draft.set(POLICIES, false, policies(&[ANY]));
    explicit::<0>(draft);
}

/// RFC 5280 6.1.4 (h), (i), (j): a constraint begins so many certificates below the one that has it.
#[test]
fn a_constraint_begins_so_many_certificates_below() {
    let no = Err(Reason::Policy);
    assert_eq!(path(&[explicit::<0>], &[], plain), no);
    assert_eq!(path(&[explicit::<1>], &[], plain), no, "the leaf is the first below");
    assert_eq!(path(&[explicit::<2>], &[], plain), Ok(()));
    assert_eq!(path(&[explicit::<2>, plain], &[], plain), no);
    assert_eq!(path(&[explicit::<3>, plain], &[], plain), Ok(()));
    assert_eq!(path(&[explicit::<0>, explicit::<9>], &[], plain), no, "what is closed stays closed");
    assert_eq!(path(&[explicit::<9>, explicit::<0>], &[], plain), no);
    assert_eq!(path(&[explicit::<0>], &[A], plain), Ok(()));

    assert_eq!(path(&[plain, maps_and_asks], &[B], plain), Ok(()));
    assert_eq!(path(&[no_mapping::<0>, maps_and_asks], &[B], plain), no);
    assert_eq!(path(&[no_mapping::<1>, plain, maps_and_asks], &[B], plain), no);
    assert_eq!(path(&[no_mapping::<1>, maps_and_asks], &[B], plain), Ok(()));

    assert_eq!(path(&[no_any::<0>, explicit::<0>], &[ANY], plain), no);
    assert_eq!(path(&[no_any::<1>, explicit::<0>], &[ANY], plain), no);
    assert_eq!(path(&[no_any::<2>, explicit::<0>], &[ANY], plain), Ok(()));
    assert_eq!(path(&[no_any::<0>, any_and_asks], &[A], plain), no);
    assert_eq!(path(&[no_any::<1>, any_and_asks], &[A], plain), Ok(()));
    // RFC 5937: those of a root that is judged as a certificate.
    assert_eq!(path(&[plain], &[], explicit::<0>), no);
    assert_eq!(path(&[no_any::<9>, explicit::<0>], &[ANY], no_any::<0>), no);
}

/// RFC 5280 6.1.5 (b): the leaf's own constraint, where it asks for a policy at once.
#[test]
fn a_leaf_may_ask_for_a_policy_itself() {
    let root = authority("root", None, |_| ());
    let judge = |after: u8, has: &[&[u8]]| {
        let leaf = server(&root, |d| {
            if !has.is_empty() {
                d.set(POLICIES, false, policies(has));
            }
            d.set(POLICY_CONSTRAINTS, true, seq(&[&tlv(0x80, &[after])]));
        });
        verify(&chain(&[&leaf]), &store(&[&root]), &options(Profile::Rfc5280)).map(|_| ()).map_err(|r| r.reason())
    };
    assert_eq!(judge(0, &[]), Err(Reason::Policy));
    assert_eq!(judge(0, &[A]), Ok(()));
    assert_eq!(judge(1, &[]), Ok(()));
}

/// RFC 5280 6.1.4 (h): an authority that changes its key does not count, and may say anyPolicy where others may not.
#[test]
fn a_self_issued_authority_does_not_count() {
    let judge = |after: u8, again: bool, any: bool| {
        let root = authority("root", None, |_| ());
        let middle = authority("middle", Some(&root), |d| {
            d.set(POLICIES, false, policies(&[A])).set(INHIBIT_ANY, true, vec![2, 1, 0]);
            d.set(POLICY_CONSTRAINTS, true, seq(&[&tlv(0x80, &[after])]));
        });
        let next = authority(if again { "middle" } else { "other" }, Some(&middle), |d| {
            d.set(POLICIES, false, policies(&[if any { ANY } else { A }]));
        });
        let leaf = server(&next, |d| {
            if any {
                d.set(POLICIES, false, policies(&[A]));
            }
        });
        let presented = [&leaf, &next, &middle];
        verify(&chain(&presented), &store(&[&root]), &options(Profile::Rfc5280)).map(|_| ()).map_err(|r| r.reason())
    };
    assert_eq!(judge(2, true, false), Ok(()), "it is not counted");
    assert_eq!(judge(2, false, false), Err(Reason::Policy));
    assert_eq!(judge(0, true, true), Ok(()), "anyPolicy of one that issues to itself");
    assert_eq!(judge(0, false, true), Err(Reason::Policy));
}

/// Policies and mappings are counted, and so is what they come to; said twice is no certificate, wherever it stands.
#[test]
fn policies_are_counted_and_each_is_said_once() {
    let root = authority("root", None, |_| ());
    let judge = |change: &dyn Fn(&mut Draft)| {
        let middle = authority("middle", Some(&root), |d| change(d));
        let leaf = server(&middle, |_| ());
        let verdict = verify(&chain(&[&leaf, &middle]), &store(&[&root]), &options(Profile::Rfc5280));
        verdict.map(|_| ()).map_err(|refused| refused.reason())
    };
    let oids: Vec<Vec<u8>> = (0..300_u16)
        .map(|n| vec![0x2a, 3, 0x81 + u8::try_from(n / 128).unwrap(), u8::try_from(n % 128).unwrap()])
        .collect();
    let all: Vec<&[u8]> = oids.iter().map(Vec::as_slice).collect();
    let pairs = |count: usize| {
        let pairs: Vec<u8> = all[..count].iter().flat_map(|from| seq(&[&oid(from), &oid(A)])).collect();
        tlv(0x30, &pairs)
    };
    assert_eq!(judge(&|d| drop(d.set(POLICIES, false, policies(&all[..256])).tbs())), Ok(()));
    assert_eq!(judge(&|d| drop(d.set(POLICIES, false, policies(&all[..257])).tbs())), Err(Reason::TooCostly));
    assert_eq!(judge(&|d| drop(d.set(MAPPINGS, true, pairs(256)).tbs())), Ok(()));
    assert_eq!(judge(&|d| drop(d.set(MAPPINGS, true, pairs(257)).tbs())), Err(Reason::TooCostly));
    let of_leaf = |count: usize| {
        let leaf = server(&root, |d| drop(d.set(POLICIES, false, policies(&all[..count])).tbs()));
        let verdict = verify(&chain(&[&leaf]), &store(&[&root]), &options(Profile::Rfc5280));
        verdict.map(|_| ()).map_err(|refused| refused.reason())
    };
    assert_eq!((of_leaf(256), of_leaf(257)), (Ok(()), Err(Reason::TooCostly)));
    // One of 256 is mapped to two others: 257 are expected below.
    let to = |targets: &[&[u8]]| {
        let pairs: Vec<u8> = targets.iter().flat_map(|to| seq(&[&oid(all[0]), &oid(to)])).collect();
        judge(&|d| drop(d.set(POLICIES, false, policies(&all[..256])).set(MAPPINGS, true, tlv(0x30, &pairs)).tbs()))
    };
    assert_eq!((to(&[A]), to(&[A, B])), (Ok(()), Err(Reason::TooCostly)));
    for twice in [&[A, A][..], &[A, B, A], &[B, A, C, B], &[ANY, ANY], &[ANY, A, ANY]] {
        let verdict = judge(&|d| drop(d.set(POLICIES, false, policies(twice)).tbs()));
        assert_eq!(verdict, Err(Reason::BadEncoding), "{twice:?}");
    }
}

/// The refusal stands at the first certificate that has no policy; and a leaf that issues to itself is a leaf.
#[test]
fn the_first_without_a_policy_is_named() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |_| ());
    let leaf = server(&middle, |d| drop(d.set(POLICIES, false, policies(&[A])).tbs()));
    let mut asked = options(Profile::Rfc5280);
    asked.policies = must(&[]);
    let refused = verify(&chain(&[&leaf, &middle]), &store(&[&root]), &asked).unwrap_err();
    assert_eq!((refused.reason(), refused.nearest().origin), (Reason::Policy, clasp_x509::Origin::Presented(1)));
    let same = authority("example.com", Some(&root), |d| {
        d.set(POLICIES, false, policies(&[A])).set(INHIBIT_ANY, true, vec![2, 1, 0]);
        explicit::<0>(d);
    });
    for (has, wanted) in [(A, Ok(())), (ANY, Err(Reason::Policy))] {
        let leaf = server(&same, |d| drop(d.set(POLICIES, false, policies(&[has])).tbs()));
        let verdict = verify(&chain(&[&leaf, &same]), &store(&[&root]), &options(Profile::Rfc5280));
        assert_eq!(verdict.map(|_| ()).map_err(|refused| refused.reason()), wanted);
    }
}
