//! Whole commands, as a user runs them.
#![allow(clippy::unwrap_used)]

mod common;

use clasp::session::{ClientSessions, PeerKey, Session};
use clasp::{ClientConfig, Roots, Stream};
use common::{clasp, issued, refuses, serve, text};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

#[test]
fn demo_gives_the_figures_of_the_classic_description() {
    let demo = clasp(&["demo", "--json"]);
    assert!(demo.status.success(), "{}", text(&demo.stderr));
    let value: serde_json::Value = serde_json::from_slice(&demo.stdout).unwrap();
    let link = value["simulated_link_28_ms"].as_array().unwrap();
    let figures: Vec<&str> = link.iter().map(|c| c["outcome"].as_str().unwrap()).collect();
    for (outcome, ms) in figures.iter().zip([168, 112, 168, 112, 112, 56, 168]) {
        assert!(outcome.contains("TCP at 56 ms") && outcome.ends_with(&format!("{ms} ms")), "{outcome}");
    }
    assert_eq!(figures.len(), 7);
    let events = |n: usize| link[n]["events"].as_array().unwrap().iter();
    let early = events(5).find(|e| e["what"] == "application data").expect("early data on the timeline");
    assert_eq!((early["at_ms"].as_f64(), early["direction"].as_str()), (Some(56.0), Some("sent")));
    assert!(events(6).any(|e| e["what"] == "HelloRetryRequest"));
    assert_eq!(value["loopback"].as_array().unwrap().len(), 10);
    let fields =
        |demo: &str| ["cipher_suites[0]: ", "extension_type: key_share", "description: "].map(|f| demo.contains(f));
    assert_eq!(fields(&text(&demo.stdout)), [false; 3]);
    let demo = clasp(&["demo", "--fields"]);
    assert!(demo.status.success());
    assert_eq!(fields(&text(&demo.stdout)), [true; 3], "as many as there are");
}

#[test]
fn the_demo_has_a_menu() {
    let list = clasp(&["demo", "--list"]);
    let list = text(&list.stdout);
    assert_eq!(list.lines().count(), 17);
    assert!(list.lines().nth(15).unwrap().starts_with("0rtt "), "{list}");
    // With the clocks of both sides: what the classic description has of each moment.
    let rsa = clasp(&["demo", "rsa", "--lang", "en"]);
    let rsa = text(&rsa.stdout);
    let (_, link) = rsa.split_once("11. RSA key transport").unwrap();
    for (who, words) in [
        ("  56.0 ms    84.0 ms  client ── ClientHello", "chooses"),
        (" 112 ms    84.0 ms  client ◀── ServerHello", ""),
        (" 112 ms     140 ms  client ── ClientKeyExchange", "premaster secret"),
        (" 168 ms     140 ms  client ◀── Finished", "A MAC over the whole handshake"),
    ] {
        assert!(link.contains(who), "{who} is not in {link}");
        assert!(rsa.contains(words), "{words} is not in {rsa}");
    }
    assert!(!rsa.contains("12. ") && rsa.contains("1. RSA key transport"));
    let four = clasp(&["demo", "4", "--json"]);
    let four: serde_json::Value = serde_json::from_slice(&four.stdout).unwrap();
    let count = |name: &str| four[name].as_array().unwrap().len();
    assert_eq!((count("loopback"), count("simulated_link_28_ms")), (1, 0));
    refuses(&clasp(&["demo", "quantum"]), 2, "the demonstration has no quantum");
    let zh = clasp(&["demo", "middle", "--lang", "zh"]);
    assert!(text(&zh.stdout).starts_with("6. 中间人") && text(&zh.stdout).contains("middle ── ClientHello"));
}

#[test]
fn ca_keys_are_private_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (_, chain, key) = issued(folder.path());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let before = std::fs::read(&key).unwrap();
    let ca = folder.path().join("ca");
    let ca = ca.to_str().unwrap();
    let again = clasp(&["ca", "issue", ca, "localhost"]);
    assert!(!again.status.success() || std::fs::read(&key).unwrap() == before, "a key was overwritten");
    assert_eq!(std::fs::read(&key).unwrap(), before);
    let list = clasp(&["ca", "list", ca, "--json"]);
    assert!(list.status.success() && serde_json::from_slice::<serde_json::Value>(&list.stdout).is_ok());
    assert!(clasp(&["inspect", &chain]).status.success());
}

