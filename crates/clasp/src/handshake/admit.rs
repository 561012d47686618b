//! Whether a session still holds: one decision for the server, one for the client.

use super::hello::ClientOffer;
use super::judge::Judge;
use super::link::Link;
use crate::code::{ProtocolVersion, PskKeyExchangeMode};
use crate::config::{ClientAuth, ClientConfig, PreSharedKey, ServerConfig, Verified, claims_last, key_holds};
use crate::error::{Error, PeerError, Result};
use crate::facts::EarlyDataRefusal;
use crate::session::{PeerKey, ServerSession, Session};
use crate::suite::Suite13;
use crate::wire::extension::pre_shared_key::PskIdentity;
use rustls_pki_types::ServerName;
use std::time::{Duration, SystemTime};

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
pub(crate) async fn server12(link: &Link, config: &ServerConfig, offer: &ClientOffer<'_>) -> Result<Option<Admitted>> {
    let now = config.clock.now();
    let found = match (&config.tickets, offer.ticket) {
        (Some(keys), Some(ticket)) if !ticket.is_empty() => {
            let opened = link.outside("ticket sealer", keys.open(now, ticket)).await;
            opened.and_then(|o| Some((ServerSession::decode(&o.plain)?, By::Ticket, o.renew)))
        }
        _ => match &config.sessions {
            // A store that fails costs a full handshake.
            Some(store) if !offer.session_id.is_empty() => {
                let kept = link.outside("session store", store.get(offer.session_id, now)).await;
                let session = kept.ok().flatten().and_then(|bytes| ServerSession::decode(&bytes));
                session.map(|s| (s, By::SessionId, false))
            }
            _ => None,
        },
    };
    let Some((session, by, renew)) = found.filter(|(session, ..)| session.context == link.context_of(config.context))
    else {
        return Ok(None);
    };
    if session.version == ProtocolVersion::Tls12 && session.extended_master_secret && !offer.extended_master_secret {
        // RFC 7627 5.3: such a client must be refused, not served anew: it would hide a man in the middle.
        return Err(PeerError::ResumedWithoutEms.into());
    }
    let holds = session.version == ProtocolVersion::Tls12
        && session.extended_master_secret == (offer.extended_master_secret && config.extended_master_secret)
        && (session.extended_master_secret || !config.policy.require_extended_master_secret)
        && offer.suites.contains(session.suite.0)
        && config.policy.suites.contains(&session.suite)
        && still_holds((config, link), offer, &session, now)
        && accepted_again(link, config, &session).await;
    Ok(holds.then_some(Admitted { session, by, renew }))
}

/// What every version asks: the decision that made it is this configuration's and has not ended, the same name, not too old,
/// and the client's identity as good as a new one's.
fn still_holds(
    (config, link): (&ServerConfig, &Link),
    offer: &ClientOffer<'_>,
    session: &ServerSession,
    now: SystemTime,
) -> bool {
    session.context == link.context_of(config.context)
        && !session.authenticated_until.is_past(now)
        && key_holds(session.psk.as_ref(), &config.psks, config.keys_only)
        && offer.is_for(session.server_name.as_deref())
        && fresh(session.created, now, config)
        && !(matches!(config.client_auth, Some(ClientAuth::Require(_))) && session.client_chain.is_empty())
        && (config.client_auth.is_some() || session.client_chain.is_empty())
        && (session.client_chain.is_empty() || config.client_types.contains(&session.client_type))
}

/// Whether the verifier would take the session's client today, where the configuration wants it asked. If not, the handshake
/// is a full one, in which the client may show another certificate and the verifier says what is wrong with this one.
pub(crate) async fn accepted_again(link: &Link, config: &ServerConfig, session: &ServerSession) -> bool {
    match config.client_auth.as_ref().filter(|_| config.verify_again && !session.client_chain.is_empty()) {
        None => true,
        Some(auth) => {
            // A session keeps no staple of its client, and asks for none.
            let judge = Judge::of_client(config, auth, session.client_type).unasked();
            accepts_at_once(judge.verify(link, &session.client_chain, None, None).await)
        }
    }
}

/// A verifier that has something to do once the peer has proven its key (`Verified::once_proven`) wants that proof: there is none
/// in a handshake that resumes.
fn accepts_at_once(verdict: Result<Verified>) -> bool {
    verdict.is_ok_and(|verified| verified.proven.is_none())
}

/// A pre-shared key the server takes in TLS 1.3.
pub(crate) struct Admitted13<'a> {
    /// Its place in the client's list.
    pub(crate) index: usize,
    pub(crate) key: Key13<'a>,
    /// Whether there is a key exchange beside it.
    pub(crate) dhe: bool,
}

/// Where a pre-shared key comes from.
pub(crate) enum Key13<'a> {
    Session(Box<ServerSession>),
    External(&'a PreSharedKey),
}

/// Identities looked at: each costs an opening of a ticket. Go's number.
const MAX_IDENTITIES: usize = 5;

