//! Certificates that are odd in one way: what each is refused for, and in which words.
#![allow(clippy::unwrap_used)]

mod common;

use clasp_x509::{Certificate, CertificateRequest, Profile, Proof, Reason, Rejection, Spki, Unreadable, Usage, verify};
use common::*;

fn judged(root: &Made, leaf: &Made, profile: Profile) -> Result<(), Box<Rejection>> {
    verify(&chain(&[leaf]), &store(&[root]), &options(profile)).map(|_| ())
}

/// A string that is none of its kind reads as one thing here and as another there.
#[test]
fn a_name_with_a_string_that_is_none_of_its_kind_is_not_read() {
    let root = authority("root", None, |_| ());
    for (what, tag, value, good) in [
        ("UTF-8", 0x0c, &b"caf\xc3\xa9"[..], true),
        ("Latin-1 as UTF-8", 0x0c, b"caf\xe9", false),
        ("an overlong slash", 0x0c, b"a\xc0\xafb", false),
        ("a BMPString", 0x1e, b"\0a\0b", true),
        ("an odd BMPString", 0x1e, b"\0a\0", false),
        ("a surrogate in a BMPString", 0x1e, b"\xd8\x3d\xde\0", false),
        ("a UniversalString", 0x1c, b"\0\0\0a", true),
        ("three bytes of a UniversalString", 0x1c, b"\0\0a", false),
        ("a PrintableString", 0x13, b"a_b", true),
        ("Latin-1 as PrintableString", 0x13, b"caf\xe9", false),
        ("Latin-1 as IA5String", 0x16, b"caf\xe9", false),
        ("a TeletexString", 0x14, b"caf\xe9", true),
    ] {
        let leaf = server(&root, |d| d.subject = name_as(tag, value));
        assert_eq!(Certificate::parse(&leaf.der).is_ok(), good, "{what}");
        assert_eq!(judged(&root, &leaf, Profile::Legacy).is_ok(), good, "{what}");
    }
}

/// RFC 3986 2: some software takes `\` for `/`, and another host for the host.
#[test]
fn the_host_of_a_uri_is_not_read_where_readers_disagree() {
    let root = authority("root", None, |d| {
        drop(d.set(NAME_CONSTRAINTS, true, subtrees(&[tlv(0x86, b".good.test")], &[])).tbs());
    });
    for (uri, good) in [
        ("https://a.good.test/", true),
        ("https://evil.test\\@a.good.test/", false),
        ("https://evil.test\\.a.good.test/", false),
        ("https://a.good.test\\", false),
        ("https://evil test@a.good.test/", false),
        ("https://a.good.test/<>", false),
    ] {
        let leaf = server(&root, |d| {
            drop(d.set(SAN, false, names(&[dns("example.com"), tlv(0x86, uri.as_bytes())])).tbs());
        });
        assert_eq!(
            judged(&root, &leaf, Profile::Rfc5280).map_err(|r| r.reason()).err(),
            (!good).then_some(Reason::NameConstraint),
            "{uri}"
        );
        assert_eq!(judged(&root, &leaf, Profile::WebPki).is_ok(), good, "{uri}");
    }
}

/// What nobody can be held against is not read: a constraint that silently holds nothing would be worse.
#[test]
fn constraints_and_usages_that_say_nothing_clear_are_not_read() {
    for (what, tree) in [
        ("a trailing space", dns("example.com ")),
        ("a leading space", dns(" example.com")),
        ("a space alone", dns(" ")),
        ("a URI with its scheme", tlv(0x86, b"https://example.com")),
        ("a URI with a path", tlv(0x86, b"example.com/a")),
        ("a URI with a port", tlv(0x86, b"example.com:443")),
    ] {
        for list in [subtrees(std::slice::from_ref(&tree), &[]), subtrees(&[], std::slice::from_ref(&tree))] {
            let root = authority("root", None, |d| drop(d.set(NAME_CONSTRAINTS, true, list).tbs()));
            let error = Certificate::parse(&root.der).unwrap_err();
            assert_eq!(error.field(), "nameConstraints", "{what}");
            assert_eq!(root.der[error.offset()..][..tree.len()], tree, "{what}: where the base stands");
        }
    }
    let root = authority("root", None, |_| ());
    for (what, bits, good) in [
        ("nine bits", vec![3, 3, 7, 0x80, 0x80], true),
        ("a third byte", vec![3, 4, 7, 0x80, 0, 0x80], false),
        ("bits behind the end", vec![3, 2, 7, 0x81], false),
    ] {
        let leaf = server(&root, |d| drop(d.set(KEY_USAGE, true, bits).tbs()));
        assert_eq!(Certificate::parse(&leaf.der).is_ok(), good, "{what}");
    }
}

