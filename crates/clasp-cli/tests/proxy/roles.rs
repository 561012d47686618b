//! TLS on one side, on the other, on both; who is let in.

use crate::common::{clasp, text};
use crate::stage::{Stage, ask, backend, connect, dns, shout, shouting, shouting_tls, tcp, uri};
use clasp::{ClientAuth, Error, ServerConfig, Stream};
use rcgen::SanType;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::thread;

/// More than any buffer holds.
const LARGE: usize = 3_000_000;

#[test]
fn tls_ends_here_and_both_directions_end_by_themselves() {
    let stage = Stage::new();
    let proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {} {{id}} --policy modern", shouting()));
    let client = stage.client("");
    let words: Vec<u8> = (b'a'..=b'z').cycle().take(LARGE).collect();
    for round in 0..2 {
        let mut tls = connect(&client, "localhost", &proxy.address);
        // The backend answers after the client's end: a half that is closed leaves the other open.
        assert!(ask(&mut tls, &words).unwrap() == words.to_ascii_uppercase());
        let line = proxy.line("end=done");
        for part in ["127.0.0.1:", "name=localhost", "version=\"TLS 1.3\"", "suite=TLS_", "in=3000000", "out=3000000"] {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert_eq!(line.contains("resumed=ticket"), round == 1, "{line}");
    }
    // TLS 1.3 alone: it is said what was wanted.
    let said = clasp(&["connect", &proxy.address, "--ca", &stage.file("root.pem"), "--tls", "1.2", "--get", "/"]);
    assert_eq!(said.status.code(), Some(1), "{}", text(&said.stderr));
    let line = proxy.line("end=client_no_common_version");
    assert!(line.contains("why=\""), "{line}");
}

#[test]
fn either_side_may_be_a_unix_socket() {
    let stage = Stage::new();
    let (app, front) = (stage.file("app.sock"), stage.file("front.sock"));
    let listener = UnixListener::bind(&app).unwrap();
    thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(|mut unix| shout(&mut unix)));
    let backend = stage.proxy("--listen 127.0.0.1:0 --to unix:{app.sock} {id}");
    // A name that a server has left behind is taken over.
    drop(UnixListener::bind(&front).unwrap());
    let mut proxy =
        stage.proxy(&format!("--listen unix:{front} --to {} --originate --ca {{root.pem}}", backend.address));
    let mut unix = UnixStream::connect(&front).unwrap();
    unix.write_all(b"through two proxies").unwrap();
    unix.shutdown(Shutdown::Write).unwrap();
    let mut heard = String::new();
    unix.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "THROUGH TWO PROXIES");
    // And one that is in use is not.
    let second = clasp(&["proxy", "--listen", &format!("unix:{front}"), "--to", "a.test:1", "--originate"]);
    assert!(text(&second.stderr).contains("front.sock"), "{}", text(&second.stderr));
    proxy.signal("TERM");
    assert!(proxy.ended(crate::stage::LONG).unwrap().success());
    assert!(!stage.path("front.sock").exists());
}

