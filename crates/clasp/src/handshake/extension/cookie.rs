//! cookie: RFC 9846 4.2.2. A server of ours gives none, so one that comes is only checked to be well formed.

use super::row::Block::{ClientHello, HelloRetryRequest};
use super::row::Row;
use crate::code::{ExtensionType, ProtocolVersion};
use crate::config::ClientConfig;
use crate::error::Result;
use crate::handshake::offer::Offered;
use crate::handshake::retry13::Retry;
use crate::wire::extension::early;
use crate::wire::{Extension, Writer};

pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls13),
    may_change: true,
    offer,
    read_offer: |_, e| Ok(early::cookie(e).map(drop)?),
    asked: |_, _| true,
    read_retry,
    ..Row::new(ExtensionType::Cookie, &[ClientHello, HelloRetryRequest])
};

/// The server's own, given back in the second hello.
fn offer(_: &ClientConfig, offered: &Offered, w: &mut Writer<'_>) {
    if let Some(cookie) = &offered.cookie {
        early::write_cookie(cookie, w);
    }
}

/// It needs no asking: RFC 9846 4.2.
fn read_retry(retry: &mut Retry, e: Extension<'_>) -> Result<()> {
    retry.cookie = Some(early::cookie(e)?.to_vec());
    Ok(())
}