/// X.690 11.5, as for `critical FALSE`.
#[test]
fn ca_false_spelled_out_is_no_der() {
    let root = authority("root", None, |_| ());
    let spelled = server(&root, |d| drop(d.set(BASIC_CONSTRAINTS, true, seq(&[&[1, 1, 0]])).tbs()));
    let refused = judged(&root, &spelled, Profile::WebPki).unwrap_err();
    assert_eq!((refused.reason(), refused.nearest().rule), (Reason::BadForm, "X.690 11.5"));
    judged(&root, &spelled, Profile::Rfc5280).unwrap();
    let absent = server(&root, |d| drop(d.set(BASIC_CONSTRAINTS, true, seq(&[])).tbs()));
    judged(&root, &absent, Profile::WebPki).unwrap();
}

fn rsa(bits: usize, last: u8, exponent: &[u8]) -> Vec<u8> {
    let mut modulus = if bits.is_multiple_of(8) { vec![0, 0x80] } else { vec![1 << (bits % 8 - 1)] };
    modulus.resize(modulus.len() + bits.div_ceil(8) - 2, 7);
    modulus.push(last);
    let key = seq(&[&tlv(2, &modulus), &tlv(2, exponent)]);
    seq(&[&seq(&[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]), &[5, 0]]), &bit_string(&key)])
}

/// What was found and what was wanted never say the same.
#[test]
fn a_key_is_refused_for_what_is_wrong_with_it() {
    let root = authority("root", None, |_| ());
    let good = Key::new();
    let mut off_curve = good.bits().to_vec();
    off_curve[40] ^= 1;
    let point = |bits: &[u8]| {
        let kind = seq(&[&oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]), &oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7])]);
        seq(&[&kind, &bit_string(bits)])
    };
    let of_kind = |kind: &[u8]| seq(&[&seq(&[&oid(kind)]), &bit_string(&[7; 16])]);
    let on_curve = |curve: &[u8]| {
        let kind = seq(&[&oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]), &oid(curve)]);
        seq(&[&kind, &bit_string(&[&[4][..], &[7; 48]].concat())])
    };
    let (odd, kinds) = ("an odd exponent of at least 3", "RSA, ECDSA, Ed25519 or ML-DSA");
    for (what, spki, profiles, wanted) in [
        ("off the curve", point(&off_curve), &Profile::ALL[..], "a point of the curve"),
        ("half a point", point(&good.bits()[..40]), &Profile::ALL, "a point of the curve"),
        ("infinity", point(&[0]), &Profile::ALL, "a point of the curve"),
        ("an even modulus", rsa(2048, 6, &[1, 0, 1]), &Profile::ALL, "a public key as its algorithm has it"),
        ("an even exponent", rsa(2048, 7, &[1, 0, 0]), &Profile::ALL, odd),
        ("exponent 0", rsa(2048, 7, &[0]), &Profile::ALL, odd),
        ("exponent 1", rsa(2048, 7, &[1]), &Profile::ALL, odd),
        ("exponent 2", rsa(2048, 7, &[2]), &Profile::ALL, odd),
        ("a negative exponent", rsa(2048, 7, &[0xfd]), &Profile::ALL, odd),
        ("an exponent of 34 bits", rsa(2048, 7, &[2, 0, 0, 0, 1]), &Profile::ALL, odd),
        ("an exponent above the modulus", rsa(2048, 7, &[&[0x7f][..], &[7; 256]].concat()), &Profile::ALL, odd),
        ("P-192", on_curve(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 1]), &Profile::ALL, kinds),
        ("secp112r1", on_curve(&[0x2b, 0x81, 4, 0, 6]), &Profile::ALL, kinds),
        ("DSA", of_kind(&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1]), &Profile::ALL, kinds),
        ("an unknown kind", of_kind(&[0x2a, 3, 4]), &Profile::ALL, kinds),
        ("half an Ed25519 key", of_kind(&[0x2b, 0x65, 0x70]), &Profile::ALL, "a public key as its algorithm has it"),
        ("bits beside bytes", rsa(2049, 7, &[1, 0, 1]), &Profile::ALL[..1], "an RSA modulus of whole bytes"),
        ("too small", rsa(1024, 7, &[1, 0, 1]), &Profile::ALL[..2], "bits are at least 2048"),
        ("far too small", rsa(512, 7, &[1, 0, 1]), &Profile::ALL, "bits are at least"),
        ("too large", rsa(16_384, 7, &[1, 0, 1]), &Profile::ALL, "bits are at most 8192"),
    ] {
        for profile in profiles {
            let leaf = server(&root, |d| d.spki = spki.clone());
            let refused = judged(&root, &leaf, *profile).expect_err(what);
            assert_eq!(refused.reason(), Reason::UnsupportedAlgorithm, "{what} {profile:?}: {refused}");
            assert!(refused.nearest().wanted.contains(wanted), "{what}: {refused}");
        }
        for profile in Profile::ALL.iter().filter(|profile| !profiles.contains(profile)) {
            judged(&root, &server(&root, |d| d.spki = spki.clone()), *profile).expect(what);
        }
    }
    for modulus in [rsa(2048, 7, &[1, 0, 1]), rsa(3072, 7, &[3]), rsa(2048, 7, &[1, 0xff, 0xff, 0xff, 0xff])] {
        judged(&root, &server(&root, |d| d.spki = modulus.clone()), Profile::WebPki).unwrap();
    }
}

