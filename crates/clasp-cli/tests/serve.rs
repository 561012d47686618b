//! `clasp serve` and clients of all tempers.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use clasp::{ClientConfig, Roots, Stream};
use common::{Served, Site, clasp, clasp_fed, encrypted, issued, password_file, refuses, serve, serve_within, text};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http2;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const LARGE: usize = 20_000_000;

impl Site {
    fn new() -> Self {
        Self::with_large(LARGE)
    }

    fn options<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        [&[self.www.to_str().unwrap(), "--cert", &self.chain, "--key", &self.key], more].concat()
    }

    fn serve(&self, more: &[&str]) -> Served {
        serve(&self.options(more), self.folder.path())
    }

    fn client(&self, alpn: &str) -> Arc<ClientConfig> {
        let mut roots = Roots::empty();
        roots.add_pem(&std::fs::read(&self.root).unwrap()).unwrap();
        ClientConfig::builder().trust(Arc::new(roots)).alpn([alpn]).build().unwrap()
    }

    fn connect(&self, server: &Served) -> Stream<TcpStream> {
        let tcp = TcpStream::connect(&server.address).unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Stream::new(self.client("http/1.1").connect("localhost".try_into().unwrap()), tcp)
    }

    /// The answer to a GET, or why the program gave none.
    fn get(&self, server: &Served, path: &str) -> String {
        let target = format!("localhost:{}", server.port());
        let page = clasp(&["connect", &target, "--ca", &self.root, "--get", path]);
        text(&page.stdout) + &text(&page.stderr)
    }

    async fn http2(&self, server: &Served, window: u32) -> http2::SendRequest<Empty<Bytes>> {
        let tcp = tokio::net::TcpStream::connect(&server.address).await.unwrap();
        let connector = clasp_tokio::Connector::new(self.client("h2"));
        let tls = connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap();
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.initial_stream_window_size(window).max_header_list_size(16 << 10);
        let (sender, connection) = builder.handshake(TokioIo::new(tls)).await.unwrap();
        tokio::spawn(async move { drop(connection.await) });
        sender
    }
}

fn ask(method: &str, path: &str) -> Request<Empty<Bytes>> {
    Request::builder().method(method).uri(format!("https://localhost{path}")).body(Empty::new()).unwrap()
}

/// An answer's head, and as much of its body as was said.
fn answer(tls: &mut Stream<TcpStream>) -> (String, Vec<u8>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        tls.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = text(&head).to_ascii_lowercase();
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; length];
    tls.read_exact(&mut body).unwrap();
    (head, body)
}

#[tokio::test]
async fn an_answer_to_head_has_the_length_and_no_body() {
    let site = Site::new();
    let server = site.serve(&[]);
    let mut sender = site.http2(&server, 1 << 20).await;
    for (path, length) in [("/page.txt", 6), ("/large", LARGE), ("/absent", 10)] {
        let (head, body) = sender.send_request(ask("HEAD", path)).await.unwrap().into_parts();
        assert_eq!(head.headers["content-length"], length.to_string(), "{path}");
        assert!(body.collect().await.unwrap().to_bytes().is_empty(), "{path}");
        let (head, body) = sender.send_request(ask("GET", path)).await.unwrap().into_parts();
        assert_eq!(head.headers["content-length"], length.to_string(), "{path}");
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), length, "{path}");
    }
    let refused = sender.send_request(ask("POST", "/page.txt")).await.unwrap();
    assert_eq!(
        (refused.status(), &refused.headers()["allow"]),
        (StatusCode::METHOD_NOT_ALLOWED, &"GET, HEAD".parse().unwrap())
    );

    let mut tls = site.connect(&server);
    tls.write_all(b"HEAD /page.txt HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut all = String::new();
    tls.read_to_string(&mut all).unwrap();
    assert!(all.to_lowercase().contains("content-length: 6\r\n") && all.ends_with("\r\n\r\n"), "{all}");
}

