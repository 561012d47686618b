//! What a parser has read, as notes that make a tree of fields.

use super::Field;
use super::parsers::{self, Block};
use crate::code::{ExtensionType, is_grease};
use crate::wire::decode::DecodeError;
use crate::wire::{Extension, Recorder, Show};
use core::cell::Cell;
use core::ops::Range;

/// The notes on one message.
#[derive(Default)]
pub(super) struct Notes {
    all: Cell<Vec<Note>>,
    /// The first fault in an extension's body, which its message bears with.
    fault: Cell<Option<DecodeError>>,
}

struct Note {
    name: &'static str,
    index: Option<usize>,
    range: Range<usize>,
    kind: Kind,
    /// The notes within this one, in their order.
    within: Vec<usize>,
    /// How many elements of a list have begun in it.
    elements: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    Leaf(Show),
    Vector,
    Element,
}

/// Takes notes of what is read within one of them.
#[derive(Clone, Copy)]
pub(super) struct Hearer<'n> {
    notes: &'n Notes,
    block: Block,
    within: usize,
}

/// The note that all others stand in.
const WHOLE: usize = 0;

impl<'n> Hearer<'n> {
    pub(super) fn new(notes: &'n Notes, block: Block) -> Self {
        notes.change(|all| {
            all.clear();
            all.push(Note::new("message", None, 0..0, Kind::Vector));
        });
        Self { notes, block, within: WHOLE }
    }

    fn note(self, note: Note) -> usize {
        self.notes.change(|all| {
            let at = all.len();
            if let Some(around) = all.get_mut(self.within) {
                around.within.push(at);
            }
            all.push(note);
            at
        })
    }

    fn this(self, change: impl FnOnce(&mut Note)) {
        self.notes.change(|all| all.get_mut(self.within).map(change));
    }
}

impl Recorder for Hearer<'_> {
    fn leaf(self, what: &'static str, range: Range<usize>, show: Show) {
        match show {
            // All that a vector holds.
            Show::Text => self.this(|around| around.kind = Kind::Leaf(show)),
            Show::Length => drop(self.note(Note::new(LENGTH, None, range, Kind::Leaf(show)))),
            _ => drop(self.note(Note::new(what, None, range, Kind::Leaf(show)))),
        }
    }

    fn list(self, what: &'static str, range: Range<usize>, width: usize, show: Show) {
        for (index, start) in range.step_by(width.max(1)).enumerate() {
            self.note(Note::new(what, Some(index), start..start.saturating_add(width), Kind::Leaf(show)));
        }
    }

    fn vector(self, what: &'static str, range: Range<usize>) -> Self {
        Self { within: self.note(Note::new(what, None, range, Kind::Vector)), ..self }
    }

    fn element(self, what: &'static str, start: usize) -> Self {
        let mut index = 0;
        self.this(|list| {
            index = list.elements;
            list.elements = index.saturating_add(1);
        });
        Self { within: self.note(Note::new(what, Some(index), start..start, Kind::Element)), ..self }
    }

    fn end(self, end: usize) {
        self.this(|element| element.range.end = end);
    }

    fn extension(self, extension: Extension<'_, Self>) {
        self.this(|element| element.name = name(extension.typ));
        if let Err(fault) = parsers::extension(extension, self.block)
            && self.notes.fault().is_none()
        {
            self.notes.fault.set(Some(fault));
        }
    }
}

fn name(typ: ExtensionType) -> &'static str {
    match typ.0 {
        _ if typ.is_known() => typ.name(),
        code if is_grease(code) => "GREASE",
        _ => "extension",
    }
}

impl Note {
    const fn new(name: &'static str, index: Option<usize>, range: Range<usize>, kind: Kind) -> Self {
        Self { name, index, range, kind, within: Vec::new(), elements: 0 }
    }
}

impl Notes {
    fn change<T>(&self, change: impl FnOnce(&mut Vec<Note>) -> T) -> T {
        let mut all = self.all.take();
        let outcome = change(&mut all);
        self.all.set(all);
        outcome
    }

    pub(super) const fn fault(&self) -> Option<DecodeError> {
        self.fault.get()
    }

