//! Client side of TLS 1.2.                                                            RFC 5246 7.3, RFC 5077 3.1
//!
//! ```text
//!   full                                        resumed, by session ID or ticket
//!   ClientHello            -->                  ClientHello            -->
//!                          <--  ServerHello                            <--  ServerHello
//!                               Certificate                                 NewSessionTicket*
//!                               CertificateStatus*                          [ChangeCipherSpec]
//!                               ServerKeyExchange*                          Finished
//!                               CertificateRequest*      [ChangeCipherSpec]
//!                               ServerHelloDone          Finished      -->
//!   Certificate*
//!   ClientKeyExchange
//!   CertificateVerify*
//!   [ChangeCipherSpec]
//!   Finished               -->
//!                          <--  NewSessionTicket*
//!                               [ChangeCipherSpec]
//!                               Finished
//! ```

use super::admit;
use super::hello::ServerAnswer;
use super::judge::Judge;
use super::link::Link;
use super::offer::Offered;
use super::{change_read_keys, change_write_keys, credential, derived, key_exchange, recv_finished, send_finished};
use crate::code::{CertificateType, HandshakeType, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::config::{CertificateRequestFacts, ClientConfig, Identity, Policy, Verified, auth_of, curve_of, decrypts};
use crate::crypto::Hash;
use crate::error::{Error, PeerError, Result};
use crate::established::{Established, Kept12, Randoms};
use crate::facts::{End, Facts, PeerIdentity, Resumption};
use crate::keys::schedule12::{Side, Vault12, rsa_premaster};
use crate::session::{KeptSession, Session};
use crate::suite::{Kx, Suite};
use crate::wire::message::{
    Certificate12, CertificateRequest12, CertificateStatus, NewSessionTicket12, ServerHelloDone, ServerKeyExchange,
    SignedView,
};
use clasp_x509::{Certificate, PublicKey};
use rustls_pki_types::{CertificateDer, ServerName};
use std::sync::Arc;
use std::time::Duration;

/// What the hellos have settled, and every step after them needs.
struct Talk<'a> {
    config: &'a ClientConfig,
    name: &'a ServerName<'static>,
    offered: &'a Offered,
    answer: &'a ServerAnswer,
    hash: &'static dyn Hash,
}

pub(super) async fn client(
    link: &mut Link,
    config: &ClientConfig,
    name: ServerName<'static>,
    offered: Offered,
    answer: ServerAnswer,
) -> Result<Established> {
    // 7.4.1.2 is behind us; 7.4.1.3
    link.version(ProtocolVersion::Tls12);
    link.chose("cipher suite", answer.suite.code.0, answer.suite.code.name());
    link.protocol(answer.settled.alpn.as_deref())?;
    link.limits(answer.settled.limits);
    let hash = config.provider.hash(answer.suite.hash)?;
    link.transcript.start(hash);

    let talk = Talk { config, name: &name, offered: &offered, answer: &answer, hash };
    let echoed = !offered.session_id.is_empty() && answer.session_id == offered.session_id;
    match offered.session12() {
        Some(session) if echoed => resumed(link, &talk, session).await,
        // RFC 9846 E.4: an ID that names no session cannot be resumed.
        None if echoed => Err(Error::from(PeerError::BadSessionIdEcho).in_message("ServerHello")),
        _ => full(link, &talk).await,
    }
}

async fn full(link: &mut Link, talk: &Talk<'_>) -> Result<Established> {
    let Talk { config, answer, hash, .. } = *talk;
    if config.identity.is_none() {
        // Nothing of ours will sign them.
        link.transcript.forget_bytes();
    }
    let mut vault = Vault12::new();
    // 7.4.2 to 7.4.5
    let mut said = server_flight(link, talk, &mut vault).await?;
    // 7.4.6 to 7.4.8
    let client_authenticated = client_flight(link, talk, &said, &mut vault).await?;

    // 7.1, 7.4.9
    change_write_keys(link, &vault, Side::Client, answer.protected())?;
    let first_finished = send_finished(link, &vault, hash, Side::Client)?;
    let ticket = recv_ticket(link, answer).await?;
    change_read_keys(link, &vault, Side::Server, answer.protected()).await?;
    recv_finished(link, &vault, hash, Side::Server).await?;
    // With RSA key transport it is only now that the key has been proven.
    let judge = Judge::of_server(config, talk.name, answer.settled.types.server);
    judge.proven(link, &mut said.verified, &said.shown.chain).await?;

    let facts = Facts {
        group: said.exchange.as_ref().and_then(|e| e.group),
        signature_scheme: said.exchange.as_ref().map(|e| e.scheme),
        peer: config.recent_peers.share(said.shown),
        peer_type: answer.settled.types.server,
        server_name: Some(talk.name.to_str().into_owned()),
        certificate_requested: said.asked.is_some(),
        client_authenticated,
        authenticated_until: said.authenticated_until,
        ..facts(answer)
    };
    keep_session(link, talk, &vault, ticket, &facts);
    Ok(established(talk, facts, vault, first_finished))
}

