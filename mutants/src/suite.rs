//! The tests: each by itself, how long it takes, and which mutants it reaches.

use crate::compile::Program;
use crate::run::{Job, Verdict, run};
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A test that passes where no mutant is alive.
#[derive(Debug)]
pub(crate) struct Test {
    /// Which of the programs it is in.
    pub(crate) program: usize,
    pub(crate) name: String,
    pub(crate) time: Duration,
}

/// All tests, the quickest first, and which of them reach a mutant.
#[derive(Default)]
pub(crate) struct Suite {
    pub(crate) tests: Vec<Test>,
    /// By the mutant's number; places in `tests`, in order.
    pub(crate) reaching: BTreeMap<u32, Vec<usize>>,
    /// Tests that fail without any mutant, and judge none.
    pub(crate) failing: Vec<String>,
}

/// Programs that take half a minute each, where all others together take one: what memory thousands of connections take, and
/// every length there is. They judge where they are asked to.
const SLOW: [&str; 4] = ["clasp/footprint", "clasp/idle_streams", "clasp/lengths", "clasp-tokio/footprint"];

/// Runs every test once with no mutant alive.
pub(crate) fn record(
    programs: &[Program],
    scratch: &Path,
    workers: usize,
    slow: bool,
) -> Result<Suite, Box<dyn Error>> {
    let mut all = Vec::new();
    for (index, program) in programs.iter().enumerate().filter(|(_, p)| slow || !SLOW.contains(&&*p.name)) {
        let output = Command::new(&program.executable)
            .args(["--list", "--format", "terse"])
            .current_dir(&program.folder)
            .output()?;
        let listed = String::from_utf8(output.stdout)?;
        let names = listed.lines().filter_map(|line| line.strip_suffix(": test"));
        all.extend(names.map(|name| (index, name.to_owned())));
    }
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (all, next, results) = (&all, &next, &results);
            scope.spawn(move || {
                while let Some((program, name)) = all.get(next.fetch_add(1, Relaxed)) {
                    let result = one(&programs[*program], name, &scratch.join(format!("reach-{worker}")));
                    let mut results = results.lock().expect("no worker panicked");
                    results.push((*program, name.clone(), result));
                    if results.len() % 250 == 0 {
                        eprintln!("{} of {} tests are recorded", results.len(), all.len());
                    }
                }
            });
        }
    });
    let mut results = results.into_inner()?;
    results.sort_by(|a, b| (a.2.time, &a.1).cmp(&(b.2.time, &b.1)));
    let mut suite = Suite::default();
    for (program, name, result) in results {
        if let Verdict::Passed = result.verdict {
            let index = suite.tests.len();
            for id in result.reached {
                suite.reaching.entry(id).or_default().push(index);
            }
            suite.tests.push(Test { program, name, time: result.time });
        } else {
            suite.failing.push(format!("{} {name}", programs[program].name));
        }
    }
    Ok(suite)
}

struct Recorded {
    verdict: Verdict,
    time: Duration,
    reached: Vec<u32>,
}

fn one(program: &Program, name: &str, file: &Path) -> Recorded {
    let _ = fs::remove_file(file);
    let started = Instant::now();
    let job = Job {
        program,
        names: &[name],
        variable: ("MUTANT_REACH", file.to_string_lossy().into_owned()),
        usual: Duration::from_secs(60),
    };
    let verdict = run(&job, &file.with_extension("out"));
    let time = started.elapsed();
    let bytes = fs::read(file).unwrap_or_default();
    let mut reached: Vec<u32> =
        bytes.chunks_exact(4).filter_map(|four| Some(u32::from_le_bytes(four.try_into().ok()?))).collect();
    reached.sort_unstable();
    reached.dedup();
    Recorded { verdict, time, reached }
}
