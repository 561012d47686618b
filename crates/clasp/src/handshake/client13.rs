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

use super::carrier::Carrier;
use super::credential::Asks;
use super::judge::{Judge, Proof};
use super::link::Link;
use super::offer::{Offered, OfferedPsk};
use super::proof::signed13;
use super::{
    Established, Secrets, compression, credential, install_read, install_write, key_exchange, log_application,
    log_handshake, recv_finished13, retry13, send_finished13,
};
use crate::code::{ExtensionType, HandshakeType, NamedGroup, ProtocolVersion};
use crate::config::{CertificateRequestFacts, ClientConfig, Identity, key_of};
use crate::error::{Error, PeerError, Result};
use crate::facts::End;
use crate::facts::MAX_AUTHENTICATION;
use crate::facts::{EarlyData, EarlyDataRefusal, Facts, Resumption};
use crate::handshake::hello::{Limits, Types, check_one_limit};
use crate::keys::schedule12::Side;
use crate::keys::schedule13::{Also, BinderKind, Traffic};
use crate::suite::Suite13;
use crate::wire::extension::key_share::KeyShareEntry;
use crate::wire::extension::{self, key_share, pre_shared_key};
use crate::wire::message::{
    CertificateRequest13, Checked, EncryptedExtensions, ServerHello, ServerHelloView, SignedView,
};
use rustls_pki_types::ServerName;
use std::sync::Arc;

