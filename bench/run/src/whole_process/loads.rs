//! The loads, by public generators: `wrk`, `h2load` and `openssl s_time`.

use super::servers::Server;
use anyhow::{Context as _, Result, ensure};
use std::process::{Child, Command, Stdio};

/// One kind of load.
pub(crate) struct Load {
    pub name: &'static str,
    /// What is counted.
    pub unit: &'static str,
    generator: Generator,
}

enum Generator {
    /// `openssl s_time` with these arguments, several at once: each does one connection after another.
    SecondsTime(&'static [&'static str]),
    /// `wrk` with these.
    Wrk(&'static [&'static str]),
    /// `h2load` with these.
    H2load(&'static [&'static str]),
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub per_second: f64,
    /// Processor time of the server for each.
    pub server_micros: f64,
    pub p99_millis: Option<f64>,
}

pub(crate) const LOADS: [Load; 6] = [
    Load {
        name: "full handshakes, TLS 1.3",
        unit: "handshakes/s",
        generator: Generator::SecondsTime(&["-new", "-tls1_3"]),
    },
    Load {
        name: "full handshakes, TLS 1.2",
        unit: "handshakes/s",
        generator: Generator::SecondsTime(&["-new", "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"]),
    },
    Load {
        name: "resumed handshakes, TLS 1.2",
        unit: "handshakes/s",
        generator: Generator::SecondsTime(&["-reuse", "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"]),
    },
    Load {
        name: "a connection for each request",
        unit: "requests/s",
        generator: Generator::Wrk(&["-t1", "-c32", "-H", "Connection: close"]),
    },
    Load { name: "keep-alive, HTTP/1.1", unit: "requests/s", generator: Generator::Wrk(&["-t1", "-c64"]) },
    Load { name: "keep-alive, HTTP/2", unit: "requests/s", generator: Generator::H2load(&["-t1", "-c16", "-m16"]) },
];

/// How many of `openssl s_time` run at once.
const AT_ONCE: usize = 4;

impl Load {
    /// Puts the load on a server for so many seconds.
    pub(crate) fn run(&self, server: &Server, seconds: u32) -> Result<Outcome> {
        let before = server.used()?.micros;
        let (per_second, p99_millis) = match self.generator {
            Generator::SecondsTime(arguments) => (handshakes(arguments, server.port, seconds)?, None),
            Generator::Wrk(arguments) => wrk(arguments, server.port, seconds)?,
            Generator::H2load(arguments) => (h2load(arguments, server.port, seconds)?, None),
        };
        ensure!(per_second > 0.0, "nothing came through");
        let server_micros = (server.used()?.micros - before) / (per_second * f64::from(seconds));
        Ok(Outcome { per_second, server_micros, p99_millis })
    }
}

fn start(program: &str, arguments: &[String]) -> Result<Child> {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("{program} cannot be run: Debian's packages are `wrk`, `nghttp2-client`, `openssl`"))
}

fn finish(child: Child) -> Result<String> {
    let output = child.wait_with_output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn strings(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|a| (*a).to_string()).collect()
}

/// Handshakes a second. `s_time` says: `1234 connections in 5 real seconds, ...`.
fn handshakes(arguments: &[&str], port: u16, seconds: u32) -> Result<f64> {
    let mut all = strings(&["s_time", "-connect", &format!("127.0.0.1:{port}"), "-time", &seconds.to_string()]);
    all.extend(strings(arguments));
    let running = (0..AT_ONCE).map(|_| start("openssl", &all)).collect::<Result<Vec<_>>>()?;
    let mut total = 0.0;
    for child in running {
        let said = finish(child)?;
        let count = said.lines().filter(|l| l.contains("real seconds")).filter_map(|l| l.split(' ').next()).next_back();
        total += count.context("s_time counted nothing")?.parse::<f64>()?;
    }
    Ok(total / f64::from(seconds))
}

/// Requests a second and the 99th percentile. `wrk` says `     99%   12.34ms` and `Requests/sec:   1234.56`.
fn wrk(arguments: &[&str], port: u16, seconds: u32) -> Result<(f64, Option<f64>)> {
    let mut all = strings(&["--latency", &format!("-d{seconds}s")]);
    all.extend(strings(arguments));
    all.push(format!("https://127.0.0.1:{port}/index.html"));
    let said = finish(start("wrk", &all)?)?;
    ensure!(!said.contains("Non-2xx"), "wrk got no pages: {said}");
    let field = |start: &str| said.lines().find_map(|l| l.trim().strip_prefix(start)).map(str::trim);
    let rate = field("Requests/sec:").context("wrk said no rate")?.parse()?;
    Ok((rate, field("99%").and_then(millis)))
}

/// `12.34ms`, `567.00us` or `1.20s` in milliseconds.
fn millis(text: &str) -> Option<f64> {
    let number = |suffix: &str| text.strip_suffix(suffix)?.parse::<f64>().ok();
    number("us").map(|v| v / 1000.0).or_else(|| number("ms")).or_else(|| number("s").map(|v| v * 1000.0))
}

/// Requests a second. `h2load` says `finished in 5.00s, 1234.56 req/s, ...`.
fn h2load(arguments: &[&str], port: u16, seconds: u32) -> Result<f64> {
    let mut all = strings(&[&format!("-D{seconds}")]);
    all.extend(strings(arguments));
    all.push(format!("https://127.0.0.1:{port}/index.html"));
    let said = finish(start("h2load", &all)?)?;
    let line = said.lines().find(|l| l.starts_with("finished in")).context("h2load said no rate")?;
    let rate = line.split(", ").find_map(|part| part.strip_suffix(" req/s")).context("h2load said no rate")?;
    Ok(rate.parse()?)
}
