//! NSS, the library of Firefox: `tstclnt` and `selfserv`.

use super::{ChildServer, Habits, Peer, Serving, first_line};
use crate::child::Child;
use crate::lab::{Lab, payload};
use crate::rows::{ClientCert, End, Fault, Ours, Resume, Row, Switch};
use clasp::suite::{Auth, Kx};
use clasp::wire::code::{NamedGroup, ProtocolVersion};
use clasp_testkit::KeyKind;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

struct Nss {
    version: String,
    database: PathBuf,
    /// Trusts the same and has no key: tstclnt sends any certificate it has.
    keyless: PathBuf,
    client: PathBuf,
    server: PathBuf,
}

/// Where Debian and others keep NSS's tools.
const FOLDERS: [&str; 4] =
    ["/usr/bin", "/usr/lib/nss/unsupported-tools", "/usr/lib64/nss/unsupported-tools", "/usr/local/bin"];

pub(super) fn find(lab: &Lab) -> Result<Box<dyn Peer>, String> {
    let tool = |name: &str| {
        let found = FOLDERS.iter().map(|f| Path::new(f).join(name)).find(|p| p.exists());
        found.ok_or_else(|| format!("no {name} in {}", FOLDERS.join(", ")))
    };
    let (client, server) = (tool("tstclnt")?, tool("selfserv")?);
    let database = lab.file("nssdb");
    let keyless = lab.file("nssdb-keyless");
    fill(&database, lab, true)?;
    fill(&keyless, lab, false)?;
    let version = Command::new("dpkg-query").args(["-W", "-f", "NSS ${Version}", "libnss3-tools"]).output();
    let version = version.ok().filter(|o| o.status.success()).map(|o| String::from_utf8_lossy(&o.stdout).into_owned());
    Ok(Box::new(Nss { version: version.unwrap_or_else(|| "NSS".into()), database, keyless, client, server }))
}

/// NSS takes certificates from a database alone.
fn fill(database: &Path, lab: &Lab, keys: bool) -> Result<(), String> {
    std::fs::create_dir_all(database).map_err(|e| e.to_string())?;
    let db = format!("sql:{}", database.display());
    let run = |command: &mut Command| {
        let output = command.output().map_err(|e| format!("{}: {e}", command.get_program().display()))?;
        let text = || String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {}", text())) }
    };
    run(Command::new("certutil").args(["-N", "-d", &db, "--empty-password"]))?;
    run(Command::new("certutil").args(["-A", "-d", &db, "-n", "ca", "-t", "CT,C,C", "-i"]).arg(&lab.ca))?;
    if !keys {
        return Ok(());
    }
    first_line("openssl", &["version"]).map_err(|e| format!("to hand NSS its keys: {e}"))?;
    for (name, _, files) in lab.all().filter(|(_, kind, _)| *kind != KeyKind::Ed25519) {
        let pack = lab.file("nss.p12");
        let mut command = Command::new("openssl");
        command.args(["pkcs12", "-export", "-passout", "pass:x", "-name", &name, "-out"]).arg(&pack);
        run(command.arg("-in").arg(&files.cert).arg("-inkey").arg(&files.key))?;
        run(Command::new("pk12util").args(["-d", &db, "-W", "x", "-K", "", "-i"]).arg(&pack))?;
    }
    Ok(())
}

/// What `Lab::all` calls the certificate that this side of a row has.
fn nickname(role: Ours, kind: KeyKind, row: &Row) -> String {
    match role {
        _ if row.fault != Fault::None && row.is_refused(role.other()) => format!("{:?}", row.fault),
        Ours::Server => format!("server-{kind:?}"),
        Ours::Client => format!("client-{kind:?}"),
    }
}

fn group_name(group: NamedGroup) -> &'static str {
    match group {
        NamedGroup::X25519 => "x25519",
        NamedGroup::Secp256r1 => "P256",
        NamedGroup::Secp384r1 => "P384",
        NamedGroup::Secp521r1 => "P521",
        NamedGroup::Ffdhe3072 => "FF3072",
        NamedGroup::Ffdhe4096 => "FF4096",
        NamedGroup::Ffdhe6144 => "FF6144",
        NamedGroup::Ffdhe8192 => "FF8192",
        _ => "FF2048",
    }
}

fn suite(row: &Row) -> String {
    format!(":{:04x}", row.suite.code.0)
}

