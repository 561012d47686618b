//! The revocation of a path's certificates (RFC 5280 6.1.3 (a)(3)), and of those that are trusted by themselves.

use super::accepted::Standings;
use super::attempts::Attempts;
use super::check;
use super::constraint;
use super::fault::{Fault, Outcome, Reason, Value};
use super::form::Role;
use super::policy::PolicyInputs;
use super::search::{Given, LastCheck, Search, Work};
use crate::certificate::Certificate;
use crate::certificate::usage::Usage;
use crate::name::compare;
use crate::revocation::issuer::Issuer;
use crate::revocation::lists::by_lists;
use crate::revocation::ocsp::Around;
use crate::revocation::terms::Terms;
use crate::revocation::{Check, Crl, OcspError, OcspResponse, Revocation, RevocationReason, Scope, Standing, Trouble};
use crate::roots::Anchor;
use crate::signature::Key;

/// Paths below paths: the signer of a list has a path of its own, whose certificates have lists.
const MAX_NESTING: u8 = 2;

/// What the answers say, and until when.
pub(super) struct Status<'s> {
    given: Given<'s>,
    nesting: u8,
    /// The earliest end of the answers that were used, and of what they are about.
    pub(super) until: i64,
    /// What was found of the path's certificates, the leaf first.
    pub(super) standings: Standings,
    /// The stapled response, read once, however many issuers are asked about it.
    staple: Option<Result<OcspResponse<'s>, OcspError>>,
}

/// Who issued a certificate, and the root of its path. Without a root the lists of the issuer alone count.
#[derive(Clone, Copy, Debug)]
struct By<'p, 's> {
    issuer: Issuer<'s>,
    root: Option<&'s Anchor>,
    /// The issuer's certificate and those above it, below the root.
    above: &'p [&'s Certificate<'s>],
}

impl<'p, 's> By<'p, 's> {
    fn anchor(anchor: &'s Anchor) -> Self {
        let issuer = Issuer { name: &anchor.name, spki: &anchor.spki, may_sign_lists: anchor.may.sign_lists };
        Self { issuer, root: Some(anchor), above: &[] }
    }

    /// The first of these, or the root where there is none; none at all has issued nothing.
    fn above(above: &'p [&'s Certificate<'s>], root: Option<&'s Anchor>) -> Option<Self> {
        match above.first() {
            Some(issuer) => Some(Self { issuer: Issuer::of(issuer), root, above }),
            None => root.map(Self::anchor),
        }
    }

    /// RFC 5280 6.1.3 (b), (c): whether all of these may certify the names of a certificate.
    fn may_certify(&self, certificate: &Certificate<'s>, work: &mut Work) -> bool {
        let root = self.root.and_then(|root| root.constraints().or(root.certificate()?.extensions.name_constraints));
        let above = self.above.iter().filter_map(|above| above.extensions.name_constraints);
        let allowance = &mut work.budget.names;
        above.chain(root).all(|within| constraint::check(certificate, &within, false, allowance).is_ok())
    }
}

/// What stands around an OCSP response.
struct Beside<'q, 'p, 's> {
    given: Given<'s>,
    by: &'q By<'p, 's>,
    work: &'q mut Work,
    terms: Terms<'s>,
    nesting: u8,
    /// Whether this is of an answer about a delegate: then nothing more is asked.
    nested: bool,
}

impl<'s> Around<'s> for Beside<'_, '_, 's> {
    fn signature(&mut self) -> bool {
        self.work.budget.signature()
    }

    fn against(&mut self, delegate: &Certificate<'s>) -> Option<&'static str> {
        if !self.by.may_certify(delegate, self.work) {
            return Some("an OCSP responder whose name its issuer may not certify");
        }
        let revoked = !self.nested && self.is_revoked(delegate);
        revoked.then_some("an OCSP responder whose certificate is revoked")
    }
}

impl<'s> Beside<'_, '_, 's> {
    /// Whether a list or another response says that a delegate is revoked: RFC 6960 4.2.2.2.1.
    fn is_revoked(&mut self, delegate: &Certificate<'s>) -> bool {
        let Self { given, by, terms, nesting, .. } = *self;
        let revocation = &given.options.revocation;
        // Whoever asked with a nonce asked about another certificate.
        let terms = Terms { nonce: None, ..terms };
        for response in revocation.stapled.iter().chain(revocation.responses) {
            let Ok(response) = OcspResponse::parse(response) else { continue };
            let mut nested = Beside { given, by, work: &mut *self.work, terms, nesting, nested: true };
            if matches!(response.status(delegate, &by.issuer, &terms, &mut nested), Standing::Revoked { .. }) {
                return true;
            }
        }
        let status = Status { nesting: nesting.saturating_add(1), ..Status::new(given) };
        let mut signed = |list: &Crl<'s>| status.list_signed(list, by, self.work);
        // Nobody need vouch for it: only what revokes it is looked at.
        let listed = by_lists(delegate, revocation.lists, &terms, &Standing::Good, &mut signed);
        matches!(listed, Standing::Revoked { .. })
    }
}

