//! Each mutant against the tests that reach it, the quickest first, until one fails.

use crate::compile::Program;
use crate::mutant::Mutant;
use crate::report::line;
use crate::results::Results;
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

impl Fate {
    pub(crate) fn lives(&self) -> bool {
        matches!(self, Self::Survived | Self::Unreached)
    }
}

/// How often to say how far it is.
const EVERY: Duration = Duration::from_secs(30);
/// Tests of the first process take about so long together, the next ones of twice that, to so much.
const FIRST: Duration = Duration::from_millis(300);
const LAST: Duration = Duration::from_secs(10);
/// A mutant that tests of so long did not find waits for the rest of its tests until all the others were judged.
const PATIENCE: Duration = Duration::from_secs(6);
/// So many tests that found a mutant of a file are tried first on its next.
const KILLERS: usize = 6;

/// Who judges, and what it is written to.
pub(crate) struct Judge<'a> {
    pub(crate) suite: &'a Suite,
    pub(crate) programs: &'a [Program],
    pub(crate) scratch: &'a Path,
    pub(crate) workers: usize,
    pub(crate) results: &'a Results,
}

/// Tests that found mutants, by the mutants' file, the last first.
type Killers<'a> = Mutex<BTreeMap<&'a Path, Vec<usize>>>;

/// What is done, and what is to be done after it.
#[derive(Default)]
struct Work {
    fates: BTreeMap<usize, Fate>,
    /// Mutants that stand so far, with the tests that are left.
    later: Vec<(usize, Vec<usize>)>,
}

/// What some of the tests say.
enum Step {
    Known(Fate),
    Left(Vec<usize>),
}

impl Judge<'_> {
    /// Judges the mutants, in this order.
    pub(crate) fn judge(&self, mutants: &[&Mutant]) -> Vec<Fate> {
        let reaching = |mutant: &Mutant| self.suite.reaching.get(&mutant.id).cloned().unwrap_or_default();
        let first = mutants.iter().enumerate().map(|(index, mutant)| (index, reaching(mutant))).collect();
        let killers = Mutex::default();
        let mut work = Work::default();
        self.pass(mutants, first, PATIENCE, &killers, &mut work);
        let later = std::mem::take(&mut work.later);
        eprintln!("{} stand after {} s of tests and get the rest", later.len(), PATIENCE.as_secs());
        self.pass(mutants, later, Duration::MAX, &killers, &mut work);
        work.fates.into_values().collect()
    }

    /// Each of these mutants against its tests, as long as patience lasts.
    fn pass<'m>(
        &self,
        mutants: &[&'m Mutant],
        queue: Vec<(usize, Vec<usize>)>,
        patience: Duration,
        killers: &Killers<'m>,
        work: &mut Work,
    ) {
        let next = AtomicUsize::new(0);
        let started = Instant::now();
        let shared = Mutex::new((std::mem::take(work), started));
        std::thread::scope(|scope| {
            for worker in 0..self.workers {
                let (next, shared, queue) = (&next, &shared, &queue);
                let out = self.scratch.join(format!("judge-{worker}.out"));
                scope.spawn(move || {
                    while let Some((index, tests)) = queue.get(next.fetch_add(1, Relaxed)) {
                        let Some(mutant) = mutants.get(*index) else { break };
                        let step = self.one(mutant, tests, patience, killers, &out);
                        if let Step::Known(fate) = &step {
                            self.results.add(mutant, fate);
                            if fate.lives() {
                                eprintln!("lives: {}", line(mutant, fate));
                            }
                        }
                        let mut shared = shared.lock().expect("no worker panicked");
                        let (work, said) = &mut *shared;
                        match step {
                            Step::Known(fate) => drop(work.fates.insert(*index, fate)),
                            Step::Left(tests) => work.later.push((*index, tests)),
                        }
                        if said.elapsed() > EVERY {
                            *said = Instant::now();
                            progress(work, next.load(Relaxed).min(queue.len()), queue.len(), started);
                        }
                    }
                });
            }
        });
        *work = shared.into_inner().expect("no worker panicked").0;
    }

    fn one<'m>(
        &self,
        mutant: &'m Mutant,
        tests: &[usize],
        patience: Duration,
        killers: &Killers<'m>,
        out: &Path,
    ) -> Step {
        if tests.is_empty() {
            return Step::Known(Fate::Unreached);
        }
        let known = killers.lock().expect("no worker panicked").get(&*mutant.file).cloned().unwrap_or_default();
        let (first, rest): (Vec<usize>, Vec<usize>) = tests.iter().partition(|test| known.contains(test));
        let order = [first, rest].concat();
        let (mut left, mut share, mut spent) = (&order[..], FIRST, Duration::ZERO);
        while !left.is_empty() {
            if spent >= patience {
                return Step::Left(left.to_vec());
            }
            let (now, later) = left.split_at(self.fit(left, share));
            left = later;
            share = (share * 2).min(LAST);
            spent += now.iter().map(|test| self.suite.tests[*test].time).sum::<Duration>();
            let Some((fate, killer)) = self.run(mutant, now, out) else { continue };
            if let Some(killer) = killer {
                let mut killers = killers.lock().expect("no worker panicked");
                let of_file = killers.entry(&mutant.file).or_default();
                of_file.retain(|test| *test != killer);
                of_file.insert(0, killer);
                of_file.truncate(KILLERS);
            }
            return Step::Known(fate);
        }
        Step::Known(Fate::Survived)
    }

    /// How many of the tests take so long together; one at least.
    fn fit(&self, tests: &[usize], share: Duration) -> usize {
        let mut time = Duration::ZERO;
        let fit = tests.iter().take_while(|test| {
            let goes = time.is_zero() || time + self.suite.tests[**test].time <= share;
            time += self.suite.tests[**test].time;
            goes
        });
        fit.count()
    }

    /// What these tests say, and which of them says it; nothing if they pass.
    fn run(&self, mutant: &Mutant, tests: &[usize], out: &Path) -> Option<(Fate, Option<usize>)> {
        let mut by_program: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for test in tests {
            by_program.entry(self.suite.tests[*test].program).or_default().push(*test);
        }
        for (program, tests) in by_program {
            let names: Vec<&str> = tests.iter().map(|test| self.suite.tests[*test].name.as_str()).collect();
            let usual = tests.iter().map(|test| self.suite.tests[*test].time).sum();
            let program = &self.programs[program];
            match run(&Job { program, names: &names, variable: ("MUTANT", mutant.id.to_string()), usual }, out) {
                Verdict::Passed => {}
                Verdict::Failed(name) => {
                    let killer = tests.iter().find(|test| self.suite.tests[**test].name == name).copied();
                    return Some((Fate::Killed(format!("{} {name}", program.name)), killer));
                }
                Verdict::TimedOut => return Some((Fate::TimedOut, None)),
            }
        }
        None
    }
}

fn progress(work: &Work, done: usize, all: usize, started: Instant) {
    let alive = work.fates.values().filter(|fate| fate.lives()).count();
    let each = started.elapsed() / u32::try_from(done).unwrap_or(1).max(1);
    let left = each * u32::try_from(all - done).unwrap_or(u32::MAX);
    let (stand, minutes) = (work.later.len(), left.as_secs().div_ceil(60));
    eprintln!("{done} of {all} judged, {alive} live, {stand} stand so far; {minutes} min left");
}
