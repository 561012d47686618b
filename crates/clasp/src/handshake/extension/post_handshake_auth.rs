//! post_handshake_auth: RFC 9846 4.2.6.

use super::row::Block::ClientHello;
use super::row::Row;
use crate::code::{ExtensionType, ProtocolVersion};
use crate::config::ClientConfig;
use crate::error::Result;
use crate::handshake::hello::ClientOffer;
use crate::handshake::offer::Offered;
use crate::wire::{Extension, Writer, extension};

pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls13),
    offer,
    read_offer,
    ..Row::new(ExtensionType::PostHandshakeAuth, &[ClientHello])
};

fn offer(config: &ClientConfig, _: &Offered, w: &mut Writer<'_>) {
    if config.post_handshake_auth {
        w.extension(ExtensionType::PostHandshakeAuth, |_| ());
    }
}

fn read_offer(offer: &mut ClientOffer<'_>, e: Extension<'_>) -> Result<()> {
    offer.post_handshake_auth = extension::flag(e, "post_handshake_auth")?;
    Ok(())
}
