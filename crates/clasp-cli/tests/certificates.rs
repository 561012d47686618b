//! `clasp ca`, `clasp verify` and `clasp inspect`, as a user runs them.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn clasp(dir: &Path, arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_clasp")).current_dir(dir).args(arguments.split(' ')).output().unwrap()
}

/// Standard output of a command that must end with this code.
fn run(dir: &Path, arguments: &str, code: i32) -> String {
    let output = clasp(dir, arguments);
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "clasp {arguments}: {words}");
    String::from_utf8(output.stdout).unwrap()
}

fn authority(key: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), &format!("ca init . --intermediate --key {key}"), 0);
    run(dir.path(), &format!("ca issue . good.test --key {key}"), 0);
    run(dir.path(), &format!("ca issue . bad.test --key {key}"), 0);
    run(dir.path(), "ca revoke . bad.test.pem", 0);
    dir
}

#[test]
fn nothing_is_issued_that_has_expired_already_or_never_will() {
    let dir = authority("ecdsa");
    let dir = dir.path();
    let verbs = ["ca init other", "ca issue . new.test", "ca crl .", "ca ocsp . good.test.pem"];
    for verb in verbs {
        for days in ["0", "-1", "36501", "9223372036854775807"] {
            let output = clasp(dir, &format!("{verb} --days={days}"));
            let words = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{verb} --days={days}: {words}");
            assert!(words.contains(days) && words.contains("1..=36500"), "{words}");
        }
    }
    for file in ["other", "new.test.pem", "crl.pem", "good.test.ocsp"] {
        assert!(!dir.join(file).exists(), "{file}");
    }
    run(dir, "ca issue . new.test --days=1", 0);
    run(dir, "verify new.test.pem --ca root.pem --name new.test", 0);
}

#[test]
fn chains_are_judged_with_lists_and_responses_of_our_own() {
    for key in ["ecdsa", "ed25519", "rsa"] {
        let dir = authority(key);
        let dir = dir.path();
        run(dir, "ca crl .", 0);
        for name in ["good.test", "bad.test"] {
            run(dir, &format!("ca ocsp . {name}.pem"), 0);
            let code = i32::from(name == "bad.test");
            let judge = format!("verify {name}.pem --ca root.pem --name {name} --revocation require");
            for (with, answer) in [("--crl crl.pem", code), ("--leaf-only --ocsp", code), ("", 1)] {
                let with = if with.ends_with("--ocsp") { format!("{with} {name}.ocsp") } else { with.to_owned() };
                let text = run(dir, format!("{judge} {with}").trim(), answer);
                assert_eq!(text.contains("accepted until"), answer == 0, "{text}");
            }
            run(dir, &format!("verify {name}.pem --ca root.pem --name {name}"), 0);
        }
        let wrong =
            run(dir, "verify good.test.pem --ca root.pem --ocsp bad.test.ocsp --revocation require --leaf-only", 1);
        assert!(wrong.contains("no revocation list or OCSP response"), "another certificate's response: {wrong}");
    }
}

