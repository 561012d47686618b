//! Server side of TLS 1.3. The figure stands in `client13.rs`.                                      RFC 9846 2

use super::admit::{self, Admitted13, Key13};
use super::client_auth13::{recv_client_proof, send_request};
use super::credential::Asks;
use super::ech13::Ech;
use super::extension::{Hello13, RecordLimits, Said12, Said13, ServerResponse, TABLE};
use super::hello::{ClientOffer, send_server_hello};
use super::link::Link;
use super::proof::signed13;
use super::tickets13::{client_finished_foreseen, send_tickets, takes_tickets, tell_of_no_tickets};
use super::{compression, credential, derived, key_exchange, negotiate, recv_finished13, retry13, send_finished13};
use crate::code::{CertificateType, ExtensionType, HandshakeType, ProtocolVersion, SignatureScheme};
use crate::config::{ClientAuth, Identity, ServerConfig, key_of};
use crate::crypto::Digest;
use crate::error::{Error, Outside, PeerError, Result};
use crate::established::Established;
use crate::facts::{EarlyData, EarlyDataRefusal, Facts, PeerIdentity, Resumption};
use crate::keys::kept13::Also;
use crate::keys::maker::Way;
use crate::keys::schedule12::Side;
use crate::keys::schedule13::{AtEarly, AtMain, BinderKind, Traffic, Vault13, same_mac};
use crate::suite::Suite13;
use crate::wire::message::{Checked, ClientHello, EndOfEarlyData, SignedView};
use std::sync::Arc;

/// What is settled between both sides, as far as the conversation has come.
struct Talk13<'a> {
    config: &'a ServerConfig,
    /// What the client says in its last hello.
    offer: ClientOffer<'a>,
    suite: &'static Suite13,
    /// What became of what the client hides. The last hello is that one, if it was opened.
    ech: Ech,
    /// The pre-shared key that is taken, its binder checked.
    admitted: Option<Admitted13<'a>>,
    facts: Facts,
}

pub(super) async fn server(
    link: &mut Link,
    config: &ServerConfig,
    heard: (&Checked<ClientHello>, Ech),
    offer: ClientOffer<'_>,
) -> Result<Established> {
    // 4.1.1, 4.1.4, 4.2
    let mut second = None;
    let mut talk = agree(link, config, heard, offer, &mut second).await?;
    // 4.2.10, 4.2.11
    let (mut vault, at) = resume_or_not(link, &mut talk).await?;
    // 4.1.3, 4.3, 4.4
    let (at, said) = server_flight(link, &mut talk, &mut vault, at).await?;
    // 4.4, 4.5, 4.6.1
    client_flight(link, &mut talk, &mut vault, at, said).await?;

    let Talk13 { offer, suite, facts, .. } = talk;
    let also: &[Also] = if facts.early_data == EarlyData::Accepted { &[Also::EarlyExporter] } else { &[] };
    let kept = vault.keep(Side::Server, suite, also);
    if offer.post_handshake_auth && config.post_handshake_auth.is_some() {
        link.may_be_asked_later();
    }
    Ok(Established::tls13(facts, kept, None))
}

/// What both sides have, asking for another hello at most once: RFC 9846 4.1.1, 4.1.4, 4.2.
async fn agree<'a>(
    link: &mut Link,
    config: &'a ServerConfig,
    (hello, ech): (&Checked<ClientHello>, Ech),
    offer: ClientOffer<'a>,
    second: &'a mut Option<Checked<ClientHello>>,
) -> Result<Talk13<'a>> {
    let in_hello = |e: Error| e.in_message("ClientHello");
    check_hello(config, &offer).map_err(in_hello)?;
    let suite = negotiate::suite13(&config.policy, &offer)?;
    link.chose("cipher suite", suite.code.0, suite.code.name());
    let facts = Facts {
        alpn: negotiate::protocol(config, &offer)?.map(<[u8]>::to_vec),
        server_name: offer.name(),
        authenticated_until: config.authentication_end(),
        // As long as nothing has shown that it may be read.
        early_data: if offer.early_data { EarlyData::Rejected } else { EarlyData::NotOffered },
        encrypted_client_hello: ech.facts(),
        ..Facts::new(ProtocolVersion::Tls13, suite.code)
    };
    link.protocol(facts.alpn.as_deref())?;
    let mut talk = Talk13 { config, offer, suite, ech, admitted: None, facts };
    if talk.offer.groups.is_none() {
        return Ok(talk);
    }
    let group = negotiate::group13(&config.policy, &talk.offer)?;
    talk.facts.group = Some(group);
    if talk.offer.share(group).is_none() {
        let fitting = retry13::ask(link, config, suite, group, (&talk.offer, &talk.ech)).await?;
        let again = link.recv::<ClientHello>().await?;
        let second = second.insert(talk.ech.second(link, again).map_err(in_hello)?);
        let again = retry13::read_second(config, (&hello.view(), &second.view()), group, fitting).map_err(in_hello)?;
        talk.offer = ClientOffer { message: talk.offer.message, ..again };
        talk.facts.hello_retried = true;
    }
    Ok(talk)
}

