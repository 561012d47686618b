//! What went wrong, for C: an object that says in words what it was.
#![allow(unsafe_code, reason = "#[unsafe(no_mangle)] gives functions their names in C; there is no other")]

use crate::memory::{BadPointer, PointerFault, clasp_bytes};
use clasp::error::{Blame, Cause, Error, PeerError, RecordError};
use clasp::trace::Direction;

/// What kind of failure it is: what a program decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
#[allow(non_camel_case_types, reason = "C's names")]
pub enum clasp_code {
    /// There is no error.
    None = 0,
    /// A pointer was NULL that may not be. Nothing was done.
    NullPointer = 1,
    /// Another argument cannot be what it is. Nothing was done.
    BadArgument = 2,
    /// There is not enough room. Nothing was written; the needed length is told.
    ShortBuffer = 3,
    /// The program asked for something that cannot be, now or at all. The connection goes on, unless it has failed before.
    Caller = 4,
    /// The peer broke a rule, or has nothing in common with us. The connection has failed.
    Peer = 5,
    /// The peer's certificate was not accepted. The connection has failed.
    Certificate = 6,
    /// The peer ended the connection with a fatal alert.
    Alert = 7,
    /// The transport ended without a word of the peer: data may be missing. Nothing more can be received.
    Truncated = 8,
    /// The system failed: its randomness, its store of roots.
    Outside = 9,
    /// A fault of Clasp's own; please report it. The connection can only be freed.
    Bug = 10,
}

/// What went wrong. Nothing changes it: any number of threads may look at it. Whoever got it from a function that returns
/// clasp_error * frees it.
#[allow(non_camel_case_types, reason = "C's names")]
#[derive(Clone, Debug)]
pub struct clasp_error {
    code: clasp_code,
    label: String,
    alert: Option<(u8, Direction)>,
    words: String,
    hint: String,
}

/// What a function came to, inside. At the boundary `Ok` is NULL.
pub(crate) type Result<T> = core::result::Result<T, Box<clasp_error>>;

impl clasp_error {
    #[cold]
    pub(crate) fn new(code: clasp_code, label: &str, words: String, hint: &str) -> Box<Self> {
        Box::new(Self { code, label: label.into(), alert: None, words, hint: hint.into() })
    }

    #[cold]
    pub(crate) fn null(argument: &str) -> Box<Self> {
        Self::new(clasp_code::NullPointer, "NullPointer", format!("the argument `{argument}` is NULL"), "")
    }

    #[cold]
    pub(crate) fn argument(argument: &str, seen: impl core::fmt::Display, wanted: &str) -> Box<Self> {
        let words = format!("the argument `{argument}` cannot be this; seen: {seen}; wanted: {wanted}");
        Self::new(clasp_code::BadArgument, "BadArgument", words, "")
    }

    #[cold]
    pub(crate) fn short(capacity: usize, needed: usize) -> Box<Self> {
        let words = format!("there is not enough room; seen: {capacity} bytes; wanted: {needed}");
        Self::new(clasp_code::ShortBuffer, "ShortBuffer", words, "")
    }

    #[cold]
    pub(crate) fn bug(what: &str) -> Box<Self> {
        Self::new(clasp_code::Bug, "Bug", format!("a fault of Clasp's own: {what}"), "please report it")
    }
}

impl From<BadPointer> for Box<clasp_error> {
    #[cold]
    fn from(bad: BadPointer) -> Self {
        match bad.fault {
            PointerFault::Null => clasp_error::null(bad.argument),
            PointerFault::TooLong => clasp_error::argument(bad.argument, "more bytes than memory has", "less"),
            PointerFault::Unaligned => {
                clasp_error::argument(bad.argument, "a pointer between two numbers", "an aligned pointer")
            }
        }
    }
}

