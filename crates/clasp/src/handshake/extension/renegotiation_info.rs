//! renegotiation_info: RFC 5746. Clasp never renegotiates, so it is always empty.

use super::row::Block::{ClientHello, ServerHello12};
use super::row::{Asked, Row, ServerResponse};
use crate::code::{ExtensionType, ProtocolVersion};
use crate::config::{ClientConfig, ServerConfig};
use crate::error::{Error, PeerError, Result};
use crate::handshake::hello::{ClientOffer, Settled};
use crate::wire::{Extension, Writer, extension};

pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls12),
    offer: |_, _, w| w.extension(ExtensionType::RenegotiationInfo, |w| w.u8(0)),
    read_offer,
    if_missing,
    asked: |_, _| true,
    answer,
    read_answer,
    if_unanswered,
    ..Row::new(ExtensionType::RenegotiationInfo, &[ClientHello, ServerHello12])
};

fn read(e: Extension<'_>) -> Result<bool> {
    if extension::renegotiation_info(e)?.is_empty() { Ok(true) } else { Err(PeerError::BadRenegotiationInfo.into()) }
}

fn read_offer(offer: &mut ClientOffer<'_>, e: Extension<'_>) -> Result<()> {
    offer.secure_renegotiation = read(e)?;
    Ok(())
}

fn if_missing(config: &ServerConfig, offer: &ClientOffer<'_>, _: ProtocolVersion) -> Result<()> {
    if offer.secure_renegotiation || !config.policy.refuses_old_clients() {
        return Ok(());
    }
    Err(Error::from(PeerError::NoSecureRenegotiation)
        .hint("leave out Policy::require_secure_renegotiation(true) to take such clients"))
}

fn answer(answer: &ServerResponse<'_>, w: &mut Writer<'_>) {
    if answer.offer.secure_renegotiation {
        w.extension(ExtensionType::RenegotiationInfo, |w| w.u8(0));
    }
}

fn read_answer(settled: &mut Settled, _: &Asked<'_>, e: Extension<'_>) -> Result<()> {
    settled.secure_renegotiation = read(e)?;
    Ok(())
}

fn if_unanswered(config: &ClientConfig, settled: &Settled) -> Result<()> {
    if settled.secure_renegotiation || !config.policy.refuses_old_servers() {
        return Ok(());
    }
    Err(Error::from(PeerError::NoSecureRenegotiation)
        .hint("Policy::require_secure_renegotiation(false) takes such servers, and so does Policy::legacy()"))
}
