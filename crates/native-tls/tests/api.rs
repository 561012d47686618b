//! The API as programs use it: both sides over TCP, and what is refused.
#![allow(clippy::unwrap_used, clippy::panic)]

use clasp::wire::code::ProtocolVersion;
use clasp_testkit::{KeyKind, authority};
use native_tls::{Certificate, HandshakeError, Identity, Protocol, TlsAcceptor, TlsConnector, TlsStream};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

/// A chain and its key, as PEM.
fn issued() -> [String; 2] {
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    [issued.chain_pem, issued.key_pem]
}

fn identity() -> Identity {
    let [chain, key] = issued();
    Identity::from_pkcs8(chain.as_bytes(), key.as_bytes()).unwrap()
}

fn root() -> Certificate {
    Certificate::from_der(authority().der()).unwrap()
}

/// What the two sides of a connection made of it; the client says "hello", and hears it again.
type Both = [Result<(TlsStream<TcpStream>, Vec<u8>), String>; 2];

fn meet(connector: &TlsConnector, acceptor: &TlsAcceptor, name: &str) -> Both {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = acceptor.clone();
    let server = thread::spawn(move || {
        let (tcp, _) = listener.accept().unwrap();
        let mut tls = acceptor.accept(tcp).map_err(|error| error.to_string())?;
        let mut word = [0; 5];
        tls.read_exact(&mut word).map_err(|error| error.to_string())?;
        tls.write_all(&word).unwrap();
        tls.shutdown().unwrap();
        Ok((tls, word.to_vec()))
    });
    let client = || {
        let tcp = TcpStream::connect(address).unwrap();
        let mut tls = connector.connect(name, tcp).map_err(|error| error.to_string())?;
        tls.write_all(b"hello").map_err(|error| error.to_string())?;
        let mut word = Vec::new();
        tls.read_to_end(&mut word).map_err(|error| error.to_string())?;
        Ok((tls, word))
    };
    let client = client();
    [client, server.join().unwrap()]
}

fn connector() -> TlsConnector {
    TlsConnector::builder().add_root_certificate(root()).disable_built_in_roots(true).build().unwrap()
}

#[test]
fn a_client_and_a_server_meet() {
    let acceptor = TlsAcceptor::builder(identity()).accept_alpn(&["x", "y"]).build().unwrap();
    let mut builder = TlsConnector::builder();
    builder.add_root_certificate(root()).request_alpns(&["y", "z"]);
    let [client, server] = meet(&builder.build().unwrap(), &acceptor, "localhost");
    let ((client, heard), (server, said)) = (client.unwrap(), server.unwrap());
    assert_eq!([heard, said], [b"hello", b"hello"]);
    for side in [&client, &server] {
        assert_eq!(side.negotiated_alpn().unwrap().as_deref(), Some(&b"y"[..]));
        assert_eq!(side.facts().version, ProtocolVersion::Tls13);
    }
    let point = client.tls_server_end_point().unwrap().unwrap();
    assert_eq!((point.len(), Some(point)), (32, server.tls_server_end_point().unwrap()));
    assert_eq!(client.peer_certificate().unwrap().unwrap().to_der().unwrap(), client.facts().peer_chain()[0].to_vec());
    assert!(server.peer_certificate().unwrap().is_none());
}

#[test]
fn versions_are_kept_to() {
    let acceptor = TlsAcceptor::new(identity()).unwrap();
    // As in the original, what cannot be spoken shows with the first connection, and the other side hears of it.
    let old = TlsConnector::builder().max_protocol_version(Some(Protocol::Tlsv11)).build().unwrap();
    let [client, server] = meet(&old, &acceptor, "localhost");
    let (words, server) = (client.unwrap_err(), server.unwrap_err());
    assert!(words.contains("TLS 1.2"), "{words}");
    assert!(server.contains("handshake"), "{server}");
    let none = TlsAcceptor::builder(identity())
        .min_protocol_version(Some(Protocol::Tlsv13))
        .max_protocol_version(Some(Protocol::Tlsv12))
        .build()
        .unwrap();
    let [client, server] = meet(&connector(), &none, "localhost");
    assert!(client.is_err());
    let words = server.unwrap_err();
    assert!(words.contains("above"), "{words}");
    for (min, max, wanted) in [
        (Some(Protocol::Tlsv10), Some(Protocol::Tlsv12), ProtocolVersion::Tls12),
        (None, None, ProtocolVersion::Tls13),
        (Some(Protocol::Tlsv13), None, ProtocolVersion::Tls13),
    ] {
        let mut builder = TlsConnector::builder();
        builder.add_root_certificate(root()).min_protocol_version(min).max_protocol_version(max);
        let [client, _] = meet(&builder.build().unwrap(), &acceptor, "localhost");
        assert_eq!(client.unwrap().0.facts().version, wanted);
    }
}

