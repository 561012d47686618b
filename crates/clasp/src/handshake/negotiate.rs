//! Choosing, as pure functions over two lists. A client's lists are as long as it likes, and say the same as often as it
//! likes: each is gone through a fixed number of times, never once for each entry of another.

use super::hello::ClientOffer;
use crate::code::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::config::{ClientHelloFacts, Identity, Policy, ServerConfig};
use crate::error::{Error, PeerError, Result};
use crate::hello::ClientHello;
use crate::suite::{Kx, Suite, Suite13};
use crate::wire::extension::{names, suite_names};
use core::cell::OnceCell;

/// What a resolver is told of the client.
pub(crate) fn hello_facts(
    config: &ServerConfig,
    offer: &ClientOffer<'_>,
    version: ProtocolVersion,
) -> ClientHelloFacts {
    ClientHelloFacts {
        hello: ClientHello::of_read(offer.message),
        version,
        server_name: offer.name(),
        suites: usable_suites(&config.policy, offer).collect(),
        schemes: each_once(known_schemes(offer)),
        groups: offer.groups().collect(),
        alpn: protocols(offer),
        certificate_types: offer.takes_types().collect(),
        authorities: offer.authorities.map_or_else(Vec::new, |names| names.iter().map(<[u8]>::to_vec).collect()),
    }
}

/// The application protocols that a client speaks.
pub(crate) fn protocols(offer: &ClientOffer<'_>) -> Vec<Vec<u8>> {
    offer.alpn.map_or_else(Vec::new, |names| names.iter().map(<[u8]>::to_vec).collect())
}

/// The suites in common, best first. RFC 8422 5.1: without a curve in common there is no ECDHE.
fn usable_suites<'a>(policy: &'a Policy, offer: &ClientOffer<'a>) -> impl Iterator<Item = CipherSuite> + 'a {
    let curve = group(policy, offer, Kx::Ecdhe).is_some();
    let usable = move |s: &CipherSuite| curve || Suite::find(*s).is_none_or(|s| s.kx != Kx::Ecdhe);
    policy.common_suites(offer.suites).filter(usable)
}

fn known_schemes<'a>(offer: &ClientOffer<'a>) -> impl Iterator<Item = SignatureScheme> + Clone + 'a {
    offer.schemes().filter(|s| s.is_known())
}

/// The list is short in the end, as there are few that are known.
fn each_once(schemes: impl Iterator<Item = SignatureScheme>) -> Vec<SignatureScheme> {
    schemes.fold(Vec::new(), |mut known, scheme| {
        if !known.contains(&scheme) {
            known.push(scheme);
        }
        known
    })
}

/// The suite of a full handshake, and the group where it has one: RFC 5246 7.4.1.3, RFC 8422 5.1, RFC 7919 4.
pub(crate) fn suite(
    policy: &Policy,
    offer: &ClientOffer<'_>,
    identity: &Identity,
) -> Result<(&'static Suite, Option<NamedGroup>)> {
    let suites = || usable_suites(policy, offer).filter_map(Suite::find);
    let signs = identity.signs12(known_schemes(offer), offer.groups());
    let (ecdhe, dhe) = (OnceCell::new(), OnceCell::new());
    let group = |kx| {
        let known = if kx == Kx::Dhe { &dhe } else { &ecdhe };
        *known.get_or_init(|| group(policy, offer, kx))
    };
    let mut no_group = false;
    for suite in suites().filter(|suite| identity.serves(suite, signs)) {
        match suite.kx {
            Kx::Rsa => return Ok((suite, None)),
            Kx::Ecdhe | Kx::Dhe => match group(suite.kx) {
                Some(group) => return Ok((suite, Some(group))),
                None => no_group = true,
            },
        }
    }
    let some_suite = suites().any(|s| Some(s.auth) == identity.auth);
    let unsuited = identity.curve.filter(|_| some_suite && !no_group && !identity.curve_suits(offer.groups()));
    if let Some(curve) = unsuited {
        let seen = names(offer.groups());
        let error = Error::from(PeerError::NoCommonKeyCurve).seen(seen).in_message("ClientHello");
        return Err(error.wanted(format_args!("{curve}, the curve of the server's key")));
    }
    Err(refused(policy, offer, no_group))
}

fn group(policy: &Policy, offer: &ClientOffer<'_>, kx: Kx) -> Option<NamedGroup> {
    let wants_ffdhe = kx == Kx::Dhe;
    let mut ours = policy.groups.iter().copied().filter(|g| g.is_ffdhe() == wants_ffdhe && !g.is_post_quantum());
    match offer.groups {
        // RFC 7919 4: a client that names no ffdhe group may still be served one. A client that names no curve may
        // know none of ours, so it gets no ECDHE.
        Some(theirs) if !wants_ffdhe || offer.groups().any(|g| g.is_ffdhe()) => ours.find(|g| theirs.contains(g.0)),
        _ if wants_ffdhe => ours.next(),
        _ => None,
    }
}

