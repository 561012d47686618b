//! ec_point_formats: RFC 8422 5.1.2. It means nothing in TLS 1.3, so a client's is read where TLS 1.2 was chosen.

use super::row::Block::{ClientHello, ServerHello12};
use super::row::{Asked, Row, ServerResponse};
use crate::code::{ExtensionType, ProtocolVersion};
use crate::config::ClientConfig;
use crate::error::{Error, PeerError, Result};
use crate::handshake::hello::{ClientOffer, Settled};
use crate::handshake::offer::Offered;
use crate::suite::Kx;
use crate::wire::{Extension, Writer, extension};

pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls12),
    offer,
    read_offer,
    asked: |config, _| !config.policy.groups.is_empty(),
    answer,
    read_answer,
    ..Row::new(ExtensionType::EcPointFormats, &[ClientHello, ServerHello12])
};

fn offer(config: &ClientConfig, _: &Offered, w: &mut Writer<'_>) {
    if !config.policy.groups.is_empty() {
        w.extension(ExtensionType::EcPointFormats, |w| w.bytes(&[1, 0]));
    }
}

fn read_offer<'a>(offer: &mut ClientOffer<'a>, e: Extension<'a>) -> Result<()> {
    offer.point_formats = Some(e);
    Ok(())
}

impl ClientOffer<'_> {
    /// Whoever names formats must name uncompressed points.
    pub(crate) fn check_point_formats(&self) -> Result<()> {
        let Some(e) = self.point_formats else { return Ok(()) };
        let formats = extension::vec8(e, "ec_point_format_list").map_err(|x| Error::from(x).in_extension(e.typ))?;
        if formats.contains(&0) {
            return Ok(());
        }
        Err(Error::from(PeerError::NoPointFormat).wanted("uncompressed points").in_extension(e.typ))
    }
}

fn answer(answer: &ServerResponse<'_>, w: &mut Writer<'_>) {
    if answer.offer.point_formats.is_some() && answer.suite12.is_some_and(|suite| suite.kx == Kx::Ecdhe) {
        w.extension(ExtensionType::EcPointFormats, |w| w.bytes(&[1, 0]));
    }
}

fn read_answer(_: &mut Settled, _: &Asked<'_>, e: Extension<'_>) -> Result<()> {
    if extension::vec8(e, "ec_point_format_list")?.contains(&0) { Ok(()) } else { Err(PeerError::NoPointFormat.into()) }
}
