//! What RFC 9001 has refused: bytes at the wrong level, messages that QUIC has not, parameters that cannot be; each with the code of
//! CONNECTION_CLOSE that the peer is told.

use super::ends::*;
use clasp::error::{Cause, Misuse, PeerError};
use clasp::quic::{Connection, Level, Parameters, Version, alert_of, error_code};
use clasp::{AlertDescription, Error, Policy, ProtocolVersion, ServerConfig};
use clasp_testkit::Pair;
use core::task::{Context, Waker};

const PARAMETERS: u16 = 57;
const ALPN: u16 = 16;

const PARAMETER_ERROR: u64 = 0x08;
const PROTOCOL_VIOLATION: u64 = 0x0a;
const BUFFER_EXCEEDED: u64 = 0x0d;
const UNEXPECTED: u64 = 0x10a;
const ILLEGAL: u64 = 0x12f;
const DECODE: u64 = 0x132;
const VERSION: u64 = 0x146;
const MISSING: u64 = 0x16d;
const UNSUPPORTED: u64 = 0x16e;
const NO_PROTOCOL: u64 = 0x178;

fn end(config: &std::sync::Arc<ServerConfig>) -> End {
    End::server(config, Version::V1, allows(20))
}

fn hello() -> Vec<u8> {
    End::client(&client().build().unwrap(), Version::V1, allows(10)).advance().unwrap().remove(0).1
}

/// What a server makes of a hello.
fn refusal(hello: &[u8]) -> Error {
    let mut server = end(&server().build().unwrap());
    server.hear(Level::Initial, hello).expect_err("a refusal")
}

fn code_of(hello: &[u8]) -> u64 {
    error_code(&refusal(hello))
}

/// The code and the row of an error.
fn is(error: &Error, code: u64, row: PeerError) -> bool {
    error_code(error) == code && *error.cause() == Cause::Peer(row)
}

/// A client that has the server's hello, and the rest of the server's flight.
fn answered() -> (End, Vec<u8>) {
    let (mut client, mut server) = ends(&client().build().unwrap(), &server().build().unwrap());
    let hello = client.advance().unwrap().remove(0).1;
    let mut flight = server.hear(Level::Initial, &hello).unwrap();
    client.hear(Level::Initial, &flight.remove(0).1).unwrap();
    (client, flight.remove(0).1)
}

/// What a client makes of EncryptedExtensions with other extensions of one type.
fn code_of_answer(typ: u16, bodies: &[&[u8]]) -> u64 {
    let (mut client, flight) = answered();
    let len = 4 + usize::from(u16::from_be_bytes([flight[2], flight[3]]));
    error_code(&client.hear(Level::Handshake, &with(&flight[..len], typ, bodies)).expect_err("a refusal"))
}

#[test]
fn a_hello_that_is_none_of_quics() {
    // RFC 9001 8.4: for middleboxes that are not there.
    let said = hello();
    let with_id = [&said[4..38], &[32], &[7; 32], &said[39..]].concat();
    assert!(is(&refusal(&message_of(1, &with_id)), PROTOCOL_VIOLATION, PeerError::SessionIdOverQuic));
    // RFC 9001 8.1, 8.2.
    assert_eq!(code_of(&with(&said, ALPN, &[])), NO_PROTOCOL);
    assert_eq!(code_of(&with(&said, ALPN, &[b"\0\x03\x02h2"])), NO_PROTOCOL);
    assert_eq!(code_of(&with(&said, PARAMETERS, &[])), MISSING);
    assert_eq!(code_of(&with(&said, PARAMETERS, &[b"", b""])), DECODE, "the extension twice");
    // RFC 9000 7.4.
    for bad in
        [&b"\x04"[..], b"\x04\x02\x40", b"\x04\x01\x07\x04\x01\x07", b"\x04\x02\x07\x07", b"\x02\x00", b"\x00\x00"]
    {
        let error = refusal(&with(&said, PARAMETERS, &[bad]));
        assert!(is(&error, PARAMETER_ERROR, PeerError::BadTransportParameters), "{bad:x?}: {error}");
    }
    // RFC 9001 4.2: TLS 1.2, and what is older.
    assert_eq!(code_of(&with(&said, 43, &[b"\x02\x03\x03"])), VERSION);
    assert_eq!(code_of(&with(&said, 43, &[])), VERSION);
    let mut server = end(&server().build().unwrap());
    server.hear(Level::Initial, &with(&said, PARAMETERS, &[b""])).unwrap();
    assert_eq!(server.tls.peer_parameters(), Some(&[][..]), "nothing is something");
}

