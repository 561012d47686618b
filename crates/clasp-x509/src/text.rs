//! Bytes of a peer's choosing, for people.

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// Bytes that should be text: up to `limit` characters of it.
pub(crate) fn printable(value: &[u8], limit: usize) -> String {
    clean(String::from_utf8_lossy(value).chars(), limit)
}

/// What could fool whoever reads it, and the backslash that escapes it, are spelled out. What is cut says so.
pub(crate) fn clean(text: impl Iterator<Item = char>, limit: usize) -> String {
    let mut out = String::new();
    for (count, c) in text.enumerate() {
        if count >= limit {
            out.push_str("... (cut)");
            break;
        }
        if c == '\\' || is_deceptive(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// Whether a character of somebody else's text could fool whoever reads it in a terminal, a log or a page: what moves the
/// cursor or begins a line (Cc, Zl, Zp), what has no look of its own but changes that of others (Cf, and Unicode's
/// `Default_Ignorable_Code_Point`), spaces that are none of ASCII's, and what has no meaning that two would agree on (private use,
/// noncharacters).
///
/// ```
/// assert!(['\n', '\u{1b}', '\u{202e}', '\u{200d}', '\u{3164}', '\u{e000}', '\u{3000}'].into_iter().all(clasp_x509::is_deceptive));
/// assert!("Bücher & 日本 – مثال".chars().all(|c| !clasp_x509::is_deceptive(c)));
/// ```
pub fn is_deceptive(c: char) -> bool {
    (c != ' ' && c.is_whitespace())
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
            | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' | '\u{fdd0}'..='\u{fdef}')
        || matches!(u32::from(c) & 0xffff, 0xfffe | 0xffff)
}
