//! Client side of TLS 1.3.                                                                          RFC 9846 2
//!
//! ```text
//!   ClientHello  [early data*]  -->
//!                               <--  HelloRetryRequest*, then once more from the top
//!                               <--  ServerHello {EncryptedExtensions} {CertificateRequest*}
//!                                    {Certificate*} {CertificateVerify*} {Finished} [data*]
//!   (EndOfEarlyData*) {Certificate*} {CertificateVerify*} {Finished}  -->
//!                               <--  [NewSessionTicket*], after the handshake: connection/established.rs
//! ```

use super::credential::Asks;
use super::extension::{Asked, Row, TABLE, Types};
use super::hello::{ServerAnswer13, Settled};
use super::judge::{Judge, Proof};
use super::link::Link;
use super::offer::Offered;
use super::proof::signed13;
use super::{compression, credential, derived, key_exchange, recv_finished13, retry13, send_finished13};
use crate::code::{HandshakeType, ProtocolVersion};
use crate::config::{CertificateRequestFacts, ClientConfig, Identity, key_of};
use crate::error::{CertificateError, Error, PeerError, Result};
use crate::established::Established;
use crate::facts::{EarlyData, EarlyDataRefusal, End, Facts, MAX_AUTHENTICATION, Resumption};
use crate::keys::kept13::Also;
use crate::keys::maker::Way;
use crate::keys::schedule12::Side;
use crate::keys::schedule13::{AtHandshake, AtMain, BinderKind, Traffic, Vault13};
use crate::suite::Suite13;
use crate::wire::Extensions;
use crate::wire::extension::key_share::KeyShareEntry;
use crate::wire::message::{
    CertificateRequest13, Checked, EncryptedExtensions, ServerHello, ServerHelloView, SignedView,
};
use rustls_pki_types::ServerName;
use std::sync::Arc;

/// What is settled between both sides, as far as the conversation has come.
struct Talk13<'a> {
    config: &'a Arc<ClientConfig>,
    name: &'a ServerName<'static>,
    /// What we say in our last hello.
    offered: &'a mut Offered,
    suite: &'static Suite13,
    /// The place of the pre-shared key that the server takes, and its kind.
    psk: Option<(usize, BinderKind)>,
    facts: Facts,
}

pub(super) async fn client(
    link: &mut Link,
    config: &Arc<ClientConfig>,
    name: ServerName<'static>,
    mut offered: Offered,
    hello: Checked<ServerHello>,
) -> Result<Established> {
    link.version(ProtocolVersion::Tls13);
    // 4.1.4
    let (mut talk, hello) = agree(link, config, &name, &mut offered, hello).await?;
    // 4.1.3, 4.2.8, 4.2.11
    let (mut vault, at) = resume_or_not(link, &mut talk, hello)?;
    // 4.3, 4.4
    let (at, asked) = server_flight(link, &mut talk, &mut vault, at).await?;
    // 4.4, 4.5
    client_flight(link, &mut talk, &mut vault, at, asked).await?;

    let Talk13 { offered, suite, facts, .. } = talk;
    let facts = Facts { server_name: Some(core::mem::take(&mut offered.peer.0)), ..facts };
    let tickets = (config.sessions.is_some() && config.takes_tickets()).then(|| config.clone());
    let also: &[Also] = match (tickets.is_some(), facts.early_data == EarlyData::Accepted) {
        (true, true) => &[Also::Resumption, Also::EarlyExporter],
        (true, false) => &[Also::Resumption],
        (false, true) => &[Also::EarlyExporter],
        (false, false) => &[],
    };
    let kept = vault.keep(Side::Client, suite, also);
    if config.post_handshake_auth {
        link.may_be_asked_later();
    }
    Ok(Established::tls13(facts, kept, tickets))
}

/// What both sides have, after another hello if the server asks for one, which it may once: RFC 9846 4.1.4.
async fn agree<'a>(
    link: &mut Link,
    config: &'a Arc<ClientConfig>,
    name: &'a ServerName<'static>,
    offered: &'a mut Offered,
    hello: Checked<ServerHello>,
) -> Result<(Talk13<'a>, Checked<ServerHello>)> {
    let (early, hello_retried) = (offered.early.is_some(), hello.view().is_hello_retry_request());
    let (suite, hello) = if hello_retried {
        retry13::answer(link, config, offered, hello).await?
    } else {
        (suite(config, offered, &hello.view()).map_err(|e| e.in_message("ServerHello"))?, hello)
    };
    let facts = Facts {
        // As long as the server has not said that it takes it.
        early_data: if early { EarlyData::Rejected } else { EarlyData::NotOffered },
        hello_retried,
        ..Facts::new(ProtocolVersion::Tls13, suite.code)
    };
    Ok((Talk13 { config, name, offered, suite, psk: None, facts }, hello))
}

