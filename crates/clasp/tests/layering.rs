//! The floors hold: who may name whom in the source, and how long a file is.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

/// The floors of `crates/clasp/src`, from the ground. A floor names those below it, and none that stands on it or above;
/// what stands on one line does not name each other. `lib.rs` is the roof.
const FLOORS: &[&[&str]] = &[
    &["copy", "answer"],
    &["code"],
    &["family"],
    &["wire"],
    &["crypto"],
    &["suite", "hpke"],
    &["keys", "ech"],
    &["record"],
    &["error"],
    &["trace", "hello", "pool"],
    &["facts"],
    &["session"],
    &["config"],
    &["established"],
    &["handshake"],
    &["connection", "messages", "quic"],
    &["exchange"],
    &["stream", "passive"],
];

/// The figure of docs/architecture.md is that list, from the roof.
#[test]
fn the_figure_shows_the_floors() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/architecture.md");
    let page = std::fs::read_to_string(page).unwrap();
    let figure = page.split("```").nth(1).unwrap();
    let shown: Vec<Vec<&str>> = figure
        .lines()
        .filter(|line| line.starts_with("      "))
        .map(|line| {
            let names = line.split_whitespace().filter_map(|w| w.strip_suffix('/').or_else(|| w.strip_suffix(".rs")));
            names.collect::<Vec<_>>()
        })
        .filter(|names| !names.is_empty())
        .collect();
    assert!(shown.iter().map(Vec::as_slice).eq(FLOORS.iter().rev().copied()), "{shown:?}");
}

/// A file has at most so many lines, and a `mod.rs`, which says what a folder has, so many.
const MOST_LINES: usize = 600;
const MOST_LINES_OF_MOD: usize = 150;

/// The Rust files below a folder, with their text.
fn files(path: &Path) -> Vec<(PathBuf, String)> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            out.push((path, text));
        }
    }
    out
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let out = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder));
    assert!(!out.is_empty(), "nothing in {folder}");
    out
}

/// The place of a floor in the list, with its name.
fn floor(name: &str) -> Option<(usize, &'static str)> {
    let on = |names: &&[&'static str]| names.iter().copied().find(|n| *n == name);
    FLOORS.iter().enumerate().find_map(|(height, names)| Some((height, on(names)?)))
}

/// A file's path below `src`, as the modules that lead to it.
fn modules(path: &Path) -> Vec<String> {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap().with_extension("");
    let mut parts: Vec<_> = below.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// What code names of the crate by `crate::` and by as many `super::` as lead to its root: the first segment of each path.
fn named_from_the_root(modules: &[String], text: &str) -> Vec<String> {
    let mut named = Vec::new();
    let mut inner = 0;
    for line in text.lines() {
        if line.contains("mod ") && line.ends_with(" {") && !line.starts_with(' ') {
            inner = 1;
        } else if line == "}" {
            inner = 0;
        }
        let code = line.split_once("//").map_or(line, |(code, _)| code);
        let from_root = code.match_indices("crate::").map(|(at, found)| &code[at + found.len()..]);
        let climb = "super::".repeat(modules.len() + inner);
        let climbed = code.match_indices(&climb).map(|(at, found)| &code[at + found.len()..]);
        for rest in from_root.chain(climbed).filter(|rest| !rest.starts_with("super::")) {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            named.push(rest[..end].to_owned());
        }
    }
    named
}

#[test]
fn no_floor_names_one_above_it() {
    for (path, text) in sources("").into_iter().filter(|(path, _)| !path.ends_with("src/lib.rs")) {
        let modules = modules(&path);
        let Some((own, name)) = floor(&modules[0]) else { panic!("{}: on no floor of the list", path.display()) };
        for named in named_from_the_root(&modules, &text) {
            // A name of the roof, or a list in braces, would hide the floor.
            let Some((other, _)) = floor(&named) else {
                panic!("{}: `crate::{named}` names no floor; write where it stands", path.display())
            };
            assert!(
                other < own || named == name,
                "{}: `{name}` names `{named}`, which is not below it",
                path.display()
            );
        }
    }
}

#[test]
fn paths_to_the_root_are_found_however_they_are_written() {
    let named = |modules: &[&str], text: &str| {
        named_from_the_root(&modules.iter().map(|m| (*m).to_owned()).collect::<Vec<_>>(), text)
    };
    assert_eq!(named(&["wire", "read"], "use crate::keys::log; // crate::error\n/// crate::x"), ["keys"]);
    assert_eq!(
        named(&["wire", "read"], "let x = super::super::keys::X + super::y + crate::Error::new();"),
        ["Error", "keys"]
    );
    assert_eq!(
        named(&["wire"], "use super::keys;\nmod tests {\n    use super::inner;\n    use super::super::error;\n}"),
        ["keys", "error"]
    );
    assert_eq!(named(&["a", "b", "c"], "use super::super::x;\nuse crate::{y, z};"), [""]);
}

#[test]
fn every_floor_says_what_it_stands_on() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut below: Option<&[&str]> = None;
    for names in FLOORS {
        let wanted =
            below.map_or("// On the ground.\n".to_owned(), |below| format!("// Above `{}`.\n", below.join("` and `")));
        for name in *names {
            let folder = src.join(name).join("mod.rs");
            let path = if folder.exists() { folder } else { src.join(name).with_extension("rs") };
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with(&wanted), "{} does not begin with {wanted:?}", path.display());
        }
        below = Some(names);
    }
}

#[test]
fn files_are_short() {
    for folder in ["src", "tests"] {
        for (path, text) in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) {
            let lines = text.lines().count();
            let most = if folder == "src" && path.ends_with("mod.rs") { MOST_LINES_OF_MOD } else { MOST_LINES };
            assert!(lines <= most, "{} has {lines} lines, and may have {most}", path.display());
        }
    }
}

#[test]
fn only_crypto_names_a_crypto_library() {
    for (path, text) in sources("") {
        if path.components().any(|c| c.as_os_str() == "crypto") {
            continue;
        }
        for library in ["aws_lc_rs::", "aws_lc_sys::", "use ring::", "use sha2::", "use hmac::"] {
            assert!(!text.contains(library), "{} names {library}", path.display());
        }
    }
}

#[test]
fn unsafe_stands_in_four_files_alone() {
    for (path, text) in sources("") {
        let allowed = ["cbc_hmac.rs", "cbc_stitched.rs", "dh.rs", "rsa_transport.rs"].iter().any(|f| path.ends_with(f))
            && path.components().any(|c| c.as_os_str() == "legacy");
        assert!(allowed || !text.contains("unsafe {"), "{} is unsafe", path.display());
    }
}

#[test]
fn flows_name_no_alerts() {
    for (path, text) in sources("handshake") {
        assert!(!text.contains("AlertDescription::"), "{} names an alert", path.display());
    }
}
