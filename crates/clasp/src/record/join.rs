//! Handshake messages across records.

use super::RecordError;
use super::limits::{MAX_CERTIFICATE_MESSAGE, MAX_CLIENT_HELLO, MAX_MESSAGE, MAX_NEW_SESSION_TICKET};
use crate::code::HandshakeType;
use crate::wire::message::HEADER_LEN;

/// Joins handshake fragments to whole messages, in one buffer. Memory grows with the bytes that come, never with a
/// length that a peer only announces.
#[derive(Debug, Default)]
pub(crate) struct Joiner {
    bytes: Vec<u8>,
    /// What stands before this has been taken.
    taken: usize,
    /// What stands before this is whole messages.
    whole: usize,
}

impl Joiner {
    /// Adds the payload of one record; `tell` hears of every message that is now whole.
    ///
    /// # Errors
    /// If the payload is empty, or a message announces more than its kind may have.
    pub(crate) fn add(&mut self, payload: &[u8], mut tell: impl FnMut(&[u8])) -> Result<(), RecordError> {
        if payload.is_empty() {
            return Err(RecordError::Empty);
        }
        self.bytes.drain(..self.taken);
        self.whole = self.whole.saturating_sub(self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(payload);
        while let Some(len) = announced(self.bytes.get(self.whole..).unwrap_or_default())? {
            let end = self.whole.saturating_add(len);
            let Some(message) = self.bytes.get(self.whole..end) else { break };
            tell(message);
            self.whole = end;
        }
        Ok(())
    }

    /// The next whole message, left in place.
    pub(crate) fn front(&self) -> Option<&[u8]> {
        let whole = self.bytes.get(self.taken..self.whole)?;
        // Its length was checked when it came.
        announced(whole).ok().flatten().and_then(|len| whole.get(..len))
    }

    /// Moves the next whole message into `buffer`; false if there is none. One that came alone is not copied.
    pub(crate) fn take(&mut self, buffer: &mut Vec<u8>) -> bool {
        buffer.clear();
        let Some(message) = self.front() else { return false };
        if message.len() == self.bytes.len() {
            core::mem::swap(buffer, &mut self.bytes);
            (self.taken, self.whole) = (0, 0);
            return true;
        }
        buffer.extend_from_slice(message);
        self.taken = self.taken.saturating_add(buffer.len());
        true
    }

    /// Whether part of a message waits for its rest.
    pub(crate) fn is_partial(&self) -> bool {
        self.whole < self.bytes.len()
    }

    /// Bytes that came and have not been taken.
    #[cfg(feature = "quic")]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len().saturating_sub(self.taken)
    }

    /// Whether everything that came has been taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.taken == self.bytes.len()
    }
}

/// How long the message at the front is to be, header included, as far as that is known.
fn announced(bytes: &[u8]) -> Result<Option<usize>, RecordError> {
    let Some([kind, a, b, c]) = bytes.first_chunk::<HEADER_LEN>().copied() else { return Ok(None) };
    let body = u32::from_be_bytes([0, a, b, c]);
    let body = usize::try_from(body).unwrap_or(usize::MAX);
    let limit = match HandshakeType(kind) {
        HandshakeType::Certificate | HandshakeType::CompressedCertificate => MAX_CERTIFICATE_MESSAGE,
        HandshakeType::ClientHello => MAX_CLIENT_HELLO,
        HandshakeType::NewSessionTicket => MAX_NEW_SESSION_TICKET,
        _ => MAX_MESSAGE,
    };
    if body > limit { Err(RecordError::MessageTooLong(body)) } else { Ok(Some(HEADER_LEN.saturating_add(body))) }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_whole_whatever_the_fragments() {
        let stream = [&[1, 0, 0, 2, 7, 8][..], &[14, 0, 0, 0], &[20, 0, 0, 1, 9]].concat();
        for size in 1..=stream.len() {
            let mut joiner = Joiner::default();
            let (mut told, mut got, mut buffer) = (0, Vec::new(), Vec::new());
            for (n, fragment) in stream.chunks(size).enumerate() {
                joiner.add(fragment, |_| told += 1).unwrap();
                // Sometimes they are left to wait for the next record.
                while n % 3 != 0 && joiner.take(&mut buffer) {
                    got.push(buffer.clone());
                }
            }
            assert!(!joiner.is_partial());
            while let Some(front) = joiner.front().map(<[u8]>::to_vec) {
                assert!(joiner.take(&mut buffer) && buffer == front);
                got.push(buffer.clone());
            }
            assert!(joiner.is_empty() && !joiner.take(&mut buffer));
            assert_eq!(got.concat(), stream);
            assert_eq!((told, got.len()), (3, 3));
        }
    }

    #[test]
    fn fragmented_hello_stall_takes_memory_only_for_bytes_that_came() {
        let mut joiner = Joiner::default();
        joiner.add(&[1, 0, 0xff, 0xff, 1, 2, 3], |_| panic!("not whole")).unwrap();
        assert!(joiner.bytes.capacity() < 64, "took {} bytes", joiner.bytes.capacity());
        assert!(joiner.is_partial());
    }

    #[test]
    fn certificate_bomb_is_refused_at_its_header() {
        let mut joiner = Joiner::default();
        let bomb = joiner.add(&[11, 0xff, 0xff, 0xff], |_| panic!("not whole"));
        assert_eq!(bomb.and_then(|()| joiner.add(&[0], |_| ())), Err(RecordError::MessageTooLong(0xff_ffff)));
        assert_eq!(Joiner::default().add(&[], |_| ()), Err(RecordError::Empty));
    }

    /// Each kind of message as long as it may be, and a byte longer.
    #[test]
    fn a_message_is_as_long_as_its_kind_may_be() {
        for (kind, limit) in [
            (HandshakeType::ClientHello, MAX_CLIENT_HELLO),
            (HandshakeType::Certificate, MAX_CERTIFICATE_MESSAGE),
            (HandshakeType::CompressedCertificate, MAX_CERTIFICATE_MESSAGE),
            (HandshakeType::NewSessionTicket, MAX_NEW_SESSION_TICKET),
            (HandshakeType::ServerHello, MAX_MESSAGE),
            (HandshakeType(99), MAX_MESSAGE),
        ] {
            let header = |body: usize| {
                let [.., a, b, c] = body.to_be_bytes();
                [kind.0, a, b, c]
            };
            let mut joiner = Joiner::default();
            joiner.add(&header(limit), |_| panic!("not whole")).unwrap();
            joiner.add(&vec![0; limit], |message| assert_eq!(message.len(), limit + HEADER_LEN)).unwrap();
            assert!(!joiner.is_partial() && !joiner.is_empty());
            let over = Joiner::default().add(&header(limit + 1), |_| ());
            assert_eq!(over, Err(RecordError::MessageTooLong(limit + 1)), "{kind}");
        }
    }
}
