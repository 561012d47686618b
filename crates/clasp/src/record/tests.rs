//! Every protection, both ways, and every way it must refuse.

use super::*;
use crate::code::{ContentType, ProtocolVersion};
use crate::crypto::{HashId, Provider};
use crate::keys::maker::{KeyMaker, KeyMaterial};
use crate::keys::schedule12::{Side, Vault12};
use crate::suite::{Bulk, SUITES, Suite};
use std::io::IoSlice;

fn pair(suite: &Suite, etm: bool) -> (Sealer, Opener) {
    let provider = Provider::builtin();
    let mut vault = Vault12::new();
    vault.expand(provider.hash(HashId::Sha256).unwrap(), suite, &[1; 32], &[2; 32]);
    let maker = RecordKeys(provider);
    let material = KeyMaterial::Tls12 { suite, keys: vault.keys(suite, Side::Client), encrypt_then_mac: etm };
    let (mut sealer, mut opener) = (Sealer::default(), Opener::default());
    sealer.set_version(ProtocolVersion::Tls12);
    sealer.install(maker.seal(&material).unwrap());
    opener.install(maker.open(&material).unwrap());
    (sealer, opener)
}

fn every(mut test: impl FnMut(&Suite, bool)) {
    for suite in SUITES {
        if Provider::builtin().legacy.is_none() && suite.is_legacy() {
            continue;
        }
        test(suite, false);
        if matches!(suite.bulk, Bulk::Cbc(_)) {
            test(suite, true);
        }
    }
}

fn seal(sealer: &mut Sealer, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    sealer.seal(ContentType::ApplicationData, &[IoSlice::new(plain)], &mut out).unwrap();
    out
}

#[test]
fn every_protection_round_trips_at_every_size() {
    every(|suite, etm| {
        let (mut sealer, mut opener) = pair(suite, etm);
        for size in (0..70).chain([255, 256, 1023, 16383, 16384]) {
            let plain: Vec<u8> = (0..=250).cycle().take(size).collect();
            let mut record = seal(&mut sealer, &plain);
            let range = opener.open(ContentType::ApplicationData, &mut record).unwrap().range;
            assert_eq!(record[range], plain, "{} etm {etm} size {size}", suite.code);
        }
    });
}

#[test]
fn many_records_a_call_from_many_slices() {
    let suite = Suite::find(crate::code::CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256).unwrap();
    let (mut sealer, mut opener) = pair(suite, false);
    sealer.set_limit(100);
    let parts = [vec![1; 70], vec![], vec![2; 130], vec![3; 55]];
    let slices: Vec<IoSlice<'_>> = parts.iter().map(|p| IoSlice::new(p)).collect();
    let mut out = Vec::new();
    assert_eq!(sealer.seal(ContentType::ApplicationData, &slices, &mut out), Ok(3));
    let mut got = Vec::new();
    while let Ok(frame::Frame::Record { len, content }) = frame::next(&out, false) {
        let range = opener.open(content, &mut out[..len]).unwrap().range;
        got.extend_from_slice(&out[range]);
        out.drain(..len);
    }
    assert_eq!(got, parts.concat());
}

/// As much as has room, and no record of nothing where a byte has none.
#[test]
fn what_has_room_is_sealed_and_nothing_else() {
    every(|suite, etm| {
        let (mut sealer, mut opener) = pair(suite, etm);
        sealer.set_limit(64);
        let plain: Vec<u8> = (0..150).collect();
        let enough = sealer.sealed_len(plain.len());
        for room in 0..=enough {
            let mut out = vec![0; room];
            let (taken, given) =
                sealer.seal_into(ContentType::ApplicationData, &[IoSlice::new(&plain)], &mut out).unwrap();
            assert_eq!(taken == 0, given == 0, "{} etm {etm}: room for {room}", suite.code);
            assert!(given <= room && (taken == plain.len()) == (room == enough), "{room} of {enough}");
            out.truncate(given);
            let mut got = Vec::new();
            while let Ok(frame::Frame::Record { len, content }) = frame::next(&out, false) {
                let range = opener.open(content, &mut out[..len]).unwrap().range;
                assert!(!range.is_empty());
                got.extend_from_slice(&out[range]);
                out.drain(..len);
            }
            assert_eq!(got, plain[..taken]);
        }
    });
}

/// RFC 8449 4: the smallest limit, 64, counts the byte of the content type in TLS 1.3, and leaves 63.
#[test]
fn the_smallest_size_limit_is_kept() {
    let suite = Suite::find(crate::code::CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256).unwrap();
    let (mut sealer, mut opener) = pair(suite, false);
    sealer.set_limit(63);
    opener.set_limit(63, false);
    let mut out = Vec::new();
    assert_eq!(sealer.seal(ContentType::ApplicationData, &[IoSlice::new(&[7; 64])], &mut out), Ok(2));
    let Ok(frame::Frame::Record { len, content }) = frame::next(&out, false) else { panic!("a record") };
    assert_eq!(opener.open(content, &mut out[..len]).unwrap().range.len(), 63);
}

