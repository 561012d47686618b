//! Finding out whether a chain is accepted: RFC 5280 6.1.

use super::accepted::Accepted;
use super::attempts::Attempts;
use super::budget::{Budget, MAX_PRESENTED, PLAIN};
use super::check;
use super::fault::{Fault, Outcome, Reason, Value};
use super::form::Role;
use super::names::Names;
use super::options::Options;
use super::rejection::{Finding, Origin, Rejection};
use super::search::{Given, Search, Work};
use super::status::Status;
use super::validate::{self, Inputs};
use crate::certificate::{Certificate, Unreadable, server_name};
use crate::name::general::{SubjectAltName, split_mailbox};
use crate::profile::Profile;
use crate::roots::Roots;
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

/// Finds a path from `chain[0]` to a root and checks it. The other certificates may come in any order, be too many, or
/// be wrong: one good path is enough.
///
/// # Errors
/// Every path tried, and what was wrong with it.
pub fn verify<'a>(chain: &[&'a [u8]], roots: &Roots, options: &Options<'_>) -> Result<Accepted<'a>, Box<Rejection>> {
    let mut parsed: SmallVec<[_; PLAIN]> = SmallVec::new();
    let mut strays = Vec::new();
    for (index, der) in chain.iter().take(MAX_PRESENTED).enumerate() {
        match Certificate::parse(der) {
            Ok(certificate) => parsed.push((index, certificate)),
            // Only the leaf must be readable: a stray certificate does not spoil a good chain.
            Err(_) if index == 0 => return Err(Rejection::single(unreadable(index, der))),
            Err(_) => strays.push((index, *der)),
        }
    }
    let Some((_, leaf)) = parsed.first() else {
        return Err(Rejection::single(unreadable(0, &[])));
    };
    let leaf = *leaf;
    let names = Names::new(&parsed);
    let beyond = chain.len() > MAX_PRESENTED;
    let passes: SmallVec<[(Options<'_>, Option<Profile>); 1]> = passes(&parsed, roots, options);
    let mut work = Work { budget: Budget::of(&parsed), attempts: Attempts::default() };
    let (mut misnamed, mut is_pinned) = (None, false);
    for (options, only) in &passes {
        let given = Given { roots, certificates: &parsed, names: &names, options, beyond, only: *only };
        let mut search = Search::new(given, Status::new(given), work);
        let pins = roots.pins(&leaf, options.usage, *only);
        is_pinned |= pins;
        let found = if pins { pinned(&mut search, &leaf, options) } else { climb(&mut search, &leaf, given) };
        if let Some((path, root)) = found {
            match named(&leaf, options) {
                Ok(()) => {
                    let path = path.iter().filter_map(|i| parsed.get(*i).map(|(index, _)| *index)).collect();
                    return Ok(Accepted::new(leaf, path, root, search.last.until, search.last.standings));
                }
                Err(fault) => {
                    misnamed = Some(Finding::new(&fault, Origin::Presented(0), leaf.subject_der()));
                }
            }
        }
        work = search.work;
    }
    if let Some(misnamed) = misnamed {
        return Err(Rejection::single(misnamed));
    }
    // Nothing that was sent along is missing from a path that there is not.
    let strays = strays.into_iter().filter(|_| !is_pinned).map(|(index, der)| unreadable(index, der));
    Err(work.attempts.rejection(strays))
}

/// How often to look, and how strictly: once, or where that is left to the roots, once for the roots of each profile that the
/// certificates name as an issuer.
fn passes<'a>(
    parsed: &[(usize, Certificate<'_>)],
    roots: &Roots,
    options: &Options<'a>,
) -> SmallVec<[(Options<'a>, Option<Profile>); 1]> {
    if options.profile.is_some() {
        return smallvec![(*options, None)];
    }
    let by = |profile| (options.profile(profile), Some(profile));
    let all: SmallVec<[Profile; Profile::ALL.len()]> = roots.profiles().collect();
    let named = |profile: &Profile| {
        let only = Some(*profile);
        let issued = |certificate: &Certificate<'_>| {
            roots.named(certificate.issuer_der()).any(|(_, anchor)| anchor.is_held_to(only))
        };
        parsed.iter().any(|(_, certificate)| issued(certificate))
            || parsed.first().is_some_and(|(_, leaf)| roots.pins(leaf, options.usage, only))
    };
    let mut passes: SmallVec<[_; 1]> = match &all[..] {
        [] => SmallVec::new(),
        [only] => smallvec![by(*only)],
        several => several.iter().copied().filter(named).map(by).collect(),
    };
    if passes.is_empty() {
        // There is no path: one look says why.
        passes.push(by(all.first().copied().unwrap_or_default()));
    }
    passes
}

/// The places of a path's certificates, and the name of its root.
type Path = (SmallVec<[usize; PLAIN]>, Arc<[u8]>);

/// A leaf that is itself trusted has no path; everything else is asked of it as of any other.
fn pinned<'s>(
    search: &mut Search<'s, Status<'s>>,
    leaf: &'s Certificate<'s>,
    options: &'s Options<'s>,
) -> Option<Path> {
    let inputs = Inputs { root: None, constraints: None, options };
    let work = &mut search.work;
    let checked = check::pinned(leaf, options)
        .and_then(|()| validate::path(&[leaf], &inputs, &mut work.budget.names).map_err(|(_, fault)| fault))
        .and_then(|()| search.last.pinned(leaf, work));
    match checked {
        Ok(()) => Some((smallvec![0], leaf.subject_der().into())),
        Err(fault) => {
            search.fail(&fault, 0, None);
            None
        }
    }
}

/// A path to a trusted root.
fn climb<'s>(search: &mut Search<'s, Status<'s>>, leaf: &Certificate<'s>, given: Given<'s>) -> Option<Path> {
    if let Err(fault) = check::alone(leaf, Role::Leaf(given.options.usage), given.options) {
        search.fail(&fault, 0, None);
        return None;
    }
    let found = search.climb(0)?;
    Some((found.path, given.roots.anchor(found.anchor)?.name.clone()))
}

/// Whether a leaf has the names that are asked for.
fn named<'a>(leaf: &Certificate<'a>, options: &Options<'a>) -> Outcome<'a> {
    if let Some(wanted) = options.name
        && !server_name::matches(leaf, wanted, options.common_name())
    {
        let found = Value::Names(leaf.der());
        return Err(Fault::new(Reason::NameMismatch, "RFC 9525 6", found, Value::Server(wanted)));
    }
    if let Some(wanted) = options.mailbox {
        let same = |found: &[u8]| {
            let (a, b) = (split_mailbox(found), split_mailbox(wanted.as_bytes()));
            a.zip(b).is_some_and(|((l1, h1), (l2, h2))| l1 == l2 && h1.eq_ignore_ascii_case(h2))
        };
        if !leaf.alt_names().any(|name| matches!(name, SubjectAltName::Email(found) if same(found))) {
            let wanted = Value::AltName("mailbox", SubjectAltName::Email(wanted.as_bytes()));
            return Err(Fault::new(Reason::NameMismatch, "RFC 8550 3", Value::Text("no such mailbox"), wanted));
        }
    }
    Ok(())
}

/// A certificate that cannot be read, and what of it can.
fn unreadable(index: usize, der: &[u8]) -> Finding {
    let what = Unreadable::of(der);
    let found = |what: &Unreadable| {
        let (field, offset) = (what.error.field(), what.error.offset());
        (format!("{} as {field}, at byte {offset}", what.error.found()), what.error.wanted().to_string())
    };
    let (found, wanted) = what.as_ref().map_or_else(|| ("nothing".into(), "a certificate".into()), found);
    let subject = what.and_then(|what| what.subject).unwrap_or_else(|| "unreadable".into());
    let (reason, origin) = (Reason::BadEncoding, Origin::Presented(index));
    Finding { reason, origin, subject, rule: "RFC 5280 4.1", found, wanted }
}
