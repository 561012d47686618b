//! Node: its `tls` module.

use super::scripted::Scripted;
use super::{Habits, Peer};
use crate::lab::Lab;
use crate::rows::{Ours, Row, Switch};
use clasp::wire::code::NamedGroup;
use clasp_testkit::KeyKind;
use std::process::Command;

pub(super) fn find(lab: &Lab) -> Result<Box<dyn Peer>, String> {
    let script = lab.file("peer.js");
    std::fs::write(&script, include_str!("../scripts/peer.js")).map_err(|e| e.to_string())?;
    let habits =
        Habits { extended_master_secret: true, encrypt_then_mac: true, judges_late: true, ..Habits::default() };
    Scripted::start(
        Command::new("node").arg(script),
        habits,
        lacks,
        |groups| !groups.iter().any(|g| g.is_ffdhe()),
        true,
    )
}

fn lacks(row: &Row, ours: Ours) -> Option<&'static str> {
    if row.early_data {
        return Some("it has no early data");
    }
    if row.group.is_some_and(NamedGroup::is_hybrid) {
        return super::openssl::no_hybrids(row);
    }
    if !row.is_tls13() && ours == Ours::Client && row.group == Some(NamedGroup::Secp521r1) && row.key == KeyKind::P256 {
        return Some("its server prefers P-256 to P-521, and its key of P-256 wants that offered");
    }
    let off_theirs = [row.extended_master_secret, row.encrypt_then_mac].contains(&Switch::OffTheirs);
    off_theirs.then_some("Node has no option for this")
}
