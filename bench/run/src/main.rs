//! The controller: builds a worker for each library, asks them in turn, and writes the report.
//!
//! ```text
//!   arguments.rs     the command line            peers.rs         the libraries, and what building them needs
//!   certificates.rs  chains and keys for all     worker.rs        the workers' processes
//!   build.rs         cargo, asked for one program
//!   rounds.rs        who is asked what, when     results.rs       what they said
//!   floor.rs         what a row cannot do without: recipes of primitives
//!   report/          tables in text and Markdown, JSON, the chart
//!   instructions.rs  the second command: instructions of a handshake, by callgrind
//!   whole_process/   the third: whole servers under the load of public generators
//!   http.rs          the fourth: hyper clients and axum servers
//! ```

mod arguments;
mod build;
mod certificates;
mod floor;
mod http;
mod instructions;
mod machine;
mod peers;
mod report;
mod results;
mod rounds;
mod whole_process;
mod worker;

use anyhow::{Result, ensure};
use arguments::{Arguments, Command, Measure};
use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Some(Command::Instructions(options)) => instructions::run(&options),
        Some(Command::WholeProcess(options)) => whole_process::run(&options).map(|()| true),
        Some(Command::Http(options)) => http::run(&options).map(|()| true),
        None => measure(&arguments.measure).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn measure(options: &Measure) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let credentials = certificates::write(directory.path())?;
    let (mut workers, left_out) = worker::start(&options.peers, &credentials)?;
    ensure!(!workers.is_empty(), "no library is left to measure");
    let rows = rounds::choose(options.only.as_deref())?;
    let results = rounds::run(&mut workers, left_out, &rows, options)?;
    drop(workers);
    report::write(&results, options)
}
