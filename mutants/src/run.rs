//! Runs tests of one program in a process of their own, that may take only so long and so much.

use crate::compile::Program;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A mutant that loops may loop so long, in seconds of the processor, besides ten times what the tests take.
const SPARE_SECONDS: u64 = 10;
/// One that waits may wait so long besides, however busy the machine is.
const SPARE_WAIT: Duration = Duration::from_secs(60);
/// What a process may address, in KiB. A mutant that collects without end shall not take the machine with it.
const MEMORY_KIB: u64 = 6 << 20;

/// Some tests of one program.
pub(crate) struct Job<'a> {
    pub(crate) program: &'a Program,
    pub(crate) names: &'a [&'a str],
    /// Which mutant is alive, or where to write which are reached.
    pub(crate) variable: (&'static str, String),
    /// How long they usually take.
    pub(crate) usual: Duration,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    /// The first test that failed, or how the process ended.
    Failed(String),
    TimedOut,
}

/// Runs them, one after another. What they print goes to `out`.
pub(crate) fn run(job: &Job<'_>, out: &Path) -> Verdict {
    let seconds = SPARE_SECONDS + job.usual.as_secs() * 10;
    let limits = format!("ulimit -v {MEMORY_KIB} -t {seconds} -c 0; exec \"$0\" \"$@\"");
    let Ok(output) = File::create(out) else { return Verdict::Failed("no file for the output".into()) };
    let child = Command::new("bash")
        .args(["-c", &limits])
        .arg(&job.program.executable)
        .args(["--exact", "--test-threads=1"])
        .args(job.names)
        .current_dir(&job.program.folder)
        .env("CARGO_MANIFEST_DIR", &job.program.folder)
        .env(job.variable.0, &job.variable.1)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
    let Ok(mut child) = child else { return Verdict::Failed("the test program does not start".into()) };
    let (started, most) = (Instant::now(), SPARE_WAIT + job.usual * 20);
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return verdict(status, out),
            Ok(None) if started.elapsed() < most => {}
            _ => break,
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
    // The tests' own children too.
    let _ = Command::new("bash").args(["-c", &format!("kill -KILL -- -{}", child.id())]).status();
    let _ = child.wait();
    Verdict::TimedOut
}

/// `SIGXCPU`, and what follows it.
const OUT_OF_TIME: [i32; 2] = [24, 9];

fn verdict(status: ExitStatus, out: &Path) -> Verdict {
    use std::os::unix::process::ExitStatusExt;
    if status.success() {
        return Verdict::Passed;
    }
    if status.signal().is_some_and(|signal| OUT_OF_TIME.contains(&signal)) {
        return Verdict::TimedOut;
    }
    let text = std::fs::read(out).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let failed = text.lines().find_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
    Verdict::Failed(failed.map_or_else(|| status.to_string(), str::to_owned))
}
