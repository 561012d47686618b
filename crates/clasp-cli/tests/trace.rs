//! `clasp trace`: what is recorded of a handshake, and peers of all tempers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;
#[path = "trace/explained.rs"]
mod explained;

use base64::Engine;
use common::{CERTIFICATE, SERVER_HELLO, Then, clasp, cut_off, encrypted, issued, password_file, refuses, serve, text};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// A server of our own for localhost.
struct Host {
    folder: tempfile::TempDir,
    root: String,
    chain: String,
    key: String,
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (root, chain, key) = issued(folder.path());
        Self { folder, root, chain, key }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().into()
    }

    /// Traces of a connection to `clasp serve` with these options.
    fn traces(&self, serving: &[&str], connecting: &[&str]) -> Vec<Value> {
        let server = serve(&[&["--cert", &self.chain, "--key", &self.key], serving].concat(), self.folder.path());
        let target = format!("localhost:{}", server.port());
        let line = [&["trace", "connect", &target, "--ca", &self.root, "--json"], connecting].concat();
        let output = clasp(&line);
        assert!(output.status.success(), "{}", text(&output.stderr));
        traces(&output.stdout)
    }
}

fn traces(json: &[u8]) -> Vec<Value> {
    let value: Value = serde_json::from_slice(json).unwrap();
    assert_eq!((value["format"].as_str(), value["version"].as_u64()), (Some("clasp-trace"), Some(1)));
    value["traces"].as_array().unwrap().clone()
}

fn events(trace: &Value) -> Vec<&Value> {
    trace["events"].as_array().unwrap().iter().collect()
}

fn names<'t>(trace: &'t Value, kind: &str) -> Vec<&'t str> {
    let of = events(trace).into_iter().filter(|event| event["kind"] == kind);
    of.map(|event| event["name"].as_str().unwrap()).collect()
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

/// Every byte of everything that was said stands in one field that holds no other, and has come in a record.
fn is_whole(trace: &Value) {
    let records = trace["records"].as_array().unwrap();
    for event in events(trace).into_iter().filter(|event| !event["bytes"].as_str().unwrap().is_empty()) {
        let bytes = event["bytes"].as_str().unwrap();
        let mut held = vec![0; bytes.len() / 2];
        for field in event["fields"].as_array().unwrap().iter().filter(|field| field["leaf"] == true) {
            held[number(&field["start"])..number(&field["end"])].iter_mut().for_each(|n| *n += 1);
        }
        assert!(held.iter().all(|n| *n == 1), "{}: {held:?}", event["name"]);
        let places = event["records"].as_array().unwrap();
        assert!(!places.is_empty(), "{} came in no record", event["name"]);
        let carriers: Vec<&Value> = places.iter().map(|place| &records[number(place)]).collect();
        assert!(carriers.iter().all(|record| record["by"] == event["by"]), "{}", event["name"]);
        assert_eq!(event["level"], carriers[0]["level"], "{}", event["name"]);
        if event["level"] == "plain" {
            let wire: String = carriers.iter().map(|record| record["bytes"].as_str().unwrap()).collect();
            assert!(wire.contains(bytes), "{} is not in its record", event["name"]);
        }
    }
}

#[test]
fn a_trace_has_every_byte_of_a_handshake_and_what_was_derived() {
    let host = Host::new();
    let trace = &host.traces(&[], &[])[0];
    is_whole(trace);
    let wanted = [
        "ClientHello",
        "ServerHello",
        "EncryptedExtensions",
        "Certificate",
        "CertificateVerify",
        "Finished",
        "Finished",
    ];
    assert_eq!(names(trace, "message")[..7], wanted);
    assert!(names(trace, "message")[7..].iter().all(|name| *name == "NewSessionTicket"));
    for name in ["Handshake Secret", "server_write_key", "server_write_iv", "client_write_key", "client_write_iv"] {
        assert!(names(trace, "derived").contains(&name), "{name}");
    }
    assert_eq!(trace["observed"], serde_json::json!(["client"]));
    let levels = |name: &str| -> Vec<&str> {
        let of = events(trace).into_iter().filter(|event| event["name"] == name);
        of.map(|event| event["level"].as_str().unwrap()).collect()
    };
    assert_eq!((levels("ClientHello"), levels("Finished")), (vec!["plain"], vec!["handshake", "handshake"]));
    assert!(trace["one_way_ms"].as_f64().is_some() && trace["good"] == true);

    let trace = &host.traces(&["--policy", "legacy"], &["--tls", "1.2"])[0];
    is_whole(trace);
    let keys = ["client_write_key", "client_write_IV", "server_write_key", "server_write_IV"];
    assert_eq!(names(trace, "derived"), [&["master_secret", "key_block"][..], &keys].concat());
    assert_eq!(names(trace, "change_cipher_spec").len(), 2);
    assert_eq!(names(trace, "alert").len(), 2, "both say close_notify");

    let two = &host.traces(&[], &["--resume"]);
    assert_eq!((two.len(), names(&two[1], "resumed")), (2, vec!["ticket"]));
    two.iter().for_each(is_whole);
    assert!(!names(&two[1], "message").contains(&"Certificate"));
}

