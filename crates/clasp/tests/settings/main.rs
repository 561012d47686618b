//! Each setting of each builder is shown to change what goes over the wire, the verdict or the words: one row a setting, and
//! a setting without a row fails. Settings that cannot stand together are in `clashes.rs`.
//!
//! A row is a pair of builders and one change to one of them. What [`look`] sees of two connections, one after the
//! other, must be the same twice without the change, and something else with it.
#![allow(clippy::unwrap_used)]
#![cfg(all(feature = "legacy", feature = "compression"))]

mod look;
mod own;
mod rows;

use rows::Row;
use std::collections::BTreeSet;

/// The sources of the builders, and the types in them whose methods are settings.
const SOURCES: &[(&str, &[&str])] = &[
    (include_str!("../../src/config/client.rs"), &["ClientBuilder", "ClientConfig"]),
    (include_str!("../../src/config/ech.rs"), &["ClientBuilder", "ClientConfig"]),
    (include_str!("../../src/config/server.rs"), &["ServerBuilder", "ServerConfig"]),
    (include_str!("../../src/config/policy.rs"), &["Policy"]),
    (include_str!("../../src/config/verifier.rs"), &["WebPki"]),
    (include_str!("../../src/config/identity.rs"), &["Identity"]),
    (include_str!("../../../clasp-x509/src/roots.rs"), &["Roots"]),
    (include_str!("../../src/exchange/limits.rs"), &["TimeLimits"]),
    (include_str!("../../src/stream/blocking.rs"), &["Stream"]),
];

/// The settings that both sides have: written once, by a macro.
const COMMON: &str = include_str!("../../src/config/settings.rs");

/// What the macro writes for a side.
fn common(side: &str) -> String {
    let names = [
        ("$builder", format!("{side}Builder")),
        ("$config", format!("{side}Config")),
        ("$crate::error::", String::new()),
    ];
    names.iter().fold(COMMON.replace("\n        ", "\n"), |text, (from, to)| text.replace(from, to))
}

/// The settings in a source: what takes a value of its type and gives one back, changed; or changes it where it stands.
fn settings(source: &str, types: &[&'static str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut of = None;
    let mut rest = source.split("\n#[cfg(test)]").next().unwrap();
    while let Some((line, behind)) = rest.split_once('\n') {
        if let Some(header) = line.strip_prefix("impl") {
            of = types.iter().find(|t| header.split(['<', ' ']).any(|word| word == **t) && !header.contains(" for "));
        }
        if let (Some(typ), Some(function)) = (of, line.trim_start().strip_prefix("pub fn ")) {
            // On one line, as short ones are.
            let signature =
                rest.split('{').next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(");
            let name = function.split(['(', '<']).next().unwrap();
            let own = ["(self", "(mut self", " mut self,"].iter().any(|by| signature.contains(by));
            let gives = ["-> Self", "-> Result<Self>", "Builder<Ready>"].iter().any(|end| signature.contains(end));
            // Roots are not built by what they give back.
            let changes = *typ == "Roots" && signature.contains("(&mut self");
            if own && gives || changes {
                found.insert(format!("{typ}::{name}"));
            }
        }
        rest = behind;
    }
    found
}

#[test]
fn every_setting_has_a_row_and_every_row_a_setting() {
    let mut found: BTreeSet<String> = SOURCES.iter().flat_map(|(source, types)| settings(source, types)).collect();
    for (side, types) in [("Client", ["ClientBuilder", "ClientConfig"]), ("Server", ["ServerBuilder", "ServerConfig"])]
    {
        let both = settings(&common(side), &types);
        assert!(both.len() > 12, "{both:?}");
        found.extend(both);
    }
    let rows: BTreeSet<String> = rows::all().iter().map(|row| row.setting.to_owned()).collect();
    let without: Vec<_> = found.difference(&rows).collect();
    assert!(
        without.is_empty(),
        "settings that nothing shows to have an effect: {without:?}; add rows to rows.rs or own.rs"
    );
    let stale: Vec<_> = rows.difference(&found).collect();
    assert!(stale.is_empty(), "rows of settings that are not there: {stale:?}");
    assert!(found.len() > 80, "{found:?}");
}

#[test]
fn every_setting_changes_what_can_be_seen() {
    let mut wrong = Vec::new();
    for Row { setting, without, with } in rows::all() {
        let (before, again, after) = (without(), without(), with());
        if let Some((line, other)) = before.lines().zip(again.lines()).find(|(a, b)| a != b) {
            wrong.push(format!("{setting}: what is looked at changes by itself:\n  {line}\n  {other}"));
        }
        if before == after {
            wrong.push(format!("{setting} changes nothing"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The order of the calls is that of the algorithms, and none takes another kind's place.
#[test]
fn built_in_compression_after_an_own_one_keeps_it() {
    use clasp::wire::code::CompressionAlgorithm as A;
    let (c, s) = rows::plain();
    let c = c.certificate_compression([A::Zstd]).certificate_compression_with(std::sync::Arc::new(own::Shrinking));
    let hello = look::look(c.certificate_compression([A::Zlib, A::Brotli]), s);
    let list = "  algorithms: 0xff01\n  algorithms: zlib\n  algorithms: brotli\n";
    assert!(hello.contains(list), "{list} in\n{hello}");
}

/// RFC 9846 4.2.9: without modes a server gives no tickets, and there is none to keep or to offer.
#[test]
fn a_client_of_tls13_that_takes_no_tickets_gets_none() {
    for change in [|c: rows::C| c.session_tickets(false), |c: rows::C| c.no_sessions()] {
        let (c, s) = rows::plain();
        let seen = look::look(change(c), s);
        assert!(!seen.contains("psk_key_exchange_modes"), "{seen}");
        assert!(!seen.contains("NewSessionTicket") && !seen.contains("resumed by"), "{seen}");
    }
}

/// ML-DSA is for TLS 1.3 alone (draft-ietf-tls-mldsa): a strict client refuses whoever asks for it in TLS 1.2.
#[test]
fn tls12_neither_offers_nor_asks_for_ml_dsa() {
    let identity = rows::issued().identity();
    let seen = look::look(rows::client().identity(identity).policy(rows::tls12()), rows::mutual().1);
    let hello = seen.split("Received CertificateRequest").collect::<Vec<_>>();
    let [hello, asked, ..] = hello[..] else { panic!("no CertificateRequest in\n{seen}") };
    for list in [hello, asked] {
        assert!(list.contains("  supported_signature_algorithms: ed25519\n"), "{seen}");
    }
    assert!(!seen.to_lowercase().contains("mldsa"), "{seen}");
}
