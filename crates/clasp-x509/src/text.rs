//! Bytes of a peer's choosing, for people.

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// Bytes that should be text: up to `limit` characters of it.
pub(crate) fn printable(value: &[u8], limit: usize) -> String {
    clean(String::from_utf8_lossy(value).chars(), limit)
}

/// Control characters could fool a terminal, and so could those that change the direction of text: they are escaped, and so is
/// the backslash that escapes them. What is cut says so.
pub(crate) fn clean(text: impl Iterator<Item = char>, limit: usize) -> String {
    let fools = |c: char| {
        c.is_control()
            || matches!(c, '\\' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut out = String::new();
    for (count, c) in text.enumerate() {
        if count >= limit {
            out.push_str("... (cut)");
            break;
        }
        if fools(c) { out.extend(c.escape_debug()) } else { out.push(c) }
    }
    out
}
