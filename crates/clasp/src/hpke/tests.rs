use super::vectors::{INFO, PLAIN, VECTORS};
use super::*;

const KEMS: [HpkeKem; 4] = [
    HpkeKem::DhkemX25519HkdfSha256,
    HpkeKem::DhkemP256HkdfSha256,
    HpkeKem::DhkemP384HkdfSha384,
    HpkeKem::DhkemP521HkdfSha512,
];

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn suites() -> impl Iterator<Item = Suite> {
    let kdfs = [HpkeKdf::HkdfSha256, HpkeKdf::HkdfSha384, HpkeKdf::HkdfSha512];
    let aeads = [HpkeAead::Aes128Gcm, HpkeAead::Aes256Gcm, HpkeAead::ChaCha20Poly1305];
    KEMS.into_iter()
        .flat_map(move |kem| kdfs.into_iter().flat_map(move |kdf| aeads.map(|aead| Suite { kem, kdf, aead })))
}

fn set_up(suite: Suite, key: &RecipientKey) -> (Sealer, Opener) {
    let provider = Provider::builtin();
    let (encapsulated, sealer) = suite.sealer(provider, key.public(), INFO).unwrap();
    (sealer, suite.opener(provider, key, &encapsulated, INFO).unwrap())
}

#[test]
fn the_vectors_of_the_rfc() {
    for provider in Provider::choices() {
        for vector in VECTORS {
            let (kem, kdf, aead) = vector.codes;
            let suite = Suite { kem: HpkeKem(kem), kdf: HpkeKdf(kdf), aead: HpkeAead(aead) };
            assert!(suite.is_had_by(provider));
            let key = RecipientKey::derive(provider, suite.kem, &bytes(vector.material)).unwrap();
            assert_eq!(key.expose_private(), bytes(vector.private), "{}", vector.section);
            assert_eq!(key.public(), bytes(vector.public), "{}", vector.section);
            let mut opener = suite.opener(provider, &key, &bytes(vector.encapsulated), INFO).unwrap();
            for (number, sealed) in vector.sealed.iter().enumerate() {
                let mut message = bytes(sealed);
                opener.open(format!("Count-{number}").as_bytes(), &mut message).unwrap();
                assert_eq!(message, PLAIN, "{} {number}", vector.section);
            }
            for (about, exported) in [&b""[..], &[0], b"TestContext"].into_iter().zip(vector.exported) {
                let mut out = [0; 32];
                opener.export(about, &mut out).unwrap();
                assert_eq!(out[..], bytes(exported), "{}", vector.section);
            }
        }
    }
}

#[test]
fn what_is_sealed_is_opened_in_its_order() {
    for suite in suites() {
        let key = RecipientKey::generate(Provider::builtin(), suite.kem).unwrap();
        let (mut sealer, mut opener) = set_up(suite, &key);
        let sealed = [&b"one"[..], b"", b"three"].map(|plain| {
            let mut message = plain.to_vec();
            sealer.seal(b"aad", &mut message).unwrap();
            assert_eq!(message.len(), plain.len() + 16);
            (plain, message)
        });
        // The second one first: it does not fit, and spoils nothing.
        let mut early = sealed[1].1.clone();
        opener.open(b"aad", &mut early).unwrap_err();
        assert!(early.is_empty());
        for (plain, mut message) in sealed {
            opener.open(b"other", &mut message.clone()).unwrap_err();
            opener.open(b"aad", &mut message).unwrap();
            assert_eq!(message, plain, "{suite:?}");
        }
        let (mut ours, mut theirs) = ([0; 70], [0; 70]);
        sealer.export(b"about", &mut ours).unwrap();
        opener.export(b"about", &mut theirs).unwrap();
        assert_eq!(ours, theirs);
        opener.export(b"something else", &mut theirs).unwrap();
        assert_ne!(ours, theirs);
    }
}

