//! pre_shared_key: RFC 9846 4.2.11. It is the last of a ClientHello, as its binders cover what stands before them.

use super::row::Block::{ClientHello, ServerHello13};
use super::row::{Hello13, Row};
use crate::code::{ExtensionType, ProtocolVersion};
use crate::config::ClientConfig;
use crate::error::{Error, PeerError, Result};
use crate::handshake::hello::{ClientOffer, ServerAnswer13};
use crate::handshake::offer::{Offered, OfferedPsk, PskSecret};
use crate::suite::Suite13;
use crate::wire::extension::pre_shared_key::{self, PskIdentity};
use crate::wire::{Extension, Extensions, Writer};

pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls13),
    may_change: true,
    offer,
    read_offer,
    asked: |_, offered| !offered.psks.is_empty() || offered.has_false_keys(),
    hello13,
    read_hello13,
    ..Row::new(ExtensionType::PreSharedKey, &[ClientHello, ServerHello13])
};

/// The binders are zeros yet: the hello must be whole for them.
fn offer(config: &ClientConfig, offered: &Offered, w: &mut Writer<'_>) {
    if let Some((identities, binders)) = offered.false_keys() {
        if offered.has_false_keys() {
            pre_shared_key::write_offered(identities, binders, w);
        }
        return;
    }
    if offered.psks.is_empty() {
        return;
    }
    let now = config.clock.now();
    let identities = offered.psks.iter().filter_map(|psk| match psk.secret {
        PskSecret::Session => offered.session13().map(|s| {
            let age = now.duration_since(s.received).unwrap_or_default().as_millis();
            let age = u32::try_from(age).unwrap_or(u32::MAX);
            PskIdentity { identity: &s.ticket, obfuscated_age: age.wrapping_add(s.age_add) }
        }),
        PskSecret::External(n) => config.psks.get(n).map(|p| PskIdentity { identity: &p.identity, obfuscated_age: 0 }),
    });
    pre_shared_key::write_offered(identities, offered.psks.iter().map(|psk| psk.hash.len()), w);
}

fn read_offer<'a>(offer: &mut ClientOffer<'a>, e: Extension<'a>) -> Result<()> {
    offer.psks = Some(pre_shared_key::offered(e)?);
    Ok(())
}

/// Where it stands in the hello that was read.
pub(in crate::handshake) fn check_last(offer: &ClientOffer<'_>, extensions: Extensions<'_>) -> Result<()> {
    if offer.psks.is_some() && extensions.last() != Some(ExtensionType::PreSharedKey) {
        return Err(Error::from(PeerError::PskNotLast).in_message("ClientHello"));
    }
    Ok(())
}

fn hello13(hello: &Hello13<'_>, w: &mut Writer<'_>) {
    hello.selected.into_iter().for_each(|index| pre_shared_key::write_selected(index, w));
}

fn read_hello13(answer: &mut ServerAnswer13<'_>, offered: &Offered, suite: &Suite13, e: Extension<'_>) -> Result<()> {
    let n = usize::from(pre_shared_key::selected(e)?);
    check(offered.psks.get(n), suite)?;
    answer.psk = Some(n);
    Ok(())
}

fn check(psk: Option<&OfferedPsk>, suite: &Suite13) -> Result<()> {
    match psk {
        None => Err(PeerError::UnknownPskSelected.into()),
        Some(psk) if psk.hash != suite.hash => Err(Error::from(PeerError::PskHashMismatch).seen(suite.code)),
        Some(_) => Ok(()),
    }
}
