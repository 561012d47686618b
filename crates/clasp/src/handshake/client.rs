//! The client's first words and the server's answer, which settles the version; then one of the two conversations.

use super::extension::{RecordLimits, supported_versions};
use super::hello::ServerAnswer;
use super::link::Link;
use super::{client12, client13, hiding13, offer};
use crate::code::ProtocolVersion;
use crate::config::ClientConfig;
use crate::error::{Error, PeerError, Result};
use crate::established::Established;
use crate::wire::message::ServerHello;
use rustls_pki_types::ServerName;
use std::sync::Arc;

pub(crate) async fn client(
    mut link: Link,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
) -> Result<Established> {
    let link = &mut link;
    link.padding(config.padding);
    link.limits(RecordLimits { send: config.max_record, ..RecordLimits::default() });
    let mut offered = offer::send(link, &config, &name).await?;
    let hello = link.recv::<ServerHello>().await?;
    let version = supported_versions::selected(&config, &hello.view()).map_err(|e| e.in_message("ServerHello"))?;
    let refused = hiding13::hear(link, &config, &mut offered, version, &hello)?;
    let (config, name) = match &refused {
        Some(chosen) => hiding13::outside(&config, chosen),
        None => (config, name),
    };
    let established = match version {
        ProtocolVersion::Tls13 => client13::client(link, &config, name, offered, hello).await?,
        _ => {
            let answer =
                ServerAnswer::read(&config, &offered, &hello.view()).map_err(|e| e.in_message("ServerHello"))?;
            if offered.early.is_some() {
                // RFC 9846 4.2.10: a server that took the session's ticket speaks TLS 1.3; one that went back to 1.2
                // cannot have read what was sent.
                return Err(Error::from(PeerError::LegacyVersionSelected).in_message("ServerHello"));
            }
            link.recycle(hello);
            client12::client(link, &config, name, offered, answer).await?
        }
    };
    match refused {
        Some(chosen) => Err(hiding13::refusal(&config, &chosen, &established)),
        None => Ok(established),
    }
}
