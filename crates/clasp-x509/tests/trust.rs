//! What a certificate among the roots is trusted for, and what is asked of it all the same.
#![allow(clippy::unwrap_used)]

mod common;

use clasp_x509::{
    Accepted, Check, Crl, Options, Origin, Profile, Reason, Rejection, Roots, Scope, Standing, Trouble, Usage,
    Verdicts, verify,
};
use common::answers::*;
use common::*;
use std::slice::from_ref;

type Change = fn(&mut Draft);
type Verdict<'a> = Result<Accepted<'a>, Box<Rejection>>;

fn reason(verdict: Verdict<'_>) -> Result<(), Reason> {
    verdict.map(|_| ()).map_err(|refused| refused.reason())
}

/// Judges with these lists.
fn listed<'a>(
    presented: &[&'a Made],
    roots: &Roots,
    lists: &[Vec<u8>],
    change: impl FnOnce(&mut Options<'_>),
) -> Verdict<'a> {
    let lists: Vec<Crl<'_>> = lists.iter().map(|list| Crl::parse(list).unwrap()).collect();
    let mut options = options(Profile::Rfc5280);
    options.revocation.check = Check::Require;
    options.revocation.lists = &lists;
    change(&mut options);
    verify(&chain(presented), roots, &options)
}

fn leaf_of(by: &Made) -> Made {
    server(by, |d| d.serial = vec![9])
}

fn revoking(by: &Made) -> Vec<u8> {
    list(by, |l| l.entries = vec![entry(&[9], &[(&[0x55, 0x1d, 21], false, vec![10, 1, 1])])])
}

/// A CA file that holds the server's, or the client's, own certificate too is no pardon.
#[test]
fn a_trusted_certificate_that_is_revoked_is_refused() {
    let root = authority("root", None, |_| ());
    let leaf = leaf_of(&root);
    let client = server(&root, |d| {
        d.serial = vec![9];
        d.set(EKU, false, seq(&[&oid(CLIENT_AUTH)]));
    });
    for (peer, usage) in [(&leaf, Usage::Server), (&client, Usage::Client)] {
        for (roots, what) in
            [(store(&[&root]), "root"), (store(&[&root, peer]), "root and leaf"), (store(&[peer]), "leaf")]
        {
            for check in [Check::Prefer, Check::Require] {
                let verdict = listed(&[peer, &root], &roots, &[revoking(&root)], |o| {
                    (o.usage, o.revocation.check) = (usage, check);
                });
                assert_eq!(reason(verdict), Err(Reason::Revoked), "{what} {check:?}");
            }
        }
    }
    let roots = store(&[&root, &leaf]);
    let accepted = listed(&[&leaf], &roots, &[list(&root, |_| ())], |_| ()).unwrap();
    assert_eq!(accepted.standings(), [Standing::Good]);
    assert_eq!(reason(listed(&[&leaf], &roots, &[], |_| ())), Err(Reason::StatusUnknown), "nothing is known of it");
    listed(&[&leaf], &roots, &[], |o| o.revocation.check = Check::Prefer).unwrap();
}

/// Only a trusted authority may say good of a certificate that is trusted by itself: keys that fit a signature can be made.
#[test]
fn nobody_but_a_trusted_issuer_vouches_for_a_trusted_certificate() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |_| ());
    let leaf = leaf_of(&middle);
    let (good, above) = (list(&middle, |_| ()), list(&root, |_| ()));
    let judge = |roots: &Roots, lists: &[Vec<u8>]| reason(listed(&[&leaf, &middle, &root], roots, lists, |_| ()));
    assert_eq!(judge(&store(&[&leaf]), &[good.clone(), above.clone()]), Err(Reason::StatusUnknown));
    assert_eq!(judge(&store(&[&leaf]), &[revoking(&middle)]), Err(Reason::Revoked), "who signed it may revoke it");
    assert_eq!(judge(&store(&[&leaf, &root]), &[good, above]), Ok(()), "an issuer with a path to a root");
    let own = authority_of("device", Key::new(), None, |d| {
        d.serial = vec![9];
        d.without(BASIC_CONSTRAINTS).without(KEY_USAGE).set(SAN, false, names(&[dns("example.com")])).tbs();
    });
    let by_itself = list(&own, |_| ());
    assert_eq!(reason(listed(&[&own], &store(&[&own]), &[by_itself], |_| ())), Err(Reason::StatusUnknown));
}

