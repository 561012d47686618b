//! Who may sign a list or a response, and whose word counts for what: names, keys and paths that are nearly the right ones.
#![allow(clippy::unwrap_used)]

mod common;

use clasp_x509::{Attempt, Check, Crl, Profile, Reason, Rejection, Revocation, Roots, Scope, verify};
use common::answers::*;
use common::*;

const RFC: Profile = Profile::Rfc5280;
const UNKNOWN: Result<(), Reason> = Err(Reason::StatusUnknown);

/// The leaf's status must be known.
fn must() -> Revocation<'static> {
    Revocation { check: Check::Require, scope: Scope::Leaf, ..Revocation::default() }
}

fn prefer() -> Revocation<'static> {
    Revocation { check: Check::Prefer, ..must() }
}

/// What these lists come to, beside what is asked and known else.
fn judge(
    presented: &[&Made],
    roots: &Roots,
    lists: &[Vec<u8>],
    revocation: Revocation<'_>,
) -> Result<(), Box<Rejection>> {
    let lists: Vec<Crl<'_>> = lists.iter().map(|list| Crl::parse(list).unwrap()).collect();
    let options = options(RFC).revocation(Revocation { lists: &lists, ..revocation });
    verify(&chain(presented), roots, &options).map(|_| ())
}

fn reason(verdict: Result<(), Box<Rejection>>) -> Result<(), Reason> {
    verdict.map_err(|refused| refused.reason())
}

fn told(verdict: Result<(), Box<Rejection>>, words: &str) -> bool {
    let says = |attempt: &Attempt| attempt.finding.found.contains(words);
    verdict.expect_err("refused").attempts().iter().any(says)
}

fn leaf_of(by: &Made) -> Made {
    server(by, |d| d.serial = vec![9])
}

fn revoking(by: &Made, serial: u8) -> Vec<u8> {
    list(by, |l| l.entries = vec![entry(&[serial], &[])])
}

/// The certificate of one with the key of another.
fn with_key(made: &Made, key: Key) -> Made {
    Made { der: made.der.clone(), subject: made.subject.clone(), key }
}

/// A list that is out of date still revokes, but not one that anybody wrote.
#[test]
fn a_stale_list_by_a_stranger_revokes_nobody() {
    let root = authority("root", None, |_| ());
    let leaf = leaf_of(&root);
    let stranger = authority("root", None, |_| ());
    let stale = |by: &Made, reason: u8| {
        list(by, |l| {
            (l.from, l.to) = ("290301000000Z", Some("290401000000Z"));
            l.entries = vec![entry(&[9], &[(&[0x55, 0x1d, 21], false, vec![10, 1, reason])])];
        })
    };
    for why in [1, 6] {
        let verdict = |by| reason(judge(&[&leaf], &store(&[&root]), &[stale(by, why)], prefer()));
        assert_eq!(verdict(&stranger), Ok(()), "{why}");
        assert_eq!(verdict(&root), Err(Reason::Revoked), "{why}");
    }
}

/// An authority that has changed its key: its lists may still be signed with the root's.
#[test]
fn the_root_signs_lists_for_an_authority_of_its_name() {
    let root = authority("root", None, |_| ());
    let again = authority("root", Some(&root), |_| ());
    let leaf = leaf_of(&again);
    let roots = store(&[&root]);
    assert_eq!(reason(judge(&[&leaf, &again], &roots, &[list(&root, |_| ())], must())), Ok(()));
    assert_eq!(reason(judge(&[&leaf, &again], &roots, &[revoking(&root, 9)], must())), Err(Reason::Revoked));
    assert_eq!(reason(judge(&[&leaf, &again], &roots, &[list(&again, |_| ())], must())), Ok(()));
}

/// RFC 5280 6.3.3 (f): the same root, not one of its name.
#[test]
fn a_lists_signer_has_a_path_to_the_very_same_root() {
    let (root, twin) = (authority("root", None, |_| ()), authority("root", None, |_| ()));
    let middle = authority("middle", Some(&root), |_| ());
    let leaf = leaf_of(&middle);
    let roots = store(&[&root, &twin]);
    for (above, wanted) in [(&root, Ok(())), (&twin, UNKNOWN)] {
        let signer = authority("middle", Some(above), |_| ());
        let verdict = judge(&[&leaf, &middle, &signer], &roots, &[list(&signer, |_| ())], must());
        assert_eq!(reason(verdict), wanted);
    }
    let silent = authority("middle", Some(&root), |d| drop(d.set(KEY_USAGE, true, usage(0x04)).tbs()));
    let verdict = judge(&[&leaf, &middle, &silent], &roots, &[list(&silent, |_| ())], must());
    assert!(told(verdict, "keyUsage lacks cRLSign"));
}

