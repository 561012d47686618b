//! Traces as one page that stands by itself: its script, its words and all bytes are in it, and it asks nobody for anything.

use super::explain::{Language, TABLE};
use super::{Event, Field, Kind, Lane, Leg, Record, Side, Trace};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::HashMap;

const HTML: &str = include_str!("../../page/page.html");
const CSS: &str = include_str!("../../page/page.css");
const JS: &str = include_str!("../../page/page.js");
const EXPLORER: &str = include_str!("../../page/explorer.js");

/// Bytes and fields that a page holds at most, so that it stays below 300 KB. No usual handshake has as many; of what comes behind
/// them the first bytes are kept.
const MOST_BYTES: usize = 88_000;
const MOST_FIELDS: usize = 7_000;
const KEPT_OF_THE_REST: usize = 64;
/// With these the page is full: of what comes then its length is told.
const MOST_WITH_BEGINNINGS: usize = 110_000;
/// Places that are looked at for one that a piece stands at already.
const MOST_PLACES: usize = 32;

/// How a page begins.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Opening {
    /// In this language, and not in the browser's.
    pub(crate) language: Option<Language>,
    /// With this trace, and that one beside it.
    pub(crate) first: usize,
    pub(crate) beside: Option<usize>,
}

/// The page.
pub(crate) fn page(traces: &[Trace], opening: Opening) -> String {
    with_explorer(traces, opening, &Value::Null)
}

/// The page, with what its explorer is made of, where there is one: docs/trace.md. What comes last is cut first.
pub(crate) fn with_explorer<'t>(
    traces: impl IntoIterator<Item = &'t Trace>,
    opening: Opening,
    explorer: &Value,
) -> String {
    let mut pack = Pack::default();
    let packed: Vec<Value> = traces.into_iter().map(|trace| pack.trace(trace)).collect();
    let table: Value = serde_json::from_str(TABLE).unwrap_or_default();
    let language = opening.language.map(|language| if language == Language::Zh { "zh" } else { "en" });
    let data = json!({
        "lang": language, "first": opening.first, "beside": opening.beside, "traces": packed, "names": pack.names.all, "forms": pack.forms.all,
        "kinds": KINDS, "explorer": explorer, "pool": STANDARD.encode(&pack.pool), "table": table,
    });
    // In a script element nothing but its end tag is markup, nor can a comment begin.
    let data = data.to_string().replace('<', "\\u003c");
    let mut page = HTML.replacen("/*CSS*/", CSS, 1);
    page = page.replacen("/*JS*/", JS, 1);
    page = page.replacen("/*EXPLORER*/", if explorer.is_null() { "" } else { EXPLORER }, 1);
    // Last: what was said may hold whatever it likes.
    page.replacen("/*DATA*/", &data, 1)
}

const KINDS: [Kind; 13] = [
    Kind::Message,
    Kind::ChangeCipherSpec,
    Kind::Alert,
    Kind::Data,
    Kind::Keys,
    Kind::Derived,
    Kind::Chose,
    Kind::Waiting,
    Kind::Resumed,
    Kind::NoTickets,
    Kind::Established,
    Kind::Failed,
    Kind::Note,
];