pub(super) async fn client(
    link: &mut Link,
    config: &Arc<ClientConfig>,
    name: ServerName<'static>,
    mut offered: Offered,
    hello: Checked<ServerHello>,
) -> Result<Established> {
    link.version(ProtocolVersion::Tls13);
    let early = offered.early.is_some();
    let retried = hello.view().is_hello_retry_request();
    // 4.1.4: at most one retry
    let (suite, hello) = if retried {
        retry13::answer(link, config, &name, &mut offered, hello).await?
    } else {
        (suite(config, &offered, &hello.view()).map_err(|e| e.in_message("ServerHello"))?, hello)
    };

    // 4.1.3
    let answer = ServerAnswer13::read(&offered, suite, &hello.view()).map_err(|e| e.in_message("ServerHello"))?;
    link.chose("cipher suite", suite.code.0, suite.code.name());
    let hash = config.provider.hash(suite.hash)?;
    link.transcript.start(hash);
    link.transcript.forget_bytes();

    // 7.1: the schedule begins with the key the server selected, or none
    let (mut vault, at) = offered.schedule(answer.psk, hash);
    let psk = answer.psk.and_then(|n| offered.psks.get(n)).map(|psk| psk.kind);
    if config.keys_only && psk.is_none() {
        return Err(Error::from(PeerError::PskRequired).in_message("ServerHello"));
    }
    let resumed = psk == Some(BinderKind::Resumption);
    if let Some(KeyShareEntry { group, public }) = answer.share {
        link.chose("group", group.0, group.name());
        let shares = core::mem::take(&mut offered.shares);
        key_exchange::finish(shares, group, public, &mut vault.shared).map_err(|e| e.in_message("ServerHello"))?;
    } else if !config.psk_without_dhe {
        return Err(Error::from(PeerError::PskWithoutKeyShare).in_message("ServerHello"));
    }
    let (group, selected) = (answer.share.map(|share| share.group), answer.psk);
    link.recycle(hello);
    let at = vault.handshake(at, suite.aead, group.is_some(), link.transcript.hash().as_ref());
    log_handshake(config.key_log.as_ref(), &offered.random, &vault);
    install_read(link, config.provider, &vault, suite, Traffic::Handshake(Side::Server))?;
    // An alert from here on is protected; early data that may still be taken goes on under its own keys.
    if !early || retried {
        if config.middlebox_compatibility && !retried {
            link.send_compatibility_ccs();
        }
        install_write(link, config.provider, &vault, suite, Traffic::Handshake(Side::Client))?;
    }
    if psk.is_some() {
        link.resumed(if resumed { "ticket" } else { "external PSK" });
    }

    // 4.3.1
    let extensions = link.recv::<EncryptedExtensions>().await?;
    let settled = Settled::read(config, &offered, selected, suite, extensions.view())
        .map_err(|e| e.in_message("EncryptedExtensions"))?;
    link.recycle(extensions);
    link.limits(settled.limits);
    let mut refusal = None;
    let early = match (early, settled.early_data) {
        (false, _) => EarlyData::NotOffered,
        (true, true) => EarlyData::Accepted,
        (true, false) => {
            refusal = Some(match (retried, resumed) {
                (true, _) => EarlyDataRefusal::HelloRetried,
                (_, false) => EarlyDataRefusal::NotResumed,
                _ => EarlyDataRefusal::ByServer,
            });
            link.early_data_refused();
            if !retried {
                install_write(link, config.provider, &vault, suite, Traffic::Handshake(Side::Client))?;
            }
            EarlyData::Rejected
        }
    };

    // 4.3.2, 4.4.2, 4.4.3: none of these where a key authenticates the server
    let mut facts = facts(group, &settled, suite, early, retried);
    facts.early_data_refusal = refusal;
    let now = config.clock.now();
    facts.authenticated_until = End::at(now.checked_add(MAX_AUTHENTICATION).unwrap_or(now));
    let mut request = None;
    if psk.is_none() {
        settled.types.check_server(config).map_err(|e| e.in_message("EncryptedExtensions"))?;
        facts.peer_type = settled.types.server;
        request = recv_request(link, settled.types).await?;
        recv_server_proof(link, config, &name, &offered, &mut facts).await?;
    } else if let (true, Some(session)) = (resumed, offered.session13()) {
        // It was verified before it was offered; early data that was refused is sent anew, to whom is asked anew.
        if let Some(server) = session.server.as_ref().filter(|_| config.verify_again && early == EarlyData::Rejected) {
            let judge = Judge::of_server(config, &name, session.server_type);
            judge.verify(link, &server.chain, server.ocsp.as_deref(), server.timestamps.as_deref()).await?;
        }
        facts.authenticated_until = session.authenticated_until;
        facts.psk_identity = session.psk.and_then(|mark| key_of(&mark, &config.psks)).map(|key| key.identity.clone());
        facts.peer.clone_from(&session.server);
        facts.peer_type = session.server_type;
        facts.signature_scheme = session.signature_scheme;
        facts.resumed = Some(Resumption::Ticket);
    } else {
        facts.resumed = Some(Resumption::ExternalPsk);
        facts.psk_identity = selected.and_then(|n| offered.external(config, n)).map(|key| key.identity.clone());
    }

    // 4.4.4
    recv_finished13(link, &vault, Side::Server).await?;
    let at_server_finished = link.transcript.hash();

    // 4.5: after EndOfEarlyData, if the server took the data
    if early == EarlyData::Accepted {
        link.send(HandshakeType::EndOfEarlyData, |_| ())?;
        install_write(link, config.provider, &vault, suite, Traffic::Handshake(Side::Client))?;
    }
    let at = vault.main(at, suite.aead, at_server_finished.as_ref());
    log_application(config.key_log.as_ref(), &offered.random, &vault);
    install_read(link, config.provider, &vault, suite, Traffic::Application(Side::Server))?;

    // 4.4.2, 4.4.3, 4.4.4
    if let Some(request) = &request {
        facts.client_authenticated = send_client_proof(link, config, request).await?;
    }
    send_finished13(link, &vault, Side::Client)?;
    install_write(link, config.provider, &vault, suite, Traffic::Application(Side::Client))?;
    vault.resumption(&at, link.transcript.hash().as_ref());

    facts.server_name = Some(offered.peer.0);
    let tickets = (config.sessions.is_some() && config.takes_tickets()).then(|| config.clone());
    let also: &[Also] = match (tickets.is_some(), early == EarlyData::Accepted) {
        (true, true) => &[Also::Resumption, Also::EarlyExporter],
        (true, false) => &[Also::Resumption],
        (false, true) => &[Also::EarlyExporter],
        (false, false) => &[],
    };
    let kept = vault.keep(Side::Client, suite, also);
    let transcript = config.post_handshake_auth.then(|| link.transcript.fork());
    Ok(Established { facts, secrets: Secrets::Tls13 { kept, tickets, transcript } })
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

/// What a ServerHello settles.
struct ServerAnswer13<'a> {
    share: Option<KeyShareEntry<'a>>,
    psk: Option<usize>,
}

impl<'a> ServerAnswer13<'a> {
    fn read(offered: &Offered, suite: &Suite13, hello: &ServerHelloView<'a>) -> Result<Self> {
        let mut answer = Self { share: None, psk: None };
        for e in hello.extensions.iter() {
            match e.typ {
                ExtensionType::SupportedVersions => {}
                ExtensionType::KeyShare => {
                    let share = key_share::server(e).map_err(|x| Error::from(x).in_extension(e.typ))?;
                    answer.share = Some(share);
                }
                ExtensionType::PreSharedKey if !offered.psks.is_empty() => {
                    let n = usize::from(pre_shared_key::selected(e).map_err(|x| Error::from(x).in_extension(e.typ))?);
                    answer.psk = Some(check_psk(offered.psks.get(n), suite).map(|()| n)?);
                }
                _ => return Err(Carrier::ServerHello.unasked(e.typ).in_extension(e.typ)),
            }
        }
        if answer.share.is_none() && answer.psk.is_none() {
            return Err(PeerError::MissingKeyShare.into());
        }
        Ok(answer)
    }
}