/// The server's decision in TLS 1.3: RFC 9846 4.2.11. The binder is the caller's to check. `None` is a full handshake.
pub(crate) async fn server13<'a>(
    link: &Link,
    config: &'a ServerConfig,
    offer: &ClientOffer<'_>,
    suite: &Suite13,
) -> Result<Option<Admitted13<'a>>> {
    let Some(psks) = offer.psks else { return Ok(None) };
    let Some(modes) = offer.psk_modes else { return Err(PeerError::MissingPskModes.into()) };
    if psks.identities().count() != psks.binders().count() {
        return Err(PeerError::BinderCountMismatch.into());
    }
    // 4.2.9: the mode with a key exchange needs the client's share, or at least its groups.
    let dhe = modes.contains(&PskKeyExchangeMode::PskDheKe.0) && offer.groups.is_some();
    let without = config.psk_without_dhe && modes.contains(&PskKeyExchangeMode::PskKe.0);
    if !(dhe || without) {
        return Ok(None);
    }
    let now = config.clock.now();
    for (index, PskIdentity { identity, .. }) in psks.identities().enumerate().take(MAX_IDENTITIES) {
        if config.psks.iter().any(|key| key.identity == identity) {
            continue;
        }
        let Some(session) = find13(link, config, identity, now).await else { continue };
        let same_hash = Suite13::find(session.suite).is_some_and(|s| s.hash == suite.hash);
        if same_hash && still_holds((config, link), offer, &session, now) {
            return Ok(Some(Admitted13 { index, key: Key13::Session(Box::new(session)), dhe }));
        }
    }
    // The server's own order decides among external keys, as among suites.
    for key in config.psks.iter().filter(|key| key.hash == suite.hash) {
        let mut identities = psks.identities().take(MAX_IDENTITIES);
        if let Some(index) = identities.position(|psk| psk.identity == key.identity) {
            return Ok(Some(Admitted13 { index, key: Key13::External(key), dhe }));
        }
    }
    Ok(None)
}

/// The session of a TLS 1.3 ticket: sealed in it, or kept under it.
async fn find13(link: &Link, config: &ServerConfig, identity: &[u8], now: SystemTime) -> Option<ServerSession> {
    let sealed = match &config.tickets {
        Some(keys) => link.outside("ticket sealer", keys.open(now, identity)).await,
        None => None,
    };
    let session = match (sealed, &config.sessions) {
        (Some(opened), _) => ServerSession::decode(&opened.plain),
        (None, Some(store)) if identity.len() == TICKET_ID_LEN => {
            let kept = link.outside("session store", store.get(identity, now)).await;
            kept.ok().flatten().and_then(|bytes| ServerSession::decode(&bytes))
        }
        _ => None,
    };
    session.filter(|s| s.version == ProtocolVersion::Tls13)
}

/// Bytes of a TLS 1.3 ticket whose state is kept by the server.
pub(crate) const TICKET_ID_LEN: usize = 32;

/// How old the client says its ticket is, and how old it is by our clock: RFC 9846 4.2.11.1.
struct Age {
    claimed: Duration,
    real: Duration,
    /// How far in the future it was made, by our clock: somebody's has been set back, or was ahead.
    ahead: Duration,
}

impl Age {
    fn new(config: &ServerConfig, session: &ServerSession, obfuscated: u32) -> Self {
        let claimed = Duration::from_millis(u64::from(obfuscated.wrapping_sub(session.age_add)));
        let (real, ahead) = match config.clock.now().duration_since(session.created) {
            Ok(real) => (real, Duration::ZERO),
            Err(ahead) => (Duration::ZERO, ahead.duration()),
        };
        Self { claimed, real, ahead }
    }

    /// How far apart the two are.
    fn off(&self) -> Duration {
        self.claimed.abs_diff(self.real).saturating_add(self.ahead)
    }
}

/// By how many seconds the client's idea of the ticket's age is ahead of ours.
pub(crate) fn ticket_age_skew(config: &ServerConfig, session: &ServerSession, obfuscated: u32) -> i32 {
    let age = Age::new(config, session, obfuscated);
    let seconds = |d: Duration| i32::try_from(d.as_secs()).unwrap_or(i32::MAX);
    seconds(age.claimed).saturating_sub(seconds(age.real))
}

/// Why early data cannot be taken, whatever its age: RFC 9846 4.2.10.
pub(crate) fn early_data_refusal(
    config: &ServerConfig,
    admitted: Option<&Admitted13<'_>>,
    suite: &Suite13,
    alpn: Option<&[u8]>,
    retried: bool,
) -> Option<EarlyDataRefusal> {
    if config.max_early_data == 0 {
        return Some(EarlyDataRefusal::Disabled);
    }
    let Some(Admitted13 { index: 0, key: Key13::Session(session), dhe: true }) = admitted else {
        return Some(EarlyDataRefusal::NotResumed);
    };
    [
        (retried, EarlyDataRefusal::HelloRetried),
        (session.max_early_data == 0, EarlyDataRefusal::NotAllowed),
        (session.suite != suite.code, EarlyDataRefusal::Suite),
        (session.alpn.as_deref() != alpn, EarlyDataRefusal::Protocol),
    ]
    .into_iter()
    .find_map(|(holds, refusal)| holds.then_some(refusal))
}