/// What the answers say of one certificate.
struct Answers {
    standing: Standing,
    /// The stapled one says good.
    stapled_good: bool,
}

impl<'s> LastCheck<'s> for Status<'s> {
    /// RFC 5280 6.1.3 (a)(3), from the root down.
    fn check(
        &mut self,
        path: &[&'s Certificate<'s>],
        anchor: &'s Anchor,
        until: i64,
        work: &mut Work,
    ) -> Result<(), (usize, Fault<'s>)> {
        self.until = until;
        let revocation = &self.given.options.revocation;
        let leaf_only = revocation.scope == Scope::Leaf;
        if !self.asks() {
            return Ok(());
        }
        self.readable_staple(work).map_err(|fault| (0, fault))?;
        if !leaf_only && revocation.check != Check::Ignore {
            self.of_anchor(anchor, work).map_err(|fault| (path.len(), fault))?;
        }
        let mut standings = Standings::new();
        for (at, certificate) in path.iter().enumerate().rev() {
            if at > 0 && leaf_only {
                continue;
            }
            let above = path.get(at.saturating_add(1)..).unwrap_or_default();
            let Some(by) = By::above(above, Some(anchor)) else { continue };
            let answers = self.answers(certificate, &by, at == 0, work);
            standings.push(self.settle(certificate, answers, at == 0, work).map_err(|fault| (at, fault))?);
        }
        standings.reverse();
        if revocation.check != Check::Ignore {
            self.standings = standings;
        }
        Ok(())
    }
}

impl<'s> Status<'s> {
    pub(super) fn new(given: Given<'s>) -> Self {
        Self { given, nesting: 0, until: i64::MAX, standings: Standings::new(), staple: None }
    }

    /// Of a leaf that is itself trusted: revocation is asked of it as of any other.
    pub(super) fn pinned(&mut self, leaf: &Certificate<'s>, work: &mut Work) -> Outcome<'s> {
        self.until = leaf.not_after();
        if !self.asks() {
            return Ok(());
        }
        self.readable_staple(work)?;
        let answers = self.by_signers(leaf, true, work);
        let standing = self.settle(leaf, answers, true, work)?;
        self.standings =
            (self.given.options.revocation.check != Check::Ignore).then_some(standing).into_iter().collect();
        Ok(())
    }

    /// Whether anything is asked of revocation.
    fn asks(&self) -> bool {
        let revocation = &self.given.options.revocation;
        revocation.check != Check::Ignore || revocation.asked_for_staple
    }

    /// An authority below another may be trusted by itself: nobody need vouch for it, but one that is revoked is refused.
    fn of_anchor(&mut self, anchor: &'s Anchor, work: &mut Work) -> Outcome<'s> {
        let Some(root) = anchor.certificate().filter(|root| !root.is_self_issued()) else { return Ok(()) };
        let revocation = &self.given.options.revocation;
        if revocation.lists.is_empty() && revocation.responses.is_empty() {
            return Ok(());
        }
        match self.by_signers(&root, false, work).standing {
            Standing::Revoked { at, reason } => Err(revoked(at, reason)),
            Standing::Good | Standing::Unknown(_) => Ok(()),
        }
    }

    /// What is said of a certificate that is trusted by itself, by those who signed it: a trusted root, or an authority that
    /// was sent along and has a path to one. Whoever else has a key that fits the signature may say that it is revoked, and
    /// nothing else: such keys can be made (for RSA, from the signature), and good answers with them.
    fn by_signers(&mut self, certificate: &Certificate<'s>, leaf: bool, work: &mut Work) -> Answers {
        let Given { roots, certificates, .. } = self.given;
        let mut all = Answers { standing: Standing::Unknown(Trouble::NoList), stapled_good: false };
        let mut known = false;
        for (_, anchor) in roots.named(certificate.issuer_der()) {
            if self.signed_with(certificate, anchor.key(), work) {
                let answers = self.answers(certificate, &By::anchor(anchor), leaf, work);
                all.add(answers, anchor.may.issue);
                known |= anchor.may.issue;
            }
        }
        for (place, (_, above)) in certificates.iter().enumerate() {
            let named = compare::same(above.subject_der(), certificate.issuer_der());
            if named && above.der() != certificate.der() && self.signed_with(certificate, above.spki().into(), work) {
                let trusted = if above.is_authority() { self.anchor_of(place, work) } else { None };
                let issuers = [above];
                let Some(by) = By::above(&issuers, trusted) else { continue };
                let answers = self.answers(certificate, &by, leaf, work);
                all.add(answers, trusted.is_some());
                known |= trusted.is_some();
            }
        }
        let Revocation { lists, responses, stapled, .. } = self.given.options.revocation;
        let given = !lists.is_empty() || !responses.is_empty() || (leaf && stapled.is_some());
        if !known && given && matches!(all.standing, Standing::Unknown(_)) {
            let why = "no answer counts: it is trusted by itself, and no trusted authority issued it";
            all.standing = Standing::Unknown(Trouble::Because(why.into()));
        }
        all
    }

    /// RFC 6066 8: a client that gets a response checks it. One that says nothing may be done without, as if it were not
    /// there; one that is no response at all is the server's fault.
    fn readable_staple(&mut self, work: &mut Work) -> Outcome<'s> {
        match self.staple() {
            Some(Err(OcspError::Malformed(error))) if self.given.options.revocation.check != Check::Ignore => {
                let why = Trouble::Because(format!("a stapled response that cannot be read: {error}"));
                work.attempts.trouble(why, "RFC 6066 8");
                let found = "a stapled OCSP response that cannot be read";
                let wanted = "an OCSPResponse of RFC 6960 4.2, or none";
                Err(Fault::plain(Reason::StatusUnknown, "RFC 6066 8", found, wanted))
            }
            _ => Ok(()),
        }
    }

    /// What was stapled, for the path of the leaf alone.
    fn staple(&mut self) -> Option<Result<OcspResponse<'s>, OcspError>> {
        if self.staple.is_none() && self.nesting == 0 {
            self.staple = self.given.options.revocation.stapled.map(OcspResponse::parse);
        }
        self.staple
    }

