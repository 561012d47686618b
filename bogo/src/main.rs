//! The shim through which BoringSSL's protocol test runner drives Clasp: one process per test, told by its flags what
//! to be and what to expect.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // the runner reads both

mod compression;
mod config;
mod conversation;
mod credentials;
mod doubles;
mod ech;
mod errors;
mod expect;
mod failure;
mod flags;
mod mock_quic;
mod records;
mod suites;
mod tickets;
mod wire;

use crate::failure::Failure;
use crate::flags::Parsed;
use std::process::ExitCode;

/// Exit codes that the runner knows.
mod exit {
    /// The test asks for something that Clasp does not do.
    pub(crate) const UNIMPLEMENTED: u8 = 89;
    /// A failure even where a failure is expected.
    pub(crate) const PANIC: u8 = 90;
}

fn main() -> ExitCode {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        hook(info);
        std::process::exit(exit::PANIC.into());
    }));
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|a| a == "-is-handshaker-supported") {
        println!("No");
        return ExitCode::SUCCESS;
    }
    let parsed = match flags::parse(&args) {
        Ok(parsed) => parsed,
        Err(what) => {
            eprintln!("not implemented: {what}");
            return ExitCode::from(exit::UNIMPLEMENTED);
        }
    };
    match run(&parsed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure.text);
            ExitCode::from(if failure.unimplemented { exit::UNIMPLEMENTED } else { 1 })
        }
    }
}

fn run(parsed: &Parsed) -> Result<(), Failure> {
    let world = config::World::new();
    for nth in 0..=parsed.resume_count {
        let flags = if nth == 0 { &parsed.initial } else { &parsed.resume };
        conversation::run(&world, flags, &parsed.retry, nth > 0)?;
        world.clock.advance(flags.resumption_delay);
    }
    Ok(())
}
