//! Finding a path: depth first, the likeliest issuer first, each signature checked once, all within a budget.

use super::names::{Names, Once};
use super::{Options, PLAIN, Standings, check, validate};
use crate::certificate::Certificate;
use crate::constraint::Allowance;
use crate::form::Role;
use crate::profile::Rules;
use crate::reason::{Attempt, Fault, Finding, Place, Reason, Rejection, Step, Value};
use crate::roots::{Anchor, Roots};
use crate::signature::{self, Key, Refusal};
use smallvec::SmallVec;

/// Signatures checked for one chain, those of revocation lists included. A good chain needs its length; the slowest
/// kind (RSA 8192, P-521) takes about 0.4 ms.
const MAX_SIGNATURES: u32 = 64;
/// Certificates considered as issuers for one chain, those of another name included: 64 times all that can be presented.
const MAX_STEPS: usize = 8192;
/// Paths that reached a root and were checked whole. They may come to eight times what was presented, and to as much again
/// as plain chains have; so the work is linear in what a peer sends.
const MAX_PATHS: u32 = 64;
const PATH_BYTES: usize = 1 << 16;
/// Certificates between the leaf and a root.
const MAX_INTERMEDIATES: usize = 32;
/// Paths told in a rejection.
pub(super) const MAX_TOLD: usize = 16;

/// What one validation may cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    pub(super) signatures: u32,
    steps: usize,
    paths: u32,
    path_bytes: usize,
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
    pub(super) roots: &'s Roots,
    pub(super) certificates: &'s [(usize, Certificate<'s>)],
    pub(super) names: &'s Names<'s>,
    /// The roots that have the name of each one's issuer.
    groups: Once<Option<usize>>,
    /// What is wrong with each as an intermediate.
    alone: Once<Result<(), Fault<'s>>>,
    pub(super) options: &'s Options<'s>,
    pub(super) budget: Budget,
    /// The path so far, from the leaf up, as places in `certificates`.
    path: SmallVec<[usize; PLAIN]>,
    checked: SmallVec<[Checked; PLAIN]>,
    pub(super) told: Vec<Attempt>,
    untold: usize,
    pub(super) nesting: u8,
    spent: bool,
    /// The earliest end of the answers that were used.
    pub(super) until: i64,
    /// What was found of the revocation of the path's certificates, the leaf first.
    pub(super) standings: Standings,
    /// Whether certificates were sent that are not looked at.
    pub(super) beyond: bool,
}

/// A path that holds.
pub(super) struct Found<'s> {
    pub(super) anchor: &'s Anchor,
    pub(super) path: SmallVec<[usize; PLAIN]>,
    pub(super) until: i64,
    pub(super) standings: Standings,
}

