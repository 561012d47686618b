//! What stands in an error: short, and harmless to whoever prints it.

use super::Error;
use clasp_x509::ParseError;
use core::fmt::{self, Write as _};
use std::collections::VecDeque;

/// Bytes of a text that are kept from its front and from its end: what was seen, what was wanted and a hint come to a few
/// hundred together, whatever a peer sends.
const FRONT: usize = 176;
const END: usize = 80;

/// Text that a peer may have had a hand in, for logs and terminals: at most some 270 bytes, the middle left out; whatever
/// is not printable is escaped, so that no newline forges a line of a log and no sequence moves a cursor. Every text of
/// an [`Error`](super::Error) has gone through it.
///
/// ```
/// assert_eq!(clasp::error::printable("h2\n\u{1b}[2J"), "h2\\n\\u{1b}[2J");
/// assert!(clasp::error::printable("x".repeat(1 << 20)).len() < 300);
/// ```
pub fn printable(text: impl fmt::Display) -> String {
    let mut bounded = Bounded::default();
    // It fails only where a `Display` of its own accord does; what it said so far stands.
    match write!(bounded, "{text}") {
        Ok(()) | Err(fmt::Error) => bounded.finish(),
    }
}

impl Error {
    /// Says what of a certificate, or a key, cannot be read: where, what was seen there, and what was wanted.
    #[cold]
    #[must_use]
    pub(crate) fn unread(self, what: &ParseError) -> Self {
        let (field, offset) = (what.field(), what.offset());
        self.seen(format_args!("{} as {field}, at byte {offset}", what.found())).wanted(what.wanted())
    }
}

#[derive(Default)]
struct Bounded {
    front: String,
    end: VecDeque<char>,
    end_len: usize,
    left_out: usize,
}

impl Bounded {
    fn push(&mut self, c: char) {
        if self.left_out == 0 && self.end.is_empty() && self.front.len().saturating_add(c.len_utf8()) <= FRONT {
            return self.front.push(c);
        }
        self.end.push_back(c);
        self.end_len = self.end_len.saturating_add(c.len_utf8());
        while self.end_len > END {
            let Some(out) = self.end.pop_front() else { break };
            self.end_len = self.end_len.saturating_sub(out.len_utf8());
            self.left_out = self.left_out.saturating_add(out.len_utf8());
        }
    }

    fn finish(mut self) -> String {
        if self.left_out > 0 {
            self.front.push_str(&format!(" [{} bytes] ", self.left_out));
        }
        self.front.extend(self.end);
        self.front
    }
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                // These are printable; only Rust's own literals want them escaped.
                '"' | '\'' | '\\' => self.push(c),
                _ => c.escape_debug().for_each(|c| self.push(c)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::printable;
    use crate::code::ExtensionType;
    use crate::error::{Error, PeerError};
    use crate::wire::TooLong;

    #[test]
    fn what_does_not_fit_is_told_with_both_figures_and_its_extension() {
        let too_long = TooLong { length: 0x1_0000, fits: 0xffff, extension: Some(ExtensionType::Cookie) };
        let error = Error::from(too_long).to_string();
        assert!(error.contains("seen: 65536 bytes; wanted: at most 65535"), "{error}");
        assert!(error.contains("extension cookie"), "{error}");
    }

    #[test]
    fn short_texts_stand_as_they_are_and_long_ones_keep_both_ends() {
        assert_eq!(printable("O=\"Grün & Söhne\", C:\\x, 証明書"), "O=\"Grün & Söhne\", C:\\x, 証明書");
        for len in [0, 1, 175, 176, 177, 255, 256] {
            assert_eq!(printable("a".repeat(len)), "a".repeat(len));
        }
        let long = printable(format!("front{}end", "–".repeat(50_000)));
        assert!(long.starts_with("front–") && long.ends_with("–end") && long.len() < 300, "{long}");
        assert!(long.contains(" bytes] "), "{long}");
    }

    /// A peer's string in an error forges no line of a log, and gives the terminal no orders.
    #[test]
    fn log_injection_texts_of_peers_are_escaped_and_bounded_in_every_field() {
        let evil = "a\r\n2026 INFO accepted\u{1b}[31m\u{9b}2J\0\u{202e}\u{2028}\u{feff}\u{7f}";
        let long = evil.repeat(10_000);
        for text in [evil, &long] {
            let error = Error::from(PeerError::NoCommonProtocol).seen(text).wanted(text).hint(text);
            let error = error.because(std::io::Error::other(text.to_owned()));
            let parts =
                [error.seen_text(), error.wanted_text(), error.hint_text()].map(|part| (part.unwrap().to_owned(), 300));
            for (shown, most) in parts.into_iter().chain([(error.to_string(), 1200), (format!("{error:?}"), 1200)]) {
                let raw = shown.chars().find(|c| c.is_control() || "\u{202e}\u{2028}\u{feff}".contains(*c));
                assert_eq!(raw, None, "{shown}");
                assert!(shown.len() < most, "{} bytes", shown.len());
            }
        }
    }
}