fn check_psk(psk: Option<&OfferedPsk>, suite: &Suite13) -> Result<()> {
    match psk {
        None => Err(PeerError::UnknownPskSelected.into()),
        Some(psk) if psk.hash != suite.hash => Err(Error::from(PeerError::PskHashMismatch).seen(suite.code)),
        Some(_) => Ok(()),
    }
}

/// What EncryptedExtensions settle.
#[derive(Default)]
struct Settled {
    alpn: Option<Vec<u8>>,
    early_data: bool,
    limits: Limits,
    types: Types,
}

impl Settled {
    fn read(
        config: &ClientConfig,
        offered: &Offered,
        psk: Option<usize>,
        suite: &Suite13,
        extensions: crate::wire::Extensions<'_>,
    ) -> Result<Self> {
        let mut settled = Self::default();
        for e in extensions.iter() {
            settled.extension(config, offered, e).map_err(|x| x.in_extension(e.typ))?;
        }
        check_one_limit(extensions)?;
        if settled.early_data {
            // 4.2.10: only with the first key, its suite and its protocol.
            let session = offered.session13().filter(|_| psk == Some(0));
            let holds = session.is_some_and(|s| s.suite == suite.code && s.alpn == settled.alpn);
            if !holds {
                return Err(PeerError::EarlyDataBadlyAccepted.into());
            }
        }
        Ok(settled)
    }

    fn extension(&mut self, config: &ClientConfig, offered: &Offered, e: crate::wire::Extension<'_>) -> Result<()> {
        // 4.3.1
        if !offered.asked_for(config, &e) {
            return Err(Carrier::EncryptedExtensions.unasked(e.typ));
        }
        match e.typ {
            ExtensionType::ServerName => extension::empty(e, "server_name")?,
            ExtensionType::SupportedGroups => drop(extension::codes(e, "named_group_list")?),
            ExtensionType::Alpn => self.alpn = Some(super::hello::chosen_protocol(&config.alpn, e)?),
            ExtensionType::ServerCertificateType | ExtensionType::ClientCertificateType => {
                self.types.read(config, e)?;
            }
            ExtensionType::EarlyData => self.early_data = extension::flag(e, "early_data")?,
            ExtensionType::RecordSizeLimit => {
                let ours = config.record_size_limit.ok_or(PeerError::UnsolicitedExtension)?;
                // Both sides count the byte of the content type: RFC 8449 4.
                let theirs = usize::from(extension::record_size_limit(e)?).saturating_sub(1);
                self.limits = Limits::record_size(theirs, ours.into());
            }
            ExtensionType::MaxFragmentLength => {
                let length = extension::max_fragment_length(e)?;
                if Some(length) != config.max_fragment_length {
                    return Err(Error::from(PeerError::BadMaxFragmentLength).seen(length));
                }
                self.limits = Limits::fragment(length);
            }
            // status_request and the SCTs stand in the Certificate: 4.4.2.1.
            _ => return Err(PeerError::ExtensionNotAllowed.into()),
        }
        Ok(())
    }
}

fn facts(
    group: Option<NamedGroup>,
    settled: &Settled,
    suite: &Suite13,
    early_data: EarlyData,
    hello_retried: bool,
) -> Facts {
    Facts {
        group,
        alpn: settled.alpn.clone(),
        early_data,
        hello_retried,
        record_size_limit: settled.limits.of_peer(),
        ..Facts::new(ProtocolVersion::Tls13, suite.code)
    }
}

/// CertificateRequest: RFC 9846 4.3.2.
async fn recv_request(link: &mut Link, types: Types) -> Result<Option<CertificateRequestFacts>> {
    let Some(request) = link.recv_optional::<CertificateRequest13>().await? else { return Ok(None) };
    let view = request.view();
    let facts = credential::read_request(&view, &[]).map_err(|e| e.in_message("CertificateRequest"))?;
    Ok(Some(CertificateRequestFacts { certificate_type: Some(types.client), ..facts }))
}

/// Certificate and CertificateVerify of the server: RFC 9846 4.4.2, 4.4.3.
async fn recv_server_proof(
    link: &mut Link,
    config: &ClientConfig,
    name: &ServerName<'_>,
    offered: &Offered,
    facts: &mut Facts,
) -> Result<()> {
    let asked = |e: &crate::wire::Extension<'_>| {
        matches!(e.typ, ExtensionType::StatusRequest | ExtensionType::SignedCertificateTimestamp)
            && offered.asked_for(config, e)
    };
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
