//! Does a peer choose what its bytes cost? Every list of a hello and every field of a certificate is doubled, twice, and
//! callgrind counts the instructions until the answer: twice the bytes may cost twice as much, and not four times. What it
//! counts is the same on every machine, however busy.
//!
//! ```text
//! cargo run -p clasp-testkit --bin cost            # all; docs/threat-model.md says what it found
//! cargo run -p clasp-testkit --bin cost -- suites  # those with this in their names
//! ```
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

mod chains;
mod hellos;

use std::process::{Child, Command, ExitCode, Stdio};

/// What a peer sends, so many times over: its length in bytes, and what is done with it.
pub(crate) type Input = (usize, Box<dyn FnOnce()>);

/// One kind of input.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// How often what is doubled stands in the smallest input.
    pub(crate) least: usize,
    pub(crate) make: fn(usize) -> Input,
}

/// The second doubling may cost so much more than the first. Linear is 2, quadratic is 4.
const MOST: f64 = 2.6;
/// What one more byte may cost, built without optimisation: what is linear can be slow all the same.
const EACH: u64 = 10_000;
/// Less than this is noise: a table that grows, a page that is met for the first time.
const NOISE: u64 = 60_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let kinds: Vec<&Kind> = hellos::KINDS.iter().chain(chains::KINDS).collect();
    match arguments[..] {
        ["one", name, times] => {
            let kind = kinds.iter().find(|kind| kind.name == name).unwrap();
            let (bytes, work) = (kind.make)(times.parse().unwrap());
            counted(work);
            println!("{bytes}");
            ExitCode::SUCCESS
        }
        [] | [_] => {
            let wanted = arguments.first().copied().unwrap_or_default();
            let all: Vec<bool> =
                kinds.iter().filter(|kind| kind.name.contains(wanted)).map(|kind| linear(kind)).collect();
            ExitCode::from(u8::from(all.is_empty() || all.contains(&false)))
        }
        _ => {
            eprintln!("usage: cost [PART OF A NAME]");
            ExitCode::from(2)
        }
    }
}

/// What callgrind counts.
#[inline(never)]
fn counted(work: Box<dyn FnOnce()>) {
    work();
}

/// Prints what a kind costs at three sizes; true if it is linear.
fn linear(kind: &Kind) -> bool {
    let [one, two, four] = [1, 2, 4].map(|times| start(kind, kind.least * times)).map(count);
    let more = |a: (usize, u64), b: (usize, u64)| b.1.saturating_sub(a.1);
    let (first, second) = (more(one, two), more(two, four));
    #[allow(clippy::cast_precision_loss)]
    let growth = second as f64 / first.max(NOISE / 2) as f64;
    let each = second / u64::try_from(four.0 - two.0).unwrap().max(1);
    let good = second < NOISE || (growth <= MOST && each <= EACH);
    println!(
        "{:<44} {:>7} bytes {:>11} instructions, {:>6} for each more, growth {growth:.1}{}",
        kind.name,
        four.0,
        four.1,
        each,
        if good { "" } else { "  <-- not linear" }
    );
    good
}

/// Runs this program under callgrind for one input.
fn start(kind: &Kind, times: usize) -> Child {
    Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--callgrind-out-file=/dev/null"])
        .arg("--toggle-collect=*cost::counted*")
        .arg(std::env::current_exe().unwrap())
        .args(["one", kind.name, &times.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("valgrind cannot be run: the Debian package is `valgrind`")
}

/// The length of the input and the instructions that it costs.
fn count(child: Child) -> (usize, u64) {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let collected = said.lines().find_map(|line| line.split("Collected :").nth(1));
    let total: u64 = collected.expect("callgrind's count").trim().parse().unwrap();
    assert!(total > 0, "nothing was counted: {said}");
    (String::from_utf8_lossy(&output.stdout).trim().parse().unwrap(), total)
}
