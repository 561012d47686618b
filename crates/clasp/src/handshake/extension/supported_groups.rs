//! supported_groups: RFC 9846 4.2.7, RFC 8422 5.1.1, RFC 7919.

use super::row::Block::{ClientHello, EncryptedExtensions, ServerHello12};
use super::row::{Asked, Row, ServerResponse};
use crate::code::{ExtensionType, ProtocolVersion};
use crate::config::{ClientConfig, ServerConfig};
use crate::error::{Error, PeerError, Result};
use crate::handshake::hello::{ClientOffer, Settled};
use crate::handshake::offer::Offered;
use crate::wire::{Extension, Writer, extension};

pub(super) static ROW: Row = Row {
    offer,
    read_offer,
    if_missing,
    asked: |config, _| !config.policy.groups.is_empty(),
    answer,
    read_answer,
    ..Row::new(ExtensionType::SupportedGroups, &[ClientHello, ServerHello12, EncryptedExtensions])
};

fn offer(config: &ClientConfig, offered: &Offered, w: &mut Writer<'_>) {
    let policy = &config.policy;
    if policy.groups.is_empty() {
        return;
    }
    let tls13 = policy.speaks(ProtocolVersion::Tls13);
    let ours = policy.groups.iter().filter(|g| tls13 || !g.is_post_quantum()).map(|g| g.0);
    let grease = offered.grease.iter().map(|g| g.group);
    extension::write_codes(ExtensionType::SupportedGroups, grease.chain(ours), w);
}

fn read_offer<'a>(offer: &mut ClientOffer<'a>, e: Extension<'a>) -> Result<()> {
    offer.groups = Some(extension::codes(e, "named_group_list")?);
    Ok(())
}

/// RFC 9846 9.2: in TLS 1.3 it and key_share come together, and only pre-shared keys make up for both.
fn if_missing(_: &ServerConfig, offer: &ClientOffer<'_>, version: ProtocolVersion) -> Result<()> {
    if version != ProtocolVersion::Tls13 {
        return Ok(());
    }
    let missing = |what: &str| Err(Error::from(PeerError::MissingExtension).wanted(what));
    match (offer.groups, offer.shares) {
        (Some(_), None) => missing("key_share"),
        (None, Some(_)) => missing("supported_groups"),
        (None, None) if offer.psks.is_none() => missing("supported_groups and key_share"),
        _ => Ok(()),
    }
}

/// RFC 9846 4.2.7: a client that sent no share of the group we like best learns which it is for the next time.
fn answer(answer: &ServerResponse<'_>, w: &mut Writer<'_>) {
    if answer.suite12.is_some() || answer.offer.groups.is_none() {
        return;
    }
    let ours = &answer.config.policy.groups;
    let better = answer.said13.group.is_some_and(|group| ours.first() != Some(&group));
    if answer.config.announce_groups || better {
        extension::write_codes(ExtensionType::SupportedGroups, ours.iter().map(|g| g.0), w);
    }
}

/// Some servers of TLS 1.2 answer with their own list of groups; RFC 8422 5.1.1 asks clients to bear it.
fn read_answer(_: &mut Settled, asked: &Asked<'_>, e: Extension<'_>) -> Result<()> {
    if asked.suite12.is_none() {
        extension::codes(e, "named_group_list")?;
    }
    Ok(())
}
