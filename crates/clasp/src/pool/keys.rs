//! Keys of connections that wait. How long a connection will wait nobody can tell, and there is no clock here: so keys are
//! kept for so many connections and no more.
//!
//! The first to wait take a seat each, and keep their keys where they are: with no more connections than that, none
//! touches what others do. The keys of all others stand in a ring meanwhile; those that have waited longest lose their
//! place, and make them again of their secrets.

use super::Pool;
use crate::record::{OpenKeys, SealKeys};
use core::num::NonZeroU64;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Those of a connection's two directions that it had at hand.
pub(crate) type BothKeys = (Option<OpenKeys>, Option<SealKeys>);

/// The seats and the ring of a pool.
pub(super) struct Keys {
    seated: AtomicUsize,
    seats: usize,
    ring: Mutex<Ring>,
}

impl Keys {
    pub(super) const fn new(seats: usize, places: usize) -> Self {
        let ring = Ring { most: places, places: Vec::new(), next: NonZeroU64::MIN };
        Self { seated: AtomicUsize::new(0), seats, ring: Mutex::new(ring) }
    }

    /// Takes a seat, if there is one.
    fn sit(&self) -> bool {
        let free = |seated: usize| (seated < self.seats).then(|| seated.saturating_add(1));
        self.seated.fetch_update(Relaxed, Relaxed, free).is_ok()
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Ring {
    most: usize,
    /// With the number of each. Number `n` stands at `n % most`, or nowhere.
    places: Vec<Option<(NonZeroU64, BothKeys)>>,
    /// The number that the next will have.
    next: NonZeroU64,
}

impl Ring {
    /// Gives the keys' number, and what is to be dropped: those that had their place, or themselves if there is none.
    fn put(&mut self, keys: BothKeys) -> (Option<NonZeroU64>, Option<BothKeys>) {
        let number = self.next;
        let Some(at) = self.place(number) else { return (None, Some(keys)) };
        self.next = number.saturating_add(1);
        if at >= self.places.len() {
            self.places.resize_with(at.saturating_add(1), || None);
        }
        let before = self.places.get_mut(at).and_then(|place| place.replace((number, keys)));
        (Some(number), before.map(|(_, keys)| keys))
    }

    fn take(&mut self, number: NonZeroU64) -> Option<BothKeys> {
        let at = self.place(number)?;
        self.places.get_mut(at)?.take_if(|(at, _)| *at == number).map(|(_, keys)| keys)
    }

    fn place(&self, number: NonZeroU64) -> Option<usize> {
        usize::try_from(number.get().checked_rem(self.most as u64)?).ok()
    }
}

/// What a connection has in a pool while it waits: a seat, which is the right to keep its keys; or a right to keys that were
/// put into the ring, which go with it; or neither.
pub(crate) struct Standby {
    pool: Pool,
    has: Option<NonZeroU64>,
}

impl Standby {
    /// In place of a number in the ring, which none reaches.
    const SEAT: NonZeroU64 = NonZeroU64::MAX;

    pub(crate) const fn of(pool: Pool) -> Self {
        Self { pool, has: None }
    }

    pub(crate) const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Takes a seat, if there is one and the connection has none. Whether it has one: its keys stay where they are.
    pub(crate) fn sit(&mut self) -> bool {
        if self.has == Some(Self::SEAT) {
            return true;
        }
        let sits = self.pool.keys().sit();
        if sits {
            self.leave();
            self.has = Some(Self::SEAT);
        }
        sits
    }

    /// Puts keys aside.
    pub(crate) fn put(&mut self, keys: BothKeys) {
        self.leave();
        let (number, _gone_once_the_ring_is_free) = self.pool.keys().ring().put(keys);
        self.has = number;
    }

    /// What was put aside, if it is still there.
    pub(crate) fn take(&mut self) -> Option<BothKeys> {
        let number = self.has.take_if(|number| *number != Self::SEAT)?;
        self.pool.keys().ring().take(number)
    }

    /// Gives up the seat, or the keys that were put aside.
    pub(crate) fn leave(&mut self) {
        drop(self.take());
        if self.has.take().is_some() {
            self.pool.keys().seated.fetch_sub(1, Relaxed);
        }
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::PoolSizes;
    use crate::record::{Opener, Sealer};

    /// Of the default sizes.
    const SEATS: usize = 256;
    const PLACES: usize = 768;

    fn keys() -> BothKeys {
        (Opener::default().rest(), Sealer::default().rest())
    }

    fn empty() -> Ring {
        Ring { most: PLACES, places: Vec::new(), next: NonZeroU64::MIN }
    }

    fn many(pool: &Pool, count: usize) -> Vec<Standby> {
        (0..count).map(|_| Standby::of(pool.clone())).collect()
    }

    /// Of so many that come to wait, how many keep their keys in place, and how many find them again.
    fn kept(pool: &Pool, count: usize) -> (usize, usize) {
        let mut waiting = many(pool, count);
        for one in &mut waiting {
            if !one.sit() {
                one.put(keys());
            }
        }
        let found = waiting.iter_mut().filter_map(Standby::take).count();
        (waiting.iter().filter(|one| one.has == Some(Standby::SEAT)).count(), found)
    }

    #[test]
    fn the_first_have_seats_and_leave_them() {
        let pool = Pool::new();
        for _ in 0..3 {
            let mut seats = many(&pool, 2 * SEATS);
            let first: Vec<_> = seats.iter_mut().map(Standby::sit).collect();
            assert_eq!(first.iter().filter(|had| **had).count(), SEATS);
            assert!(first.iter().zip(&mut seats).all(|(had, seat)| !had || seat.sit()), "it keeps the one it has");
            let last = seats.last_mut().unwrap();
            last.put(keys());
            assert!(!last.sit());
            seats[0].leave();
            let last = seats.last_mut().unwrap();
            assert!(last.sit() && last.take().is_none(), "one that sits has nothing aside");
        }
    }

    #[test]
    fn sizes_are_held() {
        for (in_place, aside) in [(0, 0), (0, 1), (1, 0), (3, 5), (40, 7)] {
            let sizes = PoolSizes::default().keys_in_place(in_place).keys_aside(aside);
            assert_eq!(kept(&Pool::with_sizes(sizes), 100), (in_place, aside));
        }
        assert_eq!(kept(&Pool::new(), 2000), (SEATS, PLACES));
        assert_eq!(PoolSizes::default().keys_aside(usize::MAX).aside, 65_536);
    }

    #[test]
    fn a_pool_that_is_off_keeps_no_keys() {
        assert_eq!(kept(&Pool::off(), 100), (0, 0));
        let pool = Pool::off();
        kept(&pool, 100);
        assert!(pool.keys().ring().places.is_empty());
    }

    #[test]
    fn pools_share_neither_seats_nor_places() {
        let sizes = PoolSizes::default().keys_in_place(1).keys_aside(1);
        let (one, other) = (Pool::with_sizes(sizes), Pool::with_sizes(sizes));
        let (mut seated, mut aside) = (Standby::of(one.clone()), Standby::of(one.clone()));
        assert!(seated.sit() && !aside.sit());
        aside.put(keys());
        assert_eq!(kept(&other, 10), (1, 1));
        assert!(aside.take().is_some());
        aside.put(keys());
        assert_eq!(kept(&one, 10), (0, 1), "the same pool");
        assert!(aside.take().is_none());
    }

    #[test]
    fn those_that_wait_longest_lose_their_place() {
        let mut ring = empty();
        let numbers: Vec<_> = (0..3 * PLACES).map(|_| ring.put(keys()).0.unwrap()).collect();
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
            assert!(ring.take(busy.unwrap()).is_some());
        }
        assert!(ring.take(waits.unwrap()).is_some());
    }

    #[test]
    fn keys_go_with_the_connection_that_has_a_right_to_them() {
        let pool = Pool::new();
        let mut one = Standby::of(pool.clone());
        one.put(keys());
        let number = one.has.unwrap();
        drop(one);
        assert!(pool.keys().ring().take(number).is_none());
        let mut one = Standby::of(pool);
        one.put(keys());
        assert!(one.take().is_some() && one.take().is_none());
    }
}
