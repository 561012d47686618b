//! server_name: RFC 6066 3.

use super::row::Block::{CertificateRequest, ClientHello, EncryptedExtensions, ServerHello12};
use super::row::{Answer, Asked, Row};
use crate::code::ExtensionType;
use crate::config::ClientConfig;
use crate::error::{Error, PeerError, Result};
use crate::handshake::hello::{ClientOffer, Settled};
use crate::handshake::offer::Offered;
use crate::wire::{Extension, Writer, extension};

pub(super) static ROW: Row = Row {
    offer,
    read_offer,
    asked: |_, offered| offered.server_name,
    answer,
    read_answer,
    ..Row::new(ExtensionType::ServerName, &[ClientHello, ServerHello12, EncryptedExtensions, CertificateRequest])
};

/// An address is no name: RFC 6066 3.
fn offer(_: &ClientConfig, offered: &Offered, w: &mut Writer<'_>) {
    if offered.server_name {
        extension::write_server_name(&offered.peer.0, w);
    }
}

fn read_offer<'a>(offer: &mut ClientOffer<'a>, e: Extension<'a>) -> Result<()> {
    offer.server_name = extension::server_name(e)?.map(host_name).transpose()?;
    Ok(())
}

/// A name is a DNS name in ASCII. Who asks for something else is told that there is no such server; what is kept of a name
/// and told to applications is never longer than what came.
fn host_name(name: &[u8]) -> Result<&str> {
    let text = core::str::from_utf8(name).ok().filter(|text| text.bytes().all(|b| b.is_ascii_graphic()));
    text.ok_or_else(|| {
        let error = Error::from(PeerError::BadServerName).seen(format_args!("\"{}\"", name.escape_ascii()));
        error.wanted("a DNS name in ASCII")
    })
}

/// A full handshake says that it knows the name; a session keeps its own.
fn answer(answer: &Answer<'_>, w: &mut Writer<'_>) {
    if answer.offer.server_name.is_some() && !answer.resumed {
        w.extension(ExtensionType::ServerName, |_| ());
    }
}

fn read_answer(_: &mut Settled, _: &Asked<'_>, e: Extension<'_>) -> Result<()> {
    Ok(extension::empty(e, "server_name")?)
}
