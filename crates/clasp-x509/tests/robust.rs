//! No input panics a parser, and no alteration of a good chain is accepted.
#![allow(clippy::unwrap_used)]

mod common;

use clasp_x509::kind::{self, Kind};
use clasp_x509::pem;
use clasp_x509::{Certificate, Crl, OcspResponse, Options, Profile, Revocation, Sct, Spki, Usage, standing, verify};
use common::*;
use proptest::prelude::*;

/// Reads everything there is to read.
fn read_all(bytes: &[u8]) {
    if let Ok(certificate) = Certificate::parse(bytes) {
        let _text = format!("{certificate:?} {} {}", certificate.subject(), certificate.issuer());
        let _facts = (certificate.public_key().to_string(), certificate.signature_algorithm(), certificate.serial());
        let _lists = (certificate.identifiers(), certificate.alt_names().count(), certificate.timestamps());
        let _more = (certificate.must_staple(), certificate.issuer_addresses().count());
        for profile in Profile::ALL {
            let options = Options::new(at(NOW), Usage::Server).profile(profile);
            let mut roots = clasp_x509::Roots::empty();
            let _taken = roots.add_der(bytes);
            let _verdict = verify(&[bytes, bytes], &roots, &options);
        }
    }
    if let Ok(list) = Crl::parse(bytes) {
        let _text = format!("{list:?} {} {:?}", list.issuer(), list.number());
        let _entries: Vec<_> = list.entries().map(|e| (e.serial(), e.reason().to_string())).collect();
    }
    if let Ok(response) = OcspResponse::parse(bytes) {
        let _text = format!("{response:?} {}", response.responder());
        let _responses: Vec<_> = response.responses().map(|r| r.serial()).collect();
    }
    let _timestamps = Sct::read_list(bytes);
    let _unreadable = clasp_x509::Unreadable::of(bytes);
    let _kind = (kind::of(bytes), kind::private_key(bytes), kind::parameters(bytes), Spki::parse(bytes).is_ok());
}

/// One of each: a certificate with every extension, a list.
fn seeds() -> Vec<Vec<u8>> {
    let root = authority("root", None, |_| ());
    let rich = authority("rich", Some(&root), |d| {
        let point = seq(&[&seq(&[&tlv(0xa0, &tlv(0xa0, &tlv(0x86, b"http://a.example/")))])]);
        d.set(NAME_CONSTRAINTS, true, subtrees(&[dns("example.com"), tlv(0xa4, &name("x"))], &[tlv(0x87, &[0; 8])]))
            .set(POLICIES, false, seq(&[&seq(&[&oid(&[0x2a, 3])])]))
            .set(MAPPINGS, true, seq(&[&seq(&[&oid(&[0x2a, 3]), &oid(&[0x2a, 4])])]))
            .set(POLICY_CONSTRAINTS, true, seq(&[&tlv(0x80, &[1])]))
            .set(INHIBIT_ANY, true, vec![2, 1, 0])
            .set(CRL_POINTS, false, point)
            .set(TLS_FEATURE, false, seq(&[&[2, 1, 5]]))
            .set(
                SAN,
                false,
                names(&[dns("a.b"), tlv(0x81, b"a@b.c"), tlv(0x86, b"spiffe://a/b"), tlv(0x87, &[1; 16])]),
            );
    });
    let entry =
        seq(&[&[2, 1, 9], &utc("300302000000Z"), &seq(&[&seq(&[&oid(&[0x55, 0x1d, 21]), &tlv(4, &[10, 1, 1])])])]);
    let numbered = seq(&[&seq(&[&oid(&[0x55, 0x1d, 20]), &tlv(4, &[2, 1, 5])])]);
    let body = seq(&[
        &[2, 1, 1],
        &ecdsa(),
        &root.subject,
        &utc("300301000000Z"),
        &utc("300401000000Z"),
        &tlv(0x30, &entry),
        &tlv(0xa0, &numbered),
    ]);
    let single = seq(&[
        &seq(&[&seq(&[&oid(&[0x2b, 14, 3, 2, 26])]), &tlv(4, &[1; 20]), &tlv(4, &[2; 20]), &[2, 1, 9]]),
        &[0x80, 0],
        &general("20300310000000Z"),
    ]);
    let data = seq(&[&tlv(0xa1, &root.subject), &general("20300311000000Z"), &seq(&[&single])]);
    let basic = root.key.frame(&data);
    let typed = seq(&[&oid(&[0x2b, 6, 1, 5, 5, 7, 48, 1, 1]), &tlv(4, &basic)]);
    let response = seq(&[&[10, 1, 0], &tlv(0xa0, &typed)]);
    vec![rich.der, root.key.frame(&body), response]
}

#[test]
fn the_seeds_are_read() {
    let seeds = seeds();
    Certificate::parse(&seeds[0]).unwrap();
    Crl::parse(&seeds[1]).unwrap();
    OcspResponse::parse(&seeds[2]).unwrap();
}

