//! Who checks signatures: every one goes through the face that was given, and what one face has decided counts for no other.
#![allow(clippy::unwrap_used)]

mod common;

use clasp_x509::{
    AwsLc, Certificate, CertificateRequest, Check, Crl, Curve, KnownCrl, Logs, Options, PreparedKey, Profile, Proof,
    Reason, Revocation, SctEntry, SctVerdict, SignatureAlgorithm, SignatureError, SignatureHash, SignatureRefusal,
    Spki, Standing, Verdicts, VerifySignature, standing, verify, verify_signature,
};
use common::answers::*;
use common::*;
use rustls_pki_types::ServerName;
use std::sync::{Arc, Mutex};

/// The messages whose signatures were checked.
type Seen = Arc<Mutex<Vec<Vec<u8>>>>;

/// AWS-LC, watched.
struct Watched {
    name: &'static str,
    seen: Seen,
}

struct WatchedKey(Box<dyn PreparedKey>, Seen);

impl Watched {
    fn new(name: &'static str) -> Self {
        Self { name, seen: Seen::default() }
    }

    /// What has been checked since this was asked.
    fn seen(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

impl VerifySignature for Watched {
    fn name(&self) -> &str {
        self.name
    }

    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &Spki<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        self.seen.lock().unwrap().push(message.to_vec());
        AwsLc.verify(algorithm, key, message, signature)
    }

    fn check_point(&self, curve: Curve, key: &Spki<'_>) -> Result<(), SignatureError> {
        self.seen.lock().unwrap().push(key.der().to_vec());
        AwsLc.check_point(curve, key)
    }

    fn prepare(&self, algorithm: SignatureAlgorithm, key: &Spki<'_>) -> Option<Box<dyn PreparedKey>> {
        Some(Box::new(WatchedKey(AwsLc.prepare(algorithm, key)?, Arc::clone(&self.seen))))
    }
}

impl PreparedKey for WatchedKey {
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        self.1.lock().unwrap().push(message.to_vec());
        self.0.verify(message, signature)
    }
}

/// Takes nothing.
struct Refusing(SignatureError);

impl VerifySignature for Refusing {
    fn name(&self) -> &str {
        "refusing"
    }

    fn verify(&self, _: SignatureAlgorithm, _: &Spki<'_>, _: &[u8], _: &[u8]) -> Result<(), SignatureError> {
        Err(self.0)
    }

    fn check_point(&self, _: Curve, _: &Spki<'_>) -> Result<(), SignatureError> {
        Err(self.0)
    }
}

struct Scene {
    root: Made,
    middle: Made,
    leaf: Made,
}

impl Scene {
    fn new() -> Self {
        let root = authority("root", None, |_| ());
        let middle = authority("middle", Some(&root), |d| d.serial = vec![7]);
        let leaf = server(&middle, |d| d.serial = vec![9]);
        Self { root, middle, leaf }
    }

    fn presented(&self) -> Vec<&[u8]> {
        chain(&[&self.leaf, &self.middle])
    }
}

/// What is signed of a certificate, a list or a response: the first part of the frame.
fn signed_part(der: &[u8]) -> Vec<u8> {
    let length = |at: usize| match der[at + 1] {
        0x82 => (4, usize::from(u16::from_be_bytes([der[at + 2], der[at + 3]]))),
        0x81 => (3, usize::from(der[at + 2])),
        n => (2, usize::from(n)),
    };
    let (outer, _) = length(0);
    let (inner, content) = length(outer);
    der[outer..outer + inner + content].to_vec()
}

fn sorted(mut all: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    all.sort();
    all
}

#[test]
fn the_face_sees_every_signature_of_a_chain() {
    let scene = Scene::new();
    let face = Watched::new("watched");
    let mut options = options(Profile::WebPki).signatures(&face);
    let roots = store(&[&scene.root]);
    let wanted = sorted(vec![signed_part(&scene.leaf.der), signed_part(&scene.middle.der), scene.leaf.key.spki()]);
    for _ in 0..2 {
        verify(&scene.presented(), &roots, &options).unwrap();
        assert_eq!(sorted(face.seen()), wanted, "two signatures, and the point that no proof follows for");
    }
    options.proof_follows = true;
    verify(&scene.presented(), &roots, &options).unwrap();
    assert_eq!(face.seen().len(), 2);
}

