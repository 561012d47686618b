//! What cannot be read, and where.

use core::fmt;

/// Why bytes are not what they should be: which field, where, what stands there, and what would have been read.
///
/// ```
/// let error = clasp_x509::Certificate::parse(&[0x30, 3, 0x04, 1, 0]).unwrap_err();
/// assert_eq!((error.field(), error.offset()), ("tbsCertificate", 2));
/// assert_eq!(error.to_string(), "tbsCertificate at byte 2: found an OCTET STRING, wanted a SEQUENCE");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseError {
    field: &'static str,
    offset: usize,
    found: Found,
    wanted: Wanted,
}

impl ParseError {
    pub(crate) const fn new(field: &'static str, offset: usize, found: Found, wanted: Wanted) -> Self {
        Self { field, offset, found, wanted }
    }

    /// The field that cannot be read, by its name in the RFC that has it.
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// Where what cannot be read begins, in bytes from the first that were given.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// What was found there, for people.
    pub fn found(&self) -> impl fmt::Display + use<> {
        self.found
    }

    /// What would have been read, for people.
    pub fn wanted(&self) -> impl fmt::Display + use<> {
        self.wanted
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, offset, found, wanted } = self;
        write!(f, "{field} at byte {offset}: found {found}, wanted {wanted}")
    }
}

impl core::error::Error for ParseError {}

/// What stands where something cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing: whatever holds the field is at its end.
    End,
    /// An element with this tag.
    Element(u8),
    /// Something that is not well formed, or an element with another content.
    Other,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End => f.write_str("nothing"),
            Self::Element(tag) => fmt::Display::fmt(&Tag(*tag), f),
            Self::Other => f.write_str("something else"),
        }
    }
}

/// What would have been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// An element with this tag.
    Element(u8),
    Words(&'static str),
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Element(tag) => fmt::Display::fmt(&Tag(*tag), f),
            Self::Words(words) => f.write_str(words),
        }
    }
}

/// A tag of DER, with its article.
struct Tag(u8);

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            0x01 => "a BOOLEAN",
            0x02 => "an INTEGER",
            0x03 => "a BIT STRING",
            0x04 => "an OCTET STRING",
            0x05 => "NULL",
            0x06 => "an OBJECT IDENTIFIER",
            0x0a => "an ENUMERATED",
            0x0c => "a UTF8String",
            0x13 => "a PrintableString",
            0x17 => "a UTCTime",
            0x18 => "a GeneralizedTime",
            0x30 => "a SEQUENCE",
            0x31 => "a SET",
            tag @ 0x80..=0xbf => return write!(f, "[{}]", tag & 0x1f),
            tag => return write!(f, "an element with the tag 0x{tag:02x}"),
        };
        f.write_str(name)
    }
}