/// A key that is too small made no wrong signature.
#[test]
fn a_root_whose_key_is_too_small_is_not_a_wrong_signature() {
    let mut small = authority("small", None, |d| d.spki = rsa(1024, 7, &[1, 0, 1]));
    let leaf = server(&small, |d| {
        d.algorithm = seq(&[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]), &[5, 0]]);
    });
    let refused = judged(&small, &leaf, Profile::Rfc5280).unwrap_err();
    assert_eq!(refused.reason(), Reason::UnsupportedAlgorithm, "{refused}");
    assert!(refused.nearest().wanted.contains("2048"), "{refused}");
    small.der.clear();
}

/// An issuer that was sent, but beyond what is looked at, was sent.
#[test]
fn an_issuer_beyond_the_limit_is_not_said_to_be_missing() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |_| ());
    let leaf = server(&middle, |_| ());
    let stray = authority("stray", None, |_| ());
    let mut presented = vec![&leaf];
    presented.resize(129, &stray);
    let all = verify(&chain(&presented[..128]), &store(&[&root]), &options(Profile::WebPki)).unwrap_err();
    assert!(all.to_string().contains("neither a trusted root nor sent along"), "128 are looked at: {all}");
    let missing = verify(&chain(&presented[..2]), &store(&[&root]), &options(Profile::WebPki)).unwrap_err();
    assert!(missing.to_string().contains("neither a trusted root nor sent along"), "{missing}");
    presented.push(&middle);
    let beyond = verify(&chain(&presented), &store(&[&root]), &options(Profile::WebPki)).unwrap_err();
    assert!(beyond.to_string().contains("nor among the first 128 certificates"), "{beyond}");
}

#[test]
fn what_cannot_be_read_shows_what_can() {
    let root = authority("root", None, |_| ());
    let leaf = server(&root, |d| drop(d.set(KEY_USAGE, true, vec![3, 4, 7, 0x80, 0, 0x80]).tbs()));
    assert_eq!(Unreadable::of(&root.der), None);
    let what = Unreadable::of(&leaf.der).unwrap();
    assert_eq!((what.subject.as_deref(), what.issuer.as_deref()), (Some("CN=example.com"), Some("CN=root")));
    assert_eq!(what.serial.as_deref(), Some("1122"));
    let at = leaf.der.windows(6).position(|part| part == [3, 4, 7, 0x80, 0, 0x80]).unwrap();
    assert_eq!((what.error.field(), what.error.offset()), ("keyUsage", at));
    let refused = judged(&root, &leaf, Profile::Rfc5280).unwrap_err();
    let words = refused.to_string();
    for part in ["CN=example.com", "as keyUsage", &format!("at byte {at};"), "wanted a BIT STRING of at most two bytes"]
    {
        assert!(words.contains(part), "{part}: {words}");
    }
    let old = server(&root, |d| d.validity = seq(&[&utc("290101000000Z"), &utc("3101010000Z")]));
    let what = Unreadable::of(&old.der).unwrap();
    assert_eq!((what.error.field(), what.subject.as_deref()), ("notAfter", Some("CN=example.com")));
    assert_eq!(&old.der[what.error.offset()..][..2], [0x17, 11]);
    assert!(what.spki.is_some_and(|key| Spki::parse(&key).is_ok()));
    for cut in 0..leaf.der.len() {
        assert!(Unreadable::of(&leaf.der[..cut]).is_some_and(|what| what.error.offset() <= cut), "{cut}");
    }
}

