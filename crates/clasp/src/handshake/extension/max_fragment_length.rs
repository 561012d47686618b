//! max_fragment_length: RFC 6066 4.

use super::record_size_limit::RecordLimits;
use super::row::Block::{ClientHello, EncryptedExtensions, ServerHello12};
use super::row::{Asked, Row, ServerResponse};
use crate::code::{ExtensionType, MaxFragmentLength};
use crate::config::ClientConfig;
use crate::error::{Error, PeerError, Result};
use crate::handshake::hello::{ClientOffer, Settled};
use crate::handshake::offer::Offered;
use crate::wire::{Extension, Writer, extension};

pub(super) static ROW: Row = Row {
    offer,
    read_offer,
    asked: |config, _| config.max_fragment_length.is_some(),
    answer,
    read_answer,
    ..Row::new(ExtensionType::MaxFragmentLength, &[ClientHello, ServerHello12, EncryptedExtensions])
};

fn offer(config: &ClientConfig, _: &Offered, w: &mut Writer<'_>) {
    if let Some(length) = config.max_fragment_length {
        w.extension(ExtensionType::MaxFragmentLength, |w| w.u8(length.0));
    }
}

fn read_offer(offer: &mut ClientOffer<'_>, e: Extension<'_>) -> Result<()> {
    offer.max_fragment_length = Some(extension::max_fragment_length(e)?);
    Ok(())
}

/// What is agreed: where both are offered, record_size_limit wins (RFC 8449 5).
pub(super) fn agreed(answer: &ServerResponse<'_>) -> Option<MaxFragmentLength> {
    answer.offer.max_fragment_length.filter(|_| super::record_size_limit::agreed(answer).is_none())
}

fn answer(answer: &ServerResponse<'_>, w: &mut Writer<'_>) {
    if let Some(length) = agreed(answer) {
        w.extension(ExtensionType::MaxFragmentLength, |w| w.u8(length.0));
    }
}

fn read_answer(settled: &mut Settled, asked: &Asked<'_>, e: Extension<'_>) -> Result<()> {
    let length = extension::max_fragment_length(e)?;
    if Some(length) != asked.config.max_fragment_length {
        return Err(Error::from(PeerError::BadMaxFragmentLength).seen(length));
    }
    settled.limits = RecordLimits::fragment(length);
    Ok(())
}
