//! `clasp scan`.

use crate::failure::Failure;
use crate::scan::report::{FORMAT, Report};
use crate::scan::starttls::StartTls;
use crate::scan::{self, Subject, baseline, html, text};
use crate::terminal::note;
use crate::{output, pem};
use clasp::{Roots, ServerName};
use serde_json::{Value, json};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const HELP: &str = "\
Examples:
  clasp scan example.com
  clasp scan mail.example:25 --starttls smtp
  clasp scan localhost:4433 --ca ca/root.pem --json > before.json
  clasp scan localhost:4433 --ca ca/root.pem --baseline before.json
  clasp scan localhost:4433 --ca ca/root.pem --html scan.html
  clasp scan a.example b.example c.example --fail-below B
The chain is judged as clasp connect does: no revocation list is looked at, and of OCSP what the server staples.
Look at servers of your own: a scan makes some hundred connections, few at a time, and takes nothing that it is not given.
Exit codes: 0 looked at; 1 below the grade of --fail-below, or changed since --baseline; 2 could not look";

/// Look at what a server speaks, chooses, shows and bears, and say what to change. Without a port it is 443.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// Whom to look at
    #[arg(value_name = "HOST[:PORT]", required = true)]
    targets: Vec<String>,
    /// Ask for TLS in this protocol first
    #[arg(long, value_enum, value_name = "PROTOCOL")]
    starttls: Option<StartTls>,
    /// Trust the CAs of this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The name to ask for and check, instead of HOST
    #[arg(long, value_name = "NAME")]
    servername: Option<String>,
    /// How long the server may take to accept a connection, and for each answer
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
    /// How many connections to one server at once
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    connections: u16,
    /// Say what versions the server does not speak answered, too
    #[arg(long, conflicts_with = "json")]
    all: bool,
    /// Print the reports as JSON; docs/scan.md says what it holds
    #[arg(long)]
    json: bool,
    /// Write the reports as a page that needs no network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print what has changed since this report of --json alone
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "all"])]
    baseline: Option<PathBuf>,
    /// Fail if a server is graded below this: A, B, C or F
    #[arg(long, value_name = "GRADE", value_parser = ["A", "B", "C", "F"])]
    fail_below: Option<String>,
}

/// Servers that are looked at at once.
const HOSTS: usize = 8;

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let before = arguments.baseline.as_deref().map(baseline::read).transpose()?;
    let roots = pem::roots(arguments.ca.as_deref())?;
    let subjects: Vec<Subject> =
        arguments.targets.iter().map(|target| subject(arguments, target, &roots)).collect::<Result<_, _>>()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let reports = runtime.block_on(all(arguments, subjects))?;
    if arguments.json {
        output::line(format_args!("{:#}", json!({ "format": "clasp-scan", "version": FORMAT, "reports": reports })))?;
    }
    if let Some(path) = &arguments.html {
        std::fs::write(path, html::page(&reports)).map_err(|e| Failure::file(path, e))?;
        note(format_args!("written into {}", path.display()));
    }
    let changed = match &before {
        Some(before) => changes(before, &reports)?,
        None => false,
    };
    verdict(arguments, &reports, changed)
}

/// Each server, as many at once as is gentle to us; in the order in which they were named.
async fn all(arguments: &Arguments, subjects: Vec<Subject>) -> Result<Vec<Report>, Failure> {
    let (count, several) = (subjects.len(), subjects.len() > 1);
    let room = Arc::new(Semaphore::new(HOSTS));
    let mut tasks = JoinSet::new();
    for (place, subject) in subjects.into_iter().enumerate() {
        let room = Arc::clone(&room);
        tasks.spawn(async move {
            let _place = room.acquire().await;
            let target = subject.target.clone();
            let progress = move |what: &'static str| {
                if !several {
                    note(format_args!("{target}: {what}"));
                }
            };
            (place, scan::scan(&subject, &progress).await)
        });
    }
    let mut reports: Vec<Option<Report>> = (0..count).map(|_| None).collect();
    let mut done = 0;
    while let Some(report) = tasks.join_next().await {
        let (place, report) = report.map_err(Failure::cannot)?;
        done += 1;
        if several {
            note(format_args!("{done} of {count}: {}", report.target));
        }
        if !arguments.json && arguments.baseline.is_none() {
            output::line(text::text(&report, arguments.all))?;
        }
        if let Some(slot) = reports.get_mut(place) {
            *slot = Some(report);
        }
    }
    Ok(reports.into_iter().flatten().collect())
}

fn subject(arguments: &Arguments, target: &str, roots: &Arc<Roots>) -> Result<Subject, Failure> {
    let target = super::connect::client::with_port(target);
    let host = target.rsplit_once(':').map_or(&target[..], |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let wanted = arguments.servername.as_deref().unwrap_or(host).to_owned();
    let name = ServerName::try_from(wanted.clone())
        .map_err(|_| Failure::cannot(format_args!("{wanted} is neither a DNS name nor an IP address")))?;
    let addresses: Vec<SocketAddr> = target
        .to_socket_addrs()
        .map_err(|e| Failure::cannot(format_args!("{target}: {e}")).hint("is the name right?"))?
        .collect();
    Ok(Subject {
        name,
        addresses,
        starttls: arguments.starttls,
        limit: Duration::from_secs(arguments.timeout),
        at_once: usize::from(arguments.connections),
        roots: Arc::clone(roots),
        target,
    })
}

/// Prints what has changed; says whether anything has.
fn changes(before: &[Value], reports: &[Report]) -> Result<bool, Failure> {
    let mut changed = false;
    for report in reports {
        let of_target = |old: &&Value| old.get("target").and_then(Value::as_str) == Some(&report.target);
        let Some(old) = before.iter().find(of_target) else {
            return Err(Failure::cannot(format_args!("the baseline has no report of {}", report.target)));
        };
        let new = serde_json::to_value(report).map_err(Failure::cannot)?;
        for line in baseline::differences(old, &new) {
            changed = true;
            output::line(format_args!("{}: {line}", report.target))?;
        }
    }
    Ok(changed)
}

fn verdict(arguments: &Arguments, reports: &[Report], changed: bool) -> Result<(), Failure> {
    if let Some(report) = reports.iter().find(|report| report.failed.is_some()) {
        let why = report.failed.as_deref().unwrap_or_default();
        return Err(Failure::cannot(format_args!("{}: {why}", report.target)));
    }
    if changed {
        return Err(Failure::no("changed since the baseline"));
    }
    let Some(least) = arguments.fail_below.as_deref().and_then(|grade| grade.chars().next()) else { return Ok(()) };
    match reports.iter().find(|report| report.grade.is_none_or(|grade| grade > least)) {
        Some(report) => {
            let grade = report.grade.unwrap_or('F');
            Err(Failure::no(format_args!("{}: grade {grade}, wanted {least} or better", report.target)))
        }
        None => Ok(()),
    }
}