#[test]
fn a_refusal_is_a_tree_and_json() {
    let dir = authority("ecdsa");
    let dir = dir.path();
    let text = run(dir, "verify good.test.pem --ca root.pem --name other.test", 1);
    assert!(text.contains("x 0") && text.contains("RFC 9525 6") && text.contains("wanted  other.test"), "{text}");
    let json: Value =
        serde_json::from_str(&run(dir, "verify good.test.pem --ca intermediate.pem --json --profile web-pki", 1))
            .unwrap();
    assert_eq!(json["nearest"]["rule"], "BR 7.1.2.1", "{json}");
    let json: Value = serde_json::from_str(&run(dir, "verify good.test.pem --ca root.pem --json", 0)).unwrap();
    assert_eq!((&json["accepted"], &json["root"]), (&true.into(), &"CN=Clasp Local CA".into()));
    assert_eq!(json["identities"][0], "good.test");
    // Whoever asks for no name is told that none was looked at.
    assert!(json["name"].is_null());
    let named = run(dir, "verify good.test.pem --ca root.pem --name good.test --json", 0);
    assert_eq!(serde_json::from_str::<Value>(&named).unwrap()["name"], "good.test");
    for (with, told) in [("", true), (" --name good.test", false)] {
        let text = run(dir, &format!("verify good.test.pem --ca root.pem{with}"), 0);
        assert_eq!(text.contains("name not looked at"), told, "{text}");
    }
    // A response in PEM, as some programs keep them.
    run(dir, "ca ocsp . good.test.pem", 0);
    let response = std::fs::read(dir.join("good.test.ocsp")).unwrap();
    let text = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, response);
    std::fs::write(
        dir.join("ocsp.pem"),
        format!("-----BEGIN OCSP RESPONSE-----\n{text}\n-----END OCSP RESPONSE-----\n"),
    )
    .unwrap();
    run(dir, "verify good.test.pem --ca root.pem --leaf-only --ocsp ocsp.pem", 0);
    let late = run(dir, "verify good.test.pem --ca root.pem --time 2050-01-01T00:00:00Z", 1);
    assert!(late.contains("notAfter"), "{late}");
    run(dir, "verify good.test.pem --ca root.pem --client", 1);
    run(dir, "verify good.test.pem --ca intermediate.pem", 0);
    for unusable in [
        "verify none.pem",
        "verify good.test.pem --profile none",
        "verify good.test.pem --time never",
        "verify crl.txt",
    ] {
        run(dir, unusable, 2);
    }
}

#[test]
fn files_are_told_in_plain_words() {
    let dir = authority("ecdsa");
    let dir = dir.path();
    run(dir, "ca crl .", 0);
    run(dir, "ca ocsp . bad.test.pem", 0);
    for (file, words) in [
        ("good.test.pem", &["Certificate", "good.test", "EC P-256", "serverAuth", "authority"][..]),
        ("good.test-key.pem", &["Private key", "EC P-256"]),
        ("crl.pem", &["Revocation list", "CN=Clasp Local CA Intermediate", "unspecified"]),
        ("bad.test.ocsp", &["OCSP response", "revoked on"]),
    ] {
        let text = run(dir, &format!("inspect {file}"), 0);
        assert!(words.iter().all(|word| text.contains(word)), "{file}: {text}");
    }
    let lines = run(dir, "inspect good.test.pem --json", 0);
    let kinds: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].clone()).collect();
    assert_eq!(kinds, ["Certificate", "Certificate"]);

    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["asked.test".into()]).unwrap();
    let request = params.serialize_request(&key).unwrap();
    std::fs::write(dir.join("request.pem"), request.pem().unwrap()).unwrap();
    std::fs::write(dir.join("request.der"), request.der()).unwrap();
    for file in ["request.pem", "request.der"] {
        let text = run(dir, &format!("inspect {file}"), 0);
        let wanted = ["Certificate request", "asked.test", "EC P-256"];
        assert!(wanted.iter().all(|word| text.contains(word)), "{text}");
        assert!(text.lines().any(|line| line.starts_with("  signature good") && line.ends_with("yes")), "{text}");
    }
    let mut altered = request.der().to_vec();
    *altered.last_mut().unwrap() ^= 1;
    std::fs::write(dir.join("altered.der"), altered).unwrap();
    let text = run(dir, "inspect altered.der", 0);
    assert!(text.lines().any(|line| line.starts_with("  signature good") && line.ends_with("no")), "{text}");
    std::fs::write(dir.join("noise"), "nothing").unwrap();
    run(dir, "inspect noise", 1);
}

