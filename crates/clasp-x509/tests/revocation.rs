//! Revocation lists and OCSP responses, made by hand.
#![allow(clippy::unwrap_used)]

mod common;

use clasp_x509::{
    Certificate, Check, Crl, KnownCrl, OcspError, OcspResponse, Options, Profile, Reason, Rejection, Revocation, Scope,
    Standing, standing, verify,
};
use common::answers::*;
use common::*;
use std::slice::from_ref;

/// A list whose revokedCertificates are there and have none.
fn with_empty_entries(by: &Made) -> Vec<u8> {
    let extensions = tlv(0xa0, &extension(&[(CRL_NUMBER, false, vec![2, 1, 5]), key_id(by)]));
    by.key.frame(&seq(&[&[2, 1, 1], &ecdsa(), &by.subject, &utc(FROM), &utc(TO), &[0x30, 0], &extensions]))
}

struct Scene {
    root: Made,
    middle: Made,
    leaf: Made,
}

impl Scene {
    fn new(change: impl FnOnce(&mut Draft)) -> Self {
        let root = authority("root", None, |_| ());
        let middle = authority("middle", Some(&root), |d| d.serial = vec![7]);
        let leaf = server(&middle, |d| {
            d.serial = vec![9];
            change(d);
        });
        Self { root, middle, leaf }
    }

