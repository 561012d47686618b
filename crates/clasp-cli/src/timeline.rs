//! A conversation of the demonstration as its client saw it: text for a terminal, JSON for programs.

use crate::terminal::{self, Style};
use crate::trace::explain::Language;
use crate::trace::{Kind, Side, Trace, text};
use serde::Serialize;
use std::fmt::Write;

/// One thing that was seen by the client.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Event {
    /// Milliseconds since the conversation began.
    pub(crate) at_ms: f64,
    /// `sent`, `received`, or nothing for a fact of our own.
    pub(crate) direction: Option<&'static str>,
    /// The message, or the fact.
    pub(crate) what: String,
    /// Its size in bytes.
    pub(crate) bytes: usize,
    /// How often the direction has changed.
    pub(crate) flight: u8,
    /// What it says, a line a field, those within others further in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) fields: Vec<String>,
}

/// A conversation and how it came out.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Conversation {
    pub(crate) title: String,
    pub(crate) events: Vec<Event>,
    /// What it came to.
    pub(crate) outcome: String,
    /// Whether that is what it should have come to.
    pub(crate) as_expected: bool,
    /// All that was seen of it.
    #[serde(skip)]
    pub(crate) trace: Trace,
}

impl Conversation {
    /// One as its client has seen it.
    pub(crate) fn new(trace: Trace, outcome: impl Into<String>, as_expected: bool) -> Self {
        let (title, events) = (trace.title.clone(), events(&trace));
        let mut new = Self { title, events, outcome: String::new(), as_expected, trace };
        new.conclude(outcome.into(), as_expected);
        new
    }

    /// What it came to, and whether it should.
    pub(crate) fn conclude(&mut self, outcome: String, as_expected: bool) {
        (self.trace.outcome, self.trace.good) = (outcome.clone(), as_expected);
        (self.outcome, self.as_expected) = (outcome, as_expected);
    }

    /// With what its server has seen.
    pub(crate) fn with_server(mut self, server: Trace) -> Self {
        self.trace.join(server);
        self
    }
}

/// What is told of a client's trace.
fn events(trace: &Trace) -> Vec<Event> {
    let (mut flight, mut last) = (0_u8, None);
    let mut events = Vec::new();
    for event in &trace.events {
        let said = event.kind.travels().then_some(event.by);
        if said.is_some() && event.kind != Kind::Alert && said != last {
            (flight, last) = (flight.saturating_add(1), said);
        }
        let what = match event.kind {
            Kind::Keys | Kind::Derived | Kind::Waiting | Kind::Failed => continue,
            Kind::Note => event.name.clone(),
            _ => text::fact(event, Language::En),
        };
        let direction = said.map(|by| if by == Side::Client { "sent" } else { "received" });
        let fields = if said.is_some() { text::fields(event) } else { Vec::new() };
        let at_ms = event.seen.client_ms.unwrap_or_default();
        events.push(Event { at_ms, direction, what, bytes: event.length, flight, fields });
    }
    events
}

impl Conversation {
    /// For a terminal.
    pub(crate) fn text(&self, language: Language) -> String {
        let (title, outcome) = text::in_language(&self.trace, language);
        let mut out = format!("{}\n", terminal::on_stdout(Style::Bold, title));
        for e in &self.events {
            let line = match e.direction {
                Some("sent") => format!("{:>9.2} ms  client ── {:<22} {:>6} B ──▶ server", e.at_ms, e.what, e.bytes),
                Some(_) => format!("{:>9.2} ms  client ◀── {:<22} {:>6} B ── server", e.at_ms, e.what, e.bytes),
                None => format!("{:>9.2} ms    · {}", e.at_ms, e.what),
            };
            out.push_str(&line);
            out.push('\n');
            for field in &e.fields {
                // Writing to a String cannot fail.
                let _infallible = writeln!(out, "{:16}{field}", "");
            }
        }
        let (style, mark) = match (self.as_expected, language) {
            (true, Language::En) => (Style::Good, "as it should"),
            (true, Language::Zh) => (Style::Good, "符合预期"),
            (false, Language::En) => (Style::Bad, "NOT AS IT SHOULD"),
            (false, Language::Zh) => (Style::Bad, "不符合预期"),
        };
        let mark = terminal::on_stdout(style, mark);
        // Writing to a String cannot fail.
        let _infallible = writeln!(out, "   {mark}: {outcome}");
        out
    }
}
