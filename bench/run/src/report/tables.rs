//! The report's tables, from the results.

use super::table::Table;
use crate::arguments::Figure;
use crate::floor;
use crate::results::{Cell, Results, RowResults};
use bench_harness::primitive::Primitive;
use bench_harness::protocol::HeapFigures;
use bench_harness::row::Work;

/// What stands where there is no figure.
const NOTHING: &str = "-";

/// Those with rows, in order.
pub(crate) fn all(results: &Results, figure: Figure) -> Vec<Table> {
    let tables = [ratios(results, figure), handshakes(results, figure), bulk(results, figure)];
    let more = [small_records(results, figure), heap(results), primitives(results, figure)];
    tables.into_iter().chain(more).filter(|table| !table.rows.is_empty()).collect()
}

/// The rows with two sides, each with its floor where there is one.
fn sided(results: &Results) -> impl Iterator<Item = &RowResults> {
    results.rows.iter().filter(|row| matches!(row.work, Work::Handshake(_) | Work::Bulk(..)))
}

/// Clasp's time over the floor's, and over that of the best other library.
fn ratios(results: &Results, figure: Figure) -> Table {
    let head = ["", "Clasp / floor", "Clasp / best other", "best other"].map(String::from).to_vec();
    let mut rows = Vec::new();
    for row in sided(results) {
        let Some(ours) = results.clasp().and_then(|at| row.cells[at].sides(figure)) else { continue };
        let floor = floor::of(results, &row.work, figure);
        let best = [best_other(results, row, figure, 0), best_other(results, row, figure, 1)];
        let over = |other: [Option<f64>; 2]| pair([0, 1].map(|side| other[side].map(|o| ours[side] / o)), 2);
        rows.push(vec![
            row.title.clone(),
            over(floor.map_or([None; 2], |f| f.map(Some))),
            over(best.map(|b| b.map(|(time, _)| time))),
            best.map(|b| b.map_or(NOTHING, |(_, name)| name)).join(" / "),
        ]);
    }
    Table {
        title: "Ratios of time: client / server, for bulk send / receive (below 1 Clasp is faster)".into(),
        head,
        rows,
    }
}

/// The least time of a side among the other libraries.
fn best_other<'a>(results: &'a Results, row: &RowResults, figure: Figure, side: usize) -> Option<(f64, &'a str)> {
    let others = row.cells.iter().zip(&results.libraries).filter(|(_, library)| library.name != "clasp");
    let times = others.filter_map(|(cell, library)| Some((cell.sides(figure)?[side], library.name.as_str())));
    times.min_by(|a, b| a.0.total_cmp(&b.0))
}

fn handshakes(results: &Results, figure: Figure) -> Table {
    let rows = sided(results).filter(|row| matches!(row.work, Work::Handshake(_))).map(|row| {
        let micros = |sides: [f64; 2]| pair(sides.map(|ns| Some(ns / 1000.0)), 1);
        let mut line = vec![row.title.clone()];
        line.extend(row.cells.iter().map(|cell| cell.sides(figure).map_or(NOTHING.into(), micros)));
        line.push(floor::of(results, &row.work, figure).map_or(NOTHING.into(), micros));
        line
    });
    let title = "Handshakes: µs of processor time, client / server".into();
    Table { title, head: with_libraries(results, "floor"), rows: rows.collect() }
}

fn bulk(results: &Results, figure: Figure) -> Table {
    let rows = sided(results).filter_map(|row| {
        let Work::Bulk(_, write) = row.work else { return None };
        let rate = |sides: [f64; 2]| pair(sides.map(|ns| Some(write as f64 * 1000.0 / ns)), 0);
        let mut line = vec![row.title.clone()];
        line.extend(row.cells.iter().map(|cell| cell.sides(figure).map_or(NOTHING.into(), rate)));
        line.push(floor::of(results, &row.work, figure).map_or(NOTHING.into(), rate));
        Some(line)
    });
    let title = "Bulk by size of write: MB/s, send / receive".into();
    Table { title, head: with_libraries(results, "fastest bare cipher"), rows: rows.collect() }
}

/// What a record of 64 bytes costs on top of the cipher.
fn small_records(results: &Results, figure: Figure) -> Table {
    let rows = sided(results).filter_map(|row| {
        let Work::Bulk(_, 64) = row.work else { return None };
        let floor = floor::of(results, &row.work, figure)?;
        let over = |sides: [f64; 2]| pair([0, 1].map(|side| Some(sides[side] - floor[side])), 0);
        let mut line = vec![row.title.clone()];
        line.extend(row.cells.iter().map(|cell| cell.sides(figure).map_or(NOTHING.into(), over)));
        line.push(pair(floor.map(Some), 0));
        Some(line)
    });
    let title = "Small records: ns per record over the fastest bare cipher, send / receive".into();
    Table { title, head: with_libraries(results, "fastest bare cipher"), rows: rows.collect() }
}

/// A figure's name, and how it is had.
type Named = (&'static str, fn(&HeapFigures) -> i64);

fn heap(results: &Results) -> Table {
    let figures: [Named; 5] = [
        ("idle after the handshake", |h| h.idle),
        ("idle after 16 KiB each way", |h| h.idle_used),
        ("the same, told to rest", |h| h.at_rest),
        ("peak in the handshake", |h| h.peak),
        ("allocations in the handshake", |h| h.allocations),
    ];
    let mut rows = Vec::new();
    for row in results.rows.iter().filter(|row| matches!(row.work, Work::Heap(_))) {
        for (name, figure) in figures {
            let mut line = vec![format!("{}: {name}", row.title)];
            line.extend(row.cells.iter().map(|cell| match cell {
                Cell::Heap { client, server } => format!("{} / {}", figure(client), figure(server)),
                _ => NOTHING.into(),
            }));
            rows.push(line);
        }
    }
    let mut head = with_libraries(results, "");
    head.pop();
    Table { title: "Heap: bytes of a connection, and allocations, client / server".into(), head, rows }
}

fn primitives(results: &Results, figure: Figure) -> Table {
    let rows = results.rows.iter().filter_map(|row| {
        let Work::Primitive(primitive) = row.work else { return None };
        let mut line = vec![row.title.clone()];
        line.extend(row.cells.iter().map(|cell| match cell {
            Cell::Alone(stat) => digits(stat.get(figure)),
            _ => NOTHING.into(),
        }));
        line.push(fastest(results, primitive, figure));
        Some(line)
    });
    let title = "Bare primitives: ns (Clasp's column is its face before the libraries, not part of the floor)".into();
    Table { title, head: with_libraries(results, "fastest"), rows: rows.collect() }
}

fn fastest(results: &Results, primitive: Primitive, figure: Figure) -> String {
    floor::fastest(results, primitive, figure).map_or(NOTHING.into(), |(_, name)| name.into())
}

fn with_libraries(results: &Results, last: &str) -> Vec<String> {
    let names = results.libraries.iter().map(|l| l.name.clone());
    core::iter::once(String::new()).chain(names).chain([last.to_string()]).collect()
}

fn digits(ns: f64) -> String {
    if ns < 1000.0 { format!("{ns:.1}") } else { format!("{ns:.0}") }
}

/// Two values as `a / b`.
fn pair(values: [Option<f64>; 2], decimals: usize) -> String {
    values.map(|value| value.map_or(NOTHING.into(), |v| format!("{v:.decimals$}"))).join(" / ")
}