    fn judge(
        &self,
        profile: Profile,
        lists: &[Vec<u8>],
        extra: &[&Made],
        change: impl FnOnce(&mut Options<'_>),
    ) -> Result<(), Box<Rejection>> {
        // Lists that are kept, read and indexed before, say what others say; the first time and later.
        let kept: Vec<KnownCrl> = lists.iter().map(|list| KnownCrl::read(list.clone()).unwrap()).collect();
        let kept: Vec<Crl<'_>> = kept.iter().map(|list| list.crl().unwrap()).collect();
        let lists: Vec<Crl<'_>> = lists.iter().map(|list| Crl::parse(list).unwrap()).collect();
        let mut options = options(profile);
        options.revocation.check = Check::Require;
        options.revocation.lists = &lists;
        change(&mut options);
        let presented: Vec<&Made> = [&self.leaf, &self.middle].into_iter().chain(extra.iter().copied()).collect();
        let verdict = verify(&chain(&presented), &store(&[&self.root]), &options).map(|_| ());
        options.revocation.lists = &kept;
        for _ in 0..2 {
            assert_eq!(verify(&chain(&presented), &store(&[&self.root]), &options).map(|_| ()), verdict);
        }
        verdict
    }

    fn reason(&self, lists: &[Vec<u8>]) -> Result<(), Reason> {
        self.judge(Profile::WebPki, lists, &[], |_| ()).map_err(|refused| refused.reason())
    }
}

/// The index of a list that is kept: every entry is found, and nothing else.
#[test]
fn a_kept_list_of_many_entries_finds_each() {
    let scene = Scene::new(|_| ());
    let verdict = |list| scene.judge(Profile::WebPki, &[list], &[], |o| o.revocation.scope = Scope::Leaf);
    let others = |n: u16| entry(&[&[1][..], &n.to_be_bytes()].concat(), &[]);
    for place in [0, 1, 1500, 2000] {
        let mut entries: Vec<Vec<u8>> = (0..2000).map(others).collect();
        assert_eq!(
            scene.reason(&[list(&scene.middle, |l| l.entries.clone_from(&entries))]),
            Err(Reason::StatusUnknown)
        );
        entries.insert(place, entry(&[9], &[]));
        let revoking = list(&scene.middle, |l| l.entries.clone_from(&entries));
        assert_eq!(verdict(revoking).unwrap_err().reason(), Reason::Revoked, "entry {place}");
    }
}

#[test]
fn lists_say_good_and_revoked() {
    let scene = Scene::new(|_| ());
    let (above, below) = (list(&scene.root, |_| ()), list(&scene.middle, |_| ()));
    assert_eq!(scene.reason(&[above.clone(), below.clone()]), Ok(()));
    assert_eq!(scene.reason(from_ref(&below)), Err(Reason::StatusUnknown), "nothing of the intermediate");
    let leaf_only = scene.judge(Profile::WebPki, from_ref(&below), &[], |o| o.revocation.scope = Scope::Leaf);
    leaf_only.unwrap();
    let revoked = list(&scene.middle, |l| {
        l.entries = vec![entry(&[8], &[]), entry(&[9], &[(&[0x55, 0x1d, 21], false, vec![10, 1, 1])])];
    });
    let refused = scene.judge(Profile::WebPki, &[above, revoked.clone()], &[], |_| ()).unwrap_err();
    assert_eq!((refused.reason(), refused.nearest().rule), (Reason::Revoked, "RFC 5280 6.3"));
    assert!(refused.nearest().found.contains("keyCompromise"), "{refused}");
    for (check, accepted) in [(Check::Ignore, true), (Check::Prefer, false)] {
        let verdict = scene.judge(Profile::WebPki, from_ref(&revoked), &[], |o| o.revocation.check = check);
        assert_eq!(verdict.is_ok(), accepted, "{check:?}");
    }
    scene.judge(Profile::WebPki, &[below], &[], |o| o.revocation.check = Check::Prefer).unwrap();
    let middle = list(&scene.root, |l| l.entries = vec![entry(&[7], &[])]);
    let refused = scene.judge(Profile::WebPki, &[middle], &[], |_| ()).unwrap_err();
    assert_eq!(refused.nearest().origin, clasp_x509::Origin::Presented(1), "the intermediate is revoked");
}

/// Whoever sends an older answer along, or puts it first, gains nothing.
#[test]
fn one_answer_that_revokes_is_enough() {
    let scene = Scene::new(|_| ());
    let above = list(&scene.root, |_| ());
    let good = list(&scene.middle, |_| ());
    let revoked = list(&scene.middle, |l| l.entries = vec![entry(&[9], &[])]);
    for lists in [[above.clone(), good.clone(), revoked.clone()], [above.clone(), revoked.clone(), good]] {
        assert_eq!(scene.reason(&lists), Err(Reason::Revoked));
    }
    let staple = response(&scene.middle, &scene.middle, |_| ());
    let listed = |lists: &[Vec<u8>]| {
        let lists: Vec<Crl<'_>> = lists.iter().map(|list| Crl::parse(list).unwrap()).collect();
        let mut options = options(Profile::WebPki);
        options.revocation.check = Check::Require;
        (options.revocation.scope, options.revocation.lists) = (Scope::Leaf, &lists);
        options.revocation.stapled = Some(&staple);
        let verdict = verify(&chain(&[&scene.leaf, &scene.middle]), &store(&[&scene.root]), &options).map(|_| ());
        verdict.map_err(|refused| refused.reason())
    };
    assert_eq!(listed(&[]), Ok(()), "the stapled response says good");
    assert_eq!(listed(from_ref(&revoked)), Err(Reason::Revoked), "the list says more");
    let by_another_key = list(&authority("middle", None, |_| ()), |l| l.entries = vec![entry(&[9], &[])]);
    assert_eq!(listed(&[by_another_key]), Ok(()), "a list that nobody trusts says nothing");
}

#[test]
fn lists_that_do_not_count() {
    let scene = Scene::new(|_| ());
    let above = list(&scene.root, |_| ());
    let stranger = authority("middle", None, |_| ());
    let mut forged = list(&scene.middle, |_| ());
    *forged.last_mut().unwrap() ^= 1;
    let unknown: &'static [u8] = &[0x2a, 3, 4];
    for (what, bad) in [
        ("another key", list(&stranger, |_| ())),
        ("an altered signature", forged),
        ("another issuer", list(&scene.root, |_| ())),
        ("out of date", list(&scene.middle, |l| (l.from, l.to) = ("290301000000Z", Some("290401000000Z")))),
        ("of the future", list(&scene.middle, |l| l.from = "300318000000Z")),
        ("without a number", list(&scene.middle, |l| l.extensions.retain(|(id, ..)| *id != CRL_NUMBER))),
        ("without a key identifier", list(&scene.middle, |l| l.extensions.retain(|(id, ..)| *id != AKI))),
        ("without nextUpdate", list(&scene.middle, |l| l.to = None)),
        ("a critical extension", list(&scene.middle, |l| l.extensions.push((unknown, true, vec![5, 0])))),
        (
            "a critical number",
            list(&scene.middle, |l| l.extensions = vec![(CRL_NUMBER, true, vec![2, 1, 5]), key_id(&scene.middle)]),
        ),
        (
            "a scope that is not critical",
            list(&scene.middle, |l| l.extensions.push((POINT, false, seq(&[&[0x81, 1, 0xff]])))),
        ),
        (
            "a critical entry extension",
            list(&scene.middle, |l| l.entries = vec![entry(&[1], &[(unknown, true, vec![5, 0])])]),
        ),
        ("authorities only", list(&scene.middle, |l| l.extensions.push((POINT, true, seq(&[&[0x82, 1, 0xff]]))))),
        ("attributes only", list(&scene.middle, |l| l.extensions.push((POINT, true, seq(&[&[0x85, 1, 0xff]]))))),
        ("some reasons only", list(&scene.middle, |l| l.extensions.push((POINT, true, seq(&[&[0x83, 2, 5, 0x60]]))))),
        ("a delta alone", list(&scene.middle, |l| l.extensions.push((DELTA, true, vec![2, 1, 4])))),
        ("an indirect list", list(&scene.middle, |l| l.extensions.push((POINT, true, seq(&[&[0x84, 1, 0xff]]))))),
    ] {
        assert_eq!(scene.reason(&[above.clone(), bad]), Err(Reason::StatusUnknown), "{what}");
    }
    let old = list(&scene.middle, |l| l.to = None);
    let aged = |max_age| {
        let judged =
            scene.judge(Profile::Rfc5280, &[above.clone(), old.clone()], &[], |o| o.revocation.max_age = max_age);
        judged.map_err(|refused| refused.reason())
    };
    assert_eq!(aged(None), Err(Reason::StatusUnknown), "without nextUpdate nobody can tell when it ends");
    assert_eq!(aged(Some(20 * 86_400)), Ok(()), "the caller's bound on its age stands in");
    assert_eq!(aged(Some(86_400)), Err(Reason::StatusUnknown), "too old without it");
}

#[test]
fn deltas_add_and_take_away() {
    let scene = Scene::new(|_| ());
    let above = list(&scene.root, |_| ());
    let delta = |base: u8, number: u8, entries: Vec<Vec<u8>>| {
        list(&scene.middle, |l| {
            l.entries = entries;
            l.extensions =
                vec![(CRL_NUMBER, false, vec![2, 1, number]), (DELTA, true, vec![2, 1, base]), key_id(&scene.middle)];
        })
    };
    let base = list(&scene.middle, |_| ());
    let held = list(&scene.middle, |l| l.entries = vec![entry(&[9], &[(&[0x55, 0x1d, 21], false, vec![10, 1, 6])])]);
    let remove = || vec![entry(&[9], &[(&[0x55, 0x1d, 21], false, vec![10, 1, 8])])];
    assert_eq!(scene.reason(&[above.clone(), base.clone(), delta(5, 6, vec![entry(&[9], &[])])]), Err(Reason::Revoked));
    assert_eq!(scene.reason(&[above.clone(), held.clone(), delta(5, 6, remove())]), Ok(()));
    // Of several deltas the newest counts, wherever it stands, for whom an older one held; not for whom one has revoked.
    let hold = || vec![entry(&[9], &[(&[0x55, 0x1d, 21], false, vec![10, 1, 6])])];
    for (old, wanted) in [(hold(), Ok(())), (vec![entry(&[9], &[])], Err(Reason::Revoked))] {
        for turned in [false, true] {
            let mut deltas = [delta(5, 7, remove()), delta(5, 6, old.clone())];
            if turned {
                deltas.reverse();
            }
            let [one, other] = deltas;
            assert_eq!(scene.reason(&[above.clone(), held.clone(), one, other]), wanted, "turned: {turned}");
        }
    }
    assert_eq!(scene.reason(&[above.clone(), held, delta(6, 7, remove())]), Err(Reason::Revoked), "not of this base");
    assert_eq!(scene.reason(&[above.clone(), base.clone(), delta(6, 7, vec![])]), Ok(()), "not of this base");
    let other = delta(6, 7, vec![entry(&[9], &[])]);
    assert_eq!(scene.reason(&[above, base, other]), Err(Reason::Revoked), "not of this base, and it revokes");
}

#[test]
fn distribution_points_and_indirect_lists() {
    let uri = |text: &str| tlv(0xa0, &tlv(0x86, text.as_bytes()));
    let point = |name: &[u8], issuer: Option<&Made>| {
        let issuer = issuer.map_or_else(Vec::new, |by| tlv(0xa2, &tlv(0xa4, &by.subject)));
        seq(&[&seq(&[&tlv(0xa0, name), &issuer])])
    };
    let scene = Scene::new(|d| {
        d.set(CRL_POINTS, false, point(&uri("http://a.example/"), None));
    });
    let above = list(&scene.root, |_| ());
    let scoped = |name: &str| list(&scene.middle, |l| l.extensions.push((POINT, true, seq(&[&tlv(0xa0, &uri(name))]))));
    assert_eq!(scene.reason(&[above.clone(), scoped("http://a.example/")]), Ok(()));
    assert_eq!(scene.reason(&[above.clone(), scoped("http://b.example/")]), Err(Reason::StatusUnknown));

    let root = authority("root", None, |_| ());
    let signer = authority("signer", Some(&root), |_| ());
    let middle = authority("middle", Some(&root), |_| ());
    let leaf = server(&middle, |d| {
        d.serial = vec![9];
        d.set(CRL_POINTS, false, point(&uri("http://a.example/"), Some(&signer)));
    });
    let scene = Scene { root, middle, leaf };
    let above = list(&scene.root, |_| ());
    let issuer = |of: &Made| (&[0x55u8, 0x1d, 29][..], true, seq(&[&tlv(0xa4, &of.subject)]));
    let indirect = |entries: Vec<Vec<u8>>| {
        list(&signer, |l| {
            l.entries = entries;
            let scope = seq(&[&tlv(0xa0, &uri("http://a.example/")), &[0x84, 1, 0xff]]);
            l.extensions.push((POINT, true, scope));
        })
    };
    let judge = |profile, entries: Vec<Vec<u8>>, extra: &[&Made]| {
        scene.judge(profile, &[above.clone(), indirect(entries)], extra, |_| ()).map_err(|r| r.reason())
    };
    assert_eq!(judge(Profile::Rfc5280, vec![], &[&signer]), Ok(()));
    assert_eq!(judge(Profile::WebPki, vec![], &[&signer]), Err(Reason::StatusUnknown), "the profile takes none");
    assert_eq!(judge(Profile::Rfc5280, vec![], &[]), Err(Reason::StatusUnknown), "its issuer is not known");
    assert_eq!(judge(Profile::Rfc5280, vec![entry(&[9], &[])], &[&signer]), Ok(()), "an entry of the signer's own");
    let entries = vec![entry(&[1], &[issuer(&scene.middle)]), entry(&[9], &[])];
    assert_eq!(judge(Profile::Rfc5280, entries, &[&signer]), Err(Reason::Revoked), "the issuer carries on");
}

#[test]
fn issuers_of_lists() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |d| {
        d.set(KEY_USAGE, true, usage(0x04));
    });
    let leaf = server(&middle, |_| ());
    let scene = Scene { root, middle, leaf };
    let lists = [list(&scene.root, |_| ()), list(&scene.middle, |_| ())];
    assert_eq!(scene.reason(&lists), Err(Reason::StatusUnknown), "keyUsage without cRLSign");
    // Another key of the same authority signs its lists.
    let other = authority("middle", Some(&scene.root), |d| {
        d.set(KEY_USAGE, true, usage(0x02)).set(BASIC_CONSTRAINTS, true, vec![0x30, 0]);
    });
    let lists = [list(&scene.root, |_| ()), list(&other, |_| ())];
    scene.judge(Profile::Rfc5280, &lists, &[&other], |_| ()).unwrap();
    let stranger = authority("middle", None, |_| ());
    let lists = [list(&scene.root, |_| ()), list(&stranger, |_| ())];
    let refused = scene.judge(Profile::Rfc5280, &lists, &[&stranger], |_| ()).unwrap_err();
    assert_eq!(refused.reason(), Reason::StatusUnknown);
}