    fn signed_with(&self, certificate: &Certificate<'_>, key: Key<'_>, work: &mut Work) -> bool {
        work.budget.signature() && self.given.options.checker().verify(&certificate.signed, key).is_ok()
    }

    /// What the answers say of a certificate by its issuer.
    fn answers(&mut self, certificate: &Certificate<'s>, by: &By<'_, 's>, leaf: bool, work: &mut Work) -> Answers {
        let revocation = &self.given.options.revocation;
        let terms = Terms::of(revocation, self.given.options.now(), self.given.options.checker());
        let mut standing = Standing::Unknown(Trouble::NoList);
        let mut stapled_good = false;
        let staple = if leaf { self.staple() } else { None };
        let others = revocation.responses.iter().map(|response| (false, OcspResponse::parse(response)));
        for (is_staple, response) in staple.map(|staple| (true, staple)).into_iter().chain(others) {
            let next = match response {
                Ok(response) => {
                    self.until = response.end(&terms).min(self.until);
                    let mut around =
                        Beside { given: self.given, by, work, terms, nesting: self.nesting, nested: false };
                    response.status(certificate, &by.issuer, &terms, &mut around)
                }
                Err(why) => Standing::Unknown(why.into()),
            };
            stapled_good |= is_staple && next == Standing::Good;
            standing = standing.with(next);
        }
        if !matches!(standing, Standing::Revoked { .. }) && !revocation.lists.is_empty() {
            let mut signed = |list: &Crl<'s>| self.list_signed(list, by, work);
            let listed = by_lists(certificate, revocation.lists, &terms, &standing, &mut signed);
            standing = standing.with(listed);
            let ends = revocation.lists.iter().map(|list| terms.end(list.this_update(), list.next_update()));
            // Any certificate that was presented may be the one that signed a list.
            let signers = Terms { max_age: None, ..terms };
            let signers = self.given.certificates.iter().map(|(_, c)| signers.end(c.not_before(), Some(c.not_after())));
            self.until = ends.chain(signers).fold(self.until, i64::min);
        }
        Answers { standing, stapled_good }
    }

