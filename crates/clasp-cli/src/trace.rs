//! A handshake as it was recorded: what went between two sides, when by each side's clock, with all its bytes and fields. What
//! `clasp trace` and `clasp demo` show is made of this.

pub(crate) mod der;
pub(crate) mod explain;
pub(crate) mod layout;
pub(crate) mod page;
pub(crate) mod recorder;
pub(crate) mod svg;
pub(crate) mod text;

use clasp::trace::fields::Decoded;
use serde::{Serialize, Serializer};

/// The form of the JSON: docs/trace.md. It grows by new names; whatever changes the meaning of one that is there adds 1.
pub(crate) const FORMAT: u32 = 1;

/// Who speaks, or sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    Client,
    Server,
}

impl Side {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Whose line in a drawing: the sides' own, and of whoever stands between them, who is the server of the one and the client
/// of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Lane {
    Client,
    Middle,
    Server,
}

/// Which conversation something belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Leg {
    /// The client's own: with the server, or with whoever stands between.
    #[default]
    Near,
    /// The one that whoever stands between has with the server.
    Far,
}

/// What kind of fact an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// What goes over the wire, and has bytes.
    Message,
    ChangeCipherSpec,
    Alert,
    Data,
    /// What one side knows.
    Keys,
    Derived,
    Chose,
    Waiting,
    Resumed,
    NoTickets,
    Established,
    Failed,
    Note,
}

impl Kind {
    /// Whether it goes from one side to the other.
    pub(crate) const fn travels(self) -> bool {
        matches!(self, Self::Message | Self::ChangeCipherSpec | Self::Alert | Self::Data)
    }
}

/// When something was seen, in milliseconds since the trace began, by the clock of each side that saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Seen {
    pub(crate) client_ms: Option<f64>,
    pub(crate) server_ms: Option<f64>,
}

impl Seen {
    pub(crate) const fn by(side: Side, ms: f64) -> Self {
        match side {
            Side::Client => Self { client_ms: Some(ms), server_ms: None },
            Side::Server => Self { client_ms: None, server_ms: Some(ms) },
        }
    }

    pub(crate) const fn at(&self, side: Side) -> Option<f64> {
        match side {
            Side::Client => self.client_ms,
            Side::Server => self.server_ms,
        }
    }

    /// By whichever clock there is.
    pub(crate) fn any(&self) -> f64 {
        self.client_ms.or(self.server_ms).unwrap_or_default()
    }
}

/// A field of a message: docs of `clasp::trace::fields::Field`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) index: Option<usize>,
    /// Its first byte in the message, and the one behind its last.
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) depth: u8,
    pub(crate) value: String,
    pub(crate) leaf: bool,
}

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Event {
    pub(crate) kind: Kind,
    /// Who sent it; who knows it, where it is no message.
    pub(crate) by: Side,
    pub(crate) leg: Leg,
    #[serde(flatten)]
    pub(crate) seen: Seen,
    /// The message's type, the secret's name, or words.
    pub(crate) name: String,
    /// The keys it is under, or that are meant.
    pub(crate) level: Option<&'static str>,
    /// Its length, where the bytes themselves are not kept: application data.
    pub(crate) length: usize,
    #[serde(serialize_with = "hex")]
    pub(crate) bytes: Vec<u8>,
    pub(crate) fields: Vec<Field>,
    /// Why it is not well formed.
    pub(crate) fault: Option<String>,
    /// The records that carried it, as places in the trace's `records`.
    pub(crate) records: Vec<usize>,
}

/// Records as they stood on the wire: what an eavesdropper has.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Record {
    pub(crate) by: Side,
    pub(crate) leg: Leg,
    #[serde(flatten)]
    pub(crate) seen: Seen,
    pub(crate) level: &'static str,
    /// What is within the protection; outside, TLS 1.3 says application_data of everything.
    pub(crate) content: String,
    /// Bytes within the protection.
    pub(crate) plain_length: usize,
    #[serde(serialize_with = "hex")]
    pub(crate) bytes: Vec<u8>,
}

