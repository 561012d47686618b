//! Hears what one side of a conversation sees, and joins what two of them have heard.

use super::{Event, Kind, Lane, Leg, Record, Seen, Side, Trace, der, fields};
use crate::terminal::shown;
use clasp::code::{ContentType, HandshakeType};
use clasp::config::Clock;
use clasp::hello::HELLO_RETRY_REQUEST_RANDOM;
use clasp::trace::{Direction, Level, Observation, Observer, What};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// No handshake has so many facts; a peer that floods us must not fill our memory.
const MOST_EVENTS: usize = 2_000;
/// Bytes of records that are kept at most, unless it is told otherwise.
const MOST_BYTES: usize = 1 << 20;

/// A message has a field at most for so many of the bytes of records that may be kept.
const BYTES_A_FIELD: usize = 96;

/// An observer of one side.
pub(crate) struct Recorder {
    side: Side,
    began: SystemTime,
    /// Whose time counts, if it is not that of the side's own configuration.
    clock: Option<Arc<dyn Clock>>,
    /// Bytes of records that are kept at most.
    most: usize,
    heard: Mutex<Heard>,
}

#[derive(Clone, Default)]
struct Heard {
    events: Vec<Event>,
    records: Vec<Record>,
    bytes: usize,
    left_out: usize,
    /// Records that came, and what of them has not been said yet.
    came: Vec<Pending>,
    /// What was said and is still to be sealed: its place, and as which content.
    waiting: Vec<(usize, ContentType)>,
}

#[derive(Clone)]
struct Pending {
    record: usize,
    content: ContentType,
    left: usize,
}

impl Recorder {
    pub(crate) fn new(side: Side, began: SystemTime) -> Self {
        Self { side, began, clock: None, most: MOST_BYTES, heard: Mutex::default() }
    }

    /// Keeps no more than so many bytes of records.
    pub(crate) fn at_most(self, bytes: usize) -> Self {
        Self { most: bytes, ..self }
    }

