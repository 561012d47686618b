//! The modules of a crate, and what a path in one of them leads to.

use std::collections::BTreeMap;
use std::path::Path;
use syn::{Attribute, Item, ItemImpl, Type, UseTree, Visibility};

/// A module, from the crate's root.
pub(crate) type Place = Vec<String>;

pub(crate) struct Source {
    modules: BTreeMap<Place, Vec<Item>>,
}

pub(crate) enum Found {
    Module(Place),
    Item(Place, String),
    /// There is no such item, and the module has macros.
    Macro(Place, String),
    /// Of another crate.
    Elsewhere,
}

impl Source {
    pub(crate) fn read(src: &Path) -> Self {
        let mut source = Self { modules: BTreeMap::new() };
        source.file(&src.join("lib.rs"), src, Vec::new());
        source
    }

    fn file(&mut self, file: &Path, below: &Path, at: Place) {
        let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let items = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display())).items;
        self.module(items, below, at);
    }

    fn module(&mut self, mut items: Vec<Item>, below: &Path, at: Place) {
        items.retain(|item| !head(item).is_some_and(|(_, attrs)| is_test(attrs)));
        for item in &items {
            let Item::Mod(module) = item else { continue };
            let name = module.ident.to_string();
            let inner = [at.as_slice(), std::slice::from_ref(&name)].concat();
            let folder = below.join(&name);
            if let Some((_, items)) = &module.content {
                self.module(items.clone(), &folder, inner);
            } else {
                let beside = below.join(format!("{name}.rs"));
                let file = if beside.exists() { beside } else { folder.join("mod.rs") };
                self.file(&file, &folder, inner);
            }
        }
        self.modules.insert(at, items);
    }

    pub(crate) fn items(&self, at: &[String]) -> &[Item] {
        self.modules.get(at).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Item> {
        self.modules.values().flatten()
    }

    /// What a path means in a module.
    pub(crate) fn resolve(&self, at: &[String], path: &[String]) -> Found {
        self.follow(at, path, 0)
    }

    fn follow(&self, at: &[String], path: &[String], depth: usize) -> Found {
        assert!(depth < 20, "a circle of re-exports: {path:?} in {at:?}");
        let mut at = at.to_vec();
        let mut path = path.to_vec();
        match path.first().map(String::as_str) {
            Some("crate") => {
                at.clear();
                path.remove(0);
            }
            Some("self") => {
                path.remove(0);
            }
            _ => {}
        }
        while path.first().is_some_and(|p| p == "super") {
            at.pop();
            path.remove(0);
        }
        let Some(first) = path.first().cloned() else { return Found::Module(at) };
        if first == "*" {
            return Found::Module(at);
        }
        let inner = [at.as_slice(), std::slice::from_ref(&first)].concat();
        let other = || path.len() == 1 && self.has_beside_module(&at, &first);
        if self.modules.contains_key(&inner) && !other() {
            return self.follow(&inner, &path[1..], depth + 1);
        }
        if self.items(&at).iter().any(|item| name(item).as_deref() == Some(first.as_str())) {
            return Found::Item(at, first);
        }
        for item in self.items(&at) {
            let Item::Use(tree) = item else { continue };
            for (target, name) in leaves(&tree.tree) {
                if name == first {
                    return self.follow(&at, &[&target[..], &path[1..]].concat(), depth + 1);
                }
                if name == "*"
                    && let Found::Item(place, original) =
                        self.follow(&at, &[&target[..target.len() - 1], &path[..]].concat(), depth + 1)
                {
                    return Found::Item(place, original);
                }
            }
        }
        let macros = self.items(&at).iter().any(|item| matches!(item, Item::Macro(call) if call.ident.is_none()));
        if path.len() == 1 && macros { Found::Macro(at, first) } else { Found::Elsewhere }
    }

    /// Whether a name that a module has is that of an item too, re-exported from within (`mod verify; pub use verify::verify`).
    fn has_beside_module(&self, at: &[String], name: &str) -> bool {
        self.items(at).iter().any(|item| match item {
            Item::Use(tree) => leaves(&tree.tree).iter().any(|(path, leaf)| leaf == name && path == &[name, name]),
            _ => false,
        })
    }

    /// The impls of an item, wherever they stand.
    pub(crate) fn impls_of(&self, at: &[String], wanted: &str) -> Vec<&ItemImpl> {
        let mut found = Vec::new();
        for (place, items) in &self.modules {
            for item in items {
                let Item::Impl(block) = item else { continue };
                let Type::Path(path) = &*block.self_ty else { continue };
                let path: Vec<String> = path.path.segments.iter().map(|s| s.ident.to_string()).collect();
                // Most names are of other types: looking them up is for those that could be meant.
                if path.last().is_some_and(|last| last == wanted)
                    && matches!(self.resolve(place, &path), Found::Item(p, name) if p == at && name == wanted)
                {
                    found.push(block);
                }
            }
        }
        found
    }
}

/// Who sees an item, and its attributes.
pub(crate) fn head(item: &Item) -> Option<(&Visibility, &[Attribute])> {
    const NOBODY: &Visibility = &Visibility::Inherited;
    Some(match item {
        Item::Const(i) => (&i.vis, &i.attrs),
        Item::Enum(i) => (&i.vis, &i.attrs),
        Item::Fn(i) => (&i.vis, &i.attrs),
        Item::Impl(i) => (NOBODY, &i.attrs),
        Item::Mod(i) => (&i.vis, &i.attrs),
        Item::Static(i) => (&i.vis, &i.attrs),
        Item::Struct(i) => (&i.vis, &i.attrs),
        Item::Trait(i) => (&i.vis, &i.attrs),
        Item::Type(i) => (&i.vis, &i.attrs),
        Item::Use(i) => (&i.vis, &i.attrs),
        _ => return None,
    })
}

pub(crate) fn is_test(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|a| {
        a.path().is_ident("cfg") && ["(test)", "(doctest)"].iter().any(|t| crate::print::text(&a.meta).contains(t))
    })
}

pub(crate) fn name(item: &Item) -> Option<String> {
    Some(match item {
        Item::Const(i) => i.ident.to_string(),
        Item::Enum(i) => i.ident.to_string(),
        Item::Fn(i) => i.sig.ident.to_string(),
        Item::Static(i) => i.ident.to_string(),
        Item::Struct(i) => i.ident.to_string(),
        Item::Trait(i) => i.ident.to_string(),
        Item::Type(i) => i.ident.to_string(),
        _ => return None,
    })
}

/// Each path of a `use`, and the name that it gives.
pub(crate) fn leaves(tree: &UseTree) -> Vec<(Vec<String>, String)> {
    match tree {
        UseTree::Path(path) => {
            let first = path.ident.to_string();
            let mut all = leaves(&path.tree);
            for (path, name) in &mut all {
                if path.first().is_some_and(|p| p == "self") {
                    // `use a::{self}` is `a`.
                    path.clear();
                    if name == "self" {
                        name.clone_from(&first);
                    }
                }
                path.insert(0, first.clone());
            }
            all
        }
        UseTree::Name(name) => vec![(vec![name.ident.to_string()], name.ident.to_string())],
        UseTree::Rename(name) => vec![(vec![name.ident.to_string()], name.rename.to_string())],
        UseTree::Glob(_) => vec![(vec!["*".into()], "*".into())],
        UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
    }
}
