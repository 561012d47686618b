//! Each mutant against the tests that reach it, the quickest first, until one fails.

use crate::compile::Program;
use crate::mutant::Mutant;
use crate::report::{line, lives};
use crate::run::{Job, Verdict, run};
use crate::suite::Suite;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// By this test.
    Killed(String),
    /// A test took too long, which would be seen.
    TimedOut,
    /// All tests that reach it passed.
    Survived,
    /// No test gets where it would make a difference.
    Unreached,
    /// It does not compile.
    Unviable,
}

/// How often to say how far it is.
const EVERY: Duration = Duration::from_secs(30);
/// Tests of the first process take about so long together, the next ones of twice that, to so much.
const FIRST: Duration = Duration::from_millis(300);
const LAST: Duration = Duration::from_secs(10);

/// Judges mutants, with so many at work.
pub(crate) fn judge(
    mutants: &[&Mutant],
    suite: &Suite,
    programs: &[Program],
    scratch: &Path,
    workers: usize,
) -> Vec<Fate> {
    let next = AtomicUsize::new(0);
    let fates = Mutex::new(BTreeMap::new());
    let started = Instant::now();
    let said = Mutex::new(started);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (next, fates, said) = (&next, &fates, &said);
            let out = scratch.join(format!("judge-{worker}.out"));
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Relaxed);
                    let Some(mutant) = mutants.get(index) else { break };
                    let fate = one(mutant, suite, programs, &out);
                    if lives(&fate) {
                        eprintln!("lives: {}", line(mutant, &fate));
                    }
                    let done = {
                        let mut fates = fates.lock().expect("no worker panicked");
                        fates.insert(index, fate);
                        fates.len()
                    };
                    let mut said = said.lock().expect("no worker panicked");
                    if said.elapsed() > EVERY {
                        *said = Instant::now();
                        progress(&fates.lock().expect("no worker panicked"), done, mutants.len(), started);
                    }
                }
            });
        }
    });
    fates.into_inner().expect("no worker panicked").into_values().collect()
}

fn progress(fates: &BTreeMap<usize, Fate>, done: usize, all: usize, started: Instant) {
    let alive = fates.values().filter(|fate| matches!(fate, Fate::Survived | Fate::Unreached)).count();
    let each = started.elapsed() / u32::try_from(done).unwrap_or(1).max(1);
    let left = each * u32::try_from(all - done).unwrap_or(u32::MAX);
    eprintln!("{done} of {all} judged, {alive} live; {} min left", left.as_secs().div_ceil(60));
}

fn one(mutant: &Mutant, suite: &Suite, programs: &[Program], out: &Path) -> Fate {
    let Some(mut left) = suite.reaching.get(&mutant.id).map(Vec::as_slice) else { return Fate::Unreached };
    let mut share = FIRST;
    while !left.is_empty() {
        let mut time = Duration::ZERO;
        let fit = left.iter().take_while(|test| {
            let goes = time.is_zero() || time + suite.tests[**test].time <= share;
            time += suite.tests[**test].time;
            goes
        });
        let (now, later) = left.split_at(fit.count());
        left = later;
        share = (share * 2).min(LAST);
        let mut by_program: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for test in now {
            by_program.entry(suite.tests[*test].program).or_default().push(*test);
        }
        for (program, tests) in by_program {
            let names: Vec<&str> = tests.iter().map(|test| suite.tests[*test].name.as_str()).collect();
            let usual = tests.iter().map(|test| suite.tests[*test].time).sum();
            let program = &programs[program];
            match run(&Job { program, names: &names, variable: ("MUTANT", mutant.id.to_string()), usual }, out) {
                Verdict::Passed => {}
                Verdict::Failed(test) => return Fate::Killed(format!("{} {test}", program.name)),
                Verdict::TimedOut => return Fate::TimedOut,
            }
        }
    }
    Fate::Survived
}
