//! The workspace, copied to where it can be changed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Copies the workspace, but for `kept`, which others write. Files that are the same already keep their time, so that nothing
/// is built again for them.
pub(crate) fn copy(from: &Path, to: &Path, kept: &BTreeSet<PathBuf>) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let (source, copied) = (entry.path(), to.join(&name));
        if name == "target" || name == ".git" || kept.contains(&copied) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(&source, &copied, kept)?;
        } else {
            write(&copied, &fs::read(&source)?)?;
        }
    }
    // What the workspace no longer has.
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if from.join(entry.file_name()).exists() || kept.contains(&entry.path()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Writes a file that is not so already, and the folders it is in.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content)
}

/// The source files of a folder or a file, in order, from the workspace's root.
pub(crate) fn sources(root: &Path, path: &Path) -> io::Result<Vec<PathBuf>> {
    let full = root.join(path);
    if full.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(full)? {
        names.push(path.join(entry?.file_name()));
    }
    names.sort();
    let mut files = Vec::new();
    for name in names {
        if root.join(&name).is_dir() || name.extension().is_some_and(|extension| extension == "rs") {
            files.extend(sources(root, &name)?);
        }
    }
    Ok(files)
}
