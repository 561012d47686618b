//! Finding a path: depth first, the likeliest issuer first, each signature checked once, all within a budget.

use super::attempts::Attempts;
use super::budget::{Budget, MAX_INTERMEDIATES, PLAIN};
use super::check;
use super::fault::{Fault, Outcome, Reason, Value};
use super::form::Role;
use super::names::{Names, Once};
use super::options::Options;
use super::rejection::Origin;
use super::validate::{self, Inputs};
use crate::certificate::Certificate;
use crate::profile::Profile;
use crate::roots::{Anchor, Roots};
use crate::signature::{Key, SignatureRefusal as Refusal};
use smallvec::SmallVec;

/// What is known before the search.
#[derive(Clone, Copy)]
pub(super) struct Given<'s> {
    pub(super) roots: &'s Roots,
    /// Those that were presented and can be read, and where each stood.
    pub(super) certificates: &'s [(usize, Certificate<'s>)],
    pub(super) names: &'s Names<'s>,
    pub(super) options: &'s Options<'s>,
    /// Whether certificates were sent that are not looked at.
    pub(super) beyond: bool,
    /// The roots that count: those whose chains are held to this profile, or all.
    pub(super) only: Option<Profile>,
}

impl<'s> Given<'s> {
    pub(super) fn certificate(&self, place: usize) -> Option<&'s Certificate<'s>> {
        self.certificates.get(place).map(|(_, certificate)| certificate)
    }
}

/// What is spent, and what is told of it.
pub(super) struct Work {
    pub(super) budget: Budget,
    pub(super) attempts: Attempts,
}

/// What is asked of a path at the end, where all else holds: the status of its certificates.
pub(super) trait LastCheck<'s> {
    /// Checks a path, the leaf first, that ends in a root. Until `until` all else holds. A fault comes with its place.
    fn check(
        &mut self,
        path: &[&'s Certificate<'s>],
        anchor: &'s Anchor,
        until: i64,
        work: &mut Work,
    ) -> Result<(), (usize, Fault<'s>)>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signer {
    Presented(usize),
    Anchor(usize),
}

/// The verdict on the signature of the certificate at a place.
#[derive(Clone, Copy, Debug)]
struct KnownSignature {
    place: usize,
    signer: Signer,
    verdict: Result<(), Refusal>,
}

pub(super) struct Search<'s, L> {
    given: Given<'s>,
    pub(super) last: L,
    pub(super) work: Work,
    /// The roots that have the name of each one's issuer.
    groups: Once<Option<usize>>,
    /// What is wrong with each as an intermediate.
    alone: Once<Outcome<'s>>,
    /// The path so far, from the leaf up, as places in the certificates.
    path: SmallVec<[usize; PLAIN]>,
    checked: SmallVec<[KnownSignature; PLAIN]>,
    spent: bool,
}

/// A path that holds.
pub(super) struct Found {
    /// The place of its root.
    pub(super) anchor: usize,
    pub(super) path: SmallVec<[usize; PLAIN]>,
}

