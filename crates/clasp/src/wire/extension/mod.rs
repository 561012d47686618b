//! Extension bodies: one small reader each. Writers stand beside them.

pub mod certificate;
pub mod early;
pub mod key_share;
pub mod pre_shared_key;

use super::{Codes, Extension, Read, Reader, Writer};
use crate::code::{CipherSuite, ExtensionType, MaxFragmentLength, SignatureScheme};
use crate::wire::decode::DecodeKind;

/// server_name in a ClientHello: RFC 6066 3. At most one host name; names of other types are passed over, since each begins
/// with its length, whatever it is.
///
/// # Errors
/// If the list is empty or has two host names, or the host name is empty, has a NUL or is longer than a name can be.
pub fn server_name<'a>(e: Extension<'a>) -> Read<Option<&'a [u8]>> {
    const HOST_NAME: u8 = 0;
    let mut r = e.reader();
    let mut list = r.vec16("server_name_list")?.non_empty("server_name_list")?;
    r.finish("server_name")?;
    let mut host = None;
    while !list.is_empty() {
        let kind = list.u8("name_type")?;
        if kind != HOST_NAME {
            list.vec16("ServerName")?;
            continue;
        }
        let name = list.vec16("host_name")?.non_empty("host_name")?;
        if host.is_some() {
            return Err(name.error("server_name_list", DecodeKind::Duplicate(u32::from(kind))));
        }
        if name.rest().contains(&0) {
            return Err(name.error("host_name", DecodeKind::IllegalValue(0)));
        }
        if name.rest().len() > 255 {
            return Err(name.error("host_name", DecodeKind::BadLength(name.rest().len())));
        }
        host = Some(name.rest());
    }
    Ok(host)
}

/// Writes server_name for a host.
pub fn write_server_name(host: &str, w: &mut Writer<'_>) {
    w.extension(ExtensionType::ServerName, |w| {
        w.vec16(|w| {
            w.u8(0);
            w.vec16(|w| w.bytes(host.as_bytes()));
        });
    });
}

/// An extension whose body is one 16-bit-prefixed list of codes: supported_groups (RFC 8422 5.1.1),
/// signature_algorithms (RFC 5246 7.4.1.4.1).
///
/// # Errors
/// If the list is empty or odd.
pub fn codes<'a>(e: Extension<'a>, what: &'static str) -> Read<Codes<'a>> {
    let mut r = e.reader();
    let list = Codes::read(r.vec16(what)?, what)?;
    r.finish(what)?;
    Ok(list)
}

/// Writes such an extension.
pub fn write_codes(typ: ExtensionType, codes: impl Iterator<Item = u16>, w: &mut Writer<'_>) {
    w.extension(typ, |w| w.vec16(|w| codes.for_each(|c| w.u16(c))));
}

/// A body that is one non-empty 8-bit-prefixed vector: ec_point_formats (RFC 8422 5.1.2).
///
/// # Errors
/// If it is not exactly that.
pub fn vec8<'a>(e: Extension<'a>, what: &'static str) -> Read<&'a [u8]> {
    let mut r = e.reader();
    let body = r.vec8(what)?.non_empty(what)?;
    r.finish(what)?;
    Ok(body.rest())
}

/// A body that must be empty: extended_master_secret, encrypt_then_mac, answers to server_name and status_request.
///
/// # Errors
/// If it is not.
pub fn empty(e: Extension<'_>, what: &'static str) -> Read<()> {
    e.reader().finish(what)
}

/// An extension that says all it has to say by being there, with nothing in it: true.
///
/// # Errors
/// If there is something in it.
pub fn flag(e: Extension<'_>, what: &'static str) -> Read<bool> {
    empty(e, what).map(|()| true)
}

/// The protocols of an ALPN extension: RFC 7301 3.1. None may be empty.
///
/// # Errors
/// If the list or a name is empty.
pub fn alpn<'a>(e: Extension<'a>) -> Read<Protocols<'a>> {
    let mut r = e.reader();
    let list = r.vec16("ProtocolNameList")?.non_empty("ProtocolNameList")?;
    r.finish("ALPN")?;
    let mut walk = list;
    while !walk.is_empty() {
        walk.vec8("ProtocolName")?.non_empty("ProtocolName")?;
    }
    Ok(Protocols(list))
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

/// status_request in a ClientHello: RFC 6066 8. True if it asks for OCSP.
///
/// # Errors
/// If an OCSP request is not well framed.
pub fn status_request(e: Extension<'_>) -> Read<bool> {
    let mut r = e.reader();
    if r.u8("status_type")? != 1 {
        return Ok(false);
    }
    let mut responders = r.vec16("responder_id_list")?;
    while !responders.is_empty() {
        responders.vec16("ResponderID")?.non_empty("ResponderID")?;
    }
    r.vec16("request_extensions")?;
    r.finish("status_request")?;
    Ok(true)
}

/// Writes a status_request for OCSP without responder preferences.
pub fn write_status_request(w: &mut Writer<'_>) {
    w.extension(ExtensionType::StatusRequest, |w| w.bytes(&[1, 0, 0, 0, 0]));
}

/// max_fragment_length: RFC 6066 4.
///
/// # Errors
/// If it is not one byte of a known code.
pub fn max_fragment_length(e: Extension<'_>) -> Read<MaxFragmentLength> {
    let mut r = e.reader();
    let code = MaxFragmentLength(r.u8("max_fragment_length")?);
    if code.bytes().is_none() {
        return Err(r.error("max_fragment_length", DecodeKind::IllegalValue(u32::from(code.0))));
    }
    r.finish("max_fragment_length")?;
    Ok(code)
}

/// record_size_limit: RFC 8449 4. At least 64.
///
/// # Errors
/// If it is not one number in range.
pub fn record_size_limit(e: Extension<'_>) -> Read<u16> {
    let mut r = e.reader();
    let limit = r.u16("record_size_limit")?;
    if limit < 64 {
        return Err(r.error("record_size_limit", DecodeKind::IllegalValue(u32::from(limit))));
    }
    r.finish("record_size_limit")?;
    Ok(limit)
}

/// supported_versions in a ClientHello: RFC 9846 4.2.1.
///
/// # Errors
/// If the list is empty or odd.
pub fn supported_versions<'a>(e: Extension<'a>) -> Read<Codes<'a>> {
    let mut r = e.reader();
    let list = Codes::read(r.vec8("versions")?, "versions")?;
    r.finish("supported_versions")?;
    Ok(list)
}

/// renegotiation_info: RFC 5746 3.2. The renegotiated_connection field.
///
/// # Errors
/// If it is not one vector.
pub fn renegotiation_info<'a>(e: Extension<'a>) -> Read<&'a [u8]> {
    let mut r = e.reader();
    let body = r.vec8("renegotiated_connection")?;
    r.finish("renegotiation_info")?;
    Ok(body.rest())
}

/// The code lists are typed at their use; this names what stands in them, for errors.
pub fn scheme_names(codes: Codes<'_>) -> String {
    names(codes.iter().map(SignatureScheme))
}

/// The names of cipher suites, for errors.
pub fn suite_names(codes: Codes<'_>) -> String {
    names(codes.iter().map(CipherSuite))
}

/// At most this many names of a peer's list stand in an error.
const NAMES_SHOWN: usize = 12;

/// What stands in a list, for errors: the first few, and how many more.
pub(crate) fn names(mut all: impl Iterator<Item = impl ToString>) -> String {
    let shown: Vec<String> = all.by_ref().take(NAMES_SHOWN).map(|name| name.to_string()).collect();
    match all.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
