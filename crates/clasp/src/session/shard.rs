//! One shard of the session cache: slots in blocks, found by a hash, in the order of their last use.
//!
//! Nothing here takes longer when there are more sessions. The index has its full size from the start; blocks are
//! added and never moved, so that no copy of a secret is left behind; and expired sessions are found by a hand that looks
//! at a few slots with every call. A session that is longer than a slot stands in several.

use crate::copy::copy;
use core::hash::BuildHasher;
use core::num::NonZeroU32;
use std::hash::RandomState;
use zeroize::{Zeroize, Zeroizing};

/// A slot's number, counted from 1.
type Link = Option<NonZeroU32>;

/// The longest session ID: RFC 5246 7.4.1.2. The tickets of TLS 1.3 that stand for a kept session are as long.
const MAX_ID: usize = 32;
/// Bytes of a session in one slot: all of most, with names of 29 bytes in them.
const ROOM: usize = 120;
/// Slots that are taken from the heap together.
const BLOCK: usize = 32;
/// Slots that the hand looks at with each call: more than a call adds in the usual case, so that it keeps up.
const SWEPT: usize = 2;

/// What one slot takes, with its part of the index.
pub(super) const SLOT_BYTES: usize = size_of::<Slot>() + size_of::<Link>();

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Free,
    /// The beginning of a session.
    Session,
    /// The rest of one.
    Rest,
}

struct Slot {
    id: [u8; MAX_ID],
    sealed: [u8; ROOM],
    /// Seconds since 1970.
    until: u32,
    /// The next slot in the chain of one hash, or the next free one.
    next: Link,
    newer: Link,
    older: Link,
    /// The slot where the session goes on.
    rest: Link,
    id_len: u8,
    len: u8,
    role: Role,
}

impl Slot {
    const fn free(next: Link) -> Self {
        Self {
            id: [0; MAX_ID],
            sealed: [0; ROOM],
            until: 0,
            next,
            newer: None,
            older: None,
            rest: None,
            id_len: 0,
            len: 0,
            role: Role::Free,
        }
    }

    fn id(&self) -> &[u8] {
        self.id.get(..usize::from(self.id_len)).unwrap_or_default()
    }

    fn sealed(&self) -> &[u8] {
        self.sealed.get(..usize::from(self.len)).unwrap_or_default()
    }
}

pub(super) struct Shard {
    hasher: RandomState,
    blocks: Vec<Box<[Slot]>>,
    /// The chain of each hash.
    heads: Vec<Link>,
    free: Link,
    newest: Link,
    oldest: Link,
    /// Slots there may be, there are, and are in use.
    most: usize,
    slots: usize,
    used: usize,
    sessions: usize,
    /// The slot the hand looked at last.
    hand: usize,
    /// The time, as the last call had it.
    now: u32,
}

