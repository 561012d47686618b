//! Each known attack by name. What is possible here in memory is a real attack, not a unit of one.
#![allow(clippy::unwrap_used)]

use clasp::config::{ClientBuilder, Ready, ServerBuilder};
use clasp::crypto::PrivateKey;
use clasp::error::{Cause, CertificateError, PeerError};
use clasp::record::RecordError;
#[cfg(feature = "legacy")]
use clasp::wire::code::NamedGroup;
use clasp::wire::code::{CipherSuite, ProtocolVersion};
use clasp::{ClientAuth, ClientConfig, Error, Identity, Policy, ServerConfig, config::WebPki};
use clasp_testkit::{KeyKind, Pair, authority, other_authority};
use std::sync::Arc;

fn client(policy: Policy) -> ClientBuilder<Ready> {
    ClientConfig::builder().trust(authority().roots()).policy(policy.with_versions([ProtocolVersion::Tls12]))
}

fn server(kind: KeyKind, policy: Policy) -> ServerBuilder<Ready> {
    ServerConfig::builder()
        .identity(authority().issue(kind, &["localhost"]).identity())
        .policy(policy.with_versions([ProtocolVersion::Tls12]))
}

fn pair(suite: CipherSuite) -> Pair {
    let kind = if suite.name().contains("ECDSA") { KeyKind::P256 } else { KeyKind::Rsa };
    let policy = || Policy::legacy().with_suites([suite]);
    Pair::new(&client(policy()).build().unwrap(), &server(kind, Policy::legacy()).build().unwrap())
}

const ECDHE: CipherSuite = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;

/// Splits bytes into records.
fn records(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    while bytes.len() >= 5 {
        let len = 5 + usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
        out.push(bytes[..len].to_vec());
        bytes = &bytes[len..];
    }
    out
}

fn cause(error: &Error) -> Cause {
    error.cause().clone()
}

#[test]
fn man_in_the_middle_with_a_certificate_of_the_same_names_is_refused() {
    let forged = other_authority().issue(KeyKind::P256, &["localhost"]).identity();
    let middle = ServerConfig::builder().identity(forged).build().unwrap();
    let mut pair = Pair::new(&client(Policy::default()).build().unwrap(), &middle);
    let refused = pair.drive().unwrap_err();
    assert_eq!(cause(&refused), Cause::Certificate(CertificateError::BadSignature));
    assert_eq!(pair.server.failure().unwrap().peer_alert().unwrap().name(), "bad_certificate");
    let stranger = clasp_testkit::Authority::new("Somebody Else").issue(KeyKind::P256, &["localhost"]).identity();
    let stranger = ServerConfig::builder().identity(stranger).build().unwrap();
    let refused = Pair::new(&client(Policy::default()).build().unwrap(), &stranger).drive().unwrap_err();
    assert_eq!(cause(&refused), Cause::Certificate(CertificateError::UnknownIssuer));
    assert_eq!(refused.alert().name(), "unknown_ca");
}

/// A client that knows the true server's chain again gives the man in the middle nothing: not for a chain of his own, nor
/// for the true one, whose key he does not have.
#[test]
fn man_in_the_middle_is_refused_by_a_client_that_knows_the_server() {
    let client = client(Policy::default()).no_sessions().build().unwrap();
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    let server = |identity| ServerConfig::builder().identity(identity).build().unwrap();
    for _checked_then_known in 0..2 {
        Pair::new(&client, &server(issued.identity())).drive().unwrap();
    }
    let forged = other_authority().issue(KeyKind::P256, &["localhost"]);
    let refused = Pair::new(&client, &server(forged.identity())).drive().unwrap_err();
    assert_eq!(cause(&refused), Cause::Certificate(CertificateError::BadSignature));
    let his_key = Arc::new(PrivateKey::from_der(&forged.key).unwrap());
    let borrowed = Identity::with_signer(issued.chain, his_key).unwrap();
    let refused = Pair::new(&client, &server(borrowed)).drive().unwrap_err();
    assert_eq!(cause(&refused), Cause::Peer(PeerError::BadSignature));
}