#[test]
fn must_staple_and_policies_hold_for_a_trusted_certificate() {
    let root = authority("root", None, |_| ());
    let leaf = server(&root, |d| {
        d.serial = vec![9];
        d.set(TLS_FEATURE, false, seq(&[&[2, 1, 5]])).tbs();
    });
    let roots = store(&[&root, &leaf]);
    let staple = |stapled: Option<&[u8]>| {
        let mut options = options(Profile::WebPki);
        (options.revocation.stapled, options.revocation.asked_for_staple) = (stapled, true);
        let verdict = verify(&chain(&[&leaf]), &roots, &options);
        verdict.map(|_| ()).map_err(|refused| refused.reason())
    };
    assert_eq!(staple(None), Err(Reason::StatusUnknown));
    assert_eq!(staple(Some(&response(&root, &root, |_| ()))), Ok(()));
    assert_eq!(staple(Some(&response(&root, &root, |a| a.status = revoked()))), Err(Reason::StatusUnknown));
    let verdict = listed(&[&leaf], &roots, &[], |o| {
        o.revocation.check = Check::Ignore;
        o.policies.require_explicit = true;
    });
    assert_eq!(reason(verdict), Err(Reason::Policy));
}

/// An authority among the roots that another root has revoked.
#[test]
fn a_trusted_authority_that_is_revoked_is_refused() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |d| d.serial = vec![9]);
    let leaf = server(&middle, |d| d.serial = vec![5]);
    let roots = store(&[&root, &middle]);
    let refused = listed(&[&leaf], &roots, &[revoking(&root), list(&middle, |_| ())], |_| ()).unwrap_err();
    assert_eq!((refused.reason(), refused.nearest().origin), (Reason::Revoked, Origin::Root));
    listed(&[&leaf], &roots, &[list(&middle, |_| ())], |_| ()).expect("nobody need vouch for a root");
}

/// Debian's `ssl-cert` puts such a one among the system's roots: whoever reads its key must not become an authority.
#[test]
fn a_root_that_is_no_authority_issues_nothing() {
    let changes: [(&str, Change); 4] = [
        ("cA FALSE", |d| drop(d.set(BASIC_CONSTRAINTS, true, vec![0x30, 0]).set(KEY_USAGE, true, usage(0x86)).tbs())),
        ("cA FALSE without keyUsage", |d| {
            drop(d.set(BASIC_CONSTRAINTS, false, vec![0x30, 0]).without(KEY_USAGE).tbs());
        }),
        ("no basicConstraints", |d| drop(d.without(BASIC_CONSTRAINTS).without(KEY_USAGE).tbs())),
        ("no keyCertSign", |d| drop(d.set(KEY_USAGE, true, usage(0x80)).tbs())),
    ];
    for (what, change) in changes {
        let host = authority("snakeoil", None, |d| {
            d.set(SAN, false, names(&[dns("host.test")]));
            change(d);
        });
        let minted = server(&host, |_| ());
        let below = authority("below", Some(&host), |_| ());
        let deep = server(&below, |_| ());
        let mut vetted = Roots::empty();
        vetted.add_vetted(&host.der).unwrap();
        for profile in Profile::ALL {
            for roots in [&store(&[&host]), &vetted] {
                for presented in [&[&minted][..], &[&minted, &host], &[&deep, &below, &host]] {
                    let refused = verify(&chain(presented), roots, &options(profile)).unwrap_err();
                    assert_eq!(refused.reason(), Reason::Constraint, "{what} {profile:?}: {refused}");
                }
            }
        }
        if what != "no keyCertSign" {
            for roots in [&store(&[&host]), &vetted] {
                verify(&chain(&[&host]), roots, &options(Profile::Rfc5280)).expect("for itself");
            }
        }
    }
    // Version 1 has no way to say what it is.
    let old = authority("old", None, |d| {
        d.version = Vec::new();
        d.extensions = Vec::new();
    });
    let leaf = server(&old, |_| ());
    verify(&chain(&[&leaf]), &store(&[&old]), &options(Profile::Rfc5280)).unwrap();
}