/// What the server has said of itself and asked of us.
struct Said {
    shown: PeerIdentity,
    verified: Verified,
    authenticated_until: End,
    exchange: Option<Exchange>,
    asked: Option<CertificateRequestFacts>,
}

/// Certificate to ServerHelloDone.
async fn server_flight(link: &mut Link, talk: &Talk<'_>, vault: &mut Vault12) -> Result<Said> {
    let Talk { config, answer, .. } = *talk;
    // 7.4.2, RFC 6066 8
    answer.settled.types.check_server(config).map_err(|e| e.in_message("ServerHello"))?;
    let message = link.recv::<Certificate12>().await?;
    let chain = credential::read_chain(message.view(), answer.settled.types.server)?;
    if chain.is_empty() {
        return Err(Error::from(PeerError::EmptyCertificate).in_message("Certificate"));
    }
    let status = if answer.settled.status { link.recv_optional::<CertificateStatus>().await? } else { None };
    let ocsp = status.as_ref().map(|s| s.view().ocsp);
    let judge = Judge::of_server(config, talk.name, answer.settled.types.server);
    let verified = judge.verify(link, &chain, ocsp, answer.settled.timestamps.as_deref()).await?;
    let authenticated_until = judge.until(&verified, &chain);
    check_key(&config.policy, answer.suite, &verified, &chain, answer.settled.types.server)?;
    let shown = PeerIdentity { chain, ocsp: ocsp.map(<[u8]>::to_vec), timestamps: answer.settled.timestamps.clone() };

    // 7.4.3
    let exchange = match answer.suite.kx {
        Kx::Rsa => None,
        Kx::Ecdhe | Kx::Dhe => Some(recv_key_exchange(link, talk, &judge, &verified, vault).await?),
    };

    // 7.4.4, 7.4.5
    let asked = recv_request(link, answer).await?;
    link.recv::<ServerHelloDone>().await?;
    Ok(Said { shown, verified, authenticated_until, exchange, asked })
}

/// Certificate to CertificateVerify. Gives whether there was a certificate of ours.
async fn client_flight(link: &mut Link, talk: &Talk<'_>, said: &Said, vault: &mut Vault12) -> Result<bool> {
    let Talk { config, offered, answer, hash, .. } = *talk;
    // 7.4.6
    let identity = match &said.asked {
        Some(request) => choose_identity(link, config, request).await?,
        None => None,
    };
    if said.asked.is_some() {
        credential::send_chain(link, identity.as_deref())?;
    }

    // 7.4.7
    match &said.exchange {
        None => {
            rsa_premaster(config.provider, vault, ProtocolVersion::Tls12.0.to_be_bytes())?;
            let encrypted = key_exchange::legacy(config.provider)?
                .rsa_encrypt(&said.verified.spki, &vault.premaster)
                .map_err(|_| Error::from(PeerError::BadCertificateKey).wanted("an RSA key"))?;
            link.send(HandshakeType::ClientKeyExchange, |w| w.vec16(|w| w.bytes(&encrypted)))?;
        }
        Some(e) if answer.suite.kx == Kx::Ecdhe => {
            link.send(HandshakeType::ClientKeyExchange, |w| w.vec8(|w| w.bytes(&e.public)))?;
        }
        Some(e) => link.send(HandshakeType::ClientKeyExchange, |w| w.vec16(|w| w.bytes(&e.public)))?,
    }

    // 8.1, RFC 7627 4
    if answer.settled.extended_master_secret {
        vault.extended_master(hash, link.transcript.hash().as_ref());
    } else {
        vault.master(hash, &offered.random, &answer.random);
    }
    vault.expand(hash, answer.suite, &offered.random, &answer.random);
    derived::master(link, config.key_log.as_ref(), &offered.random, vault, false);

    // 7.4.8
    if let (Some(identity), Some(request)) = (&identity, &said.asked) {
        let message = link.transcript.bytes();
        let version = ProtocolVersion::Tls12;
        let (scheme, signature) =
            credential::sign(link, (&config.policy, identity), request.schemes.iter().copied(), message, version)
                .await?;
        link.send(HandshakeType::CertificateVerify, |w| SignedView { scheme, signature: &signature }.encode(w))?;
    }
    link.transcript.forget_bytes();
    Ok(identity.is_some())
}

