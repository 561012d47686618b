//! The revocation of a path's certificates (RFC 5280 6.1.3 (a)(3)), and of those that are trusted by themselves.

use super::search::{MAX_TOLD, Search};
use super::{Standings, Usage, check, validate};
use crate::certificate::Certificate;
use crate::form::Role;
use crate::name::compare;
use crate::policy::PolicyInputs;
use crate::reason::{Attempt, Fault, Finding, Place, Reason, Value};
use crate::revocation::crl::Crl;
use crate::revocation::ocsp::{OcspError, OcspResponse};
use crate::revocation::status::{self, Terms};
use crate::revocation::{Check, Revocation, Scope, Standing, Trouble};
use crate::roots::Anchor;
use crate::signature::{self, Key};

/// Paths below paths: the signer of a list has a path of its own, whose certificates have lists.
const MAX_NESTING: u8 = 2;

/// The issuer of a certificate in a path.
#[derive(Clone, Copy, Debug)]
struct Issuer<'s> {
    name: &'s [u8],
    spki: &'s [u8],
    may_sign_lists: bool,
}

impl<'s> Issuer<'s> {
    fn anchor(anchor: &'s Anchor) -> Self {
        Self { name: &anchor.name, spki: &anchor.spki, may_sign_lists: anchor.may.sign_lists }
    }

    fn of(above: &Certificate<'s>) -> Self {
        Self {
            name: above.subject_der(),
            spki: above.spki(),
            may_sign_lists: above.key_usage().is_none_or(|u| u.crl_sign()),
        }
    }
}

/// What the answers say of one certificate.
struct Answers {
    standing: Standing,
    /// The stapled one says good.
    stapled_good: bool,
}