/// The field, where it stands in what was given, what stands there, and what would have been read.
#[test]
fn what_cannot_be_read_is_said_with_its_place() {
    let root = authority("root", None, |_| ());
    let good = server(&root, |_| ());
    let place = |part: &[u8]| good.der.windows(part.len()).position(|w| w == part).unwrap();
    let (serial, critical) = (place(&[2, 2, 0x11, 0x22]), place(&[0x55, 0x1d, 15, 1, 1, 0xff]) + 3);
    for (at, byte, said) in [
        (0, 0x31, "Certificate at byte 0: found a SET, wanted a SEQUENCE".to_owned()),
        (serial, 4, format!("serialNumber at byte {serial}: found an OCTET STRING, wanted an INTEGER")),
        (critical + 2, 7, format!("critical at byte {critical}: found something else, wanted a BOOLEAN of 0 or 255")),
    ] {
        let mut bad = good.der.clone();
        bad[at] = byte;
        assert_eq!(Certificate::parse(&bad).unwrap_err().to_string(), said);
    }
    let longer = [&good.der[..], &[5, 0]].concat();
    let said = format!("Certificate at byte {}: found NULL, wanted nothing more", good.der.len());
    assert_eq!(Certificate::parse(&longer).unwrap_err().to_string(), said);
    assert_eq!(
        Certificate::parse(&[]).unwrap_err().to_string(),
        "Certificate at byte 0: found nothing, wanted a SEQUENCE"
    );
    let twice = server(&root, |d| d.extensions.extend_from_within(..1));
    let error = Certificate::parse(&twice.der).unwrap_err();
    assert_eq!((error.field(), error.wanted().to_string()), ("extensions", "each extension once".into()));
    // Within another thing that is given, the place is that in what was given.
    let spki = good.key.spki();
    let error = Spki::parse(&spki[..spki.len() - 1]).unwrap_err();
    assert_eq!((error.field(), error.offset()), ("subjectPublicKeyInfo", 0));
    let error = clasp_x509::Sct::read_list(&[0, 3, 0, 2, 0]).unwrap_err();
    assert_eq!((error.field(), error.offset()), ("SignedCertificateTimestampList", 4));
}

/// An algorithm that nobody checks here is not a signature that is wrong.
#[test]
fn a_request_is_good_wrong_or_not_checked() {
    let key = Key::new();
    let body = seq(&[&[2, 1, 0], &name("asked"), &key.spki(), &[0xa0, 0]]);
    let good = key.frame(&body);
    let mut wrong = good.clone();
    *wrong.last_mut().unwrap() ^= 1;
    let md5 = seq(&[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4]), &[5, 0]]);
    let other = seq(&[&body, &md5, &bit_string(&[7; 64])]);
    for (request, proof) in [(good, Proof::Good), (wrong, Proof::Wrong), (other, Proof::NotChecked)] {
        assert_eq!(CertificateRequest::parse(&request).unwrap().proof(), proof);
    }
}

/// RFC 5280 4.2.1.3: a key that may do nothing of what handshakes have it do is refused before one.
#[test]
fn the_key_of_a_peer_may_take_part_in_a_handshake() {
    let root = authority("root", None, |_| ());
    let leaf = |bits: Option<Vec<u8>>, key: Option<Vec<u8>>| {
        server(&root, |d| {
            d.spki = key.unwrap_or_else(|| d.spki.clone());
            d.set(EKU, false, seq(&[&oid(SERVER_AUTH), &oid(CLIENT_AUTH)])).without(KEY_USAGE);
            d.extensions.extend(bits.map(|bits| -> Extension { (KEY_USAGE, true, bits) }));
        })
    };
    let of = |bit: u8| Some(usage(bit));
    for (what, bits, key, server, client) in [
        ("no keyUsage", None, None, true, true),
        ("digitalSignature", of(0x80), None, true, true),
        ("keyEncipherment", of(0x20), None, false, false),
        ("keyEncipherment of an RSA key", of(0x20), Some(rsa(2048, 1, &[1, 0, 1])), true, false),
        ("keyAgreement", of(0x08), None, true, true),
        ("nonRepudiation", of(0x40), None, false, false),
        ("keyCertSign", of(0x04), None, false, false),
        ("cRLSign", of(0x02), None, false, false),
        ("nothing", Some(vec![3, 1, 0]), None, false, false),
        ("two bytes of nothing", Some(vec![3, 2, 0, 0]), None, false, false),
    ] {
        let leaf = leaf(bits, key);
        let mut pinned = store(&[&root]);
        pinned.add_der(&leaf.der).unwrap();
        for profile in [Profile::Rfc5280, Profile::Legacy] {
            for (usage, good) in [(Usage::Server, server), (Usage::Client, client), (Usage::Any, true)] {
                let mut asked = options(profile);
                asked.usage = usage;
                for roots in [&store(&[&root]), &pinned] {
                    match verify(&chain(&[&leaf]), roots, &asked) {
                        Ok(_) => assert!(good, "{what}, {usage:?} {profile:?}"),
                        Err(refused) => {
                            assert!(!good, "{what}, {usage:?} {profile:?}: {refused}");
                            let (reason, rule) = (refused.reason(), refused.nearest().rule);
                            assert_eq!((reason, rule), (Reason::WrongUsage, "RFC 5280 4.2.1.3"), "{what}");
                        }
                    }
                }
            }
        }
    }
}