#[test]
fn a_root_without_crl_sign_signs_no_lists() {
    let root = authority("root", None, |d| drop(d.set(KEY_USAGE, true, usage(0x04)).tbs()));
    let leaf = leaf_of(&root);
    let mut vetted = Roots::empty();
    vetted.add_vetted(&root.der).unwrap();
    for roots in [&store(&[&root]), &vetted] {
        let refused = listed(&[&leaf], roots, &[list(&root, |_| ())], |_| ()).unwrap_err();
        assert_eq!(refused.reason(), Reason::StatusUnknown);
        let vetted_says = refused.attempts().iter().any(|a| a.finding.found.contains("cRLSign"));
        assert!(vetted_says, "{refused:?}");
    }
}

/// A list's nextUpdate is when to look for news; it gives nobody a pardon.
#[test]
fn what_a_list_revokes_stays_revoked_when_it_is_out_of_date() {
    let root = authority("root", None, |_| ());
    let leaf = leaf_of(&root);
    let roots = store(&[&root]);
    let old = |l: &mut List| (l.from, l.to) = ("290301000000Z", Some("290401000000Z"));
    let judge = |lists: &[Vec<u8>], check| reason(listed(&[&leaf], &roots, lists, |o| o.revocation.check = check));
    let held = |l: &mut List| l.entries = vec![entry(&[9], &[(&[0x55, 0x1d, 21], false, vec![10, 1, 6])])];
    let stale = list(&root, |l| {
        old(l);
        l.entries = vec![entry(&[9], &[])];
    });
    let stale_hold = list(&root, |l| {
        old(l);
        held(l);
    });
    let fresh = list(&root, |_| ());
    for check in [Check::Prefer, Check::Require] {
        assert_eq!(judge(from_ref(&stale), check), Err(Reason::Revoked), "{check:?}");
        assert_eq!(judge(&[fresh.clone(), stale.clone()], check), Err(Reason::Revoked), "a list that forgot it");
        assert_eq!(judge(from_ref(&stale_hold), check), Err(Reason::Revoked), "on hold, and no later word");
        assert_eq!(judge(&[stale_hold.clone(), fresh.clone()], check), Ok(()), "a hold that was lifted");
    }
    let of_nobody = list(&root, old);
    assert_eq!(judge(from_ref(&of_nobody), Check::Require), Err(Reason::StatusUnknown), "it vouches for nobody");
    let accepted = listed(&[&leaf], &roots, &[of_nobody], |o| o.revocation.check = Check::Prefer).unwrap();
    let [Standing::Unknown(Trouble::Because(why))] = accepted.standings() else { panic!("{:?}", accepted.standings()) };
    assert!(why.contains("out of date") && why.contains("2029"), "{why}");
    let stranger = authority("root", None, |_| ());
    assert_eq!(judge(&[list(&stranger, held)], Check::Prefer), Ok(()), "by another key of that name");
    let staple = response(&root, &root, |a| (a.status, a.to) = (revoked(), Some("20300312000000Z")));
    let mut options = options(Profile::Rfc5280);
    (options.revocation.check, options.revocation.stapled) = (Check::Prefer, Some(&staple[..]));
    assert_eq!(
        reason(verify(&chain(&[&leaf]), &roots, &options)),
        Err(Reason::Revoked),
        "an OCSP response that is out of date"
    );
}

