//! `clasp connect` and servers of all tempers.
#![allow(clippy::unwrap_used)]

mod common;

use clasp::{Identity, Policy, ServerConfig, Stream};
use common::{clasp, clasp_fed, issued, refuses, serve, text};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

type Tls = Stream<TcpStream>;

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

    fn config(&self, tickets: u8) -> Arc<ServerConfig> {
        let (chain, key) = (std::fs::read(&self.chain).unwrap(), std::fs::read(&self.key).unwrap());
        let builder = ServerConfig::builder().identity(Identity::from_pem(&chain, &key).unwrap());
        builder.tickets_per_handshake(tickets).build().unwrap()
    }

    /// Serves each connection so.
    fn start(&self, talk: impl Fn(Tls) + Send + Sync + 'static) -> String {
        let config = self.config(0);
        tcp(move |tcp| talk(Stream::new(config.accept(), tcp)))
    }

    fn options(&self) -> [&str; 4] {
        ["--cert", &self.chain, "--key", &self.key]
    }
}

fn tcp(talk: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("localhost:{}", listener.local_addr().unwrap().port());
    thread::spawn(move || listener.incoming().for_each(|tcp| talk(tcp.unwrap())));
    target
}

/// Reads a request; then, as Node and nginx do, drops it where the client says close_notify before the answer is ready.
fn answers_whoever_waits(mut tls: Tls, after: Duration, answer: &[u8]) {
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.ends_with(b"\r\n\r\n") {
        match tls.read(&mut buffer) {
            Ok(n @ 1..) => request.extend_from_slice(&buffer[..n]),
            _ => return,
        }
    }
    tls.transport().set_read_timeout(Some(after)).unwrap();
    if let Ok(0) = tls.read(&mut buffer) {
        return;
    }
    for part in answer.chunks(1 << 16) {
        if tls.write_all(part).is_err() {
            return;
        }
        tls.transport().set_nonblocking(true).unwrap();
        let closed = matches!(tls.read(&mut buffer), Ok(0));
        tls.transport().set_nonblocking(false).unwrap();
        if closed {
            return;
        }
    }
    let _gone = tls.close();
}

#[test]
fn the_end_of_input_does_not_lose_the_answer() {
    let host = Host::new();
    let answer: Vec<u8> = (0..251).cycle().take(3_000_000).collect();
    let sent = answer.clone();
    let target = host.start(move |tls| answers_whoever_waits(tls, Duration::from_millis(400), &sent));
    let page = clasp_fed(&["connect", &target, "--ca", &host.root], b"GET / HTTP/1.1\r\n\r\n");
    assert!(page.status.success(), "{}", text(&page.stderr));
    assert!(page.stdout == answer, "{} bytes of {}", page.stdout.len(), answer.len());
}

#[test]
fn no_answer_is_said_and_is_no_success() {
    let host = Host::new();
    // Waits for our end, as a server does that wants all of the input first, and says nothing then.
    let target = host.start(|mut tls| drop(tls.read_to_end(&mut Vec::new()).and_then(|_| tls.close())));
    let base = ["connect", &target, "--ca", &host.root];
    refuses(&clasp_fed(&[&base[..], &["--wait", "1"]].concat(), b"question"), 1, "no answer came within 1 s");
    for (wait, input) in [("0", &b"question"[..]), ("1", b"")] {
        let closed = clasp_fed(&[&base[..], &["--wait", wait]].concat(), input);
        assert!(closed.status.success(), "{}", text(&closed.stderr));
    }
}

#[test]
fn an_answer_that_is_cut_is_no_success() {
    let host = Host::new();
    let target = host.start(|mut tls| {
        let _request = tls.read(&mut [0; 100]);
        let _sent = tls.write_all(b"half of the ans");
    });
    let page = clasp_fed(&["connect", &target, "--ca", &host.root], b"question");
    assert_eq!(text(&page.stdout), "half of the ans");
    refuses(&page, 1, "without close_notify");
}

