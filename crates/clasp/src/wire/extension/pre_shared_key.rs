//! pre_shared_key and psk_key_exchange_modes: RFC 9846 4.2.11, 4.2.9.

use super::vec8;
use crate::code::{ExtensionType, PskKeyExchangeMode};
use crate::wire::{Extension, Parsed, Reader, Recorder, Writer};

/// One PskIdentity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PskIdentity<'a> {
    /// The ticket, or the name of an external key.
    pub identity: &'a [u8],
    /// The ticket's age in milliseconds, plus the ticket's `age_add`.
    pub obfuscated_age: u32,
}

/// What a client offers, checked.
#[derive(Clone, Copy, Debug)]
pub struct OfferedPsks<'a> {
    identities: Reader<'a>,
    binders: Reader<'a>,
    /// Bytes of the binders with their length: what is cut from the hello before it is hashed.
    pub binders_len: usize,
}

impl<'a> OfferedPsks<'a> {
    /// The identities in order.
    pub fn identities(self) -> impl Iterator<Item = PskIdentity<'a>> + Clone {
        let mut walk = self.identities;
        core::iter::from_fn(move || identity(&mut walk).ok())
    }

    /// The binders in order.
    pub fn binders(self) -> impl Iterator<Item = &'a [u8]> {
        let mut walk = self.binders;
        core::iter::from_fn(move || walk.vec8("PskBinderEntry").ok().map(|b| b.rest()))
    }
}

fn identity<'a, R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<PskIdentity<'a>> {
    let identity = r.vec16("identity")?.non_empty("identity")?.rest();
    Ok(PskIdentity { identity, obfuscated_age: r.u32("obfuscated_ticket_age")? })
}

/// Reads what a client offers.
///
/// # Errors
/// If a list is empty or not well framed.
pub fn offered<'a, R: Recorder>(e: Extension<'a, R>) -> Parsed<OfferedPsks<'a>> {
    let mut r = e.reader();
    let identities = r.vec16("identities")?.non_empty("identities")?;
    let binders_len = r.rest().len();
    let binders = r.vec16("binders")?.non_empty("binders")?;
    r.finish("pre_shared_key")?;
    let mut walk = identities;
    while !walk.is_empty() {
        walk.element("PskIdentity", identity)?;
    }
    let mut walk = binders;
    while !walk.is_empty() {
        // One of a wrong length is a wrong one.
        walk.element("PskBinderEntry", |walk| walk.vec8("PskBinderEntry"))?;
    }
    Ok(OfferedPsks { identities: identities.silent(), binders: binders.silent(), binders_len })
}

/// Reads which identity a server selected.
///
/// # Errors
/// If it is not exactly one number.
pub fn selected<R: Recorder>(e: Extension<'_, R>) -> Parsed<u16> {
    let mut r = e.reader();
    let index = r.u16("selected_identity")?;
    r.finish("pre_shared_key")?;
    Ok(index)
}

/// Writes an offer. The binders are zeros of these lengths, at most 255, to be filled in when the hello is whole.
pub fn write_offered<'a>(
    identities: impl IntoIterator<Item = PskIdentity<'a>>,
    binder_lens: impl IntoIterator<Item = usize>,
    w: &mut Writer<'_>,
) {
    w.extension(ExtensionType::PreSharedKey, |w| {
        w.vec16(|w| {
            for psk in identities {
                w.vec16(|w| w.bytes(psk.identity));
                w.u32(psk.obfuscated_age);
            }
        });
        w.vec16(|w| binder_lens.into_iter().for_each(|n| w.vec8(|w| (0..n).for_each(|_| w.u8(0)))));
    });
}

/// Writes a server's selection.
pub fn write_selected(index: u16, w: &mut Writer<'_>) {
    w.extension(ExtensionType::PreSharedKey, |w| w.u16(index));
}

/// Reads psk_key_exchange_modes.
///
/// # Errors
/// If the list is empty or not well framed.
pub fn modes<'a, R: Recorder>(e: Extension<'a, R>) -> Parsed<&'a [u8]> {
    vec8(e, "ke_modes")
}

/// Writes psk_key_exchange_modes.
pub fn write_modes(modes: &[PskKeyExchangeMode], w: &mut Writer<'_>) {
    w.extension(ExtensionType::PskKeyExchangeModes, |w| w.vec8(|w| modes.iter().for_each(|m| w.u8(m.0))));
}
