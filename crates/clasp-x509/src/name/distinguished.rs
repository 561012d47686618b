//! Distinguished names: RFC 5280 4.1.2.4.

use super::string::characters;
use crate::der::{self, Der, DerResult};
use crate::oid::Oid;
use crate::text::clean;
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

/// Whether a string has the characters of its kind, where those are known.
fn is_sound(tag: u8, value: &[u8]) -> bool {
    match tag {
        der::UTF8_STRING => core::str::from_utf8(value).is_ok(),
        der::NUMERIC_STRING | der::PRINTABLE_STRING | der::IA5_STRING | der::VISIBLE_STRING => value.is_ascii(),
        der::BMP_STRING | der::UNIVERSAL_STRING => characters(tag, value).is_some(),
        _ => true,
    }
}

/// Walks a whole name once, so that what reads it later cannot fail: RFC 5280 4.1.2.4.
pub(crate) fn check(name: &[u8], what: &'static str) -> DerResult<()> {
    let mut outer = Der(name);
    let mut sequence = outer.take(der::SEQUENCE, what)?;
    outer.finish(what)?;
    let mut count = 0_usize;
    while !sequence.is_empty() {
        let set = sequence.take(der::SET, what)?;
        let more = set.each(what, |set| {
            let mut pair = set.take(der::SEQUENCE, what)?;
            pair.oid(what)?;
            let start = pair;
            let (tag, value, _) = pair.any(what)?;
            // X.680 41: a string of its kind. What is none could be read in more than one way.
            if !is_sound(tag, value) {
                return Err(start.wrong(what, "a string of its kind"));
            }
            pair.finish(what)
        })?;
        count = count.saturating_add(more);
        if count > MAX_ATTRIBUTES {
            return Err(set.wrong(what, "a name of at most 4096 attributes"));
        }
    }
    Ok(())
}

/// Shown as `CN=..., O=...`, the attributes of one RDN with ` + ` between them. What could be taken for another name is in
/// quotes, and long values are cut, which they say; with `{:#}` all of it is shown.
impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (limit, most) = if f.alternate() { (usize::MAX, usize::MAX) } else { (SHOWN_CHARACTERS, SHOWN_ATTRIBUTES) };
        let mut count = 0_usize;
        for rdn in self.rdns() {
            let mut between = if count == 0 { "" } else { ", " };
            for attribute in attributes(rdn) {
                if count < most {
                    let value = text(attribute.tag, attribute.value, limit);
                    write!(f, "{between}{}={}", Oid(attribute.oid), quoted(value))?;
                }
                (between, count) = (" + ", count.saturating_add(1));
            }
        }
        match count {
            0 => f.write_str("(no name)"),
            _ if count > most => write!(f, ", and {} attributes more", count.saturating_sub(most)),
            _ => Ok(()),
        }
    }
}

/// What is shown of a value, and of a name, unless all of it is asked for.
pub(crate) const SHOWN_CHARACTERS: usize = 128;
const SHOWN_ATTRIBUTES: usize = 32;

/// RFC 4514 2.4: in quotes where its own characters could pass for those between attributes.
fn quoted(value: String) -> String {
    let special = |c: char| matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=');
    let edge = |c: Option<char>| c.is_none_or(|c| c == ' ' || c == '#');
    if !value.contains(special) && !edge(value.chars().next()) && !value.ends_with(' ') {
        return value;
    }
    let escaped = value.chars().flat_map(|c| matches!(c, '"').then_some('\\').into_iter().chain([c]));
    core::iter::once('"').chain(escaped).chain(['"']).collect()
}

