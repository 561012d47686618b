//! What everything is for, and why it is there, in two languages: one table for the text, the page and the docs.

use serde::Deserialize;
use std::sync::LazyLock;

/// The table as it stands in the page: rows of kind, name, RFC, and twice what it is for and why it is there.
pub(crate) const TABLE: &str = include_str!("../../data/explanations.json");

/// A row: in English, in Chinese.
#[derive(Deserialize)]
pub(crate) struct Row {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) rfc: String,
    english: [String; 2],
    chinese: [String; 2],
}

/// In which language people are spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    #[default]
    En,
    Zh,
}

impl Row {
    /// What it is for, and why it is there.
    pub(crate) const fn in_language(&self, language: Language) -> &[String; 2] {
        match language {
            Language::En => &self.english,
            Language::Zh => &self.chinese,
        }
    }
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    type Line = (String, String, String, String, String, String, String);
    let lines: Vec<Line> = serde_json::from_str(TABLE).expect("a test reads the table");
    let row = |(kind, name, rfc, a, b, c, d): Line| Row { kind, name, rfc, english: [a, b], chinese: [c, d] };
    lines.into_iter().map(row).collect()
});

/// The row of a message, an extension, a level, a secret, an alert.
pub(crate) fn find(kind: &str, name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.kind == kind && row.name == name)
}

/// The short name of a level's keys.
pub(crate) const fn short(level: &str, language: Language) -> &'static str {
    match (level.as_bytes(), language) {
        (b"plain", Language::En) => "no keys",
        (b"early", Language::En) => "0-RTT keys",
        (b"handshake", Language::En) => "handshake keys",
        (_, Language::En) => "session keys",
        (b"plain", Language::Zh) => "明文",
        (b"early", Language::Zh) => "0-RTT 密钥",
        (b"handshake", Language::Zh) => "握手密钥",
        (_, Language::Zh) => "会话密钥",
    }
}

/// All rows of a kind.
#[cfg(test)]
pub(crate) fn names(kind: &str) -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(move |row| row.kind == kind)
}

/// The language that somebody wants, or that of the system.
pub(crate) fn language(wanted: Option<Language>) -> Language {
    let of_system = || {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        set("LC_ALL")
            .or_else(|| set("LC_MESSAGES"))
            .or_else(|| set("LANG"))
            .is_some_and(|value| value.starts_with("zh"))
    };
    wanted.unwrap_or_else(|| if of_system() { Language::Zh } else { Language::En })
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;
    use clasp::code::{AlertDescription, ExtensionType, HandshakeType};

    fn is_whole(kind: &str, name: &str) {
        let row = find(kind, name).unwrap_or_else(|| {
            panic!(
                "no row for {kind} {name}: add it to crates/clasp-cli/data/explanations.json, in English and Chinese"
            )
        });
        let all = row.english.iter().chain(&row.chinese).chain([&row.rfc]);
        assert!(all.clone().all(|text| !text.trim().is_empty()), "{kind} {name} is not whole");
        assert!(row.chinese.iter().all(|t| t.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))), "{name}");
        assert!(row.english.iter().all(|t| t.is_ascii()), "{name}");
    }

    #[test]
    fn everything_that_the_library_knows_has_its_row_in_both_languages() {
        let messages = (0..=u8::MAX).map(HandshakeType).filter(|m| m.is_known());
        assert!(messages.clone().count() > 16);
        messages.for_each(|m| is_whole("message", m.name()));
        is_whole("message", "HelloRetryRequest");
        let extensions = (0..=u16::MAX).map(ExtensionType).filter(|e| e.is_known());
        assert!(extensions.clone().count() > 27);
        extensions.for_each(|e| is_whole("extension", e.name()));
        is_whole("extension", "GREASE");
        let alerts = (0..=u8::MAX).map(AlertDescription).filter(|a| a.is_known());
        alerts.for_each(|a| is_whole("alert", a.name()));
        ["plain", "early", "handshake", "application"].iter().for_each(|level| is_whole("level", level));
        let known = names("certificate").map(|row| row.name.clone()).collect::<Vec<_>>();
        assert!(known.len() > 20);
        known.iter().for_each(|name| is_whole("certificate", name));
        is_whole("note", "TCP connected");
        ["[ChangeCipherSpec]", "application data", "alert"].iter().for_each(|name| is_whole("wire", name));
        assert_eq!(ROWS.iter().filter(|r| find(&r.kind, &r.name).is_some_and(|f| f.rfc != r.rfc)).count(), 0, "twice");
    }
}