#[test]
fn the_face_sees_the_signatures_of_lists_and_responses() {
    let scene = Scene::new();
    let lists = [list(&scene.root, |_| ()), list(&scene.middle, |_| ())];
    let parsed: Vec<Crl<'_>> = lists.iter().map(|der| Crl::parse(der).unwrap()).collect();
    let delegate = server(&scene.middle, |d| {
        d.subject = name("responder");
        d.without(SAN);
        d.set(EKU, false, seq(&[&oid(OCSP_SIGNING)]));
    });
    let delegate = Made { subject: name("responder"), ..delegate };
    let staple = response(&scene.middle, &delegate, |a| a.with = vec![delegate.der.clone()]);
    let face = Watched::new("watched");
    let mut options = options(Profile::WebPki).signatures(&face);
    options.proof_follows = true;
    options.revocation =
        Revocation { check: Check::Require, lists: &parsed, stapled: Some(&staple), ..options.revocation };
    verify(&scene.presented(), &store(&[&scene.root]), &options).unwrap();
    let seen = face.seen();
    assert!(seen.contains(&signed_part(&lists[0])), "the list about the intermediate; the leaf has its response");
    assert!(seen.contains(&signed_part(&delegate.der)), "the responder's certificate");
    let data = seen.iter().filter(|message| staple.windows(message.len()).any(|w| w == &message[..]));
    assert_eq!(data.count(), 2, "the response and the certificate in it");
    assert_eq!(seen.len(), 5);
    options.revocation.stapled = None;
    verify(&scene.presented(), &store(&[&scene.root]), &options).unwrap();
    let seen = face.seen();
    assert!(lists.iter().all(|list| seen.contains(&signed_part(list))) && seen.len() == 4);
    options.revocation.stapled = Some(&staple);

    let (certificate, issuer) =
        (Certificate::parse(&scene.leaf.der).unwrap(), Certificate::parse(&scene.middle.der).unwrap());
    assert_eq!(standing(&certificate, &[issuer], &options), Standing::Good);
    assert_eq!(face.seen().len(), 2, "without a path");
    let refusing = Refusing(SignatureError::Wrong);
    assert!(matches!(standing(&certificate, &[issuer], &options.signatures(&refusing)), Standing::Unknown(_)));
}

#[test]
fn a_face_that_takes_nothing_has_every_chain_refused_and_says_why() {
    let scene = Scene::new();
    for profile in Profile::ALL {
        for (error, reason) in
            [(SignatureError::Wrong, Reason::BadSignature), (SignatureError::Unsupported, Reason::UnsupportedAlgorithm)]
        {
            let face = Refusing(error);
            let mut options = options(profile).signatures(&face);
            let refused = |options: &Options<'_>, root: &Made, presented: &[&[u8]]| {
                verify(presented, &store(&[root]), options).unwrap_err().reason()
            };
            // The key of the leaf is the first that it is asked about.
            assert_eq!(refused(&options, &scene.root, &scene.presented()), Reason::UnsupportedAlgorithm);
            options.proof_follows = true;
            assert_eq!(refused(&options, &scene.root, &scene.presented()), reason, "{profile:?}");
            assert_eq!(refused(&options, &scene.middle, &[&scene.leaf.der]), reason, "{profile:?}");
        }
    }
}

