//! HTTP/1.1 through the proxy: whose certificate it is.

use crate::stage::{Stage, ask, backend, connect};
use base64::Engine as _;
use clasp::Stream;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// A backend that answers each request with its head and its body, and speaks in capitals once it is upgraded.
fn mirror() -> SocketAddr {
    backend(|tcp| {
        let mut reader = BufReader::new(tcp.try_clone().unwrap());
        let mut tcp = tcp;
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if reader.read_line(&mut head).unwrap_or(0) == 0 {
                    return;
                }
            }
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            if head.contains("upgrade: ") {
                let to = if head.contains("GET /h2c") { "h2c" } else { "websocket" };
                let switch =
                    format!("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: {to}\r\n\r\n");
                tcp.write_all(switch.as_bytes()).unwrap();
                let mut word = [0; 4];
                reader.read_exact(&mut word).unwrap();
                tcp.write_all(&word.to_ascii_uppercase()).unwrap();
                return;
            }
            let said = [head.as_bytes(), &body].concat();
            let answer =
                format!("HTTP/1.1 200 OK\r\nconnection: x-hop\r\nx-hop: 1\r\ncontent-length: {}\r\n\r\n", said.len());
            tcp.write_all(&[answer.as_bytes(), &said].concat()).unwrap();
        }
    })
}

/// A request, and the answer's head and body.
fn request(tls: &mut Stream<TcpStream>, request: &str) -> String {
    tls.write_all(request.as_bytes()).unwrap();
    tls.flush().unwrap();
    let mut heard = Vec::new();
    while !heard.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        tls.read_exact(&mut byte).unwrap();
        heard.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&heard).into_owned();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    tls.read_exact(&mut body).unwrap();
    head + &String::from_utf8_lossy(&body)
}

#[test]
fn the_backend_hears_whose_certificate_it_is_from_us_alone() {
    let stage = Stage::new();
    stage.issue("alice", "alice", vec![]);
    let options = "{id} --client-ca {root.pem} --client-auth request --client-cert-header --alpn http/1.1";
    let proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {} {options}", mirror()));
    let pem = std::fs::read(stage.path("alice.pem")).unwrap();
    let der = clasp_x509::pem::items(&pem, clasp_x509::kind::Kind::Certificate).unwrap()[0].der().to_vec();
    let ours = format!("client-cert: :{}:\r\n", base64::engine::general_purpose::STANDARD.encode(der));
    let forged = "Client-Cert: :AAAA:\r\nclient_cert: :BBBB:\r\nClient-Cert-Chain: :CCCC:\r\n";
    for who in ["alice", ""] {
        let mut tls = connect(&stage.client(who), "localhost", &proxy.address);
        // More than one on a connection, with and without a body, and one that names our header as its connection's own.
        for (head, body) in [
            ("GET /a?b HTTP/1.1\r\nhost: a.test\r\n", ""),
            ("POST /c HTTP/1.1\r\nhost: a.test\r\nconnection: client-cert\r\ncontent-length: 4\r\n", "body"),
            ("GET http://b.test/d HTTP/1.1\r\nhost: a.test\r\n", ""),
        ] {
            let said = request(&mut tls, &format!("{head}{forged}\r\n{body}"));
            assert!(said.starts_with("HTTP/1.1 200 OK\r\n") && !said.contains("x-hop"), "{said}");
            assert_eq!(
                said.matches("client-cert").count() + said.matches("client_cert").count(),
                usize::from(who == "alice"),
                "{said}"
            );
            assert_eq!(said.contains(&ours), who == "alice", "{said}");
            assert!(said.ends_with(body) && !said.contains("AAAA") && !said.contains("BBBB"), "{said}");
            match head.contains("b.test") {
                true => assert!(said.contains("GET /d HTTP/1.1\r\n") && said.contains("host: b.test\r\n"), "{said}"),
                false => assert!(said.contains("host: a.test\r\n"), "{said}"),
            }
        }
        let said = request(&mut tls, "CONNECT a.test:1 HTTP/1.1\r\nhost: a.test\r\n\r\n");
        assert!(said.starts_with("HTTP/1.1 405"), "{said}");
        drop(tls);
        let line = proxy.line("end=");
        assert!(!line.contains("in=0") && !line.contains("out=0") && line.contains("to=127.0.0.1:"), "{line}");
    }
}

#[test]
fn an_upgrade_goes_through_and_a_backend_that_is_gone_is_said() {
    let stage = Stage::new();
    let options = "{id} --client-ca {root.pem} --client-auth request --client-cert-header";
    let proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {} {options}", mirror()));
    let mut tls = connect(&stage.client(""), "localhost", &proxy.address);
    let said = request(&mut tls, "GET / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: WebSocket\r\n\r\n");
    assert!(said.starts_with("HTTP/1.1 101") && said.contains("upgrade: websocket"), "{said}");
    assert_eq!(ask(&mut tls, b"word").unwrap(), b"WORD");
    proxy.line("end=done");

    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {gone} {options}"));
    let mut tls = connect(&stage.client(""), "localhost", &proxy.address);
    let said = request(&mut tls, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    assert!(said.starts_with("HTTP/1.1 502"), "{said}");
    drop(tls);
    proxy.line("end=connect_refused");
}

/// What is HTTP again behind an upgrade nobody would look at, and a client could say there whose certificate it has.
#[test]
fn nobody_comes_by_an_upgrade_to_where_headers_are_not_looked_at() {
    let stage = Stage::new();
    let options = "{id} --client-ca {root.pem} --client-auth request --client-cert-header";
    let proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {} {options}", mirror()));
    let mut tls = connect(&stage.client(""), "localhost", &proxy.address);
    for upgrade in [
        "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA",
        "connection: upgrade\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA",
        "connection: upgrade\r\nupgrade: websocket, h2c",
        "connection: upgrade\r\nupgrade: h2c, websocket",
        "connection: upgrade\r\nupgrade: websocket\r\nupgrade: h2c",
        "connection: upgrade\r\nupgrade: HTTP/2.0",
        "connection: upgrade\r\nupgrade: TLS/1.2",
        "upgrade: websocket",
    ] {
        let said = request(&mut tls, &format!("GET / HTTP/1.1\r\nhost: a\r\n{upgrade}\r\n\r\n"));
        assert!(said.starts_with("HTTP/1.1 200"), "{upgrade}: {said}");
        assert!(!said.contains("upgrade") && !said.contains("settings"), "{upgrade}: {said}");
    }
    // Asked for one, and answered with another.
    let said = request(&mut tls, "GET /h2c HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    assert!(said.starts_with("HTTP/1.1 502"), "{said}");
}

/// RFC 9112 3.2, 7.1: what cannot be understood is the client's fault, and said so.
#[test]
fn requests_that_are_none_are_refused() {
    let stage = Stage::new();
    let options = "{id} --client-ca {root.pem} --client-auth request --client-cert-header";
    let proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {} {options}", mirror()));
    for head in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ] {
        let mut tls = connect(&stage.client(""), "localhost", &proxy.address);
        let said = request(&mut tls, head);
        assert!(said.starts_with("HTTP/1.1 400"), "{head:?}: {said}");
    }
}
