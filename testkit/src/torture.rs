//! A transport that does whatever the contracts of `Read` and `Write` let it do, by a seed.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;

/// Numbers that look random, and are the same each time.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Thrown from this seed on.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below this one.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or(0) % bound.max(1)
    }

    /// True once in so many throws.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

type Pipe = Rc<RefCell<VecDeque<u8>>>;

/// Bytes a pipe holds.
const ROOM: usize = 40_000;

/// One end. Nothing in it blocks.
#[derive(Debug)]
pub struct Torture {
    incoming: Pipe,
    outgoing: Pipe,
    /// What was written and not flushed, if it holds such bytes back.
    held: Option<Vec<u8>>,
    dice: Dice,
    /// Set to nothing, it behaves.
    pub evil: bool,
    /// Every write fails so.
    pub broken: Option<ErrorKind>,
}

impl Torture {
    /// Both ends; with `holds` they keep what is written until they are flushed.
    pub fn pair(seed: u64, holds: bool) -> (Self, Self) {
        let (up, down) = (Pipe::default(), Pipe::default());
        let end = |incoming: &Pipe, outgoing: &Pipe, seed| Self {
            incoming: incoming.clone(),
            outgoing: outgoing.clone(),
            held: holds.then(Vec::new),
            dice: Dice::new(seed),
            evil: true,
            broken: None,
        };
        (end(&down, &up, 2 * seed), end(&up, &down, 2 * seed + 1))
    }

    /// Another handle of this end, for reading.
    #[must_use]
    pub fn handle(&self, seed: u64) -> Self {
        let (incoming, outgoing) = (self.incoming.clone(), self.outgoing.clone());
        Self { incoming, outgoing, held: None, dice: Dice::new(seed), ..*self }
    }

    fn fault(&mut self) -> io::Result<()> {
        let kind = match self.dice.below(24) {
            _ if !self.evil => return Ok(()),
            0..=2 => ErrorKind::WouldBlock,
            3 => ErrorKind::TimedOut,
            4 | 5 => ErrorKind::Interrupted,
            _ => return Ok(()),
        };
        Err(kind.into())
    }

    fn some(&mut self, most: usize) -> usize {
        if self.evil && self.dice.once_in(2) { 1 + self.dice.below(most.min(700)) } else { most }.min(most)
    }
}

impl Read for Torture {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.fault()?;
        let n = self.incoming.borrow().len().min(buf.len());
        if n == 0 && !buf.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let n = self.some(n);
        self.incoming.borrow_mut().drain(..n).zip(buf).for_each(|(byte, place)| *place = byte);
        Ok(n)
    }
}

impl Write for Torture {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if let Some(kind) = self.broken {
            return Err(kind.into());
        }
        self.fault()?;
        if self.evil && self.dice.once_in(40) {
            return Ok(0);
        }
        if let Some(held) = &mut self.held {
            held.extend_from_slice(buf);
            return Ok(buf.len());
        }
        let n = buf.len().min(ROOM.saturating_sub(self.outgoing.borrow().len()));
        if n == 0 && !buf.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let n = self.some(n);
        self.outgoing.borrow_mut().extend(buf.get(..n).unwrap_or_default());
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.fault()?;
        if let Some(held) = &mut self.held {
            self.outgoing.borrow_mut().extend(held.drain(..));
        }
        Ok(())
    }
}
