//! What was tried, for whoever is refused.

use super::budget::MAX_TOLD;
use super::fault::{Fault, Reason};
use super::rejection::{Attempt, Finding, Origin, Rejection, Step};
use crate::name::Name;
use crate::revocation::Trouble;

/// The paths that were tried: the first few.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    told: Vec<Attempt>,
    untold: usize,
    /// Of a path below a path nothing is told.
    silent: bool,
}

impl Attempts {
    /// That tells nothing.
    pub(super) fn silent() -> Self {
        Self { silent: true, ..Self::default() }
    }

    /// Records what was wrong with the path of these steps, at one of them.
    pub(super) fn fail<'n>(&mut self, fault: &Fault<'_>, at: usize, steps: impl Iterator<Item = (Origin, &'n [u8])>) {
        if self.silent {
            return;
        }
        if self.told.len() >= MAX_TOLD {
            self.untold = self.untold.saturating_add(1);
            return;
        }
        let steps: Vec<(Origin, &[u8])> = steps.collect();
        let (origin, subject) = steps.get(at).or(steps.last()).copied().unwrap_or((Origin::Answer, &[]));
        let finding = Finding::new(fault, origin, subject);
        let step = |(origin, subject)| Step { origin, subject: Name(subject).to_string() };
        self.told.push(Attempt { path: steps.into_iter().map(step).collect(), finding });
    }

    /// Makes room for what must be told, whatever else was.
    pub(super) fn make_room(&mut self) {
        if self.told.len() >= MAX_TOLD && self.told.pop().is_some() {
            self.untold = self.untold.saturating_add(1);
        }
    }

    /// Says what was wrong with revocation answers, as an attempt of its own.
    pub(super) fn trouble(&mut self, trouble: Trouble, rule: &'static str) {
        let Trouble::Because(found) = trouble else { return };
        if self.silent || self.told.len() >= MAX_TOLD {
            return;
        }
        let finding = Finding {
            reason: Reason::StatusUnknown,
            origin: Origin::Answer,
            subject: "a revocation list or OCSP response".into(),
            rule,
            found,
            wanted: "one that may be used".into(),
        };
        self.told.push(Attempt { path: Vec::new(), finding });
    }

    /// What was tried. A presented certificate that cannot be read is no part of a path, but may well be the one that is
    /// missing.
    pub(super) fn rejection(self, strays: impl Iterator<Item = Finding>) -> Box<Rejection> {
        let mut told = self.told;
        for finding in strays.take(MAX_TOLD) {
            let step = Step { origin: finding.origin, subject: finding.subject.clone() };
            told.push(Attempt { path: vec![step], finding });
        }
        if told.is_empty() {
            let fault = Fault::plain(Reason::UnknownIssuer, "RFC 5280 6.1", "no path", "a chain to a trusted root");
            told.push(Attempt { path: Vec::new(), finding: Finding::new(&fault, Origin::Presented(0), &[]) });
        }
        Rejection::of(told, self.untold)
    }
}
