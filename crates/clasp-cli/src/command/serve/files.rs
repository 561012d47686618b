//! The directory that is served.

use super::body::{AT_ONCE, Content, Pieces};
use super::path;
use crate::failure::Failure;
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use std::collections::HashMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// How long a file is served from memory, at most, before it is looked at again.
const FRESH: Duration = Duration::from_secs(1);
/// Bytes that are kept.
const MOST: usize = 16 << 20;

/// Files below a directory. A small one that was asked for a moment ago is kept, so that a busy page costs no look at the
/// disk; a large one is read as each client takes it.
pub(super) struct Files {
    place: Arc<DocumentRoot>,
    kept: Arc<Mutex<Kept>>,
}

/// Where the files are, and which of them are secret wherever they stand.
struct DocumentRoot {
    directory: PathBuf,
    secret: Vec<Which>,
    searched: Mutex<HashMap<(Which, SystemTime, u64), bool>>,
}

/// Files whose search is remembered: some hundred kilobytes.
const MOST_SEARCHED: usize = 4096;

/// Which file it is, by whatever name: on Unix its device and number, elsewhere its path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Which(#[cfg(unix)] (u64, u64), #[cfg(not(unix))] PathBuf);

impl Which {
    fn of(_real: &Path, _metadata: &fs::Metadata) -> Self {
        #[cfg(unix)]
        return Self((std::os::unix::fs::MetadataExt::dev(_metadata), std::os::unix::fs::MetadataExt::ino(_metadata)));
        #[cfg(not(unix))]
        return Self(_real.into());
    }
}

#[derive(Default)]
struct Kept {
    by_path: HashMap<String, Small>,
    bytes: usize,
    /// A task will forget them all. No request looks at a clock.
    passes: bool,
}

/// A file as it is served.
pub(super) struct File {
    pub(super) content: Content,
    /// Its media type.
    pub(super) kind: HeaderValue,
}

#[derive(Clone)]
struct Small {
    bytes: Bytes,
    kind: HeaderValue,
}

/// What is read from the disk.
enum Found {
    Small(Small),
    Large(File),
}

/// Why there is no file to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// There is none of this name, or none for everybody.
    Nothing,
    /// There may be: we are out of descriptors, say, or the disk fails.
    ForNow,
}

