//! The program `clasp`. Data goes to stdout, words to stderr.
//!
//! Exit codes: 0 yes; 1 the answer is no (a handshake refused, a bad certificate); 2 it could not be done.
#![forbid(unsafe_code)]

mod command;
mod failure;
mod negotiation;
mod output;
mod pem;
mod report;
mod timeline;

use clap::{CommandFactory, Parser, Subcommand};
use failure::Failure;
use std::process::ExitCode;

/// TLS, seen and spoken: a client, a server, a small CA and a demonstration.
#[derive(Parser)]
#[command(name = "clasp", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes: 0 yes; 1 the answer is no (refused, bad certificate); 2 could not do it";

#[derive(Subcommand)]
enum Command {
    /// The whole story over loopback, in a few seconds, with no set-up
    #[command(after_help = DEMO)]
    Demo(command::demo::Arguments),
    /// Speak TLS to HOST:PORT
    #[command(after_help = CONNECT)]
    Connect(command::connect::Arguments),
    /// An HTTPS server for a directory or a status page
    #[command(after_help = SERVE)]
    Serve(command::serve::Arguments),
    /// A small local certificate authority in a directory
    #[command(after_help = CA)]
    Ca(command::ca::Arguments),
    /// Judge a certificate chain, and say why not
    #[command(after_help = VERIFY)]
    Verify(command::verify::Arguments),
    /// Say what a file of certificates, keys, lists or responses holds
    #[command(after_help = INSPECT)]
    Inspect(command::inspect::Arguments),
}

const DEMO: &str = "\
Examples:
  clasp demo                  timelines of seventeen conversations
  clasp demo --svg demo.svg   the same as sequence diagrams
  clasp demo --json           the same for programs
Exit codes: 0 everything came out as it should; 1 something did not; 2 could not do it";

const CONNECT: &str = "\
Examples:
  clasp connect example.com:443 --get /
  clasp connect localhost:4433 --ca ca/root.pem --resume
  clasp connect 192.0.2.7:443 --servername camera.example --policy legacy
  clasp connect localhost:4433 --ca ca/root.pem --get / --resume --early-data
  echo hello | clasp connect localhost:4433 --ca ca/root.pem
Words go to stderr, the peer's data to stdout. After the end of stdin the answer is waited for: --wait.
Exit codes: 0 spoken; 1 refused by either side, cut off, or no answer; 2 could not try";

const SERVE: &str = "\
Examples:
  clasp serve                             a status page; makes a CA and a certificate for localhost
  clasp serve site --listen 0.0.0.0:8443 --cert server.pem --key server-key.pem
  clasp serve --client-ca ca/root.pem --json
  clasp serve --echo --policy legacy --tls 1.2
  clasp serve --early-data 16384 --groups X25519MLKEM768,x25519
SIGTERM or Ctrl-C: what has begun is finished within --drain seconds; a second one ends it at once.
Exit codes: 0 stopped by a signal; 2 could not begin";

const CA: &str = "\
Examples:
  clasp ca init ca --intermediate
  clasp ca issue ca localhost 127.0.0.1 ::1
  clasp ca issue ca alice --client --key ed25519
  clasp ca list ca --json
  clasp ca revoke ca localhost.pem
Keys are readable by their owner alone (0600), and no file is ever overwritten.
Exit codes: 0 done; 1 no such certificate; 2 could not do it";

const VERIFY: &str = "\
Examples:
  clasp verify chain.pem --name example.com
  clasp verify localhost.pem --name localhost --ca ca/root.pem --profile rfc5280
  clasp verify localhost.pem --ca ca/root.pem --crl ca/crl.pem --leaf-only --revocation require
A list or response that settles nothing refuses nobody, but is told; --revocation require refuses.
Certificates of one's own authority often break rules of the public web alone: --profile rfc5280.
Exit codes: 0 accepted; 1 refused; 2 could not judge";

const INSPECT: &str = "\
Examples:
  clasp inspect chain.pem
  clasp inspect ca/crl.pem --json
Exit codes: 0 all of it can be read; 1 something cannot; 2 no such file";

const EXAMPLES: &str = "\
Examples:
  clasp demo                                   the handshake, its attacks and its round trips, explained
  clasp serve                                  an HTTPS server on localhost; prints the curl line that works
  clasp connect example.com:443 --get /        version, suite, chain and verdict, then the page
  clasp ca init ca && clasp ca issue ca localhost
  clasp verify chain.pem --name example.com    accepted or refused, every path and the rule it broke
  clasp inspect chain.pem                      certificates, keys, requests, lists, OCSP responses in plain words
  clasp connect localhost:4433 --ca ca/root.pem --policy legacy --resume
Help: clasp --help, clasp COMMAND --help";

/// Does what the command line says.
pub fn run() -> ExitCode {
    let outcome = match Arguments::parse().command {
        None => output::line(EXAMPLES),
        Some(Command::Demo(arguments)) => command::demo::run(&arguments),
        Some(Command::Connect(arguments)) => command::connect::run(&arguments),
        Some(Command::Serve(arguments)) => command::serve::run(arguments),
        Some(Command::Ca(arguments)) => command::ca::run(&arguments),
        Some(Command::Verify(arguments)) => command::verify::run(&arguments),
        Some(Command::Inspect(arguments)) => command::inspect::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.print(),
    }
}

/// The commands and all their options, as clap has them: a test holds its table of options against it.
pub fn options() -> clap::Command {
    Arguments::command()
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::from_io(error)
    }
}
