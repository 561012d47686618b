//! What is needed to see what many idle streams hold.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;

/// One end of a transport in memory that does not block. All pairs of streams can use the same one, one after another, so
/// that it is on nobody's account.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    from_peer: Rc<RefCell<Vec<u8>>>,
    to_peer: Rc<RefCell<Vec<u8>>>,
}

impl Wire {
    /// Both ends.
    pub fn pair() -> (Self, Self) {
        let one = Self::default();
        let other = Self { from_peer: Rc::clone(&one.to_peer), to_peer: Rc::clone(&one.from_peer) };
        (one, other)
    }
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut waiting = self.from_peer.borrow_mut();
        if waiting.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let n = waiting.len().min(buf.len());
        waiting.drain(..n).zip(buf).for_each(|(byte, place)| *place = byte);
        Ok(n)
    }
}

impl Write for Wire {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.to_peer.borrow_mut().extend_from_slice(buf);
        Ok(buf.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Resident memory of this process, in bytes; of Linux.
pub fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kib = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<usize>().ok());
    kib.expect("a number of kB") * 1024
}

/// The most that an idle stream may hold, with everything: the stream itself, Rust's heap and the C library's, and its
/// share of what the process keeps for those that waited last.
const MOST: usize = 1536;

/// Makes idle pairs of streams of type `S`, ten thousand of them, and sees by how much the process grows for each side.
#[allow(clippy::print_stdout)] // with --nocapture the figure is seen
pub fn check_idle_streams<S>(mut pair: impl FnMut() -> (S, S)) {
    const PAIRS: usize = 10_000;
    let warm: Vec<_> = (0..100).map(|_| pair()).collect();
    let before = resident();
    let pairs: Vec<_> = (0..PAIRS).map(|_| pair()).collect();
    let grown = resident().saturating_sub(before) / (2 * PAIRS);
    let own = size_of::<S>();
    println!("{PAIRS} idle pairs of streams, bytes a side: {grown} resident, {own} of them the stream itself");
    assert!((own..=MOST).contains(&grown), "{grown} bytes for an idle stream");
    drop((warm, pairs));
}