#[test]
fn tls_begins_here_with_a_certificate_and_a_name() {
    let stage = Stage::new();
    stage.issue("me", "me", vec![dns("me.test")]);
    stage.issue("app", "", vec![dns("app.internal")]);
    let auth = ClientAuth::Require(Arc::new(clasp::config::WebPki::clients(stage.roots())));
    let config = ServerConfig::builder().identity(stage.identity("app")).client_auth(auth).alpn(["b"]).build().unwrap();
    let backend = shouting_tls(config);
    let base = format!("--listen 127.0.0.1:0 --to {backend} --originate --ca {{root.pem}}");
    let whole = format!("{base} --name app.internal --client-cert {{me.pem}} --client-key {{me-key.pem}}");
    let say = |address: &str| {
        let mut tcp = tcp(address);
        let mut heard = String::new();
        tcp.write_all(b"word").unwrap();
        tcp.shutdown(Shutdown::Write).unwrap();
        tcp.read_to_string(&mut heard).map(|_| heard)
    };
    let proxy = stage.proxy(&format!("{whole} --alpn a,b"));
    assert_eq!(say(&proxy.address).unwrap(), r#"WORD ["me.test", "CN=me"] b"#);
    assert!(proxy.line("end=done").contains(&format!("to={backend}")));
    // Not for this name: whoever speaks plain hears nothing but a reset.
    let proxy = stage.proxy(&base);
    assert!(say(&proxy.address).is_err());
    let line = proxy.line("end=backend_certificate_");
    assert!(line.contains("app.internal"), "{line}");
    // With TLS on both sides, the backend is offered what was agreed with the client.
    let proxy = stage.proxy(&format!("{whole} {{id}} --alpn a,b"));
    for alpn in ["a", "b"] {
        let client = clasp::ClientConfig::clone(&stage.client("")).with_alpn([alpn]).unwrap();
        let heard = ask(&mut connect(&Arc::new(client), "localhost", &proxy.address), b"word");
        match alpn {
            "b" => assert_eq!(heard.unwrap(), br#"WORD ["me.test", "CN=me"] b"#),
            _ => assert!(proxy.line("end=backend_").contains("alert_no_application_protocol")),
        }
    }
}

#[test]
fn who_is_not_on_the_list_is_turned_away_with_an_alert_and_a_line_that_says_why() {
    let stage = Stage::new();
    stage.issue("alice", "alice", vec![dns("alice.test")]);
    stage.issue("mail", "", vec![SanType::Rfc822Name("bob@a.test".try_into().unwrap())]);
    stage.issue("ip", "", vec![SanType::IpAddress([192, 0, 2, 7].into())]);
    stage.issue("web", "", vec![uri("spiffe://a.test/ns/web")]);
    stage.issue("eve", "eve", vec![dns("alice.test.eve.test"), uri("spiffe://a.test/ns/web/x")]);
    let base = format!("--listen 127.0.0.1:0 --to {} {{id}} --client-ca {{root.pem}}", shouting());
    for (list, good) in [
        ("--allow-cn alice", "alice"),
        ("--allow-san ALICE.test", "alice"),
        ("--allow-san bob@A.test", "mail"),
        ("--allow-san 192.0.2.7", "ip"),
        ("--allow-uri spiffe://a.test/ns/web", "web"),
        ("--allow-uri spiffe://a.test/*/web --allow-cn nobody", "web"),
    ] {
        let proxy = stage.proxy(&format!("{base} {list}"));
        let client = stage.client(good);
        // The second time as a session that is resumed.
        for _ in 0..2 {
            assert_eq!(ask(&mut connect(&client, "localhost", &proxy.address), b"word").unwrap(), b"WORD", "{list}");
        }
        let eve = stage.client("eve");
        for _ in 0..2 {
            let error = ask(&mut connect(&eve, "localhost", &proxy.address), b"word").unwrap_err();
            let alert = Error::from_io(&error).and_then(Error::peer_alert).map(|alert| alert.name());
            assert_eq!(alert, Some("access_denied"), "{list}: {error}");
            let line = proxy.line("end=client_not_allowed");
            assert!(line.contains("alice.test.eve.test") && line.contains("CN=eve"), "{line}");
        }
        // Without a certificate nobody comes as far as the list.
        ask(&mut connect(&stage.client(""), "localhost", &proxy.address), b"word").unwrap_err();
        proxy.line("end=client_no_certificate");
    }
}

#[test]
fn a_client_may_be_asked_for_a_certificate_and_have_none() {
    let stage = Stage::new();
    stage.issue("alice", "alice", vec![]);
    let proxy = stage.proxy(&format!(
        "--listen 127.0.0.1:0 --to {} {{id}} --client-ca {{root.pem}} --client-auth request --log json",
        shouting()
    ));
    for (who, named) in [("", "null"), ("alice", "\"CN=alice\"")] {
        assert_eq!(ask(&mut connect(&stage.client(who), "localhost", &proxy.address), b"word").unwrap(), b"WORD");
        let line = proxy.line("\"end\":\"done\"");
        assert!(line.contains(&format!("\"client\":{named}")), "{line}");
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((json["bytes_in"].as_u64(), json["server_name"].as_str()), (Some(4), Some("localhost")));
        assert!(json["time"].as_str().unwrap().ends_with('Z') && json["handshake_ms"].is_u64(), "{line}");
    }
}

#[test]
fn strangers_are_told_so_and_backends_that_are_not_there_are_named() {
    let stage = Stage::new();
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {gone} {{id}} --quiet"));
    let mut plain = tcp(&proxy.address);
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut heard = Vec::new();
    plain.read_to_end(&mut heard).unwrap();
    assert_eq!(heard.first(), Some(&21), "an alert: {heard:?}");
    assert!(proxy.line("end=client_plain_http").contains("plain HTTP"));
    drop(TcpStream::connect(&proxy.address).unwrap());
    proxy.line("end=client_silent");
    let error = ask(&mut connect(&stage.client(""), "localhost", &proxy.address), b"word").unwrap_err();
    assert!(error.to_string().contains("internal_error"), "{error}");
    let line = proxy.line("end=connect_refused");
    assert!(line.contains(&format!("to={gone}")), "{line}");
}

#[test]
fn what_was_cut_off_is_no_end_for_the_backend() {
    let stage = Stage::new();
    let (say, hear) = std::sync::mpsc::channel();
    let to = backend(move |mut tcp| {
        let mut heard = Vec::new();
        say.send(tcp.read_to_end(&mut heard).map_err(|e| e.kind())).unwrap();
    });
    let proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {to} {{id}}"));
    let mut tls: Stream<TcpStream> = connect(&stage.client(""), "localhost", &proxy.address);
    tls.write_all(b"half a sent").unwrap();
    tls.flush().unwrap();
    tls.transport().shutdown(Shutdown::Write).unwrap();
    assert_eq!(hear.recv_timeout(crate::stage::LONG).unwrap(), Err(std::io::ErrorKind::ConnectionReset));
    assert!(proxy.line("end=client_truncated").contains("in=11"));
}

#[test]
fn keys_behind_a_password_are_opened_with_it() {
    let stage = Stage::new();
    let password = crate::common::password_file(stage.folder.path());
    let (chain, key) = (crate::common::encrypted("cert.pem"), crate::common::encrypted("pbes2.pem"));
    let options = format!("--listen 127.0.0.1:0 --to 127.0.0.1:1 --cert {chain} --key {key}");
    let words: Vec<&str> = ["proxy"].into_iter().chain(options.split_whitespace()).collect();
    let said = clasp(&words);
    assert!(
        said.status.code() == Some(2) && text(&said.stderr).contains("--key-password-file"),
        "{}",
        text(&said.stderr)
    );
    drop(stage.proxy(&format!("{options} --key-password-file {password}")));
}

#[test]
fn a_version_and_a_group_may_be_the_only_ones() {
    let stage = Stage::new();
    for (only, part, other) in
        [("--tls 1.2 ", "version=\"TLS 1.2\"", "--tls 1.3"), ("--groups p-384 ", "end=done", "--groups x25519")]
    {
        let proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {} {{id}} {only}", shouting()));
        assert_eq!(ask(&mut connect(&stage.client(""), "localhost", &proxy.address), b"word").unwrap(), b"WORD");
        assert!(proxy.line("end=done").contains(part));
        let other: Vec<&str> = other.split(' ').collect();
        let root = stage.file("root.pem");
        let said = clasp(&[&["connect", &proxy.address, "--ca", &root, "--get", "/"][..], &other].concat());
        assert_eq!(said.status.code(), Some(1), "{}", text(&said.stderr));
        proxy.line("end=client_no_common_");
    }
}