impl<'s> Search<'s> {
    /// Everything but the path of a leaf that is itself trusted: policies and revocation are asked of it as of any other.
    pub(super) fn pinned(&mut self) -> Result<(), Fault<'s>> {
        let Some(leaf) = self.certificate(0) else { return Ok(()) };
        let limits = validate::Limits { root: None, constraints: None, options: self.options };
        validate::path(&[leaf], &limits, &mut self.budget.names).map_err(|(_, fault)| fault)?;
        if !self.asks() {
            return Ok(());
        }
        self.readable_staple()?;
        let answers = self.by_signers(leaf, true);
        let standing = self.settle(leaf, answers, true)?;
        self.standings = Standings::from_iter((self.options.revocation.check != Check::Ignore).then_some(standing));
        Ok(())
    }

    /// Whether anything is asked of revocation.
    fn asks(&self) -> bool {
        let revocation = &self.options.revocation;
        revocation.check != Check::Ignore || revocation.asked_for_staple
    }

    /// RFC 5280 6.1.3 (a)(3), for the path from the root down.
    pub(super) fn revocation(
        &mut self,
        path: &[&'s Certificate<'s>],
        anchor: &'s Anchor,
    ) -> Result<(), (usize, Fault<'s>)> {
        let revocation = &self.options.revocation;
        let leaf_only = revocation.scope == Scope::Leaf;
        if !self.asks() {
            return Ok(());
        }
        self.readable_staple().map_err(|fault| (0, fault))?;
        if !leaf_only && revocation.check != Check::Ignore {
            self.of_anchor(anchor).map_err(|fault| (path.len(), fault))?;
        }
        let mut standings = Standings::new();
        for (at, certificate) in path.iter().enumerate().rev() {
            if at > 0 && leaf_only {
                continue;
            }
            let issuer =
                path.get(at.saturating_add(1)).map_or_else(|| Issuer::anchor(anchor), |above| Issuer::of(above));
            let answers = self.answers(certificate, &issuer, Some(anchor), at == 0);
            standings.push(self.settle(certificate, answers, at == 0).map_err(|fault| (at, fault))?);
        }
        standings.reverse();
        if revocation.check != Check::Ignore {
            self.standings = standings;
        }
        Ok(())
    }

    /// An authority below another may be trusted by itself: nobody need vouch for it, but one that is revoked is refused.
    fn of_anchor(&mut self, anchor: &'s Anchor) -> Result<(), Fault<'s>> {
        let Some(root) = anchor.certificate().filter(|root| !root.is_self_issued()) else { return Ok(()) };
        let revocation = &self.options.revocation;
        if revocation.lists.is_empty() && revocation.responses.is_empty() {
            return Ok(());
        }
        match self.by_signers(&root, false).standing {
            Standing::Revoked { at, reason } => Err(revoked(at, reason)),
            Standing::Good | Standing::Unknown(_) => Ok(()),
        }
    }

    /// What is said of a certificate that is trusted by itself, by those who signed it: a trusted root, or an authority that
    /// was sent along and has a path to one. Whoever else has a key that fits the signature may say that it is revoked, and
    /// nothing else: such keys can be made (for RSA, from the signature), and good answers with them.
    fn by_signers(&mut self, certificate: &Certificate<'s>, leaf: bool) -> Answers {
        let (roots, certificates) = (self.roots, self.certificates);
        let mut all = Answers { standing: Standing::Unknown(Trouble::NoList), stapled_good: false };
        let mut known = false;
        for (_, anchor) in roots.named(certificate.issuer_der()) {
            if self.signed_with(certificate, anchor.key()) {
                let answers = self.answers(certificate, &Issuer::anchor(anchor), Some(anchor), leaf);
                all.add(answers, anchor.may.issue);
                known |= anchor.may.issue;
            }
        }
        for (place, (_, above)) in certificates.iter().enumerate() {
            let named = compare::same(above.subject_der(), certificate.issuer_der());
            if named && above.der() != certificate.der() && self.signed_with(certificate, above.spki().into()) {
                let trusted = if above.is_authority() { self.anchor_of(place) } else { None };
                let answers = self.answers(certificate, &Issuer::of(above), trusted, leaf);
                all.add(answers, trusted.is_some());
                known |= trusted.is_some();
            }
        }
        let Revocation { lists, responses, stapled, .. } = self.options.revocation;
        let given = !lists.is_empty() || !responses.is_empty() || (leaf && stapled.is_some());
        if !known && given && matches!(all.standing, Standing::Unknown(_)) {
            let why = "no answer counts: it is trusted by itself, and no trusted authority issued it";
            all.standing = Standing::Unknown(Trouble::Because(why.into()));
        }
        all
    }

    /// RFC 6066 8: a client that gets a response checks it. One that says nothing may be done without, as if it were not
    /// there; one that is no response at all is the server's fault.
    fn readable_staple(&mut self) -> Result<(), Fault<'s>> {
        let revocation = &self.options.revocation;
        let staple = revocation.stapled.filter(|_| self.nesting == 0 && revocation.check != Check::Ignore);
        match staple.map(OcspResponse::parse) {
            Some(Err(OcspError::Malformed(field))) => {
                self.trouble(Trouble::Because(format!("a stapled response with a bad {field}")));
                let found = "a stapled OCSP response that cannot be read";
                let wanted = "an OCSPResponse of RFC 6960 4.2, or none";
                Err(Fault::plain(Reason::StatusUnknown, "RFC 6066 8", found, wanted))
            }
            _ => Ok(()),
        }
    }

    fn signed_with(&mut self, certificate: &Certificate<'_>, key: Key<'_>) -> bool {
        let Some(left) = self.budget.signatures.checked_sub(1) else { return false };
        self.budget.signatures = left;
        let Certificate { signature_algorithm, tbs, signature, .. } = *certificate;
        signature::verify(signature_algorithm, key, tbs, signature, self.rules()).is_ok()
    }

    fn terms(&self) -> Terms<'s> {
        let revocation = &self.options.revocation;
        Terms {
            now: self.options.now(),
            max_age: revocation.max_age.map(|age| i64::try_from(age).unwrap_or(i64::MAX)),
            indirect: revocation.indirect.unwrap_or(self.rules().indirect_crls),
            rules: self.rules(),
        }
    }

    /// What the answers say of a certificate by its issuer. Without an anchor the lists of the issuer alone count.
    fn answers(
        &mut self,
        certificate: &Certificate<'s>,
        issuer: &Issuer<'s>,
        anchor: Option<&'s Anchor>,
        leaf: bool,
    ) -> Answers {
        let revocation = &self.options.revocation;
        let terms = self.terms();
        let mut standing = Standing::Unknown(Trouble::NoList);
        let mut stapled_good = false;
        let staple = revocation.stapled.filter(|_| leaf && self.nesting == 0);
        for (is_staple, response) in
            staple.map(|r| (true, r)).into_iter().chain(revocation.responses.iter().map(|r| (false, *r)))
        {
            self.budget.signatures = self.budget.signatures.saturating_sub(1);
            let next = match OcspResponse::parse(response) {
                Ok(read) => by_response(&read, certificate, issuer, revocation.nonce, &terms, &mut self.until),
                Err(why) => Standing::Unknown(Trouble::unusable(why)),
            };
            stapled_good |= is_staple && next == Standing::Good;
            standing = standing.with(next);
        }
        if !matches!(standing, Standing::Revoked { .. }) && !revocation.lists.is_empty() {
            let mut signed = |place: usize| match revocation.lists.get(place) {
                Some(list) => self.list_signed(list, issuer, anchor),
                None => Err(Trouble::NoList),
            };
            let listed = status::by_lists(certificate, revocation.lists, &terms, &standing, &mut signed);
            standing = standing.with(listed);
            let ends = revocation.lists.iter().map(|list| terms.end(list.this_update(), list.next_update()));
            // Any certificate that was presented may be the one that signed a list.
            let signers = Terms { max_age: None, ..terms };
            let signers = self.certificates.iter().map(|(_, c)| signers.end(c.not_before(), Some(c.not_after())));
            self.until = ends.chain(signers).fold(self.until, i64::min);
        }
        Answers { standing, stapled_good }
    }

    /// Holds what the answers say against what is asked.
    fn settle(&mut self, certificate: &Certificate<'_>, answers: Answers, leaf: bool) -> Result<Standing, Fault<'s>> {
        let revocation = &self.options.revocation;
        let Answers { standing, stapled_good } = answers;
        if revocation.asked_for_staple && leaf && self.nesting == 0 && certificate.must_staple() && !stapled_good {
            if let Standing::Unknown(trouble) = standing {
                self.trouble(trouble);
            }
            let found = "a certificate that must come with an OCSP response, without a good one";
            let wanted = "a stapled response that says good";
            return Err(Fault::plain(Reason::StatusUnknown, "RFC 7633 4.2.3", found, wanted));
        }
        match (standing, revocation.check) {
            (standing, Check::Ignore) => Ok(standing),
            (Standing::Revoked { at, reason }, _) => Err(revoked(at, reason)),
            (standing @ Standing::Good, _) | (standing @ Standing::Unknown(_), Check::Prefer) => Ok(standing),
            (Standing::Unknown(trouble), Check::Require) => {
                let found = match trouble {
                    Trouble::NoList => "no revocation list or OCSP response for it",
                    Trouble::Because(_) => "revocation lists or responses that do not settle it",
                };
                self.trouble(trouble);
                Err(Fault::plain(Reason::StatusUnknown, "RFC 5280 6.3.3", found, "a status that is good"))
            }
        }
    }

    /// Says what was wrong with the answers, as an attempt of its own.
    fn trouble(&mut self, trouble: Trouble) {
        let Trouble::Because(found) = trouble else { return };
        if self.nesting > 0 || self.told.len() >= MAX_TOLD {
            return;
        }
        let finding = Finding {
            reason: Reason::StatusUnknown,
            place: Place::Outside,
            subject: "a revocation list or OCSP response".into(),
            rule: "RFC 5280 6.3.3",
            found,
            wanted: "one that may be used".into(),
        };
        self.told.push(Attempt { path: Vec::new(), finding });
    }

    /// RFC 5280 6.3.3 (f), (g): whether a list is signed by its issuer, who has a path to the same root. Whoever it is, a
    /// keyUsage that is there has cRLSign.
    fn list_signed(&mut self, list: &Crl<'s>, issuer: &Issuer<'s>, anchor: Option<&'s Anchor>) -> Result<(), Trouble> {
        const MAY_NOT: &str = "a list by an issuer whose keyUsage lacks cRLSign";
        let mut trouble = "a list whose issuer is not known";
        let root = anchor.map(Issuer::anchor).filter(|root| root.spki != issuer.spki || root.name != issuer.name);
        for by in core::iter::once(*issuer).chain(root) {
            if !compare::same(list.issuer_der(), by.name) {
                continue;
            }
            if !by.may_sign_lists {
                trouble = MAY_NOT;
            } else if self.list_verifies(list, by.spki) {
                return Ok(());
            } else {
                trouble = "a list with a wrong signature";
            }
        }
        let Some(anchor) = anchor else { return Err(Trouble::Because(trouble.into())) };
        for (place, (_, signer)) in self.certificates.iter().enumerate() {
            let named = compare::same(signer.subject_der(), list.issuer_der());
            if !named || signer.spki() == issuer.spki || self.nesting >= MAX_NESTING {
                continue;
            }
            if signer.key_usage().is_some_and(|u| !u.crl_sign()) {
                trouble = MAY_NOT;
            } else if !self.has_path(place, anchor) {
                // First, as keys without one can be made by anybody, and lists are long.
                trouble = "a list whose issuer has no path to the same root";
            } else if self.list_verifies(list, signer.spki()) {
                return Ok(());
            }
        }
        Err(Trouble::Because(trouble.into()))
    }

    fn list_verifies(&mut self, list: &Crl<'_>, spki: &[u8]) -> bool {
        let Some(left) = self.budget.signatures.checked_sub(1) else { return false };
        self.budget.signatures = left;
        list.is_signed(spki, self.rules())
    }

    /// Whether the signer of a list has a good path to the same root.
    fn has_path(&mut self, place: usize, anchor: &'s Anchor) -> bool {
        self.anchor_of(place).is_some_and(|found| found.name == anchor.name && found.spki == anchor.spki)
    }

    /// The root that a presented certificate has a good path to. Its own status is asked for, but lists that it signs itself
    /// do not settle it: one level of lists is enough.
    fn anchor_of(&mut self, place: usize) -> Option<&'s Anchor> {
        if self.nesting >= MAX_NESTING {
            return None;
        }
        let mut options = *self.options;
        options.usage = Usage::Any;
        options.name = None;
        options.policies = PolicyInputs::default();
        options.revocation.check = if self.nesting == 0 { Check::Prefer } else { Check::Ignore };
        options.revocation.asked_for_staple = false;
        check::alone(self.certificate(place)?, Role::Leaf(Usage::Any), &options).ok()?;
        let mut nested = Search::new(self.roots, self.certificates, self.names, &options);
        nested.nesting = self.nesting.saturating_add(1);
        nested.budget = self.budget;
        let found = nested.climb(place).map(|found| found.anchor);
        self.budget = nested.budget;
        let found = found?;
        self.roots.named(&found.name).map(|(_, anchor)| anchor).find(|anchor| core::ptr::eq(*anchor, found))
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

fn revoked<'a>(at: i64, reason: crate::RevocationReason) -> Fault<'a> {
    let wanted = Value::Text("a certificate that is not revoked");
    Fault::new(Reason::Revoked, "RFC 5280 6.3", Value::Revoked(at, reason), wanted)
}

fn by_response(
    response: &OcspResponse<'_>,
    certificate: &Certificate<'_>,
    issuer: &Issuer<'_>,
    nonce: Option<&[u8]>,
    terms: &Terms<'_>,
    until: &mut i64,
) -> Standing {
    *until = response.end(terms).min(*until);
    response.status(certificate, issuer.name, issuer.spki, nonce, terms)
}