fn refused(policy: &Policy, offer: &ClientOffer<'_>, no_group: bool) -> Error {
    if no_group {
        let (seen, ours) = (names(offer.groups()), names(policy.groups.iter()));
        return Error::from(PeerError::NoCommonDhGroup).seen(seen).wanted(ours).in_message("ClientHello");
    }
    let tls12 = |s: CipherSuite| Suite::find(s).is_some();
    if !usable_suites(policy, offer).any(tls12) {
        let error = Error::from(PeerError::NoCommonSuite).in_message("ClientHello");
        if policy.common_suites(offer.suites).any(tls12) {
            // RFC 8422 5.1: the suites are there, and none of them without a curve.
            return error
                .seen(format_args!("ECDHE suites in common and the groups {}", names(offer.groups())))
                .wanted(format_args!("a group of {}", names(policy.groups.iter().filter(|g| !g.is_post_quantum()))))
                .hint("add a curve that the client names with Policy::with_groups");
        }
        let error = error
            .seen(suite_names(offer.suites))
            .wanted(format_args!("one of {}", names(policy.suites12().map(|s| s.code))));
        return match policy.that_would_agree(offer.suites) {
            Some(name) => error.hint(format_args!("Policy::{name}() has a suite in common with this client")),
            None => error.hint("no policy of Clasp speaks any of these"),
        };
    }
    let suites: Vec<CipherSuite> = usable_suites(policy, offer).collect();
    Error::from(PeerError::NoCommonScheme)
        .seen(format_args!("suites {} and schemes {}", names(suites.into_iter()), names(known_schemes(offer))))
        .wanted("a suite and a scheme that fit the server's certificate")
        .in_message("ClientHello")
}

/// The application protocol: RFC 7301 3.2, by the server's preference.
pub(crate) fn protocol<'a>(config: &'a ServerConfig, offer: &ClientOffer<'_>) -> Result<Option<&'a [u8]>> {
    let Some(theirs) = offer.alpn.filter(|_| !config.alpn.is_empty()) else { return Ok(None) };
    match config.alpn.iter().find(|ours| theirs.iter().any(|p| p == **ours)) {
        Some(protocol) => Ok(Some(protocol)),
        None => Err(Error::from(PeerError::NoCommonProtocol)
            .seen(names(theirs.iter().map(String::from_utf8_lossy)))
            .wanted(names(config.alpn.iter().map(|p| String::from_utf8_lossy(p))))),
    }
}

/// RFC 7507 3: a client that fell back although both sides can do better met an attacker.
pub(crate) fn fallback(policy: &Policy, offer: &ClientOffer<'_>, version: ProtocolVersion) -> Result<()> {
    if offer.suites.contains(CipherSuite::TLS_FALLBACK_SCSV.0) && policy.best() > Some(version) {
        return Err(PeerError::InappropriateFallback.into());
    }
    Ok(())
}

/// The scheme to sign with, among what the peer takes and the version has: the policy's order decides, unless the signer
/// has one of its own. What stands in no policy comes last: a policy is about what peers may sign with.
pub(crate) fn scheme(
    policy: &Policy,
    identity: &Identity,
    theirs: impl Iterator<Item = SignatureScheme> + Clone,
    version: ProtocolVersion,
) -> Result<SignatureScheme> {
    let ours = identity.schemes(version);
    let mut fitting = ours.clone().filter(|ours| theirs.clone().any(|s| s == *ours));
    // The hash of a curve's own strength goes before the policy's order.
    let place = |s: &SignatureScheme| {
        (!identity.has_curve_of(*s), policy.schemes.iter().position(|p| p == s).unwrap_or(usize::MAX))
    };
    let chosen = if identity.signer.prefers() { fitting.next() } else { fitting.min_by_key(place) };
    chosen.ok_or_else(|| Error::from(PeerError::NoCommonScheme).seen(names(theirs)).wanted(names(ours)))
}

/// The suite of TLS 1.3: RFC 9846 4.1.1.
pub(crate) fn suite13(policy: &Policy, offer: &ClientOffer<'_>) -> Result<&'static Suite13> {
    let mut common = policy.common_suites(offer.suites).filter(|_| policy.speaks(ProtocolVersion::Tls13));
    common.find_map(Suite13::find).ok_or_else(|| {
        let ours = names(policy.suites13().map(|s| s.code));
        Error::from(PeerError::NoCommonSuite).seen(suite_names(offer.suites)).wanted(ours).in_message("ClientHello")
    })
}

/// The group of TLS 1.3: RFC 9846 4.2.7. Groups that stand up to a quantum computer come first; among equals one that
/// the client sent a share for, which saves a round trip.
pub(crate) fn group13(policy: &Policy, offer: &ClientOffer<'_>) -> Result<NamedGroup> {
    let theirs = offer.groups.unwrap_or_default();
    let shared = |g: &NamedGroup| offer.share(*g).is_some();
    let common = policy.groups.iter().copied().filter(|g| theirs.contains(g.0));
    let pick = |post_quantum: bool| {
        let mut class = common.clone().filter(move |g| g.is_post_quantum() == post_quantum);
        class.clone().find(shared).or_else(|| class.next())
    };
    pick(true).or_else(|| pick(false)).ok_or_else(|| {
        let (seen, wanted) = (names(offer.groups()), names(policy.groups.iter()));
        Error::from(PeerError::NoCommonGroup).seen(seen).wanted(wanted).in_message("ClientHello")
    })
}

/// The identity must be of a kind that the client takes: RFC 7250 4.2.
pub(crate) fn certificate_type(offer: &ClientOffer<'_>, identity: &Identity) -> Result<()> {
    if offer.takes_types().any(|kind| kind == identity.kind) {
        return Ok(());
    }
    Err(Error::from(PeerError::BadCertificateType).seen(identity.kind).in_message("ClientHello"))
}