#[test]
fn a_refused_handshake_is_shown_as_far_as_it_came() {
    let host = Host::new();
    let server = serve(&["--cert", &host.chain, "--key", &host.key], host.folder.path());
    let target = format!("localhost:{}", server.port());
    let other = Host::new();
    let output =
        clasp(&["trace", "connect", &target, "--ca", &other.root, "--svg", &host.file("t.svg"), "--lang", "en"]);
    refuses(&output, 1, "certificate");
    let said = text(&output.stdout);
    assert!(said.contains("CertificateVerify") && said.contains("failed: ") && said.contains("fatal alert "), "{said}");
    assert!(std::fs::read_to_string(host.file("t.svg")).unwrap().contains("failed: "));
}

/// What somebody else says is text, wherever it stands.
#[test]
fn no_markup_comes_of_what_is_said() {
    let host = Host::new();
    let server = serve(&["--cert", &host.chain, "--key", &host.key], host.folder.path());
    let target = format!("localhost:{}", server.port());
    let hostile = "<img/src=x/onerror=alert(1)>";
    let (svg, html) = (host.file("t.svg"), host.file("t.html"));
    let line = [
        "trace", "connect", &target, "--ca", &host.root, "--fields", "--alpn", hostile, "--svg", &svg, "--html", &html,
    ];
    let output = clasp(&line);
    // No protocol in common: the server says so.
    refuses(&output, 1, "no_application_protocol");
    assert!(text(&output.stdout).contains(hostile));
    assert!(!std::fs::read_to_string(svg).unwrap().contains("<img"));
    assert!(!std::fs::read_to_string(&html).unwrap().contains("<img"));
    let said = page(&html)["names"].to_string();
    assert!(said.contains(hostile), "{said}");
}

/// The data of a page, which has no request in it and shows every byte.
fn page(path: &str) -> Value {
    let page = std::fs::read_to_string(path).unwrap();
    assert!(page.len() <= 300_000, "{} bytes", page.len());
    assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\""));
    let (before, data) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    let (data, behind) = data.split_once("</script>").unwrap();
    assert!(!data.contains('<'));
    // A namespace is a name, and is asked of nobody.
    let rest = [before, behind].concat().replace("http://www.w3.org/2000/svg", "");
    for way in [
        "://",
        "src=",
        "href=",
        "url(",
        "@import",
        "fetch(",
        "XMLHttpRequest",
        "import(",
        "WebSocket",
        "innerHTML",
        "eval(",
    ] {
        assert!(!rest.contains(way), "{way}");
    }
    let data: Value = serde_json::from_str(data).unwrap();
    let pool = base64::engine::general_purpose::STANDARD.decode(data["pool"].as_str().unwrap()).unwrap();
    for event in data["traces"].as_array().unwrap().iter().flat_map(|trace| trace["events"].as_array().unwrap()) {
        let (at, length) = (number(&event[7][0]), number(&event[7][1]));
        assert!(at + length <= pool.len());
        let form = data["forms"][number(&event[8])].as_array().unwrap();
        let leaves = form.chunks(5).filter(|field| number(&field[3]) % 2 == 1).map(|field| number(&field[2]));
        assert_eq!(leaves.sum::<usize>(), length, "{event}");
    }
    data
}

