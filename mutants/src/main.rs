//! Mutants of Clasp against its tests: each changes one thing, and some test should find it.
//!
//! All of them are compiled in at once, each behind a switch that a test run sets by a variable, so that one build does for
//! thousands; and each is run against the tests that get where it makes a difference, and no others. docs/testing.md says how
//! it is used, `survivors.txt` which of them live, and why.
//!
//! ```text
//! cargo run --manifest-path mutants/Cargo.toml                                  # all folders
//! cargo run --manifest-path mutants/Cargo.toml -- crates/clasp/src/session      # a folder, or a file
//! cargo run --manifest-path mutants/Cargo.toml -- --sample 150 --seed 1         # the same 150 each time
//! cargo run --manifest-path mutants/Cargo.toml -- --continue                    # where a run was stopped
//! ```
#![forbid(unsafe_code)]

mod arguments;
mod compile;
mod find;
mod judge;
mod known;
mod mutant;
mod render;
mod report;
mod results;
mod run;
mod source;
mod suite;
mod tree;
mod unviable;
mod values;

use crate::arguments::Arguments;
use crate::compile::Tree;
use crate::judge::{Fate, Judge};
use crate::known::Known;
use crate::mutant::Mutant;
use crate::results::Results;
use crate::source::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Whose tests judge.
/// Those with tests that judge, and their folders.
const PACKAGES: [(&str, &str); 4] = [
    ("clasp-tls", "crates/clasp"),
    ("clasp-x509", "crates/clasp-x509"),
    ("clasp-tokio", "crates/clasp-tokio"),
    ("clasp-testkit", "testkit"),
];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(words) => {
            eprintln!("{words}");
            return Ok(ExitCode::from(2));
        }
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the workspace has no root")?;
    let scratch = root.join("target/mutants");
    let known = Known::read(&root.join("mutants/survivors.txt"))?;
    let sources = source::read(root, &arguments.paths)?;
    let all: Vec<&Mutant> = sources.iter().flat_map(|source| &source.found.mutants).collect();
    let results = Results::read(&scratch, &sources)?;
    let chosen = arguments.choose(&all, &results);
    summary(&sources, all.len(), chosen.len());
    if arguments.list {
        for mutant in &chosen {
            println!("{}:{}:{}: {}", mutant.file.display(), mutant.line, mutant.column, mutant.key);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (judged_before, to_judge): (Vec<&Mutant>, Vec<&Mutant>) =
        chosen.iter().partition(|mutant| arguments.go_on && results.fate(mutant).is_some());
    let mut judged = match &to_judge[..] {
        [] => Vec::new(),
        _ => judge(root, &scratch, &sources, &to_judge, &arguments, &results)?,
    };
    judged.extend(judged_before.into_iter().filter_map(|mutant| Some((mutant, results.fate(mutant)?.clone()))));
    judged.sort_by_key(|(mutant, _)| mutant.id);
    report::write(&scratch, &judged, &known)?;
    let (table, rate) = report::table(&judged);
    println!("{table}");
    Ok(verdict(&judged, &known, &arguments, rate))
}

fn summary(sources: &[Source], all: usize, chosen: usize) {
    let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
    for (why, count) in sources.iter().flat_map(|source| &source.found.skipped) {
        *skipped.entry(*why).or_default() += count;
    }
    let skipped: Vec<String> = skipped.iter().map(|(why, count)| format!("{count} {why}")).collect();
    eprintln!("{chosen} of {all} mutants; skipped: {}", skipped.join(", "));
}

/// Builds, records and judges.
fn judge<'a>(
    root: &Path,
    scratch: &Path,
    sources: &[Source],
    chosen: &[&'a Mutant],
    arguments: &Arguments,
    results: &Results,
) -> Result<Vec<(&'a Mutant, Fate)>, Box<dyn Error>> {
    let started = Instant::now();
    let tree = scratch.join("tree");
    prepare(root, &tree, sources)?;
    let wanted: BTreeSet<u32> = chosen.iter().map(|mutant| mutant.id).collect();
    let others =
        sources.iter().flat_map(|s| &s.found.mutants).map(|mutant| mutant.id).filter(|id| !wanted.contains(id));
    let mut dropped: BTreeSet<u32> = others.collect();
    let before = unviable::read(scratch, sources);
    dropped.extend(before);
    let packages: Vec<&str> = PACKAGES
        .into_iter()
        .filter(|(_, folder)| {
            !arguments.own || sources.iter().any(|source| source::crate_of(&source.path) == Some(Path::new(folder)))
        })
        .map(|(package, _)| package)
        .collect();
    let programs = Tree { root: &tree, target: &root.join("target"), packages: &packages }.build(sources, &mut dropped);
    unviable::write(scratch, sources, &wanted, &dropped)?;
    let programs = programs?;
    eprintln!("built after {} s", started.elapsed().as_secs());
    let suite = suite::record(&programs, scratch, arguments.workers, arguments.slow)?;
    eprintln!("{} tests recorded after {} s", suite.tests.len(), started.elapsed().as_secs());
    for name in &suite.failing {
        eprintln!("left out, since it fails in the tree without a mutant: {name}");
    }
    let (unviable, mut viable): (Vec<&Mutant>, Vec<&Mutant>) =
        chosen.iter().partition(|mutant| dropped.contains(&mutant.id));
    for mutant in &unviable {
        results.add(mutant, &Fate::Unviable);
    }
    // A run that is stopped has judged a sample.
    arguments.mix(&mut viable);
    let workers = arguments.workers;
    let fates = Judge { suite: &suite, programs: &programs, scratch, workers, results }.judge(&viable);
    eprintln!("judged after {} s", started.elapsed().as_secs());
    let mut judged: Vec<(&Mutant, Fate)> = viable.into_iter().zip(fates).collect();
    judged.extend(unviable.into_iter().map(|mutant| (mutant, Fate::Unviable)));
    Ok(judged)
}

/// Copies the workspace, and gives the crates with mutants the switch.
fn prepare(root: &Path, tree: &Path, sources: &[Source]) -> Result<(), Box<dyn Error>> {
    let crates: BTreeSet<&Path> = sources.iter().filter_map(|source| source::crate_of(&source.path)).collect();
    let mut kept: BTreeSet<PathBuf> = sources.iter().map(|source| tree.join(&source.path)).collect();
    kept.extend(crates.iter().map(|folder| tree.join(folder).join("Cargo.toml")));
    kept.extend(["mutants", "mutant-switch", "Cargo.lock"].map(|name| tree.join(name)));
    tree::copy(root, tree, &kept)?;
    for folder in crates {
        let manifest = std::fs::read_to_string(root.join(folder).join("Cargo.toml"))?;
        let with = "[dependencies]\nmutant-switch = { path = \"../../mutant-switch\" }\n";
        let manifest = manifest.replacen("[dependencies]\n", with, 1);
        tree::write(&tree.join(folder).join("Cargo.toml"), manifest.as_bytes())?;
    }
    for (path, content) in
        [("Cargo.toml", include_str!("../switch/Cargo.toml")), ("src/lib.rs", include_str!("../switch/src/lib.rs"))]
    {
        tree::write(&tree.join("mutant-switch").join(path), content.as_bytes())?;
    }
    if !tree.join("Cargo.lock").exists() || arguments_lock_is_older(root, tree) {
        std::fs::copy(root.join("Cargo.lock"), tree.join("Cargo.lock"))?;
    }
    Ok(())
}

/// Whether the workspace's lock file was changed after the tree got its own.
fn arguments_lock_is_older(root: &Path, tree: &Path) -> bool {
    let time = |folder: &Path| folder.join("Cargo.lock").metadata().and_then(|metadata| metadata.modified()).ok();
    time(tree) < time(root)
}

/// Says which survivors nobody knows of, and how to look at one.
fn verdict(judged: &[(&Mutant, Fate)], known: &Known, arguments: &Arguments, rate: usize) -> ExitCode {
    let alive: Vec<_> = judged.iter().filter(|(_, fate)| fate.lives()).collect();
    let new: Vec<_> = alive.iter().filter(|(mutant, _)| !known.has(&mutant.key)).collect();
    println!("{} live, {} of them unknown to mutants/survivors.txt", alive.len(), new.len());
    for (mutant, fate) in &new {
        println!("{}", report::line(mutant, fate));
    }
    if let Some((mutant, _)) = new.first() {
        println!(
            "one alone: cargo run --manifest-path mutants/Cargo.toml -- {} --key '{}'",
            mutant.file.display(),
            mutant.key
        );
    }
    let below = rate < arguments.least * 10;
    if below {
        println!("{} % were to be killed", arguments.least);
    }
    ExitCode::from(u8::from(below || (arguments.strict && !new.is_empty())))
}