/// Lucky Thirteen, POODLE: whatever is wrong inside a record, the answer is the same.
#[test]
fn lucky_thirteen_every_bit_flip_is_one_error() {
    every(|suite, etm| {
        let (mut sealer, _) = pair(suite, etm);
        let record = seal(&mut sealer, b"the quick brown fox");
        for bit in limits::HEADER_LEN * 8..record.len() * 8 {
            let (_, mut opener) = pair(suite, etm);
            let mut altered = record.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            let got = opener.open(ContentType::ApplicationData, &mut altered);
            assert_eq!(got, Err(RecordError::BadMac), "{} etm {etm} bit {bit}", suite.code);
        }
        for len in limits::HEADER_LEN..record.len() {
            let (_, mut opener) = pair(suite, etm);
            let got = opener.open(ContentType::ApplicationData, &mut record[..len].to_vec());
            assert_eq!(got, Err(RecordError::BadMac), "{} etm {etm} cut to {len}", suite.code);
        }
    });
}

#[test]
fn replayed_reordered_and_relabelled_records_are_refused() {
    every(|suite, etm| {
        let (mut sealer, mut opener) = pair(suite, etm);
        let (one, two) = (seal(&mut sealer, b"one"), seal(&mut sealer, b"two"));
        assert!(opener.open(ContentType::ApplicationData, &mut two.clone()).is_err(), "out of order");
        assert!(opener.open(ContentType::Handshake, &mut one.clone()).is_err(), "another type");
        assert!(opener.open(ContentType::ApplicationData, &mut one.clone()).is_ok());
        assert!(opener.open(ContentType::ApplicationData, &mut one.clone()).is_err(), "again");
    });
}

/// POODLE: AWS-LC checks every padding byte; a record whose padding differs in any byte must not open. With
/// encrypt-then-MAC the padding is ours to check.
#[test]
#[cfg(feature = "legacy")]
fn poodle_every_padding_byte_is_checked() {
    use crate::crypto::Use;
    let suite = Suite::find(crate::code::CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA).unwrap();
    let provider = Provider::builtin();
    let legacy = provider.legacy.unwrap();
    let (mac_key, key) = ([7; 20], [9; 16]);
    let mac = provider.hash(HashId::Sha1).unwrap().hmac(&mac_key);
    let iv = [5; 16];
    // seq_num, type, version, length: RFC 5246 6.2.3.3.
    let aad = [0, 0, 0, 0, 0, 0, 0, 0, 23, 3, 3, 0, 3];
    let Bulk::Cbc(id) = suite.bulk else { panic!("a CBC suite") };
    let attempt = |padding: [u8; 9]| {
        // "abc", its MAC, and nine bytes of padding: two blocks made by hand.
        let mut tag = [0; 20];
        mac.sign(&[&aad, b"abc"], &mut tag);
        let mut blocks = [&b"abc"[..], &tag, &padding].concat();
        legacy.block(&key, Use::Seal).unwrap().encrypt(&iv, &mut blocks).unwrap();
        let mut opener = legacy.cbc_hmac(id, &mac_key, &key, Use::Open).unwrap().unwrap();
        opener.open(&iv, aad.first_chunk().unwrap(), &mut blocks)
    };
    assert_eq!(attempt([8; 9]), Ok(3));
    for byte in 0..8 {
        let mut padding = [8; 9];
        padding[byte] = 0;
        assert!(attempt(padding).is_err(), "padding byte {byte} is not looked at");
    }
}

/// BEAST: each CBC record begins with a fresh IV, never the last block of the one before.
#[test]
#[cfg(feature = "legacy")]
fn beast_each_record_has_a_fresh_iv() {
    every(|suite, etm| {
        if let Bulk::Cbc(_) = suite.bulk {
            let (mut sealer, _) = pair(suite, etm);
            let (a, b) = (seal(&mut sealer, b"same"), seal(&mut sealer, b"same"));
            assert_ne!(a[5..21], b[5..21]);
            assert_ne!(a[a.len() - 16..], b[5..21]);
        }
    });
}

#[test]
fn record_too_long_is_refused_before_and_after_opening() {
    let mut header = vec![23, 3, 3, 0x48, 1];
    assert_eq!(frame::next(&header, false), Err(RecordError::TooLong(0x4801)));
    header[4] = 0;
    assert_eq!(frame::next(&header, false), Ok(frame::Frame::Partial(0x4800)));
    let suite = Suite::find(crate::code::CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256).unwrap();
    let (mut sealer, mut opener) = pair(suite, false);
    opener.set_limit(512, false);
    let mut record = seal(&mut sealer, &[0; 513]);
    assert_eq!(opener.open(ContentType::ApplicationData, &mut record), Err(RecordError::TooLong(513)));
}

#[test]
fn other_protocols_are_recognised() {
    assert_eq!(frame::next(b"GET / HTTP/1.1\r\n", true), Err(RecordError::PlainHttp));
    assert_eq!(frame::next(b"HTTP/1.1 400 Bad Request", true), Err(RecordError::PlainHttp));
    assert_eq!(frame::next(b"SSH-2.0-OpenSSH", true), Err(RecordError::NotTls));
    assert_eq!(frame::next(&[0x80, 0x2e, 1, 3, 1], true), Err(RecordError::Ssl2));
    assert_eq!(
        frame::next(&[22, 3, 1, 0, 4, 1, 2, 3, 4], true),
        Ok(frame::Frame::Record { content: ContentType::Handshake, len: 9 })
    );
    assert_eq!(frame::next(&[22, 3], true), Ok(frame::Frame::Partial(3)));
    assert_eq!(frame::next(&[22, 2, 0, 0, 0], true), Err(RecordError::WrongVersion(0x0200)));
}