/// ServerHello: the key the server takes, or none, with which the schedule begins, and the key exchange: RFC 9846 4.1.3,
/// 4.2.8, 4.2.11, 7.1.
fn resume_or_not(
    link: &mut Link,
    talk: &mut Talk13<'_>,
    hello: Checked<ServerHello>,
) -> Result<(Box<Vault13>, AtHandshake)> {
    let Talk13 { config, suite, .. } = *talk;
    // 4.1.3
    let in_hello = |e: Error| e.in_message("ServerHello");
    let answer = ServerAnswer13::read(config, talk.offered, suite, &hello.view()).map_err(in_hello)?;
    link.chose("cipher suite", suite.code.0, suite.code.name());
    let hash = config.provider.hash(suite.hash)?;
    link.transcript.start(hash);
    link.transcript.forget_bytes();

    // 4.2.11, 7.1
    let (mut vault, at) = talk.offered.schedule(answer.psk, hash);
    talk.psk = answer.psk.and_then(|n| Some((n, talk.offered.psks.get(n)?.kind)));
    if config.keys_only && talk.psk.is_none() {
        return Err(in_hello(PeerError::PskRequired.into()));
    }
    // That of early data has been told of already.
    if talk.psk.is_some_and(|(n, _)| n > 0 || talk.offered.early.is_none()) {
        derived::psk(link, &vault);
    }

    // 4.2.8
    if let Some(KeyShareEntry { group, public }) = answer.share {
        link.chose("group", group.0, group.name());
        let shares = core::mem::take(&mut talk.offered.shares);
        key_exchange::finish(shares, group, public, &mut vault.shared).map_err(in_hello)?;
        talk.facts.group = Some(group);
    } else if !config.psk_without_dhe {
        return Err(in_hello(PeerError::PskWithoutKeyShare.into()));
    }
    link.recycle(hello);
    let at = vault.handshake(at, talk.facts.group.is_some(), link.transcript.hash().as_ref());
    derived::handshake(link, config.key_log.as_ref(), &talk.offered.random, &vault);
    Ok((vault, at))
}

/// EncryptedExtensions to Finished: RFC 9846 4.3, 4.4. Gives what the server asks of our certificate, if it asks for one.
async fn server_flight(
    link: &mut Link,
    talk: &mut Talk13<'_>,
    vault: &mut Vault13,
    at: AtHandshake,
) -> Result<(AtMain, Option<CertificateRequestFacts>)> {
    let Talk13 { config, suite, psk, .. } = *talk;
    link.install13(Way::Read, vault, suite, Traffic::Handshake(Side::Server))?;
    // An alert from here on is protected; early data that may still be taken goes on under its own keys.
    let (early, hello_retried) = (talk.facts.early_data, talk.facts.hello_retried);
    if early == EarlyData::NotOffered || hello_retried || !link.wiring.end_of_early_data {
        if config.middlebox_compatibility && !hello_retried {
            link.send_compatibility_ccs();
        }
        link.install13(Way::Write, vault, suite, Traffic::Handshake(Side::Client))?;
    }
    if let Some((_, kind)) = psk {
        link.resumed(if kind == BinderKind::Resumption { "ticket" } else { "external PSK" });
    }

    // 4.3.1
    let extensions = link.recv::<EncryptedExtensions>().await?;
    let settled = read_extensions(talk, extensions.view()).map_err(|e| e.in_message("EncryptedExtensions"))?;
    link.recycle(extensions);
    link.limits(settled.limits);
    talk.facts.record_size_limit = settled.limits.of_peer();
    link.peer_parameters(settled.parameters.as_deref()).map_err(|e| e.in_message("EncryptedExtensions"))?;
    link.protocol(settled.alpn.as_deref())?;
    talk.facts.alpn = settled.alpn;
    talk.facts.encrypted_client_hello = talk.offered.ech_facts(settled.retry_configs);
    if early == EarlyData::Rejected && settled.early_data {
        talk.facts.early_data = EarlyData::Accepted;
    } else if early == EarlyData::Rejected {
        talk.facts.early_data_refusal = Some(refusal(talk));
        link.early_data_refused();
        if !hello_retried && link.wiring.end_of_early_data {
            link.install13(Way::Write, vault, suite, Traffic::Handshake(Side::Client))?;
        }
    }

    // 4.3.2, 4.4.2, 4.4.3: none of these where a key authenticates the server
    let mut asked = None;
    if psk.is_none() {
        settled.types.check_server(config).map_err(|e| e.in_message("EncryptedExtensions"))?;
        talk.facts.peer_type = settled.types.server;
        asked = recv_request(link, settled.types).await?;
        recv_server_proof(link, talk).await?;
    } else {
        recall_server(link, talk).await?;
    }

    // 4.4.4
    recv_finished13(link, vault, Side::Server).await?;
    let at = vault.main(at, link.transcript.hash().as_ref());
    derived::application(link, config.key_log.as_ref(), &talk.offered.random, vault);
    Ok((at, asked))
}