impl Shard {
    /// Of at most `bytes` bytes. `hasher` is the one that the callers hash IDs with.
    pub(super) fn new(bytes: usize, hasher: RandomState) -> Self {
        const MOST: usize = u32::MAX as usize - 1;
        let most = (bytes / SLOT_BYTES).min(MOST);
        Self {
            hasher,
            blocks: Vec::new(),
            // Zeros, which the system gives for nothing until they are written.
            heads: vec![None; most.max(1)],
            free: None,
            newest: None,
            oldest: None,
            most,
            slots: 0,
            used: 0,
            sessions: 0,
            hand: 0,
            now: 0,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.sessions
    }

    /// Keeps a session, in the place of the least recently used ones if there is no other.
    pub(super) fn put(&mut self, hash: u64, id: &[u8], sealed: &[u8], until: u32) {
        self.sweep();
        if let Some(old) = self.find(hash, id) {
            self.remove(hash, old);
        }
        let (first, rest) = sealed.split_at(sealed.len().min(ROOM));
        let needed = rest.len().div_ceil(ROOM).saturating_add(1);
        if id.len() > MAX_ID || needed > self.most {
            return;
        }
        while self.most.saturating_sub(self.used) < needed
            && let Some(oldest) = self.oldest
        {
            self.remove(self.hasher.hash_one(self.at(oldest).id()), oldest);
        }
        let mut more = None;
        for piece in rest.chunks(ROOM).rev() {
            more = Some(self.fill(Role::Rest, piece, more));
        }
        let link = self.fill(Role::Session, first, more);
        let next = self.head(hash).replace(link);
        let slot = self.at_mut(link);
        copy(id, &mut slot.id);
        slot.id_len = narrow(id.len());
        slot.until = until;
        slot.next = next;
        self.sessions = self.sessions.saturating_add(1);
        self.attach(link);
    }

    /// A copy of a session that has not expired.
    pub(super) fn get(&mut self, hash: u64, id: &[u8], now: u32) -> Option<Zeroizing<Vec<u8>>> {
        self.now = now;
        self.sweep();
        let found = self.find(hash, id)?;
        if self.at(found).until < now {
            self.remove(hash, found);
            return None;
        }
        self.detach(found);
        self.attach(found);
        let pieces = || core::iter::successors(Some(self.at(found)), |slot| slot.rest.map(|rest| self.at(rest)));
        // The room is taken at once: growing would leave a copy behind.
        let mut whole = Zeroizing::new(Vec::with_capacity(pieces().map(|slot| slot.sealed().len()).sum()));
        pieces().for_each(|slot| whole.extend_from_slice(slot.sealed()));
        Some(whole)
    }

    pub(super) fn forget(&mut self, hash: u64, id: &[u8]) {
        if let Some(found) = self.find(hash, id) {
            self.remove(hash, found);
        }
    }

    /// Moves the hand on; what has expired goes.
    fn sweep(&mut self) {
        for _ in 0..SWEPT.min(self.slots) {
            self.hand = self.hand.saturating_add(1);
            if self.hand >= self.slots {
                self.hand = 0;
            }
            let Some(link) = link(self.hand) else { return };
            let slot = self.at(link);
            if slot.role == Role::Session && slot.until < self.now {
                self.remove(self.hasher.hash_one(slot.id()), link);
            }
        }
    }

    /// Where the chain of a hash begins. Hashes are spread over the index; their low bits have chosen the shard already.
    #[expect(clippy::indexing_slicing, reason = "a product with less than 2^64, divided by 2^64, is below the length")]
    fn head(&mut self, hash: u64) -> &mut Link {
        let place = u128::from(hash).saturating_mul(self.heads.len() as u128) >> 64;
        &mut self.heads[usize::try_from(place).unwrap_or(0)]
    }

    fn find(&mut self, hash: u64, id: &[u8]) -> Link {
        let mut link = *self.head(hash);
        while let Some(here) = link
            && self.at(here).id() != id
        {
            link = self.at(here).next;
        }
        link
    }

    /// Takes a session out and wipes it.
    fn remove(&mut self, hash: u64, link: NonZeroU32) {
        self.detach(link);
        let next = self.at(link).next;
        let head = self.head(hash);
        if *head == Some(link) {
            *head = next;
        } else {
            let mut before = *head;
            while let Some(here) = before {
                let slot = self.at_mut(here);
                if slot.next == Some(link) {
                    slot.next = next;
                    break;
                }
                before = slot.next;
            }
        }
        self.sessions = self.sessions.saturating_sub(1);
        let mut piece = Some(link);
        while let Some(here) = piece {
            let free = self.free.replace(here);
            let slot = self.at_mut(here);
            piece = slot.rest.take();
            slot.sealed.zeroize();
            slot.next = free;
            slot.role = Role::Free;
            self.used = self.used.saturating_sub(1);
        }
    }

    /// Puts bytes into a free slot; the caller has seen to it that there may be one more.
    fn fill(&mut self, role: Role, piece: &[u8], rest: Link) -> NonZeroU32 {
        let place = self.free.unwrap_or_else(|| self.grow());
        let slot = self.at_mut(place);
        copy(piece, &mut slot.sealed);
        slot.len = narrow(piece.len());
        slot.rest = rest;
        slot.role = role;
        self.free = slot.next.take();
        self.used = self.used.saturating_add(1);
        place
    }

    /// One more block; gives its first slot.
    fn grow(&mut self) -> NonZeroU32 {
        let new = self.slots..self.most.min(self.slots.saturating_add(BLOCK));
        self.slots = new.end;
        let next = |place: usize| place.checked_add(1).filter(|next| *next < new.end).and_then(link);
        self.blocks.push(new.clone().map(|place| Slot::free(next(place))).collect());
        link(new.start).unwrap_or(NonZeroU32::MIN)
    }

    fn attach(&mut self, link: NonZeroU32) {
        let second = self.newest.replace(link);
        let slot = self.at_mut(link);
        (slot.newer, slot.older) = (None, second);
        match second {
            Some(second) => self.at_mut(second).newer = Some(link),
            None => self.oldest = Some(link),
        }
    }

    fn detach(&mut self, link: NonZeroU32) {
        let (newer, older) = (self.at(link).newer, self.at(link).older);
        match newer {
            Some(newer) => self.at_mut(newer).older = older,
            None => self.newest = older,
        }
        match older {
            Some(older) => self.at_mut(older).newer = newer,
            None => self.oldest = newer,
        }
    }

    #[expect(clippy::indexing_slicing, reason = "links are made by grow, for the slots it makes, and blocks never go")]
    fn at(&self, link: NonZeroU32) -> &Slot {
        let place = (link.get() as usize).saturating_sub(1);
        &self.blocks[place / BLOCK][place % BLOCK]
    }

    #[expect(clippy::indexing_slicing, reason = "as at")]
    fn at_mut(&mut self, link: NonZeroU32) -> &mut Slot {
        let place = (link.get() as usize).saturating_sub(1);
        &mut self.blocks[place / BLOCK][place % BLOCK]
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        self.blocks.iter_mut().flatten().for_each(|slot| slot.sealed.zeroize());
    }
}

/// The link to the slot at a place counted from 0.
fn link(place: usize) -> Link {
    u32::try_from(place).ok().and_then(|place| NonZeroU32::MIN.checked_add(place))
}

/// A length of at most [`MAX_ID`] or [`ROOM`].
fn narrow(len: usize) -> u8 {
    u8::try_from(len).unwrap_or(u8::MAX)
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    const FAR: u32 = 1000;

    struct Bench(Shard);

    impl Bench {
        fn of(slots: usize) -> Self {
            Self(Shard::new(slots * SLOT_BYTES, RandomState::new()))
        }

        fn hash(&self, id: &[u8]) -> u64 {
            self.0.hasher.hash_one(id)
        }

        fn put(&mut self, id: &[u8], sealed: &[u8], until: u32) {
            self.0.put(self.hash(id), id, sealed, until);
        }

        fn get(&mut self, id: &[u8], now: u32) -> Option<Vec<u8>> {
            self.0.get(self.hash(id), id, now).map(|s| s.to_vec())
        }
    }

    #[test]
    fn sessions_of_every_length_come_back_whole() {
        let mut bench = Bench::of(400);
        for len in [0, 1, ROOM - 1, ROOM, ROOM + 1, 2 * ROOM, 5000] {
            let sealed: Vec<u8> = (0..=250).cycle().take(len).collect();
            bench.put(b"id", &sealed, FAR);
            assert_eq!(bench.get(b"id", 1).as_deref(), Some(&sealed[..]), "{len} bytes");
            assert_eq!((bench.0.len(), bench.0.used), (1, len.div_ceil(ROOM).max(1)), "the old one is gone");
        }
        bench.put(b"id", &[7; 400 * ROOM + 1], FAR);
        bench.put(&[1; MAX_ID + 1], b"an ID that is too long", FAR);
        assert_eq!((bench.0.len(), bench.0.used), (0, 0));
    }

    #[test]
    fn the_least_recently_used_makes_room() {
        let mut bench = Bench::of(4);
        for id in 0..4 {
            bench.put(&[id], &[id; 50], FAR);
        }
        assert!(bench.get(&[0], 1).is_some());
        bench.put(&[4], &[4; 50], FAR);
        assert!(bench.get(&[1], 1).is_none(), "the least recently used stays");
        assert!(bench.get(&[0], 1).is_some(), "a session in use goes");
        bench.put(&[5], &[5; 2 * ROOM], FAR);
        assert_eq!([2, 3, 4, 0, 5].map(|id| bench.get(&[id], 1).is_some()), [false, false, true, true, true]);
        assert_eq!((bench.0.slots, bench.0.used), (4, 4));
    }

    #[test]
    fn expired_sessions_go_although_nobody_asks_for_them() {
        let mut bench = Bench::of(1000);
        for id in 0..500_u32 {
            bench.put(&id.to_be_bytes(), b"old", 10);
        }
        for id in 500..=751_u32 {
            bench.put(&id.to_be_bytes(), b"new", FAR);
            assert!(bench.get(&id.to_be_bytes(), 11).is_some());
        }
        assert_eq!(bench.0.len(), 252, "the hand has been everywhere");
        assert!(bench.get(&600_u32.to_be_bytes(), FAR + 1).is_none());
    }

    #[test]
    fn it_does_what_a_map_does() {
        let mut bench = Bench::of(10_000);
        let mut map = std::collections::HashMap::new();
        let mut seed = 1_u32;
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let id = (seed >> 20).to_be_bytes();
            let sealed = vec![id[3]; usize::from(id[3])];
            match seed >> 8 & 3 {
                0 => {
                    let hash = bench.hash(&id);
                    bench.0.forget(hash, &id);
                    map.remove(&id);
                }
                1 => assert_eq!(bench.get(&id, 1), map.get(&id).cloned()),
                _ => {
                    bench.put(&id, &sealed, FAR);
                    map.insert(id, sealed);
                }
            }
            assert_eq!(bench.0.len(), map.len());
        }
    }