/// What limits an authority, where lists are and what they are about: a reader who is not shown it takes it for not there.
#[test]
fn limits_and_places_of_lists_are_told_and_escaped() {
    use rcgen::{CertificateParams, CustomExtension, KeyPair};
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let tlv = |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
    let seq = |parts: &[Vec<u8>]| tlv(0x30, &parts.concat());
    let point = |uri: &[u8]| seq(&[tlv(0xa0, &tlv(0xa0, &tlv(0x86, uri))), tlv(0x81, &[6, 0x40])]);
    let (one, other) = (vec![6, 2, 0x2a, 3], vec![6, 2, 0x2a, 4]);
    let trees = |names: &[Vec<u8>]| names.iter().flat_map(|name| tlv(0x30, name)).collect::<Vec<u8>>();
    let permitted =
        trees(&[tlv(0x82, b"a.test"), tlv(0x81, b"a.test"), tlv(0x86, b""), tlv(0x87, &[10, 0, 0, 0, 255, 0, 0, 0])]);
    let excluded = trees(&[tlv(0x82, b"b.a.test")]);
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.custom_extensions = [
        (30, seq(&[tlv(0xa0, &permitted), tlv(0xa1, &excluded)])),
        (31, seq(&[point(b"http://a.test/\x1b[2J, x")])),
        (32, seq(&[seq(std::slice::from_ref(&one)), seq(&[vec![6, 4, 0x55, 0x1d, 32, 0]])])),
        (33, seq(&[seq(&[one, other])])),
        (36, seq(&[vec![0x80, 1, 0], vec![0x81, 1, 2]])),
        (46, seq(&[point(b"http://a.test/delta")])),
        (54, vec![2, 1, 1]),
    ]
    .map(|(id, value)| CustomExtension::from_oid_content(&[2, 5, 29, id], value))
    .into();
    let authority = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    std::fs::write(dir.join("ca.pem"), authority.pem()).unwrap();
    let text = run(dir, "inspect ca.pem", 0);
    let wanted = [
        "permitted names      DNS: a.test\n                       e-mail: a.test\n",
        "URI: every one\n                       IP: 10.0.0.0/8\n  excluded names       DNS: b.a.test\n",
        "policies             1.2.3\n                       anyPolicy\n  policy mappings      1.2.3 = 1.2.4 below\n",
        "a policy must be there from the next certificate on\n",
        "no policy is mapped after 2 more certificates\n",
        "anyPolicy is none after 1 more certificates\n",
        "lists at             \"http://a.test/\\u{1b}[2J, x\"; for keyCompromise\n",
        "deltas at            http://a.test/delta; for keyCompromise\n",
    ];
    for words in wanted {
        assert!(text.contains(words), "{words} is not in {text}");
    }
    let json: Value = serde_json::from_str(&run(dir, "inspect ca.pem --json", 0)).unwrap();
    assert_eq!(json["excluded_names"], serde_json::json!(["DNS: b.a.test"]));
    assert_eq!(json["deltas_at"], serde_json::json!(["http://a.test/delta; for keyCompromise"]));
    assert_eq!(json["policy_mappings"], serde_json::json!(["1.2.3 = 1.2.4 below"]));

    let scope = rcgen::CrlIssuingDistributionPoint {
        distribution_point: rcgen::CrlDistributionPoint { uris: vec!["http://a.test/list".into()] },
        scope: Some(rcgen::CrlScope::UserCertsOnly),
    };
    let list = rcgen::CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2026, 1, 1),
        next_update: rcgen::date_time_ymd(2027, 1, 1),
        crl_number: rcgen::SerialNumber::from(1),
        issuing_distribution_point: Some(scope),
        revoked_certs: Vec::new(),
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    params.custom_extensions.clear();
    params.key_usages = vec![rcgen::KeyUsagePurpose::CrlSign];
    let list = list.signed_by(&rcgen::Issuer::new(params, KeyPair::generate().unwrap())).unwrap();
    std::fs::write(dir.join("list.pem"), list.pem().unwrap()).unwrap();
    let text = run(dir, "inspect list.pem", 0);
    assert!(text.contains("about                http://a.test/list; users' certificates only\n"), "{text}");
}

/// Whatever file is named, it is not read without end: a device, or a pipe into which somebody writes for ever.
#[cfg(unix)]
#[test]
fn no_file_is_read_without_end() {
    let dir = authority("ecdsa");
    let dir = dir.path();
    std::os::unix::fs::symlink("/dev/zero", dir.join("zero")).unwrap();
    for line in [
        "inspect zero",
        "verify good.test.pem --ca zero",
        "serve --cert good.test.pem --key zero",
        "trace good.test.pem --keylog zero",
    ] {
        let refused = clasp(dir, line);
        let words = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(2) && words.contains("zero: more than 128 MiB"), "{line}: {words}");
    }
    // A pipe has no length beforehand.
    let program = env!("CARGO_BIN_EXE_clasp");
    let piped = format!("cat zero | {program} verify good.test.pem --ca root.pem --crl /dev/stdin");
    let refused = Command::new("sh").current_dir(dir).args(["-c", &piped]).output().unwrap();
    let words = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(2) && words.contains("/dev/stdin: more than 128 MiB"), "{words}");
    let piped = format!("cat root.pem | {program} inspect /dev/stdin");
    assert!(Command::new("sh").current_dir(dir).args(["-c", &piped]).output().unwrap().status.success());
}