/// EndOfEarlyData to Finished: RFC 9846 4.4, 4.5.
async fn client_flight(
    link: &mut Link,
    talk: &mut Talk13<'_>,
    vault: &mut Vault13,
    at: AtMain,
    asked: Option<CertificateRequestFacts>,
) -> Result<()> {
    let Talk13 { config, suite, .. } = *talk;
    // 4.5: where early data ends, if the server took it
    if talk.facts.early_data == EarlyData::Accepted && link.wiring.end_of_early_data {
        link.send(HandshakeType::EndOfEarlyData, |_| ())?;
        link.install13(Way::Write, vault, suite, Traffic::Handshake(Side::Client))?;
    }
    link.install13(Way::Read, vault, suite, Traffic::Application(Side::Server))?;

    // 4.4.2, 4.4.3, 4.4.4
    if let Some(request) = &asked {
        talk.facts.certificate_requested = true;
        talk.facts.client_authenticated = send_client_proof(link, config, request).await?;
    }
    send_finished13(link, vault, Side::Client)?;
    link.install13(Way::Write, vault, suite, Traffic::Application(Side::Client))?;
    vault.resumption(&at, link.transcript.hash().as_ref());
    derived::resumption(link, vault);
    Ok(())
}

/// Why early data was not taken, as far as a client sees.
fn refusal(talk: &Talk13<'_>) -> EarlyDataRefusal {
    match talk.psk {
        _ if talk.facts.hello_retried => EarlyDataRefusal::HelloRetried,
        Some((_, BinderKind::Resumption)) => EarlyDataRefusal::ByServer,
        _ => EarlyDataRefusal::NotResumed,
    }
}

/// Whom a pre-shared key authenticates: RFC 9846 4.2.11. A session's server was verified before the session was offered; early
/// data that was refused is sent anew, to whom is asked anew.
async fn recall_server(link: &Link, talk: &mut Talk13<'_>) -> Result<()> {
    let Talk13 { config, name, offered, psk, facts, .. } = talk;
    let resumed = matches!(psk, Some((_, BinderKind::Resumption)));
    let Some(session) = offered.session13().filter(|_| resumed) else {
        let now = config.clock.now();
        facts.authenticated_until = End::at(now.checked_add(MAX_AUTHENTICATION).unwrap_or(now));
        facts.resumed = Some(Resumption::ExternalPsk);
        facts.psk_identity = psk.and_then(|(n, _)| offered.external(config, n)).map(|key| key.identity.clone());
        return Ok(());
    };
    let again = config.verify_again && facts.early_data == EarlyData::Rejected;
    if let Some(server) = session.server.as_ref().filter(|_| again) {
        let judge = Judge::of_server(config, name, session.server_type);
        let verdict = judge.verify(link, &server.chain, server.ocsp.as_deref(), server.timestamps.as_deref());
        if verdict.await?.proven.is_some() {
            // It wants the proof of the key that a resumed handshake has not, and the server has chosen to resume.
            return Err(Error::from(CertificateError::Refused).in_message("ServerHello").of_chain(&server.chain));
        }
    }
    facts.authenticated_until = session.authenticated_until;
    facts.psk_identity = session.psk.and_then(|mark| key_of(&mark, &config.psks)).map(|key| key.identity.clone());
    facts.peer.clone_from(&session.server);
    facts.peer_type = session.server_type;
    facts.signature_scheme = session.signature_scheme;
    facts.resumed = Some(Resumption::Ticket);
    Ok(())
}

