//! session_ticket of TLS 1.2: RFC 5077 3.2.

use super::row::Block::{ClientHello, ServerHello12};
use super::row::{Asked, Row, ServerResponse};
use crate::code::{ExtensionType, ProtocolVersion};
use crate::config::ClientConfig;
use crate::error::Result;
use crate::handshake::hello::{ClientOffer, Settled};
use crate::handshake::offer::Offered;
use crate::wire::{Extension, Writer, extension};

pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls12),
    offer,
    read_offer,
    asked: |config, _| config.takes_tickets(),
    answer,
    read_answer,
    ..Row::new(ExtensionType::SessionTicket, &[ClientHello, ServerHello12])
};

/// That of the session on offer; empty, it asks for one.
fn offer(config: &ClientConfig, offered: &Offered, w: &mut Writer<'_>) {
    if config.takes_tickets() {
        w.extension(ExtensionType::SessionTicket, |w| w.bytes(offered.session12().map_or(&[], |s| &s.ticket)));
    }
}

/// The ticket itself, without a length; nothing asks for one.
fn read_offer<'a>(offer: &mut ClientOffer<'a>, e: Extension<'a>) -> Result<()> {
    offer.ticket = Some(e.body);
    Ok(())
}

/// A NewSessionTicket will come.
fn answer(answer: &ServerResponse<'_>, w: &mut Writer<'_>) {
    if answer.said12.new_ticket {
        w.extension(ExtensionType::SessionTicket, |_| ());
    }
}

fn read_answer(settled: &mut Settled, _: &Asked<'_>, e: Extension<'_>) -> Result<()> {
    settled.new_ticket = extension::flag(e, "session_ticket")?;
    Ok(())
}