async fn resumed(link: &mut Link, talk: &Talk<'_>, session: &Session) -> Result<Established> {
    let Talk { config, offered, answer, hash, .. } = *talk;
    admit::resumed12(session, answer.suite.code, answer.settled.extended_master_secret)
        .map_err(|e| e.in_message("ServerHello"))?;
    let resumption = if session.has_ticket() { Resumption::Ticket } else { Resumption::SessionId };
    link.resumed(resumption.name());
    link.transcript.forget_bytes();
    let mut vault = Vault12::new();
    vault.resume(&session.master);
    vault.expand(hash, answer.suite, &offered.random, &answer.random);
    derived::master(link, config.key_log.as_ref(), &offered.random, &vault, true);

    // The server finishes first: 7.3, figure 2.
    let ticket = recv_ticket(link, answer).await?;
    change_read_keys(link, &vault, Side::Server, answer.protected()).await?;
    let first_finished = recv_finished(link, &vault, hash, Side::Server).await?;
    change_write_keys(link, &vault, Side::Client, answer.protected())?;
    send_finished(link, &vault, hash, Side::Client)?;

    let facts = Facts {
        peer: session.server.clone(),
        peer_type: session.server_type,
        group: session.group,
        signature_scheme: session.signature_scheme,
        server_name: Some(offered.peer.0.clone()),
        resumed: Some(resumption),
        authenticated_until: session.authenticated_until,
        ..facts(answer)
    };
    if ticket.is_some() {
        keep_session(link, talk, &vault, ticket, &facts);
    }
    Ok(established(talk, facts, vault, first_finished))
}

/// What a ServerKeyExchange settles.
struct Exchange {
    public: Vec<u8>,
    group: Option<NamedGroup>,
    scheme: SignatureScheme,
}

/// ServerKeyExchange: the signature is over both randoms and the parameters, so that they belong to this conversation.
async fn recv_key_exchange(
    link: &mut Link,
    talk: &Talk<'_>,
    judge: &Judge<'_>,
    verified: &Verified,
    vault: &mut Vault12,
) -> Result<Exchange> {
    let Talk { config, offered, answer, .. } = *talk;
    let message = link.recv::<ServerKeyExchange>().await?;
    let read = || -> Result<Exchange> {
        let proven = |params: &[u8], signed| {
            let message = [&offered.random[..], &answer.random, params].concat();
            judge.check_proof(verified, &message, signed, ProtocolVersion::Tls12)
        };
        if answer.suite.kx == Kx::Ecdhe {
            let params = message.view().ecdh()?;
            let scheme = proven(params.signed, params.signature)?;
            let public = key_exchange::client_ecdh(config.provider, &config.policy, &params, vault)?;
            Ok(Exchange { public, group: Some(params.group), scheme })
        } else {
            let params = message.view().dh()?;
            let scheme = proven(params.signed, params.signature)?;
            let (public, group) = key_exchange::client_dh(config.provider, &config.policy, &params, vault)?;
            Ok(Exchange { public, group, scheme })
        }
    };
    let mut read = read;
    let exchange = read().map_err(|e| e.in_message("ServerKeyExchange"))?;
    if let Some(group) = exchange.group {
        link.chose("group", group.0, group.name());
    }
    link.chose("signature scheme", exchange.scheme.0, exchange.scheme.name());
    Ok(exchange)
}