    /// Holds what the answers say against what is asked.
    fn settle(
        &self,
        certificate: &Certificate<'_>,
        answers: Answers,
        leaf: bool,
        work: &mut Work,
    ) -> Result<Standing, Fault<'s>> {
        let revocation = &self.given.options.revocation;
        let Answers { standing, stapled_good } = answers;
        let responses = revocation.stapled.is_some() || !revocation.responses.is_empty();
        let rule = if responses && revocation.lists.is_empty() { "RFC 6960 3.2" } else { "RFC 5280 6.3.3" };
        if revocation.asked_for_staple && leaf && self.nesting == 0 && certificate.must_staple() && !stapled_good {
            if let Standing::Unknown(trouble) = standing {
                work.attempts.trouble(trouble, rule);
            }
            let found = "a certificate that must come with an OCSP response, without a good one";
            let wanted = "a stapled response that says good";
            return Err(Fault::plain(Reason::StatusUnknown, "RFC 7633 4.2.3", found, wanted));
        }
        match (standing, revocation.check) {
            (standing, Check::Ignore) => Ok(standing),
            (Standing::Revoked { at, reason }, _) => Err(revoked(at, reason)),
            // Whoever spends it all would be spared an answer that says revoked.
            (Standing::Unknown(trouble @ Trouble::Because(_)), Check::Prefer) if work.budget.has_no_signatures() => {
                work.attempts.trouble(trouble, rule);
                let found = "more signatures than are checked for one chain";
                Err(Fault::plain(Reason::TooCostly, "limit", found, "at most 64 signatures"))
            }
            (standing @ Standing::Good, _) | (standing @ Standing::Unknown(_), Check::Prefer) => Ok(standing),
            (Standing::Unknown(trouble), Check::Require) => {
                let found = match trouble {
                    Trouble::NoList => "no revocation list or OCSP response for it",
                    Trouble::Because(_) => "revocation lists or responses that do not settle it",
                };
                work.attempts.trouble(trouble, rule);
                Err(Fault::plain(Reason::StatusUnknown, rule, found, "a status that is good"))
            }
        }
    }

    /// RFC 5280 6.3.3 (f), (g): whether a list is signed by its issuer, who has a path to the same root.
    fn list_signed(&self, list: &Crl<'s>, by: &By<'_, 's>, work: &mut Work) -> Result<(), Trouble> {
        let checker = self.given.options.checker();
        let signed = |by: &Issuer<'_>, work: &mut Work| {
            if by.may_sign_lists && !work.budget.signature() {
                return Err(Trouble::Because("a list with more signatures than are checked for one chain".into()));
            }
            by.signed(|spki| list.is_signed(spki, &checker))
        };
        let mut trouble = Trouble::Because("a list whose issuer is not known".into());
        let issuer = by.issuer;
        let root = by.root.map(|root| By::anchor(root).issuer);
        let root = root.filter(|root| root.spki != issuer.spki || root.name != issuer.name);
        for by in core::iter::once(issuer).chain(root).filter(|by| by.names(list)) {
            match signed(&by, work) {
                Ok(()) => return Ok(()),
                Err(why) => trouble = why,
            }
        }
        let Some(root) = by.root else { return Err(trouble) };
        for (place, (_, signer)) in self.given.certificates.iter().enumerate() {
            let by = Issuer::of(signer);
            if !by.names(list) || by.spki == issuer.spki || self.nesting >= MAX_NESTING {
                continue;
            }
            // First, as keys without a path can be made by anybody, and lists are long.
            if by.may_sign_lists && !self.has_path(place, root, work) {
                let why = "a list whose issuer has no path to the same root that holds, in time and not revoked";
                trouble = Trouble::Because(why.into());
                continue;
            }
            match signed(&by, work) {
                Ok(()) => return Ok(()),
                Err(why) if !by.may_sign_lists => trouble = why,
                Err(_) => {}
            }
        }
        Err(trouble)
    }

    /// Whether the signer of a list has a good path to the same root.
    fn has_path(&self, place: usize, root: &Anchor, work: &mut Work) -> bool {
        self.anchor_of(place, work).is_some_and(|found| found.name == root.name && found.spki == root.spki)
    }

    /// The root that a presented certificate has a good path to. Its own status is asked for, but lists that it signs itself
    /// do not settle it: one level of lists is enough.
    fn anchor_of(&self, place: usize, work: &mut Work) -> Option<&'s Anchor> {
        if self.nesting >= MAX_NESTING {
            return None;
        }
        let mut options = *self.given.options;
        options.usage = Usage::Any;
        options.name = None;
        options.policies = PolicyInputs::default();
        options.revocation.check = if self.nesting == 0 { Check::Prefer } else { Check::Ignore };
        options.revocation.asked_for_staple = false;
        check::alone(self.given.certificate(place)?, Role::Leaf(Usage::Any), &options).ok()?;
        let given = Given { options: &options, ..self.given };
        let status = Status { nesting: self.nesting.saturating_add(1), ..Status::new(given) };
        let mut nested = Search::new(given, status, Work { budget: work.budget, attempts: Attempts::silent() });
        let found = nested.climb(place);
        work.budget = nested.work.budget;
        self.given.roots.anchor(found?.anchor)
    }
}

impl Answers {
    /// What several issuers' answers come to; of one that is not trusted only what speaks against the certificate counts.
    fn add(&mut self, other: Self, trusted: bool) {
        let standing = core::mem::replace(&mut self.standing, Standing::Good);
        self.standing = match other.standing {
            Standing::Good if !trusted => standing,
            next => standing.with(next),
        };
        self.stapled_good |= other.stapled_good && trusted;
    }
}

fn revoked<'a>(at: i64, reason: RevocationReason) -> Fault<'a> {
    let wanted = Value::Text("a certificate that is not revoked");
    Fault::new(Reason::Revoked, "RFC 5280 6.3", Value::Revoked(at, reason), wanted)
}
