//! Bodies of a form that several extensions have: a list of codes, or nothing.

use crate::code::{CertificateType, EcPointFormat, ExtensionType, NamedGroup, PskKeyExchangeMode, SignatureScheme};
use crate::wire::{Codes, Extension, Parsed, Recorder, Writer};

/// An extension whose body is one 16-bit-prefixed list of codes: supported_groups (RFC 8422 5.1.1),
/// signature_algorithms (RFC 5246 7.4.1.4.1).
///
/// # Errors
/// If the list is empty or odd.
pub fn codes<'a, R: Recorder>(e: Extension<'a, R>, what: &'static str) -> Parsed<Codes<'a>> {
    let mut r = e.reader();
    let list = r.vec16(what)?;
    let list = match e.typ {
        ExtensionType::SupportedGroups => Codes::read::<NamedGroup, _>(list, what)?,
        _ => Codes::read::<SignatureScheme, _>(list, what)?,
    };
    r.finish(what)?;
    Ok(list)
}

/// Writes such an extension.
pub fn write_codes(typ: ExtensionType, codes: impl Iterator<Item = u16>, w: &mut Writer<'_>) {
    w.extension(typ, |w| w.vec16(|w| codes.for_each(|c| w.u16(c))));
}

/// A body that is one non-empty list of 8-bit codes behind an 8-bit length: ec_point_formats (RFC 8422 5.1.2).
///
/// # Errors
/// If it is not exactly that.
pub fn vec8<'a, R: Recorder>(e: Extension<'a, R>, what: &'static str) -> Parsed<&'a [u8]> {
    let mut r = e.reader();
    let list = r.vec8(what)?.non_empty(what)?;
    let list = match e.typ {
        ExtensionType::PskKeyExchangeModes => list.codes::<PskKeyExchangeMode, 1>(what),
        ExtensionType::ClientCertificateType | ExtensionType::ServerCertificateType => {
            list.codes::<CertificateType, 1>(what)
        }
        _ => list.codes::<EcPointFormat, 1>(what),
    };
    r.finish(what)?;
    Ok(list)
}

/// A body that must be empty: extended_master_secret, encrypt_then_mac, answers to server_name and status_request.
///
/// # Errors
/// If it is not.
pub fn empty<R: Recorder>(e: Extension<'_, R>, what: &'static str) -> Parsed<()> {
    e.reader().finish(what)
}

/// An extension that says all it has to say by being there, with nothing in it: true.
///
/// # Errors
/// If there is something in it.
pub fn flag<R: Recorder>(e: Extension<'_, R>, what: &'static str) -> Parsed<bool> {
    empty(e, what).map(|()| true)
}
