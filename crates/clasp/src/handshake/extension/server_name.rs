//! server_name: RFC 6066 3.

use super::row::Block::{CertificateRequest, ClientHello, EncryptedExtensions, ServerHello12};
use super::row::{Asked, Row, ServerResponse};
use crate::code::ExtensionType;
use crate::config::ClientConfig;
use crate::error::Result;
use crate::handshake::hello::{ClientOffer, Settled};
use crate::handshake::offer::Offered;
use crate::hello::host_name;
use crate::wire::{Extension, Writer, extension};

pub(super) static ROW: Row = Row {
    offer,
    read_offer,
    asked: |_, offered| offered.said_name().is_some(),
    answer,
    read_answer,
    ..Row::new(ExtensionType::ServerName, &[ClientHello, ServerHello12, EncryptedExtensions, CertificateRequest])
};

/// An address is no name: RFC 6066 3.
fn offer(_: &ClientConfig, offered: &Offered, w: &mut Writer<'_>) {
    if let Some(name) = offered.said_name() {
        extension::write_server_name(name, w);
    }
}

fn read_offer<'a>(offer: &mut ClientOffer<'a>, e: Extension<'a>) -> Result<()> {
    offer.server_name = extension::server_name(e)?.map(host_name).transpose()?;
    Ok(())
}

/// A full handshake says that it knows the name; a session keeps its own.
fn answer(answer: &ServerResponse<'_>, w: &mut Writer<'_>) {
    if answer.offer.server_name.is_some() && !answer.resumed {
        w.extension(ExtensionType::ServerName, |_| ());
    }
}

fn read_answer(_: &mut Settled, _: &Asked<'_>, e: Extension<'_>) -> Result<()> {
    Ok(extension::empty(e, "server_name")?)
}
