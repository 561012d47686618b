//! key_share: RFC 9846 4.2.8. That it is missing is found with supported_groups.

use super::row::Block::{ClientHello, HelloRetryRequest, ServerHello13};
use super::row::{Hello13, Row};
use crate::code::{ExtensionType, NamedGroup, ProtocolVersion};
use crate::config::ClientConfig;
use crate::error::Result;
use crate::handshake::hello::{ClientOffer, ServerAnswer13};
use crate::handshake::offer::Offered;
use crate::handshake::retry13::Retry;
use crate::suite::Suite13;
use crate::wire::extension::key_share::{self, KeyShareEntry};
use crate::wire::{Extension, Writer};

pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls13),
    may_change: true,
    offer,
    read_offer,
    asked: |_, _| true,
    hello13,
    read_hello13,
    retry: |group, w| key_share::write_retry(group, w),
    read_retry,
    ..Row::new(ExtensionType::KeyShare, &[ClientHello, ServerHello13, HelloRetryRequest])
};

/// A second hello has one share, of the group that the server wants: RFC 9846 4.1.2.
fn offer(config: &ClientConfig, offered: &Offered, w: &mut Writer<'_>) {
    let entry = |group: NamedGroup| offered.share(group).map(|public| KeyShareEntry { group, public });
    if offered.retried {
        return key_share::write_client(offered.shares.iter().filter_map(|(group, _)| entry(*group)), w);
    }
    let grease = offered.grease.iter().map(|g| KeyShareEntry { group: NamedGroup(g.group), public: &[0] });
    key_share::write_client(grease.chain(config.first_shares.iter().filter_map(|group| entry(*group))), w);
}

fn read_offer<'a>(offer: &mut ClientOffer<'a>, e: Extension<'a>) -> Result<()> {
    offer.shares = Some(key_share::client(e)?);
    Ok(())
}

impl<'a> ClientOffer<'a> {
    /// The client's share in this group.
    pub(crate) fn share(&self, group: NamedGroup) -> Option<&'a [u8]> {
        self.shares?.iter().find(|share| share.group == group).map(|share| share.public)
    }
}

fn hello13(hello: &Hello13<'_>, w: &mut Writer<'_>) {
    if let Some((group, public)) = hello.share {
        key_share::write_server(KeyShareEntry { group, public }, w);
    }
}

fn read_hello13<'a>(answer: &mut ServerAnswer13<'a>, _: &Offered, _: &Suite13, e: Extension<'a>) -> Result<()> {
    answer.share = Some(key_share::server(e)?);
    Ok(())
}

fn read_retry(retry: &mut Retry, e: Extension<'_>) -> Result<()> {
    retry.group = Some(key_share::retry(e)?);
    Ok(())
}
