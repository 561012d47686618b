//! A handshake message as named, located fields: for observers, the command line and fuzzing. There is no second set of parsers:
//! those of the handshake read it, and `notes` hears which bytes they take for which field. Alerts, ChangeCipherSpec and the frames of
//! records come apart in the same way; they have a few bytes each, which `frames` reads.

mod frames;
mod notes;
mod parsers;

use super::decode::{DecodeError, DecodeKind};
use super::message::{HEADER_LEN, Kx};
use super::{Parsed, Reader};
use crate::code::{CertificateType, HandshakeType, ProtocolVersion};
use core::ops::Range;
pub use frames::{alert, change_cipher_spec, records};
use notes::{Hearer, Notes};
use parsers::Block;

/// One field of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field<'a> {
    /// Its name in the RFC that defines it; `"length"` for what says how long the next one is, an extension's for the whole of
    /// it, `"unread"` for what stands where a fault kept it from being read.
    pub name: &'static str,
    /// Its place, where it is one of a list.
    pub index: Option<usize>,
    /// Where it stands in the whole message, in bytes.
    pub range: Range<usize>,
    /// How deep it is nested: 0 for what stands in the message itself.
    pub depth: u8,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Its value for people: the name of a code, a number, text (its first 128 bytes), bytes in hexadecimal (the first 48), or how long it is
    /// where it holds other fields.
    pub value: String,
    /// Whether it holds no other field. Each byte of a message is in one such field.
    pub leaf: bool,
}

/// A message as its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decoded<'a> {
    /// The fields, in the order of their bytes, each before those in it.
    pub fields: Vec<Field<'a>>,
    /// Why the message is not well formed, if it is not. The fields are those before the fault, then. Its offset counts from
    /// the message's body, as in the errors of a handshake.
    pub fault: Option<DecodeError>,
}

/// What is known of the conversation in which a message stands. What it says depends on that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// The version, once the server has chosen it.
    pub version: Option<ProtocolVersion>,
    /// The key exchange of a TLS 1.2 suite.
    pub kx: Option<Kx>,
    /// What the sender has for a certificate: in TLS 1.2, a raw public key stands in the message in another way (RFC 7250 3).
    pub certificate: CertificateType,
}

impl Default for Context {
    fn default() -> Self {
        Self { version: None, kx: None, certificate: CertificateType::X509 }
    }
}

/// The fields of a whole handshake message, header included. What is not known here comes as bytes, as does what nobody could
/// read without the [`Context`] that is missing.
///
/// ```
/// use clasp::trace::fields::{Context, message};
/// let key_update = message(&[24, 0, 0, 1, 1], &Context::default());
/// let lines = key_update.fields.iter().map(|f| format!("{}: {}", f.name, f.value));
/// assert_eq!(lines.collect::<Vec<_>>(), ["msg_type: KeyUpdate", "length: 1", "request_update: update_requested"]);
/// assert_eq!(key_update.fault, None);
/// ```
pub fn message<'a>(bytes: &'a [u8], context: &Context) -> Decoded<'a> {
    let notes = Notes::default();
    let fault = read(bytes, context, &notes).err().or_else(|| notes.fault());
    // Errors of a handshake count from the body.
    let fault = fault.map(|e| DecodeError { offset: e.offset.saturating_sub(HEADER_LEN), ..e });
    Decoded { fields: notes.fields(bytes), fault }
}

fn read(bytes: &[u8], context: &Context, notes: &Notes) -> Parsed<()> {
    let kind = HandshakeType(bytes.first().copied().unwrap_or(0));
    let hearer = Hearer::new(notes, Block::of(kind, bytes));
    let mut r = Reader::heard(bytes, 0, hearer);
    let kind = r.code("msg_type")?;
    let length = r.u24("length")?;
    if usize::try_from(length) != Ok(r.rest().len()) {
        return Err(r.error("length", DecodeKind::BadLength(r.rest().len())));
    }
    parsers::body(kind, context, r)
}
