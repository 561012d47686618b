//! psk_key_exchange_modes: RFC 9846 4.2.9.

use super::row::Block::ClientHello;
use super::row::Row;
use crate::code::{ExtensionType, ProtocolVersion, PskKeyExchangeMode};
use crate::config::{ClientConfig, ServerConfig};
use crate::error::{PeerError, Result};
use crate::handshake::hello::ClientOffer;
use crate::handshake::offer::Offered;
use crate::wire::extension::pre_shared_key;
use crate::wire::{Extension, Writer};

pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls13),
    offer,
    read_offer,
    if_missing,
    ..Row::new(ExtensionType::PskKeyExchangeModes, &[ClientHello])
};

/// Without modes a server gives no tickets.
fn offer(config: &ClientConfig, offered: &Offered, w: &mut Writer<'_>) {
    if config.takes_tickets() || !offered.psks.is_empty() || offered.has_false_keys() {
        let modes: &[_] = if config.psk_without_dhe {
            &[PskKeyExchangeMode::PskDheKe, PskKeyExchangeMode::PskKe]
        } else {
            &[PskKeyExchangeMode::PskDheKe]
        };
        pre_shared_key::write_modes(modes, w);
    }
}

fn read_offer<'a>(offer: &mut ClientOffer<'a>, e: Extension<'a>) -> Result<()> {
    offer.psk_modes = Some(pre_shared_key::modes(e)?);
    Ok(())
}

/// Whoever offers keys says how they may be used.
fn if_missing(_: &ServerConfig, offer: &ClientOffer<'_>, _: ProtocolVersion) -> Result<()> {
    if offer.psks.is_some() && offer.psk_modes.is_none() { Err(PeerError::MissingPskModes.into()) } else { Ok(()) }
}
