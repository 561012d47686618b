//! A conversation as it was seen: text for a terminal, JSON for programs, SVG for a page.

use crate::terminal::{self, Style};
use clasp::trace::{Direction, Observation, Observer, What};
use clasp::wire::code::{ContentType, HandshakeType};
use clasp::wire::fields::Field;
use clasp::wire::message::HELLO_RETRY_REQUEST_RANDOM;
use serde::Serialize;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

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
}

/// Collects what a client sees.
pub(crate) struct Recorder {
    began: SystemTime,
    events: Mutex<Vec<Event>>,
}

impl Recorder {
    pub(crate) fn new(began: SystemTime) -> Self {
        Self { began, events: Mutex::default() }
    }

    pub(crate) fn note(&self, at: SystemTime, what: &str) {
        self.push(at, None, (what.into(), 0, Vec::new()), 0);
    }

    fn push(&self, at: SystemTime, direction: Option<Direction>, said: (String, usize, Vec<String>), flight: u8) {
        let (what, bytes, fields) = said;
        let at_ms = at.duration_since(self.began).unwrap_or(Duration::ZERO).as_secs_f64() * 1000.0;
        let direction = direction.map(|d| match d {
            Direction::Sent => "sent",
            Direction::Received => "received",
        });
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.push(Event { at_ms, direction, what, bytes, flight, fields });
    }

    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Recorder {
    fn observe(&self, seen: &Observation<'_>) {
        let push = |direction: Option<Direction>, what: String, bytes| {
            let fields = if direction.is_some() { fields(&seen.what) } else { Vec::new() };
            self.push(seen.at, direction, (what, bytes, fields), seen.flight);
        };
        match &seen.what {
            What::Message { direction, kind, bytes, .. } => push(Some(*direction), name(*kind, bytes), bytes.len()),
            What::ChangeCipherSpec { direction } => push(Some(*direction), "[ChangeCipherSpec]".into(), 1),
            What::Record { direction, content: ContentType::ApplicationData, plain_len, .. } => {
                push(Some(*direction), "application data".into(), *plain_len);
            }
            What::Alert { direction, alert, fatal, .. } => {
                let kind = if *fatal { "fatal alert" } else { "alert" };
                push(Some(*direction), format!("{kind} {alert}"), 2);
            }
            What::Chose { what, name, .. } => push(None, format!("{what}: {name}"), 0),
            What::NoTickets { why } => push(None, format!("no tickets: {why}"), 0),
            What::Resumed { by } => push(None, format!("session resumed by {by}"), 0),
            What::Established => push(None, "handshake done".into(), 0),
            _ => {}
        }
    }
}

/// A fact's fields, as lines.
fn fields(what: &What<'_>) -> Vec<String> {
    let line = |field: &Field<'_>| {
        let index = field.index.map_or_else(String::new, |index| format!("[{index}]"));
        format!("{:indent$}{}{index}: {}", "", field.name, field.value, indent = 2 * usize::from(field.depth))
    };
    let decoded = what.fields();
    let fault = decoded.fault.map(|fault| format!("not well formed: {fault}"));
    decoded.fields.iter().map(line).chain(fault).collect()
}

/// A HelloRetryRequest is a ServerHello in all but its random.
fn name(kind: HandshakeType, message: &[u8]) -> String {
    let random = message.get(6..38);
    let retry = kind == HandshakeType::ServerHello && random == Some(&HELLO_RETRY_REQUEST_RANDOM[..]);
    if retry { "HelloRetryRequest".into() } else { kind.to_string() }
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
