//! Extension bodies: one small reader each. Writers stand beside them.

mod alpn;
pub mod certificate;
pub mod early;
pub mod ech;
pub mod key_share;
pub mod pre_shared_key;
mod server_name;
mod shared;
mod status_request;

pub use alpn::{Protocols, alpn, write_alpn};
pub use server_name::{server_name, write_server_name};
pub use shared::{codes, empty, flag, vec8, write_codes};
pub use status_request::{status_request, write_status_request};

use super::{Codes, Extension, Parsed, Recorder};
use crate::code::{CipherSuite, MaxFragmentLength, ProtocolVersion, SignatureScheme};
use crate::wire::decode::DecodeKind;

/// max_fragment_length: RFC 6066 4.
///
/// # Errors
/// If it is not one byte of a known code.
pub fn max_fragment_length<R: Recorder>(e: Extension<'_, R>) -> Parsed<MaxFragmentLength> {
    let mut r = e.reader();
    let code: MaxFragmentLength = r.code("max_fragment_length")?;
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
pub fn record_size_limit<R: Recorder>(e: Extension<'_, R>) -> Parsed<u16> {
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
pub fn supported_versions<'a, R: Recorder>(e: Extension<'a, R>) -> Parsed<Codes<'a>> {
    let mut r = e.reader();
    let list = Codes::read::<ProtocolVersion, _>(r.vec8("versions")?, "versions")?;
    r.finish("supported_versions")?;
    Ok(list)
}

/// renegotiation_info: RFC 5746 3.2. The renegotiated_connection field.
///
/// # Errors
/// If it is not one vector.
pub fn renegotiation_info<'a, R: Recorder>(e: Extension<'a, R>) -> Parsed<&'a [u8]> {
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
    // RFC 8701: values that mean nothing, and another one each time.
    names(codes.iter().filter(|code| !crate::code::is_grease(*code)).map(CipherSuite))
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
