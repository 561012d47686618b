//! Answers of a server that a client must refuse, each with the alert that its RFC asks for, and odd ones that it must take.
#![allow(clippy::unwrap_used)]

mod flights;

use clasp::config::{
    ClientBuilder, DangerousAcceptAnyone, PreSharedKey, PresentedIdentity, Ready, ServerBuilder, Verified, Verifier,
    WebPki,
};
use clasp::crypto::HashId;
use clasp::error::{Cause, PeerError};
use clasp::wire::code::{
    AlertDescription as Alert, CertificateType, CipherSuite, MaxFragmentLength, NamedGroup, ProtocolVersion,
};
use clasp::{Answer, ClientAuth, ClientConfig, Identity, Policy, Result, ServerConfig};
use clasp_testkit::hollow_bytes::{CCS, HANDSHAKE, Message, Wrap, messages, record};
use clasp_testkit::provider::hollow;
use clasp_testkit::{KeyKind, Pair, authority};
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Waker};
use flights::answered::*;
use flights::*;
use std::sync::Arc;

#[test]
fn honest_answers_are_taken() {
    for version in [TLS12, TLS13] {
        Answered::new(version).taken("an honest answer");
    }
}

/// RFC 8449 5: the two ways to limit records exclude each other in an answer.
#[test]
fn two_limits_of_records_are_refused() {
    for (version, message) in [(TLS12, SERVER_HELLO), (TLS13, ENCRYPTED_EXTENSIONS)] {
        let both = || {
            let asks: Change<_> =
                |c: ClientBuilder<Ready>| c.max_fragment_length(MaxFragmentLength::Bytes512).record_size_limit(600);
            Answered::with(version, asks, |s| s).change(message, |m| m.without(MAX_FRAGMENT))
        };
        both().change(message, |m| m.with(MAX_FRAGMENT, &[1])).taken("one");
        both().change(message, |m| m.with(SIZE_LIMIT, &[4, 0])).taken("the other");
        let answer = both().change(message, |m| m.with(MAX_FRAGMENT, &[1]));
        answer.change(message, |m| m.with(SIZE_LIMIT, &[4, 0])).refused("both", Alert::IllegalParameter);
    }
}

/// RFC 8449 4: "Unprotected messages are not subject to this limit"; RFC 6066 4 makes no such exception.
#[test]
fn a_record_size_limit_is_not_for_what_is_in_the_clear() {
    let together = |asks: Change<ClientBuilder<Ready>>| {
        let mut answered = Answered::with(TLS12, asks, |s| s.record_size_limit(1000));
        let rest: Vec<u8> = answered.messages[1..].iter().flat_map(Message::bytes).collect();
        assert!(rest.len() > 512);
        let flight = [&answered.messages[0].bytes(), &rest].map(|m| record(Wrap::Plain, HANDSHAKE, m));
        answered.hears(&flight).map(drop).map_err(|e| e.alert().name())
    };
    assert_eq!(together(|c| c.record_size_limit(512)), Ok(()));
    assert_eq!(together(|c| c.max_fragment_length(MaxFragmentLength::Bytes512)), Err("record_overflow"));
}

/// RFC 9846 4.1.3: the version that the middleboxes see is 1.2; which it is stands in supported_versions alone.
#[test]
fn versions() {
    let retried = || Answered::with(TLS13, |c| c, |s| s.policy(Policy::modern().with_groups([NamedGroup::Secp256r1])));
    for answered in [|| Answered::new(TLS13), retried] {
        for legacy in [[3, 0], [3, 1], [3, 2], [3, 4], [2, 0], [0, 0]] {
            let answer = answered().change(SERVER_HELLO, |m| m.body[..2].copy_from_slice(&legacy));
            answer.refused("another legacy_version", Alert::ProtocolVersion);
        }
        for selected in [[3, 3], [3, 2], [3, 0], [3, 5]] {
            let answer = answered().change(SERVER_HELLO, |m| m.with(VERSIONS, &selected));
            answer.refused("another version", Alert::IllegalParameter);
        }
        let answer = answered().change(SERVER_HELLO, |m| m.with(VERSIONS, &[3, 4, 3, 4]));
        answer.refused("two versions", Alert::DecodeError);
    }
    for legacy in [[3, 0], [3, 1], [3, 2], [3, 4], [4, 3]] {
        let answer = Answered::new(TLS12).change(SERVER_HELLO, |m| m.body[..2].copy_from_slice(&legacy));
        answer.refused("another version without supported_versions", Alert::ProtocolVersion);
    }
}

