//! What a failed connection reads like to whoever unwraps it, or lets `main` return it: the second file shows each failure as
//! `{:?}` has it, which Rust prints behind `Error: ` there.
#![cfg(feature = "legacy")]
#![allow(clippy::unwrap_used)]

use clasp::config::{ClientBuilder, Ready};
use clasp::trace::Direction;
use clasp::wire::code::{AlertDescription, CipherSuite, ProtocolVersion};
use clasp::{ClientConfig, Error, Policy, ServerConfig, Stream};
use clasp_testkit::{Authority, KeyKind, authority, other_authority};
use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// How both sides end; a server that is none has nothing to say.
type Ends = (io::Error, Option<io::Error>);

fn trusting() -> ClientBuilder<Ready> {
    ClientConfig::builder().trust(authority().roots())
}

fn server() -> Arc<ServerConfig> {
    server_of(Policy::default())
}

fn server_of(policy: Policy) -> Arc<ServerConfig> {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    ServerConfig::builder().identity(identity).policy(policy).build().unwrap()
}

/// A client's end with a peer that does this with its socket.
fn with_peer(client: ClientBuilder<Ready>, peer: impl FnOnce(TcpStream) -> Option<io::Error> + Send + 'static) -> Ends {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || peer(listener.accept().unwrap().0));
    let connection = client.build().unwrap().connect("localhost".try_into().unwrap());
    let failed = {
        let mut tls = Stream::new(connection, TcpStream::connect(address).unwrap());
        // In TLS 1.3 a client is done before the server has judged it.
        let said = tls.write_all(b"hello").and_then(|()| tls.read(&mut [0; 9]));
        said.unwrap_err()
    };
    (failed, serving.join().unwrap())
}

/// The ends of both with a server of Clasp.
fn ends(client: ClientBuilder<Ready>, server: Arc<ServerConfig>) -> Ends {
    with_peer(client, move |tcp| {
        let mut tls = Stream::new(server.accept(), tcp);
        tls.handshake().map(drop).err()
    })
}

fn plain_http() -> Ends {
    with_peer(trusting(), |mut tcp| {
        tcp.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").unwrap();
        tcp.read_to_end(&mut Vec::new()).unwrap();
        None
    })
}

/// A socket that is closed with something unread is reset.
fn reset() -> Ends {
    with_peer(trusting(), |tcp| {
        assert_eq!(tcp.peek(&mut [0; 1]).unwrap(), 1);
        None
    })
}

fn closed() -> Ends {
    with_peer(trusting(), |mut tcp| {
        let mut hello = [0; 5];
        tcp.read_exact(&mut hello).unwrap();
        let mut rest = vec![0; usize::from(u16::from_be_bytes([hello[3], hello[4]]))];
        tcp.read_exact(&mut rest).unwrap();
        None
    })
}

fn other_name() -> Ends {
    let identity = authority().issue(KeyKind::P256, &["www.example", "example"]).identity();
    ends(trusting(), ServerConfig::builder().identity(identity).build().unwrap())
}

fn no_common_suite() -> Ends {
    let suites = |suite| Policy::default().with_versions([ProtocolVersion::Tls12]).with_suites([suite]);
    let one = suites(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256);
    let other = suites(CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256);
    ends(trusting().policy(one), server_of(other))
}

fn shown(text: &mut String, what: &str, (of_client, of_server): Ends) {
    writeln!(text, "{what}\n  client: {of_client:?}").unwrap();
    if let Some(of_server) = of_server {
        writeln!(text, "  server: {of_server:?}").unwrap();
    }
}

#[test]
fn a_failure_reads_as_people_read() {
    let mut text = String::new();
    let stranger = ClientConfig::builder().trust(Authority::new("Another CA").roots());
    let middle = ClientConfig::builder().trust(other_authority().roots());
    shown(&mut text, "a private authority that the client does not know", ends(stranger, server()));
    shown(&mut text, "one that goes by the name of another", ends(middle, server()));
    shown(&mut text, "a certificate for other names", other_name());
    shown(&mut text, "no cipher suite in common", no_common_suite());
    shown(&mut text, "a peer that speaks plain HTTP", plain_http());
    shown(&mut text, "a peer that resets the connection", reset());
    shown(&mut text, "a peer that closes the connection", closed());
    if text != include_str!("failures.txt") {
        let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/failures.txt");
        std::fs::write(path, &text).unwrap();
        panic!("what is said has changed: compare {path} with tests/failures/failures.txt");
    }
}

/// What programs want of it, one by one; and the structure, for whoever wants to see all of it.
#[test]
fn each_part_can_be_had() {
    let (of_client, of_server) = other_name();
    let tls = Error::from_io(&of_client).unwrap();
    assert!(tls.seen_text().unwrap().contains("www.example"), "{tls:?}");
    assert_eq!(tls.place().message, Some("Certificate"));
    assert_eq!(tls.alert_and_direction(), Some((AlertDescription::BadCertificate, Direction::Sent)));
    assert!(!tls.without_hint().to_string().contains(tls.hint_text().unwrap()));
    let structure = format!("{of_client:#?}");
    assert!(structure.contains("cause: Certificate(") && structure.lines().count() > 10, "{structure}");
    let of_server = of_server.unwrap();
    let told = Error::from_io(&of_server).unwrap();
    assert_eq!(told.alert_and_direction(), Some((AlertDescription::BadCertificate, Direction::Received)));
    let (of_client, _) = closed();
    assert_eq!(Error::from_io(&of_client).unwrap().alert_and_direction(), None);
}

/// An error that somebody gives another one along with: it is found, and it is told.
#[test]
fn errors_are_found_in_others_and_others_in_them() {
    let (plain, _) = plain_http();
    let nested = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, plain));
    assert_eq!(Error::from_io(&nested).unwrap().alert(), AlertDescription::ProtocolVersion);
    assert!(Error::from_io(&io::Error::other("words")).is_none());

    #[derive(Debug)]
    struct Looped;
    impl std::fmt::Display for Looped {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an error\nthat comes of itself")
        }
    }
    impl std::error::Error for Looped {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(self)
        }
    }
    assert!(Error::inside(&Looped).is_none());
    let refusal = Error::refused(AlertDescription::AccessDenied).because(Looped);
    assert!(refusal.to_string().contains(r"; because: an error\nthat comes of itself"), "{refusal}");
    let source = std::error::Error::source(&refusal).unwrap();
    assert!(source.is::<Looped>());
}
