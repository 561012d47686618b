//! What a crate shows to those who depend on it, read from its sources: every public item that can be named from outside,
//! with its fields, variants, methods and impls, as lines of text. It needs no compiler, so a test can hold a crate to a
//! snapshot on any toolchain.
//!
//! What macros write is not expanded: a macro that declares public items stands there with what it was given, and with the
//! heads of the public functions of its own.
#![forbid(unsafe_code)]
// What it reads is our own code, and a fault in it is a failed test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod print;
mod source;

use source::{Found, Place, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use syn::{Attribute, Item, Visibility};

/// The public face of a crate.
#[derive(Debug)]
pub struct Face {
    /// Each public path, with its lines.
    pub items: BTreeMap<String, Vec<String>>,
    /// The public enums and structs that nobody says can grow: neither `#[non_exhaustive]` nor with a private field.
    pub closed: BTreeSet<String>,
}

impl Face {
    /// Reads the crate whose folder this is.
    ///
    /// # Panics
    /// If a file is missing or is no Rust.
    pub fn read(folder: &Path, name: &str) -> Self {
        let source = Source::read(&folder.join("src"));
        let mut reader = Reader {
            source: &source,
            face: Self { items: BTreeMap::new(), closed: BTreeSet::new() },
            shown: BTreeSet::new(),
        };
        reader.module(&[], name);
        reader.macros(name);
        reader.face
    }

    /// All of it as a text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (path, lines) in &self.items {
            text.push_str(path);
            text.push('\n');
            for line in lines {
                text.push_str("    ");
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }
}

struct Reader<'a> {
    source: &'a Source,
    face: Face,
    /// Where an item already stands: its second name says so, and no more.
    shown: BTreeSet<(Place, String)>,
}

impl Reader<'_> {
    fn module(&mut self, at: &[String], shown: &str) {
        let source = self.source;
        for item in source.items(at) {
            let Some((vis, attrs)) = source::head(item) else { continue };
            if !matches!(vis, Visibility::Public(_)) || hidden(attrs) || source::is_test(attrs) {
                continue;
            }
            match item {
                Item::Mod(module) => {
                    let name = module.ident.to_string();
                    self.module(&[at, std::slice::from_ref(&name)].concat(), &format!("{shown}::{name}"));
                }
                Item::Use(tree) => {
                    for (path, name) in source::leaves(&tree.tree) {
                        self.reexport(at, &path, &name, shown);
                    }
                }
                _ => {
                    if let Some(name) = source::name(item) {
                        self.item(at, &name, &format!("{shown}::{name}"));
                    }
                }
            }
        }
        // A macro at the level of a public module may have declared anything.
        for item in source.items(at) {
            if let Item::Macro(call) = item {
                let (title, lines) = print::invocation(call);
                if lines.iter().any(|line| line.contains("pub ")) || title.starts_with("codes") {
                    self.face.items.insert(format!("{shown}::{title}"), lines);
                }
            }
        }
    }

    /// What macros of the crate's own write into impls.
    fn macros(&mut self, shown: &str) {
        for item in self.source.all() {
            if let Item::Macro(rules) = item
                && let Some(name) = &rules.ident
            {
                let mut heads = Vec::new();
                print::functions(rules.mac.tokens.clone(), &mut heads);
                if !heads.is_empty() {
                    self.face.items.insert(format!("{shown}: macro {name}"), heads);
                }
            }
        }
    }

    fn reexport(&mut self, at: &[String], path: &[String], name: &str, shown: &str) {
        match self.source.resolve(at, path) {
            Found::Module(module) if name == "*" => self.module(&module, shown),
            Found::Module(module) => self.module(&module, &format!("{shown}::{name}")),
            Found::Item(place, original) => self.item(&place, &original, &format!("{shown}::{name}")),
            Found::Macro(place, original) => {
                let lines = vec![format!("by a macro of {}: {original}", place.join("::"))];
                self.face.items.insert(format!("{shown}::{name}"), lines);
                for item in self.source.items(&place) {
                    if let Item::Macro(call) = item
                        && print::mentions(call, &original)
                    {
                        let (title, lines) = print::invocation(call);
                        self.face.items.insert(format!("{shown}::{name} = {title}"), lines);
                    }
                }
            }
            Found::Elsewhere => {
                self.face.items.insert(format!("{shown}::{name}"), vec![format!("pub use {}", path.join("::"))]);
            }
        }
    }

    fn item(&mut self, at: &[String], name: &str, shown: &str) {
        if !self.shown.insert((at.to_vec(), name.to_owned())) {
            self.face.items.entry(shown.to_owned()).or_insert_with(|| vec!["again".into()]);
            return;
        }
        let mut lines = Vec::new();
        for item in self.source.items(at).iter().filter(|item| source::name(item).as_deref() == Some(name)) {
            lines.extend(print::item(item));
            if print::is_closed(item) {
                self.face.closed.insert(shown.to_owned());
            }
        }
        for block in self.source.impls_of(at, name) {
            lines.extend(print::block(block));
        }
        self.face.items.insert(shown.to_owned(), lines);
    }
}

/// `#[doc(hidden)]`; words of a comment are an attribute of this name too, `#[doc = ".."]`, and may speak of what is hidden.
fn hidden(attrs: &[Attribute]) -> bool {
    let says = |a: &Attribute| a.meta.require_list().is_ok_and(|list| list.tokens.to_string().contains("hidden"));
    attrs.iter().any(|a| a.path().is_ident("doc") && says(a))
}