/// A key that both have, its binder checked before anything else comes of it, and data that came under it: RFC 9846 4.2.10,
/// 4.2.11. The schedule begins with the key.
async fn resume_or_not(link: &mut Link, talk: &mut Talk13<'_>) -> Result<(Box<Vault13>, AtEarly)> {
    let Talk13 { config, suite, .. } = *talk;
    // 4.2.11
    let in_hello = |e: Error| e.in_message("ClientHello");
    let hash = config.provider.hash(suite.hash)?;
    let found = admit::server13(link, config, &talk.offer, suite).await.map_err(in_hello)?;
    let (admitted, mut vault, at) = prove_binder(link, talk, hash, found).await.map_err(in_hello)?;
    if let Some(admitted) = &admitted {
        add_facts(talk, admitted);
    }
    talk.admitted = admitted;
    link.transcript.start(hash);
    link.transcript.forget_bytes();

    // 4.2.10
    if talk.facts.early_data != EarlyData::NotOffered {
        let Facts { alpn, hello_retried, .. } = &talk.facts;
        let refusal = admit::early_data_refusal(config, talk.admitted.as_ref(), suite, alpn.as_deref(), *hello_retried);
        talk.facts.early_data_refusal = match refusal {
            None => take_early_data(link, talk, &mut vault, &at).await?,
            refusal => refusal,
        };
        if talk.facts.early_data_refusal.is_none() {
            talk.facts.early_data = EarlyData::Accepted;
        }
    }
    Ok((vault, at))
}

/// What the server has said of itself and asked of the client.
struct Said<'a> {
    /// What its certificate is, or was.
    shown: CertificateType,
    /// Whose word counts for the client's certificate, and the kind of that, if it was asked for.
    asked: Option<(&'a ClientAuth, CertificateType)>,
    limits: RecordLimits,
}

/// ServerHello to Finished: RFC 9846 4.1.3, 4.3, 4.4.
async fn server_flight<'a>(
    link: &mut Link,
    talk: &mut Talk13<'a>,
    vault: &mut Vault13,
    at: AtEarly,
) -> Result<(AtMain, Said<'a>)> {
    let Talk13 { config, suite, .. } = *talk;
    let Facts { early_data, hello_retried, .. } = talk.facts;
    // What the client is shown and asked is settled before anything is said.
    let identity = match &talk.admitted {
        Some(_) => None,
        None => Some(choose_identity(link, talk).await?),
    };
    let asks = config.client_auth.as_ref().filter(|_| talk.admitted.is_none());
    let asked = asks.map(|auth| talk.offer.client_type(config).map(|kind| (auth, kind))).transpose()?;
    let shown = match (&identity, &talk.admitted) {
        (Some(identity), _) => identity.kind,
        (None, Some(Admitted13 { key: Key13::Session(session), .. })) => session.server_type,
        (None, _) => CertificateType::X509,
    };

    // 4.1.3
    send_hello(link, talk, vault)?;
    if !talk.offer.session_id.is_empty() && !hello_retried {
        link.send_compatibility_ccs();
    }
    let at = vault.handshake(at, talk.facts.group.is_some(), link.transcript.hash().as_ref());
    derived::handshake(link, config.key_log.as_ref(), &talk.offer.random, vault);
    link.install13(Way::Write, vault, suite, Traffic::Handshake(Side::Server))?;
    if early_data != EarlyData::Accepted || !link.wiring.end_of_early_data {
        link.install13(Way::Read, vault, suite, Traffic::Handshake(Side::Client))?;
        if early_data == EarlyData::Rejected && !hello_retried {
            link.skip_early_data(config.max_early_data);
        }
    }

    // 4.3.1, 4.3.2, 4.4.2, 4.4.3
    let limits = send_encrypted_extensions(link, talk, shown, asked.map(|(_, kind)| kind))?;
    talk.facts.record_size_limit = limits.of_peer();
    // RFC 8449 4: what came early was made before the client knew of our limit.
    link.limits(RecordLimits { receive: limits.receive.filter(|_| early_data != EarlyData::Accepted), ..limits });
    if let Some(identity) = &identity {
        if let Some((auth, _)) = asked {
            send_request(link, config, auth)?;
        }
        talk.facts.signature_scheme = Some(send_proof(link, talk, identity).await?);
    }

    // 4.4.4: from here on the server may send data
    send_finished13(link, vault, Side::Server)?;
    let at = vault.main(at, link.transcript.hash().as_ref());
    derived::application(link, config.key_log.as_ref(), &talk.offer.random, vault);
    link.install13(Way::Write, vault, suite, Traffic::Application(Side::Server))?;
    Ok((at, Said { shown, asked, limits }))
}

