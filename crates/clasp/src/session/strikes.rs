//! What was claimed already: the early data of one ClientHello must arrive once only (RFC 9846 8.2). Bounded; when it is
//! full, early data is refused, which costs a round trip and never safety.

use core::hash::BuildHasher;
use std::collections::{HashSet, VecDeque};
use std::hash::RandomState;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// Claims are spread over as many locks.
const SHARDS: usize = 16;
/// Claims kept at most, for each lock.
const MAX_CLAIMS: usize = (1 << 16) / SHARDS;
/// Lapsed claims that make room with each new one: more than one, so that they come to an end, and no more than a few, so
/// that no claim waits long.
const SWEPT: usize = 4;

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
}

impl StrikeRegister {
    /// True if `id` was not claimed yet and there was room to note it.
    pub(super) fn claim(&self, id: &[u8], now: SystemTime, until: SystemTime) -> bool {
        let name = [self.hashers[0].hash_one(id), self.hashers[1].hash_one(id)];
        let place = usize::try_from(name[0] % SHARDS as u64).unwrap_or(0);
        let mut claims = self.shards[place].lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..SWEPT {
            match claims.order.front().copied() {
                Some((until, lapsed)) if until < now => {
                    claims.order.pop_front();
                    claims.taken.remove(&lapsed);
                }
                _ => break,
            }
        }
        if claims.taken.len() >= MAX_CLAIMS || !claims.taken.insert(name) {
            return false;
        }
        claims.order.push_back((until, name));
        true
    }
}

#[cfg(test)]
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
        assert!(register.claim(b"one", at(111), at(121)), "the claim has lapsed");
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
