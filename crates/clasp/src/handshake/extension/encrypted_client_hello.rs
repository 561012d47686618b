//! encrypted_client_hello: RFC 9849 5. A client of ours sends none. What our server makes of one stands in `ech13.rs`, as it
//! changes which hello is read; here it says what is to be tried again with.

use super::row::Block::{ClientHello, EncryptedExtensions, HelloRetryRequest};
use super::row::{Row, ServerResponse};
use crate::code::{ExtensionType, ProtocolVersion};
use crate::wire::Writer;
use crate::wire::extension::ech;

/// RFC 9849 6.1.5: what is hidden in the second hello is sealed anew.
pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls13),
    may_change: true,
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