    /// By another clock than that of the side's configuration.
    pub(crate) fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self, at: SystemTime) -> Seen {
        let at = self.clock.as_ref().map_or(at, |clock| clock.now());
        let since = at.duration_since(self.began).unwrap_or(Duration::ZERO);
        // Microseconds are what clocks are good for.
        Seen::by(self.side, (since.as_secs_f64() * 1_000_000.0).round() / 1000.0)
    }

    /// A fact of our own.
    pub(crate) fn note(&self, at: SystemTime, words: impl Into<String>) {
        let event = self.event(at, Kind::Note, None, words.into());
        self.heard().push(event);
    }

    fn event(&self, at: SystemTime, kind: Kind, direction: Option<Direction>, name: String) -> Event {
        let by = if direction == Some(Direction::Received) { self.side.other() } else { self.side };
        Event {
            kind,
            by,
            leg: Leg::Near,
            seen: self.seen(at),
            name,
            level: None,
            length: 0,
            bytes: Vec::new(),
            fields: Vec::new(),
            fault: None,
            records: Vec::new(),
        }
    }

    /// What has been heard so far, as the trace of one side.
    pub(crate) fn take(&self, title: impl Into<String>) -> Trace {
        let heard = std::mem::take(&mut *self.heard());
        self.trace(heard, title)
    }

    /// The same, and goes on.
    pub(crate) fn so_far(&self, title: impl Into<String>) -> Trace {
        let heard = self.heard().clone();
        self.trace(heard, title)
    }

    fn trace(&self, heard: Heard, title: impl Into<String>) -> Trace {
        Trace {
            title: title.into(),
            observed: vec![if self.side == Side::Client { Lane::Client } else { Lane::Server }],
            man_in_the_middle: false,
            one_way_ms: None,
            far_one_way_ms: None,
            events: heard.events,
            records: heard.records,
            left_out: heard.left_out,
            outcome: String::new(),
            good: true,
            facts: None,
            far_facts: None,
            chinese: None,
        }
    }

    fn record(&self, at: SystemTime, what: &What<'_>) {
        let What::Record { direction, level, content, plain_len, bytes, .. } = *what else { return };
        let event = self.event(at, Kind::Data, Some(direction), "application data".into());
        let (by, seen) = (event.by, event.seen);
        let mut heard = self.heard();
        let place = heard.records.len();
        if heard.bytes + bytes.len() > self.most {
            heard.left_out += 1;
            return;
        }
        heard.bytes += bytes.len();
        heard.records.push(Record {
            by,
            leg: Leg::Near,
            seen,
            level: name_of(level),
            content: content.to_string(),
            plain_length: plain_len,
            bytes: bytes.into(),
        });
        if content == ContentType::ApplicationData {
            let decoded = what.fields();
            let (bytes, fields) = (bytes.into(), fields(&decoded));
            let length = plain_len;
            heard.push(Event { level: Some(name_of(level)), length, bytes, fields, records: vec![place], ..event });
        } else if direction == Direction::Received {
            heard.came.push(Pending { record: place, content, left: plain_len });
        } else {
            heard.sealed(place, content);
        }
    }

    /// What went over the wire, with its fields and its records.
    fn said(&self, at: SystemTime, kind: Kind, direction: Direction, (name, what): (String, &What<'_>)) {
        let mut event = self.event(at, kind, Some(direction), name);
        let decoded = what.fields();
        event.fields = fields(&decoded);
        if let What::Message { bytes, .. } = what {
            event.fields = der::taken_apart(std::mem::take(&mut event.fields), bytes);
        }
        // A hello of nothing but suites has a field for every two bytes, each a hundred times as large.
        event.fields.truncate(self.most / BYTES_A_FIELD);
        event.fields.shrink_to_fit();
        event.fault = decoded.fault.map(|fault| shown(&fault.to_string()));
        let (level, bytes) = match what {
            What::Message { bytes, level, .. } => (Some(name_of(*level)), *bytes),
            What::Alert { bytes, .. } => (None, *bytes),
            _ => (None, &[1][..]),
        };
        (event.level, event.bytes, event.length) = (level, bytes.into(), bytes.len());
        let content = match kind {
            Kind::Message => ContentType::Handshake,
            Kind::Alert => ContentType::Alert,
            _ => ContentType::ChangeCipherSpec,
        };
        let mut heard = self.heard();
        event.records = match direction {
            Direction::Received => heard.taken(content, event.length),
            // Messages are sealed together, once all are said; of what else there is we hear when it is gone.
            Direction::Sent if kind == Kind::Message => {
                let place = heard.events.len();
                heard.waiting.push((place, content));
                Vec::new()
            }
            Direction::Sent => heard.last_sealed(event.by, content).into_iter().collect(),
        };
        let carrier = event.records.last().and_then(|place| heard.records.get(*place));
        event.level = event.level.or_else(|| carrier.map(|record| record.level));
        heard.push(event);
    }

    fn fact(&self, at: SystemTime, what: &What<'_>) {
        let push = |kind, name: String, level| {
            let event = Event { level, ..self.event(at, kind, None, shown(&name)) };
            self.heard().push(event);
        };
        match what {
            What::Keys { direction, level, .. } => {
                let way = if *direction == Direction::Sent { "writes" } else { "reads" };
                push(Kind::Keys, way.into(), Some(name_of(*level)));
            }
            What::Derived { name, .. } => push(Kind::Derived, (*name).into(), None),
            What::Chose { what, name, .. } => push(Kind::Chose, format!("{what}: {name}"), None),
            What::Waiting { on } => push(Kind::Waiting, (*on).into(), None),
            What::Resumed { by } => push(Kind::Resumed, (*by).into(), None),
            What::NoTickets { why } => push(Kind::NoTickets, (*why).into(), None),
            What::Established => push(Kind::Established, String::new(), None),
            // What to change stands in the outcome.
            What::Failed(error) => push(Kind::Failed, error.without_hint().to_string(), None),
            _ => {}
        }
    }
}