#[test]
fn timestamps_and_requests_are_checked_by_the_face() {
    let key = Key::new();
    let request = key.frame(&seq(&[&[2, 1, 0], &name("asked"), &key.spki(), &[0xa0, 0]]));
    let request = CertificateRequest::parse(&request).unwrap();
    let face = Watched::new("watched");
    assert_eq!((request.proof_by(&face), face.seen().len()), (Proof::Good, 1));
    assert_eq!(request.proof_by(&Refusing(SignatureError::Wrong)), Proof::Wrong);
    assert_eq!(request.proof_by(&Refusing(SignatureError::Unsupported)), Proof::NotChecked);

    let root = authority("root", None, |_| ());
    let leaf = server(&root, |_| ());
    let parsed = Certificate::parse(&leaf.der).unwrap();
    let body = [&[0, 0][..], &(NOW * 1000).to_be_bytes(), &[0, 0]].concat();
    let length = u32::try_from(leaf.der.len()).unwrap().to_be_bytes();
    let signature = key.sign(&[&body[..], &length[1..], &leaf.der, &[0, 0]].concat());
    let id = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &key.spki());
    let prefixed = |b: &[u8]| [&u16::try_from(b.len()).unwrap().to_be_bytes()[..], b].concat();
    let sct = [&[0][..], id.as_ref(), &(NOW * 1000).to_be_bytes(), &[0, 0, 4, 3], &prefixed(&signature)].concat();
    let list = prefixed(&prefixed(&sct));
    let sct = clasp_x509::Sct::read_list(&list).unwrap()[0];
    let verdict = |face: &'static dyn VerifySignature| {
        let mut logs = Logs::default().signatures(face);
        logs.add("ours", &key.spki());
        logs.check(&sct, SctEntry::Separate(&parsed), NOW).unwrap()
    };
    assert_eq!(verdict(&AwsLc), SctVerdict::Good("ours".into()));
    assert_eq!(verdict(&Refusing(SignatureError::Wrong)), SctVerdict::BadSignature("ours".into()));
}

#[test]
fn a_verdict_of_one_face_counts_for_no_other() {
    let scene = Scene::new();
    let (roots, verdicts) = (store(&[&scene.root]), Verdicts::new(8));
    let host = ServerName::try_from("example.com").unwrap();
    let (one, other) = (Watched::new("one"), Watched::new("other"));
    let ask = |face: &dyn VerifySignature| {
        let options = options(Profile::WebPki).name(&host).signatures(face);
        verdicts.verify(&scene.presented(), &roots, &options).is_ok()
    };
    assert!(ask(&one) && !one.seen().is_empty());
    assert!(ask(&one) && one.seen().is_empty(), "remembered");
    assert!(ask(&other) && !other.seen().is_empty(), "asked itself");
    assert!(!ask(&Refusing(SignatureError::Wrong)));
}

/// What a kept list and a root remember of keys belongs to the face that had them first.
#[test]
fn what_is_remembered_of_lists_and_roots_counts_for_no_other_face() {
    let scene = Scene::new();
    let kept: Vec<KnownCrl> =
        [&scene.root, &scene.middle].map(|by| KnownCrl::read(list(by, |_| ())).unwrap()).into_iter().collect();
    let lists: Vec<Crl<'_>> = kept.iter().map(|list| list.crl().unwrap()).collect();
    let roots = store(&[&scene.root]);
    let (one, other) = (Watched::new("one"), Watched::new("other"));
    let seen = |face: &Watched| {
        let mut options = options(Profile::WebPki).signatures(face);
        options.proof_follows = true;
        options.revocation = Revocation { check: Check::Require, lists: &lists, ..options.revocation };
        verify(&scene.presented(), &roots, &options).unwrap();
        face.seen().len()
    };
    assert_eq!([seen(&one), seen(&one)], [4, 2], "two certificates, and two lists the first time");
    assert_eq!([seen(&other), seen(&other)], [4, 2]);
    assert_eq!(seen(&one), 2);
}

