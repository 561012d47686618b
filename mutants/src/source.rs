//! The files that have mutants.

use crate::find::{Found, find, is_left_out};
use crate::tree;
use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// A file, and what was found in it.
pub(crate) struct Source {
    /// From the workspace's root.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) found: Found,
}

/// Reads the files of `paths`, without those of tests, and finds their mutants.
pub(crate) fn read(root: &Path, paths: &[PathBuf]) -> Result<Vec<Source>, Box<dyn Error>> {
    let mut files = BTreeSet::new();
    for path in paths {
        let found = tree::sources(root, path).map_err(|error| format!("{}: {error}", path.display()))?;
        files.extend(found);
    }
    let tests = of_tests(root, &files)?;
    let mut sources = Vec::new();
    let mut next = 1;
    for path in files.into_iter().filter(|path| !tests.iter().any(|test| path.starts_with(test))) {
        let text = fs::read_to_string(root.join(&path))?;
        let found = find(&path, &text, next).map_err(|error| format!("{}: {error}", path.display()))?;
        next += u32::try_from(found.mutants.len())?;
        sources.push(Source { path, text, found });
    }
    // The roots of their crates say what the compiler shall not speak of.
    for root_file in sources
        .iter()
        .filter_map(|source| crate_of(&source.path))
        .map(|folder| folder.join("src/lib.rs"))
        .collect::<BTreeSet<_>>()
    {
        if !sources.iter().any(|source| source.path == root_file) {
            let text = fs::read_to_string(root.join(&root_file))?;
            sources.push(Source { path: root_file, text, found: Found::default() });
        }
    }
    Ok(sources)
}

/// By which a file is known to be what it was.
pub(crate) fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The folder of the package that a file of `src` belongs to.
pub(crate) fn crate_of(path: &Path) -> Option<&Path> {
    path.ancestors().find(|folder| folder.ends_with("src")).and_then(Path::parent)
}

/// Files and folders of modules that are compiled for tests only.
fn of_tests(root: &Path, files: &BTreeSet<PathBuf>) -> Result<BTreeSet<PathBuf>, Box<dyn Error>> {
    let mut tests = BTreeSet::new();
    for path in files {
        let file = syn::parse_file(&fs::read_to_string(root.join(path))?)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let stem = path.file_stem().unwrap_or_default();
        let folder = if stem == "mod" || stem == "lib" { folder.to_owned() } else { folder.join(stem) };
        for item in file.items {
            if let syn::Item::Mod(module) = item
                && module.content.is_none()
                && is_left_out(&module.attrs)
            {
                tests.insert(folder.join(module.ident.to_string()));
                tests.insert(folder.join(format!("{}.rs", module.ident)));
            }
        }
    }
    Ok(tests)
}
