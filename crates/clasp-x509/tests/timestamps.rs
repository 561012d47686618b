//! Signed certificate timestamps, by a log of our own.
#![allow(clippy::unwrap_used)]

mod common;

use aws_lc_rs::digest::{SHA256, digest};
use clasp_x509::{Certificate, Logs, Sct, SctEntry, SctVerdict};
use common::*;

const LIST: &[u8] = &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2];

fn prefixed(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

/// A SignedCertificateTimestampList with one timestamp over this entry.
fn list(log: &Key, at_ms: u64, kind: u8, entry: &[u8]) -> Vec<u8> {
    let signed = [&[0, 0][..], &at_ms.to_be_bytes(), &[0, kind], entry, &[0, 0]].concat();
    let id = digest(&SHA256, &log.spki());
    let sct = [&[0][..], id.as_ref(), &at_ms.to_be_bytes(), &[0, 0, 4, 3], &prefixed(&log.sign(&signed))].concat();
    prefixed(&prefixed(&sct))
}

fn entry(issuer: Option<&Made>, body: &[u8]) -> Vec<u8> {
    let hash = issuer.map_or_else(Vec::new, |by| digest(&SHA256, &by.key.spki()).as_ref().to_vec());
    [&hash[..], &u32::try_from(body.len()).unwrap().to_be_bytes()[1..], body].concat()
}

#[test]
fn embedded_and_separate() {
    let (log, stranger) = (Key::new(), Key::new());
    let mut logs = Logs::default();
    logs.add("our log", &log.spki());
    let root = authority("root", None, |_| ());
    let when = NOW * 1000;
    let leaf = server(&root, |d| {
        let sct = list(&log, when, 1, &entry(Some(&root), &d.tbs()));
        d.set(LIST, false, tlv(4, &sct));
    });
    let parsed = Certificate::parse(&leaf.der).unwrap();
    let scts = parsed.timestamps().unwrap();
    assert_eq!((scts.len(), scts[0].timestamp()), (1, when));
    let issuer = root.key.spki();
    let judge = |logs: &Logs, sct: &Sct<'_>, entry, now| logs.check(sct, entry, now).unwrap();
    let embedded = SctEntry::Embedded(&parsed, &issuer);
    assert_eq!(judge(&logs, &scts[0], embedded, NOW), SctVerdict::Good("our log".into()));
    assert_eq!(judge(&logs, &scts[0], embedded, NOW - 10), SctVerdict::Future("our log".into()));
    assert_eq!(judge(&Logs::default(), &scts[0], embedded, NOW), SctVerdict::UnknownLog);
    let other = stranger.spki();
    let wrong = SctEntry::Embedded(&parsed, &other);
    assert_eq!(judge(&logs, &scts[0], wrong, NOW), SctVerdict::BadSignature("our log".into()));

    let plain = server(&root, |_| ());
    let parsed = Certificate::parse(&plain.der).unwrap();
    assert_eq!(parsed.timestamps().unwrap(), []);
    let bytes = list(&log, when, 0, &entry(None, &plain.der));
    let scts = Sct::read_list(&bytes).unwrap();
    assert_eq!(judge(&logs, &scts[0], SctEntry::Separate(&parsed), NOW), SctVerdict::Good("our log".into()));
    for len in 0..bytes.len() {
        assert!(Sct::read_list(&bytes[..len]).is_err(), "{len} of {} bytes", bytes.len());
    }
}