/// What every ServerHello of TLS 1.3 must be, the retry included; gives its suite.
pub(super) fn suite(config: &ClientConfig, offered: &Offered, hello: &ServerHelloView<'_>) -> Result<&'static Suite13> {
    if hello.session_id != offered.session_id {
        return Err(PeerError::BadSessionIdEcho.into());
    }
    if hello.compression != 0 {
        return Err(Error::from(PeerError::BadCompression).seen(hello.compression).wanted("the null method"));
    }
    config.policy.suites13().find(|s| s.code == hello.suite).ok_or_else(|| {
        Error::from(PeerError::WrongSuiteSelected).seen(hello.suite).wanted("a TLS 1.3 suite that was offered")
    })
}

/// What EncryptedExtensions settle: RFC 9846 4.3.1.
fn read_extensions(talk: &Talk13<'_>, extensions: Extensions<'_>) -> Result<Settled> {
    let Talk13 { config, offered, suite, psk, .. } = talk;
    let settled = TABLE.read_answers(&Asked { config, offered, suite12: None }, extensions)?;
    if settled.early_data {
        // 4.2.10: only with the first key, its suite and its protocol.
        let session = offered.session13().filter(|_| psk.is_some_and(|(n, _)| n == 0));
        let holds = session.is_some_and(|s| s.suite == suite.code && s.alpn == settled.alpn);
        if !holds {
            return Err(PeerError::EarlyDataBadlyAccepted.into());
        }
    }
    Ok(settled)
}

/// CertificateRequest: RFC 9846 4.3.2.
async fn recv_request(link: &mut Link, types: Types) -> Result<Option<CertificateRequestFacts>> {
    let Some(request) = link.recv_optional::<CertificateRequest13>().await? else { return Ok(None) };
    let view = request.view();
    let facts = credential::read_request(&view, &[]).map_err(|e| e.in_message("CertificateRequest"))?;
    Ok(Some(CertificateRequestFacts { certificate_type: Some(types.client), ..facts }))
}

/// Certificate and CertificateVerify of the server: RFC 9846 4.4.2, 4.4.3.
async fn recv_server_proof(link: &mut Link, talk: &mut Talk13<'_>) -> Result<()> {
    let Talk13 { config, name, offered, facts, .. } = talk;
    let asked = |row: &Row| row.is_asked(config, offered);
    let presented = credential::recv_chain13(link, &config.compression, &[], asked).await?;
    if presented.chain.is_empty() {
        return Err(Error::from(PeerError::EmptyCertificate).in_message("Certificate"));
    }
    let judge = Judge::of_server(config, name, facts.peer_type);
    let Proof { scheme, until } = judge.recv_proof13(link, Side::Server, &presented).await?;
    link.chose("signature scheme", scheme.0, scheme.name());
    facts.signature_scheme = Some(scheme);
    facts.authenticated_until = until;
    facts.peer = config.recent_peers.share(presented);
    Ok(())
}

/// Our Certificate and CertificateVerify, if the server asked: RFC 9846 4.4.2, 4.4.3. Gives whether there was one.
pub(super) async fn send_client_proof(
    link: &mut Link,
    config: &ClientConfig,
    request: &CertificateRequestFacts,
) -> Result<bool> {
    let identity: Option<Arc<Identity>> = match &config.identity {
        Some(chooser) => link.outside("client identity", chooser.choose(request)).await?,
        None => None,
    };
    let asks = Asks {
        context: &request.context,
        status: request.status,
        timestamps: request.timestamps,
        way: compression::choose(&config.compression, |algorithm| request.compression.contains(&algorithm)),
    };
    credential::send_chain13(link, identity.as_deref(), &asks)?;
    let Some(identity) = identity else { return Ok(false) };
    let message = signed13(Side::Client, link.transcript.hash().as_ref());
    let version = ProtocolVersion::Tls13;
    let theirs = request.schemes.iter().copied();
    let (scheme, signature) =
        credential::sign(link, (&config.policy, &identity), theirs, message.as_ref(), version).await?;
    link.send(HandshakeType::CertificateVerify, |w| SignedView { scheme, signature: &signature }.encode(w))?;
    Ok(true)
}