impl Nss {
    fn command(program: &Path, database: &Path, row: &Row, port: u16) -> Command {
        let mut c = Command::new(program);
        c.arg("-d").arg(format!("sql:{}", database.display())).args(["-w", "", "-p", &port.to_string()]);
        c.args(["-V", if row.version == ProtocolVersion::Tls12 { "tls1.2:tls1.2" } else { "tls1.3:tls1.3" }]);
        let groups = row.groups().map(|g| g.into_iter().map(group_name).collect::<Vec<_>>().join(","));
        c.args(["-I", groups.as_deref().unwrap_or("x25519,P256,P384,P521,FF2048,FF3072,FF4096")]);
        c.arg("-G");
        if row.early_data {
            c.arg("-Z");
        }
        if row.resume != Resume::SessionId {
            c.arg("-u");
        }
        c
    }
}

impl Peer for Nss {
    fn version(&self) -> String {
        self.version.clone()
    }

    fn habits(&self) -> Habits {
        Habits {
            extended_master_secret: true,
            client_never_closes: true,
            empty_connections: 2,
            client_sends_early_data_of_its_own: true,
            ..Habits::default()
        }
    }

    fn lacks(&self, row: &Row, ours: Ours) -> Option<&'static str> {
        let closes_first = ours == Ours::Server && row.checks_close && row.end == End::Client;
        match () {
            () if ours == Ours::Client && row.bytes > 65_536 && !row.only_to_client => {
                Some("selfserv sends files and takes none")
            }
            () if ours == Ours::Client && row.early_data => {
                Some("selfserv takes no early data in its first ten seconds")
            }
            () if row.alpn => Some("its tools have no option for ALPN"),
            () if closes_first => Some("tstclnt leaves the closing to the server"),
            () if row.encrypt_then_mac == Switch::OffTheirs => Some("it has no encrypt-then-MAC to switch off"),
            () if row.extended_master_secret == Switch::OffTheirs => Some("it has no switch for it"),
            () if row.group.is_some_and(NamedGroup::is_hybrid) => Some("NSS 3.87 has no ML-KEM"),
            () if row.has_pss_key() => Some("its tools offer no signatures of keys for RSASSA-PSS alone"),
            () if row.key == KeyKind::Ed25519 => Some("it has no Ed25519 in TLS"),
            () => None,
        }
    }

    fn serve(&self, row: &Row, lab: &Lab) -> Result<Box<dyn Serving>, String> {
        let command = |port: u16| {
            let mut c = Self::command(&self.server, &self.database, row, port);
            c.args(["-c", &suite(row)]);
            c.args([if row.auth() == Auth::Rsa { "-n" } else { "-e" }, &nickname(Ours::Server, row.key, row)]);
            if row.suite.kx == Some(Kx::Dhe) {
                c.args(["-H", "1"]);
            }
            match row.client_cert {
                ClientCert::NotAsked => {}
                ClientCert::Empty => drop(c.arg("-r")),
                _ => drop(c.args(["-r", "-r"])),
            }
            c.current_dir(lab.dir());
            c
        };
        let mut server = ChildServer::start(lab, command)?;
        let file = lab.payload_file(row.bytes).map_err(|e| e.to_string())?;
        let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        server.get = Some((name, Some(payload(row.bytes))));
        Ok(Box::new(server))
    }

    fn connect(&self, row: &Row, port: u16, lab: &Lab) -> Result<(), String> {
        let database = if matches!(row.client_cert, ClientCert::Sent(_)) { &self.database } else { &self.keyless };
        let mut c = Self::command(&self.client, database, row, port);
        c.args(["-h", "localhost", "-4"]);
        if row.suite.kx == Some(Kx::Dhe) {
            // Offers its groups of RFC 7919.
            c.arg("-H");
        }
        if self.client_chooses_suite(row) {
            c.args(["-c", &suite(row)]);
        }
        if let ClientCert::Sent(kind) = row.client_cert {
            c.args(["-n", &nickname(Ours::Client, kind, row)]);
        }
        c.current_dir(lab.dir());
        if row.connections() > 1 {
            // It has no input left for a second connection: handshakes alone.
            c.args(["-L", &row.connections().to_string()]);
        }
        // A pipe would do for the data, but tstclnt does not see the end of one.
        let input = File::open(lab.payload_file(row.bytes).map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
        let input = if row.connections() == 1 { input.into() } else { Stdio::null() };
        let mut child = Child::start_on(&mut c, input)?;
        if row.connections() == 1 {
            let mut back = vec![0; row.bytes];
            child.read_exact(&mut back).map_err(|e| child.story(&format!("the echo failed: {e}")))?;
            if back != payload(row.bytes) {
                return Err(child.story("the echo is not what was sent"));
            }
        }
        if row.end == End::Cut {
            child.kill();
            return Ok(());
        }
        if child.wait()? { Ok(()) } else { Err(child.story("tstclnt ended with an error")) }
    }
    /// tstclnt 3.87 crashes on its second connection if it was told the suites.
    fn client_chooses_suite(&self, row: &Row) -> bool {
        row.connections() == 1
    }
}
