//! The certificate that `clasp serve` makes for itself, renewed before it ends.

use crate::command::ca::{self, Issued};
use crate::failure::Failure;
use crate::pem;
use crate::terminal::note;
use clasp::config::{ClientHelloFacts, Resolver};
use clasp::{Answer, Identity};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// How often it is looked at. It is renewed weeks before its end.
const LOOK: Duration = Duration::from_secs(3600);

/// The identity that is served now.
pub(super) struct Own {
    directory: PathBuf,
    root: PathBuf,
    current: RwLock<Arc<Identity>>,
}

impl Own {
    /// Makes one for localhost, and its CA, where there is none that lasts.
    pub(super) fn new(directory: PathBuf) -> Result<Self, Failure> {
        let (root, issued) = ca::for_localhost(&directory)?;
        let current = RwLock::new(Arc::new(identity(&issued)?));
        Ok(Self { directory, root, current })
    }

    /// The root to be trusted.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Renews it for ever. What fails is said, and tried again: the old one serves on until then.
    pub(super) async fn renew(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK).await;
            let own = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || own.look()).await {
                Ok(Ok(())) => {}
                Ok(Err(failure)) => note(format_args!("renewing our certificate: {}", failure.message())),
                Err(error) => note(format_args!("renewing our certificate: {error}")),
            }
        }
    }

    fn look(&self) -> Result<(), Failure> {
        let (_, issued) = ca::for_localhost(&self.directory)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(identity(&issued)?);
        Ok(())
    }
}

fn identity(issued: &Issued) -> Result<Identity, Failure> {
    pem::identity(&issued.chain, &issued.key, None)
}

impl Resolver for Own {
    fn resolve<'a>(&'a self, _: &'a ClientHelloFacts) -> Answer<'a, clasp::Result<Arc<Identity>>> {
        Answer::Now(Ok(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))))
    }
}