/// Each danger is one switch, and lets in what it says, and no more.
#[test]
fn dangers_let_in_what_they_say() {
    let acceptor = TlsAcceptor::new(identity()).unwrap();
    let stranger = || {
        let mut builder = TlsConnector::builder();
        builder.disable_built_in_roots(true);
        builder
    };
    let friend = || {
        let mut builder = stranger();
        builder.add_root_certificate(root());
        builder
    };
    let meets = |builder: &native_tls::TlsConnectorBuilder, name: &str| {
        let [client, _] = meet(&builder.build().unwrap(), &acceptor, name);
        client.map(drop)
    };
    assert!(meets(&friend(), "localhost").is_ok());
    let words = meets(&friend(), "other.example").unwrap_err();
    assert!(words.contains("other.example"), "{words}");
    assert!(meets(friend().danger_accept_invalid_hostnames(true), "other.example").is_ok());
    assert!(meets(&stranger(), "localhost").is_err());
    assert!(meets(stranger().danger_accept_invalid_hostnames(true), "localhost").is_err());
    assert!(meets(stranger().danger_accept_invalid_certs(true), "other.example").is_ok());
}

/// A transport that has nothing at present: the handshake goes on where it was.
#[test]
fn a_handshake_over_a_transport_that_does_not_block() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::new(identity()).unwrap();
    let (go, gone) = std::sync::mpsc::channel();
    let client = thread::spawn(move || {
        let tcp = TcpStream::connect(address).unwrap();
        gone.recv().unwrap();
        let mut tls = connector().connect("localhost", tcp).unwrap();
        tls.write_all(b"hello").unwrap();
        tls.shutdown().unwrap();
        let mut end = Vec::new();
        tls.read_to_end(&mut end).unwrap();
    });
    let (tcp, _) = listener.accept().unwrap();
    tcp.set_nonblocking(true).unwrap();
    // Nothing has been said yet.
    let mut attempt = acceptor.accept(tcp);
    go.send(()).unwrap();
    let mut interrupted = 0;
    let mut tls = loop {
        attempt = match attempt {
            Ok(tls) => break tls,
            Err(HandshakeError::WouldBlock(middle)) => {
                interrupted += 1;
                thread::yield_now();
                middle.handshake()
            }
            Err(HandshakeError::Failure(error)) => panic!("{error}"),
        };
    };
    assert!(interrupted > 0);
    let mut word = Vec::new();
    while let Err(error) = tls.read_to_end(&mut word) {
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        thread::yield_now();
    }
    assert_eq!(word, b"hello");
    while let Err(error) = tls.shutdown() {
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    }
    drop(tls);
    client.join().unwrap();
}

/// Programs end their data by dropping the stream. What was cut can be told from what was ended.
#[test]
fn a_transport_that_is_cut_ends_the_data_and_is_told_from_a_close() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::new(identity()).unwrap();
    let server = thread::spawn(move || {
        let mut tls = acceptor.accept(listener.accept().unwrap().0).unwrap();
        tls.write_all(b"half of").unwrap();
        tls.get_ref().shutdown(Shutdown::Write).unwrap();
        let mut closed = acceptor.accept(listener.accept().unwrap().0).unwrap();
        closed.write_all(b"whole").unwrap();
        closed.shutdown().unwrap();
        (tls, closed)
    });
    let mut tls = connector().connect("localhost", TcpStream::connect(address).unwrap()).unwrap();
    let mut page = Vec::new();
    assert!(!tls.is_truncated());
    tls.read_to_end(&mut page).unwrap();
    assert_eq!((&page[..], tls.is_truncated()), (&b"half of"[..], true));
    let mut tls = connector().connect("localhost", TcpStream::connect(address).unwrap()).unwrap();
    page.clear();
    tls.read_to_end(&mut page).unwrap();
    assert_eq!((&page[..], tls.is_truncated()), (&b"whole"[..], false));
    drop(server.join().unwrap());
}

/// Archives made by `openssl pkcs12 -export`, today's and those of before OpenSSL 3 (RC2 and 3DES); keys of other forms.
#[test]
fn identities_are_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/files");
    for name in ["today.p12", "legacy.p12"] {
        let der = std::fs::read(format!("{folder}/{name}")).unwrap();
        let identity = Identity::from_pkcs12(&der, "secret").unwrap_or_else(|error| panic!("{name}: {error}"));
        TlsAcceptor::new(identity).unwrap();
        let words = Identity::from_pkcs12(&der, "wrong").map(drop).unwrap_err().to_string();
        assert!(words.contains("PKCS #12"), "{words}");
    }
    assert!(Identity::from_pkcs12(b"\x30\x00", "").is_err());
    let ([chain, key], [_, other]) = (issued(), issued());
    let words = Identity::from_pkcs8(chain.as_bytes(), other.as_bytes()).map(drop).unwrap_err().to_string();
    assert!(words.contains("key"), "{words}");
    let form = key.replace("PRIVATE KEY", "RSA PRIVATE KEY");
    assert!(Identity::from_pkcs8(chain.as_bytes(), form.as_bytes()).is_err());
    assert!(Certificate::from_pem(b"no PEM").is_err());
    let two = [authority().pem(), &chain].concat();
    assert!(Certificate::stack_from_pem(two.as_bytes()).unwrap().len() >= 2);
}

#[test]
fn what_goes_between_tasks_may() {
    fn moves<T: Send + Sync>() {}
    moves::<TlsStream<TcpStream>>();
    moves::<TlsConnector>();
    moves::<TlsAcceptor>();
    moves::<native_tls::Error>();
    moves::<HandshakeError<TcpStream>>();
}
