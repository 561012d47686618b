//! Which keys early data and the messages around it came under: what an attacker without any key can add, drop or fill in.
//! The walk over every conversation stands in `grammar/keys.rs`; here are the attacks as they were shown, with real keys.
#![allow(clippy::unwrap_used)]

use clasp::error::Cause;
use clasp::wire::code::{CipherSuite, NamedGroup, ProtocolVersion};
use clasp::{ClientConfig, Policy, ServerConfig};
use clasp_testkit::hollow_bytes::{DATA, HANDSHAKE, Wrap, messages, record};
use clasp_testkit::provider::hollow;
use clasp_testkit::{KeyKind, Pair, authority};
use std::sync::Arc;

fn server(groups: &[NamedGroup], max_early_data: u32) -> Arc<ServerConfig> {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let policy = Policy::modern().with_groups(groups.to_vec());
    ServerConfig::builder().identity(identity).policy(policy).max_early_data(max_early_data).build().unwrap()
}

/// A client that has met the server and offers early data the next time.
fn acquainted(server: &Arc<ServerConfig>) -> Arc<ClientConfig> {
    let policy = Policy::modern().with_groups([NamedGroup::X25519, NamedGroup::Secp256r1]);
    let client = ClientConfig::builder().trust(authority().roots()).policy(policy).key_shares([NamedGroup::X25519]);
    let client = client.early_data(true).build().unwrap();
    let mut pair = Pair::new(&client, server);
    pair.drive().unwrap();
    client
}

/// A first flight with early data, cut into records.
fn first_flight(pair: &mut Pair) -> Vec<Vec<u8>> {
    pair.drive_one_client_flight().unwrap();
    pair.client.send_early(b"POST /transfer 100", &mut pair.to_server).unwrap();
    let (flight, mut records) = (std::mem::take(&mut pair.to_server), Vec::new());
    let mut rest = &flight[..];
    while !rest.is_empty() {
        let (record, behind) = rest.split_at(5 + usize::from(u16::from_be_bytes([rest[3], rest[4]])));
        records.push(record.to_vec());
        rest = behind;
    }
    records
}

/// The record with a message more in it.
fn with(record: &[u8], message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(record.len() - 5 + message.len()).unwrap().to_be_bytes();
    [&record[..3], &length, &record[5..], message].concat()
}

#[test]
fn early_data_deleted_with_its_end_said_in_the_clear() {
    let server = server(&[NamedGroup::X25519], 1000);
    let client = acquainted(&server);
    // The attacker says EndOfEarlyData behind the hello, in its record, and drops what was sent early.
    let mut pair = Pair::new(&client, &server);
    let records = first_flight(&mut pair);
    assert!(records.iter().any(|record| record[0] == DATA), "no early data was sent");
    let mut attacked = with(&records[0], &[5, 0, 0, 0]);
    let error = pair.server.receive(&mut attacked, &mut Vec::new()).unwrap_err();
    assert_eq!(error.alert().name(), "unexpected_message", "{error}");
    // In a record of its own, in the clear, it does not open.
    let mut pair = Pair::new(&client, &server);
    let mut attacked = [&first_flight(&mut pair)[0][..], &[HANDSHAKE, 3, 3, 0, 4, 5, 0, 0, 0]].concat();
    pair.server.receive(&mut attacked, &mut Vec::new()).unwrap_err();
}

#[test]
fn a_flight_in_the_clear_behind_server_hello_is_refused() {
    let server = server(&[NamedGroup::X25519], 0);
    let client = acquainted(&server);
    let mut pair = Pair::new(&client, &server);
    pair.drive_server_flights(1);
    let hello = 5 + usize::from(u16::from_be_bytes([pair.to_client[3], pair.to_client[4]]));
    // EncryptedExtensions without any.
    let mut attacked = with(&pair.to_client[..hello], &[8, 0, 0, 2, 0, 0]);
    let error = pair.client.receive(&mut attacked, &mut Vec::new()).unwrap_err();
    assert_eq!(error.alert().name(), "unexpected_message", "{error}");
}