impl<'s, L: LastCheck<'s>> Search<'s, L> {
    pub(super) fn new(given: Given<'s>, last: L, work: Work) -> Self {
        Self {
            given,
            last,
            work,
            groups: Once::of(given.certificates.len()),
            alone: Once::of(given.certificates.len()),
            path: SmallVec::new(),
            checked: SmallVec::new(),
            spent: false,
        }
    }

    /// Where the last of the path's certificates stands in it.
    fn top(&self) -> usize {
        self.path.len().saturating_sub(1)
    }

    /// Finds a path from the certificate at `place`.
    pub(super) fn climb(&mut self, place: usize) -> Option<Found> {
        let certificate = self.given.certificate(place)?;
        self.path.push(place);
        let found = self.anchors(place, certificate).or_else(|| self.issuers(place, certificate));
        self.path.pop();
        found
    }

    /// Tries the roots of the issuer's name.
    fn anchors(&mut self, place: usize, certificate: &'s Certificate<'s>) -> Option<Found> {
        let roots = self.given.roots;
        let mut reached = false;
        let group = self.groups.get(place, || roots.group_of(certificate.issuer_der()));
        let only = self.given.only;
        let counting = group.into_iter().flat_map(|group| roots.of_group(group)).filter(|(_, a)| a.is_held_to(only));
        for (index, anchor) in counting {
            if self.is_spent() {
                return None;
            }
            reached = true;
            match self.try_anchor(place, index, anchor) {
                Ok(()) => return Some(Found { anchor: index, path: self.path.clone() }),
                Err((at, fault)) => self.fail(&fault, at, Some(anchor)),
            }
        }
        let known = reached || self.candidates(place).next().is_some();
        if !known && !self.spent {
            let (found, wanted) = (Value::Missing(certificate.der(), self.given.beyond), Value::Roots(roots.len()));
            self.fail(&Fault::new(Reason::UnknownIssuer, "RFC 5280 6.1", found, wanted), self.top(), None);
        }
        None
    }

    fn try_anchor(&mut self, place: usize, index: usize, anchor: &'s Anchor) -> Result<(), (usize, Fault<'s>)> {
        let options = self.given.options;
        let top = self.top();
        let root_at = top.saturating_add(1);
        self.signed(place, Signer::Anchor(index), anchor.key()).map_err(|fault| (top, fault))?;
        let path: SmallVec<[&'s Certificate<'s>; PLAIN]> =
            self.path.iter().filter_map(|i| self.given.certificate(*i)).collect();
        self.work.budget.path(path.iter().map(|c| c.der().len()).sum());
        may_issue(anchor, options).map_err(|fault| (root_at, fault))?;
        let root = anchor.certificate();
        let mut until = path.iter().map(|c| c.not_after()).min().unwrap_or(i64::MAX);
        if let Some(root) = &root {
            check::root(root, options).map_err(|fault| (root_at, fault))?;
            until = until.min(root.not_after());
        }
        let inputs = Inputs { root: root.as_ref(), constraints: anchor.constraints(), options };
        validate::path(&path, &inputs, &mut self.work.budget.names)?;
        self.last.check(&path, anchor, until, &mut self.work)
    }

    /// Certificates that could have issued this one and are not in the path: the same name, and not the same key again.
    fn candidates(&self, certificate: usize) -> impl Iterator<Item = (usize, &'s Certificate<'s>)> {
        let path: &[usize] = &self.path;
        let Given { certificates, names, .. } = self.given;
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
    fn issuers(&mut self, place: usize, certificate: &'s Certificate<'s>) -> Option<Found> {
        let now = self.given.options.now();
        self.work.budget.candidates(self.given.certificates.len());
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
            let Some(issuer) = self.given.certificate(above) else { continue };
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
    ) -> Result<Option<Found>, (bool, Fault<'s>)> {
        if self.path.len() > MAX_INTERMEDIATES {
            let found = "more than 32 intermediates";
            return Err((true, Fault::plain(Reason::TooCostly, "limit", found, "a shorter path")));
        }
        let options = self.given.options;
        let alone = self.alone.get(above, || check::alone(issuer, Role::Intermediate, options));
        alone.map_err(|fault| (true, fault))?;
        self.signed(place, Signer::Presented(above), issuer.spki().into()).map_err(|fault| (false, fault))?;
        Ok(self.climb(above))
    }

    /// RFC 5280 6.1.3 (a)(1).
    fn signed(&mut self, place: usize, signer: Signer, key: Key<'_>) -> Outcome<'s> {
        let Some(certificate) = self.given.certificate(place) else { return Ok(()) };
        let known = self.checked.iter().find(|c| c.place == place && c.signer == signer).map(|c| c.verdict);
        let verdict = match known {
            Some(verdict) => verdict,
            None => {
                self.work.budget.signature();
                let verdict = self.given.options.checker().verify(&certificate.signed, key);
                self.checked.push(KnownSignature { place, signer, verdict });
                verdict
            }
        };
        verdict.map_err(|refusal| unsigned(certificate, refusal, self.given.options.rules().min_rsa_bits))
    }

    /// Whether the budget is spent; the first time, says so.
    fn is_spent(&mut self) -> bool {
        if self.spent || !self.work.budget.is_spent() {
            return self.spent;
        }
        self.spent = true;
        self.work.attempts.make_room();
        let found = "certificates that lead nowhere, at the end of the budget of signatures and steps";
        self.fail(&Fault::plain(Reason::TooCostly, "limit", found, "a plain chain"), self.top(), None);
        true
    }

    /// Records what was wrong with the path, at the certificate `at`; past the top stands the root.
    pub(super) fn fail(&mut self, fault: &Fault<'_>, at: usize, anchor: Option<&Anchor>) {
        let path = if self.path.is_empty() { &[0][..] } else { &self.path };
        let presented = path.iter().filter_map(|place| {
            let (index, certificate) = self.given.certificates.get(*place)?;
            Some((Origin::Presented(*index), certificate.subject_der()))
        });
        let root = anchor.map(|anchor| (Origin::Root, &anchor.name[..]));
        self.work.attempts.fail(fault, at, presented.chain(root));
    }
}

/// What a root is not trusted for.
fn may_issue<'a>(anchor: &Anchor, options: &Options<'_>) -> Outcome<'a> {
    if !anchor.may.issue {
        // RFC 5280 6.1.4 (k), (n): whoever trusts a certificate of a server has not made an authority of its key.
        let found = "a trusted certificate that is no authority's: it stands for itself alone";
        let wanted = "a root with cA TRUE whose key may sign certificates";
        return Err(Fault::plain(Reason::Constraint, "RFC 5280 6.1.4 (k)", found, wanted));
    }
    if !anchor.may.be_for(options.usage) {
        let found = "a root that its file does not trust for this use";
        return Err(Fault::plain(Reason::WrongUsage, "TRUSTED CERTIFICATE", found, "one that is trusted for it"));
    }
    Ok(())
}

/// What is wrong with the signature of a certificate.
fn unsigned<'s>(certificate: &Certificate<'s>, refusal: Refusal, min_rsa_bits: u32) -> Fault<'s> {
    let rule = "RFC 5280 6.1.3 (a)(1)";
    match refusal {
        Refusal::Algorithm => Fault::new(
            Reason::UnsupportedAlgorithm,
            "RFC 5280 4.1.1.2",
            Value::Algorithm(certificate.signed.algorithm),
            Value::Text("RSA, ECDSA, Ed25519 or ML-DSA, with SHA-2"),
        ),
        Refusal::Key => Fault::new(
            Reason::BadSignature,
            rule,
            Value::Algorithm(certificate.signed.algorithm),
            Value::Name("an algorithm for the key of", certificate.issuer_der()),
        ),
        Refusal::Size => Fault::new(
            Reason::UnsupportedAlgorithm,
            "BR 6.1.5",
            Value::Name("a signature by a key whose size is not taken, of", certificate.issuer_der()),
            Value::Count("RSA of at most 8192 bits and at least", min_rsa_bits),
        ),
        Refusal::Signature => Fault::new(
            Reason::BadSignature,
            rule,
            Value::Name("a signature that was not made with this key of", certificate.issuer_der()),
            Value::Text("a signature by its issuer"),
        ),
    }
}
