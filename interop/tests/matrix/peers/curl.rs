//! curl, as people call it: a client alone.

use super::{Habits, Peer, Serving, first_line};
use crate::child::Child;
use crate::lab::Lab;
use crate::rows::{ClientCert, End, Fault, Ours, Resume, Row, Switch};
use clasp::wire::code::{NamedGroup, ProtocolVersion};
use std::process::Command;

struct Curl {
    version: String,
}

pub(super) fn find(_lab: &Lab) -> Result<Box<dyn Peer>, String> {
    let version = first_line("curl", &["--version"])?;
    if !version.contains("OpenSSL") {
        return Err(format!("a curl with OpenSSL is wanted, this is {version}"));
    }
    Ok(Box::new(Curl { version: version.split(" zlib").next().unwrap_or_default().to_owned() }))
}

impl Peer for Curl {
    fn version(&self) -> String {
        self.version.clone()
    }

    fn habits(&self) -> Habits {
        Habits {
            extended_master_secret: true,
            encrypt_then_mac: true,
            client_hangs_up: true,
            client_updates_late: true,
            ..Habits::default()
        }
    }

    fn lacks(&self, row: &Row, ours: Ours) -> Option<&'static str> {
        let off_theirs = [row.extended_master_secret, row.encrypt_then_mac].contains(&Switch::OffTheirs);
        match () {
            () if ours == Ours::Client => Some("curl has no server"),
            () if row.group.is_some_and(NamedGroup::is_hybrid) => super::openssl::no_hybrids(row),
            () if row.early_data => Some("curl 7.88 sends no early data"),
            () if row.fault == Fault::OtherName => {
                Some("curl looks at the name once it is connected, and closes in good order")
            }
            () if off_theirs => Some("curl has no option for this"),
            () if matches!(row.resume, Resume::Ticket | Resume::Fleet) => Some("curl switches session tickets off"),
            () if row.end == End::Cut => Some("curl closes when it is done"),
            () if row.checks_close => Some("curl closes as HTTP does: the server first, without an answer"),
            () => None,
        }
    }

    fn serve(&self, _row: &Row, _lab: &Lab) -> Result<Box<dyn Serving>, String> {
        Err("curl has no server".into())
    }

    fn connect(&self, row: &Row, port: u16, lab: &Lab) -> Result<(), String> {
        let payload = lab.payload_file(row.bytes).map_err(|e| e.to_string())?;
        let url = format!("https://localhost:{port}/echo");
        let mut c = Command::new("curl");
        c.args(["--silent", "--show-error", "--fail", "--noproxy", "*", "--http1.1", "--header", "Expect:"]);
        c.args(["--max-time", "20", "--resolve", &format!("localhost:{port}:127.0.0.1")]);
        let version = if row.version == ProtocolVersion::Tls12 { "1.2" } else { "1.3" };
        c.args([&format!("--tlsv{version}"), "--tls-max", version]);
        c.arg("--cacert").arg(&lab.ca);
        if row.is_tls13() {
            c.args(["--tls13-ciphers", &row.openssl_suite()]);
        } else {
            c.args(["--ciphers", &format!("{}:@SECLEVEL=0", row.openssl_suite())]);
        }
        if let Some(groups) = super::openssl::group_names(row) {
            c.args(["--curves", &groups]);
        }
        if let ClientCert::Sent(kind) = row.client_cert {
            c.arg("--cert").arg(&lab.client(row, kind).cert).arg("--key").arg(&lab.client(row, kind).key);
        }
        c.arg("--data-binary").arg(format!("@{}", payload.display()));
        let answers: Vec<_> = (0..row.connections()).map(|n| lab.file(&format!("curl-{port}-{n}"))).collect();
        for answer in &answers {
            c.arg("--output").arg(answer).arg(&url);
        }
        let mut child = Child::start(&mut c)?;
        child.close_stdin();
        if !child.wait()? {
            return Err(child.story("curl ended with an error"));
        }
        let sent = std::fs::read(&payload).map_err(|e| e.to_string())?;
        for answer in &answers {
            if std::fs::read(answer).map_err(|e| e.to_string())? != sent {
                return Err(child.story("the answer is not what was sent"));
            }
        }
        Ok(())
    }

    fn client_speaks_http(&self) -> bool {
        true
    }

    fn client_chooses_groups(&self, groups: &[NamedGroup]) -> bool {
        !groups.iter().any(|g| g.is_ffdhe())
    }
}
