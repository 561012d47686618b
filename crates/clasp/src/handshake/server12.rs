//! Server side of TLS 1.2. The figures stand in `client12.rs`.                        RFC 5246 7.3, RFC 5077 3.1

use super::admit::{self, Admitted, By};
use super::extension::{RecordLimits, Said12, Said13, ServerResponse, TABLE};
use super::hello::{ClientOffer, fresh_id, send_server_hello, server_random12};
use super::judge::Judge;
use super::link::{Link, Protected12};
use super::{
    change_read_keys, change_write_keys, credential, derived, key_exchange, negotiate, recv_finished, send_finished,
};
use crate::code::{
    CertificateType, ClientCertificateType, HandshakeType, NamedGroup, ProtocolVersion, SignatureScheme,
};
use crate::config::{ClientAuth, Identity, ServerConfig};
use crate::crypto::{Hash, KeyShare};
use crate::error::{Error, Outside, PeerError, Result};
use crate::established::{Established, Kept12, Randoms};
use crate::facts::{End, Facts, PeerIdentity, Resumption};
use crate::keys::schedule12::{Side, Vault12};
use crate::session::{ID_LEN, KeptSession, ServerSession};
use crate::suite::Suite;
use crate::wire::Writer;
use crate::wire::message::{
    Certificate12, CertificateRequestView, CertificateStatusView, CertificateVerify, ClientKeyExchange,
    ClientKeyExchangeView, NewSessionTicketView, SignedView,
};
use rustls_pki_types::CertificateDer;
use zeroize::Zeroizing;

pub(super) async fn server(link: &mut Link, config: &ServerConfig, offer: ClientOffer<'_>) -> Result<Established> {
    // 7.4.1.2 is behind us
    check_hello(config, &offer).map_err(|e| e.in_message("ClientHello"))?;
    let random = server_random12(config)?;
    match admit::server12(link, config, &offer).await.map_err(|e| e.in_message("ClientHello"))? {
        Some(admitted) => resumed(link, config, &offer, random, admitted).await,
        None => full(link, config, &offer, random).await,
    }
}

/// What the hellos settle, and every step after them needs.
struct Talk<'a> {
    config: &'a ServerConfig,
    offer: &'a ClientOffer<'a>,
    random: [u8; 32],
    suite: &'static Suite,
    hash: &'static dyn Hash,
    /// The group of the key exchange, if there is one.
    group: Option<NamedGroup>,
    alpn: Option<&'a [u8]>,
    /// The kind of certificate that the client is asked for, if it is asked for one.
    client_type: Option<CertificateType>,
}

impl Talk<'_> {
    fn protected(&self, encrypt_then_mac: bool) -> Protected12<'static> {
        Protected12 { suite: self.suite, encrypt_then_mac }
    }

    /// What our ServerHello answers. `server_type` is the kind of our certificate.
    fn answer(&self, server_type: CertificateType) -> ServerResponse<'_> {
        ServerResponse {
            config: self.config,
            offer: self.offer,
            suite12: Some(self.suite),
            resumed: false,
            alpn: self.alpn,
            server_type,
            client_type: self.client_type,
            said12: Said12::default(),
            said13: Said13::default(),
        }
    }

    /// Whether the master secret is bound to the whole conversation: RFC 7627.
    fn extended(&self) -> bool {
        self.offer.extended_master_secret && self.config.extended_master_secret
    }
}

fn check_hello(config: &ServerConfig, offer: &ClientOffer<'_>) -> Result<()> {
    TABLE.check_offers(config, offer, ProtocolVersion::Tls12)?;
    offer.check_point_formats()
}

