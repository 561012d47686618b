//! Every extension in every message that has extensions: where it may not stand, where nobody asked for it, twice, and
//! badly formed. The table is the RFCs' own, written down a second time, so that Clasp's cannot be wrong alone.
#![allow(clippy::unwrap_used)]

mod flights;

use clasp::config::{ClientBuilder, DangerousAcceptAnyone, Ready};
use clasp::ech::EchMode;
use clasp::error::{Cause, PeerError};
use clasp::wire::code::{AlertDescription as Alert, CertificateType, ExtensionType, MaxFragmentLength, NamedGroup};
use clasp::wire::fields::{self, Context};
use clasp::{ClientAuth, ClientConfig, Error, Policy, ServerConfig};
use clasp_testkit::Pair;
use clasp_testkit::hollow_bytes::{HANDSHAKE, Message, Wrap, messages, record};
use clasp_testkit::provider::hollow;
use core::task::{self, Waker};
use flights::answered::*;
use flights::hello::{Hello, answer, ext, record as hello_record};
use flights::*;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum In {
    ServerHello12,
    ServerHello13,
    Retry,
    Encrypted,
    Request,
    Certificate,
    Ticket,
}
use In::{Certificate, Encrypted, Request, Retry, ServerHello12, ServerHello13, Ticket};

const ALL: [In; 7] = [ServerHello12, ServerHello13, Retry, Encrypted, Request, Certificate, Ticket];

const CLIENT_TYPES: u16 = 19;
const SESSION_TICKET: u16 = 35;
const OID_FILTERS: u16 = 48;
const QUIC: u16 = 57;
const ECH: u16 = 0xfe0d;

/// Beside a ClientHello, where all but oid_filters may stand: RFC 9846 4.2, and for TLS 1.2 the RFC of each.
const TABLE: [(u16, &[In]); 29] = [
    (SERVER_NAME, &[ServerHello12, Encrypted, Request]),
    (MAX_FRAGMENT, &[ServerHello12, Encrypted]),
    (STATUS, &[ServerHello12, Request, Certificate]),
    (GROUPS, &[ServerHello12, Encrypted]),
    (POINT_FORMATS, &[ServerHello12]),
    (SCHEMES, &[Request]),
    (ALPN, &[ServerHello12, Encrypted]),
    (TIMESTAMPS, &[ServerHello12, Request, Certificate]),
    (CLIENT_TYPES, &[ServerHello12, Encrypted]),
    (SERVER_TYPES, &[ServerHello12, Encrypted]),
    (PADDING, &[]),
    (ENCRYPT_THEN_MAC, &[ServerHello12]),
    (EXTENDED_MASTER, &[ServerHello12]),
    (COMPRESSION, &[Request]),
    (SIZE_LIMIT, &[ServerHello12, Encrypted]),
    (SESSION_TICKET, &[ServerHello12]),
    (PSK, &[ServerHello13]),
    (EARLY_DATA, &[Encrypted, Ticket]),
    (VERSIONS, &[ServerHello13, Retry]),
    (COOKIE, &[Retry]),
    (PSK_MODES, &[]),
    (AUTHORITIES, &[Request]),
    (OID_FILTERS, &[Request]),
    (POST_AUTH, &[]),
    (SCHEMES_CERT, &[Request]),
    (SHARES, &[ServerHello13, Retry]),
    (QUIC, &[Encrypted]),
    (ECH, &[Encrypted, Retry]),
    (RENEGOTIATION, &[ServerHello12]),
];

fn may_stand(typ: u16, place: In) -> bool {
    TABLE.iter().any(|(known, places)| *known == typ && places.contains(&place))
}

/// All that a client can ask for at once.
fn asks_for_all(client: ClientBuilder<Ready>) -> ClientBuilder<Ready> {
    const BOTH: [CertificateType; 2] = [CertificateType::RawPublicKey, CertificateType::X509];
    let client = client.alpn(["h2"]).request_timestamps(true).record_size_limit(600).early_data(true);
    let client = client.max_fragment_length(MaxFragmentLength::Bytes512).post_handshake_auth(true);
    let client = client.encrypted_client_hello(EchMode::Grease);
    client.server_certificate_types(BOTH).client_certificate_types(BOTH).identity(SERVER.identity())
}

/// As little as a client can ask for.
fn asks_for_nothing(client: ClientBuilder<Ready>) -> ClientBuilder<Ready> {
    let client = client.request_status(false).send_server_name(false).extended_master_secret(false);
    client.encrypt_then_mac(false).session_tickets(false).server_certificate_types([CertificateType::X509])
}

