//! The PROXY protocol, in and out.

use crate::stage::{LONG, Stage, ask, backend, connect, tcp};
use clasp::Stream;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};

/// A backend that tells what it hears, to the end.
fn telling() -> (SocketAddr, Receiver<Vec<u8>>) {
    let (say, hear) = channel();
    let to = backend(move |mut tcp| {
        let mut heard = Vec::new();
        if tcp.read_to_end(&mut heard).is_ok() {
            say.send(heard).unwrap();
        }
    });
    (to, hear)
}

/// A client that begins with these bytes, and then speaks TLS.
fn speak(stage: &Stage, address: &str, first: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut tcp = tcp(address);
    tcp.write_all(first)?;
    let mut tls = Stream::new(stage.client("alice").connect("localhost".try_into().unwrap()), tcp);
    ask(&mut tls, b"word")
}

#[test]
fn who_the_client_is_is_taken_from_named_networks_and_told_to_the_backend() {
    let stage = Stage::new();
    stage.issue("alice", "alice", vec![]);
    let (to, heard) = telling();
    let options = "{id} --alpn h2 --client-ca {root.pem}";
    let line = b"PROXY TCP4 192.0.2.7 198.51.100.2 4711 443\r\n";
    let proxy =
        stage.proxy(&format!("--listen 127.0.0.1:0 --to {to} {options} --proxy-from 127.0.0.0/8,unix --send-proxy v1"));
    speak(&stage, &proxy.address, line).unwrap();
    assert_eq!(heard.recv_timeout(LONG).unwrap(), [&line[..], b"word"].concat());
    assert!(proxy.line("end=done").contains(" 192.0.2.7:4711 via=127.0.0.1:"));
    // What is no header is not guessed at, and one that is cut off is not waited for.
    let mut plain = tcp(&proxy.address);
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(plain.read(&mut [0]).unwrap_or(0), 0);
    proxy.line("end=proxy_header why=\"this is no PROXY header\"");
    let mut cut = tcp(&proxy.address);
    cut.write_all(&line[..20]).unwrap();
    drop(cut);
    proxy.line("end=client_closed");

    // From another network, a header is no TLS.
    let proxy =
        stage.proxy(&format!("--listen 127.0.0.1:0 --to {to} {options} --proxy-from 10.0.0.0/8 --send-proxy v2"));
    assert!(speak(&stage, &proxy.address, line).is_err());
    proxy.line("end=client_not_tls");
    let mut tls = connect(&stage.client("alice"), "localhost", &proxy.address);
    ask(&mut tls, b"word").unwrap();
    let said = heard.recv_timeout(LONG).unwrap();
    let has = |part: &[u8]| said.windows(part.len()).any(|window| window == part);
    assert!(said.starts_with(b"\r\n\r\n\0\r\nQUIT\n\x21\x11") && said.ends_with(b"word"), "{}", said.escape_ascii());
    assert_eq!(said[16..24], [127, 0, 0, 1, 127, 0, 0, 1]);
    for part in [
        &b"\x02\0\x09localhost"[..],
        // TLS with a certificate, of this connection, which was verified; then the version, the name, the suite.
        b"\x07\0\0\0\0\x21\0\x07TLSv1.3",
        b"\x22\0\x05alice",
        b"TLS_",
    ] {
        assert!(has(part), "{} is not in {}", part.escape_ascii(), said.escape_ascii());
    }
}

#[test]
fn a_header_may_come_in_pieces_and_in_one_with_what_follows() {
    let stage = Stage::new();
    stage.issue("alice", "alice", vec![]);
    let (to, heard) = telling();
    let proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {to} {{id}} --proxy-from 127.0.0.1"));
    let mut hello = b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n".to_vec();
    let mut tcp = tcp(&proxy.address);
    let mut half = stage.client("").connect("localhost".try_into().unwrap());
    half.advance(&mut core::task::Context::from_waker(core::task::Waker::noop()), &mut hello).unwrap();
    for piece in hello.chunks(31) {
        tcp.write_all(piece).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // The server's answer: the hello has arrived whole.
    let mut first = [0; 3];
    tcp.read_exact(&mut first).unwrap();
    assert_eq!(first, [22, 3, 3]);
    drop(tcp);
    assert!(proxy.line("end=client_").contains(" [2001:db8::7]:4711 via=127.0.0.1:"));
    // A look whether somebody is there speaks for itself.
    let local = [&b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"[..]].concat();
    speak(&stage, &proxy.address, &local).unwrap();
    assert_eq!(heard.recv_timeout(LONG).unwrap(), b"word");
    assert!(!proxy.line("end=done").contains("via="));
}