/// A recorded conversation.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Trace {
    pub(crate) title: String,
    /// Whose clocks are known.
    pub(crate) observed: Vec<Lane>,
    /// Whether somebody stands between, who has a conversation with each.
    pub(crate) man_in_the_middle: bool,
    /// How long a packet is on its way, estimated, where one side was looked at alone.
    pub(crate) one_way_ms: Option<f64>,
    /// The same between the middle and the server.
    pub(crate) far_one_way_ms: Option<f64>,
    pub(crate) events: Vec<Event>,
    pub(crate) records: Vec<Record>,
    /// Facts that were not kept, because there were too many.
    pub(crate) left_out: usize,
    /// What it came to, and whether that is good.
    pub(crate) outcome: String,
    pub(crate) good: bool,
    /// What was agreed, where it came to that: as in `clasp connect --json`.
    pub(crate) facts: Option<serde_json::Value>,
    /// What the middle and the server agreed.
    pub(crate) far_facts: Option<serde_json::Value>,
    /// Title and outcome in Chinese, where they are our own words.
    #[serde(skip)]
    pub(crate) chinese: Option<(String, String)>,
}

impl Trace {
    /// Who a side of a conversation is.
    pub(crate) const fn lane(&self, leg: Leg, side: Side) -> Lane {
        match (leg, side) {
            (Leg::Near, Side::Client) => Lane::Client,
            (Leg::Far, Side::Server) => Lane::Server,
            (Leg::Near, Side::Server) if !self.man_in_the_middle => Lane::Server,
            _ => Lane::Middle,
        }
    }

    /// Those that are drawn, from the left.
    pub(crate) const fn lanes(&self) -> &'static [Lane] {
        if self.man_in_the_middle { &[Lane::Client, Lane::Middle, Lane::Server] } else { &[Lane::Client, Lane::Server] }
    }

    /// When something was seen, by the clock of this lane.
    pub(crate) fn seen_in(&self, event: &Event, lane: Lane) -> Option<f64> {
        let side = [Side::Client, Side::Server].into_iter().find(|side| self.lane(event.leg, *side) == lane)?;
        event.seen.at(side)
    }

    /// When something left its sender and reached the other side, in milliseconds; by the delay of the network where one of
    /// them was not looked at.
    pub(crate) fn travel(&self, event: &Event) -> (f64, f64) {
        let delay = if event.leg == Leg::Near { self.one_way_ms } else { self.far_one_way_ms }.unwrap_or_default();
        let (seen, by) = (&event.seen, event.by);
        match (seen.at(by), seen.at(by.other())) {
            (Some(sent), Some(came)) => (sent, came.max(sent)),
            (Some(sent), None) => (sent, sent + delay),
            (None, Some(came)) => ((came - delay).max(0.0), came),
            (None, None) => (0.0, delay),
        }
    }
}

impl Trace {
    /// How long a packet is on its way, by how long TCP's handshake took. A machine that was busy then must not have answers sent
    /// before what they answer came: nothing is on its way for longer than half of the shortest time to an answer.
    pub(crate) fn estimate(&mut self, tcp_ms: f64) {
        let mut delay = tcp_ms / 2.0;
        let mut last: Option<(Side, f64)> = None;
        for event in self.events.iter().filter(|event| event.kind.travels()) {
            let at = event.seen.any();
            if let Some((by, sent)) = last
                && self.observed == [self.lane(Leg::Near, by)]
                && event.by != by
            {
                delay = delay.min((at - sent) / 2.0);
            }
            last = Some((event.by, at));
        }
        self.one_way_ms = Some((delay.max(0.0) * 1000.0).round() / 1000.0);
    }

