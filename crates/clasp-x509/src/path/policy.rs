//! Certificate policies: RFC 5280 6.1, computed as the graph of RFC 9618 so that crafted mappings cost no more than their
//! length.

use super::budget::PLAIN;
use super::fault::{Fault, Outcome, Reason, Value};
use crate::certificate::extensions::{Extensions, KnownExtension};
use crate::certificate::{Certificate, Quirks};
use crate::der::{self, Der};
use crate::oid;
use smallvec::{SmallVec, smallvec};

/// What an application asks of policies: RFC 5280 6.1.1 (c), (e), (f), (g).
#[derive(Clone, Copy, Debug, Default)]
pub struct PolicyInputs<'a> {
    /// The policies that will do, each the content of an OID; none means any.
    pub acceptable: &'a [&'a [u8]],
    /// A path must have a policy.
    pub require_explicit: bool,
    /// Policies may not be mapped to others.
    pub inhibit_mapping: bool,
    /// anyPolicy does not count.
    pub inhibit_any: bool,
}

/// Policies, and mappings, of one certificate.
const MAX_POLICIES: usize = 256;

#[derive(Debug)]
struct Node<'a> {
    policy: &'a [u8],
    /// The policies of the level above that it comes from; none if it comes from anyPolicy.
    parents: SmallVec<[&'a [u8]; 2]>,
    mapped: bool,
}

impl<'a> Node<'a> {
    fn new(policy: &'a [u8], parents: SmallVec<[&'a [u8]; 2]>) -> Self {
        Self { policy, parents, mapped: false }
    }
}

#[derive(Debug, Default)]
struct Level<'a> {
    nodes: SmallVec<[Node<'a>; 2]>,
    any: bool,
}

impl<'a> Level<'a> {
    fn is_empty(&self) -> bool {
        self.nodes.is_empty() && !self.any
    }

    fn find(&mut self, policy: &[u8]) -> Option<&mut Node<'a>> {
        self.nodes.iter_mut().find(|n| n.policy == policy)
    }
}

/// The state of policy processing along one path, from the anchor down.
#[derive(Debug)]
pub(crate) struct Policies<'a> {
    levels: SmallVec<[Level<'a>; PLAIN]>,
    next: Level<'a>,
    explicit: u32,
    mapping: u32,
    any: u32,
}

impl<'a> Policies<'a> {
    /// RFC 5280 6.1.2 (a), (d), (e), (f), for a path of `length` certificates.
    pub(crate) fn new(inputs: &PolicyInputs<'_>, length: u32) -> Self {
        let start = |now: bool| if now { 0 } else { length.saturating_add(1) };
        Self {
            levels: SmallVec::new(),
            next: Level { nodes: SmallVec::new(), any: true },
            explicit: start(inputs.require_explicit),
            mapping: start(inputs.inhibit_mapping),
            any: start(inputs.inhibit_any),
        }
    }

