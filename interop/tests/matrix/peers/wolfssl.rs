//! wolfSSL, as Debian builds it.

use super::scripted::Scripted;
use super::{Habits, Peer, native};
use crate::lab::Lab;
use crate::rows::{Ours, Row, Switch};
use clasp::suite::{Auth, Kx};
use clasp::wire::code::NamedGroup;
use std::process::Command;

pub(super) fn find(lab: &Lab) -> Result<Box<dyn Peer>, String> {
    let program = native::build(lab, "cc", "wolfssl.c", include_str!("../scripts/wolfssl.c"), &["-lwolfssl"])?;
    let habits = Habits {
        extended_master_secret: true,
        encrypt_then_mac: true,
        client_without_secure_renegotiation: true,
        server_refuses_in_silence: true,
        ..Habits::default()
    };
    Scripted::start(&mut Command::new(program), habits, lacks, |groups| groups.iter().all(has), true)
}

fn has(group: &NamedGroup) -> bool {
    !group.is_hybrid() && !matches!(*group, NamedGroup::Ffdhe4096 | NamedGroup::Ffdhe6144 | NamedGroup::Ffdhe8192)
}

fn lacks(row: &Row, ours: Ours) -> Option<&'static str> {
    let prefers_p256 = row.group == Some(NamedGroup::Secp521r1) && row.auth() == Auth::Ecdsa && !row.is_tls13();
    match () {
        () if row.suite.kx == Some(Kx::Rsa) => Some("Debian's wolfSSL is built without RSA key transport"),
        () if row.has_pss_key() => Some("it signs with such a key as if it were a plain one of RSA"),
        () if row.early_data => Some("Debian's wolfSSL is built without early data"),
        () if row.group.is_some_and(NamedGroup::is_hybrid) => Some("this wolfSSL has no ML-KEM"),
        () if row.group.is_some_and(|g| !has(&g)) => Some("it has no group of this size"),
        () if ours == Ours::Client && row.extended_master_secret == Switch::OffTheirs => {
            Some("wolfSSL's server has no switch for it")
        }
        () if ours == Ours::Client && !row.is_tls13() && row.client_cert.is_ecdsa() => {
            Some("its server asks for RSA certificates alone where the suite is RSA's")
        }
        () if ours == Ours::Client && prefers_p256 => {
            Some("its server prefers P-256 to P-521, and its key of P-256 wants that offered")
        }
        () => None,
    }
}
