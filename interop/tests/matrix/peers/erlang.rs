//! Erlang: OTP's `ssl`.

use super::scripted::Scripted;
use super::{Habits, Peer};
use crate::lab::Lab;
use crate::rows::{End, Ours, Resume, Row, Switch};
use clasp::wire::code::NamedGroup;
use clasp_testkit::KeyKind;
use std::process::Command;

pub(super) fn find(lab: &Lab) -> Result<Box<dyn Peer>, String> {
    let script = lab.file("peer.erl");
    std::fs::write(&script, include_str!("../scripts/peer.erl")).map_err(|e| e.to_string())?;
    // RFC 7627 and RFC 7366 are not in OTP 25.
    let habits = Habits::default();
    Scripted::start(Command::new("escript").arg(script), habits, lacks, |groups| groups.iter().all(has), true)
}

/// In TLS 1.2 its client offers no FFDHE that it is told.
fn has(group: &NamedGroup) -> bool {
    !group.is_hybrid() && !group.is_ffdhe()
}

fn lacks(row: &Row, ours: Ours) -> Option<&'static str> {
    let switched = [row.extended_master_secret, row.encrypt_then_mac].contains(&Switch::OffTheirs);
    let closes_first = if ours == Ours::Client { End::Client } else { End::Server };
    let theirs = if ours == Ours::Client { Some(row.key) } else { row.client_key() };
    match () {
        () if row.group.is_some_and(NamedGroup::is_hybrid) => Some("this Erlang has no ML-KEM"),
        () if row.early_data => Some("the lines for scripts have no early data"),
        () if !row.is_tls13() && matches!(row.resume, Resume::Ticket | Resume::Fleet) => {
            Some("Erlang has no tickets in TLS 1.2")
        }
        () if !row.is_tls13() && row.group == Some(NamedGroup::X25519) => Some("Erlang has no X25519 in TLS 1.2"),
        () if !row.is_tls13() && row.key == KeyKind::Ed25519 => Some("Erlang has no Ed25519 in TLS 1.2"),
        () if theirs == Some(KeyKind::RsaPss) => {
            Some("this Erlang reads no private key for RSASSA-PSS without parameters")
        }
        () if row.checks_close && row.end == closes_first => Some("Erlang does not answer a close_notify"),
        () if row.is_tls13() && row.resume != Resume::Never && ours == Ours::Client => {
            Some("this Erlang's server encodes the hello anew for its binder and dies of schemes that it does not know")
        }
        // RFC 9846 4.2.9: so no ticket would be one it can use.
        () if row.is_tls13() && row.resume != Resume::Never => {
            Some("Erlang's client sends psk_key_exchange_modes only once it has a ticket")
        }
        () if switched => Some("this Erlang has neither the extended master secret nor encrypt-then-MAC"),
        () => None,
    }
}
