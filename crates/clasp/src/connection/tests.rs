//! What a peer can do with keys in hand: the test seals what no API of ours would send.

use super::*;
use crate::{ClientConfig, Identity, Policy, Roots, ServerConfig};

fn pair() -> (Connection, Connection) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2060, 1, 1);
    let der = params.self_signed(&key).unwrap().der().to_vec();
    let mut roots = Roots::empty();
    roots.add_der(&der).unwrap();
    let identity = Identity::from_der(vec![der], &key.serialize_der()).unwrap();
    let server = ServerConfig::builder().identity(identity).policy(Policy::default()).build().unwrap();
    let client = ClientConfig::builder().trust(Arc::new(roots)).build().unwrap();
    let mut client = client.connect("localhost".try_into().unwrap()).unwrap();
    let mut server = server.accept();
    let (mut up, mut down) = (Vec::new(), Vec::new());
    client.advance(&mut Context::from_waker(Waker::noop()), &mut up).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        server.receive(&mut up, &mut down).unwrap();
        up.clear();
        client.receive(&mut down, &mut up).unwrap();
        down.clear();
    }
    (client, server)
}

fn sealed(by: &mut Connection, content: ContentType, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    by.sealer.seal(content, &[IoSlice::new(plain)], &mut out).unwrap();
    out
}

/// RFC 5746 4.5, and the renegotiation attack (CVE-2009-3555): refused, a few times with a warning, then for good.
#[test]
fn renegotiation_is_refused_both_ways() {
    let (mut client, mut server) = pair();
    let hello = [&[1, 0, 0, 41, 3, 3][..], &[0; 32], &[0, 0, 2, 0xc0, 0x2b, 1, 0]].concat();
    for round in 0..=limits::MAX_RENEGOTIATION_REQUESTS {
        let mut out = Vec::new();
        let mut request = sealed(&mut server, ContentType::Handshake, &[0, 0, 0, 0]);
        let refused = client.receive(&mut request, &mut out).is_err();
        assert_eq!(refused, round == limits::MAX_RENEGOTIATION_REQUESTS, "round {round}");
        let mut answer = out;
        if !refused {
            server.receive(&mut answer, &mut Vec::new()).unwrap();
        }
    }
    let (mut client, mut server) = pair();
    let mut out = Vec::new();
    server.receive(&mut sealed(&mut client, ContentType::Handshake, &hello), &mut out).unwrap();
    assert!(!out.is_empty(), "a warning");
    let mut finished = sealed(&mut client, ContentType::Handshake, &[20, 0, 0, 0]);
    assert!(server.receive(&mut finished, &mut Vec::new()).is_err(), "another message after the handshake");
}

#[test]
fn empty_record_flood_ends_the_connection() {
    let (mut client, mut server) = pair();
    let results: Vec<bool> = (0..=limits::MAX_EMPTY_RECORDS)
        .map(|_| {
            let mut empty = sealed(&mut client, ContentType::ApplicationData, &[]);
            server.receive(&mut empty, &mut Vec::new()).is_err()
        })
        .collect();
    assert_eq!(results.iter().filter(|failed| **failed).count(), 1);
    assert_eq!(results.last(), Some(&true));
}

#[test]
fn warning_alert_flood_and_malformed_alerts_end_the_connection() {
    let (mut client, mut server) = pair();
    for round in 0..=limits::MAX_WARNING_ALERTS {
        let mut warning = sealed(&mut client, ContentType::Alert, &[1, 90]);
        let result = server.receive(&mut warning, &mut Vec::new());
        assert_eq!(result.is_err(), round == limits::MAX_WARNING_ALERTS);
    }
    for bad in [&[1][..], &[1, 0, 1, 0], &[3, 0], &[]] {
        let (mut client, mut server) = pair();
        assert!(server.receive(&mut sealed(&mut client, ContentType::Alert, bad), &mut Vec::new()).is_err(), "{bad:?}");
    }
}

#[test]
fn a_second_change_cipher_spec_and_what_follows_a_failure() {
    let (mut client, mut server) = pair();
    let mut out = Vec::new();
    let mut record = sealed(&mut client, ContentType::ChangeCipherSpec, &[1]);
    let first = server.receive(&mut record, &mut out).unwrap_err();
    assert_eq!(first.cause(), &Cause::Peer(PeerError::UnexpectedChangeCipherSpec));
    assert!(!out.is_empty(), "the alert");
    let mut record = sealed(&mut client, ContentType::ApplicationData, b"x");
    let again = server.receive(&mut record, &mut Vec::new()).unwrap_err();
    assert_eq!(again.cause(), first.cause(), "the first error stands");
    assert!(server.send(&[IoSlice::new(b"x")], &mut Vec::new()).is_err());
    let mut quiet = Vec::new();
    server.close(&mut quiet).unwrap();
    assert!(quiet.is_empty(), "nothing is said after a fatal alert");
}
