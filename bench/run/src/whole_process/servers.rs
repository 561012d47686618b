//! The servers: `clasp serve`, nginx, and hyper with tokio-rustls.

use super::processes::{Guarded, Used, used};
use super::site::Site;
use crate::arguments::WholeProcess;
use crate::build::{build, build_clasp};
use anyhow::{Context as _, Result, ensure};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A server that can be started.
pub(crate) struct Kind {
    pub name: String,
    start: Start,
}

enum Start {
    Clasp(PathBuf),
    Nginx,
    HyperRustls(PathBuf),
}

/// Those that are asked for. Builds what is ours; nginx is the system's.
pub(crate) fn available(options: &WholeProcess) -> Result<Vec<Kind>> {
    let wanted =
        |name: &str| options.servers.is_empty() || options.servers.iter().any(|s| name.starts_with(s.as_str()));
    let mut kinds = Vec::new();
    if wanted("clasp") {
        let built = options.clasp.clone().map_or_else(build_clasp, Ok);
        kinds.push(Kind { name: "clasp serve".into(), start: Start::Clasp(built?) });
    }
    if wanted("nginx") {
        kinds.push(Kind { name: nginx_version()?, start: Start::Nginx });
    }
    if wanted("hyper") {
        let built = build("bench-whole-process", "hyper-rustls")?;
        kinds.push(Kind { name: "hyper, tokio-rustls".into(), start: Start::HyperRustls(built) });
    }
    ensure!(!kinds.is_empty(), "no server is called {:?}", options.servers);
    Ok(kinds)
}

/// `nginx/1.22.1`.
fn nginx_version() -> Result<String> {
    let output =
        Command::new("nginx").arg("-v").output().context("nginx cannot be run: the Debian package is `nginx`")?;
    let said = String::from_utf8_lossy(&output.stderr);
    Ok(said.lines().next().unwrap_or("nginx").replace("nginx version: ", ""))
}

/// One that runs.
pub(crate) struct Server {
    process: Guarded,
    pub port: u16,
}

/// What idle connections cost it.
pub(crate) struct Idle {
    /// Bytes of resident memory with all connections open.
    pub resident: f64,
    /// Bytes that each connection added.
    pub each: f64,
}

impl Server {
    /// Starts it on a free port, and waits until it listens.
    pub(crate) fn start(kind: &Kind, site: &Site) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let mut command = match &kind.start {
            Start::Clasp(binary) => {
                let mut command = Command::new(binary);
                command.args(["serve", &site.path("www"), "--listen", &address, "--keep-alive", "600"]);
                // The others write no log either, and give one ticket.
                command.args([
                    "--quiet",
                    "--tickets",
                    "1",
                    "--cert",
                    &site.path("cert.pem"),
                    "--key",
                    &site.path("key.pem"),
                ]);
                command
            }
            Start::HyperRustls(binary) => {
                let mut command = Command::new(binary);
                command.args([&address, &site.path("cert.pem"), &site.path("key.pem"), &site.path("www/index.html")]);
                command
            }
            Start::Nginx => {
                let path = site.path("nginx.conf");
                std::fs::write(&path, nginx_conf(site, &address))?;
                let mut command = Command::new("nginx");
                command.args(["-c", &path, "-p", &site.path(""), "-e", &site.path("nginx.error")]);
                command
            }
        };
        let mut process = Guarded::start(&mut command)?;
        let started = Instant::now();
        while TcpStream::connect(&address).is_err() {
            ensure!(process.lives() && started.elapsed() < Duration::from_secs(10), "{} does not listen", kind.name);
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Self { process, port })
    }

    /// What it has used so far.
    pub(crate) fn used(&self) -> Result<Used> {
        used(self.process.id())
    }

    /// Opens `count` connections and lets them stand.
    pub(crate) fn idle(&self, clients: &Path, root: &str, count: usize) -> Result<Idle> {
        let before = self.used()?.resident;
        let mut holder = Command::new(clients)
            .args([&format!("127.0.0.1:{}", self.port), root, &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut said = String::new();
        BufReader::new(holder.stdout.take().context("no standard output")?).read_line(&mut said)?;
        let resident = self.used().map(|used| used.resident);
        // Its input ends, and it with it.
        drop(holder.stdin.take());
        holder.wait()?;
        ensure!(said.trim() == "open", "the connections could not be opened");
        let resident = resident?;
        Ok(Idle { resident, each: (resident - before) / count as f64 })
    }
}

/// As many workers as the others have threads; the suites, group and tickets that all use; no log.
fn nginx_conf(site: &Site, address: &str) -> String {
    format!(
        "daemon off;\nworker_processes auto;\nworker_rlimit_nofile 20000;\npid {pid};\n\
         events {{ worker_connections 20000; }}\n\
         http {{\n\
           access_log off;\n  default_type text/html;\n  keepalive_timeout 600s;\n  keepalive_requests 100000000;\n\
           open_file_cache max=16;\n  client_body_temp_path {tmp}/b;\n  proxy_temp_path {tmp}/p;\n\
           fastcgi_temp_path {tmp}/f;\n  uwsgi_temp_path {tmp}/u;\n  scgi_temp_path {tmp}/s;\n\
           server {{\n\
             listen {address} ssl http2 backlog=4096;\n    root {root};\n\
             ssl_certificate {cert};\n    ssl_certificate_key {key};\n    ssl_protocols TLSv1.2 TLSv1.3;\n\
             ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;\n\
             ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;\n    ssl_conf_command NumTickets 1;\n\
             ssl_session_cache shared:tls:16m;\n    ssl_session_tickets on;\n\
           }}\n}}\n",
        pid = site.path("nginx.pid"),
        tmp = site.path(""),
        root = site.path("www"),
        cert = site.path("cert.pem"),
        key = site.path("key.pem"),
    )
}
