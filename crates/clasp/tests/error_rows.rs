//! The tables of errors: each row says all it must, is built somewhere, and is named by a test.
#![allow(clippy::unwrap_used)]

use clasp::config::{Admission, ClientHelloFacts, PresentedIdentity, Verified, Verifier};
use clasp::crypto::{Provider, Random, RandomError};
use clasp::error::{Cause, CertificateError, DecodeError, DecodeKind, Misuse, Outside, PeerError, RecordError};
use clasp::wire::code::AlertDescription as Alert;
use clasp::{Answer, ClientConfig, Error, Result, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// One row of a table.
struct Row {
    /// `Family::Variant`.
    name: String,
    source: &'static str,
    error: Error,
    alert: Alert,
}

fn rows() -> Vec<Row> {
    macro_rules! rows {
        ($($family:ident: $error:expr),+ $(,)?) => {
            [$($family::ALL.iter().map(|row| {
                let variant = format!("{row:?}");
                let name = format!("{}::{}", stringify!($family), variant.split('(').next().unwrap());
                Row { name, source: row.source(), error: $error(*row), alert: row.alert() }
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
        if path.extension().is_none_or(|e| e != "rs") {
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

/// Those that are there for parties outside, who alone know: each is given by one below.
const OF_PARTIES_OUTSIDE: [Outside; 2] = [Outside::VerifierFailed, Outside::ResolverRefused];

/// Sealing says of this that cryptography failed.
const UNBUILT: [Outside; 1] = [Outside::SequenceExhausted];

#[test]
fn every_row_is_built() {
    let code = code(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), false);
    let outside = OF_PARTIES_OUTSIDE.iter().chain(&UNBUILT).map(|row| format!("Outside::{row:?}")).collect::<Vec<_>>();
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

/// Says no to everybody.
struct Says(Error);

impl Admission for Says {
    fn admit<'a>(&'a self, _: &'a ClientHelloFacts) -> Answer<'a, Result<()>> {
        Answer::Now(Err(self.0.clone()))
    }
}

impl Verifier for Says {
    fn verify<'a>(&'a self, _: &'a PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        Answer::Now(Err(self.0.clone()))
    }
}

/// What a verifier or an admission says is what both ends hear: its cause at this one, its alert at the other.
#[test]
fn a_refusal_of_a_party_outside_is_told_with_its_own_alert() {
    let of_rows = OF_PARTIES_OUTSIDE.map(Error::from);
    let chosen = [Alert::AccessDenied, Alert::UnrecognizedName, Alert::InternalError].map(Error::refused);
    for said in of_rows.into_iter().chain(chosen) {
        let client = ClientConfig::builder().dangerous_trust_anyone().build().unwrap();
        let server = ServerConfig::builder().identity(authority().issue(KeyKind::P256, &["localhost"]).identity());
        let server = server.admission(Arc::new(Says(said.clone()))).build().unwrap();
        let mut pair = Pair::new(&client, &server);
        assert!(pair.drive().is_err());
        assert_eq!(pair.server.failure().unwrap().cause(), said.cause());
        assert_eq!(pair.client.failure().unwrap().peer_alert(), Some(said.alert()));

        let client = ClientConfig::builder().dangerous_verifier(Arc::new(Says(said.clone()))).build().unwrap();
        let server = ServerConfig::builder().identity(authority().issue(KeyKind::P256, &["localhost"]).identity());
        let mut pair = Pair::new(&client, &server.build().unwrap());
        assert!(pair.drive().is_err());
        assert_eq!(pair.client.failure().unwrap().cause(), said.cause());
        assert_eq!(pair.server.failure().unwrap().peer_alert(), Some(said.alert()));
    }
}

/// Gives random bytes so many times.
struct Runs(std::sync::atomic::AtomicUsize);

impl Random for Runs {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomError> {
        use std::sync::atomic::Ordering::Relaxed;
        let left = self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        left.map_err(|_| RandomError).and_then(|_| Provider::builtin().random.fill(out))
    }
}

/// Whatever needs randomness, and whenever it ends: the error says so, and the peer hears `internal_error`.
#[test]
fn a_system_without_randomness_is_an_error_of_its_own() {
    let providers = |times: usize| -> &'static Provider {
        let builtin = Provider::builtin();
        let random = Box::leak(Box::new(Runs(times.into())));
        Box::leak(Box::new(Provider { name: "runs out", random, ..Provider { ..*builtin } }))
    };
    for times in 0.. {
        let client = ClientConfig::builder().dangerous_trust_anyone().provider(providers(times)).build().unwrap();
        let server = ServerConfig::builder().identity(authority().issue(KeyKind::P256, &["localhost"]).identity());
        let server = server.provider(providers(times)).build().unwrap();
        let mut pair = Pair::new(&client, &server);
        let failed = pair.drive().and_then(|()| pair.client_sends(b"data")).and_then(|()| pair.drive());
        if failed.is_ok() {
            assert!(times > 2, "nothing asked for randomness");
            break;
        }
        let failed = pair.client.failure().filter(|e| e.peer_alert().is_none()).or(pair.server.failure()).unwrap();
        assert_eq!((failed.cause(), failed.alert()), (&Cause::Outside(Outside::RandomFailed), Alert::InternalError));
    }
}
