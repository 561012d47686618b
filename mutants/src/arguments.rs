//! What the program is asked for.

use crate::mutant::Mutant;
use crate::results::Results;
use std::path::PathBuf;

/// The folders whose mutants count.
const FOLDERS: [&str; 12] = [
    "crates/clasp/src/handshake",
    "crates/clasp/src/record",
    "crates/clasp/src/session",
    "crates/clasp/src/keys",
    "crates/clasp/src/wire",
    "crates/clasp/src/connection",
    "crates/clasp/src/facts",
    "crates/clasp/src/code.rs",
    "crates/clasp/src/established.rs",
    "crates/clasp-x509/src/path",
    "crates/clasp-x509/src/revocation",
    "crates/clasp-x509/src/name",
];

const USAGE: &str =
    "usage: clasp-mutants [FOLDER OR FILE]... [--sample N] [--seed S] [--key PART] [--again] [--continue]
                     [--slow] [--own] [--workers N] [--least PERCENT] [--strict] [--list]
  --sample N       N of the mutants only, the same for the same seed
  --key PART       those with this in their names
  --again          those that lived the last time
  --continue       those that were judged before, and whose files are as they were, are as they were judged
  --workers N      so many at once; as many as there are processors where none is said
  --least PERCENT  fails if fewer of those that compile are killed
  --strict         fails if one lives that mutants/survivors.txt does not name
  --own            by the tests of their own packages alone, which are the sooner built
  --slow           by the tests that take half a minute each, too
  --list           names them and runs nothing";

#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) workers: usize,
    pub(crate) least: usize,
    pub(crate) strict: bool,
    pub(crate) list: bool,
    pub(crate) slow: bool,
    pub(crate) own: bool,
    sample: Option<usize>,
    seed: u64,
    key: Option<String>,
    again: bool,
    pub(crate) go_on: bool,
}

impl Arguments {
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let mut read = Self {
            paths: Vec::new(),
            workers,
            least: 0,
            strict: false,
            list: false,
            slow: false,
            own: false,
            sample: None,
            seed: 1,
            key: None,
            again: false,
            go_on: false,
        };
        let mut rest = arguments;
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().ok_or_else(|| format!("{argument} wants a value\n{USAGE}"));
            let number = |text: String| text.parse().map_err(|_| format!("{text} is no number\n{USAGE}"));
            match &*argument {
                "--sample" => read.sample = Some(number(value()?)?),
                "--seed" => read.seed = number(value()?)? as u64,
                "--workers" => read.workers = number(value()?)?.max(1),
                "--least" => read.least = number(value()?)?,
                "--key" => read.key = Some(value()?),
                "--again" => read.again = true,
                "--continue" => read.go_on = true,
                "--slow" => read.slow = true,
                "--own" => read.own = true,
                "--strict" => read.strict = true,
                "--list" => read.list = true,
                other if other.starts_with('-') => return Err(format!("{other}?\n{USAGE}")),
                path => read.paths.push(path.into()),
            }
        }
        if read.paths.is_empty() {
            read.paths = FOLDERS.map(PathBuf::from).to_vec();
        }
        Ok(read)
    }

    /// Those of all mutants that are asked for.
    pub(crate) fn choose<'a>(&self, all: &[&'a Mutant], results: &Results) -> Vec<&'a Mutant> {
        let mut chosen = all.to_vec();
        if let Some(part) = &self.key {
            chosen.retain(|mutant| mutant.key.contains(part));
        }
        if self.again {
            let living = results.living();
            chosen.retain(|mutant| living.contains(&*mutant.key));
        }
        if let Some(sample) = self.sample {
            // By what each is called, so that the sample is nearly the same after a change elsewhere.
            self.mix(&mut chosen);
            chosen.truncate(sample);
            chosen.sort_by_key(|mutant| mutant.id);
        }
        chosen
    }

    /// Puts mutants into an order that has nothing to do with where they stand: the first of them are a sample.
    pub(crate) fn mix(&self, mutants: &mut [&Mutant]) {
        mutants.sort_by_cached_key(|mutant| (hash(self.seed, &mutant.key), mutant.id));
    }
}

/// FNV-1a, then mixed: the same on every machine and with every compiler.
fn hash(seed: u64, text: &str) -> u64 {
    let fnv = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    let mixed = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 33)
}