#[test]
fn a_page_shows_every_byte_and_asks_nobody() {
    let host = Host::new();
    for version in ["1.2", "1.3"] {
        let html = host.file("t.html");
        let trace = &host.traces(&["--policy", "legacy"], &["--tls", version, "--html", &html])[0];
        let data = page(&html);
        let packed = data["traces"][0]["events"].as_array().unwrap();
        let bytes = |event: &&Value| event["bytes"].as_str().unwrap().len() / 2;
        let wanted: Vec<usize> = events(trace).iter().map(bytes).collect();
        assert_eq!(packed.iter().map(|event| number(&event[7][1])).collect::<Vec<_>>(), wanted);
        let table = data["table"].as_array().unwrap();
        assert!(table.len() > 90 && table.iter().all(|row| row.as_array().unwrap().len() == 7));
    }
}

#[test]
fn the_demo_is_a_page_with_the_clocks_of_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let html = folder.path().join("demo.html");
    let html = html.to_str().unwrap();
    let demo = clasp(&["demo", "--html", html]);
    assert!(demo.status.success(), "{}", text(&demo.stderr));
    let data = page(html);
    let traces = data["traces"].as_array().unwrap();
    assert_eq!(traces.len(), 17);
    // Over the link, of 28 ms: what the classic description has of RSA key transport, when each side has it.
    let kinds = data["kinds"].as_array().unwrap();
    let said = |event: &&Value| {
        ["message", "change_cipher_spec", "data"].contains(&kinds[number(&event[0])].as_str().unwrap())
    };
    let seen: Vec<_> = traces[0]["events"].as_array().unwrap().iter().filter(said).collect();
    let times = |clock: usize| {
        let mut times: Vec<f64> = seen.iter().map(|event| event[clock].as_f64().unwrap()).collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        times
    };
    let explorer = &data["explorer"];
    let opened = |n: usize| -> Vec<bool> {
        explorer["stolen"][n][1].as_array().unwrap().iter().map(|opened| opened == true).collect()
    };
    let closed = |n: usize| opened(n).iter().filter(|opened| !**opened).count();
    assert_eq!((closed(0), closed(1)), (0, 3), "RSA key transport opens with the key, ECDHE does not");
    let verdicts = explorer["flip"]["verdicts"].as_array().unwrap();
    assert!(verdicts.len() > 50 && verdicts[5..].iter().all(|verdict| *verdict == 1), "{verdicts:?}");
    assert_eq!(traces[0]["zh"][0], "11. RSA 密钥传输，完整握手：TCP 之后还要两个往返");
    assert_eq!((times(2), times(3)), (vec![56.0, 112.0, 168.0], vec![84.0, 140.0, 196.0]));
    assert_eq!(traces.iter().filter(|trace| trace["middle"] == true).count(), 1);
    let whole = traces.iter().filter(|trace| trace["observed"] == serde_json::json!([0, 1])).count();
    assert_eq!(whole, 16);
    // The client's conversation ends with its refusal; the other one does not.
    let between = traces.iter().find(|trace| trace["middle"] == true).unwrap();
    assert_eq!(between["observed"], serde_json::json!([0, 1, 2]));
    let of = |leg: u64| between["events"].as_array().unwrap().iter().filter(move |event| event[11] == leg);
    let failed = |leg| of(leg).filter(|event| kinds[number(&event[0])] == "failed").count();
    assert_eq!((failed(0), failed(1)), (2, 0));
}

/// A peer that does this with every connection.
fn peer(talk: impl Fn(&mut TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        // What it holds on to stays open.
        let mut held = Vec::new();
        for tcp in listener.incoming() {
            let mut tcp = tcp.unwrap();
            let _hello = tcp.read(&mut [0; 4096]);
            talk(&mut tcp);
            held.push(tcp);
        }
    });
    address
}

/// The beginning of a ServerHello, one byte after the other, for as long as somebody reads.
fn drip(tcp: &mut TcpStream) {
    for byte in [22, 3, 3, 0, 90, 2, 0, 0, 86, 3, 3] {
        if tcp.write_all(&[byte]).is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(250));
    }
}