#[test]
fn serve_and_connect_resume_and_refuse() {
    let folder = tempfile::tempdir().unwrap();
    let (root, chain, key) = issued(folder.path());
    let server = serve(&["--cert", &chain, "--key", &key], folder.path());
    let target = format!("localhost:{}", server.port());
    for version in ["1.2", "1.3"] {
        let page = clasp(&["connect", &target, "--ca", &root, "--tls", version, "--resume", "--get", "/"]);
        let said = text(&page.stderr);
        assert!(page.status.success(), "{said}");
        assert!(text(&page.stdout).starts_with("HTTP/1.1 200"), "{}", text(&page.stdout));
        assert!(said.contains("the session was taken"), "TLS {version}: {said}");
    }
    refuses(
        &clasp(&["connect", &target, "--ca", &root, "--servername", "other.example"]),
        1,
        "not for this server name",
    );
    let other = tempfile::tempdir().unwrap();
    let (stranger, _, other_key) = issued(other.path());
    refuses(&clasp(&["connect", &target, "--ca", &stranger]), 1, "certificate");
    let taken = clasp(&["serve", "--listen", &server.address, "--cert", &chain, "--key", &key]);
    refuses(&taken, 2, "in use");
    refuses(&clasp(&["serve", "--listen", "127.0.0.1:0", "--cert", &chain, "--key", &other_key]), 2, "does not belong");
}

#[test]
fn early_data_key_updates_and_groups() {
    let folder = tempfile::tempdir().unwrap();
    let (root, chain, key) = issued(folder.path());
    let options = ["--cert", &chain, "--key", &key, "--json", "--keyupdate"];
    let server = serve(&[&options[..], &["--early-data", "4096"]].concat(), folder.path());
    let target = format!("localhost:{}", server.port());
    let get = ["connect", &target, "--ca", &root, "--get", "/"];
    let page = clasp(&[&get[..], &["--resume", "--early-data", "--keyupdate"]].concat());
    let said = text(&page.stderr);
    assert!(page.status.success() && text(&page.stdout).starts_with("HTTP/1.1 200"), "{said}");
    assert!(said.contains("early data: taken"), "{said}");
    // Once of its own accord; the answer to ours may come behind the page, which early data asked for.
    assert!(said.contains("moved its keys on") && !said.contains("on 0 times"), "{said}");
    assert!(server.line("\"resumed\":\"ticket\"").contains("\"early_data\":\"taken\""));

    let page = clasp(&[&get[..], &["--groups", "p-384"]].concat());
    assert!(text(&page.stderr).contains("secp384r1"), "{}", text(&page.stderr));
    refuses(&clasp(&[&get[..], &["--groups", "x25519,curve1"]].concat()), 2, "no group curve1");

    // A server that takes none gives tickets without, and the request goes the usual way.
    let server = serve(&options, folder.path());
    let target = format!("localhost:{}", server.port());
    let page = clasp(&["connect", &target, "--ca", &root, "--get", "/", "--resume", "--early-data"]);
    assert!(text(&page.stderr).contains("early data: none was sent"), "{}", text(&page.stderr));
    assert!(text(&page.stdout).starts_with("HTTP/1.1 200"));
}

#[test]
fn no_common_suite_names_the_policy_that_would_agree() {
    let folder = tempfile::tempdir().unwrap();
    let (root, chain, key) = issued(folder.path());
    let server = serve(&["--cert", &chain, "--key", &key, "--policy", "modern"], folder.path());
    let refused = clasp(&["connect", &server.address, "--ca", &root, "--tls", "1.2"]);
    refuses(&refused, 1, "protocol_version");
}

#[test]
fn a_quiet_server_speaks_of_failures_only() {
    let folder = tempfile::tempdir().unwrap();
    let (root, chain, key) = issued(folder.path());
    for json in [&[][..], &["--json"]] {
        let options = ["--cert", &chain, "--key", &key, "--policy", "modern", "--quiet"];
        let server = serve(&[&options[..], json].concat(), folder.path());
        let target = format!("localhost:{}", server.port());
        let page = clasp(&["connect", &target, "--ca", &root, "--get", "/"]);
        assert!(page.status.success(), "{}", text(&page.stderr));
        refuses(&clasp(&["connect", &target, "--ca", &root, "--tls", "1.2"]), 1, "protocol_version");
        let first = server.lines.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(first.contains("TLS 1.2") && !first.contains("TLS_AES"), "{first}");
    }
}

