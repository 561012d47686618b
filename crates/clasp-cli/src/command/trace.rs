//! `clasp trace`: one handshake, recorded and explained.

mod capture;
mod connect;
mod output;
mod packets;
mod proxy;
mod relay;
mod serve;
mod streams;

use crate::failure::Failure;
use clap::Subcommand;

const HELP: &str = "\
Examples:
  clasp trace connect example.com --html trace.html
  clasp trace serve --html trace.html
  clasp trace proxy example.com --html trace.html
  clasp trace capture.pcap --keylog keys.log --html trace.html
  clasp trace old-device.pcap --key server-key.pem     what RSA key transport does not keep from the server's key
Exit codes: 0 traced; 1 the handshake failed (it is shown how far it came), or a capture stays closed; 2 could not try";

/// Record a handshake with all its bytes, and explain it: as text, JSON, a drawing or a page.
#[derive(clap::Args)]
#[command(after_help = HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    capture: capture::Capture,
}

#[derive(Subcommand)]
enum What {
    /// Be the client of HOST[:PORT]
    Connect(connect::Arguments),
    /// Be the server of whoever comes
    Serve(serve::Arguments),
    /// Stand between a client of yours and HOST[:PORT], and trace both conversations
    Proxy(proxy::Arguments),
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.what {
        Some(What::Connect(arguments)) => connect::run(arguments),
        Some(What::Serve(arguments)) => serve::run(arguments),
        Some(What::Proxy(arguments)) => proxy::run(arguments),
        None => capture::run(&arguments.capture),
    }
}