/// Serial numbers as other programs write them, and certificates by their path.
#[test]
fn a_certificate_is_revoked_by_its_number_in_any_form_or_by_its_path() {
    let dir = authority("ecdsa");
    let dir = dir.path();
    let entries = || -> Vec<Value> { serde_json::from_str(&run(dir, "ca list . --json", 0)).unwrap() };
    let serial = entries()[0]["serial"].as_str().unwrap().to_owned();
    let upper = serial.to_uppercase();
    let pairs: Vec<&str> = (0..upper.len()).step_by(2).map(|at| &upper[at..at + 2]).collect();
    std::fs::create_dir(dir.join("elsewhere")).unwrap();
    let chain = std::fs::read(dir.join("good.test.pem")).unwrap();
    std::fs::write(dir.join("elsewhere/copy.pem"), &chain).unwrap();
    let der = clasp_x509::pem::items(&chain, clasp_x509::kind::Kind::Certificate).unwrap();
    std::fs::write(dir.join("elsewhere/copy.der"), der[0].der()).unwrap();
    let good = std::fs::read(dir.join("index.json")).unwrap();
    for which in [
        serial.clone(),
        upper.clone(),
        pairs.join(":"),
        format!("0x{serial}"),
        format!("serial=00{upper}"),
        serial.trim_start_matches('0').to_owned(),
        "good.test.pem".into(),
        "./good.test.pem".into(),
        "elsewhere/copy.pem".into(),
        "elsewhere/copy.der".into(),
    ] {
        std::fs::write(dir.join("index.json"), &good).unwrap();
        assert!(entries()[0]["revoked"].is_null());
        run(dir, &format!("ca revoke . {which}"), 0);
        assert!(!entries()[0]["revoked"].is_null(), "{which}");
        run(dir, &format!("ca ocsp . {which}"), 0);
    }
    // Of another authority, with the same number.
    run(dir, "ca init other", 0);
    run(dir, "ca issue other good.test", 0);
    let index = std::fs::read_to_string(dir.join("index.json")).unwrap();
    let theirs: Vec<Value> = serde_json::from_str(&run(dir, "ca list other --json", 0)).unwrap();
    std::fs::write(dir.join("index.json"), index.replace(&serial, theirs[0]["serial"].as_str().unwrap())).unwrap();
    for which in ["other/good.test.pem", "root.pem", "absent.pem", "12:34", ":", ""] {
        let refused = Command::new(env!("CARGO_BIN_EXE_clasp"))
            .current_dir(dir)
            .args(["ca", "revoke", ".", which])
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&refused.stderr);
        let all = ["was issued here", "serial number (hexadecimal)", "path to the certificate"];
        assert!(refused.status.code() == Some(1) && all.iter().all(|w| words.contains(w)), "{which}: {words}");
    }
    assert_eq!(clasp(dir, "ca revoke . root-key.pem").status.code(), Some(2), "no certificate");
}

