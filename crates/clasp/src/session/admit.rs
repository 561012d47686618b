//! Whether a session still holds: one decision for the server, one for the client.

use super::{PeerKey, ServerSession, Session};
use crate::config::{ClientAuth, ClientConfig, ServerConfig};
use crate::error::{Error, PeerError, Result};
use crate::handshake::hello::ClientOffer;
use crate::handshake::link::Link;
use std::time::SystemTime;

/// A session the server resumes.
pub(crate) struct Admitted {
    pub(crate) session: ServerSession,
    pub(crate) by: By,
    /// The ticket was sealed under an older key.
    pub(crate) renew: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Ticket,
    SessionId,
}

/// The server's decision: RFC 5246 7.4.1.3, RFC 5077 3.4, RFC 7627 5.3. `None` is a full handshake.
pub(crate) async fn server12(link: &Link, config: &ServerConfig, offer: &ClientOffer) -> Result<Option<Admitted>> {
    let now = config.clock.now();
    let found = match (&config.tickets, &offer.ticket) {
        (Some(keys), Some(ticket)) if !ticket.is_empty() => {
            keys.open(now, ticket).and_then(|o| Some((ServerSession::decode(&o.plain)?, By::Ticket, o.renew)))
        }
        _ => match &config.sessions {
            // A store that fails costs a full handshake.
            Some(store) if !offer.session_id.is_empty() => {
                let kept = link.outside("session store", store.get(&offer.session_id, now)).await;
                let session = kept.ok().flatten().and_then(|bytes| ServerSession::decode(&bytes));
                session.map(|s| (s, By::SessionId, false))
            }
            _ => None,
        },
    };
    let Some((session, by, renew)) = found else { return Ok(None) };
    if session.extended_master_secret && !offer.extended_master_secret {
        // RFC 7627 5.3: such a client must be refused, not served anew: it would hide a man in the middle.
        return Err(PeerError::ResumedWithoutEms.into());
    }
    let holds = session.extended_master_secret == (offer.extended_master_secret && config.extended_master_secret)
        && (session.extended_master_secret || !config.policy.require_extended_master_secret)
        && offer.suites.contains(&session.suite)
        && config.policy.suites.contains(&session.suite)
        && session.server_name == offer.server_name
        && fresh(session.created, now, config)
        && !(matches!(config.client_auth, Some(ClientAuth::Require(_))) && session.client_chain.is_empty())
        && (config.client_auth.is_some() || session.client_chain.is_empty());
    Ok(holds.then_some(Admitted { session, by, renew }))
}

fn fresh(created: SystemTime, now: SystemTime, config: &ServerConfig) -> bool {
    // A session from the future was made by a clock ahead of ours; its age is nothing.
    now.duration_since(created).unwrap_or_default() <= config.session_lifetime
}

/// The client's decision: which session to offer.
pub(crate) fn client12(config: &ClientConfig, peer: &PeerKey) -> Option<Session> {
    let session = config.sessions.as_ref()?.get(peer)?;
    let holds = config.clock.now() <= session.until
        && config.policy.suites.contains(&session.suite)
        && (config.extended_master_secret || !session.extended_master_secret)
        && (session.extended_master_secret || !config.policy.require_extended_master_secret)
        // Without the extended master secret a resumed session with a client certificate is open to the triple
        // handshake: RFC 7627 5.4.
        && (session.extended_master_secret || config.identity.is_none())
        && (session.ticket.is_empty() || config.session_tickets);
    holds.then_some(session)
}

/// The server's answer must be the session that was offered: RFC 5246 7.4.1.3, RFC 7627 5.3.
pub(crate) fn resumed12(session: &Session, suite: crate::wire::code::CipherSuite, ems: bool) -> Result<()> {
    if suite != session.suite {
        return Err(Error::from(PeerError::ResumedWithOtherSuite).seen(suite).wanted(session.suite));
    }
    match (session.extended_master_secret, ems) {
        (true, false) => Err(PeerError::ResumedWithoutEms.into()),
        (false, true) => Err(PeerError::ResumedWithNewEms.into()),
        _ => Ok(()),
    }
}
