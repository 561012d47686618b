//! An error as callers hold it.

use super::{Blame, Cause, PeerError, printable};
use crate::code::{AlertDescription, Direction, ExtensionType};
use crate::ech::EchConfigList;
use core::error::Error as Any;
use core::fmt;
use rustls_pki_types::CertificateDer;
use std::io;
use std::sync::Arc;

/// Errors are looked for inside one another this deep; one that names itself as its source would have no end.
const MOST_NESTED: usize = 32;

/// Why a connection failed, or why a call was refused. One word wide.
///
/// It reads as people read, in one line: what went wrong, what was seen and what was wanted, where, and what to change.
/// So it does in `Debug`, which `unwrap` shows, and a `main` that returns it; `{:#?}` is the structure.
///
/// ```
/// use clasp::error::{Blame, Error, PeerError};
/// let error = Error::from(PeerError::NoCommonSuite).seen("TLS_RSA_WITH_AES_128_CBC_SHA").hint("try Policy::legacy()");
/// assert_eq!(error.blame(), Blame::Peer);
/// assert_eq!(error.alert().name(), "handshake_failure");
/// let words = "no cipher suite in common; seen: TLS_RSA_WITH_AES_128_CBC_SHA; hint: try Policy::legacy()";
/// assert_eq!(error.to_string(), words);
/// assert_eq!(format!("{error:?}"), words);
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
    pub(super) chain: Option<Arc<Vec<CertificateDer<'static>>>>,
    source: Option<Arc<dyn Any + Send + Sync>>,
    /// What the server gives to hide the next hello with.
    pub(super) retry_configs: Option<Arc<EchConfigList>>,
}

/// Where in a conversation an error arose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
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
        Self(Box::new(Inner {
            cause,
            place,
            seen: None,
            wanted: None,
            hint: None,
            source: None,
            chain: None,
            retry_configs: None,
        }))
    }

    /// The typed cause.
    pub fn cause(&self) -> &Cause {
        &self.0.cause
    }

    /// Where it happened.
    pub fn place(&self) -> Place {
        self.0.place
    }

    /// What was seen, if there is more to say than the cause does.
    pub fn seen_text(&self) -> Option<&str> {
        self.0.seen.as_deref()
    }

    /// What was wanted instead.
    pub fn wanted_text(&self) -> Option<&str> {
        self.0.wanted.as_deref()
    }

    /// What to change, if Clasp knows.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref().or_else(|| self.0.cause.advice())
    }

    /// All that `Display` says but the hint: for programs that show it apart.
    pub fn without_hint(&self) -> impl fmt::Display + '_ {
        WithoutHint(self)
    }

    /// The TLS error inside an [`io::Error`], however deep: adapters and the libraries above them give errors of this kind.
    ///
    /// ```
    /// use clasp::Error;
    /// use clasp::error::PeerError;
    /// use std::io;
    /// let nested = io::Error::other(io::Error::from(Error::from(PeerError::NoCommonSuite)));
    /// assert_eq!(Error::from_io(&nested).map(|tls| tls.alert().name()), Some("handshake_failure"));
    /// assert!(Error::from_io(&io::ErrorKind::ConnectionReset.into()).is_none());
    /// ```
    pub fn from_io(error: &io::Error) -> Option<&Self> {
        Self::inside(error)
    }

    /// The TLS error that any other error is, or comes of: a client's of HTTP, say.
    pub fn inside<'a>(error: &'a (dyn Any + 'static)) -> Option<&'a Self> {
        core::iter::successors(Some(error), |error| deeper(*error)).take(MOST_NESTED).find_map(|e| e.downcast_ref())
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

    /// Says what it comes of: an error of a signer, a verifier, a file. It is the [`source`](Any::source), and its words stand
    /// among those of this one.
    #[cold]
    #[must_use]
    pub fn because(mut self, source: impl Any + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
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
    /// use clasp::code::AlertDescription;
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

    /// The alert that stands for this failure on the wire, and which way it goes: the peer's own, or the one that tells the peer of
    /// it. There is none where a connection just ended. What fails before there is a connection tells nobody.
    ///
    /// ```
    /// use clasp::Error;
    /// use clasp::trace::Direction;
    /// use clasp::code::AlertDescription;
    /// let theirs = Error::from(AlertDescription::UnknownCa);
    /// assert_eq!(theirs.alert_and_direction(), Some((AlertDescription::UnknownCa, Direction::Received)));
    /// ```
    pub fn alert_and_direction(&self) -> Option<(AlertDescription, Direction)> {
        match self.0.cause {
            Cause::Alert(alert) => Some((alert, Direction::Received)),
            Cause::Peer(PeerError::Truncated | PeerError::ClosedDuringHandshake) => None,
            _ => Some((self.alert(), Direction::Sent)),
        }
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

impl Error {
    fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        write!(f, "{}", inner.cause)?;
        if let Some(seen) = &inner.seen {
            write!(f, "; seen: {seen}")?;
        }
        if let Some(wanted) = &inner.wanted {
            write!(f, "; wanted: {wanted}")?;
        }
        if let Some(source) = &inner.source {
            write!(f, "; because: {}", printable(source))?;
        }
        let place = inner.place;
        if place.message.is_some() || place.extension.is_some() {
            write!(f, " (in {}", place.message.unwrap_or("the handshake"))?;
            if let Some(extension) = place.extension {
                write!(f, ", extension {}", extension.name())?;
            }
            f.write_str(")")?;
        }
        place.phase.map_or(Ok(()), |phase| write!(f, " [{phase}]"))
    }
}

fn deeper<'a>(error: &'a (dyn Any + 'static)) -> Option<&'a (dyn Any + 'static)> {
    match error.downcast_ref::<io::Error>() {
        // Its own `source` is that of what is inside.
        Some(io) => io.get_ref().map(|inside| inside as &(dyn Any + 'static)),
        None => error.source(),
    }
}

struct WithoutHint<'a>(&'a Error);

impl fmt::Display for WithoutHint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.words(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.words(f)?;
        self.hint_text().map_or(Ok(()), |hint| write!(f, "; hint: {hint}"))
    }
}

/// As people read it, and with `{:#?}` the structure.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return fmt::Display::fmt(self, f);
        }
        let i = &*self.0;
        f.debug_struct("Error")
            .field("cause", &i.cause)
            .field("place", &i.place)
            .field("seen", &i.seen)
            .field("wanted", &i.wanted)
            .field("hint", &self.hint_text())
            .field("source", &i.source)
            .finish()
    }
}

impl Any for Error {
    fn source(&self) -> Option<&(dyn Any + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn Any + 'static))
    }
}
