//! What was claimed already: early data must arrive once only (RFC 9846 8.2). Bounded; when it is full, early data is
//! refused, which costs a round trip and never safety.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// Claims kept at most.
const MAX_CLAIMS: usize = 1 << 16;

/// A register of claims in this process.
#[derive(Default)]
pub(super) struct StrikeRegister(Mutex<Claims>);

#[derive(Default)]
struct Claims {
    taken: HashSet<Box<[u8]>>,
    /// By the time they were made; every claim lasts about as long as the next.
    order: VecDeque<(SystemTime, Box<[u8]>)>,
}

impl StrikeRegister {
    /// True if `id` was not claimed yet and there was room to note it.
    pub(super) fn claim(&self, id: &[u8], now: SystemTime, until: SystemTime) -> bool {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while claims.order.front().is_some_and(|(until, _)| *until < now) {
            if let Some((_, old)) = claims.order.pop_front() {
                claims.taken.remove(&old);
            }
        }
        if claims.taken.len() >= MAX_CLAIMS || claims.taken.contains(id) {
            return false;
        }
        claims.taken.insert(id.into());
        claims.order.push_back((until, id.into()));
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
        for n in 0..MAX_CLAIMS {
            assert!(register.claim(&n.to_be_bytes(), at(100), at(110)));
        }
        assert!(!register.claim(b"more", at(100), at(110)));
        assert_eq!(register.0.lock().unwrap().taken.len(), MAX_CLAIMS);
        assert!(register.claim(b"more", at(111), at(120)), "lapsed claims make room");
        assert_eq!(register.0.lock().unwrap().taken.len(), 1);
    }
}
