//! encrypt_then_mac: RFC 7366.

use super::row::Block::{ClientHello, ServerHello12};
use super::row::{Asked, Row, ServerResponse};
use crate::code::{ExtensionType, ProtocolVersion};
use crate::config::ClientConfig;
use crate::error::{PeerError, Result};
use crate::handshake::hello::{ClientOffer, Settled};
use crate::handshake::offer::Offered;
use crate::suite::{Bulk, Suite};
use crate::wire::{Extension, Writer, extension};

pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls12),
    offer,
    read_offer,
    asked: |config, _| is_offered(config),
    answer,
    read_answer,
    ..Row::new(ExtensionType::EncryptThenMac, &[ClientHello, ServerHello12])
};

fn offer(config: &ClientConfig, _: &Offered, w: &mut Writer<'_>) {
    if is_offered(config) {
        w.extension(ExtensionType::EncryptThenMac, |_| ());
    }
}

/// It means something where a suite has a MAC of its own: RFC 7366 2.
const fn has_mac(suite: &Suite) -> bool {
    matches!(suite.bulk, Bulk::Cbc(_))
}

fn is_offered(config: &ClientConfig) -> bool {
    config.encrypt_then_mac && config.policy.suites12().any(has_mac)
}

fn read_offer(offer: &mut ClientOffer<'_>, e: Extension<'_>) -> Result<()> {
    offer.encrypt_then_mac = extension::flag(e, "encrypt_then_mac")?;
    Ok(())
}

impl ServerResponse<'_> {
    /// Whether the records are protected that way.
    pub(crate) fn encrypt_then_mac(&self) -> bool {
        self.offer.encrypt_then_mac && self.config.encrypt_then_mac && self.suite12.is_some_and(has_mac)
    }
}

fn answer(answer: &ServerResponse<'_>, w: &mut Writer<'_>) {
    if answer.encrypt_then_mac() {
        w.extension(ExtensionType::EncryptThenMac, |_| ());
    }
}

fn read_answer(settled: &mut Settled, asked: &Asked<'_>, e: Extension<'_>) -> Result<()> {
    extension::empty(e, "encrypt_then_mac")?;
    if !asked.suite12.is_some_and(has_mac) {
        return Err(PeerError::BadEncryptThenMac.into());
    }
    settled.encrypt_then_mac = true;
    Ok(())
}