#[test]
fn every_byte_altered_and_every_length_cut() {
    for seed in seeds() {
        for place in 0..seed.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff, seed[place] ^ 1, seed[place].wrapping_add(1)] {
                let mut bytes = seed.clone();
                bytes[place] = value;
                read_all(&bytes);
            }
            read_all(&seed[..place]);
            assert!(Certificate::parse(&seed[..place]).is_err() && Crl::parse(&seed[..place]).is_err());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read_all(&bytes);
    }

    /// Bytes that look like DER get further.
    #[test]
    fn no_der_panics(tree in der_tree()) {
        read_all(&tree);
    }

    /// One byte that is lost, added or altered anywhere loses no section without a word.
    #[test]
    fn no_section_of_a_damaged_file_is_lost_in_silence(at in any::<proptest::sample::Index>(), byte in any::<u8>(), what in 0..3) {
        let section = |label: &str| format!("-----BEGIN {label}-----\nTWFuTWFu\nTWE=\n-----END {label}-----\n");
        let mut file = format!("text\n{}{}{}", section("X509 CRL"), section("CERTIFICATE"), section("X509 CRL")).into_bytes();
        let at = at.index(file.len());
        match what {
            0 => drop(file.remove(at)),
            1 => file.insert(at, byte),
            _ => file[at] = byte,
        }
        if let Ok(sections) = pem::read(&file) {
            prop_assert_eq!(sections.len(), 3, "{}", String::from_utf8_lossy(&file));
        }
        let _items = (pem::items(&file, Kind::Crl), pem::items_or_der(&file, Kind::Crl), pem::private_key(&file));
    }
}

fn der_tree() -> impl Strategy<Value = Vec<u8>> {
    let tags = prop_oneof![
        Just(1u8),
        Just(2),
        Just(3),
        Just(4),
        Just(5),
        Just(6),
        Just(10),
        Just(12),
        Just(23),
        Just(24),
        Just(0x80),
        Just(0x82)
    ];
    let leaf = (tags, proptest::collection::vec(any::<u8>(), 0..20)).prop_map(|(tag, content)| tlv(tag, &content));
    leaf.prop_recursive(6, 64, 6, |inner| {
        let tags = prop_oneof![Just(0x30u8), Just(0x31), Just(0xa0), Just(0xa1), Just(0xa3), Just(4)];
        (tags, proptest::collection::vec(inner, 0..6)).prop_map(|(tag, parts)| tlv(tag, &parts.concat()))
    })
}

/// Every alteration of a chain's certificates is refused: each byte is signed, or part of the signature.
#[test]
fn no_mutation_of_a_chain_is_accepted() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |_| ());
    let leaf = server(&middle, |_| ());
    let roots = store(&[&root]);
    for (which, original) in [&leaf.der, &middle.der].into_iter().enumerate() {
        for place in 0..original.len() {
            for value in [0, 0x7f, 0x80, 0xff, original[place] ^ 1] {
                if value == original[place] {
                    continue;
                }
                let mut der = original.clone();
                der[place] = value;
                let mut chain = [&leaf.der[..], &middle.der[..]];
                chain[which] = &der;
                for profile in [Profile::WebPki, Profile::Legacy] {
                    let verdict = verify(&chain, &roots, &options(profile));
                    assert!(verdict.is_err(), "certificate {which}, byte {place} = {value:#x} passes in {profile:?}");
                }
            }
        }
    }
}

/// Likewise no alteration of a list makes a revoked certificate good.
#[test]
fn no_mutation_of_a_list_hides_a_revocation() {
    let root = authority("root", None, |_| ());
    let leaf = server(&root, |d| d.serial = vec![9]);
    let list = {
        let entry = seq(&[&[2, 1, 9], &utc("300302000000Z")]);
        let body = seq(&[
            &[2, 1, 1],
            &ecdsa(),
            &root.subject,
            &utc("300301000000Z"),
            &utc("300401000000Z"),
            &tlv(0x30, &entry),
        ]);
        root.key.frame(&body)
    };
    let (certificate, issuer) = (Certificate::parse(&leaf.der).unwrap(), Certificate::parse(&root.der).unwrap());
    let judge = |list: &[u8]| {
        let lists: Vec<Crl<'_>> = Crl::parse(list).into_iter().collect();
        let revocation = Revocation { lists: &lists, ..Revocation::default() };
        standing(&certificate, &[issuer], &options(Profile::Rfc5280).revocation(revocation))
    };
    assert!(matches!(judge(&list), clasp_x509::Standing::Revoked { .. }));
    for place in 0..list.len() {
        for value in [0, 0x7f, 0x80, 0xff, list[place] ^ 1] {
            let mut altered = list.clone();
            altered[place] = value;
            assert_ne!(judge(&altered), clasp_x509::Standing::Good, "byte {place} = {value:#x}");
        }
    }
}