fn stapled(scene: &Scene, response: &[u8]) -> Result<(), Reason> {
    let mut options = options(Profile::WebPki);
    options.revocation =
        Revocation { check: Check::Require, scope: Scope::Leaf, stapled: Some(response), ..Revocation::default() };
    let host = rustls_pki_types::ServerName::try_from("example.com").unwrap();
    verify(&chain(&[&scene.leaf, &scene.middle]), &store(&[&scene.root]), &options.name(&host))
        .map(|_| ())
        .map_err(|refused| refused.reason())
}

#[test]
fn responses_by_the_issuer() {
    let scene = Scene::new(|_| ());
    let by_issuer = |change: fn(&mut Answer<'_>)| response(&scene.middle, &scene.middle, change);
    let judge = |response: Vec<u8>| stapled(&scene, &response);
    let none = scene.judge(Profile::WebPki, &[], &[], |o| o.revocation.scope = Scope::Leaf);
    assert_eq!(none.unwrap_err().reason(), Reason::StatusUnknown, "without a response nothing is known");
    assert_eq!(judge(by_issuer(|_| ())), Ok(()));
    for hash in SHA_2 {
        assert_eq!(judge(response(&scene.middle, &scene.middle, |a| a.hash = hash)), Ok(()), "{hash:?}");
    }
    let of_nobody = (SHA_1.0, &[0x2b, 14, 3, 2, 27][..]);
    assert_eq!(
        judge(response(&scene.middle, &scene.middle, |a| a.hash = of_nobody)),
        Err(Reason::StatusUnknown),
        "a hash that is not known"
    );
    assert_eq!(judge(by_issuer(|a| a.by_key = true)), Ok(()));
    assert_eq!(judge(by_issuer(|a| a.status = revoked())), Err(Reason::Revoked));
    let unknown: &'static [u8] = &[0x2a, 3];
    for (what, bad) in [
        ("unknown", by_issuer(|a| a.status = vec![0x82, 0])),
        ("without nextUpdate", by_issuer(|a| a.to = None)),
        ("another certificate", by_issuer(|a| a.serial = vec![8])),
        ("out of date", by_issuer(|a| a.to = Some("20300312000000Z"))),
        ("of the future", by_issuer(|a| (a.from, a.to) = ("20300318000000Z", None))),
        (
            "a critical extension",
            response(&scene.middle, &scene.middle, |a| a.whole = vec![(unknown, true, vec![5, 0])]),
        ),
        (
            "a critical one within",
            response(&scene.middle, &scene.middle, |a| a.single = vec![(unknown, true, vec![5, 0])]),
        ),
        ("by somebody else", response(&scene.middle, &scene.root, |_| ())),
        ("for another issuer", response(&scene.root, &scene.middle, |_| ())),
        ("refused by the responder", seq(&[&[10, 1, 6]])),
    ] {
        assert_eq!(judge(bad), Err(Reason::StatusUnknown), "{what}");
    }
}

/// RFC 6066 8: what is no response at all is not passed over as one that says nothing is.
#[test]
fn a_staple_that_cannot_be_read_is_refused() {
    let scene = Scene::new(|_| ());
    let judge = |stapled: &[u8], check: Check| {
        let mut options = options(Profile::WebPki);
        options.revocation =
            Revocation { check, stapled: Some(stapled), asked_for_staple: true, ..Revocation::default() };
        verify(&chain(&[&scene.leaf, &scene.middle]), &store(&[&scene.root]), &options).map(|_| ()).map_err(|refused| {
            let why = |a: &clasp_x509::Attempt| a.finding.found.contains("a stapled response that cannot be read");
            assert!(refused.attempts().iter().any(why), "which part of it cannot be read: {refused:?}");
            (refused.reason(), refused.nearest().rule)
        })
    };
    let good = response(&scene.middle, &scene.middle, |_| ());
    let busy = seq(&[&[10, 1, 3]]);
    let of_another = response(&scene.middle, &scene.middle, |a| a.serial = vec![8]);
    for passed in [&good, &busy, &of_another] {
        assert_eq!(judge(passed, Check::Prefer), Ok(()));
    }
    for bad in [&good[..good.len() - 1], &seq(&[&[10, 1, 4]]), &seq(&[&[10, 1, 0]]), b"no response", &[]] {
        assert!(matches!(OcspResponse::parse(bad), Err(OcspError::Malformed(_))), "{bad:x?}");
        assert_eq!(judge(bad, Check::Prefer), Err((Reason::StatusUnknown, "RFC 6066 8")), "{bad:x?}");
        assert_eq!(judge(bad, Check::Ignore), Ok(()));
    }
    assert!(matches!(OcspResponse::parse(&busy), Err(OcspError::Refused(_))));
}

/// A verdict ends with the first change of what there is to say: a list that revokes, of tomorrow, is not passed over.
#[test]
fn a_verdict_ends_where_an_answer_begins_or_ends() {
    let scene = Scene::new(|_| ());
    let (now, tomorrow) = ("300317174640Z", "300318174640Z");
    let until_with = |lists: &[Vec<u8>], stapled: Option<&[u8]>| {
        let lists: Vec<Crl<'_>> = lists.iter().map(|list| Crl::parse(list).unwrap()).collect();
        let mut options = options(Profile::WebPki);
        options.revocation.check = Check::Prefer;
        options.revocation.lists = &lists;
        options.revocation.stapled = stapled;
        let accepted = verify(&chain(&[&scene.leaf, &scene.middle]), &store(&[&scene.root]), &options).unwrap();
        accepted.until() - i64::try_from(NOW).unwrap()
    };
    let until = |lists: &[Vec<u8>]| until_with(lists, None);
    let whole = until(&[]);
    assert!(whole > 20 * 86_400, "{whole}");
    let revoking = list(&scene.middle, |l| (l.from, l.entries) = (tomorrow, vec![entry(&[9], &[])]));
    assert_eq!(until(&[revoking]), 86_399, "a list of tomorrow");
    let ends = |to| list(&scene.middle, |l| l.to = Some(to));
    assert_eq!(until(&[ends(tomorrow)]), 86_400, "a list until tomorrow");
    assert_eq!(until(&[ends(now)]), 0);
    assert_eq!(until(&[ends("300317174639Z")]), whole, "one that is out of date stays so");
    let delegate = server(&scene.middle, |d| {
        d.subject = name("responder");
        d.validity = seq(&[&utc(FROM), &utc(tomorrow)]);
        d.set(EKU, false, seq(&[&oid(OCSP_SIGNING)]));
    });
    let by_delegate = response(&scene.middle, &delegate, |a| a.with = vec![delegate.der.clone()]);
    assert_eq!(until_with(&[], Some(&by_delegate)), 86_400, "a delegate until tomorrow");
}

#[test]
fn responses_by_a_delegate() {
    let scene = Scene::new(|_| ());
    let signing = |by: &Made, change: fn(&mut Draft)| {
        server(by, |d| {
            d.subject = name("responder");
            d.set(EKU, false, seq(&[&oid(OCSP_SIGNING)]));
            change(d);
        })
    };
    let judge = |delegate: &Made| {
        let with = delegate.der.clone();
        stapled(&scene, &response(&scene.middle, delegate, |a| a.with = vec![with]))
    };
    assert_eq!(judge(&signing(&scene.middle, |_| ())), Ok(()));
    let bad = Err(Reason::StatusUnknown);
    assert_eq!(judge(&signing(&scene.root, |_| ())), bad, "by another authority");
    assert_eq!(judge(&signing(&scene.middle, |d| drop(d.without(EKU).tbs()))), bad, "without the purpose");
    assert_eq!(
        judge(&signing(&scene.middle, |d| drop(d.set(KEY_USAGE, true, usage(0x20)).tbs()))),
        bad,
        "may not sign"
    );
    let old = |d: &mut Draft| d.validity = seq(&[&utc("200101000000Z"), &utc("210101000000Z")]);
    assert_eq!(judge(&signing(&scene.middle, old)), bad, "out of date");
    // One that the issuer's key made under another name; and the right one behind others.
    assert_eq!(judge(&signing(&scene.middle, |d| d.issuer = name("other"))), bad, "of another issuer");
    let (one, other) = (signing(&scene.middle, |_| ()), signing(&scene.middle, |d| d.subject = name("another")));
    for before in [&other, &signing(&scene.root, |_| ())] {
        let with = vec![before.der.clone(), one.der.clone()];
        let answer = response(&scene.middle, &one, |a| a.with = with);
        assert_eq!(stapled(&scene, &answer), Ok(()), "behind one that did not answer");
    }
    let delegate = signing(&scene.middle, |_| ());
    let alone = response(&scene.middle, &delegate, |_| ());
    assert_eq!(stapled(&scene, &alone), bad, "its certificate is missing");
}

#[test]
fn nonces_and_must_staple() {
    let scene = Scene::new(|d| {
        d.set(TLS_FEATURE, false, seq(&[&[2, 1, 5]]));
    });
    let nonce: &'static [u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 1, 2];
    let with = response(&scene.middle, &scene.middle, |a| a.whole = vec![(nonce, false, tlv(4, b"12345678"))]);
    let without = response(&scene.middle, &scene.middle, |_| ());
    let certificates = (Certificate::parse(&scene.leaf.der).unwrap(), Certificate::parse(&scene.middle.der).unwrap());
    for (response, wanted, good) in
        [(&with, &b"12345678"[..], true), (&with, b"87654321", false), (&without, b"12345678", false)]
    {
        let responses = [&response[..]];
        let revocation = Revocation { responses: &responses, nonce: Some(wanted), ..Revocation::default() };
        let found = standing(&certificates.0, &[certificates.1], &options(Profile::WebPki).revocation(revocation));
        assert_eq!(found == Standing::Good, good, "{found:?}");
    }
    let judge = |stapled: Option<&[u8]>, asked: bool| {
        let mut options = options(Profile::WebPki);
        options.revocation = Revocation { stapled, asked_for_staple: asked, ..Revocation::default() };
        verify(&chain(&[&scene.leaf, &scene.middle]), &store(&[&scene.root]), &options)
            .map(|_| ())
            .map_err(|r| r.reason())
    };
    assert_eq!(judge(None, false), Ok(()), "nobody asked");
    assert_eq!(judge(None, true), Err(Reason::StatusUnknown));
    assert_eq!(judge(Some(&without), true), Ok(()));
    let revoked = response(&scene.middle, &scene.middle, |a| a.status = revoked());
    assert!(judge(Some(&revoked), true).is_err());
}

#[test]
fn what_is_malformed_is_not_read() {
    let scene = Scene::new(|_| ());
    let scope = |value: Vec<u8>| list(&scene.middle, |l| l.extensions.push((POINT, true, value)));
    for bad in [
        scope(vec![0x30, 0]),
        scope(seq(&[&[0x81, 1, 0xff], &[0x82, 1, 0xff]])),
        scope(seq(&[&[0x81, 1, 0]])),
        scope(seq(&[&tlv(0xa0, &[])])),
        list(&scene.middle, |l| l.entries = vec![seq(&[&[2, 1, 1], &utc("300302000000Z"), &[5, 0]])]),
        list(&scene.middle, |l| l.extensions = vec![(CRL_NUMBER, false, vec![2, 1, 0x80])]),
        list(&scene.middle, |l| l.extensions.push((CRL_NUMBER, false, vec![2, 1, 6]))),
        list(&scene.middle, |l| l.issuer = seq(&[&[5, 0]])),
        // RFC 5280 5.1.2.6: no revoked certificates, no list of them.
        with_empty_entries(&scene.middle),
    ] {
        assert!(Crl::parse(&bad).is_err(), "{bad:x?}");
    }
}