/// A client that has said hello, and a server's flight with this message in it.
fn answered(place: In, asks: fn(ClientBuilder<Ready>) -> ClientBuilder<Ready>) -> Answered {
    let version = if place == ServerHello12 { TLS12 } else { TLS13 };
    let client = ClientConfig::builder().dangerous_trust_anyone().provider(hollow()).grease(false);
    let client = asks(client.policy(policy())).build().unwrap();
    let groups = if place == Retry { vec![NamedGroup::Secp256r1] } else { CURVES.to_vec() };
    let server = ServerConfig::builder().identity(SERVER.identity()).provider(hollow());
    let server = if version == TLS13 { server.max_early_data(1000) } else { server };
    let server = server.policy(Policy::default().with_groups(groups).with_versions([version]));
    let server = if place == Request { server.client_auth(anyone()) } else { server };
    let server = server.build().unwrap();
    if matches!(place, ServerHello13 | Encrypted) {
        // With a session there are a key and early data to answer.
        let mut pair = Pair::new(&client, &server);
        pair.drive().unwrap();
    }
    let mut client = client.connect("localhost".try_into().unwrap());
    let (mut hello, mut flight) = (Vec::new(), Vec::new());
    client.advance(&mut task::Context::from_waker(Waker::noop()), &mut hello).unwrap();
    server.accept().receive(&mut hello, &mut flight).unwrap();
    Answered { client, tls13: version == TLS13, messages: messages(&flight, version == TLS13) }
}

/// With CBC, if this build has it: there encrypt-then-MAC has something to say.
fn policy() -> Policy {
    if cfg!(feature = "legacy") {
        return Policy::legacy().with_groups([CURVES[0], CURVES[1], NamedGroup::Ffdhe2048]);
    }
    Policy::default().with_groups(CURVES)
}

fn anyone() -> ClientAuth {
    ClientAuth::Request(Arc::new(DangerousAcceptAnyone))
}

/// What becomes of a client that finds these extensions in the message, in place of its own of their types.
fn outcome(
    place: In,
    asks: fn(ClientBuilder<Ready>) -> ClientBuilder<Ready>,
    with: &[(u16, &[u8])],
) -> Result<(), Error> {
    heard(place, asks, with).1
}

/// The message too.
fn heard(
    place: In,
    asks: fn(ClientBuilder<Ready>) -> ClientBuilder<Ready>,
    extensions: &[(u16, &[u8])],
) -> (Vec<u8>, Result<(), Error>) {
    let raw = |typ: u16, body: &[u8]| [&typ.to_be_bytes()[..], &len16(body.len()), body].concat();
    if place == Ticket {
        let mut client = answered(Certificate, asks).taken("a handshake");
        let block: Vec<u8> = extensions.iter().flat_map(|(typ, body)| raw(*typ, body)).collect();
        let head = [0, 0, 1, 0, 1, 2, 3, 4, 1, 0, 0, 1, 7];
        let message = Message { kind: TICKET, body: [&head[..], &len16(block.len()), &block].concat() }.bytes();
        let mut record = record(Wrap::Inner13, HANDSHAKE, &message);
        return (message, client.receive(&mut record, &mut Vec::new()).map(drop));
    }
    let kind = match place {
        ServerHello12 | ServerHello13 | Retry => SERVER_HELLO,
        Encrypted => ENCRYPTED_EXTENSIONS,
        Request => CERTIFICATE_REQUEST,
        _ => CERTIFICATE,
    };
    let mut answered = answered(place, asks);
    let message = answered.message(kind);
    extensions.iter().for_each(|(typ, _)| message.without(*typ));
    let (first, rest) = extensions.split_first().unwrap();
    message.with(first.0, first.1);
    rest.iter().for_each(|(typ, body)| message.body.extend(raw(*typ, body)));
    message.close();
    let (message, flight) = (message.bytes(), answered.flight());
    (message, answered.hears(&flight).map(drop))
}

fn numbered(e: ExtensionType) -> String {
    format!("{} ({:#06x})", e.name(), e.0)
}

fn name(typ: u16) -> &'static str {
    ExtensionType(typ).name()
}

/// Refused with this cause, and the extension is named.
fn refused(place: In, typ: u16, outcome: Result<(), Error>, wanted: &dyn Fn(&Cause) -> bool) {
    let error = outcome.expect_err(&format!("{} in {place:?}", name(typ)));
    assert!(wanted(error.cause()), "{} in {place:?}: {error}", name(typ));
    assert_eq!(error.place().extension, Some(ExtensionType(typ)), "{} in {place:?}: {error}", name(typ));
}

#[test]
fn every_known_extension_stands_in_the_table() {
    let listed = TABLE.map(|(typ, _)| typ);
    let missing: Vec<_> =
        (0..=u16::MAX).map(ExtensionType).filter(|e| e.is_known() && !listed.contains(&e.0)).map(numbered).collect();
    assert!(missing.is_empty(), "extensions without a row in TABLE of extension_places.rs: {}", missing.join(", "));
    let unknown: Vec<_> = listed.map(ExtensionType).into_iter().filter(|e| !e.is_known()).map(numbered).collect();
    assert!(unknown.is_empty(), "rows of extensions that code.rs does not have: {}", unknown.join(", "));
    assert!(listed.is_sorted_by(|a, b| a < b), "each once, in the order of their numbers: {listed:?}");
}

