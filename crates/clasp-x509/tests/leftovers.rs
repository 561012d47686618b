//! Nothing may stand behind what is read, at any depth: where one reader stops, another goes on.
#![allow(clippy::unwrap_used)]

mod common;

use clasp_x509::{Certificate, Crl, OcspResponse, PublicKey};
use common::answers::*;
use common::*;

/// A tag, where its content begins, and where it ends.
fn head(der: &[u8]) -> Option<(u8, usize, usize)> {
    let (tag, first) = (*der.first()?, usize::from(*der.get(1)?));
    let (start, len) = match first {
        0..=0x7f => (2, first),
        0x81 => (3, usize::from(*der.get(2)?)),
        0x82 => (4, usize::from(*der.get(2)?) << 8 | usize::from(*der.get(3)?)),
        _ => return None,
    };
    (start + len <= der.len()).then_some((tag, start, start + len))
}

fn elements(mut der: &[u8]) -> Option<Vec<&[u8]>> {
    let mut all = Vec::new();
    while !der.is_empty() {
        let (_, _, end) = head(der)?;
        all.push(&der[..end]);
        der = &der[end..];
    }
    Some(all)
}

/// What stands in an element that has others in it: constructed ones, and strings that are one element themselves.
fn inner(element: &[u8]) -> Option<Vec<&[u8]>> {
    let (tag, start, end) = head(element)?;
    let content = &element[start..end];
    match tag {
        _ if tag & 0x20 != 0 => elements(content),
        4 => elements(content).filter(|all| all.len() == 1 && head(all[0]).is_some_and(|(tag, ..)| tag & 0x20 != 0)),
        _ => None,
    }
}

/// The element with NULL behind the rest, once for each place within it; and the tags and places on the way there.
fn appended(element: &[u8]) -> Vec<(String, Vec<u8>)> {
    let Some(parts) = inner(element) else { return Vec::new() };
    let tag = element[0];
    let rebuilt = |at: usize, part: &[u8]| {
        let all: Vec<u8> =
            parts.iter().enumerate().flat_map(|(i, old)| if i == at { part } else { old }).copied().collect();
        tlv(tag, &all)
    };
    let mut all = vec![(format!("{tag:x}"), tlv(tag, &[&parts.concat()[..], &[5, 0]].concat()))];
    for (at, part) in parts.iter().enumerate() {
        let within = appended(part).into_iter().map(|(path, der)| (format!("{tag:x}.{at} {path}"), rebuilt(at, &der)));
        all.extend(within);
    }
    all
}

/// The places at which something more is borne: nobody reads on from there.
fn borne(der: &[u8], read: fn(&[u8]) -> bool) -> Vec<String> {
    assert!(read(der));
    appended(der).into_iter().filter(|(_, longer)| read(longer)).map(|(path, _)| path).collect()
}

#[test]
fn behind_every_part_of_a_list() {
    let root = authority("root", None, |_| ());
    let full = list(&root, |l| {
        let issuer = seq(&[&tlv(0xa4, &root.subject)]);
        l.entries = vec![entry(&[9], &[(&[0x55, 0x1d, 21], false, vec![10, 1, 1]), (&[0x55, 0x1d, 29], true, issuer)])];
        let name = tlv(0xa0, &tlv(0xa0, &tlv(0x86, b"http://a.example/")));
        l.extensions.push((POINT, true, seq(&[&name, &[0x84, 1, 0xff]])));
    });
    assert_eq!(borne(&full, |der| Crl::parse(der).is_ok()), Vec::<String>::new());
}

#[test]
fn behind_every_part_of_a_response() {
    let root = authority("root", None, |_| ());
    let nonce: &'static [u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 1, 2];
    let full = response(&root, &root, |a| {
        a.version = tlv(0xa0, &[2, 1, 0]);
        a.status = tlv(0xa1, &[general("20300301000000Z"), tlv(0xa0, &[10, 1, 1])].concat());
        a.whole = vec![(nonce, false, tlv(4, b"12345678"))];
        a.single = vec![(&[0x2a, 3], false, vec![5, 0])];
        a.with = vec![root.der.clone()];
    });
    let borne = borne(&full, |der| OcspResponse::parse(der).is_ok());
    // Parameters of the signature's algorithm are for whoever checks it, and certificates that came along, for whoever reads them.
    let (algorithm, certificate) = ("30.1 a0.0 30.1 4.0 30.1 30", "30.1 a0.0 30.1 4.0 30.3 a0.0 30.0 30");
    let other: Vec<_> = borne.iter().filter(|p| *p != algorithm && !p.starts_with(certificate)).collect();
    assert_eq!(other, Vec::<&String>::new());
}

#[test]
fn behind_every_part_of_a_certificate() {
    let root = authority("root", None, |_| ());
    let leaf = server(&root, |d| {
        d.set(CRL_POINTS, false, seq(&[&seq(&[&tlv(0xa0, &tlv(0xa0, &tlv(0x86, b"http://a.example/")))])]));
    });
    let middle = authority("middle", Some(&root), |d| {
        d.set(BASIC_CONSTRAINTS, true, path_length(3)).set(NAME_CONSTRAINTS, true, subtrees(&[dns("a.test")], &[]));
        d.set(POLICIES, false, seq(&[&seq(&[&oid(&[0x2a, 3])])]));
        d.set(POLICY_CONSTRAINTS, true, seq(&[&tlv(0x80, &[5])]));
    });
    // A key is read by whoever uses it.
    let read = |der: &[u8]| {
        Certificate::parse(der)
            .is_ok_and(|read| !matches!(read.public_key(), PublicKey::Malformed | PublicKey::Other(_)))
    };
    for made in [&leaf, &middle] {
        assert_eq!(borne(&made.der, read), Vec::<String>::new());
    }
}
