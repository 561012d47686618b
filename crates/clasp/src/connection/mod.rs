// Above `handshake`.
//! What a caller holds: drives the conversation and the record layer. No sockets, no threads.
//!
//! ```text
//!   Connection { live, beside .. }     the conversation, until it is done, and what some need besides
//!     inbound      from the peer: keys, level, floods          what a Receiver owns
//!     outbound     to the peer: keys, level, KeyUpdates        what a Sender owns
//!     common       what is left of the handshake, the observer, the end      each has its own
//! ```

mod after;
mod begin;
mod beside;
mod bindings;
mod common;
mod data;
mod driving;
mod early;
mod ending;
mod events;
mod floods;
mod handshake;
mod inbound;
mod outbound;
mod post_auth;
mod receiver;
mod receiving;
mod records;
mod refusal;
mod rest;
mod sender;
mod split;

pub use data::{HEADROOM, Moved, TAILROOM};
pub use driving::Want;
pub use receiver::Receiver;
pub use receiving::Received;
pub(crate) use receiving::Receives;
pub use sender::Sender;

use crate::code::ProtocolVersion;
use crate::config::{ClientConfig, ServerConfig};
use crate::pool::Pool;
use crate::record::RecordKeys;
use beside::Beside;
use common::Common;
use core::fmt;
use handshake::Live;
use inbound::Inbound;
use outbound::Outbound;
use post_auth::PostAuth;
use rustls_pki_types::ServerName;
use std::sync::Arc;

/// One end of a TLS connection.
///
/// Bytes of the peer go into [`receive`](Self::receive); bytes for the peer come out of every call that takes `out`.
/// The first thing a client does is [`advance`](Self::advance), which gives its ClientHello.
pub struct Connection {
    inbound: Inbound,
    outbound: Outbound,
    common: Common,
    live: Option<Box<Live>>,
    beside: Option<Box<Beside>>,
}

impl Connection {
    pub(crate) fn client(config: &Arc<ClientConfig>, name: ServerName<'static>) -> Self {
        let config = config.of_now();
        let provider = config.provider;
        let clock = config.clock.clone();
        let common = Common::new(false, config.observer.clone(), &clock, provider);
        let (tls13, ignores_renegotiation) =
            (config.policy.speaks(ProtocolVersion::Tls13), config.ignore_renegotiation);
        let post_auth = PostAuth::client(&config);
        let pool = config.pool.clone();
        let live = Live::new("client", RecordKeys(provider), clock, |link| {
            Box::pin(crate::handshake::client(link, config, name))
        });
        let mut connection = Self::new(common, pool, post_auth, live);
        // RFC 9846 5: from the first hello on.
        connection.inbound.drops_ccs = tls13;
        connection.inbound.ignores_renegotiation = ignores_renegotiation;
        connection
    }

    pub(crate) fn server(config: &Arc<ServerConfig>) -> Self {
        let half_rtt = config.client_auth.is_none();
        let config = config.clone();
        let provider = config.provider;
        let clock = config.clock.clone();
        let common = Common::new(true, config.observer.clone(), &clock, provider);
        let post_auth = PostAuth::server(&config);
        let pool = config.pool.clone();
        let live =
            Live::new("server", RecordKeys(provider), clock, |link| Box::pin(crate::handshake::server(link, config)));
        let mut connection = Self::new(common, pool, post_auth, live);
        connection.outbound.half_rtt = half_rtt;
        connection
    }

    fn new(common: Common, pool: Pool, post_auth: Option<PostAuth>, live: Live) -> Self {
        if let Some(derivations) = common.derivations() {
            live.tell_derivations(derivations);
        }
        let beside = post_auth.map(|post| Box::new(Beside { post_auth: Some(post), ..Beside::default() }));
        let (inbound, outbound) = (Inbound::new(pool), Outbound::default());
        Self { inbound, outbound, common, live: Some(Box::new(live)), beside }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("server", &self.common.server)
            .field("waiting", &self.waiting())
            .field("facts", &self.facts())
            .field("failed", &self.failure())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