/// The rule that all signatures stand under, those of handshakes too.
#[test]
fn a_protocol_gets_the_rule_of_certificates() {
    let (key, other) = (Key::new(), Key::seeded(1));
    let signature = key.sign(b"message");
    let check = |algorithm, spki: &[u8]| verify_signature(&AwsLc, algorithm, spki, b"message", &signature);
    let p256 = |hash| SignatureAlgorithm::Ecdsa(Curve::P256, hash);
    assert_eq!(check(p256(SignatureHash::Sha256), &key.spki()), Ok(()));
    assert_eq!(check(p256(SignatureHash::Sha384), &key.spki()), Err(SignatureRefusal::Signature));
    let p384 = SignatureAlgorithm::Ecdsa(Curve::P384, SignatureHash::Sha256);
    assert_eq!(check(p384, &key.spki()), Err(SignatureRefusal::Key), "the curve is the key's");
    assert_eq!(check(p256(SignatureHash::Sha256), &other.spki()), Err(SignatureRefusal::Key));
    assert_eq!(check(SignatureAlgorithm::Ed25519, &other.spki()), Err(SignatureRefusal::Signature));
    assert_eq!(check(SignatureAlgorithm::Ed25519, &[5, 0]), Err(SignatureRefusal::Key));
    let refused =
        verify_signature(&Refusing(SignatureError::Unsupported), p256(SignatureHash::Sha256), &key.spki(), b"", b"");
    assert_eq!(refused, Err(SignatureRefusal::Algorithm));
    // RSA by its size alone, before anybody is asked: odd moduli of so many bits.
    let rsa = |bytes: usize, first: u8| {
        let sign: &[u8] = if first < 0x80 { &[] } else { &[0] };
        let modulus = [sign, &[first], &vec![0xff; bytes - 1]].concat();
        let key = seq(&[&tlv(2, &modulus), &[2, 3, 1, 0, 1]]);
        seq(&[&seq(&[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]), &[5, 0]]), &bit_string(&key)])
    };
    let pkcs1 = SignatureAlgorithm::RsaPkcs1(SignatureHash::Sha256);
    for (bytes, first, verdict) in [
        (256, 0x7f, SignatureRefusal::Size),
        (256, 0x80, SignatureRefusal::Signature),
        (1024, 0xff, SignatureRefusal::Signature),
        (1025, 1, SignatureRefusal::Size),
    ] {
        assert_eq!(check(pkcs1, &rsa(bytes, first)), Err(verdict), "{bytes} bytes from {first:#x}");
    }
    let pss = SignatureAlgorithm::RsaPss { hash: SignatureHash::Sha256, salt: 32 };
    assert_eq!(check(pss, &rsa(256, 0x7f)), Err(SignatureRefusal::Size));
}

/// A peer makes issuers of its certificate as it likes, and responders for its staple: their product is not its to choose.
#[test]
fn signatures_of_a_staple_are_counted_for_each_issuer_that_is_made_up() {
    let root = authority("root", None, |_| ());
    let leaf = server(&root, |d| d.serial = vec![9]);
    // Each has the name and the key of the real one, and is signed by nobody.
    let alias = |n: u8| authority("root", None, |d| (d.spki, d.serial) = (root.key.spki(), vec![0x20, n]));
    let issuers: Vec<Made> = (0..63).map(alias).collect();
    let responder = |n: u8| {
        let stranger = authority("root", None, |_| ());
        server(&stranger, |d| {
            (d.subject, d.serial) = (name("responder"), vec![0x30, n]);
            d.set(EKU, false, seq(&[&oid(OCSP_SIGNING)]));
        })
    };
    let responders: Vec<Made> = (0..8).map(responder).collect();
    let staple = response(&root, &responders[0], |a| a.with = responders.iter().map(|r| r.der.clone()).collect());
    let presented: Vec<&Made> = [&leaf].into_iter().chain(&issuers).collect();
    for check in [Check::Prefer, Check::Require] {
        let face = Watched::new("watched");
        let mut options = options(Profile::Rfc5280).signatures(&face);
        options.revocation = Revocation { check, stapled: Some(&staple), ..options.revocation };
        let refused = verify(&chain(&presented), &store(&[&leaf]), &options).unwrap_err();
        let wanted = if check == Check::Prefer { Reason::TooCostly } else { Reason::StatusUnknown };
        assert_eq!(refused.reason(), wanted);
        // The points of keys, which it sees too, are no signatures.
        let signatures = face.seen().iter().filter(|seen| Spki::parse(seen).is_err()).count();
        assert_eq!(signatures, 64, "{check:?}");
    }
}
