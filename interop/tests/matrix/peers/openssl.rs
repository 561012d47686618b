//! OpenSSL: `s_client` and `s_server`.

use super::{ChildServer, Habits, Peer, Serving, first_line, talk_through};
use crate::child::Child;
use crate::lab::Lab;
use crate::rows::{ALPN, ALPN_OFFERED, ClientCert, EARLY, End, Ours, Resume, Row, Switch};
use clasp::wire::code::{NamedGroup, ProtocolVersion};
use clasp_testkit::KeyKind;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Command;
use std::thread;

struct OpenSsl {
    version: String,
    /// A configuration without the extended master secret: there is no option for it.
    no_ems: PathBuf,
}

const NO_EMS: &str =
    "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nOptions = -ExtendedMasterSecret\n";

pub(super) fn find(lab: &Lab) -> Result<Box<dyn Peer>, String> {
    let version = first_line("openssl", &["version"])?;
    let no_ems = lab.file("no-ems.cnf");
    std::fs::write(&no_ems, NO_EMS).map_err(|e| e.to_string())?;
    Ok(Box::new(OpenSsl { version, no_ems }))
}

impl OpenSsl {
    /// What client and server have in common.
    fn command(&self, what: &str, row: &Row) -> Command {
        let mut command = Command::new("openssl");
        command.arg(what);
        command.arg(if row.version == ProtocolVersion::Tls12 { "-tls1_2" } else { "-tls1_3" });
        if row.encrypt_then_mac == Switch::OffTheirs {
            command.arg("-no_etm");
        }
        if row.extended_master_secret == Switch::OffTheirs {
            command.env("OPENSSL_CONF", &self.no_ems);
        }
        if row.resume == Resume::SessionId {
            command.arg("-no_ticket");
        }
        command
    }
}

impl Peer for OpenSsl {
    fn version(&self) -> String {
        self.version.clone()
    }

    fn habits(&self) -> Habits {
        Habits {
            extended_master_secret: true,
            encrypt_then_mac: true,
            server_echoes_early_data: true,
            ..Habits::default()
        }
    }

    fn lacks(&self, row: &Row, _ours: Ours) -> Option<&'static str> {
        no_hybrids(row)
    }

    fn serve(&self, row: &Row, lab: &Lab) -> Result<Box<dyn Serving>, String> {
        let files = lab.server(row);
        let command = |port: u16| {
            let mut c = self.command("s_server", row);
            if let Some(groups) = group_names(row).filter(|_| row.is_tls13()) {
                c.args(["-groups", &groups]);
            }
            if row.early_data {
                c.arg("-early_data");
            }
            if row.alpn {
                c.args(["-alpn", ALPN]);
            }
            c.args(["-accept", &format!("127.0.0.1:{port}"), "-quiet", "-cipher", "ALL:@SECLEVEL=0"]);
            c.arg("-cert").arg(&files.cert).arg("-key").arg(&files.key).arg("-CAfile").arg(&lab.ca);
            c.arg("-dhparam").arg(lab.file(dh_file(row)));
            match row.client_cert {
                ClientCert::NotAsked => {}
                ClientCert::Empty => drop(c.args(["-verify", "1", "-verify_return_error"])),
                _ => drop(c.args(["-Verify", "1", "-verify_return_error"])),
            }
            if row.end == End::Server {
                c.arg("-www");
            }
            c
        };
        let mut server = ChildServer::start(lab, command)?;
        if row.end == End::Server {
            server.get = Some(("/".into(), None));
        } else {
            pump(&mut server.child);
        }
        Ok(Box::new(server))
    }

    fn connect(&self, row: &Row, port: u16, lab: &Lab) -> Result<(), String> {
        let session = lab.file(&format!("openssl-session-{port}.pem"));
        for n in 0..row.connections() {
            let mut c = self.command("s_client", row);
            c.args(["-connect", &format!("127.0.0.1:{port}"), "-servername", "localhost", "-quiet", "-nocommands"]);
            if row.is_tls13() {
                c.args(["-ciphersuites", &row.openssl_suite()]);
            } else {
                c.args(["-cipher", &format!("{}:@SECLEVEL=0", row.openssl_suite())]);
            }
            if row.early_data && n + 1 == row.connections() {
                c.arg("-early_data").arg(lab.payload_file(EARLY).map_err(|e| e.to_string())?);
            }
            c.args(["-verify_return_error", "-verify_hostname", "localhost"]).arg("-CAfile").arg(&lab.ca);
            if row.alpn {
                c.args(["-alpn", &ALPN_OFFERED.join(",")]);
            }
            if row.end == End::Client {
                c.arg("-no_ign_eof");
            }
            if let Some(groups) = group_names(row) {
                c.args(["-groups", &groups]);
            }
            if let ClientCert::Sent(kind) = row.client_cert {
                c.arg("-cert").arg(&lab.client(row, kind).cert).arg("-key").arg(&lab.client(row, kind).key);
            }
            if row.connections() > 1 {
                c.arg(if n == 0 { "-sess_out" } else { "-sess_in" }).arg(&session);
            }
            talk_through(&mut Child::start(&mut c)?, row)?;
        }
        Ok(())
    }

    /// It offers its groups of RFC 7919 in TLS 1.3 alone.
    fn client_chooses_groups(&self, groups: &[NamedGroup]) -> bool {
        !groups.iter().any(|g| g.is_ffdhe())
    }
}

