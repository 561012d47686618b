//! The program `clasp`. Data goes to stdout, words to stderr.
//!
//! Exit codes: 0 yes; 1 the answer is no (a handshake refused, a bad certificate); 2 it could not be done.
#![forbid(unsafe_code)]

mod changes;
mod command;
mod failure;
mod http3;
mod input;
mod negotiation;
mod output;
mod pem;
mod report;
mod scan;
mod stop;
mod terminal;
mod timeline;
mod trace;

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
    Demo(command::demo::Arguments),
    /// Speak TLS to HOST:PORT
    Connect(command::connect::Arguments),
    /// Record a handshake with all its bytes, and explain it
    Trace(Box<command::trace::Arguments>),
    /// Look at what a server speaks, chooses, shows and bears
    Scan(command::scan::Arguments),
    /// An HTTPS server for a directory or a status page
    Serve(command::serve::Arguments),
    /// TLS in front of what speaks none, and for what speaks none
    Proxy(Box<command::proxy::Arguments>),
    /// A small local certificate authority in a directory
    Ca(command::ca::Arguments),
    /// Keys for Encrypted Client Hello
    Ech(command::ech::Arguments),
    /// Judge a certificate chain, and say why not
    Verify(command::verify::Arguments),
    /// Say what a file of certificates, keys, lists or responses holds
    Inspect(command::inspect::Arguments),
}

const EXAMPLES: &str = "\
Examples:
  clasp demo                                   the handshake, its attacks and its round trips, explained
  clasp serve                                  an HTTPS server on localhost; prints the curl line that works
  clasp connect example.com:443 --get /        version, suite, chain and verdict, then the page
  clasp trace connect example.com              every byte of the handshake, what it is for and why it is there
  clasp scan example.com                       what a server speaks, what is wrong with it, how to mend it
  clasp proxy --listen :8443 --to 127.0.0.1:8080 --cert chain.pem --key key.pem
  clasp ca init ca && clasp ca issue ca localhost
  clasp ech keygen --public-name example.com   a key for Encrypted Client Hello, and what to publish of it
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
        Some(Command::Trace(arguments)) => command::trace::run(&arguments),
        Some(Command::Scan(arguments)) => command::scan::run(&arguments),
        Some(Command::Serve(arguments)) => command::serve::run(arguments),
        Some(Command::Proxy(arguments)) => command::proxy::run(&arguments),
        Some(Command::Ca(arguments)) => command::ca::run(&arguments),
        Some(Command::Ech(arguments)) => command::ech::run(&arguments),
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
