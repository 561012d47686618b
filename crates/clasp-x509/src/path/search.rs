//! Finding a path: depth first, the likeliest issuer first, each signature checked once, all within a budget.

use super::{Options, PLAIN, check, validate};
use crate::certificate::Certificate;
use crate::constraint::Allowance;
use crate::form::Role;
use crate::name::compare;
use crate::profile::Rules;
use crate::reason::{Attempt, Fault, Finding, Place, Reason, Rejection, Step, Value};
use crate::revocation::crl::Crl;
use crate::revocation::ocsp::{OcspError, OcspResponse};
use crate::revocation::status::{self, Terms};
use crate::revocation::{Check, Scope, Standing, Trouble};
use crate::roots::{Anchor, Roots};
use crate::signature::{self, Key, Refusal};
use smallvec::SmallVec;

/// Signatures checked for one chain, those of revocation lists included. A good chain needs its length; the slowest
/// kind (RSA 8192, P-521) takes about 0.4 ms.
const MAX_SIGNATURES: u32 = 64;
/// Issuers considered for one chain.
const MAX_STEPS: u32 = 8192;
/// Paths that reached a root and were checked whole.
const MAX_PATHS: u32 = 64;
/// Certificates between the leaf and a root.
const MAX_INTERMEDIATES: usize = 32;
/// Paths told in a rejection.
const MAX_TOLD: usize = 16;
/// Paths below paths: the signer of a list has a path of its own, whose certificates have lists.
const MAX_NESTING: u8 = 2;

/// What one validation may cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    signatures: u32,
    steps: u32,
    paths: u32,
    pub(super) names: Allowance,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signer {
    Presented(usize),
    Anchor(usize),
}

/// The verdict on the signature of the certificate at a place.
#[derive(Clone, Copy, Debug)]
struct Checked {
    place: usize,
    signer: Signer,
    verdict: Result<(), Refusal>,
}

pub(super) struct Search<'s> {
    roots: &'s Roots,
    certificates: &'s [(usize, Certificate<'s>)],
    pub(super) options: &'s Options<'s>,
    pub(super) budget: Budget,
    /// The path so far, from the leaf up, as places in `certificates`.
    path: SmallVec<[usize; PLAIN]>,
    checked: SmallVec<[Checked; PLAIN]>,
    told: Vec<Attempt>,
    untold: usize,
    nesting: u8,
    spent: bool,
    /// The earliest end of the answers that were used.
    until: i64,
}

/// A path that holds.
pub(super) struct Found<'s> {
    pub(super) anchor: &'s Anchor,
    pub(super) path: SmallVec<[usize; PLAIN]>,
    pub(super) until: i64,
}

/// The issuer of a certificate in a path.
#[derive(Clone, Copy, Debug)]
struct Issuer<'s> {
    name: &'s [u8],
    spki: &'s [u8],
    may_sign_lists: bool,
}