fn key() -> PreSharedKey {
    PreSharedKey::external(b"ours", &[7; 32], HashId::Sha256).unwrap()
}

/// What a server of this version answers, over the hollow provider.
fn answer(version: ProtocolVersion, client: ClientBuilder<Ready>, server: ServerBuilder<Ready>) -> Answered {
    let policy = Policy::default().with_groups(CURVES);
    let client = client.provider(hollow()).grease(false).policy(policy.clone()).build().unwrap();
    let mut client = client.connect("localhost".try_into().unwrap());
    let server = server.provider(hollow()).policy(policy.with_versions([version])).build().unwrap();
    let (mut hello, mut flight) = (Vec::new(), Vec::new());
    client.advance(&mut Context::from_waker(Waker::noop()), &mut hello).unwrap();
    server.accept().receive(&mut hello, &mut flight).unwrap();
    let tls13 = version == TLS13;
    Answered { client, tls13, messages: messages(&flight, tls13) }
}

/// RFC 9846 4.4.3, 4.2.3: PKCS #1 signs certificates, and handshakes of TLS 1.2; in TLS 1.3 it signs none, though it is on offer.
#[test]
fn a_scheme_of_tls12_proves_nothing_in_tls13() {
    let rsa = authority().issue(KeyKind::Rsa, &["localhost"]);
    let signed = |scheme: [u8; 2]| {
        let client = ClientConfig::builder().trust(authority().roots());
        let answer = answer(TLS13, client, ServerConfig::builder().identity(rsa.identity()));
        answer.change(CERTIFICATE_VERIFY, |m| m.body[..2].copy_from_slice(&scheme))
    };
    signed([8, 4]).taken("RSASSA-PSS");
    for scheme in [[4, 1], [5, 1], [6, 1]] {
        signed(scheme).refused("PKCS #1", Alert::IllegalParameter);
    }
}

/// RFC 7250 4.2: a server that names no kind shows an X.509 certificate; a client that takes raw keys alone takes none.
#[test]
fn a_server_that_is_silent_about_its_kind_shows_none_that_only_raw_keys_are_taken() {
    for (version, message) in [(TLS12, SERVER_HELLO), (TLS13, ENCRYPTED_EXTENSIONS)] {
        let raw = || Identity::raw_public_key(&SERVER.key).unwrap();
        let client = || ClientConfig::builder().dangerous_trust_anyone();
        let client = || client().server_certificate_types([CertificateType::RawPublicKey]);
        let answer = || answer(version, client(), ServerConfig::builder().identity(raw()));
        answer().taken("a raw key");
        answer().change(message, |m| m.without(SERVER_TYPES)).refused("silence", Alert::UnsupportedCertificate);
    }
}

/// Takes whatever it is asked about, and says so.
struct Asked(Arc<AtomicBool>);

impl Verifier for Asked {
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        self.0.store(true, Ordering::Relaxed);
        DangerousAcceptAnyone.verify(peer)
    }
}

/// RFC 7250 3: a raw key is a SubjectPublicKeyInfo. What is none is no key that a verifier would have to judge.
#[test]
fn a_raw_key_that_is_none_is_refused_before_a_verifier_is_asked() {
    // The tag of the SEQUENCE, behind its length; in TLS 1.3 behind a context and two lengths (RFC 9846 4.4.2).
    for (version, tag) in [(TLS12, 3), (TLS13, 1 + 3 + 3)] {
        let asked = Arc::new(AtomicBool::new(false));
        let answer = || {
            let client = ClientConfig::builder().dangerous_verifier(Arc::new(Asked(asked.clone())));
            let client = client.server_certificate_types([CertificateType::RawPublicKey]);
            let raw = Identity::raw_public_key(&SERVER.key).unwrap();
            answer(version, client, ServerConfig::builder().identity(raw))
        };
        answer().taken("a raw key");
        assert!(asked.swap(false, Ordering::Relaxed), "{version}");
        let set = |m: &mut Message| {
            assert_eq!(m.body[tag], 0x30, "{version}");
            m.body[tag] = 0x31;
        };
        let error = answer().change(CERTIFICATE, set).refused("a SET", Alert::DecodeError);
        assert_eq!(error.cause(), &Cause::Peer(PeerError::UnusableCertificate), "{version}");
        assert!(!asked.load(Ordering::Relaxed), "{version}");
    }
}