#[test]
fn a_server_that_stalls_or_closes_in_the_middle_is_shown_as_far_as_it_came() {
    let host = Host::new();
    let start =
        |version: &str| serve(&["--cert", &host.chain, "--key", &host.key, "--tls", version], host.folder.path());
    let (tls13, tls12) = (start("1.3"), start("1.2"));
    for (server, last, then, words) in [
        (&tls13, SERVER_HELLO, Then::Stalls, "was not done within 1 s"),
        (&tls12, SERVER_HELLO, Then::Stalls, "was not done within 1 s"),
        (&tls12, CERTIFICATE, Then::Stalls, "was not done within 1 s"),
        (&tls12, CERTIFICATE, Then::Closes, "closed the connection during the handshake"),
    ] {
        let address = cut_off(&server.address, last, then);
        let line = ["--ca", &host.root, "--servername", "localhost", "--timeout", "1", "--lang", "en"];
        let output = clasp(&[&["trace", "connect", &address][..], &line].concat());
        refuses(&output, 1, words);
        let said = text(&output.stdout);
        let has = |message: &str| said.contains(&format!("client ◀── {message} "));
        assert_eq!((has("ServerHello"), has("Certificate")), (true, last == CERTIFICATE), "{said}");
        assert!(said.contains("failed: "), "{said}");
    }
}

#[test]
fn peers_of_all_tempers_get_words_and_a_code() {
    let says = |bytes: &'static [u8]| {
        peer(move |tcp| {
            let _gone = tcp.write_all(bytes).and_then(|()| tcp.shutdown(std::net::Shutdown::Both));
        })
    };
    let mut garbage = vec![22, 3, 3, 1, 0];
    garbage.extend([0xa5; 300]);
    let garbage = says(Box::leak(garbage.into_boxed_slice()));
    for (target, code, words) in [
        (says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), 1, "plain HTTP"),
        (says(b"SSH-2.0-OpenSSH_9.6\r\n"), 1, "does not speak TLS"),
        (says(b""), 1, "closed the connection during the handshake"),
        (says(&[21, 3, 3, 0, 2, 2, 40]), 1, "handshake_failure"),
        (garbage, 1, "announces 10855845 bytes"),
        (peer(|_| ()), 1, "was not done within 1 s"),
        (peer(drip), 1, "was not done within 1 s"),
        ("127.0.0.1:1".into(), 2, "refused"),
    ] {
        let output = clasp(&["trace", "connect", &target, "--insecure", "--timeout", "1", "--lang", "en"]);
        refuses(&output, code, words);
        assert_eq!(code == 1, text(&output.stdout).contains("ClientHello"), "{words}: {}", text(&output.stdout));
    }
}

/// A free port.
const ANY: &str = "127.0.0.1:0";

/// A `clasp trace serve`, or one in the middle.
fn tracing(arguments: &[&str], home: &Path) -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clasp"));
    let is_proxy = arguments.first() == Some(&"proxy");
    command.arg("trace").args(Some("serve").filter(|_| !is_proxy)).args(arguments);
    command.env("XDG_DATA_HOME", home).env("HOME", home).env("NO_COLOR", "1");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut words = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("listening on https://") {
        line.clear();
        assert_ne!(words.read_line(&mut line).unwrap(), 0, "it ended");
    }
    let address = line.split("https://").nth(1).unwrap().split('/').next().unwrap().to_string();
    // Its last words are read, or it would have nobody to tell.
    let rest = thread::spawn(move || drop(words.read_to_string(&mut String::new())));
    drop(rest);
    (child, address)
}

