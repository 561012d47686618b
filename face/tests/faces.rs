//! The public face of each published library, against `api/*.txt`; and what of it cannot grow, by name.
//!
//! A change that is meant is taken over by `CLASP_FACE=write cargo test --workspace --test faces`; what it does to those who
//! depend on the crate is for RELEASING.md to say.

#![allow(clippy::unwrap_used, clippy::panic)]

use clasp_face::Face;
use std::path::{Path, PathBuf};

const CRATES: [&str; 8] =
    ["clasp", "clasp-x509", "clasp-tokio", "clasp-hyper", "clasp-axum", "clasp-tonic", "clasp-postgres", "clasp-quinn"];

fn face(name: &str) -> Face {
    Face::read(&root().join("../crates").join(name), &name.replace('-', "_"))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn faces_are_those_of_the_snapshots() {
    let mut changed = Vec::new();
    for name in CRATES {
        let (text, path) = (face(name).text(), root().join("api").join(format!("{name}.txt")));
        if std::env::var("CLASP_FACE").is_ok_and(|v| v == "write") {
            std::fs::write(&path, &text).unwrap();
            continue;
        }
        changed.extend(differences(&std::fs::read_to_string(&path).unwrap_or_default(), &text, &path));
    }
    assert!(
        changed.is_empty(),
        "the public face has changed; if that is meant: CLASP_FACE=write cargo test --workspace --test faces\n{}",
        changed.join("\n")
    );
}

/// Lines that only one has, under the item they stand at.
fn differences(old: &str, new: &str, path: &Path) -> Vec<String> {
    let lines = |text: &str| {
        let mut item = String::new();
        let mut all = std::collections::BTreeSet::new();
        for line in text.lines() {
            if line.starts_with(' ') {
                all.insert(format!("{item}: {}", line.trim()));
            } else {
                line.clone_into(&mut item);
                all.insert(item.clone());
            }
        }
        all
    };
    let (old, new) = (lines(old), lines(new));
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let gone = old.difference(&new).map(|line| format!("- {name}: {line}"));
    let come = new.difference(&old).map(|line| format!("+ {name}: {line}"));
    gone.chain(come).collect()
}

/// What is neither `#[non_exhaustive]` nor has a private field, and why that is meant: to be one more variant or field is
/// then a breaking change.
const CLOSED: &[(&str, &str)] = &[
    ("clasp::Moved", "two counts: what was taken, and what came of it"),
    ("clasp::error::DecodeError", "what was read, what is wrong with it, and where"),
    ("clasp::EarlyData", "there was none, or it was taken, or it was not"),
    ("clasp::trace::Level", "the four of TLS 1.3"),
    ("clasp::hpke::Suite", "made by callers: a KEM, a KDF and an AEAD, as RFC 9180 7 has them"),
    ("clasp::quic::DirectionKeys", "what RFC 9001 5 protects: payloads and headers"),
    ("clasp::quic::Keys", "two directions"),
    ("clasp::quic::Level", "the four of RFC 9001 2.1"),
    ("clasp::quic::NextKeys", "two directions"),
    ("clasp::quic::Side", "who began, and who was asked"),
    ("clasp_x509::CertStatus", "the three of RFC 6960 2.2"),
    ("clasp_x509::Proof", "whether a signature holds: yes, no, or nobody looked"),
    ("clasp_x509::RevocationReason", "a number and no more"),
    ("clasp_x509::Standing", "what is not known to be good or revoked is unknown"),
    ("clasp::Answer", "now or later: there is no third, and whoever waits has to do both"),
    ("clasp::crypto::CbcId", "made by callers: a key's length and a hash are all that a suite says"),
    ("clasp::crypto::Provider", "made by whoever brings a library: a field more is a question that he has to answer"),
    ("clasp::crypto::Use", "two directions"),
    ("clasp::session::Opened", "made by whoever seals tickets"),
    ("clasp::session::PeerKey", "a value and no more, made by callers"),
    ("clasp::code::Direction", "two directions"),
    ("clasp_x509::Moment", "a value and no more"),
    ("clasp_x509::Name", "a value and no more"),
    ("clasp_x509::Oid", "a value and no more"),
    ("clasp_x509::Revocation", "made by callers, with `..Revocation::default()` for what they have not"),
    ("clasp_x509::PolicyInputs", "made by callers: the inputs of RFC 5280 6.1.1, which are what they are"),
];

#[test]
fn what_can_grow_says_so() {
    let closed: std::collections::BTreeSet<_> = CRATES.iter().flat_map(|name| face(name).closed).collect();
    let meant: std::collections::BTreeSet<_> = CLOSED.iter().map(|(name, _)| (*name).to_owned()).collect();
    let new: Vec<_> = closed.difference(&meant).collect();
    assert!(new.is_empty(), "#[non_exhaustive], or a row in CLOSED with a reason: {new:#?}");
    let old: Vec<_> = meant.difference(&closed).collect();
    assert!(old.is_empty(), "no longer closed, or gone: {old:#?}");
}

/// Each of Clasp's names on the page for those who come from rustls is one that there is.
#[test]
fn the_names_on_the_page_from_rustls_are_there() {
    let faces: String = CRATES.iter().map(|name| face(name).text()).collect();
    let items: Vec<(&str, Vec<&str>)> = faces.lines().fold(Vec::new(), |mut all, line| {
        match line.strip_prefix("    ") {
            None => all.push((line, Vec::new())),
            Some(line) => all.last_mut().unwrap().1.push(line.trim()),
        }
        all
    });
    // A name that stands at several paths has its lines at one of them.
    let last = |path: &str| path.rsplit("::").next().unwrap().to_owned();
    let has = |item: &str, member: &str| {
        let of = items
            .iter()
            .filter(|(path, _)| last(path) == last(item) || path.contains(": macro "))
            .flat_map(|(_, lines)| lines);
        let heads = [format!("fn {member}("), format!("fn {member}<"), format!("{member}: ")];
        of.clone().any(|line| heads.iter().any(|head| line.contains(head)) || *line == member)
    };
    let page = std::fs::read_to_string(root().join("../docs/from-rustls.md")).unwrap();
    let mut names = 0;
    for row in page.lines().filter(|line| line.starts_with("| ")) {
        let ours = row.split('|').nth(2).unwrap();
        for name in ours.split('`').filter(|name| name.starts_with("clasp")) {
            names += 1;
            let known = |path: &str| items.iter().any(|(item, _)| *item == path);
            let member = name.rsplit_once("::").is_some_and(|(item, member)| known(item) && has(item, member));
            assert!(known(name) || member, "{name}: there is no such name, in {row}");
        }
    }
    assert!(names > 60, "{names} names");
}

/// What a source includes is in the package: a build from the workspace would not miss it.
#[test]
fn packages_have_what_their_sources_include() {
    let mut seen = 0;
    for name in CRATES.iter().chain(&["clasp-cli"]) {
        let folder = root().join("../crates").join(name);
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let packed = manifest
            .lines()
            .find(|line| line.starts_with("include = "))
            .unwrap_or_else(|| panic!("{name}: no include"));
        for (path, text) in sources(&folder.join("src")) {
            for included in text.split("include_str!(\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
                let file = std::fs::canonicalize(path.parent().unwrap().join(included)).unwrap();
                let inside = file.strip_prefix(std::fs::canonicalize(&folder).unwrap()).expect("in its own crate");
                let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
                assert!(packed.contains(&format!("\"/{first}\"")), "{name}: {included} is not in {packed}");
                seen += 1;
            }
        }
    }
    assert!(seen > 8, "{seen} files");
}

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            out.push((path, text));
        }
    }
    out
}
