//! The third command: whole servers, each with the same certificate, suites and page, under the load of public
//! generators. Loopback only, bounded in time; every process ends with the command.
//!
//! Generators and servers share the machine's cores, and OpenSSL's clients cost more than any server here: beside what
//! came through stands what each answer cost the server in processor time, which the generator does not decide.

mod loads;
pub(crate) mod processes;
mod servers;
pub(crate) mod site;

use crate::arguments::WholeProcess;
use crate::report::table::Table;
use anyhow::{Context as _, Result};
use loads::{LOADS, Outcome};
use servers::{Kind, Server};
use site::Site;

/// Runs everything and prints the table.
pub(crate) fn run(options: &WholeProcess) -> Result<()> {
    let machine = crate::machine::look();
    let site = Site::make()?;
    let kinds = servers::available(options)?;
    let idle_clients = crate::build::build("bench-whole-process", "idle-clients")?;
    let mut outcomes: Vec<Vec<Vec<Outcome>>> = vec![vec![Vec::new(); kinds.len()]; LOADS.len()];
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        // In turning order: who comes first finds another machine than who comes last.
        let first = round % kinds.len();
        for at in (first..kinds.len()).chain(0..first) {
            let kind = &kinds[at];
            let server = Server::start(kind, &site)?;
            for (load, outcomes) in LOADS.iter().zip(&mut outcomes) {
                let outcome =
                    load.run(&server, options.seconds).with_context(|| format!("{}: {}", kind.name, load.name))?;
                outcomes[at].push(outcome);
            }
        }
    }
    let mut idle = Vec::new();
    for kind in &kinds {
        eprintln!("{} idle connections: {}", options.idle, kind.name);
        let server = Server::start(kind, &site)?;
        idle.push(server.idle(&idle_clients, &site.path("root.pem"), options.idle).with_context(|| kind.name.clone())?);
    }
    let table = table(&kinds, &outcomes, &idle, options.idle);
    println!("{}\n{}", machine.line(), table.text());
    if let Some(path) = &options.markdown {
        let text = format!("{}; medians of {} rounds.\n\n{}", machine.line(), options.rounds, table.markdown());
        std::fs::write(path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn table(kinds: &[Kind], outcomes: &[Vec<Vec<Outcome>>], idle: &[servers::Idle], count: usize) -> Table {
    let mut rows = Vec::new();
    for (load, outcomes) in LOADS.iter().zip(outcomes) {
        let mut row = |what: &str, figure: fn(&Outcome) -> Option<f64>, decimals: usize| {
            let cells: Vec<Option<f64>> = outcomes.iter().map(|o| median(o.iter().filter_map(figure))).collect();
            if cells.iter().any(Option::is_some) {
                let text = cells.iter().map(|c| c.map_or("-".into(), |v| format!("{v:.decimals$}")));
                rows.push(core::iter::once(format!("{}: {what}", load.name)).chain(text).collect());
            }
        };
        row(load.unit, |o| Some(o.per_second), 0);
        row("server µs each", |o| Some(o.server_micros), 1);
        row("p99, ms", |o| o.p99_millis, 2);
    }
    let mut kib = |what: &str, figure: fn(&servers::Idle) -> f64| {
        let cells = idle.iter().map(|i| format!("{:.1}", figure(i)));
        rows.push(core::iter::once(format!("{count} idle connections: {what}")).chain(cells).collect());
    };
    kib("resident, MiB", |i| i.resident / (1024.0 * 1024.0));
    kib("KiB each", |i| i.each / 1024.0);
    let head = core::iter::once(String::new()).chain(kinds.iter().map(|k| k.name.clone())).collect();
    Table { title: "Whole servers".into(), head, rows }
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