async fn full(
    link: &mut Link,
    config: &ServerConfig,
    offer: &ClientOffer<'_>,
    random: [u8; 32],
) -> Result<Established> {
    let alpn = negotiate::protocol(config, offer)?;
    link.protocol(alpn)?;
    let identity = credential::choose(link, config, offer, ProtocolVersion::Tls12).await?;
    let client_type = config.client_auth.as_ref().map(|_| offer.client_type(config)).transpose()?;
    let (suite, group) = negotiate::suite(&config.policy, offer, &identity)?;
    negotiate::certificate_type(offer, &identity)?;
    link.chose("cipher suite", suite.code.0, suite.code.name());
    let hash = config.provider.hash(suite.hash)?;
    let talk = Talk { config, offer, random, suite, hash, group, alpn, client_type };
    link.transcript.start(hash);
    if config.client_auth.is_none() {
        link.transcript.forget_bytes();
    }
    // 7.4.1.3 to 7.4.5
    let (said, share) = server_flight(link, &talk, &identity).await?;
    // 7.4.6 to 7.4.8
    let (client, vault) = client_flight(link, &talk, &identity, share).await?;

    // 7.1, 7.4.9
    change_read_keys(link, &vault, Side::Client, talk.protected(said.encrypt_then_mac)).await?;
    let first_finished = recv_finished(link, &vault, hash, Side::Client).await?;
    let facts = Facts {
        client_scheme: client.scheme,
        client_authenticated: client.scheme.is_some(),
        peer: config.recent_peers.share(PeerIdentity { chain: client.chain, ..PeerIdentity::default() }),
        peer_type: client_type.unwrap_or(CertificateType::X509),
        authenticated_until: client.authenticated_until,
        extended_master_secret: talk.extended(),
        record_size_limit: said.limits.of_peer(),
        ..facts(&talk, said.encrypt_then_mac)
    };
    let session = session_of(link, &talk, &facts, &vault, identity.kind);
    if said.new_ticket {
        send_ticket(link, config, session.encode()).await?;
    } else if !said.session_id.is_empty() {
        keep_session(link, config, &said.session_id, &session).await;
    }
    change_write_keys(link, &vault, Side::Server, talk.protected(said.encrypt_then_mac))?;
    send_finished(link, &vault, hash, Side::Server)?;

    Ok(established(&talk, facts, vault, first_finished, &said.session_id))
}

/// What the server says in a full handshake.
struct Said {
    /// Under which the session is kept; empty if it is not.
    session_id: Vec<u8>,
    new_ticket: bool,
    encrypt_then_mac: bool,
    limits: RecordLimits,
}

/// ServerHello to ServerHelloDone. Gives our share of the key exchange, if there is one.
async fn server_flight(
    link: &mut Link,
    talk: &Talk<'_>,
    identity: &Identity,
) -> Result<(Said, Option<Box<dyn KeyShare>>)> {
    let Talk { config, offer, .. } = *talk;
    // 7.4.1.3. A client that takes a ticket gets one, else an ID under which its session is kept.
    let new_ticket = offer.ticket.is_some() && config.tickets.is_some();
    let session_id = if new_ticket || config.sessions.is_none() { Vec::new() } else { fresh_id(config.provider)? };
    let status = identity.staple().filter(|_| offer.status_request);
    let said12 = Said12 { new_ticket, status: status.is_some(), timestamps: identity.timestamp_list() };
    let answer = ServerResponse { said12, ..talk.answer(identity.kind) };
    let (encrypt_then_mac, limits) = send_hello(link, talk, &session_id, &answer)?;

    // 7.4.2, RFC 6066 8, 7.4.3
    credential::send_chain(link, Some(identity))?;
    if let Some(ocsp) = status {
        link.send(HandshakeType::CertificateStatus, |w| CertificateStatusView { ocsp }.encode(w))?;
    }
    let share = match talk.group {
        None => None,
        Some(group) => Some(send_key_exchange(link, talk, identity, group).await?),
    };

    // 7.4.4, 7.4.5
    if let Some(auth) = &config.client_auth {
        send_request(link, config, auth)?;
    }
    link.send(HandshakeType::ServerHelloDone, |_| ())?;
    Ok((Said { session_id, new_ticket, encrypt_then_mac, limits }, share))
}

