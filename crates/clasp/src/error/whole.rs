//! An error as callers hold it.

use super::{Blame, Cause, PeerError, printable};
use crate::code::{AlertDescription, ExtensionType};
use core::fmt;
use std::sync::Arc;

/// Why a connection failed, or why a call was refused. One word wide.
///
/// ```
/// use clasp::error::{Blame, Error, PeerError};
/// let error = Error::from(PeerError::NoCommonSuite).seen("TLS_RSA_WITH_AES_128_CBC_SHA").hint("try Policy::legacy()");
/// assert_eq!(error.blame(), Blame::Peer);
/// assert_eq!(error.alert().name(), "handshake_failure");
/// assert!(error.to_string().contains("TLS_RSA_WITH_AES_128_CBC_SHA"));
/// ```
#[derive(Clone)]
pub struct Error(pub(super) Box<Inner>);

#[derive(Clone)]
pub(super) struct Inner {
    cause: Cause,
    place: Place,
    seen: Option<Box<str>>,
    wanted: Option<Box<str>>,
    hint: Option<Box<str>>,
    /// The certificates that were refused.
    pub(super) chain: Option<Arc<Vec<Vec<u8>>>>,
}

/// Where in a conversation an error arose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The conversation: `"client TLS 1.2"` and the like.
    pub phase: Option<&'static str>,
    /// The message being read or awaited.
    pub message: Option<&'static str>,
    /// The extension being read.
    pub extension: Option<ExtensionType>,
    /// Byte offset in the message's body.
    pub offset: Option<usize>,
}

impl Error {
    #[cold]
    #[inline(never)]
    pub(super) fn new(cause: Cause) -> Self {
        let offset = if let Cause::Decode(e) = &cause { Some(e.offset) } else { None };
        let place = Place { offset, ..Place::default() };
        Self(Box::new(Inner { cause, place, seen: None, wanted: None, hint: None, chain: None }))
    }

    /// The typed cause.
    pub fn cause(&self) -> &Cause {
        &self.0.cause
    }

    /// Where it happened.
    pub fn place(&self) -> Place {
        self.0.place
    }

    /// What to change, if Clasp knows.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Says what was seen.
    #[cold]
    #[must_use]
    pub fn seen(mut self, seen: impl fmt::Display) -> Self {
        self.0.seen = Some(printable(seen).into());
        self
    }

    /// Says what was wanted.
    #[cold]
    #[must_use]
    pub fn wanted(mut self, wanted: impl fmt::Display) -> Self {
        self.0.wanted = Some(printable(wanted).into());
        self
    }

    /// Says what to change.
    #[cold]
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.0.hint = Some(printable(hint).into());
        self
    }

    /// Says in which message, unless that is known already.
    #[cold]
    #[must_use]
    pub fn in_message(mut self, message: &'static str) -> Self {
        self.0.place.message.get_or_insert(message);
        self
    }

    /// Says in which extension, unless that is known already.
    #[cold]
    #[must_use]
    pub fn in_extension(mut self, extension: ExtensionType) -> Self {
        self.0.place.extension.get_or_insert(extension);
        self
    }

    /// Says in which conversation, unless that is known already.
    #[cold]
    #[must_use]
    pub fn in_phase(mut self, phase: &'static str) -> Self {
        self.0.place.phase.get_or_insert(phase);
        self
    }

    /// A refusal of a party outside (a verifier, a resolver, an admission), which names the alert it is told with.
    ///
    /// ```
    /// use clasp::Error;
    /// use clasp::wire::code::AlertDescription;
    /// let refusal = Error::refused(AlertDescription::AccessDenied).seen("a client of the guests' network");
    /// assert_eq!(refusal.alert(), AlertDescription::AccessDenied);
    /// ```
    #[cold]
    pub fn refused(alert: AlertDescription) -> Self {
        Self::new(Cause::Refused(alert))
    }

    /// The caller ends the connection, with an alert of its choice.
    #[cold]
    pub(crate) fn aborted(alert: AlertDescription) -> Self {
        Self::new(Cause::Aborted(alert))
    }

    /// The alert that tells the peer of this failure. `Connection` sends it, in one place.
    pub fn alert(&self) -> AlertDescription {
        self.0.cause.alert()
    }

    /// Who has to change something.
    pub fn blame(&self) -> Blame {
        self.0.cause.blame()
    }

    /// The peer's fatal alert, if that is the cause.
    pub fn peer_alert(&self) -> Option<AlertDescription> {
        match self.0.cause {
            Cause::Alert(alert) => Some(alert),
            _ => None,
        }
    }

    /// True where the connection ended without close_notify, so that data may be missing (a truncation attack).
    pub fn is_truncation(&self) -> bool {
        self.0.cause == Cause::Peer(PeerError::Truncated)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        write!(f, "{}", inner.cause)?;
        if let Some(seen) = &inner.seen {
            write!(f, "; seen: {seen}")?;
        }
        if let Some(wanted) = &inner.wanted {
            write!(f, "; wanted: {wanted}")?;
        }
        let place = inner.place;
        if place.message.is_some() || place.extension.is_some() {
            write!(f, " (in {}", place.message.unwrap_or("the handshake"))?;
            if let Some(extension) = place.extension {
                write!(f, ", extension {}", extension.name())?;
            }
            f.write_str(")")?;
        }
        if let Some(phase) = place.phase {
            write!(f, " [{phase}]")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let i = &*self.0;
        f.debug_struct("Error")
            .field("cause", &i.cause)
            .field("place", &i.place)
            .field("seen", &i.seen)
            .field("wanted", &i.wanted)
            .field("hint", &i.hint)
            .finish()
    }
}

impl core::error::Error for Error {}
