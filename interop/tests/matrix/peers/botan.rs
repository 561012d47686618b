//! Botan, as Debian has it: the second series, whose TLS is 1.2.

use super::scripted::Scripted;
use super::{Habits, Peer, native};
use crate::lab::Lab;
use crate::rows::{ClientCert, Ours, Row, Switch};
use clasp::suite::Kx;
use clasp::wire::code::NamedGroup;
use clasp_testkit::KeyKind;
use std::process::Command;

const SLOW: [NamedGroup; 3] = [NamedGroup::Ffdhe4096, NamedGroup::Ffdhe6144, NamedGroup::Ffdhe8192];

pub(super) fn find(lab: &Lab) -> Result<Box<dyn Peer>, String> {
    let flags = ["-std=c++14", "-I/usr/include/botan-2", "-lbotan-2"];
    let program = native::build(lab, "c++", "botan.cpp", include_str!("../scripts/botan.cpp"), &flags)?;
    let habits = Habits { extended_master_secret: true, encrypt_then_mac: true, ..Habits::default() };
    Scripted::start(&mut Command::new(program), habits, lacks, |groups| groups.iter().all(|g| !g.is_hybrid()), true)
}

fn lacks(row: &Row, ours: Ours) -> Option<&'static str> {
    match () {
        () if row.is_tls13() => Some("Botan 2 has no TLS 1.3"),
        () if row.has_pss_key() => Some("Botan 2 has no keys for RSASSA-PSS alone"),
        () if row.key == KeyKind::Ed25519 => Some("Botan 2 signs no TLS with Ed25519"),
        () if ours == Ours::Client && row.extended_master_secret == Switch::OffTheirs => {
            Some("Botan's server has no switch for it")
        }
        () if ours == Ours::Server && row.group.is_some_and(|g| SLOW.contains(&g)) => {
            Some("Botan's client tests the prime of every DH group anew, which takes too long")
        }
        () if ours == Ours::Client && row.suite.kx == Some(Kx::Rsa) && row.client_cert != ClientCert::NotAsked => {
            Some("Botan's server asks for no certificate under RSA key transport")
        }
        () => None,
    }
}
