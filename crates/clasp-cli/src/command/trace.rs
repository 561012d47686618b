//! `clasp trace`: one handshake, recorded and explained.

mod connect;
mod output;
mod serve;

use crate::failure::Failure;
use clap::Subcommand;

const HELP: &str = "\
Examples:
  clasp trace connect example.com --html trace.html
  clasp trace serve --html trace.html
Exit codes: 0 traced; 1 the handshake failed (it is shown how far it came); 2 could not try";

/// Record a handshake with all its bytes, and explain it: as text, JSON, a drawing or a page.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Be the client of HOST[:PORT]
    Connect(connect::Arguments),
    /// Be the server of whoever comes
    Serve(serve::Arguments),
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.what {
        What::Connect(arguments) => connect::run(arguments),
        What::Serve(arguments) => serve::run(arguments),
    }
}