/// EndOfEarlyData to Finished, and the tickets: RFC 9846 4.4, 4.5, 4.6.1.
async fn client_flight(
    link: &mut Link,
    talk: &mut Talk13<'_>,
    vault: &mut Vault13,
    at: AtMain,
    said: Said<'_>,
) -> Result<()> {
    let Talk13 { config, suite, .. } = *talk;
    let early_data = talk.facts.early_data;
    // 4.6.1, 4.5: whoever sends early data has no certificate to show, so what it will say is known, and tickets that
    // hang on it may go ahead
    let takes_tickets = takes_tickets(config, &talk.offer);
    tell_of_no_tickets(link, config, takes_tickets);
    if early_data == EarlyData::Accepted || link.wiring.keeps_half_way {
        link.half_way(vault.keep(Side::Server, suite, &[]));
    }
    if early_data == EarlyData::Accepted {
        if takes_tickets {
            let foreseen = client_finished_foreseen(link, vault)?;
            vault.resumption(&at, foreseen.as_ref());
            derived::resumption(link, vault);
            send_tickets(link, config, vault, &talk.facts, said.shown).await?;
        }
        if link.wiring.end_of_early_data {
            link.recv::<EndOfEarlyData>().await?;
            link.install13(Way::Read, vault, suite, Traffic::Handshake(Side::Client))?;
        }
        link.limits(said.limits);
    }

    // 4.4.2, 4.4.3, 4.4.4
    if let Some((auth, kind)) = said.asked {
        talk.facts.peer_type = kind;
        recv_client_proof(link, config, auth, &[], &mut talk.facts).await?;
    }
    recv_finished13(link, vault, Side::Client).await?;
    link.install13(Way::Read, vault, suite, Traffic::Application(Side::Client))?;

    // 4.6.1
    vault.resumption(&at, link.transcript.hash().as_ref());
    if early_data != EarlyData::Accepted || !takes_tickets {
        derived::resumption(link, vault);
    }
    if takes_tickets && early_data != EarlyData::Accepted {
        send_tickets(link, config, vault, &talk.facts, said.shown).await?;
    }
    Ok(())
}

/// What every ClientHello of TLS 1.3 must be: RFC 9846 4.1.2, 9.2.
pub(super) fn check_hello(config: &ServerConfig, offer: &ClientOffer<'_>) -> Result<()> {
    if !offer.null_compression_only {
        return Err(Error::from(PeerError::BadCompression).wanted("the null method alone"));
    }
    TABLE.check_offers(config, offer, ProtocolVersion::Tls13)
}

/// A verdict that the peer is told. A function of its own in the compiled code too, so that the one decision that hangs on a
/// secret here is known by its name (`timing secrets`).
#[inline(never)]
fn check_binder(ours: &Digest, theirs: &[u8]) -> Result<()> {
    if same_mac(ours, theirs) { Ok(()) } else { Err(PeerError::BadBinder.into()) }
}

