//! psk_key_exchange_modes: RFC 9846 4.2.9.

use super::row::Block::ClientHello;
use super::row::Row;
use crate::code::{ExtensionType, ProtocolVersion};
use crate::config::ServerConfig;
use crate::error::{PeerError, Result};
use crate::handshake::hello::ClientOffer;
use crate::wire::Extension;
use crate::wire::extension::pre_shared_key;

pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls13),
    read_offer,
    if_missing,
    ..Row::new(ExtensionType::PskKeyExchangeModes, &[ClientHello])
};

fn read_offer<'a>(offer: &mut ClientOffer<'a>, e: Extension<'a>) -> Result<()> {
    offer.psk_modes = Some(pre_shared_key::modes(e)?);
    Ok(())
}

/// Whoever offers keys says how they may be used.
fn if_missing(_: &ServerConfig, offer: &ClientOffer<'_>, _: ProtocolVersion) -> Result<()> {
    if offer.psks.is_some() && offer.psk_modes.is_none() { Err(PeerError::MissingPskModes.into()) } else { Ok(()) }
}
