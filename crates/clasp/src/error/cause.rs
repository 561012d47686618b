//! What causes errors, and how each family becomes one.

use super::{CertificateError, DecodeError, Error, Misuse, Outside, PeerError, RecordError};
use crate::code::AlertDescription;
use crate::crypto::{CryptoError, RandomError};
use crate::record::SealError;
use crate::wire::TooLong;
use core::fmt;

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
    /// The caller ended the connection with this alert.
    Aborted(AlertDescription),
    /// A party outside (a verifier, a resolver, an admission) refused the peer with this alert.
    Refused(AlertDescription),
    /// Something outside failed.
    Outside(Outside),
}

/// Who has to change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
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

impl Cause {
    /// The alert that tells the peer of it.
    pub fn alert(&self) -> AlertDescription {
        match self {
            Self::Decode(e) => e.alert(),
            Self::Record(e) => e.alert(),
            Self::Peer(e) => e.alert(),
            Self::Certificate(e) => e.alert(),
            Self::Alert(_) => AlertDescription::CloseNotify,
            Self::Misuse(e) => e.alert(),
            Self::Aborted(alert) | Self::Refused(alert) => *alert,
            Self::Outside(e) => e.alert(),
        }
    }

    /// What to change, where the cause alone tells.
    pub(super) const fn advice(&self) -> Option<&'static str> {
        Some(match self {
            Self::Record(RecordError::PlainHttp) => "the port speaks plain HTTP: try another port, or http://",
            Self::Record(RecordError::NotTls) => "is this a port for TLS?",
            Self::Peer(PeerError::Truncated) => {
                "the peer or something between cut the connection; the data may be incomplete"
            }
            _ => return None,
        })
    }

    /// Who has to change something.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Decode(_) | Self::Record(_) | Self::Peer(_) | Self::Certificate(_) | Self::Alert(_) => Blame::Peer,
            Self::Misuse(_) | Self::Aborted(_) => Blame::Caller,
            Self::Outside(Outside::Bug) => Blame::Us,
            Self::Outside(_) | Self::Refused(_) => Blame::Outside,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(e) => e.fmt(f),
            Self::Record(e) => e.fmt(f),
            Self::Peer(e) => e.fmt(f),
            Self::Certificate(e) => e.fmt(f),
            Self::Alert(alert) => write!(f, "the peer refused with the alert {}", alert.name()),
            Self::Misuse(e) => e.fmt(f),
            Self::Aborted(_) => f.write_str("the calling program ended the connection"),
            Self::Refused(_) => f.write_str("a party outside refused the peer"),
            Self::Outside(e) => e.fmt(f),
        }
    }
}

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

impl From<RandomError> for Error {
    #[cold]
    fn from(_: RandomError) -> Self {
        Outside::RandomFailed.into()
    }
}

impl From<SealError> for Error {
    #[cold]
    fn from(e: SealError) -> Self {
        match e {
            SealError::SequenceExhausted => Self::from(Outside::SequenceExhausted),
            SealError::RandomFailed => Self::from(Outside::RandomFailed),
            SealError::CryptoFailed => Self::from(Outside::CryptoFailed),
        }
    }
}

impl From<CryptoError> for Error {
    #[cold]
    fn from(_: CryptoError) -> Self {
        Outside::CryptoFailed.into()
    }
}

impl From<TooLong> for Error {
    /// What is written is the caller's, but for what peers choose: that is looked at where it comes in.
    #[cold]
    fn from(e: TooLong) -> Self {
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
            Cause::Misuse(_) | Cause::Aborted(_) => std::io::ErrorKind::InvalidInput,
            Cause::Outside(_) | Cause::Refused(_) => std::io::ErrorKind::Other,
            _ => std::io::ErrorKind::InvalidData,
        };
        Self::new(kind, e)
    }
}
