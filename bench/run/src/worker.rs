//! A worker's process, and those of all libraries that are asked for.

use crate::peers::{self, Library};
use crate::results::LeftOut;
use anyhow::{Context as _, Result, ensure};
use bench_harness::protocol::{Reply, Request};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A library that waits to be asked.
pub(crate) struct Worker {
    pub name: &'static str,
    /// Name and version in its own words.
    pub describes: String,
    process: Child,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
}

/// Builds and starts the workers of the libraries that are asked for. One that cannot be built is said to be left out.
pub(crate) fn start(wanted: &[String], credentials: &Path) -> Result<(Vec<Worker>, Vec<LeftOut>)> {
    let chosen = peers::choose(wanted)?;
    let (mut workers, mut left_out) = (Vec::new(), Vec::new());
    for library in chosen {
        match library.build().and_then(|binary| Worker::start(library, &binary, credentials)) {
            Ok(worker) => workers.push(worker),
            Err(error) => {
                let why = format!("{error:#}\n(its build needs the Debian packages: {})", library.needs);
                eprintln!("LEFT OUT: {}: {why}", library.name);
                left_out.push(LeftOut { name: library.name.to_string(), why });
            }
        }
    }
    Ok((workers, left_out))
}

impl Worker {
    /// Starts it.
    pub(crate) fn start(library: Library, binary: &Path, credentials: &Path) -> Result<Self> {
        let described = Command::new(binary).args(library.arguments()).arg("describe").output()?;
        ensure!(described.status.success(), "{}", String::from_utf8_lossy(&described.stderr));
        let mut process = Command::new(binary)
            .args(library.arguments())
            .arg("serve")
            .arg(credentials)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| binary.display().to_string())?;
        let requests = process.stdin.take().context("no standard input")?;
        let replies = BufReader::new(process.stdout.take().context("no standard output")?);
        let describes = String::from_utf8_lossy(&described.stdout).trim().to_string();
        Ok(Self { name: library.name, describes, process, requests, replies })
    }

    /// Asks for one slice of one row.
    pub(crate) fn ask(&mut self, row: &str, millis: u64) -> Result<Reply> {
        let request = Request { row: row.to_string(), millis };
        let mut line = serde_json::to_vec(&request)?;
        line.push(b'\n');
        self.requests.write_all(&line).and_then(|()| self.requests.flush()).context("the worker is gone")?;
        let mut reply = String::new();
        let read = self.replies.read_line(&mut reply)?;
        ensure!(read > 0, "{}'s worker ended in row {row}", self.name);
        Ok(serde_json::from_str(&reply)?)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // A worker that is asked nothing more has nothing left to lose; one that has ended already cannot be killed.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}
