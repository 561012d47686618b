//! encrypted_client_hello: RFC 9849 5. What our client hides stands in `hiding13.rs`, and what our server makes of it in `ech13.rs`,
//! as both change which hello counts; here it is written, and read what is to be tried again with.

use super::row::Block::{ClientHello, EncryptedExtensions, HelloRetryRequest};
use super::row::{Asked, Row, ServerResponse};
use crate::code::{ExtensionType, ProtocolVersion};
use crate::error::Result;
use crate::handshake::hello::Settled;
use crate::wire::extension::ech;
use crate::wire::{Extension, Writer};

/// RFC 9849 6.1.5: what is hidden in the second hello is sealed anew.
pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls13),
    may_change: true,
    offer: |_, offered, w| offered.write_hiding(w),
    asked: |_, offered| offered.hiding.is_said(),
    read_retry: |_, e| Ok(ech::confirmation(e).map(drop)?),
    read_answer,
    read_offer: |_, e| Ok(ech::client(e).map(drop)?),
    answer,
    ..Row::new(ExtensionType::EncryptedClientHello, &[ClientHello, HelloRetryRequest, EncryptedExtensions])
};

/// RFC 9849 7.1: whoever hid something that no key opened learns of those that would.
fn answer(answer: &ServerResponse<'_>, w: &mut Writer<'_>) {
    if let Some(list) = answer.said13.ech.as_ref().and_then(|ring| ring.retry_configs()) {
        w.extension(ExtensionType::EncryptedClientHello, |w| w.bytes(list.as_bytes()));
    }
}

fn read_answer(settled: &mut Settled, asked: &Asked<'_>, e: Extension<'_>) -> Result<()> {
    settled.retry_configs = asked.offered.read_retry_configs(e)?;
    Ok(())
}
