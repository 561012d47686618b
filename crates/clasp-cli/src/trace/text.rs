//! A trace for a terminal.

use super::explain::{self, Language};
use super::{Event, Field, Kind, Lane, Leg, Side, Trace, ms};
use crate::terminal::{self, Style};
use std::collections::BTreeSet;
use std::fmt::Write;

/// What is shown of each message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    pub(crate) language: Language,
    /// Every field.
    pub(crate) fields: bool,
}

/// A trace as lines.
pub(crate) fn text(trace: &Trace, shown: Shown) -> String {
    let (title, outcome) = in_language(trace, shown.language);
    let mut out = format!("{}\n", terminal::on_stdout(Style::Bold, title));
    if trace.observed.len() > 1 {
        let heads: Vec<String> = trace.observed.iter().map(|lane| format!("{:>9}", who(*lane, Language::En))).collect();
        let _infallible = writeln!(out, "{}", heads.join("  "));
    }
    let mut told = BTreeSet::new();
    for event in &trace.events {
        let at = |lane: &Lane| {
            let at = trace.seen_in(event, *lane).map_or(String::new(), |at| format!("{} ms", ms(at)));
            format!("{at:>9}")
        };
        let when = trace.observed.iter().map(at).collect::<Vec<_>>().join("  ");
        let _infallible = writeln!(out, "{when}  {}", line(trace, event, shown.language));
        if event.kind.travels() {
            let indent = when.chars().count() + 4;
            // What has been explained once is known.
            let again = !told.insert(subject(event));
            for words in details(event, shown, again) {
                let _infallible = writeln!(out, "{:indent$}{words}", "");
            }
        }
    }
    if trace.left_out > 0 {
        let _infallible = writeln!(out, "   {} facts more were not kept", trace.left_out);
    }
    let style = if trace.good { Style::Good } else { Style::Bad };
    let _infallible = writeln!(out, "{}", terminal::on_stdout(style, outcome));
    out
}

/// A trace's title and outcome.
pub(crate) fn in_language(trace: &Trace, language: Language) -> (&str, &str) {
    match (&trace.chinese, language) {
        (Some((title, outcome)), Language::Zh) => (title, outcome),
        _ => (&trace.title, &trace.outcome),
    }
}

/// Whose lane it is.
pub(super) const fn who(lane: Lane, language: Language) -> &'static str {
    match (lane, language) {
        (Lane::Client, Language::En) => "client",
        (Lane::Middle, Language::En) => "middle",
        (Lane::Server, Language::En) => "server",
        (Lane::Client, Language::Zh) => "客户端",
        (Lane::Middle, Language::Zh) => "中间人",
        (Lane::Server, Language::Zh) => "服务器",
    }
}

fn line(trace: &Trace, event: &Event, language: Language) -> String {
    if !event.kind.travels() {
        return format!("  · {}: {}", who(trace.lane(event.leg, event.by), language), fact(event, language));
    }
    let level = event.level.map_or(String::new(), |level| format!(" [{level}]"));
    let what = format!("{} {} B{level}", event.name, event.length);
    let [left, right] = [Side::Client, Side::Server].map(|side| who(trace.lane(event.leg, side), Language::En));
    // The second conversation stands to the right of the first.
    let indent = if event.leg == Leg::Far { "          " } else { "" };
    match event.by {
        Side::Client => format!("{indent}{left} ── {what} ──▶ {right}"),
        Side::Server => format!("{indent}{left} ◀── {what} ── {right}"),
    }
}

