//! Names: distinguished names, general names, and RFC 9525 matching of server names.

pub(crate) mod compare;
pub(crate) mod general;
pub(crate) mod server;

use crate::der::{self, Der, DerError, DerResult};
use crate::oid::Oid;
use core::fmt;

/// Attributes of one distinguished name; more than any directory has.
const MAX_ATTRIBUTES: usize = 4096;

/// A distinguished name (DER), shown as `CN=..., O=...` in the order of its encoding.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a>(pub &'a [u8]);

/// One attribute of a distinguished name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute<'a> {
    pub(crate) oid: &'a [u8],
    pub(crate) tag: u8,
    pub(crate) value: &'a [u8],
}

impl<'a> Name<'a> {
    /// Whether the two are the same name: RFC 5280 7.1, by RFC 4518. Case, spaces and kinds of string do not matter.
    pub fn is_same(self, other: Name<'_>) -> bool {
        compare::same(self.0, other.0)
    }

    /// Whether it has no attribute at all.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == [der::SEQUENCE, 0]
    }

    /// Its RDNs, each the content of a SET.
    pub(crate) fn rdns(self) -> impl Iterator<Item = Der<'a>> {
        let mut walk = Der(self.0).take(der::SEQUENCE, "name").unwrap_or(Der(&[]));
        core::iter::from_fn(move || walk.take(der::SET, "rdn").ok())
    }

    pub(crate) fn attributes(self) -> impl Iterator<Item = Attribute<'a>> {
        self.rdns().flat_map(attributes)
    }
}

/// The attributes of an RDN.
pub(crate) fn attributes(mut rdn: Der<'_>) -> impl Iterator<Item = Attribute<'_>> {
    core::iter::from_fn(move || {
        let mut pair = rdn.take(der::SEQUENCE, "attribute").ok()?;
        let oid = pair.take(der::OID, "type").ok()?.0;
        let (tag, value, _) = pair.any("value").ok()?;
        Some(Attribute { oid, tag, value })
    })
}

/// Walks a whole name once, so that what reads it later cannot fail: RFC 5280 4.1.2.4.
pub(crate) fn check(name: &[u8], what: &'static str) -> DerResult<()> {
    let mut outer = Der(name);
    let mut sequence = outer.take(der::SEQUENCE, what)?;
    outer.finish(what)?;
    let mut count = 0;
    while !sequence.is_empty() {
        let set = sequence.take(der::SET, what)?;
        count += set.each(what, |set| {
            let mut pair = set.take(der::SEQUENCE, what)?;
            pair.oid(what)?;
            pair.any(what)?;
            pair.finish(what)
        })?;
        if count > MAX_ATTRIBUTES {
            return Err(DerError(what));
        }
    }
    Ok(())
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut empty = true;
        for attribute in self.attributes().take(32) {
            let comma = if empty { "" } else { ", " };
            write!(f, "{comma}{}={}", Oid(attribute.oid), text(attribute.tag, attribute.value))?;
            empty = false;
        }
        if empty { f.write_str("(no name)") } else { Ok(()) }
    }
}

/// A string of any ASN.1 kind, for people.
pub(crate) fn text(tag: u8, value: &[u8]) -> String {
    compare::characters(tag, value).map_or_else(|| printable(value), clean)
}

/// Bytes that should be text, for people.
pub(crate) fn printable(value: &[u8]) -> String {
    clean(String::from_utf8_lossy(value).chars())
}

/// Control characters could fool a terminal, and so could those that change the direction of text.
fn clean(text: impl Iterator<Item = char>) -> String {
    let fools = |c: char| {
        c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.map(|c| if fools(c) { '?' } else { c }).take(128).collect()
}
