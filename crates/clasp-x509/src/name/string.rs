//! The strings of attributes, and how RFC 4518 prepares them to be compared.

use crate::der;

/// RFC 4518 2.1: to Unicode. None for what is no string, or not well formed; those are compared byte for byte.
pub(crate) fn characters(tag: u8, value: &[u8]) -> Option<Characters<'_>> {
    let step = match tag {
        der::UTF8_STRING => return core::str::from_utf8(value).ok().map(|s| Characters::Utf8(s.chars())),
        der::NUMERIC_STRING | der::PRINTABLE_STRING | der::IA5_STRING | der::VISIBLE_STRING if value.is_ascii() => 1,
        // T.61 was never used as written; what CAs put there is Latin-1.
        der::TELETEX_STRING => 1,
        der::BMP_STRING => 2,
        der::UNIVERSAL_STRING => 4,
        _ => return None,
    };
    let whole = value.len().is_multiple_of(step);
    let valid = value.chunks_exact(step).all(|unit| code_point(unit).is_some());
    (whole && valid).then_some(Characters::Units(value.chunks_exact(step)))
}

/// The characters of an ASN.1 string.
pub(crate) enum Characters<'a> {
    Utf8(core::str::Chars<'a>),
    Units(core::slice::ChunksExact<'a, u8>),
}

fn code_point(unit: &[u8]) -> Option<char> {
    char::from_u32(unit.iter().fold(0, |n: u32, byte| n << 8 | u32::from(*byte)))
}

impl Iterator for Characters<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self {
            Self::Utf8(text) => text.next(),
            Self::Units(units) => units.next().and_then(code_point),
        }
    }
}

/// RFC 4518 2.2 (mapping) and 2.6.1 (insignificant spaces): lower case, no invisible characters, single inner spaces.
pub(super) fn prepare(text: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    let mut folded =
        text.filter(|c| !is_nothing(*c)).flat_map(char::to_lowercase).map(|c| if is_space(c) { ' ' } else { c });
    let mut held: Option<char> = None;
    let mut begun = false;
    core::iter::from_fn(move || {
        if let Some(c) = held.take() {
            return Some(c);
        }
        let mut space = false;
        loop {
            match folded.next()? {
                ' ' => space = begun,
                c if space => {
                    held = Some(c);
                    return Some(' ');
                }
                c => {
                    begun = true;
                    return Some(c);
                }
            }
        }
    })
}

/// RFC 4518 2.2: what is mapped to nothing.
pub(super) fn is_nothing(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{1806}' | '\u{34f}' | '\u{180b}'..='\u{180d}' | '\u{fe00}'..='\u{fe0f}' | '\u{fffc}'
        | '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{6dd}' | '\u{70f}' | '\u{180e}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2063}' | '\u{206a}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0001}' | '\u{e0020}'..='\u{e007f}')
        || (c.is_control() && !is_space(c))
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1680}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tag: u8, value: &[u8]) -> Option<String> {
        characters(tag, value).map(Iterator::collect)
    }

    #[test]
    fn each_kind_of_string_has_its_characters() {
        for (tag, value, text) in [
            (der::UTF8_STRING, &b"caf\xc3\xa9"[..], Some("café")),
            (der::UTF8_STRING, b"caf\xe9", None),
            (der::TELETEX_STRING, b"caf\xe9", Some("café")),
            (der::BMP_STRING, b"\0a\x01\0", Some("a\u{100}")),
            (der::BMP_STRING, b"\0a\0", None),
            (der::BMP_STRING, b"\xd8\0", None),
            (der::UNIVERSAL_STRING, b"\0\x01\xf6\0\0\0\0a", Some("\u{1f600}a")),
            (der::UNIVERSAL_STRING, b"\0\0a", None),
            (der::OCTET_STRING, b"a", None),
        ] {
            assert_eq!(read(tag, value).as_deref(), text, "{tag:x} {value:x?}");
        }
        for tag in [der::NUMERIC_STRING, der::PRINTABLE_STRING, der::IA5_STRING, der::VISIBLE_STRING] {
            assert_eq!(read(tag, b"1").as_deref(), Some("1"), "{tag:x}");
            assert_eq!(read(tag, b"\xe9"), None, "{tag:x}");
        }
    }

    /// RFC 4518 2.2 and 2.6.1.
    #[test]
    fn strings_are_prepared() {
        for (text, prepared) in [
            ("Good CA", "good ca"),
            ("  a \t\n b\u{a0}\u{2028}c  ", "a b c"),
            ("a", "a"),
            ("   ", ""),
            ("", ""),
            ("ÄÖ", "äö"),
            ("a\u{ad}\u{200b}\u{feff}\u{fe00}\u{fe0f}\u{34f}\u{1806}\u{180b}\u{180d}\u{fffc}\0\u{7f}b", "ab"),
            ("a\u{fe10}", "a\u{fe10}"),
            ("a \u{ad} b", "a b"),
            ("a\u{1680}b\u{2029}c", "a b c"),
        ] {
            assert_eq!(prepare(text.chars()).collect::<String>(), prepared, "{text:?}");
        }
    }
}
