//! Trust on first use: whoever is met is believed once, and has to be the same from then on.

use super::pinned::key_of_whoever;
use super::{KeyPin, PresentedIdentity, Verified, Verifier};
use crate::answer::Answer;
use crate::code::CertificateType;
use crate::error::{CertificateError, Error, Outside, Result};
use core::fmt;
use rustls_pki_types::ServerName;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where the keys of peers are kept that were met. A store that is elsewhere may answer later.
pub trait KnownKeys: Send + Sync {
    /// The key of the peer of this name: a DNS name in lower case, or an address. None if it was never met.
    fn find<'a>(&'a self, name: &'a str) -> Answer<'a, Result<Option<KeyPin>>>;
    /// Keeps the key of a peer that has proven to have it, unless there is one by now, and gives the one that there is: two
    /// connections may be the first.
    fn keep(self: Arc<Self>, name: String, key: KeyPin) -> Answer<'static, Result<KeyPin>>;
}

/// Takes a server that was never met, whoever it is, and keeps its key: from then on the server of this name must have it, as
/// `ssh` has it. Nothing else of a certificate is looked at.
///
/// Whoever is in the middle at the first connection stays unnoticed; at any later one he is noticed. The key is kept when the
/// server has proven to have it, not before. Names have no ports here: all servers of a host are one.
///
/// ```no_run
/// use clasp::ClientConfig;
/// use clasp::config::{FirstUse, KnownKeysFile};
/// let known = KnownKeysFile::new("/home/me/.config/devices/known_keys");
/// let config = ClientConfig::builder().trust_on_first_use(FirstUse::new(known)).build()?;
/// # Ok::<(), clasp::Error>(())
/// ```
///
/// A new key is [`CertificateError::KeyChanged`]; the certificate stands in [`Error::refused_chain`], for a person to look at.
pub struct FirstUse {
    store: Arc<dyn KnownKeys>,
}

impl FirstUse {
    /// With this store.
    pub fn new(store: impl KnownKeys + 'static) -> Self {
        Self { store: Arc::new(store) }
    }

    fn judge(&self, verified: Verified, name: String, known: Option<KeyPin>) -> Result<Verified> {
        let key = KeyPin::of_key(&verified.spki);
        match known {
            Some(known) if known == key => Ok(verified),
            Some(known) => Err(changed(&name, key, known)),
            None => Ok(verified.once_proven(self.keeping(name, key))),
        }
    }

    fn keeping(
        &self,
        name: String,
        key: KeyPin,
    ) -> impl FnOnce() -> Answer<'static, Result<()>> + Send + Sync + 'static {
        let store = self.store.clone();
        move || {
            let same = {
                let name = name.clone();
                move |stands: KeyPin| if stands == key { Ok(()) } else { Err(changed(&name, key, stands)) }
            };
            match store.keep(name, key) {
                Answer::Now(kept) => Answer::Now(kept.and_then(same)),
                Answer::Later(kept) => Answer::Later(Box::pin(async move { same(kept.await?) })),
            }
        }
    }
}

fn changed(name: &str, seen: KeyPin, known: KeyPin) -> Error {
    let error = Error::from(CertificateError::KeyChanged).seen(format_args!("{seen} of {name}")).wanted(known);
    error.hint("where it has a new key for good reasons, forget the old one; otherwise somebody is in the middle")
}

impl Verifier for FirstUse {
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        let Some(name) = peer.name.map(as_kept) else {
            return Answer::Now(Err(Error::from(CertificateError::Refused)
                .seen("a client, which has no name before its certificate is believed")
                .hint("FirstUse is for servers")));
        };
        let verified = match key_of_whoever(&peer) {
            Ok(verified) => verified,
            Err(error) => return Answer::Now(Err(error)),
        };
        // The store may borrow the name for as long as it takes.
        Answer::Later(Box::pin(async move {
            let known = match self.store.find(&name) {
                Answer::Now(known) => known?,
                Answer::Later(known) => known.await?,
            };
            self.judge(verified, name, known)
        }))
    }

    fn takes(&self, kind: CertificateType) -> bool {
        matches!(kind, CertificateType::X509 | CertificateType::RawPublicKey)
    }
}