impl Observer for Recorder {
    fn observe(&self, seen: &Observation<'_>) {
        let (at, what) = (seen.at, &seen.what);
        match what {
            What::Record { .. } => self.record(at, what),
            What::Message { direction, kind, bytes, .. } => {
                self.said(at, Kind::Message, *direction, (message_name(*kind, bytes), what));
            }
            What::ChangeCipherSpec { direction } => {
                self.said(at, Kind::ChangeCipherSpec, *direction, ("[ChangeCipherSpec]".into(), what));
            }
            What::Alert { direction, alert, fatal, .. } => {
                let kind = if *fatal { "fatal alert" } else { "alert" };
                self.said(at, Kind::Alert, *direction, (format!("{kind} {alert}"), what));
            }
            _ => self.fact(at, what),
        }
    }
}

impl Heard {
    /// Which records hold the next so many bytes of a content.
    fn taken(&mut self, content: ContentType, mut wanted: usize) -> Vec<usize> {
        let mut places = Vec::new();
        for pending in self.came.iter_mut().filter(|pending| pending.content == content) {
            if wanted == 0 {
                break;
            }
            let part = pending.left.min(wanted);
            (wanted, pending.left) = (wanted - part, pending.left - part);
            places.push(pending.record);
        }
        self.came.retain(|pending| pending.left > 0);
        places
    }

    fn last_sealed(&self, by: Side, content: ContentType) -> Option<usize> {
        self.records.iter().rposition(|record| record.by == by && record.content == content.to_string())
    }

    /// What has waited for these records goes with them.
    fn sealed(&mut self, place: usize, content: ContentType) {
        let level = self.records.get(place).map(|record| record.level);
        for (waits, of) in std::mem::take(&mut self.waiting) {
            if of != content {
                self.waiting.push((waits, of));
            } else if let Some(event) = self.events.get_mut(waits) {
                event.records.push(place);
                event.level = event.level.or(level);
            }
        }
    }

    fn push(&mut self, event: Event) {
        if self.events.len() < MOST_EVENTS {
            self.events.push(event);
        } else {
            self.left_out += 1;
        }
    }
}

/// A HelloRetryRequest is a ServerHello in all but its random.
pub(crate) fn message_name(kind: HandshakeType, message: &[u8]) -> String {
    let random = message.get(6..38);
    let retry = kind == HandshakeType::ServerHello && random == Some(&HELLO_RETRY_REQUEST_RANDOM[..]);
    if retry { "HelloRetryRequest".into() } else { kind.to_string() }
}

const fn name_of(level: Level) -> &'static str {
    match level {
        Level::Plain => "plain",
        Level::Early => "early",
        Level::Handshake => "handshake",
        Level::Application => "application",
    }
}

impl Trace {
    /// With what the other side has seen of the same conversation: what went over the wire has both sides' times then, and
    /// what the other side alone has seen or knows is added.
    pub(crate) fn join(&mut self, other: Self) {
        let Self { observed, events, records, left_out, .. } = other;
        let mine: [VecDeque<usize>; 2] = [Side::Client, Side::Server].map(|by| {
            let of = |(place, event): (usize, &Event)| (event.kind.travels() && event.by == by).then_some(place);
            self.events.iter().enumerate().filter_map(of).collect()
        });
        let [mut of_client, mut of_server] = mine;
        for mut event in events {
            let queue = if event.by == Side::Client { &mut of_client } else { &mut of_server };
            let twin = event.kind.travels().then(|| queue.front().copied()).flatten();
            match twin.and_then(|place| self.events.get_mut(place)) {
                Some(twin) if twin.kind == event.kind && twin.length == event.length => {
                    twin.seen.client_ms = twin.seen.client_ms.or(event.seen.client_ms);
                    twin.seen.server_ms = twin.seen.server_ms.or(event.seen.server_ms);
                    queue.pop_front();
                }
                _ => {
                    event.records = event.records.iter().filter_map(|place| self.adopt(records.get(*place)?)).collect();
                    self.events.push(event);
                }
            }
        }
        self.observed.extend(observed);
        self.left_out += left_out;
        self.sort();
    }

    /// The place of a record that the other side has seen.
    fn adopt(&mut self, record: &Record) -> Option<usize> {
        let known = self.records.iter().position(|own| own.by == record.by && own.bytes == record.bytes);
        known.or_else(|| {
            self.records.push(record.clone());
            self.records.len().checked_sub(1)
        })
    }
}
