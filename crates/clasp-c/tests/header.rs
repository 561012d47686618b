//! `include/clasp.h` is what the sources say, and the shared library has its functions, no others. A change of the list is a change
//! of the ABI: what was there stays, or the number in build.rs, install.sh and the README goes up.
#![allow(clippy::unwrap_used, clippy::panic)]
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// In the order of the header.
const SOURCES: [&str; 10] =
    ["memory", "error", "roots", "identity", "settings", "client", "server", "link", "connection", "facts"];

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn generated() -> String {
    let config = cbindgen::Config::from_file(here().join("cbindgen.toml")).unwrap();
    let builder = SOURCES.iter().fold(cbindgen::Builder::new().with_config(config), |builder, name| {
        builder.with_src(here().join("src").join(name).with_extension("rs"))
    });
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    String::from_utf8(header).unwrap()
}

/// Compares a committed file with what it should be, or writes it.
fn compare(path: &str, wanted: &str) {
    let path = here().join(path);
    if std::env::var("CLASP_C_WRITE").is_ok() {
        std::fs::write(&path, wanted).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = committed.lines().zip(wanted.lines()).position(|(is, should)| is != should);
    let line = differs.unwrap_or_else(|| committed.lines().count().min(wanted.lines().count())) + 1;
    let hint = "CLASP_C_WRITE=1 cargo test --workspace --test header writes it";
    assert!(committed == wanted, "{} is another from line {line} on; {hint}", path.display());
}

#[test]
fn the_header_is_what_the_sources_say() {
    compare("include/clasp.h", &generated());
}

#[test]
fn the_library_has_the_functions_of_the_list_and_no_others() {
    // Beside the test: cargo builds it with it.
    let library = std::env::current_exe().unwrap().with_file_name("libclasp_c.so");
    let nm = Command::new("nm").args(["-D", "--defined-only"]).arg(&library).output().unwrap();
    assert!(nm.status.success(), "{nm:?}");
    let symbols: BTreeSet<String> = String::from_utf8(nm.stdout)
        .unwrap()
        .lines()
        .map(|line| line.split_whitespace().last().unwrap().to_owned())
        .collect();
    let list: String = symbols.iter().map(|name| format!("{name}\n")).collect();
    compare("tests/exports.txt", &list);
    // The header declares all of them; what else it has is its own.
    let header = generated();
    let word = |c: char| !c.is_alphanumeric() && c != '_';
    let declared: BTreeSet<String> = header
        .split('\n')
        .filter(|line| !line.trim_start().starts_with("//"))
        .filter_map(|line| Some(line.split_once('(')?.0.rsplit(word).next()?.to_owned()))
        .filter(|name| name.starts_with("clasp_") && name != "clasp_string")
        .collect();
    assert_eq!(declared, symbols);
}