    /// What it came to: what was agreed, or why it failed.
    pub(crate) fn conclude(&mut self, outcome: &Result<serde_json::Value, String>) {
        self.good = outcome.is_ok();
        match outcome {
            Err(words) => self.outcome = format!("failed: {}", crate::terminal::shown(words)),
            Ok(facts) => {
                self.outcome = format!("agreed: {}", agreed(facts));
                self.facts = Some(facts.clone());
            }
        }
    }

    /// With the conversation that whoever stands between has with the server, by the same clock.
    pub(crate) fn beyond(&mut self, far: Self) {
        self.man_in_the_middle = true;
        let before = self.records.len();
        let mut records = far.records;
        records.iter_mut().for_each(|record| record.leg = Leg::Far);
        self.records.append(&mut records);
        for mut event in far.events {
            event.leg = Leg::Far;
            event.records.iter_mut().for_each(|place| *place = place.saturating_add(before));
            self.events.push(event);
        }
        self.far_one_way_ms = far.one_way_ms;
        self.left_out += far.left_out;
        let sides = |observed: &[Lane], leg: Leg| -> Vec<Lane> {
            let side = |lane: &Lane| if *lane == Lane::Client { Side::Client } else { Side::Server };
            observed.iter().map(|lane| self.lane(leg, side(lane))).collect()
        };
        let mut observed = sides(&self.observed, Leg::Near);
        observed.extend(sides(&far.observed, Leg::Far));
        self.observed = self.lanes().iter().copied().filter(|lane| observed.contains(lane)).collect();
        self.sort();
    }

    /// What both of them came to.
    pub(crate) fn conclude_both(
        &mut self,
        near: &Result<serde_json::Value, String>,
        far: &Result<serde_json::Value, String>,
    ) {
        self.good = near.is_ok() && far.is_ok();
        let words = |outcome: &Result<serde_json::Value, String>| match outcome {
            Ok(facts) => agreed(facts),
            Err(words) => format!("failed, {}", crate::terminal::shown(words)),
        };
        self.outcome = format!("with the server: {}; with the client: {}", words(far), words(near));
        (self.facts, self.far_facts) = (near.as_ref().ok().cloned(), far.as_ref().ok().cloned());
    }

    /// In the order of their times. What came at the same time stays as it was.
    fn sort(&mut self) {
        let mut events = std::mem::take(&mut self.events);
        events.sort_by(|a, b| self.when(a).total_cmp(&self.when(b)));
        self.events = events;
    }

    /// When an event began: when it was sent, where it was.
    fn when(&self, event: &Event) -> f64 {
        if event.kind.travels() { self.travel(event).0 } else { event.seen.any() }
    }
}

/// What two have agreed, in a line.
fn agreed(facts: &serde_json::Value) -> String {
    let fact = |name: &str| facts.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    let resumed = match fact("resumed").as_str() {
        "" => String::new(),
        by => format!(", resumed by {by}"),
    };
    format!("{}, {}{resumed}", fact("version"), fact("suite"))
}

/// The fields of what was decoded.
pub(crate) fn fields(decoded: &Decoded<'_>) -> Vec<Field> {
    let field = |f: &clasp::trace::fields::Field<'_>| Field {
        name: f.name.into(),
        index: f.index,
        start: f.range.start,
        end: f.range.end,
        depth: f.depth,
        value: crate::terminal::shown(&f.value),
        leaf: f.leaf,
    };
    decoded.fields.iter().map(field).collect()
}

/// So many digits as mean something.
pub(crate) fn ms(ms: f64) -> String {
    if ms >= 100.0 {
        format!("{ms:.0}")
    } else if ms >= 10.0 {
        format!("{ms:.1}")
    } else {
        format!("{ms:.2}")
    }
}

/// All traces, for programs.
pub(crate) fn json(traces: &[Trace]) -> serde_json::Value {
    serde_json::json!({ "format": "clasp-trace", "version": FORMAT, "traces": traces })
}

fn hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _never_fails = write!(text, "{byte:02x}");
    }
    serializer.serialize_str(&text)
}