/// RFC 5280 4.2.1.3: whoever signs lists says cRLSign. A certificate of a server's authority would sign them by saying nothing.
#[test]
fn a_signer_that_is_no_authority_says_that_it_signs_lists() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |_| ());
    let leaf = leaf_of(&middle);
    let no_authority = |d: &mut Draft| drop(d.set(BASIC_CONSTRAINTS, true, vec![0x30, 0]).tbs());
    let signer = |change: &dyn Fn(&mut Draft)| authority("middle", Some(&root), |d| change(d));
    for (what, signer, wanted) in [
        ("cA FALSE, without keyUsage", signer(&|d| no_authority(d.without(KEY_USAGE))), UNKNOWN),
        (
            "no basicConstraints, without keyUsage",
            signer(&|d| drop(d.without(KEY_USAGE).without(BASIC_CONSTRAINTS).tbs())),
            UNKNOWN,
        ),
        ("cA FALSE, digitalSignature", signer(&|d| no_authority(d.set(KEY_USAGE, true, usage(0x80)))), UNKNOWN),
        ("cA FALSE, cRLSign", signer(&|d| no_authority(d.set(KEY_USAGE, true, usage(0x02)))), Ok(())),
        ("cA TRUE, without keyUsage", signer(&|d| drop(d.without(KEY_USAGE).tbs())), Ok(())),
    ] {
        let verdict = judge(&[&leaf, &middle, &signer], &store(&[&root]), &[list(&signer, |_| ())], must());
        assert_eq!(reason(verdict), wanted, "{what}");
    }
}

/// What is said of a list or response that does not count is what is wrong with it, by the RFC that it is of.
#[test]
fn what_is_wrong_with_an_answer_is_told_for_what_it_is() {
    let root = authority("root", None, |_| ());
    let leaf = leaf_of(&root);
    let sha_1 = seq(&[&oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1])]);
    let with_sha_1 = |der: Vec<u8>| {
        let (old, new) = (ecdsa(), sha_1.clone());
        // Both places of a list: its frame's and its content's.
        let body = signed_content(&der);
        let at = body.windows(old.len()).position(|part| part == old).unwrap();
        let inner = seq(&[&body[..at], &new, &body[at + old.len()..]]);
        seq(&[&inner, &new, &bit_string(&root.key.sign(&inner))])
    };
    let refused = judge(&[&leaf], &store(&[&root]), &[with_sha_1(list(&root, |_| ()))], must());
    assert!(told(refused, "a list with a signature algorithm that is not supported, or not allowed"));
    let stranger = authority("root", None, |_| ());
    let refused = judge(&[&leaf], &store(&[&root]), &[list(&stranger, |_| ())], must());
    assert!(told(refused, "a list with a wrong signature"));
    let old = response(&root, &root, |a| a.to = Some("20300312000000Z"));
    let asked = Revocation { stapled: Some(&old), ..must() };
    let refused = judge(&[&leaf], &store(&[&root]), &[], asked).unwrap_err();
    assert!(refused.attempts().iter().all(|attempt| attempt.finding.rule == "RFC 6960 3.2"), "{refused:?}");
    let refused = judge(&[&leaf], &store(&[&root]), &[list(&stranger, |_| ())], must()).unwrap_err();
    assert!(refused.attempts().iter().all(|attempt| attempt.finding.rule == "RFC 5280 6.3.3"), "{refused:?}");
}

/// The content of a signed SEQUENCE's first part.
fn signed_content(der: &[u8]) -> Vec<u8> {
    let content = |der: &[u8]| match der[1] {
        0x82 => (4, usize::from(u16::from_be_bytes([der[2], der[3]]))),
        0x81 => (3, usize::from(der[2])),
        short => (2, usize::from(short)),
    };
    let inner = &der[content(der).0..];
    let (from, len) = content(inner);
    inner[from..from + len].to_vec()
}

/// One that signs lists is itself asked about, once.
#[test]
fn a_lists_signer_that_is_revoked_signs_nothing() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |_| ());
    let leaf = leaf_of(&middle);
    let signer = authority("middle", Some(&root), |d| d.serial = vec![44]);
    for (above, wanted) in [(revoking(&root, 45), Ok(())), (revoking(&root, 44), UNKNOWN)] {
        let lists = [list(&signer, |_| ()), above];
        assert_eq!(reason(judge(&[&leaf, &middle, &signer], &store(&[&root]), &lists, must())), wanted);
    }
}

