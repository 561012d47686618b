//! Buffers that are borrowed while bytes are in flight.

use crate::pool::{Pool, SIZE};

/// A half record of at most this many bytes is put aside while its rest is waited for.
const PUT_ASIDE: usize = SIZE / 4;

/// Bytes that wait, in the order they came. Without any it holds no memory.
pub(super) struct Buffer {
    pool: Pool,
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
    /// Records may have been opened in place before this.
    opened: usize,
}

impl Buffer {
    /// One that borrows of this pool.
    pub(super) fn of(pool: Pool) -> Self {
        Self { pool, bytes: Box::default(), start: 0, end: 0, opened: 0 }
    }

    /// The bytes that wait.
    pub(super) fn waiting(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// The same, to be opened in place.
    pub(super) fn waiting_mut(&mut self) -> &mut [u8] {
        self.opened = self.opened.max(self.end);
        self.bytes.get_mut(self.start..self.end).unwrap_or_default()
    }

    const fn len(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Room behind the bytes that wait: for one more of the longest records at least, as long as no more than one waits.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.bytes.len() < SIZE {
            self.move_to(self.pool.borrow());
        } else if self.start > 0 && self.bytes.len().saturating_sub(self.end) < SIZE / 4 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.len());
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// This much of the room has been filled.
    pub(super) fn filled(&mut self, len: usize) {
        self.end = self.bytes.len().min(self.end.saturating_add(len));
    }

    /// Adds bytes, with more memory if there have to be more than a buffer holds.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        if self.room().len() < bytes.len() {
            // What was opened in the old memory does not stay behind in it: the pool wipes what it is given back.
            let len = self.end.saturating_add(bytes.len());
            self.move_to(vec![0; len].into_boxed_slice());
        }
        if let Some(place) = self.bytes.get_mut(self.end..self.end.saturating_add(bytes.len())) {
            place.copy_from_slice(bytes);
        }
        self.filled(bytes.len());
    }

    /// The first bytes are done with; with the last of them the memory goes back.
    pub(super) fn done(&mut self, len: usize) {
        self.start = self.end.min(self.start.saturating_add(len));
        if self.is_empty() {
            self.let_go();
        }
    }

    /// Nothing happens for a while: whoever waits needs no more memory than there are bytes.
    pub(super) fn rest(&mut self) {
        if self.is_empty() {
            self.let_go();
        } else if self.bytes.len() == SIZE && self.len() <= PUT_ASIDE {
            self.move_to(vec![0; self.len()].into_boxed_slice());
        }
    }

    /// Moves what waits to the front of other memory.
    fn move_to(&mut self, mut bytes: Box<[u8]>) {
        let waiting = self.waiting();
        let len = waiting.len();
        if let Some(place) = bytes.get_mut(..len) {
            place.copy_from_slice(waiting);
        }
        self.pool.give_back(core::mem::replace(&mut self.bytes, bytes), self.opened);
        (self.start, self.end, self.opened) = (0, len, self.opened.min(len));
    }

    fn let_go(&mut self) {
        (self.start, self.end) = (0, 0);
        self.pool.give_back(core::mem::take(&mut self.bytes), core::mem::take(&mut self.opened));
    }

    /// Bytes of memory held.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.bytes.len()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.let_go();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What one connection has read does not lie about in what the next one borrows.
    #[test]
    fn a_buffer_that_was_given_back_has_no_plaintext() {
        let pool = Pool::new();
        for len in [1, 5000, SIZE] {
            let mut buffer = Buffer::of(pool.clone());
            buffer.room()[..len].fill(1);
            buffer.filled(len);
            buffer.waiting_mut().fill(0xa5);
            buffer.done(len / 2);
            buffer.rest();
            buffer.done(len);
            let idle = [(); 3].map(|()| pool.borrow());
            assert!(idle.iter().all(|bytes| !bytes.contains(&0xa5)), "{len} bytes");
        }
    }

    #[test]
    fn bytes_come_out_as_they_went_in_whatever_the_steps() {
        let mut buffer = Buffer::of(Pool::default());
        let (mut put, mut got) = (0_u32, 0_u32);
        for round in 0..2000_usize {
            for _ in 0..round % 61 {
                buffer.add(&put.to_be_bytes());
                put += 1;
            }
            let room = buffer.room();
            room[..4].copy_from_slice(&put.to_be_bytes());
            buffer.filled(4);
            put += 1;
            for _ in 0..round % 67 {
                let Some(first) = buffer.waiting().first_chunk::<4>() else { break };
                assert_eq!(u32::from_be_bytes(*first), got);
                got += 1;
                buffer.done(4);
            }
            buffer.rest();
        }
        assert!(got > 50_000, "{got}");
        assert_eq!(buffer.waiting().len(), 4 * (put - got) as usize);
    }

    #[test]
    fn nothing_is_held_without_bytes_and_little_with_few() {
        let mut buffer = Buffer::of(Pool::default());
        assert_eq!(buffer.held(), 0);
        assert_eq!(buffer.room().len(), SIZE);
        buffer.rest();
        assert_eq!(buffer.held(), 0, "room that was not used");
        buffer.add(&[7; 100]);
        buffer.rest();
        assert_eq!((buffer.held(), buffer.waiting()), (100, &[7; 100][..]));
        assert_eq!(buffer.room().len(), SIZE - 100);
        buffer.add(&vec![8; 2 * SIZE]);
        assert_eq!(buffer.waiting().len(), 100 + 2 * SIZE);
        buffer.done(100 + 2 * SIZE);
        assert_eq!(buffer.held(), 0);
    }
}
