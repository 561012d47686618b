//! `clasp scan` at servers of our own, and at peers that are none.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;
#[path = "scan/groups.rs"]
mod groups;

use clasp::{Identity, ServerConfig, Stream};
use common::{CERTIFICATE, SERVER_HELLO, Then, clasp, cut_off, issued, refuses, serve, text};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

fn report(arguments: &[&str]) -> Value {
    let output = clasp(&[&["scan", "--json"], arguments].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((value["format"].as_str(), value["version"].as_u64()), (Some("clasp-scan"), Some(1)));
    value["reports"][0].clone()
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().filter_map(|entry| entry["name"].as_str()).collect()
}

#[test]
fn a_server_of_ours_is_found_good_and_every_part_is_told() {
    let home = tempfile::tempdir().unwrap();
    let (root, chain, key) = issued(home.path());
    let server = serve(&["--cert", &chain, "--key", &key, "--early-data", "4096"], home.path());
    let target = format!("localhost:{}", server.port());
    let report = report(&["--ca", &root, &target]);
    let spoken: Vec<_> = report["versions"].as_array().unwrap().iter().filter(|v| v["spoken"] == true).collect();
    assert_eq!(spoken.iter().map(|v| v["name"].as_str().unwrap()).collect::<Vec<_>>(), ["TLS 1.3", "TLS 1.2"]);
    assert_eq!(report["grade"], "A", "{report:#}");
    let tls13 = &report["suites"][0];
    assert_eq!((&tls13["version"], &tls13["order"]), (&"TLS 1.3".into(), &"server".into()));
    assert_eq!(names(&tls13["suites"]).len(), 3);
    let groups = names(&report["groups"][0]["groups"]);
    assert!(groups.starts_with(&["X25519MLKEM768"]) && groups.contains(&"x25519"), "{groups:?}");
    assert_eq!(report["schemes"][0]["schemes"][0], "ecdsa_secp256r1_sha256");
    assert_eq!((&report["chains"][0]["accepted"], &report["chains"][0]["length"]), (&true.into(), &1.into()));
    assert!(report["chains"][0]["pem"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----\n"));
    let resumed = report["resumption"].as_array().unwrap();
    assert!(resumed.len() == 3 && resumed.iter().all(|way| way["works"] == true), "{resumed:?}");
    assert_eq!(resumed[0]["early_data"], 4096);
    assert_eq!(report["alpn"], serde_json::json!(["h2", "http/1.1"]));
    assert_eq!(report["http"]["status"], "200 OK");
    assert_eq!(report["client_certificate"], "not asked for");
    assert_eq!(report["renegotiation"]["allowed"], false, "{}", report["renegotiation"]);
    assert!(report["hello"].as_array().unwrap().iter().all(|way| way["good"] == true), "{report:#}");
    assert!(report["attacks"].as_array().unwrap().iter().all(|attack| attack["verdict"] == "safe"), "{report:#}");
    assert!(report["policies"].as_array().unwrap().iter().all(|policy| policy["connects"] == true));

    let html = home.path().join("scan.html");
    let output = clasp(&["scan", "--all", "--ca", &root, &target, "--html", html.to_str().unwrap()]);
    let page = std::fs::read_to_string(&html).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.len() < 100_000 && !page.contains("<script"), "{page}");
    assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
    for words in
        ["grade A", "<td>X25519MLKEM768</td><td>yes</td>", "<td>SSL 3.0</td><td>no</td>", "<td>Heartbleed</td>"]
    {
        assert!(page.contains(words), "{words} is not in {page}");
    }
    let said = text(&output.stdout);
    for words in ["grade A", "X25519MLKEM768", "accepted: EC P-256", "SSL 3.0     ", "early data (0-RTT)"] {
        assert!(said.contains(words), "{words} is not in {said}");
    }
}

#[test]
fn a_name_that_is_not_the_servers_is_found() {
    let home = tempfile::tempdir().unwrap();
    let (root, chain, key) = issued(home.path());
    let server = serve(&["--cert", &chain, "--key", &key, "--tls", "1.2"], home.path());
    let target = format!("localhost:{}", server.port());
    let report = report(&["--ca", &root, "--servername", "other.example", &target]);
    assert_eq!(report["grade"], "T");
    let chain = &report["chains"][0];
    assert!(chain["reason"].as_str().unwrap().contains("other.example"), "{chain}");
    assert!(chain["repair"].as_str().unwrap().contains("this one is for localhost"), "{chain}");
    assert!(report["findings"].as_array().unwrap().iter().any(|finding| finding["id"] == "no-tls13"));

    let graded = |least: &str| clasp(&["scan", "--ca", &root, "--fail-below", least, &target]);
    refuses(&graded("A"), 1, "grade B, wanted A or better");
    assert!(graded("B").status.success());
}

#[test]
fn what_changed_since_another_day_is_all_that_is_said() {
    let home = tempfile::tempdir().unwrap();
    let (root, chain, key) = issued(home.path());
    let server = serve(&["--cert", &chain, "--key", &key], home.path());
    let target = format!("localhost:{}", server.port());
    let before = home.path().join("before.json");
    let output = clasp(&["scan", "--json", "--ca", &root, &target]);
    std::fs::write(&before, &output.stdout).unwrap();
    let before = before.to_str().unwrap();
    let same = clasp(&["scan", "--ca", &root, "--baseline", before, &target]);
    assert!(same.status.success() && same.stdout.is_empty(), "{}", text(&same.stdout));

    let changed = text(&output.stdout).replace("\"http/1.1\"", "\"spdy/1\"");
    std::fs::write(before, changed).unwrap();
    let other = clasp(&["scan", "--ca", &root, "--baseline", before, &target]);
    refuses(&other, 1, "changed since the baseline");
    assert_eq!(text(&other.stdout), format!("{target}: alpn: - spdy/1\n{target}: alpn: + http/1.1\n"));

    std::fs::write(before, "{}").unwrap();
    refuses(&clasp(&["scan", "--ca", &root, "--baseline", before, &target]), 2, "no report of clasp scan");
}

/// RFC 6066 8, RFC 6960 3.2: what a server staples counts, as it does for whoever connects.
#[test]
fn a_server_that_staples_its_own_revocation_is_not_trusted() {
    let home = tempfile::tempdir().unwrap();
    let (root, chain, key) = issued(home.path());
    let ca = home.path().join("ca");
    let stapled = || {
        let output = clasp(&["ca", "ocsp", ca.to_str().unwrap(), "localhost.pem"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let response = std::fs::read(ca.join("localhost.ocsp")).unwrap();
        let identity = Identity::from_pem_files(&chain, &key).unwrap().with_ocsp(response);
        let config = ServerConfig::builder().identity(identity).build().unwrap();
        let port = answering(move |tcp| {
            let _end = std::io::copy(&mut Stream::new(config.accept(), tcp), &mut std::io::sink());
        });
        report(&["--ca", &root, &format!("127.0.0.1:{port}")])
    };
    let good = stapled();
    assert_eq!((&good["chains"][0]["accepted"], &good["chains"][0]["stapled"]), (&true.into(), &true.into()));
    assert_ne!(good["grade"], "T");

    assert!(clasp(&["ca", "revoke", ca.to_str().unwrap(), "localhost.pem"]).status.success());
    let revoked = stapled();
    assert_eq!((&revoked["grade"], &revoked["chains"][0]["accepted"]), (&"T".into(), &false.into()));
    assert!(revoked["chains"][0]["reason"].as_str().unwrap().contains("revoked"), "{}", revoked["chains"][0]);
    assert!(revoked["chains"][0]["repair"].as_str().unwrap().contains("new key"), "{}", revoked["chains"][0]);
}

/// Answers each connection by what `with` does with it; gives its port.
fn answering(with: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let with = Arc::new(with);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let with = Arc::clone(&with);
            thread::spawn(move || with(stream));
        }
    });
    port
}

#[test]
fn peers_of_all_tempers_get_words_and_a_code() {
    let ssh = answering(|mut tcp| drop(tcp.write_all(b"SSH-2.0-OpenSSH_9.2\x1b[2J\r\n")));
    let closing = answering(drop);
    let stalling = answering(|mut tcp| drop(tcp.read_to_end(&mut Vec::new())));
    // Garbage that looks like records, without end, as long as somebody reads.
    let garbage = answering(|mut tcp| {
        let record = [&[22, 3, 3, 0x40, 0][..], &[0xff; 0x4000]].concat();
        while tcp.write_all(&record).is_ok() {}
    });
    // It says so much of each answer, and then nothing more.
    let trickling = answering(|mut tcp| {
        let _hello = tcp.read(&mut [0; 4096]);
        for byte in [22, 3, 3, 0, 90, 2, 0, 0, 86, 3, 3].repeat(100) {
            thread::sleep(Duration::from_millis(100));
            if tcp.write_all(&[byte]).is_err() {
                return;
            }
        }
    });
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (port, words) in [
        (ssh, "SSH-2.0-OpenSSH_9.2\\u{1b}[2J"),
        (closing, "closed without a word"),
        (stalling, "no answer within the time limit"),
        (garbage, "no TLS"),
        (trickling, "no answer within the time limit"),
        (refusing, "refused"),
    ] {
        let since = Instant::now();
        let output = clasp(&["scan", "--timeout", "1", &format!("127.0.0.1:{port}")]);
        refuses(&output, 2, words);
        // Not a measure, but an end: each wait is bounded, and so is their number.
        assert!(since.elapsed() < Duration::from_secs(60), "{words}");
    }
    refuses(&clasp(&["scan", "127.0.0.1:1", "--starttls", "gopher"]), 2, "gopher");
}

#[test]
fn no_more_connections_at_once_than_were_allowed() {
    for most in [1, 3] {
        let (now, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counter, highest) = (now.clone(), peak.clone());
        let port = answering(move |mut tcp| {
            // One that says nothing was closed long ago.
            if tcp.read(&mut [0; 4096]).is_ok_and(|count| count == 0) {
                return;
            }
            highest.fetch_max(counter.fetch_add(1, SeqCst) + 1, SeqCst);
            // An answer that takes its time, so that those who come together meet.
            thread::sleep(Duration::from_millis(100));
            counter.fetch_sub(1, SeqCst);
            let _alert = tcp.write_all(&[21, 3, 3, 0, 2, 2, 70]);
            let _closed = tcp.shutdown(Shutdown::Both);
        });
        let count = most.to_string();
        let output = clasp(&["scan", "--connections", &count, &format!("127.0.0.1:{port}")]);
        refuses(&output, 2, "protocol_version");
        assert_eq!(peak.load(SeqCst), most);
    }
}

#[test]
fn a_server_behind_starttls_is_looked_at() {
    let home = tempfile::tempdir().unwrap();
    let (root, chain, key) = issued(home.path());
    let server = serve(&["--cert", &chain, "--key", &key], home.path());
    let to = server.address.clone();
    let port = answering(move |tcp| {
        let mut reader = BufReader::new(tcp.try_clone().unwrap());
        let mut tcp = tcp;
        tcp.write_all(b"220 mail.example\r\n").unwrap();
        for answer in ["250-mail.example\r\n250 STARTTLS\r\n", "220 go\r\n"] {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            tcp.write_all(answer.as_bytes()).unwrap();
        }
        let mut behind = TcpStream::connect(&to).unwrap();
        let (mut back, mut forth) = (behind.try_clone().unwrap(), tcp.try_clone().unwrap());
        let answers = thread::spawn(move || {
            let _ended = std::io::copy(&mut back, &mut forth);
            let _closed = forth.shutdown(Shutdown::Both);
        });
        let _ended = std::io::copy(&mut reader, &mut behind);
        let _closed = behind.shutdown(Shutdown::Both);
        answers.join().unwrap();
    });
    let report = report(&["--ca", &root, "--starttls", "smtp", &format!("localhost:{port}")]);
    assert_eq!((&report["grade"], &report["starttls"]), (&"A".into(), &"smtp".into()), "{report:#}");
    assert_eq!((&report["http"], &report["alpn"]), (&Value::Null, &serde_json::json!([])));
    assert_eq!(report["chains"][0]["accepted"], true);
}

/// A server of OpenSSL's, for TLS 1.2 unless it is told otherwise, which ends with the test.
struct OpenSsl(Child, u16);

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl OpenSsl {
    fn start(port: u16, identity: [&str; 2], suite: &str, more: &[&str]) -> Self {
        let mut command = Command::new("openssl");
        command.args(["s_server", "-quiet", "-www", "-accept", &format!("127.0.0.1:{port}")]);
        command.args(Some("-tls1_2").filter(|_| !more.contains(&"-tls1_1")));
        command.args(["-cert", identity[0], "-key", identity[1], "-cipher", suite]).args(more);
        // It ends with its input.
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self(child, port);
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "openssl s_server does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

fn has_openssl() -> bool {
    let is_off = std::env::var("CLASP_INTEROP").as_deref() == Ok("off");
    let has = !is_off && Command::new("openssl").arg("version").output().is_ok();
    if !has {
        assert_ne!(std::env::var("CLASP_INTEROP").as_deref(), Ok("require"), "no openssl");
        eprintln!("skipped: no openssl");
    }
    has
}

/// Under each kind of protection that the hello is sealed with here.
#[test]
fn whether_a_client_may_renegotiate_is_asked() {
    if !has_openssl() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (root, chain, key) = issued(home.path());
    let (ports, allow) = (clasp_interop::ports::Ports::new(), "-client_renegotiation");
    let no = ["no", "refuses it: alert no_renegotiation"];
    let yes = ["yes", "renegotiates: answers with a ServerHello"];
    let old = ["not known", "not asked: Clasp has no keys of TLS 1.1 to ask it under"];
    let wanted = [
        ("ECDHE-ECDSA-AES128-GCM-SHA256", &[][..], no),
        ("ECDHE-ECDSA-AES256-GCM-SHA384", &[allow], yes),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", &[allow], yes),
        ("ECDHE-ECDSA-AES128-SHA", &[allow], yes),
        ("ECDHE-ECDSA-AES256-SHA384", &["-no_renegotiation"], no),
        ("ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0", &["-tls1_1", allow], old),
    ];
    let start =
        |(suite, more, _): &(&str, &[&str], _)| OpenSsl::start(ports.next().unwrap(), [&chain, &key], suite, more);
    let servers: Vec<OpenSsl> = wanted.iter().map(start).collect();
    let targets: Vec<String> = servers.iter().map(|server| format!("localhost:{}", server.1)).collect();
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    let output = clasp(&[&["scan", "--json", "--ca", &root], &targets[..]].concat());
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    for ((suite, _, [allowed, words]), report) in wanted.iter().zip(all["reports"].as_array().unwrap()) {
        let asked = &report["renegotiation"];
        let known = if *allowed == "not known" { Value::Null } else { (*allowed == "yes").into() };
        assert_eq!((&asked["allowed"], &asked["words"]), (&known, &(*words).into()), "{suite}");
        let findings = report["findings"].as_array().unwrap();
        let is_said = findings.iter().any(|finding| finding["id"] == "client-renegotiation");
        assert_eq!(is_said, *allowed == "yes", "{suite}: {findings:?}");
    }
    let said = text(&clasp(&["scan", "--ca", &root, targets[0], targets[1], targets[5]]).stdout);
    for words in
        ["no: refuses it: alert no_renegotiation", "yes: renegotiates", "CVE-2011-1473", "not known: not asked"]
    {
        assert!(said.contains(words), "{words} is not in {said}");
    }
}

/// Nothing but hellos has come: who they are of, nobody has proven.
#[test]
fn a_server_whose_handshakes_never_end_is_not_trusted() {
    let home = tempfile::tempdir().unwrap();
    let (root, chain, key) = issued(home.path());
    let server = serve(&["--cert", &chain, "--key", &key], home.path());
    let address = cut_off(&server.address, SERVER_HELLO, Then::Closes);
    let arguments = ["scan", "--json", "--ca", &root, "--servername", "localhost", "--fail-below", "B", &address];
    let output = clasp(&arguments);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let report = &value["reports"][0];
    assert_eq!(report["grade"], "T", "{report:#}");
    let found: Vec<_> = report["findings"].as_array().unwrap().iter().filter_map(|f| f["id"].as_str()).collect();
    assert!(found.contains(&"no-handshake"), "{found:?}");
    let chains = report["chains"].as_array().unwrap();
    assert!(chains.iter().all(|chain| chain["accepted"] == false), "{chains:?}");
}

/// Each of its handshakes costs a wait; what is known by its hellos is told, and nothing else is taken for known.
#[test]
fn a_server_that_stalls_behind_its_hello_or_its_certificate_is_not_waited_for_again_and_again() {
    let home = tempfile::tempdir().unwrap();
    let (root, chain, key) = issued(home.path());
    let both = serve(&["--cert", &chain, "--key", &key], home.path());
    let tls12 = serve(&["--cert", &chain, "--key", &key, "--tls", "1.2"], home.path());
    let targets = [(&both, SERVER_HELLO), (&tls12, SERVER_HELLO), (&tls12, CERTIFICATE)]
        .map(|(s, b)| cut_off(&s.address, b, Then::Stalls));
    let [one, two, three] = targets.each_ref().map(String::as_str);
    let arguments = ["scan", "--json", "--ca", &root, "--servername", "localhost", "--timeout", "1"];
    let output = clasp(&[&arguments[..], &["--fail-below", "B", one, two, three]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let late = "no answer within the time limit";
    for (place, report) in value["reports"].as_array().unwrap().iter().enumerate() {
        assert_eq!((&report["grade"], &report["failed"]), (&"T".into(), &Value::Null), "{report:#}");
        let handshakes = report["handshakes"].as_array().unwrap();
        assert_eq!(handshakes.len(), if place == 0 { 2 } else { 1 });
        assert!(handshakes.iter().all(|one| one["completes"] == false && one["words"] == late), "{handshakes:?}");
        let ways = report["resumption"].as_array().unwrap();
        assert!(ways.iter().all(|way| way["works"] == Value::Null), "{ways:?}");
        assert_eq!(report["renegotiation"]["words"], "not asked: no handshake came to its end");
        let ticketbleed = report["attacks"].as_array().unwrap().iter().find(|attack| attack["name"] == "Ticketbleed");
        assert_eq!(ticketbleed.unwrap()["verdict"], "unknown");
        let chains = report["chains"].as_array().unwrap();
        assert_eq!(chains.len(), usize::from(place == 2), "{chains:?}");
        assert!(chains.iter().all(|chain| chain["accepted"] == false), "{chains:?}");
    }
}

/// No session is kept with it, and its tickets are there.
#[test]
fn an_expired_server_has_tickets_too() {
    let home = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let [chain_file, key_file] =
        ["chain.pem", "key.pem"].map(|name| home.path().join(name).to_str().unwrap().to_owned());
    std::fs::write(&chain_file, params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    let server = serve(&["--cert", &chain_file, "--key", &key_file, "--tls", "1.2"], home.path());
    let report = report(&["--ca", &chain_file, &format!("localhost:{}", server.port())]);
    let by_ticket = &report["resumption"][0];
    assert_eq!((&by_ticket["works"], &by_ticket["tickets"]), (&Value::Null, &1.into()), "{by_ticket}");
    assert!(by_ticket["words"].as_str().unwrap().contains("expired"), "{by_ticket}");
    let ticketbleed =
        report["attacks"].as_array().unwrap().iter().find(|attack| attack["name"] == "Ticketbleed").unwrap();
    assert_eq!(
        (&ticketbleed["verdict"], &ticketbleed["words"]),
        (&"safe".into(), &"gives the session ID back as it came".into())
    );
}

/// Between a client and a server: `change` is given each ServerKeyExchange, with its header.
fn exchanged(server: &str, change: fn(&mut [u8])) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = server.to_owned();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = server.clone();
            thread::spawn(move || {
                let Ok(mut behind) = TcpStream::connect(server) else { return };
                let (mut from, mut to) = (client.try_clone().unwrap(), behind.try_clone().unwrap());
                thread::spawn(move || {
                    let _gone = (std::io::copy(&mut from, &mut to), to.shutdown(Shutdown::Write));
                });
                let mut head = [0; 5];
                while behind.read_exact(&mut head).is_ok() {
                    let mut record = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
                    if behind.read_exact(&mut record).is_err() {
                        break;
                    }
                    key_exchange(head[0], &mut record).into_iter().for_each(change);
                    if (&client).write_all(&[&head[..], &record].concat()).is_err() {
                        break;
                    }
                }
                let _gone = client.shutdown(Shutdown::Both);
            });
        }
    });
    address
}

/// The ServerKeyExchange of a record in the clear that has whole messages alone, as those of our servers have.
fn key_exchange(content: u8, record: &mut [u8]) -> Option<&mut [u8]> {
    let mut at = 0;
    loop {
        let header = record.get(at..at + 4).filter(|_| content == 22)?;
        let end = at + 4 + usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[0] == 12 {
            return record.get_mut(at..end);
        }
        at = end;
    }
}

fn bend(message: &mut [u8]) {
    *message.last_mut().unwrap() ^= 1;
}

/// Only what an RSA key has signed: behind curve and point stands the scheme.
fn bend_rsa(message: &mut [u8]) {
    let scheme = 4 + 4 + usize::from(message[7]);
    if message[scheme] == 8 {
        bend(message);
    }
}

fn graded(root: &str, address: &str) -> (String, Vec<String>, Vec<(String, bool)>) {
    let output = clasp(&["scan", "--json", "--ca", root, "--servername", "localhost", address]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let report = &value["reports"][0];
    let list = |name: &str| report[name].as_array().unwrap().clone();
    let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let chains = list("chains").iter().map(|c| (words(&c["key"]), c["accepted"] == true)).collect();
    (words(&report["grade"]), list("findings").iter().map(|f| words(&f["id"])).collect(), chains)
}

/// A signature that does not verify: the chain is anybody's, whatever else the server can do.
#[test]
fn a_chain_is_not_accepted_before_its_key_is_proven() {
    let home = tempfile::tempdir().unwrap();
    let (root, chain, key) = issued(home.path());
    let both = ["--cert", &chain, "--key", &key];
    // TLS 1.2 alone: nothing is proven at all.
    let server = serve(&[&both[..], &["--tls", "1.2"]].concat(), home.path());
    let (grade, findings, chains) = graded(&root, &exchanged(&server.address, bend));
    assert_eq!((&*grade, &chains[..]), ("T", &[("EC P-256".to_owned(), false)][..]), "{findings:?}");
    assert!(findings.contains(&"no-handshake".into()) && findings.contains(&"chain".into()), "{findings:?}");
    // Both: the chain is proven by TLS 1.3, and TLS 1.2 fails.
    let server = serve(&both, home.path());
    let (grade, findings, chains) = graded(&root, &exchanged(&server.address, bend));
    assert_eq!((&*grade, &chains[..]), ("T", &[("EC P-256".to_owned(), true)][..]), "{findings:?}");
    assert!(findings.contains(&"no-handshake".into()) && !findings.contains(&"chain".into()), "{findings:?}");
    // A server that wants a certificate of clients is blamed for nothing: its key exchange was signed.
    let server = serve(&[&both[..], &["--tls", "1.2", "--client-ca", &root]].concat(), home.path());
    let (grade, findings, chains) = graded(&root, &server.address);
    assert_eq!((&*grade, &chains[..]), ("B", &[("EC P-256".to_owned(), true)][..]), "{findings:?}");
    assert!(findings.contains(&"client-certificate".into()), "{findings:?}");
    let bent = exchanged(&server.address, bend);
    let (grade, _, chains) = graded(&root, &bent);
    assert_eq!((&*grade, &chains[..]), ("T", &[("EC P-256".to_owned(), false)][..]));
    // What comes in the clear is seen all the same.
    let seen = report(&["--ca", &root, "--servername", "localhost", &bent]);
    assert_eq!(seen["client_certificate"], "asked for");
    // One of two keys: a client that takes the other sees nothing of it.
    let ca = home.path().join("ca");
    let made = clasp(&["ca", "issue", ca.to_str().unwrap(), "rsa.test", "localhost", "--key", "rsa"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let of_rsa = ["rsa.test.pem", "rsa.test-key.pem"].map(|name| ca.join(name).to_str().unwrap().to_owned());
    let two = [&both[..], &["--cert", &of_rsa[0], "--key", &of_rsa[1], "--tls", "1.2"]].concat();
    let server = serve(&two, home.path());
    let (grade, findings, mut chains) = graded(&root, &exchanged(&server.address, bend_rsa));
    chains.sort();
    assert_eq!(chains.iter().map(|(_, good)| *good).collect::<Vec<_>>(), [true, false], "{chains:?}");
    assert!(grade == "T" && findings.contains(&"chain".into()), "{findings:?}");
}