#[test]
fn two_sides_that_write_do_not_wait_for_each_other() {
    let host = Host::new();
    let server = serve(&[&host.options()[..], &["--echo"]].concat(), host.folder.path());
    let target = format!("localhost:{}", server.port());
    let all: Vec<u8> = (0..251).cycle().take(30_000_000).collect();
    for version in ["1.2", "1.3"] {
        let said = clasp_fed(&["connect", &target, "--ca", &host.root, "--wait", "2", "--tls", version], &all);
        assert!(said.status.success(), "{}", text(&said.stderr));
        assert!(said.stdout == all, "{} bytes of {}", said.stdout.len(), all.len());
    }
}

#[test]
fn what_the_server_said_is_heard_though_it_takes_no_more() {
    let host = Host::new();
    let target = host.start(|mut tls| {
        let _part = tls.read(&mut [0; 100]);
        let _sent = tls.write_all(b"too large").and_then(|()| tls.close());
    });
    let said = clasp_fed(&["connect", &target, "--ca", &host.root, "--timeout", "5"], &vec![7; 20_000_000]);
    assert_eq!(text(&said.stdout), "too large", "{}", text(&said.stderr));
}

#[test]
fn every_wait_has_an_end() {
    let held = Arc::new(std::sync::Mutex::new(Vec::new()));
    let keep = held.clone();
    let silent = tcp(move |tcp| keep.lock().unwrap().push(tcp));
    // A record of 16 KB, a byte now and then: each wait is short, and the whole has no end.
    let drips = tcp(|mut tcp| {
        thread::spawn(move || {
            let head = [22, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc];
            for byte in head.into_iter().chain(core::iter::repeat(0)) {
                if tcp.write_all(&[byte]).is_err() {
                    return;
                }
                thread::sleep(Duration::from_millis(200));
            }
        });
    });
    let host = Host::new();
    let no_page = host.start(|mut tls| {
        let _handshake = tls.read(&mut [0; 100]);
        thread::sleep(Duration::from_secs(8));
    });
    for (target, words) in [
        (&silent, "the handshake was not done"),
        (&drips, "the handshake was not done"),
        (&no_page, "said and took nothing"),
    ] {
        // None of them ends by itself, or not with these words.
        let get = ["connect", target, "--ca", &host.root, "--get", "/", "--timeout", "2"];
        refuses(&clasp(&get), 1, words);
    }
}

#[test]
fn a_refusal_that_comes_behind_our_finished_is_the_answer() {
    let host = Host::new();
    let options = [&host.options()[..], &["--client-auth", "require", "--client-ca", &host.root]].concat();
    let server = serve(&options, host.folder.path());
    let target = format!("localhost:{}", server.port());
    for version in ["1.2", "1.3"] {
        let base = ["connect", &target, "--ca", &host.root, "--tls", version];
        for more in [&["--json"][..], &["--get", "/"], &["--resume", "--json"], &[]] {
            let refused = clasp(&[&base[..], more].concat());
            refuses(&refused, 1, "--cert FILE --key FILE");
            assert!(refused.stdout.is_empty(), "{}", text(&refused.stdout));
            assert!(!text(&refused.stderr).contains("--policy"), "{}", text(&refused.stderr));
        }
    }
}

#[test]
fn a_server_that_says_nothing_is_not_known_to_take_us() {
    let host = Host::new();
    let mute = host.start(|mut tls| drop(tls.read_to_end(&mut Vec::new())));
    let confirmed = |target: &str| {
        let said = clasp(&["connect", target, "--ca", &host.root, "--json"]);
        assert!(said.status.success(), "{}", text(&said.stderr));
        serde_json::from_slice::<serde_json::Value>(&said.stdout).unwrap()["confirmed"].clone()
    };
    assert_eq!(confirmed(&mute), serde_json::Value::Null);
    let server = serve(&host.options(), host.folder.path());
    assert_eq!(confirmed(&format!("localhost:{}", server.port())), serde_json::Value::Bool(true));
}

