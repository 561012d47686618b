//! Builds the tree with all mutants in it, and drops those that do not compile until it builds.

use crate::render::{Rendered, render};
use crate::source::Source;
use crate::tree;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Rounds of dropping. Each finds what the round before hid; more than a dozen means that nothing helps.
const ROUNDS: usize = 40;

/// What stands before the text of a library's root: mutants make much that the compiler would like to speak of.
const HEAD: &str = "#![allow(warnings, arithmetic_overflow, unconditional_panic, overflowing_literals)] ";

/// A test program.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) executable: PathBuf,
    /// Where `cargo test` would run it.
    pub(crate) folder: PathBuf,
    /// The package and the target.
    pub(crate) name: String,
}

/// The tree in which mutants live.
pub(crate) struct Tree<'a> {
    pub(crate) root: &'a Path,
    pub(crate) target: &'a Path,
    pub(crate) packages: &'a [&'a str],
}

impl Tree<'_> {
    /// Writes the sources with their mutants and builds; what does not compile goes to `dropped`.
    pub(crate) fn build(
        &self,
        sources: &[Source],
        dropped: &mut BTreeSet<u32>,
    ) -> Result<Vec<Program>, Box<dyn Error>> {
        for round in 1..=ROUNDS {
            let mut written = BTreeMap::new();
            for source in sources {
                let head = if source.path.ends_with("src/lib.rs") { HEAD } else { "" };
                let rendered = render(&source.text, &source.found.sites, dropped, head);
                tree::write(&self.root.join(&source.path), rendered.text.as_bytes())?;
                written.insert(source.path.clone(), rendered);
            }
            // The libraries alone first: they are quick to say what does not compile.
            let mut messages = self.cargo(&["build", "--lib"])?;
            if errors(&messages).is_empty() {
                messages = self.cargo(&["test", "--no-run", "--lib", "--tests"])?;
                if errors(&messages).is_empty() {
                    return Ok(programs(&messages));
                }
            }
            let errors = errors(&messages);
            let mut found: BTreeSet<u32> = errors.iter().flat_map(|error| blamed(error, &written)).collect();
            if found.is_empty() {
                found = errors.iter().flat_map(|error| nearby(error, &written, sources, dropped)).collect();
            }
            eprintln!("round {round}: {} errors of the compiler, {} mutants dropped", errors.len(), found.len());
            if found.is_empty() {
                let mut words = String::new();
                for error in errors.iter().take(5) {
                    let _ = writeln!(words, "{}", error["rendered"].as_str().unwrap_or_default());
                }
                return Err(format!("the tree does not compile, and no mutant is to blame:\n{words}").into());
            }
            dropped.extend(found);
        }
        Err("the tree does not compile, whatever is dropped".into())
    }

    fn cargo(&self, arguments: &[&str]) -> Result<Vec<Value>, Box<dyn Error>> {
        let output = Command::new("cargo")
            .args(arguments)
            .args(["--message-format", "json"])
            .args(self.packages.iter().flat_map(|package| ["-p", package]))
            .current_dir(self.root)
            .env("CARGO_TARGET_DIR", self.target)
            .env("CARGO_INCREMENTAL", "0")
            .stderr(Stdio::piped())
            .output()?;
        let messages: Vec<Value> =
            String::from_utf8(output.stdout)?.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if !output.status.success() && errors(&messages).is_empty() {
            return Err(format!("cargo: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(messages)
    }
}

fn errors(messages: &[Value]) -> Vec<&Value> {
    let of_compiler = messages.iter().filter(|message| message["reason"] == "compiler-message");
    of_compiler.map(|message| &message["message"]).filter(|message| message["level"] == "error").collect()
}

/// The mutants that an error speaks of: of the smallest part that is marked around it; where there is none, of what it
/// mentions besides.
fn blamed(error: &Value, written: &BTreeMap<PathBuf, Rendered>) -> Vec<u32> {
    let spans: Vec<&Value> = error["spans"].as_array().map(|spans| spans.iter().collect()).unwrap_or_default();
    let (primary, others): (Vec<_>, Vec<_>) = spans.into_iter().partition(|span| span["is_primary"] == true);
    for spans in [primary, others] {
        let found: Vec<u32> = spans.iter().flat_map(|span| around(span, written)).collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// The mutants of the function before an error that none stands around: a statement that may be left out keeps something
/// alive, say. Those that leave statements out, or else all.
fn nearby(
    error: &Value,
    written: &BTreeMap<PathBuf, Rendered>,
    sources: &[Source],
    dropped: &BTreeSet<u32>,
) -> Vec<u32> {
    let Some(span) = error["spans"].as_array().and_then(|spans| spans.iter().find(|span| span["is_primary"] == true))
    else {
        return Vec::new();
    };
    let (path, start, _) = place(span);
    let (Some(rendered), Some(source)) = (written.get(&path), sources.iter().find(|source| source.path == path)) else {
        return Vec::new();
    };
    let before = rendered.marks.iter().filter(|(range, _)| range.start <= start).max_by_key(|(range, _)| range.start);
    let Some(id) = before.and_then(|(_, ids)| ids.first()) else { return Vec::new() };
    let owner = |key: &str| key.split_once(": ").map(|(owner, _)| owner.to_owned());
    let mutants = || source.found.mutants.iter().filter(|mutant| !dropped.contains(&mutant.id));
    let wanted = mutants().find(|mutant| mutant.id == *id).and_then(|mutant| owner(&mutant.key));
    let (statements, others): (Vec<_>, Vec<_>) =
        mutants().filter(|mutant| owner(&mutant.key) == wanted).partition(|mutant| mutant.key.contains(": without `"));
    let chosen = if statements.is_empty() { others } else { statements };
    chosen.into_iter().map(|mutant| mutant.id).collect()
}

/// The file of a span, and its start and end in bytes.
fn place(span: &Value) -> (PathBuf, usize, usize) {
    let path = PathBuf::from(span["file_name"].as_str().unwrap_or_default());
    let byte = |name: &str| span[name].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
    (path, byte("byte_start"), byte("byte_end"))
}

fn around(span: &Value, written: &BTreeMap<PathBuf, Rendered>) -> Vec<u32> {
    let (path, start, end) = place(span);
    let Some(rendered) = written.get(&path) else { return Vec::new() };
    let holding = rendered.marks.iter().filter(|(range, _)| range.start <= start && end <= range.end);
    holding.min_by_key(|(range, _)| range.len()).map(|(_, ids)| ids.clone()).unwrap_or_else(|| {
        // Around nothing: what stands in it.
        let within = rendered.marks.iter().filter(|(range, _)| start <= range.start && range.end <= end);
        within.flat_map(|(_, ids)| ids.clone()).collect()
    })
}

fn programs(messages: &[Value]) -> Vec<Program> {
    let mut programs = Vec::new();
    for message in messages.iter().filter(|m| m["reason"] == "compiler-artifact" && m["profile"]["test"] == true) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let manifest = PathBuf::from(text(&message["manifest_path"]));
        if message["executable"].is_null() {
            continue;
        }
        let folder = manifest.parent().map(Path::to_owned).unwrap_or_default();
        let package = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = format!("{package}/{}", text(&message["target"]["name"]));
        programs.push(Program { executable: text(&message["executable"]).into(), folder, name });
    }
    programs.sort_by(|a, b| a.name.cmp(&b.name));
    programs
}
