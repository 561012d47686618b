//! Does time tell a secret? dudect's method (Reparaz, Balasch, Verbauwhede 2016): inputs of several classes in random
//! order, each measured alone, then Welch's t between each class and its baseline, over all measurements and over the
//! faster parts of them (a leak can hide under the noise of slow ones).
//!
//! ```text
//! cargo run --release -p clasp-testkit --bin timing -- bleichenbacher 300000
//! cargo run --release -p clasp-testkit --bin timing -- lucky13 2000000
//! ```
//! docs/timing.md says how to read it.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

mod bleichenbacher;
mod lucky13;
mod random;
mod statistics;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let samples = arguments.get(1).and_then(|n| n.parse().ok());
    let quiet = match (arguments.first().map(String::as_str), samples) {
        (Some("bleichenbacher"), Some(samples)) => bleichenbacher::run(samples),
        (Some("lucky13"), Some(samples)) => lucky13::run(samples),
        _ => {
            eprintln!("usage: timing bleichenbacher|lucky13 SAMPLES");
            return ExitCode::from(2);
        }
    };
    ExitCode::from(u8::from(!quiet))
}
