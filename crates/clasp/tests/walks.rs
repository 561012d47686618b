//! docs/architecture.md is true to the tree: its walks go through files that are there, past functions that are in them, and
//! each folder has its paragraph. That the figure is the list of floors, `layering.rs` holds.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn source(name: &str) -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    match name.strip_prefix("x509:") {
        Some(name) => crates.join("clasp-x509/src").join(name),
        None => crates.join("clasp/src").join(name),
    }
}

fn page() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/architecture.md");
    std::fs::read_to_string(page).unwrap()
}

/// The folders below a path, as they are called from there: `wire/`, `wire/message/`.
fn folders(root: &Path, below: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for entry in std::fs::read_dir(root.join(below)).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            let name = format!("{below}{}/", entry.file_name().to_str().unwrap());
            out.extend(folders(root, &name));
            out.insert(name);
        }
    }
    out
}

/// The part of a page behind a headline, up to the next one.
fn part<'p>(page: &'p str, headline: &str) -> &'p str {
    let (_, behind) = page.split_once(&format!("\n{headline}\n")).unwrap_or_else(|| panic!("{headline}"));
    behind.split("\n#").next().unwrap()
}

#[test]
fn each_folder_has_a_paragraph_and_each_paragraph_a_folder() {
    let page = page();
    for (headline, root) in [("### crates/clasp/src", source("")), ("### crates/clasp-x509/src", source("x509:"))] {
        let paragraphs = part(&page, headline).split("\n\n").filter(|text| !text.trim().is_empty());
        let named: Vec<String> = paragraphs
            .map(|text| match text.trim_start().strip_prefix("**`").and_then(|text| text.split_once("`**")) {
                Some((name, _)) => name.to_owned(),
                None => panic!("a paragraph of no folder: {text}"),
            })
            .collect();
        let once: BTreeSet<String> = named.iter().cloned().collect();
        assert_eq!(once, folders(&root, ""), "{headline}");
        assert_eq!(once.len(), named.len(), "a folder has one paragraph");
    }
}

/// The files that stand beside the folders are named too, those of a root with their ending.
#[test]
fn each_file_beside_the_folders_is_named() {
    let page = page();
    for root in [source(""), source("x509:")] {
        for entry in std::fs::read_dir(root).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let text = format!("`{name}`");
            assert!(!name.ends_with(".rs") || name == "lib.rs" || page.contains(&text), "{name} is not named");
        }
    }
}

#[test]
fn each_step_is_a_file_and_names_what_is_in_it() {
    let page = page();
    let walks = part(&page, "## Three walks");
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
