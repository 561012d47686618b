//! How a trace is shown.

use crate::failure::Failure;
use crate::output;
use crate::terminal;
use crate::trace::explain::{self, Language};
use crate::trace::page::{self, Opening};
use crate::trace::text::{self, Shown};
use crate::trace::{self, Trace, svg};
use std::path::{Path, PathBuf};

/// The options for it.
#[derive(clap::Args)]
pub(crate) struct Output {
    /// Print the traces as JSON; docs/trace.md says what it holds
    #[arg(long)]
    json: bool,
    /// Show the fields of every message, record and alert
    #[arg(long, conflicts_with = "json")]
    fields: bool,
    /// Draw the traces into FILE
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write them as a page that shows every byte beside its field, needs no network, and speaks English and Chinese
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// The language of explanations and drawings [default: that of the system, or en]
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    lang: Option<Language>,
}

impl Output {
    /// Prints one as it comes, where they come one by one.
    pub(crate) fn print(&self, trace: &Trace) -> Result<(), Failure> {
        if self.json {
            return Ok(());
        }
        let shown = Shown { language: explain::language(self.lang), fields: self.fields };
        output::line(text::text(trace, shown))
    }

    /// Writes what has all of them.
    pub(crate) fn finish(&self, traces: &[Trace]) -> Result<(), Failure> {
        if self.json {
            output::line(format_args!("{:#}", trace::json(traces)))?;
        }
        self.write(self.svg.as_deref(), || svg::svg(traces, explain::language(self.lang)))?;
        // Whoever came twice wants to see what the second time saved.
        let beside = (traces.len() > 1).then_some(1);
        self.write(self.html.as_deref(), || page::page(traces, Opening { language: self.lang, first: 0, beside }))
    }

    fn write(&self, path: Option<&Path>, content: impl FnOnce() -> String) -> Result<(), Failure> {
        let Some(path) = path else { return Ok(()) };
        std::fs::write(path, content()).map_err(|e| Failure::file(path, e))?;
        terminal::note(format_args!("written into {}", path.display()));
        Ok(())
    }
}