impl<'s> Search<'s> {
    pub(super) fn new(
        roots: &'s Roots,
        certificates: &'s [(usize, Certificate<'s>)],
        names: &'s Names<'s>,
        options: &'s Options<'s>,
    ) -> Self {
        let presented: usize = certificates.iter().map(|(_, c)| c.der().len()).sum();
        let budget = Budget {
            signatures: MAX_SIGNATURES,
            steps: MAX_STEPS,
            paths: MAX_PATHS,
            path_bytes: presented.saturating_mul(8).saturating_add(PATH_BYTES),
            names: Allowance::WHOLE,
        };
        Self {
            roots,
            certificates,
            names,
            groups: Once::of(certificates.len()),
            alone: Once::of(certificates.len()),
            options,
            budget,
            path: SmallVec::new(),
            checked: SmallVec::new(),
            told: Vec::new(),
            untold: 0,
            nesting: 0,
            spent: false,
            until: i64::MAX,
            standings: Standings::new(),
            beyond: false,
        }
    }

    pub(super) fn rules(&self) -> &'static Rules {
        self.options.rules()
    }

    /// Finds a path for the first certificate.
    pub(super) fn run(&mut self) -> Option<Found<'s>> {
        self.climb(0)
    }

    pub(super) fn certificate(&self, place: usize) -> Option<&'s Certificate<'s>> {
        self.certificates.get(place).map(|(_, certificate)| certificate)
    }

    /// Where the last of the path's certificates stands in it.
    fn top(&self) -> usize {
        self.path.len().saturating_sub(1)
    }

    /// Finds an issuer for the certificate at `place`.
    pub(super) fn climb(&mut self, place: usize) -> Option<Found<'s>> {
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
        let group = self.groups.get(place, || roots.group_of(certificate.issuer_der()));
        for (index, anchor) in group.into_iter().flat_map(|group| roots.of_group(group)) {
            if self.is_spent() {
                return None;
            }
            reached = true;
            match self.try_anchor(place, index, anchor) {
                Ok(found) => return Some(found),
                Err((at, fault)) => self.fail(&fault, at, Some(anchor)),
            }
        }
        let known = reached || self.candidates(place).next().is_some();
        if !known && !self.spent {
            let (found, wanted) = (Value::Missing(certificate.der(), self.beyond), Value::Roots(self.roots.len()));
            self.fail(&Fault::new(Reason::UnknownIssuer, "RFC 5280 6.1", found, wanted), self.top(), None);
        }
        None
    }

    fn try_anchor(&mut self, place: usize, index: usize, anchor: &'s Anchor) -> Result<Found<'s>, (usize, Fault<'s>)> {
        let top = self.top();
        let root_at = top.saturating_add(1);
        self.signed(place, Signer::Anchor(index), anchor.key()).map_err(|fault| (top, fault))?;
        self.budget.paths = self.budget.paths.saturating_sub(1);
        let bytes: usize = self.path.iter().filter_map(|i| self.certificate(*i)).map(|c| c.der().len()).sum();
        self.budget.path_bytes = self.budget.path_bytes.saturating_sub(bytes);
        if !anchor.may.issue {
            return Err((root_at, no_issuer()));
        }
        if !anchor.may.be_for(self.options.usage) {
            let found = "a root that its file does not trust for this use";
            let fault = Fault::plain(Reason::WrongUsage, "TRUSTED CERTIFICATE", found, "one that is trusted for it");
            return Err((root_at, fault));
        }
        let root = anchor.certificate();
        if let (true, Some(root)) = (self.rules().roots_as_certificates, &root) {
            check::alone(root, Role::Root, self.options).map_err(|fault| (root_at, fault))?;
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
        self.revocation(&path, anchor)?;
        let standings = core::mem::take(&mut self.standings);
        Ok(Found { anchor, path: self.path.clone(), until: self.until, standings })
    }

    /// Certificates that could have issued this one and are not in the path: the same name, and not the same key again.
    fn candidates(&self, certificate: usize) -> impl Iterator<Item = (usize, &'s Certificate<'s>)> {
        let path: &[usize] = &self.path;
        let (certificates, names) = (self.certificates, self.names);
        certificates.iter().enumerate().filter_map(move |(place, (_, issuer))| {
            let looped = || {
                path.iter().any(|above| {
                    let spki = certificates.get(*above).map(|(_, above)| above.spki());
                    names.same_subject(*above, place) && spki == Some(issuer.spki())
                })
            };
            (names.issued(place, certificate) && !looped()).then_some((place, issuer))
        })
    }

    /// Tries the presented certificates of the issuer's name, those first that look right.
    fn issuers(&mut self, place: usize, certificate: &'s Certificate<'s>) -> Option<Found<'s>> {
        let now = self.options.now();
        self.budget.steps = self.budget.steps.saturating_sub(self.certificates.len());
        let mut candidates: SmallVec<[(u8, usize); PLAIN]> = self
            .candidates(place)
            .map(|(place, issuer)| {
                let key = match (certificate.authority_key_id(), issuer.subject_key_id()) {
                    (Some(wanted), Some(has)) if wanted == has => 0,
                    (Some(_), Some(_)) => 4,
                    _ => 2,
                };
                let in_time = (issuer.not_before()..=issuer.not_after()).contains(&now);
                (if in_time { key } else { key | 1 }, place)
            })
            .collect();
        candidates.sort_unstable();
        let mut tried: SmallVec<[&[u8]; PLAIN]> = SmallVec::new();
        for (_, above) in candidates {
            if self.is_spent() {
                return None;
            }
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
                    self.fail(&fault, self.top(), None);
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
        let options = self.options;
        let alone = self.alone.get(above, || check::alone(issuer, Role::Intermediate, options));
        alone.map_err(|fault| (true, fault))?;
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
            Refusal::Size => Fault::new(
                Reason::UnsupportedAlgorithm,
                "BR 6.1.5",
                Value::Name("a signature by a key whose size is not taken, of", certificate.issuer_der()),
                Value::Count("RSA of at most 8192 bits and at least", self.rules().min_rsa_bits),
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
        let Budget { signatures, steps, paths, path_bytes, .. } = self.budget;
        if signatures > 0 && steps > 0 && paths > 0 && path_bytes > 0 {
            return false;
        }
        self.spent = true;
        // This must be told, whatever else was.
        if self.told.len() >= MAX_TOLD && self.told.pop().is_some() {
            self.untold = self.untold.saturating_add(1);
        }
        let found = "certificates that lead nowhere, at the end of the budget of signatures and steps";
        self.fail(&Fault::plain(Reason::TooCostly, "limit", found, "a plain chain"), self.top(), None);
        true
    }

    /// Records what was wrong with the path, at the certificate `at`; past the top stands the root.
    pub(super) fn fail(&mut self, fault: &Fault<'_>, at: usize, anchor: Option<&Anchor>) {
        if self.nesting > 0 {
            return;
        }
        let path = if self.path.is_empty() { &[0][..] } else { &self.path };
        if self.told.len() >= MAX_TOLD {
            self.untold = self.untold.saturating_add(1);
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
}

/// RFC 5280 6.1.4 (k), (n): whoever trusts a certificate of a server has not made an authority of its key.
fn no_issuer<'a>() -> Fault<'a> {
    let found = "a trusted certificate that is no authority's: it stands for itself alone";
    Fault::plain(Reason::Constraint, "RFC 5280 6.1.4 (k)", found, "a root with cA TRUE whose key may sign certificates")
}