#[test]
fn names_are_found_as_they_are_written_and_secrets_are_not() {
    let site = Site::new();
    let www = |name: &str| site.www.join(name);
    for name in ["a b.txt", "100%.txt", "bücher.txt"] {
        std::fs::write(www(name), "a page").unwrap();
    }
    std::fs::copy(&site.key, www("copy.pem")).unwrap();
    std::fs::write(www(".env"), "a secret").unwrap();
    // The key in use is not served, whatever its name is.
    let key = www("innocent.txt");
    std::fs::copy(&site.key, &key).unwrap();
    let log = www("log.txt");
    let (www, key, log) = (site.www.to_str().unwrap(), key.to_str().unwrap(), log.to_str().unwrap());
    let server = serve(&[www, "--cert", &site.chain, "--key", key, "--keylog", log], site.folder.path());
    for path in ["/page.txt", "/a%20b.txt", "/100%25.txt", "/b%C3%BCcher.txt"] {
        let said = site.get(&server, path);
        assert!(said.starts_with("HTTP/1.1 200") && said.contains("a page"), "{path}: {said}");
    }
    for path in
        ["/.env", "/%2eenv", "/copy.pem", "/innocent.txt", "/log.txt", "/../ca/root-key.pem", "/%2e%2e/ca/root.pem"]
    {
        let said = site.get(&server, path);
        assert!(said.starts_with("HTTP/1.1 404"), "{path}: {said}");
    }
}

#[test]
fn an_authority_of_clients_means_that_they_need_a_certificate() {
    let site = Site::new();
    let ca = Path::new(&site.root).parent().unwrap();
    assert!(clasp(&["ca", "issue", ca.to_str().unwrap(), "alice", "--client"]).status.success());
    let path = |name: &str| ca.join(name).to_str().unwrap().to_string();
    let (alice, alices_key) = (path("alice-client.pem"), path("alice-client-key.pem"));
    // A private authority's, by none of the rules of the public web.
    let (old, olds_key) = (path("old.pem"), path("old-key.pem"));
    let issuer_key = rcgen::KeyPair::from_pem(&std::fs::read_to_string(path("root-key.pem")).unwrap()).unwrap();
    let issuer = rcgen::Issuer::from_ca_cert_pem(&std::fs::read_to_string(&site.root).unwrap(), issuer_key).unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2060, 1, 1);
    params.serial_number = Some(rcgen::SerialNumber::from_slice(&[7]));
    let key = rcgen::KeyPair::generate().unwrap();
    std::fs::write(&old, params.signed_by(&key, &issuer).unwrap().pem()).unwrap();
    std::fs::write(&olds_key, key.serialize_pem()).unwrap();

    let server = site.serve(&["--client-ca", &site.root]);
    let target = format!("localhost:{}", server.port());
    let get = ["connect", &target, "--ca", &site.root, "--get", "/page.txt"];
    refuses(&clasp(&get), 1, "--cert FILE --key FILE");
    for (cert, key) in [(&alice, &alices_key), (&old, &olds_key)] {
        let page = clasp(&[&get[..], &["--cert", cert, "--key", key]].concat());
        assert!(text(&page.stdout).ends_with("a page"), "{}", text(&page.stderr));
    }
    let site_key = site.key.clone();
    refuses(&clasp(&[&get[..], &["--cert", &site.chain, "--key", &site_key]].concat()), 1, "does not take");
    let requests = site.serve(&["--client-ca", &site.root, "--client-auth", "request"]);
    assert!(site.get(&requests, "/page.txt").contains("a page"));
}

/// Kilobytes of memory that a process holds.
#[cfg(target_os = "linux")]
fn resident(server: &Served) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Slow readers cost pieces, not files: fifty who take nothing of 20 MB would have held 1 GB.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn readers_that_take_nothing_hold_no_files_in_memory() {
    let site = Site::new();
    let server = site.serve(&["--send-timeout", "600"]);
    assert!(site.get(&server, "/page.txt").contains("a page"));
    let before = resident(&server);
    let mut slow = Vec::new();
    for _ in 0..25 {
        let mut tls = site.connect(&server);
        tls.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        tls.read_exact(&mut [0; 100]).unwrap();
        slow.push(tls);
    }
    let (mut senders, mut bodies) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let mut sender = site.http2(&server, 100).await;
        for _ in 0..5 {
            bodies.push(sender.send_request(ask("GET", "/large")).await.unwrap());
        }
        senders.push(sender);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let grown = resident(&server) - before;
    assert!(grown < 40_000, "{grown} KB for 50 readers");
    // And who goes on reading gets all of it.
    let mut all = 0;
    let mut last = slow.pop().unwrap();
    let mut buffer = vec![0; 1 << 16];
    while all < LARGE {
        all += last.read(&mut buffer).unwrap();
    }
}

#[tokio::test]
async fn a_window_that_stays_closed_ends_the_connection() {
    let site = Site::new();
    let server = site.serve(&["--send-timeout", "2"]);
    let mut sender = site.http2(&server, 100).await;
    let body = sender.send_request(ask("GET", "/large")).await.unwrap();
    assert!(server.line("took nothing").contains("for 2 s"));
    drop(body);
}