/// Whatever is accepted says whether revocation was settled, the second time too.
#[test]
fn an_accepted_chain_tells_what_was_found_of_revocation() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |_| ());
    let leaf = leaf_of(&middle);
    let roots = store(&[&root]);
    let (of_leaf, of_stranger) = (list(&middle, |_| ()), list(&authority("other", None, |_| ()), |_| ()));
    let nothing = Standing::Unknown(Trouble::NoList);
    let told = |lists: &[Vec<u8>], scope, check| {
        let lists: Vec<Crl<'_>> = lists.iter().map(|list| Crl::parse(list).unwrap()).collect();
        let mut options = options(Profile::WebPki);
        options.revocation.lists = &lists;
        (options.revocation.scope, options.revocation.check) = (scope, check);
        let verdicts = Verdicts::new(4);
        let twice = [0; 2].map(|_| {
            let accepted = verdicts.verify(&chain(&[&leaf, &middle]), &roots, &options).unwrap();
            (accepted.standings().to_vec(), accepted.revocation_settled())
        });
        assert_eq!(twice[0], twice[1], "as it was remembered");
        let [first, _] = twice;
        first
    };
    assert_eq!(told(&[], Scope::Chain, Check::Ignore), (vec![], None));
    assert_eq!(
        told(from_ref(&of_leaf), Scope::Chain, Check::Prefer),
        (vec![Standing::Good, nothing.clone()], Some(false))
    );
    assert_eq!(told(from_ref(&of_leaf), Scope::Leaf, Check::Prefer), (vec![Standing::Good], Some(true)));
    assert_eq!(told(&[of_stranger], Scope::Leaf, Check::Prefer), (vec![nothing], Some(false)));
}

#[test]
fn an_answer_without_next_update_does_not_count_for_ever() {
    let root = authority("root", None, |_| ());
    let leaf = server(&root, |d| {
        d.serial = vec![9];
        d.set(TLS_FEATURE, false, seq(&[&[2, 1, 5]])).tbs();
    });
    let roots = store(&[&root]);
    let endless = |a: &mut Answer<'_>| a.to = None;
    let staple = response(&root, &root, endless);
    let judge = |check, max_age, staple: &[u8]| {
        let mut options = options(Profile::Rfc5280);
        let revocation = &mut options.revocation;
        (revocation.check, revocation.max_age, revocation.stapled) = (check, max_age, Some(staple));
        revocation.asked_for_staple = true;
        reason(verify(&chain(&[&leaf]), &roots, &options))
    };
    for check in [Check::Ignore, Check::Prefer, Check::Require] {
        assert_eq!(judge(check, None, &staple), Err(Reason::StatusUnknown), "{check:?}: must-staple");
        assert_eq!(judge(check, Some(30 * 86_400), &staple), Ok(()), "{check:?}: an age that the caller bounds");
    }
    assert_eq!(judge(Check::Prefer, Some(86_400), &staple), Err(Reason::StatusUnknown), "too old");
    let plain = leaf_of(&root);
    assert_eq!(reason(listed(&[&plain], &roots, &[list(&root, |l| l.to = None)], |_| ())), Err(Reason::StatusUnknown));
}

/// RFC 5280 6.1.4 (m): each authority's pathLenConstraint counts, not the root's alone.
#[test]
fn the_path_length_of_an_intermediate_holds() {
    let root = authority("root", None, |_| ());
    for (room, good) in [(0, false), (1, true)] {
        let one = authority("one", Some(&root), |d| drop(d.set(BASIC_CONSTRAINTS, true, path_length(room)).tbs()));
        let two = authority("two", Some(&one), |_| ());
        let leaf = server(&two, |_| ());
        let verdict = verify(&chain(&[&leaf, &two, &one]), &store(&[&root]), &options(Profile::Rfc5280));
        assert_eq!(reason(verdict), if good { Ok(()) } else { Err(Reason::Constraint) }, "pathLen {room}");
        // One that is wider lets nothing through that one above it has closed.
        let wide = authority("two", Some(&one), |d| drop(d.set(BASIC_CONSTRAINTS, true, path_length(9)).tbs()));
        let three = authority("three", Some(&wide), |_| ());
        let deep = server(&three, |_| ());
        let verdict = verify(&chain(&[&deep, &three, &wide, &one]), &store(&[&root]), &options(Profile::Rfc5280));
        assert_eq!(reason(verdict), Err(Reason::Constraint), "pathLen {room}, then 9");
    }
}