#[test]
fn a_record_altered_on_the_way_is_refused_by_its_mac() {
    for suite in [ECDHE, CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA] {
        if cfg!(not(feature = "legacy")) && suite != ECDHE {
            continue;
        }
        let mut pair = pair(suite);
        pair.drive().unwrap();
        pair.client_sends(b"pay 1 to Bob").unwrap();
        let middle = pair.to_server.len() / 2;
        pair.to_server[middle] ^= 1;
        let refused = pair.drive().unwrap_err();
        assert_eq!(cause(&refused), Cause::Record(RecordError::BadMac));
        assert!(pair.server_data.is_empty(), "a byte was believed");
        assert_eq!(pair.client.failure().unwrap().peer_alert().unwrap().name(), "bad_record_mac");
    }
}

/// Bleichenbacher, ROBOT: a ciphertext with bad padding, a wrong length or a wrong version ends exactly as one that
/// decrypts to another secret: at Finished, with the same alert after the same messages.
#[test]
#[cfg(feature = "legacy")]
fn bleichenbacher_robot_no_ciphertext_gives_another_answer() {
    let mut answers = Vec::new();
    for change in [0_usize, 1, 2, 3] {
        let mut pair = pair(CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256);
        pair.drive_client_flights(1);
        let flight = std::mem::take(&mut pair.to_server);
        let mut flight = records(&flight);
        // The first record is ClientKeyExchange: header 5, message header 4, length 2, ciphertext.
        let exchange = &mut flight[0];
        match change {
            0 => exchange[11..].fill(0),
            1 => exchange[11..].fill(0xff),
            2 => *exchange.last_mut().unwrap() ^= 1,
            _ => exchange[60] ^= 0x80,
        }
        pair.to_server = flight.concat();
        let refused = pair.drive().unwrap_err();
        answers.push((cause(&refused), refused.alert(), refused.place().message, pair.to_client.len()));
    }
    assert!(answers.windows(2).all(|w| w[0] == w[1]), "{answers:?}");
    assert_eq!(answers[0].0, Cause::Record(RecordError::BadMac));
}

/// CRIME: no compression is offered, and none is accepted.
#[test]
fn crime_compression_is_neither_offered_nor_accepted() {
    let policy = Policy::legacy().with_suites([ECDHE]);
    let plain = client(policy).grease(false).build().unwrap();
    let mut p = Pair::new(&plain, &server(KeyKind::P256, Policy::legacy()).build().unwrap());
    p.drive_one_client_flight().unwrap();
    let hello = records(&p.to_server).remove(0);
    // record 5, message 4, version 2, random 32, empty session ID 1, suites 2 + 2, then the methods.
    assert_eq!(hello[5 + 4 + 2 + 32 + 1 + 2 + 2..][..2], [1, 0], "other methods than null");
    let mut only_deflate = hello;
    only_deflate[5 + 4 + 2 + 32 + 1 + 2 + 2 + 1] = 1;
    p.to_server = only_deflate;
    assert_eq!(cause(&p.drive().unwrap_err()), Cause::Peer(PeerError::BadCompression));
}

/// FREAK: a server that answers with an export suite, or any suite that was not offered, is refused.
#[test]
fn freak_a_suite_that_was_not_offered_is_refused() {
    for forced in [0x0003_u16, 0x0008, 0x002f, 0x0000] {
        let mut pair = pair(ECDHE);
        pair.drive_server_flights(1);
        // record 5, message 4, version 2, random 32, session ID 1 + 32, then the suite.
        let at = 5 + 4 + 2 + 32 + 1 + usize::from(pair.to_client[5 + 4 + 2 + 32]);
        pair.to_client[at..at + 2].copy_from_slice(&forced.to_be_bytes());
        assert_eq!(cause(&pair.drive().unwrap_err()), Cause::Peer(PeerError::WrongSuiteSelected));
    }
}

/// Logjam: a server cannot choose a small group, and an altered ServerKeyExchange does not verify.
#[test]
#[cfg(feature = "legacy")]
fn logjam_altered_parameters_do_not_verify() {
    let mut pair = pair(CipherSuite::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256);
    pair.drive_server_flights(1);
    let prime = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xad, 0xf8];
    let at = pair.to_client.windows(prime.len()).position(|w| w == prime).unwrap();
    pair.to_client[at + 9] ^= 1;
    assert_eq!(cause(&pair.drive().unwrap_err()), Cause::Peer(PeerError::BadSignature));
}

