//! early_data: RFC 9846 4.2.10. In a ticket it says how much there may be.

use super::row::Block::{ClientHello, EncryptedExtensions, NewSessionTicket};
use super::row::{Asked, Row, ServerResponse};
use crate::code::{ExtensionType, ProtocolVersion};
use crate::config::ClientConfig;
use crate::error::Result;
use crate::handshake::hello::{ClientOffer, Settled};
use crate::handshake::offer::Offered;
use crate::session::ServerSession;
use crate::wire::extension::{self, early};
use crate::wire::{Extension, Writer};

pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls13),
    may_change: true,
    offer,
    read_offer,
    asked: |_, offered| offered.early.is_some(),
    answer,
    read_answer,
    ticket,
    read_ticket,
    ..Row::new(ExtensionType::EarlyData, &[ClientHello, EncryptedExtensions, NewSessionTicket])
};

fn offer(_: &ClientConfig, offered: &Offered, w: &mut Writer<'_>) {
    if offered.early.is_some() {
        w.extension(ExtensionType::EarlyData, |_| ());
    }
}

fn read_offer(offer: &mut ClientOffer<'_>, e: Extension<'_>) -> Result<()> {
    offer.early_data = extension::flag(e, "early_data")?;
    Ok(())
}

fn answer(answer: &ServerResponse<'_>, w: &mut Writer<'_>) {
    if answer.said13.early_data {
        w.extension(ExtensionType::EarlyData, |_| ());
    }
}

fn read_answer(settled: &mut Settled, _: &Asked<'_>, e: Extension<'_>) -> Result<()> {
    settled.early_data = extension::flag(e, "early_data")?;
    Ok(())
}

fn ticket(session: &ServerSession, w: &mut Writer<'_>) {
    if session.max_early_data > 0 {
        w.extension(ExtensionType::EarlyData, |w| w.u32(session.max_early_data));
    }
}

fn read_ticket(max_early_data: &mut u32, e: Extension<'_>) -> Result<()> {
    *max_early_data = early::max_early_data(e)?;
    Ok(())
}