#[test]
fn an_answer_that_is_none_of_quics() {
    assert_eq!(code_of_answer(PARAMETERS, &[]), MISSING);
    assert_eq!(code_of_answer(PARAMETERS, &[b"\x04\x01\x07\x04\x01\x07"]), PARAMETER_ERROR);
    assert_eq!(code_of_answer(PARAMETERS, &[b"\x03\x01\x07"]), PARAMETER_ERROR, "max_udp_payload_size below 1200");
    assert_eq!(code_of_answer(ALPN, &[]), NO_PROTOCOL);
    assert_eq!(code_of_answer(ALPN, &[b"\0\x03\x02h2"]), ILLEGAL);
}

/// The extension stands in QUIC alone: RFC 9001 8.2.
#[test]
fn over_tcp_transport_parameters_are_refused() {
    let config = server().build().unwrap();
    let record =
        |message: &[u8]| [&[22, 3, 1], &u16::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat();
    let said = hello();
    for hello in [said.clone(), with(&with(&said, 43, &[b"\x02\x03\x03"]), PARAMETERS, &[b""])] {
        let mut out = Vec::new();
        let error = config.accept().receive(&mut record(&hello), &mut out).map(drop).unwrap_err();
        assert_eq!(error_code(&error), UNSUPPORTED, "{error}");
    }
    assert!(config.accept().receive(&mut record(&with(&said, PARAMETERS, &[])), &mut Vec::new()).is_ok());
}

#[test]
fn configurations_that_cannot_be_quics() {
    let cause = |error: Error| error.cause().clone();
    let no_protocol = ServerConfig::builder()
        .identity(clasp_testkit::authority().issue(clasp_testkit::KeyKind::P256, &["localhost"]).identity());
    let refused = no_protocol.build().unwrap().accept_quic(Version::V1, allows(1)).map(drop).map_err(cause);
    assert_eq!(refused, Err(Cause::Misuse(Misuse::BadAlpn)));
    let old = client().policy(Policy::default().with_versions([ProtocolVersion::Tls12])).build().unwrap();
    let refused = old.connect_quic("localhost".try_into().unwrap(), Version::V1, allows(1)).map(drop).map_err(cause);
    assert_eq!(refused, Err(Cause::Misuse(Misuse::BadPolicy)));
    for bad in [&b"\x04"[..], b"\x04\x01\x07\x04\x01\x07", b"\x0e\x01\x01"] {
        assert_eq!(Parameters::new(bad).map(drop).map_err(cause), Err(Cause::Misuse(Misuse::BadSetting)), "{bad:x?}");
    }
}

/// RFC 9001 4.1.3: each byte belongs to the level that is read at present.
#[test]
fn bytes_at_the_wrong_level() {
    let levels = [Level::Initial, Level::ZeroRtt, Level::Handshake, Level::OneRtt];
    let wrong = |tls: &mut Connection, level| {
        tls.read_crypto(level, b"").unwrap();
        let error = tls.read_crypto(level, &[20]).expect_err("the wrong level");
        assert_eq!(*error.cause(), Cause::Peer(PeerError::WrongCryptoLevel), "{error}");
        error_code(&error)
    };
    let both = || met(&client().build().unwrap(), &server().build().unwrap());
    for level in levels {
        let (mut begun, mut begun_server) = ends(&client().build().unwrap(), &server().build().unwrap());
        begun.advance().unwrap();
        if level != Level::Initial {
            assert_eq!(wrong(&mut begun.tls, level), PROTOCOL_VIOLATION, "{level:?}");
            assert_eq!(wrong(&mut begun_server.tls, level), PROTOCOL_VIOLATION, "{level:?}");
        }
        if level != Level::Handshake {
            assert_eq!(wrong(&mut answered().0.tls, level), PROTOCOL_VIOLATION, "{level:?}");
        }
        if level != Level::OneRtt {
            let (mut client, mut server) = both();
            assert_eq!(wrong(&mut client.tls, level), PROTOCOL_VIOLATION, "{level:?}");
            assert_eq!(wrong(&mut server.tls, level), PROTOCOL_VIOLATION, "{level:?}");
        }
    }
}

/// What is left of a level when its keys are over belongs to nobody: RFC 9001 4.1.3.
#[test]
fn bytes_left_over_when_keys_change() {
    for more in [&[8][..], &[8, 0, 0, 2, 0, 0], &[24, 0, 0, 1, 0]] {
        let (mut client, mut server) = ends(&client().build().unwrap(), &server().build().unwrap());
        let hello = client.advance().unwrap().remove(0).1;
        let error =
            end(&self::server().build().unwrap()).hear(Level::Initial, &[&hello[..], more].concat()).unwrap_err();
        assert_eq!(error_code(&error), PROTOCOL_VIOLATION, "{error}");
        let flight = server.hear(Level::Initial, &hello).unwrap();
        let error = client.hear(Level::Initial, &[&flight[0].1[..], more].concat()).unwrap_err();
        assert_eq!(error_code(&error), PROTOCOL_VIOLATION, "{error}");

        let (mut client, flight) = answered();
        let error = client.hear(Level::Handshake, &[&flight[..], more].concat()).unwrap_err();
        assert_eq!(error_code(&error), PROTOCOL_VIOLATION, "{error}");

        let (mut client, mut server) = ends(&self::client().build().unwrap(), &self::server().build().unwrap());
        let hello = client.advance().unwrap().remove(0).1;
        let flight = server.hear(Level::Initial, &hello).unwrap();
        client.hear(Level::Initial, &flight[0].1).unwrap();
        let finished = client.hear(Level::Handshake, &flight[1].1).unwrap().remove(0).1;
        let error = server.hear(Level::Handshake, &[&finished[..], more].concat()).unwrap_err();
        assert_eq!(error_code(&error), PROTOCOL_VIOLATION, "{error}");
        let again = server.tls.read_crypto(Level::OneRtt, &[4]).unwrap_err();
        assert_eq!(again.to_string(), error.to_string(), "the first error stands");
        assert_eq!(server.tls.failure().unwrap().to_string(), error.to_string());
    }
}

/// RFC 9001 4.4, 6, 8.3: messages of TLS that QUIC has not, and all others, where they come.
#[test]
fn messages_that_quic_has_not() {
    const KEY_UPDATE: u8 = 24;
    const END_OF_EARLY_DATA: u8 = 5;
    const CERTIFICATE_REQUEST: u8 = 13;
    let at = |end: &mut End, level, kind: u8, body: &[u8]| {
        error_code(&end.hear(level, &message_of(kind, body)).map(drop).expect_err("a message that is not there"))
    };
    for kind in (0..=30).chain([254]) {
        let (mut client, mut server) = met(&client().build().unwrap(), &server().build().unwrap());
        assert_eq!(at(&mut server, Level::OneRtt, kind, &[0]), UNEXPECTED, "{kind}");
        let of_client = match kind {
            4 => DECODE,
            CERTIFICATE_REQUEST => PROTOCOL_VIOLATION,
            _ => UNEXPECTED,
        };
        assert_eq!(at(&mut client, Level::OneRtt, kind, &[0]), of_client, "{kind}");
    }
    let (mut client, _) = met(&client().build().unwrap(), &server().build().unwrap());
    let error = client.hear(Level::OneRtt, &message_of(CERTIFICATE_REQUEST, &[0])).unwrap_err();
    assert!(is(&error, PROTOCOL_VIOLATION, PeerError::CertificateRequestOverQuic), "{error}");
    let (mut client, _) = answered();
    assert_eq!(at(&mut client, Level::Handshake, KEY_UPDATE, &[0]), UNEXPECTED);
    let (mut client, mut server) = ends(&self::client().build().unwrap(), &server().build().unwrap());
    let hello = client.advance().unwrap().remove(0).1;
    server.hear(Level::Initial, &hello).unwrap();
    assert_eq!(at(&mut server, Level::Handshake, END_OF_EARLY_DATA, &[]), UNEXPECTED);
    // A part of a message is none yet, and a message longer than its kind may be is refused at its header.
    let (mut client, _) = met(&self::client().build().unwrap(), &self::server().build().unwrap());
    client.hear(Level::OneRtt, &[4, 0, 0]).unwrap();
    assert_eq!(error_code(&client.hear(Level::OneRtt, &[0]).map(drop).expect_err("a ticket of no bytes")), DECODE);
    let (mut client, _) = met(&self::client().build().unwrap(), &self::server().build().unwrap());
    let error = client.hear(Level::OneRtt, &[4, 0xff, 0xff, 0xff]).map(drop).unwrap_err();
    assert_eq!(alert_of(error_code(&error)), Some(error.alert()));
}

/// RFC 9001 4.6.1: early_data in a ticket is all or nothing.
#[test]
fn a_ticket_does_not_bound_early_data() {
    let ticket = |bytes: u32| {
        let early = [&[0, 42, 0, 4][..], &bytes.to_be_bytes()].concat();
        let body = [&[0, 0, 1, 0, 0, 0, 0, 0, 1, 9, 0, 2, 7, 7, 0, 8][..], &early].concat();
        let (mut client, _) = met(&client().build().unwrap(), &server().build().unwrap());
        client.hear(Level::OneRtt, &message_of(4, &body)).map(drop)
    };
    ticket(u32::MAX).unwrap();
    for bytes in [1000, u32::MAX - 1] {
        let error = ticket(bytes).unwrap_err();
        assert!(is(&error, PROTOCOL_VIOLATION, PeerError::TicketBoundsEarlyData), "{error}");
    }
}

/// What a peer says while somebody else is waited for is held, and is bounded; so is each message.
#[test]
fn what_is_held_is_bounded() {
    let gate = clasp_testkit::Gate::default();
    let signer = clasp_testkit::authority().issue(clasp_testkit::KeyKind::P256, &["localhost"]).identity();
    let slow = clasp_testkit::SlowVerifier(gate, std::sync::Arc::new(clasp::config::DangerousAcceptAnyone));
    let client =
        clasp::ClientConfig::builder().dangerous_verifier(std::sync::Arc::new(slow)).alpn(["h3"]).build().unwrap();
    let server = ServerConfig::builder().identity(signer).alpn(["h3"]).build().unwrap();
    let (mut client, mut server) = ends(&client, &server);
    let hello = client.advance().unwrap().remove(0).1;
    let flight = server.hear(Level::Initial, &hello).unwrap();
    client.hear(Level::Initial, &flight[0].1).unwrap();
    // Without the Finished.
    client.hear(Level::Handshake, &flight[1].1[..flight[1].1.len() - 36]).unwrap();
    let mut held = 0;
    let error = loop {
        match client.hear(Level::Handshake, &message_of(20, &[0; 1000])) {
            Ok(_) => held += 1004,
            Err(error) => break error,
        }
        assert!(held < 1 << 20, "{held} bytes");
    };
    assert_eq!((error_code(&error), error.cause()), (BUFFER_EXCEEDED, &Cause::Peer(PeerError::TooMuchCrypto)));
    let huge = vec![0; 1 << 20];
    let (mut client, _) = answered();
    assert_eq!(error_code(&client.hear(Level::Handshake, &huge).unwrap_err()), BUFFER_EXCEEDED);
    // A message that announces more than a message may have is refused at its header.
    let (mut client, _) = answered();
    let error = client.hear(Level::Handshake, &[11, 0xff, 0xff, 0xff]).unwrap_err();
    assert_eq!(alert_of(error_code(&error)), Some(error.alert()));
}

/// Handshakes that break off anywhere, and hellos with any byte changed, end in an error or wait; nothing panics.
#[test]
fn hellos_cut_and_altered() {
    let config = server().build().unwrap();
    let said = hello();
    for len in 0..said.len() {
        assert_eq!(end(&config).hear(Level::Initial, &said[..len]).unwrap().len(), 0, "{len} bytes");
    }
    for at in 0..said.len() {
        let mut altered = said.clone();
        altered[at] ^= 0x55;
        if let Err(error) = end(&config).hear(Level::Initial, &altered) {
            assert!(error_code(&error) < 0x200);
        }
    }
}

/// The alerts of TLS are there as codes, and back.
#[test]
fn errors_have_codes() {
    assert_eq!(error_code(&AlertDescription::HandshakeFailure.into()), 0x100, "nothing to say to whoever has ended it");
    for alert in 0..=u8::MAX {
        assert_eq!(alert_of(0x100 + u64::from(alert)), Some(AlertDescription(alert)));
    }
    assert_eq!([0xff, 0x200, u64::MAX].map(alert_of), [None; 3]);
}

/// A configuration serves both: TCP is as it was.
#[test]
fn tcp_goes_on_beside() {
    let (client, server) = (client().build().unwrap(), server().build().unwrap());
    met(&client, &server);
    let mut pair = Pair::new(&client, &server);
    pair.drive().unwrap();
    assert!(pair.client.facts().is_some());
    let mut end = End::client(&client, Version::V1, allows(1));
    end.tls.advance(&mut Context::from_waker(Waker::noop())).unwrap();
}