/// Triple handshake: sessions are bound to their conversation where both sides can, a resumption that drops the
/// binding is refused, and no channel binding is given without it.
#[test]
fn triple_handshake_a_session_with_the_binding_is_not_resumed_without() {
    let server = server(KeyKind::P256, Policy::default()).build().unwrap();
    let sessions = Arc::new(clasp::session::ClientSessionCache::new(4));
    let bound = client(Policy::default()).sessions(sessions.clone()).build().unwrap();
    Pair::new(&bound, &server).drive().unwrap();
    let mut second = Pair::new(&bound, &server);
    let _ = second.drive_one_client_flight();
    // Take extended_master_secret (0x0017, empty) out of the hello by giving it another number.
    let at = second.to_server.windows(4).rposition(|w| w == [0, 0x17, 0, 0]).unwrap();
    second.to_server[at + 1] = 0x99;
    assert_eq!(cause(&second.drive().unwrap_err()), Cause::Peer(PeerError::ResumedWithoutEms));
    // Nor by a client whose server resumes without it (RFC 7627 5.3): out of the ServerHello, with the lengths around it.
    Pair::new(&bound, &server).drive().unwrap();
    let mut third = Pair::new(&bound, &server);
    third.drive_server_flights(1);
    let hello = 5 + usize::from(u16::from_be_bytes([third.to_client[3], third.to_client[4]]));
    let session_id = usize::from(third.to_client[9 + 34]);
    let at = third.to_client[..hello].windows(4).rposition(|w| w == [0, 0x17, 0, 0]).unwrap();
    third.to_client.drain(at..at + 4);
    for low_byte in [4, 8, 9 + 35 + session_id + 4] {
        third.to_client[low_byte] -= 4;
    }
    assert_eq!(cause(&third.drive().unwrap_err()), Cause::Peer(PeerError::ResumedWithoutEms));
}

/// SMACK: each message of a server's or client's flight left out, doubled, or out of order is refused.
#[test]
fn smack_no_message_can_be_skipped_doubled_or_reordered() {
    for to_client in [true, false] {
        let flight = |pair: &mut Pair| {
            if to_client {
                pair.drive_server_flights(1);
                split_messages(&std::mem::take(&mut pair.to_client))
            } else {
                pair.drive_client_flights(1);
                split_messages(&std::mem::take(&mut pair.to_server))
            }
        };
        let count = flight(&mut pair(ECDHE)).len();
        assert!(count >= 3, "{count} records");
        for place in 0..count {
            for kind in ["skip", "double", "swap"] {
                let mut pair = pair(ECDHE);
                let mut messages = flight(&mut pair);
                match kind {
                    "skip" => drop(messages.remove(place)),
                    "double" => messages.insert(place, messages[place].clone()),
                    _ if place + 1 < count => messages.swap(place, place + 1),
                    _ => continue,
                }
                let bytes = messages.concat();
                if to_client {
                    pair.to_client = bytes;
                } else {
                    pair.to_server = bytes;
                }
                let result = pair.drive();
                // A Finished that comes twice is found out as a replayed record, after the handshake.
                let replayed = kind == "double" && place + 1 == count && !to_client;
                let complete = pair.client.facts().is_some() && pair.server.facts().is_some();
                assert!(replayed || !complete, "{kind} of record {place} (to client: {to_client}) completes");
                if !(kind == "skip" && place + 1 == count) {
                    assert!(result.is_err(), "{kind} of record {place} (to client: {to_client}) goes unnoticed");
                }
            }
        }
    }
}

/// Every handshake message as a record of its own; other records as they are.
fn split_messages(flight: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for r in records(flight) {
        let mut body = &r[5..];
        let encrypted = out.iter().any(|o: &Vec<u8>| o[0] == 20);
        while r[0] == 22 && !encrypted && body.len() >= 4 {
            let len = 4 + usize::from(u16::from_be_bytes([body[2], body[3]]));
            let n = u16::try_from(len).unwrap().to_be_bytes();
            out.push([&[22, 3, 3, n[0], n[1]], &body[..len]].concat());
            body = &body[len..];
        }
        if r[0] != 22 || encrypted {
            out.push(r);
        }
    }
    out
}

