//! `clasp ca`, as a user runs it.
#![allow(clippy::unwrap_used)]

mod common;

use common::{clasp, refuses, text};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::path::Path;
use std::thread;

fn authority(folder: &Path) -> String {
    let ca = folder.join("ca").to_str().unwrap().to_string();
    assert!(clasp(&["ca", "init", &ca]).status.success());
    ca
}

fn list(ca: &str) -> Vec<serde_json::Value> {
    serde_json::from_slice(&clasp(&["ca", "list", ca, "--json"]).stdout).unwrap()
}

/// What is not in the index can never be revoked.
#[test]
fn certificates_issued_at_once_are_all_in_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let ca = authority(folder.path());
    let names: Vec<String> = (0..12).map(|n| format!("n{n}.test")).collect();
    thread::scope(|scope| {
        for name in &names {
            let ca = &ca;
            scope.spawn(move || assert!(clasp(&["ca", "issue", ca, name]).status.success()));
        }
    });
    assert_eq!(list(&ca).len(), names.len());
    thread::scope(|scope| {
        for name in &names {
            let ca = &ca;
            scope.spawn(move || assert!(clasp(&["ca", "revoke", ca, &format!("{name}.pem")]).status.success()));
        }
    });
    assert!(list(&ca).iter().all(|e| !e["revoked"].is_null()));
}

#[test]
fn two_who_begin_at_once_make_one_authority() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca").to_str().unwrap().to_string();
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert!(clasp(&["ca", "init", &ca]).status.success()));
        }
    });
    assert!(clasp(&["ca", "issue", &ca, "a.test"]).status.success());
}

#[test]
fn impossible_names_are_refused_and_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let ca = authority(folder.path());
    let long = format!("{}.test", "a".repeat(64));
    for name in ["*", "has space", "https://x.test", &long, "bücher.test", "256.1.1.1", "a.test:443", ""] {
        refuses(&clasp(&["ca", "issue", &ca, "good.test", name]), 2, "no client would take");
    }
    assert!(list(&ca).is_empty());
    let find = |name: &str| Path::new(&ca).join(name).exists();
    assert!(!find("good.test.pem") && !find("good.test-key.pem"));
    let issued = clasp(&["ca", "issue", &ca, "[::1]", "dot.test.", "DOT.test"]);
    assert!(issued.status.success(), "{}", text(&issued.stderr));
    assert_eq!(list(&ca)[0]["names"], serde_json::json!(["::1", "dot.test"]));
    let (chain, root) = (format!("{ca}/__1.pem"), format!("{ca}/root.pem"));
    for name in ["::1", "dot.test"] {
        let judged = clasp(&["verify", &chain, "--ca", &root, "--name", name, "--profile", "rfc5280"]);
        assert!(judged.status.success(), "{name}: {}{}", text(&judged.stdout), text(&judged.stderr));
    }
    let longest = format!("{}.{}.test", "a".repeat(63), "b".repeat(63));
    assert!(clasp(&["ca", "issue", &ca, &longest]).status.success());
    let judged = clasp(&["verify", &format!("{ca}/{longest}.pem"), "--ca", &root, "--name", &longest]);
    assert!(judged.status.success(), "{}{}", text(&judged.stdout), text(&judged.stderr));
}

#[test]
fn no_name_is_that_of_a_file_of_the_authority() {
    let folder = tempfile::tempdir().unwrap();
    let ca = authority(folder.path());
    for name in ["crl", "CRL", "root", "root-key", "intermediate", "intermediate-key"] {
        let issued = clasp(&["ca", "issue", &ca, name]);
        let said = text(&issued.stdout);
        // The two spellings of one name are one.
        assert_eq!(issued.status.success(), name != "CRL", "{}", text(&issued.stderr));
        assert!(said.is_empty() || said.contains(&format!("{name}-leaf.pem")), "{said}");
    }
    let leaf = std::fs::read(format!("{ca}/crl-leaf.pem")).unwrap();
    assert!(clasp(&["ca", "crl", &ca]).status.success() && clasp(&["ca", "crl", &ca]).status.success());
    assert_eq!(std::fs::read(format!("{ca}/crl-leaf.pem")).unwrap(), leaf);
    // A directory of before: its leaf is not overwritten.
    let index = std::fs::read_to_string(format!("{ca}/index.json")).unwrap().replace("crl-leaf.pem", "crl.pem");
    std::fs::write(format!("{ca}/index.json"), index).unwrap();
    refuses(&clasp(&["ca", "crl", &ca]), 2, "is a certificate and is not overwritten");
}

