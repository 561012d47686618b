//! Buffers that are borrowed while bytes are in flight.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes of a buffer: four of the longest records that are usual.
const SIZE: usize = 4 * (17 << 10);
/// Buffers that wait to be borrowed stand on shelves, each for some of the threads. With one for all of them, every record
/// would cost a wait for the others, and a way for the memory from another processor's cache.
const SHELVES: usize = 8;
/// Buffers on a shelf, at most: one for what comes, one for what goes. About a megabyte for the whole process.
const MOST_IDLE: usize = 2;
/// A half record of at most this many bytes is put aside while its rest is waited for.
const PUT_ASIDE: usize = SIZE / 4;

/// In cache lines of its own.
#[repr(align(128))]
struct Shelf(Mutex<Vec<Vec<u8>>>);

static IDLE: [Shelf; SHELVES] = [const { Shelf(Mutex::new(Vec::new())) }; SHELVES];
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    #[expect(clippy::indexing_slicing, reason = "a remainder is less than what was divided by")]
    static SHELF: &'static Shelf = &IDLE[THREADS.fetch_add(1, Relaxed) % SHELVES];
}

/// This thread's shelf.
fn shelf() -> MutexGuard<'static, Vec<Vec<u8>>> {
    SHELF.with(|shelf| shelf.0.lock().unwrap_or_else(PoisonError::into_inner))
}

fn borrow() -> Vec<u8> {
    let idle = shelf().pop();
    idle.unwrap_or_else(|| vec![0; SIZE])
}

/// What other connections may have once nobody needs it. Its first bytes, where records were opened, are wiped: what this
/// connection has read is nothing that should be found in another's memory, or in memory that nobody has.
fn give_back(mut bytes: Vec<u8>, opened: usize) {
    if let Some(plain) = bytes.get_mut(..opened) {
        plain.fill(0);
        // Without a reader the compiler might leave it out.
        core::hint::black_box(plain);
    }
    if bytes.len() == SIZE {
        let mut idle = shelf();
        if idle.len() < MOST_IDLE {
            idle.push(bytes);
        }
    }
}

/// Bytes that wait, in the order they came. Without any it holds no memory.
#[derive(Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Records may have been opened in place before this.
    opened: usize,
}

impl Buffer {
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
            self.move_to(borrow());
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
            self.bytes.resize(self.end.saturating_add(bytes.len()), 0);
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
            self.move_to(vec![0; self.len()]);
        }
    }

    /// Moves what waits to the front of other memory.
    fn move_to(&mut self, mut bytes: Vec<u8>) {
        let waiting = self.waiting();
        let len = waiting.len();
        if let Some(place) = bytes.get_mut(..len) {
            place.copy_from_slice(waiting);
        }
        give_back(core::mem::replace(&mut self.bytes, bytes), self.opened);
        (self.start, self.end, self.opened) = (0, len, self.opened.min(len));
    }

    fn let_go(&mut self) {
        (self.start, self.end) = (0, 0);
        give_back(core::mem::take(&mut self.bytes), core::mem::take(&mut self.opened));
    }

    /// Bytes of memory held.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.bytes.capacity()
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
        for len in [1, 5000, SIZE] {
            let mut buffer = Buffer::default();
            buffer.room()[..len].fill(1);
            buffer.filled(len);
            buffer.waiting_mut().fill(0xa5);
            buffer.done(len / 2);
            buffer.rest();
            buffer.done(len);
            let idle = [borrow(), borrow(), borrow()];
            assert!(idle.iter().all(|bytes| !bytes.contains(&0xa5)), "{len} bytes");
        }
    }

    #[test]
    fn bytes_come_out_as_they_went_in_whatever_the_steps() {
        let mut buffer = Buffer::default();
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
        let mut buffer = Buffer::default();
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
        let many: Vec<Buffer> = (0..3 * SHELVES * MOST_IDLE)
            .map(|_| {
                let mut buffer = Buffer::default();
                buffer.add(b"x");
                buffer
            })
            .collect();
        drop(many);
        assert!(IDLE.iter().all(|shelf| shelf.0.lock().unwrap().len() <= MOST_IDLE));
    }
}
