//! Choosing, as pure functions over two lists.

use super::hello::{ClientOffer, suite_names};
use crate::config::suite::{Kx, Suite, Suite13};
use crate::config::{ClientHelloFacts, Identity, Policy, ServerConfig};
use crate::error::{Error, PeerError, Result};
use crate::wire::code::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

/// What a resolver is told of the client.
pub(crate) fn hello_facts(config: &ServerConfig, offer: &ClientOffer, version: ProtocolVersion) -> ClientHelloFacts {
    let policy = &config.policy;
    // RFC 8422 5.1: without a curve in common there is no ECDHE.
    let curve = group(policy, offer, Kx::Ecdhe).is_some();
    let usable = |s: CipherSuite| curve || Suite::find(s).is_none_or(|s| s.kx != Kx::Ecdhe);
    ClientHelloFacts {
        version,
        server_name: offer.server_name.clone(),
        suites: policy.common_suites(&offer.suites).into_iter().filter(|s| usable(*s)).collect(),
        schemes: offer.schemes.iter().copied().filter(|s| s.is_known()).collect(),
        groups: offer.groups.clone().unwrap_or_default(),
        alpn: offer.alpn.clone(),
        certificate_types: offer.takes_types().to_vec(),
        authorities: offer.authorities.clone(),
    }
}

/// The suite of a full handshake, and the group where it has one: RFC 5246 7.4.1.3, RFC 8422 5.1, RFC 7919 4.
pub(crate) fn suite(
    policy: &Policy,
    offer: &ClientOffer,
    facts: &ClientHelloFacts,
    identity: &Identity,
) -> Result<(&'static Suite, Option<NamedGroup>)> {
    let mut no_group = false;
    for suite in facts.suites.iter().filter_map(|code| Suite::find(*code)) {
        if !identity.serves(suite, facts) {
            continue;
        }
        match suite.kx {
            Kx::Rsa => return Ok((suite, None)),
            Kx::Ecdhe | Kx::Dhe => match group(policy, offer, suite.kx) {
                Some(group) => return Ok((suite, Some(group))),
                None => no_group = true,
            },
        }
    }
    let some_suite = facts.suites.iter().filter_map(|code| Suite::find(*code)).any(|s| Some(s.auth) == identity.auth);
    let unsuited = identity.curve.filter(|_| some_suite && !no_group && !identity.curve_suits(&facts.groups));
    if let Some(curve) = unsuited {
        let seen = facts.groups.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let error = Error::from(PeerError::NoCommonKeyCurve).seen(seen).in_message("ClientHello");
        return Err(error.wanted(format_args!("{curve}, the curve of the server's key")));
    }
    Err(refused(policy, offer, facts, no_group))
}

fn group(policy: &Policy, offer: &ClientOffer, kx: Kx) -> Option<NamedGroup> {
    let wants_ffdhe = kx == Kx::Dhe;
    let mut ours = policy.groups.iter().copied().filter(|g| g.is_ffdhe() == wants_ffdhe && !g.is_post_quantum());
    match &offer.groups {
        // RFC 7919 4: a client that names no ffdhe group may still be served one. A client that names no curve may
        // know none of ours, so it gets no ECDHE.
        Some(theirs) if !wants_ffdhe || theirs.iter().any(|g| g.is_ffdhe()) => ours.find(|g| theirs.contains(g)),
        _ if wants_ffdhe => ours.next(),
        _ => None,
    }
}

fn refused(policy: &Policy, offer: &ClientOffer, facts: &ClientHelloFacts, no_group: bool) -> Error {
    if no_group {
        let seen = offer.groups.iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let ours = policy.groups.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Error::from(PeerError::NoCommonGroup).seen(seen).wanted(ours).in_message("ClientHello");
    }
    let tls12 = |s: &CipherSuite| Suite::find(*s).is_some();
    if !facts.suites.iter().any(tls12) {
        let error = Error::from(PeerError::NoCommonSuite).seen(suite_names(&offer.suites)).in_message("ClientHello");
        return match Policy::that_would_agree(|s| offer.suites.contains(&s)) {
            Some(name) => error.hint(format_args!("Policy::{name}() has a suite in common with this client")),
            None => error.hint("no policy of Clasp speaks any of these"),
        };
    }
    Error::from(PeerError::NoCommonScheme)
        .seen(format_args!("suites {} and schemes {}", suite_names(&facts.suites), names(&facts.schemes)))
        .wanted("a suite and a scheme that fit the server's certificate")
        .in_message("ClientHello")
}