/// Whether early data that may be taken is fresh and new: RFC 9846 4.2.10, 8.2, 8.3. `binder` tells this hello from every
/// other; others with the same ticket can be made by its holder alone.
pub(crate) async fn early_data(
    link: &Link,
    config: &ServerConfig,
    session: &ServerSession,
    obfuscated: u32,
    binder: &[u8],
) -> Result<(), EarlyDataRefusal> {
    if !link.holds(&session.promises) {
        return Err(EarlyDataRefusal::Parameters);
    }
    let Some(store) = &config.sessions else { return Err(EarlyDataRefusal::Replayed) };
    if session.claims.is_none() || session.claims != config.claims {
        // Whoever gave the ticket keeps its claims elsewhere, and would take this a second time.
        return Err(EarlyDataRefusal::Replayed);
    }
    if Age::new(config, session, obfuscated).off() > config.early_data_window {
        return Err(EarlyDataRefusal::Age);
    }
    if config.since.is_some_and(|since| session.created < since) {
        return Err(EarlyDataRefusal::Replayed);
    }
    // A claim lasts as long as a replay of the same hello could still look fresh, to whichever configuration.
    let now = config.clock.now();
    let Some(until) = now.checked_add(claims_last(config.early_data_window)) else {
        return Err(EarlyDataRefusal::Replayed);
    };
    match link.outside("session store", store.claim(binder, now, until)).await {
        Ok(true) => Ok(()),
        _ => Err(EarlyDataRefusal::Replayed),
    }
}

fn fresh(created: SystemTime, now: SystemTime, config: &ServerConfig) -> bool {
    // A session from the future was made by a clock ahead of ours; its age is nothing.
    now.duration_since(created).unwrap_or_default() <= config.session_lifetime
}

/// The client's decision: which session to offer.
pub(crate) async fn client(
    link: &Link,
    config: &ClientConfig,
    name: &ServerName<'_>,
    peer: &PeerKey,
) -> Option<Session> {
    let store = config.sessions.as_ref()?;
    let context = link.context_of(config.context);
    let session = store.take_fitting(peer, &|session| session.context == context && config.may_offer(session))?;
    let now = config.clock.now();
    let holds = session.context == context
        && is_for(config, &session)
        && now <= session.until
        && !session.authenticated_until.is_past(now)
        && server_accepted_again(link, config, name, &session).await;
    if holds && session.version == ProtocolVersion::Tls12 {
        // It may be offered again and again, and a failed connection must not lose it.
        store.put(peer, session.clone());
    }
    holds.then_some(session)
}

/// Whether this configuration could offer the session, if it has not ended.
fn is_for(config: &ClientConfig, session: &Session) -> bool {
    config.policy.speaks(session.version)
        && key_holds(session.psk.as_ref(), &config.psks, config.keys_only)
        && (session.server.is_none() || config.server_types.contains(&session.server_type))
        && match session.version {
            ProtocolVersion::Tls13 => holds13(config, session),
            _ => holds12(config, session),
        }
}

/// Whether the verifier would take the session's server today, with the staple it showed then, where the configuration wants
/// it asked. If not, the session is not offered; nor does early data go to whom the verifier would not take.
async fn server_accepted_again(link: &Link, config: &ClientConfig, name: &ServerName<'_>, session: &Session) -> bool {
    match session.server.as_ref().filter(|_| config.verify_again) {
        None => true,
        Some(server) => {
            let judge = Judge::of_server(config, name, session.server_type);
            let (ocsp, timestamps) = (server.ocsp.as_deref(), server.timestamps.as_deref());
            accepts_at_once(judge.verify(link, &server.chain, ocsp, timestamps).await)
        }
    }
}

fn holds12(config: &ClientConfig, session: &Session) -> bool {
    config.policy.suites.contains(&session.suite)
        && (config.extended_master_secret || !session.extended_master_secret)
        && (session.extended_master_secret || !config.policy.require_extended_master_secret)
        // Without the extended master secret a resumed session with a client certificate is open to the triple
        // handshake: RFC 7627 5.4.
        && (session.extended_master_secret || config.identity.is_none())
        && (session.ticket.is_empty() || config.session_tickets)
}

/// RFC 9846 4.2.11: any suite with the same hash will do.
fn holds13(config: &ClientConfig, session: &Session) -> bool {
    let hash = Suite13::find(session.suite).map(|s| s.hash);
    config.session_tickets && config.policy.suites13().any(|s| Some(s.hash) == hash)
}

/// The server's answer must be the session that was offered: RFC 5246 7.4.1.3, RFC 7627 5.3.
pub(crate) fn resumed12(session: &Session, suite: crate::code::CipherSuite, ems: bool) -> Result<()> {
    if suite != session.suite {
        return Err(Error::from(PeerError::ResumedWithOtherSuite).seen(suite).wanted(session.suite));
    }
    match (session.extended_master_secret, ems) {
        (true, false) => Err(PeerError::ResumedWithoutEms.into()),
        (false, true) => Err(PeerError::ResumedWithNewEms.into()),
        _ => Ok(()),
    }
}
