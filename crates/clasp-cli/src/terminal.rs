//! Words to stderr, in one place, and how they look: colour is for terminals only, and not where `NO_COLOR` is set; what
//! somebody else wrote cannot move the cursor.

use clasp_x509::is_deceptive;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

/// Writes a line of words to stderr. Where nobody can read it there is nobody to tell.
pub(crate) fn note(text: impl Display) {
    // In one piece: stderr has no buffer, and would go to the kernel for each part of the text.
    let _unread = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}

/// A text that somebody else wrote, for one line of a terminal, a log or JSON: what would move the cursor, begin a new line or
/// turn the direction of writing is spelled out.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_deceptive(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}

/// Bytes that somebody else wrote, which may be text: as [`shown`], and no backslash but ours.
pub(crate) fn shown_bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => shown(&text.replace('\\', "\\\\")),
        Err(_) => bytes.escape_ascii().to_string(),
    }
}

/// How a word stands out.
#[derive(Clone, Copy)]
pub(crate) enum Style {
    Bold,
    Good,
    Bad,
}

fn styled(on: bool, style: Style, text: &str) -> String {
    let code = match style {
        Style::Bold => "1",
        Style::Good => "32",
        Style::Bad => "1;31",
    };
    if on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.into() }
}

/// <https://no-color.org>: set to anything but nothing.
fn wanted() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
}

/// `text` for stdout.
pub(crate) fn on_stdout(style: Style, text: &str) -> String {
    styled(wanted() && io::stdout().is_terminal(), style, text)
}

/// `text` for stderr.
pub(crate) fn on_stderr(style: Style, text: &str) -> String {
    styled(wanted() && io::stderr().is_terminal(), style, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_wrote_cannot_move_the_cursor_or_forge_a_line() {
        assert_eq!(shown("h2\r\n127.0.0.1: ok\x1b[2J"), "h2\\u{d}\\u{a}127.0.0.1: ok\\u{1b}[2J");
        assert_eq!(shown("\u{9b}1m \u{202e}gnp.exe \u{2028}"), "\\u{9b}1m \\u{202e}gnp.exe \\u{2028}");
        assert_eq!(
            shown("a\u{34f}\u{3164}\u{e000}\u{fffe}\u{3000}b"),
            "a\\u{34f}\\u{3164}\\u{e000}\\u{fffe}\\u{3000}b"
        );
        assert_eq!(shown("Bücher \\ 日本"), "Bücher \\ 日本");
        assert_eq!(shown_bytes(b"\xff\x1b\\"), "\\xff\\x1b\\\\");
        assert_eq!(shown_bytes(b"\\u{a}"), "\\\\u{a}");
    }
}
