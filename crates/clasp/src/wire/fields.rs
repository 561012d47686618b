//! Walks a handshake message as named, located fields: for observers, the command line and errors.

use super::message::HEADER_LEN;
use super::{Extensions, Read, Reader};
use crate::code::{CipherSuite, ExtensionType, HandshakeType, NamedGroup, ProtocolVersion, SignatureScheme};
use core::ops::Range;

/// One field of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name.
    pub name: &'static str,
    /// Where it stands in the whole message.
    pub range: Range<usize>,
    /// How deep it is nested.
    pub depth: u8,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Its value for people.
    pub value: String,
}

/// The fields of a whole handshake message (header included), as far as they can be read. Unknown messages and
/// extensions come as bytes.
pub fn message(bytes: &[u8]) -> Vec<Field<'_>> {
    let mut walk = Walk { fields: Vec::new(), depth: 0 };
    let mut r = Reader::new(bytes);
    let Ok(kind) = r.u8("type").map(HandshakeType) else { return walk.fields };
    // A message that is not well formed gives the fields before the fault.
    let _fault = r.take(HEADER_LEN - 1, "length").and_then(|_| match kind {
        HandshakeType::ClientHello => client_hello(&mut walk, &mut r),
        HandshakeType::ServerHello => server_hello(&mut walk, &mut r),
        HandshakeType::Certificate => certificates(&mut walk, &mut r),
        _ => walk.all("body", r),
    });
    walk.fields
}

struct Walk<'a> {
    fields: Vec<Field<'a>>,
    depth: u8,
}

impl<'a> Walk<'a> {
    fn push(&mut self, name: &'static str, from: usize, bytes: &'a [u8], value: String) {
        self.fields.push(Field {
            name,
            range: from..from.saturating_add(bytes.len()),
            depth: self.depth,
            bytes,
            value,
        });
    }

    fn bytes(&mut self, name: &'static str, r: &mut Reader<'a>, n: usize) -> Read<()> {
        let from = r.offset();
        let bytes = r.take(n, name)?;
        self.push(name, from, bytes, hex(bytes));
        Ok(())
    }

    fn all(&mut self, name: &'static str, mut r: Reader<'a>) -> Read<()> {
        let n = r.rest().len();
        self.bytes(name, &mut r, n)
    }

    fn code(&mut self, name: &'static str, r: &mut Reader<'a>, show: impl Fn(u16) -> String) -> Read<()> {
        let from = r.offset();
        let bytes = r.array::<2>(name)?;
        self.push(name, from, bytes, show(u16::from_be_bytes(*bytes)));
        Ok(())
    }

    fn codes(&mut self, name: &'static str, mut list: Reader<'a>, show: impl Fn(u16) -> String) -> Read<()> {
        while !list.is_empty() {
            self.code(name, &mut list, &show)?;
        }
        Ok(())
    }
}

fn client_hello<'a>(walk: &mut Walk<'a>, r: &mut Reader<'a>) -> Read<()> {
    walk.code("client_version", r, |v| ProtocolVersion(v).to_string())?;
    walk.bytes("random", r, 32)?;
    let id = r.vec8("session_id")?;
    walk.all("session_id", id)?;
    walk.codes("cipher_suite", r.vec16("cipher_suites")?, |v| CipherSuite(v).to_string())?;
    let compression = r.vec8("compression_methods")?;
    walk.all("compression_methods", compression)?;
    extensions(walk, r)
}

fn server_hello<'a>(walk: &mut Walk<'a>, r: &mut Reader<'a>) -> Read<()> {
    walk.code("server_version", r, |v| ProtocolVersion(v).to_string())?;
    walk.bytes("random", r, 32)?;
    let id = r.vec8("session_id")?;
    walk.all("session_id", id)?;
    walk.code("cipher_suite", r, |v| CipherSuite(v).to_string())?;
    walk.bytes("compression_method", r, 1)?;
    extensions(walk, r)
}

fn certificates<'a>(walk: &mut Walk<'a>, r: &mut Reader<'a>) -> Read<()> {
    let mut list = r.vec24("certificate_list")?;
    while !list.is_empty() {
        let certificate = list.vec24("certificate")?;
        let value = format!("{} bytes", certificate.rest().len());
        walk.push("certificate", certificate.offset(), certificate.rest(), value);
    }
    Ok(())
}

fn extensions<'a>(walk: &mut Walk<'a>, r: &mut Reader<'a>) -> Read<()> {
    for extension in Extensions::read(r, true)?.iter() {
        let name = if extension.typ.is_known() { extension.typ.name() } else { "extension" };
        walk.push(name, extension.offset, extension.body, hex(extension.body));
        walk.depth = 1;
        let mut body = extension.reader();
        let inner = match extension.typ {
            ExtensionType::SupportedGroups => {
                body.vec16(name).and_then(|l| walk.codes("group", l, |v| NamedGroup(v).to_string()))
            }
            ExtensionType::SignatureAlgorithms => {
                body.vec16(name).and_then(|l| walk.codes("scheme", l, |v| SignatureScheme(v).to_string()))
            }
            _ => Ok(()),
        };
        walk.depth = 0;
        inner?;
    }
    Ok(())
}

/// Long values are cut: an observer wants to see, not to copy.
const HEX_SHOWN: usize = 48;

fn hex(bytes: &[u8]) -> String {
    use core::fmt::Write;
    let mut text = String::with_capacity(bytes.len().min(HEX_SHOWN).saturating_mul(2));
    for byte in bytes.iter().take(HEX_SHOWN) {
        let _never_fails = write!(text, "{byte:02x}");
    }
    if bytes.len() > HEX_SHOWN {
        let _never_fails = write!(text, "... ({} bytes)", bytes.len());
    }
    text
}
