//! application_layer_protocol_negotiation: RFC 7301 3.1.

use crate::code::ExtensionType;
use crate::wire::{Extension, Parsed, Reader, Recorder, Writer};

/// The protocols of an ALPN extension. None may be empty.
///
/// # Errors
/// If the list or a name is empty.
pub fn alpn<'a, R: Recorder>(e: Extension<'a, R>) -> Parsed<Protocols<'a>> {
    let mut r = e.reader();
    let list = r.vec16("ProtocolNameList")?.non_empty("ProtocolNameList")?;
    r.finish("ALPN")?;
    let mut walk = list;
    while !walk.is_empty() {
        walk.element("ProtocolName", |walk| {
            walk.vec8("ProtocolName")?.non_empty("ProtocolName").map(|name| name.text("ProtocolName"))
        })?;
    }
    Ok(Protocols(list.silent()))
}

/// A checked list of protocol names.
#[derive(Clone, Copy, Debug)]
pub struct Protocols<'a>(Reader<'a>);

impl<'a> Protocols<'a> {
    /// The names in order.
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> + Clone {
        let mut walk = self.0;
        core::iter::from_fn(move || walk.vec8("ProtocolName").ok().map(|p| p.rest()))
    }
}

/// Writes an ALPN extension.
pub fn write_alpn<P: AsRef<[u8]>>(protocols: &[P], w: &mut Writer<'_>) {
    w.extension(ExtensionType::Alpn, |w| {
        w.vec16(|w| {
            for protocol in protocols {
                w.vec8(|w| w.bytes(protocol.as_ref()));
            }
        });
    });
}
