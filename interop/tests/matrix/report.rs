//! What came of it, for people and as JSON.

use crate::rows::{Ours, Row};
use core::fmt::Write;
use serde_json::{Value, json};
use std::time::Duration;

/// One row with one peer in one direction.
pub(crate) enum Cell {
    Good,
    /// The peer cannot do it, and why.
    Lacks(&'static str),
    Failed(String),
}

impl Cell {
    const fn word(&self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Lacks(_) => "-",
            Self::Failed(_) => "FAIL",
        }
    }
}

/// One peer.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// Its version, or why it is not here.
    pub(crate) version: Result<String, String>,
    /// For each row: Clasp as client, Clasp as server.
    pub(crate) cells: Vec<Cell>,
    pub(crate) seconds: f64,
}

/// The whole matrix.
pub(crate) struct Report<'a> {
    pub(crate) rows: &'a [Row],
    pub(crate) columns: Vec<Column>,
    /// A missing peer is a failure.
    pub(crate) required: bool,
    pub(crate) seconds: f64,
}

/// The line of one row that ran.
pub(crate) fn line(peer: &str, row: &Row, ours: Ours, cell: &Cell, took: Duration) -> String {
    let head = format!("{peer:8} {:12} {}", ours.name(), row.name);
    match cell {
        Cell::Good => format!("{head} ... ok ({} ms)", took.as_millis()),
        Cell::Lacks(why) => format!("{head} ... not supported by the peer: {why}"),
        Cell::Failed(story) => format!("{head} ... FAILED ({} ms)\n      {story}", took.as_millis()),
    }
}

impl Report<'_> {
    fn count(&self, is: impl Fn(&Cell) -> bool) -> usize {
        self.columns.iter().flat_map(|c| &c.cells).filter(|c| is(c)).count()
    }

    fn missing(&self) -> usize {
        self.columns.iter().filter(|c| c.version.is_err()).count()
    }

    fn failed(&self) -> usize {
        let missing = if self.required { self.missing() } else { 0 };
        self.count(|c| matches!(c, Cell::Failed(_))) + missing
    }

    /// Whether all that ran went well, something ran, and nobody who is required is missing.
    pub(crate) fn is_good(&self) -> bool {
        self.failed() == 0 && (self.count(|c| matches!(c, Cell::Good)) > 0 || !self.required)
    }

    /// The table: a line per row, two marks per peer.
    pub(crate) fn table(&self) -> String {
        let mut text = String::from("\n");
        let wide = self.rows.iter().map(|r| r.name.len()).max().unwrap_or(0);
        let mut put = |line: core::fmt::Arguments<'_>| text.write_fmt(line).expect("writing to a String");
        for c in &self.columns {
            match &c.version {
                Ok(version) => put(format_args!("{:8} {version} ({:.1} s)\n", c.name, c.seconds)),
                Err(why) if self.required => put(format_args!("{:8} MISSING, and required: {why}\n", c.name)),
                Err(why) => put(format_args!("{:8} skipped: {why}\n", c.name)),
            }
        }
        put(format_args!("\nC: Clasp is the client. S: Clasp is the server. -: not supported by the peer.\n\n"));
        let present: Vec<&Column> = self.columns.iter().filter(|c| c.version.is_ok()).collect();
        put(format_args!("{:wide$}", ""));
        present.iter().for_each(|c| put(format_args!("  {:9}", c.name)));
        put(format_args!("\n{:wide$}", ""));
        present.iter().for_each(|_| put(format_args!("  {:4} {:4}", "C", "S")));
        for (n, row) in self.rows.iter().enumerate() {
            put(format_args!("\n{:wide$}", row.name));
            for c in &present {
                let word = |at: usize| c.cells.get(at).map_or("?", Cell::word);
                put(format_args!("  {:4} {:4}", word(2 * n), word(2 * n + 1)));
            }
        }
        put(format_args!("\n\n"));
        for (n, cell) in present.iter().flat_map(|c| c.cells.iter().enumerate().map(move |(n, cell)| ((c, n), cell))) {
            if let Cell::Failed(story) = cell {
                let ours = if n.1 % 2 == 0 { Ours::Client } else { Ours::Server };
                let row = self.rows.get(n.1 / 2).map_or("?", |r| r.name.as_str());
                put(format_args!("FAILED {} {} {row}\n      {story}\n", n.0.name, ours.name()));
            }
        }
        put(format_args!(
            "{} not supported by the peer, {} peers missing, {:.1} s\n",
            self.count(|c| matches!(c, Cell::Lacks(_))),
            self.missing(),
            self.seconds
        ));
        let skipped = if self.required { 0 } else { self.missing() };
        let good = self.count(|c| matches!(c, Cell::Good));
        put(format_args!("interop: {good} passed, {} failed, {skipped} skipped\n", self.failed()));
        text
    }

    /// The same as JSON.
    pub(crate) fn json(&self) -> Value {
        let cell = |cell: Option<&Cell>| match cell {
            Some(Cell::Good) => json!("ok"),
            Some(Cell::Lacks(why)) => json!({ "not supported by the peer": why }),
            Some(Cell::Failed(story)) => json!({ "failed": story }),
            None => Value::Null,
        };
        let peers = self.columns.iter().map(|c| {
            let rows = self.rows.iter().enumerate().map(|(n, row)| {
                let both =
                    json!({ "clasp client": cell(c.cells.get(2 * n)), "clasp server": cell(c.cells.get(2 * n + 1)) });
                (row.name.clone(), both)
            });
            match &c.version {
                Ok(version) => json!({ "name": c.name, "version": version, "seconds": c.seconds,
                    "rows": rows.collect::<serde_json::Map<_, _>>() }),
                Err(why) => json!({ "name": c.name, "missing": why }),
            }
        });
        json!({ "passed": self.count(|c| matches!(c, Cell::Good)), "failed": self.failed(), "missing": self.missing(),
            "seconds": self.seconds, "peers": peers.collect::<Vec<_>>() })
    }
}
