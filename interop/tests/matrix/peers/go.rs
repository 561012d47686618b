//! Go: `crypto/tls`.

use super::scripted::Scripted;
use super::{Habits, Peer, first_line};
use crate::lab::Lab;
use crate::rows::{Ours, Resume, Row, Switch};
use clasp::suite::Kx;
use clasp::wire::code::{CipherSuite, NamedGroup};
use std::process::Command;

pub(super) fn find(lab: &Lab) -> Result<Box<dyn Peer>, String> {
    first_line("go", &["version"])?;
    let (source, program) = (lab.file("peer.go"), lab.file("peer-go"));
    std::fs::write(&source, include_str!("../scripts/peer.go")).map_err(|e| e.to_string())?;
    let mut build = Command::new("go");
    build.args(["build", "-o"]).arg(&program).arg(&source).env("GO111MODULE", "off").env("GOTOOLCHAIN", "local");
    let built = build.output().map_err(|e| format!("go build: {e}"))?;
    if !built.status.success() {
        return Err(format!("go build: {}", String::from_utf8_lossy(&built.stderr)));
    }
    let version = first_line("go", &["env", "GOVERSION"])?;
    let minor = version.trim_start_matches("go1.").split(['.', '-', 'r']).next().and_then(|n| n.parse::<u32>().ok());
    // RFC 7627 came with Go 1.21.
    let habits = Habits { extended_master_secret: minor.is_some_and(|n| n >= 21), ..Habits::default() };
    let mut run = Command::new(program);
    // RSA key transport and the like went behind settings in Go 1.22.
    run.env("GODEBUG", "tlsrsakex=1,tls3des=1,rsa1024min=0");
    Scripted::start(&mut run, habits, lacks, |groups| groups.iter().all(has), false)
}

/// Hybrids came with Go 1.24; here the Go of Debian is asked.
fn has(group: &NamedGroup) -> bool {
    !group.is_hybrid() && !group.is_ffdhe()
}

fn lacks(row: &Row, ours: Ours) -> Option<&'static str> {
    let unknown_cbc = [
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
        CipherSuite::TLS_RSA_WITH_AES_256_CBC_SHA256,
    ];
    match () {
        () if row.group.is_some_and(|g| !has(&g)) && row.is_tls13() => Some("this Go has no hybrids, and no FFDHE"),
        // Go 1.19.6 to 1.20.3: golang/go issue 59424.
        () if ours == Ours::Server && row.hello_retry && row.resume != Resume::Never => {
            Some("this Go makes a wrong binder after a HelloRetryRequest")
        }
        () if row.has_pss_key() => Some("Go has no keys for RSASSA-PSS alone"),
        () if row.early_data => Some("Go has no early data over TCP"),
        () if row.suite.kx == Some(Kx::Dhe) => Some("Go has no DHE"),
        () if unknown_cbc.contains(&row.suite.code) => Some("Go has no AES-256-CBC with SHA-2"),
        () if row.encrypt_then_mac == Switch::OffTheirs => Some("Go has no encrypt-then-MAC to switch off"),
        () if row.extended_master_secret == Switch::OffTheirs => Some("Go has no switch for it"),
        () if row.resume == Resume::SessionId => Some("Go has tickets only"),
        () => None,
    }
}
