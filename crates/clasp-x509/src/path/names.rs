//! The names of presented certificates, held against one another as often as a search likes for the price of reading each
//! once: what is compared is chosen by the peer, and so is how often.

use super::budget::PLAIN;
use crate::certificate::Certificate;
use crate::name::compare;
use core::cell::{Cell, OnceCell};
use smallvec::SmallVec;
use std::collections::HashMap;

/// Bytes of names that are compared as they stand: enough for plain chains, which then need no numbers.
const DIRECT: usize = 4096;

pub(super) struct Names<'s> {
    certificates: &'s [(usize, Certificate<'s>)],
    direct: Cell<usize>,
    /// A number for each certificate's subject and issuer, the same for all forms of a name; made when they are needed.
    numbers: OnceCell<Vec<[usize; 2]>>,
}

#[derive(Clone, Copy)]
enum Part {
    Subject,
    Issuer,
}

impl<'s> Names<'s> {
    pub(super) const fn new(certificates: &'s [(usize, Certificate<'s>)]) -> Self {
        Self { certificates, direct: Cell::new(DIRECT), numbers: OnceCell::new() }
    }

    /// Whether the subject of the certificate at one place is the issuer of that at the other.
    pub(super) fn issued(&self, issuer: usize, certificate: usize) -> bool {
        self.same((issuer, Part::Subject), (certificate, Part::Issuer))
    }

    pub(super) fn same_subject(&self, one: usize, other: usize) -> bool {
        self.same((one, Part::Subject), (other, Part::Subject))
    }

    fn same(&self, one: (usize, Part), other: (usize, Part)) -> bool {
        if self.numbers.get().is_none() {
            let (Some(one), Some(other)) = (self.name(one), self.name(other)) else { return false };
            if let Some(left) = self.direct.get().checked_sub(one.len().min(other.len())) {
                self.direct.set(left);
                return compare::same(one, other);
            }
        }
        let number = |(place, part): (usize, Part)| {
            let [subject, issuer] = self.numbers().get(place)?;
            Some(if matches!(part, Part::Subject) { subject } else { issuer })
        };
        number(one).is_some_and(|found| Some(found) == number(other))
    }

    fn name(&self, (place, part): (usize, Part)) -> Option<&'s [u8]> {
        let (_, certificate) = self.certificates.get(place)?;
        Some(if matches!(part, Part::Subject) { certificate.subject_der() } else { certificate.issuer_der() })
    }

    fn numbers(&self) -> &[[usize; 2]] {
        self.numbers.get_or_init(|| {
            let mut known = HashMap::new();
            let mut number = |name: &[u8]| {
                let next = known.len();
                *known.entry(compare::canonical(name)).or_insert(next)
            };
            self.certificates.iter().map(|(_, c)| [number(c.subject_der()), number(c.issuer_der())]).collect()
        })
    }
}

/// What is found out of each certificate once, by its place.
pub(super) struct Once<T>(SmallVec<[Option<T>; PLAIN]>);

impl<T: Copy> Once<T> {
    pub(super) fn of(certificates: usize) -> Self {
        Self((0..certificates).map(|_| None).collect())
    }

    pub(super) fn get(&mut self, place: usize, find: impl FnOnce() -> T) -> T {
        match self.0.get_mut(place) {
            Some(known) => *known.get_or_insert_with(find),
            None => find(),
        }
    }
}
