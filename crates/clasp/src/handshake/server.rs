//! The client's hello, which settles the version; then one of the two conversations.

use super::ech13::Ech;
use super::extension::{RecordLimits, supported_versions};
use super::hello::ClientOffer;
use super::link::Link;
use super::{negotiate, server12, server13};
use crate::code::ProtocolVersion;
use crate::config::ServerConfig;
use crate::error::Result;
use crate::established::Established;
use crate::facts::Event;
use crate::wire::message::{ClientHello, ClientHelloView};
use std::sync::Arc;

pub(crate) async fn server(mut link: Link, config: Arc<ServerConfig>) -> Result<Established> {
    let link = &mut link;
    link.padding(config.padding);
    link.limits(RecordLimits { send: config.max_record, ..RecordLimits::default() });
    let hello = link.recv::<ClientHello>().await?;
    let (hello, ech) = Ech::first(link, &config, hello).await.map_err(|e| e.in_message("ClientHello"))?;
    let (version, offer) = read(&config, &hello.view()).map_err(|e| e.in_message("ClientHello"))?;
    let offer = ClientOffer { message: hello.bytes(), ..offer };
    link.version(version);
    link.check_hello(version, &offer).map_err(|e| e.in_message("ClientHello"))?;
    link.event(|| Event::ClientHello { server_name: offer.name(), protocols: negotiate::protocols(&offer) });
    if let Some(admission) = &config.admission {
        let client = negotiate::hello_facts(&config, &offer, version);
        link.outside("admission", admission.admit(&client)).await.map_err(|e| e.in_message("ClientHello"))?;
    }
    match version {
        ProtocolVersion::Tls13 => server13::server(link, &config, (&hello, ech), offer).await,
        _ => server12::server(link, &config, offer).await,
    }
}

fn read<'a>(config: &ServerConfig, hello: &ClientHelloView<'a>) -> Result<(ProtocolVersion, ClientOffer<'a>)> {
    let version = supported_versions::choose(&config.policy, hello)?;
    let offer = ClientOffer::read(hello)?;
    negotiate::fallback(&config.policy, &offer, version)?;
    Ok((version, offer))
}
