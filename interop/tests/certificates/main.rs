//! Chains with faults, judged by Clasp, rustls-webpki and OpenSSL. Where they differ, the table in `known.rs` says who is
//! right and why; a difference that is not in it fails.
//!
//! `cargo test -p clasp-interop --test certificates -- --nocapture` prints every difference.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod faults;
mod judges;
mod known;
#[path = "../../../crates/clasp-x509/tests/common/mod.rs"]
mod made;

use faults::{Chain, FAULTS, Fault};
use judges::Verdict;
use std::collections::BTreeMap;

/// A small generator of its own: the same chains each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

/// Every fault alone, and pairs of them.
const PAIRS: usize = 120;

#[test]
fn chains_with_faults_judged_by_three() {
    let judges = judges::all();
    let mut dice = Dice(0x1234_5678_9abc_def1);
    let mut sets: Vec<Vec<&Fault>> = FAULTS.iter().map(|fault| vec![fault]).collect();
    sets.extend((0..PAIRS).map(|_| vec![&FAULTS[dice.roll(FAULTS.len())], &FAULTS[dice.roll(FAULTS.len())]]));
    let mut differences: BTreeMap<(String, &str), String> = BTreeMap::new();
    let (mut compared, mut unknown) = (0, Vec::new());
    for set in &sets {
        let names: Vec<&str> = set.iter().map(|fault| fault.name).collect();
        let chain = Chain::with(set);
        let ours = judges::clasp(&chain);
        for judge in &judges {
            let theirs = judge.verdict(&chain);
            compared += 1;
            if ours.accepts() == theirs.accepts() {
                continue;
            }
            let text = format!("Clasp: {ours}; {}: {theirs}", judge.name());
            let why = names.iter().find_map(|name| known::explains(name, judge.name(), ours.accepts()));
            if why.is_none() {
                unknown.push(format!("{}: {text}", names.join(" + ")));
            }
            let text = format!("{text}. Right: {}", why.unwrap_or("nobody knows"));
            differences.insert((names.join(" + "), judge.name()), text);
        }
    }
    for ((names, _), text) in &differences {
        println!("{names}: {text}");
    }
    let ours = differences.values().filter(|text| text.starts_with("Clasp: accepted")).count();
    let (all, differ) = (sets.len(), differences.len());
    println!("{compared} verdicts compared over {all} chains: {differ} differ, of these Clasp accepts {ours}");
    assert!(unknown.is_empty(), "differences that nobody has explained:\n{}", unknown.join("\n"));
    assert!(matches!(judges::clasp(&Chain::with(&[])), Verdict::Accepted), "the chain without a fault");
}

/// The table says nothing that is not so: each row is met by a chain with that fault alone.
#[test]
fn every_known_difference_is_one() {
    let judges = judges::all();
    for row in known::ROWS {
        let fault = FAULTS.iter().find(|fault| fault.name == row.fault).unwrap_or_else(|| panic!("no {}", row.fault));
        let chain = Chain::with(&[fault]);
        let ours = judges::clasp(&chain).accepts();
        for judge in judges.iter().filter(|judge| row.judges.contains(&judge.name())) {
            assert_ne!(judge.verdict(&chain).accepts(), ours, "{}: {} agrees by now", row.fault, judge.name());
        }
    }
}
