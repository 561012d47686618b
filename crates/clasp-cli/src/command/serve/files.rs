//! The directory that is served.

use hyper::body::Bytes;
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a file is served from memory before it is looked at again.
const FRESH: Duration = Duration::from_secs(1);
/// Bytes that are kept; a file that does not fit is read each time.
const MOST: usize = 16 << 20;

/// Files below a directory. What was asked for a moment ago is kept, so that a busy page costs no look at the disk.
pub(super) struct Files {
    directory: PathBuf,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_path: HashMap<String, File>,
    bytes: usize,
}

#[derive(Clone)]
struct File {
    bytes: Bytes,
    kind: &'static str,
    read: Instant,
}

impl Files {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory, kept: Mutex::default() }
    }

    /// A file's bytes and media type. A path that leads anywhere else is not found, and neither is a directory without
    /// index.html.
    pub(super) async fn get(&self, path: &str) -> Option<(Bytes, &'static str)> {
        let file = match self.fresh(path) {
            Some(file) => file,
            None => {
                let file = read(&self.directory, path).await?;
                self.keep(path, &file);
                file
            }
        };
        Some((file.bytes, file.kind))
    }

    fn fresh(&self, path: &str) -> Option<File> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.by_path.get(path).filter(|file| file.read.elapsed() < FRESH).cloned()
    }

    fn keep(&self, path: &str, file: &File) {
        let size = file.bytes.len() + path.len();
        if size > MOST {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever asks for everything makes us read it again, and hold no more.
        if kept.bytes + size > MOST {
            *kept = Kept::default();
        }
        kept.bytes += size;
        if let Some(old) = kept.by_path.insert(path.to_string(), file.clone()) {
            kept.bytes -= old.bytes.len() + path.len();
        }
    }
}

async fn read(directory: &Path, path: &str) -> Option<File> {
    let relative = Path::new(path.trim_start_matches('/'));
    if path.contains('%') || !relative.components().all(|c| matches!(c, Component::Normal(_))) {
        return None;
    }
    let mut full = directory.join(relative);
    if tokio::fs::metadata(&full).await.ok()?.is_dir() {
        full.push("index.html");
    }
    // A link may lead out of the directory: where it ends is what counts.
    let (real, root) = (tokio::fs::canonicalize(&full).await.ok()?, tokio::fs::canonicalize(directory).await.ok()?);
    if !real.starts_with(root) {
        return None;
    }
    let bytes = Bytes::from(tokio::fs::read(&real).await.ok()?);
    let kind = match real.extension().and_then(|e| e.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json") => "application/json",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    Some(File { bytes, kind, read: Instant::now() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_outside_the_directory_is_found() {
        let outside = tempfile::tempdir().unwrap();
        let directory = outside.path().join("www");
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(outside.path().join("secret.txt"), "secret").unwrap();
        std::fs::write(directory.join("page.txt"), "page").unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret.txt"), directory.join("link.txt")).unwrap();
        let files = Files::new(directory);
        assert_eq!(files.get("/page.txt").await, Some((Bytes::from("page"), "text/plain; charset=utf-8")));
        for path in ["/link.txt", "/../secret.txt", "/%2e%2e/secret.txt", "/absent.txt", "/"] {
            assert_eq!(files.get(path).await, None, "{path}");
        }
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded_and_looked_at_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("page.html");
        std::fs::write(&path, "first").unwrap();
        let files = Files::new(directory.path().to_path_buf());
        let bytes = |page: Option<(Bytes, &str)>| page.map(|(bytes, _)| bytes);
        assert_eq!(bytes(files.get("/page.html").await), Some(Bytes::from("first")));
        std::fs::write(&path, "second").unwrap();
        files.kept.lock().unwrap().by_path.get_mut("/page.html").unwrap().read = Instant::now() - FRESH;
        assert_eq!(bytes(files.get("/page.html").await), Some(Bytes::from("second")));

        std::fs::write(directory.path().join("large"), vec![0; MOST - 100]).unwrap();
        assert!(files.get("/large").await.is_some());
        std::fs::write(directory.path().join("other"), vec![0; 1000]).unwrap();
        assert!(files.get("/other").await.is_some());
        let kept = files.kept.lock().unwrap();
        assert_eq!(kept.bytes, 1000 + "/other".len());
        assert_eq!(kept.by_path.len(), 1);
    }
}