/// RFC 5280 4.2: who makes an extension critical wants it processed, or the certificate refused.
#[test]
fn a_critical_extension_that_is_not_processed_is_refused() {
    let root = authority("root", None, |_| ());
    let uri = tlv(0x86, b"http://a.example/");
    let point = seq(&[&seq(&[&tlv(0xa0, &tlv(0xa0, &uri))])]);
    let method: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 2];
    let access = seq(&[&seq(&[&oid(method), &uri])]);
    let (key, of_root) = (tlv(4, &[7; 20]), seq(&[&tlv(0x80, &root.key.id())]));
    let attribute = seq(&[&seq(&[&oid(&[0x55, 4, 3]), &tlv(0x31, &tlv(0x0c, b"x"))])]);
    let all: [(&'static [u8], Vec<u8>); 7] = [
        (AKI, of_root),
        (SKI, key),
        (&[0x55, 0x1d, 18], names(&[dns("a.example")])),
        (&[0x55, 0x1d, 9], attribute),
        (&[0x55, 0x1d, 46], point),
        (AUTHORITY_INFO, access.clone()),
        (&[0x2b, 6, 1, 5, 5, 7, 1, 11], access),
    ];
    for (id, value) in all {
        for profile in Profile::ALL {
            let leaf = |critical| server(&root, |d| drop(d.set(id, critical, value.clone()).tbs()));
            judged(&root, &leaf(false), profile).expect("not critical");
            let refused = judged(&root, &leaf(true), profile).expect_err("critical");
            let good = matches!(refused.reason(), Reason::CriticalExtension | Reason::BadForm);
            assert!(good, "{id:x?} {profile:?}: {refused}");
            let middle = authority("middle", Some(&root), |d| drop(d.set(id, true, value.clone()).tbs()));
            let below = server(&middle, |_| ());
            assert!(verify(&chain(&[&below, &middle]), &store(&[&root]), &options(profile)).is_err(), "{id:x?}");
        }
    }
}

/// RFC 5280 4.1.2.4, 4.2.1.6, 4.2.1.10: what no profile bears in a path.
#[test]
fn what_is_read_in_two_ways_is_refused_in_every_profile() {
    type Change = fn(&mut Draft);
    let changes: [(&str, Change, &str); 5] = [
        (
            "an address of no bytes",
            |d| drop(d.set(SAN, false, names(&[dns("example.com"), tlv(0x87, &[])])).tbs()),
            "4.2.1.6",
        ),
        ("of eight", |d| drop(d.set(SAN, false, names(&[dns("example.com"), tlv(0x87, &[1; 8])])).tbs()), "4.2.1.6"),
        (
            "an empty label",
            |d| drop(d.set(SAN, false, names(&[dns("example.com"), dns("a..example.com")])).tbs()),
            "4.2.1.6",
        ),
        ("limits", |d| drop(d.set(NAME_CONSTRAINTS, true, subtrees(&[dns("example.com")], &[])).tbs()), "4.2.1.10"),
        ("a plain one", |_| (), ""),
    ];
    let root = authority("root", None, |_| ());
    let nameless = authority("", None, |d| (d.subject, d.issuer) = (vec![0x30, 0], vec![0x30, 0]));
    for profile in Profile::ALL {
        for (what, change, section) in changes {
            let leaf = server(&root, change);
            match judge(&root, &[&leaf], "example.com", &options(profile)) {
                Ok(_) => assert!(section.is_empty(), "{what} {profile:?}"),
                Err(refused) => {
                    assert_eq!(refused.reason(), Reason::BadForm, "{what} {profile:?}: {refused}");
                    assert!(refused.nearest().rule.ends_with(section), "{what} {profile:?}: {refused}");
                }
            }
        }
        let leaf = server(&nameless, |_| ());
        let refused = verify(&chain(&[&leaf]), &store(&[&nameless]), &options(profile));
        assert_eq!(refused.unwrap_err().reason(), Reason::BadForm, "{profile:?}");
    }
}