/// Whoever reads the JSON alone knows whether the server was checked.
#[test]
fn the_json_has_the_verdict() {
    let host = Host::new();
    let server = serve(&host.options(), host.folder.path());
    let target = format!("localhost:{}", server.port());
    let verdict = |options: &[&str]| {
        let said = clasp(&[&["connect", &target, "--json"], options].concat());
        let said: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
        (said["trusted"].as_bool().unwrap(), said["verdict"].as_str().unwrap().to_owned())
    };
    assert_eq!(verdict(&["--ca", &host.root]), (true, "trusted, and for this name".into()));
    assert_eq!(verdict(&["--insecure"]), (false, "NOT CHECKED (--insecure)".into()));
}

/// RFC 6066 8: a staple that says nothing of the certificate does not pass in silence.
#[test]
fn a_staple_that_is_of_no_use_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca");
    let at = |name: &str| ca.join(name).to_str().unwrap().to_owned();
    let ca = ca.to_str().unwrap();
    for made in [&["init", ca, "--intermediate"][..], &["issue", ca, "localhost"], &["issue", ca, "other.test"]] {
        assert!(clasp(&[&["ca"], made].concat()).status.success());
    }
    let root = at("root.pem");
    let heard = |whose: &str, json: bool| {
        assert!(clasp(&["ca", "ocsp", ca, &format!("{whose}.pem")]).status.success());
        let response = std::fs::read(at(&format!("{whose}.ocsp"))).unwrap();
        let identity = Identity::from_pem_files(at("localhost.pem"), at("localhost-key.pem")).unwrap();
        let config = ServerConfig::builder().identity(identity.with_ocsp(response)).build().unwrap();
        let target = tcp(move |tcp| drop(Stream::new(config.accept(), tcp).read_to_end(&mut Vec::new())));
        let said = clasp(&[&["connect", &target, "--ca", &root][..], if json { &["--json"] } else { &[] }].concat());
        assert!(said.status.success(), "{}", text(&said.stderr));
        text(if json { &said.stdout } else { &said.stderr })
    };
    assert!(heard("localhost", false).contains("staple    its issuer says that the certificate is good"));
    let other = heard("other.test", false);
    assert!(other.contains("staple    of no use: "), "{other}");
    let other: serde_json::Value = serde_json::from_str(&heard("other.test", true)).unwrap();
    assert_eq!(other["connections"][0]["staple"]["standing"], "unknown", "{other}");
}

#[test]
fn a_reset_during_the_handshake_is_an_answer() {
    // A close with bytes unread is a reset.
    let target = tcp(|tcp| drop(tcp.peek(&mut [0])));
    let refused = clasp(&["connect", &target, "--insecure"]);
    refuses(&refused, 1, "reset the connection during the handshake");
    assert!(text(&refused.stderr).contains("--no-grease"), "{}", text(&refused.stderr));
}

/// The hint names what narrows the offer, and never what is in use already.
#[test]
fn the_hint_of_a_refusal_fits_the_command_line() {
    // A fatal handshake_failure, whatever comes.
    let target = tcp(|mut tcp| {
        let _hello = tcp.read(&mut [0; 4096]);
        let _gone = tcp.write_all(&[21, 3, 3, 0, 2, 2, 40]);
    });
    for (options, has, lacks) in [
        (&[][..], "--policy legacy", "--tls"),
        (&["--policy", "legacy"], "everything was offered", "--policy"),
        (&["--tls", "1.3"], "without --tls 1.3", "--policy"),
        (&["--tls", "1.2"], "--policy legacy", "1.3"),
        (&["--groups", "x25519,ffdhe2048", "--policy", "legacy"], "without --groups", "--policy"),
        (&["--schemes", "ed25519", "--policy", "legacy"], "without --schemes", "--policy"),
    ] {
        let refused = clasp(&[&["connect", &target, "--insecure"], options].concat());
        refuses(&refused, 1, "handshake_failure");
        let said = text(&refused.stderr);
        let hint = said.lines().find(|l| l.starts_with("hint:")).unwrap();
        assert!(hint.contains(has) && !hint.contains(lacks), "{options:?}: {hint}");
    }
    // A server of TLS 1.2 alone.
    let host = Host::new();
    let server = serve(&[&host.options()[..], &["--tls", "1.2"]].concat(), host.folder.path());
    let target = format!("localhost:{}", server.port());
    refuses(&clasp(&["connect", &target, "--ca", &host.root, "--tls", "1.3"]), 1, "without --tls 1.3");
    refuses(&clasp(&["connect", &target, "--ca", &host.root, "--policy", "modern"]), 1, "--policy default");
    assert!(Policy::default().versions().len() == 2);
}