/// ServerHello: RFC 5246 7.4.1.3. Gives what it settles: encrypt-then-MAC and the limits on records.
fn send_hello(
    link: &mut Link,
    talk: &Talk<'_>,
    session_id: &[u8],
    answer: &ServerResponse<'_>,
) -> Result<(bool, RecordLimits)> {
    send_server_hello(link, &talk.random, session_id, talk.suite.code, |w| TABLE.answer(answer, w))?;
    let limits = answer.limits();
    link.limits(limits);
    Ok((answer.encrypt_then_mac(), limits))
}

/// Who a client has proven to be.
struct Client {
    chain: Vec<CertificateDer<'static>>,
    /// None if it has shown nothing.
    scheme: Option<SignatureScheme>,
    authenticated_until: End,
}

/// Certificate to CertificateVerify. Gives the secrets too.
async fn client_flight(
    link: &mut Link,
    talk: &Talk<'_>,
    identity: &Identity,
    share: Option<Box<dyn KeyShare>>,
) -> Result<(Client, Box<Vault12>)> {
    let Talk { config, offer, random, suite, hash, .. } = *talk;
    // 7.4.6
    let mut client = Client { chain: Vec::new(), scheme: None, authenticated_until: config.authentication_end() };
    let mut judged = None;
    if let Some(auth) = &config.client_auth {
        let kind = talk.client_type.unwrap_or(CertificateType::X509);
        client.chain = recv_client_certificate(link, auth, kind).await?;
        if !client.chain.is_empty() {
            // TLS 1.2 has no way to ask for a client's staple.
            let judge = Judge::of_client(config, auth, kind).unasked();
            judge.check_usage(&client.chain, None)?;
            let verified = judge.verify(link, &client.chain, None, None).await?;
            client.authenticated_until = judge.until(&verified, &client.chain);
            judged = Some((judge, verified));
        }
    }

    // 7.4.7
    let mut vault = Vault12::new();
    let message = link.recv::<ClientKeyExchange>().await?;
    let agreed = match (share, talk.group) {
        (Some(share), Some(group)) => key_exchange::server_agree(share, group, message.view(), &mut vault),
        _ => decrypt_premaster(talk, identity, message.view(), &mut vault),
    };
    agreed.map_err(|e| e.in_message("ClientKeyExchange"))?;

    // 8.1, RFC 7627 4
    if talk.extended() {
        vault.extended_master(hash, link.transcript.hash().as_ref());
    } else {
        vault.master(hash, &offer.random, &random);
    }
    vault.expand(hash, suite, &offer.random, &random);
    derived::master(link, talk.config.key_log.as_ref(), &offer.random, &vault, false);

    // 7.4.8: signed is everything before this message.
    if let Some((judge, verified)) = &mut judged {
        let message = link.transcript.bytes().to_vec();
        let proof = link.recv::<CertificateVerify>().await?;
        let scheme = judge
            .check_proof(verified, &message, proof.view(), ProtocolVersion::Tls12)
            .map_err(|e| e.in_message("CertificateVerify"))?;
        client.scheme = Some(scheme);
        judge.proven(link, verified, &client.chain).await?;
    }
    link.transcript.forget_bytes();
    Ok((client, vault))
}