#[test]
fn downloads_end_before_the_server_does() {
    let site = Site::new();
    for signal in ["TERM", "INT"] {
        let mut server = site.serve(&[]);
        let downloads: Vec<_> = (0..4)
            .map(|_| {
                let mut tls = site.connect(&server);
                tls.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
                tls.read_exact(&mut [0; 100]).unwrap();
                tls
            })
            .collect();
        let mut idle = site.connect(&server);
        idle.handshake().unwrap();
        server.line("TLS 1.3");
        server.signal(signal);
        server.line("a second signal");
        // Who rests is sent away, and who comes is refused.
        assert_eq!(idle.read(&mut [0; 10]).unwrap(), 0);
        assert!(TcpStream::connect(&server.address).is_err());
        thread::sleep(Duration::from_millis(500));
        for mut tls in downloads {
            let mut rest = Vec::new();
            tls.read_to_end(&mut rest).unwrap();
            assert!(rest.len() >= LARGE - 100, "{}", rest.len());
        }
        assert_eq!(server.ended(Duration::from_secs(10)).and_then(|s| s.code()), Some(0));
    }
}

/// A certificate that is renewed beside it is served from then on; one that cannot be read is not.
#[test]
fn certificates_are_read_again_and_connections_go_on() {
    let site = Site::new();
    let other = tempfile::tempdir().unwrap();
    let (root, chain, key) = issued(other.path());
    let server = site.serve(&["--json"]);
    let shown = |server: &Served| {
        let mut roots = Roots::empty();
        roots.add_pem(&std::fs::read(&site.root).unwrap()).unwrap();
        roots.add_pem(&std::fs::read(&root).unwrap()).unwrap();
        let config = ClientConfig::builder().trust(roots).build().unwrap();
        let tcp = TcpStream::connect(&server.address).unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut tls = Stream::new(config.connect("localhost".try_into().unwrap()), tcp);
        tls.handshake().unwrap().peer_chain()[0].to_vec()
    };
    let mut held = site.connect(&server);
    held.handshake().unwrap();
    let first = shown(&server);

    std::fs::write(&site.chain, "no certificate").unwrap();
    server.signal("HUP");
    server.line("the old certificates go on");
    assert_eq!(shown(&server), first);

    std::fs::copy(chain, &site.chain).unwrap();
    std::fs::copy(key, &site.key).unwrap();
    server.signal("HUP");
    server.line("the certificates were read again");
    assert_ne!(shown(&server), first);

    held.write_all(b"GET /page.txt HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert_eq!(answer(&mut held).1, b"a page");
}

#[test]
fn the_end_has_a_limit_and_a_second_signal_is_the_end() {
    let site = Site::new();
    for (drain, again) in [("1", false), ("600", true)] {
        let mut server = site.serve(&["--drain", drain]);
        let mut tls = site.connect(&server);
        tls.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        tls.read_exact(&mut [0; 100]).unwrap();
        server.signal("TERM");
        server.line("a second signal");
        if again {
            server.signal("TERM");
        }
        assert_eq!(server.ended(Duration::from_secs(10)).and_then(|s| s.code()), Some(0));
    }
}

#[test]
fn without_descriptors_a_file_is_not_absent_and_the_server_goes_on() {
    let site = Site::new();
    let server = serve_within(40, &site.options(&["--keep-alive", "60"]), site.folder.path());
    let mut tls = site.connect(&server);
    let get = b"GET /page.txt HTTP/1.1\r\nhost: x\r\n\r\n";
    tls.write_all(get).unwrap();
    assert!(answer(&mut tls).0.starts_with("http/1.1 200"));
    // More than it has.
    let many: Vec<_> = (0..60).map(|_| TcpStream::connect(&server.address).unwrap()).collect();
    server.line("accept:");
    tls.write_all(&[b"GET /large".as_slice(), &get[13..]].concat()).unwrap();
    let (head, _) = answer(&mut tls);
    assert!(head.starts_with("http/1.1 503") && head.contains("retry-after"), "{head}");
    drop(many);
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        tls.write_all(&[b"GET /large".as_slice(), &get[13..]].concat()).unwrap();
        if answer(&mut tls).0.starts_with("http/1.1 200") {
            assert!(site.get(&server, "/page.txt").contains("a page"));
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("the file is never served again");
}

#[test]
fn no_more_connections_than_were_allowed() {
    let site = Site::new();
    let server = site.serve(&["--max-connections", "2"]);
    let mut held: Vec<_> = (0..2).map(|_| site.connect(&server)).collect();
    held.iter_mut().for_each(|tls| drop(tls.handshake().unwrap()));
    let mut third = site.connect(&server);
    third.transport().set_read_timeout(Some(Duration::from_millis(700))).unwrap();
    assert!(third.handshake().is_err());
    drop(held.pop());
    let mut fourth = site.connect(&server);
    drop(third);
    assert!(fourth.handshake().is_ok());
}

#[test]
fn the_own_certificate_is_renewed_before_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("clasp");
    let ca = ca.to_str().unwrap();
    assert!(clasp(&["ca", "init", ca]).status.success());
    assert!(clasp(&["ca", "issue", ca, "localhost", "--days", "3"]).status.success());
    let server = serve(&[], folder.path());
    let target = format!("localhost:{}", server.port());
    let root = format!("{ca}/root.pem");
    assert!(clasp(&["connect", &target, "--ca", &root, "--get", "/"]).status.success());
    let list =
        || -> Vec<serde_json::Value> { serde_json::from_slice(&clasp(&["ca", "list", ca, "--json"]).stdout).unwrap() };
    let renewed = list();
    assert_eq!(renewed.len(), 2, "{renewed:?}");
    assert_ne!(renewed[0]["not_after"], renewed[1]["not_after"]);
    // The file's name is the later one's.
    assert!(clasp(&["ca", "revoke", ca, "localhost.pem"]).status.success());
    assert!(list()[0]["revoked"].is_null() && !list()[1]["revoked"].is_null());
    // One that lasts is kept.
    let again = serve(&[], folder.path());
    assert_eq!(list().len(), 2);
    drop(again);
    // Its CA ends too: a new one, and the old one is kept aside.
    std::fs::remove_dir_all(ca).unwrap();
    assert!(clasp(&["ca", "init", ca, "--days", "3"]).status.success());
    let old = std::fs::read(&root).unwrap();
    let server = serve(&[], folder.path());
    let target = format!("localhost:{}", server.port());
    assert!(clasp(&["connect", &target, "--ca", &root, "--get", "/"]).status.success());
    assert_eq!(std::fs::read(format!("{ca}/ended-root.pem")).unwrap(), old);
}

#[test]
fn a_directory_that_is_none_is_said_at_once() {
    let site = Site::new();
    let absent = site.folder.path().join("absent");
    for dir in [absent.to_str().unwrap(), site.chain.as_str()] {
        let listen = ["serve", dir, "--listen", "127.0.0.1:0", "--cert", &site.chain, "--key", &site.key];
        refuses(&clasp(&listen), 2, "DIR is a directory");
    }
}

/// A ClientHello of TLS 1.2 with neither renegotiation_info nor its signalling suite, as wolfSSL sends it.
fn hello_without_renegotiation_info() -> Vec<u8> {
    let extensions = [
        &[0, 10, 0, 4, 0, 2, 0, 23][..], // secp256r1
        &[0, 13, 0, 4, 0, 2, 4, 3],      // ecdsa_secp256r1_sha256
    ]
    .concat();
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    // No session ID; TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256; no compression.
    body.extend([0, 0, 2, 0xc0, 0x2b, 1, 0, 0, u8::try_from(extensions.len()).unwrap()]);
    body.extend(extensions);
    let length = u8::try_from(body.len()).unwrap();
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length], &body[..]].concat()
}

