//! The program `clasp`; all of it is in the library beside it, where tests can see its options.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    clasp_cli::run()
}