/// A string of any ASN.1 kind, for people: up to `limit` characters of it.
fn text(tag: u8, value: &[u8], limit: usize) -> String {
    match characters(tag, value) {
        Some(characters) => clean(characters, limit),
        None => clean(String::from_utf8_lossy(value).chars(), limit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name of these RDNs, each of (last byte of the attribute's type, UTF8String).
    fn name(rdns: &[&[(u8, &str)]]) -> Vec<u8> {
        let rdn = |pairs: &&[(u8, &str)]| {
            let pair = |(id, text): &(u8, &str)| {
                let oid = der::element(der::OID, &[0x55, 4, *id]);
                der::element(der::SEQUENCE, &[oid, der::element(der::UTF8_STRING, text.as_bytes())].concat())
            };
            der::element(der::SET, &pairs.iter().flat_map(pair).collect::<Vec<u8>>())
        };
        der::element(der::SEQUENCE, &rdns.iter().flat_map(rdn).collect::<Vec<u8>>())
    }

    #[test]
    fn a_value_cannot_pass_for_another_name() {
        for (value, shown) in [
            ("Acme", "O=Acme"),
            ("Acme, CN=evil", r#"O="Acme, CN=evil""#),
            (r#"Acme", CN="evil"#, r#"O="Acme\", CN=\"evil""#),
            (r#"Acme\", CN=evil"#, r#"O="Acme\\\", CN=evil""#),
            ("a+b", r#"O="a+b""#),
            (" a", r#"O=" a""#),
            ("a ", r#"O="a ""#),
            ("", r#"O="""#),
            ("#a", r##"O="#a""##),
            ("a\u{1b}[2J", r#"O="a\u{1b}[2J""#),
            ("a\u{202e}b", r#"O="a\u{202e}b""#),
        ] {
            assert_eq!(Name(&name(&[&[(10, value)]])).to_string(), shown, "{value:?}");
        }
        let both = name(&[&[(3, "a"), (10, "b")], &[(11, "c")]]);
        assert_eq!(Name(&both).to_string(), "CN=a + O=b, OU=c");
    }

    #[test]
    fn what_is_cut_says_so_and_all_of_it_can_be_had() {
        let long = "x".repeat(300);
        let one = name(&[&[(10, &long)]]);
        assert!(Name(&one).to_string().ends_with("x... (cut)"));
        assert_eq!(format!("{:#}", Name(&one)), format!("O={long}"));
        let pair: &[(u8, &str)] = &[(11, "u")];
        let many = name(&[pair; 40]);
        assert!(Name(&many).to_string().ends_with(", and 8 attributes more"));
        assert_eq!(format!("{:#}", Name(&many)).matches("OU=u").count(), 40);
    }

    #[test]
    fn a_name_is_walked_whole_and_is_no_longer_than_any_directory_has() {
        let pair: &[(u8, &str)] = &[(11, "u")];
        let good = name(&[pair, pair]);
        check(&good, "name").unwrap();
        assert!(check(&[&good[..], &[5, 0]].concat(), "name").is_err(), "more behind it");
        for (count, taken) in [(MAX_ATTRIBUTES, true), (MAX_ATTRIBUTES.saturating_add(1), false)] {
            assert_eq!(check(&name(&vec![pair; count]), "name").is_ok(), taken, "{count} RDNs");
            assert_eq!(check(&name(&[&vec![(11, "u"); count]]), "name").is_ok(), taken, "{count} in one");
        }
        assert!(Name(&[der::SEQUENCE, 0]).is_empty() && !Name(&good).is_empty());
        let shown = name(&[&vec![(11, "u"); 32]]);
        assert!(!Name(&shown).to_string().contains("more"));
        let more = name(&[&vec![(11, "u"); 33]]);
        assert!(Name(&more).to_string().ends_with(", and 1 attributes more"));
        for tag in [der::UTF8_STRING, der::PRINTABLE_STRING, der::BMP_STRING, der::UNIVERSAL_STRING] {
            assert!(!is_sound(tag, b"\xd8\0\xff"), "{tag:x}");
        }
        assert!(is_sound(der::TELETEX_STRING, b"\xe9") && is_sound(der::OCTET_STRING, b"\xe9"));
    }
}
