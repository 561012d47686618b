//! The client's side: requests from several tasks through one pooled client, counted.

use crate::Stack;
use anyhow::{Context as _, Result, bail, ensure};
use http_body_util::{BodyExt as _, Empty};
use hyper::Uri;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::Connect;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use std::io::Read as _;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// One kind of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// A connection and a full handshake for each small request.
    Connections,
    /// Small requests over connections that stay, HTTP/1.1.
    Small1,
    /// The same over one connection of HTTP/2.
    Small2,
    /// 1 MiB to the client, HTTP/1.1.
    Large,
}

impl Load {
    /// All.
    pub const ALL: [Self; 4] = [Self::Connections, Self::Small1, Self::Small2, Self::Large];

    /// As an argument.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Small1 => "small-1",
            Self::Small2 => "small-2",
            Self::Large => "large",
        }
    }

    const fn tasks(self) -> usize {
        match self {
            Self::Connections => 8,
            Self::Small1 => 32,
            Self::Small2 => 64,
            Self::Large => 4,
        }
    }

    const fn protocol(self) -> &'static str {
        if matches!(self, Self::Small2) { "h2" } else { "http/1.1" }
    }

    const fn path(self) -> &'static str {
        if matches!(self, Self::Large) { "large" } else { "small" }
    }
}

impl FromStr for Load {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|load| load.name() == name).with_context(|| format!("no load {name:?}"))
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Report {
    /// Answers that came whole.
    pub requests: u64,
    /// How long it took.
    pub seconds: f64,
    /// Processor time of the client's process meanwhile.
    pub micros: f64,
}

/// Asks for so long, and says what came of it as JSON.
pub(crate) async fn ask<S: Stack>(address: SocketAddr, root: &str, load: Load, millis: u64) -> Result<()> {
    let connector = S::connector(root, load.protocol())?;
    let report = drive(connector, address, load, Duration::from_millis(millis)).await?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

type Pooled<C> = Client<C, Empty<Bytes>>;

/// Puts the load on a server.
///
/// # Errors
/// If a request fails.
pub async fn drive<C>(connector: C, address: SocketAddr, load: Load, time: Duration) -> Result<Report>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let mut builder = Client::builder(TokioExecutor::new());
    if load == Load::Connections {
        builder.pool_max_idle_per_host(0);
    }
    let client: Pooled<C> = builder.build(connector);
    let uri: Uri = format!("https://localhost:{}/{}", address.port(), load.path()).parse()?;
    // The first connection of HTTP/2 is everybody's.
    get(&client, &uri).await?;
    let (before, began) = (processor_micros()?, Instant::now());
    let end = began + time;
    let tasks: Vec<_> = (0..load.tasks()).map(|_| tokio::spawn(one_task(client.clone(), uri.clone(), end))).collect();
    let mut requests = 0;
    for task in tasks {
        requests += task.await??;
    }
    let seconds = began.elapsed().as_secs_f64();
    Ok(Report { requests, seconds, micros: processor_micros()? - before })
}

async fn one_task<C>(client: Pooled<C>, uri: Uri, end: Instant) -> Result<u64>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let mut requests = 0;
    while Instant::now() < end {
        get(&client, &uri).await?;
        requests += 1;
    }
    Ok(requests)
}

/// Reads an answer to its end, as it comes.
async fn get<C>(client: &Pooled<C>, uri: &Uri) -> Result<()>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let answer = client.get(uri.clone()).await?;
    ensure!(answer.status().is_success(), "{}", answer.status());
    let mut body = answer.into_body();
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        bytes += frame?.data_ref().map_or(0, Bytes::len);
    }
    ensure!(bytes > 0, "an empty answer");
    Ok(())
}

/// Opens so many connections, all of which the pool keeps, says how many bytes of memory each has added, and holds them until standard
/// input ends.
pub(crate) async fn hold<S: Stack>(address: SocketAddr, root: &str, count: usize) -> Result<()> {
    let connector = S::connector(root, "http/1.1")?;
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_idle_timeout(None);
    let client: Pooled<_> = builder.build(connector);
    let uri: Uri = format!("https://localhost:{}/small", address.port()).parse()?;
    get(&client, &uri).await?;
    let slow: Uri = format!("https://localhost:{}/slow", address.port()).parse()?;
    let before = resident_bytes()?;
    let mut opening = Vec::with_capacity(count);
    for n in 0..count {
        let (client, slow) = (client.clone(), slow.clone());
        opening.push(tokio::spawn(async move { get(&client, &slow).await }));
        // A server's backlog is not the subject.
        if n % 64 == 63 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    for request in opening {
        request.await??;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    println!("{}", (resident_bytes()? - before) / count as f64);
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    drop(client);
    Ok(())
}

/// proc(5): the second field is resident pages, of 4 KiB.
fn resident_bytes() -> Result<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let Some(pages) = statm.split(' ').nth(1) else { bail!("/proc/self/statm has no second field") };
    Ok(pages.parse::<f64>()? * 4096.0)
}

/// proc(5): the first field of each thread's schedstat is the nanoseconds it has run.
fn processor_micros() -> Result<f64> {
    let mut nanos = 0.0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        nanos += text.split(' ').next().context("schedstat")?.parse::<f64>()?;
    }
    Ok(nanos / 1000.0)
}