/// RFC 9846 4.2.10, 5.2: early data that was refused ends where the second hello comes; what does not open behind it is
/// no early data.
#[test]
fn nothing_is_skipped_behind_a_second_hello() {
    let knows = server(&[NamedGroup::X25519], 1000);
    for retries in [server(&[NamedGroup::Secp256r1], 0), server(&[NamedGroup::Secp256r1], 1000)] {
        let client = acquainted(&knows);
        let mut pair = Pair::new(&client, &retries);
        pair.to_server = first_flight(&mut pair).concat();
        // Before it, early data is skipped.
        pair.drive().unwrap();
        let client = acquainted(&knows);
        let mut pair = Pair::new(&client, &retries);
        pair.to_server = first_flight(&mut pair).concat();
        pair.drive_client_flights(1);
        pair.server.receive(&mut pair.to_server, &mut Vec::new()).unwrap();
        let mut noise = [&[DATA, 3, 3, 0, 64][..], &[0x5a; 64]].concat();
        let error = pair.server.receive(&mut noise, &mut Vec::new()).unwrap_err();
        assert_eq!(error.alert().name(), "bad_record_mac", "{error}");
    }
}

#[test]
fn one_record_of_any_size_is_skipped_where_early_data_is_off() {
    let (knows, off) = (server(&[NamedGroup::X25519], 1000), server(&[NamedGroup::X25519], 0));
    for (records, fits) in [(1, true), (2, false)] {
        let client = acquainted(&knows);
        let mut pair = Pair::new(&client, &off);
        let hello = first_flight(&mut pair).swap_remove(0);
        // The greatest of TLS 1.3: RFC 9846 5.2.
        let length = u16::try_from((1 << 14) + 256).unwrap();
        let record = [&[DATA, 3, 3][..], &length.to_be_bytes(), &vec![0x5a; length.into()]].concat();
        let mut arrives = [hello, record.repeat(records)].concat();
        let received = pair.server.receive(&mut arrives, &mut pair.to_client).map(|r| r.used);
        assert_eq!(received.is_ok(), fits, "{records} records: {received:?}");
    }
}

/// What stands behind the last Finished of TLS 1.2, in its record, is not lost in silence.
#[test]
fn nothing_stands_behind_the_last_finished_of_tls12() {
    let policy = Policy::default().with_versions([ProtocolVersion::Tls12]);
    let policy = policy.with_groups([NamedGroup::X25519, NamedGroup::Secp256r1]);
    let policy = policy.with_suites([CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]);
    let client = || ClientConfig::builder().trust(authority().roots()).policy(policy.clone()).provider(hollow());
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).policy(policy.clone()).provider(hollow());
    let server = server.build().unwrap();
    for (behind, good) in [(&[][..], true), (&[0, 0, 0, 0], false)] {
        // A client that knows nobody: the server finishes last.
        let mut pair = Pair::new(&client().build().unwrap(), &server);
        pair.drive_server_flights(2);
        let finished = messages(&pair.to_client, false).pop().unwrap().bytes();
        let mut flight = pair.to_client[..pair.to_client.len() - (5 + 8 + finished.len() + 16)].to_vec();
        flight.extend(record(Wrap::Gcm12, HANDSHAKE, &[&finished, behind].concat()));
        let received = pair.client.receive(&mut flight, &mut Vec::new()).map(|received| received.used);
        assert_eq!(received.is_ok(), good, "{received:?}");
    }
}

/// A server that fails before it has keys says so in the clear; once a record has come under keys, anybody could.
#[test]
fn an_alert_in_the_clear_is_none_once_a_record_has_opened() {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).policy(Policy::modern()).max_record(64).build().unwrap();
    let client = ClientConfig::builder().trust(authority().roots()).policy(Policy::modern()).build().unwrap();
    for (opened, believed) in [(0, true), (1, false)] {
        let mut pair = Pair::new(&client, &server);
        pair.drive_server_flights(1);
        let (mut flight, mut rest, mut protected) = (Vec::new(), &pair.to_client[..], 0);
        while rest[0] != DATA || protected < opened {
            protected += usize::from(rest[0] == DATA);
            let (record, behind) = rest.split_at(5 + usize::from(u16::from_be_bytes([rest[3], rest[4]])));
            flight.extend_from_slice(record);
            rest = behind;
        }
        flight.extend([21, 3, 3, 0, 2, 2, 40]);
        let error = pair.client.receive(&mut flight, &mut Vec::new()).unwrap_err();
        assert_eq!(matches!(error.cause(), Cause::Alert(_)), believed, "{error}");
    }
}