/// Whoever is named as the issuer of lists: an indirect list of his, signed with his key.
#[test]
fn a_list_of_another_issuer_is_indirect_and_his_own() {
    let root = authority("root", None, |_| ());
    let (middle, signer) = (authority("middle", Some(&root), |_| ()), authority("signer", Some(&root), |_| ()));
    let leaf = server(&middle, |d| {
        d.serial = vec![9];
        d.set(CRL_POINTS, false, seq(&[&seq(&[&tlv(0xa2, &tlv(0xa4, &signer.subject))])]));
    });
    let scope: Extension = (POINT, true, seq(&[&[0x84, 1, 0xff]]));
    let by = |made: &Made, indirect: bool| list(made, |l| l.extensions.extend(indirect.then(|| scope.clone())));
    let verdict = |list: Vec<u8>| reason(judge(&[&leaf, &middle, &signer], &store(&[&root]), &[list], must()));
    assert_eq!(verdict(by(&signer, true)), Ok(()));
    assert_eq!(verdict(by(&signer, false)), UNKNOWN, "not indirect");
    assert_eq!(verdict(by(&middle, true)), UNKNOWN, "of the certificate's issuer, which is not named");
    let disguised = list(&middle, |l| {
        l.issuer.clone_from(&signer.subject);
        l.extensions.push(scope.clone());
    });
    assert_eq!(verdict(disguised), UNKNOWN, "his name, and the key of the certificate's issuer");
}

/// RFC 5280 4.2.1.13: a name below the issuer's, given by its last part alone.
#[test]
fn a_relative_name_of_a_point_stands_below_its_issuer() {
    let root = authority("root", None, |_| ());
    let (middle, signer) = (authority("middle", Some(&root), |_| ()), authority("signer", Some(&root), |_| ()));
    let last = seq(&[&oid(&[0x55, 4, 3]), &tlv(0x0c, b"list 1")]);
    let below = |text: &str| {
        let first = tlv(0x31, &seq(&[&oid(&[0x55, 4, 3]), &tlv(0x0c, text.as_bytes())]));
        tlv(0xa0, &tlv(0xa0, &tlv(0xa4, &seq(&[&first, &tlv(0x31, &last)]))))
    };
    let relative = tlv(0xa0, &tlv(0xa1, &last));
    for (of_signer, name, good) in
        [(false, "middle", true), (false, "signer", false), (true, "signer", true), (true, "middle", false)]
    {
        let issuer = if of_signer { tlv(0xa2, &tlv(0xa4, &signer.subject)) } else { Vec::new() };
        let leaf = server(&middle, |d| {
            d.serial = vec![9];
            d.set(CRL_POINTS, false, seq(&[&seq(&[&relative, &issuer])]));
        });
        let indirect: &[u8] = if of_signer { &[0x84, 1, 0xff] } else { &[] };
        let by = if of_signer { &signer } else { &middle };
        let scoped = list(by, |l| l.extensions.push((POINT, true, seq(&[&below(name), indirect]))));
        let verdict = judge(&[&leaf, &middle, &signer], &store(&[&root]), &[scoped], must());
        assert_eq!(reason(verdict).is_ok(), good, "{name}, of the signer: {of_signer}");
    }
}

/// A trusted certificate is revoked by whoever signed it, not by a root of that name.
#[test]
fn a_root_of_the_issuers_name_and_another_key_says_nothing() {
    let (root, twin) = (authority("root", None, |_| ()), authority("root", None, |_| ()));
    let leaf = leaf_of(&root);
    let roots = store(&[&leaf, &twin]);
    let by = |made: &Made, presented: &[&Made]| reason(judge(presented, &roots, &[revoking(made, 9)], prefer()));
    assert_eq!(by(&twin, &[&leaf]), Ok(()));
    assert_eq!(by(&twin, &[&leaf, &twin]), Ok(()));
    assert_eq!(by(&root, &[&leaf, &root]), Err(Reason::Revoked));
}

