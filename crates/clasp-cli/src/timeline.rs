//! A conversation as it was seen: text for a terminal, JSON for programs, SVG for a page.

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
    pub(crate) fn text(&self) -> String {
        let mut out = format!("{}\n", terminal::on_stdout(Style::Bold, &self.title));
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
        let (style, mark) =
            if self.as_expected { (Style::Good, "as it should") } else { (Style::Bad, "NOT AS IT SHOULD") };
        let mark = terminal::on_stdout(style, mark);
        // Writing to a String cannot fail.
        let _infallible = writeln!(out, "   {mark}: {}", self.outcome);
        out
    }
}

const LINE: usize = 22;
const LEFT: usize = 160;
const RIGHT: usize = 700;

/// Sequence diagrams, one below the other.
pub(crate) fn svg(conversations: &[Conversation]) -> String {
    let mut body = String::new();
    let mut y = 30;
    for conversation in conversations {
        let text = |x: usize, y: usize, anchor: &str, class: &str, text: &str| {
            format!("<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" class=\"{class}\">{}</text>\n", escape(text))
        };
        body += &text(20, y, "start", "title", &conversation.title);
        y += LINE;
        body += &text(LEFT, y, "middle", "who", "client");
        body += &text(RIGHT, y, "middle", "who", "server");
        let top = y + 6;
        for e in &conversation.events {
            y += LINE;
            body += &text(LEFT - 12, y, "end", "time", &format!("{:.2} ms", e.at_ms));
            let label = format!("{} ({} B)", e.what, e.bytes);
            match e.direction {
                Some(direction) => {
                    let (from, to) = if direction == "sent" { (LEFT, RIGHT) } else { (RIGHT, LEFT) };
                    body += &format!(
                        "<line x1=\"{from}\" y1=\"{}\" x2=\"{to}\" y2=\"{}\" class=\"arrow\" marker-end=\"url(#head)\"/>\n",
                        y + 3,
                        y + 3
                    );
                    body += &text((LEFT + RIGHT) / 2, y - 2, "middle", "label", &label);
                }
                None => body += &text(LEFT + 12, y, "start", "fact", &e.what),
            }
        }
        y += LINE;
        for x in [LEFT, RIGHT] {
            body += &format!("<line x1=\"{x}\" y1=\"{top}\" x2=\"{x}\" y2=\"{}\" class=\"life\"/>\n", y - 10);
        }
        let class = if conversation.as_expected { "good" } else { "bad" };
        body += &text(LEFT, y + 4, "start", class, &conversation.outcome);
        y += 2 * LINE;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"960\" height=\"{y}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <defs><marker id=\"head\" markerWidth=\"9\" markerHeight=\"8\" refX=\"8\" refY=\"4\" orient=\"auto\"><path d=\"M0,0 L9,4 L0,8 z\" fill=\"#246\"/></marker></defs>\n\
         <style>.title{{font-size:16px;font-weight:bold}}.who{{font-weight:bold}}.time{{fill:#666}}.fact{{fill:#666;font-style:italic}}.arrow{{stroke:#246}}.life{{stroke:#bbb;stroke-dasharray:4}}.good{{fill:#060}}.bad{{fill:#a00;font-weight:bold}}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{body}</svg>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
