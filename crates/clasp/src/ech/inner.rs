//! EncodedClientHelloInner, and the hello that it is: RFC 9849 5.1, 7.1.

use crate::code::{ExtensionType, HandshakeType, ProtocolVersion, is_grease};
use crate::wire::decode::DecodeError;
use crate::wire::extension::ech::{EchHello, client};
use crate::wire::extension::supported_versions;
use crate::wire::message::{Checked, ClientHello, ClientHelloView, Message, frame};
use crate::wire::{Extension, Parsed, Reader, Writer};
use core::fmt;

/// ech_outer_extensions: it stands nowhere but in an encoded hello.
pub(super) const OUTER_EXTENSIONS: ExtensionType = ExtensionType(0xfd00);

/// Why a hidden hello is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InnerFault {
    Malformed(DecodeError),
    SessionId,
    Padding,
    /// ech_outer_extensions names this one, which is not there, or not in this order, or not to be named.
    Outer(ExtensionType),
    NotInner,
    Versions,
    TooLong,
}

impl fmt::Display for InnerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => error.fmt(f),
            Self::SessionId => f.write_str("a session ID, which is that of the outer hello"),
            Self::Padding => f.write_str("padding that is not zero"),
            Self::Outer(typ) => {
                write!(f, "ech_outer_extensions with {typ}, not in the outer hello's order or not to be named")
            }
            Self::NotInner => f.write_str("no encrypted_client_hello of the inner type"),
            Self::Versions => f.write_str("versions other than TLS 1.3 and newer"),
            Self::TooLong => f.write_str("more than fits"),
        }
    }
}

impl From<DecodeError> for InnerFault {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error)
    }
}

/// The hello that `encoded` is, with what it leaves to the outer one.
pub(crate) fn uncover(outer: &ClientHelloView<'_>, encoded: &[u8]) -> Result<Checked<ClientHello>, InnerFault> {
    let mut r = Reader::new(encoded);
    let inner = ClientHello::parse(&mut r)?;
    if !inner.session_id.is_empty() {
        return Err(InnerFault::SessionId);
    }
    if r.rest().iter().any(|byte| *byte != 0) {
        return Err(InnerFault::Padding);
    }
    let mut extensions = Vec::new();
    expand(outer, &inner, &mut extensions)?;
    let mut message = Vec::new();
    frame(&mut message, HandshakeType::ClientHello, |w| {
        let head = ClientHelloView { session_id: outer.session_id, extensions: crate::wire::Extensions::NONE, ..inner };
        head.encode(w);
        w.vec16(|w| w.bytes(&extensions));
    })
    .map_err(|_| InnerFault::TooLong)?;
    let message = Checked::<ClientHello>::new(message)?;
    check(&message.view())?;
    Ok(message)
}

/// Puts the outer hello's extensions where ech_outer_extensions names them. They are looked for in one walk, so that what is named
/// twice, or in another order, is not found, and the work is linear.
fn expand(outer: &ClientHelloView<'_>, inner: &ClientHelloView<'_>, out: &mut Vec<u8>) -> Result<(), InnerFault> {
    for e in inner.extensions.iter() {
        if e.typ != OUTER_EXTENSIONS {
            append(e, out)?;
            continue;
        }
        let mut others = outer.extensions.iter();
        for typ in named(e)? {
            let never = [ExtensionType::EncryptedClientHello, OUTER_EXTENSIONS].contains(&typ);
            let found = others.find(|other| other.typ == typ).filter(|_| !never);
            append(found.ok_or(InnerFault::Outer(typ))?, out)?;
        }
    }
    Ok(())
}

fn append(e: Extension<'_>, out: &mut Vec<u8>) -> Result<(), InnerFault> {
    Writer::write(out, |w| w.extension(e.typ, |w| w.bytes(e.body))).map_err(|_| InnerFault::TooLong)
}

/// OuterExtensions<2..254>
fn named(e: Extension<'_>) -> Parsed<Vec<ExtensionType>> {
    let mut r = e.reader();
    let mut list = r.vec8("OuterExtensions")?.non_empty("OuterExtensions")?;
    r.finish("ech_outer_extensions")?;
    let mut types = Vec::new();
    while !list.is_empty() {
        types.push(list.code("ExtensionType")?);
    }
    Ok(types)
}

/// RFC 9849 7.1: it says that it was hidden, and offers nothing older than TLS 1.3.
fn check(inner: &ClientHelloView<'_>) -> Result<(), InnerFault> {
    let says = inner.extensions.find(ExtensionType::EncryptedClientHello).map(client).transpose()?;
    if says != Some(EchHello::Inner) {
        return Err(InnerFault::NotInner);
    }
    let versions = inner.extensions.find(ExtensionType::SupportedVersions).map(supported_versions).transpose()?;
    let versions = versions.unwrap_or_default();
    let (tls13, old) = (ProtocolVersion::Tls13.0, |v: u16| !is_grease(v) && v < ProtocolVersion::Tls13.0);
    if versions.contains(tls13) && !versions.iter().any(old) { Ok(()) } else { Err(InnerFault::Versions) }
}
