//! A client's first bytes to its hello: records, and the fragments of a message in them.

use super::ClientHello;
use crate::code::{AlertDescription, ContentType, HandshakeType};
use crate::error::{Error, PeerError, Result};
use crate::record::frame::{self, Frame};
use crate::record::limits::{HEADER_LEN, MAX_CLIENT_HELLO, MAX_PLAINTEXT};
use crate::record::{Joiner, RecordError};

/// Finds the hello in what a client sends first, over as many records as it likes. It keeps none of the bytes but those of the
/// message: whoever reads them may give them to somebody else, as they came.
#[derive(Debug)]
pub struct HelloReader {
    joiner: Joiner,
    /// How much of what was shown has been taken.
    taken: usize,
    limit: usize,
}

/// Of what came for a hello, in bytes: several times what clients send (2 KiB with keys of post-quantum hybrids).
const USUAL_LIMIT: usize = 16 << 10;

impl Default for HelloReader {
    /// For hellos of up to 16 KiB, with all that stands around their fragments.
    fn default() -> Self {
        Self { joiner: Joiner::default(), taken: 0, limit: USUAL_LIMIT }
    }
}

impl HelloReader {
    /// With another limit, in bytes as they come; a hello of more than 65 KiB is refused in any case.
    #[must_use]
    pub fn limit(self, bytes: usize) -> Self {
        Self { limit: bytes, ..self }
    }

    /// How many bytes may come until a hello is whole.
    pub const fn limit_bytes(&self) -> usize {
        self.limit
    }

    /// Looks at all that the client has sent so far, from its first byte on. None if more has to come.
    ///
    /// # Errors
    /// If it is no TLS (the error says what it is, where that is known), no ClientHello, not well formed, or longer than the
    /// limit.
    pub fn read(&mut self, so_far: &[u8]) -> Result<Option<ClientHello>> {
        loop {
            let rest = so_far.get(self.taken..).unwrap_or_default();
            let Frame::Record { content, len } = frame::next(rest, self.taken == 0)? else { break };
            if len > HEADER_LEN + MAX_PLAINTEXT {
                return Err(RecordError::TooLong(len.saturating_sub(HEADER_LEN)).into());
            }
            if content != ContentType::Handshake {
                return Err(unexpected(content));
            }
            self.joiner.add(rest.get(HEADER_LEN..len).unwrap_or_default(), |_| ())?;
            self.taken = self.taken.saturating_add(len);
            if let Some(message) = self.joiner.front() {
                let kind = HandshakeType(message.first().copied().unwrap_or(0));
                if kind != HandshakeType::ClientHello {
                    return Err(unexpected(kind));
                }
                return ClientHello::parse(message).map(Some);
            }
        }
        if so_far.len() >= self.limit {
            let error = Error::from(RecordError::MessageTooLong(so_far.len())).in_message("ClientHello");
            return Err(error.wanted(format_args!("a hello within {} bytes", self.limit)));
        }
        Ok(None)
    }

    /// A fatal alert for a client whose hello will not be answered otherwise: a record, to be sent as it is.
    pub const fn refusal(alert: AlertDescription) -> [u8; 7] {
        [21, 3, 3, 0, 2, 2, alert.0]
    }
}

/// More than this nobody would answer.
const _: () = assert!(USUAL_LIMIT < MAX_CLIENT_HELLO);

fn unexpected(seen: impl core::fmt::Display) -> Error {
    Error::from(PeerError::UnexpectedMessage).seen(seen).wanted("ClientHello")
}
