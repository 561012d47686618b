//! `clasp demo`: the handshake over real loopback TCP, what an attacker meets, and the round trips over a simulated
//! link.

mod cast;
mod link;
mod loopback;

use crate::failure::Failure;
use crate::output;
use crate::terminal::{self, Style};
use crate::timeline::{self, Conversation};
use crate::trace::Trace;
use crate::trace::page::{self, Opening};
use cast::Cast;
use std::path::PathBuf;

const HELP: &str = "\
Examples:
  clasp demo                  timelines of seventeen conversations
  clasp demo --svg demo.svg   the same as sequence diagrams
  clasp demo --html demo.html a page: both sides' clocks, every byte, two conversations side by side
  clasp demo --json           the same for programs
  clasp demo --fields         with every field of what is said
Exit codes: 0 everything came out as it should; 1 something did not; 2 could not do it";

/// The whole story, with no set-up.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// Print the timelines as JSON
    #[arg(long)]
    json: bool,
    /// Show the fields of every message, record and alert
    #[arg(long)]
    fields: bool,
    /// Draw the sequence diagrams into FILE
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the conversations as a page that shows every byte beside its field and needs no network, in English and Chinese
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if !arguments.json {
        terminal::note("making a CA and certificates in memory ...");
    }
    let cast = Cast::new()?;
    let (mut loopback, mut link) = (loopback::conversations(&cast)?, link::conversations(&cast)?);
    if !arguments.fields {
        let all = loopback.iter_mut().chain(&mut link).flat_map(|conversation| &mut conversation.events);
        all.for_each(|event| event.fields.clear());
    }
    let all: Vec<Conversation> = loopback.iter().chain(&link).cloned().collect();
    if arguments.json {
        let value = serde_json::json!({ "loopback": loopback, "simulated_link_28_ms": link });
        output::line(format_args!("{value:#}"))?;
    } else {
        for (title, conversations) in [
            ("== Over loopback TCP: times are of this machine ==", &loopback),
            ("== Over a simulated link, 28 ms one way: the round trips ==", &link),
        ] {
            output::line(format_args!("{}\n", terminal::on_stdout(Style::Bold, title)))?;
            for conversation in conversations {
                output::line(conversation.text())?;
            }
        }
    }
    if let Some(path) = &arguments.svg {
        std::fs::write(path, timeline::svg(&all)).map_err(|e| Failure::file(path, e))?;
        terminal::note(format_args!("drawn into {}", path.display()));
    }
    if let Some(path) = &arguments.html {
        // The link first, where time is what the story has; in full, and resumed.
        let traces: Vec<Trace> = link.iter().chain(&loopback).map(|conversation| conversation.trace.clone()).collect();
        let opening = Opening { beside: Some(1), ..Opening::default() };
        std::fs::write(path, page::page(&traces, opening)).map_err(|e| Failure::file(path, e))?;
        terminal::note(format_args!("written into {}", path.display()));
    }
    match all.iter().find(|c| !c.as_expected) {
        None => Ok(()),
        Some(c) => Err(Failure::no(format_args!("{}: {}", c.title, c.outcome))),
    }
}
