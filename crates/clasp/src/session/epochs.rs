//! Secrets of epochs, from one secret and the clock: any epoch's in a fixed number of steps, none of an epoch that was
//! forgotten. And how far the clock is believed, which decides what is forgotten.

use crate::crypto::Hash;
use zeroize::{Zeroize, Zeroizing};

/// A binary tree of secrets with an epoch at each leaf: a node's secret derives its children's, and nothing above. To forget
/// the epochs up to one of them is to keep, instead of the secrets on the way down to it, those that branch off to the
/// right (the construction of Goldreich, Goldwasser and Micali, punctured from the left). So the epoch of a clock that is
/// a thousand years ahead costs as much as the next one, and what machines derive does not depend on the way they came.
pub(super) struct Tree {
    hash: &'static dyn Hash,
    /// The last epoch that was forgotten, along with all before it.
    forgotten: Option<u64>,
    /// The secret that branches off to the right at each height, where bit `height` of `forgotten` is zero: the subtree of
    /// epochs that are like `forgotten` above that bit, and have one there. The last is the whole tree's, until something
    /// is forgotten. They never move, so that no copy is left behind.
    seeds: Box<Zeroizing<[Seed; HEIGHT + 1]>>,
}

pub(super) type Seed = [u8; 32];

/// As many bits as the number of an epoch has.
const HEIGHT: usize = 64;

impl Tree {
    pub(super) fn new(hash: &'static dyn Hash, secret: &Seed) -> Self {
        let mut seeds = Box::new(Zeroizing::new([[0; 32]; HEIGHT + 1]));
        let [.., whole] = &mut **seeds;
        *whole = *derive(hash, secret, b"clasp ticket tree");
        Self { hash, forgotten: None, seeds }
    }

    /// The subtree that `number` stands in, unless that was forgotten. One goes down it elsewhere than under a lock.
    pub(super) fn above(&self, number: u64) -> Option<Branch> {
        let height = self.height(number)?;
        Some(Branch { hash: self.hash, height, seed: Zeroizing::new(*self.seeds.get(height)?) })
    }

    /// Where the path to `number` leaves the path to what was forgotten.
    fn height(&self, number: u64) -> Option<usize> {
        let Some(forgotten) = self.forgotten else { return Some(HEIGHT) };
        (number ^ forgotten).checked_ilog2().filter(|_| number > forgotten).map(|height| height as usize)
    }

    pub(super) fn is_forgotten(&self, number: u64) -> bool {
        self.height(number).is_none()
    }

    /// Forgets the epochs before `first`. False if they were forgotten already.
    pub(super) fn forget_before(&mut self, first: u64) -> bool {
        let Some(last) = first.checked_sub(1) else { return false };
        let Some(top) = self.height(last) else { return false };
        let mut seed = Zeroizing::new([0; 32]);
        if let Some(kept) = self.seeds.get_mut(top) {
            *seed = *kept;
            kept.zeroize();
        }
        for (height, kept) in self.seeds.iter_mut().enumerate().take(top).rev() {
            if is_right(last, height) {
                kept.zeroize();
            } else {
                *kept = *child(self.hash, &seed, true);
            }
            seed = child(self.hash, &seed, is_right(last, height));
        }
        self.forgotten = Some(last);
        true
    }
}

/// The secret of a subtree.
pub(super) struct Branch {
    hash: &'static dyn Hash,
    height: usize,
    seed: Zeroizing<Seed>,
}

impl Branch {
    /// Goes down to an epoch of this subtree.
    pub(super) fn epoch(self, number: u64) -> Zeroizing<Seed> {
        (0..self.height).rev().fold(self.seed, |seed, height| child(self.hash, &seed, is_right(number, height)))
    }
}

fn is_right(number: u64, height: usize) -> bool {
    number >> height & 1 == 1
}

fn child(hash: &dyn Hash, seed: &Seed, right: bool) -> Zeroizing<Seed> {
    derive(hash, seed, if right { b"clasp ticket right" } else { b"clasp ticket left" })
}

pub(super) fn derive(hash: &dyn Hash, seed: &Seed, label: &[u8]) -> Zeroizing<Seed> {
    let mut out = Zeroizing::new([0; 32]);
    hash.keyed(seed, &mut |hmac| hmac.sign(&[label], &mut *out));
    out
}

/// What is forgotten cannot be had again, and clocks err: a time server that is wrong for an hour must not cost a machine
/// its fleet. So a clock that leaps (by more than `span`, or at the start, when nothing is known of it) is not believed at
/// once: only when it has gone on from there for a span. Until then nothing is forgotten, and if it comes back everything
/// is as it was. A clock that runs, or rests for less than a span, is believed at every step.
#[derive(Debug)]
pub(super) struct Belief {
    span: u64,
    /// The latest time that is believed.
    time: u64,
    /// Where a leap that is not believed yet began, and the latest time since.
    leap: Option<(u64, u64)>,
    /// What is added to a clock that has come back from a leap that was believed: its own time's keys are gone.
    ahead: u64,
}

impl Belief {
    /// A clock that nothing is known of.
    pub(super) const fn new(span: u64) -> Self {
        Self { span, time: 0, leap: None, ahead: 0 }
    }

    /// The latest time that is believed.
    pub(super) const fn time(&self) -> u64 {
        self.time
    }