/// A user must see from the verdict whether a certificate is known not to be revoked.
#[test]
fn a_verdict_says_whether_revocation_was_settled() {
    let dir = authority("ecdsa");
    let dir = dir.path();
    run(dir, "ca crl .", 0);
    run(dir, "ca ocsp . good.test.pem", 0);
    run(dir, "ca init other", 0);
    run(dir, "ca crl other", 0);
    let command = |with: &str| format!("verify good.test.pem --ca root.pem {with}").trim().to_owned();
    let judge = |with: &str, code: i32| run(dir, &command(with), code);
    let json = |with: &str| serde_json::from_str::<Value>(&judge(&format!("--json {with}"), 0)).unwrap();
    for (with, asked, settled, words) in [
        ("", false, Value::Null, "not looked at"),
        ("--crl crl.pem", true, true.into(), "revocation settled"),
        ("--ocsp good.test.ocsp --leaf-only", true, true.into(), "revocation settled"),
        ("--ocsp good.test.ocsp --revocation prefer", true, false.into(), "NOT settled"),
        ("--crl other/crl.pem --revocation prefer", true, false.into(), "NOT settled"),
        ("--revocation prefer", true, false.into(), "NOT settled"),
    ] {
        let text = judge(with, 0);
        assert!(text.contains(words), "{with}: {text}");
        let verdict = json(with);
        assert_eq!((&verdict["revocation"]["asked"], &verdict["revocation"]["settled"]), (&asked.into(), &settled));
    }
    let other = judge("--crl other/crl.pem --revocation prefer", 0);
    assert!(other.contains("a list with a wrong signature"), "of another authority: {other}");
    // Who gives a list or a response wants to know. What settles nothing is no yes, unless that is asked for by name.
    for leaves_open in ["--ocsp good.test.ocsp", "--crl other/crl.pem", "--crl crl.pem --time 2027-01-20T00:00:00Z"] {
        assert!(judge(&format!("{leaves_open} --json"), 1).contains(r#""accepted":false"#));
        for (with, hinted) in [("", true), ("--revocation require", false)] {
            let output = clasp(dir, command(&format!("{leaves_open} {with}")).trim());
            let words = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{leaves_open} {with}: {words}");
            assert_eq!(words.contains("--revocation prefer"), hinted, "{leaves_open} {with}: {words}");
        }
        judge(&format!("{leaves_open} --revocation prefer"), 0);
    }
    let bundle = [std::fs::read(dir.join("root.pem")).unwrap(), std::fs::read(dir.join("bad.test.pem")).unwrap()];
    std::fs::write(dir.join("bundle.pem"), bundle.concat()).unwrap();
    for ca in ["root.pem", "bundle.pem"] {
        run(dir, &format!("verify bad.test.pem --ca {ca} --crl crl.pem --revocation require"), 1);
        let late = run(dir, &format!("verify bad.test.pem --ca {ca} --crl crl.pem --time 2027-01-20T00:00:00Z"), 1);
        assert!(late.contains("revoked on") && late.contains("is out of date since"), "{late}");
    }
    std::fs::write(dir.join("junk"), [7; 200]).unwrap();
    for unusable in [
        "--ocsp junk",
        "--ocsp root.pem",
        "--crl root.pem",
        "--ocsp crl.pem",
        "--crl junk",
        "--revocation ignore --crl crl.pem",
        "--leaf-only",
        "--leaf-only --revocation ignore",
    ] {
        judge(unusable, 2);
    }
}

/// A list that is lost without a word would let a revoked certificate in.
#[test]
fn what_a_file_holds_is_read_or_refused_and_never_lost() {
    let dir = authority("ecdsa");
    let dir = dir.path();
    run(dir, "ca crl .", 0);
    run(dir, "ca init other", 0);
    run(dir, "ca crl other", 0);
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    let write = |name: &str, text: String| std::fs::write(dir.join(name), text).unwrap();
    let (ours, others) = (read("crl.pem"), read("other/crl.pem"));
    for (name, text, code) in [
        ("good.crl", format!("{others}{ours}"), 1),
        ("bom.crl", format!("\u{feff}{ours}{others}"), 1),
        ("boms.crl", format!("\u{feff}{others}\u{feff}{ours}"), 1),
        ("crlf.crl", format!("{others}{ours}").replace('\n', "\r\n"), 1),
        ("glued.crl", format!("{}{ours}", others.trim_end()), 2),
        ("damaged.crl", format!("{}{ours}", others.replacen("\nM", "\n%%M", 1)), 2),
        ("label.crl", format!("{others}{}", ours.replace("X509 CRL", "X.509 CRL")), 2),
        ("dashes.crl", format!("{others}{}", ours.replacen("-----BEGIN", "----BEGIN", 1)), 2),
    ] {
        write(name, text);
        let judged = clasp(dir, &format!("verify bad.test.pem --ca root.pem --crl {name}"));
        let words = String::from_utf8_lossy(&judged.stderr);
        assert_eq!(judged.status.code(), Some(code), "{name}: {words}");
        assert_eq!(words.contains("line "), code == 2, "{name}: {words}");
    }
    let (root, chain) = (read("root.pem"), read("good.test.pem"));
    for (name, text, code) in [
        ("bom.pem", format!("\u{feff}{root}"), 0),
        ("label.pem", root.replace("CERTIFICATE", "X509 CERTIFICATE"), 0),
        ("trusted.pem", root.replace("CERTIFICATE", "TRUSTED CERTIFICATE"), 0),
        ("glued.pem", format!("{}{root}", read("other/root.pem").trim_end()), 2),
        ("list-beside.pem", format!("{root}{ours}"), 2),
        ("list.pem", format!("{root}{ours}").replace("CERTIFICATE", "CERTIFICAT"), 2),
    ] {
        write(name, text);
        run(dir, &format!("verify good.test.pem --ca {name}"), code);
    }
    // A list beside a chain would be passed over, and what it revokes accepted.
    write("chain-list.pem", format!("{}{ours}", read("bad.test.pem")));
    run(dir, "verify bad.test.pem --ca root.pem", 0);
    let refused = clasp(dir, "verify chain-list.pem --ca root.pem");
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--crl FILE"));
    // Nor does one count that stands where it is not looked for.
    write("both.pem", format!("{ours}-----BEGIN OCSP RESPONSE-----\nMAMKAQM=\n-----END OCSP RESPONSE-----\n"));
    for (line, option) in [("--crl both.pem", "--ocsp FILE"), ("--ocsp both.pem", "--crl FILE")] {
        let refused = clasp(dir, &format!("verify good.test.pem --ca root.pem {line}"));
        let words = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(2) && words.contains(option), "{words}");
    }
    // What cannot be read beside a chain that holds is no part of it, and is said.
    write("beside.pem", format!("{}{}", read("good.test.pem"), ours.replace("X509 CRL", "CERTIFICATE")));
    let text = run(dir, "verify beside.pem --ca root.pem", 0);
    assert!(text.contains("cannot be read, and is passed over"), "{text}");
    for (name, text, code, sheets) in [
        ("chain-bom.pem", format!("\u{feff}{chain}"), 0, 2),
        ("chain-trusted.pem", chain.replacen("CERTIFICATE", "TRUSTED CERTIFICATE", 2), 0, 2),
        ("chain-glued.pem", chain.replacen("-----\n-----BEGIN", "----------BEGIN", 1), 1, 0),
        ("chain-damaged.pem", chain.replacen("\n-----END", "%\n-----END", 1) + "-----BEGIN X-----", 1, 0),
    ] {
        write(name, text);
        let text = run(dir, &format!("inspect {name}"), code);
        let count = text.lines().filter(|line| *line == "Certificate").count();
        assert!(count == sheets || (code == 1 && count < 2), "{name}: {text}");
    }
}

#[test]
fn inspect_names_what_it_cannot_read_and_says_so_by_its_exit_code() {
    let dir = authority("ecdsa");
    let dir = dir.path();
    let read = |name: &str| std::fs::read(dir.join(name)).unwrap();
    let pem = |label: &str, der: &[u8]| {
        use base64::Engine;
        let text = base64::prelude::BASE64_STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    };
    // keyUsage of three bytes.
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["odd.test".into()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::OrganizationName, "Acme, CN=evil");
    params.distinguished_name.push(rcgen::DnType::OrganizationalUnitName, "x".repeat(300));
    let plain = params.self_signed(&key).unwrap();
    std::fs::write(dir.join("plain.der"), plain.der()).unwrap();
    let text = run(dir, "inspect plain.der", 0);
    assert!(text.contains(r#"O="Acme, CN=evil""#) && text.contains(&"x".repeat(300)), "{text}");
    let json: Value = serde_json::from_str(&run(dir, "inspect plain.der --json", 0)).unwrap();
    assert!(json["subject"].as_str().unwrap().contains(r#"O="Acme, CN=evil""#), "{json}");

    params
        .custom_extensions
        .push(rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 15], vec![3, 4, 7, 128, 0, 128]));
    let odd = params.self_signed(&key).unwrap();
    std::fs::write(dir.join("odd.der"), odd.der()).unwrap();
    std::fs::write(dir.join("odd.pem"), pem("CERTIFICATE", odd.der())).unwrap();
    for file in ["odd.der", "odd.pem"] {
        let text = run(dir, &format!("inspect {file}"), 1);
        let words = ["Unreadable", "keyUsage", "at byte", "Acme"];
        assert!(words.iter().all(|word| text.contains(word)), "{file}: {text}");
    }
    let busy = [0x30, 3, 10, 1, 3];
    std::fs::write(dir.join("busy.ocsp"), busy).unwrap();
    assert!(run(dir, "inspect busy.ocsp", 0).contains("tryLater"));
    std::fs::write(
        dir.join("x25519.pem"),
        pem("PUBLIC KEY", &[&[0x30, 42, 0x30, 5, 6, 3, 0x2b, 0x65, 110, 3, 33, 0][..], &[9; 32]].concat()),
    )
    .unwrap();
    assert!(run(dir, "inspect x25519.pem", 0).contains("X25519"));
    std::fs::write(
        dir.join("dh.der"),
        [&[0x30, 0x81, 138, 2, 0x81, 129, 0][..], &[0xff; 128], &[2, 1, 2, 2, 1, 9]].concat(),
    )
    .unwrap();
    let group = run(dir, "inspect dh.der", 0);
    assert!(group.contains("Diffie-Hellman group of 1024 bits") && !group.contains("RSA"), "{group}");
    for (file, bytes) in [
        ("label.pem", pem("WHATEVER", &[0x30, 0])),
        ("half.pem", String::from_utf8(read("root.pem")).unwrap().replace("-----END", "----END")),
    ] {
        std::fs::write(dir.join(file), bytes).unwrap();
        run(dir, &format!("inspect {file}"), 1);
    }
    let chain = String::from_utf8(read("good.test.pem")).unwrap();
    std::fs::write(dir.join("bad-root.pem"), format!("{chain}{}", pem("CERTIFICATE", odd.der()))).unwrap();
    let refused = clasp(dir, "verify good.test.pem --ca bad-root.pem");
    let words = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(2) && words.contains("root 3, in line"), "{words}");
}

/// The keys in `data/` are made for this and of no worth.
#[test]
fn serve_says_what_is_wrong_with_a_key() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for (name, words) in [
        ("rsa-1024", &["RSA 1024", "2048"][..]),
        ("explicit-curve", &["a curve by explicit parameters", "RFC 5480 2.1.1"]),
    ] {
        let refused = clasp(&data, &format!("serve --listen 127.0.0.1:0 --cert {name}.pem --key {name}.key"));
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{name}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{name}: {said}");
    }
    assert!(run(&data, "inspect rsa-pss.pem", 0).contains("RSA 2048 for PSS alone"));
    assert!(run(&data, "inspect explicit-curve.pem", 0).contains("a curve by explicit parameters"));
}

/// One's own authority, as plain commands make it, is taken; by the rules of the public web it is refused, and then the way out is
/// said, and only where it is one.
#[test]
fn what_the_rules_of_the_web_alone_refuse_is_told_the_way_out() {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut root = CertificateParams::new([]).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_key = KeyPair::generate().unwrap();
    std::fs::write(dir.join("ca.pem"), root.self_signed(&root_key).unwrap().pem()).unwrap();
    let mut leaf = CertificateParams::new(["a.test".to_string()]).unwrap();
    leaf.use_authority_key_identifier_extension = true;
    let leaf = leaf.signed_by(&KeyPair::generate().unwrap(), &Issuer::new(root, root_key)).unwrap();
    std::fs::write(dir.join("leaf.pem"), leaf.pem()).unwrap();
    for (arguments, code, hint) in [
        ("--name a.test", 0, false),
        ("--name a.test --profile web-pki", 1, true),
        ("--name a.test --profile rfc5280", 0, false),
        ("--name b.test --profile web-pki", 1, false),
        ("--name b.test", 1, false),
        ("--name a.test --profile web-pki --time 1971-01-01T00:00:00Z", 1, false),
    ] {
        let judged = clasp(dir, &format!("verify leaf.pem --ca ca.pem {arguments}"));
        let words = String::from_utf8_lossy(&judged.stderr);
        assert_eq!(judged.status.code(), Some(code), "{arguments}: {words}");
        assert_eq!(words.contains("--profile rfc5280"), hint, "{arguments}: {words}");
    }
}