/// The binder proves that the client holds the key, and ties it to this hello: RFC 9846 4.2.11.2. A session whose client the
/// verifier would not take today is none: a full handshake follows.
async fn prove_binder<'a>(
    link: &Link,
    talk: &Talk13<'_>,
    hash: &'static dyn crate::crypto::Hash,
    found: Option<Admitted13<'a>>,
) -> Result<(Option<Admitted13<'a>>, Box<Vault13>, AtEarly)> {
    let none = || Vault13::early(hash, None);
    let Some(admitted) = found else {
        let (vault, at) = none();
        return Ok((None, vault, at));
    };
    let (secret, kind) = match &admitted.key {
        Key13::Session(session) => (session.master.get(..hash.id().len()).ok_or(Outside::Bug)?, BinderKind::Resumption),
        Key13::External(key) => (&key.secret[..], key.kind),
    };
    let (vault, at) = Vault13::early(hash, Some((secret, kind)));
    let psks = talk.offer.psks.ok_or(Outside::Bug)?;
    let theirs = psks.binders().nth(admitted.index).ok_or(Outside::Bug)?;
    let covered = link.transcript.hash_without(hash, psks.binders_len);
    check_binder(&vault.binder(&at, covered.as_ref()), theirs)?;
    if let Key13::Session(session) = &admitted.key
        && !admit::accepted_again(link, talk.config, session).await
    {
        let (vault, at) = none();
        return Ok((None, vault, at));
    }
    link.resumed(if kind == BinderKind::Resumption { "ticket" } else { "external PSK" });
    derived::psk(link, &vault);
    Ok((Some(admitted), vault, at))
}

/// Takes early data if it is fresh and new: the keys that open it are installed. Gives the reason if it is not.
async fn take_early_data(
    link: &Link,
    talk: &Talk13<'_>,
    vault: &mut Vault13,
    at: &AtEarly,
) -> Result<Option<EarlyDataRefusal>> {
    let Talk13 { config, offer, suite, admitted, .. } = talk;
    let first = offer.psks.and_then(|p| Some((p.identities().next()?.obfuscated_age, p.binders().next()?)));
    let (Some(Admitted13 { key: Key13::Session(session), .. }), Some((age, binder))) = (admitted, first) else {
        return Ok(Some(EarlyDataRefusal::NotResumed));
    };
    if let Err(refusal) = admit::early_data(link, config, session, age, binder).await {
        return Ok(Some(refusal));
    }
    vault.early_traffic(at, link.transcript.hash().as_ref());
    derived::early(link, config.key_log.as_ref(), &offer.random, vault);
    link.install13(Way::Read, vault, suite, Traffic::Early)?;
    link.take_early_data(session.max_early_data.min(config.max_early_data));
    Ok(None)
}

/// ServerHello: RFC 9846 4.1.3. The secret of the key exchange goes into the vault.
fn send_hello(link: &mut Link, talk: &Talk13<'_>, vault: &mut Vault13) -> Result<()> {
    let Talk13 { config, offer, suite, admitted, .. } = talk;
    let mut random = [0; 32];
    config.provider.random.fill(&mut random)?;
    let selected = admitted.as_ref().map(|a| u16::try_from(a.index)).transpose().map_err(|_| Outside::Bug)?;
    let share = match talk.facts.group {
        None => None,
        Some(group) => {
            link.chose("group", group.0, group.name());
            let theirs = offer.share(group).ok_or(Outside::Bug)?;
            let public = key_exchange::answer(config.provider, group, theirs, &mut vault.shared)
                .map_err(|e| e.in_extension(ExtensionType::KeyShare).in_message("ClientHello"))?;
            Some((group, public))
        }
    };
    let share = share.as_ref().map(|(group, public)| (*group, &public[..]));
    let hello = Hello13 { selected, share };
    talk.ech.mark(link, vault.hash, &mut random, (offer.session_id, suite.code), |w| TABLE.hello13(&hello, w))?;
    send_server_hello(link, &random, offer.session_id, suite.code, |w| TABLE.hello13(&hello, w))
}

