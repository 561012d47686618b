//! Bytes that are not a well-formed message.

use crate::code::AlertDescription;
use crate::family::family;
use core::fmt;

/// A field that cannot be read: which, where, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The field.
    pub what: &'static str,
    /// What is wrong with it.
    pub kind: DecodeKind,
    /// Byte offset in the message's body.
    pub offset: usize,
}

family! {
    /// What is wrong with a field.
    pub enum DecodeKind {
        Truncated => DecodeError, "RFC 9846 6.2", "is cut short";
        TrailingData(bytes: usize = 1) => DecodeError, "RFC 9846 6.2", "has {bytes} bytes left over behind it";
        Empty => DecodeError, "RFC 9846 3.4", "is empty";
        BadLength(length: usize = 3) => DecodeError, "RFC 9846 6.2", "has the impossible length {length}";
        Duplicate(value: u32 = 29) => IllegalParameter, "RFC 9846 6.2", "has {value:#x} twice";
        DuplicateExtension(typ: u16 = 43) => DecodeError, "RFC 9846 4.2", "has the extension {typ:#x} twice";
        IllegalValue(value: u32 = 2) => IllegalParameter, "RFC 9846 6.2", "has the illegal value {value:#x}";
    }
}

impl DecodeError {
    /// The alert of its [`kind`](Self::kind).
    pub const fn alert(self) -> AlertDescription {
        self.kind.alert()
    }

    /// Where the rule stands.
    pub const fn source(self) -> &'static str {
        self.kind.source()
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, kind, offset } = self;
        write!(f, "{what} {kind} at byte {offset}")
    }
}

impl core::error::Error for DecodeError {}