/// Early ChangeCipherSpec (CVE-2014-0224): before the keys are agreed it is refused on both sides.
#[test]
fn early_change_cipher_spec_is_refused() {
    let ccs = [20, 3, 3, 0, 1, 1];
    let mut to_server = pair(ECDHE);
    let _ = to_server.drive_one_client_flight();
    to_server.to_server.extend_from_slice(&ccs);
    assert_eq!(cause(&to_server.drive().unwrap_err()), Cause::Peer(PeerError::UnexpectedChangeCipherSpec));
    let mut to_client = pair(ECDHE);
    to_client.drive_server_flights(1);
    to_client.to_client.splice(0..0, ccs);
    assert_eq!(cause(&to_client.drive().unwrap_err()), Cause::Peer(PeerError::UnexpectedChangeCipherSpec));
}

#[test]
fn downgrade_to_an_old_version_is_refused() {
    let mut old_client = pair(ECDHE);
    let _ = old_client.drive_one_client_flight();
    old_client.to_server[10] = 2;
    let refused = old_client.drive().unwrap_err();
    assert_eq!(cause(&refused), Cause::Peer(PeerError::NoCommonVersion));
    assert_eq!(refused.alert().name(), "protocol_version");
    let mut old_server = pair(ECDHE);
    old_server.drive_server_flights(1);
    old_server.to_client[10] = 1;
    assert_eq!(cause(&old_server.drive().unwrap_err()), Cause::Peer(PeerError::LegacyVersionSelected));
}

/// Whoever alters what is negotiated is found out at Finished at the latest.
#[test]
fn downgrade_altered_hellos_never_complete() {
    let mut probe = pair(ECDHE);
    let _ = probe.drive_one_client_flight();
    for place in 5..probe.to_server.len() {
        let mut pair = pair(ECDHE);
        let _ = pair.drive_one_client_flight();
        pair.to_server[place] ^= 1;
        let result = pair.drive();
        assert!(result.is_err() || pair.client.facts().is_none(), "byte {place} of ClientHello altered unnoticed");
    }
}

/// SLOTH: a signature over a weak hash is refused even if it would verify.
#[test]
fn sloth_a_scheme_that_was_not_offered_is_refused() {
    let mut pair = pair(ECDHE);
    pair.drive_server_flights(1);
    let scheme = [0x04, 0x03, 0x00];
    let at = pair.to_client.windows(3).rposition(|w| w == scheme).unwrap();
    pair.to_client[at..at + 2].copy_from_slice(&[0x02, 0x03]);
    assert_eq!(cause(&pair.drive().unwrap_err()), Cause::Peer(PeerError::WrongSchemeSelected));
}

/// Raccoon needs a server that uses a Diffie-Hellman key twice.
#[test]
#[cfg(feature = "legacy")]
fn raccoon_no_key_share_is_used_twice() {
    let server = server(KeyKind::Rsa, Policy::legacy()).build().unwrap();
    let suite = CipherSuite::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256;
    let policy = Policy::legacy().with_suites([suite]).with_groups([NamedGroup::Ffdhe2048]);
    let client = client(policy).no_sessions().build().unwrap();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..3 {
        let mut pair = Pair::new(&client, &server);
        pair.drive_server_flights(1);
        let prefix = [0, 1, 2, 1, 0];
        let at = pair.to_client.windows(5).position(|w| w == prefix).unwrap() + 5;
        assert!(seen.insert(pair.to_client[at..at + 256].to_vec()), "a public value came twice");
    }
}

#[test]
fn unknown_key_resumption_a_session_id_that_is_not_ours_gives_a_full_handshake() {
    let client = client(Policy::default()).build().unwrap();
    let one = server(KeyKind::P256, Policy::default()).build().unwrap();
    let other = server(KeyKind::P256, Policy::default()).build().unwrap();
    Pair::new(&client, &one).drive().unwrap();
    let mut pair = Pair::new(&client, &other);
    pair.drive().unwrap();
    assert_eq!(pair.client.facts().unwrap().resumed, None);
}

