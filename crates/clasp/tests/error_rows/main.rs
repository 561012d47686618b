//! The tables of errors: each row says all it must, is built somewhere, and is reached by a test.
#![cfg(all(feature = "legacy", feature = "compression"))]
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../flights/mod.rs"]
mod flights;
mod outside;
mod reached;

use clasp::Error;
use clasp::error::{Cause, CertificateError, DecodeError, DecodeKind, Misuse, Outside, PeerError, RecordError};
use clasp::wire::code::AlertDescription as Alert;
use std::fs;
use std::path::Path;

/// One row of a table.
struct Row {
    name: String,
    source: &'static str,
    error: Error,
    alert: Alert,
}

/// `Family::Variant`.
fn name(cause: &Cause) -> String {
    let (family, row) = match cause {
        Cause::Decode(e) => ("DecodeKind", format!("{:?}", e.kind)),
        Cause::Record(e) => ("RecordError", format!("{e:?}")),
        Cause::Peer(e) => ("PeerError", format!("{e:?}")),
        Cause::Certificate(e) => ("CertificateError", format!("{e:?}")),
        Cause::Misuse(e) => ("Misuse", format!("{e:?}")),
        Cause::Outside(e) => ("Outside", format!("{e:?}")),
        other => panic!("{other:?} is of no table"),
    };
    format!("{family}::{}", row.split('(').next().unwrap())
}

fn rows() -> Vec<Row> {
    macro_rules! rows {
        ($($family:ident: $error:expr),+ $(,)?) => {
            [$($family::ALL.iter().map(|row| {
                let error = $error(*row);
                Row { name: name(error.cause()), source: row.source(), error, alert: row.alert() }
            }).collect::<Vec<_>>()),+]
        };
    }
    let decode = |kind| Error::from(DecodeError { what: "a field", kind, offset: 7 });
    let tables = rows![
        DecodeKind: decode,
        RecordError: Error::from,
        PeerError: Error::from,
        CertificateError: Error::from,
        Misuse: Error::from,
        Outside: Error::from,
    ];
    tables.into_iter().flatten().collect()
}

#[test]
fn every_row_has_an_alert_a_source_and_words() {
    let rows = rows();
    assert!(rows.len() > 140, "{} rows", rows.len());
    for Row { name, source, error, alert } in rows {
        let words = error.to_string();
        assert!(words.len() > 8 && !words.contains(['{', '}']), "{name}: {words}");
        assert!(source.len() > 2, "{name} has no source");
        assert_eq!(error.alert(), alert, "{name}");
        assert!(alert.is_known(), "{name}: {alert}");
    }
}

/// The code of the files below a folder: no comments, and tests or no tests.
fn code(folder: &Path, tests: bool) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&code(&path, tests));
            continue;
        }
        // This file has the names of rows that are not there.
        if path.extension().is_none_or(|e| e != "rs") || path.ends_with("error_rows/main.rs") {
            continue;
        }
        // Behind `#[cfg(test)]` stands an item, which ends with a brace where it began or with a semicolon.
        let whole = path.ends_with("tests.rs") && tests;
        let mut of_tests: Option<String> = None;
        for line in fs::read_to_string(&path).unwrap().lines() {
            let indent = line.len() - line.trim_start().len();
            if line.trim() == "#[cfg(test)]" {
                of_tests = Some(format!("{}}}", " ".repeat(indent)));
            }
            if !line.trim_start().starts_with("//") && (whole || of_tests.is_some() == tests) {
                text.push_str(line);
                text.push('\n');
            }
            let is_item = !line.trim_start().starts_with("#[");
            if of_tests
                .as_ref()
                .is_some_and(|end| line == end || is_item && line.ends_with(';') && end.len() == indent + 1)
            {
                of_tests = None;
            }
        }
    }
    text
}

#[test]
fn rows_are_reached_by_what_peers_callers_and_parties_outside_do() {
    let peers = [
        reached::hellos(),
        reached::hidden(),
        reached::keys(),
        reached::answers(),
        reached::legacy(),
        reached::resumed(),
    ];
    let others = [reached::records(), reached::calls(), reached::outside()];
    for (row, error) in peers.into_iter().chain(others).flatten() {
        assert_eq!(name(error.cause()), name(&row), "{error}");
    }
}

/// Rows that no test names. The list gets shorter.
const UNREACHED: &[&str] = &[
    // Each is a reason of clasp-x509, whose own tests come to it.
    "CertificateError::BadForm",
    "CertificateError::Constraint",
    "CertificateError::NameConstraint",
    "CertificateError::Policy",
    "CertificateError::TooCostly",
    // An invariant of ours does not hold.
    "Outside::Bug",
];

#[test]
fn every_row_is_named_by_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = code(&root.join("src"), true)
        + &code(&root.join("tests"), false)
        + &code(&root.join("../clasp-tokio/tests"), false);
    let tests = tests.replace("clasp::error::", "");
    let unnamed: Vec<_> = rows().into_iter().map(|row| row.name).filter(|name| !is_named(&tests, name)).collect();
    assert_eq!(unnamed, UNREACHED, "rows that no test names");
}

fn is_named(code: &str, name: &str) -> bool {
    let is_longer = |behind: &str| behind.starts_with(|c: char| c.is_alphanumeric());
    code.match_indices(name).any(|(at, _)| !is_longer(&code[at + name.len()..]))
}

/// Whether a row is named somewhere, other than to recognize it.
fn is_built(code: &str, name: &str) -> bool {
    code.lines().any(|line| {
        line.match_indices(name).any(|(at, _)| {
            let (before, behind) = (&line[..at], &line[at + name.len()..]);
            let is_longer = behind.starts_with(|c: char| c.is_alphanumeric());
            let is_pattern = before.rfind("Cause::").is_some_and(|cause| !before[cause..].contains(')'))
                || behind.contains("=>")
                || before.ends_with("== ");
            !is_longer && !is_pattern
        })
    })
}

#[test]
fn every_row_is_built() {
    let code = code(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), false);
    let outside = outside::ROWS.iter().map(|row| format!("Outside::{row:?}")).collect::<Vec<_>>();
    let unbuilt: Vec<_> = rows().into_iter().map(|row| row.name).filter(|name| !is_built(&code, name)).collect();
    assert_eq!(unbuilt, outside, "rows that nothing builds");
}

#[test]
fn what_recognizes_a_row_does_not_build_it() {
    for line in [
        "if error.cause() == &Cause::Peer(PeerError::Truncated) {",
        "matches!(e, Cause::Peer(PeerError::BadBinder | PeerError::Truncated))",
        "PeerError::Truncated => 7,",
        "Err(PeerError::TruncatedMore.into())",
    ] {
        assert!(!is_built(line, "PeerError::Truncated"), "{line}");
    }
    assert!(is_built("return Err(PeerError::Truncated.into());", "PeerError::Truncated"));
}
