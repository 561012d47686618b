//! An extension that there is not, for tests: a client says 7 in it, and a server the same.

use super::row::Block::{ClientHello, EncryptedExtensions};
use super::row::{Asked, Row, ServerResponse};
use crate::code::ExtensionType;
use crate::config::{ClientConfig, ServerConfig};
use crate::error::{PeerError, Result};
use crate::handshake::hello::{ClientOffer, Settled};
use crate::handshake::offer::Offered;
use crate::wire::{Extension, Writer};
use core::cell::Cell;

pub(super) const TOY: ExtensionType = ExtensionType(57005);

pub(super) static ROW: Row = Row {
    offer,
    read_offer,
    if_missing,
    asked: |_, _| true,
    answer,
    read_answer,
    ..Row::new(TOY, &[ClientHello, EncryptedExtensions])
};

thread_local! {
    /// A real one would have a field of `ClientOffer`.
    static OFFERED: Cell<bool> = const { Cell::new(false) };
}

fn seven(e: Extension<'_>) -> Result<bool> {
    let mut r = e.reader();
    let number = r.u8("number")?;
    r.finish("toy")?;
    if number == 7 { Ok(true) } else { Err(PeerError::WrongProtocolSelected.into()) }
}

fn offer(_: &ClientConfig, _: &Offered, w: &mut Writer<'_>) {
    w.extension(TOY, |w| w.u8(7));
}

fn read_offer(_: &mut ClientOffer<'_>, e: Extension<'_>) -> Result<()> {
    OFFERED.set(seven(e)?);
    Ok(())
}

fn if_missing(_: &ServerConfig, _: &ClientOffer<'_>, _: crate::code::ProtocolVersion) -> Result<()> {
    if OFFERED.get() { Ok(()) } else { Err(PeerError::MissingExtension.into()) }
}

fn answer(_: &ServerResponse<'_>, w: &mut Writer<'_>) {
    if OFFERED.get() {
        w.extension(TOY, |w| w.u8(7));
    }
}

fn read_answer(_: &mut Settled, _: &Asked<'_>, e: Extension<'_>) -> Result<()> {
    seven(e).map(drop)
}