fn compressed(hello: &mut Message) {
    let at = hello.block() - 1;
    hello.body[at] = 1;
}

/// TLS_AES_128_CCM_SHA256, which is not offered.
fn other_suite(hello: &mut Message) {
    let at = hello.block() - 3;
    hello.body[at..at + 2].copy_from_slice(&[0x13, 4]);
}

fn retried() -> Answered {
    Answered::with(TLS13, |c| c, |s| s.policy(Policy::modern().with_groups([NamedGroup::Secp256r1])))
}

/// RFC 9846 4.1.3, 4.2.8, 4.2.11.
#[test]
fn server_hello_of_tls13() {
    let new = || Answered::new(TLS13);
    let refused = |name, answer: Answered, change: &dyn Fn(&mut Message), alert| {
        answer.change(SERVER_HELLO, change).refused(name, alert);
    };
    refused("no share", new(), &|m| m.without(SHARES), Alert::MissingExtension);
    let share = |group: [u8; 2], public: &[u8]| [&group[..], &len16(public.len()), public].concat();
    refused("a group not offered", new(), &|m| m.with(SHARES, &share([0, 24], &[4; 97])), Alert::IllegalParameter);
    refused("a group without share", new(), &|m| m.with(SHARES, &share([0, 23], &[4; 65])), Alert::IllegalParameter);
    refused("an empty share", new(), &|m| m.with(SHARES, &share([0, 29], &[])), Alert::DecodeError);
    refused(
        "bytes behind the share",
        new(),
        &|m| m.with(SHARES, &share([0, 29], &[7; 32]).repeat(2)),
        Alert::DecodeError,
    );
    refused("compression", new(), &compressed, Alert::IllegalParameter);
    refused("another session ID", new(), &|m| m.body[40] ^= 1, Alert::IllegalParameter);
    refused("a suite not offered", new(), &other_suite, Alert::IllegalParameter);
    refused("bytes behind", new(), &|m| m.body.push(0), Alert::DecodeError);
    // 4.2: an extension that we know in a message that it is not for; one that we did not ask for; one twice.
    for typ in [SERVER_NAME, GROUPS, ALPN, SIZE_LIMIT, COOKIE, PSK_MODES, EARLY_DATA, EXTENDED_MASTER, RENEGOTIATION] {
        refused("out of place", new(), &|m| m.with(typ, &[]), Alert::IllegalParameter);
    }
    refused("unknown", new(), &|m| m.with(UNKNOWN, &[]), Alert::UnsupportedExtension);
    refused("a key not offered", new(), &|m| m.with(PSK, &[0, 0]), Alert::UnsupportedExtension);
    let twice = |m: &mut Message| {
        m.body.extend([0, 43, 0, 2, 3, 4]);
        m.close();
    };
    refused("twice", new(), &twice, Alert::DecodeError);

    let offers =
        || Answered::with(TLS13, |c| c.pre_shared_key(key()), |s| s.policy(small(CipherSuite::TLS_AES_128_GCM_SHA256)));
    refused("a key out of range", offers(), &|m| m.with(PSK, &[0, 1]), Alert::IllegalParameter);
    refused("half an index", offers(), &|m| m.with(PSK, &[0]), Alert::DecodeError);
    let alone = |m: &mut Message| {
        m.with(PSK, &[0, 0]);
        m.without(SHARES);
    };
    refused("a key without the share that goes with it", offers(), &alone, Alert::IllegalParameter);
    let other_hash =
        Answered::with(TLS13, |c| c.pre_shared_key(key()), |s| s.policy(small(CipherSuite::TLS_AES_256_GCM_SHA384)));
    refused("a key of another hash", other_hash, &|m| m.with(PSK, &[0, 0]), Alert::IllegalParameter);
}

