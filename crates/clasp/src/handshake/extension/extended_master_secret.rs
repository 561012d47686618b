//! extended_master_secret: RFC 7627.

use super::row::Block::{ClientHello, ServerHello12};
use super::row::{Asked, Row, ServerResponse};
use crate::code::{ExtensionType, ProtocolVersion};
use crate::config::{ClientConfig, ServerConfig};
use crate::error::{PeerError, Result};
use crate::handshake::hello::{ClientOffer, Settled};
use crate::handshake::offer::Offered;
use crate::wire::{Extension, Writer, extension};

pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls12),
    offer,
    read_offer,
    if_missing,
    asked: |config, _| config.extended_master_secret,
    answer,
    read_answer,
    if_unanswered,
    ..Row::new(ExtensionType::ExtendedMasterSecret, &[ClientHello, ServerHello12])
};

fn offer(config: &ClientConfig, _: &Offered, w: &mut Writer<'_>) {
    if config.extended_master_secret {
        w.extension(ExtensionType::ExtendedMasterSecret, |_| ());
    }
}

fn read_offer(offer: &mut ClientOffer<'_>, e: Extension<'_>) -> Result<()> {
    offer.extended_master_secret = extension::flag(e, "extended_master_secret")?;
    Ok(())
}

fn if_missing(config: &ServerConfig, offer: &ClientOffer<'_>, _: ProtocolVersion) -> Result<()> {
    required(config.policy.require_extended_master_secret, offer.extended_master_secret)
}

fn answer(answer: &ServerResponse<'_>, w: &mut Writer<'_>) {
    if answer.offer.extended_master_secret && answer.config.extended_master_secret {
        w.extension(ExtensionType::ExtendedMasterSecret, |_| ());
    }
}

fn read_answer(settled: &mut Settled, _: &Asked<'_>, e: Extension<'_>) -> Result<()> {
    settled.extended_master_secret = extension::flag(e, "extended_master_secret")?;
    Ok(())
}

fn if_unanswered(config: &ClientConfig, settled: &Settled) -> Result<()> {
    required(config.policy.require_extended_master_secret, settled.extended_master_secret)
}

fn required(required: bool, there: bool) -> Result<()> {
    if required && !there { Err(PeerError::NoExtendedMasterSecret.into()) } else { Ok(()) }
}
