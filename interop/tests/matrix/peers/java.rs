//! Java: JSSE, run from source.

use super::scripted::Scripted;
use super::{Habits, Peer};
use crate::lab::Lab;
use crate::rows::{Ours, Resume, Row, Switch};
use clasp::wire::code::NamedGroup;
use std::process::Command;

pub(super) fn find(lab: &Lab) -> Result<Box<dyn Peer>, String> {
    let script = lab.file("Peer.java");
    std::fs::write(&script, include_str!("../scripts/Peer.java")).map_err(|e| e.to_string())?;
    let habits = Habits { extended_master_secret: true, loses_leading_zeros: true, ..Habits::default() };
    Scripted::start(Command::new("java").arg("-XX:TieredStopAtLevel=1").arg(script), habits, lacks, |_| false, true)
}

fn lacks(row: &Row, ours: Ours) -> Option<&'static str> {
    match () {
        () if row.group.is_some_and(NamedGroup::is_hybrid) => Some("this Java has no hybrids"),
        () if row.early_data => Some("JSSE has no early data"),
        () if row.encrypt_then_mac == Switch::OffTheirs => Some("JSSE has no encrypt-then-MAC to switch off"),
        () if row.extended_master_secret == Switch::OffTheirs => Some("JSSE has a switch for the whole process only"),
        () if ours == Ours::Client && row.resume == Resume::SessionId && row.extended_master_secret != Switch::On => {
            Some("JSSE's server does not resume what has no extended master secret")
        }
        () => None,
    }
}