#[test]
fn a_server_traces_as_many_as_it_is_told() {
    let host = Host::new();
    let (svg, html) = (host.file("t.svg"), host.file("t.html"));
    let options = [
        "--listen",
        ANY,
        "--cert",
        &host.chain,
        "--key",
        &host.key,
        "--count",
        "2",
        "--json",
        "--svg",
        &svg,
        "--html",
        &html,
    ];
    let (child, address) = tracing(&options, host.folder.path());
    let target = address.replace("127.0.0.1", "localhost");
    let got = clasp(&["connect", &target, "--ca", &host.root, "--get", "/", "--resume"]);
    assert!(text(&got.stdout).ends_with("You have been traced."), "{}", text(&got.stderr));
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let two = traces(&output.stdout);
    assert_eq!((two.len(), names(&two[1], "resumed")), (2, vec!["ticket"]));
    two.iter().for_each(is_whole);
    assert_eq!(two[0]["observed"], serde_json::json!(["server"]));
    assert!(events(&two[0]).iter().all(|event| event["server_ms"].is_number() && event["client_ms"].is_null()));
    assert_eq!(std::fs::read_to_string(svg).unwrap().matches("class=\"t\"").count(), 2);
    let data = page(&html);
    assert_eq!((data["traces"].as_array().unwrap().len(), data["beside"].as_u64()), (2, Some(1)));
}

#[test]
fn a_server_says_what_it_is_told_and_of_its_own_certificate() {
    let home = tempfile::tempdir().unwrap();
    let (cert, key, password) = (encrypted("cert.pem"), encrypted("pbes2.pem"), password_file(home.path()));
    let options = [
        "--listen",
        ANY,
        "--cert",
        &cert,
        "--key",
        &key,
        "--key-password-file",
        &password,
        "--policy",
        "legacy",
        "--tls",
        "1.2",
        "--groups",
        "p-384,ffdhe2048",
        "--fields",
        "--lang",
        "zh",
    ];
    let (child, address) = tracing(&options, home.path());
    let page = clasp(&["connect", &address.replace("127.0.0.1", "localhost"), "--insecure", "--get", "/"]);
    assert!(page.status.success(), "{}", text(&page.stderr));
    let said = text(&child.wait_with_output().unwrap().stdout);
    for words in ["agreed: TLS 1.2", "group: secp384r1", "cipher_suites[0]: ", "前向保密"] {
        assert!(said.contains(words), "{words} is not in {said}");
    }
}

#[test]
fn clients_of_all_tempers_get_words_and_a_code() {
    let host = Host::new();
    let base = ["--listen", ANY, "--cert", &host.chain, "--key", &host.key, "--timeout", "1", "--lang", "en"];
    let stall: &[u8] = &[22, 3, 1];
    for (bytes, close) in [(&b"GET / HTTP/1.1\r\n\r\n"[..], false), (&[0xff; 600], false), (b"", true), (stall, false)]
    {
        let (child, address) = tracing(&base, host.folder.path());
        let mut tcp = TcpStream::connect(&address).unwrap();
        let _refused = tcp.write_all(bytes);
        if close {
            drop(tcp);
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(1));
            continue;
        }
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{bytes:?}");
        assert!(text(&output.stdout).contains("failed: "), "{}", text(&output.stdout));
        tcp.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let _alert = tcp.read_to_end(&mut Vec::new());
    }
}

/// Of the two conversations, this one.
fn leg(trace: &Value, leg: &str) -> Vec<Value> {
    events(trace).into_iter().filter(|event| event["leg"] == leg).cloned().collect()
}

fn bytes_of<'e>(events: &'e [Value], name: &str) -> &'e str {
    events.iter().find(|event| event["name"] == name).unwrap()["bytes"].as_str().unwrap()
}

