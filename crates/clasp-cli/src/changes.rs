//! When files are to be read again: when SIGHUP says so, and when they have changed.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::spawn_blocking;

/// Files that are looked at from time to time.
pub(crate) struct Changes {
    hangup: Hangup,
    files: Vec<PathBuf>,
    seen: Stamp,
    /// How often they are looked at; never, where that is nothing.
    every: Duration,
}

impl Changes {
    /// From how these files look now. SIGHUP ends nothing by itself any more.
    pub(crate) fn new(files: Vec<PathBuf>, every: Duration) -> io::Result<Self> {
        let seen = Stamp::of(&files);
        Ok(Self { hangup: Hangup::new()?, files, seen, every })
    }

    /// Other files, where they are others. The same were seen before they were read: what has changed since is told.
    pub(crate) fn watch(&mut self, files: Vec<PathBuf>) {
        if files != self.files {
            self.seen = Stamp::of(&files);
            self.files = files;
        }
    }

    /// Until there may be something else to read.
    pub(crate) async fn next(&mut self) {
        loop {
            let look = async {
                if self.every.is_zero() {
                    core::future::pending::<()>().await;
                }
                tokio::time::sleep(self.every).await;
            };
            tokio::select! {
                () = self.hangup.next() => {
                    self.seen = Stamp::of(&self.files);
                    return;
                }
                () = look => {}
            }
            let files = self.files.clone();
            let Ok(now) = spawn_blocking(move || Stamp::of(&files)).await else { continue };
            if now != self.seen {
                self.seen = now;
                return;
            }
        }
    }
}

/// What files looked like: another look tells whether they have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp(Vec<Option<(std::time::SystemTime, u64, u64)>>);

impl Stamp {
    fn of(files: &[PathBuf]) -> Self {
        Self(files.iter().map(|file| look(file)).collect())
    }
}

fn look(file: &Path) -> Option<(std::time::SystemTime, u64, u64)> {
    // Behind a link: what is mounted into a container is replaced by turning a link round.
    let seen = std::fs::metadata(file).ok()?;
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&seen);
    #[cfg(not(unix))]
    let number = 0;
    Some((seen.modified().ok()?, seen.len(), number))
}

/// SIGHUP, where there are signals.
struct Hangup {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

impl Hangup {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { signal: signal(SignalKind::hangup())? })
    }

    #[cfg(not(unix))]
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        if self.signal.recv().await.is_none() {
            core::future::pending::<()>().await;
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        core::future::pending::<()>().await;
    }
}