/// A root that has two certificates is one that counts; so are two of an authority below it.
#[test]
fn an_issuer_that_is_there_twice_counts() {
    let root = authority("root", None, |_| ());
    let again = authority_of("root", Key::new(), None, |d| {
        d.spki = root.key.spki();
        d.serial = vec![5];
    });
    let leaf = server(&root, |d| {
        d.serial = vec![9];
        d.set(TLS_FEATURE, false, seq(&[&[2, 1, 5]]));
    });
    let stranger = [list(&authority("stranger", None, |_| ()), |_| ())];
    let no_answer = "no answer counts";
    let staple = response(&root, &root, |_| ());
    let (one, both) = (store(&[&leaf, &root]), store(&[&leaf, &root, &again]));
    for (roots, presented) in [(&one, vec![&leaf]), (&both, vec![&leaf])] {
        assert!(!told(judge(&presented, roots, &stranger, must()), no_answer));
        let asked = Revocation { stapled: Some(&staple), asked_for_staple: true, ..must() };
        let stapled = judge(&presented, roots, &[], asked);
        assert_eq!(reason(stapled), Ok(()), "a certificate that must come with a staple");
    }
    let middle = authority("middle", Some(&root), |_| ());
    let twin = authority_of("middle", Key::new(), Some(&root), |d| {
        d.spki = middle.key.spki();
        d.serial = vec![6];
    });
    let below = leaf_of(&middle);
    let roots = store(&[&below, &root]);
    for presented in [vec![&below, &middle], vec![&below, &middle, &twin]] {
        assert!(!told(judge(&presented, &roots, &stranger, must()), no_answer));
    }
    assert!(told(judge(&[&below], &roots, &stranger, must()), no_answer));
}

/// A staple is about the peer's certificate and no other: RFC 6066 8.
#[test]
fn a_staple_vouches_for_no_intermediate() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |d| d.serial = vec![9]);
    let leaf = server(&middle, |d| d.serial = vec![5]);
    let of_middle = response(&root, &root, |_| ());
    let lists = [list(&middle, |_| ())];
    let with = |stapled: bool| {
        let responses = [&of_middle[..]];
        let lists: Vec<Crl<'_>> = lists.iter().map(|list| Crl::parse(list).unwrap()).collect();
        let mut options = options(RFC);
        options.revocation = Revocation { check: Check::Require, lists: &lists, ..Revocation::default() };
        if stapled {
            options.revocation.stapled = Some(&of_middle);
        } else {
            options.revocation.responses = &responses;
        }
        reason(verify(&chain(&[&leaf, &middle]), &store(&[&root]), &options).map(|_| ()))
    };
    assert_eq!((with(false), with(true)), (Ok(()), UNKNOWN));
}

/// RFC 6960 4.2.2.2: a delegate's certificate is good, and so must his signature be.
#[test]
fn a_delegate_signs_with_his_own_key() {
    let root = authority("root", None, |_| ());
    let leaf = leaf_of(&root);
    let delegate = server(&root, |d| {
        d.subject = name("responder");
        d.set(EKU, false, seq(&[&oid(OCSP_SIGNING)]));
    });
    let forger = with_key(&delegate, Key::new());
    let critical = server(&root, |d| {
        d.subject = name("responder");
        d.set(EKU, false, seq(&[&oid(OCSP_SIGNING)])).set(&[0x2a, 3], true, vec![5, 0]);
    });
    for (by, words) in [
        (&delegate, None),
        (&forger, Some("wrong signature")),
        (&critical, Some("a critical extension that is not understood")),
    ] {
        let staple = response(&root, by, |a| a.with = vec![by.der.clone()]);
        let verdict = judge(&[&leaf], &store(&[&root]), &[], Revocation { stapled: Some(&staple), ..must() });
        match words {
            None => verdict.unwrap(),
            Some(words) => assert!(told(verdict, words), "{words}"),
        }
    }
    // What is not critical need not be known.
    let extra: Extension = (&[0x2a, 3], false, vec![5, 0]);
    let staple = response(&root, &root, |a| (a.whole, a.single) = (vec![extra.clone()], vec![extra]));
    assert_eq!(reason(judge(&[&leaf], &store(&[&root]), &[], Revocation { stapled: Some(&staple), ..must() })), Ok(()));
}

/// Why a staple that must be there is not good.
#[test]
fn a_staple_that_must_be_good_and_is_not_says_why() {
    let root = authority("root", None, |_| ());
    let leaf = server(&root, |d| {
        d.serial = vec![9];
        d.set(TLS_FEATURE, false, seq(&[&[2, 1, 5]]));
    });
    let staple = response(&root, &root, |a| a.to = Some("20300312000000Z"));
    for check in [Check::Ignore, Check::Prefer, Check::Require] {
        let asked = Revocation { check, stapled: Some(&staple), asked_for_staple: true, ..must() };
        let verdict = judge(&[&leaf], &store(&[&root]), &[], asked);
        assert!(told(verdict, "out of date"), "{check:?}");
    }
    let plain = leaf_of(&root);
    let verdict = judge(&[&plain], &store(&[&root]), &[], Revocation { stapled: Some(&staple), ..must() });
    assert!(told(verdict, "out of date"));
}
