//! quic_transport_parameters: RFC 9001 8.2. What one carrier says to the other: what it means is theirs, and whether there must be
//! something is settled by [`Link::peer_parameters`](crate::handshake::link::Link::peer_parameters). Over TCP there may be nothing.

use super::row::Block::{ClientHello, EncryptedExtensions};
use super::row::{Asked, Row, ServerResponse};
use crate::code::{ExtensionType, ProtocolVersion};
use crate::config::ClientConfig;
use crate::error::Result;
use crate::handshake::hello::{ClientOffer, Settled};
use crate::handshake::offer::Offered;
use crate::wire::{Extension, Writer};

pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls13),
    offer,
    read_offer,
    asked: |_, offered| offered.parameters.is_some(),
    answer,
    read_answer,
    ..Row::new(ExtensionType::QuicTransportParameters, &[ClientHello, EncryptedExtensions])
};

fn offer(_: &ClientConfig, offered: &Offered, w: &mut Writer<'_>) {
    write(offered.parameters.as_deref(), w);
}

fn read_offer<'a>(offer: &mut ClientOffer<'a>, e: Extension<'a>) -> Result<()> {
    offer.parameters = Some(e.body);
    Ok(())
}

fn answer(answer: &ServerResponse<'_>, w: &mut Writer<'_>) {
    write(answer.said13.parameters.as_deref(), w);
}

fn write(parameters: Option<&[u8]>, w: &mut Writer<'_>) {
    if let Some(parameters) = parameters {
        w.extension(ExtensionType::QuicTransportParameters, |w| w.bytes(parameters));
    }
}

fn read_answer(settled: &mut Settled, _: &Asked<'_>, e: Extension<'_>) -> Result<()> {
    settled.parameters = Some(e.body.to_vec());
    Ok(())
}