impl<'s> Search<'s> {
    pub(super) fn new(
        roots: &'s Roots,
        certificates: &'s [(usize, Certificate<'s>)],
        options: &'s Options<'s>,
    ) -> Self {
        let budget = Budget { signatures: MAX_SIGNATURES, steps: MAX_STEPS, paths: MAX_PATHS, names: Allowance::WHOLE };
        Self {
            roots,
            certificates,
            options,
            budget,
            path: SmallVec::new(),
            checked: SmallVec::new(),
            told: Vec::new(),
            untold: 0,
            nesting: 0,
            spent: false,
            until: i64::MAX,
        }
    }

    fn rules(&self) -> &'static Rules {
        self.options.rules()
    }

    /// Finds a path for the first certificate.
    pub(super) fn run(&mut self) -> Option<Found<'s>> {
        self.climb(0)
    }

    fn certificate(&self, place: usize) -> Option<&'s Certificate<'s>> {
        self.certificates.get(place).map(|(_, certificate)| certificate)
    }

    /// Finds an issuer for the certificate at `place`.
    fn climb(&mut self, place: usize) -> Option<Found<'s>> {
        let certificate = self.certificate(place)?;
        self.path.push(place);
        let found = self.anchors(place, certificate).or_else(|| self.issuers(place, certificate));
        self.path.pop();
        found
    }

    /// Tries the roots of the issuer's name.
    fn anchors(&mut self, place: usize, certificate: &'s Certificate<'s>) -> Option<Found<'s>> {
        let roots = self.roots;
        let mut reached = false;
        for (index, anchor) in roots.named(certificate.issuer_der()) {
            if self.is_spent() {
                return None;
            }
            reached = true;
            match self.try_anchor(place, index, anchor) {
                Ok(found) => return Some(found),
                Err((at, fault)) => self.fail(&fault, at, Some(anchor)),
            }
        }
        let known = reached || self.candidates(certificate).next().is_some();
        if !known && !self.spent {
            let (found, wanted) = (Value::Missing(certificate.der()), Value::Roots(self.roots.len()));
            self.fail(&Fault::new(Reason::UnknownIssuer, "RFC 5280 6.1", found, wanted), self.path.len() - 1, None);
        }
        None
    }

    fn try_anchor(&mut self, place: usize, index: usize, anchor: &'s Anchor) -> Result<Found<'s>, (usize, Fault<'s>)> {
        let top = self.path.len() - 1;
        self.signed(place, Signer::Anchor(index), anchor.key()).map_err(|fault| (top, fault))?;
        self.budget.paths = self.budget.paths.saturating_sub(1);
        let root = anchor.certificate();
        if let (true, Some(root)) = (self.rules().roots_as_certificates, &root) {
            check::alone(root, Role::Root, self.options).map_err(|fault| (top + 1, fault))?;
        }
        let path: SmallVec<[&'s Certificate<'s>; PLAIN]> =
            self.path.iter().filter_map(|i| self.certificate(*i)).collect();
        let mut until = path.iter().map(|c| c.not_after()).min().unwrap_or(i64::MAX);
        if self.rules().roots_as_certificates {
            until = until.min(root.map_or(i64::MAX, |r| r.not_after()));
        }
        let limits = validate::Limits { root: root.as_ref(), constraints: anchor.constraints(), options: self.options };
        validate::path(&path, &limits, &mut self.budget.names)?;
        self.until = until;
        let may_sign_lists = root.and_then(|r| r.key_usage()).is_none_or(|u| u.crl_sign());
        self.revocation(&path, anchor, may_sign_lists)?;
        Ok(Found { anchor, path: self.path.clone(), until: self.until })
    }

    /// Certificates that could have issued this one and are not in the path: the same name, and not the same key again.
    fn candidates(&self, certificate: &'s Certificate<'s>) -> impl Iterator<Item = (usize, &'s Certificate<'s>)> {
        let path: &[usize] = &self.path;
        let certificates = self.certificates;
        certificates.iter().enumerate().filter_map(move |(place, (_, issuer))| {
            let named = compare::same(issuer.subject_der(), certificate.issuer_der());
            let looped = || {
                path.iter().filter_map(|i| certificates.get(*i)).any(|(_, above)| {
                    above.spki() == issuer.spki() && compare::same(above.subject_der(), issuer.subject_der())
                })
            };
            (named && !looped()).then_some((place, issuer))
        })
    }

    /// Tries the presented certificates of the issuer's name, those first that look right.
    fn issuers(&mut self, place: usize, certificate: &'s Certificate<'s>) -> Option<Found<'s>> {
        let now = self.options.now();
        let mut candidates: SmallVec<[(u8, usize); PLAIN]> = self
            .candidates(certificate)
            .map(|(place, issuer)| {
                let key = match (certificate.authority_key_id(), issuer.subject_key_id()) {
                    (Some(wanted), Some(has)) if wanted == has => 0,
                    (Some(_), Some(_)) => 4,
                    _ => 2,
                };
                let in_time = (issuer.not_before()..=issuer.not_after()).contains(&now);
                (key + u8::from(!in_time), place)
            })
            .collect();
        candidates.sort_unstable();
        let mut tried: SmallVec<[&[u8]; PLAIN]> = SmallVec::new();
        for (_, above) in candidates {
            if self.is_spent() {
                return None;
            }
            self.budget.steps = self.budget.steps.saturating_sub(1);
            let Some(issuer) = self.certificate(above) else { continue };
            if tried.contains(&issuer.der()) {
                continue;
            }
            tried.push(issuer.der());
            match self.through(place, above, issuer) {
                Ok(Some(found)) => return Some(found),
                Ok(None) => {}
                Err((own, fault)) => {
                    if own {
                        self.path.push(above);
                    }
                    self.fail(&fault, self.path.len() - 1, None);
                    if own {
                        self.path.pop();
                    }
                }
            }
        }
        None
    }

    /// One issuer; a fault is its own, or of the certificate it should have signed.
    fn through(
        &mut self,
        place: usize,
        above: usize,
        issuer: &'s Certificate<'s>,
    ) -> Result<Option<Found<'s>>, (bool, Fault<'s>)> {
        if self.path.len() > MAX_INTERMEDIATES {
            let found = "more than 32 intermediates";
            return Err((true, Fault::plain(Reason::TooCostly, "limit", found, "a shorter path")));
        }
        check::alone(issuer, Role::Intermediate, self.options).map_err(|fault| (true, fault))?;
        self.signed(place, Signer::Presented(above), issuer.spki().into()).map_err(|fault| (false, fault))?;
        Ok(self.climb(above))
    }

    /// RFC 5280 6.1.3 (a)(1).
    fn signed(&mut self, place: usize, signer: Signer, key: Key<'_>) -> Result<(), Fault<'s>> {
        let Some(certificate) = self.certificate(place) else { return Ok(()) };
        let known = self.checked.iter().find(|c| c.place == place && c.signer == signer).map(|c| c.verdict);
        let verdict = match known {
            Some(verdict) => verdict,
            None => {
                self.budget.signatures = self.budget.signatures.saturating_sub(1);
                let Certificate { signature_algorithm, tbs, signature, .. } = *certificate;
                let verdict = signature::verify(signature_algorithm, key, tbs, signature, self.rules());
                self.checked.push(Checked { place, signer, verdict });
                verdict
            }
        };
        let rule = "RFC 5280 6.1.3 (a)(1)";
        verdict.map_err(|refusal| match refusal {
            Refusal::Algorithm => Fault::new(
                Reason::UnsupportedAlgorithm,
                "RFC 5280 4.1.1.2",
                Value::Algorithm(certificate.signature_algorithm),
                Value::Text("RSA, ECDSA, Ed25519 or ML-DSA, with SHA-2"),
            ),
            Refusal::Key => Fault::new(
                Reason::BadSignature,
                rule,
                Value::Algorithm(certificate.signature_algorithm),
                Value::Name("an algorithm for the key of", certificate.issuer_der()),
            ),
            Refusal::Signature => Fault::new(
                Reason::BadSignature,
                rule,
                Value::Name("a signature that was not made with this key of", certificate.issuer_der()),
                Value::Text("a signature by its issuer"),
            ),
        })
    }

    /// Whether the budget is spent; the first time, says so.
    fn is_spent(&mut self) -> bool {
        if self.spent {
            return true;
        }
        let Budget { signatures, steps, paths, .. } = self.budget;
        if signatures > 0 && steps > 0 && paths > 0 {
            return false;
        }
        self.spent = true;
        // This must be told, whatever else was.
        if self.told.len() >= MAX_TOLD && self.told.pop().is_some() {
            self.untold += 1;
        }
        let found = "certificates that lead nowhere, at the end of the budget of signatures and steps";
        self.fail(&Fault::plain(Reason::TooCostly, "limit", found, "a plain chain"), self.path.len() - 1, None);
        true
    }

    /// Records what was wrong with the path, at the certificate `at`; past the top stands the root.
    pub(super) fn fail(&mut self, fault: &Fault<'_>, at: usize, anchor: Option<&Anchor>) {
        if self.nesting > 0 {
            return;
        }
        let path = if self.path.is_empty() { &[0][..] } else { &self.path };
        if self.told.len() >= MAX_TOLD {
            self.untold += 1;
            return;
        }
        let step = |place: &usize| {
            let (index, certificate) = self.certificates.get(*place)?;
            Some((Place::Presented(*index), certificate.subject_der()))
        };
        let mut steps: Vec<(Place, &[u8])> = path.iter().filter_map(step).collect();
        steps.extend(anchor.map(|anchor| (Place::Root, &anchor.name[..])));
        let (place, subject) = steps.get(at).or(steps.last()).copied().unwrap_or((Place::Outside, &[]));
        let finding = Finding::new(fault, place, subject);
        let name = |subject: &[u8]| crate::name::Name(subject).to_string();
        let path = steps.into_iter().map(|(place, subject)| Step { place, subject: name(subject) }).collect();
        self.told.push(Attempt { path, finding });
    }

    /// What was tried. A presented certificate that cannot be read is no part of a path, but may well be the one that is
    /// missing.
    pub(super) fn rejection(self, strays: impl Iterator<Item = Finding>) -> Box<Rejection> {
        let mut told = self.told;
        for finding in strays.take(MAX_TOLD) {
            let step = Step { place: finding.place, subject: finding.subject.clone() };
            told.push(Attempt { path: vec![step], finding });
        }
        if told.is_empty() {
            let fault = Fault::plain(Reason::UnknownIssuer, "RFC 5280 6.1", "no path", "a chain to a trusted root");
            told.push(Attempt { path: Vec::new(), finding: Finding::new(&fault, Place::Presented(0), &[]) });
        }
        Rejection::of(told, self.untold)
    }

    /// RFC 5280 6.1.3 (a)(3), for the path from the root down.
    fn revocation(
        &mut self,
        path: &[&'s Certificate<'s>],
        anchor: &'s Anchor,
        may_sign_lists: bool,
    ) -> Result<(), (usize, Fault<'s>)> {
        let revocation = &self.options.revocation;
        let leaf_only = revocation.scope == Scope::Leaf;
        if revocation.check == Check::Ignore && !revocation.asked_for_staple {
            return Ok(());
        }
        let root = Issuer { name: &anchor.name, spki: &anchor.spki, may_sign_lists };
        for (at, certificate) in path.iter().enumerate().rev() {
            if at > 0 && leaf_only {
                continue;
            }
            let issuer = path.get(at + 1).map_or(root, |above| Issuer {
                name: above.subject_der(),
                spki: above.spki(),
                may_sign_lists: above.key_usage().is_none_or(|u| u.crl_sign()),
            });
            self.status(certificate, &issuer, anchor, at == 0).map_err(|fault| (at, fault))?;
        }
        Ok(())
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

    fn status(
        &mut self,
        certificate: &'s Certificate<'s>,
        issuer: &Issuer<'s>,
        anchor: &'s Anchor,
        leaf: bool,
    ) -> Result<(), Fault<'s>> {
        let options = self.options;
        let revocation = &options.revocation;
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
                Err(OcspError::Malformed(field)) if is_staple && revocation.check != Check::Ignore => {
                    self.trouble(Trouble::Because(format!("a stapled response with a bad {field}")));
                    return Err(unreadable_staple());
                }
                Err(why) => Standing::Unknown(Trouble::unusable(why)),
            };
            stapled_good |= is_staple && next == Standing::Good;
            standing = standing.with(next);
        }
        if revocation.asked_for_staple && leaf && self.nesting == 0 && certificate.must_staple() && !stapled_good {
            let found = "a certificate that must come with an OCSP response, without a good one";
            return Err(Fault::plain(
                Reason::StatusUnknown,
                "RFC 7633 4.2.3",
                found,
                "a stapled response that says good",
            ));
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
        match (standing, revocation.check) {
            (_, Check::Ignore) | (Standing::Good, _) | (Standing::Unknown(_), Check::Prefer) => Ok(()),
            (Standing::Revoked { at, reason }, _) => Err(Fault::new(
                Reason::Revoked,
                "RFC 5280 6.3",
                Value::Revoked(at, reason),
                Value::Text("a certificate that is not revoked"),
            )),
            (Standing::Unknown(trouble), Check::Require) => {
                let found = match trouble {
                    Trouble::NoList => Value::Text("no revocation list or OCSP response for it"),
                    Trouble::Because(_) => Value::Text("revocation lists or responses that do not settle it"),
                };
                self.trouble(trouble);
                Err(Fault::new(Reason::StatusUnknown, "RFC 5280 6.3.3", found, Value::Text("a status that is good")))
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

    /// RFC 5280 6.3.3 (f), (g): whether a list is signed by its issuer, who has a path to the same root.
    fn list_signed(&mut self, list: &Crl<'s>, issuer: &Issuer<'s>, anchor: &'s Anchor) -> Result<(), Trouble> {
        let because = |why: &str| Err(Trouble::Because(why.into()));
        let mut trouble = "a list whose issuer is not known";
        if compare::same(list.issuer_der(), issuer.name) {
            if !issuer.may_sign_lists {
                trouble = "a list by an issuer whose keyUsage lacks cRLSign";
            } else if self.list_verifies(list, issuer.spki) {
                return Ok(());
            } else {
                trouble = "a list with a wrong signature";
            }
        }
        if compare::same(list.issuer_der(), &anchor.name) && self.list_verifies(list, &anchor.spki) {
            return Ok(());
        }
        for (place, (_, signer)) in self.certificates.iter().enumerate() {
            let named = compare::same(signer.subject_der(), list.issuer_der());
            if !named || signer.spki() == issuer.spki || self.nesting >= MAX_NESTING {
                continue;
            }
            if signer.key_usage().is_some_and(|u| !u.crl_sign()) {
                trouble = "a list by an issuer whose keyUsage lacks cRLSign";
            } else if self.list_verifies(list, signer.spki()) {
                if self.has_path(place, anchor) {
                    return Ok(());
                }
                trouble = "a list whose issuer has no path to the same root";
            }
        }
        because(trouble)
    }

    fn list_verifies(&mut self, list: &Crl<'_>, spki: &[u8]) -> bool {
        if self.budget.signatures == 0 {
            return false;
        }
        self.budget.signatures -= 1;
        signature::verify(list.signature_algorithm, spki, list.tbs, list.signature, self.rules()).is_ok()
    }

    /// Whether the signer of a list has a good path to the same root. Its own status is asked for, but lists that it
    /// signs itself do not settle it: one level of lists is enough.
    fn has_path(&mut self, place: usize, anchor: &'s Anchor) -> bool {
        let mut options = *self.options;
        options.usage = super::Usage::Any;
        options.name = None;
        options.policies = crate::policy::PolicyInputs::default();
        options.revocation.check = if self.nesting == 0 { Check::Prefer } else { Check::Ignore };
        options.revocation.asked_for_staple = false;
        let Some(signer) = self.certificate(place) else { return false };
        if check::alone(signer, Role::Leaf(super::Usage::Any), &options).is_err() {
            return false;
        }
        let mut nested = Search::new(self.roots, self.certificates, &options);
        nested.nesting = self.nesting + 1;
        nested.budget = self.budget;
        let found = nested.climb(place).is_some_and(|f| f.anchor.name == anchor.name && f.anchor.spki == anchor.spki);
        self.budget = nested.budget;
        found
    }
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

/// RFC 6066 8: a client that gets a response checks it. One that says nothing may be done without, as if it were not
/// there; one that is no response at all is the server's fault.
fn unreadable_staple<'a>() -> Fault<'a> {
    let found = "a stapled OCSP response that cannot be read";
    Fault::plain(Reason::StatusUnknown, "RFC 6066 8", found, "an OCSPResponse of RFC 6960 4.2, or none")
}