/// One suite of TLS 1.3.
fn small(suite: CipherSuite) -> Policy {
    Policy::modern().with_groups([NamedGroup::X25519]).with_suites([suite])
}

/// RFC 9846 4.1.4.
#[test]
fn hello_retry_request() {
    let refused = |name, change: &dyn Fn(&mut Message), alert| {
        retried().change(SERVER_HELLO, change).refused(name, alert);
    };
    retried().taken("another group");
    retried().change(SERVER_HELLO, |m| m.with(COOKIE, &[0, 1, 7])).taken("a cookie besides");
    retried()
        .change(SERVER_HELLO, |m| m.without(SHARES))
        .change(SERVER_HELLO, |m| m.with(COOKIE, &[0, 1, 7]))
        .taken("a cookie");
    refused("no change", &|m| m.without(SHARES), Alert::IllegalParameter);
    refused("the group of the share", &|m| m.with(SHARES, &[0, 29]), Alert::IllegalParameter);
    refused("a group not offered", &|m| m.with(SHARES, &[0, 24]), Alert::IllegalParameter);
    refused("a share in place of a group", &|m| m.with(SHARES, &[0, 23, 0, 1, 7]), Alert::DecodeError);
    refused("an empty cookie", &|m| m.with(COOKIE, &[0, 0]), Alert::DecodeError);
    refused("no version", &|m| m.without(VERSIONS), Alert::MissingExtension);
    refused("compression", &compressed, Alert::IllegalParameter);
    refused("another session ID", &|m| m.body[40] ^= 1, Alert::IllegalParameter);
    for typ in [SERVER_NAME, GROUPS, ALPN, PSK, PSK_MODES, EARLY_DATA, EXTENDED_MASTER] {
        refused("out of place", &|m| m.with(typ, &[0, 0]), Alert::IllegalParameter);
    }
    refused("unknown", &|m| m.with(UNKNOWN, &[]), Alert::UnsupportedExtension);
    let mut again = retried();
    let request = again.flight();
    again.hears(&request).unwrap();
    assert_eq!(again.hears(&request).unwrap_err().alert(), Alert::UnexpectedMessage, "a second one");
}

/// RFC 9846 4.1.4: the suite of the retry is that of the ServerHello.
#[test]
fn a_suite_does_not_change_after_a_retry() {
    let client = ClientConfig::builder().trust(authority().roots()).build().unwrap();
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder()
        .identity(identity)
        .policy(Policy::modern().with_groups([NamedGroup::Secp521r1]))
        .build()
        .unwrap();
    let mut pair = Pair::new(&client, &server);
    pair.drive_server_flights(2);
    // Behind the headers, the version, the random and the session ID.
    let suite = 5 + 4 + 2 + 32 + 33;
    assert_eq!(pair.to_client[suite], 0x13);
    pair.to_client[suite + 1] = if pair.to_client[suite + 1] == 1 { 2 } else { 1 };
    let error = pair.client.receive(&mut pair.to_client, &mut Vec::new()).unwrap_err();
    assert_eq!(error.cause(), &Cause::Peer(PeerError::SuiteChangedAfterRetry));
}

