//! tlslite-ng: TLS written in Python, from PyPI.

use super::scripted::Scripted;
use super::{Habits, Peer};
use crate::lab::Lab;
use crate::rows::{ClientCert, Fault, Ours, Row};
use clasp::wire::code::NamedGroup;
use std::path::Path;
use std::process::Command;

/// Where `.ci/run` installs it.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/peers/bin/python3");

pub(super) fn find(lab: &Lab) -> Result<Box<dyn Peer>, String> {
    let script = lab.file("peer_tlslite.py");
    std::fs::write(&script, include_str!("../scripts/peer_tlslite.py")).map_err(|e| e.to_string())?;
    let python = if Path::new(PYTHON).exists() { PYTHON } else { "python3" };
    let habits = Habits { extended_master_secret: true, encrypt_then_mac: true, ..Habits::default() };
    Scripted::start(Command::new(python).arg(script), habits, lacks, |_| true, true)
}

const SLOW: [NamedGroup; 2] = [NamedGroup::Ffdhe6144, NamedGroup::Ffdhe8192];

fn lacks(row: &Row, ours: Ours) -> Option<&'static str> {
    match () {
        () if row.bytes > crate::rows::SMALL => Some("ciphers written in Python take too long for so much"),
        () if row.group.is_some_and(|g| SLOW.contains(&g)) => Some("Python takes too long for so large a group"),
        () if row.is_refused(ours.other()) && row.fault != Fault::None => {
            Some("tlslite-ng leaves it to the application to look at a chain")
        }
        () if row.early_data => Some("tlslite-ng has no early data"),
        () if ours == Ours::Client && row.client_cert == ClientCert::Missing => {
            Some("its server leaves it to the application to miss a certificate")
        }
        () => None,
    }
}