#[test]
fn clients_without_secure_renegotiation_are_taken_or_not_as_it_is_told() {
    let site = Site::new();
    // The content type of the answer: a handshake, or an alert.
    for (wanted, answer) in [("any", 22), ("require", 21)] {
        let server = site.serve(&["--secure-renegotiation", wanted]);
        let mut tcp = TcpStream::connect(&server.address).unwrap();
        tcp.write_all(&hello_without_renegotiation_info()).unwrap();
        let mut first = [0];
        tcp.read_exact(&mut first).unwrap();
        assert_eq!(first[0], answer, "{wanted}");
    }
}

/// PKCS #8 and PKCS #12, as OpenSSL writes them; and each mistake in words.
#[test]
fn keys_behind_a_password_are_opened_with_it() {
    let home = tempfile::tempdir().unwrap();
    let password = password_file(home.path());
    let (cert, key, archive) = (encrypted("cert.pem"), encrypted("pbes2.pem"), encrypted("today.p12"));
    for [cert, key] in [[&cert, &key], [&archive, &archive]] {
        let server = serve(&["--cert", cert, "--key", key, "--key-password-file", &password], home.path());
        let page = clasp(&["connect", &server.address, "--insecure", "--get", "/"]);
        assert!(page.status.success(), "{}", text(&page.stderr));
    }
    let starts = |options: &[&str]| clasp(&[&["serve", "--listen", "127.0.0.1:0"], options].concat());
    let told = starts(&["--cert", &cert, "--key", &key]);
    refuses(&told, 2, "an encrypted private key");
    refuses(&told, 2, "hint: --key-password-file FILE takes its password");
    refuses(&starts(&["--cert", &cert, "--key", &archive]), 2, "name it for both");
    let (_, open_cert, open_key) = issued(home.path());
    let told = starts(&["--cert", &open_cert, "--key", &open_key, "--key-password-file", &password]);
    refuses(&told, 2, "is behind no password");
    let wrong = home.path().join("wrong");
    std::fs::write(&wrong, "the pass-word").unwrap();
    let wrong = wrong.to_str().unwrap();
    for [cert, key] in [[&cert, &key], [&archive, &archive]] {
        let told = starts(&["--cert", cert, "--key", key, "--key-password-file", wrong]);
        refuses(&told, 2, "that this password does not open");
        assert!(!text(&told.stderr).contains("pass-word"), "{}", text(&told.stderr));
    }
}

