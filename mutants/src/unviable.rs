//! What did not compile the last time, so that it need not be found out again. It counts for a file that has not changed.

use crate::source::{Source, hash};
use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::Path;

const FILE: &str = "unviable.txt";

/// The mutants that will not compile.
pub(crate) fn read(scratch: &Path, sources: &[Source]) -> BTreeSet<u32> {
    let text = std::fs::read_to_string(scratch.join(FILE)).unwrap_or_default();
    let known: HashSet<&str> = text.lines().collect();
    let mut dropped = BTreeSet::new();
    for source in sources {
        let hash = hash(&source.text);
        let mutants = source.found.mutants.iter();
        dropped.extend(mutants.filter(|mutant| known.contains(&*line(hash, &mutant.key))).map(|mutant| mutant.id));
    }
    dropped
}

/// Writes those of the wanted that were dropped, besides what stands there.
pub(crate) fn write(
    scratch: &Path,
    sources: &[Source],
    wanted: &BTreeSet<u32>,
    dropped: &BTreeSet<u32>,
) -> io::Result<()> {
    let text = std::fs::read_to_string(scratch.join(FILE)).unwrap_or_default();
    let mut lines: BTreeSet<String> = text.lines().map(str::to_owned).collect();
    for source in sources {
        let hash = hash(&source.text);
        let unviable = source.found.mutants.iter().filter(|m| wanted.contains(&m.id) && dropped.contains(&m.id));
        lines.extend(unviable.map(|mutant| line(hash, &mutant.key)));
    }
    std::fs::write(scratch.join(FILE), lines.into_iter().collect::<Vec<_>>().join("\n"))
}

fn line(hash: u64, key: &str) -> String {
    format!("{hash:016x} {key}")
}