async fn resumed(
    link: &mut Link,
    config: &ServerConfig,
    offer: &ClientOffer<'_>,
    random: [u8; 32],
    admitted: Admitted,
) -> Result<Established> {
    let Admitted { session, by, renew } = admitted;
    let suite = Suite::find(session.suite).ok_or(Outside::Bug)?;
    let alpn = negotiate::protocol(config, offer)?;
    link.protocol(alpn)?;
    let resumption = match by {
        By::Ticket => Resumption::Ticket,
        By::SessionId => Resumption::SessionId,
    };
    link.chose("cipher suite", suite.code.0, suite.code.name());
    link.resumed(resumption.name());
    let hash = config.provider.hash(suite.hash)?;
    link.transcript.start(hash);
    link.transcript.forget_bytes();
    let talk = Talk { config, offer, random, suite, hash, group: session.group, alpn, client_type: None };
    let mut vault = Vault12::new();
    vault.resume(&session.master);
    vault.expand(hash, suite, &offer.random, &random);
    derived::master(link, config.key_log.as_ref(), &offer.random, &vault, true);

    // The echo of the ID says yes: 7.4.1.3, RFC 5077 3.4.
    let new_ticket = renew && offer.ticket.is_some();
    let said12 = Said12 { new_ticket, ..Said12::default() };
    let answer = ServerResponse { resumed: true, said12, ..talk.answer(session.server_type) };
    let (encrypt_then_mac, limits) = send_hello(link, &talk, offer.session_id, &answer)?;
    if new_ticket {
        send_ticket(link, config, session.encode()).await?;
    }
    change_write_keys(link, &vault, Side::Server, talk.protected(encrypt_then_mac))?;
    let first_finished = send_finished(link, &vault, hash, Side::Server)?;
    change_read_keys(link, &vault, Side::Client, talk.protected(encrypt_then_mac)).await?;
    recv_finished(link, &vault, hash, Side::Client).await?;

    let facts = Facts {
        resumed: Some(resumption),
        client_authenticated: !session.client_chain.is_empty(),
        peer: config
            .recent_peers
            .share(PeerIdentity { chain: session.client_chain.clone(), ..PeerIdentity::default() }),
        peer_type: session.client_type,
        client_scheme: session.client_scheme,
        authenticated_until: session.authenticated_until,
        extended_master_secret: session.extended_master_secret,
        record_size_limit: limits.of_peer(),
        ..facts(&talk, encrypt_then_mac)
    };
    let kept_under = if by == By::SessionId { offer.session_id } else { &[] };
    Ok(established(&talk, facts, vault, first_finished, kept_under))
}

/// Two randoms and the parameters of a curve.
const ROOM_FOR_KEY_EXCHANGE: usize = 64 + 4 + 133;

/// ServerKeyExchange: signed over both randoms and the parameters.
async fn send_key_exchange(
    link: &mut Link,
    talk: &Talk<'_>,
    identity: &Identity,
    group: NamedGroup,
) -> Result<Box<dyn KeyShare>> {
    let Talk { config, offer, random, .. } = talk;
    link.chose("group", group.0, group.name());
    let mut message = Vec::with_capacity(ROOM_FOR_KEY_EXCHANGE);
    message.extend_from_slice(&offer.random);
    message.extend_from_slice(random);
    let randoms = message.len();
    let share = key_exchange::server_share(config.provider, group, &mut message)?;
    let version = ProtocolVersion::Tls12;
    let (scheme, signature) =
        credential::sign(link, (&config.policy, identity), offer.schemes(), &message, version).await?;
    link.send(HandshakeType::ServerKeyExchange, |w| {
        w.bytes(message.get(randoms..).unwrap_or_default());
        SignedView { scheme, signature: &signature }.encode(w);
    })?;
    Ok(share)
}

fn send_request(link: &mut Link, config: &ServerConfig, auth: &ClientAuth) -> Result<()> {
    let names = credential::fitting_authorities(auth, |names, w| write_request(config, names, w));
    link.send(HandshakeType::CertificateRequest, |w| write_request(config, &names, w))
}

/// Writes a CertificateRequest that names these issuers.
pub(super) fn write_request(config: &ServerConfig, authorities: &[Vec<u8>], w: &mut Writer<'_>) {
    let types = [ClientCertificateType::EcdsaSign.0, ClientCertificateType::RsaSign.0];
    let schemes: Vec<u16> = config.policy.schemes_for(false).map(|s| s.0).collect();
    CertificateRequestView::encode(&types, &schemes, authorities, w);
}

/// Certificate of the client: RFC 5246 7.4.6.
async fn recv_client_certificate(
    link: &mut Link,
    auth: &ClientAuth,
    kind: CertificateType,
) -> Result<Vec<CertificateDer<'static>>> {
    let message = link.recv::<Certificate12>().await?;
    let chain = credential::read_chain(message.view(), kind)?;
    match auth {
        ClientAuth::Require(_) if chain.is_empty() => Err(Error::from(PeerError::NoCertificateTls12)
            .in_message("Certificate")
            .hint("give the client a certificate and its key")),
        _ => Ok(chain),
    }
}