/// EncryptedExtensions: RFC 9846 4.3.1. `client_type` is the kind of certificate that the client is asked for, if it is.
fn send_encrypted_extensions(
    link: &mut Link,
    talk: &Talk13<'_>,
    shown: CertificateType,
    client_type: Option<CertificateType>,
) -> Result<RecordLimits> {
    let Talk13 { config, offer, admitted, facts, .. } = talk;
    let answer = ServerResponse {
        config,
        offer,
        suite12: None,
        resumed: admitted.is_some(),
        alpn: facts.alpn.as_deref(),
        server_type: shown,
        client_type,
        said12: Said12::default(),
        said13: Said13 {
            group: facts.group,
            early_data: facts.early_data == EarlyData::Accepted,
            parameters: link.own_parameters(),
            ech: talk.ech.rejected(),
        },
    };
    link.send(HandshakeType::EncryptedExtensions, |w| w.vec16(|w| TABLE.answer(&answer, w)))?;
    Ok(answer.limits())
}

async fn choose_identity(link: &Link, talk: &Talk13<'_>) -> Result<Arc<Identity>> {
    let Talk13 { config, offer, .. } = talk;
    if config.keys_only {
        let fits = offer.psks.is_none() || takes_tickets(config, offer);
        let error = if fits { PeerError::UnknownPskIdentity } else { PeerError::NoCommonPskMode };
        return Err(Error::from(error).in_message("ClientHello"));
    }
    // 9.2, 4.2.3: what a hello with pre-shared keys may leave out is needed after all if none of them is taken.
    let missing = |error: PeerError, what| Err(Error::from(error).wanted(what).in_message("ClientHello"));
    if offer.shares.is_none() {
        return missing(PeerError::MissingKeyShare, "supported_groups and key_share, or a known pre-shared key");
    }
    if offer.schemes.is_empty() {
        return missing(PeerError::MissingExtension, "signature_algorithms, or a known pre-shared key");
    }
    let version = ProtocolVersion::Tls13;
    let identity = credential::choose(link, config, offer, version).await?;
    negotiate::certificate_type(offer, &identity)?;
    negotiate::scheme(&config.policy, &identity, offer.schemes(), version).map_err(|e| e.in_message("ClientHello"))?;
    Ok(identity)
}

/// Our Certificate and CertificateVerify: RFC 9846 4.4.2, 4.4.3.
async fn send_proof(link: &mut Link, talk: &Talk13<'_>, identity: &Identity) -> Result<SignatureScheme> {
    let Talk13 { config, offer, .. } = talk;
    let asks = Asks {
        context: &[],
        status: offer.status_request,
        timestamps: offer.timestamps,
        way: compression::choose(&config.compression, |algorithm| offer.compression.contains(algorithm.0)),
    };
    credential::send_chain13(link, Some(identity), &asks)?;
    let message = signed13(Side::Server, link.transcript.hash().as_ref());
    let version = ProtocolVersion::Tls13;
    let signer = (&config.policy, identity);
    let (scheme, signature) = credential::sign(link, signer, offer.schemes(), message.as_ref(), version).await?;
    link.send(HandshakeType::CertificateVerify, |w| SignedView { scheme, signature: &signature }.encode(w))?;
    Ok(scheme)
}

/// What the key that was taken settles.
fn add_facts(talk: &mut Talk13<'_>, admitted: &Admitted13<'_>) {
    let Talk13 { config, offer, facts, .. } = talk;
    facts.group = facts.group.filter(|_| admitted.dhe);
    match &admitted.key {
        Key13::Session(session) => {
            let named = offer.psks.and_then(|p| p.identities().nth(admitted.index));
            facts.ticket_age_skew = named.map(|psk| admit::ticket_age_skew(config, session, psk.obfuscated_age));
            facts.resumed = Some(Resumption::Ticket);
            facts.peer_type = session.client_type;
            facts.client_scheme = session.client_scheme;
            facts.client_authenticated = !session.client_chain.is_empty();
            facts.authenticated_until = session.authenticated_until;
            facts.psk_identity = session.psk.and_then(|mark| key_of(&mark, &config.psks)).map(|k| k.identity.clone());
            let chain = session.client_chain.clone();
            facts.peer = config.recent_peers.share(PeerIdentity { chain, ..PeerIdentity::default() });
        }
        Key13::External(key) => {
            facts.resumed = Some(Resumption::ExternalPsk);
            facts.psk_identity = Some(key.identity.clone());
        }
    }
}
