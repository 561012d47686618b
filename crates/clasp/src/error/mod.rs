// Above `record`.
//! Errors: what was seen, what was wanted, where, who is to blame, what to change.
//!
//! [`Error`] is one word wide. Its cause belongs to one family ([`PeerError`], [`DecodeError`], [`RecordError`],
//! [`CertificateError`], [`Misuse`], [`Outside`], or an alert of the peer); every family is a table whose rows name
//! the variant, the alert, the source of the rule and the words. Flow code never names an alert.

mod certificate;
mod family;
mod misuse;
mod peer;
mod text;

pub use certificate::CertificateError;
pub use misuse::{Misuse, Outside};
pub use peer::PeerError;
pub use text::printable;

use crate::code::{AlertDescription, ExtensionType};
pub use crate::record::RecordError;
pub use crate::wire::decode::{DecodeError, DecodeKind};
use core::fmt;

/// What is wrong with a field.
pub mod decode {
    pub use crate::wire::decode::{DecodeError, DecodeKind};
}

/// `Result` with [`Error`].
pub type Result<T, E = Error> = core::result::Result<T, E>;

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
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    cause: Cause,
    place: Place,
    seen: Option<Box<str>>,
    wanted: Option<Box<str>>,
    hint: Option<Box<str>>,
    alert: Option<AlertDescription>,
}

/// The cause of an [`Error`], by family.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Bytes that are not a well-formed message.
    Decode(DecodeError),
    /// A record that cannot be taken or opened.
    Record(RecordError),
    /// A protocol rule broken by the peer, or nothing in common with it.
    Peer(PeerError),
    /// The peer's certificate was not accepted.
    Certificate(CertificateError),
    /// The peer sent this fatal alert.
    Alert(AlertDescription),
    /// The caller asked for something that cannot be.
    Misuse(Misuse),
    /// Something outside failed.
    Outside(Outside),
}

/// Who has to change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The peer, or the network between.
    Peer,
    /// Clasp itself.
    Us,
    /// The program that calls Clasp.
    Caller,
    /// A signer, verifier, store or the system.
    Outside,
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
    fn new(cause: Cause) -> Self {
        let offset = if let Cause::Decode(e) = &cause { Some(e.offset) } else { None };
        let place = Place { offset, ..Place::default() };
        Self(Box::new(Inner { cause, place, seen: None, wanted: None, hint: None, alert: None }))
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

    /// An outside party (a verifier, a resolver) may name the alert that its refusal is told with.
    #[cold]
    #[must_use]
    pub fn with_alert(mut self, alert: AlertDescription) -> Self {
        self.0.alert = Some(alert);
        self
    }

    /// The alert that tells the peer of this failure. `Connection` sends it, in one place.
    pub fn alert(&self) -> AlertDescription {
        if let Some(alert) = self.0.alert {
            return alert;
        }
        match &self.0.cause {
            Cause::Decode(e) => e.alert(),
            Cause::Record(e) => e.alert(),
            Cause::Peer(e) => e.alert(),
            Cause::Certificate(e) => e.alert(),
            Cause::Alert(_) => AlertDescription::CloseNotify,
            Cause::Misuse(e) => e.alert(),
            Cause::Outside(e) => e.alert(),
        }
    }

    /// Who has to change something.
    pub fn blame(&self) -> Blame {
        match &self.0.cause {
            Cause::Decode(_) | Cause::Record(_) | Cause::Peer(_) | Cause::Certificate(_) | Cause::Alert(_) => {
                Blame::Peer
            }
            Cause::Misuse(_) => Blame::Caller,
            Cause::Outside(Outside::Bug) => Blame::Us,
            Cause::Outside(_) => Blame::Outside,
        }
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
        match &inner.cause {
            Cause::Decode(e) => write!(f, "{e}")?,
            Cause::Record(e) => write!(f, "{e}")?,
            Cause::Peer(e) => write!(f, "{e}")?,
            Cause::Certificate(e) => write!(f, "{e}")?,
            Cause::Alert(alert) => write!(f, "the peer refused with the alert {}", alert.name())?,
            Cause::Misuse(e) => write!(f, "{e}")?,
            Cause::Outside(e) => write!(f, "{e}")?,
        }
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

macro_rules! from_family {
    ($($family:ty => $cause:ident),+ $(,)?) => {
        $(impl From<$family> for Error {
            #[cold]
            fn from(e: $family) -> Self { Self::new(Cause::$cause(e)) }
        })+
    };
}

from_family! {
    DecodeError => Decode,
    RecordError => Record,
    PeerError => Peer,
    CertificateError => Certificate,
    AlertDescription => Alert,
    Misuse => Misuse,
    Outside => Outside,
}

impl From<crate::crypto::CryptoError> for Error {
    #[cold]
    fn from(_: crate::crypto::CryptoError) -> Self {
        Self::new(Cause::Outside(Outside::CryptoFailed))
    }
}

impl From<crate::wire::TooLong> for Error {
    /// What is written is the caller's, but for what peers choose: that is looked at where it comes in.
    #[cold]
    fn from(e: crate::wire::TooLong) -> Self {
        let error = Self::from(Misuse::TooLong)
            .seen(format_args!("{} bytes", e.length))
            .wanted(format_args!("at most {}", e.fits));
        match e.extension {
            Some(extension) => error.in_extension(extension),
            None => error,
        }
    }
}

impl From<Error> for std::io::Error {
    /// A truncated stream becomes `UnexpectedEof`, a write after one's own close `BrokenPipe`, a time limit that has passed
    /// `TimedOut`, what the caller did wrong `InvalidInput`, what failed outside `Other`, and what the peer did wrong
    /// `InvalidData`; with the [`Error`] inside.
    fn from(e: Error) -> Self {
        let kind = match e.cause() {
            Cause::Peer(PeerError::Truncated | PeerError::ClosedDuringHandshake) => std::io::ErrorKind::UnexpectedEof,
            Cause::Misuse(Misuse::AlreadyClosed) => std::io::ErrorKind::BrokenPipe,
            Cause::Peer(PeerError::TookTooLong) | Cause::Outside(Outside::TookTooLong) => std::io::ErrorKind::TimedOut,
            Cause::Misuse(_) => std::io::ErrorKind::InvalidInput,
            Cause::Outside(_) => std::io::ErrorKind::Other,
            _ => std::io::ErrorKind::InvalidData,
        };
        Self::new(kind, e)
    }
}