impl fmt::Debug for FirstUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FirstUse").finish_non_exhaustive()
    }
}

/// Keys in a file, a line each: the name, and the key as [`KeyPin`] has it. What stands behind a `#` is a comment. Whoever is
/// to be met anew is struck out. A line that is none of these is an error, and nobody is believed until it is mended.
///
/// The file is read each time it is asked, and made when there is something to keep. Several processes may share it: lines are only
/// ever added, each in one write, and of two for a name the first counts.
#[derive(Debug)]
pub struct KnownKeysFile {
    path: PathBuf,
    /// One at a time here.
    turn: Mutex<()>,
}

/// Keys of a hundred thousand servers, and more.
const MOST_BYTES: u64 = 16 << 20;

impl KnownKeysFile {
    /// At this path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), turn: Mutex::new(()) }
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, why: impl fmt::Display) -> Error {
        Error::from(Outside::VerifierFailed).seen(format_args!("{}: {why}", self.path.display()))
    }

    /// All of it; nothing where there is no file yet.
    fn text(&self) -> Result<String> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
            opened => opened.map_err(|error| self.failed(error))?,
        };
        let mut text = String::new();
        let read = file.take(MOST_BYTES.saturating_add(1)).read_to_string(&mut text);
        if read.map_err(|error| self.failed(error))? as u64 > MOST_BYTES {
            return Err(self.failed("longer than a list of keys should be"));
        }
        Ok(text)
    }

    fn find_in(&self, text: &str, name: &str) -> Result<Option<KeyPin>> {
        // Some editors write a byte-order mark; it is no part of the first name.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        // A line that cannot be read may be that of this very name: then nobody is believed.
        for (number, line) in text.lines().enumerate() {
            let (of, key) = match read(line) {
                Ok(None) => continue,
                Ok(Some(known)) => known,
                Err(wanted) => {
                    return Err(self.failed(format_args!("line {}", number.saturating_add(1))).wanted(wanted));
                }
            };
            if of == name {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    fn add(&self, name: &str, key: KeyPin) -> Result<KeyPin> {
        let text = self.text()?;
        if let Some(known) = self.find_in(&text, name)? {
            return Ok(known);
        }
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path).map_err(|e| self.failed(e))?;
        // A last line without an end would go on with ours, and a comment would swallow it.
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        // At once: another process may add one too.
        file.write_all(format!("{end}{name} {key}\n").as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|e| self.failed(e))?;
        // Which of them came first.
        self.find_in(&self.text()?, name)?.ok_or_else(|| self.failed("what was added is not there"))
    }
}

/// A line of such a file: a name, written as a peer's is, and its key, if there is any; or what was wanted.
fn read(line: &str) -> core::result::Result<Option<(String, KeyPin)>, &'static str> {
    // What ends a line elsewhere would hide the next one in a comment.
    if line.contains(|c: char| c.is_control() && c != '\t') {
        return Err("lines of text, each with its end");
    }
    let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
    let Some(name) = words.next() else { return Ok(None) };
    // Nobody is ever asked for by a name that is none: its line would be passed over in silence.
    let name = ServerName::try_from(name).map_err(|_| "a DNS name, or an address")?;
    let key = words.next().and_then(|key| key.parse().ok()).filter(|_| words.next().is_none());
    let key = key.ok_or("a name, and sha256// with the digest of its key")?;
    Ok(Some((as_kept(&name), key)))
}

/// A peer's name as it stands in a store.
fn as_kept(name: &ServerName<'_>) -> String {
    name.to_str().to_ascii_lowercase()
}

impl KnownKeys for KnownKeysFile {
    fn find<'a>(&'a self, name: &'a str) -> Answer<'a, Result<Option<KeyPin>>> {
        let _turn = self.turn();
        Answer::Now(self.text().and_then(|text| self.find_in(&text, name)))
    }

    fn keep(self: Arc<Self>, name: String, key: KeyPin) -> Answer<'static, Result<KeyPin>> {
        let _turn = self.turn();
        Answer::Now(self.add(&name, key))
    }
}