#[test]
fn a_verdict_ends_with_a_root_that_is_judged_as_a_certificate() {
    let soon = |d: &mut Draft| d.validity = seq(&[&utc("290101000000Z"), &utc("300318174640Z")]);
    let root = authority("root", None, soon);
    let leaf = server(&root, |_| ());
    let until = |profile| {
        let accepted = verify(&chain(&[&leaf]), &store(&[&root]), &options(profile)).unwrap();
        accepted.until() - i64::try_from(NOW).unwrap()
    };
    for profile in Profile::ALL {
        assert_eq!(until(profile), 86_400, "the root's own end: {profile:?}");
    }
    let mut bare = Roots::empty();
    bare.add_anchor(&root.subject, &root.key.spki(), None).unwrap();
    let accepted = verify(&chain(&[&leaf]), &bare, &options(Profile::Rfc5280)).unwrap();
    assert!(accepted.until() - i64::try_from(NOW).unwrap() > 86_400, "a name and a key have none");
}

/// RFC 5937: what a root that is a certificate says of itself limits what it was trusted for. A name and a key say nothing.
#[test]
fn a_root_is_trusted_for_what_it_says_of_itself() {
    let changes: [(&str, Change, Option<Reason>); 12] = [
        ("as it should be", |_| (), None),
        ("expired", |d| d.validity = seq(&[&utc("200101000000Z"), &utc("300101000000Z")]), Some(Reason::Expired)),
        (
            "not yet valid",
            |d| d.validity = seq(&[&utc("300401000000Z"), &utc("310101000000Z")]),
            Some(Reason::NotYetValid),
        ),
        ("pathLen 0", |d| drop(d.set(BASIC_CONSTRAINTS, true, path_length(0)).tbs()), Some(Reason::Constraint)),
        ("pathLen 1", |d| drop(d.set(BASIC_CONSTRAINTS, true, path_length(1)).tbs()), None),
        ("for clients", |d| drop(d.set(EKU, false, seq(&[&oid(CLIENT_AUTH)])).tbs()), Some(Reason::WrongUsage)),
        ("for servers", |d| drop(d.set(EKU, false, seq(&[&oid(SERVER_AUTH)])).tbs()), None),
        ("for everything", |d| drop(d.set(EKU, false, seq(&[&oid(&[0x55, 0x1d, 37, 0])])).tbs()), None),
        (
            "an unknown critical extension",
            |d| drop(d.set(&[0x2a, 3, 4], true, vec![5, 0]).tbs()),
            Some(Reason::CriticalExtension),
        ),
        ("a critical key identifier", |d| drop(d.set(SKI, true, vec![4, 1, 1]).tbs()), Some(Reason::CriticalExtension)),
        (
            "a policy is wanted",
            |d| drop(d.set(POLICY_CONSTRAINTS, true, seq(&[&[0x80, 1, 0]])).tbs()),
            Some(Reason::Policy),
        ),
        ("an old serial number", |d| d.serial = vec![0], None),
    ];
    for (what, change, wanted) in changes {
        let root = authority("root", None, change);
        let middle = authority("middle", Some(&root), |_| ());
        let leaf = server(&middle, |_| ());
        let mut bare = Roots::empty();
        bare.add_anchor(&root.subject, &root.key.spki(), None).unwrap();
        let mut vetted = Roots::empty();
        vetted.add_vetted(&root.der).unwrap();
        for profile in [Profile::Rfc5280, Profile::Legacy] {
            let verdict = |roots: &Roots| reason(verify(&chain(&[&leaf, &middle]), roots, &options(profile)));
            assert_eq!(verdict(&store(&[&root])), wanted.map_or(Ok(()), Err), "{what} {profile:?}");
            assert_eq!(verdict(&bare), Ok(()), "{what} {profile:?}");
            assert_eq!(verdict(&vetted), Ok(()), "{what} {profile:?}");
        }
    }
}
