//! A handshake, and what may become of it.

use crate::{Error, Identity, TlsStream};
use clasp::Stream;
use core::{any::Any, error, fmt};
use std::io::{ErrorKind, Read, Write};

/// A handshake over a transport that had nothing, or took nothing, at present.
pub struct MidHandshakeTlsStream<S>(Box<Shaking<S>>);

struct Shaking<S> {
    stream: Stream<S>,
    own: Option<Identity>,
}

impl<S> MidHandshakeTlsStream<S> {
    /// The transport.
    pub fn get_ref(&self) -> &S {
        self.0.stream.transport()
    }

    /// The transport. What is read or written here is missing from the handshake.
    pub fn get_mut(&mut self) -> &mut S {
        self.0.stream.transport_mut()
    }
}

impl<S: Read + Write> MidHandshakeTlsStream<S> {
    /// Goes on.
    ///
    /// # Errors
    /// [`HandshakeError::WouldBlock`] with the rest, if the transport still has nothing; or why the handshake failed.
    pub fn handshake(self) -> Result<TlsStream<S>, HandshakeError<S>> {
        go_on(self.0)
    }
}

impl<S: fmt::Debug> fmt::Debug for MidHandshakeTlsStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MidHandshakeTlsStream").field(self.get_ref()).finish()
    }
}

/// Why a handshake is not done.
#[derive(Debug)]
pub enum HandshakeError<S> {
    /// It failed.
    Failure(Error),
    /// The transport had nothing at present: call [`MidHandshakeTlsStream::handshake`] once it has.
    WouldBlock(MidHandshakeTlsStream<S>),
}

impl<S> From<Error> for HandshakeError<S> {
    fn from(error: Error) -> Self {
        Self::Failure(error)
    }
}

impl<S: Any + fmt::Debug> fmt::Display for HandshakeError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failure(error) => error.fmt(f),
            Self::WouldBlock(_) => f.write_str("the handshake process was interrupted"),
        }
    }
}

impl<S: Any + fmt::Debug> error::Error for HandshakeError<S> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Failure(error) => Some(error),
            Self::WouldBlock(_) => None,
        }
    }
}

/// Begins; `own` is who a server is.
pub(crate) fn shake<S: Read + Write>(
    stream: Stream<S>,
    own: Option<Identity>,
) -> Result<TlsStream<S>, HandshakeError<S>> {
    go_on(Box::new(Shaking { stream, own }))
}

/// Does as much as the transport lets it.
fn go_on<S: Read + Write>(mut shaking: Box<Shaking<S>>) -> Result<TlsStream<S>, HandshakeError<S>> {
    match shaking.stream.handshake() {
        Ok(facts) => Ok(TlsStream::new(shaking.stream, facts, shaking.own)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            Err(HandshakeError::WouldBlock(MidHandshakeTlsStream(shaking)))
        }
        Err(error) => Err(HandshakeError::Failure(error.into())),
    }
}