#[test]
fn an_authority_that_is_there_takes_no_options() {
    let folder = tempfile::tempdir().unwrap();
    let ca = authority(folder.path());
    assert!(clasp(&["ca", "init", &ca]).status.success());
    for more in [&["--intermediate"][..], &["--name", "x"], &["--key", "rsa"], &["--days", "9"]] {
        refuses(&clasp(&[&["ca", "init", &ca], more].concat()), 2, more[0]);
    }
    let other = folder.path().join("other").to_str().unwrap().to_string();
    refuses(&clasp(&["ca", "init", &other, "--name", &"x".repeat(65)]), 2, "common name");
    // A certificate ends with its authority.
    let short = folder.path().join("short").to_str().unwrap().to_string();
    assert!(clasp(&["ca", "init", &short, "--days", "3"]).status.success());
    assert!(clasp(&["ca", "issue", &short, "a.test", "--days", "397"]).status.success());
    let judged = clasp(&["verify", &format!("{short}/a.test.pem"), "--ca", &format!("{short}/root.pem"), "--json"]);
    assert!(judged.status.success(), "{}", text(&judged.stdout));
    assert_eq!(end(&format!("{short}/a.test.pem")), end(&format!("{short}/root.pem")));
}

/// When a file's first certificate ends.
/// No certificate outlives its issuer, and whoever asked for more days hears of it.
#[test]
fn days_beyond_the_issuers_end_are_not_cut_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca").to_str().unwrap().to_owned();
    assert!(clasp(&["ca", "init", &ca, "--days", "100"]).status.success());
    let long = clasp(&["ca", "issue", &ca, "long.test", "--days", "200"]);
    assert!(long.status.success() && text(&long.stderr).contains("as its issuer does"), "{}", text(&long.stderr));
    let short = clasp(&["ca", "issue", &ca, "short.test", "--days", "50"]);
    assert!(short.status.success() && short.stderr.is_empty(), "{}", text(&short.stderr));
    assert_eq!(end(&format!("{ca}/long.test.pem")), end(&format!("{ca}/root.pem")));
}

fn end(path: &str) -> i64 {
    let der = CertificateDer::from_pem_file(path).unwrap();
    clasp_x509::Certificate::parse(&der).unwrap().not_after()
}

#[test]
fn what_a_crash_left_is_no_authority_and_nothing_is_issued_or_forgotten_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join("ca").join(name);
    let ca = folder.path().join("ca").to_str().unwrap().to_string();
    // A key alone: the next one makes an authority, and keeps the key.
    std::fs::create_dir(&ca).unwrap();
    std::fs::write(path("root-key.pem"), "a key of before").unwrap();
    let made = clasp(&["ca", "init", &ca, "--intermediate"]);
    assert!(made.status.success() && text(&made.stderr).contains("never finished"), "{}", text(&made.stderr));
    assert_eq!(std::fs::read_to_string(path("unfinished-1-root-key.pem")).unwrap(), "a key of before");
    // Without its intermediate the root does not sign in its place.
    std::fs::rename(path("intermediate.pem"), path("elsewhere.pem")).unwrap();
    refuses(&clasp(&["ca", "issue", &ca, "a.test"]), 2, "intermediate.pem is not there");
    refuses(&clasp(&["ca", "crl", &ca]), 2, "intermediate.pem is not there");
    std::fs::rename(path("elsewhere.pem"), path("intermediate.pem")).unwrap();
    // Without its index nobody can say what is revoked.
    assert!(clasp(&["ca", "issue", &ca, "a.test"]).status.success());
    assert!(clasp(&["ca", "revoke", &ca, "a.test.pem"]).status.success());
    let index = std::fs::read_to_string(path("index.json")).unwrap();
    for other in [index.replacen("\"revoked\"", "\"revokd\"", 1), index.replacen("\"revoked\"", "\"names\"", 1)] {
        assert_ne!(other, index);
        std::fs::write(path("index.json"), other).unwrap();
        refuses(&clasp(&["ca", "crl", &ca]), 2, "index.json");
    }
    std::fs::remove_file(path("index.json")).unwrap();
    refuses(&clasp(&["ca", "crl", &ca]), 2, "what this authority has issued and revoked is not there");
    assert!(!path("crl.pem").exists());
}