    #[test]
    fn what_is_taken_out_is_wiped() {
        let mut bench = Bench::of(40);
        bench.put(b"a", &[7; 300], 10);
        bench.put(b"b", &[7; 300], 10);
        let hash = bench.hash(b"a");
        bench.0.forget(hash, b"a");
        assert!(bench.get(b"b", 11).is_none());
        assert!(bench.0.blocks.iter().flatten().all(|slot| slot.sealed == [0; ROOM]));
    }

    /// A session is there for its last second, however often the hand comes by.
    #[test]
    fn the_hand_takes_what_has_expired_and_nothing_else() {
        let mut bench = Bench::of(100);
        bench.put(b"a", b"first", 11);
        for id in 0..40_u32 {
            bench.put(&id.to_be_bytes(), b"other", FAR);
            assert!(bench.get(&id.to_be_bytes(), 11).is_some());
        }
        assert_eq!(bench.get(b"a", 11).as_deref(), Some(&b"first"[..]));
        assert_eq!(bench.0.len(), 41);
        assert!(bench.get(b"a", 12).is_none());
    }

    /// What fills the whole store is kept, and has it alone.
    #[test]
    fn a_session_as_long_as_the_store_is_kept() {
        let mut bench = Bench::of(4);
        bench.put(b"a", b"small", FAR);
        bench.put(b"b", &[7; 4 * ROOM], FAR);
        assert_eq!(bench.get(b"b", 1).map(|s| s.len()), Some(4 * ROOM));
        assert_eq!((bench.0.len(), bench.0.used), (1, 4));
        bench.put(&[1; MAX_ID], b"an ID of the greatest length", FAR);
        assert!(bench.get(&[1; MAX_ID], 1).is_some());
    }
}