impl From<Error> for Box<clasp_error> {
    #[cold]
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<&Error> for Box<clasp_error> {
    #[cold]
    fn from(error: &Error) -> Self {
        Self::new(clasp_error {
            code: code(error),
            label: label(error.cause()),
            alert: error.alert_and_direction().map(|(alert, direction)| (alert.0, direction)),
            words: error.without_hint().to_string(),
            hint: error.hint_text().unwrap_or_default().into(),
        })
    }
}

fn code(error: &Error) -> clasp_code {
    match (error.cause(), error.blame()) {
        (Cause::Peer(PeerError::Truncated | PeerError::ClosedDuringHandshake), _) => clasp_code::Truncated,
        (Cause::Certificate(_), _) => clasp_code::Certificate,
        (Cause::Alert(_), _) => clasp_code::Alert,
        (_, Blame::Peer) => clasp_code::Peer,
        (_, Blame::Us) => clasp_code::Bug,
        (_, Blame::Caller) => clasp_code::Caller,
        // Blame::Outside, and whoever else may come to be blamed.
        _ => clasp_code::Outside,
    }
}

/// The name of the cause, as the documentation of `clasp::error` has it. What it has seen is not part of it.
fn label(cause: &Cause) -> String {
    let whole = match cause {
        Cause::Decode(e) => format!("{:?}", e.kind),
        Cause::Record(RecordError::PlainHttp) => "PlainHttp".into(),
        Cause::Record(e) => format!("{e:?}"),
        Cause::Peer(e) => format!("{e:?}"),
        Cause::Certificate(e) => format!("{e:?}"),
        Cause::Misuse(e) => format!("{e:?}"),
        Cause::Outside(e) => format!("{e:?}"),
        Cause::Alert(alert) | Cause::Aborted(alert) | Cause::Refused(alert) => alert.name().into(),
        other => format!("{other:?}"),
    };
    whole.split(['(', ' ', '{']).next().unwrap_or_default().into()
}

/// What kind of failure it is; CLASP_CODE_NONE of NULL.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_error_code(error: Option<&clasp_error>) -> clasp_code {
    error.map_or(clasp_code::None, |error| error.code)
}

/// The name of the cause, one word: "NoCommonSuite", or an alert's "unknown_ca". For tests and logs; it lasts until the error is
/// freed.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_error_label(error: Option<&clasp_error>) -> clasp_bytes<'_> {
    error.map_or(clasp_bytes::none(), |error| clasp_bytes::of(error.label.as_bytes()))
}

/// What went wrong, in one line of UTF-8: what, what was seen, what was wanted, where. What peers say is escaped in it. It lasts
/// until the error is freed.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_error_words(error: Option<&clasp_error>) -> clasp_bytes<'_> {
    error.map_or(clasp_bytes::none(), |error| clasp_bytes::of(error.words.as_bytes()))
}

/// What to change, in one line of UTF-8; no bytes where nobody knows. It lasts until the error is freed.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_error_hint(error: Option<&clasp_error>) -> clasp_bytes<'_> {
    error.map_or(clasp_bytes::none(), |error| clasp_bytes::of(error.hint.as_bytes()))
}

/// The number of the alert that stands for it on the wire (RFC 9846 6), 0 to 255: one that was received, or one that is for the peer.
/// -1 where there is none.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_error_alert(error: Option<&clasp_error>) -> i32 {
    error.and_then(|error| error.alert).map_or(-1, |(alert, _)| alert.into())
}

/// Whether that alert came from the peer.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_error_alert_received(error: Option<&clasp_error>) -> bool {
    error.and_then(|error| error.alert).is_some_and(|(_, direction)| direction == Direction::Received)
}

/// Frees an error. NULL is borne. Never one of clasp_connection_failure, which belongs to its connection.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_error_free(error: Option<Box<clasp_error>>) {
    drop(error);
}

#[cfg(test)]
mod tests {
    use super::*;
    use clasp::error::{CertificateError, Misuse, Outside};
    use clasp::wire::code::AlertDescription;

    #[test]
    fn an_error_has_a_label_of_one_word() {
        for error in PeerError::ALL.iter().map(|e| Error::from(*e)).chain(Misuse::ALL.iter().map(|e| Error::from(*e))) {
            let told = Box::<clasp_error>::from(&error);
            assert!(!told.label.is_empty() && told.label.chars().all(|c| c.is_ascii_alphanumeric()), "{}", told.label);
            assert!(!told.words.is_empty());
        }
        let theirs = Box::<clasp_error>::from(Error::from(AlertDescription::UnknownCa));
        assert_eq!((theirs.code, theirs.label.as_str()), (clasp_code::Alert, "unknown_ca"));
        assert_eq!((clasp_error_alert(Some(&theirs)), clasp_error_alert_received(Some(&theirs))), (48, true));
        let ours = Box::<clasp_error>::from(Error::from(PeerError::NoCommonSuite).hint("another policy"));
        assert_eq!(
            (ours.code, ours.label.as_str(), ours.hint.as_str()),
            (clasp_code::Peer, "NoCommonSuite", "another policy")
        );
        assert_eq!((clasp_error_alert(Some(&ours)), clasp_error_alert_received(Some(&ours))), (40, false));
    }

    #[test]
    fn codes_say_who_has_to_change_something() {
        let code = |error: Error| Box::<clasp_error>::from(error).code;
        assert_eq!(code(PeerError::Truncated.into()), clasp_code::Truncated);
        assert_eq!(code(Misuse::AlreadyClosed.into()), clasp_code::Caller);
        assert_eq!(code(Outside::RandomFailed.into()), clasp_code::Outside);
        assert_eq!(code(Outside::Bug.into()), clasp_code::Bug);
        let refused = CertificateError::ALL.first().copied().map(Error::from);
        assert_eq!(refused.map(code), Some(clasp_code::Certificate));
    }
}
