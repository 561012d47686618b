//! Keys of connections that wait. How long a connection will wait nobody can tell, and there is no clock here: so keys are
//! kept for so many connections and no more.
//!
//! The first to wait take a seat each, and keep their keys where they are: with no more connections than that, none
//! touches what others do. The keys of all others stand in a ring meanwhile; those that have waited longest lose their
//! place, and make them again of their secrets.

use crate::record::{OpenKeys, SealKeys};
use core::num::NonZeroU64;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Connections whose keys are kept where they are, and in the ring: with an AEAD about a megabyte and a half for all of
/// them, in the whole process.
const SEATS: usize = 256;
const PLACES: usize = 768;

static SEATED: AtomicUsize = AtomicUsize::new(0);

/// A connection's right to keep its keys while it waits, once it has taken a seat. The default is none.
#[derive(Default)]
pub(super) struct Seat(bool);

impl Seat {
    /// Takes a seat, if there is one and the connection has none. Whether it has one.
    pub(super) fn take(&mut self) -> bool {
        let free = |seated: usize| (seated < SEATS).then(|| seated.saturating_add(1));
        self.0 = self.0 || SEATED.fetch_update(Relaxed, Relaxed, free).is_ok();
        self.0
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.0 {
            SEATED.fetch_sub(1, Relaxed);
        }
    }
}

static RING: Mutex<Ring> = Mutex::new(Ring { places: Vec::new(), next: NonZeroU64::MIN });

fn ring() -> MutexGuard<'static, Ring> {
    RING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Those of a connection's two directions that it had at hand.
pub(super) type Keys = (Option<OpenKeys>, Option<SealKeys>);

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
            self.places.resize_with(at.saturating_add(1), || None);
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
    const COUNT: u64 = PLACES as u64;
    usize::try_from(number.get() % COUNT).unwrap_or_default()
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
    fn the_first_have_seats_and_leave_them() {
        // Connections of other tests may have some.
        const OTHERS: usize = SEATS / 2;
        let seats = || (0..2 * SEATS).map(|_| Seat::default()).collect::<Vec<_>>();
        for _ in 0..3 {
            let mut seats = seats();
            let first: Vec<_> = seats.iter_mut().map(Seat::take).collect();
            let seated = first.iter().filter(|had| **had).count();
            assert!((SEATS - OTHERS..=SEATS).contains(&seated), "{seated}");
            assert!(first.iter().zip(&mut seats).all(|(had, seat)| !had || seat.take()), "it keeps the one it has");
        }
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
