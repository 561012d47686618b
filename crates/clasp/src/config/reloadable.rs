//! Identities that are replaced while connections are made and served.

use super::{CertificateRequestFacts, ClientHelloFacts, ClientIdentity, Identities, Identity, Resolver, clash};
use crate::answer::Answer;
use crate::error::Result;
use core::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

/// Identities that can be replaced at any time: by others, or by what their files hold by now. A handshake takes those that there
/// are when it chooses; connections that are made already go on as they are. Nobody waits, and no connection is lost.
///
/// ```no_run
/// use clasp::ServerConfig;
/// use clasp::config::Reloadable;
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// let identity = Arc::new(Reloadable::from_pem_files([("cert.pem", "key.pem")])?);
/// let config = ServerConfig::builder().identity(identity.clone()).build()?;
/// std::thread::spawn(move || loop {
///     std::thread::sleep(Duration::from_secs(60));
///     // Whoever renews may have written one file and not the other: the old identity stays until both fit.
///     if let Err(error) = identity.reload() {
///         eprintln!("the old certificate goes on: {error}");
///     }
/// });
/// # drop(config);
/// # Ok::<(), clasp::Error>(())
/// ```
///
/// # Sessions
/// A server's sessions and tickets go on: it is the client who has accepted a certificate, and its session counts until that
/// certificate ends, as the client's verifier has it. Where every client must see the new certificate at once, a new
/// configuration is needed, with new ticket keys and a new session store.
///
/// As a client's identity it is the other way round. A session shows the server whom it was made by, so those that were made
/// before a replacement are not used any more: each server sees the new certificate at the next connection.
pub struct Reloadable {
    current: RwLock<Current>,
    files: Vec<(PathBuf, PathBuf)>,
}

struct Current {
    identities: Arc<Identities>,
    /// How often they were replaced.
    generation: u64,
}

impl Reloadable {
    /// With these for now; chosen among as [`Identities`] does.
    ///
    /// # Errors
    /// If there are none.
    pub fn new(identities: impl IntoIterator<Item = Identity>) -> Result<Self> {
        Self::of(some(Identities::new(identities))?, Vec::new())
    }

    /// With what these pairs of files hold: a chain in PEM (own certificate first), and its private key.
    /// [`reload`](Self::reload) reads them again.
    ///
    /// # Errors
    /// If there are none, or one cannot be read; the error names the file.
    pub fn from_pem_files<C, K>(files: impl IntoIterator<Item = (C, K)>) -> Result<Self>
    where
        C: Into<PathBuf>,
        K: Into<PathBuf>,
    {
        let files: Vec<_> = files.into_iter().map(|(chain, key)| (chain.into(), key.into())).collect();
        Self::of(some(read(&files)?)?, files)
    }

    fn of(identities: Identities, files: Vec<(PathBuf, PathBuf)>) -> Result<Self> {
        let current = RwLock::new(Current { identities: Arc::new(identities), generation: 0 });
        Ok(Self { current, files })
    }

    /// Replaces all there are by these, for every handshake that chooses from now on.
    ///
    /// # Errors
    /// If there are none. Those that there were stay.
    pub fn replace(&self, identities: impl IntoIterator<Item = Identity>) -> Result<()> {
        self.put(some(Identities::new(identities))?);
        Ok(())
    }

    /// Reads the files again, and says whether a certificate has changed since. Of identities that were not read from files nothing
    /// changes.
    ///
    /// # Errors
    /// If a file cannot be read, or holds a key that is not its certificate's: whoever writes both has written one of them so
    /// far, perhaps. Those that there were stay.
    pub fn reload(&self) -> Result<bool> {
        if self.files.is_empty() {
            return Ok(false);
        }
        let read = read(&self.files)?;
        // A key that fits the same certificate is the same.
        let changed = !read.same_certificates(&self.current());
        if changed {
            self.put(read);
        }
        Ok(changed)
    }

    /// Those of the moment.
    pub fn current(&self) -> Arc<Identities> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).identities.clone()
    }

    fn put(&self, identities: Identities) {
        let identities = Arc::new(identities);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let generation = current.generation.saturating_add(1);
        let before = core::mem::replace(&mut *current, Current { identities, generation });
        drop(current);
        // Keys are wiped when nobody waits for the lock.
        drop(before);
    }
}

fn some(identities: Identities) -> Result<Identities> {
    if identities.iter().next().is_none() {
        return Err(clash::bad_value("Reloadable", "no identity", "at least one"));
    }
    Ok(identities)
}

fn read(files: &[(PathBuf, PathBuf)]) -> Result<Identities> {
    let identities: Result<Vec<_>> = files.iter().map(|(chain, key)| Identity::from_pem_files(chain, key)).collect();
    identities.map(Identities::new)
}

impl Resolver for Reloadable {
    fn resolve<'a>(&'a self, hello: &'a ClientHelloFacts) -> Answer<'a, Result<Arc<Identity>>> {
        Answer::Now(self.current().choose(hello))
    }
}

/// The first that is what the server asks for.
impl ClientIdentity for Reloadable {
    fn choose<'a>(&'a self, request: &'a CertificateRequestFacts) -> Answer<'a, Result<Option<Arc<Identity>>>> {
        Answer::Now(Ok(self.current().iter().find(|identity| identity.fits_request(request)).cloned()))
    }

    fn generation(&self) -> u64 {
        self.current.read().unwrap_or_else(PoisonError::into_inner).generation
    }
}

impl fmt::Debug for Reloadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloadable")
            .field("current", &self.current())
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}
