//! Handshake messages across records.

use super::RecordError;
use super::limits::{MAX_CERTIFICATE_MESSAGE, MAX_MESSAGE};
use crate::wire::code::HandshakeType;
use crate::wire::message::HEADER_LEN;

/// Joins handshake fragments to whole messages. Memory grows with the bytes that come, never with a length that a
/// peer only announces.
#[derive(Debug, Default)]
pub(crate) struct Joiner {
    pending: Vec<u8>,
}

impl Joiner {
    /// Adds the payload of one record; `deliver` gets every message that is now whole.
    ///
    /// # Errors
    /// If the payload is empty, or a message announces more than its kind may have.
    pub(crate) fn add(&mut self, mut payload: &[u8], mut deliver: impl FnMut(Vec<u8>)) -> Result<(), RecordError> {
        if payload.is_empty() {
            return Err(RecordError::Empty);
        }
        while !payload.is_empty() {
            let wanted = self.wanted()?;
            let taken = payload.len().min(wanted - self.pending.len());
            let (now, later) = payload.split_at(taken);
            self.pending.extend_from_slice(now);
            payload = later;
            if self.pending.len() >= HEADER_LEN && self.pending.len() == self.wanted()? {
                deliver(core::mem::take(&mut self.pending));
            }
        }
        Ok(())
    }

    /// How long the pending message is to be, as far as that is known.
    fn wanted(&self) -> Result<usize, RecordError> {
        let Some([kind, a, b, c]) = self.pending.first_chunk::<HEADER_LEN>().copied() else { return Ok(HEADER_LEN) };
        let body = u32::from_be_bytes([0, a, b, c]);
        let body = usize::try_from(body).unwrap_or(usize::MAX);
        let limit = match HandshakeType(kind) {
            HandshakeType::Certificate => MAX_CERTIFICATE_MESSAGE,
            _ => MAX_MESSAGE,
        };
        if body > limit { Err(RecordError::MessageTooLong(body)) } else { Ok(HEADER_LEN + body) }
    }

    /// Whether part of a message waits for its rest.
    pub(crate) fn is_partial(&self) -> bool {
        !self.pending.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_whole_whatever_the_fragments() {
        let stream = [&[1, 0, 0, 2, 7, 8][..], &[14, 0, 0, 0], &[20, 0, 0, 1, 9]].concat();
        for size in 1..=stream.len() {
            let mut joiner = Joiner::default();
            let mut got = Vec::new();
            for fragment in stream.chunks(size) {
                joiner.add(fragment, |m| got.push(m)).unwrap();
            }
            assert!(!joiner.is_partial());
            assert_eq!(got.concat(), stream);
            assert_eq!(got.len(), 3);
        }
    }

    #[test]
    fn fragmented_hello_stall_takes_memory_only_for_bytes_that_came() {
        let mut joiner = Joiner::default();
        joiner.add(&[1, 0, 0xff, 0xff, 1, 2, 3], |_| panic!("not whole")).unwrap();
        assert!(joiner.pending.capacity() < 64, "took {} bytes", joiner.pending.capacity());
        assert!(joiner.is_partial());
    }

    #[test]
    fn certificate_bomb_is_refused_at_its_header() {
        let mut joiner = Joiner::default();
        let bomb = joiner.add(&[11, 0xff, 0xff, 0xff], |_| panic!("not whole"));
        assert_eq!(bomb.and_then(|()| joiner.add(&[0], |_| ())), Err(RecordError::MessageTooLong(0xff_ffff)));
        assert_eq!(Joiner::default().add(&[], |_| ()), Err(RecordError::Empty));
    }
}
