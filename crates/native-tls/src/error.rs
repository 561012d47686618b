//! What can go wrong.

use core::{error, fmt, result};
use std::io;

/// A result, or an [`Error`].
pub type Result<T> = result::Result<T, Error>;

/// What went wrong: Clasp's own words, with what to change. [`source`](error::Error::source) is the transport's error or
/// [`clasp::Error`], where there is one.
pub struct Error(Inner);

enum Inner {
    Tls(clasp::Error),
    Io(io::Error),
    Words(String),
}

impl Error {
    pub(crate) fn words(words: impl Into<String>) -> Self {
        Self(Inner::Words(words.into()))
    }
}

impl From<clasp::Error> for Error {
    fn from(error: clasp::Error) -> Self {
        Self(Inner::Tls(error))
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.downcast::<clasp::Error>() {
            Ok(tls) => Self(Inner::Tls(tls)),
            Err(io) => Self(Inner::Io(io)),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Tls(error) => write!(f, "{error}"),
            Inner::Io(error) => write!(f, "{error}"),
            Inner::Words(words) => f.write_str(words),
        }
    }
}

/// As people read it: `unwrap` shows it.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.0 {
            Inner::Tls(error) => Some(error),
            Inner::Io(error) => Some(error),
            Inner::Words(_) => None,
        }
    }
}
