//! Certificates taken apart.

use super::*;
use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    KeyPair, KeyUsagePurpose, NameConstraints, PKCS_RSA_SHA256,
};

fn certificate(key: &KeyPair) -> Vec<u8> {
    let names = ["site.example", "192.0.2.7", "2001:db8::1"].map(String::from);
    let mut params = CertificateParams::new(names.to_vec()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "Büro");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(2));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec!["http://a.example/crl".into()] }];
    let permitted_subtrees = vec![GeneralSubtree::DnsName("example".into())];
    params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
    params.use_authority_key_identifier_extension = true;
    params.self_signed(key).unwrap().der().to_vec()
}

fn of(name: &str, bytes: &[u8]) -> Vec<Field> {
    let end = bytes.len();
    let field = Field { name: name.into(), index: None, start: 0, end, depth: 3, value: String::new(), leaf: true };
    taken_apart(vec![field], bytes)
}

/// Each byte stands in one field that holds no other, and each field in those before it.
fn is_whole(fields: &[Field], length: usize) {
    let mut at = 0;
    for field in fields {
        assert!(field.start <= field.end && field.end <= length, "{field:?}");
        if field.leaf {
            assert_eq!(field.start, at, "{field:?}");
            at = field.end;
        }
    }
    assert_eq!(at, length);
}

#[test]
fn every_byte_of_a_certificate_has_its_name() {
    for key in [KeyPair::generate().unwrap(), KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap()] {
        let der = certificate(&key);
        let fields = of("cert_data", &der);
        is_whole(&fields, der.len());
        let has = |name: &str, value: &str| {
            let found = fields.iter().any(|field| field.name == name && field.value.contains(value));
            assert!(found, "{name}: {value} is not in {fields:#?}");
        };
        for (name, value) in [
            ("version", "v3"),
            ("type", "CN"),
            ("value", "\"Büro\""),
            ("notBefore", "1975-01-01 00:00:00 UTC"),
            ("notAfter", "4096-01-01 00:00:00 UTC"),
            ("dNSName", "\"site.example\""),
            ("iPAddress", "192.0.2.7"),
            ("iPAddress", "2001:db8::1"),
            ("KeyUsage", "digitalSignature, cRLSign"),
            ("KeyPurposeId", "serverAuth"),
            ("cA", "TRUE"),
            ("pathLenConstraint", "2"),
            ("uniformResourceIdentifier", "\"http://a.example/crl\""),
            ("extnID", "basicConstraints"),
            ("critical", "TRUE"),
            ("keyIdentifier", ""),
            ("unused bits", "0"),
            ("signatureValue", ""),
        ] {
            has(name, value);
        }
        assert!(fields.iter().all(|field| field.name != "unread" && field.name != "tag"), "{fields:#?}");
        let mine = if matches!(key.algorithm(), a if *a == PKCS_RSA_SHA256) { "publicExponent" } else { "r" };
        has(mine, "");
        let spki = Certificate::parse(&der).unwrap().spki().to_vec();
        let raw = of("cert_data", &spki);
        is_whole(&raw, spki.len());
        assert_eq!((raw[1].name.as_str(), raw[0].name.as_str()), ("subjectPublicKeyInfo", "cert_data"));
    }
    assert_eq!(of("other", &[0x30, 0]).len(), 1);
}

#[test]
fn whatever_stands_in_place_of_a_certificate_is_borne_with() {
    let der = certificate(&KeyPair::generate().unwrap());
    let mut noise = 7_u32;
    let mut random = || {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(noise >> 8).unwrap()
    };
    for round in 0..3000 {
        let mut bytes = der.clone();
        for _ in 0..=round % 4 {
            let at = random() % bytes.len();
            bytes[at] = u8::try_from(random() % 256).unwrap();
        }
        bytes.truncate(der.len() - if round % 3 == 0 { random() % der.len() } else { 0 });
        is_whole(&of("certificate", &bytes), bytes.len());
        is_whole(&of("DistinguishedName", &bytes), bytes.len());
    }
    // Nested without end, and of nothing but empty items.
    let nested: Vec<u8> = (0..60_u8).rev().flat_map(|n| [0x30, n * 2]).collect();
    is_whole(&of("certificate", &nested), nested.len());
    let body = [5, 0].repeat(20_000);
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    let wide = [&[0x30, 0x82][..], &length, &body].concat();
    let fields = of("certificate", &wide);
    is_whole(&fields, wide.len());
    assert!(fields.len() < 2100);
    is_whole(&of("certificate", &[]), 0);
}
