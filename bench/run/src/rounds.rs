//! Who is asked what, and when: rounds outermost, so that every row and every library sees the machine's good and bad
//! minutes alike; within a row the libraries stand side by side, in turning order.

use crate::arguments::Measure;
use crate::results::{Cell, Described, LeftOut, Results, RowResults};
use crate::worker::Worker;
use crate::{floor, machine};
use anyhow::{Result, ensure};
use bench_harness::protocol::Reply;
use bench_harness::row::{self, Row, Work};

/// The rows whose ids contain one of the patterns, and the primitives of their floors.
pub(crate) fn choose(only: Option<&str>) -> Result<Vec<Row>> {
    let Some(patterns) = only else { return Ok(row::all()) };
    let matches = |row: &Row| patterns.split(',').any(|pattern| row.id.contains(pattern));
    let chosen: Vec<Row> = row::all().into_iter().filter(matches).collect();
    ensure!(
        !chosen.is_empty(),
        "no row's id contains {patterns:?}: ids look like hs13/x25519/ecdsa, bulk/aes-128-gcm/64-b"
    );
    let needed: Vec<_> =
        chosen.iter().filter_map(|row| floor::recipe(&row.work)).flat_map(floor::Recipe::primitives).collect();
    let is_needed = |row: &Row| matches!(row.work, Work::Primitive(p) if needed.contains(&p));
    Ok(row::all().into_iter().filter(|row| matches(row) || is_needed(row)).collect())
}

/// How long a slice takes.
fn millis(work: &Work, quick: bool) -> u64 {
    let full = match work {
        Work::Handshake(_) => 60,
        Work::Bulk(..) => 40,
        Work::Primitive(_) => 12,
        Work::Heap(_) => 1,
    };
    if quick { full / 2 + 1 } else { full }
}

pub(crate) fn run(workers: &mut [Worker], left_out: Vec<LeftOut>, rows: &[Row], options: &Measure) -> Result<Results> {
    let machine = machine::look();
    let rounds = options.rounds();
    let mut replies: Vec<Vec<Vec<Reply>>> = vec![vec![Vec::new(); workers.len()]; rows.len()];
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        for (row, replies) in rows.iter().zip(&mut replies) {
            // The heap does not change from round to round.
            if matches!(row.work, Work::Heap(_)) && round > 0 {
                continue;
            }
            for turn in 0..workers.len() {
                let at = (turn + round) % workers.len();
                let settled = matches!(replies[at].last(), Some(Reply::Lacks(_) | Reply::Failed(_)));
                if !settled {
                    let reply = workers[at].ask(&row.id, millis(&row.work, options.quick))?;
                    if let Reply::Failed(error) = &reply {
                        eprintln!("FAILED: {} in {}: {error}", workers[at].name, row.id);
                    }
                    replies[at].push(reply);
                }
            }
        }
    }
    let libraries = workers.iter().map(|w| Described { name: w.name.to_string(), describes: w.describes.clone() });
    let rows = rows.iter().zip(&replies).map(|(row, replies)| RowResults {
        id: row.id.clone(),
        title: row.work.title(),
        work: row.work,
        cells: replies.iter().map(|r| Cell::of(r)).collect(),
    });
    Ok(Results { machine, rounds, libraries: libraries.collect(), left_out, rows: rows.collect() })
}
