//! Clasp against real TLS peers: every row with every peer, in both directions. See the crate's page for how to run it.
#![forbid(unsafe_code)]
// This is a program that reports to people.
#![allow(clippy::print_stdout)]

mod child;
mod lab;
mod ours;
mod peers;
mod report;
mod rows;

use clasp::wire::code::{NamedGroup, ProtocolVersion};
use lab::Lab;
use peers::{ALL, Find, Peer};
use report::{Cell, Column, Report};
use rows::{Ours, Row};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// What was asked for on the command line.
#[derive(Default)]
struct Args {
    peer: Option<String>,
    row: Option<String>,
    /// A bare word, as in `cargo test WORD`: rows with it in their name, and none is no error.
    filter: Option<String>,
    json: bool,
    list: bool,
}

impl Args {
    fn read() -> Result<Self, String> {
        let mut args = Self::default();
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match word.as_str() {
                "--peer" => args.peer = Some(value()?),
                "--row" => args.row = Some(value()?),
                "--json" => args.json = true,
                "--list" => args.list = true,
                // What `cargo test -- ...` says to every test program.
                "--nocapture" | "--no-capture" | "--quiet" | "-q" | "--show-output" | "--exact" => {}
                "--test-threads" | "--skip" => drop(value()?),
                option if option.starts_with("--test-threads=") => {}
                filter if !filter.starts_with('-') => args.filter = Some(word),
                other => return Err(format!("unknown argument {other}; known: --peer NAME --row TEXT --json --list")),
            }
        }
        Ok(args)
    }
}

fn main() -> ExitCode {
    match Args::read().and_then(|args| run(&args)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            println!("error: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<bool, String> {
    let interop = std::env::var("CLASP_INTEROP").unwrap_or_default();
    if interop == "off" {
        println!("interop: switched off by CLASP_INTEROP");
        return Ok(true);
    }
    let required = interop == "require";
    let wanted = |name: &str| [&args.row, &args.filter].into_iter().flatten().all(|text| name.contains(text.as_str()));
    let rows: Vec<Row> = rows::all().into_iter().filter(|r| wanted(&r.name)).collect();
    let peers: Vec<_> = ALL.into_iter().filter(|(name, _)| args.peer.as_ref().is_none_or(|p| p == name)).collect();
    if rows.is_empty() && args.filter.is_some() {
        println!("interop: 0 passed, 0 failed, 0 skipped");
        return Ok(true);
    }
    if rows.is_empty() || peers.is_empty() {
        return Err("no such peer or row; --list shows them".into());
    }
    if args.list {
        println!("peers: {}", peers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" "));
        rows.iter().for_each(|r| println!("{}", r.name));
        return Ok(true);
    }
    let begun = Instant::now();
    let lab = Lab::new().map_err(|e| e.to_string())?;
    let columns = all_columns(&peers, &rows, &lab, args.json);
    let report = Report { rows: &rows, columns, required, seconds: begun.elapsed().as_secs_f64() };
    if args.json {
        println!("{:#}", report.json());
    } else {
        print!("{}", report.table());
    }
    Ok(report.is_good())
}

/// Runs the peers, as many at once as there are processors.
fn all_columns(peers: &[(&'static str, Find)], rows: &[Row], lab: &Lab, quiet: bool) -> Vec<Column> {
    let queue: Mutex<VecDeque<_>> = Mutex::new(peers.iter().copied().enumerate().collect());
    let columns = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some((n, (name, find))) = next else { return };
                    let column = column(name, find, rows, lab, quiet);
                    columns.lock().unwrap_or_else(PoisonError::into_inner).push((n, column));
                }
            });
        }
    });
    let mut columns = columns.into_inner().unwrap_or_else(PoisonError::into_inner);
    columns.sort_by_key(|(n, _)| *n);
    columns.into_iter().map(|(_, column)| column).collect()
}

fn column(name: &'static str, find: Find, rows: &[Row], lab: &Lab, quiet: bool) -> Column {
    let begun = Instant::now();
    let peer = match find(lab) {
        Ok(peer) => peer,
        Err(why) => {
            if !quiet {
                println!("skipped: {name}: {why}");
            }
            return Column { name, version: Err(why), cells: Vec::new(), seconds: 0.0 };
        }
    };
    let mut cells = Vec::new();
    for row in rows {
        for ours in [Ours::Client, Ours::Server] {
            let at = Instant::now();
            let cell = cell(peer.as_ref(), row, ours, lab);
            if !quiet {
                println!("{}", report::line(name, row, ours, &cell, at.elapsed()));
            }
            cells.push(cell);
        }
    }
    Column { name, version: Ok(peer.version()), cells, seconds: begun.elapsed().as_secs_f64() }
}

fn cell(peer: &dyn Peer, row: &Row, ours: Ours, lab: &Lab) -> Cell {
    if let Some(why) = lacks(peer, row, ours) {
        return Cell::Lacks(why);
    }
    // Three in a row would fail once in sixteen million.
    let finite_field = row.version == ProtocolVersion::Tls13 && row.group.is_some_and(NamedGroup::is_ffdhe);
    let tries = if finite_field && peer.habits().loses_leading_zeros { 3 } else { 1 };
    let mut outcome = tried(peer, row, ours, lab);
    for _again in 1..tries {
        if matches!(outcome, Cell::Failed(_)) {
            outcome = tried(peer, row, ours, lab);
        }
    }
    outcome
}

fn tried(peer: &dyn Peer, row: &Row, ours: Ours, lab: &Lab) -> Cell {
    // A panic of Clasp is a failed row too, not the end of the run.
    match catch_unwind(AssertUnwindSafe(|| ours::run(peer, row, ours, lab))) {
        Ok(Ok(())) => Cell::Good,
        Ok(Err(story)) => Cell::Failed(story),
        Err(_) => Cell::Failed("panicked".into()),
    }
}

fn lacks(peer: &dyn Peer, row: &Row, ours: Ours) -> Option<&'static str> {
    if ours == Ours::Client && row.resume == rows::Resume::Fleet {
        return Some("the fleet is of Clasp servers");
    }
    peer.lacks(row, ours)
}