/// RFC 9846 4.3.1: "any forbidden extensions": illegal_parameter; 4.2: what was not asked for: unsupported_extension.
#[test]
fn encrypted_extensions() {
    let refused = |name, typ, body: &[u8], alert| {
        Answered::new(TLS13).change(ENCRYPTED_EXTENSIONS, |m| m.with(typ, body)).refused(name, alert);
    };
    for typ in [
        STATUS,
        SCHEMES,
        TIMESTAMPS,
        PADDING,
        ENCRYPT_THEN_MAC,
        EXTENDED_MASTER,
        COMPRESSION,
        PSK,
        VERSIONS,
        COOKIE,
        PSK_MODES,
        AUTHORITIES,
        POST_AUTH,
        SCHEMES_CERT,
        SHARES,
        RENEGOTIATION,
    ] {
        refused("forbidden", typ, &[0, 0], Alert::IllegalParameter);
    }
    for typ in [MAX_FRAGMENT, ALPN, SIZE_LIMIT, EARLY_DATA, UNKNOWN] {
        refused("not asked for", typ, &[], Alert::UnsupportedExtension);
    }
    refused("a server name in it", SERVER_NAME, &[0], Alert::DecodeError);
    refused("an empty list of groups", GROUPS, &[0, 0], Alert::DecodeError);
    let groups = Answered::new(TLS13).change(ENCRYPTED_EXTENSIONS, |m| m.with(GROUPS, &[0, 2, 0x5a, 0x5a]));
    groups.taken("groups that nobody knows");
    let alpn = |body: &[u8]| {
        Answered::with(TLS13, |c| c.alpn(["h2"]), |s| s).change(ENCRYPTED_EXTENSIONS, |m| m.with(ALPN, body))
    };
    alpn(&[0, 3, 2, b'h', b'2']).taken("a protocol");
    alpn(&[0, 3, 2, b'h', b'3']).refused("another protocol", Alert::IllegalParameter);
    alpn(&[0, 6, 2, b'h', b'2', 2, b'h', b'2']).refused("two protocols", Alert::IllegalParameter);
    alpn(&[0, 0]).refused("no protocol", Alert::DecodeError);
    alpn(&[0, 1, 0]).refused("an empty protocol", Alert::DecodeError);
}

/// RFC 9846 4.3.2, 4.4.2: "Clients MUST ignore unrecognized extensions" of a request, not those in the wrong place.
#[test]
fn certificate_request_and_certificate() {
    let asked = || {
        Answered::with(
            TLS13,
            |c| c,
            |s| s.client_auth(ClientAuth::Request(Arc::new(WebPki::clients(authority().roots())))),
        )
    };
    asked().taken("an honest request");
    for (typ, body) in
        [(UNKNOWN, &[][..]), (STATUS, &[]), (TIMESTAMPS, &[]), (SCHEMES_CERT, &[0, 2, 4, 3]), (SERVER_NAME, &[])]
    {
        asked().change(CERTIFICATE_REQUEST, |m| m.with(typ, body)).taken("an extension of a request");
    }
    for typ in [GROUPS, ALPN, PADDING, SIZE_LIMIT, PSK, EARLY_DATA, VERSIONS, COOKIE, PSK_MODES, POST_AUTH, SHARES] {
        asked().change(CERTIFICATE_REQUEST, |m| m.with(typ, &[])).refused("out of place", Alert::IllegalParameter);
    }
    let refused = |name, change: &dyn Fn(&mut Message), alert| {
        asked().change(CERTIFICATE_REQUEST, change).refused(name, alert);
    };
    refused("no schemes", &|m| m.without(SCHEMES), Alert::MissingExtension);
    refused("an empty list of schemes", &|m| m.with(SCHEMES, &[0, 0]), Alert::DecodeError);
    refused("an empty list of schemes for certificates", &|m| m.with(SCHEMES_CERT, &[0, 0]), Alert::DecodeError);
    refused("a status request that is not empty", &|m| m.with(STATUS, &[1, 0, 0, 0, 0]), Alert::DecodeError);
    refused("timestamps that are not empty", &|m| m.with(TIMESTAMPS, &[0]), Alert::DecodeError);
    refused("a context", &|m| m.body.splice(0..1, [1, 7]).for_each(drop), Alert::IllegalParameter);
    refused("bytes behind", &|m| m.body.push(0), Alert::DecodeError);

    let refused = |name, change: &dyn Fn(&mut Message), alert| {
        let plain: Change<ClientBuilder<Ready>> = |c| c.request_status(false);
        Answered::with(TLS13, plain, |s| s).change(CERTIFICATE, change).refused(name, alert);
    };
    for typ in [SERVER_NAME, ALPN, SCHEMES, SHARES, EARLY_DATA] {
        refused("out of place", &|m| m.with(typ, &[]), Alert::IllegalParameter);
    }
    for typ in [STATUS, TIMESTAMPS, UNKNOWN] {
        refused("not asked for", &|m| m.with(typ, &[]), Alert::UnsupportedExtension);
    }
    refused("no certificates", &|m| m.body = vec![0, 0, 0, 0], Alert::DecodeError);
    refused("an empty certificate", &|m| m.body = vec![0, 0, 0, 5, 0, 0, 0, 0, 0], Alert::DecodeError);
    refused("a context", &|m| m.body.splice(0..1, [1, 7]).for_each(drop), Alert::IllegalParameter);
}

