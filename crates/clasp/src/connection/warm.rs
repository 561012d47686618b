//! Keys of connections that wait. How long a connection will wait nobody can tell, and there is no clock here: so its keys
//! stand in this ring meanwhile, which has places for so many connections and no more. Those that have waited longest
//! lose theirs, and make them again of their secrets.

use crate::record::{OpenKeys, SealKeys};
use core::num::NonZeroU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Connections whose keys are kept: with an AEAD about a megabyte and a half for the whole process.
const PLACES: usize = 1024;

static RING: Mutex<Ring> = Mutex::new(Ring { places: Vec::new(), next: NonZeroU64::MIN });

fn ring() -> MutexGuard<'static, Ring> {
    RING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection's two directions.
pub(super) type Keys = (OpenKeys, SealKeys);

struct Ring {
    /// With the number of each. Number `n` stands at `n % PLACES`, or nowhere.
    places: Vec<Option<(NonZeroU64, Keys)>>,
    /// The number that the next will have.
    next: NonZeroU64,
}

impl Ring {
    /// Gives the keys' number, and those that had their place.
    fn put(&mut self, keys: Keys) -> (NonZeroU64, Option<Keys>) {
        let number = self.next;
        self.next = number.saturating_add(1);
        let at = place(number);
        if at >= self.places.len() {
            self.places.resize_with(at + 1, || None);
        }
        let before = self.places.get_mut(at).and_then(|place| place.replace((number, keys)));
        (number, before.map(|(_, keys)| keys))
    }

    fn take(&mut self, number: NonZeroU64) -> Option<Keys> {
        let place = self.places.get_mut(place(number))?;
        place.take_if(|(at, _)| *at == number).map(|(_, keys)| keys)
    }
}

fn place(number: NonZeroU64) -> usize {
    usize::try_from(number.get() % PLACES as u64).unwrap_or_default()
}

/// The right to keys that were put into the ring; they go with it. The default is a right to none.
#[derive(Default)]
pub(super) struct Claim(Option<NonZeroU64>);

impl Claim {
    pub(super) fn put(keys: Keys) -> Self {
        let (number, _gone_once_the_ring_is_free) = ring().put(keys);
        Self(Some(number))
    }

    /// The keys, if they are still there.
    pub(super) fn take(&mut self) -> Option<Keys> {
        let number = self.0.take()?;
        ring().take(number)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        drop(self.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Opener, Sealer};

    fn keys() -> Keys {
        (Opener::default().rest(), Sealer::default().rest())
    }

    fn empty() -> Ring {
        Ring { places: Vec::new(), next: NonZeroU64::MIN }
    }

    #[test]
    fn those_that_wait_longest_lose_their_place() {
        let mut ring = empty();
        let numbers: Vec<_> = (0..3 * PLACES).map(|_| ring.put(keys()).0).collect();
        assert_eq!(ring.places.len(), PLACES);
        let (lost, kept) = numbers.split_at(2 * PLACES);
        assert!(lost.iter().all(|n| ring.take(*n).is_none()), "the place is another's");
        assert!(kept.iter().all(|n| ring.take(*n).is_some()));
        assert!(kept.iter().all(|n| ring.take(*n).is_none()), "taken before");
    }

    #[test]
    fn one_that_comes_and_goes_takes_only_its_own() {
        let mut ring = empty();
        let (waits, _) = ring.put(keys());
        for _ in 1..PLACES {
            let (busy, put_out) = ring.put(keys());
            assert!(put_out.is_none());
            assert!(ring.take(busy).is_some());
        }
        assert!(ring.take(waits).is_some());
    }

    #[test]
    fn keys_go_with_the_connection_that_has_a_right_to_them() {
        let claim = Claim::put(keys());
        let number = claim.0.unwrap();
        drop(claim);
        assert!(ring().take(number).is_none());
        let mut claim = Claim::put(keys());
        assert!(claim.take().is_some() && claim.take().is_none());
    }
}