impl From<io::Error> for Missing {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied};
        match error.kind() {
            NotFound | PermissionDenied | NotADirectory | IsADirectory | InvalidInput | InvalidFilename => {
                Self::Nothing
            }
            _ => Self::ForNow,
        }
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Files {
    /// The files below a directory, which must be one, but for `secret` ones: our own keys.
    pub(super) fn new<'a>(directory: &Path, secret: impl IntoIterator<Item = &'a Path>) -> Result<Self, Failure> {
        let usable = fs::read_dir(directory).and_then(|_| fs::canonicalize(directory));
        let directory = usable.map_err(|e| Failure::file(directory, e).hint("DIR is a directory that can be read"))?;
        let which = |path: &Path| {
            let real = fs::canonicalize(path)?;
            Ok(Which::of(&real, &fs::metadata(&real)?))
        };
        let secret = secret.into_iter().map(|path| which(path).map_err(|e: io::Error| Failure::file(path, e)));
        let secret = secret.collect::<Result<_, _>>()?;
        let place = DocumentRoot { directory, secret, searched: Mutex::default() };
        Ok(Self { place: Arc::new(place), kept: Arc::default() })
    }

    /// A file. A path that leads anywhere else is not found, and neither is a directory without index.html.
    pub(super) async fn get(&self, path: &str) -> Result<File, Missing> {
        if let Some(small) = self.kept(path) {
            return Ok(small.into());
        }
        let (place, asked) = (Arc::clone(&self.place), path.to_string());
        match spawn_blocking(move || place.read(&asked)).await.map_err(|_| Missing::ForNow)?? {
            Found::Large(file) => Ok(file),
            Found::Small(small) => {
                self.keep(path, &small);
                Ok(small.into())
            }
        }
    }

    fn kept(&self, path: &str) -> Option<Small> {
        lock(&self.kept).by_path.get(path).cloned()
    }

    fn keep(&self, path: &str, file: &Small) {
        let size = file.bytes.len() + path.len();
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

impl From<Small> for File {
    fn from(small: Small) -> Self {
        Self { content: Content::Whole(small.bytes), kind: small.kind }
    }
}

impl DocumentRoot {
    /// Blocks while the disk works.
    fn read(&self, uri_path: &str) -> Result<Found, Missing> {
        let mut full = self.directory.join(path::below(uri_path).ok_or(Missing::Nothing)?);
        if fs::metadata(&full)?.is_dir() {
            full.push("index.html");
        }
        // A link may lead out of the directory, or to what is hidden in it: where it ends is what counts.
        let real = fs::canonicalize(&full)?;
        let below = real.strip_prefix(&self.directory).map_err(|_| Missing::Nothing)?;
        // A pipe would hold us until somebody writes into it.
        if !path::may_be_served(below) || !fs::metadata(&real)?.is_file() {
            return Err(Missing::Nothing);
        }
        let mut file = fs::File::open(&real)?;
        let metadata = file.metadata()?;
        let (length, which) = (metadata.len(), Which::of(&real, &metadata));
        if self.secret.contains(&which) {
            return Err(Missing::Nothing);
        }
        let mut front = Vec::new();
        (&mut file).take(u64::try_from(AT_ONCE).unwrap_or(u64::MAX)).read_to_end(&mut front)?;
        if self.holds_private_key(&front, &mut file, (which, &metadata))? {
            return Err(Missing::Nothing);
        }
        let (front, kind) = (Bytes::from(front), HeaderValue::from_static(media_type(&real)));
        // What grows meanwhile is read with the next request; what shrinks is cut off.
        Ok(if front.len() < AT_ONCE {
            Found::Small(Small { bytes: front, kind })
        } else {
            Found::Large(File { content: Content::Pieces(Pieces::new(file, front, length)), kind })
        })
    }
}

impl DocumentRoot {
    /// A file that has not changed since is not searched again, and no two requests search at the same time: whoever asks for a
    /// large one a hundred times makes us read it once.
    fn holds_private_key(
        &self,
        front: &[u8],
        file: &mut fs::File,
        (which, metadata): (Which, &fs::Metadata),
    ) -> io::Result<bool> {
        if front.len() < AT_ONCE {
            return path::holds_private_key(front, file);
        }
        let named = metadata.modified().ok().map(|modified| (which, modified, metadata.len()));
        let mut searched = self.searched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = named.as_ref().and_then(|named| searched.get(named)) {
            return Ok(*known);
        }
        let holds = path::holds_private_key(front, file)?;
        if let Some(named) = named {
            if searched.len() >= MOST_SEARCHED {
                searched.clear();
            }
            searched.insert(named, holds);
        }
        Ok(holds)
    }
}

fn media_type(path: &Path) -> &'static str {
    match path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("html" | "htm") => "text/html; charset=utf-8",
        Some("css") => "text/css",
        Some("js" | "mjs") => "text/javascript",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("ico") => "image/x-icon",
        Some("wasm") => "application/wasm",
        Some("pdf") => "application/pdf",
        Some("json") => "application/json",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    async fn text(files: &Files, path: &str) -> Result<Bytes, Missing> {
        Ok(files.get(path).await?.content.collect().await.unwrap().to_bytes())
    }

    #[tokio::test]
    async fn nothing_outside_the_directory_is_found_and_nothing_secret_in_it() {
        let outside = tempfile::tempdir().unwrap();
        let www = outside.path().join("www");
        fs::create_dir_all(www.join(".git")).unwrap();
        fs::create_dir(www.join("empty")).unwrap();
        fs::write(outside.path().join("secret.txt"), "secret").unwrap();
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        for (name, text) in [
            ("page.txt", "page"),
            ("bücher 100%.txt", "page"),
            (".env", "secret"),
            (".git/config", "secret"),
            ("server.key", "secret"),
            ("both.pem", &format!("page\n{key}")),
            ("keys.log", "secret"),
        ] {
            fs::write(www.join(name), text).unwrap();
        }
        for (link, to) in [("link.txt", "../secret.txt"), ("hidden.txt", ".env"), ("a.txt", "server.key")] {
            std::os::unix::fs::symlink(to, www.join(link)).unwrap();
        }
        let secret = www.join("keys.log");
        fs::hard_link(&secret, www.join("other.log")).unwrap();
        let files = Files::new(&www, [secret.as_path()]).unwrap();
        // A secret that is not there cannot be told from what comes later.
        assert!(Files::new(&www, [www.join("later.log").as_path()]).is_err());
        let page = files.get("/page.txt").await.unwrap();
        assert_eq!(page.kind.as_bytes(), b"text/plain; charset=utf-8");
        for path in ["/page.txt", "/b%C3%BCcher%20100%25.txt", "//page.txt"] {
            assert_eq!(text(&files, path).await.as_deref(), Ok(&b"page"[..]), "{path}");
        }
        for path in [
            "/link.txt",
            "/../secret.txt",
            "/%2e%2e/secret.txt",
            "/absent.txt",
            "/",
            "/empty",
            "/.env",
            "/.git/config",
            "/server.key",
            "/both.pem",
            "/keys.log",
            "/other.log",
            "/hidden.txt",
            "/a.txt",
            "/page.txt/x",
            "/page.txt%00",
        ] {
            assert_eq!(files.get(path).await.err(), Some(Missing::Nothing), "{path}");
        }
        let long = format!("/{}", "x".repeat(5000));
        assert_eq!(files.get(&long).await.err(), Some(Missing::Nothing));
        assert!(Files::new(&www.join("absent"), []).is_err() && Files::new(&www.join("page.txt"), []).is_err());
    }

    #[tokio::test]
    async fn a_large_file_is_whole_and_is_never_in_memory_as_a_whole() {
        let directory = tempfile::tempdir().unwrap();
        let all: Vec<u8> = (0..251).cycle().take(1_000_003).collect();
        for length in [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE, all.len()] {
            fs::write(directory.path().join("file"), &all[..length]).unwrap();
            let files = Files::new(directory.path(), []).unwrap();
            let file = files.get("/file").await.unwrap();
            assert_eq!(file.content.len(), u64::try_from(length).unwrap());
            assert_eq!(matches!(file.content, Content::Whole(_)), length < AT_ONCE);
            assert!(file.content.collect().await.unwrap().to_bytes() == all[..length], "{length}");
            assert!(lock(&files.kept).bytes < AT_ONCE + 10);
        }
        // One that shrinks meanwhile ends with an error, for its length has been said.
        fs::write(directory.path().join("file"), &all).unwrap();
        let files = Files::new(directory.path(), []).unwrap();
        let file = files.get("/file").await.unwrap();
        fs::write(directory.path().join("file"), &all[..AT_ONCE + 1]).unwrap();
        assert_eq!(file.content.collect().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn a_large_file_is_searched_once_until_it_changes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("large.txt");
        let files = Files::new(directory.path(), []).unwrap();
        let text = vec![b'x'; 4 * AT_ONCE];
        fs::write(&path, &text).unwrap();
        for _ in 0..3 {
            assert!(files.get("/large.txt").await.is_ok());
        }
        assert_eq!(lock_searched(&files), [false]);
        fs::write(&path, [&text[..], b"\n-----BEGIN PRIVATE KEY-----\nMA==\n"].concat()).unwrap();
        assert_eq!(files.get("/large.txt").await.err(), Some(Missing::Nothing));
        assert_eq!(files.get("/large.txt").await.err(), Some(Missing::Nothing));
        let mut verdicts = lock_searched(&files);
        verdicts.sort_unstable();
        assert_eq!(verdicts, [false, true]);
    }

    fn lock_searched(files: &Files) -> Vec<bool> {
        files.place.searched.lock().unwrap().values().copied().collect()
    }

    #[test]
    fn out_of_descriptors_is_no_absence() {
        for (number, missing) in
            [(2, Missing::Nothing), (13, Missing::Nothing), (24, Missing::ForNow), (5, Missing::ForNow)]
        {
            assert_eq!(Missing::from(io::Error::from_raw_os_error(number)), missing, "{number}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_is_bounded_and_looked_at_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("page.html");
        let files = Files::new(directory.path(), []).unwrap();
        for (first, next) in [("first", "second"), ("second", "third")] {
            fs::write(&path, first).unwrap();
            assert_eq!(text(&files, "/page.html").await.unwrap(), first);
            fs::write(&path, next).unwrap();
            sleep(FRESH / 2).await;
            assert_eq!(text(&files, "/page.html").await.unwrap(), first);
            sleep(FRESH).await;
            assert_eq!(text(&files, "/page.html").await.unwrap(), next);
            sleep(2 * FRESH).await;
            assert_eq!(lock(&files.kept).bytes, 0);
        }

        let count = MOST / (AT_ONCE - 1);
        for n in 0..=count {
            fs::write(directory.path().join("other"), vec![0; AT_ONCE - 1]).unwrap();
            // Each is another path of the same file.
            assert!(files.get(&format!("{}other", "/".repeat(n + 1))).await.is_ok());
            assert!(lock(&files.kept).bytes <= MOST);
        }
        assert!(lock(&files.kept).by_path.len() < count);
    }
}