/// RFC 9846 4.6.1.
#[test]
fn tickets_of_tls13() {
    let ticket = |ticket: &[u8], extensions: &[u8]| {
        let mut client = Answered::new(TLS13).taken("a handshake");
        let head = [&[0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 1, 0][..], &len16(ticket.len()), ticket].concat();
        let body = [&head[..], &len16(extensions.len()), extensions].concat();
        let mut record = record(Wrap::Inner13, HANDSHAKE, &Message { kind: TICKET, body }.bytes());
        client.receive(&mut record, &mut Vec::new()).map(drop).map_err(|e| e.alert().name())
    };
    assert_eq!(ticket(&[7; 32], &[]), Ok(()), "for more than a week");
    assert_eq!(ticket(&[7; 32], &[0, 42, 0, 4, 0, 0, 1, 0]), Ok(()), "early data");
    assert_eq!(ticket(&[7; 32], &[0x5a, 0x5a, 0, 0]), Ok(()), "an unknown extension");
    assert_eq!(ticket(&[], &[]), Err("decode_error"), "an empty ticket");
    assert_eq!(ticket(&[7; 32], &[0, 42, 0, 0]), Err("decode_error"), "early data, and no size");
    assert_eq!(ticket(&[7; 32], &[0, 51, 0, 0]), Err("illegal_parameter"), "key_share");
}

/// RFC 5246 7.4.1.4: what was not offered is not answered.
#[test]
fn server_hello_of_tls12() {
    let refused = |name, answer: Answered, change: &dyn Fn(&mut Message), alert| {
        answer.change(SERVER_HELLO, change).refused(name, alert);
    };
    let address = |version| Answered::to("127.0.0.1", version, |c| c, |s| s);
    refused("a name for an address", address(TLS12), &|m| m.with(SERVER_NAME, &[]), Alert::UnsupportedExtension);
    let answer = address(TLS13).change(ENCRYPTED_EXTENSIONS, |m| m.with(SERVER_NAME, &[]));
    answer.refused("a name for an address", Alert::UnsupportedExtension);
    let old = || Answered::new(TLS12);
    // RFC 7366 2, 3: no suite on offer has a MAC; and one has, but not the one that was chosen.
    refused("encrypt_then_mac", old(), &|m| m.with(ENCRYPT_THEN_MAC, &[]), Alert::UnsupportedExtension);
    if cfg!(feature = "legacy") {
        let legacy = Answered::with(TLS12, |c| c.policy(cbc_too()), |s| s);
        refused("encrypt_then_mac", legacy, &|m| m.with(ENCRYPT_THEN_MAC, &[]), Alert::IllegalParameter);
    }
    // RFC 5077 3.2: a ticket that nobody would keep.
    let keeps_none = Answered::with(TLS12, |c| c.no_sessions(), |s| s);
    refused("session_ticket", keeps_none, &|m| m.with(35, &[]), Alert::UnsupportedExtension);
    for typ in [MAX_FRAGMENT, STATUS, ALPN, TIMESTAMPS, SIZE_LIMIT, PSK, COOKIE, UNKNOWN] {
        let plain: Change<ClientBuilder<Ready>> = |c| c.request_status(false);
        let old = Answered::with(TLS12, plain, |s| s);
        refused("not offered", old, &|m| m.with(typ, &[]), Alert::UnsupportedExtension);
    }
    refused("compression", old(), &compressed, Alert::IllegalParameter);
    refused("renegotiation", old(), &|m| m.with(RENEGOTIATION, &[1, 7]), Alert::HandshakeFailure);
    refused("a body", old(), &|m| m.with(EXTENDED_MASTER, &[0]), Alert::DecodeError);
    refused("points", old(), &|m| m.with(11, &[1, 1]), Alert::IllegalParameter);
}

