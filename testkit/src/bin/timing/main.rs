//! Does time tell a secret? dudect's method (Reparaz, Balasch, Verbauwhede 2016): inputs of several classes in random
//! order, each measured alone, then Welch's t between each class and its baseline, over all measurements and over the
//! faster parts of them (a leak can hide under the noise of slow ones).
//!
//! ```text
//! cargo run --release -p clasp-testkit --bin timing -- bleichenbacher 300000
//! cargo run --release -p clasp-testkit --bin timing -- lucky13 2000000
//! cargo run --release -p clasp-testkit --bin timing -- paths
//! cargo run --release -p clasp-testkit --bin timing -- secrets
//! ```
//! The third counts instructions instead of measuring time: see `paths`. The fourth follows secrets through the program:
//! see `secrets`.
//! docs/timing.md says how to read it.
#![deny(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

mod bleichenbacher;
mod lucky13;
mod marked;
mod memcheck;
mod paths;
mod random;
mod secrets;
mod statistics;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let quiet = match (&arguments[..], arguments.get(1).and_then(|n| n.parse().ok())) {
        (["bleichenbacher", _], Some(samples)) => bleichenbacher::run(samples),
        (["lucky13", _], Some(samples)) => lucky13::run(samples),
        (["paths"], _) => paths::run(),
        (["one", cipher, class], _) => paths::one(cipher, class),
        (["secrets"], _) => secrets::run(),
        (["secret", case], _) => secrets::one(case),
        _ => {
            eprintln!("usage: timing bleichenbacher SAMPLES | lucky13 SAMPLES | paths | secrets");
            return ExitCode::from(2);
        }
    };
    ExitCode::from(u8::from(!quiet))
}