/// The certificate's key must be of the kind the suite says (7.4.2), and may not forbid what it is used for.
fn check_key(
    policy: &Policy,
    suite: &Suite,
    verified: &Verified,
    chain: &[CertificateDer<'_>],
    kind: CertificateType,
) -> Result<()> {
    let key = PublicKey::parse(&verified.spki);
    if auth_of(key) != Some(suite.auth) || suite.kx == Kx::Rsa && !decrypts(key) {
        let wanted = format!("a key for {}", suite.code);
        return Err(Error::from(PeerError::BadCertificateKey).wanted(wanted).in_message("Certificate"));
    }
    let curve = curve_of(key).filter(|curve| !policy.groups.contains(curve));
    if let Some(curve) = curve {
        let error = Error::from(PeerError::BadKeyCurve).seen(curve).wanted("a curve that was offered");
        return Err(error.in_message("Certificate"));
    }
    if kind == CertificateType::RawPublicKey {
        return Ok(());
    }
    // One that cannot be read has been taken by a verifier to which its key is all that counts.
    let leaf = chain.first().and_then(|der| Certificate::parse(der).ok());
    let allowed = leaf.and_then(|leaf| leaf.key_usage()).is_none_or(|usage| match suite.kx {
        Kx::Rsa => usage.key_encipherment(),
        Kx::Ecdhe | Kx::Dhe => usage.digital_signature(),
    });
    if allowed { Ok(()) } else { Err(Error::from(PeerError::KeyUsageForbids).in_message("Certificate")) }
}

/// CertificateRequest: RFC 5246 7.4.4.
async fn recv_request(link: &mut Link, answer: &ServerAnswer) -> Result<Option<CertificateRequestFacts>> {
    let Some(request) = link.recv_optional::<CertificateRequest12>().await? else { return Ok(None) };
    let view = request.view();
    Ok(Some(CertificateRequestFacts {
        schemes: view.schemes.iter().map(SignatureScheme).collect(),
        authorities: view.authorities().map(<[u8]>::to_vec).collect(),
        key_types: view.types.to_vec(),
        certificate_type: Some(answer.settled.types.client),
        ..CertificateRequestFacts::default()
    }))
}

async fn choose_identity(
    link: &Link,
    config: &ClientConfig,
    request: &CertificateRequestFacts,
) -> Result<Option<Arc<Identity>>> {
    match &config.identity {
        Some(chooser) => link.outside("client identity", chooser.choose(request)).await,
        None => Ok(None),
    }
}

/// NewSessionTicket: RFC 5077 3.3. Lifetime hint and ticket.
async fn recv_ticket(link: &mut Link, answer: &ServerAnswer) -> Result<Option<(u32, Vec<u8>)>> {
    if !answer.settled.new_ticket {
        return Ok(None);
    }
    let message = link.recv::<NewSessionTicket12>().await?;
    let view = message.view();
    Ok((!view.ticket.is_empty()).then(|| (view.lifetime_hint, view.ticket.to_vec())))
}

fn facts(answer: &ServerAnswer) -> Facts {
    Facts {
        extended_master_secret: answer.settled.extended_master_secret,
        encrypt_then_mac: answer.settled.encrypt_then_mac,
        secure_renegotiation: answer.settled.secure_renegotiation,
        record_size_limit: answer.settled.limits.of_peer(),
        alpn: answer.settled.alpn.clone(),
        ..Facts::new(ProtocolVersion::Tls12, answer.suite.code)
    }
}

/// The longest a session without a hint is offered: RFC 5246 F.1.4.
const SESSION_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// The longest one with a hint is: as in TLS 1.3 (RFC 9846 4.6.1).
const LONGEST_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

fn keep_session(link: &Link, talk: &Talk<'_>, vault: &Vault12, ticket: Option<(u32, Vec<u8>)>, facts: &Facts) {
    let Talk { config, offered, answer, .. } = *talk;
    let Some(store) = &config.sessions else { return };
    let (hint, ticket) = ticket.unwrap_or_default();
    if ticket.is_empty() && answer.session_id.is_empty() {
        return;
    }
    let lifetime = match hint {
        0 => SESSION_LIFETIME,
        seconds => Duration::from_secs(u64::from(seconds)).min(LONGEST_LIFETIME),
    };
    let now = config.clock.now();
    let mut master = Box::new([0; 48]);
    master.copy_from_slice(vault.master_secret().expose());
    let session = Session {
        version: ProtocolVersion::Tls12,
        suite: answer.suite.code,
        master,
        extended_master_secret: answer.settled.extended_master_secret,
        id: answer.session_id.clone(),
        ticket,
        until: now.checked_add(lifetime).unwrap_or(now),
        server: facts.peer.clone(),
        server_type: facts.peer_type,
        alpn: answer.settled.alpn.clone(),
        group: facts.group,
        signature_scheme: facts.signature_scheme,
        received: now,
        age_add: 0,
        max_early_data: 0,
        parameters: None,
        context: link.context_of(config.context),
        authenticated_until: facts.authenticated_until,
        psk: None,
    };
    store.put(&offered.peer, session);
}

fn established(talk: &Talk<'_>, facts: Facts, vault: Box<Vault12>, first_finished: [u8; 12]) -> Established {
    let Talk { config, offered, answer, .. } = *talk;
    let session = config.sessions.clone().map(KeptSession::Client);
    let kept = Kept12 {
        side: Side::Client,
        hash: answer.suite.hash,
        master: vault.into_master(),
        randoms: Randoms::new(&offered.random, &answer.random, session),
        first_finished,
    };
    Established::tls12(facts, kept)
}
