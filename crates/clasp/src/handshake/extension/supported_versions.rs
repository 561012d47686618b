//! supported_versions: RFC 9846 4.2.1. Who reads one has chosen or learnt the version by it before anything else is read.

use super::row::Block::{ClientHello, HelloRetryRequest, ServerHello13};
use super::row::Row;
use crate::code::{ExtensionType, ProtocolVersion};
use crate::config::{ClientConfig, Policy};
use crate::error::{Error, PeerError, Result};
use crate::handshake::offer::Offered;
use crate::wire::extension::{self, early};
use crate::wire::message::{ClientHelloView, ServerHelloView};
use crate::wire::{Codes, Extensions, Writer};

pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls13),
    offer,
    asked: |_, _| true,
    hello13: |_, w| early::write_selected_version(ProtocolVersion::Tls13, w),
    retry: |_, w| early::write_selected_version(ProtocolVersion::Tls13, w),
    ..Row::new(ExtensionType::SupportedVersions, &[ClientHello, ServerHello13, HelloRetryRequest])
};

fn offer(config: &ClientConfig, offered: &Offered, w: &mut Writer<'_>) {
    let grease = offered.grease.iter().map(|g| g.version);
    let versions = config.policy.versions().iter().filter(|v| offered.speaks(config, **v)).map(|v| v.0);
    early::write_versions(grease.chain(versions), w);
}

/// Server: the version of a ClientHello. RFC 9846 4.2.1 where it is there, else RFC 5246 E.1.
pub(in crate::handshake) fn choose(policy: &Policy, hello: &ClientHelloView<'_>) -> Result<ProtocolVersion> {
    let list = match hello.extensions.find(ExtensionType::SupportedVersions) {
        Some(e) => extension::supported_versions(e)
            .map_err(|error| Error::from(error).in_extension(e.typ).in_message("ClientHello"))?,
        None => Codes::EMPTY,
    };
    // RFC 9846 E.5: whoever says SSL 3.0 or less in this field is refused, whatever else it says.
    let ancient = hello.version <= ProtocolVersion::Ssl3;
    let old = Some(hello.version.min(ProtocolVersion::Tls12)).filter(|_| list.is_empty() || ancient);
    let list = if ancient { Codes::EMPTY } else { list };
    let offered = list.iter().map(ProtocolVersion).chain(old);
    let ours = policy.versions();
    if let Some(version) = ours.iter().find(|v| offered.clone().any(|o| o == **v)) {
        return Ok(*version);
    }
    let text =
        |list: &mut dyn Iterator<Item = ProtocolVersion>| list.map(|v| v.to_string()).collect::<Vec<_>>().join(", ");
    let (seen, wanted) = (text(&mut offered.clone()), text(&mut ours.iter().copied()));
    Err(Error::from(PeerError::NoCommonVersion).seen(seen).wanted(wanted).in_message("ClientHello"))
}

/// Client: the version of a ServerHello.
pub(in crate::handshake) fn selected(config: &ClientConfig, hello: &ServerHelloView<'_>) -> Result<ProtocolVersion> {
    let Some(e) = hello.extensions.find(ExtensionType::SupportedVersions) else {
        if hello.is_hello_retry_request() {
            return Err(PeerError::MissingExtension.into());
        }
        return Ok(ProtocolVersion::Tls12);
    };
    if !config.policy.speaks(ProtocolVersion::Tls13) {
        return Err(Error::from(PeerError::UnsolicitedExtension).in_extension(e.typ));
    }
    let selected = early::selected_version(e)?;
    if selected != ProtocolVersion::Tls13 {
        return Err(Error::from(PeerError::WrongVersionSelected).seen(selected).wanted("TLS 1.3"));
    }
    check_legacy(hello)?;
    Ok(selected)
}

/// Client: a ServerHello behind a HelloRetryRequest selects the same version: RFC 9846 4.1.4.
pub(in crate::handshake) fn check_again(hello: &ServerHelloView<'_>) -> Result<()> {
    let selected = |extensions: Extensions<'_>| {
        extensions.find(ExtensionType::SupportedVersions).map(early::selected_version).transpose()
    };
    if selected(hello.extensions)? != Some(ProtocolVersion::Tls13) {
        return Err(PeerError::SecondHelloVersionMismatch.into());
    }
    check_legacy(hello)
}

/// RFC 9846 4.1.3, E.5.
fn check_legacy(hello: &ServerHelloView<'_>) -> Result<()> {
    if hello.version == ProtocolVersion::Tls12 {
        return Ok(());
    }
    Err(Error::from(PeerError::WrongLegacyVersion).seen(hello.version))
}
