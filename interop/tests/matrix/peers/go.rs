//! Go: `crypto/tls`.

use super::scripted::Scripted;
use super::{Habits, Peer, first_line};
use crate::lab::Lab;
use crate::rows::{Ours, Resume, Row, Switch};
use clasp::suite::Kx;
use clasp::wire::code::CipherSuite;
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
    Scripted::start(&mut run, habits, lacks, |_| true)
}

fn lacks(row: &Row, _ours: Ours) -> Option<&'static str> {
    let no_sha384_cbc =
        [CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384, CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384];
    match () {
        () if row.suite.kx == Kx::Dhe => Some("Go has no DHE"),
        () if no_sha384_cbc.contains(&row.suite.code) => Some("Go has no CBC with SHA-384"),
        () if row.encrypt_then_mac == Switch::OffTheirs => Some("Go has no encrypt-then-MAC to switch off"),
        () if row.extended_master_secret == Switch::OffTheirs => Some("Go has no switch for it"),
        () if row.resume == Resume::SessionId => Some("Go has tickets only"),
        () => None,
    }
}
