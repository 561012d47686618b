//! `clasp trace FILE.pcap`: captures that are written here, of conversations over loopback.
#![allow(clippy::unwrap_used)]

mod common;

use clasp::{CipherSuite, ClientConfig, Stream};
use common::{clasp, issued, refuses, serve, text};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

/// Which connection, whether the client said it, and what.
type Said = (usize, bool, Vec<u8>);

/// Passes on what is said to a server, and keeps it.
fn proxy(server: String) -> (String, Arc<Mutex<Vec<Said>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heard);
    thread::spawn(move || {
        for (number, client) in listener.incoming().enumerate() {
            let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
            for (mut from, mut to, by_client) in
                [(client.try_clone().unwrap(), server.try_clone().unwrap(), true), (server, client, false)]
            {
                let heard = Arc::clone(&heard);
                thread::spawn(move || {
                    let mut buffer = [0; 8192];
                    while let Ok(n @ 1..) = from.read(&mut buffer) {
                        heard.lock().unwrap().push((number, by_client, buffer[..n].to_vec()));
                        if to.write_all(&buffer[..n]).is_err() {
                            break;
                        }
                    }
                    let _ended = to.shutdown(Shutdown::Write);
                });
            }
        }
    });
    (address, kept)
}

/// A packet: Ethernet, IPv4, TCP.
fn packet(number: usize, by_client: bool, sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 12];
    bytes.extend([8, 0, 0x45, 0]);
    bytes.extend(u16::try_from(40 + payload.len()).unwrap().to_be_bytes());
    bytes.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    let ends = [([10, 0, 0, 1], 40_000 + u16::try_from(number).unwrap()), ([10, 0, 0, 2], 443)];
    let [from, to] = if by_client { ends } else { [ends[1], ends[0]] };
    bytes.extend(from.0.iter().chain(&to.0));
    bytes.extend(from.1.to_be_bytes().iter().chain(&to.1.to_be_bytes()));
    bytes.extend(sequence.to_be_bytes());
    bytes.extend([0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    bytes.extend(payload);
    bytes
}

const SYN: u8 = 2;
const ACK: u8 = 16;

/// The packets of what was said, cut anew, every third one later than the next and once more.
fn packets(said: &[Said]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut next = std::collections::BTreeMap::new();
    for (number, by_client, bytes) in said {
        if !next.contains_key(&(*number, true)) {
            for (by_client, sequence, flags) in [(true, u32::MAX - 5, SYN), (false, 7, SYN | ACK)] {
                all.push(packet(*number, by_client, sequence, flags, b""));
                next.insert((*number, by_client), sequence.wrapping_add(1));
            }
        }
        let sequence = next.get_mut(&(*number, *by_client)).unwrap();
        let begins = all.len();
        for piece in bytes.chunks(500) {
            all.push(packet(*number, *by_client, *sequence, ACK, piece));
            *sequence = sequence.wrapping_add(u32::try_from(piece.len()).unwrap());
        }
        if all.len() - begins > 2 {
            all.swap(begins + 1, begins + 2);
            all.push(all[begins + 1].clone());
        }
    }
    all
}

/// As pcap, or as pcapng.
fn capture(packets: &[Vec<u8>], ng: bool) -> Vec<u8> {
    let word = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
    let block = |kind: u32, body: &[u8]| {
        let length = word(12 + body.len());
        [&kind.to_le_bytes()[..], &length, body, &length].concat()
    };
    let mut file = if ng {
        let section = block(0x0a0d_0d0a, &[0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
        [section, block(1, &[1, 0, 0, 0, 0, 0, 4, 0])].concat()
    } else {
        [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 0x4_0000, 1].iter().flat_map(|n| n.to_le_bytes()).collect()
    };
    for (number, packet) in packets.iter().enumerate() {
        // A millisecond each.
        let at = number * 1000;
        if ng {
            let mut body = [word(0), word(0), word(at), word(packet.len()), word(packet.len())].concat();
            body.extend(packet);
            body.resize(body.len().next_multiple_of(4), 0);
            file.extend(block(6, &body));
        } else {
            file.extend([word(1_700_000_000), word(at), word(packet.len()), word(packet.len())].concat());
            file.extend(packet);
        }
    }
    file
}

/// A folder with a conversation's packets and its key log.
struct Recorded {
    folder: tempfile::TempDir,
    packets: Vec<Vec<u8>>,
}

impl Recorded {
    fn new(serving: &[&str], connecting: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (root, chain, key) = issued(folder.path());
        let server = serve(&[&["--cert", &chain, "--key", &key], serving].concat(), folder.path());
        let (target, said) = proxy(server.address.clone());
        let keys = folder.path().join("keys.log");
        let line = ["connect", &target, "--ca", &root, "--get", "/", "--keylog", keys.to_str().unwrap()];
        let page = clasp(&[&line[..], connecting].concat());
        assert!(page.status.success(), "{}", text(&page.stderr));
        let packets = packets(&said.lock().unwrap());
        Self { folder, packets }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().into()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    fn traces(&self, ng: bool) -> Vec<Value> {
        let file = self.write("c.pcap", &capture(&self.packets, ng));
        let traced = clasp(&["trace", &file, "--keylog", &self.path("keys.log"), "--json"]);
        assert!(traced.status.success(), "{}", text(&traced.stderr));
        let value: Value = serde_json::from_slice(&traced.stdout).unwrap();
        value["traces"].as_array().unwrap().clone()
    }
}

fn names<'t>(trace: &'t Value, kind: &str) -> Vec<&'t str> {
    let of = trace["events"].as_array().unwrap().iter().filter(|event| event["kind"] == kind);
    of.map(|event| event["name"].as_str().unwrap()).collect()
}

#[test]
fn a_capture_of_tls13_opens_with_its_key_log() {
    let options = ["--resume", "--early-data", "--keyupdate", "--tls", "1.3"];
    let recorded = Recorded::new(&["--early-data", "4096", "--keyupdate"], &options);
    for ng in [false, true] {
        let traces = recorded.traces(ng);
        assert_eq!(traces.len(), 2);
        let first = names(&traces[0], "message");
        let wanted =
            ["ClientHello", "ServerHello", "EncryptedExtensions", "Certificate", "CertificateVerify", "Finished"];
        assert_eq!(first[..6], wanted);
        assert!(first.contains(&"NewSessionTicket") && first.contains(&"KeyUpdate"), "{first:?}");
        let second = names(&traces[1], "message");
        assert!(second.contains(&"EndOfEarlyData") && !second.contains(&"Certificate"), "{second:?}");
        let early = traces[1]["events"].as_array().unwrap().iter().find(|event| event["kind"] == "data").unwrap();
        assert_eq!((early["level"].as_str(), early["by"].as_str()), (Some("early"), Some("client")));
        for trace in &traces {
            assert_eq!(trace["facts"]["version"], "TLS 1.3");
            assert_eq!((names(trace, "established").len(), names(trace, "note")), (1, vec!["TCP connected"]));
            assert!(names(trace, "derived").contains(&"server_handshake_traffic_secret"));
            assert!(trace["events"].as_array().unwrap().iter().all(|event| event["fault"].is_null()));
        }
    }
}

#[test]
fn a_capture_of_tls12_opens_with_its_key_log() {
    for policy in ["default", "legacy"] {
        let recorded = Recorded::new(&["--policy", policy], &["--policy", policy, "--tls", "1.2", "--resume"]);
        let traces = recorded.traces(false);
        let first = names(&traces[0], "message");
        assert_eq!(first.iter().filter(|name| **name == "Finished").count(), 2, "{first:?}");
        assert_eq!((traces.len(), names(&traces[0], "change_cipher_spec").len()), (2, 2));
        assert!(!names(&traces[1], "message").contains(&"Certificate"));
        assert!(traces.iter().all(|trace| trace["good"] == true && trace["records"].as_array().unwrap().len() > 4));
        assert!(names(&traces[1], "data").len() > 1, "a request and its answer");
    }
}

#[test]
fn captures_that_are_cut_or_closed_or_none_get_words_and_a_code() {
    let recorded = Recorded::new(&[], &["--tls", "1.3"]);
    let whole = capture(&recorded.packets, false);
    let file = recorded.write("whole.pcap", &whole);
    let keys = recorded.path("keys.log");

    let closed = clasp(&["trace", &file, "--lang", "en"]);
    assert!(
        closed.status.success() && text(&closed.stderr).contains("--keylog FILE opens them"),
        "{}",
        text(&closed.stderr)
    );
    let said = text(&closed.stdout);
    assert!(said.contains("ServerHello") && !said.contains("EncryptedExtensions"), "{said}");

    let other = std::fs::read_to_string(&keys).unwrap();
    let wrong: String = other.lines().map(|line| line[..line.len() - 2].to_owned() + "00\n").collect();
    let wrong = recorded.write("wrong.log", wrong.as_bytes());
    refuses(&clasp(&["trace", &file, "--keylog", &wrong]), 1, "the key log has no secrets that open them");
    let bad = recorded.write("bad.log", b"# fine\nCLIENT_RANDOM xyz\n");
    refuses(&clasp(&["trace", &file, "--keylog", &bad]), 2, "line 2");
    refuses(&clasp(&["trace", &file, "--keylog", &recorded.path("absent")]), 2, "absent");

    // Wherever it is cut, it ends in words.
    for ng in [false, true] {
        let whole = capture(&recorded.packets, ng);
        for length in [0, 3, 24, 30, 60, whole.len() / 2, whole.len() - 1] {
            let cut = recorded.write("cut.pcap", &whole[..length]);
            let traced = clasp(&["trace", &cut, "--keylog", &keys, "--lang", "en"]);
            let said = text(&traced.stderr);
            let known = ["no capture", "ends within a packet", "no TLS"].iter().any(|words| said.contains(words));
            assert!(traced.status.code().is_some_and(|code| code <= 2) && known, "{length}: {said}");
            if length > 3000 {
                assert!(traced.status.success() && text(&traced.stdout).contains("ClientHello"), "{length}: {said}");
            }
        }
    }
    refuses(&clasp(&["trace", &recorded.write("no.pcap", b"SSH-2.0-OpenSSH_9.6\r\n")]), 2, "is no capture");
    let garbage: Vec<u8> = (0..255).cycle().take(100_000).collect();
    let noise = packets(&[(0, true, garbage.clone()), (0, false, garbage)]);
    refuses(&clasp(&["trace", &recorded.write("noise.pcap", &capture(&noise, false))]), 1, "no TLS");
    refuses(&clasp(&["trace"]), 2, "nothing to trace");
}

#[test]
fn what_waits_behind_a_gap_is_said() {
    let recorded = Recorded::new(&[], &["--tls", "1.3"]);
    // One packet of the server's, in the middle, was not captured.
    let of_server = |packet: &&Vec<u8>| packet.len() > 400 && packet[26..30] == [10, 0, 0, 2];
    let lost = recorded.packets.iter().position(|packet| of_server(&packet)).unwrap();
    let mut packets = recorded.packets.clone();
    // Some are there twice.
    let same = packets[lost].clone();
    packets.retain(|packet| *packet != same);
    let file = recorded.write("gap.pcap", &capture(&packets, false));
    let traced = clasp(&["trace", &file, "--keylog", &recorded.path("keys.log"), "--lang", "en"]);
    assert!(text(&traced.stderr).contains("packets are missing: "), "{}", text(&traced.stderr));
    assert!(text(&traced.stdout).contains("of the server's wait behind a packet that was not captured"));
}

#[test]
fn a_capture_is_shown_as_every_trace_is() {
    let recorded = Recorded::new(&[], &[]);
    let file = recorded.write("c.pcap", &capture(&recorded.packets, false));
    let (keys, svg, html) = (recorded.path("keys.log"), recorded.path("t.svg"), recorded.path("t.html"));
    let base = ["trace", &file, "--keylog", &keys];
    let shown = |options: &[&str]| text(&clasp(&[&base[..], options].concat()).stdout);
    assert!(shown(&["--json"]).contains("\"clasp-trace\""));
    let said = shown(&["--fields", "--lang", "zh", "--svg", &svg, "--html", &html]);
    assert!(
        said.contains("cipher_suites[0]: ") && said.contains("中间人攻击") && said.contains("agreed: TLS 1.3"),
        "{said}"
    );
    assert!(std::fs::read_to_string(svg).unwrap().contains("<svg "));
    assert!(std::fs::read_to_string(html).unwrap().contains("CertificateVerify"));
}

/// What is recorded of a client that speaks these suites alone, twice.
fn recorded_with(suite: CipherSuite, folder: &Path, tickets: bool) -> (Vec<Said>, String) {
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let certificate = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let (chain, private) = (folder.join("rsa.pem"), folder.join("rsa-key.pem"));
    std::fs::write(&chain, certificate.pem()).unwrap();
    std::fs::write(&private, key.serialize_pem()).unwrap();
    let (chain, private) = (chain.to_str().unwrap(), private.to_str().unwrap().to_owned());
    let server = serve(&["--cert", chain, "--key", &private, "--policy", "legacy", "--tls", "1.2"], folder);
    let (target, said) = proxy(server.address.clone());
    let policy = clasp::Policy::legacy().with_suites([suite]);
    let config = ClientConfig::builder().dangerous_trust_anyone().policy(policy).session_tickets(tickets);
    // Both ways to a master secret: bound to the conversation, and to the randoms alone.
    let config = config.extended_master_secret(tickets).build().unwrap();
    for again in [false, true] {
        let tcp = TcpStream::connect(&target).unwrap();
        let mut stream = Stream::new(config.connect("localhost".try_into().unwrap()), tcp);
        assert_eq!(stream.handshake().unwrap().resumed.is_some(), again);
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
    let said = said.lock().unwrap().clone();
    (said, private)
}

#[test]
fn rsa_key_transport_opens_with_the_servers_key_and_what_is_of_the_moment_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.pcap");
    let path = file.to_str().unwrap();
    let (_, _, other) = issued(folder.path());
    for (suite, tickets) in
        [(CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256, true), (CipherSuite::TLS_RSA_WITH_AES_256_CBC_SHA, false)]
    {
        let (said, key) = recorded_with(suite, folder.path(), tickets);
        std::fs::write(&file, capture(&packets(&said), false)).unwrap();
        let traced = clasp(&["trace", path, "--key", &key, "--json"]);
        assert!(traced.status.success(), "{}", text(&traced.stderr));
        let value: Value = serde_json::from_slice(&traced.stdout).unwrap();
        let traces = value["traces"].as_array().unwrap();
        assert_eq!(traces.len(), 2);
        for trace in traces {
            assert_eq!((&trace["good"], names(trace, "established").len()), (&true.into(), 1));
            assert!(names(trace, "data").len() > 1, "a request and its answer");
        }
        assert!(names(&traces[0], "message").contains(&"ClientKeyExchange"));
        assert!(!names(&traces[1], "message").contains(&"ClientKeyExchange"), "resumed");
        refuses(&clasp(&["trace", path, "--key", &other]), 1, "the server's key does not open them");
    }
    let (said, key) = recorded_with(CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, folder.path(), true);
    std::fs::write(&file, capture(&packets(&said), false)).unwrap();
    refuses(&clasp(&["trace", path, "--key", &key]), 1, "the server's key does not open them");
    refuses(&clasp(&["trace", path, "--key", path]), 2, "c.pcap");
}
