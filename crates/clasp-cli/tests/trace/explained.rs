//! Whether a page explains each byte that it shows.

use crate::common::clasp;
use crate::{ANY, Host, number, page, tracing};
use clasp::{CipherSuite, ClientConfig, Policy, Stream};
use serde_json::Value;
use std::net::TcpStream;

/// What a page says of the bytes of its messages: each leaf with the fields that it stands in, the outermost first.
struct Explained<'p>(&'p Value);

impl Explained<'_> {
    fn word(&self, list: &str, at: &Value) -> &str {
        self.0[list][number(at)].as_str().unwrap()
    }

    fn has(&self, kind: &str, name: &str) -> bool {
        let known = |row: &Value| row[0] == kind && row[1] == name;
        self.0["table"].as_array().unwrap().iter().any(known)
    }

    fn leaves(&self, form: &Value) -> Vec<Vec<&str>> {
        let mut within: Vec<&str> = Vec::new();
        let mut all = Vec::new();
        for field in form.as_array().unwrap().chunks(5) {
            within.truncate(number(&field[3]) / 2);
            within.push(self.word("names", &field[0]));
            if number(&field[3]) % 2 == 1 {
                all.push(within.clone());
            }
        }
        all
    }

    /// Of each message, by its sender: its name and suite, if it names one. Every byte has a field (`page` has looked), and every field an
    /// explanation: of the part of a certificate, of the extension, or of the message that it stands in.
    fn messages(&self) -> Vec<(u64, String)> {
        let mut all = Vec::new();
        for event in self.0["traces"].as_array().unwrap().iter().flat_map(|trace| trace["events"].as_array().unwrap()) {
            let (kind, name) = (self.word("kinds", &event[0]), self.word("names", &event[4]));
            if kind != "message" {
                continue;
            }
            assert!(self.has("message", name) && event[9].is_null(), "{name}: {event}");
            let leaves = self.leaves(&self.0["forms"][number(&event[8])]);
            assert!(!leaves.is_empty(), "{name}");
            let mut certificates = 0;
            for leaf in &leaves {
                assert!(!leaf.contains(&"unread") && !leaf.contains(&"tag"), "{name}: {leaf:?}");
                // An extension's own field has its name.
                if let Some([extension, ..]) =
                    leaf.iter().position(|part| *part == "extensions").and_then(|at| leaf.get(at + 1..))
                    && !leaf.contains(&"tbsCertificate")
                {
                    let is_told =
                        self.has("extension", extension) || extension.starts_with("GREASE") || *extension == "length";
                    assert!(is_told, "{name}: the extension {extension} is not explained: {leaf:?}");
                }
                if let Some(at) = leaf.iter().position(|part| *part == "Certificate") {
                    certificates += usize::from(leaf.contains(&"serialNumber"));
                    // Each part by itself. What stands before one is its head: a tag, in capitals, and a length.
                    let parts = &leaf[at + 1..];
                    let parts = parts.strip_prefix(&["tbsCertificate"]).unwrap_or(parts);
                    let is_head = matches!(parts, [tag] if !tag.contains(char::is_lowercase));
                    let is_told = is_head || parts.iter().any(|part| self.has("certificate", part));
                    assert!(is_told, "{name}: nothing explains {leaf:?}");
                }
            }
            if name == "Certificate" {
                assert!(certificates > 0, "{name}");
            }
            all.push((event[1].as_u64().unwrap(), name.to_owned()));
        }
        all
    }

    /// Every value that a field of this name has.
    fn said(&self, text: &str) -> bool {
        self.0["names"].as_array().unwrap().iter().any(|name| name.as_str().unwrap().contains(text))
    }
}

/// Both versions, every key exchange, resumed, early data, a client's certificate, post-quantum: eighteen handshakes, and no byte of a
/// message or of a certificate without its name and its reason.
#[test]
fn every_byte_of_every_message_and_certificate_is_explained() {
    let host = Host::new();
    let html = host.file("demo.html");
    assert!(clasp(&["demo", "--html", &html]).status.success());
    let data = page(&html);
    let demo = Explained(&data);
    let messages = demo.messages();
    let count = |by: u64, wanted: &str| messages.iter().filter(|(from, name)| *from == by && name == wanted).count();
    // In full and resumed, by both versions: of sixteen conversations seven show no certificate, and one client shows its own.
    assert!(data["traces"].as_array().unwrap().len() >= 10 && count(1, "Certificate") >= 10, "{messages:?}");
    for (by, name) in [
        (0, "Certificate"),
        (0, "CertificateVerify"),
        (0, "ClientKeyExchange"),
        (0, "EndOfEarlyData"),
        (1, "CertificateRequest"),
        (1, "HelloRetryRequest"),
        (1, "NewSessionTicket"),
        (1, "ServerKeyExchange"),
    ] {
        assert!(count(by, name) > 0, "{by} says no {name}");
    }
    for said in ["TLS_RSA_WITH_", "TLS_ECDHE_RSA_WITH_", "TLS_AES_", "X25519MLKEM768", "ticket", "session ID"] {
        assert!(demo.said(said), "{said}");
    }

    // The demonstration has no Diffie-Hellman in a finite field.
    let html = host.file("dhe.html");
    let folder = host.folder.path();
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let own = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.join("rsa.pem"), own.pem()).unwrap();
    std::fs::write(folder.join("rsa.key"), key.serialize_pem()).unwrap();
    let (chain, key) = (host.file("rsa.pem"), host.file("rsa.key"));
    let options =
        ["--listen", ANY, "--cert", &chain, "--key", &key, "--policy", "legacy", "--tls", "1.2", "--html", &html];
    let (child, address) = tracing(&options, folder);
    let policy = Policy::legacy().with_suites([CipherSuite::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256]);
    let config = ClientConfig::builder().dangerous_trust_anyone().policy(policy).build().unwrap();
    let tcp = TcpStream::connect(address).unwrap();
    let mut stream = Stream::new(config.connect("localhost".try_into().unwrap()), tcp);
    stream.handshake().unwrap();
    stream.close().unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
    let data = page(&html);
    let dhe = Explained(&data);
    assert!(dhe.messages().iter().any(|(_, name)| name == "ServerKeyExchange") && dhe.said("TLS_DHE_RSA_WITH_"));
}
