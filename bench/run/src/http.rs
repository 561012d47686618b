//! The fourth command: a hyper client and an axum server, with Clasp and with rustls. Each client asks rustls's server, and each server
//! is asked by rustls's client, so that in a row nothing differs but the one side. Loopback only, bounded in time.

use crate::arguments::Http;
use crate::build::build;
use crate::report::table::Table;
use crate::whole_process::median;
use crate::whole_process::processes::{Guarded, used};
use crate::whole_process::site::Site;
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// One side of a row: who asks, and who answers behind which HTTP.
struct Arm {
    side: Side,
    client: &'static str,
    server: (&'static str, &'static str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

const RUSTLS: (&str, &str) = ("http-rustls", "axum-server");
const ARMS: [Arm; 5] = [
    Arm { side: Side::Client, client: "http-clasp", server: RUSTLS },
    Arm { side: Side::Client, client: "http-rustls", server: RUSTLS },
    Arm { side: Side::Server, client: "http-rustls", server: ("http-clasp", "axum") },
    Arm { side: Side::Server, client: "http-rustls", server: ("http-clasp", "axum-server") },
    Arm { side: Side::Server, client: "http-rustls", server: RUSTLS },
];
const NAMES: [&str; 5] = [
    "client: clasp-hyper",
    "client: hyper-rustls",
    "server: clasp-axum, axum::serve",
    "server: clasp-axum, axum-server",
    "server: tokio-rustls, axum-server",
];

/// What the client's program says.
#[derive(Deserialize)]
struct Report {
    requests: f64,
    seconds: f64,
    /// Processor time of the client.
    micros: f64,
}

/// `bench-http`'s names of them, and ours.
const LOADS: [(&str, &str); 4] = [
    ("connections", "new connections, full handshakes"),
    ("small-1", "kept alive, HTTP/1.1"),
    ("small-2", "kept alive, HTTP/2"),
    ("large", "1 MiB bodies, HTTP/1.1"),
];

/// What an arm did in a round.
#[derive(Clone, Copy)]
struct Outcome {
    per_second: f64,
    /// Processor time of the side that is measured, for each request.
    micros: f64,
}

struct Programs {
    clasp: PathBuf,
    rustls: PathBuf,
}

impl Programs {
    fn find(&self, name: &str) -> &PathBuf {
        if name == "http-clasp" { &self.clasp } else { &self.rustls }
    }
}

/// Runs everything and prints the table.
pub(crate) fn run(options: &Http) -> Result<()> {
    let machine = crate::machine::look();
    let site = Site::make()?;
    let programs = Programs { clasp: build("bench-http", "http-clasp")?, rustls: build("bench-http", "http-rustls")? };
    let mut outcomes = vec![vec![Vec::new(); ARMS.len()]; LOADS.len()];
    let mut idle = vec![Vec::new(); ARMS.len()];
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        for ((load, title), outcomes) in LOADS.iter().zip(&mut outcomes) {
            // In turning order: who comes first finds another machine than who comes last.
            for at in (0..ARMS.len()).map(|n| (n + round) % ARMS.len()) {
                let outcome = ask(&ARMS[at], &programs, &site, load, options.millis);
                outcomes[at].push(outcome.with_context(|| format!("{}: {title}", NAMES[at]))?);
            }
        }
        for at in (0..ARMS.len()).map(|n| (n + round) % ARMS.len()) {
            let held = hold(&ARMS[at], &programs, &site, options.idle).with_context(|| NAMES[at])?;
            idle[at].push(held);
        }
    }
    let table = table(&outcomes, &idle, options.idle);
    println!("{}\n{}", machine.line(), table.text());
    if let Some(path) = &options.markdown {
        let text = format!("{}; medians of {} rounds.\n\n{}", machine.line(), options.rounds, table.markdown());
        std::fs::write(path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Starts the arm's server on a free port, and waits until it listens.
fn serve(arm: &Arm, programs: &Programs, site: &Site) -> Result<(Guarded, String)> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let address = format!("127.0.0.1:{port}");
    let (program, http) = arm.server;
    let mut command = Command::new(programs.find(program));
    command.args(["serve", http, &address, &site.path("cert.pem"), &site.path("key.pem")]);
    let mut server = Guarded::start(&mut command)?;
    let started = Instant::now();
    while TcpStream::connect(&address).is_err() {
        ensure!(server.lives() && started.elapsed() < Duration::from_secs(10), "the server does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok((server, address))
}

fn ask(arm: &Arm, programs: &Programs, site: &Site, load: &str, millis: u64) -> Result<Outcome> {
    let (server, address) = serve(arm, programs, site)?;
    let before = used(server.id())?.micros;
    let output = Command::new(programs.find(arm.client))
        .args(["ask", &address, &site.path("root.pem"), load, &millis.to_string()])
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Report = serde_json::from_slice(&output.stdout)?;
    let micros = if arm.side == Side::Client { report.micros } else { used(server.id())?.micros - before };
    Ok(Outcome { per_second: report.requests / report.seconds, micros: micros / report.requests })
}

/// Bytes of resident memory that each of so many connections has added to the side that is measured.
fn hold(arm: &Arm, programs: &Programs, site: &Site, count: usize) -> Result<f64> {
    let (server, address) = serve(arm, programs, site)?;
    let before = used(server.id())?.resident;
    let mut client = Command::new(programs.find(arm.client))
        .args(["hold", &address, &site.path("root.pem"), &count.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut said = String::new();
    BufReader::new(client.stdout.take().context("no standard output")?).read_line(&mut said)?;
    let resident = used(server.id()).map(|used| used.resident);
    // Its input ends, and it with it.
    drop(client.stdin.take());
    ensure!(client.wait()?.success(), "the connections could not be opened");
    if arm.side == Side::Client { Ok(said.trim().parse()?) } else { Ok((resident? - before) / count as f64) }
}

fn table(outcomes: &[Vec<Vec<Outcome>>], idle: &[Vec<f64>], count: usize) -> Table {
    let mut rows = Vec::new();
    for ((_, title), arms) in LOADS.iter().zip(outcomes) {
        let mut row = |what: &str, figure: fn(&Outcome) -> f64, decimals: usize| {
            let cells = arms.iter().map(|arm| cell(arm.iter().map(figure), decimals));
            rows.push(core::iter::once(format!("{title}: {what}")).chain(cells).collect());
        };
        row("requests/s", |outcome| outcome.per_second, 0);
        row("µs each", |outcome| outcome.micros, 1);
    }
    let cells = idle.iter().map(|arm| cell(arm.iter().map(|bytes| bytes / 1024.0), 1));
    rows.push(core::iter::once(format!("{count} idle connections: KiB each")).chain(cells).collect());
    let head = core::iter::once(String::new()).chain(NAMES.map(String::from)).collect();
    Table { title: "hyper clients and axum servers".into(), head, rows }
}

fn cell(values: impl Iterator<Item = f64>, decimals: usize) -> String {
    median(values).map_or("-".into(), |value| format!("{value:.decimals$}"))
}
