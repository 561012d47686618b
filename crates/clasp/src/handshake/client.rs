//! The client's first words and the server's answer, which settles the version; then one of the two conversations.

use super::hello::{Limits, ServerAnswer};
use super::link::Link;
use super::{client12, client13, offer};
use crate::code::{ExtensionType, ProtocolVersion};
use crate::config::ClientConfig;
use crate::error::{Error, PeerError, Result};
use crate::established::Established;
use crate::wire::extension::early;
use crate::wire::message::{ServerHello, ServerHelloView};
use rustls_pki_types::ServerName;
use std::sync::Arc;

pub(crate) async fn client(
    mut link: Link,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
) -> Result<Established> {
    let link = &mut link;
    link.padding(config.padding);
    link.limits(Limits { send: config.max_record, ..Limits::default() });
    let offered = offer::send(link, &config, &name).await?;
    let hello = link.recv::<ServerHello>().await?;
    match version(&config, &hello.view()).map_err(|e| e.in_message("ServerHello"))? {
        ProtocolVersion::Tls13 => client13::client(link, &config, name, offered, hello).await,
        _ => {
            let answer =
                ServerAnswer::read(&config, &offered, &hello.view()).map_err(|e| e.in_message("ServerHello"))?;
            if offered.early.is_some() {
                // RFC 9846 4.2.10: a server that took the session's ticket speaks TLS 1.3; one that went back to 1.2
                // cannot have read what was sent.
                return Err(Error::from(PeerError::LegacyVersionSelected).in_message("ServerHello"));
            }
            link.recycle(hello);
            client12::client(link, &config, name, offered, answer).await
        }
    }
}

/// The version of a ServerHello: RFC 9846 4.2.1.
fn version(config: &ClientConfig, hello: &ServerHelloView<'_>) -> Result<ProtocolVersion> {
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
    check_legacy_version(hello)?;
    Ok(selected)
}

/// RFC 9846 4.1.3, E.5.
pub(super) fn check_legacy_version(hello: &ServerHelloView<'_>) -> Result<()> {
    if hello.version == ProtocolVersion::Tls12 {
        return Ok(());
    }
    Err(Error::from(PeerError::WrongLegacyVersion).seen(hello.version))
}