#[test]
fn the_status_page_is_a_trace_of_ones_own_handshake() {
    let home = tempfile::tempdir().unwrap();
    let (root, chain, key) = issued(home.path());
    let server = serve(&["--cert", &chain, "--key", &key, "--alpn", "http/1.1"], home.path());
    let ask = |path: &str, accept: &str| {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\nConnection: close\r\n\r\n");
        let target = format!("localhost:{}", server.port());
        let answer = clasp_fed(&["connect", &target, "--ca", &root, "--alpn", "http/1.1"], request.as_bytes());
        let answer = text(&answer.stdout);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_lowercase(), body.to_owned())
    };
    let (head, page) = ask("/", "text/html,application/xhtml+xml");
    assert!(head.contains("content-type: text/html") && head.contains("cache-control: no-store"), "{head}");
    assert!(page.contains("This page came over TLS by Clasp.") && page.contains("CertificateVerify"), "{page}");
    assert!(page.len() < 300_000);
    // With the explorer: seven handshakes and somebody in the middle, and one's own behind them.
    let (_, data) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    let data: serde_json::Value = serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
    let (traces, explorer) = (data["traces"].as_array().unwrap(), &data["explorer"]);
    assert_eq!((traces.len(), &explorer["own"], &data["first"]), (9, &8.into(), &8.into()));
    assert_eq!((&traces[8]["observed"], &traces[7]["middle"]), (&serde_json::json!([1]), &true.into()));
    assert_eq!((&explorer["kinds"], &explorer["middle"]), (&serde_json::json!([0, 1, 2, 3, 4, 5, 6]), &7.into()));
    let opened = |n: usize| explorer["stolen"][n][1].as_array().unwrap().iter().all(|opened| *opened == true);
    assert_eq!((opened(0), opened(1)), (true, false), "RSA key transport opens with the key, ECDHE does not");

    let (head, json) = ask("/trace.json", "*/*");
    assert!(head.contains("content-type: application/json"), "{head}");
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let trace = &value["traces"][0];
    assert_eq!((&value["format"], &trace["facts"]["version"]), (&"clasp-trace".into(), &"TLS 1.3".into()));
    assert!(trace["events"].as_array().unwrap().iter().any(|event| event["name"] == "Finished"));

    let (head, plain) = ask("/", "*/*");
    assert!(head.contains("content-type: text/plain") && plain.contains("version   TLS 1.3"), "{head}\n{plain}");

    // However much is said on a connection, its page stays small.
    let path = "y".repeat(3000);
    let often = |accept: &str| format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n");
    let mut request = often("*/*").repeat(40);
    request += &often("text/html").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let target = format!("localhost:{}", server.port());
    let answer = clasp_fed(&["connect", &target, "--ca", &root, "--alpn", "http/1.1"], request.as_bytes());
    let answer = text(&answer.stdout);
    let (_, page) = answer.split_once("<!doctype html>").unwrap();
    assert!(page.ends_with("</html>\n") && page.len() < 300_000, "{}", page.len());
}
