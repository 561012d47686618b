//! Instructions of a handshake, counted by callgrind: unlike time they hardly differ from run to run, so a change that
//! makes handshakes dearer can be told on a busy machine. The baseline stands in `instructions.txt`.
//!
//! Valgrind runs a processor of its own, without AVX-512 and the like, and with some traits of the one below it. Which it
//! has stands in the baseline beside the compilers, and counts on another are not judged. They are good for comparing versions
//! of one library, not for speed.

use crate::arguments::Instructions;
use crate::{certificates, peers};
use anyhow::{Context as _, Result, ensure};
use bench_harness::instructions::{COUNTED, HANDSHAKES};
use bench_harness::row;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// By how much a row may pass its baseline: what random values in keys and signatures make it sway by, and a little more.
const TOLERANCE: f64 = 0.01;

/// What counts are compared with.
#[derive(Default)]
struct Baseline {
    compilers: String,
    processor: String,
    counts: BTreeMap<Key, u64>,
}

/// One row's side.
type Key = (String, &'static str);

const SIDES: [&str; 2] = ["client", "server"];

/// Counts, prints, and compares or saves. False if a row is dearer than its baseline.
pub(crate) fn run(options: &Instructions) -> Result<bool> {
    let directory = tempfile::tempdir()?;
    let kept = options.keep.as_deref().unwrap_or(directory.path());
    std::fs::create_dir_all(kept)?;
    let library = peers::find(&options.peer)?;
    let binary = library.build()?;
    let credentials = certificates::write(directory.path())?;
    let compilers = compilers()?;
    let processor = processor(&binary, &library.arguments().collect::<Vec<_>>())?;
    let baseline = if options.save { Baseline::default() } else { read(&baseline_path()?)? };
    let mut counts = BTreeMap::new();
    let mut good = true;
    println!("{:<32}{:<8}{:>12}{:>12}{:>9}", "instructions per handshake", "", "now", "baseline", "");
    for (id, _) in row::handshakes() {
        if options.only.as_ref().is_some_and(|only| !only.split(',').any(|pattern| id.contains(pattern))) {
            continue;
        }
        for side in SIDES {
            let arguments: Vec<&str> = library.arguments().collect();
            let count = count(&binary, &arguments, &credentials, id, side, kept)?;
            let key = (id.to_string(), side);
            good &= print(&key, count, baseline.counts.get(&key).copied());
            counts.insert(key, count);
        }
    }
    if options.save {
        std::fs::write(baseline_path()?, text(&compilers, &processor, &counts))?;
    } else if baseline.compilers != compilers {
        println!(
            "Not judged: the baseline is of {}, and this is {compilers}. --save writes another.",
            baseline.compilers
        );
        return Ok(true);
    } else if baseline.processor != processor {
        println!(
            "Not judged: the baseline is of valgrind's processor with {}, and here it has {processor}.",
            baseline.processor
        );
        return Ok(true);
    }
    Ok(good || !options.check)
}

/// What made the instructions. Another compiler makes others, which says nothing about Clasp.
fn compilers() -> Result<String> {
    let mut names = Vec::new();
    for compiler in ["rustc", "cc"] {
        let output = Command::new(compiler).arg("--version").output().with_context(|| compiler.to_string())?;
        let said = String::from_utf8_lossy(&output.stdout);
        names.push(said.lines().next().with_context(|| format!("{compiler} has no version"))?.to_string());
    }
    Ok(names.join(" with "))
}

/// What valgrind's processor has: libraries choose their code by it, and it takes some traits of the one below.
fn processor(binary: &Path, arguments: &[&str]) -> Result<String> {
    let mut worker = Command::new("valgrind");
    worker.args(["--tool=none", "--quiet"]).arg(binary).args(arguments).arg("processor");
    let output = worker.output().context(NO_VALGRIND)?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

const NO_VALGRIND: &str = "valgrind cannot be run: the Debian package is `valgrind`";

/// Prints a row; false if it is dearer than the baseline allows, or has none.
fn print((id, side): &Key, count: u64, baseline: Option<u64>) -> bool {
    let Some(baseline) = baseline else {
        println!("{id:<32}{side:<8}{count:>12}{:>12}", "none");
        return false;
    };
    let change = count as f64 / baseline as f64 - 1.0;
    let dearer = change > TOLERANCE;
    let word = if dearer { "  DEARER" } else { "" };
    println!("{id:<32}{side:<8}{count:>12}{baseline:>12}{:>+8.2}%{word}", change * 100.0);
    !dearer
}

fn count(binary: &Path, arguments: &[&str], credentials: &Path, id: &str, side: &str, kept: &Path) -> Result<u64> {
    let out = kept.join(format!("callgrind.{}.{side}", id.replace('/', ".")));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(binary)
        .args(arguments)
        .arg("count")
        .arg(credentials)
        .args([id, side])
        .output()
        .context(NO_VALGRIND)?;
    ensure!(output.status.success(), "{id} {side}: {}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(&out).with_context(|| out.display().to_string())?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ").or_else(|| line.strip_prefix("summary: ")));
    let total: u64 = total.context("callgrind wrote no total")?.trim().parse()?;
    ensure!(total > 0, "{id} {side}: nothing was counted");
    Ok(total / HANDSHAKES as u64)
}

fn baseline_path() -> Result<PathBuf> {
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no workspace")?.join("instructions.txt"))
}

/// In front of the compilers' names.
const OF: &str = "# of ";
/// In front of the processor's features.
const ON: &str = "# on ";

fn text(compilers: &str, processor: &str, counts: &BTreeMap<Key, u64>) -> String {
    let mut text = format!(
        "# Instructions of one handshake, by callgrind. Written by: bench instructions --save\n\
         {OF}{compilers}\n{ON}{processor}\n# row side instructions\n",
    );
    for ((id, side), count) in counts {
        text += &format!("{id} {side} {count}\n");
    }
    text
}

fn read(path: &Path) -> Result<Baseline> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{}: make it with --save", path.display()))?;
    let named =
        |what: &str| text.lines().find_map(|line| line.strip_prefix(what)).unwrap_or("what is unknown").to_string();
    let (compilers, processor) = (named(OF), named(ON));
    let mut counts = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let [id, side, count] = line.split(' ').collect::<Vec<_>>()[..] else {
            anyhow::bail!("{}: {line:?}", path.display());
        };
        let side = SIDES.into_iter().find(|s| *s == side).with_context(|| format!("{line:?}: no such side"))?;
        counts.insert((id.to_string(), side), count.parse()?);
    }
    Ok(Baseline { compilers, processor, counts })
}