#[test]
fn whoever_stands_between_has_a_conversation_with_each() {
    let (host, own) = (Host::new(), tempfile::tempdir().unwrap());
    let server = serve(&["--cert", &host.chain, "--key", &host.key], host.folder.path());
    let target = format!("127.0.0.1:{}", server.port());
    let dir = own.path().join("ca");
    let dir = dir.to_str().unwrap();
    assert!(clasp(&["ca", "init", dir, "--intermediate"]).status.success());
    let root = format!("{dir}/root.pem");
    let (svg, html) = (host.file("t.svg"), host.file("t.html"));
    let options = [
        "proxy",
        &target,
        "--listen",
        ANY,
        "--dir",
        dir,
        "--ca",
        &host.root,
        "--servername",
        "localhost",
        "--count",
        "2",
        "--json",
        "--svg",
        &svg,
        "--html",
        &html,
        "--groups",
        "p-384",
        "--timeout",
        "10",
    ];
    let (child, address) = tracing(&options, own.path());
    let target = address.replace("127.0.0.1", "localhost");
    for version in ["1.3", "1.2"] {
        let got = clasp(&["connect", &target, "--ca", &root, "--get", "/", "--alpn", "http/1.1", "--tls", version]);
        assert!(
            text(&got.stdout).contains("200") || text(&got.stdout).contains("This page came over TLS"),
            "{}",
            text(&got.stderr)
        );
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let two = traces(&output.stdout);
    for (trace, version) in two.iter().zip(["TLS 1.3", "TLS 1.2"]) {
        is_whole(trace);
        assert_eq!(trace["observed"], serde_json::json!(["middle"]));
        assert_eq!((trace["man_in_the_middle"].as_bool(), trace["good"].as_bool()), (Some(true), Some(true)));
        assert_eq!(
            (trace["facts"]["version"].as_str(), trace["far_facts"]["version"].as_str()),
            (Some(version), Some("TLS 1.3"))
        );
        let alpn = |facts: &str| trace[facts]["alpn"].as_str().unwrap().to_owned();
        assert_eq!(alpn("facts"), alpn("far_facts"));
        let (near, far) = (leg(trace, "near"), leg(trace, "far"));
        // Two certificates for one name, and the hello came before we went to the server.
        assert_ne!(bytes_of(&near, "Certificate"), bytes_of(&far, "Certificate"));
        let at = |events: &[Value], clock: &str| events[0][clock].as_f64().unwrap();
        assert!(at(&near, "server_ms") <= at(&far, "client_ms"), "{near:?}");
        for half in [&near, &far] {
            let data = half.iter().filter(|event| event["kind"] == "data" && event["length"] != 0);
            assert!(data.count() >= 2, "a request and an answer");
            assert!(half.iter().any(|event| event["name"] == "group: secp384r1"));
        }
    }
    assert_eq!(std::fs::read_to_string(svg).unwrap().matches("man in the middle</text>").count(), 2);
    assert_eq!(page(&html)["traces"][0]["middle"], true);
}

#[test]
fn what_goes_wrong_on_either_side_of_the_middle_is_told_to_the_other() {
    let (host, own) = (Host::new(), tempfile::tempdir().unwrap());
    let server = serve(&["--cert", &host.chain, "--key", &host.key, "--tls", "1.3"], host.folder.path());
    let there = format!("localhost:{}", server.port());
    let root = own.path().join("clasp/root.pem");
    let base = ["--listen", ANY, "--lang", "en", "--timeout", "1", "--fields"];
    for (target, more, trusted, wanted) in [
        (there.as_str(), &["--ca", &host.root][..], false, "root.pem"),
        (&there, &[], true, "with the server: failed"),
        (&there, &["--insecure", "--tls", "1.2", "--policy", "default"], true, "protocol_version"),
        ("127.0.0.1:1", &["--insecure"], true, "refused"),
    ] {
        let (child, address) = tracing(&[&["proxy", target], &base[..], more].concat(), own.path());
        let here = address.replace("127.0.0.1", "localhost");
        let ca = if trusted { root.to_str().unwrap() } else { &host.root };
        let got = clasp(&["connect", &here, "--ca", ca, "--get", "/"]);
        assert_eq!(got.status.code(), Some(1), "{}", text(&got.stdout));
        let told = text(&got.stderr);
        assert_eq!(told.contains("handshake_failure"), trusted, "{told}");
        let output = child.wait_with_output().unwrap();
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(if target == "127.0.0.1:1" { 2 } else { 1 }), "{said}");
        assert!(said.contains(wanted) || !trusted, "{wanted} is not in {said}");
        assert!(said.contains("client ── ClientHello") && said.contains("cipher_suites[0]: "), "{said}");
    }
    // Garbage, silence, and nobody.
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[22, 3, 1], b""] {
        let (child, address) = tracing(&[&["proxy", &there, "--insecure"], &base[..]].concat(), own.path());
        let mut tcp = TcpStream::connect(&address).unwrap();
        tcp.write_all(bytes).unwrap();
        if bytes.is_empty() {
            drop(tcp);
            assert_eq!(child.wait_with_output().unwrap().status.code(), Some(1));
            continue;
        }
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{bytes:?}");
        assert!(text(&output.stdout).contains("failed, "), "{}", text(&output.stdout));
    }
}
