//! Node: its `tls` module.

use super::scripted::Scripted;
use super::{Habits, Peer};
use crate::lab::Lab;
use crate::rows::{Ours, Row, Switch};
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
    super::openssl::lacks_behind_a_binding(row, ours).or_else(|| {
        let off_theirs = [row.extended_master_secret, row.encrypt_then_mac].contains(&Switch::OffTheirs);
        off_theirs.then_some("Node has no option for this")
    })
}
