//! What is written at the end.

mod chart;
pub(crate) mod table;
mod tables;

use crate::arguments::Measure;
use crate::floor;
use crate::results::{Cell, Results};
use anyhow::{Context as _, Result};
use std::path::Path;

/// Prints the tables, and writes the files that were asked for.
pub(crate) fn write(results: &Results, options: &Measure) -> Result<()> {
    let tables = tables::all(results, options.figure);
    println!("{}", results.machine.line());
    println!("{} rounds; {:?} figures", results.rounds, options.figure);
    for library in &results.libraries {
        println!("{:<18}{}", library.name, library.describes);
    }
    for left_out in &results.left_out {
        println!("LEFT OUT: {}: {}", left_out.name, left_out.why);
    }
    for table in &tables {
        println!("\n{}", table.text());
    }
    for note in notes(results) {
        println!("{note}");
    }
    if let Some(path) = &options.json {
        save(path, serde_json::to_string_pretty(&json(results, options))?)?;
    }
    if let Some(path) = &options.markdown {
        save(path, markdown(results, options, &tables))?;
    }
    if let Some(path) = &options.svg {
        save(path, chart::draw(results, options.figure))?;
    }
    Ok(())
}

fn save(path: &Path, text: String) -> Result<()> {
    std::fs::write(path, text).with_context(|| path.display().to_string())
}

/// The results, and each row's floor beside it.
fn json(results: &Results, options: &Measure) -> serde_json::Value {
    let floors: serde_json::Map<String, serde_json::Value> = results
        .rows
        .iter()
        .filter_map(|row| Some((row.id.clone(), floor::of(results, &row.work, options.figure)?.to_vec().into())))
        .collect();
    serde_json::json!({ "results": results, "floors_ns": floors })
}

fn markdown(results: &Results, options: &Measure, tables: &[table::Table]) -> String {
    let mut text = format!("{}; {} rounds, {:?} figures.\n\n", results.machine.line(), results.rounds, options.figure);
    for library in &results.libraries {
        text += &format!("- {}: {}\n", library.name, library.describes);
    }
    for left_out in &results.left_out {
        text += &format!("- left out: {}\n", left_out.name);
    }
    for table in tables {
        text += &format!("\n{}", table.markdown());
    }
    let notes = notes(results);
    if !notes.is_empty() {
        text += &format!("\n{}\n", notes.join("\n"));
    }
    text
}

/// Why there are gaps in the tables.
fn notes(results: &Results) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for row in &results.rows {
        for (cell, library) in row.cells.iter().zip(&results.libraries) {
            let note = match cell {
                Cell::Lacks(reason) => format!("- {} lacks: {reason}", library.name),
                Cell::Failed(error) => format!("- {} FAILED in {}: {error}", library.name, row.id),
                _ => continue,
            };
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    notes
}
