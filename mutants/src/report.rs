//! What came of all mutants: a table for each folder, and those that live as text and as JSON.

use crate::judge::Fate;
use crate::known::Known;
use crate::mutant::Mutant;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

#[derive(Default)]
struct Row {
    killed: usize,
    timed_out: usize,
    survived: usize,
    unreached: usize,
    unviable: usize,
}

impl Row {
    fn add(&mut self, fate: &Fate) {
        match fate {
            Fate::Killed(_) => self.killed += 1,
            Fate::TimedOut => self.timed_out += 1,
            Fate::Survived => self.survived += 1,
            Fate::Unreached => self.unreached += 1,
            Fate::Unviable => self.unviable += 1,
        }
    }

    /// In thousandths of those that compile.
    fn rate(&self) -> usize {
        let killed = self.killed + self.timed_out;
        (killed * 1000).checked_div(killed + self.survived + self.unreached).unwrap_or(1000)
    }
}

/// The table, and how many of a thousand that compile were killed.
pub(crate) fn table(judged: &[(&Mutant, Fate)]) -> (String, usize) {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut all = Row::default();
    for (mutant, fate) in judged {
        let parts: Vec<_> = mutant.file.iter().map(|part| part.to_string_lossy()).collect();
        // crates/clasp/src/record/open.rs is of clasp/record.
        let folder = match &parts[..] {
            [_, package, _, folder, ..] => format!("{package}/{folder}"),
            _ => mutant.file.display().to_string(),
        };
        rows.entry(folder).or_default().add(fate);
        all.add(fate);
    }
    let rate = all.rate();
    rows.insert("together".into(), all);
    let mut text = format!(
        "{:<28} {:>7} {:>9} {:>8} {:>9} {:>8} {:>8}\n",
        "folder", "killed", "timed out", "survived", "unreached", "unviable", "rate"
    );
    for (folder, row) in rows.iter().filter(|(folder, _)| *folder != "together").chain(rows.get_key_value("together")) {
        let _ = writeln!(
            text,
            "{folder:<28} {:>7} {:>9} {:>8} {:>9} {:>8} {:>6}.{} %",
            row.killed,
            row.timed_out,
            row.survived,
            row.unreached,
            row.unviable,
            row.rate() / 10,
            row.rate() % 10
        );
    }
    (text, rate)
}

/// A line of the list.
pub(crate) fn line(mutant: &Mutant, fate: &Fate) -> String {
    let unreached = if *fate == Fate::Unreached { " (unreached)" } else { "" };
    format!("{}:{}:{}: {}{unreached}", mutant.file.display(), mutant.line, mutant.column, mutant.key)
}

/// Writes `survivors.txt`, those not known first, and `mutants.json`, all of them.
pub(crate) fn write(folder: &Path, judged: &[(&Mutant, Fate)], known: &Known) -> io::Result<()> {
    let alive: Vec<_> = judged.iter().filter(|(_, fate)| fate.lives()).collect();
    let (old, new): (Vec<_>, Vec<_>) = alive.into_iter().partition(|(mutant, _)| known.has(&mutant.key));
    let mut text = String::new();
    for (title, list) in [("not known", new), ("known", old)] {
        let _ = writeln!(text, "# {title}: {}", list.len());
        for (mutant, fate) in list {
            let _ = writeln!(text, "{}", line(mutant, fate));
        }
    }
    std::fs::write(folder.join("survivors.txt"), text)?;
    let all: Vec<_> = judged
        .iter()
        .map(|(mutant, fate)| {
            let (fate, by) = match fate {
                Fate::Killed(by) => ("killed", by.as_str()),
                Fate::TimedOut => ("timed out", ""),
                Fate::Survived => ("survived", ""),
                Fate::Unreached => ("unreached", ""),
                Fate::Unviable => ("unviable", ""),
            };
            json!({
                "file": mutant.file, "line": mutant.line, "column": mutant.column, "id": mutant.id,
                "key": mutant.key, "fate": fate, "by": by, "known": known.has(&mutant.key),
            })
        })
        .collect();
    std::fs::write(folder.join("mutants.json"), serde_json::to_vec_pretty(&all)?)
}