#[test]
fn certificate_bombs_are_refused_before_memory_is_taken() {
    let mut pair = pair(ECDHE);
    pair.drive_server_flights(1);
    // A Certificate message that announces 16 MiB.
    let hello = split_messages(&pair.to_client).remove(0);
    pair.to_client = [&hello[..], &[22, 3, 3, 0, 8, 11, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc, 0]].concat();
    let refused = pair.drive().unwrap_err();
    assert!(matches!(cause(&refused), Cause::Record(RecordError::MessageTooLong(_))), "{refused}");
}

#[test]
fn fragmented_hello_stall_and_empty_handshake_records() {
    let mut pair = pair(ECDHE);
    pair.to_server = vec![22, 3, 1, 0, 0];
    assert_eq!(cause(&pair.drive().unwrap_err()), Cause::Record(RecordError::Empty));
    // A fragment and then something else inside the message.
    let mut pair = self::pair(ECDHE);
    pair.to_server = vec![22, 3, 1, 0, 3, 1, 0, 1, 20, 3, 1, 0, 1, 1];
    assert_eq!(cause(&pair.drive().unwrap_err()), Cause::Record(RecordError::Interleaved));
}

#[test]
fn application_data_before_the_handshake_is_done_is_refused() {
    let mut pair = pair(ECDHE);
    pair.to_server = vec![23, 3, 3, 0, 2, 1, 2];
    assert_eq!(cause(&pair.drive().unwrap_err()), Cause::Peer(PeerError::UnexpectedApplicationData));
}

#[test]
fn a_client_certificate_is_asked_for_proven_and_can_be_required() {
    let verifier = Arc::new(WebPki::clients(authority().roots()));
    let require = server(KeyKind::P256, Policy::default()).client_auth(ClientAuth::Require(verifier.clone()));
    let require = require.build().unwrap();
    let request = server(KeyKind::P256, Policy::default()).client_auth(ClientAuth::Request(verifier)).build().unwrap();
    for kind in [KeyKind::Rsa, KeyKind::P256, KeyKind::Ed25519] {
        let identity: Arc<Identity> = Arc::new(authority().issue(kind, &["alice"]).identity());
        let known = client(Policy::default()).identity(identity).build().unwrap();
        for _full_then_resumed in 0..2 {
            let mut pair = Pair::new(&known, &require);
            pair.drive().unwrap();
            assert!(pair.server.facts().unwrap().client_authenticated);
            assert!(!pair.server.facts().unwrap().peer_chain().is_empty());
        }
    }
    let nobody = client(Policy::default()).no_sessions().build().unwrap();
    let refused = Pair::new(&nobody, &require).drive().unwrap_err();
    assert_eq!(cause(&refused), Cause::Peer(PeerError::NoCertificateTls12));
    let mut pair = Pair::new(&nobody, &request);
    pair.drive().unwrap();
    assert!(!pair.server.facts().unwrap().client_authenticated);
    let stranger: Arc<Identity> = Arc::new(other_authority().issue(KeyKind::P256, &["mallory"]).identity());
    let stranger = client(Policy::default()).identity(stranger).build().unwrap();
    assert!(Pair::new(&stranger, &request).drive().is_err(), "a stranger's certificate");
}

#[test]
fn no_common_suite_says_which_policy_would_have_agreed() {
    if cfg!(not(feature = "legacy")) {
        return;
    }
    let old = client(Policy::legacy().with_suites([CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA])).build().unwrap();
    let refused = Pair::new(&old, &server(KeyKind::Rsa, Policy::default()).build().unwrap()).drive().unwrap_err();
    assert_eq!(cause(&refused), Cause::Peer(PeerError::NoCommonSuite));
    assert!(refused.to_string().contains("TLS_RSA_WITH_AES_128_CBC_SHA"), "{refused}");
    assert!(refused.hint_text().unwrap().contains("Policy::legacy()"), "{refused:?}");
}
