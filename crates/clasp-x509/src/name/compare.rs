//! Comparing distinguished names: RFC 5280 7.1, with the string preparation of RFC 4518.
//!
//! Of RFC 4518's steps, compatibility normalisation (2.3) is left out where two names are to be the same: those that differ in
//! nothing else are taken as different, which can refuse a chain but never join one. What is excluded must not be escaped so:
//! [`loose`] has that step too.

use super::distinguished::{Attribute, Name, attributes};
use super::string::{characters, is_nothing, prepare};
use crate::der::Der;
use core::hash::Hasher;
use std::hash::DefaultHasher;
use unicode_normalization::UnicodeNormalization;

impl Name<'_> {
    /// The name in one form for all that are [the same](Self::is_same): a key for maps.
    pub fn canonical(self) -> Vec<u8> {
        canonical(self.0)
    }

    /// Whether the two are the same name: RFC 5280 7.1, by RFC 4518. Case, spaces and kinds of string do not matter.
    pub fn is_same(self, other: Name<'_>) -> bool {
        same(self.0, other.0)
    }
}

/// Whether two names are the same.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a == b || same_names(Name(a), Name(b))
}

#[cold]
fn same_names(a: Name<'_>, b: Name<'_>) -> bool {
    let (mut a, mut b) = (a.rdns(), b.rdns());
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if same_rdn(a, b) => {}
            _ => return false,
        }
    }
}

/// The attributes of a SET have no order of their own once strings differ in form.
fn same_rdn(a: Der<'_>, b: Der<'_>) -> bool {
    if a.0 == b.0 {
        return true;
    }
    let only = |rdn| {
        let mut rest = attributes(rdn);
        rest.next().filter(|_| rest.next().is_none())
    };
    match (only(a), only(b)) {
        (Some(a), Some(b)) => same_attribute(&a, &b),
        // Sorted, not each held against each: the square of many long ones would be slow.
        (None, None) => {
            let key = |rdn| {
                let mut key = Vec::new();
                write_rdn(rdn, &mut key, canonical_attribute);
                key
            };
            key(a) == key(b)
        }
        _ => false,
    }
}

fn same_attribute(a: &Attribute<'_>, b: &Attribute<'_>) -> bool {
    if a.oid != b.oid {
        return false;
    }
    if a.tag == b.tag && a.value == b.value {
        return true;
    }
    match (characters(a.tag, a.value), characters(b.tag, b.value)) {
        (Some(a), Some(b)) => prepare(a).eq(prepare(b)),
        _ => false,
    }
}

/// A name in one form for all its equals: a key for maps. One name's key is a prefix of another's exactly where its RDNs
/// are: every part has its length, and every RDN an end that no length begins with.
pub(crate) fn canonical(name: &[u8]) -> Vec<u8> {
    key_of(name, canonical_attribute)
}

/// A key as [`canonical`]'s, which is the same for more names: those too that are one by compatibility normalisation (RFC 4518
/// 2.3), by full case folding, or when what is no string is read as Latin-1.
pub(crate) fn loose(name: &[u8]) -> Vec<u8> {
    key_of(name, loose_attribute)
}

type WriteAttribute = fn(&Attribute<'_>, &mut Vec<u8>);

fn key_of(name: &[u8], attribute: WriteAttribute) -> Vec<u8> {
    // The lengths and the oids make it longer than the name, by this much for a name of the usual kind.
    let mut key = Vec::with_capacity(name.len().saturating_mul(2).saturating_add(64));
    for rdn in Name(name).rdns() {
        write_rdn(rdn, &mut key, attribute);
    }
    key
}

fn write_rdn(rdn: Der<'_>, key: &mut Vec<u8>, attribute: WriteAttribute) {
    let mut rest = attributes(rdn);
    match (rest.next(), rest.next()) {
        (Some(only), None) => with_length(key, |key| attribute(&only, key)),
        _ => {
            let mut pairs: Vec<Vec<u8>> = attributes(rdn)
                .map(|a| {
                    let mut pair = Vec::new();
                    attribute(&a, &mut pair);
                    pair
                })
                .collect();
            pairs.sort_unstable();
            for pair in pairs {
                with_length(key, |key| key.extend_from_slice(&pair));
            }
        }
    }
    key.push(0xff);
}

/// Writes what `part` writes, behind its length.
fn with_length(key: &mut Vec<u8>, part: impl FnOnce(&mut Vec<u8>)) {
    let at = key.len();
    key.extend_from_slice(&[0; size_of::<usize>()]);
    let start = key.len();
    part(key);
    let length = key.len().saturating_sub(start).to_be_bytes();
    if let Some(place) = key.get_mut(at..start) {
        place.copy_from_slice(&length);
    }
}

/// One attribute; text and what is no text are never the same.
fn canonical_attribute(a: &Attribute<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(a.oid);
    match characters(a.tag, a.value) {
        Some(text) => {
            out.push(0);
            prepare(text).for_each(|c| out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()));
        }
        None => {
            out.extend_from_slice(&[1, a.tag]);
            out.extend_from_slice(a.value);
        }
    }
}

