//! What a conversation has derived is told at once, where somebody wants to hear: the key log some of it, an observer all. The names
//! are those of RFC 9846 7.1 and RFC 5246 6.3, 8.1.

use super::link::Link;
use crate::keys::log::{self, KeyLog};
use crate::keys::schedule12::{Side, Vault12};
use crate::keys::schedule13::{Traffic, Vault13};
use std::sync::Arc;

pub(super) type Log<'a> = Option<&'a Arc<dyn KeyLog>>;

/// The early secret, of a pre-shared key. Without one it is a constant, and no secret.
pub(super) fn psk(link: &Link, vault: &Vault13) {
    link.derived(&[("Early Secret", vault.stage()), ("binder_key", vault.binder_key())]);
}

/// What early data is protected by.
pub(super) fn early(link: &Link, log: Log<'_>, random: &[u8; 32], vault: &Vault13) {
    let (traffic, [_, exporter]) = (vault.traffic(Traffic::Early), vault.exporters());
    log_one(log, log::CLIENT_EARLY_TRAFFIC_SECRET, random, traffic);
    log_one(log, log::EARLY_EXPORTER_SECRET, random, exporter);
    link.derived(&[("client_early_traffic_secret", traffic), ("early_exporter_secret", exporter)]);
}

/// The handshake secret, and what comes of it.
pub(super) fn handshake(link: &Link, log: Log<'_>, random: &[u8; 32], vault: &Vault13) {
    let [client, server] = [Side::Client, Side::Server].map(|side| vault.traffic(Traffic::Handshake(side)));
    log_one(log, log::CLIENT_HANDSHAKE_TRAFFIC_SECRET, random, client);
    log_one(log, log::SERVER_HANDSHAKE_TRAFFIC_SECRET, random, server);
    link.derived(&[
        ("Handshake Secret", vault.stage()),
        ("client_handshake_traffic_secret", client),
        ("server_handshake_traffic_secret", server),
    ]);
}

/// The main secret, and what comes of it.
pub(super) fn application(link: &Link, log: Log<'_>, random: &[u8; 32], vault: &Vault13) {
    let [client, server] = [Side::Client, Side::Server].map(|side| vault.traffic(Traffic::Application(side)));
    let [exporter, _] = vault.exporters();
    log_one(log, log::CLIENT_TRAFFIC_SECRET_0, random, client);
    log_one(log, log::SERVER_TRAFFIC_SECRET_0, random, server);
    log_one(log, log::EXPORTER_SECRET, random, exporter);
    link.derived(&[
        ("Main Secret", vault.stage()),
        ("client_application_traffic_secret_0", client),
        ("server_application_traffic_secret_0", server),
        ("exporter_secret", exporter),
    ]);
}

/// What tickets' keys come of.
pub(super) fn resumption(link: &Link, vault: &Vault13) {
    link.derived(&[("resumption_secret", vault.resumption_secret())]);
}

/// The master secret of TLS 1.2, which an abbreviated handshake has from its session, and the key block.
pub(super) fn master(link: &Link, log: Log<'_>, random: &[u8; 32], vault: &Vault12, resumed: bool) {
    let master = &vault.master_secret().expose()[..];
    log_one(log, log::CLIENT_RANDOM, random, master);
    if !resumed {
        link.derived(&[("master_secret", master)]);
    }
    link.derived(&[("key_block", vault.key_block())]);
}

fn log_one(log: Log<'_>, label: &'static str, random: &[u8; 32], secret: &[u8]) {
    if let Some(log) = log.filter(|l| l.wants(label)) {
        log.log(label, random, secret);
    }
}
