//! The process around a library: requests on standard input, replies on standard output.

use crate::credentials::Credentials;
use crate::instructions;
use crate::measure::Prepared;
use crate::peer::{Offer, Peer};
use crate::protocol::{Reply, Request};
use crate::row::{self, Work};
use anyhow::{Context as _, Result, bail};
use std::collections::HashMap;
use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

/// Runs a worker. Its arguments: `describe`; `processor`; `serve CREDENTIALS`; or `count CREDENTIALS ROW client|server`, for callgrind.
pub fn main(peer: &dyn Peer) -> ExitCode {
    match run(peer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error:#}", peer.describe());
            ExitCode::FAILURE
        }
    }
}

fn run(peer: &dyn Peer) -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // A worker that serves for several libraries has the library's name first; it has been dealt with.
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).skip_while(|a| a.starts_with("--")).collect();
    match arguments[..] {
        ["describe"] => {
            println!("{}", peer.describe());
            Ok(())
        }
        ["processor"] => {
            println!("{}", instructions::processor());
            Ok(())
        }
        ["serve", credentials] => serve(peer, &read(credentials)?),
        ["count", credentials, row, side @ ("client" | "server")] => {
            instructions::run(peer, &read(credentials)?, row, side == "client")
        }
        _ => bail!("started by the benchmark's controller, not by hand"),
    }
}

fn read(path: &str) -> Result<Credentials> {
    let text = std::fs::read(path).with_context(|| path.to_string())?;
    Ok(serde_json::from_slice(&text)?)
}

fn serve(peer: &dyn Peer, credentials: &Credentials) -> Result<()> {
    let works: HashMap<String, Work> = row::all().into_iter().map(|row| (row.id, row.work)).collect();
    let mut prepared: HashMap<String, Offer<Prepared>> = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let request: Request = serde_json::from_str(&line?)?;
        let work = works.get(&request.row).with_context(|| format!("no row {}", request.row))?;
        let reply = reply(peer, credentials, work, &request, &mut prepared)
            .unwrap_or_else(|error| Reply::Failed(format!("{error:#}")));
        let mut out = std::io::stdout().lock();
        serde_json::to_writer(&mut out, &reply)?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(())
}

fn reply(
    peer: &dyn Peer,
    credentials: &Credentials,
    work: &Work,
    request: &Request,
    prepared: &mut HashMap<String, Offer<Prepared>>,
) -> Result<Reply> {
    if !prepared.contains_key(&request.row) {
        prepared.insert(request.row.clone(), prepare(peer, credentials, work)?);
    }
    match prepared.get_mut(&request.row).context("it was put there")? {
        Offer::Has(row) => Ok(Reply::Figures(row.measure(Duration::from_millis(request.millis))?)),
        Offer::Lacks(reason) => Ok(Reply::Lacks((*reason).to_string())),
    }
}

fn prepare(peer: &dyn Peer, credentials: &Credentials, work: &Work) -> Result<Offer<Prepared>> {
    let scenario = match work {
        Work::Handshake(scenario) | Work::Bulk(scenario, _) | Work::Heap(scenario) => scenario,
        Work::Primitive(primitive) => {
            return Ok(match peer.primitive(*primitive, credentials)? {
                Offer::Has(operation) => Offer::Has(Prepared::primitive(operation)?),
                Offer::Lacks(reason) => Offer::Lacks(reason),
            });
        }
    };
    if scenario.known && !peer.knows_chains() {
        return Ok(Offer::Lacks("a memory of chains that it accepted"));
    }
    let sides = match peer.sides(scenario, credentials)? {
        Offer::Has(sides) => sides,
        Offer::Lacks(reason) => return Ok(Offer::Lacks(reason)),
    };
    Ok(Offer::Has(match work {
        Work::Bulk(_, write) => Prepared::bulk(sides, scenario, *write)?,
        Work::Heap(_) => Prepared::heap(sides, scenario)?,
        _ => Prepared::handshake(sides, scenario)?,
    }))
}
