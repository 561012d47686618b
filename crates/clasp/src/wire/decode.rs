//! Bytes that are not a well-formed message.

use crate::code::AlertDescription;
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

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeKind {
    /// The bytes end before the field does.
    Truncated,
    /// Bytes are left over behind the field.
    TrailingData(usize),
    /// The field may not be empty.
    Empty,
    /// The length is not one the field may have.
    BadLength(usize),
    /// The value stands twice.
    Duplicate(u32),
    /// The extension stands twice.
    DuplicateExtension(u16),
    /// The value is not one the field may have.
    IllegalValue(u32),
}

impl DecodeError {
    /// `illegal_parameter` for a well-formed but impossible value, `decode_error` for the rest: RFC 9846 6.2.
    pub const fn alert(self) -> AlertDescription {
        match self.kind {
            DecodeKind::Duplicate(_) | DecodeKind::IllegalValue(_) => AlertDescription::IllegalParameter,
            _ => AlertDescription::DecodeError,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, kind, offset } = *self;
        match kind {
            DecodeKind::Truncated => write!(f, "{what} is cut short at byte {offset}"),
            DecodeKind::TrailingData(n) => write!(f, "{n} bytes are left over behind {what} at byte {offset}"),
            DecodeKind::Empty => write!(f, "{what} is empty at byte {offset}"),
            DecodeKind::BadLength(n) => write!(f, "{what} has the impossible length {n} at byte {offset}"),
            DecodeKind::DuplicateExtension(v) => write!(f, "extension {v:#x} stands twice in {what} at byte {offset}"),
            DecodeKind::Duplicate(v) => write!(f, "{what} has {v:#x} twice at byte {offset}"),
            DecodeKind::IllegalValue(v) => write!(f, "{what} has the illegal value {v:#x} at byte {offset}"),
        }
    }
}

impl core::error::Error for DecodeError {}