    /// The fields that the notes come to.
    pub(super) fn fields(self, message: &[u8]) -> Vec<Field<'_>> {
        let notes = self.all.take();
        let mut tree = Tree { notes: &notes, message, fields: Vec::with_capacity(notes.len()) };
        if let Some(whole) = notes.get(WHOLE) {
            tree.within(whole, 0..message.len(), 0);
        }
        tree.fields
    }
}

struct Tree<'n, 'a> {
    notes: &'n [Note],
    message: &'a [u8],
    fields: Vec<Field<'a>>,
}

impl<'n> Tree<'n, '_> {
    fn push(
        &mut self,
        (name, index): (&'static str, Option<usize>),
        range: Range<usize>,
        depth: u8,
        show: Option<Show>,
    ) {
        let bytes = self.message.get(range.clone()).unwrap_or_default();
        let value = show.map_or_else(|| format!("{} bytes", bytes.len()), |show| text(bytes, show));
        self.fields.push(Field { name, index, range, depth, bytes, value, leaf: show.is_some() });
    }

    /// What stands within a note, and what no parser came to.
    fn within(&mut self, note: &'n Note, range: Range<usize>, depth: u8) {
        let mut at = range.start;
        for inner in note.within.iter().filter_map(|n| self.notes.get(*n)) {
            self.field(inner, inner.index, depth);
            at = inner.range.end.max(at);
        }
        if at < range.end {
            self.push(("unread", None), at..range.end, depth, Some(Show::Bytes));
        }
    }

    fn field(&mut self, note: &'n Note, index: Option<usize>, depth: u8) {
        let (name, range) = ((note.name, index), note.range.clone());
        match note.kind {
            Kind::Leaf(show) => self.push(name, range, depth, Some(show)),
            Kind::Vector if note.within.is_empty() => self.push(name, range, depth, Some(Show::Bytes)),
            // What an extension says stands right in it.
            Kind::Vector if note.name == "extension_data" => self.within(note, range, depth),
            // An element that is one vector, and its length.
            Kind::Element if self.is_one_vector(note) => {
                for inner in note.within.iter().filter_map(|n| self.notes.get(*n)) {
                    self.field(inner, index, depth);
                }
            }
            Kind::Vector | Kind::Element => {
                self.push(name, range.clone(), depth, None);
                self.within(note, range, depth.saturating_add(1));
            }
        }
    }

    fn is_one_vector(&self, element: &Note) -> bool {
        let [length, vector] = *element.within else { return false };
        let kind = |n: usize| self.notes.get(n).map(|note| (note.kind, note.name));
        matches!(kind(length), Some((Kind::Leaf(Show::Length), _)))
            && matches!(kind(vector), Some((_, name)) if name == element.name)
    }
}

/// What says how long the next field is.
const LENGTH: &str = "length";
/// Long values are cut: an observer wants to see, not to copy.
const SHOWN: usize = 48;
/// Text is worth more to people, and a host's name is hardly longer.
const TEXT_SHOWN: usize = 128;

fn text(bytes: &[u8], show: Show) -> String {
    let number = || bytes.iter().fold(0_u64, |n, byte| n.wrapping_shl(8) | u64::from(*byte));
    match show {
        Show::Code(name) => name(bytes),
        Show::Number => number().to_string(),
        Show::Length => format!("{} bytes", number()),
        Show::Text => {
            let shown = bytes.get(..TEXT_SHOWN).unwrap_or(bytes);
            cut(bytes, TEXT_SHOWN, format!("\"{}\"", shown.escape_ascii()))
        }
        Show::Bytes => {
            use core::fmt::Write;
            let mut text = String::with_capacity(bytes.len().min(SHOWN).saturating_mul(2));
            for byte in bytes.iter().take(SHOWN) {
                let _never_fails = write!(text, "{byte:02x}");
            }
            cut(bytes, SHOWN, text)
        }
    }
}

fn cut(bytes: &[u8], most: usize, shown: String) -> String {
    if bytes.len() > most { format!("{shown}... ({} bytes)", bytes.len()) } else { shown }
}
