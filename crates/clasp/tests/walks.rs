//! The walks of docs/architecture.md go through files that are there, past functions that are in them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

fn source(name: &str) -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    match name.strip_prefix("x509:") {
        Some(name) => crates.join("clasp-x509/src").join(name),
        None => crates.join("clasp/src").join(name),
    }
}

#[test]
fn each_step_is_a_file_and_names_what_is_in_it() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/architecture.md");
    let page = std::fs::read_to_string(page).unwrap();
    let walks = page.split_once("## Three walks").unwrap().1.split_once("\n## ").unwrap().0;
    let (mut files, mut functions) = (0, 0);
    let mut last = String::new();
    // What stands between backquotes: after a file, the functions in it.
    for quoted in walks.split('`').skip(1).step_by(2).filter(|quoted| !quoted.starts_with("crates/")) {
        if quoted.ends_with(".rs") {
            last = std::fs::read_to_string(source(quoted)).unwrap_or_else(|e| panic!("{quoted}: {e}"));
            files += 1;
        } else if !last.is_empty() && quoted.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let there = [format!("fn {quoted}("), format!("fn {quoted}<"), format!("struct {quoted} ")];
            assert!(there.iter().any(|text| last.contains(text)), "{quoted} is not in the file before it");
            functions += 1;
        }
    }
    assert!(files > 40 && functions > 8, "{files} files, {functions} functions");
}
