//! The order of a crate's files, held by a test: none imports one that stands above it, so there is no circle; and none is too
//! long. It reads the sources as text, so that it needs no compiler and hides nothing behind a re-export.
#![forbid(unsafe_code)]
// What it reads is our own code, and a fault in it is a failed test.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The most lines of a file, of a `mod.rs`, and of a function.
const MOST_LINES: usize = 600;
const MOST_LINES_OF_MOD: usize = 150;
const MOST_LINES_OF_FUNCTION: usize = 70;

/// The files of a crate's `src` in their order.
pub struct Layers<'a> {
    src: PathBuf,
    order: &'a [&'a str],
}

/// What was looked at, so that a test can tell nothing from nothing wrong.
#[derive(Clone, Copy, Debug)]
pub struct Looked {
    /// Imports of one file by another.
    pub imports: usize,
    /// Functions.
    pub functions: usize,
}

impl<'a> Layers<'a> {
    /// The files of the crate whose manifest stands in `manifest_dir` (`env!("CARGO_MANIFEST_DIR")`), from the ground: their
    /// paths below `src` without `.rs`. A file names those before it, and none behind it.
    pub fn new(manifest_dir: &str, order: &'a [&'a str]) -> Self {
        Self { src: Path::new(manifest_dir).join("src"), order }
    }

    /// Holds the order, that it has every file once, and the lengths.
    ///
    /// # Panics
    /// At the first fault, which it names.
    pub fn check(&self) -> Looked {
        self.check_list();
        Looked { imports: self.check_imports(), functions: self.check_lengths() }
    }

    fn check_list(&self) {
        let present: BTreeSet<String> = files(&self.src, &self.src).into_iter().map(|(file, _)| file).collect();
        let listed: BTreeSet<String> = self.order.iter().map(|file| (*file).to_owned()).collect();
        assert_eq!(listed.len(), self.order.len(), "a file stands twice in the order");
        let missing: Vec<&String> = present.difference(&listed).collect();
        assert!(
            missing.is_empty(),
            "files of src that are not in the order (the crate's tests/layering.rs): {missing:?}"
        );
        let gone: Vec<&String> = listed.difference(&present).collect();
        assert!(gone.is_empty(), "files of the order that src does not have: {gone:?}");
    }

    fn check_imports(&self) -> usize {
        let mut links = 0;
        // A module's tests see all of it.
        for (file, text) in files(&self.src, &self.src).into_iter().filter(|(file, _)| !file.ends_with("/tests")) {
            let Some(own) = self.place(&file) else { panic!("{file}: not in the order") };
            let code = code(&text);
            for path in paths(&code) {
                let Some(other) = self.target(&file, &path, &code).filter(|other| *other != file) else { continue };
                links += 1;
                assert!(self.place(other) < Some(own), "{file} imports {other}, which stands above it: {path}");
            }
        }
        links
    }

    fn check_lengths(&self) -> usize {
        let mut functions = 0;
        for (file, text) in files(&self.src, &self.src) {
            let most = if file.ends_with("mod") { MOST_LINES_OF_MOD } else { MOST_LINES };
            let lines: Vec<&str> = text.lines().collect();
            assert!(lines.len() <= most, "{file} has {} lines, and may have {most}", lines.len());
            for (at, length) in lengths(&lines) {
                functions += 1;
                assert!(length <= MOST_LINES_OF_FUNCTION, "{file}:{at}: a function of {length} lines");
            }
        }
        functions
    }

    fn place(&self, file: &str) -> Option<usize> {
        self.order.iter().position(|name| *name == file)
    }

    /// The file of a module, by the segments of its path from the root: `name.rs`, or `name/mod.rs`.
    fn file_of(&self, module: &[&str]) -> Option<&'a str> {
        let name = if module.is_empty() { "lib".to_owned() } else { module.join("/") };
        let folder = format!("{name}/mod");
        self.order.iter().copied().find(|file| *file == name || *file == folder)
    }

    /// The file that a path in another one leads to.
    fn target(&self, file: &str, path: &str, code: &str) -> Option<&'a str> {
        let own = module_of(file);
        let segments: Vec<&str> = path.split("::").collect();
        let (first, mut rest) = segments.split_first()?;
        let mut module = match *first {
            "crate" => Vec::new(),
            "super" => own[..own.len().saturating_sub(1)].to_vec(),
            // A module below: named by itself where it is declared.
            child if code.contains(&format!("mod {child};")) => {
                rest = &segments;
                own
            }
            _ => return None,
        };
        while let [next, after @ ..] = rest {
            if *next == "super" {
                module.pop();
            } else if self.file_of(&[&module[..], &[*next]].concat()).is_some() {
                module.push(next);
            } else {
                break;
            }
            rest = after;
        }
        self.file_of(&module)
    }
}

/// The files below a folder, as their paths from the root without `.rs`, with their text.
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

/// The segments of the module that a file is.
fn module_of(file: &str) -> Vec<&str> {
    match file {
        "lib" | "main" => Vec::new(),
        _ => file.split('/').filter(|segment| *segment != "mod").collect(),
    }
}

/// Each function, by the line where it begins, and how many lines it has.
fn lengths(lines: &[&str]) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let body = line.trim_start();
        let modifiers = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async "];
        let bare = modifiers.iter().fold(body, |body, word| body.strip_prefix(word).unwrap_or(body));
        if !bare.starts_with("fn ") {
            continue;
        }
        let end = format!("{}}}", " ".repeat(line.len() - body.len()));
        let one_line = body.ends_with('}') || body.ends_with(';');
        let length = if one_line { 1 } else { lines[at..].iter().position(|l| *l == end).unwrap_or(0) + 1 };
        out.push((at + 1, length));
    }
    out
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_found_however_they_are_written() {
        let order = [
            "oid",
            "text",
            "time",
            "name/general",
            "name/mod",
            "path/names",
            "path/search",
            "path/status",
            "path/mod",
            "cache",
            "lib",
        ];
        let layers = Layers::new(env!("CARGO_MANIFEST_DIR"), &order);
        let found = |file, code: &str| -> Vec<&str> {
            let all = paths(code);
            all.iter().filter_map(|path| layers.target(file, path, code)).collect::<BTreeSet<_>>().into_iter().collect()
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
    fn functions_are_measured() {
        let text =
            "fn a() {\n    1\n}\nimpl X {\n    pub(super) async fn b() {\n        2;\n        3\n    }\n}\nfn c() {}";
        assert_eq!(lengths(&text.lines().collect::<Vec<_>>()), [(1, 3), (5, 4), (10, 1)]);
    }

    #[test]
    #[should_panic(expected = "which stands above it")]
    fn an_import_upward_is_a_fault() {
        // This crate has one file; it stands in for two.
        let layers = Layers::new(env!("CARGO_MANIFEST_DIR"), &["low", "high", "lib"]);
        let file = layers.target("low", "crate::high::X", "").unwrap();
        assert!(layers.place(file) < layers.place("low"), "low imports {file}, which stands above it");
    }
}
