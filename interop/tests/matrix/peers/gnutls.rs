//! GnuTLS: `gnutls-cli` and `gnutls-serv`.

use super::{ChildServer, Habits, Peer, Serving, first_line, talk_through};
use crate::child::Child;
use crate::lab::Lab;
use crate::rows::{ALPN, ALPN_OFFERED, ClientCert, EARLY, End, Ours, Resume, Row, Switch};
use clasp::crypto::{AeadId, HashId};
use clasp::suite::{Auth, Bulk, Kx};
use clasp::wire::code::{NamedGroup, ProtocolVersion};
use std::process::Command;

struct GnuTls {
    version: String,
}

pub(super) fn find(_lab: &Lab) -> Result<Box<dyn Peer>, String> {
    first_line("gnutls-serv", &["--version"])?;
    Ok(Box::new(GnuTls { version: first_line("gnutls-cli", &["--version"])? }))
}

fn group_name(group: NamedGroup) -> &'static str {
    match group {
        NamedGroup::X25519 => "GROUP-X25519",
        NamedGroup::Secp256r1 => "GROUP-SECP256R1",
        NamedGroup::Secp384r1 => "GROUP-SECP384R1",
        NamedGroup::Secp521r1 => "GROUP-SECP521R1",
        NamedGroup::Ffdhe3072 => "GROUP-FFDHE3072",
        NamedGroup::Ffdhe4096 => "GROUP-FFDHE4096",
        NamedGroup::Ffdhe6144 => "GROUP-FFDHE6144",
        NamedGroup::Ffdhe8192 => "GROUP-FFDHE8192",
        _ => "GROUP-FFDHE2048",
    }
}

/// A priority string with exactly what the row wants.
fn priority(row: &Row) -> String {
    let kx = match (row.suite.kx, row.auth()) {
        (None, _) => "",
        (Some(Kx::Rsa), _) => ":+RSA",
        (Some(Kx::Dhe), _) => ":+DHE-RSA",
        (Some(_), Auth::Rsa) => ":+ECDHE-RSA",
        (Some(_), _) => ":+ECDHE-ECDSA",
    };
    let (cipher, mac) = match row.suite.bulk {
        Bulk::Aead(AeadId::Aes128Gcm) => ("AES-128-GCM", "AEAD"),
        Bulk::Aead(AeadId::Aes256Gcm) => ("AES-256-GCM", "AEAD"),
        Bulk::Aead(AeadId::ChaCha20Poly1305) => ("CHACHA20-POLY1305", "AEAD"),
        Bulk::Cbc(id) => {
            let mac = match id.mac {
                HashId::Sha256 => "SHA256",
                HashId::Sha384 => "SHA384",
                _ => "SHA1",
            };
            (if id.key_len == 16 { "AES-128-CBC" } else { "AES-256-CBC" }, mac)
        }
        other => unreachable!("{other:?} has no name of GnuTLS here"),
    };
    let groups = row.groups().map(|g| g.into_iter().map(group_name).collect::<Vec<_>>().join(":+"));
    let group = groups.as_deref().unwrap_or("GROUP-ALL");
    let version = if row.version == ProtocolVersion::Tls12 { "VERS-TLS1.2" } else { "VERS-TLS1.3" };
    let mut text = format!("NONE:+{version}{kx}:+{cipher}:+{mac}:+{group}:+SIGN-ALL:+COMP-NULL:+CTYPE-ALL");
    if row.encrypt_then_mac == Switch::OffTheirs {
        text += ":%NO_ETM";
    }
    if row.extended_master_secret == Switch::OffTheirs {
        text += ":%NO_SESSION_HASH";
    }
    text
}

impl Peer for GnuTls {
    fn version(&self) -> String {
        self.version.clone()
    }

    fn habits(&self) -> Habits {
        Habits { extended_master_secret: true, encrypt_then_mac: true, empty_connections: 1, ..Habits::default() }
    }

    fn lacks(&self, row: &Row, ours: Ours) -> Option<&'static str> {
        let answers = ours == Ours::Server && row.checks_close && row.end == End::Server;
        match () {
            () if answers => Some("gnutls-cli does not answer a close_notify"),
            () if row.group.is_some_and(NamedGroup::is_hybrid) => Some("it has no ML-KEM"),
            () => None,
        }
    }

    fn serve(&self, row: &Row, lab: &Lab) -> Result<Box<dyn Serving>, String> {
        let files = lab.server(row);
        let command = |port: u16| {
            let mut c = Command::new("gnutls-serv");
            c.args(["--quiet", "--port", &port.to_string(), "--priority", &priority(row)]);
            c.arg("--x509certfile").arg(&files.cert).arg("--x509keyfile").arg(&files.key);
            c.arg("--x509cafile").arg(&lab.ca);
            match row.client_cert {
                ClientCert::NotAsked => drop(c.arg("--disable-client-cert")),
                ClientCert::Empty => {}
                _ => drop(c.args(["--require-client-cert", "--verify-client-cert"])),
            }
            if row.resume == Resume::SessionId {
                c.arg("--noticket");
            }
            if row.early_data {
                c.arg("--earlydata");
            }
            if row.alpn {
                c.args(["--alpn", ALPN]);
            }
            c.arg(if row.end == End::Server { "--http" } else { "--echo" });
            c
        };
        let mut server = ChildServer::start(lab, command)?;
        if row.end == End::Server {
            server.get = Some(("/".into(), None));
        }
        Ok(Box::new(server))
    }

    fn connect(&self, row: &Row, port: u16, lab: &Lab) -> Result<(), String> {
        let mut c = Command::new("gnutls-cli");
        c.args(["--port", &port.to_string(), "--priority", &priority(row)]);
        c.args(["--sni-hostname", "localhost", "--verify-hostname", "localhost"]);
        c.arg("--x509cafile").arg(&lab.ca).arg("--logfile").arg(lab.file(&format!("gnutls-{port}.log")));
        if let ClientCert::Sent(kind) = row.client_cert {
            c.arg("--x509certfile")
                .arg(&lab.client(row, kind).cert)
                .arg("--x509keyfile")
                .arg(&lab.client(row, kind).key);
        }
        if row.resume == Resume::SessionId {
            c.arg("--noticket");
        }
        if row.connections() > 1 {
            c.arg("--resume");
        }
        if row.connections() > 1 && row.is_tls13() {
            c.arg("--waitresumption");
        }
        if row.alpn {
            c.args(ALPN_OFFERED.iter().flat_map(|name| ["--alpn", name]));
        }
        if row.hello_retry {
            c.arg("--single-key-share");
        }
        if row.early_data {
            c.arg("--earlydata").arg(lab.payload_file(EARLY).map_err(|e| e.to_string())?);
        }
        c.arg("127.0.0.1");
        talk_through(&mut Child::start(&mut c)?, row)
    }
}