/// RFC 9846 4.2: "it MUST abort the handshake with an "illegal_parameter" alert". TLS 1.2 knows no such rule: what stands in
/// the wrong place was not asked for (RFC 5246 7.4.1.4).
#[test]
fn in_the_wrong_message() {
    for (typ, _) in TABLE {
        for place in ALL.into_iter().filter(|place| !may_stand(typ, *place)) {
            let error =
                if place == ServerHello12 { PeerError::UnsolicitedExtension } else { PeerError::ExtensionNotAllowed };
            // A ServerHello with supported_versions is one of TLS 1.3.
            if (place, typ) != (ServerHello12, VERSIONS) {
                let outcome = outcome(place, asks_for_all, &[(typ, &[])]);
                refused(place, typ, outcome, &|cause| *cause == Cause::Peer(error));
            }
        }
    }
}

/// RFC 9846 4.2: what answers must have been asked for. A request and a ticket ask and tell by themselves.
#[test]
fn unasked_for() {
    for (typ, places) in TABLE {
        for place in places.iter().copied().filter(|place| !matches!(place, Request | Ticket)) {
            let always = match place {
                // What every client asks for that could be met here, and a cookie, which needs no asking.
                ServerHello12 => [RENEGOTIATION, GROUPS, POINT_FORMATS].contains(&typ),
                Encrypted => typ == GROUPS,
                _ => [VERSIONS, SHARES, COOKIE].contains(&typ),
            };
            if !always {
                let outcome = outcome(place, asks_for_nothing, &[(typ, &[])]);
                refused(place, typ, outcome, &|cause| *cause == Cause::Peer(PeerError::UnsolicitedExtension));
            }
        }
    }
    for place in ALL {
        let outcome = outcome(place, asks_for_all, &[(UNKNOWN, &[])]);
        match place {
            Request | Ticket => outcome.unwrap(),
            _ => refused(place, UNKNOWN, outcome, &|cause| *cause == Cause::Peer(PeerError::UnsolicitedExtension)),
        }
    }
}

#[test]
fn twice() {
    for place in ALL {
        for (typ, _) in TABLE {
            let error = outcome(place, asks_for_all, &[(typ, &[]), (typ, &[])]).unwrap_err();
            assert_eq!(error.alert(), Alert::DecodeError, "{} twice in {place:?}: {error}", name(typ));
        }
    }
}

/// What is one byte too short for some and too long for others.
const BAD: &[u8] = &[1; 3];

/// An observer reads with the same parsers, which a table of its own puts in their places: it finds the same fault.
fn observed(place: In, message: &[u8], outcome: &Result<(), Error>) {
    if let Err(Cause::Decode(fault)) = outcome.as_ref().map_err(Error::cause) {
        let mut context = Context::default();
        context.version = Some(if place == ServerHello12 { TLS12 } else { TLS13 });
        assert_eq!(fields::message(message, &context).fault.as_ref(), Some(fault), "in {place:?}");
    }
}

#[test]
fn badly_formed() {
    for (typ, places) in TABLE {
        for place in places.iter().copied() {
            let (message, outcome) = heard(place, asks_for_all, &[(typ, BAD)]);
            observed(place, &message, &outcome);
            match (place, typ) {
                // Nobody asks for it over TCP.
                (Encrypted, QUIC) => {
                    refused(place, typ, outcome, &|cause| *cause == Cause::Peer(PeerError::UnsolicitedExtension));
                }
                // Passed over: RFC 8422 5.1.1; RFC 9846 4.2.5, 4.3.2.
                (ServerHello12, GROUPS) | (Request, SERVER_NAME | OID_FILTERS) => outcome.unwrap(),
                (ServerHello12, ENCRYPT_THEN_MAC) if !cfg!(feature = "legacy") => assert!(outcome.is_err()),
                (ServerHello13 | Retry, VERSIONS) => {
                    assert_eq!(outcome.unwrap_err().alert(), Alert::DecodeError, "read before the others");
                }
                _ => refused(place, typ, outcome, &|cause| matches!(cause, Cause::Decode(_))),
            }
        }
    }
}

/// Of a client's hello.
#[test]
fn badly_formed_in_a_client_hello() {
    for (typ, _) in TABLE {
        let hello = |hello: Hello, typ| answer(&hello_record(22, &hello.with(ext(typ, BAD)).message()));
        let (new, old) = (hello(Hello::tls13(), typ), hello(Hello::tls12(), typ));
        match typ {
            // A ticket has any form, and what is in the others is not looked at.
            PADDING | SESSION_TICKET => {
                assert_eq!((new, old), ("TLS 1.3", "TLS 1.2"), "{}", name(typ));
            }
            // RFC 9001 8.2: over TCP it may not be there.
            QUIC => assert_eq!((new, old), ("unsupported_extension", "unsupported_extension")),
            // The one that may not stand there: RFC 9846 4.2.
            OID_FILTERS => assert_eq!((new, old), ("illegal_parameter", "illegal_parameter")),
            // RFC 8422 5.1.2: it means nothing in TLS 1.3.
            POINT_FORMATS => assert_eq!((new, old), ("TLS 1.3", "decode_error")),
            _ => {
                assert_eq!((new, old), ("decode_error", "decode_error"), "{}", name(typ));
                let hello = Hello::tls13().with(ext(typ, BAD)).message();
                assert!(fields::message(&hello, &Context::default()).fault.is_some(), "an observer: {}", name(typ));
            }
        }
    }
}