#[test]
fn a_key_is_pinned_besides_a_chain_or_in_place_of_one() {
    let host = Host::new();
    let target = host.start(|mut tls| drop(tls.handshake().and_then(|_| tls.close())));
    let shown = text(&clasp(&["inspect", &host.chain]).stdout);
    let pin = shown.split_whitespace().find(|word| word.starts_with("sha256//")).unwrap();
    let other = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let connect = |options: &[&str]| clasp(&[&["connect", &target, "--wait", "0"], options].concat());
    let ca = ["--ca", &host.root, "--pin"];
    for pins in [pin, &format!("{other};{pin}")] {
        for (options, verdict) in
            [(&ca[..], "trusted, for this name, and a pinned key"), (&["--insecure", "--pin"], "NOT CHECKED")]
        {
            let output = connect(&[options, &[pins]].concat());
            assert!(text(&output.stderr).contains(verdict), "{}", text(&output.stderr));
        }
    }
    refuses(&connect(&[&ca[..], &[other]].concat()), 1, "none of those that are pinned");
    refuses(&connect(&["--insecure", "--pin", other]), 1, pin);
    assert_eq!(connect(&["--pin", "sha256//no"]).status.code(), Some(2));
}

/// Encrypted Client Hello: heard, not heard with what to try again with, not wanted, and not meant.
#[test]
fn a_hidden_hello_is_heard_or_it_is_said_what_to_do() {
    let host = Host::new();
    let key = |name: &str| {
        let file = host.folder.path().join(name).to_str().unwrap().to_string();
        let made = clasp(&["ech", "keygen", "--public-name", "localhost", "--out", &file]);
        assert!(made.status.success(), "{}", text(&made.stderr));
        (file, text(&made.stdout).split("ech=").nth(1).unwrap().split_whitespace().next().unwrap().to_string())
    };
    let ((ours, list), (_, stale)) = (key("ours.pem"), key("stale.pem"));
    let server = serve(&[&host.options()[..], &["--ech", &ours]].concat(), host.folder.path());
    let target = format!("127.0.0.1:{}", server.port());
    let connect = |ech: &str, more: &str| {
        clasp(&["connect", &target, "--servername", "localhost", "--ca", &host.root, "--ech", ech, more])
    };
    for given in [list.clone(), format!("ech={list}"), ours] {
        let said = connect(&given, "--json");
        assert!(said.status.success(), "{}", text(&said.stderr));
        let json: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
        assert_eq!(json["connections"][0]["ech"], serde_json::json!({ "accepted": true, "outer_name": "localhost" }));
    }
    let said = connect(&stale, "--json");
    refuses(&said, 1, &format!("--ech {list}"));
    let json: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(json["ech"], serde_json::json!({ "accepted": false, "retry_configs": list }));
    let said = connect("grease", "--json");
    let json: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(json["connections"][0]["ech"], serde_json::json!({ "accepted": false, "greased": true }));
    refuses(&connect("no-such-file", "--json"), 2, "no such file");

    let without = serve(&host.options(), host.folder.path());
    let target = format!("localhost:{}", without.port());
    let said = clasp(&["connect", &target, "--ca", &host.root, "--ech", &stale]);
    refuses(&said, 1, "--ech off or --ech grease");
    let said = clasp_fed(&["connect", &target, "--ca", &host.root, "--ech", "grease", "--wait", "0"], b"");
    assert!(text(&said.stderr).contains("ech       greased"), "{}", text(&said.stderr));
}
