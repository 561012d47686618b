//! The order of the files holds: none imports one that stands above it, so there is no circle. And none is too long.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

/// Every file of `src`, from the ground. A file names those before it, and none behind it.
const ORDER: &[&str] = &[
    "text",
    "time",
    "oid",
    "der",
    "profile",
    "extension",
    "spki",
    "signature",
    "name/string",
    "name/distinguished",
    "name/compare",
    "name/general",
    "name/mod",
    "certificate/usage",
    "certificate/quirks",
    "certificate/point",
    "certificate/name_constraints",
    "certificate/extensions",
    "certificate/fields",
    "certificate/server_name",
    "certificate/identifier",
    "certificate/outline",
    "certificate/mod",
    "sct",
    "request",
    "revocation/reason",
    "revocation/standing",
    "revocation/index",
    "revocation/crl",
    "revocation/known",
    "revocation/issuer",
    "revocation/asked",
    "revocation/terms",
    "revocation/lists",
    "revocation/ocsp",
    "revocation/issue",
    "revocation/direct",
    "revocation/mod",
    "kind",
    "pem",
    "roots",
    "stores",
    "path/fault",
    "path/rejection",
    "path/budget",
    "path/policy",
    "path/options",
    "path/constraint",
    "path/form",
    "path/check",
    "path/names",
    "path/validate",
    "path/accepted",
    "path/attempts",
    "path/search",
    "path/status",
    "path/verify",
    "path/mod",
    "cache",
    "lib",
];

const MOST_LINES: usize = 600;
const MOST_LINES_OF_MOD: usize = 150;
const MOST_LINES_OF_FUNCTION: usize = 70;

/// The files below a folder, as their paths without `.rs`, with their text.
fn files(root: &Path, folder: &Path) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files(root, &path));
        } else {
            let name = path.strip_prefix(root).unwrap().with_extension("");
            out.push((name.to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap()));
        }
    }
    out
}

fn sources() -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    files(&src, &src)
}

fn place(file: &str) -> Option<usize> {
    ORDER.iter().position(|name| *name == file)
}

/// The file of a module, by the segments of its path from the root.
fn file_of(module: &[&str]) -> Option<&'static str> {
    let name = if module.is_empty() { "lib".to_owned() } else { module.join("/") };
    let folder = format!("{name}/mod");
    ORDER.iter().copied().find(|file| *file == name || *file == folder)
}

/// The segments of the module that a file is.
fn module_of(file: &str) -> Vec<&str> {
    match file {
        "lib" => Vec::new(),
        _ => file.split('/').filter(|segment| *segment != "mod").collect(),
    }
}

/// Code without comments, strings and tests.
fn code(text: &str) -> String {
    let code = text.split("\nmod tests {").next().unwrap_or_default();
    code.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code)).collect::<Vec<_>>().join("\n")
}

/// Every path in code, with the trees of `use` spelled out.
fn paths(code: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let starts = code.char_indices().filter(|(at, c)| {
        let before = code[..*at].chars().next_back();
        c.is_ascii_lowercase() && !before.is_some_and(|b| b.is_alphanumeric() || matches!(b, '_' | ':' | '{'))
    });
    for (at, _) in starts {
        tree("", &code[at..], &mut out);
    }
    out
}

/// Reads a path, and what of a tree stands in braces behind it; gives what it has read.
fn tree(before: &str, code: &str, out: &mut BTreeSet<String>) -> usize {
    let end = code.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(code.len());
    let path = format!("{before}{}", &code[..end]);
    if !(path.ends_with("::") && code[end..].starts_with('{')) {
        if path.contains("::") {
            out.insert(path);
        }
        return end;
    }
    let mut at = end + 1;
    while !code[at..].starts_with('}') {
        let skipped = code[at..].find(|c: char| c.is_alphanumeric() || matches!(c, '_' | '}')).unwrap();
        at += skipped;
        if !code[at..].starts_with('}') {
            at += tree(&path, &code[at..], out);
        }
    }
    at + 1
}