/// `s_server` prints what comes and sends its stdin: joined, that is an echo.
fn pump(child: &mut Child) {
    let Some(mut stdin) = child.take_stdin() else { return };
    let mut output = child.output();
    thread::spawn(move || {
        let mut chunk = [0; 16 * 1024];
        loop {
            match output.read(&mut chunk) {
                Ok(n) if n > 0 && stdin.write_all(&chunk[..n]).is_ok() => {}
                // The server has ended; its client sees that.
                _ => return,
            }
        }
    });
}

/// The file with the parameters of the row's group, for servers that take them from a file.
pub(super) fn dh_file(row: &Row) -> &'static str {
    match row.group {
        Some(NamedGroup::Ffdhe3072) => "ffdhe3072.pem",
        Some(NamedGroup::Ffdhe4096) => "ffdhe4096.pem",
        Some(NamedGroup::Ffdhe6144) => "ffdhe6144.pem",
        Some(NamedGroup::Ffdhe8192) => "ffdhe8192.pem",
        _ => "ffdhe2048.pem",
    }
}

/// OpenSSL before 3.5, and what is built on it, has no hybrids.
pub(super) fn no_hybrids(row: &Row) -> Option<&'static str> {
    row.group.is_some_and(|g| g.is_hybrid()).then_some("its OpenSSL has no ML-KEM")
}

/// What Node's and Python's ways to OpenSSL have not.
pub(super) fn lacks_behind_a_binding(row: &Row, ours: Ours) -> Option<&'static str> {
    if row.early_data {
        return Some("it has no early data");
    }
    if !row.is_tls13() && ours == Ours::Client && row.group == Some(NamedGroup::Secp521r1) && row.key == KeyKind::P256 {
        return Some("its server prefers P-256 to P-521, and its key of P-256 wants that offered");
    }
    no_hybrids(row)
}

/// The groups to offer, in OpenSSL's words, where it can offer the row's.
pub(super) fn group_names(row: &Row) -> Option<String> {
    row.group.filter(|g| !g.is_ffdhe() || row.is_tls13())?;
    Some(row.groups()?.into_iter().map(group_name).collect::<Vec<_>>().join(":"))
}

fn group_name(group: NamedGroup) -> &'static str {
    match group {
        NamedGroup::X25519 => "X25519",
        NamedGroup::Secp256r1 => "P-256",
        NamedGroup::Secp384r1 => "P-384",
        NamedGroup::Secp521r1 => "P-521",
        other => other.name(),
    }
}