fn loose_attribute(a: &Attribute<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(a.oid);
    out.push(0);
    let text: String = match characters(a.tag, a.value) {
        Some(text) => text.filter(|c| !is_nothing(*c)).nfkc().flat_map(char::to_uppercase).collect(),
        None => a.value.iter().map(|byte| char::from(*byte)).collect::<String>().to_uppercase(),
    };
    prepare(text.chars()).nfkc().for_each(|c| out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()));
}

/// A number that is the same for all equals of a name: to look one up without making its [`canonical`] form.
pub(crate) fn hash(name: &[u8]) -> u64 {
    let mut whole = DefaultHasher::new();
    for rdn in Name(name).rdns() {
        // The attributes of a SET have no order of their own.
        let sum = attributes(rdn).map(|a| hash_attribute(&a)).fold(0, u64::wrapping_add);
        whole.write_u64(sum);
    }
    whole.finish()
}

fn hash_attribute(attribute: &Attribute<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(attribute.oid);
    match characters(attribute.tag, attribute.value) {
        Some(text) => prepare(text).for_each(|c| hasher.write_u32(c.into())),
        None => hasher.write(attribute.value),
    }
    hasher.finish()
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use crate::der;

    fn name(tag: u8, value: &[u8]) -> Vec<u8> {
        let len = |n: usize| u8::try_from(n).unwrap();
        let mut pair = vec![6, 3, 0x55, 4, 3, tag, len(value.len())];
        pair.extend_from_slice(value);
        let mut out =
            vec![der::SEQUENCE, len(pair.len() + 4), der::SET, len(pair.len() + 2), der::SEQUENCE, len(pair.len())];
        out.extend_from_slice(&pair);
        out
    }

    #[test]
    fn what_is_the_same() {
        let a = name(der::PRINTABLE_STRING, b"Good  CA");
        for (tag, value, is) in [
            (der::UTF8_STRING, &b"good ca"[..], true),
            (der::UTF8_STRING, b" Good CA  ", true),
            (der::BMP_STRING, b"\0g\0o\0o\0d\0 \0c\0a", true),
            (der::TELETEX_STRING, b"GOOD\tCA", true),
            (der::UTF8_STRING, b"Go\xc2\xadod CA", true),
            (der::UTF8_STRING, b"GoodCA", false),
            (der::UTF8_STRING, b"Good CA2", false),
            (der::OCTET_STRING, b"Good  CA", false),
            (der::UTF8_STRING, b"\xff", false),
        ] {
            let b = name(tag, value);
            assert_eq!(same(&a, &b), is, "{value:?}");
            assert_eq!(canonical(&a) == canonical(&b), is, "{value:?}");
            assert_eq!(hash(&a) == hash(&b), is, "{value:?}");
        }
        for (tag, value, is) in [
            (der::UTF8_STRING, "ＧＯＯＤ ca".as_bytes(), true),
            (der::UTF8_STRING, "g\u{2134}\u{2134}d CA".as_bytes(), true),
            (der::UTF8_STRING, "Go\u{200d}od C\u{2060}A\u{e0041}".as_bytes(), true),
            (der::OCTET_STRING, b"Good  CA", true),
            (der::UTF8_STRING, "Gööd CA".as_bytes(), false),
            (der::UTF8_STRING, b"Good CA2", false),
        ] {
            let b = name(tag, value);
            assert_eq!(loose(&a) == loose(&b), is, "{value:?}");
        }
        assert!(canonical(&[der::SEQUENCE, 0]).is_empty(), "everything is within the empty name");
    }

    /// A name of these RDNs, each of attributes: the last byte of a type, a tag, a value.
    fn rdns(list: &[&[(u8, u8, &[u8])]]) -> Vec<u8> {
        let rdn = |pairs: &&[(u8, u8, &[u8])]| {
            let pair = |(id, tag, value): &(u8, u8, &[u8])| {
                let oid = der::element(der::OID, &[0x55, 4, *id]);
                der::element(der::SEQUENCE, &[oid, der::element(*tag, value)].concat())
            };
            der::element(der::SET, &pairs.iter().flat_map(pair).collect::<Vec<u8>>())
        };
        der::element(der::SEQUENCE, &list.iter().flat_map(rdn).collect::<Vec<u8>>())
    }

    /// Types, places and what is no text count; the order within a SET does not. Each of the three ways to compare says so.
    #[test]
    fn every_part_of_a_name_counts() {
        const P: u8 = der::PRINTABLE_STRING;
        const U: u8 = der::UTF8_STRING;
        const O: u8 = der::OCTET_STRING;
        let base = rdns(&[&[(3, P, b"a"), (10, P, b"b")], &[(11, P, b"c")]]);
        for (other, is) in [
            (rdns(&[&[(3, U, b"A"), (10, P, b"b")], &[(11, P, b"c")]]), true),
            (rdns(&[&[(10, U, b"B"), (3, P, b"a")], &[(11, U, b" C")]]), true),
            (rdns(&[&[(3, P, b"a"), (10, P, b"x")], &[(11, P, b"c")]]), false),
            (rdns(&[&[(3, P, b"b"), (10, P, b"a")], &[(11, P, b"c")]]), false),
            (rdns(&[&[(3, P, b"a"), (10, P, b"b")], &[(7, P, b"c")]]), false),
            (rdns(&[&[(3, P, b"a"), (10, P, b"b")]]), false),
            (rdns(&[&[(3, P, b"a")], &[(10, P, b"b")], &[(11, P, b"c")]]), false),
            (rdns(&[&[(11, P, b"c")], &[(3, P, b"a"), (10, P, b"b")]]), false),
            (rdns(&[&[(3, P, b"a"), (10, P, b"b"), (10, P, b"b")], &[(11, P, b"c")]]), false),
            (rdns(&[&[(3, P, b"a"), (10, P, b"b")], &[(11, P, b"c"), (3, P, b"d")]]), false),
        ] {
            assert_eq!(same(&base, &other), is, "{other:x?}");
            assert_eq!(same(&other, &base), is, "{other:x?}");
            assert_eq!(canonical(&base) == canonical(&other), is, "{other:x?}");
            assert_eq!(hash(&base) == hash(&other), is, "{other:x?}");
        }
        let bytes = rdns(&[&[(3, O, b"a"), (10, O, b"b")]]);
        for (other, is) in [
            (rdns(&[&[(10, O, b"b"), (3, O, b"a")]]), true),
            (rdns(&[&[(3, O, b"a"), (10, O, b"c")]]), false),
            (rdns(&[&[(3, O, b"A"), (10, O, b"b")]]), false),
            (rdns(&[&[(3, O, b"b"), (10, O, b"a")]]), false),
            (rdns(&[&[(3, der::BIT_STRING, b"a"), (10, O, b"b")]]), false),
        ] {
            assert_eq!(same(&bytes, &other), is, "{other:x?}");
            assert_eq!(canonical(&bytes) == canonical(&other), is, "{other:x?}");
        }
        // Lengths keep one value from passing for two: this has in it what would stand between them.
        let between = [&b"x\xff"[..], &[0; size_of::<usize>()], &[0x55, 4, 3, 1, O], b"y"].concat();
        let (one, two) = (rdns(&[&[(3, O, &between)]]), rdns(&[&[(3, O, b"x")], &[(3, O, b"y")]]));
        assert_ne!(canonical(&one), canonical(&two));
        // What stands within another is so at its beginning: RFC 5280 7.1.
        let above = rdns(&[&[(10, U, b"B"), (3, P, b"a")]]);
        assert!(canonical(&base).starts_with(&canonical(&above)));
        let beside = rdns(&[&[(3, P, b"a")]]);
        assert!(!canonical(&base).starts_with(&canonical(&beside)), "half of an RDN");
        let longer = rdns(&[&[(3, P, b"a")], &[(10, P, b"bc")]]);
        assert!(!canonical(&longer).starts_with(&canonical(&rdns(&[&[(3, P, b"a")], &[(10, P, b"b")]]))));
    }
}
