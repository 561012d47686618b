//! Mbed TLS, as Debian has it: the 2.28 series, whose TLS is 1.2.

use super::scripted::Scripted;
use super::{Habits, Peer, native};
use crate::lab::Lab;
use crate::rows::{Ours, Row};
use clasp::wire::code::NamedGroup;
use clasp_testkit::KeyKind;
use std::process::Command;

pub(super) fn find(lab: &Lab) -> Result<Box<dyn Peer>, String> {
    let libraries = ["-lmbedtls", "-lmbedx509", "-lmbedcrypto"];
    let program = native::build(lab, "cc", "mbedtls.c", include_str!("../scripts/mbedtls.c"), &libraries)?;
    let habits = Habits {
        extended_master_secret: true,
        encrypt_then_mac: true,
        server_refuses_in_silence: true,
        ..Habits::default()
    };
    Scripted::start(&mut Command::new(program), habits, lacks, |groups| groups.iter().all(|g| !g.is_ffdhe()), true)
}

fn lacks(row: &Row, ours: Ours) -> Option<&'static str> {
    match () {
        () if row.is_tls13() => Some("Mbed TLS 2.28 has no TLS 1.3"),
        () if row.has_pss_key() => Some("Mbed TLS has no keys for RSASSA-PSS alone"),
        () if row.key == KeyKind::Ed25519 => Some("Mbed TLS has no Ed25519"),
        () if ours == Ours::Client && row.group == Some(NamedGroup::X25519) && row.key == KeyKind::P256 => {
            Some("its server prefers P-256 to X25519, and its key of P-256 wants that offered")
        }
        () => None,
    }
}