/// A fact of one side, in words.
pub(crate) fn fact(event: &Event, language: Language) -> String {
    let name = &event.name;
    let level = || explain::short(event.level.unwrap_or_default(), language);
    let note = || explain::find("note", name).map_or_else(|| name.clone(), |row| row.in_language(language)[0].clone());
    match (event.kind, language) {
        (Kind::Keys, Language::En) => format!("{name} under {} from now on", level()),
        (Kind::Derived, Language::En) => format!("derived {name}"),
        (Kind::Waiting, Language::En) => format!("waits for {name}"),
        (Kind::Resumed, Language::En) => format!("session resumed by {name}"),
        (Kind::NoTickets, Language::En) => format!("no tickets: {name}"),
        (Kind::Established, Language::En) => "handshake done".into(),
        (Kind::Failed, Language::En) => format!("failed: {name}"),
        (Kind::Keys, Language::Zh) => {
            let way = if name == "writes" { "发送" } else { "接收" };
            format!("从现在起{way}使用{}", level())
        }
        (Kind::Derived, Language::Zh) => format!("导出 {name}"),
        (Kind::Waiting, Language::Zh) => format!("等待 {name}"),
        (Kind::Resumed, Language::Zh) => format!("会话恢复，依据 {name}"),
        (Kind::NoTickets, Language::Zh) => format!("不发会话票证：{name}"),
        (Kind::Established, Language::Zh) => "握手完成".into(),
        (Kind::Failed, Language::Zh) => format!("失败：{name}"),
        (Kind::Note, _) => note(),
        (Kind::Chose | Kind::Message | Kind::ChangeCipherSpec | Kind::Alert | Kind::Data, _) => name.clone(),
    }
}

/// Which row explains an event.
pub(crate) fn subject(event: &Event) -> (&'static str, &str) {
    match event.kind {
        Kind::Message => ("message", &event.name),
        Kind::Alert => ("alert", event.name.rsplit(' ').next().unwrap_or_default()),
        Kind::Derived => ("derived", &event.name),
        _ => ("wire", &event.name),
    }
}

fn details(event: &Event, shown: Shown, again: bool) -> Vec<String> {
    let (kind, name) = subject(event);
    let mut lines = Vec::new();
    if let Some(row) = explain::find(kind, name).filter(|_| !again) {
        let [what, why] = row.in_language(shown.language);
        let gap = if shown.language == Language::En { " " } else { "" };
        lines.extend(wrapped(&format!("{what}{gap}{why} ({})", row.rfc)));
    }
    if shown.fields {
        lines.extend(fields(event));
    } else {
        lines.extend(fault(event));
    }
    lines
}

/// The fields of what went over the wire, a line a field, those within others further in; then what is wrong with it.
pub(crate) fn fields(event: &Event) -> Vec<String> {
    let line = |field: &Field| {
        let index = field.index.map_or_else(String::new, |index| format!("[{index}]"));
        format!("{:indent$}{}{index}: {}", "", field.name, field.value, indent = 2 * usize::from(field.depth))
    };
    event.fields.iter().map(line).chain(fault(event)).collect()
}

fn fault(event: &Event) -> Option<String> {
    event.fault.as_ref().map(|fault| format!("not well formed: {fault}"))
}

/// Columns of an explanation.
const COLUMNS: usize = 88;

/// A text in lines of some length. Chinese breaks at any place but before a mark, and has two columns a character.
fn wrapped(text: &str) -> Vec<String> {
    let wide = |c: char| c > '\u{2e80}';
    let breaks = |before: char, c: char| {
        before == ' ' || (wide(c) || wide(before)) && !matches!(c, '，' | '。' | '、' | '；' | '：' | '）' | '”' | ' ')
    };
    let mut lines = vec![String::new()];
    let (mut word, mut columns, mut length, mut before) = (String::new(), 0, 0, 'x');
    for c in text.chars().chain([' ']) {
        let ends = breaks(before, c);
        if ends || c == ' ' && before != ' ' {
            if length + columns > COLUMNS {
                lines.push(String::new());
                length = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(&word);
            }
            (length, columns) = (length + columns, 0);
            word.clear();
        }
        word.push(c);
        columns += if wide(c) { 2 } else { 1 };
        before = c;
    }
    lines.iter().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_no_longer_than_they_may_be_and_lose_nothing() {
        for row in ["message", "extension", "alert"].iter().flat_map(|kind| explain::names(kind)) {
            for language in [Language::En, Language::Zh] {
                let text = row.in_language(language).join(" ");
                let lines = wrapped(&text);
                let width = |line: &String| line.chars().map(|c| if c > '\u{2e80}' { 2 } else { 1 }).sum::<usize>();
                assert!(lines.iter().all(|line| width(line) <= COLUMNS + 2), "{lines:#?}");
                let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
                assert_eq!(letters(&lines.concat()), letters(&text));
                assert!(lines.iter().all(|line| !line.starts_with(['，', '。', '、', '）'])), "{lines:#?}");
            }
        }
        assert_eq!(wrapped("a short one"), ["a short one"]);
    }
}