/// Things by their places: each is written once.
struct Table<T> {
    all: Vec<T>,
    places: HashMap<T, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { all: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Table<T> {
    fn place(&mut self, of: T) -> usize {
        *self.places.entry(of).or_insert_with_key(|new| {
            self.all.push(new.clone());
            self.all.len() - 1
        })
    }
}

#[derive(Default)]
struct Pack {
    /// All bytes. What stands in them already, as a message does in its record, is not written again.
    pool: Vec<u8>,
    /// Where the first bytes of a piece stand in it: places of every four bytes.
    starts: HashMap<[u8; 4], Vec<usize>>,
    names: Table<String>,
    forms: Table<Vec<usize>>,
    fields: usize,
}

impl Pack {
    fn trace(&mut self, trace: &Trace) -> Value {
        let records: Vec<Value> = trace.records.iter().map(|record| self.record(record)).collect();
        let events: Vec<Value> = trace.events.iter().map(|event| self.event(event)).collect();
        json!({
            "title": trace.title, "zh": trace.chinese, "observed": trace.observed.iter().map(|lane| place(trace, *lane)).collect::<Vec<_>>(),
            "oneWay": trace.one_way_ms, "farWay": trace.far_one_way_ms, "middle": trace.man_in_the_middle, "outcome": trace.outcome, "good": trace.good, "leftOut": trace.left_out,
            "events": events, "records": records,
        })
    }

    fn record(&mut self, record: &Record) -> Value {
        let bytes = self.bytes(&record.bytes);
        let content = self.names.place(record.content.clone());
        json!([
            number(record.by),
            record.seen.client_ms,
            record.seen.server_ms,
            level(Some(record.level)),
            content,
            record.plain_length,
            bytes,
            leg(record.leg)
        ])
    }

    fn event(&mut self, event: &Event) -> Value {
        let kind = KINDS.iter().position(|kind| *kind == event.kind);
        let name = self.names.place(event.name.clone());
        let bytes = self.bytes(&event.bytes);
        let form = self.form(&event.fields, &event.bytes);
        json!([
            kind,
            number(event.by),
            event.seen.client_ms,
            event.seen.server_ms,
            name,
            level(event.level),
            event.length,
            bytes,
            form,
            event.fault,
            event.records,
            leg(event.leg)
        ])
    }

    fn bytes(&mut self, bytes: &[u8]) -> [usize; 2] {
        if bytes.is_empty() {
            return [0, 0];
        }
        if let Some(at) = self.find(bytes) {
            return [at, bytes.len()];
        }
        let most = match self.pool.len() {
            full if full >= MOST_WITH_BEGINNINGS => 0,
            full if full + bytes.len() > MOST_BYTES => KEPT_OF_THE_REST,
            _ => bytes.len(),
        };
        let kept = bytes.get(..most).unwrap_or(bytes);
        let at = self.pool.len();
        self.pool.extend_from_slice(kept);
        for place in at.saturating_sub(3)..self.pool.len().saturating_sub(3) {
            if let Some(start) = self.pool.get(place..).and_then(|rest| rest.first_chunk()) {
                let places = self.starts.entry(*start).or_default();
                // Zeros have many places, and one of the first is as good as any.
                if places.len() < MOST_PLACES {
                    places.push(place);
                }
            }
        }
        [at, kept.len()]
    }

    /// Where these bytes stand already.
    fn find(&self, bytes: &[u8]) -> Option<usize> {
        let places = self.starts.get(bytes.first_chunk()?)?;
        places.iter().copied().find(|place| self.pool.get(*place..).is_some_and(|rest| rest.starts_with(bytes)))
    }

    /// The fields, five numbers each: the name; the place in a list, from 1; how long; twice the depth, and whether no other
    /// is in it; the value, from 1, or 0 where the bytes say it. Where one begins follows from those before.
    fn form(&mut self, fields: &[Field], bytes: &[u8]) -> usize {
        let fields = if self.fields > MOST_FIELDS { &[] } else { fields };
        let mut form = Vec::with_capacity(fields.len() * 5);
        for field in fields {
            let own = bytes.get(field.start..field.end).unwrap_or_default();
            let value = match field.leaf && !is_hex(&field.value, own) {
                true => self.names.place(field.value.clone()) + 1,
                false => 0,
            };
            let name = self.names.place(field.name.clone());
            let depth = usize::from(field.depth) * 2 + usize::from(field.leaf);
            form.extend([name, field.index.map_or(0, |index| index + 1), own.len(), depth, value]);
        }
        // What was shown of one certificate is shown of the same again.
        if !self.forms.places.contains_key(&form) {
            self.fields += fields.len();
            if self.fields > MOST_FIELDS {
                form.clear();
            }
        }
        self.forms.place(form)
    }
}

/// Whether a value is what its bytes are in hexadecimal, if it is not cut.
fn is_hex(value: &str, bytes: &[u8]) -> bool {
    let digits = value.split("...").next().unwrap_or_default();
    let shown = bytes.get(..digits.len() / 2).unwrap_or_default();
    let mut text = String::with_capacity(digits.len());
    for byte in shown {
        use std::fmt::Write;
        let _never_fails = write!(text, "{byte:02x}");
    }
    text == digits && (shown.len() == bytes.len() || digits.len() < value.len())
}

const fn number(side: Side) -> u8 {
    match side {
        Side::Client => 0,
        Side::Server => 1,
    }
}

/// Which conversation: how many lanes it begins from the left.
const fn leg(leg: Leg) -> u8 {
    match leg {
        Leg::Near => 0,
        Leg::Far => 1,
    }
}

/// Where a lane is drawn, from the left.
fn place(trace: &Trace, lane: Lane) -> Option<usize> {
    trace.lanes().iter().position(|drawn| *drawn == lane)
}

fn level(level: Option<&str>) -> Option<usize> {
    ["plain", "early", "handshake", "application"].iter().position(|name| Some(*name) == level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_any_capture_is_small_and_what_is_there_twice_is_there_once() {
        let mut pack = Pack::default();
        let mut noise = 1_u32;
        let mut piece = || -> Vec<u8> {
            std::iter::repeat_with(|| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                noise.to_be_bytes()[0]
            })
            .take(1000)
            .collect()
        };
        let first = piece();
        assert_eq!((pack.bytes(&first), pack.bytes(&first[10..500])), ([0, 1000], [10, 490]));
        assert_eq!(pack.bytes(&first[998..]), [1000, 2], "too short to look for");
        for _ in 0..20_000 {
            pack.bytes(&piece());
        }
        assert!(pack.pool.len() <= MOST_WITH_BEGINNINGS + KEPT_OF_THE_REST, "{}", pack.pool.len());
        assert_eq!(pack.bytes(&piece())[1], 0);
        assert_eq!(pack.bytes(&first), [0, 1000]);
    }
}