    /// Takes note of the clock; returns the time whose key is to be used, which is the clock's own wherever that is not
    /// `gone`.
    pub(super) fn look(&mut self, now: u64, gone: impl Fn(u64) -> bool) -> u64 {
        if now >= self.time {
            self.ahead = 0;
        }
        let mut now = now.saturating_add(self.ahead);
        if gone(now) {
            self.ahead = self.ahead.saturating_add(self.time.saturating_sub(now));
            now = self.time.max(now);
        }
        if let Some((first, last)) = self.leap.filter(|(first, _)| now.saturating_sub(*first) >= self.span) {
            debug_assert!(first <= last, "a leap that ends before it begins");
            self.time = last;
            self.leap = None;
        }
        if now <= self.time {
            self.leap = None;
        } else if now.saturating_sub(self.time) <= self.span {
            self.time = now;
            self.leap = None;
        } else {
            self.leap = match self.leap {
                Some((first, last)) if first <= now => Some((first, last.max(now))),
                _ => Some((now, now)),
            };
        }
        now
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use crate::crypto::{HashId, Provider};

    fn tree() -> Tree {
        Tree::new(Provider::builtin().hash(HashId::Sha256).unwrap(), &[7; 32])
    }

    fn secret(tree: &Tree, number: u64) -> Option<Zeroizing<Seed>> {
        tree.above(number).map(|branch| branch.epoch(number))
    }

    /// Numbers that differ in high bits, in low bits, and by one.
    fn numbers() -> Vec<u64> {
        let edges = (0..64).flat_map(|bit| [1_u64 << bit, (1 << bit) - 1, (1 << bit) + 1]);
        let mut numbers: Vec<u64> = edges.chain([0, 498_611, u64::MAX - 1, u64::MAX]).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    #[test]
    fn an_epochs_secret_is_the_same_whatever_was_forgotten_before_it() {
        let (whole, mut walked) = (tree(), tree());
        for number in numbers() {
            let expected = secret(&whole, number).unwrap();
            walked.forget_before(number);
            assert_eq!(*secret(&walked, number).unwrap(), *expected, "epoch {number} after a walk");
            let mut leapt = tree();
            leapt.forget_before(number);
            assert_eq!(*secret(&leapt, number).unwrap(), *expected, "epoch {number} after a leap");
            assert_eq!(*secret(&leapt, u64::MAX).unwrap(), *secret(&whole, u64::MAX).unwrap());
        }
    }

    #[test]
    fn epochs_have_secrets_of_their_own() {
        let tree = tree();
        let mut secrets: Vec<Seed> = numbers().into_iter().map(|n| *secret(&tree, n).unwrap()).collect();
        let count = secrets.len();
        secrets.sort_unstable();
        secrets.dedup();
        assert_eq!(secrets.len(), count);
    }

    /// Forward secrecy: no secret that is kept is one from which an epoch that was forgotten could be derived.
    #[test]
    fn what_was_forgotten_is_gone() {
        let numbers = numbers();
        for first in &numbers {
            let mut tree = tree();
            tree.forget_before(*first);
            for number in numbers.iter().filter(|n| *n < first) {
                assert!(tree.is_forgotten(*number) && secret(&tree, *number).is_none(), "{number} before {first}");
            }
            assert!(!tree.is_forgotten(*first), "{first} itself");
            let Some(last) = first.checked_sub(1) else { continue };
            assert!(!tree.forget_before(*first) && !tree.forget_before(last), "it was forgotten already");
            for (height, seed) in tree.seeds.iter().enumerate() {
                let kept = height < HEIGHT && !is_right(last, height);
                assert_eq!(*seed != [0; 32], kept, "the secret at height {height}, before {first}");
            }
        }
    }

    fn never(_: u64) -> bool {
        false
    }

    #[test]
    fn a_clock_that_runs_is_believed_and_one_that_leaps_is_not() {
        let mut belief = Belief::new(10);
        for now in [5, 15, 15, 20, 12] {
            assert_eq!(belief.look(now, never), now);
        }
        assert_eq!(belief.time(), 20);
        for now in [1000, 1005, 1009, 21] {
            belief.look(now, never);
        }
        assert_eq!(belief.time(), 21, "an excursion of less than a span is forgiven");
        for now in [1000, 1005, 1010] {
            belief.look(now, never);
        }
        assert_eq!(belief.time(), 1010, "a clock that goes on for a span is believed");
    }

    #[test]
    fn a_clock_seen_seldom_is_believed_one_look_later() {
        let mut belief = Belief::new(10);
        for day in 1..9 {
            belief.look(day * 100, never);
            assert_eq!(belief.time(), (day - 1) * 100);
        }
    }

    #[test]
    fn a_clock_that_came_back_from_a_leap_that_was_believed_goes_on_ahead() {
        let mut belief = Belief::new(10);
        for now in [5, 1000, 1005, 1010] {
            belief.look(now, never);
        }
        let gone = |time: u64| time < 1000;
        assert_eq!([20, 25, 30].map(|now| belief.look(now, gone)), [1010, 1015, 1020]);
        assert_eq!(belief.look(1500, gone), 1500, "its own time has come");
        assert_eq!(belief.look(1499, gone), 1499);
    }

    #[test]
    fn a_clock_that_leaps_back_within_a_leap_begins_it_anew() {
        let mut belief = Belief::new(10);
        for now in [5, 1000, 900, 905, 909] {
            belief.look(now, never);
        }
        assert_eq!(belief.time(), 5, "it has gone on for 9 seconds from 900");
        belief.look(1010, never);
        assert_eq!(belief.time(), 909, "from 900 to 1010, and the look before is believed");
        assert_eq!(belief.look(1010, never), 1010);
    }
}
