//! Small extensions of TLS 1.3: supported_versions of a server, cookie, early_data of a ticket.

use crate::code::{ExtensionType, ProtocolVersion};
use crate::wire::{Extension, Parsed, Recorder, Writer};

/// The version a server selected: RFC 9846 4.2.1.
///
/// # Errors
/// If it is not exactly one version.
pub fn selected_version<R: Recorder>(e: Extension<'_, R>) -> Parsed<ProtocolVersion> {
    let mut r = e.reader();
    let version = r.code("selected_version")?;
    r.finish("supported_versions")?;
    Ok(version)
}

/// Writes a client's supported_versions.
pub fn write_versions(versions: impl Iterator<Item = u16>, w: &mut Writer<'_>) {
    w.extension(ExtensionType::SupportedVersions, |w| w.vec8(|w| versions.for_each(|v| w.u16(v))));
}

/// Writes a server's supported_versions.
pub fn write_selected_version(version: ProtocolVersion, w: &mut Writer<'_>) {
    w.extension(ExtensionType::SupportedVersions, |w| w.u16(version.0));
}

/// A cookie: RFC 9846 4.2.2.
///
/// # Errors
/// If it is empty or not well framed.
pub fn cookie<'a, R: Recorder>(e: Extension<'a, R>) -> Parsed<&'a [u8]> {
    let mut r = e.reader();
    let cookie = r.vec16("cookie")?.non_empty("cookie")?;
    r.finish("cookie")?;
    Ok(cookie.rest())
}

/// Writes a cookie.
pub fn write_cookie(cookie: &[u8], w: &mut Writer<'_>) {
    w.extension(ExtensionType::Cookie, |w| w.vec16(|w| w.bytes(cookie)));
}

/// How much early data a ticket allows: RFC 9846 4.2.10.
///
/// # Errors
/// If it is not exactly one number.
pub fn max_early_data<R: Recorder>(e: Extension<'_, R>) -> Parsed<u32> {
    let mut r = e.reader();
    let max = r.u32("max_early_data_size")?;
    r.finish("early_data")?;
    Ok(max)
}
