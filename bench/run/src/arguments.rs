//! The command line.

use std::path::PathBuf;

/// Measures Clasp beside other TLS libraries, in memory, each in its own process, in one run.
#[derive(clap::Parser)]
#[command(name = "bench", after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub measure: Measure,
}

const EXAMPLES: &str = "\
Examples:
  bench --json run.json --markdown run.md --svg run.svg
  bench --quick --peers clasp,rustls --only hs13
  bench --quick --peers clasp --only bulk/aes-128-gcm
  bench instructions --check
  bench whole-process --markdown servers.md
  bench http --markdown http.md";

/// What is measured, and where it goes.
#[derive(clap::Args)]
pub(crate) struct Measure {
    /// Libraries whose names begin with one of these; all by default
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    pub peers: Vec<String>,
    /// Rows whose ids contain one of these, separated by commas; the primitives of their floors come along
    #[arg(long, value_name = "PATTERN,...")]
    pub only: Option<String>,
    /// Fewer and shorter rounds: for a look, not for the record
    #[arg(long)]
    pub quick: bool,
    /// How many times every row is measured
    #[arg(long, value_name = "N")]
    pub rounds: Option<usize>,
    /// The figure that tables show: the median of the rounds, or the quietest turn of all
    #[arg(long, value_enum, default_value_t = Figure::Median)]
    pub figure: Figure,
    /// Also write everything as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Also write the tables as Markdown
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Also draw time over floor
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// Which of a cell's two figures counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Figure {
    Median,
    Quietest,
}

impl Measure {
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 3 } else { 15 }).max(1)
    }
}

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Counts the instructions of Clasp's handshakes with callgrind
    Instructions(Instructions),
    /// Puts `clasp serve`, nginx and hyper with tokio-rustls under load
    WholeProcess(WholeProcess),
    /// Puts hyper clients and axum servers, with Clasp and with rustls, side by side
    Http(Http),
}

#[derive(clap::Args)]
pub(crate) struct Http {
    /// How many times every load is put on every client and server
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub rounds: usize,
    /// How long a load lasts
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 2000)]
    pub millis: u64,
    /// How many connections stand idle
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub idle: usize,
    /// Also write the table as Markdown
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(crate) struct WholeProcess {
    /// Servers whose names begin with one of these (clasp, nginx, hyper); all by default
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    pub servers: Vec<String>,
    /// The program `clasp`; built if it is not given
    #[arg(long, value_name = "FILE")]
    pub clasp: Option<PathBuf>,
    /// How many times every load is put on every server
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub rounds: usize,
    /// How long a load lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 4)]
    pub seconds: u32,
    /// How many connections stand idle
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub idle: usize,
    /// Also write the table as Markdown
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(crate) struct Instructions {
    /// Rows whose ids contain one of these, separated by commas
    #[arg(long, value_name = "PATTERN,...")]
    pub only: Option<String>,
    /// Compare with the baseline: exit code 1 if a row needs more
    #[arg(long)]
    pub check: bool,
    /// Write the baseline anew
    #[arg(long, conflicts_with_all = ["check", "only"])]
    pub save: bool,
    /// Another worker than Clasp's, to compare
    #[arg(long, value_name = "NAME", default_value = "clasp", conflicts_with_all = ["check", "save"])]
    pub peer: String,
    /// Keep callgrind's files there, for callgrind_annotate
    #[arg(long, value_name = "DIRECTORY")]
    pub keep: Option<PathBuf>,
}
