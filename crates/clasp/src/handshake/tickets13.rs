//! The tickets of TLS 1.3: RFC 9846 4.6.1.

use super::admit::TICKET_ID_LEN;
use super::extension::TABLE;
use super::grease::grease_value;
use super::hello::ClientOffer;
use super::link::Link;
use crate::code::{CertificateType, ExtensionType, HandshakeType, PskKeyExchangeMode};
use crate::config::ServerConfig;
use crate::crypto::{Digest, HashId, overwrite_stack};
use crate::error::{Error, Outside, Result};
use crate::facts::Facts;
use crate::keys::schedule12::Side;
use crate::keys::schedule13::Vault13;
use crate::session::ServerSession;
use crate::wire::message::{self, Checked, NewSessionTicket13, NewSessionTicket13View};
use crate::wire::{Extensions, Writer};
use core::ops::RangeInclusive;
use std::time::SystemTime;

/// NewSessionTicket: RFC 9846 4.6.1. A ticket that cannot be made is not sent.
pub(super) async fn send_tickets(
    link: &mut Link,
    config: &ServerConfig,
    vault: &Vault13,
    facts: &Facts,
    server_type: CertificateType,
) -> Result<()> {
    if config.tickets.is_none() && config.sessions.is_none() {
        return Ok(());
    }
    // The keys of the moment were derived just before, and what is made here goes to the heap with its padding.
    overwrite_stack();
    for nonce in 0..config.tickets_per_handshake {
        let mut session = session_of(link, config, vault.hash.id(), facts, server_type)?;
        vault.ticket_psk(&[nonce], session.master.get_mut(..vault.hash.id().len()).ok_or(Outside::Bug)?);
        let Some(ticket) = seal(link, config, &session).await? else { return Ok(()) };
        let lifetime = match &config.tickets {
            Some(keys) => keys.lifetime().min(config.session_lifetime),
            None => config.session_lifetime,
        };
        // 4.6.1: at most seven days.
        let lifetime = u32::try_from(lifetime.as_secs().min(7 * 24 * 3600)).unwrap_or(0);
        let grease = grease(config)?;
        let extensions = |w: &mut Writer<'_>| {
            TABLE.ticket(&session, w);
            grease.into_iter().for_each(|typ| w.extension(typ, |_| ()));
        };
        let (age_add, none) = (session.age_add, Extensions::NONE);
        let view = NewSessionTicket13View { lifetime, age_add, nonce: &[nonce], ticket: &ticket, extensions: none };
        link.send_beside(HandshakeType::NewSessionTicket, |w| view.encode_with(extensions, w))?;
    }
    Ok(())
}

fn session_of(
    link: &Link,
    config: &ServerConfig,
    hash: HashId,
    facts: &Facts,
    server_type: CertificateType,
) -> Result<ServerSession> {
    let mut age_add = [0; 4];
    config.provider.random.fill(&mut age_add)?;
    // Without a store nothing could tell a replay.
    let max_early_data = if config.claims.is_some() { config.max_early_data } else { 0 };
    let psk = facts.psk_identity.as_ref();
    let psk = psk.and_then(|name| config.psks.iter().find(|key| key.identity == *name && key.hash == hash));
    let context = link.context_of(config.context);
    let mut session = ServerSession::of(facts, config.clock.now(), context, server_type);
    session.extended_master_secret = true;
    session.alpn.clone_from(&facts.alpn);
    session.age_add = u32::from_be_bytes(age_add);
    session.max_early_data = max_early_data;
    session.claims = config.claims.filter(|_| max_early_data > 0);
    session.psk = psk.map(|key| key.mark);
    session.promises = link.promises();
    Ok(session)
}

/// What a server's ticket says to a client.
pub(crate) struct NewTicket {
    pub(crate) message: Checked<NewSessionTicket13>,
    /// How much early data may go with it.
    pub(crate) max_early_data: u32,
}

/// Client: reads a NewSessionTicket. RFC 9846 4.6.1.
pub(crate) fn read_ticket(message: Vec<u8>) -> Result<NewTicket> {
    let in_ticket = |e: Error| e.in_message("NewSessionTicket");
    let message = Checked::<NewSessionTicket13>::new(message).map_err(Error::from).map_err(in_ticket)?;
    let max_early_data = TABLE.read_ticket(message.view().extensions).map_err(in_ticket)?;
    Ok(NewTicket { message, max_early_data })
}

/// What a ticket's length can say: RFC 9846 4.6.1.
const TICKET_LEN: RangeInclusive<usize> = 1..=65_535;

/// The ticket of a session: sealed state, or the name of state that the server keeps.
async fn seal(link: &Link, config: &ServerConfig, session: &ServerSession) -> Result<Option<Vec<u8>>> {
    let Some(bytes) = session.encode() else { return Ok(None) };
    let now: SystemTime = session.created;
    if let Some(keys) = &config.tickets {
        let sealed = link.outside("ticket sealer", keys.seal(now, &bytes)).await;
        return Ok(sealed.filter(|ticket| TICKET_LEN.contains(&ticket.len())));
    }
    let Some(store) = &config.sessions else { return Ok(None) };
    let mut id = vec![0; TICKET_ID_LEN];
    config.provider.random.fill(&mut id)?;
    let until = now.checked_add(config.session_lifetime).unwrap_or(now);
    // A store that fails costs the next handshake its shortcut, not this one its connection.
    let kept = link.outside("session store", store.put(&id, &bytes, until)).await.is_ok();
    Ok(kept.then_some(id))
}

/// Whether the client can use a ticket: RFC 9846 4.2.9.
pub(super) fn takes_tickets(config: &ServerConfig, offer: &ClientOffer<'_>) -> bool {
    let takes = |mode: PskKeyExchangeMode| offer.psk_modes.is_some_and(|modes| modes.contains(&mode.0));
    takes(PskKeyExchangeMode::PskDheKe) || config.psk_without_dhe && takes(PskKeyExchangeMode::PskKe)
}

/// A client that cannot use tickets gets none, and the observer is told why.
pub(super) fn tell_of_no_tickets(link: &Link, config: &ServerConfig, takes_tickets: bool) {
    let gives = (config.tickets.is_some() || config.sessions.is_some()) && config.tickets_per_handshake > 0;
    if gives && !takes_tickets {
        link.no_tickets("the client names no mode of pre-shared keys that the server has (psk_key_exchange_modes)");
    }
}

/// The hash of the conversation as it will be when the client has sent EndOfEarlyData, if it is a message, and Finished: RFC 9846 4.6.1.
pub(super) fn client_finished_foreseen(link: &Link, vault: &mut Vault13) -> Result<Digest> {
    let (mut end, mut finished) = (Vec::new(), Vec::new());
    if link.wiring.end_of_early_data {
        message::frame(&mut end, HandshakeType::EndOfEarlyData, |_| ())?;
    }
    let verify_data = vault.verify_data(Side::Client, link.transcript.hash_with(&[&end]).as_ref());
    message::frame(&mut finished, HandshakeType::Finished, |w| w.bytes(verify_data.as_ref()))?;
    Ok(link.transcript.hash_with(&[&end, &finished]))
}

/// The type of an extension that means nothing, where the configuration wants one: RFC 8701 4.
pub(super) fn grease(config: &ServerConfig) -> Result<Option<ExtensionType>> {
    let mut random = [0];
    if config.grease {
        config.provider.random.fill(&mut random)?;
    }
    Ok(config.grease.then(|| ExtensionType(grease_value(random[0]))))
}