fn names(schemes: &[SignatureScheme]) -> String {
    schemes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The application protocol: RFC 7301 3.2, by the server's preference.
pub(crate) fn protocol<'a>(config: &'a ServerConfig, offer: &ClientOffer) -> Result<Option<&'a [u8]>> {
    if config.alpn.is_empty() || offer.alpn.is_empty() {
        return Ok(None);
    }
    let text =
        |list: &[Vec<u8>]| list.iter().map(|p| String::from_utf8_lossy(p).into_owned()).collect::<Vec<_>>().join(", ");
    match config.alpn.iter().find(|p| offer.alpn.contains(p)) {
        Some(protocol) => Ok(Some(protocol)),
        None => Err(Error::from(PeerError::NoCommonProtocol).seen(text(&offer.alpn)).wanted(text(&config.alpn))),
    }
}

/// RFC 7507 3: a client that fell back although both sides can do better met an attacker.
pub(crate) fn fallback(policy: &Policy, offer: &ClientOffer, version: ProtocolVersion) -> Result<()> {
    if offer.suites.contains(&CipherSuite::TLS_FALLBACK_SCSV) && policy.best() > Some(version) {
        return Err(PeerError::InappropriateFallback.into());
    }
    Ok(())
}

/// The scheme to sign with: the signer's preference among what the peer takes and the version has. Our policy is about
/// what peers sign with.
pub(crate) fn scheme(
    identity: &Identity,
    theirs: &[SignatureScheme],
    version: ProtocolVersion,
) -> Result<SignatureScheme> {
    let ours = identity.signer.schemes().iter().copied();
    ours.filter(|s| scheme_fits(*s, version)).find(|s| theirs.contains(s)).ok_or_else(|| {
        Error::from(PeerError::NoCommonScheme).seen(names(theirs)).wanted(names(identity.signer.schemes()))
    })
}

/// Whether a handshake of this version may be signed with it.
pub(crate) fn scheme_fits(scheme: SignatureScheme, version: ProtocolVersion) -> bool {
    if version == ProtocolVersion::Tls13 { scheme.is_for_tls13() } else { scheme.is_for_tls12() }
}

/// The suite of TLS 1.3: RFC 9846 4.1.1.
pub(crate) fn suite13(policy: &Policy, offer: &ClientOffer) -> Result<&'static Suite13> {
    let common = policy.common_suites(&offer.suites);
    common.into_iter().filter(|_| policy.speaks(ProtocolVersion::Tls13)).find_map(Suite13::find).ok_or_else(|| {
        let ours = policy.suites13().map(|s| s.code.to_string()).collect::<Vec<_>>().join(", ");
        Error::from(PeerError::NoCommonSuite).seen(suite_names(&offer.suites)).wanted(ours).in_message("ClientHello")
    })
}

/// The group of TLS 1.3: RFC 9846 4.2.7. Groups that stand up to a quantum computer come first; among equals one that
/// the client sent a share for, which saves a round trip.
pub(crate) fn group13(policy: &Policy, offer: &ClientOffer) -> Result<NamedGroup> {
    let theirs = offer.groups.as_deref().unwrap_or_default();
    let shared = |g: &NamedGroup| offer.shares.iter().flatten().any(|(s, _)| s == g);
    let common = policy.groups.iter().copied().filter(|g| theirs.contains(g));
    let pick = |post_quantum: bool| {
        let mut class = common.clone().filter(move |g| g.is_post_quantum() == post_quantum);
        class.clone().find(shared).or_else(|| class.next())
    };
    pick(true).or_else(|| pick(false)).ok_or_else(|| {
        let text = |list: &[NamedGroup]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Error::from(PeerError::NoCommonGroup).seen(text(theirs)).wanted(text(&policy.groups)).in_message("ClientHello")
    })
}

/// The identity must be of a kind that the client takes: RFC 7250 4.2.
pub(crate) fn certificate_type(offer: &ClientOffer, identity: &Identity) -> Result<()> {
    if offer.takes_types().contains(&identity.kind) {
        return Ok(());
    }
    Err(Error::from(PeerError::BadCertificateType).seen(identity.kind).in_message("ClientHello"))
}