/// RFC 5246 7.4.7.1. Bleichenbacher: whatever is wrong with the ciphertext, a random premaster goes on in its place,
/// and the conversation fails at Finished as with any wrong key.
fn decrypt_premaster(
    talk: &Talk<'_>,
    identity: &Identity,
    message: ClientKeyExchangeView<'_>,
    vault: &mut Vault12,
) -> Result<()> {
    let Talk { config, offer, .. } = talk;
    let mut random = Zeroizing::new([0; 48]);
    config.provider.random.fill(&mut *random)?;
    let ciphertext = message.long("EncryptedPreMasterSecret")?;
    let key = identity.transport.as_ref().ok_or(Outside::Bug)?;
    let out = vault.premaster.fill(48).first_chunk_mut::<48>().ok_or(Outside::Bug)?;
    if key.rsa_premaster(ciphertext, offer.version.to_be_bytes(), &random, out) {
        Ok(())
    } else {
        Err(Outside::Bug.into())
    }
}

/// As much as its length can say: RFC 5077 3.3.
const MAX_TICKET: usize = 65_535;

async fn send_ticket(link: &mut Link, config: &ServerConfig, session: Option<Zeroizing<Vec<u8>>>) -> Result<()> {
    let (mut ticket, mut lifetime) = (Vec::new(), 0);
    if let (Some(keys), Some(session)) = (&config.tickets, session) {
        // RFC 5077 3.3: an empty ticket says that the server changed its mind, as it does when it cannot make one.
        let sealed = link.outside("ticket sealer", keys.seal(config.clock.now(), &session)).await;
        ticket = sealed.filter(|ticket| ticket.len() <= MAX_TICKET).unwrap_or_default();
        lifetime = u32::try_from(keys.lifetime().min(config.session_lifetime).as_secs()).unwrap_or(u32::MAX);
    }
    let view = NewSessionTicketView { lifetime_hint: lifetime, ticket: &ticket };
    link.send(HandshakeType::NewSessionTicket, |w| view.encode(w))
}

/// Keeps a session under the ID that the client was given.
async fn keep_session(link: &Link, config: &ServerConfig, id: &[u8], session: &ServerSession) {
    let (Some(store), Some(bytes)) = (&config.sessions, session.encode()) else { return };
    let until = config.clock.now().checked_add(config.session_lifetime).unwrap_or(session.created);
    // A store that fails costs the next handshake its shortcut, not this one its connection.
    let _lost = link.outside("session store", store.put(id, &bytes, until)).await;
}

fn session_of(
    link: &Link,
    talk: &Talk<'_>,
    facts: &Facts,
    vault: &Vault12,
    server_type: CertificateType,
) -> ServerSession {
    let (now, context) = (talk.config.clock.now(), link.context_of(talk.config.context));
    let mut session = ServerSession::of(facts, now, context, server_type);
    session.master.copy_from_slice(vault.master_secret().expose());
    session
}

fn facts(talk: &Talk<'_>, encrypt_then_mac: bool) -> Facts {
    Facts {
        group: talk.group,
        alpn: talk.alpn.map(<[u8]>::to_vec),
        server_name: talk.offer.name(),
        encrypt_then_mac,
        secure_renegotiation: talk.offer.secure_renegotiation,
        ..Facts::new(ProtocolVersion::Tls12, talk.suite.code)
    }
}

fn established(
    talk: &Talk<'_>,
    facts: Facts,
    vault: Box<Vault12>,
    first_finished: [u8; 12],
    kept_under: &[u8],
) -> Established {
    let id = <[u8; ID_LEN]>::try_from(kept_under).ok();
    let kept = talk.config.sessions.clone().zip(id);
    let session = kept.map(|(store, id)| KeptSession::Server(store, id));
    let kept = Kept12 {
        side: Side::Server,
        hash: talk.suite.hash,
        master: vault.into_master(),
        randoms: Randoms::new(&talk.offer.random, &talk.random, session),
        first_finished,
    };
    Established::tls12(facts, kept)
}