/// The file that a path in another one leads to.
fn target(file: &str, path: &str, code: &str) -> Option<&'static str> {
    let own = module_of(file);
    let segments: Vec<&str> = path.split("::").collect();
    let (mut module, mut rest) = match segments[0] {
        "crate" => (Vec::new(), &segments[1..]),
        "super" => (own[..own.len() - 1].to_vec(), &segments[1..]),
        // A module below: named by itself where it is declared.
        child if code.contains(&format!("mod {child};")) => (own, &segments[..]),
        _ => return None,
    };
    while let [next, after @ ..] = rest {
        if *next == "super" {
            module.pop();
        } else if file_of(&[&module[..], &[*next]].concat()).is_some() {
            module.push(next);
        } else {
            break;
        }
        rest = after;
    }
    file_of(&module)
}

#[test]
fn no_file_imports_one_above_it() {
    let mut links = 0;
    for (file, text) in sources() {
        let Some(own) = place(&file) else { panic!("{file}: not in the order") };
        let code = code(&text);
        for path in paths(&code) {
            let Some(other) = target(&file, &path, &code).filter(|other| *other != file) else { continue };
            links += 1;
            assert!(place(other).unwrap() < own, "{file} imports {other}, which stands above it: {path}");
        }
    }
    assert!(links > 200, "only {links} imports were seen");
}

#[test]
fn the_order_has_every_file_once() {
    let present: BTreeSet<String> = sources().into_iter().map(|(file, _)| file).collect();
    let listed: BTreeSet<String> = ORDER.iter().map(|file| (*file).to_owned()).collect();
    assert_eq!(listed.len(), ORDER.len(), "a file stands twice in the order");
    assert_eq!(listed, present);
}

#[test]
fn imports_are_found_however_they_are_written() {
    let found = |file, code: &str| -> Vec<&str> {
        paths(code).iter().filter_map(|path| target(file, path, code)).collect::<BTreeSet<_>>().into_iter().collect()
    };
    assert_eq!(
        found("cache", "use crate::path::{self, Options, search::{Work, Search}};"),
        ["path/mod", "path/search"]
    );
    assert_eq!(found("cache", "fn f() { crate::name::general::is_host(b) }"), ["name/general"]);
    assert_eq!(found("path/search", "use super::names::Names; use super::PLAIN;"), ["path/mod", "path/names"]);
    assert_eq!(found("path/search", "let x = super::super::oid::RSA;"), ["oid"]);
    assert_eq!(found("path/mod", "mod search;\npub use search::Search;"), ["path/search"]);
    assert_eq!(found("path/status", "-> crate::RevocationReason {"), ["lib"]);
    assert_eq!(found("oid", "use core::fmt;\nuse crate::{text::hex, time::Moment};"), ["text", "time"]);
    assert_eq!(code("a // crate::x\nmod tests {\nuse crate::y;\n}"), "a ");
}

#[test]
fn files_and_functions_are_short() {
    let mut functions = 0;
    for (file, text) in sources() {
        let most = if file.ends_with("mod") { MOST_LINES_OF_MOD } else { MOST_LINES };
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() <= most, "{file} has {} lines, and may have {most}", lines.len());
        for (at, line) in lines.iter().enumerate() {
            let body = line.trim_start();
            let modifiers = ["pub ", "pub(crate) ", "pub(super) ", "const "];
            let bare = modifiers.iter().fold(body, |body, word| body.strip_prefix(word).unwrap_or(body));
            if !bare.starts_with("fn ") {
                continue;
            }
            functions += 1;
            let end = format!("{}}}", " ".repeat(line.len() - body.len()));
            let one_line = body.ends_with('}') || body.ends_with(';');
            let length = if one_line { 1 } else { lines[at..].iter().position(|l| *l == end).unwrap_or(0) + 1 };
            assert!(length <= MOST_LINES_OF_FUNCTION, "{file}:{}: a function of {length} lines", at + 1);
        }
    }
    assert!(functions > 300, "only {functions} functions were seen");
}
