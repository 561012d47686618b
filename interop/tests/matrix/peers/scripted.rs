//! Peers that are a library of some language: a script runs through all rows and is told what to do in lines.
//!
//! ```text
//! serve version= cert= key= ca= dh= auth=no|request|require [group= alpn=] tickets= ems= etm= bytes= end=  -> listening PORT
//! connect port= version= ca= [cert= key=] suite= openssl= [group= alpn=] tickets= ems= etm= bytes= payload= end= connections=
//!                                                                                     -> ok | failed WHY
//! stop                                                              the server listens no more
//! ```
//! Lines that begin with `log ` may come at any time and show when a row fails. `tickets=`, `ems=` and `etm=` are `yes` or
//! `no`: session tickets, and in TLS 1.2 the extended master secret and encrypt-then-MAC. With `alpn=`, which has the protocols to
//! offer or to take, a client is content with `http/1.1` alone. `end=` is who says close_notify first:
//! `client`, `server`, or nobody (`cut`: the script drops the TCP connection once all bytes came back).

use super::{Habits, Peer, Serving};
use crate::child::Child;
use crate::lab::Lab;
use crate::rows::{ALPN, ALPN_OFFERED, ClientCert, End, Ours, Resume, Row, Switch};
use clasp::wire::code::{NamedGroup, ProtocolVersion};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What differs from language to language.
pub(super) struct Scripted {
    pub(super) version: String,
    pub(super) habits: Habits,
    pub(super) lacks: fn(&Row, Ours) -> Option<&'static str>,
    pub(super) chooses_groups: fn(&[NamedGroup]) -> bool,
    /// It can narrow the suites of TLS 1.3.
    pub(super) chooses_suites13: bool,
    agent: Arc<Mutex<Child>>,
}

impl Scripted {
    /// Starts the script; its first line is its version.
    pub(super) fn start(
        command: &mut Command,
        habits: Habits,
        lacks: fn(&Row, Ours) -> Option<&'static str>,
        chooses_groups: fn(&[NamedGroup]) -> bool,
        chooses_suites13: bool,
    ) -> Result<Box<dyn Peer>, String> {
        let mut child = Child::start(command)?;
        let version = child.read_line()?;
        Ok(Box::new(Self {
            version,
            habits,
            lacks,
            chooses_groups,
            chooses_suites13,
            agent: Arc::new(Mutex::new(child)),
        }))
    }
}

fn lock(agent: &Mutex<Child>) -> MutexGuard<'_, Child> {
    agent.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says a line and waits for the answer.
fn ask(agent: &Mutex<Child>, line: &str) -> Result<String, String> {
    let mut child = lock(agent);
    child.begin_row();
    child.write_line(line)?;
    loop {
        let answer = child.read_line()?;
        if !answer.starts_with("log ") {
            return Ok(answer);
        }
    }
}

fn common(row: &Row, lab: &Lab) -> String {
    let version = if row.version == ProtocolVersion::Tls12 { "1.2" } else { "1.3" };
    let end = match row.end {
        End::Client => "client",
        End::Server => "server",
        End::Cut => "cut",
    };
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    format!(
        "version={version} ca={} tickets={} ems={} etm={} bytes={} end={end}",
        lab.ca.display(),
        yes(row.resume != Resume::SessionId),
        yes(row.extended_master_secret != Switch::OffTheirs),
        yes(row.encrypt_then_mac != Switch::OffTheirs),
        row.bytes
    )
}

struct Listening {
    agent: Arc<Mutex<Child>>,
    port: u16,
}

impl Serving for Listening {
    fn port(&self) -> u16 {
        self.port
    }

    fn has_ended(&mut self) -> bool {
        lock(&self.agent).has_ended()
    }

    /// The script does it by itself, once all bytes went back.
    fn cut(&mut self) {}

    fn story(&self, what: &str) -> String {
        lock(&self.agent).story(what)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // If the script has died, the next row says so.
        let _died = lock(&self.agent).write_line("stop");
    }
}

impl Peer for Scripted {
    fn version(&self) -> String {
        self.version.clone()
    }

    fn habits(&self) -> Habits {
        self.habits
    }

    fn lacks(&self, row: &Row, ours: Ours) -> Option<&'static str> {
        (self.lacks)(row, ours)
    }

    fn serve(&self, row: &Row, lab: &Lab) -> Result<Box<dyn Serving>, String> {
        let auth = match row.client_cert {
            ClientCert::NotAsked => "no",
            ClientCert::Empty => "request",
            ClientCert::Sent(_) | ClientCert::Missing => "require",
        };
        let files = lab.server(row);
        // The others do not have the group of the client's first share.
        let group = row.group.filter(|_| row.hello_retry).map(|g| format!(" group={}", g.name())).unwrap_or_default();
        let alpn = if row.alpn { format!(" alpn={ALPN}") } else { String::new() };
        let line = format!(
            "serve {} auth={auth} cert={} key={} dh={}{group}{alpn}",
            common(row, lab),
            files.cert.display(),
            files.key.display(),
            lab.file(super::openssl::dh_file(row)).display()
        );
        let answer = ask(&self.agent, &line)?;
        match answer.strip_prefix("listening ").and_then(|port| port.parse().ok()) {
            Some(port) => Ok(Box::new(Listening { agent: self.agent.clone(), port })),
            None => Err(lock(&self.agent).story(&answer)),
        }
    }

    fn connect(&self, row: &Row, port: u16, lab: &Lab) -> Result<(), String> {
        let payload = lab.payload_file(row.bytes).map_err(|e| e.to_string())?;
        let mut line = format!(
            "connect port={port} {} suite={} openssl={} payload={} connections={}",
            common(row, lab),
            row.suite.code.name(),
            row.openssl_suite(),
            payload.display(),
            row.connections()
        );
        if let Some(groups) = row.groups().filter(|g| (self.chooses_groups)(g)) {
            line += &format!(" group={}", groups.iter().map(|g| g.name()).collect::<Vec<_>>().join(","));
        }
        if row.alpn {
            line += &format!(" alpn={}", ALPN_OFFERED.join(","));
        }
        if let ClientCert::Sent(kind) = row.client_cert {
            let files = lab.client(row, kind);
            line += &format!(" cert={} key={}", files.cert.display(), files.key.display());
        }
        match ask(&self.agent, &line)? {
            ok if ok == "ok" => Ok(()),
            answer => Err(lock(&self.agent).story(&answer)),
        }
    }

    fn client_chooses_suite(&self, row: &Row) -> bool {
        !row.is_tls13() || self.chooses_suites13
    }

    fn client_chooses_groups(&self, groups: &[NamedGroup]) -> bool {
        (self.chooses_groups)(groups)
    }
}