#[test]
fn what_was_sealed_for_somebody_or_something_else_is_not_opened() {
    let provider = Provider::builtin();
    for suite in suites() {
        let key = RecipientKey::generate(provider, suite.kem).unwrap();
        let other = RecipientKey::generate(provider, suite.kem).unwrap();
        assert_ne!(key.public(), other.public());
        let (encapsulated, mut sealer) = suite.sealer(provider, key.public(), INFO).unwrap();
        let mut message = PLAIN.to_vec();
        sealer.seal(b"", &mut message).unwrap();
        let opens = |suite: Suite, key: &RecipientKey, encapsulated: &[u8], info: &[u8], message: &[u8]| {
            let opener = suite.opener(provider, key, encapsulated, info);
            opener.and_then(|mut opener| opener.open(b"", &mut message.to_vec())).is_ok()
        };
        assert!(opens(suite, &key, &encapsulated, INFO, &message));
        assert!(!opens(suite, &other, &encapsulated, INFO, &message));
        assert!(!opens(suite, &key, &encapsulated, b"", &message));
        let (again, _) = suite.sealer(provider, key.public(), INFO).unwrap();
        assert!(!opens(suite, &key, &again, INFO, &message));
        for kdf in [HpkeKdf::HkdfSha256, HpkeKdf::HkdfSha384].into_iter().filter(|kdf| *kdf != suite.kdf) {
            assert!(!opens(Suite { kdf, ..suite }, &key, &encapsulated, INFO, &message));
        }
        for at in 0..message.len() {
            let mut altered = message.clone();
            altered[at] ^= 1;
            assert!(!opens(suite, &key, &encapsulated, INFO, &altered));
            assert!(!opens(suite, &key, &encapsulated, INFO, &message[..at]));
        }
    }
}

/// RFC 9180 7.1.4, 7.1.2.
#[test]
fn what_is_no_key_is_refused() {
    let provider = Provider::builtin();
    for kem in KEMS {
        let suite = Suite { kem, ..Suite::default() };
        let key = RecipientKey::generate(provider, kem).unwrap();
        let public = key.public();
        let mut off_curve = public.to_vec();
        *off_curve.last_mut().unwrap() ^= 1;
        let off_curve = (kem != HpkeKem::DhkemX25519HkdfSha256).then_some(off_curve);
        let zeros = vec![0; public.len()];
        let longer = [public, &[0]].concat();
        for wrong in [&[][..], &public[1..], &longer, &zeros].into_iter().chain(off_curve.as_deref()) {
            assert!(suite.sealer(provider, wrong, INFO).is_err(), "{kem} {wrong:x?}");
            assert!(suite.opener(provider, &key, wrong, INFO).is_err(), "{kem} {wrong:x?}");
        }
        let private = key.expose_private();
        assert_eq!(RecipientKey::from_private(provider, kem, private).unwrap().public(), public);
        let longer = [&[0], private].concat();
        for wrong in [&[][..], &private[1..], &longer] {
            assert!(RecipientKey::from_private(provider, kem, wrong).is_err(), "{kem}");
        }
        if kem != HpkeKem::DhkemX25519HkdfSha256 {
            for beyond in [0, 0xff] {
                assert!(RecipientKey::from_private(provider, kem, &vec![beyond; private.len()]).is_err(), "{kem}");
            }
        }
        assert_eq!(format!("{key:?}"), format!("RecipientKey({kem})"));
    }
}

#[test]
fn what_nobody_has_is_refused() {
    let provider = Provider::builtin();
    let key = RecipientKey::generate(provider, Suite::default().kem).unwrap();
    for suite in [
        Suite { kem: HpkeKem::DhkemX448HkdfSha512, ..Suite::default() },
        Suite { kdf: HpkeKdf(4), ..Suite::default() },
        Suite { aead: HpkeAead::ExportOnly, ..Suite::default() },
    ] {
        assert!(!suite.is_had_by(provider));
        assert!(suite.sealer(provider, key.public(), INFO).is_err(), "{suite:?}");
        assert!(suite.opener(provider, &key, key.public(), INFO).is_err(), "{suite:?}");
    }
    // A key of another mechanism, whose public values would do.
    let p256 = Suite { kem: HpkeKem::DhkemP256HkdfSha256, ..Suite::default() };
    let (encapsulated, _) = Suite::default().sealer(provider, key.public(), INFO).unwrap();
    assert!(p256.opener(provider, &key, &encapsulated, INFO).is_err());
    let (mut sealer, _) = set_up(Suite::default(), &key);
    // RFC 5869 2.3.
    sealer.export(b"", &mut vec![0; 255 * 32]).unwrap();
    sealer.export(b"", &mut vec![0; 255 * 32 + 1]).unwrap_err();
    // No nonce comes twice.
    sealer.at(u64::MAX - 1);
    sealer.seal(b"", &mut vec![]).unwrap();
    sealer.seal(b"", &mut vec![]).unwrap_err();
}