fn cbc_too() -> Policy {
    Policy::legacy().with_groups([NamedGroup::X25519, NamedGroup::Secp256r1, NamedGroup::Ffdhe2048])
}

/// RFC 9846 5: from its hello on a client that speaks TLS 1.3 drops ChangeCipherSpec, "at any time".
#[test]
fn a_change_cipher_spec_before_the_server_hello_means_nothing() {
    for version in [TLS12, TLS13] {
        let mut answered = Answered::new(version);
        let flight = [vec![record(Wrap::Plain, CCS, &[1])], answered.flight()].concat();
        assert!(!answered.hears(&flight).unwrap().is_empty(), "{version}");
    }
    let error = Answered::new(TLS13).hears(&[record(Wrap::Plain, CCS, &[2])]).unwrap_err();
    assert_eq!(error.alert(), Alert::UnexpectedMessage);
    let old: Change<ClientBuilder<Ready>> = |c| c.policy(Policy::default().with_versions([TLS12]).with_groups(CURVES));
    let error = Answered::with(TLS12, old, |s| s).hears(&[record(Wrap::Plain, CCS, &[1])]).unwrap_err();
    assert_eq!(error.alert(), Alert::UnexpectedMessage, "in TLS 1.2 it means something");
}

/// RFC 9846 6, RFC 5246 7.2.2: what has the wrong length cannot be read; that is not the same as a wrong value.
#[test]
fn a_finished_of_another_length() {
    let last = |change: fn(&mut Vec<u8>)| {
        let mut answered = Answered::new(TLS13);
        change(&mut answered.messages.last_mut().unwrap().body);
        answered
    };
    last(|body| body.push(0)).refused("longer", Alert::DecodeError);
    last(|body| body.truncate(31)).refused("shorter", Alert::DecodeError);
    last(Vec::clear).refused("empty", Alert::DecodeError);
    last(|body| body[0] ^= 1).refused("another", Alert::DecryptError);
    for (verify_data, alert) in
        [(vec![0; 13], "decode_error"), (vec![0; 11], "decode_error"), (vec![1; 12], "decrypt_error")]
    {
        let mut client = Answered::new(TLS12).taken("a server's flight");
        let finished = Message { kind: FINISHED, body: verify_data }.bytes();
        // AES-GCM: eight bytes in front, a tag behind.
        let mut end = [record(Wrap::Plain, CCS, &[1]), record(Wrap::Gcm12, HANDSHAKE, &finished)].concat();
        let error = client.receive(&mut end, &mut Vec::new()).map(drop).unwrap_err();
        assert_eq!(error.alert().name(), alert);
    }
}

/// RFC 5246 7.4.4: DistinguishedName<1..2^16-1>.
#[test]
fn certificate_request_of_tls12() {
    let asked = |body: &[u8]| {
        let asks: Change<ServerBuilder<Ready>> =
            |s| s.client_auth(ClientAuth::Request(Arc::new(WebPki::clients(authority().roots()))));
        let body = body.to_vec();
        Answered::with(TLS12, |c| c, asks).change(CERTIFICATE_REQUEST, |m| m.body = body)
    };
    asked(&[1, 64, 0, 2, 4, 3, 0, 0]).taken("of anyone");
    asked(&[1, 64, 0, 2, 4, 3, 0, 3, 0, 1, 7]).taken("of someone");
    asked(&[1, 64, 0, 2, 4, 3, 0, 2, 0, 0]).refused("an empty name", Alert::DecodeError);
    asked(&[0, 0, 2, 4, 3, 0, 0]).refused("no types", Alert::DecodeError);
    asked(&[1, 64, 0, 0, 0, 0]).refused("no schemes", Alert::DecodeError);
    asked(&[1, 64, 0, 2, 4, 3, 0, 0, 0]).refused("a byte behind", Alert::DecodeError);
}
