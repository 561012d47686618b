//! What was claimed already: the early data of one ClientHello must arrive once only (RFC 9846 8.2). Bounded; when it is
//! full, early data is refused, which costs a round trip and never safety.

use core::hash::BuildHasher;
use std::collections::{HashSet, VecDeque};
use std::hash::RandomState;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Claims are spread over as many locks.
const SHARDS: usize = 16;
/// Claims kept at most, for each lock.
const MAX_CLAIMS: usize = (1 << 16) / SHARDS;
/// Lapsed claims that make room with each new one: more than one, so that they come to an end, and no more than a few, so
/// that no claim waits long.
const SWEPT: usize = 4;

/// Marks of what was forgotten, for each lock: so many that what a clock in error has forgotten hinders few others.
const MARKS: usize = 4096;

/// A register of claims in this process.
#[derive(Default)]
pub(super) struct StrikeRegister {
    shards: [Mutex<Claims>; SHARDS],
    /// Two keyed hashes stand for an ID. Two IDs with the same would be one early data refused for nothing.
    hashers: [RandomState; 2],
}

#[derive(Default)]
struct Claims {
    taken: HashSet<[u64; 2]>,
    /// By the time they were made; every claim lasts about as long as the next.
    order: VecDeque<(SystemTime, [u64; 2])>,
    /// The last second in which a claim counted that has gone, for each mark. A clock that is set back, or has leapt ahead and
    /// comes back, makes hellos fresh whose claims are gone; up to that second nothing with the mark is taken.
    forgotten: Vec<u32>,
}

impl Claims {
    /// By whole seconds, so that while the clock goes on nothing that was forgotten is in anybody's way.
    fn sweep(&mut self, now: u32) {
        for _ in 0..SWEPT {
            match self.order.front().copied() {
                Some((until, lapsed)) if seconds(until) < now => {
                    self.order.pop_front();
                    self.taken.remove(&lapsed);
                    self.forgotten.resize(MARKS, 0);
                    if let Some(last) = self.forgotten.get_mut(mark(lapsed)) {
                        *last = (*last).max(seconds(until));
                    }
                }
                _ => break,
            }
        }
    }

    /// Whether a claim by this name that would count now may have gone.
    fn may_have_gone(&self, name: [u64; 2], now: u32) -> bool {
        self.forgotten.get(mark(name)).is_some_and(|last| now <= *last)
    }
}

fn mark(name: [u64; 2]) -> usize {
    const COUNT: u64 = MARKS as u64;
    usize::try_from(name[1] % COUNT).unwrap_or(0)
}

/// Whole seconds since 1970, as far as they reach.
fn seconds(time: SystemTime) -> u32 {
    u32::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()).unwrap_or(u32::MAX)
}

impl StrikeRegister {
    /// True if `id` was not claimed yet, as far as can be known, and there was room to note it.
    #[expect(clippy::indexing_slicing, reason = "a remainder is less than what was divided by")]
    pub(super) fn claim(&self, id: &[u8], now: SystemTime, until: SystemTime) -> bool {
        let name = [self.hashers[0].hash_one(id), self.hashers[1].hash_one(id)];
        let [low, ..] = name[0].to_le_bytes();
        let mut claims = self.shards[usize::from(low) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner);
        let now = seconds(now);
        claims.sweep(now);
        if claims.may_have_gone(name, now) || claims.taken.len() >= MAX_CLAIMS || !claims.taken.insert(name) {
            return false;
        }
        claims.order.push_back((until, name));
        true
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn early_data_replay_each_claim_is_taken_once() {
        let register = StrikeRegister::default();
        assert!(register.claim(b"one", at(100), at(110)));
        assert!(!register.claim(b"one", at(105), at(115)));
        assert!(register.claim(b"two", at(105), at(115)));
        assert!(!register.claim(b"one", at(110), at(120)), "its last second");
        assert!(register.claim(b"one", at(111), at(121)), "the claim has lapsed");
        assert!(!register.claim(b"one", at(110), at(120)), "a clock that has gone back to that second");
    }

    #[test]
    fn early_data_replay_what_was_forgotten_is_not_taken_by_a_clock_that_has_gone_back() {
        let register = StrikeRegister::default();
        let name = |n: usize| n.to_be_bytes();
        assert!((0..500).all(|n| register.claim(&name(n), at(100), at(110))));
        // Others sweep them away.
        let later = |from: usize, time| {
            (from..from + 1000).filter(|n| register.claim(&name(*n), at(time), at(time + 10))).count()
        };
        assert_eq!(later(500, 111), 1000, "nothing is in the way of a clock that goes on");
        assert!((0..500).all(|n| !register.claim(&name(n), at(103), at(113))), "a replay was taken");
        assert!(later(1500, 103) > 900, "others are hardly hindered");
    }

    #[test]
    fn a_full_register_refuses_and_does_not_grow() {
        let register = StrikeRegister::default();
        let claim = |n: usize, now, until| register.claim(&n.to_be_bytes(), at(now), at(until));
        let kept = || register.shards.iter().map(|shard| shard.lock().unwrap().taken.len()).sum::<usize>();
        let taken = (0..2 * SHARDS * MAX_CLAIMS).filter(|n| claim(*n, 100, 110)).count();
        assert_eq!((taken, kept()), (SHARDS * MAX_CLAIMS, SHARDS * MAX_CLAIMS));
        assert!(!claim(usize::MAX, 100, 110));
        // Lapsed claims go a few at a time, and faster than new ones come.
        for n in 0..SHARDS * MAX_CLAIMS / 2 {
            assert!(claim(usize::MAX - n, 111, 200));
        }
        assert_eq!(kept(), SHARDS * MAX_CLAIMS / 2, "lapsed claims have gone");
    }
}
