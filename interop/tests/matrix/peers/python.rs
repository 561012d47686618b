//! Python: the standard library's `ssl`.

use super::scripted::Scripted;
use super::{Habits, Peer};
use crate::lab::Lab;
use crate::rows::{Ours, Row, Switch};
use clasp::wire::code::NamedGroup;
use std::process::Command;

pub(super) fn find(lab: &Lab) -> Result<Box<dyn Peer>, String> {
    let script = lab.file("peer.py");
    std::fs::write(&script, include_str!("../scripts/peer.py")).map_err(|e| e.to_string())?;
    let habits = Habits { extended_master_secret: true, encrypt_then_mac: true, ..Habits::default() };
    Scripted::start(Command::new("python3").arg(script), habits, lacks, chooses_groups, false)
}

fn lacks(row: &Row, ours: Ours) -> Option<&'static str> {
    super::openssl::lacks_behind_a_binding(row, ours).or_else(|| {
        let off_theirs = [row.extended_master_secret, row.encrypt_then_mac].contains(&Switch::OffTheirs);
        off_theirs.then_some("Python has no option for this")
    })
}

/// `set_ecdh_curve` takes one group, a curve of SEC 2.
fn chooses_groups(groups: &[NamedGroup]) -> bool {
    matches!(groups, [NamedGroup::Secp256r1 | NamedGroup::Secp384r1 | NamedGroup::Secp521r1])
}