#[test]
fn a_connection_that_stood_idle_is_served_and_the_limit_closes_it() {
    let folder = tempfile::tempdir().unwrap();
    let (root, chain, key) = issued(folder.path());
    let server = serve(&["--cert", &chain, "--key", &key, "--keep-alive", "3"], folder.path());
    let mut roots = Roots::empty();
    roots.add_pem(&std::fs::read(&root).unwrap()).unwrap();
    let config = ClientConfig::builder().trust(Arc::new(roots)).build().unwrap();
    let tcp = TcpStream::connect(&server.address).unwrap();
    let mut tls = Stream::new(config.connect("localhost".try_into().unwrap()), tcp);
    // Before the first request, between two, and in the middle of one.
    for pause in [0, 1, 1] {
        thread::sleep(Duration::from_secs(pause));
        tls.write_all(b"GET / HTTP/1.1\r\n").unwrap();
        thread::sleep(Duration::from_millis(300 * pause));
        tls.write_all(b"host: localhost\r\n\r\n").unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            tls.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = text(&head);
        let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        let mut page = vec![0; length];
        tls.read_exact(&mut page).unwrap();
        assert!(text(&page).contains("This page came over TLS"), "{head}");
    }
    // An end without close_notify would be an error.
    assert_eq!(tls.read(&mut [0]).unwrap(), 0);
}

/// Counts the sessions that it is given.
#[derive(Default)]
struct Counted(AtomicUsize);

impl ClientSessions for Counted {
    fn put(&self, _: &PeerKey, _: Session) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn take(&self, _: &PeerKey) -> Option<Session> {
        None
    }
}

#[test]
fn a_server_gives_as_many_tickets_as_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (root, chain, key) = issued(folder.path());
    for tickets in [0, 1, 3] {
        let server = serve(&["--cert", &chain, "--key", &key, "--tickets", &tickets.to_string()], folder.path());
        let mut roots = Roots::empty();
        roots.add_pem(&std::fs::read(&root).unwrap()).unwrap();
        let sessions = Arc::new(Counted::default());
        let config = ClientConfig::builder().trust(Arc::new(roots)).sessions(sessions.clone()).build().unwrap();
        let tcp = TcpStream::connect(&server.address).unwrap();
        let mut tls = Stream::new(config.connect("localhost".try_into().unwrap()), tcp);
        tls.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        // To the end: the tickets stand before the page.
        tls.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(sessions.0.load(Ordering::Relaxed), tickets);
    }
}

/// A peer that answers every connection with these bytes and hangs up.
fn peer(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for tcp in listener.incoming() {
            let mut tcp = tcp.unwrap();
            let _hello = tcp.read(&mut [0; 4096]);
            let _gone = tcp.write_all(answer);
        }
    });
    address
}

#[test]
fn other_protocols_and_nobody_get_plain_words() {
    let http = peer(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    refuses(&clasp(&["connect", &http, "--insecure"]), 1, "plain HTTP");
    let ssh = peer(b"SSH-2.0-OpenSSH_9.6\r\n");
    refuses(&clasp(&["connect", &ssh, "--insecure"]), 1, "does not speak TLS");
    let silent = peer(b"");
    refuses(&clasp(&["connect", &silent, "--insecure"]), 1, "closed the connection during the handshake");
    refuses(&clasp(&["connect", "127.0.0.1:1", "--insecure"]), 2, "refused");
    refuses(&clasp(&["connect", "localhost", "--insecure"]), 2, "no port");
}

/// Nobody is trusted in place of whom the environment names.
#[test]
fn a_file_of_roots_that_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (_, chain, _) = issued(folder.path());
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_clasp"));
    let verify = command.args(["verify", &chain]).env("NO_COLOR", "1").env("SSL_CERT_FILE", "/nowhere/roots.pem");
    refuses(&verify.output().unwrap(), 2, "SSL_CERT_FILE names \"/nowhere/roots.pem\"");
}