    /// RFC 5280 6.1.3 (d), (e), (f).
    pub(crate) fn certificate(&mut self, certificate: &Certificate<'a>, last: bool, self_issued: bool) -> Outcome<'a> {
        let extensions = &certificate.extensions;
        let critical = extensions.critical.has(KnownExtension::Policies);
        if critical && certificate.quirks.has(Quirks::UNKNOWN_QUALIFIER) {
            let found = "a policy qualifier that is not known, in a critical extension";
            return Err(Fault::plain(Reason::CriticalExtension, "RFC 5280 4.2.1.4", found, "CPS or user notice"));
        }
        let mut level = core::mem::take(&mut self.next);
        match extensions.policies {
            None => level = Level::default(),
            Some(list) => {
                let any_allowed = self.any > 0 || (!last && self_issued);
                process(&mut level, list, any_allowed)?;
            }
        }
        if self.explicit == 0 && level.is_empty() {
            return Err(no_policy());
        }
        self.levels.push(level);
        Ok(())
    }

    /// RFC 5280 6.1.4 (a), (b), (h), (i), (j).
    pub(crate) fn prepare(&mut self, extensions: &Extensions<'a>, self_issued: bool) -> Outcome<'a> {
        let Some(level) = self.levels.last_mut() else { return Ok(()) };
        self.next = map(level, extensions.policy_mappings, self.mapping > 0)?;
        if !self_issued {
            self.count_down();
        }
        self.narrow(extensions);
        Ok(())
    }

    /// What an anchor that is a certificate adds before the path begins: RFC 5937 4.
    pub(crate) fn anchor(&mut self, extensions: &Extensions<'a>) {
        self.narrow(extensions);
    }

    fn count_down(&mut self) {
        for counter in [&mut self.explicit, &mut self.mapping, &mut self.any] {
            *counter = counter.saturating_sub(1);
        }
    }

    fn narrow(&mut self, extensions: &Extensions<'a>) {
        if let Some(constraints) = extensions.policy_constraints {
            self.explicit = self.explicit.min(constraints.require_explicit.unwrap_or(u32::MAX));
            self.mapping = self.mapping.min(constraints.inhibit_mapping.unwrap_or(u32::MAX));
        }
        self.any = self.any.min(extensions.inhibit_any.unwrap_or(u32::MAX));
    }

    /// RFC 5280 6.1.5 (a), (b), (g).
    pub(crate) fn finish(mut self, leaf: &Certificate<'a>, acceptable: &[&[u8]]) -> Outcome<'a> {
        // Of a self-issued one too, other than on the way here.
        self.explicit = self.explicit.saturating_sub(1);
        if leaf.extensions.policy_constraints.and_then(|c| c.require_explicit) == Some(0) {
            self.explicit = 0;
        }
        if self.explicit > 0 || self.holds(acceptable) { Ok(()) } else { Err(no_policy()) }
    }

    /// Whether a policy of the last level descends from an acceptable one.
    fn holds(&self, acceptable: &[&[u8]]) -> bool {
        let Some(last) = self.levels.last() else { return false };
        if last.is_empty() {
            return false;
        }
        if acceptable.is_empty() || acceptable.contains(&oid::ANY_POLICY) || last.any {
            return true;
        }
        let mut below: Vec<&[u8]> = Vec::new();
        for (depth, level) in self.levels.iter().rev().enumerate() {
            let mut above = Vec::new();
            for node in &level.nodes {
                if depth > 0 && !below.contains(&node.policy) {
                    continue;
                }
                if node.parents.is_empty() {
                    if acceptable.contains(&node.policy) {
                        return true;
                    }
                } else {
                    above.extend_from_slice(&node.parents);
                }
            }
            above.sort_unstable();
            above.dedup();
            below = above;
        }
        false
    }
}

/// RFC 5280 6.1.3 (d): what stays of the expected policies, and what anyPolicy lets in.
fn process<'a>(level: &mut Level<'a>, list: Der<'a>, any_allowed: bool) -> Outcome<'a> {
    let mut found: SmallVec<[&[u8]; PLAIN]> = SmallVec::new();
    let mut any = false;
    let mut walk = list;
    while let Ok(mut policy) = walk.take(der::SEQUENCE, "policy") {
        match policy.take(der::OID, "policyIdentifier") {
            Ok(Der(oid::ANY_POLICY)) if any => return Err(twice(oid::ANY_POLICY)),
            Ok(Der(oid::ANY_POLICY)) => any = true,
            Ok(Der(policy)) => found.push(policy),
            Err(_) => {}
        }
        bounded(found.len())?;
    }
    found.sort_unstable();
    if let Some((&policy, _)) = found.iter().zip(found.iter().skip(1)).find(|(one, next)| one == next) {
        return Err(twice(policy));
    }
    let had_any = level.any;
    if !(any && any_allowed) {
        level.any = false;
        level.nodes.retain(|node| found.binary_search(&node.policy).is_ok());
    }
    if had_any {
        for policy in found {
            if level.find(policy).is_none() {
                level.nodes.push(Node::new(policy, SmallVec::new()));
            }
        }
    }
    Ok(())
}

/// RFC 5280 6.1.4 (a), (b): the policies expected of the next certificate.
fn map<'a>(level: &mut Level<'a>, mappings: Option<Der<'a>>, allowed: bool) -> Result<Level<'a>, Fault<'a>> {
    let mut pairs: Vec<(&[u8], &[u8])> = Vec::new();
    let mut walk = mappings.unwrap_or(Der(&[]));
    while let Ok(mut pair) = walk.take(der::SEQUENCE, "mapping") {
        let (Ok(Der(from)), Ok(Der(to))) = (pair.take(der::OID, "from"), pair.take(der::OID, "to")) else { continue };
        if from == oid::ANY_POLICY || to == oid::ANY_POLICY {
            return Err(Fault::plain(
                Reason::Policy,
                "RFC 5280 6.1.4 (a)",
                "a mapping of anyPolicy",
                "mappings of policies",
            ));
        }
        pairs.push((from, to));
        bounded(pairs.len())?;
    }
    if allowed {
        for (from, _) in &pairs {
            if level.find(from).is_none() && level.any {
                level.nodes.push(Node::new(from, SmallVec::new()));
            }
            if let Some(node) = level.find(from) {
                node.mapped = true;
            }
        }
    } else {
        level.nodes.retain(|node| !pairs.iter().any(|(from, _)| *from == node.policy));
    }
    let mut next = Level { nodes: SmallVec::new(), any: level.any };
    for node in level.nodes.iter().filter(|n| !n.mapped) {
        next.nodes.push(Node::new(node.policy, smallvec![node.policy]));
    }
    for (from, to) in pairs {
        if !allowed || level.find(from).is_none() {
            continue;
        }
        match next.find(to) {
            Some(node) if node.parents.contains(&from) => {}
            Some(node) => node.parents.push(from),
            None => next.nodes.push(Node::new(to, smallvec![from])),
        }
    }
    bounded(next.nodes.len())?;
    Ok(next)
}

fn bounded<'a>(count: usize) -> Outcome<'a> {
    if count <= MAX_POLICIES {
        return Ok(());
    }
    Err(Fault::plain(Reason::TooCostly, "limit", "too many policies", "at most 256 at each place"))
}

fn twice(policy: &[u8]) -> Fault<'_> {
    let found = Value::Oid("twice the policy", policy);
    Fault::new(Reason::BadEncoding, "RFC 5280 4.2.1.4", found, Value::Text("each policy once"))
}

fn no_policy<'a>() -> Fault<'a> {
    let found = "no policy that holds for the whole path";
    Fault::plain(Reason::Policy, "RFC 5280 6.1.5 (g)", found, "an acceptable policy in every certificate")
}
