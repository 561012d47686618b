//! application_layer_protocol_negotiation: RFC 7301.

use super::row::Block::{ClientHello, EncryptedExtensions, ServerHello12};
use super::row::{Asked, Row, ServerResponse};
use crate::code::ExtensionType;
use crate::config::ClientConfig;
use crate::error::{Error, PeerError, Result};
use crate::handshake::hello::{ClientOffer, Settled};
use crate::handshake::offer::Offered;
use crate::wire::{Extension, Writer, extension};

pub(super) static ROW: Row = Row {
    offer,
    read_offer,
    asked: |config, _| !config.alpn.is_empty(),
    answer,
    read_answer,
    ..Row::new(ExtensionType::Alpn, &[ClientHello, ServerHello12, EncryptedExtensions])
};

fn offer(config: &ClientConfig, _: &Offered, w: &mut Writer<'_>) {
    if !config.alpn.is_empty() {
        extension::write_alpn(&config.alpn, w);
    }
}

fn read_offer<'a>(offer: &mut ClientOffer<'a>, e: Extension<'a>) -> Result<()> {
    offer.alpn = Some(extension::alpn(e)?);
    Ok(())
}

fn answer(answer: &ServerResponse<'_>, w: &mut Writer<'_>) {
    if let Some(protocol) = answer.alpn {
        extension::write_alpn(&[protocol], w);
    }
}

/// Exactly one, and one of ours: RFC 7301 3.1.
fn read_answer(settled: &mut Settled, asked: &Asked<'_>, e: Extension<'_>) -> Result<()> {
    let protocols = extension::alpn(e)?;
    let (Some(chosen), None) = (protocols.iter().next(), protocols.iter().nth(1)) else {
        return Err(PeerError::WrongProtocolSelected.into());
    };
    if asked.config.alpn.iter().any(|ours| ours == chosen) {
        settled.alpn = Some(chosen.to_vec());
        return Ok(());
    }
    Err(Error::from(PeerError::WrongProtocolSelected).seen(String::from_utf8_lossy(chosen)))
}
