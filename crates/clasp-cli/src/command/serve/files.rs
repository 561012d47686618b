//! The directory that is served.

use hyper::body::Bytes;
use hyper::header::HeaderValue;
use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// How long a file is served from memory, at most, before it is looked at again.
const FRESH: Duration = Duration::from_secs(1);
/// Bytes that are kept; a file that does not fit is read each time.
const MOST: usize = 16 << 20;

/// Files below a directory. What was asked for a moment ago is kept, so that a busy page costs no look at the disk.
pub(super) struct Files {
    directory: Arc<Path>,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    by_path: HashMap<String, File>,
    bytes: usize,
    /// A task will forget them all. No request looks at a clock.
    passes: bool,
}

/// A file as it is served.
#[derive(Clone)]
pub(super) struct File {
    pub(super) bytes: Bytes,
    /// Its media type.
    pub(super) kind: HeaderValue,
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Files {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory: directory.into(), kept: Arc::default() }
    }

    /// A file. A path that leads anywhere else is not found, and neither is a directory without index.html.
    pub(super) async fn get(&self, path: &str) -> Option<File> {
        if let Some(file) = self.kept(path) {
            return Some(file);
        }
        let (directory, asked) = (Arc::clone(&self.directory), path.to_string());
        let file = spawn_blocking(move || read(&directory, &asked)).await.ok()??;
        self.keep(path, &file);
        Some(file)
    }

    fn kept(&self, path: &str) -> Option<File> {
        lock(&self.kept).by_path.get(path).cloned()
    }

    fn keep(&self, path: &str, file: &File) {
        let size = file.bytes.len() + path.len();
        if size > MOST {
            return;
        }
        let mut kept = lock(&self.kept);
        // Whoever asks for everything makes us read it again, and hold no more.
        if kept.bytes + size > MOST {
            (kept.by_path, kept.bytes) = (HashMap::new(), 0);
        }
        kept.bytes += size;
        if let Some(old) = kept.by_path.insert(path.to_string(), file.clone()) {
            kept.bytes -= old.bytes.len() + path.len();
        }
        if !core::mem::replace(&mut kept.passes, true) {
            let kept = Arc::downgrade(&self.kept);
            tokio::spawn(async move {
                sleep(FRESH).await;
                if let Some(kept) = kept.upgrade() {
                    *lock(&kept) = Kept::default();
                }
            });
        }
    }
}

/// Blocks while the disk works.
fn read(directory: &Path, path: &str) -> Option<File> {
    let relative = Path::new(path.trim_start_matches('/'));
    if path.contains('%') || !relative.components().all(|c| matches!(c, Component::Normal(_))) {
        return None;
    }
    let mut full = directory.join(relative);
    if fs::metadata(&full).ok()?.is_dir() {
        full.push("index.html");
    }
    // A link may lead out of the directory: where it ends is what counts.
    let (real, root) = (fs::canonicalize(&full).ok()?, fs::canonicalize(directory).ok()?);
    if !real.starts_with(root) {
        return None;
    }
    let bytes = Bytes::from(fs::read(&real).ok()?);
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
    Some(File { bytes, kind: HeaderValue::from_static(kind) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_outside_the_directory_is_found() {
        let outside = tempfile::tempdir().unwrap();
        let directory = outside.path().join("www");
        fs::create_dir(&directory).unwrap();
        fs::write(outside.path().join("secret.txt"), "secret").unwrap();
        fs::write(directory.join("page.txt"), "page").unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret.txt"), directory.join("link.txt")).unwrap();
        let files = Files::new(directory);
        let page = files.get("/page.txt").await.unwrap();
        assert_eq!((&page.bytes[..], page.kind.as_bytes()), (&b"page"[..], &b"text/plain; charset=utf-8"[..]));
        for path in ["/link.txt", "/../secret.txt", "/%2e%2e/secret.txt", "/absent.txt", "/"] {
            assert!(files.get(path).await.is_none(), "{path}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_is_bounded_and_looked_at_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("page.html");
        let files = Files::new(directory.path().to_path_buf());
        for (text, next) in [("first", "second"), ("second", "third")] {
            fs::write(&path, text).unwrap();
            assert_eq!(files.get("/page.html").await.unwrap().bytes, text);
            fs::write(&path, next).unwrap();
            sleep(FRESH / 2).await;
            assert_eq!(files.get("/page.html").await.unwrap().bytes, text);
            sleep(FRESH).await;
            assert_eq!(files.get("/page.html").await.unwrap().bytes, next);
            sleep(2 * FRESH).await;
            assert_eq!(lock(&files.kept).bytes, 0);
        }

        fs::write(directory.path().join("large"), vec![0; MOST - 100]).unwrap();
        assert!(files.get("/large").await.is_some());
        fs::write(directory.path().join("other"), vec![0; 1000]).unwrap();
        assert!(files.get("/other").await.is_some());
        let kept = lock(&files.kept);
        assert_eq!(kept.bytes, 1000 + "/other".len());
        assert_eq!(kept.by_path.len(), 1);
    }
}
