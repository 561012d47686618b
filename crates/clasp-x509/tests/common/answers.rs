//! Revocation lists and OCSP responses, made by hand.

use super::*;
use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};

pub(crate) const FROM: &str = "300301000000Z";
pub(crate) const TO: &str = "300401000000Z";
pub(crate) const CRL_NUMBER: &[u8] = &[0x55, 0x1d, 20];
pub(crate) const DELTA: &[u8] = &[0x55, 0x1d, 27];
pub(crate) const POINT: &[u8] = &[0x55, 0x1d, 28];

/// A list in the making.
pub(crate) struct List {
    pub issuer: Vec<u8>,
    pub from: &'static str,
    pub to: Option<&'static str>,
    pub entries: Vec<Vec<u8>>,
    pub extensions: Vec<Extension>,
}

pub(crate) fn extension(list: &[Extension]) -> Vec<u8> {
    let all = |(id, critical, value): &Extension| {
        let critical = if *critical { vec![1, 1, 0xff] } else { Vec::new() };
        seq(&[&oid(id), &critical, &tlv(4, value)])
    };
    tlv(0x30, &list.iter().flat_map(all).collect::<Vec<u8>>())
}

pub(crate) fn entry(serial: &[u8], extensions: &[Extension]) -> Vec<u8> {
    let extra = if extensions.is_empty() { Vec::new() } else { extension(extensions) };
    seq(&[&tlv(2, serial), &utc("300302000000Z"), &extra])
}

pub(crate) fn key_id(by: &Made) -> Extension {
    (AKI, false, seq(&[&tlv(0x80, &by.key.id())]))
}

pub(crate) fn list(by: &Made, change: impl FnOnce(&mut List)) -> Vec<u8> {
    let mut list = List {
        issuer: by.subject.clone(),
        from: FROM,
        to: Some(TO),
        entries: Vec::new(),
        extensions: vec![(CRL_NUMBER, false, vec![2, 1, 5]), key_id(by)],
    };
    change(&mut list);
    let to = list.to.map_or_else(Vec::new, utc);
    let entries = if list.entries.is_empty() { Vec::new() } else { tlv(0x30, &list.entries.concat()) };
    let extensions = tlv(0xa0, &extension(&list.extensions));
    by.key.frame(&seq(&[&[2, 1, 1], &ecdsa(), &list.issuer, &utc(list.from), &to, &entries, &extensions]))
}

/// What a CertID is hashed with: the algorithm, and the content of its OID.
pub(crate) type Hash = (&'static Algorithm, &'static [u8]);

pub(crate) const SHA_1: Hash = (&SHA1_FOR_LEGACY_USE_ONLY, &[0x2b, 14, 3, 2, 26]);
pub(crate) const SHA_2: [Hash; 3] = [
    (&SHA256, &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]),
    (&SHA384, &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2]),
    (&SHA512, &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3]),
];

/// What a response is made of.
pub(crate) struct Answer<'m> {
    pub by: &'m Made,
    pub by_key: bool,
    pub status: Vec<u8>,
    pub hash: Hash,
    pub serial: Vec<u8>,
    /// The issuer's name in the CertID, where it is not its subject.
    pub named: Option<Vec<u8>>,
    pub from: &'static str,
    pub to: Option<&'static str>,
    pub single: Vec<Extension>,
    pub whole: Vec<Extension>,
    pub with: Vec<Vec<u8>>,
    /// What stands before the responder's ID, which may be given whole.
    pub version: Vec<u8>,
    pub responder: Option<Vec<u8>>,
    /// Another status of the same certificate.
    pub also: Option<Vec<u8>>,
}

pub(crate) const GOOD: &[u8] = &[0x80, 0];

pub(crate) fn revoked() -> Vec<u8> {
    tlv(0xa1, &general("20300301000000Z"))
}

pub(crate) fn response(issuer: &Made, by: &Made, change: impl FnOnce(&mut Answer<'_>)) -> Vec<u8> {
    let mut a = Answer {
        by,
        by_key: false,
        status: GOOD.to_vec(),
        hash: SHA_1,
        serial: vec![9],
        named: None,
        from: "20300310000000Z",
        to: Some("20300320000000Z"),
        single: Vec::new(),
        whole: Vec::new(),
        with: Vec::new(),
        version: Vec::new(),
        responder: None,
        also: None,
    };
    change(&mut a);
    let (algorithm, id) = a.hash;
    let hash = |bytes: &[u8]| tlv(4, digest(algorithm, bytes).as_ref());
    let named = a.named.as_ref().unwrap_or(&issuer.subject);
    let cert_id = seq(&[&seq(&[&oid(id), &[5, 0]]), &hash(named), &hash(issuer.key.bits()), &tlv(2, &a.serial)]);
    let extensions = |list: &[Extension]| if list.is_empty() { Vec::new() } else { tlv(0xa1, &extension(list)) };
    let next = a.to.map_or_else(Vec::new, |to| tlv(0xa0, &general(to)));
    let single = |status: &[u8]| seq(&[&cert_id, status, &general(a.from), &next, &extensions(&a.single)]);
    let responder = if a.by_key { tlv(0xa2, &tlv(4, &a.by.key.id())) } else { tlv(0xa1, &a.by.subject) };
    let responder = a.responder.as_ref().unwrap_or(&responder);
    let all = [Some(&a.status), a.also.as_ref()].into_iter().flatten().map(|status| single(status)).collect::<Vec<_>>();
    let data =
        seq(&[&a.version, responder, &general("20300311000000Z"), &tlv(0x30, &all.concat()), &extensions(&a.whole)]);
    let certificates = if a.with.is_empty() { Vec::new() } else { tlv(0xa0, &tlv(0x30, &a.with.concat())) };
    let basic = seq(&[&data, &ecdsa(), &bit_string(&a.by.key.sign(&data)), &certificates]);
    let basic_id = oid(&[0x2b, 6, 1, 5, 5, 7, 48, 1, 1]);
    seq(&[&[10, 1, 0], &tlv(0xa0, &seq(&[&basic_id, &tlv(4, &basic)]))])
}
