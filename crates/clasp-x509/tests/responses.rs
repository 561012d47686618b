//! OCSP responses: every part of one, made to be what it should not be, and what is told of those that are good.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use clasp_x509::{
    CertStatus, Certificate, Check, Crl, OcspError, OcspResponse, Profile, Revocation, RevocationReason, Standing,
    Trouble, UnsignedOcsp, standing, verify,
};
use common::answers::*;
use common::*;

struct Scene {
    root: Made,
    leaf: Made,
}

impl Scene {
    fn new() -> Self {
        let root = authority("root", None, |_| ());
        let leaf = server(&root, |d| d.serial = vec![9]);
        Self { root, leaf }
    }

    fn answer(&self, change: impl FnOnce(&mut Answer<'_>)) -> Vec<u8> {
        response(&self.root, &self.root, change)
    }

    /// What these responses say of the leaf, and `issuers` of it.
    fn standing_by(&self, issuers: &[&Made], responses: &[&[u8]]) -> Standing {
        let leaf = Certificate::parse(&self.leaf.der).unwrap();
        let issuers: Vec<Certificate<'_>> = issuers.iter().map(|made| Certificate::parse(&made.der).unwrap()).collect();
        let revocation = Revocation { responses, ..Revocation::default() };
        standing(&leaf, &issuers, &options(Profile::WebPki).revocation(revocation))
    }

    /// What is found of the leaf by its issuer, and in a path: good, or why not.
    fn judge(&self, revocation: &Revocation<'_>) -> [Result<(), String>; 2] {
        let options = options(Profile::Rfc5280).revocation(*revocation);
        let (leaf, root) = (Certificate::parse(&self.leaf.der).unwrap(), Certificate::parse(&self.root.der).unwrap());
        let direct = match standing(&leaf, &[root], &options) {
            Standing::Good => Ok(()),
            other => Err(format!("{other:?}")),
        };
        let verdict = verify(&chain(&[&self.leaf]), &store(&[&self.root]), &options);
        [direct, verdict.map(|_| ()).map_err(|refused| format!("{:?}", refused.attempts()))]
    }

    fn standing(&self, response: &[u8]) -> Standing {
        self.standing_by(&[&self.root], &[response])
    }
}

fn why(standing: Standing) -> String {
    let Standing::Unknown(Trouble::Because(why)) = standing else { panic!("{standing:?}") };
    why
}

#[test]
fn a_version_and_a_responder_are_what_they_are_or_nothing_is_read() {
    let scene = Scene::new();
    let malformed = |change: &dyn Fn(&mut Answer<'_>), field: &str| {
        let bytes = scene.answer(|a| change(a));
        let Err(OcspError::Malformed(error)) = OcspResponse::parse(&bytes) else { panic!("{field}: {bytes:x?}") };
        assert_eq!(error.field(), field);
    };
    assert_eq!(scene.standing(&scene.answer(|a| a.version = tlv(0xa0, &[2, 1, 0]))), Standing::Good);
    malformed(&|a| a.version = tlv(0xa0, &[2, 1, 1]), "version");
    malformed(&|a| a.version = tlv(0xa0, &[2, 1, 0, 5, 0]), "version");
    for responder in [
        tlv(0xa3, &name("root")),
        tlv(0xa1, &seq(&[&[5, 0]])),
        tlv(0xa1, &[&name("root")[..], &[5, 0]].concat()),
        tlv(0xa2, &[&tlv(4, &scene.root.key.id())[..], &[5, 0]].concat()),
        tlv(0xa2, &tlv(3, &scene.root.key.id())),
    ] {
        malformed(&|a| a.responder = Some(responder.clone()), "responderID");
    }
    let by_another_key = scene.answer(|a| a.responder = Some(tlv(0xa2, &tlv(4, &[7; 20]))));
    assert!(why(scene.standing(&by_another_key)).contains("did not sign"));
    for status in [vec![0x80, 1, 0], vec![0x82, 1, 0], vec![0x83, 0], vec![0xa0, 0], vec![0xa1, 0]] {
        assert!(matches!(OcspResponse::parse(&scene.answer(|a| a.status = status)), Err(OcspError::Malformed(_))));
    }
}

/// RFC 6960 4.2.1: there is one form of time.
#[test]
fn times_are_generalized() {
    let scene = Scene::new();
    let revoked = |time: &[u8]| scene.answer(|a| a.status = tlv(0xa1, time));
    assert!(OcspResponse::parse(&revoked(&tlv(0x18, b"20300301000000Z"))).is_ok());
    let Err(OcspError::Malformed(error)) = OcspResponse::parse(&revoked(&tlv(0x17, b"300301000000Z"))) else {
        panic!("a UTCTime")
    };
    assert_eq!(error.field(), "revocationTime");
}

/// The responder's own words for its refusals, and nothing of statuses that there are not.
#[test]
fn a_refusal_has_its_word() {
    for (status, word) in
        [(1, "malformedRequest"), (2, "internalError"), (3, "tryLater"), (5, "sigRequired"), (6, "unauthorized")]
    {
        let bytes = seq(&[&[10, 1, status]]);
        let Err(refused @ OcspError::Refused(_)) = OcspResponse::parse(&bytes) else { panic!("{status}") };
        assert!(refused.to_string().starts_with(word), "{refused}");
    }
    for status in [4, 7] {
        let bytes = seq(&[&[10, 1, status]]);
        let Err(error @ OcspError::Malformed(_)) = OcspResponse::parse(&bytes) else { panic!("{status}") };
        assert!(error.to_string().contains("responseStatus"), "{error}");
    }
}

/// Of several answers about one certificate the worst counts, wherever it stands.
#[test]
fn of_several_answers_the_worst_counts() {
    let scene = Scene::new();
    let unknown = || vec![0x82, 0];
    let both = |one: &[u8], other: &[u8]| {
        let [there, back] = [(one, other), (other, one)].map(|(one, other)| {
            let bytes = scene.answer(|a| (a.status, a.also) = (one.to_vec(), Some(other.to_vec())));
            assert_eq!(OcspResponse::parse(&bytes).unwrap().responses().count(), 2);
            scene.standing(&bytes)
        });
        assert_eq!(there, back, "the order of answers matters");
        there
    };
    assert_eq!(both(GOOD, GOOD), Standing::Good);
    assert!(matches!(both(GOOD, &revoked()), Standing::Revoked { .. }));
    assert!(matches!(both(&unknown(), &revoked()), Standing::Revoked { .. }));
    assert!(why(both(GOOD, &unknown())).contains("does not know the certificate"));
}

/// RFC 6960 4.1.1: the hash is of the certificate's issuer field, which may be encoded otherwise than the issuer's subject.
#[test]
fn a_response_is_about_a_certificate_in_either_encoding_of_its_issuer() {
    let printable = name_as(0x13, b"root");
    let root = authority("root", None, |_| ());
    let leaf = server(&root, |d| (d.serial, d.issuer) = (vec![9], printable.clone()));
    let scene = Scene { root, leaf };
    assert_eq!(scene.standing(&scene.answer(|_| ())), Standing::Good, "the subject of the issuer");
    let by_field = scene.answer(|a| a.named = Some(printable));
    assert_eq!(scene.standing(&by_field), Standing::Good, "the issuer field");
    let revoked = scene.answer(|a| (a.named, a.status) = (Some(name_as(0x13, b"root")), revoked()));
    assert!(matches!(scene.standing(&revoked), Standing::Revoked { .. }));
    let another = scene.answer(|a| a.named = Some(name_as(0x16, b"root")));
    assert_eq!(scene.standing(&another), Standing::Unknown(Trouble::NoList), "neither");
}

/// RFC 6960 2.2: when and why.
#[test]
fn when_and_why_it_was_revoked() {
    let scene = Scene::new();
    let at = 1_898_553_600;
    for (reason, said) in [(vec![], 0), (tlv(0xa0, &[10, 1, 4]), 4)] {
        let status = tlv(0xa1, &[general("20300301000000Z"), reason].concat());
        let bytes = scene.answer(|a| a.status = status);
        assert_eq!(scene.standing(&bytes), Standing::Revoked { at, reason: RevocationReason(said) });
    }
    for reason in [vec![5, 0], tlv(0xa0, &[10, 1, 11])] {
        let status = tlv(0xa1, &[general("20300301000000Z"), reason].concat());
        assert!(OcspResponse::parse(&scene.answer(|a| a.status = status)).is_err());
    }
}

#[test]
fn a_reason_has_its_name() {
    let names = [
        "unspecified",
        "keyCompromise",
        "cACompromise",
        "affiliationChanged",
        "superseded",
        "cessationOfOperation",
        "certificateHold",
        "a reason that is not known",
        "removeFromCRL",
        "privilegeWithdrawn",
        "aACompromise",
        "a reason that is not known",
    ];
    for (code, name) in (0..).zip(names) {
        assert_eq!(RevocationReason(code).to_string(), name);
    }
}

#[test]
fn what_a_response_tells_of_itself() {
    let scene = Scene::new();
    let bytes = scene.answer(|a| a.serial = vec![1, 0xab]);
    let read = OcspResponse::parse(&bytes).unwrap();
    assert_eq!((read.responder(), read.produced_at()), ("CN=root".into(), 1_899_417_600));
    assert!(read.signature_algorithm().contains("ECDSA"), "{}", read.signature_algorithm());
    let [one] = &read.responses().collect::<Vec<_>>()[..] else { panic!("{read:?}") };
    assert_eq!((one.serial(), one.status()), ("01ab".into(), CertStatus::Good));
    assert_eq!((one.this_update(), one.next_update()), (1_899_331_200, Some(1_900_195_200)));
    let by_key = scene.answer(|a| (a.by_key, a.to) = (true, None));
    let read = OcspResponse::parse(&by_key).unwrap();
    assert_eq!(read.responder().strip_prefix("key ").map(str::len), Some(40), "{}", read.responder());
    assert_eq!(read.responses().next().unwrap().next_update(), None);
}

/// What an authority writes with [`UnsignedOcsp`] is a response, and says what it was to say.
#[test]
fn what_an_authority_writes_is_read() {
    let scene = Scene::new();
    let (leaf, root) = (Certificate::parse(&scene.leaf.der).unwrap(), Certificate::parse(&scene.root.der).unwrap());
    let (from, to) = (i64::try_from(NOW).unwrap() - 60, i64::try_from(NOW).unwrap() + 60);
    let reason = RevocationReason(4);
    for (status, wanted) in [
        (CertStatus::Good, Some(Standing::Good)),
        (CertStatus::Revoked(from, reason), Some(Standing::Revoked { at: from, reason })),
        (CertStatus::Unknown, None),
    ] {
        let unsigned = UnsignedOcsp::new(&leaf, &root, status, from, to);
        let signature = scene.root.key.sign(unsigned.to_be_signed());
        let bytes = unsigned.signed(&scene.root.key.algorithm(), &signature);
        let read = OcspResponse::parse(&bytes).unwrap();
        let [one] = &read.responses().collect::<Vec<_>>()[..] else { panic!("{read:?}") };
        assert_eq!((one.status(), one.this_update(), one.next_update()), (status, from, Some(to)));
        let found = scene.standing(&bytes);
        match wanted {
            Some(wanted) => assert_eq!(found, wanted),
            None => assert!(why(found).contains("does not know the certificate")),
        }
        let mut forged = bytes.clone();
        let last = forged.len() - 1;
        forged[last] ^= 1;
        assert!(why(scene.standing(&forged)).contains("did not sign"), "{status:?}");
    }
}

const DELEGATE: u8 = 77;

/// One whom the root has answer for it.
fn delegate(by: &Made, change: impl FnOnce(&mut Draft)) -> Made {
    server(by, |d| {
        (d.serial, d.subject) = (vec![DELEGATE], name("responder"));
        d.without(SAN).set(EKU, false, seq(&[&oid(OCSP_SIGNING)]));
        change(d);
    })
}

/// RFC 6960 4.2.2.2.1: whom the issuer has revoked answers for it no more. Nobody need vouch for it.
#[test]
fn a_delegate_that_is_revoked_is_not_believed() {
    let scene = Scene::new();
    let (root, stranger) = (&scene.root, authority("root", None, |_| ()));
    let (one, another) = (delegate(root, |_| ()), delegate(root, |d| d.serial = vec![78]));
    let by = |made: &Made, change: &dyn Fn(&mut Answer<'_>)| {
        response(root, made, |a| {
            a.with = if made.subject == root.subject { Vec::new() } else { vec![made.der.clone()] };
            change(a);
        })
    };
    let answer = by(&one, &|_| ());
    let of_delegate = |a: &mut Answer<'_>| (a.serial, a.status) = (vec![DELEGATE], revoked());
    // Of some reasons, so that it settles nothing of the leaf.
    let listing = |made: &Made, serial: u8| {
        list(made, |l| {
            l.entries = vec![entry(&[serial], &[])];
            l.extensions.push((POINT, true, seq(&[&[0x83, 2, 5, 0x60]])));
        })
    };
    let delta = |made: &Made| {
        list(made, |l| {
            l.entries = vec![entry(&[DELEGATE], &[])];
            l.extensions.push((DELTA, true, vec![2, 1, 4]));
        })
    };
    let (good, bad) = (true, false);
    for (what, lists, others, wanted) in [
        ("nothing is said of it", vec![], vec![], good),
        ("a list by another key", vec![listing(&stranger, DELEGATE)], vec![], good),
        ("a list with it", vec![listing(root, DELEGATE)], vec![], bad),
        ("a delta with it", vec![delta(root)], vec![], bad),
        ("the issuer says so", vec![], vec![by(root, &of_delegate)], bad),
        ("another delegate says so", vec![], vec![by(&another, &of_delegate)], bad),
        ("it says so itself", vec![], vec![by(&one, &of_delegate)], bad),
        ("another key says so", vec![], vec![by(&stranger, &of_delegate)], good),
        ("the issuer says that it is good", vec![], vec![by(root, &|a| a.serial = vec![DELEGATE])], good),
    ] {
        let lists: Vec<Crl<'_>> = lists.iter().map(|list| Crl::parse(list).unwrap()).collect();
        let responses: Vec<&[u8]> = core::iter::once(&answer).chain(&others).map(Vec::as_slice).collect();
        for stapled in [false, true] {
            let (staple, responses) =
                if stapled { (Some(responses[0]), &responses[1..]) } else { (None, &responses[..]) };
            let revocation = Revocation { check: Check::Require, stapled: staple, responses, ..Revocation::default() };
            let [direct, in_path] = scene.judge(&Revocation { lists: &lists, ..revocation });
            assert_eq!((direct.is_ok(), in_path.is_ok()), (wanted, wanted), "{what}: {direct:?} {in_path:?}");
            if let (Err(one), Err(other)) = (direct, in_path) {
                let why = "an OCSP responder whose certificate is revoked";
                assert!(one.contains(why) && other.contains(why), "{what}: {one} {other}");
            }
        }
    }
}

/// Whom an authority may not certify it may not have answer for it either.
#[test]
fn a_delegate_has_a_name_that_its_issuer_may_certify() {
    let within =
        subtrees(&[tlv(0xa4, &name("example.com")), tlv(0xa4, &name("root")), tlv(0xa4, &name("allowed"))], &[]);
    let constrained = |d: &mut Draft| drop(d.set(NAME_CONSTRAINTS, true, within.clone()).tbs());
    let root = authority("root", None, constrained);
    let leaf = server(&root, |d| d.serial = vec![9]);
    let scene = Scene { root, leaf };
    for (subject, good) in [("allowed", true), ("responder", false)] {
        let made = delegate(&scene.root, |d| d.subject = name(subject));
        let answer = response(&scene.root, &made, |a| a.with = vec![made.der.clone()]);
        let responses = [&answer[..]];
        let revocation = Revocation { check: Check::Require, responses: &responses, ..Revocation::default() };
        for told in scene.judge(&revocation) {
            assert_eq!(told.is_ok(), good, "{subject}: {told:?}");
        }
    }
}

/// An authority that has changed its key has two certificates: either may have signed.
#[test]
fn an_authority_of_two_keys_answers_with_either() {
    let scene = Scene::new();
    let new = authority("root", None, |_| ());
    let of_new = response(&new, &new, |_| ());
    assert_eq!(scene.standing_by(&[&scene.root, &new], &[&of_new]), Standing::Good);
    assert_eq!(scene.standing_by(&[&new, &scene.root], &[&of_new]), Standing::Good);
    assert_eq!(scene.standing_by(&[&scene.root], &[&of_new]), Standing::Unknown(Trouble::NoList));
    let nonsense = &b"no response"[..];
    assert_eq!(scene.standing_by(&[&scene.root], &[nonsense, &scene.answer(|_| ())]), Standing::Good);
    assert!(why(scene.standing(nonsense)).contains("cannot be used"));
}
